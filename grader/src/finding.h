/* finding.h - what a stage found, and the verdict that all stages make together.
 *
 * Stages make these; reports read them; nobody else changes them. Everything hangs on the verdict's memory context.
 */
#ifndef GRADE_FINDING_H
#define GRADE_FINDING_H

#include "interleaving.h"

#include <stdbool.h>
#include <stddef.h>

enum outcome {
    OUTCOME_PASSED,
    OUTCOME_FAILED,       /* the student's fault: loses the stage's points */
    OUTCOME_INCONCLUSIVE, /* the machine was too busy to tell: costs nothing, is said aloud */
    OUTCOME_SKIPPED,      /* not run, for the reason given: an earlier stage failed, or one core only */
    OUTCOME_BROKEN,       /* the grader's own fault: no verdict on the student */
};

/* Lower case, as it stands in the JSON: "passed", "failed", "inconclusive", "skipped", "broken". */
const char *outcome_name(enum outcome outcome);

enum severity {
    SEVERITY_NOTE,    /* worth knowing; costs nothing (a warning of the compiler that is no error) */
    SEVERITY_FAILURE, /* wrong */
};

/* One place that a finding points at. */
struct place {
    const char *file;    /* base name ("counter.c"), or NULL where unknown */
    int line;            /* from 1; 0 where unknown */
    const char *excerpt; /* that source line without its indentation, or NULL */
    const char *who;     /* "thread 2", or NULL */
    const char *note;    /* "holding c->mutex (taken at line 23)", or NULL */
};

struct finding {
    enum severity severity;
    const char *what; /* what happened: one sentence, capitalised, with its full stop */
    struct place *places;
    size_t place_count;
    const char *why;    /* why that is wrong: one sentence or two, or NULL where `what` says it all */
    const char *detail; /* lines to print as they are (the student's output, the compiler's words), or NULL */
    const struct interleaving *order; /* who did what until it went wrong, where the explorer found it; or NULL */
    const char *read; /* the section to read: "02-locks#critical-section"; NULL: the exercise's own section */
};

struct stage_result {
    const char *stage; /* "build", "rules", "tests", "memory", "races", "interleavings", "timing" */
    enum outcome outcome;
    const char *reason; /* why skipped, inconclusive or broken; NULL otherwise */
    struct finding *findings;
    size_t finding_count;
    int points;           /* what it earned */
    int max_points;       /* what it could earn; 0 for build and rules, which are conditions */
    int checks;           /* how many things it checked (tests run, scenarios run); 0 where that means nothing */
    struct proof *proofs; /* what the explorer proved, scenario by scenario */
    size_t proof_count;
    double wall_s;
    double cpu_s; /* of the children it ran */
};

struct verdict {
    const char *exercise; /* "02-locks/counter" */
    const char *title;
    const char *student; /* the folder's name when grading submissions; NULL otherwise */
    const char *source;  /* the file that was graded, as the user would name it */
    enum outcome outcome;
    bool missing;       /* nothing was handed in: failed, and no stage has run */
    const char *reason; /* why broken, or NULL */
    int points;
    int max_points;
    struct stage_result *results; /* in the order of the stages */
    size_t result_count;
    double wall_s;
    double cpu_s;
};

/* Adds an empty finding of that severity to `result` and returns it for the caller to fill in; it stays where it is
 * only until the next is added. `context` owns it. */
struct finding *finding_add(void *context, struct stage_result *result, enum severity severity, const char *what);

/* Adds a place to `finding` and returns it, likewise. `file` and the texts are copied. */
struct place *finding_place(void *context, struct finding *finding, const char *file, int line);

/* The outcome of that name; -1 where there is none. */
int outcome_of(const char *name);

/* Sets outcome, points and sums of a verdict from its stage results: broken if any stage is broken, else failed if any
 * failed, else inconclusive if any counted stage is, else passed. Inconclusive and skipped-with-reason stages of an
 * otherwise passing verdict earn their points in full. */
void verdict_conclude(struct verdict *verdict);

#endif
