/* start_join.c - run a function in a thread of its own, and bring its result home. A variant: the thread returns its
 * result as the pointer itself, since a long fits into one here, and an explicit attribute says that the thread is
 * joinable.
 */
#include "start_join.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct start_join {
    long argument;
    long (*work)(long argument);
    pthread_t thread;
};

static void *run(void *argument)
{
    const struct start_join *call = argument;

    return (void *)(intptr_t)call->work(call->argument); // NOLINT(performance-no-int-to-ptr)
}

static int create_joinable(struct start_join *call)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);

    if (error != 0)
        return error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_JOINABLE);
    error = pthread_create(&call->thread, &attributes, run, call);
    pthread_attr_destroy(&attributes);
    return error;
}

int start_join_start(struct start_join **call, long (*work)(long argument), long argument)
{
    if (call == NULL || work == NULL)
        return EINVAL;

    struct start_join *fresh = malloc(sizeof *fresh);
    if (fresh == NULL)
        return ENOMEM;

    fresh->argument = argument;
    fresh->work = work;
    int error = create_joinable(fresh);
    if (error == 0)
        *call = fresh;
    else
        free(fresh);
    return error;
}

int start_join_join(struct start_join *call, long *result)
{
    void *value = NULL;

    if (call == NULL)
        return EINVAL;
    int error = pthread_join(call->thread, &value);
    if (error != 0)
        return error;
    free(call);
    if (result != NULL)
        *result = (long)(intptr_t)value;
    return 0;
}
