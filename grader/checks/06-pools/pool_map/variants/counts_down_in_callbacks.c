/* pool_map.c - one function over a whole list, by the workers of a pool.
 *
 * Theory of operation: one piece of memory for the job and all its chunks. Each chunk's future has a callback that
 * counts it down, however the chunk ended, a cancelled one too; who called sleeps until none is left. So no future is
 * asked for anything but whether it was cancelled, and each is dropped as soon as it has its callback. Chunks that the
 * executor refuses are taken off the count at once.
 */
#include "pool_map.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct job;

struct chunk {
    struct job *job;
    const char *item;
    char *result;
    size_t items;
};

struct job {
    int (*work)(const void *item, void *result);
    size_t item_size, result_size;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t pending; /* guarded by mutex, as are the next two; chunks whose callback has not been called */
    int error;      /* the first of an item's */
    int cancelled;  /* ECANCELED where a chunk was */
    struct chunk chunks[];
};

size_t pool_map_chunk(size_t count, int workers)
{
    size_t size = count / 4 / (size_t)workers;

    while (count > 0 && (size == 0 || (count - 1) / size >= 4 * (size_t)workers))
        size++;
    return size;
}

static int do_chunk(void *argument, void **result)
{
    struct chunk *chunk = argument;
    struct job *job = chunk->job;
    int error = 0;

    for (; chunk->items > 0 && error == 0; chunk->items--) {
        error = job->work(chunk->item, chunk->result);
        chunk->item += job->item_size;
        chunk->result += job->result_size;
    }
    *result = chunk;
    if (error == 0)
        return 0;
    pthread_mutex_lock(&job->mutex);
    if (job->error == 0)
        job->error = error < 0 ? EINVAL : error;
    pthread_mutex_unlock(&job->mutex);
    return 0;
}

static void count_down(struct future *future, void *argument)
{
    struct job *job = argument;
    bool cancelled = future_cancelled(future);

    pthread_mutex_lock(&job->mutex);
    job->cancelled = cancelled ? ECANCELED : job->cancelled;
    job->pending--;
    pthread_cond_broadcast(&job->changed);
    pthread_mutex_unlock(&job->mutex);
}

static int submit_chunk(struct executor *executor, struct chunk *chunk)
{
    struct future *future = NULL;

    pthread_mutex_lock(&chunk->job->mutex);
    chunk->job->pending++;
    pthread_mutex_unlock(&chunk->job->mutex);
    int error = executor_submit(executor, do_chunk, chunk, &future);
    if (error != 0) {
        pthread_mutex_lock(&chunk->job->mutex);
        chunk->job->pending--;
        pthread_mutex_unlock(&chunk->job->mutex);
        return error;
    }
    if (future_add_done_callback(future, count_down, chunk->job) != 0) {
        (void)future_result(future, -1, NULL); /* no memory for a callback: wait here */
        count_down(future, chunk->job);
    }
    future_drop(future);
    return 0;
}

static int run(struct executor *executor, struct job *job, size_t chunks)
{
    int error = 0;

    for (size_t i = 0; i < chunks && error == 0; i++)
        error = submit_chunk(executor, &job->chunks[i]);
    pthread_mutex_lock(&job->mutex);
    while (job->pending != 0)
        pthread_cond_wait(&job->changed, &job->mutex);
    error = job->error != 0 ? job->error : error != 0 ? error : job->cancelled;
    pthread_mutex_unlock(&job->mutex);
    return error;
}

int pool_map(struct executor *executor, int (*work)(const void *item, void *result), const void *items,
             size_t item_size, size_t count, void *results, size_t result_size)
{
    if (count == 0)
        return 0;
    if (item_size > SIZE_MAX / count || result_size > SIZE_MAX / count)
        return EINVAL;

    size_t size = pool_map_chunk(count, executor_max_workers(executor)), chunks = 1 + (count - 1) / size;
    struct job *job = malloc(sizeof *job + chunks * sizeof job->chunks[0]);
    if (job == NULL)
        return ENOMEM;
    *job = (struct job){.work = work, .item_size = item_size, .result_size = result_size};
    int error = pthread_mutex_init(&job->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = pthread_cond_init(&job->changed, NULL);
    if (error != 0)
        goto no_condition;
    for (size_t i = 0, left = count; i < chunks; i++, left -= left < size ? left : size)
        job->chunks[i] = (struct chunk){job, (const char *)items + i * size * item_size,
                                        (char *)results + i * size * result_size, left < size ? left : size};
    error = run(executor, job, chunks);
    pthread_cond_destroy(&job->changed);
no_condition:
    pthread_mutex_destroy(&job->mutex);
no_mutex:
    free(job);
    return error;
}
