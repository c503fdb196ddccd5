/* wait_any.c - right, but the waiter is woken at each completion, enough or not, and after its mutex was let go: the
 * future's lock is still held then, so the waiter cannot have ended its watch and gone. */
#include "wait_any.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* Who waits, and what has come so far. */
struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* signalled at each completion that may be enough; waits by the monotonic clock */
    enum wait_any_when when;
    size_t left;         /* guarded by mutex, as is all below; how many are not complete */
    bool one, failed;    /* one is complete; one has an exception */
    struct entry *ready; /* those that are complete and were not handed out yet, in the order of completion */
    struct entry **ready_end;
};

/* One future that is waited for. */
struct entry {
    struct future_watcher watcher; /* the first member: the watcher's address is the entry's */
    struct waiter *waiter;
    struct future *future;
    bool complete; /* guarded by the waiter's mutex, as is next_ready */
    struct entry *next_ready;
};
/* end state */

/* region waiter */
/* A condition whose timed waits go by the monotonic clock, which nobody sets. */
static int make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error != 0)
        return error;

    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return error;
}

static int waiter_init(struct waiter *waiter, enum wait_any_when when, size_t count)
{
    *waiter = (struct waiter){.when = when, .left = count};
    waiter->ready_end = &waiter->ready;
    int error = pthread_mutex_init(&waiter->mutex, NULL);
    if (error != 0)
        return error;
    error = make_condition(&waiter->changed);
    if (error != 0)
        pthread_mutex_destroy(&waiter->mutex);
    return error;
}

static void waiter_fini(struct waiter *waiter)
{
    pthread_cond_destroy(&waiter->changed);
    pthread_mutex_destroy(&waiter->mutex);
}

/* With the waiter's mutex held: whether enough has come. */
static bool is_enough(const struct waiter *waiter)
{
    return waiter->left == 0 || (waiter->when == WAIT_ANY_FIRST_COMPLETED && waiter->one) ||
           (waiter->when == WAIT_ANY_FIRST_EXCEPTION && waiter->failed);
}
/* end waiter */

/* region note */
/* A future is complete. Called with its lock held where a watcher is told, without it where it was so before. */
static void note(struct entry *entry, int exception, bool told)
{
    struct waiter *waiter = entry->waiter;

    pthread_mutex_lock(&waiter->mutex);
    entry->complete = true;
    *waiter->ready_end = entry;
    waiter->ready_end = &entry->next_ready;
    waiter->left--;
    waiter->one = true;
    waiter->failed = waiter->failed || exception != 0;
    pthread_mutex_unlock(&waiter->mutex);
    if (told)
        pthread_cond_broadcast(&waiter->changed);
}

static void settled(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    (void)state;
    (void)callbacks;
    note((struct entry *)watcher, exception, true);
}
/* end note */

/* region watch */
static void watch(struct entry *entry, struct waiter *waiter, struct future *future)
{
    *entry = (struct entry){.watcher = {.settled = settled}, .waiter = waiter, .future = future};
    if (future_watch(future, &entry->watcher) == 0)
        return;

    int exception = 0;
    (void)future_exception(future, 0, &exception); /* settled: so 0 or ECANCELED, and then there is no exception */
    note(entry, exception, false);
}
/* end watch */

/* region sleep */
/* The moment `timeout_us` microseconds from now; a moment stays what it is however often the wait is interrupted. */
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

/* With the waiter's mutex held: sleeps until it is woken, or until the deadline; for ever where that is NULL. */
static int sleep_until(struct waiter *waiter, const struct timespec *deadline)
{
    return deadline == NULL ? pthread_cond_wait(&waiter->changed, &waiter->mutex)
                            : pthread_cond_timedwait(&waiter->changed, &waiter->mutex, deadline);
}
/* end sleep */

/* region wait */
static void wait_until_enough(struct waiter *waiter, int64_t timeout_us)
{
    struct timespec deadline = deadline_after(timeout_us < 0 ? 0 : timeout_us);
    int error = timeout_us == 0 ? ETIMEDOUT : 0;

    pthread_mutex_lock(&waiter->mutex);
    while (!is_enough(waiter) && error == 0)
        error = sleep_until(waiter, timeout_us < 0 ? NULL : &deadline);
    pthread_mutex_unlock(&waiter->mutex);
}

int wait_any(struct future *const *futures, size_t count, enum wait_any_when when, int64_t timeout_us, bool *done)
{
    struct waiter waiter;

    if (when != WAIT_ANY_FIRST_COMPLETED && when != WAIT_ANY_FIRST_EXCEPTION && when != WAIT_ANY_ALL_COMPLETED)
        return EINVAL;
    if (count == 0)
        return 0;
    struct entry *entries = calloc(count, sizeof *entries);
    if (entries == NULL)
        return ENOMEM;
    int error = waiter_init(&waiter, when, count);
    if (error != 0)
        goto no_waiter;

    for (size_t i = 0; i < count; i++)
        watch(&entries[i], &waiter, futures[i]);
    wait_until_enough(&waiter, timeout_us);
    for (size_t i = 0; i < count; i++)
        future_unwatch(futures[i], &entries[i].watcher);

    for (size_t i = 0; i < count; i++)
        done[i] = entries[i].complete; /* nobody is told any more, so nobody else is at it */
    error = is_enough(&waiter) ? 0 : ETIMEDOUT;
    waiter_fini(&waiter);
no_waiter:
    free(entries);
    return error;
}
/* end wait */

/* region iterator */
struct wait_any_iterator {
    struct waiter waiter;
    bool limited;
    struct timespec deadline; /* of meaning where limited */
    size_t count;             /* of entries */
    size_t to_come;           /* how many were not handed out yet */
    struct entry *entries;    /* each with a reference to its future */
};
/* end iterator */

/* region distinct */
/* A future and where in the array it stood. */
struct place {
    struct future *future;
    size_t index;
};

static int by_future(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    uintptr_t one = (uintptr_t)a->future, two = (uintptr_t)b->future;

    return one != two ? (one > two) - (one < two) : (a->index > b->index) - (a->index < b->index);
}

static int by_index(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    return (a->index > b->index) - (a->index < b->index);
}

/* Fills `places` with the futures in the order of the array, each where it stands first. Returns how many these are. */
static size_t distinct(struct future *const *futures, size_t count, struct place *places)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){futures[i], i};
    qsort(places, count, sizeof *places, by_future);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || places[i].future != places[kept - 1].future)
            places[kept++] = places[i];
    qsort(places, kept, sizeof *places, by_index);
    return kept;
}
/* end distinct */

/* region as_completed */
int wait_any_as_completed(struct wait_any_iterator **iterator, struct future *const *futures, size_t count,
                          int64_t timeout_us)
{
    int error = ENOMEM;
    struct wait_any_iterator *made = calloc(1, sizeof *made);
    struct place *places = calloc(count + 1, sizeof *places); /* + 1: an empty array is no failure */
    if (made == NULL || places == NULL)
        goto no_memory;
    made->entries = calloc(count + 1, sizeof *made->entries);
    if (made->entries == NULL)
        goto no_memory;
    made->count = made->to_come = distinct(futures, count, places);
    made->limited = timeout_us >= 0;
    made->deadline = deadline_after(made->limited ? timeout_us : 0);
    error = waiter_init(&made->waiter, WAIT_ANY_FIRST_COMPLETED, made->count);
    if (error != 0)
        goto no_waiter;

    for (size_t i = 0; i < made->count; i++)
        watch(&made->entries[i], &made->waiter, future_hold(places[i].future));
    free(places);
    *iterator = made;
    return 0;

no_waiter:
    free(made->entries);
no_memory:
    free(places);
    free(made);
    return error;
}
/* end as_completed */

/* region next */
int wait_any_next(struct wait_any_iterator *iterator, struct future **future)
{
    struct waiter *waiter = &iterator->waiter;
    int error = 0;

    if (iterator->to_come == 0)
        return ENOENT;

    pthread_mutex_lock(&waiter->mutex);
    while (waiter->ready == NULL && error == 0)
        error = sleep_until(waiter, iterator->limited ? &iterator->deadline : NULL);
    struct entry *entry = waiter->ready;
    if (entry != NULL) { /* what has come counts for more than the time */
        waiter->ready = entry->next_ready;
        if (waiter->ready == NULL)
            waiter->ready_end = &waiter->ready;
        *future = entry->future;
        iterator->to_come--;
        error = 0;
    }
    pthread_mutex_unlock(&waiter->mutex);
    if (entry != NULL) /* waits for the future's lock: then all who watch it were told */
        future_unwatch(entry->future, &entry->watcher);
    return error;
}
/* end next */

/* region end */
void wait_any_end(struct wait_any_iterator *iterator)
{
    if (iterator == NULL)
        return;
    for (size_t i = 0; i < iterator->count; i++) {
        future_unwatch(iterator->entries[i].future, &iterator->entries[i].watcher);
        future_drop(iterator->entries[i].future);
    }
    waiter_fini(&iterator->waiter);
    free(iterator->entries);
    free(iterator);
}
/* end end */
