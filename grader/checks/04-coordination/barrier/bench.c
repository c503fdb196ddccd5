/* bench.c - four threads that meet again and again. */
#include "bench.h"
#include "barrier.h"

#include <pthread.h>
#include <stddef.h>

enum { THREADS = 4, ROUNDS = 400 };

/* BENCH's functions take no argument, so what they share stands here. */
static struct {
    struct barrier *barrier;
    long sums[THREADS]; /* of the indices of each thread; each writes its own */
} shared;

static void setup(void)
{
    bench_require(barrier_create(&shared.barrier, THREADS, NULL, NULL, -1) == 0, "barrier_create returned an error.");
}

static void *meet(void *argument)
{
    long *sum = argument;

    *sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        long index = -1;
        barrier_wait(shared.barrier, -1, &index);
        *sum += index;
    }
    return NULL;
}

static void run(void)
{
    pthread_t threads[THREADS];
    long sum = 0;

    for (int i = 0; i < THREADS; i++)
        bench_require(pthread_create(&threads[i], NULL, meet, &shared.sums[i]) == 0,
                      "The bench could not start a thread.");
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += shared.sums[i];
    }
    bench_require(sum == (long)ROUNDS * (0 + 1 + 2 + 3), "The indices of a round should be 0 to 3, each once.");
}

static void teardown(void)
{
    barrier_destroy(shared.barrier);
}

BENCH = {.name = "four threads meet", .setup = setup, .run = run, .teardown = teardown};
