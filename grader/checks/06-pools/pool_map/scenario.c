/* scenario.c - small lists for one or two workers; one thread maps, another maps too or shuts the executor down. */
#include "scenario.h"

#include "pool_map.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

enum { FAILED = 77, MOST = 9 };

static struct executor *made(int max_workers)
{
    struct executor *executor = NULL;

    ensure(executor_create(&executor, max_workers) == 0, "executor_create returned an error");
    return executor;
}

static int twice(const void *item, void *result)
{
    *(int *)result = 2 * *(const int *)item;
    return 0;
}

static int fail(const void *item, void *result)
{
    *(int *)result = 0;
    return FAILED + *(const int *)item;
}

static const int numbers[MOST] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

static int map(struct executor *executor, int (*work)(const void *, void *), size_t count, int *results)
{
    return pool_map(executor, work, numbers, sizeof numbers[0], count, results, sizeof results[0]);
}

static void map_and_look(int max_workers, size_t count)
{
    struct executor *executor = made(max_workers);
    int results[MOST] = {0};

    ensure(map(executor, twice, count, results) == 0, "pool_map returned an error");
    for (size_t i = 0; i < count; i++)
        ensure(results[i] == 2 * numbers[i], "result %zu is not that of its item", i);
    executor_destroy(executor);
}

static void one_worker(void)
{
    map_and_look(1, 3);
}

static void two_workers(void)
{
    map_and_look(2, 2);
}

static void chunks_of_two(void)
{
    map_and_look(1, 5);
    map_and_look(2, MOST);
}

static struct crew
    both; /* made anew for each run; both items are being done at the same time, so nothing orders them */

static int meet_and_fail(const void *item, void *result)
{
    crew_meet(&both);
    *(int *)result = 0;
    return FAILED + *(const int *)item;
}

static void all_fail(void)
{
    struct executor *executor = made(2);
    int results[2] = {0};

    both = (struct crew)CREW_OF(2);
    int error = map(executor, meet_and_fail, 2, results);

    ensure(error == FAILED || error == FAILED + 1, "two items failed with 77 and 78, and pool_map returned %d", error);
    executor_destroy(executor);
}

static void one_fails(void)
{
    struct executor *executor = made(1);
    int results[MOST] = {0};

    ensure(map(executor, fail, 1, results) == FAILED, "an item failed, and pool_map did not return its error");
    ensure(map(executor, fail, 5, results) == FAILED, "items failed, and pool_map did not return the first error");
    ensure(map(executor, twice, 0, NULL) == 0, "an empty list is an error");
    ensure(pool_map(executor, twice, numbers, 8, SIZE_MAX / 2, results, 1) == EINVAL, "too large a list is no EINVAL");
    ensure(executor_shutdown(executor, true, false) == 0, "executor_shutdown returned an error");
    ensure(map(executor, twice, 5, results) == ESHUTDOWN, "pool_map after a shutdown did not return ESHUTDOWN");
    executor_destroy(executor);
}

struct other {
    struct executor *executor;
    struct gate begin; /* before a shutdown, wherever it is not the explorer that tries all moments */
    int results[2];
};

static void *map_too(void *argument)
{
    struct other *other = argument;

    ensure(map(other->executor, twice, 2, other->results) == 0, "pool_map returned an error");
    ensure(other->results[1] == 2, "a result is not that of its item");
    return NULL;
}

static void two_map(void)
{
    struct other one = {.executor = made(1)}, two = {.executor = one.executor};
    pthread_t thread = scenario_thread(map_too, &one);

    map_too(&two);
    scenario_join(thread);
    executor_destroy(one.executor);
}

static void *shut_down(void *argument)
{
    struct other *other = argument;

#ifndef INTERLEAVE
    gate_pass(&other->begin);
#endif
    ensure(executor_shutdown(other->executor, false, true) == 0, "executor_shutdown returned an error");
    return NULL;
}

static void shut_down_meanwhile(void)
{
    struct other other = {.executor = made(1)};
    pthread_t thread = scenario_thread(shut_down, &other);
    int error = map(other.executor, twice, 2, other.results);

    gate_open(&other.begin);
    ensure(error == 0 || error == ESHUTDOWN || error == ECANCELED, "pool_map returned %d", error);
    ensure(error != 0 || other.results[1] == 2, "pool_map returned 0, and a result is missing");
    scenario_join(thread);
    executor_destroy(other.executor);
}

static int refuse(const void *item, void *result)
{
    (void)item;
    (void)result;
    return EIO;
}

/* Items without a size may be as many as a size_t can count. */
static void very_many(void)
{
    struct executor *executor = made(1);
    const char item = 0;
    char result = 0;

    ensure(pool_map(executor, refuse, &item, 0, SIZE_MAX, &result, 0) == EIO, "the item's error has not come home");
    executor_destroy(executor);
}

SCENARIOS = {
    {"one_worker", one_worker, "one worker, three chunks"},
    {"two_workers", two_workers, "two workers, two chunks"},
    {"chunks_of_two", chunks_of_two, "chunks of two items, and a last one of one"},
    {"all_fail", all_fail, "two chunks fail at the same time"},
    {"one_fails", one_fails, "an item fails; a list is empty, or too large; the executor is shut down"},
    {"two_map", two_map, "two threads map with the same executor"},
    {"shut_down_meanwhile", shut_down_meanwhile, "one thread maps while another shuts the executor down"},
    {"very_many", very_many, "as many items as can be counted, all without a size, and the first of each chunk fails"},
    SCENARIOS_END,
};
