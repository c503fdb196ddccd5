/* barrier.c - where threads wait for each other. A variant whose rounds are objects: each thread holds on to the round
 * it came for, which knows by itself how it ended, and the last to leave it frees it. The barrier points to the round
 * that fills, if there is one. One condition, and everybody is woken by everything. */
#include "barrier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
enum outcome { FILLS, FULL, COMPLETE, BROKEN };

struct round {
    enum outcome outcome;
    long arrived, inside;
};

struct barrier {
    long parties; /* these four never change */
    int (*action)(void *argument);
    void *argument;
    int64_t timeout_us;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct round *now; /* guarded by mutex, as all below: fills or is full; or NULL */
    long leaving;      /* who is still inside a round that is over */
    bool broken;
};
/* end state */

/* region create */
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

int barrier_create(struct barrier **barrier, long parties, int (*action)(void *argument), void *argument,
                   int64_t timeout_us)
{
    if (parties < 1)
        return EINVAL;
    struct barrier *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    *made = (struct barrier){.parties = parties, .action = action, .argument = argument, .timeout_us = timeout_us};
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_condition(&made->changed);
    if (error != 0)
        goto no_finished;
    *barrier = made;
    return 0;

no_finished:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

void barrier_destroy(struct barrier *barrier)
{
    if (barrier == NULL)
        return;
    pthread_cond_destroy(&barrier->changed);
    pthread_mutex_destroy(&barrier->mutex);
    free(barrier);
}
/* end create */

/* region rounds */
/* With the mutex held: the round that fills, or is full, if there is one, is over. */
static void end_round(struct barrier *barrier, enum outcome outcome)
{
    if (barrier->now != NULL) {
        barrier->now->outcome = outcome;
        barrier->leaving += barrier->now->inside;
    }
    barrier->now = NULL;
    pthread_cond_broadcast(&barrier->changed);
}

/* With the mutex held: leaves the round. */
static void leave(struct barrier *barrier, struct round *round)
{
    if (--round->inside == 0)
        free(round);
    if (--barrier->leaving == 0)
        pthread_cond_broadcast(&barrier->changed);
}
/* end rounds */

/* region deadline */
/* The moment `timeout_us` microseconds from now. */
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
/* end deadline */

/* region early */
static int wait_for_others(struct barrier *barrier, struct round *round, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    bool late = timeout_us == 0;

    if (timeout_us > 0)
        deadline = deadline_after(timeout_us);
    while (round->outcome == FILLS && !late)
        if (timeout_us < 0)
            pthread_cond_wait(&barrier->changed, &barrier->mutex);
        else
            late = pthread_cond_timedwait(&barrier->changed, &barrier->mutex, &deadline) != 0;
    if (round->outcome == FILLS) {
        barrier->broken = true;
        end_round(barrier, BROKEN);
        return ETIMEDOUT;
    }
    while (round->outcome == FULL)
        pthread_cond_wait(&barrier->changed, &barrier->mutex);
    return round->outcome == COMPLETE ? 0 : ECANCELED;
}
/* end early */

/* region last */
static int complete_round(struct barrier *barrier, struct round *round)
{
    int error = 0;

    round->outcome = FULL;
    while (barrier->leaving > 0 && round->outcome == FULL)
        pthread_cond_wait(&barrier->changed, &barrier->mutex);
    if (round->outcome == FULL && barrier->action != NULL) {
        pthread_mutex_unlock(&barrier->mutex);
        error = barrier->action(barrier->argument);
        pthread_mutex_lock(&barrier->mutex);
    }
    if (round->outcome == BROKEN)
        return error != 0 ? error : ECANCELED;
    if (error != 0) {
        barrier->broken = true;
        end_round(barrier, BROKEN);
        return error;
    }
    end_round(barrier, COMPLETE);
    return 0;
}
/* end last */

/* region wait */
int barrier_wait(struct barrier *barrier, int64_t timeout_us, long *index)
{
    int error = ECANCELED;
    struct round *round = NULL;

    if (timeout_us < 0)
        timeout_us = barrier->timeout_us;
    pthread_mutex_lock(&barrier->mutex);
    while (!barrier->broken && barrier->now != NULL && barrier->now->outcome == FULL)
        pthread_cond_wait(&barrier->changed, &barrier->mutex);
    if (barrier->broken)
        goto out;
    if (barrier->now == NULL)
        barrier->now = calloc(1, sizeof *barrier->now);
    round = barrier->now;
    if (round == NULL) {
        error = ENOMEM;
        goto out;
    }
    long mine = round->arrived++;
    round->inside++;
    error = round->arrived == barrier->parties ? complete_round(barrier, round)
                                               : wait_for_others(barrier, round, timeout_us);
    if (error == 0 && index != NULL)
        *index = barrier->parties - 1 - mine;
    leave(barrier, round);
out:
    pthread_mutex_unlock(&barrier->mutex);
    return error;
}
/* end wait */

/* region broken */
void barrier_reset(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    barrier->broken = false;
    end_round(barrier, BROKEN);
    pthread_mutex_unlock(&barrier->mutex);
}

void barrier_abort(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    barrier->broken = true;
    end_round(barrier, BROKEN);
    pthread_mutex_unlock(&barrier->mutex);
}

bool barrier_is_broken(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    bool broken = barrier->broken;
    pthread_mutex_unlock(&barrier->mutex);
    return broken;
}
/* end broken */

/* region ask */
long barrier_parties(struct barrier *barrier)
{
    return barrier->parties;
}

long barrier_waiting(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    long arrived = barrier->now == NULL ? 0 : barrier->now->arrived;
    pthread_mutex_unlock(&barrier->mutex);
    return arrived;
}
/* end ask */
