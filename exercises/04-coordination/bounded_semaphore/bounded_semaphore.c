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
/* A semaphore, and what else one has to know before a release. */
struct bounded_semaphore {
    struct semaphore *permits;
};
/* end state */

/* region create */
/* Make what the struct needs, and give back what was made where the rest fails. */
int bounded_semaphore_create(struct bounded_semaphore **bounded, long value)
{
    (void)value;
    *bounded = calloc(1, sizeof **bounded);
    return *bounded == NULL ? ENOMEM : 0;
}

void bounded_semaphore_destroy(struct bounded_semaphore *bounded)
{
    free(bounded);
}
/* end create */

/* region acquire */
/* Who does the work here? */
int bounded_semaphore_acquire(struct bounded_semaphore *bounded, bool blocking, int64_t timeout_us)
{
    (void)bounded;
    (void)blocking;
    (void)timeout_us;
    return ENOSYS;
}

long bounded_semaphore_value(struct bounded_semaphore *bounded)
{
    (void)bounded;
    return -1;
}
/* end acquire */

/* region release */
/* Would it be too many? And is that still so when you release? */
int bounded_semaphore_release(struct bounded_semaphore *bounded, long n)
{
    (void)bounded;
    (void)n;
    return ENOSYS;
}
/* end release */
