/* stage_interleavings.c - does it go well in every order that the threads can take?
 *
 * Theory: the scenarios with the student's object in them are made into one program for build/interleave, which runs
 * each scenario in one order after another, few preemptions first, until something is found, all is run, or the budget
 * of interleavings is used. A budget is a count, so the answer is the same on every machine, however busy. The first
 * scenario in which something is found ends the stage. Then the reference runs the same scenario in the same way: that
 * says what is possible, and where it shows something too the grader is broken, not the student.
 */
#include "doctor.h"
#include "interleave_words.h"
#include "memory.h"
#include "scenario_program.h"
#include "stage.h"

#include <string.h>

enum { MORE_PREEMPTIONS = 2 }; /* of `grade explore`, whose budget is larger too */

struct exploring {
    void *context;
    struct workshop *shop;
    const char *student, *reference; /* programs */
    struct stage_result *result;
    struct fault *fault;
};

static int explore(const struct exploring *exploring, const char *program, const struct listed_scenario *scenario,
                   size_t count, struct explored *explored)
{
    struct explore_spec spec = {.program = program, .scenario = scenario, .count = count};

    interleave_spec_of(exploring->shop->exercise, &spec);
    if (exploring->shop->explore_runs > spec.runs)
        spec.runs = exploring->shop->explore_runs;
    if (exploring->shop->explore_runs > 0)
        spec.preemptions += MORE_PREEMPTIONS;
    return interleave_run(exploring->context, exploring->shop, &spec, explored, exploring->fault);
}

static void starved_tell(const struct exploring *exploring, const struct listed_scenario *scenario, double cpu_s)
{
    exploring->result->outcome = OUTCOME_INCONCLUSIVE;
    exploring->result->reason =
        memory_format(exploring->context,
                      "The scenario %s was not explored to its end: after %.0f s of processor time it was stopped. No "
                      "points lost; run again when the machine is quieter.",
                      scenario->name, cpu_s);
}

/* The reference in the same scenario, which must go well. */
static int reference_explore(const struct exploring *exploring, const struct listed_scenario *scenario,
                             struct explored *explored)
{
    const char *id = exploring->shop->exercise->id;

    if (explore(exploring, exploring->reference, scenario, 1, explored) != 0)
        return -1;
    if (explored->end == EXPLORE_FOUND)
        return fault_set(exploring->fault, "%s: the reference itself does not come through the scenario %s: %s", id,
                         scenario->name, explored->what);
    if (explored->end == EXPLORE_CANNOT)
        return fault_set(exploring->fault, "%s: the scenario %s cannot be explored: %s", id, scenario->name,
                         explored->trouble);
    return 0;
}

/* The reference can be explored in this scenario, and this file cannot: it does what nothing of the kind needs. A call
 * that is allowed and not modelled is ours. */
static int cannot_tell(const struct exploring *exploring, const struct listed_scenario *scenario,
                       const struct explored *explored)
{
    struct explored reference;

    if (strstr(explored->trouble, "cannot model") != NULL)
        return fault_set(exploring->fault, "%s: the scenario %s cannot be explored: %s", exploring->shop->exercise->id,
                         scenario->name, explored->trouble);
    if (reference_explore(exploring, scenario, &reference) != 0)
        return -1;
    struct finding *finding = finding_add(exploring->context, exploring->result, SEVERITY_FAILURE,
                                          memory_format(exploring->context, "The scenario %s could not be explored: %s",
                                                        scenario->name, explored->trouble));
    finding->why =
        strstr(explored->trouble, " steps") != NULL
            ? "In some order of the threads it goes round in a loop far longer than any answer to this exercise has to."
            : "It writes over memory that is not its own, or uses more than any answer to this exercise needs.";
    finding->detail = memory_format(exploring->context, "Scenario %s: %s.", scenario->name, scenario->story);
    exploring->result->outcome = OUTCOME_FAILED;
    return 0;
}

static int found_tell(const struct exploring *exploring, const struct listed_scenario *scenario,
                      const struct explored *explored)
{
    struct explored reference;

    if (reference_explore(exploring, scenario, &reference) != 0)
        return -1;
    const struct proof *proof = reference.end == EXPLORE_NOTHING ? &reference.proof : NULL;
    (void)interleave_words_add(exploring->context, exploring->shop, explored, proof, exploring->result);
    exploring->result->outcome = OUTCOME_FAILED;
    return 0;
}

static void proof_add(const struct exploring *exploring, const struct proof *proof)
{
    struct stage_result *result = exploring->result;

    result->proofs = memory_grown(exploring->context, result->proofs, result->proof_count + 1, sizeof *result->proofs);
    result->proofs[result->proof_count++] = *proof;
    result->checks++;
}

static int tell(const struct exploring *exploring, const struct listed_scenario *scenario,
                const struct explored *explored)
{
    switch (explored->end) {
    case EXPLORE_NOTHING:
        proof_add(exploring, &explored->proof);
        return 0;
    case EXPLORE_FOUND:
        return found_tell(exploring, scenario, explored);
    case EXPLORE_CANNOT:
        return cannot_tell(exploring, scenario, explored);
    case EXPLORE_STARVED:
        break;
    }
    starved_tell(exploring, scenario, explored->cpu_s);
    return 0;
}

/* From this one on, up to the first where something is found. How many were looked at; -1 with a fault. */
static int some(const struct exploring *exploring, const struct listed_scenario *scenario, size_t count)
{
    struct explored *explored = memory_zeroed(exploring->context, count, sizeof *explored);
    size_t at = 0;

    if (explore(exploring, exploring->student, scenario, count, explored) != 0)
        return -1;
    do
        if (tell(exploring, &scenario[at], &explored[at]) != 0)
            return -1;
    while (explored[at++].end == EXPLORE_NOTHING && at < count);
    return (int)at;
}

/* ---- one order again ----------------------------------------------------------------------------------------------
 */

/* Not a verdict: what was asked for cannot be done. */
static int refuse(const struct exploring *exploring, const char *reason)
{
    exploring->result->outcome = OUTCOME_SKIPPED;
    exploring->result->reason = reason;
    return 0;
}

/* A token is SCENARIO:ORDER. */
static int replay(const struct exploring *exploring, const struct listed_scenario *scenario, const char *token)
{
    size_t length = strcspn(token, ":");
    struct explored explored;

    while (scenario->name != NULL && (strncmp(scenario->name, token, length) != 0 || scenario->name[length] != '\0'))
        scenario++;
    if (token[length] == '\0' || scenario->name == NULL)
        return refuse(exploring, memory_format(exploring->context,
                                               "'%.80s' is no token of this exercise. `make explore` prints one where "
                                               "it finds something.",
                                               token));
    const struct explore_spec spec = {
        .program = exploring->student, .scenario = scenario, .count = 1, .order = token + length + 1};
    if (interleave_run(exploring->context, exploring->shop, &spec, &explored, exploring->fault) != 0)
        return -1;
    if (explored.end == EXPLORE_CANNOT)
        return refuse(exploring, explored.trouble);
    if (explored.end == EXPLORE_STARVED) {
        starved_tell(exploring, scenario, explored.cpu_s);
        return 0;
    }
    exploring->result->checks = 1;
    if (explored.end == EXPLORE_FOUND) {
        (void)interleave_words_add(exploring->context, exploring->shop, &explored, NULL, exploring->result);
        exploring->result->outcome = OUTCOME_FAILED;
    }
    return 0;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */

int stage_interleavings(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    struct exploring exploring = {.context = context, .shop = shop, .result = result, .fault = fault};
    struct listed_scenario *scenario = NULL;

    result->outcome = OUTCOME_PASSED;
    if (doctor_require(context, shop, "explorer", fault) != 0 ||
        scenario_program_make(context, shop, FLAVOUR_EXPLORED, &exploring.student, result, fault) != 0)
        return -1;
    if (exploring.student == NULL)
        return 0;
    if (scenario_program_reference(context, shop, FLAVOUR_EXPLORED, &exploring.reference, fault) != 0 ||
        interleave_list(context, shop, exploring.reference, &scenario, fault) != 0)
        return -1;
    if (shop->replay != NULL)
        return replay(&exploring, scenario, shop->replay);
    size_t count = 0, at = 0;
    while (scenario[count].name != NULL)
        count++;
    bool all = shop->explore_runs > 0;
    while (at < count && (all || result->outcome == OUTCOME_PASSED)) {
        int looked_at = some(&exploring, scenario + at, count - at);
        if (looked_at < 0)
            return -1;
        at += (size_t)looked_at;
    }
    return 0;
}
