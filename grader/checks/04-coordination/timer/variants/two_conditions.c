/* timer.c - a function that is called later. A variant with two conditions, one for the timer's thread and one for
 * those who wait for it, and with a time that is computed by whoever starts it. */
#include "timer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct timer {
    int64_t interval_us; /* these three never change */
    void (*function)(void *argument);
    void *argument;

    pthread_mutex_t mutex;
    pthread_cond_t woken;    /* signalled when cancelled becomes true: the timer's thread sleeps here */
    pthread_cond_t finished; /* broadcast when done becomes true */
    struct timespec when;    /* written by start, before the thread exists */
    pthread_t thread;        /* guarded by mutex, as all below; means nothing until started is true */
    bool started;
    bool fired;     /* the function is being called, or was; then cancelled stays false */
    bool cancelled; /* it never will be; then fired stays false */
    bool done;      /* the thread needs nothing any more but to be joined */
};

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
    error = make_condition(&made->woken);
    if (error != 0)
        goto no_woken;
    error = make_condition(&made->finished);
    if (error != 0)
        goto no_finished;
    *timer = made;
    return 0;

no_finished:
    pthread_cond_destroy(&made->woken);
no_woken:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

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

/* With the mutex held: sleeps until the time has come or the timer was cancelled. */
static void wait_for_time(struct timer *timer)
{
    int error = 0;

    while (!timer->cancelled && error == 0)
        error = pthread_cond_timedwait(&timer->woken, &timer->mutex, &timer->when);
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
    pthread_cond_broadcast(&timer->finished);
    pthread_mutex_unlock(&timer->mutex);
    return NULL;
}

int timer_start(struct timer *timer)
{
    int error = EALREADY;

    pthread_mutex_lock(&timer->mutex);
    if (!timer->started) {
        timer->when = deadline_after(timer->interval_us > 0 ? timer->interval_us : 0);
        error = pthread_create(&timer->thread, NULL, run, timer); /* which first of all waits for the mutex */
        timer->started = error == 0;
    }
    pthread_mutex_unlock(&timer->mutex);
    return error;
}

int timer_cancel(struct timer *timer)
{
    int error = 0;

    pthread_mutex_lock(&timer->mutex);
    if (timer->fired) {
        error = EALREADY;
    } else {
        timer->cancelled = true;
        pthread_cond_signal(&timer->woken);
    }
    pthread_mutex_unlock(&timer->mutex);
    return error;
}

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
        error = timeout_us < 0 ? pthread_cond_wait(&timer->finished, &timer->mutex)
                               : pthread_cond_timedwait(&timer->finished, &timer->mutex, &deadline);
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

void timer_destroy(struct timer *timer)
{
    if (timer == NULL)
        return;
    timer_cancel(timer);
    if (timer->started)
        pthread_join(timer->thread, NULL);
    pthread_cond_destroy(&timer->woken);
    pthread_cond_destroy(&timer->finished);
    pthread_mutex_destroy(&timer->mutex);
    free(timer);
}
