/* start_join.c - run a function in a thread of its own, and bring its result home.
 *
 * Theory of operation: one thread starts the call and one joins it; between the two the new thread runs. All three
 * share one struct, and no lock guards it, because they take turns: the starter fills it in before pthread_create(),
 * the new thread has it until it ends, the joiner looks at it after pthread_join(). Those two calls put everything
 * that was written before them in order before everything that is read after them.
 */
#include "start_join.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
struct start_join {
    long result; /* what else must the new thread find here, and what will join need? */
};
/* end state */

/* region thread */
/* Write here the function that the new thread runs: static void *run(void *argument). It calls the work and keeps what
 * the work returned. */
/* end thread */

/* region start */
int start_join_start(struct start_join **call, long (*work)(long argument), long argument)
{
    /* Allocate a struct start_join, fill it in, start the thread, and only then store the handle. */
    (void)call;
    (void)work;
    (void)argument;
    return ENOSYS;
}
/* end start */

/* region join */
int start_join_join(struct start_join *call, long *result)
{
    /* Wait for the thread; then its result is there to read. The struct is yours to free. */
    (void)call;
    (void)result;
    return ENOSYS;
}
/* end join */
