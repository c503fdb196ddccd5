/* pool_map.c - one function over a whole list, by the workers of a pool.
 *
 * Theory of operation: no threads of its own. The list is cut into chunks; each is a task of the executor, and has a
 * struct that says which items are its own. The chunks write to different results, so these need no lock. They share
 * one thing, the first error, which the job's mutex guards. Who called sleeps on the chunks' futures, one after the
 * other, in whatever order they end; a future also tells when somebody has cancelled a chunk, which a mere count of
 * those that are left would wait for in vain.
 */
#include "pool_map.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

/* region state */
/* What all chunks share. */
struct job {
    int (*work)(const void *item, void *result);
    const unsigned char *items;
    unsigned char *results;
    size_t item_size, result_size;
    pthread_mutex_t mutex;
    int first_error; /* guarded by mutex; 0: none so far */
};

/* Some neighbours in the list, and how it went with them. */
struct chunk {
    struct job *job;
    size_t begin, count; /* so many items, from this one on */
    struct future *future;
};
/* end state */

/* region size */
size_t pool_map_chunk(size_t count, int workers)
{
    size_t parts = 4 * (size_t)workers;

    return count / parts + (count % parts > 0 ? 1 : 0);
}
/* end size */

/* region chunk */
static void report(struct job *job, int error)
{
    pthread_mutex_lock(&job->mutex);
    if (job->first_error == 0)
        job->first_error = error;
    pthread_mutex_unlock(&job->mutex);
}

/* A worker's task. It always succeeds: the errors of the items are the job's. */
static int do_chunk(void *argument, void **result)
{
    struct chunk *chunk = argument;
    struct job *job = chunk->job;
    const unsigned char *item = job->items + chunk->begin * job->item_size;
    unsigned char *into = job->results + chunk->begin * job->result_size;

    (void)result;
    for (size_t left = chunk->count; left > 0; left--) {
        int error = job->work(item, into);
        if (error != 0) {
            report(job, error > 0 ? error : EINVAL);
            break;
        }
        item += job->item_size;
        into += job->result_size;
    }
    return 0;
}
/* end chunk */

/* region hand_out */
/* Submits chunk after chunk, each of `size` items. Stores how many it could submit. */
static int submit_all(struct executor *executor, struct job *job, struct chunk *chunks, size_t count, size_t size,
                      size_t *submitted)
{
    int error = 0;
    size_t made = 0, left = count;

    while (left > 0 && error == 0) {
        struct chunk *chunk = &chunks[made];
        *chunk = (struct chunk){job, count - left, left < size ? left : size, NULL};
        left -= chunk->count;
        error = executor_submit(executor, do_chunk, chunk, &chunk->future);
        made += error == 0 ? 1 : 0;
    }
    *submitted = made;
    return error;
}

/* Waits until all of them are done. Returns 0, or ECANCELED where one was cancelled. */
static int wait_for_all(struct chunk *chunks, size_t submitted)
{
    int error = 0;

    for (size_t i = 0; i < submitted; i++) {
        int outcome = future_result(chunks[i].future, -1, NULL);
        if (error == 0)
            error = outcome;
        future_drop(chunks[i].future);
    }
    return error;
}
/* end hand_out */

/* region map */
static bool fits(size_t count, size_t size)
{
    return size == 0 || count <= SIZE_MAX / size;
}

int pool_map(struct executor *executor, int (*work)(const void *item, void *result), const void *items,
             size_t item_size, size_t count, void *results, size_t result_size)
{
    if (!fits(count, item_size) || !fits(count, result_size))
        return EINVAL;
    if (count == 0)
        return 0;

    size_t size = pool_map_chunk(count, executor_max_workers(executor)), submitted = 0;
    struct job job = {
        .work = work, .items = items, .results = results, .item_size = item_size, .result_size = result_size};
    struct chunk *chunks = calloc((count - 1) / size + 1, sizeof *chunks);
    if (chunks == NULL)
        return ENOMEM;
    int error = pthread_mutex_init(&job.mutex, NULL);
    if (error != 0)
        goto no_mutex;

    error = submit_all(executor, &job, chunks, count, size, &submitted);
    int outcome = wait_for_all(chunks, submitted); /* also where one could not be submitted: they use our memory */
    if (error == 0)
        error = outcome;
    if (job.first_error != 0) /* all have ended, so nobody else is at it */
        error = job.first_error;
    pthread_mutex_destroy(&job.mutex);
no_mutex:
    free(chunks);
    return error;
}
/* end map */
