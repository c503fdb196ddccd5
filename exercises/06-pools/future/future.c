/* future.c - a result that is not there yet.
 *
 * Theory of operation: no threads of its own. One mutex guards all that changes. Who wants the result sleeps on the
 * condition `done`; who finishes or cancels the future changes the state, wakes all of them, and takes the list of
 * callbacks away, all in one hold of the mutex: so exactly one thread ever has the list, and whoever comes later finds
 * a future that is done. The callbacks are called after the unlock, since they are foreign code: they may take any time
 * and call anything, this future too. Watchers are the opposite. They are told with the mutex held, so that a watch can
 * be ended for certain, and must not call back.
 *
 * The reference that is dropped last frees the future. Everybody who is in a call has a reference, so nobody is.
 */
#include "future.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* The state, the result, the callbacks, the watchers, the count of references: and what guards all that? */
struct future {
    enum future_state state;
};
/* end state */

/* region create */
/* Make what the struct needs, and give back what was made where the rest fails. Who has the first reference? */
int future_create(struct future **future)
{
    *future = calloc(1, sizeof **future);
    return *future == NULL ? ENOMEM : 0;
}
/* end create */

/* region references */
/* One more; one less, and the last one frees it. */
struct future *future_hold(struct future *future)
{
    return future;
}

void future_drop(struct future *future)
{
    (void)future;
}
/* end references */

/* region look */
/* The state, as it is at this moment; the other three can be made from it. */
enum future_state future_state(struct future *future)
{
    return future->state;
}

bool future_cancelled(struct future *future)
{
    (void)future;
    return false;
}

bool future_running(struct future *future)
{
    (void)future;
    return false;
}

bool future_done(struct future *future)
{
    (void)future;
    return false;
}
/* end look */

/* region done */
/* A place for what both ways of being done have in common: waking, telling the watchers, calling the callbacks. */
/* end done */

/* region running */
/* Pending: run. Cancelled: everybody knows now. Anything else: EALREADY. */
int future_set_running_or_notify_cancel(struct future *future)
{
    (void)future;
    return ENOSYS;
}
/* end running */

/* region set */
/* Once only. What happens with the mutex held, and what after the unlock? */
int future_set_result(struct future *future, void *result)
{
    (void)future;
    (void)result;
    return ENOSYS;
}

int future_set_exception(struct future *future, int exception)
{
    (void)future;
    (void)exception;
    return ENOSYS;
}
/* end set */

/* region wait */
/* A place for a helper that waits until it is done, or until a moment. */
/* end wait */

/* region result */
/* Wait, and then: a result, an exception, ECANCELED, ETIMEDOUT? */
int future_result(struct future *future, int64_t timeout_us, void **result)
{
    (void)future;
    (void)timeout_us;
    (void)result;
    return ENOSYS;
}

int future_exception(struct future *future, int64_t timeout_us, int *exception)
{
    (void)future;
    (void)timeout_us;
    (void)exception;
    return ENOSYS;
}
/* end result */

/* region cancel */
/* Only what is pending; and what is cancelled is done. */
int future_cancel(struct future *future)
{
    (void)future;
    return ENOSYS;
}
/* end cancel */

/* region callback */
/* Into the list, or done already: then call it here, at once. Who decides that, and when? */
int future_add_done_callback(struct future *future, void (*callback)(struct future *future, void *argument),
                             void *argument)
{
    (void)future;
    (void)callback;
    (void)argument;
    return ENOSYS;
}
/* end callback */

/* region watch */
/* Into the list at its end, out of it again, from wherever. */
int future_watch(struct future *future, struct future_watcher *watcher)
{
    (void)future;
    (void)watcher;
    return ENOSYS;
}

void future_unwatch(struct future *future, struct future_watcher *watcher)
{
    (void)future;
    (void)watcher;
}
/* end watch */
