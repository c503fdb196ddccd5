/* bench.c - an owner counts, as almost all of a program's threads do almost all of the time. */
#include "bench.h"

#include "biased_refcount.h"

#include <stddef.h>

enum { ROUNDS = 4000000 };

static struct biased_refcount_threads *threads;
static struct biased_refcount_thread *me;
static struct biased_refcount *object;
static int ended;

static void count_end(void *value)
{
    ++*(int *)value;
}

static void setup(void)
{
    bench_require(biased_refcount_threads_create(&threads) == 0, "biased_refcount_threads_create returned an error");
    bench_require(biased_refcount_join(threads, &me) == 0, "biased_refcount_join returned an error");
    bench_require(biased_refcount_create(me, count_end, &ended, &object) == 0, "biased_refcount_create failed");
}

static void run(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        biased_refcount_incref(me, object);
        biased_refcount_decref(me, object);
    }
    bench_require(biased_refcount_count(object) == 1, "as many references were given up as counted, and not 1 is left");
}

static void teardown(void)
{
    biased_refcount_decref(me, object);
    bench_require(ended == 1, "the last reference was given up, and the object did not end once");
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

BENCH = {.name = "4,000,000 references of the owner", .setup = setup, .run = run, .teardown = teardown};
