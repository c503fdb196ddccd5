/* stacks.h - where each thread of a process stands, read from outside with elfutils' libdw.
 *
 * Theory: libdw attaches to the threads one after another (ptrace(2)), unwinds each by its call frame information, and
 * lets them go. The process must be a descendant of the grader's; it is not ended, though a thread that sleeps in the
 * kernel may come out of its call for a moment: who reads stacks has already seen what he wanted to see, and ends the
 * process soon.
 */
#ifndef GRADE_STACKS_H
#define GRADE_STACKS_H

#include "fault.h"
#include "trace.h"

#include <stddef.h>
#include <sys/types.h>

struct thread_stack {
    pid_t tid;
    struct trace trace; /* innermost frame first; empty where it could not be read */
};

struct stacks {
    struct thread_stack *threads; /* in the kernel's order: the main thread first, then by start */
    size_t count;
};

/* All belongs to `context`. A thread that ends meanwhile is left out. A fault where the process cannot be read at all:
 * it is gone, or the system does not let us. Blocks only as long as reading takes. */
int stacks_read(void *context, pid_t pid, struct stacks *stacks, struct fault *fault);

#endif
