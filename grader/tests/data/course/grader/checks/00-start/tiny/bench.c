/* bench.c - one thread adds many times. */
#include "tiny.h"

#include "bench.h"

#include <stddef.h>

enum { ADDS = 200000 };

static struct tiny *tiny;
static long expected;

static void setup(void)
{
    bench_require(tiny_create(&tiny) == 0, "tiny_create returned an error.");
}

static void run(void)
{
    for (int i = 0; i < ADDS; i++)
        tiny_add(tiny, 1);
    expected += ADDS;
    bench_require(tiny_value(tiny) == expected, "The total is not the sum of what was added.");
}

static void teardown(void)
{
    tiny_destroy(tiny);
    tiny = NULL;
}

BENCH = {.name = "200,000 additions by one thread", .setup = setup, .run = run, .teardown = teardown};
