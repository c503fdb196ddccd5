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
struct fifo_queue {
    size_t maxsize; /* never changes; SIZE_MAX where there is no bound */
    pthread_mutex_t mutex;
    pthread_cond_t not_empty; /* signalled for each item that has come */
    pthread_cond_t not_full;  /* signalled for each item that has gone */
    void **ring;              /* guarded by mutex, as all below */
    size_t places;            /* in the ring: 0, or a power of two */
    size_t first;             /* the place of the item at the front */
    size_t count;             /* how many items there are */
};
/* end state */

/* region create */
/* Makes the mutex and both conditions, whose timed waits go by the monotonic clock, or nothing. */
static int make_locks(struct fifo_queue *queue)
{
    pthread_condattr_t monotonic;
    int error = pthread_condattr_init(&monotonic);
    if (error != 0)
        return error;

    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error != 0)
        goto no_mutex;
    error = pthread_mutex_init(&queue->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = pthread_cond_init(&queue->not_empty, &monotonic);
    if (error != 0)
        goto no_not_empty;
    error = pthread_cond_init(&queue->not_full, &monotonic);
    if (error != 0)
        goto no_not_full;
    pthread_condattr_destroy(&monotonic);
    return 0;

no_not_full:
    pthread_cond_destroy(&queue->not_empty);
no_not_empty:
    pthread_mutex_destroy(&queue->mutex);
no_mutex:
    pthread_condattr_destroy(&monotonic);
    return error;
}

int fifo_queue_create(struct fifo_queue **queue, int64_t maxsize)
{
    struct fifo_queue *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = make_locks(made);
    if (error != 0) {
        free(made);
        return error;
    }
    made->maxsize = maxsize <= 0 || (uint64_t)maxsize > SIZE_MAX ? SIZE_MAX : (size_t)maxsize;
    *queue = made;
    return 0;
}

void fifo_queue_destroy(struct fifo_queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->ring);
    free(queue);
}
/* end create */

/* region ring */
enum { RING_PLACES = 16 };

/* With the mutex held: a ring of twice the size, with the same items. Returns 0 or ENOMEM. */
static int ring_grow(struct fifo_queue *queue)
{
    size_t places = queue->places == 0 ? RING_PLACES : 2 * queue->places;
    void **ring = places <= SIZE_MAX / sizeof *ring / 2 ? malloc(places * sizeof *ring) : NULL;
    if (ring == NULL)
        return ENOMEM;

    for (size_t i = 0; i < queue->count; i++)
        ring[i] = queue->ring[(queue->first + i) & (queue->places - 1)];
    free(queue->ring);
    queue->ring = ring;
    queue->places = places;
    queue->first = 0;
    return 0;
}

/* With the mutex held, and room in the queue. Returns 0 or ENOMEM. */
static int ring_push(struct fifo_queue *queue, void *item)
{
    if (queue->count == queue->places && ring_grow(queue) != 0)
        return ENOMEM;
    queue->ring[(queue->first + queue->count) & (queue->places - 1)] = item;
    queue->count++;
    return 0;
}

/* With the mutex held, and an item in the queue. */
static void *ring_pop(struct fifo_queue *queue)
{
    void *item = queue->ring[queue->first];

    queue->first = (queue->first + 1) & (queue->places - 1);
    queue->count--;
    return item;
}
/* end ring */

/* region wait */
/* The moment `timeout_us` microseconds from now: a moment stays what it is however often a wait is interrupted. */
static struct timespec deadline_after(int64_t timeout_us)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_us / 1000000;
    deadline.tv_nsec += timeout_us % 1000000 * 1000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    return deadline;
}

/* With the mutex held: waits while the count is `unwanted`. Returns 0, or ETIMEDOUT where it is so still. */
static int wait_while(struct fifo_queue *queue, size_t unwanted, pthread_cond_t *change, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    int error = 0;

    if (queue->count != unwanted)
        return 0;
    if (timeout_us == 0)
        return ETIMEDOUT;
    if (timeout_us > 0)
        deadline = deadline_after(timeout_us);
    while (queue->count == unwanted && error == 0)
        error = timeout_us < 0 ? pthread_cond_wait(change, &queue->mutex)
                               : pthread_cond_timedwait(change, &queue->mutex, &deadline);
    return queue->count != unwanted ? 0 : error; /* what has come counts for more than the time that is over */
}
/* end wait */

/* region put */
int fifo_queue_put(struct fifo_queue *queue, void *item, int64_t timeout_us)
{
    pthread_mutex_lock(&queue->mutex);
    int error = wait_while(queue, queue->maxsize, &queue->not_full, timeout_us);
    if (error == 0)
        error = ring_push(queue, item);
    if (error == 0)
        pthread_cond_signal(&queue->not_empty);
    pthread_mutex_unlock(&queue->mutex);
    return error;
}
/* end put */

/* region get */
int fifo_queue_get(struct fifo_queue *queue, void **item, int64_t timeout_us)
{
    pthread_mutex_lock(&queue->mutex);
    int error = wait_while(queue, 0, &queue->not_empty, timeout_us);
    if (error == 0) {
        *item = ring_pop(queue);
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->mutex);
    return error;
}
/* end get */

/* region size */
size_t fifo_queue_size(struct fifo_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

bool fifo_queue_empty(struct fifo_queue *queue)
{
    return fifo_queue_size(queue) == 0;
}

bool fifo_queue_full(struct fifo_queue *queue)
{
    return fifo_queue_size(queue) == queue->maxsize;
}
/* end size */
