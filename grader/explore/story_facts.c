/* story_facts.c - see story_facts.h. */
#include "story_facts.h"

#include "memory_map.h"
#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { WORD_SIZE = 160 };

/* ---- words ------------------------------------------------------------------------------------------------------- */

static char *slot(void)
{
    static char ring[RING][WORD_SIZE];
    static unsigned next;
    return ring[next++ % RING];
}

const char *fact_who(int thread)
{
    char *text = slot(), body[64] = "main";
    const struct thread *it = &il.threads[thread];
    const void *start = it->body ? (const void *)it->body : (const void *)it->body_int;
    if (thread > 0 && !lines_symbol(start, body, sizeof body))
        snprintf(text, WORD_SIZE, "%s", il_name(thread));
    else
        snprintf(text, WORD_SIZE, "%s (%s)", il_name(thread), body);
    return text;
}

/* Is there more than one file of the student's in the trace? */
static bool several_files(void)
{
    struct place first = {.file = ""}, place;
    for (unsigned i = 0; i < record.n; i++) {
        if (!lines_place(record.rows[i].pc, &place))
            continue;
        if (!first.file[0])
            first = place;
        else if (strcmp(first.file, place.file) != 0)
            return true;
    }
    return false;
}

const char *fact_line(const void *pc)
{
    struct place place;
    char *text = slot();
    if (!lines_place(pc, &place))
        snprintf(text, WORD_SIZE, "an unknown line");
    else if (several_files())
        snprintf(text, WORD_SIZE, "%s:%d", place.file, place.line);
    else
        snprintf(text, WORD_SIZE, "line %d", place.line);
    return text;
}

const char *fact_object(const void *object, const void *pc)
{
    char *text = slot(), name[WORD_SIZE - 4];
    names_in_line(object, pc, name, sizeof name);
    if (!name[0])
        snprintf(text, WORD_SIZE, "it");
    else
        snprintf(text, WORD_SIZE, names_of(object)->is_known ? "`%s`" : "%s", name);
    return text;
}

const char *fact_object_exactly(const void *object, const void *pc)
{
    char *text = slot(), name[WORD_SIZE / 2];
    const struct name *whole = names_of(object);
    names_in_line(object, pc, name, sizeof name);
    if (!whole->is_known || strcmp(name, whole->text) == 0 || !memory_in_data(object))
        return fact_object(object, pc);
    snprintf(text, WORD_SIZE, "`%.60s` (`%.60s`)", name, whole->text);
    return text;
}

const char *fact_value(const struct row *row, uint64_t value)
{
    char *text = slot();
    names_value(row->object, row->size, value, text, WORD_SIZE);
    return text;
}

bool fact_line_has(const void *pc, const char *word)
{
    struct place place;
    size_t length = strlen(word);
    if (!lines_place(pc, &place))
        return false;
    for (const char *at = place.text; (at = strstr(at, word)) != NULL; at++) {
        bool starts = at == place.text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
        if (starts && !isalnum((unsigned char)at[length]) && at[length] != '_')
            return true;
    }
    return false;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

bool fact_is_access(const struct row *row)
{
    const struct sync *on = row->size ? il_sync_find(row->object) : NULL;
    return row->size && (!on || on->kind == SYNC_ATOMIC);
}

bool fact_writes(const struct row *row)
{
    return row->op == OP_WRITE || row->op == OP_SET || row->op == OP_CHANGE;
}

bool fact_is_test(const struct row *row)
{
    static const char *const words[] = {"if", "while", "for", "switch"};
    if (!fact_is_access(row) || row->op == OP_SET || row->op == OP_WRITE)
        return false;
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        for (unsigned k = 0; k < row->frames_n; k++)
            if (fact_line_has(row->frames[k].pc, words[i]))
                return true;
    return false;
}

static bool is(const struct row *row, int thread, enum op op, const void *object)
{
    return (thread < 0 || row->thread == thread) && row->op == op && (!object || row->object == object);
}

int fact_last(int before, int thread, enum op op, const void *object)
{
    for (int i = before - 1; i >= 0; i--)
        if (is(&record.rows[i], thread, op, object))
            return i;
    return NO_ROW;
}

int fact_next(int after, int thread, enum op op, const void *object)
{
    for (int i = after + 1; i < (int)record.n; i++)
        if (is(&record.rows[i], thread, op, object))
            return i;
    return NO_ROW;
}

int fact_next_of(int after, int thread)
{
    for (int i = after + 1; i < (int)record.n; i++)
        if (record.rows[i].thread == thread)
            return i;
    return NO_ROW;
}

static bool same_memory(const struct row *a, const struct row *b)
{
    return a->object == b->object && a->size == b->size && a->size;
}

int fact_changed_between(int after, int before, const struct row *access, int not_by)
{
    for (int i = before - 1; i > after; i--) {
        const struct row *row = &record.rows[i];
        if (row->thread != not_by && fact_writes(row) && same_memory(row, access))
            return i;
    }
    return NO_ROW;
}

bool fact_value_before(int i, const struct row *access, uint64_t *value)
{
    for (int k = i - 1; k >= 0; k--) {
        if (!same_memory(&record.rows[k], access))
            continue;
        *value = record.rows[k].after;
        return true;
    }
    return false;
}

const void *fact_given_up(int i)
{
    int thread = record.rows[i].thread, awake = fact_next(i, thread, OP_AWAKE, NULL);
    if (awake != NO_ROW)
        return record.rows[awake].object;
    const struct sync *retakes = il.threads[thread].retakes;
    return retakes ? retakes->address : NULL;
}

int fact_taken(int thread, int i, const void *lock)
{
    for (int k = i - 1; k >= 0; k--) {
        const struct row *row = &record.rows[k];
        if (row->thread != thread)
            continue;
        if (row->op == OP_SLEEP && fact_given_up(k) == lock)
            return NO_ROW;
        if (row->object != lock)
            continue;
        if (row->op == OP_UNLOCK)
            return NO_ROW;
        if (row->op == OP_LOCK || row->op == OP_AWAKE || row->op == OP_LOCK_READ)
            return k;
    }
    return NO_ROW;
}

int fact_any_lock(int thread, int i)
{
    for (int k = i - 1; k >= 0; k--) {
        const struct row *row = &record.rows[k];
        bool takes = row->op == OP_LOCK || row->op == OP_AWAKE || row->op == OP_LOCK_READ;
        if (row->thread == thread && takes && fact_taken(thread, i, row->object) == k)
            return k;
    }
    return NO_ROW;
}

bool fact_common(const struct row *a, const struct row *b, const void **at_a, const void **at_b)
{
    struct place first, second;
    for (unsigned i = 0; i < a->frames_n; i++) {
        for (unsigned k = 0; k < b->frames_n; k++) {
            const struct frame *one = &a->frames[i], *two = &b->frames[k];
            if (!one->top || one->top != two->top || !lines_place(one->pc, &first) || !lines_place(two->pc, &second) ||
                first.entry != second.entry)
                continue;
            *at_a = one->pc;
            *at_b = two->pc;
            return true;
        }
    }
    return false;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

/* Between such rows a thread does what nobody is to disturb. */
static bool is_boundary(const struct row *row)
{
    switch (row->op) {
    case OP_LOCK:
    case OP_LOCK_READ:
    case OP_UNLOCK:
    case OP_AWAKE:
    case OP_SLEEP:
    case OP_TAKE:
    case OP_JOIN:
    case OP_LEAVE:
        return true;
    default:
        return false;
    }
}

static int boundary_before(int i, int thread)
{
    for (int k = i - 1; k >= 0; k--)
        if (record.rows[k].thread == thread && is_boundary(&record.rows[k]))
            return k;
    return NO_ROW;
}

/* The line of the last test in rows (from, to), in the function that waits. */
static bool line_of_test(int from, int to, const struct row *sleep, const void **pc)
{
    for (int i = to - 1; i > from; i--) {
        const struct row *row = &record.rows[i];
        const void *at_sleep;
        if (row->thread == sleep->thread && fact_is_test(row) && fact_common(row, sleep, pc, &at_sleep))
            return true;
    }
    return false;
}

static void take_tests(int from, int to, const struct row *sleep, struct tests *tests)
{
    struct place wanted, place;
    const void *at, *at_sleep;
    lines_place(tests->pc, &wanted);
    for (int i = from + 1; i < to && tests->n < TESTS_MAX; i++) {
        const struct row *row = &record.rows[i];
        if (row->thread != sleep->thread || !fact_is_access(row) || !fact_common(row, sleep, &at, &at_sleep))
            continue;
        if (lines_place(at, &place) && place.line == wanted.line)
            tests->rows[tests->n++] = i;
    }
}

bool fact_tests(int sleep_row, struct tests *tests)
{
    const struct row *sleep = &record.rows[sleep_row];
    *tests = (struct tests){.n = 0};
    int to = sleep_row, from = boundary_before(to, sleep->thread);
    if (!line_of_test(from, to, sleep, &tests->pc)) {
        if (from == NO_ROW || record.rows[from].op != OP_LOCK)
            return false;
        to = from;
        from = boundary_before(to, sleep->thread);
        tests->outside = true;
        if (!line_of_test(from, to, sleep, &tests->pc))
            return false;
    }
    take_tests(from, to, sleep, tests);
    return tests->n > 0;
}

int fact_test_that_differs(const struct tests *tests, int i)
{
    for (unsigned k = 0; k < tests->n; k++) {
        const struct row *row = &record.rows[tests->rows[k]];
        uint64_t value;
        if (fact_value_before(i, row, &value) && value != row->after)
            return tests->rows[k];
    }
    return NO_ROW;
}
