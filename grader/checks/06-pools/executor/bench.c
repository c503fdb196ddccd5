/* bench.c - small tasks in a row, and one task after the other while 23 workers have nothing to do. */
#include "bench.h"
#include "executor.h"

#include "gate.h"

#include <stddef.h>

enum { TASKS = 4000, WORKERS = 24, ROUND_TRIPS = 100 };

static struct executor *large;
static struct crew crew; /* not setup's own: a worker may still be on its way out when setup has returned */

static int give_back(void *argument, void **result)
{
    *result = argument;
    return 0;
}

static int meet(void *crew, void **result)
{
    (void)result;
    crew_meet(crew);
    return 0;
}

static void setup(void)
{
    crew = (struct crew)CREW_OF(WORKERS + 1);
    bench_require(executor_create(&large, WORKERS) == 0, "executor_create returned an error.");
    for (int i = 0; i < WORKERS; i++)
        bench_require(executor_submit(large, meet, &crew, NULL) == 0, "executor_submit returned an error.");
    crew_meet(&crew);
}

static void in_a_row(void)
{
    struct executor *small = NULL;
    struct future *last = NULL;

    bench_require(executor_create(&small, 1) == 0, "executor_create returned an error.");
    for (int i = 0; i < TASKS; i++)
        bench_require(executor_submit(small, give_back, NULL, i == TASKS - 1 ? &last : NULL) == 0,
                      "executor_submit returned an error.");
    bench_require(future_result(last, -1, NULL) == 0, "A task has failed.");
    future_drop(last);
    executor_destroy(small);
}

static void there_and_back(void)
{
    struct future *future = NULL;
    void *result = NULL;

    bench_require(executor_submit(large, give_back, &large, &future) == 0, "executor_submit returned an error.");
    bench_require(future_result(future, -1, &result) == 0 && result == &large, "A task gave another result.");
    future_drop(future);
}

static void run(void)
{
    in_a_row();
    for (int i = 0; i < ROUND_TRIPS; i++)
        there_and_back();
}

static void teardown(void)
{
    executor_destroy(large);
}

BENCH = {.name = "4,000 tasks in a row, and 100 there and back", .setup = setup, .run = run, .teardown = teardown};
