/* show.c - see show.h: the words and the table. */
#include "show.h"

#include "lines.h"
#include "names.h"
#include "record.h"
#include "sync_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 110, COLUMN_MIN = 27, ROWS_SHOWN = 60 };

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

/* ---- the table --------------------------------------------------------------------------------------------------- */

static void what_of(const struct row *row, char *text, size_t size)
{
    char object[96] = "", whom[32] = "";
    if (row->object)
        show_object(row->object, object, sizeof object);
    if (row->other >= 0)
        snprintf(whom, sizeof whom, " %s", il_name(row->other));
    if (whom[0] && object[0])
        snprintf(text, size, "%s%s (%s)", row->what, whom, object);
    else
        snprintf(text, size, "%s%s%s%s", row->what, whom, object[0] ? " " : "", object);
}

/* Bytes of the longest beginning of `text` that has at most `columns` characters, broken at a blank where `words`. */
static size_t fit(const char *text, size_t columns, bool words)
{
    size_t at = 0, seen = 0, blank = 0;
    while (text[at] && seen < columns) {
        if (text[at] == ' ')
            blank = at;
        at++;
        while (((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
        seen++;
    }
    return words && text[at] && blank ? blank : at;
}

static void print_source(FILE *to, const struct place *place, size_t margin, size_t width)
{
    char text[200];
    int length = snprintf(text, sizeof text, "%d %s", place->line, place->text);
    size_t kept = fit(text, width - 2, false);
    bool cut = length > 0 && kept < (size_t)length;
    fprintf(to, "%*s%.*s%s\n", (int)margin, "", (int)(cut ? fit(text, width - 3, false) : kept), text,
            cut ? "\xe2\x80\xa6" : "");
}

static void print_what(FILE *to, const struct row *row, size_t margin, size_t width)
{
    char text[200];
    what_of(row, text, sizeof text);
    const char *rest = text, *mark = "\xe2\x86\x92 ";
    while (*rest) {
        size_t length = fit(rest, width - 6, true);
        fprintf(to, "%*s%s%.*s\n", (int)margin + 2, "", mark, (int)length, rest);
        rest += length;
        rest += *rest == ' ';
        mark = "  ";
    }
}

static bool same_line(const struct row *a, const struct row *b)
{
    struct place first, second;
    if (a->thread != b->thread)
        return false;
    lines_place(a->pc, &first);
    lines_place(b->pc, &second);
    return first.line == second.line && strcmp(first.file, second.file) == 0;
}

static void print_heads(FILE *to, size_t width)
{
    fprintf(to, "  ");
    for (int i = 0; i < il.n; i++) {
        char name[64], body[40] = "main";
        const struct thread *thread = &il.threads[i];
        const void *start = thread->body ? (const void *)thread->body : (const void *)thread->body_int;
        if (i > 0 && !lines_symbol(start, body, sizeof body))
            snprintf(body, sizeof body, "?");
        snprintf(name, sizeof name, "%s (%s)", il_name(i), body);
        fprintf(to, " %-*s", i == il.n - 1 ? 0 : (int)width - 1, name);
    }
    fprintf(to, "\n");
}

static void print_table(FILE *to)
{
    size_t width = il.n ? WIDTH / (unsigned)il.n : WIDTH;
    if (width < COLUMN_MIN)
        width = COLUMN_MIN;
    print_heads(to, width);
    unsigned first = 0;
    if (record.n > ROWS_SHOWN) {
        first = record.n - ROWS_SHOWN;
        fprintf(to, "   … %u steps before these are left out (they are in the JSON)\n", first);
    }
    for (unsigned i = first; i < record.n; i++) {
        const struct row *row = &record.rows[i];
        size_t margin = 3 + (size_t)row->thread * width;
        struct place place;
        lines_place(row->pc, &place);
        if (i == first || !same_line(row - 1, row))
            print_source(to, &place, margin, width);
        if (row->what)
            print_what(to, row, margin, width);
    }
    if (record.lost)
        fprintf(to, "   … and %u more steps\n", record.lost);
}

/* ---- where everyone stands --------------------------------------------------------------------------------------- */

static void print_held(FILE *to, const struct thread *thread)
{
    unsigned n = thread->held_n < HELD_MAX ? thread->held_n : HELD_MAX;
    for (unsigned i = 0; i < n; i++) {
        char object[96];
        show_object(thread->held[i]->address, object, sizeof object);
        fprintf(to, "%s %s", i ? "," : "; holds", object[0] ? object : sync_word(thread->held[i]->kind));
    }
}

static void print_standing(FILE *to)
{
    for (int i = 0; i < il.n; i++) {
        const struct thread *thread = &il.threads[i];
        char waits[128], object[96] = "";
        struct place place;
        if (thread->life != LIFE_RUNS)
            continue;
        record_waits(i, waits, sizeof waits);
        lines_place(thread->wish_pc ? thread->wish_pc : thread->pc, &place);
        if (thread->wish.on)
            show_object(thread->wish.on->address, object, sizeof object);
        fprintf(to, "    %s  %s:%d  %s%s%s%s", il_name(i), place.file, place.line, waits, object[0] ? " (" : "", object,
                object[0] ? ")" : "");
        print_held(to, thread);
        fprintf(to, "\n");
    }
}

static const struct row *other_access(const struct finding *finding)
{
    for (unsigned i = record.n; i-- > 0;) {
        const struct row *row = &record.rows[i];
        const char *at = row->object, *wanted = finding->address;
        if (row->thread == finding->other && at && at + 16 > wanted && at < wanted + finding->size &&
            (row->is_write == finding->other_write || row->what))
            return row;
    }
    return NULL;
}

static void print_race(FILE *to)
{
    const struct finding *finding = &il.finding;
    struct place place;
    char object[96];
    show_object(finding->address, object, sizeof object);
    lines_place(finding->pc, &place);
    fprintf(to, "    %s:%d  %s   %s %s %s\n", place.file, place.line, place.text, il_name(finding->thread),
            finding->is_write ? "writes" : "reads", object);
    const struct row *other = other_access(finding);
    if (!other)
        return;
    lines_place(other->pc, &place);
    fprintf(to, "    %s:%d  %s   %s %s %s\n", place.file, place.line, place.text, il_name(finding->other),
            finding->other_write ? "writes" : "reads", object);
    fprintf(to, "  Nothing orders the two: no lock that both take, no join, no atomic operation that one sees of the "
                "other.\n");
}

static void print_why(FILE *to)
{
    switch (il.finding.kind) {
    case FIND_RACE:
        print_race(to);
        break;
    case FIND_DEADLOCK:
    case FIND_LOST_WAKEUP:
    case FIND_LIVELOCK:
        print_standing(to);
        break;
    default:
        break;
    }
}

void show_finding(FILE *to, const struct search_report *report, const char *token)
{
    struct place place;
    const struct finding *finding = &il.finding;
    fprintf(to, "\xe2\x9c\x97 ");
    if (report && report->runs)
        fprintf(to, "After %" PRIu64 " interleaving%s: ", report->runs, report->runs == 1 ? "" : "s");
    fprintf(to, "%s.\n", finding->text);
    if (lines_place(finding->pc, &place))
        fprintf(to, "    %s:%d  %s\n", place.file, place.line, place.text);
    print_table(to);
    print_why(to);
    if (token[0])
        fprintf(to, "  Replay it: --replay %s\n", token);
}

/* ---- what it proves ---------------------------------------------------------------------------------------------- */

void show_proof(FILE *to, const struct search_options *options, const struct search_report *report)
{
    if (report->everything)
        fprintf(to,
                "every interleaving was run: %" PRIu64 " to their end (%" PRIu64
                " more were equal to what had been run and cut short).\n",
                report->whole, report->equal);
    else if (report->bound_done >= 0 && report->random == 0)
        fprintf(to,
                "every interleaving with up to %d preemption%s was run: %" PRIu64 " to their end (%" PRIu64
                " more were equal to what had been run and cut short).\n",
                report->bound_done, report->bound_done == 1 ? "" : "s", report->whole, report->equal);
    else {
        fprintf(to, "%" PRIu64 " interleavings of an unknown number were run", report->runs);
        if (report->bound_done >= 0)
            fprintf(to, ", among them every one with up to %d preemption%s", report->bound_done,
                    report->bound_done == 1 ? "" : "s");
        if (report->random)
            fprintf(to, "; %" PRIu64 " by PCT with depth %u and seed %" PRIu64, report->random, options->depth,
                    options->seed);
        fprintf(to, ".\n");
    }
}
