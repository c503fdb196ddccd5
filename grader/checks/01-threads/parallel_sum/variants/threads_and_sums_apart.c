/* parallel_sum.c - add up many numbers on several cores. A variant: the bounds of a part are computed, threads,
 * jobs and sums stand in three arrays of their own.
 */
#include "parallel_sum.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct job {
    const int32_t *numbers;
    size_t from, to;
    int64_t *sum; /* this job's element of sums */
};

static void *work(void *argument)
{
    const struct job *job = argument;
    int64_t sum = 0;

    for (size_t i = job->from; i != job->to; ++i)
        sum += job->numbers[i];
    *job->sum = sum;
    return NULL;
}

/* Where part i begins: the rest of the division goes to the last parts, one number each. */
static size_t bound(size_t i, size_t n, size_t count)
{
    size_t rest = n % count, short_parts = count - rest;

    return i * (n / count) + (i > short_parts ? i - short_parts : 0);
}

static int run_jobs(struct job *jobs, pthread_t *threads, size_t count)
{
    size_t running = 0;
    int error = 0;

    while (running < count && error == 0) {
        error = pthread_create(&threads[running], NULL, work, &jobs[running]);
        if (error == 0)
            running++;
    }
    while (running > 0)
        pthread_join(threads[--running], NULL);
    return error;
}

int parallel_sum(const int32_t *numbers, size_t n, size_t threads, int64_t *sum)
{
    if (threads == 0 || sum == NULL || (numbers == NULL && n > 0))
        return EINVAL;

    size_t count = n < threads ? n : threads;
    size_t room = count > 0 ? count : 1;
    int error = ENOMEM;
    struct job *jobs = calloc(room, sizeof *jobs);
    pthread_t *ids = calloc(room, sizeof *ids);
    int64_t *sums = calloc(room, sizeof *sums);
    if (jobs == NULL || ids == NULL || sums == NULL)
        goto out;

    for (size_t i = 0; i < count; i++)
        jobs[i] = (struct job){numbers, bound(i, n, count), bound(i + 1, n, count), &sums[i]};
    error = run_jobs(jobs, ids, count);
    if (error == 0) {
        *sum = 0;
        for (size_t i = 0; i < count; i++)
            *sum += sums[i];
    }

out:
    free(sums);
    free(ids);
    free(jobs);
    return error;
}
