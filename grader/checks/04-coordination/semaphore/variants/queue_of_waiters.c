/* semaphore.c - a number of permits that threads take and give back. A variant whose waiters stand in a queue, each
 * with a condition of its own; the permit is taken by who wakes up, and a newcomer may be faster. */
#include "semaphore.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
struct waiter {
    pthread_cond_t wake;
    struct waiter *next;
    bool woken;
};

struct semaphore {
    pthread_mutex_t mutex;
    long value; /* guarded by mutex, as is first */
    struct waiter *first;
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
    *semaphore = made;
    return 0;

no_mutex:
    free(made);
    return error;
}

void semaphore_destroy(struct semaphore *semaphore)
{
    if (semaphore == NULL)
        return;
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
static void wake_one(struct semaphore *semaphore)
{
    struct waiter *waiter = semaphore->first;

    if (waiter == NULL)
        return;
    semaphore->first = waiter->next;
    waiter->woken = true;
    pthread_cond_signal(&waiter->wake);
}

static void queue_up(struct semaphore *semaphore, struct waiter *waiter)
{
    struct waiter **end = &semaphore->first;

    while (*end != NULL)
        end = &(*end)->next;
    waiter->next = NULL;
    waiter->woken = false;
    *end = waiter;
}

static void leave(struct semaphore *semaphore, struct waiter *waiter)
{
    for (struct waiter **at = &semaphore->first; *at != NULL; at = &(*at)->next)
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
}

static int wait_for_permit(struct semaphore *semaphore, int64_t timeout_us)
{
    struct timespec deadline = {0, 0};
    struct waiter me;
    int error = 0;

    if (timeout_us == 0)
        return ETIMEDOUT;
    if (timeout_us > 0)
        deadline = deadline_after(timeout_us);
    error = make_condition(&me.wake);
    if (error != 0)
        return error;
    while (semaphore->value == 0 && error == 0) {
        queue_up(semaphore, &me);
        while (!me.woken && error == 0)
            error = timeout_us < 0 ? pthread_cond_wait(&me.wake, &semaphore->mutex)
                                   : pthread_cond_timedwait(&me.wake, &semaphore->mutex, &deadline);
        leave(semaphore, &me);
    }
    pthread_cond_destroy(&me.wake);
    return semaphore->value > 0 ? 0 : error;
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
    int error = 0;

    if (n < 1)
        return EINVAL;
    pthread_mutex_lock(&semaphore->mutex);
    if (n > LONG_MAX - semaphore->value)
        error = EOVERFLOW;
    else
        semaphore->value += n;
    for (long i = 0; error == 0 && i < n && semaphore->first != NULL; i++)
        wake_one(semaphore);
    pthread_mutex_unlock(&semaphore->mutex);
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
