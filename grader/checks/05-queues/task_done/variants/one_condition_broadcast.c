/* task_done.c - a queue that knows when all its work is done. A variant: one condition for all who wait, which every
 * change broadcasts; the items lie in an array that is moved together when its end is reached; and it counts what was
 * put and what was done, both for ever, instead of the difference. */
#include "task_done.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct task_done_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t maxsize;
    void **items; /* guarded by lock, as all below: from `begin` up to `end` */
    size_t begin, end, room;
    uint64_t put, done;
};

int task_done_queue_create(struct task_done_queue **queue, int64_t maxsize)
{
    pthread_condattr_t attributes;
    struct task_done_queue *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;
    made->maxsize = maxsize;

    int error = pthread_mutex_init(&made->lock, NULL);
    if (error != 0)
        goto no_lock;
    error = pthread_condattr_init(&attributes);
    if (error != 0)
        goto no_changed;
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&made->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error != 0)
        goto no_changed;
    *queue = made;
    return 0;

no_changed:
    pthread_mutex_destroy(&made->lock);
no_lock:
    free(made);
    return error;
}

void task_done_queue_destroy(struct task_done_queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue->items);
    free(queue);
}

static struct timespec deadline_of(int64_t timeout_us)
{
    struct timespec deadline = {0, 0};

    if (timeout_us <= 0)
        return deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += timeout_us % 1000000 * 1000;
    deadline.tv_sec += timeout_us / 1000000 + deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    return deadline;
}

static int sleep_until_changed(struct task_done_queue *queue, int64_t timeout_us, const struct timespec *deadline)
{
    if (timeout_us == 0)
        return ETIMEDOUT;
    return timeout_us < 0 ? pthread_cond_wait(&queue->changed, &queue->lock)
                          : pthread_cond_timedwait(&queue->changed, &queue->lock, deadline);
}

/* Makes room behind the last item. */
static int make_room(struct task_done_queue *queue)
{
    if (queue->end < queue->room)
        return 0;
    if (queue->begin > queue->room / 2) {
        memmove(queue->items, queue->items + queue->begin, (queue->end - queue->begin) * sizeof *queue->items);
        queue->end -= queue->begin;
        queue->begin = 0;
        return 0;
    }
    size_t room = 2 * queue->room + 8;
    void **items = realloc(queue->items, room * sizeof *items);
    if (items == NULL)
        return ENOMEM;
    queue->items = items;
    queue->room = room;
    return 0;
}

static bool has_room(const struct task_done_queue *queue)
{
    return queue->maxsize <= 0 || (int64_t)(queue->end - queue->begin) < queue->maxsize;
}

int task_done_queue_put(struct task_done_queue *queue, void *item, int64_t timeout_us)
{
    struct timespec deadline = deadline_of(timeout_us);
    int error = 0;

    pthread_mutex_lock(&queue->lock);
    while (!has_room(queue) && error == 0)
        error = sleep_until_changed(queue, timeout_us, &deadline);
    if (has_room(queue))
        error = make_room(queue);
    if (error == 0) {
        queue->items[queue->end++] = item;
        queue->put++;
    }
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return error;
}

int task_done_queue_get(struct task_done_queue *queue, void **item, int64_t timeout_us)
{
    struct timespec deadline = deadline_of(timeout_us);
    int error = 0;

    pthread_mutex_lock(&queue->lock);
    while (queue->begin == queue->end && error == 0)
        error = sleep_until_changed(queue, timeout_us, &deadline);
    bool there = queue->begin < queue->end;
    if (there)
        *item = queue->items[queue->begin++];
    pthread_mutex_unlock(&queue->lock);
    if (there)
        pthread_cond_broadcast(&queue->changed);
    return there ? 0 : error;
}

int task_done_queue_done(struct task_done_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool right = queue->done < queue->put;
    queue->done += right ? 1 : 0;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return right ? 0 : EINVAL;
}

void task_done_queue_join(struct task_done_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->done < queue->put)
        pthread_cond_wait(&queue->changed, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
}

size_t task_done_queue_size(struct task_done_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t size = queue->end - queue->begin;
    pthread_mutex_unlock(&queue->lock);
    return size;
}

size_t task_done_queue_unfinished(struct task_done_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t unfinished = (size_t)(queue->put - queue->done);
    pthread_mutex_unlock(&queue->lock);
    return unfinished;
}
