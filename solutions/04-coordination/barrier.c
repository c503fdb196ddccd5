/* barrier.c - where threads wait for each other.
 *
 * Theory of operation: no threads of its own. The mutex guards everything that changes, and is held for a few
 * instructions only, never while the action runs. Who has to wait sleeps on a condition until he is woken; where his
 * time is limited, by the monotonic clock. A thread may wake up so late that the next round fills already: by then it
 * must still find out what became of its own.
 */
#include "barrier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* Rounds have numbers. A thread that arrives remembers the number, and while it is still that round's turn it sleeps on
 * `finished`. A round ends in one place, finish_round, whatever the reason: complete, broken or reset. All its threads
 * are then on their way out, which `leaving` counts, and the number goes up; so a thread that wakes up late still knows
 * that its round is over. Whether it ended well says `completed`, the number of the last complete round. It cannot be
 * overtaken: the next round is not completed before `leaving` is 0. While the action runs the round is full, which
 * keeps everybody else where he is. */
struct barrier {
    long parties; /* these four never change */
    int (*action)(void *argument);
    void *argument;
    int64_t timeout_us;

    pthread_mutex_t mutex;
    pthread_cond_t finished; /* broadcast when a round has ended */
    pthread_cond_t drained;  /* signalled when leaving becomes 0; the last arrival of the next round waits for it */
    long arrived;            /* guarded by mutex, as all below: threads in this round */
    long leaving;            /* threads of rounds that have ended, which have not left yet */
    unsigned long round;     /* the number of this round, from 1 */
    unsigned long completed; /* the number of the last round that was complete; 0: none yet */
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

    *made = (struct barrier){
        .parties = parties, .action = action, .argument = argument, .timeout_us = timeout_us, .round = 1};
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_condition(&made->finished);
    if (error != 0)
        goto no_finished;
    error = make_condition(&made->drained);
    if (error != 0)
        goto no_drained;
    *barrier = made;
    return 0;

no_drained:
    pthread_cond_destroy(&made->finished);
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
    pthread_cond_destroy(&barrier->drained);
    pthread_cond_destroy(&barrier->finished);
    pthread_mutex_destroy(&barrier->mutex);
    free(barrier);
}
/* end create */

/* region rounds */
/* With the mutex held: the round has ended, well or not, and all its threads may leave. The caller owes them a
 * broadcast on `finished`, after the unlock: so that who wakes up finds the mutex free. */
static void finish_round(struct barrier *barrier)
{
    barrier->leaving += barrier->arrived;
    barrier->arrived = 0;
    barrier->round++;
    pthread_cond_signal(&barrier->drained); /* one that waits to complete this round need not wait any more */
}

/* With the mutex held: all threads of the round are here. */
static bool is_full(const struct barrier *barrier)
{
    return barrier->arrived == barrier->parties;
}

/* With the mutex held: ends the round for all, and the rounds to come. */
static void break_round(struct barrier *barrier)
{
    barrier->broken = true;
    finish_round(barrier);
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
/* With the mutex held: waits until the round is over. Who finds his time over while others are missing breaks it, and
 * gets ETIMEDOUT; else 0. */
static int wait_for_others(struct barrier *barrier, unsigned long round, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    int late = timeout_us == 0 ? ETIMEDOUT : 0;

    if (timeout_us > 0)
        deadline = deadline_after(timeout_us);
    while (barrier->round == round) {
        if (timeout_us < 0 || is_full(barrier)) {
            pthread_cond_wait(&barrier->finished, &barrier->mutex);
        } else if (late == 0) {
            late = pthread_cond_timedwait(&barrier->finished, &barrier->mutex, &deadline);
        } else {
            break_round(barrier);
            return ETIMEDOUT;
        }
    }
    return 0;
}
/* end early */

/* region last */
/* With the mutex held: completes a round that is full. Returns 0, or what the action returned. */
static int complete_round(struct barrier *barrier, unsigned long round)
{
    int error = 0;

    while (barrier->leaving > 0 && barrier->round == round)
        pthread_cond_wait(&barrier->drained, &barrier->mutex);
    if (barrier->round == round && barrier->action != NULL) {
        pthread_mutex_unlock(&barrier->mutex);
        error = barrier->action(barrier->argument);
        pthread_mutex_lock(&barrier->mutex);
    }
    if (barrier->round != round) /* it was broken or reset meanwhile */
        return error;

    if (error != 0) {
        break_round(barrier);
        return error;
    }
    barrier->completed = round;
    finish_round(barrier);
    return 0;
}
/* end last */

/* region wait */
/* With the mutex held. `*ended`: whether this thread has ended the round. */
static int pass(struct barrier *barrier, int64_t timeout_us, long *index, bool *ended)
{
    while (is_full(barrier)) /* a round that is about to end: too late for it, and too early for the next one */
        pthread_cond_wait(&barrier->finished, &barrier->mutex);
    if (barrier->broken)
        return ECANCELED;

    const unsigned long round = barrier->round;
    const long mine = barrier->arrived++;
    const bool last = is_full(barrier);
    int error = last ? complete_round(barrier, round) : wait_for_others(barrier, round, timeout_us);
    *ended = last || error == ETIMEDOUT;
    if (error == 0 && barrier->completed != round)
        error = ECANCELED;
    if (error == 0 && index != NULL)
        *index = mine;
    if (--barrier->leaving == 0)
        pthread_cond_signal(&barrier->drained);
    return error;
}

int barrier_wait(struct barrier *barrier, int64_t timeout_us, long *index)
{
    bool ended = false;

    pthread_mutex_lock(&barrier->mutex);
    int error = pass(barrier, timeout_us < 0 ? barrier->timeout_us : timeout_us, index, &ended);
    pthread_mutex_unlock(&barrier->mutex);
    if (ended)
        pthread_cond_broadcast(&barrier->finished);
    return error;
}
/* end wait */

/* region broken */
void barrier_reset(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    barrier->broken = false;
    finish_round(barrier);
    pthread_mutex_unlock(&barrier->mutex);
    pthread_cond_broadcast(&barrier->finished);
}

void barrier_abort(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->mutex);
    break_round(barrier);
    pthread_mutex_unlock(&barrier->mutex);
    pthread_cond_broadcast(&barrier->finished);
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
    long arrived = barrier->arrived;
    pthread_mutex_unlock(&barrier->mutex);
    return arrived;
}
/* end ask */
