/* semaphore.c - a number of permits that threads take and give back.
 *
 * Theory of operation: no threads of its own. The mutex guards two numbers, the permits and the threads that wait for
 * one, and is held for a few instructions only. Who finds no permit sleeps on the condition `released`, which lets go
 * of the mutex meanwhile. A release sends a wake-up for each permit, as far as anybody waits. It looks at how many
 * wait, not at whether the number was 0: a thread that was woken stays among those who wait until it runs, and before
 * that more permits may come. One wake-up too many does no harm, for who wakes up looks again.
 */
#include "semaphore.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
struct semaphore {
    pthread_mutex_t mutex;
    pthread_cond_t released; /* signalled once for each permit that somebody may wait for */
    long value;              /* guarded by mutex, as is waiting: the permits; never below 0 */
    long waiting;            /* threads that sleep on `released`, or were woken and do not run yet */
};
/* end state */

/* region create */
/* A condition whose timed waits go by the monotonic clock, which nobody sets. */
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

int semaphore_create(struct semaphore **semaphore, long value)
{
    if (value < 0)
        return EINVAL;
    struct semaphore *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    made->value = value;
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_condition(&made->released);
    if (error != 0)
        goto no_condition;
    *semaphore = made;
    return 0;

no_condition:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

void semaphore_destroy(struct semaphore *semaphore)
{
    if (semaphore == NULL)
        return;
    pthread_cond_destroy(&semaphore->released);
    pthread_mutex_destroy(&semaphore->mutex);
    free(semaphore);
}
/* end create */

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

/* region wait */
/* With the mutex held, and no permit there: waits for one. Returns 0 or ETIMEDOUT. */
static int wait_for_permit(struct semaphore *semaphore, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    int error = 0;

    if (timeout_us == 0)
        return ETIMEDOUT;
    if (timeout_us > 0)
        deadline = deadline_after(timeout_us);
    semaphore->waiting++;
    while (semaphore->value == 0 && error == 0)
        error = timeout_us < 0 ? pthread_cond_wait(&semaphore->released, &semaphore->mutex)
                               : pthread_cond_timedwait(&semaphore->released, &semaphore->mutex, &deadline);
    semaphore->waiting--;
    return semaphore->value > 0 ? 0 : error; /* late, and yet there is a permit: it may be the one I was woken for */
}
/* end wait */

/* region acquire */
int semaphore_acquire(struct semaphore *semaphore, bool blocking, int64_t timeout_us)
{
    int error = 0;

    if (!blocking && timeout_us >= 0)
        return EINVAL;

    pthread_mutex_lock(&semaphore->mutex);
    if (semaphore->value == 0)
        error = blocking ? wait_for_permit(semaphore, timeout_us) : EBUSY;
    if (error == 0)
        semaphore->value--;
    pthread_mutex_unlock(&semaphore->mutex);
    return error;
}
/* end acquire */

/* region release */
int semaphore_release(struct semaphore *semaphore, long n)
{
    long wake = 0; /* how many */
    int error = 0;

    if (n < 1)
        return EINVAL;

    pthread_mutex_lock(&semaphore->mutex);
    if (n > LONG_MAX - semaphore->value) {
        error = EOVERFLOW;
    } else {
        semaphore->value += n;
        wake = n < semaphore->waiting ? n : semaphore->waiting;
    }
    pthread_mutex_unlock(&semaphore->mutex);
    for (long i = 0; i < wake; i++)
        pthread_cond_signal(&semaphore->released); /* after the unlock: who wakes up finds the mutex free */
    return error;
}

long semaphore_value(struct semaphore *semaphore)
{
    pthread_mutex_lock(&semaphore->mutex);
    long value = semaphore->value;
    pthread_mutex_unlock(&semaphore->mutex);
    return value;
}
/* end release */
