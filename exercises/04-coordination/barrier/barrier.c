/* barrier.c - where threads wait for each other.
 *
 * Theory of operation: no threads of its own. The mutex guards everything that changes, and is held for a few
 * instructions only, never while the action runs. Who has to wait sleeps on a condition until he is woken; where his
 * time is limited, by the monotonic clock. A thread may wake up so late that the next round fills already: by then it
 * must still find out what became of its own.
 */
#include "barrier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* How many make a round, how many have arrived, and who has still to leave? How does a thread that wakes up late know
 * what became of its round? */
struct barrier {
    long parties; /* never changes */
    long arrived;
};
/* end state */

/* region create */
/* Refuse fewer than one. Make what the struct needs, and give back what was made where the rest fails. */
int barrier_create(struct barrier **barrier, long parties, int (*action)(void *argument), void *argument,
                   int64_t timeout_us)
{
    (void)action;
    (void)argument;
    (void)timeout_us;
    *barrier = calloc(1, sizeof **barrier);
    if (*barrier == NULL)
        return ENOMEM;
    (*barrier)->parties = parties;
    return 0;
}

void barrier_destroy(struct barrier *barrier)
{
    free(barrier);
}
/* end create */

/* region rounds */
/* A place for what happens at the end of a round, whatever the reason. */
/* end rounds */

/* region deadline */
/* A place for a helper: the moment at which a time-out ends, by the monotonic clock. */
/* end deadline */

/* region early */
/* A place for those who arrive before the last: they wait, and may lose patience. */
/* end early */

/* region last */
/* A place for the one who arrives last: the action, and the end of the round. */
/* end last */

/* region wait */
/* Arrive; wait for the others, or complete the round; leave. */
int barrier_wait(struct barrier *barrier, int64_t timeout_us, long *index)
{
    (void)barrier;
    (void)timeout_us;
    (void)index;
    return ENOSYS;
}
/* end wait */

/* region broken */
/* Both end the round of those who wait. */
void barrier_reset(struct barrier *barrier)
{
    (void)barrier;
}

void barrier_abort(struct barrier *barrier)
{
    (void)barrier;
}

bool barrier_is_broken(struct barrier *barrier)
{
    (void)barrier;
    return false;
}
/* end broken */

/* region ask */
/* One of these numbers changes. */
long barrier_parties(struct barrier *barrier)
{
    return barrier->parties;
}

long barrier_waiting(struct barrier *barrier)
{
    return barrier->arrived;
}
/* end ask */
