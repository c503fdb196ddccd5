/* bench.c - what it costs to begin to wait for many futures, and to end it, when none of them is complete. */
#include "bench.h"
#include "wait_any.h"

#include <errno.h>
#include <stddef.h>

enum { FUTURES = 50000, STEP = 7919 }; /* a step that comes by each place once: in no order of their addresses */

/* BENCH's functions take no argument, so what they share stands here. */
static struct {
    struct future *futures[FUTURES];
    bool done[FUTURES];
} shared;

static void setup(void)
{
    for (size_t i = 0; i < FUTURES; i++)
        bench_require(future_create(&shared.futures[i * STEP % FUTURES]) == 0, "future_create returned an error.");
}

static void run(void)
{
    struct wait_any_iterator *iterator = NULL;
    struct future *future = NULL;

    bench_require(wait_any(shared.futures, FUTURES, WAIT_ANY_ALL_COMPLETED, 0, shared.done) == ETIMEDOUT,
                  "No future is complete, and wait_any did not return ETIMEDOUT.");
    bench_require(wait_any_as_completed(&iterator, shared.futures, FUTURES, 0) == 0,
                  "wait_any_as_completed returned an error.");
    bench_require(wait_any_next(iterator, &future) == ETIMEDOUT,
                  "No future is complete, and wait_any_next did not return ETIMEDOUT.");
    wait_any_end(iterator);
}

static void teardown(void)
{
    for (size_t i = 0; i < FUTURES; i++)
        future_drop(shared.futures[i]);
}

BENCH = {.name = "a wait for 50,000 futures", .setup = setup, .run = run, .teardown = teardown};
