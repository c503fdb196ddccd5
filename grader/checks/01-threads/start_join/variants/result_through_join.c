/* start_join.c - run a function in a thread of its own, and bring its result home. A variant: the result comes home as
 * what the thread returns, in a box that the new thread allocates with the call; the handle holds nothing but the
 * thread.
 */
#include "start_join.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct start_join {
    pthread_t thread;
};

/* One long has two lives: it takes the argument there and the result back. */
struct parcel {
    long (*work)(long argument);
    long value;
};

static void *deliver(void *argument)
{
    struct parcel *parcel = argument;

    parcel->value = parcel->work(parcel->value);
    return parcel;
}

int start_join_start(struct start_join **call, long (*work)(long argument), long argument)
{
    if (call == NULL || work == NULL)
        return EINVAL;

    int error = ENOMEM;
    struct start_join *handle = calloc(1, sizeof *handle);
    struct parcel *parcel = calloc(1, sizeof *parcel);
    if (handle == NULL || parcel == NULL)
        goto fail;

    parcel->work = work;
    parcel->value = argument;
    error = pthread_create(&handle->thread, NULL, deliver, parcel);
    if (error != 0)
        goto fail;
    *call = handle;
    return 0;

fail:
    free(parcel);
    free(handle);
    return error;
}

int start_join_join(struct start_join *call, long *result)
{
    if (call == NULL)
        return EINVAL;

    void *returned = NULL;
    int error = pthread_join(call->thread, &returned);
    if (error != 0)
        return error;

    struct parcel *parcel = returned;
    if (result != NULL)
        *result = parcel->value;
    free(parcel);
    free(call);
    return 0;
}
