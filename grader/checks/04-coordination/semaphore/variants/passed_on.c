/* semaphore.c - a number of permits that threads take and give back. A variant: a release wakes one thread, whatever n
 * is, and only where the number was 0. Whoever takes a permit and leaves some behind wakes the next, and so does one
 * who gives up. The signals are sent after the unlock. */
#include "semaphore.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct semaphore {
    long value; /* guarded by mutex */
    pthread_mutex_t mutex;
    pthread_cond_t some;
};

int semaphore_create(struct semaphore **semaphore, long value)
{
    pthread_condattr_t monotonic;
    int error = pthread_condattr_init(&monotonic);

    if (value < 0)
        error = EINVAL;
    if (error != 0)
        return error;
    struct semaphore *made = calloc(1, sizeof *made);
    if (made == NULL) {
        error = ENOMEM;
        goto no_memory;
    }
    made->value = value;
    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&made->some, &monotonic);
    if (error != 0)
        goto no_condition;
    error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    pthread_condattr_destroy(&monotonic);
    *semaphore = made;
    return 0;

no_mutex:
    pthread_cond_destroy(&made->some);
no_condition:
    free(made);
no_memory:
    pthread_condattr_destroy(&monotonic);
    return error;
}

void semaphore_destroy(struct semaphore *semaphore)
{
    if (semaphore != NULL) {
        pthread_mutex_destroy(&semaphore->mutex);
        pthread_cond_destroy(&semaphore->some);
        free(semaphore);
    }
}

int semaphore_acquire(struct semaphore *semaphore, bool blocking, int64_t timeout_us)
{
    struct timespec until;
    int error = 0;
    bool more;

    if (!blocking && timeout_us >= 0)
        return EINVAL;
    if (!blocking)
        timeout_us = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us > 0) {
        until.tv_sec += timeout_us / 1000000;
        until.tv_nsec += (long)(timeout_us % 1000000) * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
    }
    pthread_mutex_lock(&semaphore->mutex);
    while (semaphore->value == 0 && error == 0)
        error = timeout_us == 0  ? ETIMEDOUT
                : timeout_us < 0 ? pthread_cond_wait(&semaphore->some, &semaphore->mutex)
                                 : pthread_cond_timedwait(&semaphore->some, &semaphore->mutex, &until);
    if (semaphore->value > 0) {
        semaphore->value--;
        error = 0;
    }
    more = semaphore->value > 0;
    pthread_mutex_unlock(&semaphore->mutex);
    if (more)
        pthread_cond_signal(&semaphore->some);
    return error == ETIMEDOUT && !blocking ? EBUSY : error;
}

int semaphore_release(struct semaphore *semaphore, long n)
{
    int error = n < 1 ? EINVAL : 0;

    if (error != 0)
        return error;
    pthread_mutex_lock(&semaphore->mutex);
    if (semaphore->value > LONG_MAX - n)
        error = EOVERFLOW;
    else
        semaphore->value += n;
    bool first = error == 0 && semaphore->value == n;
    pthread_mutex_unlock(&semaphore->mutex);
    if (first)
        pthread_cond_signal(&semaphore->some);
    return error;
}

long semaphore_value(struct semaphore *semaphore)
{
    pthread_mutex_lock(&semaphore->mutex);
    long value = semaphore->value;
    pthread_mutex_unlock(&semaphore->mutex);
    return value;
}
