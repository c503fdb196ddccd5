/* patience.c - sleeping for a short time that grows, and that is another one in each thread. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* region pause */
/* Sleeps for a random time below `bound_us` microseconds. `seed` is the thread's own, and rand_r changes it. */
static void pause_below(long bound_us, unsigned *seed)
{
    struct timespec pause = {0, rand_r(seed) % (bound_us * 1000)}; /* seconds, nanoseconds */

    nanosleep(&pause, NULL);
}
/* end pause */

int main(void)
{
    unsigned seed = (unsigned)(uintptr_t)&seed; /* the address of a local variable: every thread has another */

    for (long bound_us = 10; bound_us <= 1000; bound_us *= 2)
        pause_below(bound_us, &seed);
    puts("seven pauses, each about twice as long as the last");
    return 0;
}
