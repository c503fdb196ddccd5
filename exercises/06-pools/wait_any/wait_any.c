/* wait_any.c - waiting for several futures at once.
 *
 * Theory of operation: no threads of its own. Who waits puts a watcher on each future; whoever settles a future tells
 * its watcher, which notes that in the waiter and wakes it. So however many futures there are, the waiter sleeps on one
 * condition. Before the memory of a watcher is given back the watch is ended, and then nobody is in it any more.
 *
 * Two locks are in play, and they are taken in one order: a future's, then the waiter's, for that is how the watchers
 * are told. So the waiter's mutex is never held in a call on a future: not to watch, not to ask, not to unwatch.
 */
#include "wait_any.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* A place for who waits, and for one future that is waited for. Which of the two has the lock? */
/* end state */

/* region waiter */
/* A place for making and ending a waiter, and for the question whether enough has come. */
/* end waiter */

/* region note */
/* A place for what a watcher does when it is told. Which lock is held then, and which one does it take? */
/* end note */

/* region watch */
/* A place for beginning to watch; and if the future is settled already? */
/* end watch */

/* region sleep */
/* A place for a sleep until a moment, or for ever. */
/* end sleep */

/* region wait */
/* Watch all, wait until it is enough, unwatch all, then tell. */
int wait_any(struct future *const *futures, size_t count, enum wait_any_when when, int64_t timeout_us, bool *done)
{
    (void)futures;
    (void)count;
    (void)when;
    (void)timeout_us;
    (void)done;
    return ENOSYS;
}
/* end wait */

/* region iterator */
/* What has it to remember from one next to the other? */
struct wait_any_iterator {
    size_t count;
};
/* end iterator */

/* region distinct */
/* A place for finding what stands in the array a second time. */
/* end distinct */

/* region as_completed */
/* References of its own, and a watcher on each. */
int wait_any_as_completed(struct wait_any_iterator **iterator, struct future *const *futures, size_t count,
                          int64_t timeout_us)
{
    (void)iterator;
    (void)futures;
    (void)count;
    (void)timeout_us;
    return ENOSYS;
}
/* end as_completed */

/* region next */
/* The first of those that are complete and have not come yet; wait while there is none. */
int wait_any_next(struct wait_any_iterator *iterator, struct future **future)
{
    (void)iterator;
    (void)future;
    return ENOSYS;
}
/* end next */

/* region end */
/* Unwatch before you free. */
void wait_any_end(struct wait_any_iterator *iterator)
{
    (void)iterator;
}
/* end end */
