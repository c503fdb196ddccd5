/* bounded_semaphore.c - a semaphore that notices one release too many. A variant that is built on nothing: a mutex, a
 * condition, and the number that is missing. */
#include "bounded_semaphore.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct bounded_semaphore {
    pthread_mutex_t mutex;
    pthread_cond_t returned;
    long out; /* guarded by mutex: permits that were taken and not given back; 0 … all */
    long all;
};

int bounded_semaphore_create(struct bounded_semaphore **bounded, long value)
{
    pthread_condattr_t monotonic;
    int error;

    if (value < 0)
        return EINVAL;
    struct bounded_semaphore *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;
    made->out = 0;
    made->all = value;
    error = pthread_condattr_init(&monotonic);
    if (error != 0)
        goto no_attributes;
    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&made->returned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (error != 0)
        goto no_attributes;
    error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    *bounded = made;
    return 0;

no_mutex:
    pthread_cond_destroy(&made->returned);
no_attributes:
    free(made);
    return error;
}

void bounded_semaphore_destroy(struct bounded_semaphore *bounded)
{
    if (bounded == NULL)
        return;
    pthread_mutex_destroy(&bounded->mutex);
    pthread_cond_destroy(&bounded->returned);
    free(bounded);
}

int bounded_semaphore_acquire(struct bounded_semaphore *bounded, bool blocking, int64_t timeout_us)
{
    struct timespec until;
    int error = 0;

    if (!blocking && timeout_us >= 0)
        return EINVAL;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us > 0) {
        int64_t nanoseconds = until.tv_nsec + timeout_us % 1000000 * 1000;
        until.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
        until.tv_nsec = nanoseconds % 1000000000;
    }
    pthread_mutex_lock(&bounded->mutex);
    while (bounded->out == bounded->all && error == 0) {
        if (!blocking)
            error = EBUSY;
        else if (timeout_us >= 0)
            error = pthread_cond_timedwait(&bounded->returned, &bounded->mutex, &until);
        else
            error = pthread_cond_wait(&bounded->returned, &bounded->mutex);
    }
    if (bounded->out < bounded->all) {
        bounded->out++;
        error = 0;
    }
    pthread_mutex_unlock(&bounded->mutex);
    return error;
}

int bounded_semaphore_release(struct bounded_semaphore *bounded, long n)
{
    int error = n < 1 ? EINVAL : 0;

    pthread_mutex_lock(&bounded->mutex);
    if (error == 0 && n > bounded->out)
        error = ERANGE;
    if (error == 0) {
        bounded->out -= n;
        pthread_cond_broadcast(&bounded->returned);
    }
    pthread_mutex_unlock(&bounded->mutex);
    return error;
}

long bounded_semaphore_value(struct bounded_semaphore *bounded)
{
    pthread_mutex_lock(&bounded->mutex);
    long value = bounded->all - bounded->out;
    pthread_mutex_unlock(&bounded->mutex);
    return value;
}
