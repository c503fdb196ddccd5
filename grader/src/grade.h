/* grade.h - one submission of one exercise, through all stages, to one verdict.
 *
 * build, rules, tests, memory, races, interleavings, timing, in this order; a stage that fails ends the way, and what
 * would have followed is skipped with the reason "after races". A stage that the exercise gives no points is no part of
 * the verdict, nor is one that was not asked for.
 */
#ifndef GRADE_GRADE_H
#define GRADE_GRADE_H

#include "course.h"
#include "fault.h"
#include "finding.h"
#include "lanes.h"

#include <stdbool.h>

/* What is asked of one grading. */
struct request {
    const char *tree;      /* the folder the student's file is looked for in; NULL: ROOT/exercises */
    const char *source;    /* this file instead, whatever its name; or NULL */
    bool own;              /* what the exercise is built on comes from the same tree, not from the references */
    int explore_runs;      /* `grade explore`: this budget for each scenario, and no end at the first finding; else 0 */
    const char *replay;    /* `grade replay`: this token, and nothing else of the stage interleavings; or NULL */
    const char *student;   /* goes into the verdict; or NULL */
    unsigned stages;       /* a bit (1u << id) for each stage to run; build always runs */
    bool first_failure;    /* one test that fails is enough: those after it in Criterion's order are not run */
    const char *work_dir;  /* absolute; the grading makes a folder of its own in it and removes that again */
    const char *cache_dir; /* absolute; is made where it is missing */
    const char *const *tests_env; /* NULL-terminated variables that the tests program finds beside the usual; or NULL */
    struct lane_share lanes;      /* what it may take beside its own lane */
    void (*stage_begun)(void *context, const char *stage); /* as each stage begins; or NULL */
    void (*test_failed)(void *context, const char *test);  /* the first test that fails, as soon as it has; or NULL */
    void *stage_context;                                   /* of both */
};

/* Grades. The verdict is always whole and belongs to `context`. Where the grader could not do its work the verdict is
 * OUTCOME_BROKEN with the reason, `fault` has the same line, and -1 is returned; else 0. A file that is not there is
 * the student's failure ("no submission"), no fault. Blocks until done; one at a time in a process, which may start
 * others beside it. In the program it
 * is called by pool.c only, in a process of its own. */
int grade_one(void *context, const struct course *course, const struct exercise *exercise,
              const struct request *request, struct verdict *verdict, struct fault *fault);

/* A verdict that says that the grader could not do its work on this exercise. Belongs to `context`. */
void grade_broken(void *context, const struct exercise *exercise, const struct request *request, const char *reason,
                  struct verdict *verdict);

/* Where a tree may have the file of an exercise, in the order it is looked for, relative to the tree; NULL-terminated.
 */
const char **grade_places(void *context, const struct exercise *exercise);

#endif
