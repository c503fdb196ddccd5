/* queue.h - the calls of task_done_queue under the names that the chapter's checks know (queue_tests.h, task_tests.h,
 * their scenarios). */
#ifndef THIS_QUEUE_H
#define THIS_QUEUE_H

#include "task_done.h"

#define this_queue task_done_queue /* struct this_queue is struct task_done_queue */
#define QUEUE "task_done_queue"    /* what the calls begin with, for sentences */

static inline int queue_create(struct this_queue **queue, int64_t maxsize)
{
    return task_done_queue_create(queue, maxsize);
}

static inline void queue_destroy(struct this_queue *queue)
{
    task_done_queue_destroy(queue);
}

static inline int queue_put(struct this_queue *queue, void *item, int64_t timeout_us)
{
    return task_done_queue_put(queue, item, timeout_us);
}

static inline int queue_get(struct this_queue *queue, void **item, int64_t timeout_us)
{
    return task_done_queue_get(queue, item, timeout_us);
}

static inline size_t queue_size(struct this_queue *queue)
{
    return task_done_queue_size(queue);
}

static inline int queue_done(struct this_queue *queue)
{
    return task_done_queue_done(queue);
}

static inline void queue_join(struct this_queue *queue)
{
    task_done_queue_join(queue);
}

static inline size_t queue_unfinished(struct this_queue *queue)
{
    return task_done_queue_unfinished(queue);
}

#endif
