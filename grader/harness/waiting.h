/* waiting.h - for tests.c: the time as a thread that waits sees it.
 *
 * A thread that has set `waits` is in a call that may wait. What its clock then shows is the test's to say: an hour is
 * lost while it slept, so that a wait whose end is worked out anew is seen to have no end; or the clock is behind until
 * it has slept, so that a time-out of an hour is over at once; or it stands at a chosen part of a second, so that a
 * carry is needed, or is not. And it is written down whether it asked the clock on the wall, which somebody may set.
 *
 * Theory: this header *defines* clock_gettime, so that it stands before the C library's for all that is linked into the
 * test program. It tells that a thread has slept by the student's calls of pthread_cond_timedwait, which exercise.ini
 * must wrap. The test sets what is below before such a thread starts, and takes it back when it is done. Include it in
 * tests.c and nowhere else, after defining _GNU_SOURCE.
 */
#ifndef HARNESS_WAITING_H
#define HARNESS_WAITING_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first #include: syscall is an extension"
#endif

#include "check.h"
#include "wrap.h"

#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Thread_local bool waits;
__attribute__((unused)) static bool asked_the_wall; /* written by one waiting thread, read when it has ended */
static bool hour_lost;                              /* to a thread that waits and has slept, it is an hour later */
static struct tally behind_s; /* how far the clock is behind for a waiting thread, until it has slept */
static long fraction_ns = -1; /* where not below 0, what the clock then shows below the second */
static long naps_before;      /* how often somebody had slept before */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int outcome = (int)syscall(SYS_clock_gettime, clock, now);
    bool slept = wrap_count(WRAP_pthread_cond_timedwait) > naps_before;

    if (!waits)
        return outcome;
    if (clock == CLOCK_REALTIME)
        asked_the_wall = true;
    if (hour_lost && slept)
        now->tv_sec += 3600;
    if (!slept) {
        now->tv_sec -= tally_read(&behind_s);
        now->tv_nsec = fraction_ns < 0 ? now->tv_nsec : fraction_ns;
    }
    return outcome;
}

/* Whether it ends although an hour was lost; its own time is a few milliseconds. Who works out a new end for his wait
 * finds it an hour away. */
__attribute__((unused)) static bool ends_in_time(struct runner *runner)
{
    for (int64_t over_us = now_us() + 5000000; now_us() < over_us && runner_state(runner) != RUNNER_DONE;)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return runner_state(runner) == RUNNER_DONE;
}

#endif
