/* bench.c - permits that come one at a time, to 32 threads that sleep. */
#include "bench.h"
#include "semaphore.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { THREADS = 32, PERMITS = 600, ALONE = 20000 };

/* BENCH's functions take no argument, so what they share stands here. */
static struct {
    struct semaphore *work, *done;
    bool end; /* written before the last permits, read after them */
    pthread_t threads[THREADS];
} shared;

static void *answer(void *unused)
{
    for (;;) {
        semaphore_acquire(shared.work, true, -1);
        if (shared.end)
            return unused;
        semaphore_release(shared.done, 1);
    }
}

static void setup(void)
{
    bench_require(semaphore_create(&shared.work, 0) == 0 && semaphore_create(&shared.done, 0) == 0,
                  "semaphore_create returned an error.");
    for (int i = 0; i < THREADS; i++)
        bench_require(pthread_create(&shared.threads[i], NULL, answer, NULL) == 0,
                      "The bench could not start a thread.");
}

static void run(void)
{
    for (int i = 0; i < PERMITS; i++) {
        bench_require(semaphore_release(shared.work, 1) == 0, "semaphore_release returned an error.");
        bench_require(semaphore_acquire(shared.done, true, -1) == 0, "semaphore_acquire returned an error.");
    }
    for (int i = 0; i < ALONE; i++) {
        semaphore_release(shared.done, 1);
        semaphore_acquire(shared.done, true, -1);
    }
    bench_require(semaphore_value(shared.done) == 0 && semaphore_value(shared.work) == 0,
                  "As many permits were taken as were released, and a value is not 0.");
}

static void teardown(void)
{
    shared.end = true;
    semaphore_release(shared.work, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_join(shared.threads[i], NULL);
    semaphore_destroy(shared.work);
    semaphore_destroy(shared.done);
}

BENCH = {.name = "permits for 32 sleeping threads", .setup = setup, .run = run, .teardown = teardown};
