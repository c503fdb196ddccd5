/* semaphore.c - a number of permits that threads take and give back. A variant, as Dijkstra had it: acquire always
 * takes 1 off, so the number may go below 0 and then says how many wait. A release that finds it below 0 owes somebody
 * a wake-up, and the wake-ups owed are counted, so that it does not matter who takes one. */
#include "semaphore.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct semaphore {
    pthread_mutex_t guard;
    pthread_cond_t owed_one;
    long level; /* guarded by guard, as is owed; below 0: so many wait who are not owed a wake-up */
    long owed;
};

int semaphore_create(struct semaphore **semaphore, long value)
{
    pthread_condattr_t monotonic;
    int error;

    if (value < 0)
        return EINVAL;
    struct semaphore *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;
    made->level = value;
    made->owed = 0;
    if ((error = pthread_mutex_init(&made->guard, NULL)) != 0) {
        free(made);
        return error;
    }
    error = pthread_condattr_init(&monotonic);
    if (error == 0) {
        error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        if (error == 0)
            error = pthread_cond_init(&made->owed_one, &monotonic);
        pthread_condattr_destroy(&monotonic);
    }
    if (error != 0) {
        pthread_mutex_destroy(&made->guard);
        free(made);
        return error;
    }
    *semaphore = made;
    return 0;
}

void semaphore_destroy(struct semaphore *semaphore)
{
    if (semaphore == NULL)
        return;
    pthread_cond_destroy(&semaphore->owed_one);
    pthread_mutex_destroy(&semaphore->guard);
    free(semaphore);
}

static void add(struct timespec *moment, int64_t span_us)
{
    int64_t nanoseconds = moment->tv_nsec + span_us % 1000000 * 1000;

    moment->tv_sec += span_us / 1000000 + nanoseconds / 1000000000;
    moment->tv_nsec = nanoseconds % 1000000000;
}

/* With the guard held and one taken off: sleeps until a wake-up is owed. */
static int sleep_until_owed(struct semaphore *semaphore, int64_t timeout_us)
{
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us > 0)
        add(&until, timeout_us);
    while (semaphore->owed == 0 && error == 0) {
        if (timeout_us < 0)
            error = pthread_cond_wait(&semaphore->owed_one, &semaphore->guard);
        else
            error = pthread_cond_timedwait(&semaphore->owed_one, &semaphore->guard, &until);
    }
    if (semaphore->owed > 0) {
        semaphore->owed--;
        return 0;
    }
    semaphore->level++; /* does not wait any more */
    return error;
}

int semaphore_acquire(struct semaphore *semaphore, bool blocking, int64_t timeout_us)
{
    int error = 0;

    if (!blocking && timeout_us >= 0)
        return EINVAL;
    pthread_mutex_lock(&semaphore->guard);
    if (semaphore->level <= 0 && (!blocking || timeout_us == 0)) {
        error = blocking ? ETIMEDOUT : EBUSY;
    } else if (--semaphore->level < 0) {
        error = sleep_until_owed(semaphore, timeout_us);
    }
    pthread_mutex_unlock(&semaphore->guard);
    return error;
}

int semaphore_release(struct semaphore *semaphore, long n)
{
    if (n < 1)
        return EINVAL;
    pthread_mutex_lock(&semaphore->guard);
    if (semaphore->level > 0 && n > LONG_MAX - semaphore->level) {
        pthread_mutex_unlock(&semaphore->guard);
        return EOVERFLOW;
    }
    for (; n > 0 && semaphore->level < 0; n--) {
        semaphore->level++;
        semaphore->owed++;
        pthread_cond_signal(&semaphore->owed_one);
    }
    semaphore->level += n;
    pthread_mutex_unlock(&semaphore->guard);
    return 0;
}

long semaphore_value(struct semaphore *semaphore)
{
    pthread_mutex_lock(&semaphore->guard);
    long value = semaphore->level > 0 ? semaphore->level : 0;
    pthread_mutex_unlock(&semaphore->guard);
    return value;
}
