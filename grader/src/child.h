/* child.h - the one function that starts every child process.
 *
 * Compilers, tests, detectors and the timed programs all go through child_run(). Isolation of strangers' code will be
 * put here, and nowhere else: what runs a student's code says so in `strange`.
 */
#ifndef GRADE_CHILD_H
#define GRADE_CHILD_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum child_end {
    CHILD_EXITED,
    CHILD_SIGNALLED,
    CHILD_TIMED_OUT,        /* over the wall limit; it was killed */
    CHILD_OVER_CPU,         /* over the CPU limit; it was killed */
    CHILD_FLOODED,          /* wrote more than the cap; it was killed, and the output cut */
    CHILD_SWARMED,          /* more processes than `processes`; all were killed */
    CHILD_STOPPED_BY_WATCH, /* the watch function asked for it */
};

struct child_run; /* a child that is running, as the watch function sees it */

struct child_spec {
    const char *const *argv; /* argv[0] is looked up in PATH */
    const char *const *env;  /* NULL-terminated; NULL: a small clean environment (PATH, HOME, LC_ALL=C.UTF-8, TMPDIR) */
    const char *const *more_env; /* NULL-terminated: beside that small environment; or NULL */
    const char *cwd;             /* NULL: the grader's */
    bool strange;                /* runs code that a student wrote */
    bool merge_output;           /* standard error goes where standard output goes */
    bool fixed_addresses;        /* no address randomisation (sanitizers, instruction counts) */
    size_t output_cap;           /* bytes kept of each stream; 0: 1 MiB */
    double wall_limit_s;         /* 0: 60 */
    double cpu_limit_s;          /* of the whole tree, as sampled; 0: none */
    long memory_mb;              /* RLIMIT_DATA; 0: none */
    long file_mb;                /* RLIMIT_FSIZE; 0: 64 */
    int processes;               /* of the whole tree; 0: 64 */
    const int *keep_fds; /* descriptors that stay open across exec, by the same number; -1 ends the list; or NULL */

    /* Called every `watch_interval_s` (0: never) while it runs; returns false to have it killed. */
    bool (*watch)(void *context, pid_t pid, double running_s);
    void *watch_context;
    double watch_interval_s;
};

struct child_result {
    enum child_end end;
    int status; /* exit status, or signal number */
    char *out;  /* what it wrote, with a NUL behind it; owned by the context given */
    size_t out_size;
    char *err;
    size_t err_size;
    bool cut; /* output was cut at the cap */
    double wall_s;
    double cpu_s; /* user and system, of it and all it waited for */
};

/* Starts, feeds nothing, reads both streams, waits, ends every process that is left of it. Blocks until then; one at a
 * time in a process (the grader's workers are processes). A program that cannot be started is a fault, never a
 * result. A SIGINT or SIGTERM to the grader ends the child and comes back as a fault "interrupted". */
int child_run(void *context, const struct child_spec *spec, struct child_result *result, struct fault *fault);

/* "ended by signal 11 (Segmentation fault)", "exit status 3", … in `context`. */
char *child_end_text(void *context, const struct child_result *result);

#endif
