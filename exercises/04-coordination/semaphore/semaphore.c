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
/* How many permits are there? What guards that, and what does a thread sleep on that finds none? */
struct semaphore {
    long value;
};
/* end state */

/* region create */
/* Refuse a negative value. Make what the struct needs, and give back what was made where the rest fails. */
int semaphore_create(struct semaphore **semaphore, long value)
{
    *semaphore = calloc(1, sizeof **semaphore);
    if (*semaphore == NULL)
        return ENOMEM;
    (*semaphore)->value = value;
    return 0;
}

void semaphore_destroy(struct semaphore *semaphore)
{
    free(semaphore);
}
/* end create */

/* region deadline */
/* A place for a helper: the moment at which a time-out ends, by the monotonic clock. */
/* end deadline */

/* region wait */
/* A place for the wait: until there is a permit, or the time is over. */
/* end wait */

/* region acquire */
/* A permit there? Take it. None: wait, look again, and mind the time. */
int semaphore_acquire(struct semaphore *semaphore, bool blocking, int64_t timeout_us)
{
    (void)semaphore;
    (void)blocking;
    (void)timeout_us;
    return ENOSYS;
}
/* end acquire */

/* region release */
/* More permits: who has to be told? */
int semaphore_release(struct semaphore *semaphore, long n)
{
    (void)semaphore;
    (void)n;
    return ENOSYS;
}

/* Reads a number that others change. */
long semaphore_value(struct semaphore *semaphore)
{
    return semaphore->value;
}
/* end release */
