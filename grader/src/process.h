/* process.h - what /proc tells about processes and their threads.
 *
 * Everything here is a snapshot: a process may be gone, or another, by the time the caller looks at the answer. What
 * must be certain is made so by who asks: a child that nobody has waited for keeps its number. Nothing blocks; any
 * thread.
 */
#ifndef GRADE_PROCESS_H
#define GRADE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pid_list {
    pid_t *pids; /* owned by the context it was filled with */
    size_t count;
    size_t room;
};

struct process_stat {
    pid_t parent;
    pid_t group;
    pid_t session;
    char state;                       /* R, S, D, T, t, Z, X, … as in proc(5) */
    double cpu_s;                     /* user and system, of its threads and of the children it has waited for */
    double own_cpu_s;                 /* of its threads only */
    unsigned long long started_ticks; /* since the machine's start */
};

void pid_list_add(void *context, struct pid_list *list, pid_t pid);
bool pid_list_has(const struct pid_list *list, pid_t pid);

/* Of a process, or of one thread of it (tid 0: the process). False where it is gone. */
bool process_stat(pid_t pid, pid_t tid, struct process_stat *stat);

/* Adds the threads of a process, in the order in which the kernel lists them: the first is the process itself. */
void process_threads(void *context, pid_t pid, struct pid_list *list);

/* Lets go of the threads of a process that this one still traces (ptrace), as after reading the stacks of a process
 * that ended meanwhile: a traced thread that has died stays until its tracer has heard of it, and with it its process.
 * The process's own end is left to whoever waits for that. Blocks for milliseconds at most. */
void process_let_go(pid_t pid);

/* Adds the direct children of a process, zombies included. */
void process_children(void *context, pid_t pid, struct pid_list *list);

/* Adds `pid` and all its descendants, where the list does not have them yet. */
void process_tree(void *context, pid_t pid, struct pid_list *list);

/* The processor time of all of them, as in struct process_stat; who is gone has none. */
double process_cpu_s(const struct pid_list *list);

#endif
