/* pool_map.c - right, but each chunk keeps its error and draws a number when it fails, and the chunks are waited for
 * from the last to the first. */
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
    int failed; /* guarded by mutex; how many chunks have failed so far */
};

/* Some neighbours in the list, and how it went with them. */
struct chunk {
    struct job *job;
    size_t begin, end; /* the items begin to end - 1 */
    int error, place;  /* its first error, and the how manieth chunk to fail it was */
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
static void report(struct chunk *chunk, int error)
{
    pthread_mutex_lock(&chunk->job->mutex);
    chunk->place = chunk->job->failed++;
    pthread_mutex_unlock(&chunk->job->mutex);
    chunk->error = error;
}

/* A worker's task. It always succeeds: the errors of the items are the job's. */
static int do_chunk(void *argument, void **result)
{
    struct chunk *chunk = argument;
    struct job *job = chunk->job;

    (void)result;
    for (size_t i = chunk->begin; i < chunk->end; i++) {
        int error = job->work(job->items + i * job->item_size, job->results + i * job->result_size);
        if (error != 0) {
            report(chunk, error > 0 ? error : EINVAL);
            break;
        }
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
    size_t made = 0;

    for (size_t begin = 0, end; begin < count && error == 0; begin = end) {
        struct chunk *chunk = &chunks[made];
        end = count - begin < size ? count : begin + size;
        *chunk = (struct chunk){job, begin, end, 0, 0, NULL};
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

    for (size_t i = submitted; i-- > 0;) {
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
    for (size_t i = 0; i < submitted; i++)
        if (chunks[i].error != 0 && chunks[i].place == 0)
            error = chunks[i].error;
    pthread_mutex_destroy(&job.mutex);
no_mutex:
    free(chunks);
    return error;
}
/* end map */
