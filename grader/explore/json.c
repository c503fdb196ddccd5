/* json.c - the result as JSON; see show.h. */
#include "show.h"

#include "lines.h"
#include "record.h"

#include <jansson.h>

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

static json_t *row_json(const struct row *row)
{
    char object[96] = "";
    json_t *json = json_object();
    set(json, "thread", json_integer(row->thread + 1));
    set(json, "at", place_json(row->pc));
    set(json, "callers", callers_json(row));
    set(json, "does", json_string(row->what ? row->what : row->is_write ? "writes" : "reads"));
    if (row->object)
        show_object(row->object, object, sizeof object);
    set(json, "object", object[0] ? json_string(object) : json_null());
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
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *finding_json(const char *token)
{
    json_t *json = json_object();
    set(json, "kind", json_string(show_kind(il.finding.kind)));
    set(json, "what", json_string(il.finding.text));
    set(json, "thread", json_integer(il.finding.thread + 1));
    set(json, "other", il.finding.other >= 0 ? json_integer(il.finding.other + 1) : json_null());
    set(json, "at", place_json(il.finding.pc));
    set(json, "token", json_string(token));
    set(json, "threads", threads_json());
    json_t *rows = json_array();
    for (unsigned i = 0; i < record.n; i++)
        json_array_append_new(rows, row_json(&record.rows[i]));
    set(json, "trace", rows);
    set(json, "trace_cut", json_integer(record.lost));
    return json;
}

int show_json(FILE *to, const struct search_options *options, const struct search_report *report, const char *token)
{
    json_t *json = json_object();
    set(json, "version", json_integer(1));
    set(json, "finding", il.outcome == RUN_FOUND ? finding_json(token) : json_null());
    set(json, "runs", json_integer((json_int_t)report->runs));
    set(json, "runs_whole", json_integer((json_int_t)report->whole));
    set(json, "runs_equal", json_integer((json_int_t)report->equal));
    set(json, "runs_random", json_integer((json_int_t)report->random));
    set(json, "random_depth", json_integer(options->depth));
    set(json, "random_seed", json_integer((json_int_t)options->seed));
    set(json, "proved_preemptions", report->bound_done >= 0 ? json_integer(report->bound_done) : json_null());
    set(json, "proved_everything", json_boolean(report->everything));
    int result = json_dumpf(json, to, JSON_INDENT(1));
    json_decref(json);
    return result || fputc('\n', to) == EOF ? -1 : 0;
}
