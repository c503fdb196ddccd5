/* condition.c - a place to sleep until something has changed. A variant with the C library's semaphores, and a ring of
 * waiters that is doubly linked: who was taken out of it is alone in a ring of his own. */
#include "condition.h"

#include "rlock.h"

#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

struct place {
    struct place *before, *behind; /* in the ring; alone in it: taken out */
    sem_t bell;
};

struct condition {
    struct condition_lock lock;
    bool mine; /* the lock is an RLock of this condition's own */
    struct place ring;
};

static int rlock_take(void *object, bool blocking, int64_t timeout_us)
{
    return rlock_acquire(object, blocking, timeout_us);
}

static int rlock_give(void *object)
{
    return rlock_release(object);
}

static long rlock_held(void *object)
{
    return rlock_depth(object);
}

int condition_create(struct condition **condition, const struct condition_lock *lock)
{
    struct condition *made = malloc(sizeof *made);
    struct rlock *own = NULL;

    if (made == NULL)
        return ENOMEM;
    if (lock == NULL) {
        int error = rlock_create(&own);
        if (error != 0) {
            free(made);
            return error;
        }
        made->lock = (struct condition_lock){own, rlock_take, rlock_give, rlock_held};
    } else {
        made->lock = *lock;
    }
    made->mine = lock == NULL;
    made->ring.before = made->ring.behind = &made->ring;
    *condition = made;
    return 0;
}

void condition_destroy(struct condition *condition)
{
    if (condition == NULL)
        return;
    if (condition->mine)
        rlock_destroy(condition->lock.object);
    free(condition);
}

int condition_acquire(struct condition *condition, bool blocking, int64_t timeout_us)
{
    return condition->lock.acquire(condition->lock.object, blocking, timeout_us);
}

int condition_release(struct condition *condition)
{
    return condition->lock.release(condition->lock.object);
}

static void take_out(struct place *place)
{
    place->before->behind = place->behind;
    place->behind->before = place->before;
    place->before = place->behind = place;
}

static int64_t now_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Sleeps until the bell rings or the moment `end_us` of the monotonic clock. sem_timedwait goes by the clock on the
 * wall, so where that says it is over, the monotonic one is asked. */
static int sleep_until(sem_t *bell, int64_t end_us)
{
    for (;;) {
        int64_t left_us = end_us - now_us(CLOCK_MONOTONIC), wall_us;
        struct timespec until;

        if (left_us <= 0)
            return sem_trywait(bell) == 0 ? 0 : ETIMEDOUT;
        if (left_us > 1000000000)
            left_us = 1000000000;
        wall_us = now_us(CLOCK_REALTIME) + left_us + 1;
        until.tv_sec = wall_us / 1000000;
        until.tv_nsec = wall_us % 1000000 * 1000;
        if (sem_timedwait(bell, &until) == 0)
            return 0;
    }
}

int condition_wait(struct condition *condition, int64_t timeout_us)
{
    struct place place;
    const long depth = condition->lock.depth(condition->lock.object);
    const int64_t now = now_us(CLOCK_MONOTONIC);
    int error = 0;

    if (depth == 0)
        return EPERM;
    if (sem_init(&place.bell, 0, 0) != 0)
        return errno;
    place.behind = &condition->ring;
    place.before = condition->ring.before;
    place.before->behind = condition->ring.before = &place;
    for (long left = depth; left > 0; left--)
        condition->lock.release(condition->lock.object);
    if (timeout_us < 0)
        while (sem_wait(&place.bell) != 0)
            ;
    else
        error = sleep_until(&place.bell, timeout_us < INT64_MAX - now ? now + timeout_us : INT64_MAX);
    for (long left = depth; left > 0; left--)
        condition->lock.acquire(condition->lock.object, true, -1);
    if (place.behind == &place)
        error = 0;
    else
        take_out(&place);
    sem_destroy(&place.bell);
    return error;
}

int condition_wait_for(struct condition *condition, bool (*predicate)(void *argument), void *argument,
                       int64_t timeout_us)
{
    const int64_t now = now_us(CLOCK_MONOTONIC);
    const int64_t end_us = timeout_us < INT64_MAX - now ? now + timeout_us : INT64_MAX;
    int error = 0;

    if (condition->lock.depth(condition->lock.object) == 0)
        return EPERM;
    for (;;) {
        if (predicate(argument))
            return 0;
        if (error != 0)
            return error;
        int64_t left_us = end_us - now_us(CLOCK_MONOTONIC);
        error = condition_wait(condition, timeout_us < 0 ? -1 : left_us > 0 ? left_us : 0);
        if (error == 0 && timeout_us >= 0 && now_us(CLOCK_MONOTONIC) >= end_us)
            error = ETIMEDOUT;
    }
}

int condition_notify(struct condition *condition, long n)
{
    if (condition->lock.depth(condition->lock.object) == 0)
        return EPERM;
    for (; n > 0 && condition->ring.behind != &condition->ring; n--) {
        struct place *first = condition->ring.behind;
        take_out(first);
        sem_post(&first->bell);
    }
    return 0;
}

int condition_notify_all(struct condition *condition)
{
    return condition_notify(condition, LONG_MAX);
}
