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
/* Which lock, and who waits, in which order? What does one thread that waits need? */
struct condition {
    struct condition_lock lock;
};
/* end state */

/* region create */
/* Where the caller brings no lock, make one. */
int condition_create(struct condition **condition, const struct condition_lock *lock)
{
    (void)lock;
    *condition = calloc(1, sizeof **condition);
    return *condition == NULL ? ENOMEM : 0;
}

void condition_destroy(struct condition *condition)
{
    free(condition);
}
/* end create */

/* region lock */
/* Hand these on to the lock. A place for helpers, too: let go of it altogether, take it as often again. */
int condition_acquire(struct condition *condition, bool blocking, int64_t timeout_us)
{
    (void)condition;
    (void)blocking;
    (void)timeout_us;
    return ENOSYS;
}

int condition_release(struct condition *condition)
{
    (void)condition;
    return ENOSYS;
}
/* end lock */

/* region queue */
/* A place for the queue: add at the end, take out anywhere. */
/* end queue */

/* region wait */
/* A semaphore of your own, a place in the queue, the lock let go; then sleep. And what if the time is over? */
int condition_wait(struct condition *condition, int64_t timeout_us)
{
    (void)condition;
    (void)timeout_us;
    return ENOSYS;
}
/* end wait */

/* region wait_for */
/* Look, wait, look again; the time goes on meanwhile. */
int condition_wait_for(struct condition *condition, bool (*predicate)(void *argument), void *argument,
                       int64_t timeout_us)
{
    (void)condition;
    (void)predicate;
    (void)argument;
    (void)timeout_us;
    return ENOSYS;
}
/* end wait_for */

/* region notify */
/* The first n of the queue: out of it, and awake. */
int condition_notify(struct condition *condition, long n)
{
    (void)condition;
    (void)n;
    return ENOSYS;
}

int condition_notify_all(struct condition *condition)
{
    (void)condition;
    return ENOSYS;
}
/* end notify */
