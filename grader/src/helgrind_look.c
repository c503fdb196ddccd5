/* helgrind_look.c - the scenarios under helgrind.
 *
 * Theory: helgrind runs the scenario program once and writes XML into the workshop; standard output and error stay the
 * program's own. Only where that shows a race is it run a second time for helgrind's plain text, which alone says what
 * locks each side held; the two are joined by their lines. A mistake without a line of the student's in it may be ours:
 * then the reference is run the same way, and where it shows mistakes too, the grader is broken, not the student.
 * Otherwise it is the student's after all: the scenario's own threads are ordered only by what the student's functions
 * do.
 */
#include "doctor.h"
#include "helgrind_run.h"
#include "helgrind_words.h"
#include "places.h"
#include "race_detectors.h"
#include "race_words.h"
#include "scenario_end.h"
#include "scenario_program.h"

#include <string.h>

enum { FINDINGS_MAX = 6 };

/* ---- what it weighs ---- */

static bool has_mistake(void *context, const struct workshop *shop, const struct helgrind_sight *sight, bool race)
{
    for (size_t i = 0; i < sight->report.error_count; i++)
        if ((!race || helgrind_words_is_race(&sight->report.errors[i])) &&
            helgrind_words_weight(context, shop, &sight->report, i) == HELGRIND_MISTAKE)
            return true;
    return false;
}

/* ---- races ------------------------------------------------------------------------------------------------------- */

static struct race_side helgrind_side(const struct trace *trace, int thread)
{
    return (struct race_side){.trace = trace,
                              .thread = thread,
                              .root = thread == 1,
                              .write = strstr(trace->title, " write of size ") != NULL,
                              .held = -1};
}

static struct race helgrind_race(const struct valgrind_error *error)
{
    struct race race = {.sides = {{.held = -1}, {.held = -1}}};

    if (error->trace_count > 0)
        race.sides[0] = helgrind_side(&error->traces[0], error->thread);
    for (size_t i = 1; i < error->trace_count; i++) {
        const struct trace *trace = &error->traces[i];

        if (strncmp(trace->title, "This conflicts with", 19) == 0)
            race.sides[1] = helgrind_side(trace, trace->thread);
    }
    return race;
}

static bool same_line(const struct workshop *shop, const struct trace *one, const struct trace *other)
{
    const struct frame *a = one == NULL ? NULL : places_frame(shop, one);
    const struct frame *b = other == NULL ? NULL : places_frame(shop, other);

    return a != NULL && b != NULL && a->line == b->line && strcmp(a->file, b->file) == 0;
}

static const struct trace *lock_origin(const struct helgrind_locks *locks, uint64_t address)
{
    for (size_t i = 0; i < locks->lock_count; i++)
        if (locks->locks[i].address == address)
            return &locks->locks[i].first;
    return NULL;
}

static void side_locks(const struct helgrind_locks *locks, const struct locked_side *from, struct race_side *side)
{
    side->held = from->held;
    for (int i = 0; i < from->held && i < RACE_LOCKS_MAX && i < HELD_MAX; i++)
        side->locks[i] = lock_origin(locks, from->locks[i]);
}

/* Finds the race in the text, on the same two lines in either order, and takes over what it says of locks. */
static void race_locks(const struct workshop *shop, const struct helgrind_locks *locks, struct race *race)
{
    for (size_t i = 0; i < locks->race_count; i++) {
        const struct locked_side *sides = locks->races[i].sides;

        for (size_t turn = 0; turn < 2; turn++)
            if (same_line(shop, race->sides[0].trace, &sides[turn].trace) &&
                same_line(shop, race->sides[1].trace, &sides[1 - turn].trace)) {
                side_locks(locks, &sides[turn], &race->sides[0]);
                side_locks(locks, &sides[1 - turn], &race->sides[1]);
                return;
            }
    }
}

/* ---- findings ---------------------------------------------------------------------------------------------------- */

/* How telling: a race first, then an order of locks, then other misuse, then notes. */
static int error_rank(const struct valgrind_error *error, enum helgrind_weight weight)
{
    if (weight == HELGRIND_NOTE)
        return 3;
    if (helgrind_words_is_race(error))
        return 0;
    return strcmp(error->kind, "LockOrder") == 0 ? 1 : 2;
}

enum { RANKS = 4 };

static bool is_repeated(void *context, const struct workshop *shop, const struct valgrind_report *report, size_t index)
{
    const struct valgrind_error *error = &report->errors[index];

    for (size_t i = 0; i < index; i++) {
        const struct valgrind_error *before = &report->errors[i];

        if (helgrind_words_is_race(error) != helgrind_words_is_race(before) ||
            helgrind_words_weight(context, shop, report, i) == HELGRIND_NOTHING)
            continue;
        if (helgrind_words_is_race(error)) {
            struct race one = helgrind_race(error);
            struct race other = helgrind_race(before);

            if (race_words_same(shop, &one, &other))
                return true;
        } else if (helgrind_words_same(shop, error, before)) {
            return true;
        }
    }
    return false;
}

static void error_tell(void *context, const struct workshop *shop, const struct helgrind_sight *sight,
                       const struct helgrind_locks *locks, size_t index, struct stage_result *result)
{
    const struct valgrind_error *error = &sight->report.errors[index];

    if (helgrind_words_is_race(error)) {
        struct race race = helgrind_race(error);

        race_locks(shop, locks, &race);
        race_words_add(context, shop, &sight->run, &race, result);
    } else {
        helgrind_words_add(context, shop, &sight->run, &sight->report, error,
                           helgrind_words_weight(context, shop, &sight->report, index), result);
    }
}

static void errors_tell(void *context, const struct workshop *shop, const struct helgrind_sight *sight,
                        const struct helgrind_locks *locks, struct stage_result *result)
{
    const struct valgrind_report *report = &sight->report;

    for (int rank = 0; rank < RANKS; rank++)
        for (size_t i = 0; i < report->error_count && result->finding_count < FINDINGS_MAX; i++) {
            enum helgrind_weight weight = helgrind_words_weight(context, shop, report, i);

            if (weight != HELGRIND_NOTHING && error_rank(&report->errors[i], weight) == rank &&
                !is_repeated(context, shop, report, i))
                error_tell(context, shop, sight, locks, i, result);
        }
}

/* The program crashed under helgrind: its report has the stack. */
static void crash_tell(void *context, const struct workshop *shop, const struct helgrind_sight *sight,
                       struct stage_result *result)
{
    size_t before = result->finding_count;

    scenario_end_tell(context, shop, &sight->run, result);
    if (result->finding_count > before && sight->report.fatal_signal != 0)
        (void)places_add_trace(context, shop, &result->findings[before], &sight->report.fatal, NULL, "it was here");
}

/* True where no mistake that was seen has a line of the student's. */
static bool may_be_ours(void *context, const struct workshop *shop, const struct helgrind_sight *sight)
{
    for (size_t i = 0; i < sight->report.error_count; i++)
        if (helgrind_words_weight(context, shop, &sight->report, i) == HELGRIND_MISTAKE &&
            helgrind_words_student_in(shop, &sight->report.errors[i]))
            return false;
    return sight->report.fatal_signal == 0 || !places_student_in(shop, &sight->report.fatal);
}

static int reference_must_be_clean(void *context, struct workshop *shop, struct fault *fault)
{
    const char *program;
    struct helgrind_sight sight;

    if (scenario_program_reference(context, shop, FLAVOUR_PLAIN, &program, fault) != 0 ||
        helgrind_run(context, shop, program, &sight, fault) != 0)
        return -1;
    if (sight.run.complete && sight.run.child.status == 0 && !has_mistake(context, shop, &sight, false))
        return 0;
    return fault_set(
        fault, "%s: the reference itself does not get through scenario.c under helgrind: %s", shop->exercise->id,
        sight.report.error_count > 0 ? sight.report.errors[0].what : scenario_end_text(context, &sight.run));
}

int helgrind_look(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    const char *program;
    struct helgrind_sight sight;
    struct helgrind_locks locks = {0};

    if (doctor_require(context, shop, "helgrind", fault) != 0 ||
        scenario_program_make(context, shop, FLAVOUR_PLAIN, &program, result, fault) != 0)
        return -1;
    if (program == NULL)
        return 0;
    if (helgrind_run(context, shop, program, &sight, fault) != 0)
        return -1;
    result->checks = (int)sight.run.scenario_count;
    bool mistaken = has_mistake(context, shop, &sight, false);
    bool ended = sight.run.complete && sight.run.child.status == 0;
    if ((mistaken || !ended) && may_be_ours(context, shop, &sight) &&
        reference_must_be_clean(context, shop, fault) != 0)
        return -1;
    if (has_mistake(context, shop, &sight, true) && helgrind_run_locks(context, shop, program, &locks, fault) != 0)
        return -1;
    errors_tell(context, shop, &sight, &locks, result);
    if (mistaken)
        result->outcome = OUTCOME_FAILED;
    else if (!ended)
        crash_tell(context, shop, &sight, result);
    return 0;
}
