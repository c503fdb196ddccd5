/* pool.h - many gradings, each in a process of its own, some at a time.
 *
 * A worker that crashes or vanishes costs only its own grading: that verdict is broken and says so.
 */
#ifndef GRADE_POOL_H
#define GRADE_POOL_H

#include "course.h"
#include "fault.h"
#include "finding.h"
#include "grade.h"

#include <stdbool.h>
#include <stddef.h>

/* One grading to do. Of the request, work_dir, lanes, stage_begun, test_failed and stage_context are the pool's to set;
 * a cache_dir of NULL is ROOT/build/cache. */
struct job {
    const struct exercise *exercise;
    struct request request;
};

/* What to do, and whom to tell. All callbacks are made in the caller's own process and thread, one at a time. */
struct pool {
    const struct course *course;
    const struct job *jobs;
    size_t job_count;
    int at_once; /* workers at a time; at least 1 */

    void *callback_context;
    /* A job begins a stage. Comes as it happens, in no order of jobs. Or NULL. */
    void (*stage_begun)(void *callback_context, size_t job, const char *stage);
    /* A test of a job has failed, the first that did; comes while the others still run. Or NULL. */
    void (*test_failed)(void *callback_context, size_t job, const char *test);
    /* A job is done, in the order of the jobs, as early as that order allows. The verdict belongs to the pool and goes
     * after the call: copy what must stay. Returns false to have everything stopped. */
    bool (*done)(void *callback_context, size_t job, const struct verdict *verdict);
    /* When wake_fd becomes readable (-1: never), this is called; false stops everything. Or NULL. */
    int wake_fd;
    bool (*woken)(void *callback_context);
    /* What a worker does: NULL is grade_one. Tests put another here. */
    int (*grade)(void *context, const struct course *course, const struct exercise *exercise,
                 const struct request *request, struct verdict *verdict, struct fault *fault);
    /* Called about every 100 ms while anything runs, for a clock on the screen. Or NULL. */
    void (*tick)(void *callback_context);
};

enum pool_end {
    POOL_DONE,        /* every job has had its verdict */
    POOL_STOPPED,     /* a callback said so */
    POOL_INTERRUPTED, /* SIGINT, SIGTERM or SIGHUP came; *signal_number says which */
    POOL_FAILED,      /* the grader could not go on (no place to work, a full disk); the fault says why */
};

/* Runs all jobs. Blocks until done; however it ends, no worker, no child of one and no work folder is left, and the
 * signal mask is as it was. Not to be called from two threads. `signal_number` may be NULL. */
enum pool_end pool_run(void *context, const struct pool *pool, int *signal_number, struct fault *fault);

/* A copy of a verdict, all of it owned by `context`. */
struct verdict *verdict_copy(void *context, const struct verdict *verdict);

#endif
