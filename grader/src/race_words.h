/* race_words.h - a data race in a teacher's words, whichever detector saw it.
 */
#ifndef GRADE_RACE_WORDS_H
#define GRADE_RACE_WORDS_H

#include "finding.h"
#include "scenario_run.h"
#include "trace.h"

#include <stdbool.h>
#include <stddef.h>

enum { RACE_LOCKS_MAX = 8 };

/* One of the two accesses. */
struct race_side {
    const struct trace *trace;   /* NULL: the detector does not know it any more */
    int thread;                  /* the detector's number */
    bool root;                   /* it is the main thread */
    const struct trace *created; /* where that thread was started, or NULL */
    bool write;
    int held; /* how many locks it held; -1 where that is not known */
    const struct trace
        *locks[RACE_LOCKS_MAX]; /* where the detector first saw each of them; NULL where it does not say */
};

struct race {
    struct race_side sides[2];
    const struct trace *block; /* where the memory was allocated, or NULL */
    const char *global;        /* the variable's name, where the detector knows it, or NULL */
};

/* Both accesses lie on the same pair of lines, in whichever order. */
bool race_words_same(const struct workshop *shop, const struct race *one, const struct race *other);

/* True where a line of the student's is in either stack. */
bool race_words_student_in(const struct workshop *shop, const struct race *race);

/* Adds the finding. `run` names the scenario it was seen in. */
void race_words_add(void *context, const struct workshop *shop, const struct scenario_run *run, const struct race *race,
                    struct stage_result *result);

/* What `trace` visibly held there, to stand behind the place: "holding nothing", "holding c->mutex (taken at line 23)",
 * "holding 2 locks"; NULL where nothing is known. */
const char *race_words_holding(void *context, const struct workshop *shop, const struct race_side *side);

#endif
