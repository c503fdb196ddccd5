/* fifo_queue.c - right, but it asks the clock at each call, whether it will have to wait or not, and finds its places
 * with a division: dearer, and the same however many items there are. */
#include "fifo_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
struct fifo_queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    void **items;
    size_t places;
    size_t first;
    size_t count;
    int64_t maxsize;
};
/* end state */

/* region create */
int fifo_queue_create(struct fifo_queue **queue, int64_t maxsize)
{
    struct fifo_queue *q = calloc(1, sizeof *q);
    if (q == NULL)
        return ENOMEM;
    q->places = 4;
    q->items = malloc(q->places * sizeof *q->items);
    if (q->items == NULL) {
        free(q);
        return ENOMEM;
    }
    q->maxsize = maxsize;
    int error = pthread_mutex_init(&q->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    pthread_condattr_t attr;
    error = pthread_condattr_init(&attr);
    if (error != 0)
        goto no_attr;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    error = pthread_cond_init(&q->not_empty, &attr);
    if (error != 0)
        goto no_cond;
    error = pthread_cond_init(&q->not_full, &attr);
    if (error != 0)
        goto no_cond2;
    pthread_condattr_destroy(&attr);
    *queue = q;
    return 0;
no_cond2:
    pthread_cond_destroy(&q->not_empty);
no_cond:
    pthread_condattr_destroy(&attr);
no_attr:
    pthread_mutex_destroy(&q->mutex);
no_mutex:
    free(q->items);
    free(q);
    return error;
}

void fifo_queue_destroy(struct fifo_queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->items);
    free(queue);
}
/* end create */

/* region ring */
static int grow(struct fifo_queue *q)
{
    void **items = malloc(2 * q->places * sizeof *items);
    if (items == NULL)
        return ENOMEM;
    for (size_t i = 0; i < q->count; i++)
        items[i] = q->items[(q->first + i) % q->places];
    free(q->items);
    q->first = 0;
    q->items = items;
    q->places *= 2;
    return 0;
}

static bool is_full(struct fifo_queue *q)
{
    return q->maxsize > 0 && q->count == (size_t)q->maxsize;
}
/* end ring */

/* region wait */
static struct timespec end_of(int64_t timeout_us)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_us / 1000000;
    t.tv_nsec += timeout_us % 1000000 * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}
/* end wait */

/* region put */
int fifo_queue_put(struct fifo_queue *queue, void *item, int64_t timeout_us)
{
    struct timespec end = end_of(timeout_us);
    int error = 0;
    pthread_mutex_lock(&queue->mutex);
    while (is_full(queue) && error == 0) {
        if (timeout_us < 0)
            error = pthread_cond_wait(&queue->not_full, &queue->mutex);
        else
            error = pthread_cond_timedwait(&queue->not_full, &queue->mutex, &end);
    }
    if (!is_full(queue))
        error = queue->count == queue->places ? grow(queue) : 0;
    if (error == 0) {
        queue->items[(queue->first + queue->count) % queue->places] = item;
        queue->count++;
        pthread_cond_signal(&queue->not_empty);
    }
    pthread_mutex_unlock(&queue->mutex);
    return error;
}
/* end put */

/* region get */
int fifo_queue_get(struct fifo_queue *queue, void **item, int64_t timeout_us)
{
    struct timespec end = end_of(timeout_us);
    int error = 0;
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0 && error == 0) {
        if (timeout_us < 0)
            error = pthread_cond_wait(&queue->not_empty, &queue->mutex);
        else
            error = pthread_cond_timedwait(&queue->not_empty, &queue->mutex, &end);
    }
    if (queue->count > 0) {
        error = 0;
        *item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->places;
        queue->count--;
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
    pthread_mutex_lock(&queue->mutex);
    bool full = is_full(queue);
    pthread_mutex_unlock(&queue->mutex);
    return full;
}
/* end size */
