/* biased_refcount.c - another way: every atomic operation is sequentially consistent, the queue is emptied one object
 * at a time, and threads are numbered by one atomic counter of the process, so that a number is never used again in any
 * set.
 *
 * Theory of operation: as in the reference. The owner counts in `local`, all others in `shared`, whose last two bits
 * say whether the object waits in a queue and whether it is merged.
 */
#include "biased_refcount.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
/* The mark in the last two bits of `shared`; the count is above them. */
enum { QUEUED = 1, MERGED = 2, MARKS = 3, ONE = 4 };

struct biased_refcount {
    _Atomic uint64_t owner;       /* the number of the thread that made it; 0: merged */
    int64_t local;                /* the owner's alone */
    _Atomic int64_t shared;       /* ONE times the count of the others, and a mark */
    struct biased_refcount *next; /* in a queue: guarded by the mutex of the threads */
    void (*end)(void *value);
    void *value;
};

struct biased_refcount_thread {
    struct biased_refcount_threads *threads;
    uint64_t number;
    struct biased_refcount *queue;       /* guarded by the mutex of the threads, as the next one */
    struct biased_refcount_thread *next; /* of all that are there */
    atomic_bool requested;               /* the queue is not empty; written with the mutex held */
};

struct biased_refcount_threads {
    pthread_mutex_t mutex;
    struct biased_refcount_thread *first; /* guarded by mutex, as the next one */
};
/* end state */

static _Atomic uint64_t numbers;

/* region threads */
int biased_refcount_threads_create(struct biased_refcount_threads **threads)
{
    struct biased_refcount_threads *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0) {
        free(made);
        return error;
    }
    *threads = made;
    return 0;
}

void biased_refcount_threads_destroy(struct biased_refcount_threads *threads)
{
    if (threads == NULL)
        return;
    pthread_mutex_destroy(&threads->mutex);
    free(threads);
}

int biased_refcount_join(struct biased_refcount_threads *threads, struct biased_refcount_thread **thread)
{
    struct biased_refcount_thread *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    made->threads = threads;
    atomic_init(&made->requested, false);
    pthread_mutex_lock(&threads->mutex);
    made->number = atomic_fetch_add(&numbers, 1) + 1;
    made->next = threads->first;
    threads->first = made;
    pthread_mutex_unlock(&threads->mutex);
    *thread = made;
    return 0;
}
/* end threads */

/* region object */
int biased_refcount_create(struct biased_refcount_thread *thread, void (*end)(void *value), void *value,
                           struct biased_refcount **object)
{
    struct biased_refcount *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;

    atomic_init(&made->owner, thread->number);
    made->local = 1;
    atomic_init(&made->shared, 0);
    made->next = NULL;
    made->end = end;
    made->value = value;
    *object = made;
    return 0;
}

void *biased_refcount_value(const struct biased_refcount *object)
{
    return object->value;
}

/* Nobody has a reference any more. */
static void end_object(struct biased_refcount *object)
{
    object->end(object->value);
    free(object);
}

/* Nobody but the owner himself writes his number or takes it away, so he needs no order to see it. */
static bool is_mine(const struct biased_refcount_thread *thread, const struct biased_refcount *object)
{
    return atomic_load(&object->owner) == thread->number;
}
/* end object */

/* region incref */
void biased_refcount_incref(struct biased_refcount_thread *thread, struct biased_refcount *object)
{
    if (is_mine(thread, object))
        object->local++;
    else
        atomic_fetch_add(&object->shared, ONE);
}
/* end incref */

/* region merge */
/* By the owner, or where he has left: puts the two counts together, and `more`. Returns how many references there are.
 */
static int64_t merge_counts(struct biased_refcount *object, int64_t more)
{
    int64_t shared = atomic_load(&object->shared), merged;

    more += object->local;
    object->local = 0;
    atomic_store(&object->owner, 0);
    do
        merged = (shared & ~(int64_t)MARKS) + more * ONE + MERGED;
    while (!atomic_compare_exchange_strong(&object->shared, &shared, merged));
    return (merged - MERGED) / ONE;
}

/* The first object in the thread's queue, taken out; NULL where it is empty. */
static struct biased_refcount *next_queued(struct biased_refcount_thread *thread)
{
    pthread_mutex_lock(&thread->threads->mutex);
    struct biased_refcount *object = thread->queue;
    if (object != NULL)
        thread->queue = object->next;
    else
        atomic_store(&thread->requested, false);
    pthread_mutex_unlock(&thread->threads->mutex);
    return object;
}

void biased_refcount_merge(struct biased_refcount_thread *thread)
{
    for (struct biased_refcount *object = next_queued(thread); object != NULL; object = next_queued(thread))
        if (merge_counts(object, -1) == 0)
            end_object(object);
}

bool biased_refcount_merge_requested(struct biased_refcount_thread *thread)
{
    return atomic_load(&thread->requested);
}
/* end merge */

/* region queue */
/* With the mutex held: the thread of this number; NULL where it has left. */
static struct biased_refcount_thread *find(const struct biased_refcount_threads *threads, uint64_t number)
{
    struct biased_refcount_thread *thread = threads->first;

    while (thread != NULL && thread->number != number)
        thread = thread->next;
    return thread;
}

/* Gives the caller's reference to the queue of the owner, and returns 1. Where there is nobody to merge the counts any
 * more, does it in the owner's place and returns how many references are left without the caller's: his count was last
 * changed before he left, so with the mutex held it is there to be read. Returns -1 where the owner has merged
 * meanwhile, and then the caller still has his reference. */
static int64_t queue_for_owner(struct biased_refcount_threads *threads, struct biased_refcount *object)
{
    pthread_mutex_lock(&threads->mutex);
    uint64_t number = atomic_load(&object->owner);
    struct biased_refcount_thread *owner = find(threads, number);
    int64_t left = number == 0 ? -1 : 1;

    if (owner != NULL) {
        object->next = owner->queue;
        owner->queue = object;
        atomic_store(&owner->requested, true);
    } else if (number != 0) {
        left = merge_counts(object, -1);
    }
    pthread_mutex_unlock(&threads->mutex);
    return left;
}
/* end queue */

/* region decref */
/* The owner has given up the last reference that he has counted: only the shared count counts from now on. Returns
 * whether that is 0. */
static bool was_last_of_owner(struct biased_refcount *object)
{
    return atomic_load(&object->shared) == 0 || merge_counts(object, 0) == 0;
}

/* Somebody else's reference. Where the shared count is 0, and not merged, he cannot know what the owner still has: so
 * he asks. Returns whether that was the last reference. */
static bool decref_shared(struct biased_refcount_thread *thread, struct biased_refcount *object)
{
    int64_t shared = atomic_load(&object->shared), now;

    do
        now = shared == 0 ? QUEUED : shared - ONE;
    while (!atomic_compare_exchange_strong(&object->shared, &shared, now));
    if (shared != 0)
        return now == MERGED;

    int64_t left = queue_for_owner(thread->threads, object);
    if (left >= 0)
        return left == 0;
    now = atomic_fetch_sub(&object->shared, ONE) - ONE;
    return now == MERGED;
}

void biased_refcount_decref(struct biased_refcount_thread *thread, struct biased_refcount *object)
{
    if (is_mine(thread, object) ? --object->local == 0 && was_last_of_owner(object) : decref_shared(thread, object))
        end_object(object);
}
/* end decref */

/* region leave */
void biased_refcount_leave(struct biased_refcount_thread *thread)
{
    struct biased_refcount_threads *threads = thread->threads;

    pthread_mutex_lock(&threads->mutex);
    while (thread->queue != NULL) { /* what ends may bring more into the queue */
        pthread_mutex_unlock(&threads->mutex);
        biased_refcount_merge(thread);
        pthread_mutex_lock(&threads->mutex);
    }
    struct biased_refcount_thread **at = &threads->first;
    while (*at != thread)
        at = &(*at)->next;
    *at = thread->next;
    pthread_mutex_unlock(&threads->mutex);
    free(thread);
}
/* end leave */

/* region count */
int64_t biased_refcount_count(struct biased_refcount *object)
{
    int64_t shared = atomic_load(&object->shared);

    return object->local + (shared - (shared & MARKS)) / ONE;
}

bool biased_refcount_is_merged(const struct biased_refcount *object)
{
    return (atomic_load(&object->shared) & MARKS) == MERGED;
}
/* end count */
