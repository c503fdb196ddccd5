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
#include "memory.h"
#include "places.h"
#include "race_detectors.h"
#include "race_words.h"
#include "scenario_end.h"
#include "scenario_program.h"

#include <string.h>

enum { FINDINGS_MAX = 6 };

/* ---- races ------------------------------------------------------------------------------------------------------- */

static struct race_side helgrind_side(const struct valgrind_report *report, const struct trace *trace, int number)
{
    const struct valgrind_thread *thread = valgrind_thread_find(report, number);

    return (struct race_side){.trace = trace,
                              .thread = number,
                              .root = number == 1,
                              .created = thread == NULL ? NULL : &thread->created,
                              .write = strstr(trace->title, " write of size ") != NULL,
                              .held = -1};
}

/* The variable in "Address 0x10c060 is 0 bytes inside data symbol "calls"", or NULL. What the compiler adds to the name
 * of a static variable ("scratch.0") is left out. */
static const char *symbol_name(void *context, const struct valgrind_error *error)
{
    static const char mark[] = "inside data symbol \"";

    for (size_t i = 0; i < error->note_count; i++) {
        const char *name = strstr(error->notes[i], mark);

        if (name != NULL)
            return memory_text_n(context, name + sizeof mark - 1, strcspn(name + sizeof mark - 1, ".\""));
    }
    return NULL;
}

static struct race helgrind_race(void *context, const struct valgrind_report *report,
                                 const struct valgrind_error *error)
{
    struct race race = {.sides = {{.held = -1}, {.held = -1}}, .global = symbol_name(context, error)};

    if (error->trace_count > 0)
        race.sides[0] = helgrind_side(report, &error->traces[0], error->thread);
    for (size_t i = 1; i < error->trace_count; i++) {
        const struct trace *trace = &error->traces[i];

        if (strncmp(trace->title, "This conflicts with", 19) == 0)
            race.sides[1] = helgrind_side(report, trace, trace->thread);
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

static bool has_ended(const struct scenario_run *run)
{
    return run->complete && run->child.status == 0;
}

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

/* What helgrind reported and counts: weighed once, each mistake once. */
struct weighed {
    const struct valgrind_error *error;
    enum helgrind_weight weight;
    struct race race; /* where it is one */
};

struct weighed_list {
    struct weighed *items;
    size_t count;
    bool mistake; /* at least one item is more than a note */
    bool race;
};

/* Of two reports of the same lines the one in which both sides write tells more: one addition, seen as a read and as a
 * write, is reported as both. */
static bool is_repeated(const struct workshop *shop, struct weighed_list *list, const struct weighed *item)
{
    bool race = helgrind_words_is_race(item->error);

    for (size_t i = 0; i < list->count; i++) {
        struct weighed *before = &list->items[i];

        if (race != helgrind_words_is_race(before->error))
            continue;
        if (race && race_words_same(shop, &before->race, &item->race)) {
            if (item->race.sides[0].write && item->race.sides[1].write)
                *before = *item;
            return true;
        }
        if (!race && helgrind_words_same(shop, item->error, before->error))
            return true;
    }
    return false;
}

/* A program that ended in the middle (an ensure() that does not hold calls _exit) left its locks as they were: that is
 * not the mistake. A thread that came to its own end is in start_thread. */
static bool is_aftermath(const struct helgrind_sight *sight, const struct valgrind_error *error)
{
    const struct trace *trace = error->trace_count > 0 ? &error->traces[0] : NULL;

    return !has_ended(&sight->run) && strstr(error->what, "Exiting thread") != NULL && trace != NULL &&
           trace->count > 0 &&
           (trace->frames[0].function == NULL || strcmp(trace->frames[0].function, "start_thread") != 0);
}

static struct weighed_list weigh(void *context, const struct workshop *shop, const struct helgrind_sight *sight)
{
    const struct valgrind_report *report = &sight->report;
    struct weighed_list list = {.items = memory_zeroed(context, report->error_count, sizeof *list.items)};

    for (size_t i = 0; i < report->error_count; i++) {
        struct weighed item = {.error = &report->errors[i], .weight = helgrind_words_weight(context, shop, report, i)};
        bool race = helgrind_words_is_race(item.error);

        if (item.weight == HELGRIND_NOTHING || is_aftermath(sight, item.error))
            continue;
        if (race)
            item.race = helgrind_race(context, report, item.error);
        list.mistake = list.mistake || item.weight == HELGRIND_MISTAKE;
        list.race = list.race || race;
        if (!is_repeated(shop, &list, &item))
            list.items[list.count++] = item;
    }
    return list;
}

/* A note tells of what is allowed, and may be why something else went wrong: beside a mistake it helps, under a passing
 * stage it would only unsettle. So the last rank, theirs, is left out there. */
static void errors_tell(void *context, const struct workshop *shop, const struct helgrind_sight *sight,
                        const struct helgrind_locks *locks, struct weighed_list *list, struct stage_result *result)
{
    bool passes = !list->mistake && has_ended(&sight->run);

    for (int rank = 0; rank < (passes ? RANKS - 1 : RANKS); rank++)
        for (size_t i = 0; i < list->count && result->finding_count < FINDINGS_MAX; i++) {
            struct weighed *item = &list->items[i];

            if (error_rank(item->error, item->weight) != rank)
                continue;
            if (helgrind_words_is_race(item->error)) {
                race_locks(shop, locks, &item->race);
                race_words_add(context, shop, &sight->run, &item->race, result);
            } else {
                helgrind_words_add(context, shop, &sight->run, &sight->report, item->error, item->weight, result);
            }
        }
}

/* How the program ended, where that was not as it should. Under helgrind nobody can read where its threads stand: a
 * program that hangs is run once more, as it is, for that; where it does not hang this time, that it did is said
 * without places. */
static int end_tell(void *context, struct workshop *shop, const char *program, struct helgrind_sight *sight,
                    struct stage_result *result, struct fault *fault)
{
    size_t before = result->finding_count;
    struct scenario_run again;

    if (sight->run.hung && sight->run.current != NULL) {
        const struct scenario_spec spec = {.program = program, .scenario = sight->run.current->name};

        if (scenario_run(context, shop, &spec, &again, fault) != 0)
            return -1;
        sight->run.hang = again.hang;
    }
    scenario_end_tell(context, shop, &sight->run, result);
    if (result->finding_count > before && sight->report.fatal_signal != 0 && !sight->run.hung)
        (void)places_add_trace(context, shop, &result->findings[before], &sight->report.fatal, NULL, "it was here");
    return 0;
}

/* True where no mistake that was seen has a line of the student's. */
static bool may_be_ours(const struct workshop *shop, const struct helgrind_sight *sight,
                        const struct weighed_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].weight == HELGRIND_MISTAKE && helgrind_words_student_in(shop, list->items[i].error))
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
    struct weighed_list list = weigh(context, shop, &sight);
    if (has_ended(&sight.run) && !list.mistake)
        return 0;
    return fault_set(fault, "%s: the reference itself does not get through scenario.c under helgrind: %s",
                     shop->exercise->id,
                     list.mistake ? list.items[0].error->what : scenario_end_text(context, &sight.run));
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
    struct weighed_list list = weigh(context, shop, &sight);
    if ((list.mistake || !has_ended(&sight.run)) && may_be_ours(shop, &sight, &list) &&
        reference_must_be_clean(context, shop, fault) != 0)
        return -1;
    if (list.race && helgrind_run_locks(context, shop, program, &locks, fault) != 0)
        return -1;
    errors_tell(context, shop, &sight, &locks, &list, result);
    if (list.mistake)
        result->outcome = OUTCOME_FAILED;
    if (has_ended(&sight.run))
        return 0;
    return end_tell(context, shop, program, &sight, result, fault);
}
