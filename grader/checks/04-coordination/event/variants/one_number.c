/* event.c - a flag that threads wait for. A variant with one number: it is odd while the event is set. Set and clear
 * make it odd and even, so whoever saw an even one and finds another one now has missed a set. The signals are sent
 * after the unlock. */
#include "event.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct event {
    pthread_mutex_t mutex;
    pthread_cond_t odd;
    unsigned long number; /* guarded by mutex */
};

int event_create(struct event **event)
{
    pthread_condattr_t monotonic;
    int error = pthread_condattr_init(&monotonic);

    if (error != 0)
        return error;
    struct event *made = malloc(sizeof *made);
    if (made == NULL) {
        pthread_condattr_destroy(&monotonic);
        return ENOMEM;
    }
    made->number = 0;
    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&made->odd, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (error != 0)
        goto no_condition;
    error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    *event = made;
    return 0;

no_mutex:
    pthread_cond_destroy(&made->odd);
no_condition:
    free(made);
    return error;
}

void event_destroy(struct event *event)
{
    if (event == NULL)
        return;
    pthread_mutex_destroy(&event->mutex);
    pthread_cond_destroy(&event->odd);
    free(event);
}

static unsigned long number_now(struct event *event)
{
    pthread_mutex_lock(&event->mutex);
    unsigned long number = event->number;
    pthread_mutex_unlock(&event->mutex);
    return number;
}

void event_set(struct event *event)
{
    pthread_mutex_lock(&event->mutex);
    event->number |= 1;
    pthread_mutex_unlock(&event->mutex);
    pthread_cond_broadcast(&event->odd);
}

void event_clear(struct event *event)
{
    pthread_mutex_lock(&event->mutex);
    event->number += event->number % 2;
    pthread_mutex_unlock(&event->mutex);
}

bool event_is_set(struct event *event)
{
    return number_now(event) % 2 == 1;
}

int event_wait(struct event *event, int64_t timeout_us)
{
    struct timespec until;
    int late = timeout_us == 0 ? ETIMEDOUT : 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us > 0) {
        until.tv_sec += timeout_us / 1000000;
        until.tv_nsec += timeout_us % 1000000 * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
    }
    pthread_mutex_lock(&event->mutex);
    unsigned long seen = event->number;
    while (seen % 2 == 0 && event->number == seen && late == 0)
        late = timeout_us < 0 ? pthread_cond_wait(&event->odd, &event->mutex)
                              : pthread_cond_timedwait(&event->odd, &event->mutex, &until);
    if (seen % 2 == 1 || event->number != seen)
        late = 0;
    pthread_mutex_unlock(&event->mutex);
    return late;
}
