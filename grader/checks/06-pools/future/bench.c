/* bench.c - futures that are made, finished, asked and dropped, and futures with many callbacks. */
#include "bench.h"
#include "future.h"

#include <stddef.h>

enum { LIVES = 8000, FUTURES = 4, CALLBACKS = 3000 };

static long called;

static void count(struct future *future, void *argument)
{
    (void)future;
    (void)argument;
    called++;
}

static void setup(void)
{
    called = 0;
}

/* One future's life, with a callback. */
static void live(void)
{
    struct future *future = NULL;
    void *result = NULL;

    bench_require(future_create(&future) == 0, "future_create returned an error.");
    bench_require(future_add_done_callback(future, count, NULL) == 0, "future_add_done_callback returned an error.");
    bench_require(future_set_running_or_notify_cancel(future) == 0, "A pending future could not begin to run.");
    bench_require(future_set_result(future, &called) == 0, "future_set_result returned an error.");
    bench_require(future_result(future, -1, &result) == 0 && result == &called, "future_result gave another result.");
    future_drop(future);
}

static void many_callbacks(void)
{
    struct future *future = NULL;

    bench_require(future_create(&future) == 0, "future_create returned an error.");
    for (int i = 0; i < CALLBACKS; i++)
        bench_require(future_add_done_callback(future, count, NULL) == 0,
                      "future_add_done_callback returned an error.");
    bench_require(future_set_result(future, NULL) == 0, "future_set_result returned an error.");
    future_drop(future);
}

static void run(void)
{
    called = 0;
    for (int i = 0; i < LIVES; i++)
        live();
    for (int i = 0; i < FUTURES; i++)
        many_callbacks();
    bench_require(called == LIVES + FUTURES * CALLBACKS, "Not each callback was called once.");
}

static void teardown(void) {}

BENCH = {.name = "8,000 futures, and 4 with 3,000 callbacks", .setup = setup, .run = run, .teardown = teardown};
