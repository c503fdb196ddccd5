/* gil.c - the lock that lets one thread at a time run Python.
 *
 * Theory of operation: no threads of its own. The lock that callers see is the field `locked`; the mutex guards it and
 * all the rest, and is held for a few instructions only, never while a caller holds the lock. Threads sleep in two
 * places. Who wants the lock sleeps on `dropped`, for one interval at a time: each drop signals it, and whoever gets
 * the lock drops it in his turn, so one signal is enough. Who has dropped it on request sleeps on `switched` until
 * another one has it. That ends, since a request is made by somebody who waits, and who waits goes on until he has the
 * lock.
 *
 * The drop request is the one field that is read without the mutex: the holder looks at it at every turn of his loops.
 * So it is atomic. It needs no order (relaxed), since nothing else is read because of it: who sees it takes the mutex.
 *
 * Algorithm: CPython's, by Antoine Pitrou (2009), Python/ceval_gil.c.
 */
#include "gil.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* Whether it is held, who had it last, how often it went to another thread. What guards that? What do those sleep on
 * who want it, and what those who have dropped it on request? And what does a holder look at to see that he was asked?
 */
struct gil {
    int64_t interval_us;
};

struct gil_thread {
    struct gil *gil;
};
/* end state */

/* region create */
/* Make what the struct needs, and give back what was made where the rest fails. */
int gil_create(struct gil **gil)
{
    *gil = calloc(1, sizeof **gil);
    if (*gil == NULL)
        return ENOMEM;
    (*gil)->interval_us = GIL_INTERVAL_US;
    return 0;
}

void gil_destroy(struct gil *gil)
{
    free(gil);
}
/* end create */

/* region interval */
/* Others may ask and set at any time. */
int gil_set_interval(struct gil *gil, int64_t interval_us)
{
    (void)gil;
    (void)interval_us;
    return ENOSYS;
}

int64_t gil_interval(struct gil *gil)
{
    return gil->interval_us;
}

uint64_t gil_switches(struct gil *gil)
{
    (void)gil;
    return 0;
}
/* end interval */

/* region thread */
/* What may still point to one that ends? */
int gil_thread_create(struct gil *gil, struct gil_thread **thread)
{
    *thread = calloc(1, sizeof **thread);
    if (*thread == NULL)
        return ENOMEM;
    (*thread)->gil = gil;
    return 0;
}

void gil_thread_destroy(struct gil_thread *thread)
{
    free(thread);
}
/* end thread */

/* region held */
/* The first is for asserting, the second is asked at every turn of a loop. */
bool gil_is_held(struct gil_thread *thread)
{
    (void)thread;
    return false;
}

bool gil_drop_requested(struct gil_thread *thread)
{
    (void)thread;
    return false;
}
/* end held */

/* region deadline */
/* A place for a helper: the moment at which an interval ends, by the monotonic clock. */
/* end deadline */

/* region take */
/* Mine already? Free? Somebody else's: then wait for one interval, ask him if no switch happened meanwhile, look again.
 */
int gil_take(struct gil_thread *thread)
{
    (void)thread;
    return ENOSYS;
}
/* end take */

/* region drop */
/* Not mine: EPERM. Was I asked? Then I wait until another thread has it. */
int gil_drop(struct gil_thread *thread)
{
    (void)thread;
    return ENOSYS;
}
/* end drop */

/* region checkpoint */
/* Asked: drop it and take it again. Not asked: nothing. */
int gil_checkpoint(struct gil_thread *thread)
{
    (void)thread;
    return ENOSYS;
}
/* end checkpoint */
