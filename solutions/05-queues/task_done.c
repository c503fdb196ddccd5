/* task_done.c - a queue that knows when all its work is done.
 *
 * Theory of operation: no threads of its own. The items hang in a list, in the order of their arrival; one mutex guards
 * the list and the two counts, and is never held while anybody waits. `count` is how many items hang there,
 * `unfinished` how many were put and not yet said to be done; a put raises both under one hold of the mutex, so that
 * nobody can get an item before it is counted. Three things can be waited for, so there are three conditions. A put or
 * a get lets one thread go on, and signals; the last task_done lets all go on who join, and broadcasts.
 */
#include "task_done.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* One item in the list. */
struct link {
    struct link *next;
    void *item;
};

/* region state */
struct task_done_queue {
    size_t maxsize; /* never changes; SIZE_MAX where there is no bound */
    pthread_mutex_t mutex;
    pthread_cond_t not_empty; /* signalled for each item that has come */
    pthread_cond_t not_full;  /* signalled for each item that has gone */
    pthread_cond_t all_done;  /* broadcast when unfinished becomes 0 */
    struct link *first;       /* guarded by mutex, as all below */
    struct link **end;        /* where the next link is to be hung: behind the last one, or at `first` */
    size_t count;             /* how many items are in the list */
    size_t unfinished;        /* how many were put and not yet done */
};
/* end state */

/* region create */
/* Makes three conditions whose timed waits go by the monotonic clock, or none. */
static int make_conditions(struct task_done_queue *queue)
{
    pthread_condattr_t monotonic;
    int error = pthread_condattr_init(&monotonic);
    if (error != 0)
        return error;

    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error != 0)
        goto no_not_empty;
    error = pthread_cond_init(&queue->not_empty, &monotonic);
    if (error != 0)
        goto no_not_empty;
    error = pthread_cond_init(&queue->not_full, &monotonic);
    if (error != 0)
        goto no_not_full;
    error = pthread_cond_init(&queue->all_done, &monotonic);
    if (error != 0)
        goto no_all_done;
    pthread_condattr_destroy(&monotonic);
    return 0;

no_all_done:
    pthread_cond_destroy(&queue->not_full);
no_not_full:
    pthread_cond_destroy(&queue->not_empty);
no_not_empty:
    pthread_condattr_destroy(&monotonic);
    return error;
}

int task_done_queue_create(struct task_done_queue **queue, int64_t maxsize)
{
    struct task_done_queue *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_conditions(made);
    if (error != 0)
        goto no_conditions;
    made->maxsize = maxsize <= 0 || (uint64_t)maxsize > SIZE_MAX ? SIZE_MAX : (size_t)maxsize;
    made->end = &made->first;
    *queue = made;
    return 0;

no_conditions:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

void task_done_queue_destroy(struct task_done_queue *queue)
{
    if (queue == NULL)
        return;
    for (struct link *next = NULL; queue->first != NULL; queue->first = next) {
        next = queue->first->next;
        free(queue->first);
    }
    pthread_cond_destroy(&queue->all_done);
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
}
/* end create */

/* The moment `timeout_us` microseconds from now, by the monotonic clock. */
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
static int wait_while(struct task_done_queue *queue, size_t unwanted, pthread_cond_t *change, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    int error = timeout_us == 0 ? ETIMEDOUT : 0;

    if (timeout_us > 0 && queue->count == unwanted)
        deadline = deadline_after(timeout_us);
    while (queue->count == unwanted && error == 0)
        error = timeout_us < 0 ? pthread_cond_wait(change, &queue->mutex)
                               : pthread_cond_timedwait(change, &queue->mutex, &deadline);
    return queue->count != unwanted ? 0 : error;
}

/* region put */
int task_done_queue_put(struct task_done_queue *queue, void *item, int64_t timeout_us)
{
    struct link *link = malloc(sizeof *link); /* before the wait: who was woken for room can use it */
    if (link == NULL)
        return ENOMEM;
    *link = (struct link){.item = item};

    pthread_mutex_lock(&queue->mutex);
    int error = wait_while(queue, queue->maxsize, &queue->not_full, timeout_us);
    if (error == 0) {
        *queue->end = link;
        queue->end = &link->next;
        queue->count++;
        queue->unfinished++; /* before anybody can get it */
        pthread_cond_signal(&queue->not_empty);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (error != 0)
        free(link);
    return error;
}
/* end put */

/* region get */
int task_done_queue_get(struct task_done_queue *queue, void **item, int64_t timeout_us)
{
    struct link *link = NULL;

    pthread_mutex_lock(&queue->mutex);
    int error = wait_while(queue, 0, &queue->not_empty, timeout_us);
    if (error == 0) {
        link = queue->first;
        queue->first = link->next;
        if (queue->first == NULL)
            queue->end = &queue->first;
        queue->count--;
        *item = link->item;
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->mutex);
    free(link);
    return error;
}
/* end get */

/* region done */
int task_done_queue_done(struct task_done_queue *queue)
{
    int error = 0;

    pthread_mutex_lock(&queue->mutex);
    if (queue->unfinished == 0)
        error = EINVAL;
    else if (--queue->unfinished == 0)
        pthread_cond_broadcast(&queue->all_done);
    pthread_mutex_unlock(&queue->mutex);
    return error;
}
/* end done */

/* region join */
void task_done_queue_join(struct task_done_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->unfinished > 0)
        pthread_cond_wait(&queue->all_done, &queue->mutex);
    pthread_mutex_unlock(&queue->mutex);
}
/* end join */

/* region counts */
size_t task_done_queue_size(struct task_done_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

size_t task_done_queue_unfinished(struct task_done_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    size_t unfinished = queue->unfinished;
    pthread_mutex_unlock(&queue->mutex);
    return unfinished;
}
/* end counts */
