/* condition.c - a place to sleep until something has changed, from one semaphore for each thread that sleeps.
 *
 * Theory of operation: no threads of its own. A thread that waits makes a semaphore without a permit, hangs it at the
 * end of the queue, lets go of the lock, and acquires its semaphore: that is the sleep. A notify takes the first out
 * of the queue and releases its semaphore: that is the wake-up. It may come before the sleep has begun; then the
 * permit lies there, and the sleep ends at once. That is why nothing is lost in between.
 *
 * The queue needs no lock of its own: whoever touches it holds the condition's. A waiter lies in its thread's stack
 * frame. It is out of the queue before the thread leaves the frame: notify has taken it out, or the thread does so
 * when it has the lock again. And no notify still works on its semaphore then, for a notify holds the lock from its
 * beginning to its end.
 */
#include "condition.h"

#include "rlock.h"
#include "semaphore.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* A thread that waits. */
struct waiter {
    struct semaphore *wake; /* gets its one permit when the thread is notified */
    bool notified;          /* guarded by the condition's lock, as is next */
    struct waiter *next;    /* came later; NULL: the last */
};

struct condition {
    struct condition_lock lock;
    struct rlock *own;    /* what `lock` stands for where the caller brought none; else NULL */
    struct waiter *first; /* guarded by the lock: has waited longest; NULL: nobody waits */
};
/* end state */

/* region create */
static int own_acquire(void *object, bool blocking, int64_t timeout_us)
{
    return rlock_acquire(object, blocking, timeout_us);
}

static int own_release(void *object)
{
    return rlock_release(object);
}

static long own_depth(void *object)
{
    return rlock_depth(object);
}

int condition_create(struct condition **condition, const struct condition_lock *lock)
{
    struct condition *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    if (lock != NULL) {
        made->lock = *lock;
    } else {
        int error = rlock_create(&made->own);
        if (error != 0) {
            free(made);
            return error;
        }
        made->lock = (struct condition_lock){made->own, own_acquire, own_release, own_depth};
    }
    *condition = made;
    return 0;
}

void condition_destroy(struct condition *condition)
{
    if (condition == NULL)
        return;
    rlock_destroy(condition->own);
    free(condition);
}
/* end create */

/* region lock */
int condition_acquire(struct condition *condition, bool blocking, int64_t timeout_us)
{
    return condition->lock.acquire(condition->lock.object, blocking, timeout_us);
}

int condition_release(struct condition *condition)
{
    return condition->lock.release(condition->lock.object);
}

/* How often the calling thread holds the lock. */
static long lock_depth(struct condition *condition)
{
    return condition->lock.depth(condition->lock.object);
}

/* Lets go of a lock that was taken `depth` times. */
static void lock_release_all(struct condition *condition, long depth)
{
    for (long i = 0; i < depth; i++)
        condition->lock.release(condition->lock.object);
}

/* Takes it as often again. */
static void lock_restore(struct condition *condition, long depth)
{
    for (long i = 0; i < depth; i++)
        condition->lock.acquire(condition->lock.object, true, -1);
}
/* end lock */

/* region queue */
/* With the lock held: hangs the waiter behind all others. */
static void queue_append(struct condition *condition, struct waiter *waiter)
{
    struct waiter **end = &condition->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = waiter;
}

/* With the lock held: takes out a waiter that is in the queue. */
static void queue_remove(struct condition *condition, const struct waiter *waiter)
{
    struct waiter **at = &condition->first;

    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
}
/* end queue */

/* region wait */
int condition_wait(struct condition *condition, int64_t timeout_us)
{
    struct waiter waiter = {0};
    long depth = lock_depth(condition);

    if (depth == 0)
        return EPERM;
    int error = semaphore_create(&waiter.wake, 0);
    if (error != 0)
        return error;

    queue_append(condition, &waiter); /* before the lock is free: from then on somebody may look for us */
    lock_release_all(condition, depth);
    error = semaphore_acquire(waiter.wake, true, timeout_us);
    lock_restore(condition, depth);
    if (waiter.notified)
        error = 0; /* perhaps only while we waited for the lock: the wake-up was for us, and nobody else has it */
    else
        queue_remove(condition, &waiter);
    semaphore_destroy(waiter.wake);
    return error;
}
/* end wait */

/* region wait_for */
static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* What is left of a time-out that began at `began_us`. */
static int64_t time_left(int64_t timeout_us, int64_t began_us)
{
    const int64_t passed_us = now_us() - began_us;

    if (timeout_us < 0)
        return timeout_us;
    return passed_us < timeout_us ? timeout_us - passed_us : 0;
}

int condition_wait_for(struct condition *condition, bool (*predicate)(void *argument), void *argument,
                       int64_t timeout_us)
{
    const int64_t began_us = now_us();
    bool waited = false;
    int error = 0;

    if (lock_depth(condition) == 0)
        return EPERM;
    while (!predicate(argument)) {
        int64_t left_us = time_left(timeout_us, began_us); /* the time goes on, however often we were woken */
        if (error == 0 && waited && left_us == 0)
            error = ETIMEDOUT; /* notified in vain, perhaps again and again; but that was the last time */
        if (error != 0)
            return error;
        error = condition_wait(condition, left_us);
        waited = true;
    }
    return 0;
}
/* end wait_for */

/* region notify */
int condition_notify(struct condition *condition, long n)
{
    if (lock_depth(condition) == 0)
        return EPERM;
    for (long i = 0; i < n && condition->first != NULL; i++) {
        struct waiter *waiter = condition->first;
        queue_remove(condition, waiter);
        waiter->notified = true;
        semaphore_release(waiter->wake, 1);
    }
    return 0;
}

int condition_notify_all(struct condition *condition)
{
    return condition_notify(condition, LONG_MAX);
}
/* end notify */
