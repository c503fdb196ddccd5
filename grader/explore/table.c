/* table.c - see table.h. */
#include "table.h"

#include "lines.h"
#include "names.h"
#include "story_facts.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_MIN = 25, STEPS_MAX = 400, STEPS_SHOWN = 44, STEPS_FIRST = 14, NOTE_SIZE = 200 };

/* One row of the table: what one thread does at one line. `folded`: so many steps that are left out stand here. */
struct step {
    int thread;
    int from, to; /* rows of the record [from, to) */
    struct place place;
    char note[NOTE_SIZE];
    unsigned folded;
};

struct table {
    struct step *steps;
    unsigned n;
    unsigned before;         /* rows left out at the beginning */
    int column[THREADS_MAX]; /* or -1: takes no part */
    int columns;
    unsigned width;
};

/* ---- text -------------------------------------------------------------------------------------------------------- */

size_t table_fit(const char *text, size_t columns, bool words)
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
    if (words && text[at] == ' ')
        return at;
    return words && text[at] && blank ? blank : at;
}

static size_t length_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

void table_wrap(FILE *to, const char *text, const char *first, const char *rest, unsigned width)
{
    const char *lead = first;
    while (*text) {
        size_t used = length_of(lead), room = width > used + 8 ? width - used : 8;
        size_t length = table_fit(text, room, true);
        fprintf(to, "%s%.*s\n", lead, (int)length, text);
        text += length;
        text += strspn(text, " ");
        lead = rest;
    }
}

static void print_cut(FILE *to, const char *text, size_t columns)
{
    if (length_of(text) <= columns)
        fputs(text, to);
    else
        fprintf(to, "%.*s\xe2\x80\xa6", (int)table_fit(text, columns - 1, false), text);
}

static void note_add(struct step *step, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note_add(struct step *step, const char *format, ...)
{
    size_t at = strlen(step->note);
    if (at && at + 2 < sizeof step->note)
        at += (size_t)snprintf(step->note + at, sizeof step->note - at, "; ");
    va_list list;
    va_start(list, format);
    vsnprintf(step->note + at, sizeof step->note - at, format, list);
    va_end(list);
    while (((unsigned char)step->note[strlen(step->note) - 1] & 0x80) && strlen(step->note) == sizeof step->note - 1)
        step->note[strlen(step->note) - 1] = '\0'; /* not within a character */
}

/* ---- what matters ------------------------------------------------------------------------------------------------ */

/* Is it memory that two threads use and one of them changes? */
static bool is_shared(const struct row *row)
{
    bool written = false, by_others = false;
    for (unsigned i = 0; i < record.n; i++) {
        const struct row *other = &record.rows[i];
        if (other->object != row->object)
            continue;
        written |= fact_writes(other);
        by_others |= other->thread != row->thread;
    }
    return written && by_others;
}

static bool is_access(const struct row *row)
{
    return row->op == OP_READ || row->op == OP_WRITE || row->op == OP_LOOK || row->op == OP_SET || row->op == OP_CHANGE;
}

static bool is_in_story(const struct story *story, int thread)
{
    return story && (story->threads[thread / 32] >> thread % 32 & 1);
}

/* Does it do anything that others notice, beyond making and joining threads? */
static bool acts(int thread)
{
    for (unsigned i = 0; i < record.n; i++) {
        const struct row *row = &record.rows[i];
        if (row->thread != thread || row->op == OP_MAKE || row->op == OP_JOIN || row->op == OP_END ||
            row->op == OP_OVER || row->op == OP_OTHER)
            continue;
        if (!is_access(row) || (fact_is_access(row) && is_shared(row)))
            return true;
    }
    return false;
}

static bool is_stuck(void)
{
    return il.finding.kind == FIND_DEADLOCK || il.finding.kind == FIND_LOST_WAKEUP || il.finding.kind == FIND_LIVELOCK;
}

static void choose_columns(struct table *table, const struct story *story)
{
    for (int i = 0; i < il.n; i++) {
        bool takes_part = story ? is_in_story(story, i) || (i == il.finding.thread && !is_stuck())
                                : acts(i) || i == il.finding.thread || i == il.finding.other;
        table->column[i] = takes_part ? table->columns++ : -1;
    }
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void note_access(struct step *step, const struct row *row)
{
    char name[96], value[64];
    const struct name *known = names_of(row->object);
    if (!fact_is_access(row) || !known->is_known || known->kind == NAME_POINTER)
        return;
    names_in_line(row->object, row->pc, name, sizeof name);
    names_value(row->object, row->size, row->after, value, sizeof value);
    note_add(step, fact_writes(row) ? "%s is now %s" : "%s is %s", name, value);
}

/* What is said of a step whose words need nothing else; "" where its line says it all. */
static const char *const plain_notes[] = {
    [OP_SLEEP] = "gives up the mutex and sleeps",
    [OP_AWAKE] = "is awake, and has the mutex again",
    [OP_SIGNAL_NOBODY] = "nobody sleeps: nothing happens",
    [OP_BROADCAST_NOBODY] = "nobody sleeps: nothing happens",
    [OP_FREE] = "frees it",
    [OP_TAKE] = "",
    [OP_POST] = "",
    [OP_DESTROY] = "",
    [OP_OTHER] = NULL,
};

/* …and whose words name another thread. */
static const char *const thread_notes[] = {
    [OP_SIGNAL] = "wakes %s",   [OP_BROADCAST] = "wakes %s", [OP_MAKE] = "makes %s",
    [OP_JOIN] = "%s has ended", [OP_BUSY] = "%s holds it",   [OP_OTHER] = NULL,
};

static void note_other(struct step *step, const struct row *row)
{
    char name[96] = "";
    bool is_lock = row->op == OP_LOCK || row->op == OP_LOCK_READ || row->op == OP_UNLOCK;
    if (is_lock && strstr(step->place.text, "lock"))
        return;
    if (row->object)
        names_in_line(row->object, row->pc, name, sizeof name);
    const char *what = row->op == OP_RACE_READ ? "reads" : row->op == OP_RACE_WRITE ? "writes" : row->what;
    note_add(step, "%s%s%s", what ? what : "", name[0] ? " " : "", name);
}

static void note_row(struct step *step, const struct row *row)
{
    char text[64];
    if (is_access(row)) {
        note_access(step, row);
    } else if (thread_notes[row->op] && row->other >= 0) {
        const char *word = thread_notes[row->op], *hole = strstr(word, "%s");
        snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - word), word, il_name(row->other), hole + 2);
        note_add(step, "%s", text);
    } else if (plain_notes[row->op]) {
        if (plain_notes[row->op][0])
            note_add(step, "%s", plain_notes[row->op]);
    } else {
        note_other(step, row);
    }
}

/* A read whose line goes on to write the same says nothing of its own. */
static bool is_covered(int i, int to)
{
    const struct row *row = &record.rows[i];
    for (int k = i + 1; k < to; k++)
        if (is_access(row) && record.rows[k].object == row->object && is_access(&record.rows[k]))
            return true;
    return false;
}

static void finish_step(struct step *step)
{
    for (int i = step->from; i < step->to; i++)
        if (!is_covered(i, step->to) && (!is_access(&record.rows[i]) || is_shared(&record.rows[i])))
            note_row(step, &record.rows[i]);
}

static bool is_worth_a_row(const struct table *table, const struct row *row)
{
    if (table->column[row->thread] < 0)
        return false;
    return !is_access(row) || (fact_is_access(row) && is_shared(row));
}

static struct step *step_new(struct table *table)
{
    if (table->n >= STEPS_MAX)
        return NULL;
    struct step *step = &table->steps[table->n++];
    memset(step, 0, sizeof *step);
    return step;
}

/* Rows that nobody is shown, as one line. */
static void fold(struct table *table, unsigned count)
{
    struct step *last = table->n ? &table->steps[table->n - 1] : NULL;
    if (!last || !last->folded)
        last = step_new(table);
    if (last)
        last->folded += count;
}

static void collect(struct table *table, int from)
{
    struct step *step = NULL;
    for (int i = from; i < (int)record.n; i++) {
        const struct row *row = &record.rows[i];
        struct place place;
        if (!is_worth_a_row(table, row)) {
            if (table->column[row->thread] < 0 && !is_access(row)) {
                fold(table, 1);
                step = NULL;
            }
            continue;
        }
        lines_place(row->pc, &place);
        if (step && step->thread == row->thread && step->place.line == place.line) {
            step->to = i + 1;
            continue;
        }
        step = step_new(table);
        if (!step)
            return;
        *step = (struct step){.thread = row->thread, .from = i, .to = i + 1, .place = place};
    }
    for (unsigned i = 0; i < table->n; i++)
        finish_step(&table->steps[i]);
}

/* Those who wait at the end, in the order in which they began to. */
static void collect_waits(struct table *table)
{
    for (unsigned at = 0; is_stuck() && at <= record.n; at++) {
        for (int i = 0; i < il.n; i++) {
            const struct thread *thread = &il.threads[i];
            if (thread->life != LIFE_RUNS || table->column[i] < 0 || record.last_n[i] != at ||
                thread->wish.kind == WISH_COND || thread->wish.kind == WISH_GO)
                continue;
            struct step *step = step_new(table);
            if (!step)
                return;
            step->thread = i;
            lines_place(thread->wish_pc ? thread->wish_pc : thread->pc, &step->place);
            record_waits(i, step->note, sizeof step->note);
        }
    }
}

/* ---- print ------------------------------------------------------------------------------------------------------- */

static void print_heads(FILE *to, const struct table *table)
{
    size_t width = (table->width - 2) / (unsigned)table->columns;
    fprintf(to, "  ");
    for (int i = 0; i < il.n; i++) {
        if (table->column[i] < 0)
            continue;
        const char *who = fact_who(i);
        print_cut(to, who, width - 2);
        size_t used = length_of(who) < width - 2 ? length_of(who) : width - 2;
        if (table->column[i] < table->columns - 1)
            fprintf(to, "%*s", (int)(width - used), "");
    }
    fprintf(to, "\n");
}

static void print_in_column(FILE *to, const struct table *table, const struct step *step)
{
    size_t width = (table->width - 2) / (unsigned)table->columns;
    int margin = 2 + (int)width * table->column[step->thread];
    char source[200];
    snprintf(source, sizeof source, "%d %s", step->place.line, step->place.text);
    fprintf(to, "%*s", margin, "");
    print_cut(to, source, width - 2);
    fputc('\n', to);
    const char *rest = step->note, *mark = "  \xe2\x86\x92 ";
    while (*rest) {
        size_t length = table_fit(rest, width - 6, true);
        fprintf(to, "%*s%s%.*s\n", margin, "", mark, (int)length, rest);
        rest += length;
        rest += strspn(rest, " ");
        mark = "    ";
    }
}

static void print_in_list(FILE *to, const struct table *table, const struct step *step, bool names_it)
{
    char head[64], source[200];
    int used = snprintf(head, sizeof head, "  %-11s", names_it ? il_name(step->thread) : "");
    snprintf(source, sizeof source, "%d %s", step->place.line, step->place.text);
    fputs(head, to);
    print_cut(to, source, table->width - (unsigned)used);
    fputc('\n', to);
    table_wrap(to, step->note, "               \xe2\x86\x92 ", "                 ", table->width);
}

static void print_step(FILE *to, const struct table *table, unsigned i)
{
    const struct step *step = &table->steps[i];
    bool follows = i > 0 && !table->steps[i - 1].folded && table->steps[i - 1].thread == step->thread;
    if (step->folded)
        fprintf(to, "  \xe2\x80\xa6 %u step%s of others\n", step->folded, step->folded == 1 ? "" : "s");
    else if ((table->width - 2) / (unsigned)table->columns >= COLUMN_MIN || table->columns == 1)
        print_in_column(to, table, step);
    else
        print_in_list(to, table, step, !follows);
}

/* Who has no column. */
static void print_left_out(FILE *to, const struct table *table)
{
    char text[1200] = "";
    size_t at = 0;
    for (int i = 0; i < il.n && at < sizeof text - 80; i++)
        if (table->column[i] < 0)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", at ? ", " : "", fact_who(i));
    if (at) {
        snprintf(text + at, sizeof text - at, ".");
        table_wrap(to, text, "  Left out (no part in it): ", "  ", table->width);
    }
}

static void print_steps(FILE *to, const struct table *table)
{
    bool is_long = table->n > STEPS_SHOWN;
    unsigned skipped_from = is_long ? STEPS_FIRST : table->n;
    unsigned skipped_to = is_long ? table->n - (STEPS_SHOWN - STEPS_FIRST) : table->n;
    for (unsigned i = 0; i < table->n; i++) {
        if (i == skipped_from)
            fprintf(to, "  \xe2\x80\xa6 %u rows in the middle (all are in the JSON)\n", skipped_to - skipped_from);
        if (i < skipped_from || i >= skipped_to)
            print_step(to, table, i);
    }
}

/* Where to begin: a little before the story does, so that the lock is seen that its first step is under. */
static int beginning(const struct story *story)
{
    int from = story && story->from < (int)record.n ? story->from : 0;
    int thread = from ? record.rows[from].thread : 0;
    for (int i = from - 1; i >= 0 && from - i < 12 && record.rows[i].thread == thread; i--)
        if (record.rows[i].op == OP_LOCK || record.rows[i].op == OP_AWAKE)
            return i;
    return from;
}

void table_print(FILE *to, const struct story *story, unsigned width)
{
    struct table table = {.width = width};
    table.steps = calloc(STEPS_MAX, sizeof *table.steps);
    if (!table.steps)
        return;
    choose_columns(&table, story);
    if (table.columns) {
        int from = beginning(story);
        collect(&table, from);
        collect_waits(&table);
        if ((width - 2) / (unsigned)table.columns >= COLUMN_MIN || table.columns == 1)
            print_heads(to, &table);
        if (from)
            fprintf(to, "  \xe2\x80\xa6 %d step%s before\n", from, from == 1 ? "" : "s");
        print_steps(to, &table);
        print_left_out(to, &table);
    }
    if (record.lost)
        fprintf(to, "  \xe2\x80\xa6 and %u more steps\n", record.lost);
    free(table.steps);
}
