/* rlock.c - a lock that its owner may take again. A variant: a thread is known by the address of a variable of its own,
 * so there is a value for "nobody"; everyone is woken, after the mutex was let go; and the record holds its lock by
 * hand.
 */
#include "rlock.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

static _Thread_local char me;

struct rlock {
    const char *owner; /* guarded by guard; NULL: nobody */
    unsigned again;    /* guarded by guard; acquires beyond the first */
    pthread_mutex_t guard;
    pthread_cond_t changed;
};

int rlock_create(struct rlock **lock)
{
    pthread_condattr_t monotonic;
    int error = ENOMEM;

    *lock = malloc(sizeof **lock);
    if (*lock == NULL)
        return error;
    (*lock)->owner = NULL;
    (*lock)->again = 0;
    if ((error = pthread_condattr_init(&monotonic)) != 0)
        goto failed;
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    error = pthread_cond_init(&(*lock)->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (error != 0)
        goto failed;
    if ((error = pthread_mutex_init(&(*lock)->guard, NULL)) == 0)
        return 0;
    pthread_cond_destroy(&(*lock)->changed);
failed:
    free(*lock);
    *lock = NULL;
    return error;
}

void rlock_destroy(struct rlock *lock)
{
    if (lock != NULL) {
        pthread_mutex_destroy(&lock->guard);
        pthread_cond_destroy(&lock->changed);
        free(lock);
    }
}

/* With the guard held: sleeps until nobody owns the lock. */
static int sleep_until_free(struct rlock *lock, bool limited, struct timespec until)
{
    for (;;) {
        if (lock->owner == NULL)
            return 0;
        int error = limited ? pthread_cond_timedwait(&lock->changed, &lock->guard, &until)
                            : pthread_cond_wait(&lock->changed, &lock->guard);
        if (error != 0 && lock->owner != NULL)
            return error;
    }
}

/* With the guard held. */
static int take_from_others(struct rlock *lock, bool blocking, int64_t timeout_us)
{
    struct timespec until;

    if (lock->owner != NULL && !blocking)
        return EBUSY;
    if (lock->owner != NULL && timeout_us == 0)
        return ETIMEDOUT;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us > 0) {
        int64_t nanoseconds = until.tv_nsec + timeout_us % 1000000 * 1000;
        until.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
        until.tv_nsec = nanoseconds % 1000000000;
    }
    int error = sleep_until_free(lock, timeout_us > 0, until);
    if (error == 0)
        lock->owner = &me;
    return error;
}

int rlock_acquire(struct rlock *lock, bool blocking, int64_t timeout_us)
{
    int error;

    if (timeout_us >= 0 && !blocking)
        return EINVAL;
    pthread_mutex_lock(&lock->guard);
    if (lock->owner != &me) {
        error = take_from_others(lock, blocking, timeout_us);
    } else {
        error = lock->again + 1 < RLOCK_DEPTH_MAX ? 0 : EAGAIN;
        lock->again += error == 0;
    }
    pthread_mutex_unlock(&lock->guard);
    return error;
}

int rlock_release(struct rlock *lock)
{
    pthread_mutex_lock(&lock->guard);
    bool mine = lock->owner == &me;
    bool last = mine && lock->again == 0;
    if (last)
        lock->owner = NULL;
    else if (mine)
        lock->again--;
    pthread_mutex_unlock(&lock->guard);
    if (last)
        pthread_cond_broadcast(&lock->changed);
    return mine ? 0 : EPERM;
}

long rlock_depth(struct rlock *lock)
{
    pthread_mutex_lock(&lock->guard);
    long depth = lock->owner == &me ? (long)lock->again + 1 : 0;
    pthread_mutex_unlock(&lock->guard);
    return depth;
}

bool rlock_is_owned(struct rlock *lock)
{
    return rlock_depth(lock) > 0;
}

struct record {
    long parts[2]; /* guarded by lock */
    struct rlock *lock;
};

int record_create(struct record **record)
{
    *record = calloc(1, sizeof **record);
    if (*record == NULL)
        return ENOMEM;
    int error = rlock_create(&(*record)->lock);
    if (error != 0)
        free(*record);
    return error;
}

void record_destroy(struct record *record)
{
    if (record != NULL)
        rlock_destroy(record->lock);
    free(record);
}

static long get_part(struct record *record, int which)
{
    rlock_acquire(record->lock, true, -1);
    long part = record->parts[which];
    rlock_release(record->lock);
    return part;
}

long record_get_part1(struct record *record)
{
    return get_part(record, 0);
}

long record_get_part2(struct record *record)
{
    return get_part(record, 1);
}

void record_get_both(struct record *record, long *part1, long *part2)
{
    long first, second;

    rlock_acquire(record->lock, true, -1);
    second = record_get_part2(record);
    first = record_get_part1(record);
    rlock_release(record->lock);
    *part1 = first;
    *part2 = second;
}

void record_set_both(struct record *record, long part1, long part2)
{
    rlock_acquire(record->lock, true, -1);
    record->parts[0] = part1;
    rlock_acquire(record->lock, true, -1);
    record->parts[1] = part2;
    rlock_release(record->lock);
    rlock_release(record->lock);
}
