/* bench.c - two threads sum up long lists, each its own, and add the sums to one counter. */
#include "bench.h"
#include "counter.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

enum { AMOUNTS = 256 * 1024, LISTS = 24, THREADS = 2 };

/* BENCH's functions take no argument, so what they share stands here: written by setup, read by all. */
static struct {
    struct counter *counter;
    long *amounts;
    long expected; /* guarded by nobody: only the main thread uses it */
} shared;

static void setup(void)
{
    shared.amounts = malloc(AMOUNTS * sizeof *shared.amounts);
    bench_require(shared.amounts != NULL, "There is no memory for the workload.");
    for (long i = 0; i < AMOUNTS; i++)
        shared.amounts[i] = i % 7;
    bench_require(counter_create(&shared.counter) == 0, "counter_create returned an error.");
}

static void *add_lists(void *unused)
{
    for (int i = 0; i < LISTS; i++)
        counter_add_all(shared.counter, shared.amounts, AMOUNTS);
    return unused;
}

static void run(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        bench_require(pthread_create(&threads[i], NULL, add_lists, NULL) == 0, "The bench could not start a thread.");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (long i = 0; i < AMOUNTS; i++)
        shared.expected += i % 7 * LISTS * THREADS;
    bench_require(counter_get(shared.counter) == shared.expected,
                  "Two threads added up long lists, and the sum is wrong: additions were lost.");
}

static void teardown(void)
{
    counter_destroy(shared.counter);
    free(shared.amounts);
}

BENCH = {.name = "two threads add up lists", .setup = setup, .run = run, .teardown = teardown};
