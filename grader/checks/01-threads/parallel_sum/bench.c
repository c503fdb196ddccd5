/* bench.c - 2^22 numbers, added up with two threads, some times over. */
#include "bench.h"
#include "parallel_sum.h"

#include <stdlib.h>

enum { N = 1 << 22, ROUNDS = 6, THREADS = 2 };

static int32_t *numbers;
static int64_t expected;

static void setup(void)
{
    numbers = malloc(N * sizeof *numbers);
    bench_require(numbers != NULL, "there is no memory for the numbers");
    expected = 0;
    for (size_t i = 0; i < N; i++) {
        numbers[i] = (int32_t)(i % 1000) - 300;
        expected += numbers[i];
    }
}

static void run(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        int64_t sum = 0;
        bench_require(parallel_sum(numbers, N, THREADS, &sum) == 0, "parallel_sum returned an error.");
        bench_require(sum == expected, "The sum is wrong.");
    }
}

static void teardown(void)
{
    free(numbers);
}

BENCH = {.name = "the sum of 2^22 numbers with two threads", .setup = setup, .run = run, .teardown = teardown};
