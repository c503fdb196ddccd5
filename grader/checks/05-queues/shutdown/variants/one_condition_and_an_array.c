/* shutdown.c - a queue that can be closed while others wait at it. A variant: one condition for all who wait, which
 * every change broadcasts. An immediate shutdown takes the items out of the store while it holds the mutex, into an
 * array, and hands them to discard after that. */
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

struct shutdown_queue {
    size_t maxsize;                           /* never changes; SIZE_MAX where there is no bound */
    const struct shutdown_queue_store *store; /* never changes */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void *place;       /* of the store; guarded by mutex, as all below */
    size_t count;      /* how many items there are */
    size_t unfinished; /* how many were put and not yet done */
    bool is_shutdown;  /* once true, it remains so */
};

static int make_condition(struct shutdown_queue *queue)
{
    pthread_condattr_t monotonic;
    int error = pthread_condattr_init(&monotonic);
    if (error != 0)
        return error;

    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&queue->changed, &monotonic);
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
    error = make_condition(made);
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
    pthread_cond_destroy(&queue->changed);
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

/* With the mutex held: waits while the count is `unwanted` and the queue is not shut down. Returns 0 where the count is
 * another one, else ESHUTDOWN or ETIMEDOUT. */
static int wait_while(struct shutdown_queue *queue, size_t unwanted, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    int error = timeout_us == 0 ? ETIMEDOUT : 0;

    if (timeout_us > 0 && queue->count == unwanted)
        deadline = deadline_after(timeout_us);
    while (queue->count == unwanted && !queue->is_shutdown && error == 0)
        error = timeout_us < 0 ? pthread_cond_wait(&queue->changed, &queue->mutex)
                               : pthread_cond_timedwait(&queue->changed, &queue->mutex, &deadline);
    if (queue->count != unwanted)
        return 0;
    return queue->is_shutdown ? ESHUTDOWN : error;
}

int shutdown_queue_put(struct shutdown_queue *queue, void *item, int64_t timeout_us)
{
    pthread_mutex_lock(&queue->mutex);
    int error = wait_while(queue, queue->maxsize, timeout_us);
    if (error == 0 && queue->is_shutdown)
        error = ESHUTDOWN; /* also where there is room */
    if (error == 0) {
        error = queue->store->push(queue->place, item);
        if (error == 0) {
            queue->count++;
            queue->unfinished++;
            pthread_cond_broadcast(&queue->changed);
        } else {
            pthread_cond_broadcast(&queue->changed); /* the room is still there, for the next one who waits for it */
        }
    }
    pthread_mutex_unlock(&queue->mutex);
    return error;
}

int shutdown_queue_get(struct shutdown_queue *queue, void **item, int64_t timeout_us)
{
    pthread_mutex_lock(&queue->mutex);
    int error = wait_while(queue, 0, timeout_us);
    if (error == 0) {
        *item = queue->store->pop(queue->place);
        queue->count--;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mutex);
    return error;
}

int shutdown_queue_done(struct shutdown_queue *queue)
{
    int error = 0;

    pthread_mutex_lock(&queue->mutex);
    if (queue->unfinished == 0)
        error = EINVAL;
    else if (--queue->unfinished == 0)
        pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    return error;
}

void shutdown_queue_join(struct shutdown_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->unfinished > 0)
        pthread_cond_wait(&queue->changed, &queue->mutex);
    pthread_mutex_unlock(&queue->mutex);
}

void shutdown_queue_shutdown(struct shutdown_queue *queue, bool immediate, void (*discard)(void *context, void *item),
                             void *context)
{
    void *few[4], **items = few;

    pthread_mutex_lock(&queue->mutex);
    queue->is_shutdown = true;
    size_t count = immediate ? queue->count : 0;
    queue->count -= count;
    queue->unfinished -= count < queue->unfinished ? count : queue->unfinished;
    if (count > 4)
        items = malloc(count * sizeof *items);
    for (size_t i = 0; i < count && items != NULL; i++)
        items[i] = queue->store->pop(queue->place);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);

    for (size_t i = 0; i < count; i++) { /* without an array: nobody else uses the store any more */
        void *item = items != NULL ? items[i] : queue->store->pop(queue->place);
        if (discard != NULL)
            discard(context, item);
    }
    if (items != few)
        free(items);
}

bool shutdown_queue_is_shutdown(struct shutdown_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    bool is_shutdown = queue->is_shutdown;
    pthread_mutex_unlock(&queue->mutex);
    return is_shutdown;
}

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
