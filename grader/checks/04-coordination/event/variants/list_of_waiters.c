/* event.c - a flag that threads wait for. A variant, as threading.Event is built: everyone who waits is in a list, with
 * a condition of his own; set takes all of them out of it, tells each, and wakes each. */
#include "event.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct sleeper {
    pthread_cond_t told_so;
    bool told;
    struct sleeper *other;
};

struct event {
    pthread_mutex_t guard;
    bool flag;                /* guarded by guard, as is sleepers */
    struct sleeper *sleepers; /* in no order */
};

int event_create(struct event **event)
{
    int error = ENOMEM;

    *event = calloc(1, sizeof **event);
    if (*event != NULL && (error = pthread_mutex_init(&(*event)->guard, NULL)) != 0)
        free(*event);
    return error;
}

void event_destroy(struct event *event)
{
    if (event != NULL)
        pthread_mutex_destroy(&event->guard);
    free(event);
}

void event_set(struct event *event)
{
    pthread_mutex_lock(&event->guard);
    event->flag = true;
    for (; event->sleepers != NULL; event->sleepers = event->sleepers->other) {
        event->sleepers->told = true;
        pthread_cond_signal(&event->sleepers->told_so);
    }
    pthread_mutex_unlock(&event->guard);
}

void event_clear(struct event *event)
{
    pthread_mutex_lock(&event->guard);
    event->flag = false;
    pthread_mutex_unlock(&event->guard);
}

bool event_is_set(struct event *event)
{
    pthread_mutex_lock(&event->guard);
    bool flag = event->flag;
    pthread_mutex_unlock(&event->guard);
    return flag;
}

static int make_monotonic(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error == 0) {
        error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (error == 0)
            error = pthread_cond_init(condition, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    return error;
}

/* With the guard held. */
static int sleep_until_told(struct event *event, int64_t timeout_us)
{
    struct sleeper me = {.told = false, .other = event->sleepers}, **at;
    struct timespec until;
    int error = make_monotonic(&me.told_so);

    if (error != 0)
        return error;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us > 0) {
        int64_t nanoseconds = until.tv_nsec + timeout_us % 1000000 * 1000;
        until.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
        until.tv_nsec = nanoseconds % 1000000000;
    }
    event->sleepers = &me; /* cppcheck-suppress autoVariables; it is out of the list before this function returns */
    while (!me.told && error == 0)
        error = timeout_us < 0 ? pthread_cond_wait(&me.told_so, &event->guard)
                               : pthread_cond_timedwait(&me.told_so, &event->guard, &until);
    if (!me.told) {
        for (at = &event->sleepers; *at != &me; at = &(*at)->other)
            ;
        *at = me.other;
    }
    pthread_cond_destroy(&me.told_so);
    return me.told ? 0 : error;
}

int event_wait(struct event *event, int64_t timeout_us)
{
    int error = 0;

    pthread_mutex_lock(&event->guard);
    if (!event->flag)
        error = timeout_us == 0 ? ETIMEDOUT : sleep_until_told(event, timeout_us);
    pthread_mutex_unlock(&event->guard);
    return error;
}
