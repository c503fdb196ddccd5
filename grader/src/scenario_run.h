/* scenario_run.h - runs a scenario program once, natively or under a detector, and reads what it told.
 *
 * What the program tells stands in harness/report.h. All belongs to the context given.
 */
#ifndef GRADE_SCENARIO_RUN_H
#define GRADE_SCENARIO_RUN_H

#include "fault.h"
#include "hang.h"
#include "toolchain.h"

#include <stdbool.h>
#include <stddef.h>

enum { SCENARIOS_MAX = 256, REMAINS_MAX = 64 };

struct scenario_state {
    const char *name;
    const char *story;
    bool begun;
    bool ended;
};

enum remain_kind {
    REMAIN_UNJOINED,   /* a thread neither joined nor detached; `text` is "file.c:12" or "" */
    REMAIN_THREAD,     /* a thread that is still there; `text` is its state: "S" sleeps, "R" runs */
    REMAIN_DESCRIPTOR, /* an open descriptor; `text` is what it is, `number` its number */
};

/* Something that a scenario left behind. */
struct remain {
    enum remain_kind kind;
    const struct scenario_state *scenario;
    const char *text;
    long number;
};

struct scenario_spec {
    const char *program;       /* made with toolchain_link */
    const char *const *prefix; /* what runs it (valgrind and its options), NULL-terminated; NULL: nothing */
    const char *const *env;    /* as in child_spec */
    const char *scenario;      /* only this one; NULL: all */
    bool fixed_addresses;
    long memory_mb;      /* RLIMIT_DATA; 0: none (the sanitizers map more than any limit) */
    long resident_mb;    /* more memory in use than this, as sampled, ends it; 0: no such limit */
    double cpu_limit_s;  /* 0: 20 */
    double wall_limit_s; /* 0: 60 */
};

struct scenario_run {
    struct child_result child;
    bool too_large;   /* it was ended for `resident_mb` */
    bool hung;        /* it was ended because nothing in it would ever have run again: proved, see stillness.h */
    struct hang hang; /* where its threads stood; empty under valgrind, whose own stacks say nothing */
    bool starved;     /* it came to its wall limit having waited for a processor most of the time */
    struct scenario_state *scenarios;
    size_t scenario_count;
    const struct scenario_state *current; /* the one that had begun and not ended when the program ended, or NULL */
    const char *failed_file;              /* an ensure() did not hold: base name; NULL: none */
    int failed_line;
    const char *failed_message;
    struct remain *remains;
    size_t remain_count;
    const char *trouble; /* the harness's own words where it could not do its work, or NULL */
    bool complete;       /* every scenario began and ended, and the last line carried the key */
};

/* Blocks until the program has ended. Returns -1 with a fault where it cannot be run at all, or the harness reported
 * trouble; whatever the program itself did is a result. */
int scenario_run(void *context, struct workshop *shop, const struct scenario_spec *spec, struct scenario_run *run,
                 struct fault *fault);

#endif
