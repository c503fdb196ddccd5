/* queue.h - the calls of shutdown_queue under the names that the chapter's checks know (queue_tests.h, task_tests.h,
 * their scenarios). */
#ifndef THIS_QUEUE_H
#define THIS_QUEUE_H

#include "shutdown.h"

#define this_queue shutdown_queue /* struct this_queue is struct shutdown_queue */
#define QUEUE "shutdown_queue"    /* what the calls begin with, for sentences */

static inline int queue_create(struct this_queue **queue, int64_t maxsize)
{
    return shutdown_queue_create(queue, maxsize);
}

static inline void queue_destroy(struct this_queue *queue)
{
    shutdown_queue_destroy(queue);
}

static inline int queue_put(struct this_queue *queue, void *item, int64_t timeout_us)
{
    return shutdown_queue_put(queue, item, timeout_us);
}

static inline int queue_get(struct this_queue *queue, void **item, int64_t timeout_us)
{
    return shutdown_queue_get(queue, item, timeout_us);
}

static inline size_t queue_size(struct this_queue *queue)
{
    return shutdown_queue_size(queue);
}

static inline int queue_done(struct this_queue *queue)
{
    return shutdown_queue_done(queue);
}

static inline void queue_join(struct this_queue *queue)
{
    shutdown_queue_join(queue);
}

static inline size_t queue_unfinished(struct this_queue *queue)
{
    return shutdown_queue_unfinished(queue);
}

#endif
