/* rlock.c - a lock that its owner may take again. A variant: a release hands the lock to the first of a queue of
 * waiters, each of which sleeps on a condition of its own, in its own frame.
 */
#include "rlock.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

struct waiter {
    pthread_t thread;
    pthread_cond_t turn;
    bool has_it; /* guarded by the lock's mutex */
    struct waiter *next;
};

struct rlock {
    pthread_mutex_t mutex;
    pthread_condattr_t monotonic;
    bool owned; /* guarded by mutex, as all below */
    pthread_t owner;
    long depth;
    struct waiter *queue;
};

int rlock_create(struct rlock **lock)
{
    struct rlock *made = calloc(1, sizeof *made);
    int error;

    if (made == NULL)
        return ENOMEM;
    error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0) {
        free(made);
        return error;
    }
    pthread_condattr_init(&made->monotonic);
    pthread_condattr_setclock(&made->monotonic, CLOCK_MONOTONIC);
    *lock = made;
    return 0;
}

void rlock_destroy(struct rlock *lock)
{
    if (lock == NULL)
        return;
    pthread_condattr_destroy(&lock->monotonic);
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

static bool owned_by_me(const struct rlock *lock)
{
    return lock->owned && pthread_equal(lock->owner, pthread_self()) != 0;
}

/* With the mutex held. */
static void leave_queue(struct rlock *lock, const struct waiter *waiter)
{
    struct waiter **at = &lock->queue;

    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
}

static void enqueue(struct rlock *lock, struct waiter *waiter)
{
    struct waiter **at = &lock->queue;

    while (*at != NULL)
        at = &(*at)->next;
    *at = waiter;
}

/* With the mutex held: waits until a release has handed the lock over. */
static int queue_up(struct rlock *lock, int64_t timeout_us)
{
    struct waiter waiter = {.thread = pthread_self()};
    struct timespec end;
    int error = pthread_cond_init(&waiter.turn, &lock->monotonic);

    if (error != 0)
        return error;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_us / 1000000;
    end.tv_nsec += timeout_us % 1000000 * 1000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    enqueue(lock, &waiter);
    while (!waiter.has_it && error == 0) {
        if (timeout_us < 0)
            pthread_cond_wait(&waiter.turn, &lock->mutex);
        else
            error = pthread_cond_timedwait(&waiter.turn, &lock->mutex, &end);
    }
    if (!waiter.has_it)
        leave_queue(lock, &waiter);
    pthread_cond_destroy(&waiter.turn);
    return waiter.has_it ? 0 : error;
}

static int acquire_held(struct rlock *lock, bool blocking, int64_t timeout_us)
{
    if (owned_by_me(lock)) {
        if (lock->depth >= RLOCK_DEPTH_MAX)
            return EAGAIN;
        lock->depth += 1;
        return 0;
    }
    if (!lock->owned) {
        lock->owned = true;
        lock->owner = pthread_self();
        lock->depth = 1;
        return 0;
    }
    if (!blocking)
        return EBUSY;
    return timeout_us == 0 ? ETIMEDOUT : queue_up(lock, timeout_us);
}

int rlock_acquire(struct rlock *lock, bool blocking, int64_t timeout_us)
{
    if (!blocking && timeout_us > -1)
        return EINVAL;
    pthread_mutex_lock(&lock->mutex);
    int error = acquire_held(lock, blocking, timeout_us);
    pthread_mutex_unlock(&lock->mutex);
    return error;
}

/* With the mutex held: the owner's last release. */
static void hand_over(struct rlock *lock)
{
    struct waiter *heir = lock->queue;

    lock->owned = heir != NULL;
    if (heir == NULL)
        return;
    lock->queue = heir->next;
    lock->owner = heir->thread;
    lock->depth = 1;
    heir->has_it = true;
    pthread_cond_signal(&heir->turn);
}

int rlock_release(struct rlock *lock)
{
    int error = EPERM;

    pthread_mutex_lock(&lock->mutex);
    if (owned_by_me(lock)) {
        error = 0;
        lock->depth -= 1;
        if (lock->depth == 0)
            hand_over(lock);
    }
    pthread_mutex_unlock(&lock->mutex);
    return error;
}

bool rlock_is_owned(struct rlock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    bool mine = owned_by_me(lock);
    pthread_mutex_unlock(&lock->mutex);
    return mine;
}

long rlock_depth(struct rlock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    long depth = owned_by_me(lock) ? lock->depth : 0;
    pthread_mutex_unlock(&lock->mutex);
    return depth;
}

struct record {
    struct rlock *lock;
    long first, second; /* guarded by lock */
};

int record_create(struct record **record)
{
    struct record *made = malloc(sizeof *made);
    int error = made == NULL ? ENOMEM : rlock_create(&made->lock);

    if (error != 0) {
        free(made);
        return error;
    }
    made->first = made->second = 0;
    *record = made;
    return 0;
}

void record_destroy(struct record *record)
{
    if (record == NULL)
        return;
    rlock_destroy(record->lock);
    free(record);
}

long record_get_part1(struct record *record)
{
    rlock_acquire(record->lock, true, -1);
    long first = record->first;
    rlock_release(record->lock);
    return first;
}

long record_get_part2(struct record *record)
{
    rlock_acquire(record->lock, true, -1);
    long second = record->second;
    rlock_release(record->lock);
    return second;
}

void record_get_both(struct record *record, long *part1, long *part2)
{
    rlock_acquire(record->lock, true, -1);
    *part1 = record_get_part1(record);
    *part2 = record_get_part2(record);
    rlock_release(record->lock);
}

void record_set_both(struct record *record, long part1, long part2)
{
    rlock_acquire(record->lock, true, -1);
    record->first = part1;
    record->second = part2;
    rlock_release(record->lock);
}
