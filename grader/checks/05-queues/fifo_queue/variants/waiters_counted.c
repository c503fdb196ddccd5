/* fifo_queue.c - a queue between threads. A variant: it counts who sleeps, signals only where somebody does, and does
 * so after the unlock. The places of the ring are exactly as many as are needed: it grows by half, up to maxsize. A
 * wait is one step of at most an hour: then it looks at the clock itself. */
#include "fifo_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t HOUR_US = 3600000000;

/* Who waits for the same thing. */
struct side {
    pthread_cond_t wake;
    long asleep; /* guarded by the queue's mutex */
};

struct fifo_queue {
    pthread_mutex_t mutex;
    struct side takers, givers;
    void **items; /* guarded by mutex, as all below */
    size_t places, head, tail, used;
    int64_t maxsize;
};

static int side_make(struct side *side)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error != 0)
        return error;
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&side->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return error;
}

int fifo_queue_create(struct fifo_queue **queue, int64_t maxsize)
{
    struct fifo_queue *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;

    memset(made, 0, sizeof *made);
    made->maxsize = maxsize;
    int error = side_make(&made->takers);
    if (error != 0)
        goto no_takers;
    error = side_make(&made->givers);
    if (error != 0)
        goto no_givers;
    error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    *queue = made;
    return 0;

no_mutex:
    pthread_cond_destroy(&made->givers.wake);
no_givers:
    pthread_cond_destroy(&made->takers.wake);
no_takers:
    free(made);
    return error;
}

void fifo_queue_destroy(struct fifo_queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->takers.wake);
    pthread_cond_destroy(&queue->givers.wake);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->items);
    free(queue);
}

/* A span of time that is left, in steps that a timespec holds on any machine. */
static int sleep_a_while(struct fifo_queue *queue, struct side *side, int64_t left_us)
{
    struct timespec until;
    int64_t step_us = left_us < HOUR_US ? left_us : HOUR_US;

    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + step_us % 1000000 * 1000;
    until.tv_sec += step_us / 1000000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    return pthread_cond_timedwait(&side->wake, &queue->mutex, &until);
}

static int64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool blocked(const struct fifo_queue *queue, const struct side *side)
{
    if (side == &queue->takers)
        return queue->used == 0;
    return queue->maxsize > 0 && queue->used == (uint64_t)queue->maxsize;
}

static bool await(struct fifo_queue *queue, struct side *side, int64_t timeout_us)
{
    int64_t began_us = timeout_us > 0 ? clock_us() : 0;

    side->asleep++;
    while (blocked(queue, side)) {
        if (timeout_us < 0) {
            pthread_cond_wait(&side->wake, &queue->mutex);
            continue;
        }
        int64_t gone_us = timeout_us > 0 ? clock_us() - began_us : 0;
        if (gone_us >= timeout_us)
            break;
        sleep_a_while(queue, side, timeout_us - gone_us);
    }
    side->asleep--;
    return !blocked(queue, side);
}

/* Unlocks, and then wakes one of a side, if anybody was there. */
static void unlock_and_wake(struct fifo_queue *queue, struct side *side, bool wake)
{
    wake = wake && side->asleep > 0;
    pthread_mutex_unlock(&queue->mutex);
    if (wake)
        pthread_cond_signal(&side->wake);
}

static bool make_place(struct fifo_queue *queue)
{
    if (queue->used < queue->places)
        return true;
    size_t places = queue->places + queue->places / 2 + 4;
    if (queue->maxsize > 0 && places > (uint64_t)queue->maxsize)
        places = (size_t)queue->maxsize;
    void **items = calloc(places, sizeof *items);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < queue->used; i++) {
        items[i] = queue->items[queue->head];
        queue->head = queue->head + 1 == queue->places ? 0 : queue->head + 1;
    }
    free(queue->items);
    queue->items = items;
    queue->places = places;
    queue->head = 0;
    queue->tail = queue->used;
    return true;
}

int fifo_queue_put(struct fifo_queue *queue, void *item, int64_t timeout_us)
{
    int error = 0;

    pthread_mutex_lock(&queue->mutex);
    if (!await(queue, &queue->givers, timeout_us)) {
        error = ETIMEDOUT;
    } else if (!make_place(queue)) {
        error = ENOMEM;
        unlock_and_wake(queue, &queue->givers, true);
        return error;
    } else {
        if (queue->tail == queue->places)
            queue->tail = 0;
        queue->items[queue->tail++] = item;
        queue->used++;
    }
    unlock_and_wake(queue, &queue->takers, error == 0);
    return error;
}

int fifo_queue_get(struct fifo_queue *queue, void **item, int64_t timeout_us)
{
    pthread_mutex_lock(&queue->mutex);
    bool there = await(queue, &queue->takers, timeout_us);
    if (there) {
        *item = queue->items[queue->head];
        queue->head = queue->head + 1 == queue->places ? 0 : queue->head + 1;
        queue->used--;
    }
    unlock_and_wake(queue, &queue->givers, there);
    return there ? 0 : ETIMEDOUT;
}

size_t fifo_queue_size(struct fifo_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    size_t used = queue->used;
    pthread_mutex_unlock(&queue->mutex);
    return used;
}

bool fifo_queue_empty(struct fifo_queue *queue)
{
    return fifo_queue_size(queue) == 0;
}

bool fifo_queue_full(struct fifo_queue *queue)
{
    return queue->maxsize > 0 && fifo_queue_size(queue) == (uint64_t)queue->maxsize;
}
