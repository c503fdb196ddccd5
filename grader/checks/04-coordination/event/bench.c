/* bench.c - two threads that wake each other in turn, and one that has an event for itself. */
#include "bench.h"
#include "event.h"

#include <pthread.h>
#include <stddef.h>

enum { ROUNDS = 1000, ALONE = 40000 };

/* BENCH's functions take no argument, so what they share stands here. */
static struct {
    struct event *ping, *pong;
} shared;

static void setup(void)
{
    bench_require(event_create(&shared.ping) == 0 && event_create(&shared.pong) == 0,
                  "event_create returned an error.");
}

static void *answer(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        event_wait(shared.ping, -1);
        event_clear(shared.ping);
        event_set(shared.pong);
    }
    return unused;
}

static void run(void)
{
    pthread_t thread;

    bench_require(pthread_create(&thread, NULL, answer, NULL) == 0, "The bench could not start a thread.");
    for (int i = 0; i < ROUNDS; i++) {
        event_set(shared.ping);
        bench_require(event_wait(shared.pong, -1) == 0, "event_wait without a time-out returned an error.");
        event_clear(shared.pong);
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < ALONE; i++) {
        event_set(shared.ping);
        bench_require(event_wait(shared.ping, -1) == 0 && event_is_set(shared.ping), "A set event is not set.");
        event_clear(shared.ping);
    }
}

static void teardown(void)
{
    event_destroy(shared.ping);
    event_destroy(shared.pong);
}

BENCH = {.name = "two threads wake each other", .setup = setup, .run = run, .teardown = teardown};
