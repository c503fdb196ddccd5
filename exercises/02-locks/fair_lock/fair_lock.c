/* fair_lock.c - a lock that serves in the order of arrival.
 *
 * Theory of operation: no threads of its own. One mutex guards the fields, and is held for a few instructions only. Who
 * finds the lock held draws a ticket, which lies in his own stack frame, hangs it at the end of the queue, and sleeps
 * on the ticket's condition. A release does not set the lock free while somebody waits: it makes the first in the queue
 * the holder and wakes him. So there is no moment at which a third thread could come in between, however late he wakes
 * up.
 *
 * A ticket is touched by others only with the mutex held, and only while it hangs in the queue: before its owner leaves
 * his frame it was taken out, by the release that served it or by himself when his time was over.
 */
#include "fair_lock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* Who holds it, who waits, and in which order? */
struct fair_lock {
    long waiting;
};
/* end state */

/* region create */
/* Make what the struct needs, and give back what was made where the rest fails. */
int fair_lock_create(struct fair_lock **lock)
{
    *lock = calloc(1, sizeof **lock);
    return *lock == NULL ? ENOMEM : 0;
}

void fair_lock_destroy(struct fair_lock *lock)
{
    free(lock);
}
/* end create */

/* region queue */
/* A place for the queue: add at the end, take out anywhere. */
/* end queue */

/* region deadline */
/* A place for helpers with time: a condition that goes by the monotonic clock, and the moment when a time-out ends. */
/* end deadline */

/* region wait */
/* A place for the wait: a ticket, a sleep, and what happens when the time is over first. */
/* end wait */

/* region acquire */
/* Mine already? Free, and nobody waits? No time to wait? Else wait for the turn. */
int fair_lock_acquire(struct fair_lock *lock, int64_t timeout_us)
{
    (void)lock;
    (void)timeout_us;
    return ENOSYS;
}
/* end acquire */

/* region release */
/* Not mine: EPERM. Somebody waits: it is his. Nobody waits: it is free. */
int fair_lock_release(struct fair_lock *lock)
{
    (void)lock;
    return ENOSYS;
}
/* end release */

/* region waiting */
/* Reads a number that others change. */
long fair_lock_waiting(struct fair_lock *lock)
{
    return lock->waiting;
}
/* end waiting */
