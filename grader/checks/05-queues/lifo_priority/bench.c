/* bench.c - many items go into a priority queue in no order, and come out in theirs; and through a stack. */
#include "bench.h"
#include "lifo_priority.h"

#include <stddef.h>

enum { CARDS = 40000, IN_STACK = 20000 };

/* BENCH's functions take no argument, so what they share stands here. */
static struct {
    struct shutdown_queue *queue, *stack;
    unsigned cards[CARDS];
} shared;

static bool lower(const void *one, const void *other)
{
    return *(const unsigned *)one < *(const unsigned *)other;
}

static void setup(void)
{
    unsigned state = 1;

    bench_require(lifo_priority_create_priority(&shared.queue, 0, lower) == 0,
                  "lifo_priority_create_priority returned an error.");
    bench_require(lifo_priority_create_lifo(&shared.stack, 0) == 0, "lifo_priority_create_lifo returned an error.");
    for (int i = 0; i < CARDS; i++) {
        state = state * 1664525U + 1013904223U;
        shared.cards[i] = state >> 8;
    }
}

static void through_the_stack(void)
{
    for (int i = 0; i < IN_STACK; i++)
        bench_require(shutdown_queue_put(shared.stack, &shared.cards[i], -1) == 0,
                      "shutdown_queue_put returned an error.");
    for (int i = IN_STACK; i > 0; i--) {
        void *item = NULL;
        bench_require(shutdown_queue_get(shared.stack, &item, 0) == 0 && item == &shared.cards[i - 1],
                      "shutdown_queue_get of a stack did not give the newest item.");
    }
}

static void run(void)
{
    unsigned last = 0;

    through_the_stack();

    for (int i = 0; i < CARDS; i++)
        bench_require(shutdown_queue_put(shared.queue, &shared.cards[i], -1) == 0,
                      "shutdown_queue_put returned an error.");
    for (int i = 0; i < CARDS; i++) {
        void *item = NULL;
        bench_require(shutdown_queue_get(shared.queue, &item, 0) == 0 && item != NULL, "shutdown_queue_get failed.");
        bench_require(*(const unsigned *)item >= last, "Items came out in the wrong order.");
        last = *(const unsigned *)item;
    }
}

static void teardown(void)
{
    shutdown_queue_destroy(shared.queue);
    shutdown_queue_destroy(shared.stack);
}

BENCH = {.name = "40,000 items through a priority queue, 20,000 through a stack",
         .setup = setup,
         .run = run,
         .teardown = teardown};
