/* parallel_sum.c - add up many numbers on several cores. A variant: the calling thread adds up the last part itself,
 * sums come home as what pthread_join gives, and a failed start is left with a goto.
 */
#include "parallel_sum.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct helper {
    pthread_t thread;
    const int32_t *begin, *end;
    int64_t found;
};

static void *help(void *argument)
{
    struct helper *helper = argument;
    int64_t found = 0;

    for (const int32_t *at = helper->begin; at < helper->end; at++)
        found += *at;
    helper->found = found;
    return helper;
}

int parallel_sum(const int32_t *numbers, size_t n, size_t threads, int64_t *sum)
{
    if (sum == NULL || threads < 1 || (n != 0 && numbers == NULL))
        return EINVAL;
    if (n == 0) {
        *sum = 0;
        return 0;
    }
    if (threads > n)
        threads = n;

    struct helper *helpers = malloc(threads * sizeof *helpers);
    if (helpers == NULL)
        return ENOMEM;

    int error = 0;
    size_t running = 0, from = 0;
    int64_t total = 0;
    for (; running + 1 < threads; running++) {
        size_t length = (n - from) / (threads - running);
        helpers[running].begin = numbers + from;
        helpers[running].end = numbers + from + length;
        error = pthread_create(&helpers[running].thread, NULL, help, &helpers[running]);
        if (error != 0)
            goto join;
        from += length;
    }
    helpers[running].begin = numbers + from;
    helpers[running].end = numbers + n;
    help(&helpers[running]);
    total = helpers[running].found;

join:
    for (size_t i = 0; i < running; i++) {
        void *helper = NULL;
        pthread_join(helpers[i].thread, &helper);
        total += ((struct helper *)helper)->found;
    }
    free(helpers);
    if (error == 0)
        *sum = total;
    return error;
}
