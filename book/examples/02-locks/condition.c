/* condition.c - sleeping until something has changed, with a time limit and without. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* region state */
struct door {
    pthread_mutex_t mutex;
    pthread_cond_t opened; /* signalled when open becomes true */
    bool open;             /* guarded by mutex */
};
/* end state */

/* region pass */
static void door_pass(struct door *door)
{
    pthread_mutex_lock(&door->mutex);
    while (!door->open)
        pthread_cond_wait(&door->opened, &door->mutex); /* lets go of the mutex, sleeps, takes it again */
    pthread_mutex_unlock(&door->mutex);
}
/* end pass */

/* region open */
static void door_open(struct door *door)
{
    pthread_mutex_lock(&door->mutex);
    door->open = true;
    pthread_cond_broadcast(&door->opened); /* wakes all who wait; pthread_cond_signal wakes one */
    pthread_mutex_unlock(&door->mutex);
}
/* end open */

/* region monotonic */
/* A condition whose time limits go by the monotonic clock. */
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
/* end monotonic */

/* region limit */
/* Waits for at most `seconds`. Returns 0 or ETIMEDOUT. */
static int door_pass_within(struct door *door, int64_t seconds)
{
    struct timespec deadline;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &deadline); /* tv_sec and tv_nsec; tv_nsec stays below 1000000000 */
    deadline.tv_sec += seconds;
    pthread_mutex_lock(&door->mutex);
    while (!door->open && error == 0)
        error = pthread_cond_timedwait(&door->opened, &door->mutex, &deadline); /* ETIMEDOUT after that moment */
    if (door->open)
        error = 0;
    pthread_mutex_unlock(&door->mutex);
    return error;
}
/* end limit */

static void *enter(void *argument)
{
    door_pass(argument);
    return NULL;
}

int main(void)
{
    struct door door = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    pthread_t guest;

    if (make_condition(&door.opened) != 0)
        return 1;
    if (pthread_create(&guest, NULL, enter, &door) != 0)
        return 1;
    printf("closed: %s\n", door_pass_within(&door, 0) == ETIMEDOUT ? "nobody came in in time" : "somebody did");
    door_open(&door);
    pthread_join(guest, NULL);
    printf("open: %s\n", door_pass_within(&door, 1) == 0 ? "everybody came in" : "somebody waits");
    pthread_cond_destroy(&door.opened);
    pthread_mutex_destroy(&door.mutex);
    return 0;
}
