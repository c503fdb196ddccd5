/* rlock.c - a lock that its owner may take again, and an object that needs one.
 *
 * Theory of operation: no threads of its own. The lock that callers see is no pthread lock at all; it is two fields,
 * owner and depth. The mutex guards those two and is held for a few instructions only, never while a caller owns the
 * lock. Who finds another owner sleeps on the condition `freed`, which lets go of the mutex meanwhile; the owner's last
 * release signals it. One signal wakes one waiter, and that is enough: all of them wait for the same thing, and whoever
 * gets the lock signals in his turn. A waiter that was woken looks again, for somebody else may have been faster.
 *
 * The owner means something only while depth is above 0: a pthread_t has no value that says "nobody", and after its
 * thread has ended the system gives the same value to a new one.
 */
#include "rlock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
struct rlock {
    pthread_mutex_t mutex;
    pthread_cond_t freed; /* signalled when depth becomes 0 */
    pthread_t owner;      /* guarded by mutex; means nothing while depth is 0 */
    long depth;           /* guarded by mutex; how often the owner has taken it */
};
/* end state */

/* region create */
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

int rlock_create(struct rlock **lock)
{
    struct rlock *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_condition(&made->freed);
    if (error != 0)
        goto no_condition;
    *lock = made;
    return 0;

no_condition:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

void rlock_destroy(struct rlock *lock)
{
    if (lock == NULL)
        return;
    pthread_cond_destroy(&lock->freed);
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}
/* end create */

/* region owned */
/* With the mutex held: whether the calling thread is the owner. */
static bool is_mine(const struct rlock *lock)
{
    return lock->depth > 0 && pthread_equal(lock->owner, pthread_self());
}

bool rlock_is_owned(struct rlock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    bool mine = is_mine(lock);
    pthread_mutex_unlock(&lock->mutex);
    return mine;
}

long rlock_depth(struct rlock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    long depth = is_mine(lock) ? lock->depth : 0;
    pthread_mutex_unlock(&lock->mutex);
    return depth;
}
/* end owned */

/* region deadline */
/* The moment `timeout_us` microseconds from now, as the timed wait wants it: a moment stays what it is however often
 * the wait is interrupted, a span would begin anew each time. */
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
/* end deadline */

/* region acquire */
/* With the mutex held: waits until nobody owns the lock. Returns 0 or ETIMEDOUT. */
static int wait_until_free(struct rlock *lock, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    int error = 0;

    if (timeout_us == 0)
        return lock->depth == 0 ? 0 : ETIMEDOUT;
    if (timeout_us > 0)
        deadline = deadline_after(timeout_us);
    while (lock->depth > 0 && error == 0)
        error = timeout_us < 0 ? pthread_cond_wait(&lock->freed, &lock->mutex)
                               : pthread_cond_timedwait(&lock->freed, &lock->mutex, &deadline);
    return lock->depth == 0 ? 0 : error; /* where both happened at once the lock counts for more than the time */
}

/* With the mutex held: takes the lock for the calling thread, which does not own it yet. */
static int take(struct rlock *lock, bool blocking, int64_t timeout_us)
{
    if (!blocking && lock->depth > 0)
        return EBUSY;

    int error = wait_until_free(lock, timeout_us);
    if (error != 0)
        return error;
    lock->owner = pthread_self();
    lock->depth = 1;
    return 0;
}

int rlock_acquire(struct rlock *lock, bool blocking, int64_t timeout_us)
{
    int error = 0;

    if (!blocking && timeout_us >= 0)
        return EINVAL;

    pthread_mutex_lock(&lock->mutex);
    if (!is_mine(lock))
        error = take(lock, blocking, timeout_us);
    else if (lock->depth == RLOCK_DEPTH_MAX)
        error = EAGAIN;
    else
        lock->depth++;
    pthread_mutex_unlock(&lock->mutex);
    return error;
}
/* end acquire */

/* region release */
int rlock_release(struct rlock *lock)
{
    int error = 0;

    pthread_mutex_lock(&lock->mutex);
    if (!is_mine(lock))
        error = EPERM;
    else if (--lock->depth == 0)
        pthread_cond_signal(&lock->freed);
    pthread_mutex_unlock(&lock->mutex);
    return error;
}
/* end release */

/* region record */
struct record {
    struct rlock *lock;
    long part1; /* guarded by lock */
    long part2; /* guarded by lock */
};

int record_create(struct record **record)
{
    struct record *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = rlock_create(&made->lock);
    if (error != 0) {
        free(made);
        return error;
    }
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
/* end record */

/* region both */
long record_get_part1(struct record *record)
{
    rlock_acquire(record->lock, true, -1);
    long part1 = record->part1;
    rlock_release(record->lock);
    return part1;
}

long record_get_part2(struct record *record)
{
    rlock_acquire(record->lock, true, -1);
    long part2 = record->part2;
    rlock_release(record->lock);
    return part2;
}

void record_get_both(struct record *record, long *part1, long *part2)
{
    rlock_acquire(record->lock, true, -1); /* nobody changes anything between the two calls, which take it again */
    *part1 = record_get_part1(record);
    *part2 = record_get_part2(record);
    rlock_release(record->lock);
}

void record_set_both(struct record *record, long part1, long part2)
{
    rlock_acquire(record->lock, true, -1);
    record->part1 = part1;
    record->part2 = part2;
    rlock_release(record->lock);
}
/* end both */
