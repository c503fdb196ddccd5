/* bench.c - 200,000 numbers, squared, with two workers. */
#include "bench.h"
#include "pool_map.h"

#include <stdint.h>
#include <stdlib.h>

enum { COUNT = 200000, ROUNDS = 8, WORKERS = 2 };

static struct executor *executor;
static int32_t *numbers;
static int64_t *squares;

static int square(const void *item, void *result)
{
    int64_t number = *(const int32_t *)item;

    *(int64_t *)result = number * number;
    return 0;
}

static void setup(void)
{
    bench_require(executor_create(&executor, WORKERS) == 0, "The executor could not be made.");
    numbers = malloc(COUNT * sizeof *numbers);
    squares = calloc(COUNT, sizeof *squares);
    bench_require(numbers != NULL && squares != NULL, "There is no memory for the numbers.");
    for (int32_t i = 0; i < COUNT; i++)
        numbers[i] = i;
}

static void run(void)
{
    for (int round = 0; round < ROUNDS; round++)
        bench_require(pool_map(executor, square, numbers, sizeof *numbers, COUNT, squares, sizeof *squares) == 0,
                      "pool_map returned an error.");
    for (int64_t i = 0; i < COUNT; i++)
        bench_require(squares[i] == i * i, "A square is wrong.");
}

static void teardown(void)
{
    free(squares);
    free(numbers);
    executor_destroy(executor);
}

BENCH = {.name = "200,000 squares with two workers", .setup = setup, .run = run, .teardown = teardown};
