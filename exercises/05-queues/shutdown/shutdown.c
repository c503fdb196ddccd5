/* shutdown.c - a queue that can be closed while others wait at it.
 *
 * Theory of operation: no threads of its own. Where the items lie is the store's business; the queue only knows how
 * many there are. One mutex guards that number, the number of unfinished tasks, the store, and whatever a shutdown has
 * to know. It is never held while anybody waits. A put or a get lets one other thread go on, and signals.
 */
#include "shutdown.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* ---- first in, first out ----------------------------------------------------------------------------------------- */

/* One item in the list. */
struct link {
    struct link *next;
    void *item;
};

/* A list of items in the order of their arrival. */
struct list {
    struct link *first;
    struct link **end; /* where the next link is to be hung: behind the last one, or at `first` */
};

static int list_push(void *place, void *item)
{
    struct list *list = place;
    struct link *link = malloc(sizeof *link);
    if (link == NULL)
        return ENOMEM;

    *link = (struct link){.item = item};
    *list->end = link;
    list->end = &link->next;
    return 0;
}

static void *list_pop(void *place)
{
    struct list *list = place;
    struct link *link = list->first;
    void *item = link->item;

    list->first = link->next;
    if (list->first == NULL)
        list->end = &list->first;
    free(link);
    return item;
}

static void list_end(void *place)
{
    struct list *list = place;

    while (list->first != NULL)
        list_pop(list);
    free(list);
}

static const struct shutdown_queue_store list_store = {list_push, list_pop, list_end};

/* ---- the queue --------------------------------------------------------------------------------------------------- */

/* region state */
/* A queue as you know it, with task_done and join. What must it know about a shutdown? */
struct shutdown_queue {
    size_t maxsize;                           /* never changes; SIZE_MAX where there is no bound */
    const struct shutdown_queue_store *store; /* never changes */
    pthread_mutex_t mutex;
    pthread_cond_t not_empty; /* signalled for each item that has come */
    pthread_cond_t not_full;  /* signalled for each item that has gone */
    pthread_cond_t all_done;  /* broadcast when unfinished becomes 0 */
    void *place;              /* of the store; guarded by mutex, as all below */
    size_t count;             /* how many items there are */
    size_t unfinished;        /* how many were put and not yet done */
};
/* end state */

/* Makes three conditions whose timed waits go by the monotonic clock, or none. */
static int make_conditions(struct shutdown_queue *queue)
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

int shutdown_queue_create_with(struct shutdown_queue **queue, int64_t maxsize, const struct shutdown_queue_store *store,
                               void *place)
{
    struct shutdown_queue *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_conditions(made);
    if (error != 0)
        goto no_conditions;
    made->maxsize = maxsize <= 0 || (uint64_t)maxsize > SIZE_MAX ? SIZE_MAX : (size_t)maxsize;
    made->store = store;
    made->place = place;
    *queue = made;
    return 0;

no_conditions:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

int shutdown_queue_create(struct shutdown_queue **queue, int64_t maxsize)
{
    struct list *list = malloc(sizeof *list);
    if (list == NULL)
        return ENOMEM;

    list->first = NULL;
    list->end = &list->first;
    int error = shutdown_queue_create_with(queue, maxsize, &list_store, list);
    if (error != 0)
        free(list);
    return error;
}

void shutdown_queue_destroy(struct shutdown_queue *queue)
{
    if (queue == NULL)
        return;
    queue->store->end(queue->place);
    pthread_cond_destroy(&queue->all_done);
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
}

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

/* region wait */
/* With the mutex held: waits while the count is `unwanted`. Returns 0 where the count is another one, else ETIMEDOUT.
 * And where the queue is shut down meanwhile? */
static int wait_while(struct shutdown_queue *queue, size_t unwanted, pthread_cond_t *change, int64_t timeout_us)
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
/* end wait */

/* region put */
/* After a shutdown no put succeeds. */
int shutdown_queue_put(struct shutdown_queue *queue, void *item, int64_t timeout_us)
{
    pthread_mutex_lock(&queue->mutex);
    int error = wait_while(queue, queue->maxsize, &queue->not_full, timeout_us);
    if (error == 0) {
        error = queue->store->push(queue->place, item);
        if (error == 0) {
            queue->count++;
            queue->unfinished++;
            pthread_cond_signal(&queue->not_empty);
        } else {
            pthread_cond_signal(&queue->not_full); /* the room is still there, for the next one who waits for it */
        }
    }
    pthread_mutex_unlock(&queue->mutex);
    return error;
}
/* end put */

/* region get */
/* After a shutdown what is there may still be got. */
int shutdown_queue_get(struct shutdown_queue *queue, void **item, int64_t timeout_us)
{
    pthread_mutex_lock(&queue->mutex);
    int error = wait_while(queue, 0, &queue->not_empty, timeout_us);
    if (error == 0) {
        *item = queue->store->pop(queue->place);
        queue->count--;
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->mutex);
    return error;
}
/* end get */

int shutdown_queue_done(struct shutdown_queue *queue)
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

void shutdown_queue_join(struct shutdown_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->unfinished > 0)
        pthread_cond_wait(&queue->all_done, &queue->mutex);
    pthread_mutex_unlock(&queue->mutex);
}

/* region shutdown */
/* Say that it is shut down; empty it where that is to be at once; wake everyone who sleeps. And who waits at join? */
void shutdown_queue_shutdown(struct shutdown_queue *queue, bool immediate, void (*discard)(void *context, void *item),
                             void *context)
{
    (void)queue;
    (void)immediate;
    (void)discard;
    (void)context;
}

bool shutdown_queue_is_shutdown(struct shutdown_queue *queue)
{
    (void)queue;
    return false;
}
/* end shutdown */

size_t shutdown_queue_size(struct shutdown_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

bool shutdown_queue_empty(struct shutdown_queue *queue)
{
    return shutdown_queue_size(queue) == 0;
}

bool shutdown_queue_full(struct shutdown_queue *queue)
{
    return shutdown_queue_size(queue) == queue->maxsize;
}

size_t shutdown_queue_unfinished(struct shutdown_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    size_t unfinished = queue->unfinished;
    pthread_mutex_unlock(&queue->mutex);
    return unfinished;
}
