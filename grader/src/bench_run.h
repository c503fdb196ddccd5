/* bench_run.h - runs a bench program once and reads what it measured. */
#ifndef GRADE_BENCH_RUN_H
#define GRADE_BENCH_RUN_H

#include "fault.h"
#include "toolchain.h"

#include <stdbool.h>

struct bench_times {
    double wall_s;       /* of the fastest run */
    double cpu_s;        /* of the run that took the least processor time */
    double all_cpu_s;    /* of the whole program, start and set-up included */
    const char *problem; /* why there are no times: one sentence about the program under test; NULL: there are */
    const char *detail;  /* what the program wrote, where that helps; or NULL */
    bool starved;        /* it came to its wall limit without having had its share of the processors */
};

/* Runs `program` (made with toolchain_link) for `runs` runs, with `cpu_limit_s` of processor time for all of it
 * (0: 60 s). Blocks until done. A program that cannot be started is a fault; one that crashes, hangs, ends early or
 * finds its own result wrong is a problem. */
int bench_run(void *context, struct workshop *shop, const char *program, int runs, double cpu_limit_s,
              struct bench_times *times, struct fault *fault);

#endif
