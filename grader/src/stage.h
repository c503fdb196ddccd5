/* stage.h - the one shape that every stage has.
 *
 * A stage takes a submission (its workshop) and gives findings; it knows no other stage. grade.c runs them in order and
 * stops at the first that fails.
 */
#ifndef GRADE_STAGE_H
#define GRADE_STAGE_H

#include "finding.h"
#include "toolchain.h"

struct stage {
    enum stage_id id;
    const char *name;
    /* Fills result->outcome, reason, findings and checks; times and points are grade.c's. Returns -1 with a fault
     * where the grader could not do its work. Everything it keeps hangs on `context`. */
    int (*run)(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);
};

int stage_build(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);
int stage_rules(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);
int stage_tests(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);
int stage_memory(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);
int stage_races(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);
int stage_interleavings(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);
int stage_timing(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);

/* Runs a stage as far as it comes, and says in `result` too what time it took, and, where the grader could not do its
 * work, that it is broken and why; then -1 with the fault, else 0. */
int stage_run(void *context, struct workshop *shop, const struct stage *stage, struct stage_result *result,
              struct fault *fault);

/* Whether nothing that comes after such a result counts. */
bool stage_stops(const struct stage_result *result);

/* In the order they run. */
extern const struct stage stages[STAGE_COUNT];

#endif
