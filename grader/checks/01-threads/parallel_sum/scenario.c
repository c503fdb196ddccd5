/* scenario.c - sums as the detectors see them.
 *
 * The numbers are zeros: a race between additions cannot spoil their sum, so it is found where races are looked for and
 * nowhere by chance. No thread of one call is ordered with another, so whatever two of them share is a race in every
 * run.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* scarce.h */
#endif
#include "scenario.h"
#include "parallel_sum.h"
#include "scarce.h"

#include <errno.h>
#include <stdlib.h>

enum { N = 7 };

/* Numbers in memory of exactly their size, so that one too many is one too many. */
static int32_t *zeros(void)
{
    int32_t *numbers = calloc(N, sizeof *numbers);

    ensure(numbers != NULL, "the scenario has no memory");
    return numbers;
}

static void sum_zeros(const int32_t *numbers, size_t n, size_t threads)
{
    int64_t sum = -99;

    ensure(parallel_sum(numbers, n, threads, &sum) == 0,
           "parallel_sum of %zu numbers with %zu threads returned an error", n, threads);
    ensure(sum == 0, "the sum of %zu zeros with %zu threads is %lld", n, threads, (long long)sum);
}

static void three_threads(void)
{
    int32_t *numbers = zeros();

    sum_zeros(numbers, N, 3);
    free(numbers);
}

static void *sum_with_two(void *numbers)
{
    sum_zeros(numbers, N, 2);
    return NULL;
}

static void two_callers(void)
{
    int32_t *numbers = zeros();
    pthread_t other = scenario_thread(sum_with_two, numbers);

    sum_with_two(numbers);
    scenario_join(other);
    free(numbers);
}

static void odd_sizes(void)
{
    int32_t *numbers = zeros();

    sum_zeros(numbers, N, 1);
    sum_zeros(numbers + N - 2, 2, 9);
    sum_zeros(numbers + N, 0, 2);
    sum_zeros(NULL, 0, 1);
    free(numbers);
}

static void refused(void)
{
    int32_t *numbers = zeros();
    int64_t sum = -99;

    ensure(parallel_sum(numbers, N, 0, &sum) == EINVAL, "threads = 0 did not give EINVAL");
    ensure(parallel_sum(numbers, N, 2, NULL) == EINVAL, "sum = NULL did not give EINVAL");
    ensure(parallel_sum(NULL, N, 2, &sum) == EINVAL, "numbers = NULL did not give EINVAL");
    if (scarce_threads(true)) {
        int error = parallel_sum(numbers, N, 2, &sum);
        scarce_threads(false);
        ensure(error == EAGAIN || error == 0, "without a thread parallel_sum returned %d; it should return EAGAIN",
               error);
        if (error == 0) /* with attributes of its own it had its threads all the same */
            sum = -99;
    }
    ensure(sum == -99, "parallel_sum returned an error and yet changed *sum");
    free(numbers);
}

SCENARIOS = {
    {"three_threads", three_threads, "three threads add up seven numbers"},
    {"two_callers", two_callers, "two threads call parallel_sum for the same numbers at the same time"},
    {"odd_sizes", odd_sizes, "one thread, more threads than numbers, and no numbers"},
    {"refused", refused, "calls with wrong arguments, and one for which there is no thread"},
    SCENARIOS_END,
};
