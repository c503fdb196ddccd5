/* json.c - the result as JSON; see show.h. */
#include "show.h"

#include "lines.h"
#include "names.h"
#include "record.h"
#include "story_facts.h"
#include "table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

static json_t *place_json(const void *pc)
{
    struct place place;
    if (!lines_place(pc, &place))
        return json_null();
    json_t *json = json_object();
    set(json, "file", json_string(place.file));
    set(json, "line", json_integer(place.line));
    set(json, "source", json_string(place.text));
    set(json, "function", json_string(place.function));
    return json;
}

/* The calls that the row stands in, innermost first: whose line it is to a reader who knows only some of the files. */
static json_t *callers_json(const struct row *row)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < row->frames_n; i++) {
        json_t *place = place_json(row->frames[i].pc);
        if (json_is_null(place))
            json_decref(place);
        else
            json_array_append_new(list, place);
    }
    return list;
}

/* Stable names for what a step is; the words of "does" may change. */
static const char *op_word(enum op op)
{
    static const char *const words[] = {
        [OP_READ] = "read",
        [OP_WRITE] = "write",
        [OP_LOOK] = "atomic-read",
        [OP_SET] = "atomic-write",
        [OP_CHANGE] = "atomic-change",
        [OP_LOCK] = "lock",
        [OP_LOCK_READ] = "lock-shared",
        [OP_UNLOCK] = "unlock",
        [OP_BUSY] = "try-failed",
        [OP_GIVE_UP] = "wait-timed-out",
        [OP_SLEEP] = "cond-sleep",
        [OP_AWAKE] = "cond-awake",
        [OP_SPURIOUS] = "cond-spurious",
        [OP_TIME_OVER] = "cond-timed-out",
        [OP_SIGNAL] = "cond-signal",
        [OP_SIGNAL_NOBODY] = "cond-signal-nobody",
        [OP_BROADCAST] = "cond-broadcast",
        [OP_BROADCAST_NOBODY] = "cond-broadcast-nobody",
        [OP_TAKE] = "sem-take",
        [OP_POST] = "sem-post",
        [OP_ARRIVE] = "barrier-arrive",
        [OP_LEAVE] = "barrier-leave",
        [OP_MAKE] = "create",
        [OP_JOIN] = "join",
        [OP_END] = "end",
        [OP_NAP] = "sleep",
        [OP_FREE] = "free",
        [OP_DESTROY] = "destroy",
        [OP_RACE_READ] = "race-read",
        [OP_RACE_WRITE] = "race-write",
        [OP_FAIL] = "fail",
        [OP_OVER] = "exit",
        [OP_OTHER] = "other",
    };
    return words[op];
}

static json_t *value_json(const struct row *row, uint64_t value)
{
    char text[64];
    if (!fact_is_access(row))
        return json_null();
    names_value(row->object, row->size, value, text, sizeof text);
    return json_string(text);
}

/* The rows in which a thread took what it holds. */
struct held {
    const struct row *rows[HELD_MAX];
    unsigned n;
};

static void let_go(struct held *held, const void *lock)
{
    for (unsigned i = held->n; i-- > 0;) {
        if (held->rows[i]->object != lock)
            continue;
        memmove(&held->rows[i], &held->rows[i + 1], (held->n - i - 1) * sizeof held->rows[0]);
        held->n--;
        return;
    }
}

/* What the thread of row `index` holds after it: takes the row into account. */
static json_t *holds_json(struct held *held, unsigned index)
{
    const struct row *row = &record.rows[index];
    json_t *list = json_array();
    if (row->op == OP_UNLOCK)
        let_go(held, row->object);
    else if (row->op == OP_SLEEP)
        let_go(held, fact_given_up((int)index));
    else if ((row->op == OP_LOCK || row->op == OP_LOCK_READ || row->op == OP_AWAKE) && held->n < HELD_MAX)
        held->rows[held->n++] = row;
    for (unsigned i = 0; i < held->n; i++) {
        char object[96];
        names_in_line(held->rows[i]->object, held->rows[i]->pc, object, sizeof object);
        json_array_append_new(list, json_string(object));
    }
    return list;
}

static json_t *row_json(unsigned index, struct held *held)
{
    const struct row *row = &record.rows[index];
    char object[96] = "";
    json_t *json = json_object();
    set(json, "thread", json_integer(row->thread + 1));
    set(json, "at", place_json(row->pc));
    set(json, "callers", callers_json(row));
    set(json, "does", json_string(row->what ? row->what : row->is_write ? "writes" : "reads"));
    set(json, "op", json_string(op_word(row->op)));
    if (row->object)
        names_in_line(row->object, row->pc, object, sizeof object);
    set(json, "object", object[0] ? json_string(object) : json_null());
    set(json, "object_number", row->object ? json_integer(names_number(row->object)) : json_null());
    set(json, "before", value_json(row, row->before));
    set(json, "after", value_json(row, row->after));
    set(json, "holds", holds_json(held, index));
    set(json, "switched", json_boolean(row->switched));
    set(json, "other", row->other >= 0 ? json_integer(row->other + 1) : json_null());
    set(json, "time_ns", json_integer((json_int_t)row->now_ns));
    return json;
}

static json_t *threads_json(void)
{
    json_t *list = json_array();
    for (int i = 0; i < il.n; i++) {
        const struct thread *thread = &il.threads[i];
        char body[64] = "main", waits[128];
        json_t *json = json_object();
        if (i > 0 && !lines_symbol(thread->body ? (const void *)thread->body : (const void *)thread->body_int, body,
                                   sizeof body))
            body[0] = '\0';
        record_waits(i, waits, sizeof waits);
        set(json, "number", json_integer(i + 1));
        set(json, "body", json_string(body));
        const struct row *last = &record.last[i];
        set(json, "at", place_json(thread->wish_pc ? thread->wish_pc : thread->pc));
        set(json, "callers", callers_json(last));
        set(json, "ended", json_boolean(thread->life == LIFE_ENDED));
        set(json, "state", thread->life == LIFE_ENDED ? json_string("has ended") : json_string(waits));
        json_t *held = json_array();
        for (unsigned k = 0; k < thread->held_n && k < HELD_MAX; k++) {
            char object[96] = "";
            show_object(thread->held[k]->address, object, sizeof object);
            json_array_append_new(held, json_string(object));
        }
        set(json, "holds", held);
        int whom = thread->life == LIFE_RUNS ? record_waits_for(i) : -1;
        const struct sync *on = thread->life == LIFE_RUNS ? thread->wish.on : NULL;
        char object[96] = "";
        if (on)
            show_object(on->address, object, sizeof object);
        set(json, "waits_for", whom >= 0 ? json_integer(whom + 1) : json_null());
        set(json, "waits_on", object[0] ? json_string(object) : json_null());
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *story_json(const struct story *story)
{
    json_t *json = json_object(), *threads = json_array();
    set(json, "pattern", json_string(story->pattern));
    set(json, "what", json_string(story->happened));
    set(json, "advice", json_string(story->advice));
    set(json, "from_step", json_integer(story->from < (int)record.n ? story->from : 0));
    for (int i = 0; i < il.n; i++)
        if (story->threads[i / 32] >> i % 32 & 1)
            json_array_append_new(threads, json_integer(i + 1));
    set(json, "threads", threads);
    return json;
}

/* The table as the screen shows it, line by line. */
static json_t *table_json(const struct story *story, unsigned width)
{
    char *text = NULL;
    size_t size;
    json_t *list = json_array();
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return list;
    table_print(to, story, width);
    if (fclose(to) == 0)
        for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
            json_array_append_new(list, json_stringn(line, (size_t)(end - line)));
    free(text);
    return list;
}

static json_t *finding_json(const char *token, unsigned width)
{
    static struct story story;
    for (unsigned i = 0; i < record.n; i++) /* numbers in the order of the trace, whoever asks for names first later */
        if (record.rows[i].object)
            names_number(record.rows[i].object);
    bool told = story_tell(&story);
    json_t *json = json_object();
    set(json, "kind", json_string(show_kind(il.finding.kind)));
    set(json, "what", json_string(il.finding.text));
    set(json, "thread", json_integer(il.finding.thread + 1));
    set(json, "other", il.finding.other >= 0 ? json_integer(il.finding.other + 1) : json_null());
    set(json, "at", place_json(il.finding.pc));
    set(json, "token", json_string(token));
    set(json, "preemptions", json_integer(il.cost));
    set(json, "switches", json_integer(il.switches));
    set(json, "story", told ? story_json(&story) : json_null());
    set(json, "table", table_json(told ? &story : NULL, width));
    set(json, "threads", threads_json());
    json_t *rows = json_array();
    struct held *held = calloc(THREADS_MAX, sizeof *held);
    for (unsigned i = 0; i < record.n && held; i++)
        json_array_append_new(rows, row_json(i, &held[record.rows[i].thread]));
    free(held);
    set(json, "trace", rows);
    set(json, "trace_cut", json_integer(record.lost));
    return json;
}

int show_json(FILE *to, const struct show_options *how, const struct search_report *report)
{
    json_t *json = json_object();
    set(json, "version", json_integer(1));
    set(json, "finding", il.outcome == RUN_FOUND ? finding_json(how->token, how->width) : json_null());
    set(json, "runs", json_integer((json_int_t)report->runs));
    set(json, "runs_whole", json_integer((json_int_t)report->whole));
    set(json, "runs_equal", json_integer((json_int_t)report->equal));
    set(json, "runs_random", json_integer((json_int_t)report->random));
    set(json, "random_depth", json_integer(how->search->depth));
    set(json, "random_seed", json_integer((json_int_t)how->search->seed));
    set(json, "proved_preemptions", report->bound_done >= 0 ? json_integer(report->bound_done) : json_null());
    set(json, "proved_everything", json_boolean(report->everything));
    int result = json_dumpf(json, to, how->in_one_line ? JSON_COMPACT : JSON_INDENT(1));
    json_decref(json);
    return result || fputc('\n', to) == EOF ? -1 : 0;
}
