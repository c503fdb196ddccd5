/* timed.c - a bench for test_harness.c. With -DWRONG its third run gives a wrong answer. */
#include "bench.h"

static int runs;
static int ready;

static void setup(void)
{
    ready = 1;
}

static void run(void)
{
    bench_require(ready == 1, "setup() has not run");
    runs++;
#ifdef WRONG
    bench_require(runs < 3, "The third sum is wrong.");
#endif
}

BENCH = {.name = "nothing", .setup = setup, .run = run};
