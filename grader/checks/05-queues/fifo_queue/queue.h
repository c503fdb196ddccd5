/* queue.h - the calls of fifo_queue under the names that the chapter's checks know (queue_tests.h, queue_scenarios.h).
 */
#ifndef THIS_QUEUE_H
#define THIS_QUEUE_H

#include "fifo_queue.h"

#define this_queue fifo_queue /* struct this_queue is struct fifo_queue */
#define QUEUE "fifo_queue"    /* what the calls begin with, for sentences */

static inline int queue_create(struct this_queue **queue, int64_t maxsize)
{
    return fifo_queue_create(queue, maxsize);
}

static inline void queue_destroy(struct this_queue *queue)
{
    fifo_queue_destroy(queue);
}

static inline int queue_put(struct this_queue *queue, void *item, int64_t timeout_us)
{
    return fifo_queue_put(queue, item, timeout_us);
}

static inline int queue_get(struct this_queue *queue, void **item, int64_t timeout_us)
{
    return fifo_queue_get(queue, item, timeout_us);
}

static inline size_t queue_size(struct this_queue *queue)
{
    return fifo_queue_size(queue);
}

#endif
