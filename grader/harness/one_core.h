/* one_core.h - what Criterion does between two tests stays on one core; a test has all of them.
 *
 * Theory: Criterion's runner and the process of a test talk to each other, some ten messages a test, each by several
 * threads in turn. None of that goes on side by side, and what wakes a thread on another core has to interrupt it
 * there, which on a virtual machine costs more than the message. So the runner stays on the core that it is on when it
 * begins, and a test's process begins there too; before the first line of the test its thread gets back the cores that
 * the runner had, with it all that it starts, and after the last line returns. Where the cores cannot be told or chosen
 * nothing happens, and nothing but the cost depends on it. tests only: nobody else includes this.
 */
#ifndef INTERLEAVE_ONE_CORE_H
#define INTERLEAVE_ONE_CORE_H

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE_CORE_VARIABLE "INTERLEAVE_CORES"

/* The runner's: stays where it is, and says to the tests' processes, in the environment, what it could have had. */
static inline void one_core_stay(void)
{
    cpu_set_t all, one;
    char text[2 * sizeof all + 1];
    int here = sched_getcpu();

    if (here < 0 || here >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    CPU_ZERO(&one);
    CPU_SET(here, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        return;
    for (size_t i = 0; i < sizeof all; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)&all)[i]);
    setenv(ONE_CORE_VARIABLE, text, 1);
}

/* A test's: all cores that the runner had for this thread and those it starts. `*one` is what one_core_return() needs.
 * Takes what the runner said out of the environment. */
static inline void one_core_leave(cpu_set_t *one)
{
    const char *text = getenv(ONE_CORE_VARIABLE);
    cpu_set_t all;
    unsigned byte = 0;

    CPU_ZERO(one);
    if (text == NULL || sched_getaffinity(0, sizeof *one, one) != 0)
        return;
    for (size_t i = 0; i < sizeof all && sscanf(text + 2 * i, "%2x", &byte) == 1; i++)
        ((unsigned char *)&all)[i] = (unsigned char)byte;
    sched_setaffinity(0, sizeof all, &all);
    unsetenv(ONE_CORE_VARIABLE);
}

/* A test's: back, after its last line. */
static inline void one_core_return(const cpu_set_t *one)
{
    if (CPU_COUNT(one) > 0)
        sched_setaffinity(0, sizeof *one, one);
}

#endif
