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
    long (*work)(long argument); /* set before the thread starts, only read afterwards */
    long argument;               /* likewise */
    long result;                 /* written by the new thread, read by who has joined it */
    pthread_t thread;            /* set by start, used by join */
};
/* end state */

/* region thread */
/* What the new thread does. pthread_create() passes one pointer, so everything it needs is behind that pointer. */
static void *run(void *argument)
{
    struct start_join *call = argument;

    call->result = call->work(call->argument);
    return NULL;
}
/* end thread */

/* region start */
int start_join_start(struct start_join **call, long (*work)(long argument), long argument)
{
    if (call == NULL || work == NULL)
        return EINVAL;

    struct start_join *started = malloc(sizeof *started);
    if (started == NULL)
        return ENOMEM;

    started->work = work;
    started->argument = argument;
    int error = pthread_create(&started->thread, NULL, run, started);
    if (error != 0) {
        free(started);
        return error;
    }
    *call = started;
    return 0;
}
/* end start */

/* region join */
int start_join_join(struct start_join *call, long *result)
{
    if (call == NULL)
        return EINVAL;

    int error = pthread_join(call->thread, NULL);
    if (error != 0)
        return error;
    if (result != NULL)
        *result = call->result;
    free(call);
    return 0;
}
/* end join */
