/* order.h - one order for the detectors, every order for the explorer.
 *
 * A detector sees one run. A mistake that only some orders bring out (a wake-up that is lost between two steps, or that
 * goes to the wrong thread) would be met there now and then: by luck, and differently on a loaded machine. So a
 * scenario for such a mistake keeps to an order that is harmless, with these, while the explorer, for which they do
 * nothing, tries all of them. What they order is hidden from the detectors, as gates are.
 */
#ifndef HARNESS_ORDER_H
#define HARNESS_ORDER_H

#include "gate.h"

#include <stddef.h>
#include <time.h>

#ifdef INTERLEAVE

static inline void order_pass(struct gate *gate)
{
    (void)gate;
}

static inline void order_until_asleep(void) {}

/* The explorer's clock goes on when nobody else can; or else at the price of a preemption, and it has fewer than 8. */
static inline void order_surely_asleep(void)
{
    const struct timespec instant = {0, 1};

    for (int i = 0; i < 8; i++)
        nanosleep(&instant, NULL);
}

#else

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Blocks until the gate is open. */
static inline void order_pass(struct gate *gate)
{
    gate_pass(gate);
}

/* Whether a thread of this process sleeps in the kernel (or has ended meanwhile). */
static inline bool order_sleeps(const char *tid)
{
    char path[64], text[256] = "";

    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    const char *name_end = size > 0 ? strrchr(text, ')') : NULL; /* "12 (a name) S …": the state stands behind it */
    return name_end == NULL || name_end[1] == '\0' || name_end[2] != 'R';
}

/* How many other threads of this process run or want to. */
static inline int order_awake(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int awake = 0;

    if (tasks == NULL)
        return 0;
    for (struct dirent *entry = readdir(tasks); entry != NULL; entry = readdir(tasks)) // NOLINT(concurrency-mt-unsafe)
        if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) != syscall(SYS_gettid))
            awake += order_sleeps(entry->d_name) ? 0 : 1;
    closedir(tasks);
    return awake;
}

/* Blocks until every other thread of this process sleeps: ten looks in a row, with pauses, find it so. */
static inline void order_until_asleep(void)
{
    const struct timespec pause = {0, 200 * 1000};

    for (int calm = 0; calm < 10;) {
        nanosleep(&pause, NULL);
        calm = order_awake() == 0 ? calm + 1 : 0;
    }
}

/* The same, and for the explorer too: what comes next happens while the others wait, in every interleaving. */
static inline void order_surely_asleep(void)
{
    order_until_asleep();
}

#endif
#endif
