/* stages_aside.h - stages that need nothing of each other, side by side.
 *
 * What the memory, the races and the interleavings find is each its own: each compiles and runs what it needs under
 * names of its own. They come after the tests, which most submissions fail at, and whose answer is to be there soon.
 * Which of them counts is decided by their order, as if they had been run one after the other.
 */
#ifndef GRADE_STAGES_ASIDE_H
#define GRADE_STAGES_ASIDE_H

#include "lanes.h"
#include "stage.h"

struct side_stage {
    const struct stage *stage;
    struct stage_result *result; /* with its name and points; is filled in */
};

struct side_by_side {
    struct workshop *shop; /* with the lanes */
    struct side_stage *stages;
    size_t count;
    void (*begun)(void *context, const char *stage); /* as each begins; or NULL */
    void *begun_context;
};

/* Runs each in a process of its own, so many at a time as there are lanes to be had beside the caller's, until all are
 * done or what has failed leaves only later ones. `*counted` says how many results count: all, or those up to and with
 * the first that failed or is broken. 0, or -1 with a fault where the grader could not do its work; then the last that
 * counts says so too. All belongs to `context`. */
int stages_side_by_side(void *context, const struct side_by_side *side, size_t *counted, struct fault *fault);

#endif
