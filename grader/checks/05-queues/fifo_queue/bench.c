/* bench.c - one thread fills and empties a queue of many items: what a put and a get cost, without anybody else. */
#include "bench.h"
#include "fifo_queue.h"

#include <stddef.h>

enum { HELD = 8000, ROUNDS = 60000 };

/* BENCH's functions take no argument, so what they share stands here. */
static struct {
    struct fifo_queue *queue;
    char things[HELD];
} shared;

static void setup(void)
{
    bench_require(fifo_queue_create(&shared.queue, HELD) == 0, "fifo_queue_create returned an error.");
}

static void put(int thing)
{
    bench_require(fifo_queue_put(shared.queue, &shared.things[thing % HELD], -1) == 0,
                  "fifo_queue_put returned an error.");
}

static void get(int thing)
{
    void *item = NULL;

    bench_require(fifo_queue_get(shared.queue, &item, -1) == 0, "fifo_queue_get returned an error.");
    bench_require(item == &shared.things[thing % HELD], "Items came out in another order than they went in.");
}

static void run(void)
{
    int in = 0, out = 0;

    while (in < HELD)
        put(in++);
    while (in < ROUNDS) {
        get(out++);
        put(in++);
    }
    while (out < ROUNDS)
        get(out++);
}

static void teardown(void)
{
    fifo_queue_destroy(shared.queue);
}

BENCH = {.name = "60,000 items through a queue of 8,000", .setup = setup, .run = run, .teardown = teardown};
