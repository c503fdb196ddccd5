/* wait_any.c - waiting for several futures at once.
 *
 * Theory of operation: a watcher only rings: it marks its entry with the number of its turn and rings the waiter's bell
 * each time. Who waits counts anew what has come, under the bell's mutex, each time that it wakes up; nothing is summed
 * up anywhere else. Futures that are settled already get their turn from who waits. A wait and an iterator are the same
 * struct; the iterator hands out the entry with the smallest turn that it has not handed out.
 */
#include "wait_any.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct entry {
    struct future_watcher watcher; /* the first member */
    struct bell *bell;
    struct future *future;
    size_t turn; /* guarded by the bell's mutex, as is failed; 0: not yet */
    bool failed;
    bool came; /* handed out; the iterator's own */
};

struct bell {
    pthread_mutex_t mutex;
    pthread_cond_t rung; /* waits by the monotonic clock */
    size_t turns;        /* guarded by mutex */
    struct timespec until;
    bool limited;
    size_t count;
    struct entry entries[];
};

struct wait_any_iterator {
    struct bell *bell;
    size_t left;
};

static void ring(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    struct entry *entry = (struct entry *)watcher;
    struct bell *bell = entry->bell;

    (void)state;
    (void)callbacks;
    pthread_mutex_lock(&bell->mutex);
    entry->turn = ++bell->turns;
    entry->failed = exception != 0;
    pthread_cond_broadcast(&bell->rung);
    pthread_mutex_unlock(&bell->mutex);
}

static struct timespec moment_after(int64_t timeout_us)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t below_us = now.tv_nsec / 1000 + timeout_us % 1000000;
    now.tv_sec += timeout_us / 1000000 + below_us / 1000000;
    now.tv_nsec = below_us % 1000000 * 1000 + now.tv_nsec % 1000;
    return now;
}

static int make_bell(struct bell **bell, size_t room, int64_t timeout_us)
{
    pthread_condattr_t attributes;
    struct bell *made = malloc(sizeof *made + room * sizeof made->entries[0]);
    if (made == NULL)
        return ENOMEM;
    *made = (struct bell){.limited = timeout_us >= 0};
    if (made->limited)
        made->until = moment_after(timeout_us);
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = pthread_condattr_init(&attributes);
    if (error != 0)
        goto no_condition;
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    error = pthread_cond_init(&made->rung, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error != 0)
        goto no_condition;
    *bell = made;
    return 0;

no_condition:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

static void end_bell(struct bell *bell)
{
    for (size_t i = bell->count; i-- > 0;)
        future_unwatch(bell->entries[i].future, &bell->entries[i].watcher);
    pthread_cond_destroy(&bell->rung);
    pthread_mutex_destroy(&bell->mutex);
    free(bell);
}

static void add(struct bell *bell, struct future *future)
{
    struct entry *entry = &bell->entries[bell->count++];
    int exception = 0;

    *entry = (struct entry){.watcher = {.settled = ring}, .bell = bell, .future = future};
    if (future_watch(future, &entry->watcher) == 0)
        return;
    (void)future_exception(future, -1, &exception);
    ring(&entry->watcher, FUTURE_FINISHED, exception, false);
}

/* With the mutex held; what has come since the look before counts too. Returns false once the time is over. */
static bool sleep_on(struct bell *bell)
{
    if (!bell->limited)
        return pthread_cond_wait(&bell->rung, &bell->mutex) == 0;
    return pthread_cond_timedwait(&bell->rung, &bell->mutex, &bell->until) != ETIMEDOUT;
}

/* With the mutex held. */
static bool enough(const struct bell *bell, enum wait_any_when when)
{
    size_t complete = 0, failed = 0;

    for (size_t i = 0; i < bell->count; i++) {
        complete += bell->entries[i].turn != 0;
        failed += bell->entries[i].turn != 0 && bell->entries[i].failed;
    }
    return complete == bell->count || (when == WAIT_ANY_FIRST_COMPLETED && complete > 0) ||
           (when == WAIT_ANY_FIRST_EXCEPTION && failed > 0);
}

int wait_any(struct future *const *futures, size_t count, enum wait_any_when when, int64_t timeout_us, bool *done)
{
    struct bell *bell = NULL;

    if ((int)when < (int)WAIT_ANY_FIRST_COMPLETED || (int)when > (int)WAIT_ANY_ALL_COMPLETED)
        return EINVAL;
    if (count == 0)
        return 0;
    int error = make_bell(&bell, count, timeout_us);
    if (error != 0)
        return error;
    for (size_t i = 0; i < count; i++)
        add(bell, futures[i]);
    pthread_mutex_lock(&bell->mutex);
    bool in_time = true, is_so = enough(bell, when);
    while (!is_so && in_time) {
        in_time = sleep_on(bell);
        is_so = enough(bell, when);
    }
    for (size_t i = 0; i < count; i++)
        done[i] = bell->entries[i].turn != 0;
    pthread_mutex_unlock(&bell->mutex);
    end_bell(bell);
    return is_so ? 0 : ETIMEDOUT;
}

static int compare(const void *left, const void *right)
{
    const struct future *const *a = left, *const *b = right;

    return ((uintptr_t)*a > (uintptr_t)*b) - ((uintptr_t)*a < (uintptr_t)*b);
}

/* Adds each once, where it stands first: a sorted copy tells which are there, and is emptied as they come. */
static void add_each_once(struct bell *bell, struct future *const *futures, size_t count, struct future **sorted,
                          bool *taken)
{
    for (size_t i = 0; i < count; i++)
        sorted[i] = futures[i];
    if (count > 0)
        qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++) {
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if ((uintptr_t)sorted[middle] < (uintptr_t)futures[i])
                low = middle + 1;
            else
                high = middle;
        }
        if (!taken[low])
            add(bell, future_hold(futures[i]));
        taken[low] = true;
    }
}

int wait_any_as_completed(struct wait_any_iterator **iterator, struct future *const *futures, size_t count,
                          int64_t timeout_us)
{
    struct wait_any_iterator *made = malloc(sizeof *made);
    struct future **sorted = malloc((count + 1) * sizeof *sorted);
    bool *taken = calloc(count + 1, sizeof *taken);
    int error = ENOMEM;

    if (made != NULL && sorted != NULL && taken != NULL)
        error = make_bell(&made->bell, count, timeout_us);
    if (error == 0) {
        add_each_once(made->bell, futures, count, sorted, taken);
        made->left = made->bell->count;
        *iterator = made;
    } else {
        free(made);
    }
    free(taken);
    free(sorted);
    return error;
}

/* With the mutex held: the one that is next to come, NULL where none is complete. */
static struct entry *next_entry(struct bell *bell)
{
    struct entry *first = NULL;

    for (size_t i = 0; i < bell->count; i++) {
        struct entry *entry = &bell->entries[i];
        if (entry->turn != 0 && !entry->came && (first == NULL || entry->turn < first->turn))
            first = entry;
    }
    return first;
}

int wait_any_next(struct wait_any_iterator *iterator, struct future **future)
{
    struct bell *bell = iterator->bell;

    if (iterator->left == 0)
        return ENOENT;
    pthread_mutex_lock(&bell->mutex);
    struct entry *entry = next_entry(bell);
    bool in_time = true;
    while (entry == NULL && in_time) {
        in_time = sleep_on(bell);
        entry = next_entry(bell);
    }
    pthread_mutex_unlock(&bell->mutex);
    if (entry == NULL)
        return ETIMEDOUT;
    entry->came = true;
    iterator->left--;
    *future = entry->future;
    future_unwatch(entry->future, &entry->watcher); /* not before the others were told */
    return 0;
}

void wait_any_end(struct wait_any_iterator *iterator)
{
    if (iterator == NULL)
        return;
    struct bell *bell = iterator->bell;
    for (size_t i = 0; i < bell->count; i++) {
        future_unwatch(bell->entries[i].future, &bell->entries[i].watcher);
        future_drop(bell->entries[i].future);
    }
    bell->count = 0;
    end_bell(bell);
    free(iterator);
}
