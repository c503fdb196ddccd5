/* fair_lock.c - a lock that serves in the order of arrival. A variant with real numbers: a board shows the number that
 * is served, everybody wakes up when it changes and compares. The lock is held from the first number drawn to the last
 * one served; who gives up a number below the last takes it off the list, and the board skips it. */
#include "fair_lock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* A number that somebody waits with. In the waiting thread's frame. */
struct number {
    unsigned long value;
    struct number *other; /* the next in the list, which is in no order */
};

struct fair_lock {
    pthread_mutex_t mutex;
    pthread_cond_t board_changed;
    unsigned long drawn; /* the last number drawn; guarded by mutex, as all below */
    unsigned long board; /* the number served; above drawn: the lock is free */
    pthread_t holder;    /* of the number on the board, once awake */
    bool holder_awake;
    long waiting;
    struct number *numbers;
};

int fair_lock_create(struct fair_lock **lock)
{
    pthread_condattr_t attributes;
    int error;

    *lock = calloc(1, sizeof **lock);
    if (*lock == NULL)
        return ENOMEM;
    (*lock)->board = 1;
    error = pthread_mutex_init(&(*lock)->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = pthread_condattr_init(&attributes);
    if (error != 0)
        goto no_condition;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    error = pthread_cond_init(&(*lock)->board_changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error == 0)
        return 0;
no_condition:
    pthread_mutex_destroy(&(*lock)->mutex);
no_mutex:
    free(*lock);
    *lock = NULL;
    return error;
}

void fair_lock_destroy(struct fair_lock *lock)
{
    if (lock == NULL)
        return;
    pthread_cond_destroy(&lock->board_changed);
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

/* The lowest number that is above `value` and that somebody waits with; one above the last drawn where there is none.
 */
static unsigned long next_number(const struct fair_lock *lock, unsigned long value)
{
    unsigned long best = lock->drawn + 1;

    for (const struct number *number = lock->numbers; number != NULL; number = number->other)
        if (number->value > value && number->value < best)
            best = number->value;
    return best;
}

static void board_next(struct fair_lock *lock)
{
    lock->holder_awake = false;
    lock->board = next_number(lock, lock->board);
    pthread_cond_broadcast(&lock->board_changed);
}

static void take_off(struct fair_lock *lock, const struct number *mine)
{
    struct number **at = &lock->numbers;

    for (; *at != mine; at = &(*at)->other)
        ;
    *at = mine->other;
    lock->waiting--;
}

static int wait_for_number(struct fair_lock *lock, int64_t timeout_us)
{
    struct number mine = {++lock->drawn, lock->numbers};
    struct timespec end;
    int error = 0;

    /* cppcheck-suppress autoVariables ; it is taken off before the frame is left */
    lock->numbers = &mine;
    lock->waiting++;
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (timeout_us > 0) {
        end.tv_sec += timeout_us / 1000000 + (end.tv_nsec + timeout_us % 1000000 * 1000) / 1000000000;
        end.tv_nsec = (end.tv_nsec + timeout_us % 1000000 * 1000) % 1000000000;
    }
    while (lock->board != mine.value && error == 0) {
        if (timeout_us < 0)
            pthread_cond_wait(&lock->board_changed, &lock->mutex);
        else
            error = pthread_cond_timedwait(&lock->board_changed, &lock->mutex, &end);
    }
    take_off(lock, &mine);
    if (error != 0 && lock->board == mine.value)
        board_next(lock); /* served and late: passes it on */
    return error;
}

static bool held_by_me(const struct fair_lock *lock)
{
    return lock->board <= lock->drawn && lock->holder_awake && pthread_equal(lock->holder, pthread_self()) != 0;
}

int fair_lock_acquire(struct fair_lock *lock, int64_t timeout_us)
{
    int error = 0;

    pthread_mutex_lock(&lock->mutex);
    if (held_by_me(lock))
        error = EDEADLK;
    else if (lock->board > lock->drawn)
        lock->drawn = lock->board;
    else
        error = timeout_us == 0 ? ETIMEDOUT : wait_for_number(lock, timeout_us);
    if (error == 0) {
        lock->holder = pthread_self();
        lock->holder_awake = true;
    }
    pthread_mutex_unlock(&lock->mutex);
    return error;
}

int fair_lock_release(struct fair_lock *lock)
{
    int error = 0;

    pthread_mutex_lock(&lock->mutex);
    if (held_by_me(lock))
        board_next(lock);
    else
        error = EPERM;
    pthread_mutex_unlock(&lock->mutex);
    return error;
}

long fair_lock_waiting(struct fair_lock *lock)
{
    long waiting;

    pthread_mutex_lock(&lock->mutex);
    waiting = lock->waiting;
    pthread_mutex_unlock(&lock->mutex);
    return waiting;
}
