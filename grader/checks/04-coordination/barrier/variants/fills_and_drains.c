/* barrier.c - where threads wait for each other. A variant, nearly as threading.Barrier is built: it has a state, fills
 * and drains in turn, and who comes while it drains stays outside until it is empty. But whether it is broken is not a
 * state: that is for those who come, and the state for those who are inside. */
#include "barrier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum state { FILLING, ACTING, DRAINING, GIVEN_UP };

struct barrier {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    enum state state; /* guarded by mutex, as are inside and broken */
    long inside;
    bool broken;
    long parties;
    int64_t patience_us;
    int (*action)(void *);
    void *argument;
};

int barrier_create(struct barrier **barrier, long parties, int (*action)(void *argument), void *argument,
                   int64_t timeout_us)
{
    pthread_condattr_t monotonic;
    int error;

    if (parties < 1)
        return EINVAL;
    struct barrier *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;
    made->parties = parties;
    made->patience_us = timeout_us;
    made->action = action;
    made->argument = argument;
    error = pthread_condattr_init(&monotonic);
    if (error != 0)
        goto no_condition;
    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&made->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (error != 0)
        goto no_condition;
    error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    *barrier = made;
    return 0;

no_mutex:
    pthread_cond_destroy(&made->moved);
no_condition:
    free(made);
    return error;
}

void barrier_destroy(struct barrier *barrier)
{
    if (barrier == NULL)
        return;
    pthread_mutex_destroy(&barrier->mutex);
    pthread_cond_destroy(&barrier->moved);
    free(barrier);
}

/* All with the mutex held. */
static void become(struct barrier *barrier, enum state state)
{
    barrier->state = state;
    pthread_cond_broadcast(&barrier->moved);
}

/* A round that is complete stays so, and drains. */
static void give_up(struct barrier *barrier, bool broken)
{
    barrier->broken = broken;
    if (barrier->inside > 0 && barrier->state != DRAINING)
        barrier->state = GIVEN_UP;
    pthread_cond_broadcast(&barrier->moved);
}

static int act(struct barrier *barrier)
{
    int error = 0;

    barrier->state = ACTING;
    if (barrier->action != NULL) {
        pthread_mutex_unlock(&barrier->mutex);
        error = barrier->action(barrier->argument);
        pthread_mutex_lock(&barrier->mutex);
    }
    if (barrier->state != ACTING)
        return error != 0 ? error : ECANCELED;
    if (error != 0)
        give_up(barrier, true);
    else
        become(barrier, DRAINING);
    return error;
}

static int stay(struct barrier *barrier, int64_t timeout_us)
{
    struct timespec until;
    int late = timeout_us == 0 ? ETIMEDOUT : 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us > 0) {
        int64_t nanoseconds = until.tv_nsec + timeout_us % 1000000 * 1000;
        until.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
        until.tv_nsec = nanoseconds % 1000000000;
    }
    while (barrier->state == FILLING && late == 0)
        late = timeout_us < 0 ? pthread_cond_wait(&barrier->moved, &barrier->mutex)
                              : pthread_cond_timedwait(&barrier->moved, &barrier->mutex, &until);
    while (barrier->state == ACTING)
        pthread_cond_wait(&barrier->moved, &barrier->mutex);
    if (barrier->state == FILLING) {
        give_up(barrier, true);
        return late;
    }
    return barrier->state == DRAINING ? 0 : ECANCELED;
}

int barrier_wait(struct barrier *barrier, int64_t timeout_us, long *index)
{
    int error = ECANCELED;

    pthread_mutex_lock(&barrier->mutex);
    while (!barrier->broken && barrier->state != FILLING)
        pthread_cond_wait(&barrier->moved, &barrier->mutex);
    if (!barrier->broken) {
        long place = barrier->inside++;
        error = barrier->inside == barrier->parties ? act(barrier)
                                                    : stay(barrier, timeout_us < 0 ? barrier->patience_us : timeout_us);
        if (error == 0 && index != NULL)
            *index = place;
        if (--barrier->inside == 0)
            become(barrier, FILLING);
    }
    pthread_mutex_unlock(&barrier->mutex);
    return error;
}

void barrier_reset(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    give_up(barrier, false);
    pthread_mutex_unlock(&barrier->mutex);
}

void barrier_abort(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    give_up(barrier, true);
    pthread_mutex_unlock(&barrier->mutex);
}

bool barrier_is_broken(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    bool broken = barrier->broken;
    pthread_mutex_unlock(&barrier->mutex);
    return broken;
}

long barrier_parties(struct barrier *barrier)
{
    return barrier->parties;
}

long barrier_waiting(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    long waiting = barrier->state == FILLING || barrier->state == ACTING ? barrier->inside : 0;
    pthread_mutex_unlock(&barrier->mutex);
    return waiting;
}
