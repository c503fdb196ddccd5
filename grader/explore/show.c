/* show.c - see show.h: the finding, in words. */
#include "show.h"

#include "lines.h"
#include "names.h"
#include "record.h"
#include "story.h"
#include "sync_table.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *show_kind(enum finding_kind kind)
{
    static const char *const names[] = {
        [FIND_NOTHING] = "nothing",
        [FIND_RACE] = "race",
        [FIND_DEADLOCK] = "deadlock",
        [FIND_LOST_WAKEUP] = "lost-wakeup",
        [FIND_ASSERTION] = "assertion",
        [FIND_CRASH] = "crash",
        [FIND_EXIT] = "exit-status",
        [FIND_MISUSE] = "misuse",
        [FIND_LEAK] = "leak",
        [FIND_HEAP] = "heap",
        [FIND_STACK] = "stack-overflow",
        [FIND_LIVELOCK] = "livelock",
        [FIND_ENDLESS] = "endless",
        [FIND_CANNOT] = "cannot",
    };
    return names[kind];
}

void show_object(const void *address, char *text, size_t size)
{
    snprintf(text, size, "%s", names_of(address)->text);
}

/* ---- where everyone stands --------------------------------------------------------------------------------------- */

static size_t add_held(char *text, size_t size, size_t at, const struct thread *thread)
{
    unsigned n = thread->held_n < HELD_MAX ? thread->held_n : HELD_MAX;
    for (unsigned i = 0; i < n && at < size; i++) {
        char object[96];
        show_object(thread->held[i]->address, object, sizeof object);
        at += (size_t)snprintf(text + at, size - at, "%s %s", i ? "," : "; holds",
                               object[0] ? object : sync_word(thread->held[i]->kind));
    }
    return at;
}

static void print_standing(FILE *to, unsigned width)
{
    for (int i = 0; i < il.n; i++) {
        const struct thread *thread = &il.threads[i];
        char waits[128], object[96] = "", text[600];
        struct place place;
        if (thread->life != LIFE_RUNS)
            continue;
        record_waits(i, waits, sizeof waits);
        lines_place(thread->wish_pc ? thread->wish_pc : thread->pc, &place);
        if (thread->wish.on)
            show_object(thread->wish.on->address, object, sizeof object);
        int at = snprintf(text, sizeof text, "%s  %s:%d  %s%s%s%s", il_name(i), place.file, place.line, waits,
                          object[0] ? " (" : "", object, object[0] ? ")" : "");
        add_held(text, sizeof text, (size_t)at, thread);
        table_wrap(to, text, "    ", "      ", width);
    }
}

/* ---- the finding ------------------------------------------------------------------------------------------------- */

static void show_story(FILE *to, const struct story *story, unsigned width)
{
    char text[sizeof story->happened + 64];
    snprintf(text, sizeof text, "%s", story->happened);
    if (text[0])
        table_wrap(to, text, "  Why: ", "  ", width);
    snprintf(text, sizeof text, "%s", story->advice);
    if (text[0])
        table_wrap(to, text, "  What to do: ", "  ", width);
}

static bool is_stuck(enum finding_kind kind)
{
    return kind == FIND_DEADLOCK || kind == FIND_LOST_WAKEUP || kind == FIND_LIVELOCK;
}

static void show_first(FILE *to, const struct search_report *report, unsigned width)
{
    char text[sizeof il.finding.text + 96], line[sizeof(struct place) + 64];
    struct place place;
    int at = 0;
    if (report && report->runs)
        at = snprintf(text, sizeof text, "After %" PRIu64 " interleaving%s: ", report->runs,
                      report->runs == 1 ? "" : "s");
    snprintf(text + at, sizeof text - (size_t)at, "%s.", il.finding.text);
    table_wrap(to, text, "\xe2\x9c\x97 ", "  ", width);
    if (!lines_place(il.finding.pc, &place))
        return;
    int length = snprintf(line, sizeof line, "    %s:%d  %s", place.file, place.line, place.text);
    size_t kept = table_fit(line, width - 1, false);
    fprintf(to, "%.*s%s\n", (int)kept, line, kept < (size_t)length ? "\xe2\x80\xa6" : "");
}

/* "with up to 2 preemptions" */
static const char *bound_words(int bound, char *text, size_t size)
{
    if (bound == 0)
        snprintf(text, size, "without a preemption");
    else
        snprintf(text, size, "with up to %d preemption%s", bound, bound == 1 ? "" : "s");
    return text;
}

void show_finding(FILE *to, const struct search_report *report, const char *token, unsigned width)
{
    static struct story story;
    bool told = story_tell(&story);
    show_first(to, report, width);
    table_print(to, told ? &story : NULL, width);
    if (told)
        show_story(to, &story, width);
    if (is_stuck(il.finding.kind))
        print_standing(to, width);
    if (report && report->bound_done >= 0) {
        char text[160], bound[48];
        snprintf(text, sizeof text, "Every interleaving %s was run, and ends well.",
                 bound_words(report->bound_done, bound, sizeof bound));
        table_wrap(to, text, "  Proved: ", "  ", width);
    }
    if (token[0])
        fprintf(to, "  Replay it: --replay %s\n", token);
}

/* ---- what it proves ---------------------------------------------------------------------------------------------- */

void show_proof(FILE *to, const struct search_options *options, const struct search_report *report)
{
    char bound[48];
    bound_words(report->bound_done, bound, sizeof bound);
    if (report->everything)
        fprintf(to,
                "every interleaving was run: %" PRIu64 " to their end (%" PRIu64
                " more were equal to what had been run and cut short).\n",
                report->whole, report->equal);
    else if (report->bound_done >= 0 && report->random == 0)
        fprintf(to,
                "every interleaving %s was run: %" PRIu64 " to their end (%" PRIu64
                " more were equal to what had been run and cut short).\n",
                bound, report->whole, report->equal);
    else {
        fprintf(to, "%" PRIu64 " interleavings were run, and there are more", report->runs);
        if (report->bound_done >= 0)
            fprintf(to, ": all %s", bound);
        if (report->random)
            fprintf(to, "%s%" PRIu64 " chosen at random (depth %u, seed %" PRIu64 ")",
                    report->bound_done >= 0 ? ", and " : ": ", report->random, options->depth, options->seed);
        fprintf(to, ".\n");
    }
    if (report->held)
        fprintf(to, "  (A loop that only looks at what nobody changes was held after %d rounds, until somebody did.)\n",
                LOOKS_FREE);
    if (report->was_long)
        fprintf(to,
                "  (Orders were tried in the first %u steps of a run, and it has up to %u: beyond, turns were fair.)\n",
                il.steps_max, report->longest);
    if (report->fair_only)
        fprintf(to, "  (All turns were fair: who polls was not let before the same other thread twice in a row.)\n");
    if (il.alarm)
        fprintf(to, "  (The alarm rang only where nobody could go on or its time had passed.)\n");
    if (il.sleeps_order)
        fprintf(to, "  (Time passed only where every thread waited.)\n");
    if (il.races_allowed)
        fprintf(to, "  (Data races were let go, and accesses that race were not tried in every order.)\n");
}
