/* fifo_queue.c - a queue between threads, first in, first out.
 *
 * Theory of operation: no threads of its own. The items lie in a ring: `count` of them, from place `first` on, and past
 * the last place it goes on with place 0. One mutex guards all of that; it is held to look and to move a pointer, never
 * while anybody waits. There are two things to wait for, so there are two conditions. Who waits for an item sleeps on
 * `not_empty`, and each put signals it; who waits for room sleeps on `not_full`, and each get signals that. One change
 * lets one thread go on, so one signal for each is enough, and it must be one for *each*: a signal only when the queue
 * was empty before would forget the second of two who wait. Whoever wakes up looks again, since a third thread may have
 * been quicker.
 *
 * The ring starts small and doubles when it is full and the queue is not. It never shrinks: so who had to wait for room
 * finds a place that was used before, and cannot fail for want of memory after it was woken.
 */
#include "fifo_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* Where do the items lie, how many are there, and how many may there be? What guards that, and what does a thread sleep
 * on that waits for an item, or for room? */
struct fifo_queue {
    size_t count;
};
/* end state */

/* region create */
/* Make what the struct needs, and give back what was made where the rest fails. */
int fifo_queue_create(struct fifo_queue **queue, int64_t maxsize)
{
    (void)maxsize;
    *queue = calloc(1, sizeof **queue);
    return *queue == NULL ? ENOMEM : 0;
}

void fifo_queue_destroy(struct fifo_queue *queue)
{
    free(queue);
}
/* end create */

/* region ring */
/* A place for helpers: an item goes into the ring, an item comes out of it, the ring grows. */
/* end ring */

/* region wait */
/* A place for helpers: the moment at which a time-out ends; waiting for an item or for room until then. */
/* end wait */

/* region put */
/* Wait for room, mind the time, put the item in, wake one who waits for it. */
int fifo_queue_put(struct fifo_queue *queue, void *item, int64_t timeout_us)
{
    (void)queue;
    (void)item;
    (void)timeout_us;
    return ENOSYS;
}
/* end put */

/* region get */
/* Wait for an item, mind the time, take it out, wake one who waits for the room. */
int fifo_queue_get(struct fifo_queue *queue, void **item, int64_t timeout_us)
{
    (void)queue;
    (void)item;
    (void)timeout_us;
    return ENOSYS;
}
/* end get */

/* region size */
/* Each answer needs the mutex too. */
size_t fifo_queue_size(struct fifo_queue *queue)
{
    return queue->count;
}

bool fifo_queue_empty(struct fifo_queue *queue)
{
    return queue->count == 0;
}

bool fifo_queue_full(struct fifo_queue *queue)
{
    (void)queue;
    return false;
}
/* end size */
