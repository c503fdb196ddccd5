/* start_join.c - run a function in a thread of its own, and bring its result home. A variant: the thread has a stack of
 * a size of its own choice, which is enough for any work that does not keep much on it.
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
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error == 0) {
        error = pthread_attr_setstacksize(&attributes, 256 * 1024);
        if (error == 0)
            error = pthread_create(&started->thread, &attributes, run, started);
        pthread_attr_destroy(&attributes);
    }
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
