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
struct timer {
    int64_t interval_us; /* these three never change */
    void (*function)(void *argument);
    void *argument;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* broadcast when cancelled or done becomes true */
    pthread_t thread;       /* guarded by mutex, as all below; means nothing until started is true */
    bool started;
    bool fired;     /* the function is being called, or was; then cancelled stays false */
    bool cancelled; /* it never will be; then fired stays false */
    bool done;      /* the thread needs nothing any more but to be joined */
};
/* end state */

/* region new */
/* A condition whose timed waits go by the monotonic clock. */
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

int timer_new(struct timer **timer, int64_t interval_us, void (*function)(void *argument), void *argument)
{
    struct timer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    *made = (struct timer){.interval_us = interval_us, .function = function, .argument = argument};
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_condition(&made->changed);
    if (error != 0)
        goto no_condition;
    *timer = made;
    return 0;

no_condition:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}
/* end new */

/* region deadline */
/* The moment `span_us` microseconds from now. */
static struct timespec deadline_after(int64_t span_us)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += span_us / 1000000;
    deadline.tv_nsec += span_us % 1000000 * 1000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    return deadline;
}
/* end deadline */

/* region thread */
/* With the mutex held: sleeps until the time has come or the timer was cancelled. */
static void wait_for_time(struct timer *timer)
{
    struct timespec deadline = deadline_after(timer->interval_us > 0 ? timer->interval_us : 0);
    int error = 0;

    while (!timer->cancelled && error == 0)
        error = pthread_cond_timedwait(&timer->changed, &timer->mutex, &deadline);
}

static void *run(void *argument)
{
    struct timer *timer = argument;

    pthread_mutex_lock(&timer->mutex);
    wait_for_time(timer);
    if (!timer->cancelled) {
        timer->fired = true; /* decided, before the mutex is free: from here on it is too late to cancel */
        pthread_mutex_unlock(&timer->mutex);
        timer->function(timer->argument);
        pthread_mutex_lock(&timer->mutex);
    }
    timer->done = true;
    pthread_cond_broadcast(&timer->changed);
    pthread_mutex_unlock(&timer->mutex);
    return NULL;
}
/* end thread */

/* region start */
int timer_start(struct timer *timer)
{
    int error = EALREADY;

    pthread_mutex_lock(&timer->mutex);
    if (!timer->started) {
        error = pthread_create(&timer->thread, NULL, run, timer); /* which first of all waits for the mutex */
        timer->started = error == 0;
    }
    pthread_mutex_unlock(&timer->mutex);
    return error;
}
/* end start */

/* region cancel */
int timer_cancel(struct timer *timer)
{
    int error = 0;

    pthread_mutex_lock(&timer->mutex);
    if (timer->fired) {
        error = EALREADY;
    } else {
        timer->cancelled = true;
        pthread_cond_broadcast(&timer->changed);
    }
    pthread_mutex_unlock(&timer->mutex);
    return error;
}
/* end cancel */

/* region join */
/* With the mutex held: waits until the thread is done. Returns 0 or ETIMEDOUT. */
static int wait_until_done(struct timer *timer, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    int error = 0;

    if (timeout_us == 0)
        return timer->done ? 0 : ETIMEDOUT;
    if (timeout_us > 0)
        deadline = deadline_after(timeout_us);
    while (!timer->done && error == 0)
        error = timeout_us < 0 ? pthread_cond_wait(&timer->changed, &timer->mutex)
                               : pthread_cond_timedwait(&timer->changed, &timer->mutex, &deadline);
    return timer->done ? 0 : error;
}

int timer_join(struct timer *timer, int64_t timeout_us)
{
    int error = 0;

    pthread_mutex_lock(&timer->mutex);
    if (!timer->started)
        error = EINVAL;
    else if (pthread_equal(timer->thread, pthread_self()))
        error = EDEADLK;
    else
        error = wait_until_done(timer, timeout_us);
    pthread_mutex_unlock(&timer->mutex);
    return error;
}

bool timer_is_alive(struct timer *timer)
{
    pthread_mutex_lock(&timer->mutex);
    bool alive = timer->started && !timer->done;
    pthread_mutex_unlock(&timer->mutex);
    return alive;
}
/* end join */

/* region destroy */
void timer_destroy(struct timer *timer)
{
    if (timer == NULL)
        return;
    timer_cancel(timer);
    if (timer->started)
        pthread_join(timer->thread, NULL);
    pthread_cond_destroy(&timer->changed);
    pthread_mutex_destroy(&timer->mutex);
    free(timer);
}
/* end destroy */
