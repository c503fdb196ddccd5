/* starvation.h - whether a program that did not end in time was given the time.
 *
 * Theory: Linux counts for every thread how long it was runnable and had to wait for a processor (the second number of
 * /proc/PID/task/TID/schedstat, Documentation/scheduler/sched-stats). A program that slept, or waited for ever, hardly
 * waited for a processor; one that a busy machine kept from running did little else. So the two are told apart by what
 * it was kept waiting, never by how little it did.
 */
#ifndef GRADE_STARVATION_H
#define GRADE_STARVATION_H

#include "child.h"

#include <stdbool.h>
#include <sys/types.h>

struct starvation {
    double delayed_s; /* what the threads that were there at the last look had waited for a processor, in sum */
};

/* What the threads of the process that are there now have waited for a processor, in sum; 0 where it has ended. */
double starvation_delay_s(pid_t pid);

/* Looks, once the process has run long enough (5 s) for it to matter. For a child's watch function. Does not block. */
void starvation_look(struct starvation *starvation, pid_t pid, double running_s);

/* Whether a child that ended in this way, with this limit of processor time, was starved: it came to its wall limit,
 * had not used a third of its processor time, and had been kept waiting for more than half of the time it ran. */
bool starvation_found(const struct starvation *starvation, const struct child_result *result, double cpu_limit_s);

#endif
