/* future.c - a result that is not there yet.
 *
 * Theory of operation: no threads of its own. One mutex guards all that changes. Who wants the result sleeps on a
 * condition of his own, which is on his stack and, while he sleeps, in the future's list of sleepers; who finishes or
 * cancels the future signals each of them. The rest is as usual: the state, and the list of callbacks, change in one
 * hold of the mutex, callbacks are called after the unlock, and watchers are told with the mutex held.
 */
#include "future.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

/* region state */
struct callback {
    void (*call)(struct future *future, void *argument);
    void *argument;
    struct callback *next;
};

struct future {
    pthread_mutex_t mutex;
    struct sleeper *sleepers;        /* each is signalled when it is finished or cancelled */
    long references;                 /* guarded by mutex, as is all below */
    enum future_state state;         /* goes forward only */
    void *result;                    /* of meaning once FINISHED */
    int exception;                   /* likewise; 0: there is a result */
    struct callback *callbacks;      /* in the order in which they were added; none once it is done */
    struct callback **callbacks_end; /* where the next one goes */
    struct future_watcher *watchers; /* likewise; none once it is settled */
};
struct sleeper {
    pthread_cond_t woken;
    struct sleeper *next;
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

int future_create(struct future **future)
{
    struct future *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    made->references = 1;
    made->state = FUTURE_PENDING;
    made->callbacks_end = &made->callbacks;
    *future = made;
    return 0;

no_mutex:
    free(made);
    return error;
}
/* end create */

/* region references */
struct future *future_hold(struct future *future)
{
    pthread_mutex_lock(&future->mutex);
    future->references++;
    pthread_mutex_unlock(&future->mutex);
    return future;
}

static void free_callbacks(struct callback *callback)
{
    while (callback != NULL) {
        struct callback *next = callback->next;
        free(callback);
        callback = next;
    }
}

void future_drop(struct future *future)
{
    if (future == NULL)
        return;

    pthread_mutex_lock(&future->mutex);
    bool last = --future->references == 0;
    pthread_mutex_unlock(&future->mutex);
    if (!last)
        return; /* from here on it may be gone */
    free_callbacks(future->callbacks);
    pthread_mutex_destroy(&future->mutex);
    free(future);
}
/* end references */

/* region look */
static bool is_cancelled(enum future_state state)
{
    return state == FUTURE_CANCELLED || state == FUTURE_CANCELLED_AND_NOTIFIED;
}

static bool is_done(enum future_state state)
{
    return state == FUTURE_FINISHED || is_cancelled(state);
}

static bool is_settled(enum future_state state)
{
    return state == FUTURE_FINISHED || state == FUTURE_CANCELLED_AND_NOTIFIED;
}

enum future_state future_state(struct future *future)
{
    pthread_mutex_lock(&future->mutex);
    enum future_state state = future->state;
    pthread_mutex_unlock(&future->mutex);
    return state;
}

bool future_cancelled(struct future *future)
{
    return is_cancelled(future_state(future));
}

bool future_running(struct future *future)
{
    return future_state(future) == FUTURE_RUNNING;
}

bool future_done(struct future *future)
{
    return is_done(future_state(future));
}
/* end look */

/* region done */
/* With the mutex held, when it has just become done: wakes whoever waits, and takes the callbacks, which the caller
 * must call once the mutex is free. */
static struct callback *wake_all(struct future *future)
{
    struct callback *callbacks = future->callbacks;

    future->callbacks = NULL;
    for (struct sleeper *sleeper = future->sleepers; sleeper != NULL; sleeper = sleeper->next)
        pthread_cond_signal(&sleeper->woken);
    return callbacks;
}

/* Without the mutex: calls them in their order. */
static void call_all(struct future *future, struct callback *callbacks)
{
    for (struct callback *callback = callbacks; callback != NULL; callback = callback->next)
        callback->call(future, callback->argument);
    free_callbacks(callbacks);
}

/* With the mutex held, when it has just been settled. */
static void tell_watchers(struct future *future)
{
    struct future_watcher *watcher = future->watchers;

    future->watchers = NULL;
    while (watcher != NULL) {
        struct future_watcher *next = watcher->next; /* once told, it is no longer ours to look at */
        watcher->settled(watcher, future->state, future->exception, future->callbacks != NULL);
        watcher = next;
    }
}
/* end done */

/* region running */
int future_set_running_or_notify_cancel(struct future *future)
{
    int error = EALREADY;

    pthread_mutex_lock(&future->mutex);
    if (future->state == FUTURE_PENDING) {
        future->state = FUTURE_RUNNING;
        error = 0;
    } else if (future->state == FUTURE_CANCELLED) {
        future->state = FUTURE_CANCELLED_AND_NOTIFIED;
        tell_watchers(future);
        error = ECANCELED;
    }
    pthread_mutex_unlock(&future->mutex);
    return error;
}
/* end running */

/* region set */
static int finish(struct future *future, void *result, int exception)
{
    pthread_mutex_lock(&future->mutex);
    if (is_done(future->state)) {
        pthread_mutex_unlock(&future->mutex);
        return EALREADY;
    }
    future->state = FUTURE_FINISHED;
    future->result = result;
    future->exception = exception;
    tell_watchers(future);
    struct callback *callbacks = wake_all(future);
    pthread_mutex_unlock(&future->mutex);

    call_all(future, callbacks);
    return 0;
}

int future_set_result(struct future *future, void *result)
{
    return finish(future, result, 0);
}

int future_set_exception(struct future *future, int exception)
{
    return exception > 0 ? finish(future, NULL, exception) : EINVAL;
}
/* end set */

/* region wait */
/* The moment `timeout_us` microseconds from now; a moment stays what it is however often the wait is interrupted. */
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

/* With the mutex held: waits until it is done. Returns 0 where it is finished, ECANCELED or ETIMEDOUT. */
static int wait_until_done(struct future *future, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    int error = timeout_us == 0 ? ETIMEDOUT : 0;

    if (!is_done(future->state) && error == 0) {
        struct sleeper me = {.next = future->sleepers};
        error = make_condition(&me.woken);
        if (error != 0)
            return error;
        future->sleepers = &me; /* cppcheck-suppress autoVariables; it is out of the list before this returns */
        if (timeout_us > 0)
            deadline = deadline_after(timeout_us);
        while (!is_done(future->state) && error == 0)
            error = timeout_us < 0 ? pthread_cond_wait(&me.woken, &future->mutex)
                                   : pthread_cond_timedwait(&me.woken, &future->mutex, &deadline);
        struct sleeper **at = &future->sleepers;
        while (*at != &me)
            at = &(*at)->next;
        *at = me.next;
        pthread_cond_destroy(&me.woken);
    }
    if (!is_done(future->state))
        return error;
    return future->state == FUTURE_FINISHED ? 0 : ECANCELED; /* what is there counts for more than the time */
}
/* end wait */

/* region result */
int future_result(struct future *future, int64_t timeout_us, void **result)
{
    pthread_mutex_lock(&future->mutex);
    int error = wait_until_done(future, timeout_us);
    if (error == 0)
        error = future->exception;
    if (error == 0 && result != NULL)
        *result = future->result;
    pthread_mutex_unlock(&future->mutex);
    return error;
}

int future_exception(struct future *future, int64_t timeout_us, int *exception)
{
    pthread_mutex_lock(&future->mutex);
    int error = wait_until_done(future, timeout_us);
    if (error == 0)
        *exception = future->exception;
    pthread_mutex_unlock(&future->mutex);
    return error;
}
/* end result */

/* region cancel */
int future_cancel(struct future *future)
{
    struct callback *callbacks = NULL;

    pthread_mutex_lock(&future->mutex);
    if (future->state == FUTURE_PENDING) {
        future->state = FUTURE_CANCELLED;
        callbacks = wake_all(future);
    }
    bool cancelled = is_cancelled(future->state);
    pthread_mutex_unlock(&future->mutex);

    call_all(future, callbacks);
    return cancelled ? 0 : EBUSY;
}
/* end cancel */

/* region callback */
int future_add_done_callback(struct future *future, void (*callback)(struct future *future, void *argument),
                             void *argument)
{
    struct callback *added = malloc(sizeof *added);
    if (added == NULL)
        return ENOMEM;
    *added = (struct callback){callback, argument, NULL};

    pthread_mutex_lock(&future->mutex);
    bool done = is_done(future->state); /* and if not, who makes it done finds ours in the list */
    if (!done) {
        *future->callbacks_end = added;
        future->callbacks_end = &added->next;
    }
    pthread_mutex_unlock(&future->mutex);

    if (done)
        call_all(future, added);
    return 0;
}
/* end callback */

/* region watch */
int future_watch(struct future *future, struct future_watcher *watcher)
{
    pthread_mutex_lock(&future->mutex);
    bool settled = is_settled(future->state);
    if (!settled) {
        struct future_watcher **end = &future->watchers;
        while (*end != NULL)
            end = &(*end)->next;
        watcher->next = NULL;
        *end = watcher;
    }
    pthread_mutex_unlock(&future->mutex);
    return settled ? EALREADY : 0;
}

void future_unwatch(struct future *future, struct future_watcher *watcher)
{
    pthread_mutex_lock(&future->mutex);
    for (struct future_watcher **at = &future->watchers; *at != NULL; at = &(*at)->next) {
        if (*at == watcher) {
            *at = watcher->next;
            break;
        }
    }
    pthread_mutex_unlock(&future->mutex);
}
/* end watch */
