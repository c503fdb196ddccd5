/* timer.c - a function that is called later, unless somebody says no.
 *
 * Theory of operation: one thread for each timer that was started. It sleeps on the condition `changed` until its
 * time has come or somebody has cancelled. Two threads may want to decide at the same moment what becomes of the
 * function: the timer's, whose time is over, and one that cancels. Both decide with the mutex held, and each first
 * looks whether the other has. So one of `fired` and `cancelled` at most is ever true, and whoever comes second
 * knows.
 *
 * The function is called without the mutex. The thread is joined by timer_destroy, once; timer_join only waits for
 * `done`.
 */
#include "timer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* What to call, and when? What has become of it so far, and what guards that? */
struct timer {
    int64_t interval_us;
    void (*function)(void *argument);
    void *argument;
};
/* end state */

/* region new */
/* Make what the struct needs, and give back what was made where the rest fails. */
int timer_new(struct timer **timer, int64_t interval_us, void (*function)(void *argument), void *argument)
{
    *timer = calloc(1, sizeof **timer);
    if (*timer == NULL)
        return ENOMEM;
    **timer = (struct timer){.interval_us = interval_us, .function = function, .argument = argument};
    return 0;
}
/* end new */

/* region deadline */
/* A place for a helper: the moment that is some microseconds from now, by the monotonic clock. */
/* end deadline */

/* region thread */
/* A place for what the thread does: wait for the time or a cancel, decide, call the function, say that it is done. */
/* end thread */

/* region start */
/* Once: start the thread. */
int timer_start(struct timer *timer)
{
    (void)timer;
    return ENOSYS;
}
/* end start */

/* region cancel */
/* Too late? Else nobody may find it in time any more. */
int timer_cancel(struct timer *timer)
{
    (void)timer;
    return ENOSYS;
}
/* end cancel */

/* region join */
/* Not started, or myself? Else wait until the thread is done. */
int timer_join(struct timer *timer, int64_t timeout_us)
{
    (void)timer;
    (void)timeout_us;
    return ENOSYS;
}

bool timer_is_alive(struct timer *timer)
{
    (void)timer;
    return false;
}
/* end join */

/* region destroy */
/* Cancel, wait for the thread where there is one, give everything back. */
void timer_destroy(struct timer *timer)
{
    free(timer);
}
/* end destroy */
