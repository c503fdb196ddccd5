/* race_words.c - see race_words.h.
 *
 * Nothing is said that is not known. How many locks a side held comes from the detector; their names and lines come
 * from the text (lock_scan.h), and are repeated only where the text accounts for exactly that number.
 */
#include "race_words.h"

#include "lock_scan.h"
#include "memory.h"
#include "memory_words.h"
#include "places.h"
#include "scenario_end.h"
#include "shared_name.h"
#include "source.h"

#include <string.h>

/* ---- the two sides ----------------------------------------------------------------------------------------------- */

static const struct frame *side_frame(const struct workshop *shop, const struct race_side *side)
{
    return side->trace == NULL ? NULL : places_frame(shop, side->trace);
}

static bool same_place(const struct frame *one, const struct frame *other)
{
    if (one == NULL || other == NULL)
        return one == other;
    return one->line == other->line && strcmp(one->file, other->file) == 0;
}

bool race_words_same(const struct workshop *shop, const struct race *one, const struct race *other)
{
    const struct frame *a = side_frame(shop, &one->sides[0]);
    const struct frame *b = side_frame(shop, &one->sides[1]);
    const struct frame *c = side_frame(shop, &other->sides[0]);
    const struct frame *d = side_frame(shop, &other->sides[1]);

    return (same_place(a, c) && same_place(b, d)) || (same_place(a, d) && same_place(b, c));
}

bool race_words_student_in(const struct workshop *shop, const struct race *race)
{
    for (size_t i = 0; i < 2; i++)
        if (race->sides[i].trace != NULL && places_student_in(shop, race->sides[i].trace))
            return true;
    return false;
}

/* The access is free()'s own: the detectors see it as a write to the block. */
static bool frees(const struct race_side *side)
{
    const char *function = side->trace == NULL || side->trace->count == 0 ? NULL : side->trace->frames[0].function;

    return function != NULL && (strcmp(function, "free") == 0 || strstr(function, "_interceptor_free") != NULL);
}

/* The exercise is one with atomics, and neither side holds a lock: it need not be a lock that is missing. */
static bool is_about_order(const struct workshop *shop, const struct race *race)
{
    return shop->exercise->tsan && race->sides[0].held <= 0 && race->sides[1].held <= 0;
}

static const char *side_excerpt(void *context, const struct workshop *shop, const struct race_side *side)
{
    const struct frame *frame = side_frame(shop, side);
    const char *path = frame == NULL ? NULL : places_path(context, shop, frame->file);

    return path == NULL ? NULL : source_line(context, path, frame->line);
}

/* ---- locks ------------------------------------------------------------------------------------------------------- */

/* What the text says is held at this frame: for the innermost frame up to and with its line, for callers up to the line
 * of their call. */
static struct lock_scan frame_locks(void *context, const struct workshop *shop, const struct frame *frame,
                                    bool innermost)
{
    const char *text = places_text(context, shop, frame->file);

    struct lock_scan nothing = {.certain = false};

    return text == NULL ? nothing : lock_scan_at(context, text, frame->line, innermost);
}

static char *lock_append(void *context, const struct workshop *shop, char *words, const struct held_lock *lock,
                         const struct frame *frame)
{
    bool student = places_owner(shop, frame->file) == OWNER_STUDENT;

    return memory_append(context, words, "%s%s (taken at %s%s%d)", words == NULL ? "holding " : " and ",
                         lock->expression, student ? "line " : frame->file, student ? "" : ":", lock->line);
}

/* The locks of a side by name, where the text accounts for all of them; NULL otherwise. */
static char *locks_by_name(void *context, const struct workshop *shop, const struct race_side *side)
{
    char *words = NULL;
    size_t found = 0;
    bool innermost = true;

    for (size_t i = 0; i < side->trace->count; i++) {
        const struct frame *frame = &side->trace->frames[i];

        if (frame->line == 0 || places_owner(shop, frame->file) == OWNER_NOBODY)
            continue;
        struct lock_scan scan = frame_locks(context, shop, frame, innermost);
        innermost = false;
        if (!scan.certain)
            return NULL;
        for (size_t k = 0; k < scan.count; k++)
            words = lock_append(context, shop, words, &scan.held[k], frame);
        found += scan.count;
    }
    return found == (size_t)side->held ? words : NULL;
}

/* "holding one lock, the one of line 16": where the detector saw it first. */
static char *lock_by_origin(void *context, const struct workshop *shop, const struct race_side *side)
{
    const struct frame *frame = side->locks[0] == NULL ? NULL : places_frame(shop, side->locks[0]);
    const char *text = frame == NULL ? NULL : places_text(context, shop, frame->file);
    const char *call;
    const char *expression;

    if (text == NULL || !lock_call_at(context, text, frame->line, &call, &expression))
        return memory_text(context, "holding one lock");
    return memory_format(context, "holding one lock (%s, %s %s:%d)", expression,
                         strstr(call, "_init") != NULL ? "made at" : "first used at", frame->file, frame->line);
}

const char *race_words_holding(void *context, const struct workshop *shop, const struct race_side *side)
{
    if (side->held < 0 || side->trace == NULL)
        return NULL;
    if (side->held == 0)
        return "holding nothing";
    char *named = locks_by_name(context, shop, side);
    if (named != NULL)
        return named;
    return side->held == 1 ? lock_by_origin(context, shop, side)
                           : memory_format(context, "holding %d locks", side->held);
}

/* ---- sentences --------------------------------------------------------------------------------------------------- */

/* The access is in what this line calls (read(), memcpy()): the line does not name what is written there. */
static bool in_a_call(const struct workshop *shop, const struct race_side *side)
{
    return side->trace != NULL && side->trace->count > 0 && side_frame(shop, side) != &side->trace->frames[0];
}

/* What both sides use, in backquotes, or "the same memory". */
static const char *thing_of(void *context, const struct workshop *shop, const struct race *race, const char **name)
{
    const struct race_side *sides = race->sides;
    struct access_line one = {side_excerpt(context, shop, &sides[0]), sides[0].write};
    struct access_line other = {side_excerpt(context, shop, &sides[1]), sides[1].write};

    bool called = in_a_call(shop, &sides[0]) || in_a_call(shop, &sides[1]);
    *name = called ? NULL : shared_name(context, one, other);
    /* "<null>": ThreadSanitizer knows none either */
    if (*name == NULL && race->global != NULL && race->global[0] != '<')
        *name = memory_text_n(context, race->global, strcspn(race->global, ".")); /* "small.0": static in a function */
    return *name == NULL ? "the same memory" : memory_format(context, "`%s`", *name);
}

static const char *locks_clause(const struct workshop *shop, const struct race *race)
{
    int one = race->sides[0].held;
    int other = race->sides[1].held;

    if (is_about_order(shop, race))
        return ", and nothing orders the two";
    if (one < 0 || other < 0)
        return ", and nothing keeps them apart";
    if (one == 0 && other == 0)
        return ", and neither holds a lock";
    if (one == 0 || other == 0)
        return ", and only one of them holds a lock";
    return ", and they do not hold the same lock";
}

/* Both sides compute the new value from the old one. */
static bool loses_update(void *context, const struct workshop *shop, const struct race *race, const char *name)
{
    for (size_t i = 0; i < 2; i++) {
        const char *line = side_excerpt(context, shop, &race->sides[i]);

        if (name == NULL || line == NULL || !shared_name_is_updated(context, line, name))
            return false;
    }
    return true;
}

static char *what_of(void *context, const struct workshop *shop, const struct race *race, const char *thing,
                     const char *name)
{
    const struct race_side *sides = race->sides;

    if (!race_words_student_in(shop, race))
        return memory_text(context, "Two threads use the same memory, and your code does not put one after the other.");
    if (frees(&sides[0]) && frees(&sides[1]))
        return memory_text(context, "Two threads free the same memory.");
    if (frees(&sides[0]) || frees(&sides[1]))
        return memory_text(context, "One thread frees memory that another uses, and nothing makes the free come last.");
    if (sides[1].trace == NULL)
        return memory_format(context, "One thread %s %s while another uses it.", sides[0].write ? "changes" : "reads",
                             thing);
    if ((sides[0].write && sides[1].write) || loses_update(context, shop, race, name))
        return memory_format(context, "Two threads change %s at the same time%s.", thing, locks_clause(shop, race));
    return memory_format(context, "One thread changes %s while another reads it%s.", thing, locks_clause(shop, race));
}

static const char ORDER[] =
    "What puts one before the other is a lock that both take, or a release by the first after its "
    "access (memory_order_release) that the second acquires before its own. Here is neither.";

/* What to do, from what the two sides held. */
static const char *advice_of(void *context, const struct workshop *shop, const struct race *race)
{
    const struct race_side *sides = race->sides;
    const struct frame *frames[2] = {side_frame(shop, &sides[0]), side_frame(shop, &sides[1])};
    bool known = sides[0].held >= 0 && sides[1].held >= 0;

    if (known && sides[0].held > 0 && sides[1].held > 0)
        return "Two different locks keep nobody out: choose the one that guards it, and take that one everywhere.";
    if (known && (sides[0].held > 0) != (sides[1].held > 0) && frames[0] != NULL && frames[1] != NULL &&
        frames[0]->function != NULL && frames[1]->function != NULL &&
        strcmp(frames[0]->function, frames[1]->function) != 0) {
        const char *outside = frames[sides[0].held > 0]->function;
        const char *inside = frames[sides[0].held == 0]->function;

        return memory_format(context, "%s() does this outside the lock that %s() takes.", outside, inside);
    }
    return is_about_order(shop, race) ? ORDER : "Every use of it, reading too, belongs inside the same lock.";
}

/* Of a race with free(). */
static const char *freed_why(void *context, const struct workshop *shop, const struct race *race)
{
    if (frees(&race->sides[0]) && frees(&race->sides[1]))
        return "Only one may free it: the last that uses it, and it must know that it is the last.";
    return memory_format(context,
                         "Where the free comes first, the other works on what may be somebody else's by then. Who "
                         "frees must know that everybody else is done. %s",
                         shop->exercise->tsan ? ORDER
                                              : "That takes a join, or a lock under which the last user is told.");
}

static const char *why_of(void *context, const struct workshop *shop, const struct race *race, const char *name)
{
    if (race_words_student_in(shop, race) && (frees(&race->sides[0]) || frees(&race->sides[1])))
        return freed_why(context, shop, race);
    if (!race_words_student_in(shop, race))
        return "What one thread did before its call must be seen by whoever comes after it in another: a lock, a join "
               "or a "
               "condition variable inside your functions gives that order. Here none does, so the second thread may "
               "see old values, or half of the new ones.";
    if (loses_update(context, shop, race, name))
        return memory_format(
            context,
            "Reading, computing and writing are three steps. A thread that comes in between works from "
            "an old value, and one of the two changes is lost. %s",
            advice_of(context, shop, race));
    if (race->sides[0].write && race->sides[1].write)
        return memory_format(context,
                             "Whose value stays is left to chance, and nobody can rely on what he has just written. %s",
                             advice_of(context, shop, race));
    return memory_format(
        context,
        "What the reader finds depends on who comes first, and may be half old and half new; the compiler, "
        "too, may assume that nobody else is there. %s",
        advice_of(context, shop, race));
}

/* "thread 2": 1 is main; the others are numbered in the order they were started, among those of this finding. */
static const char *thread_name(void *context, const struct race *race, size_t side)
{
    const struct race_side *mine = &race->sides[side];
    const struct race_side *other = &race->sides[1 - side];
    bool second = other->trace != NULL && !other->root && other->thread < mine->thread;

    return memory_format(context, "thread %d", mine->root ? 1 : second ? 3 : 2);
}

static void place_of(void *context, const struct workshop *shop, const struct race *race, size_t side,
                     struct finding *finding)
{
    const char *holding = race_words_holding(context, shop, &race->sides[side]);
    const char *access = frees(&race->sides[side]) ? "frees it" : race->sides[side].write ? "changes it" : "reads it";

    (void)places_add_trace(context, shop, finding, race->sides[side].trace, thread_name(context, race, side),
                           holding != NULL ? memory_format(context, "%s, %s", access, holding) : access);
}

/* The side with fewer locks is the one to look at first; of two alike, the thread that was started first. */
static size_t first_side(const struct race *race)
{
    const struct race_side *sides = race->sides;

    if (sides[1].trace == NULL)
        return 0;
    return sides[0].held != sides[1].held ? sides[1].held < sides[0].held : sides[1].thread < sides[0].thread;
}

void race_words_add(void *context, const struct workshop *shop, const struct scenario_run *run, const struct race *race,
                    struct stage_result *result)
{
    const char *name;
    const char *thing = thing_of(context, shop, race, &name);
    struct finding *finding = finding_add(context, result, SEVERITY_FAILURE, what_of(context, shop, race, thing, name));
    size_t first = first_side(race);
    const struct scenario_state *scenario = NULL;

    finding->why = why_of(context, shop, race, name);
    for (size_t i = 0; i < 2; i++) {
        const struct race_side *side = &race->sides[(first + i) % 2];

        if (side->trace == NULL)
            continue;
        place_of(context, shop, race, (first + i) % 2, finding);
        if (scenario == NULL)
            scenario = memory_words_scenario(run, side->trace);
        if (scenario == NULL && side->created != NULL)
            scenario = memory_words_scenario(run, side->created);
    }
    finding->detail = scenario_end_seen(context, scenario);
}
