/* bounded_semaphore.c - a semaphore that notices one release too many. A variant with two semaphores: one has the
 * permits, the other one counts how many may still be given back. A permit is taken from the first and then owed to the
 * second; a release takes what is owed, one by one, before it gives. Both happen with a mutex held, which a thread that
 * finds no permit lets go before it waits on a condition of its own. */
#include "bounded_semaphore.h"

#include "semaphore.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct bounded_semaphore {
    pthread_mutex_t mutex; /* held while anything changes */
    pthread_cond_t more;
    struct semaphore *here, *owed;
};

int bounded_semaphore_create(struct bounded_semaphore **bounded, long value)
{
    struct bounded_semaphore *made = calloc(1, sizeof *made);
    pthread_condattr_t monotonic;
    int error;

    if (value < 0 || made == NULL) {
        free(made);
        return value < 0 ? EINVAL : ENOMEM;
    }
    error = semaphore_create(&made->here, value);
    if (error == 0)
        error = semaphore_create(&made->owed, 0);
    if (error == 0)
        error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = pthread_condattr_init(&monotonic);
    if (error != 0)
        goto no_condition;
    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&made->more, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (error != 0)
        goto no_condition;
    *bounded = made;
    return 0;

no_condition:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    semaphore_destroy(made->owed);
    semaphore_destroy(made->here);
    free(made);
    return error;
}

void bounded_semaphore_destroy(struct bounded_semaphore *bounded)
{
    if (bounded == NULL)
        return;
    pthread_cond_destroy(&bounded->more);
    pthread_mutex_destroy(&bounded->mutex);
    semaphore_destroy(bounded->owed);
    semaphore_destroy(bounded->here);
    free(bounded);
}

int bounded_semaphore_acquire(struct bounded_semaphore *bounded, bool blocking, int64_t timeout_us)
{
    struct timespec until;
    int error, late = 0;

    if (!blocking && timeout_us >= 0)
        return EINVAL;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us > 0) {
        until.tv_sec += timeout_us / 1000000;
        until.tv_nsec += timeout_us % 1000000 * 1000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
    }
    pthread_mutex_lock(&bounded->mutex);
    while ((error = semaphore_acquire(bounded->here, false, -1)) != 0 && late == 0 && blocking)
        late = timeout_us < 0 ? pthread_cond_wait(&bounded->more, &bounded->mutex)
                              : pthread_cond_timedwait(&bounded->more, &bounded->mutex, &until);
    if (error == 0)
        semaphore_release(bounded->owed, 1);
    else if (blocking)
        error = late;
    pthread_mutex_unlock(&bounded->mutex);
    return error;
}

int bounded_semaphore_release(struct bounded_semaphore *bounded, long n)
{
    int error = 0;

    if (n < 1)
        return EINVAL;
    pthread_mutex_lock(&bounded->mutex);
    if (n > semaphore_value(bounded->owed)) {
        error = ERANGE;
    } else {
        for (long i = 0; i < n; i++)
            semaphore_acquire(bounded->owed, false, -1);
        semaphore_release(bounded->here, n);
        pthread_cond_broadcast(&bounded->more);
    }
    pthread_mutex_unlock(&bounded->mutex);
    return error;
}

long bounded_semaphore_value(struct bounded_semaphore *bounded)
{
    return semaphore_value(bounded->here);
}
