/* fifo_queue.c - a queue between threads. A variant: a linked list instead of a ring, and a single condition for all
 * who wait, which every change broadcasts. Memory for an item is taken after the wait. */
#include "fifo_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct node {
    void *item;
    struct node *behind;
};

struct fifo_queue {
    pthread_mutex_t guard;
    pthread_cond_t changed;
    struct node *front, *back; /* guarded by guard, as all below */
    size_t size;
    int64_t maxsize;
};

int fifo_queue_create(struct fifo_queue **queue, int64_t maxsize)
{
    pthread_condattr_t attributes;
    struct fifo_queue *made = calloc(1, sizeof *made);
    int error = made == NULL ? ENOMEM : pthread_condattr_init(&attributes);
    if (error != 0)
        goto no_attributes;
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&made->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error != 0)
        goto no_attributes;
    error = pthread_mutex_init(&made->guard, NULL);
    if (error != 0)
        goto no_mutex;
    made->maxsize = maxsize;
    *queue = made;
    return 0;

no_mutex:
    pthread_cond_destroy(&made->changed);
no_attributes:
    free(made);
    return error;
}

void fifo_queue_destroy(struct fifo_queue *queue)
{
    while (queue != NULL && queue->front != NULL) {
        struct node *node = queue->front;
        queue->front = node->behind;
        free(node);
    }
    if (queue != NULL) {
        pthread_mutex_destroy(&queue->guard);
        pthread_cond_destroy(&queue->changed);
    }
    free(queue);
}

static bool is_full(const struct fifo_queue *queue)
{
    return queue->maxsize > 0 && queue->size >= (uint64_t)queue->maxsize;
}

static bool is_empty(const struct fifo_queue *queue)
{
    return queue->front == NULL;
}

static struct timespec end_of(int64_t timeout_us)
{
    struct timespec end = {0, 0};

    if (timeout_us > 0) {
        clock_gettime(CLOCK_MONOTONIC, &end);
        int64_t nanoseconds = end.tv_nsec + timeout_us % 1000000 * 1000;
        end.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
        end.tv_nsec = nanoseconds % 1000000000;
    }
    return end;
}

/* Sleeps until something changes. Returns false when the time is over. */
static bool doze(struct fifo_queue *queue, int64_t timeout_us, const struct timespec *end)
{
    if (timeout_us < 0)
        return pthread_cond_wait(&queue->changed, &queue->guard) == 0;
    return timeout_us > 0 && pthread_cond_timedwait(&queue->changed, &queue->guard, end) == 0;
}

static int append(struct fifo_queue *queue, void *item)
{
    struct node *node = malloc(sizeof *node);
    if (node == NULL)
        return ENOMEM;
    node->item = item;
    node->behind = NULL;
    if (queue->front == NULL)
        queue->front = node;
    else
        queue->back->behind = node;
    queue->back = node;
    queue->size++;
    return 0;
}

int fifo_queue_put(struct fifo_queue *queue, void *item, int64_t timeout_us)
{
    struct timespec end = end_of(timeout_us);
    int error = ETIMEDOUT;

    pthread_mutex_lock(&queue->guard);
    while (is_full(queue) && doze(queue, timeout_us, &end))
        ;
    if (!is_full(queue)) {
        error = append(queue, item);
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->guard);
    return error;
}

int fifo_queue_get(struct fifo_queue *queue, void **item, int64_t timeout_us)
{
    struct timespec end = end_of(timeout_us);
    struct node *node = NULL;

    pthread_mutex_lock(&queue->guard);
    while (is_empty(queue) && doze(queue, timeout_us, &end))
        ;
    if (!is_empty(queue)) {
        node = queue->front;
        queue->front = node->behind;
        queue->size--;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->guard);
    if (node == NULL)
        return ETIMEDOUT;
    *item = node->item;
    free(node);
    return 0;
}

size_t fifo_queue_size(struct fifo_queue *queue)
{
    pthread_mutex_lock(&queue->guard);
    size_t size = queue->size;
    pthread_mutex_unlock(&queue->guard);
    return size;
}

bool fifo_queue_empty(struct fifo_queue *queue)
{
    pthread_mutex_lock(&queue->guard);
    bool empty = is_empty(queue);
    pthread_mutex_unlock(&queue->guard);
    return empty;
}

bool fifo_queue_full(struct fifo_queue *queue)
{
    pthread_mutex_lock(&queue->guard);
    bool full = is_full(queue);
    pthread_mutex_unlock(&queue->guard);
    return full;
}
