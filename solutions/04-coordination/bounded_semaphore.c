/* bounded_semaphore.c - a semaphore that notices one release too many.
 *
 * Theory of operation: no threads of its own, and nothing to wait for: the waiting is done by the semaphore inside.
 * What is added is one question before a release, "would that be too many?", and the answer has to hold until the
 * release is done. Only a release makes the value larger. So it is enough that one thread at a time releases, which
 * is what the mutex is for. Threads that acquire meanwhile only make the value smaller, and need no mutex: the answer
 * stays right.
 *
 * Order of locks: `releasing` first, then the semaphore's own, which its calls take and give back.
 */
#include "bounded_semaphore.h"

#include "semaphore.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* region state */
struct bounded_semaphore {
    struct semaphore *permits; /* its value only grows while `releasing` is held */
    pthread_mutex_t releasing;
    long bound; /* never changes */
};
/* end state */

/* region create */
int bounded_semaphore_create(struct bounded_semaphore **bounded, long value)
{
    struct bounded_semaphore *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    made->bound = value;
    int error = semaphore_create(&made->permits, value); /* which also refuses a negative value */
    if (error != 0)
        goto no_semaphore;
    error = pthread_mutex_init(&made->releasing, NULL);
    if (error != 0)
        goto no_mutex;
    *bounded = made;
    return 0;

no_mutex:
    semaphore_destroy(made->permits);
no_semaphore:
    free(made);
    return error;
}

void bounded_semaphore_destroy(struct bounded_semaphore *bounded)
{
    if (bounded == NULL)
        return;
    pthread_mutex_destroy(&bounded->releasing);
    semaphore_destroy(bounded->permits);
    free(bounded);
}
/* end create */

/* region acquire */
int bounded_semaphore_acquire(struct bounded_semaphore *bounded, bool blocking, int64_t timeout_us)
{
    return semaphore_acquire(bounded->permits, blocking, timeout_us);
}

long bounded_semaphore_value(struct bounded_semaphore *bounded)
{
    return semaphore_value(bounded->permits);
}
/* end acquire */

/* region release */
int bounded_semaphore_release(struct bounded_semaphore *bounded, long n)
{
    int error = ERANGE;

    if (n < 1)
        return EINVAL;

    pthread_mutex_lock(&bounded->releasing);
    if (n <= bounded->bound - semaphore_value(bounded->permits))
        error = semaphore_release(bounded->permits, n);
    pthread_mutex_unlock(&bounded->releasing);
    return error;
}
/* end release */
