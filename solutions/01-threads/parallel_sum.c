/* parallel_sum.c - add up many numbers on several cores.
 *
 * Theory of operation: the caller splits the array into parts, starts a thread for each and joins them all; the threads
 * know nothing of each other. No lock is needed, because nothing is shared that anybody writes: the numbers are only
 * read, and each thread writes to its own part and to nothing else. pthread_create() and pthread_join() order the
 * rest: the caller fills in a part before its thread begins and reads its sum after its thread has ended.
 */
#include "parallel_sum.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* region part */
struct part {
    const int32_t *numbers; /* set before the thread starts, only read afterwards */
    size_t n;               /* likewise */
    int64_t sum;            /* written by this part's thread, read after it was joined */
    pthread_t thread;       /* the caller's alone */
};
/* end part */

/* region thread */
static void *add_up(void *argument)
{
    struct part *part = argument;
    int64_t sum = 0; /* a variable of the thread's own: neighbouring parts may share a cache line */

    for (size_t i = 0; i < part->n; i++)
        sum += part->numbers[i];
    part->sum = sum;
    return NULL;
}
/* end thread */

/* region split */
/* The first n % count parts get one number more than the rest. */
static void split(const int32_t *numbers, size_t n, struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        parts[i].numbers = numbers;
        parts[i].n = n / count + (i < n % count ? 1 : 0);
        numbers += parts[i].n;
    }
}
/* end split */

/* region start */
/* Starts the threads of all parts. On an error `*started` says how many there are to be joined all the same. */
static int start_all(struct part *parts, size_t count, size_t *started)
{
    for (*started = 0; *started < count; ++*started) {
        struct part *part = &parts[*started];
        int error = pthread_create(&part->thread, NULL, add_up, part);
        if (error != 0)
            return error;
    }
    return 0;
}
/* end start */

/* region sum */
int parallel_sum(const int32_t *numbers, size_t n, size_t threads, int64_t *sum)
{
    if (threads == 0 || sum == NULL || (numbers == NULL && n > 0))
        return EINVAL;

    size_t count = threads < n ? threads : n;
    if (count == 0) {
        *sum = 0;
        return 0;
    }
    struct part *parts = calloc(count, sizeof *parts);
    if (parts == NULL)
        return ENOMEM;

    size_t started;
    split(numbers, n, parts, count);
    int error = start_all(parts, count, &started);
    int64_t total = 0;
    for (size_t i = 0; i < started; i++) {
        pthread_join(parts[i].thread, NULL);
        total += parts[i].sum;
    }
    free(parts);
    if (error == 0)
        *sum = total;
    return error;
}
/* end sum */
