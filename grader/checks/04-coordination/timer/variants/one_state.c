/* timer.c - a function that is called later. A variant with one state instead of several marks, and the broadcast of a
 * cancel after the unlock. */
#include "timer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum state { NEW, PENDING, RUNNING, FIRED };

struct timer {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    enum state state; /* guarded by mutex, as all below */
    bool off;         /* cancelled: it ends without a call */
    bool over;        /* the thread has ended, or there is nothing more that it will touch */
    pthread_t thread;
    int64_t wait_us;
    void (*call)(void *);
    void *with;
};

int timer_new(struct timer **timer, int64_t interval_us, void (*function)(void *argument), void *argument)
{
    pthread_condattr_t monotonic;
    struct timer *made = calloc(1, sizeof *made);
    int error;

    if (made == NULL)
        return ENOMEM;
    made->wait_us = interval_us > 0 ? interval_us : 0;
    made->call = function;
    made->with = argument;
    error = pthread_condattr_init(&monotonic);
    if (error != 0)
        goto no_attributes;
    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&made->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (error != 0)
        goto no_attributes;
    error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    *timer = made;
    return 0;

no_mutex:
    pthread_cond_destroy(&made->moved);
no_attributes:
    free(made);
    return error;
}

static struct timespec moment_in(int64_t span_us)
{
    struct timespec moment;
    int64_t nanoseconds;

    clock_gettime(CLOCK_MONOTONIC, &moment);
    nanoseconds = moment.tv_nsec + span_us % 1000000 * 1000;
    moment.tv_sec += span_us / 1000000 + nanoseconds / 1000000000;
    moment.tv_nsec = nanoseconds % 1000000000;
    return moment;
}

static void *live(void *argument)
{
    struct timer *timer = argument;
    struct timespec until = moment_in(timer->wait_us);
    int late = 0;

    pthread_mutex_lock(&timer->mutex);
    while (!timer->off && late == 0)
        late = pthread_cond_timedwait(&timer->moved, &timer->mutex, &until);
    if (!timer->off) {
        timer->state = RUNNING;
        pthread_mutex_unlock(&timer->mutex);
        timer->call(timer->with);
        pthread_mutex_lock(&timer->mutex);
        timer->state = FIRED;
    }
    timer->over = true;
    pthread_cond_broadcast(&timer->moved);
    pthread_mutex_unlock(&timer->mutex);
    return NULL;
}

int timer_start(struct timer *timer)
{
    pthread_mutex_lock(&timer->mutex);
    int error = timer->state == NEW ? pthread_create(&timer->thread, NULL, live, timer) : EALREADY;
    if (error == 0)
        timer->state = PENDING;
    pthread_mutex_unlock(&timer->mutex);
    return error;
}

int timer_cancel(struct timer *timer)
{
    pthread_mutex_lock(&timer->mutex);
    bool in_time = timer->state == NEW || timer->state == PENDING;
    if (in_time)
        timer->off = true;
    pthread_mutex_unlock(&timer->mutex);
    if (in_time)
        pthread_cond_broadcast(&timer->moved);
    return in_time ? 0 : EALREADY;
}

int timer_join(struct timer *timer, int64_t timeout_us)
{
    struct timespec until = moment_in(timeout_us > 0 ? timeout_us : 0);
    int error = 0;

    pthread_mutex_lock(&timer->mutex);
    if (timer->state == NEW)
        error = EINVAL;
    else if (pthread_equal(pthread_self(), timer->thread))
        error = EDEADLK;
    while (error == 0 && !timer->over)
        error = timeout_us < 0 ? pthread_cond_wait(&timer->moved, &timer->mutex)
                               : pthread_cond_timedwait(&timer->moved, &timer->mutex, &until);
    if (error == ETIMEDOUT && timer->over)
        error = 0;
    pthread_mutex_unlock(&timer->mutex);
    return error;
}

bool timer_is_alive(struct timer *timer)
{
    pthread_mutex_lock(&timer->mutex);
    bool alive = timer->state != NEW && !timer->over;
    pthread_mutex_unlock(&timer->mutex);
    return alive;
}

void timer_destroy(struct timer *timer)
{
    if (timer == NULL)
        return;
    (void)timer_cancel(timer);
    pthread_mutex_lock(&timer->mutex);
    bool begun = timer->state != NEW; /* the thread may be changing it */
    pthread_mutex_unlock(&timer->mutex);
    if (begun)
        pthread_join(timer->thread, NULL);
    pthread_cond_destroy(&timer->moved);
    pthread_mutex_destroy(&timer->mutex);
    free(timer);
}
