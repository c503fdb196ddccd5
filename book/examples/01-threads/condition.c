/* condition.c - a first look at a lock and a condition: one thread announces that it is done, others wait for that. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* region lock */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool done; /* guarded by mutex */

static void announce(void)
{
    pthread_mutex_lock(&mutex);
    done = true;
    pthread_cond_broadcast(&changed); /* wakes all who wait */
    pthread_mutex_unlock(&mutex);
}
/* end lock */

/* region wait */
static void wait_for_it(void)
{
    pthread_mutex_lock(&mutex);
    while (!done)
        pthread_cond_wait(&changed, &mutex); /* lets the mutex go, sleeps, takes the mutex again */
    pthread_mutex_unlock(&mutex);
}
/* end wait */

/* region timed */
static int wait_half_a_second(pthread_cond_t *condition)
{
    struct timespec deadline;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += 500 * 1000 * 1000;
    if (deadline.tv_nsec >= 1000 * 1000 * 1000) { /* nanoseconds stay below a second */
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000 * 1000 * 1000;
    }
    pthread_mutex_lock(&mutex);
    while (!done && error == 0)
        error = pthread_cond_timedwait(condition, &mutex, &deadline); /* 0, or ETIMEDOUT */
    pthread_mutex_unlock(&mutex);
    return error;
}
/* end timed */

/* region monotonic */
static int init_monotonic(pthread_cond_t *condition)
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
/* end monotonic */

static void *run(void *unused)
{
    announce();
    return unused;
}

int main(void)
{
    pthread_cond_t nobody_signals;
    pthread_t thread;

    if (init_monotonic(&nobody_signals) != 0)
        return 1;
    printf("alone: %s\n", wait_half_a_second(&nobody_signals) == ETIMEDOUT ? "the time is up" : "woken");
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        return 1;
    wait_for_it();
    printf("together: done\n");
    pthread_join(thread, NULL);
    pthread_cond_destroy(&nobody_signals);
    return 0;
}
