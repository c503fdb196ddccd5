/* interleave_run.h - scenarios through build/interleave, and what it told.
 *
 * All belongs to the context given. Every call blocks until the explorer has ended; one at a time in a process.
 */
#ifndef GRADE_INTERLEAVE_RUN_H
#define GRADE_INTERLEAVE_RUN_H

#include "interleaving.h"
#include "toolchain.h"

struct listed_scenario {
    const char *name;
    const char *story; /* who does what, in one clause */
};

/* What to do with a scenario. The budgets are counts of interleavings: no result depends on how fast the machine is. */
struct explore_spec {
    const char *program;                    /* of PROGRAM_EXPLORED */
    const struct listed_scenario *scenario; /* the first of them */
    size_t count;                           /* how many, one after another as they are listed */
    int runs;
    int preemptions;
    bool spurious, faults;
    const char *order; /* only this one, as it stands behind the ':' of a token; or NULL */
};

enum explore_end {
    EXPLORE_NOTHING, /* found: `proof` says what was run */
    EXPLORE_FOUND,   /* `order` says how it goes wrong */
    EXPLORE_CANNOT,  /* it cannot be explored: `trouble` says why, in one line */
    EXPLORE_STARVED, /* the machine did not give it the time */
};

struct explored {
    enum explore_end end;
    struct proof proof;
    struct interleaving *order; /* NULL unless found */
    const char *what;           /* found: what happened, a sentence without capital and full stop */
    const char *why;            /* found: the explorer's own sentence on it, where it knows the pattern; or NULL */
    const char *file;           /* found: where it showed, base name or NULL */
    int line;
    int thread, other; /* found: who was at it; of a race, the other; 0: none */
    const char *trouble;
    double cpu_s;
};

/* Explores them in one process, up to and with the first where something else than EXPLORE_NOTHING comes of it, and
 * writes what did to `explored`, which has room for all: in their order, and nothing behind that first one. 0, or -1
 * with a fault where the explorer is not to be had. */
int interleave_run(void *context, struct workshop *shop, const struct explore_spec *spec, struct explored *explored,
                   struct fault *fault);

/* What the exercise asks for: spec->runs and all below it, from exercise.ini. */
void interleave_spec_of(const struct exercise *exercise, struct explore_spec *spec);

/* The scenarios of the exercise as the explorer sees them; asked of the program with the reference in it (`reference`),
 * and kept. Ends with a NULL name. */
int interleave_list(void *context, struct workshop *shop, const char *reference, struct listed_scenario **scenarios,
                    struct fault *fault);

/* What interleave --json wrote of one scenario (grader/explore/trace.schema.json), into proof, order and the sentences.
 * -1 where it is no such thing: the text is cut, or not the explorer's. `shop` says whose the lines are. */
int interleave_read(void *context, const struct workshop *shop, const struct listed_scenario *scenario,
                    const char *text, struct explored *explored);

#endif
