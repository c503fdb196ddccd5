#include "interleaving.h"

#include "json_reader.h"
#include "memory.h"

#include <string.h>

enum { STEPS_MAX = 10000, THREADS_MAX = 1000, HELD_MAX = 100 };

/* ---- words ------------------------------------------------------------------------------------------------------- */

char *proof_number(void *context, long number)
{
    char *digits = memory_format(context, "%ld", number), *text = memory_text(context, "");
    size_t length = strlen(digits);

    for (size_t i = 0; i < length; i++)
        text = memory_append(context, text, "%s%c", i > 0 && (length - i) % 3 == 0 ? "," : "", digits[i]);
    return text;
}

static const char *plural(long number)
{
    return number == 1 ? "" : "s";
}

/* "with up to 2 preemptions" */
static char *preemptions_words(void *context, int preemptions)
{
    return preemptions == 0 ? memory_text(context, "without a preemption")
                            : memory_format(context, "with up to %d preemption%s", preemptions, plural(preemptions));
}

char *proof_words(void *context, const struct proof *proof)
{
    char *bound = preemptions_words(context, proof->preemptions), *words;

    if (proof->everything)
        return memory_format(context, "every interleaving was run (%s)", proof_number(context, proof->whole));
    if (proof->preemptions >= 0 && proof->random == 0)
        return memory_format(context, "every interleaving %s was run (%s)", bound, proof_number(context, proof->whole));
    words = memory_format(context, "%s interleaving%s run, and there are more", proof_number(context, proof->runs),
                          proof->runs == 1 ? " was" : "s were");
    if (proof->preemptions >= 0)
        words = memory_append(context, words, ": all %s", bound);
    if (proof->random > 0)
        words = memory_append(context, words, "%s%s chosen at random", proof->preemptions >= 0 ? ", and " : ": ",
                              proof_number(context, proof->random));
    return words;
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

static const char **copy_texts(void *context, const char *const *from)
{
    size_t count = 0;

    while (from != NULL && from[count] != NULL)
        count++;
    const char **texts = memory_zeroed(context, count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = memory_text(context, from[i]);
    return texts;
}

struct interleaving *interleaving_copy(void *context, const struct interleaving *from)
{
    if (from == NULL)
        return NULL;
    struct interleaving *copy = memory_zeroed(context, 1, sizeof *copy);
    *copy = *from;
    copy->scenario = memory_text(context, from->scenario);
    copy->story = memory_text(context, from->story);
    copy->kind = memory_text(context, from->kind);
    copy->pattern = memory_text(context, from->pattern);
    copy->token = memory_text(context, from->token);
    copy->threads = memory_zeroed(context, from->thread_count, sizeof *copy->threads);
    for (size_t i = 0; i < from->thread_count; i++) {
        copy->threads[i] = from->threads[i];
        copy->threads[i].body = memory_text(context, from->threads[i].body);
        copy->threads[i].file = memory_text(context, from->threads[i].file);
        copy->threads[i].source = memory_text(context, from->threads[i].source);
        copy->threads[i].state = memory_text(context, from->threads[i].state);
        copy->threads[i].holds = copy_texts(context, from->threads[i].holds);
    }
    copy->steps = memory_zeroed(context, from->step_count, sizeof *copy->steps);
    for (size_t i = 0; i < from->step_count; i++) {
        copy->steps[i] = from->steps[i];
        copy->steps[i].file = memory_text(context, from->steps[i].file);
        copy->steps[i].source = memory_text(context, from->steps[i].source);
        copy->steps[i].does = memory_text(context, from->steps[i].does);
        copy->steps[i].object = memory_text(context, from->steps[i].object);
        copy->steps[i].before = memory_text(context, from->steps[i].before);
        copy->steps[i].after = memory_text(context, from->steps[i].after);
    }
    return copy;
}

struct proof *proofs_copy(void *context, const struct proof *from, size_t count)
{
    struct proof *copies = memory_zeroed(context, count, sizeof *copies);

    for (size_t i = 0; i < count; i++) {
        copies[i] = from[i];
        copies[i].scenario = memory_text(context, from[i].scenario);
        copies[i].text = memory_text(context, from[i].text);
    }
    return copies;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* What could not be made shows at the end: a member is missing, and the whole is given up. */
static void put(json_t **object, const char *key, json_t *value)
{
    if (*object != NULL && (value == NULL || json_object_set_new(*object, key, value) != 0)) {
        json_decref(*object);
        *object = NULL;
    } else if (*object == NULL) {
        json_decref(value);
    }
}

static void put_item(json_t **array, json_t *value)
{
    if (*array != NULL && (value == NULL || json_array_append_new(*array, value) != 0)) {
        json_decref(*array);
        *array = NULL;
    } else if (*array == NULL) {
        json_decref(value);
    }
}

static json_t *text_json(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static json_t *thread_json(const struct explored_thread *thread)
{
    json_t *json = json_object(), *holds = json_array();

    for (const char **lock = thread->holds; lock != NULL && *lock != NULL; lock++)
        put_item(&holds, json_string(*lock));
    put(&json, "number", json_integer(thread->number));
    put(&json, "body", text_json(thread->body));
    put(&json, "file", text_json(thread->file));
    put(&json, "line", json_integer(thread->line));
    put(&json, "source", text_json(thread->source));
    put(&json, "ended", json_boolean(thread->ended));
    put(&json, "state", text_json(thread->state));
    put(&json, "holds", holds);
    return json;
}

static json_t *step_json(const struct step *step)
{
    json_t *json = json_object();

    put(&json, "thread", json_integer(step->thread));
    put(&json, "file", text_json(step->file));
    put(&json, "line", json_integer(step->line));
    put(&json, "source", text_json(step->source));
    put(&json, "does", text_json(step->does));
    put(&json, "object", text_json(step->object));
    put(&json, "number", json_integer(step->number));
    put(&json, "before", text_json(step->before));
    put(&json, "after", text_json(step->after));
    put(&json, "other", step->other > 0 ? json_integer(step->other) : json_null());
    return json;
}

json_t *interleaving_to_json(const struct interleaving *interleaving)
{
    json_t *json = json_object(), *threads = json_array(), *steps = json_array();

    for (size_t i = 0; i < interleaving->thread_count; i++)
        put_item(&threads, thread_json(&interleaving->threads[i]));
    for (size_t i = 0; i < interleaving->step_count; i++)
        put_item(&steps, step_json(&interleaving->steps[i]));
    put(&json, "scenario", text_json(interleaving->scenario));
    put(&json, "story", text_json(interleaving->story));
    put(&json, "kind", text_json(interleaving->kind));
    put(&json, "pattern", text_json(interleaving->pattern));
    put(&json, "token", text_json(interleaving->token));
    put(&json, "runs", json_integer(interleaving->runs));
    put(&json, "threads", threads);
    put(&json, "steps", steps);
    put(&json, "left_out", json_integer(interleaving->left_out));
    return json;
}

json_t *proof_to_json(const struct proof *proof)
{
    json_t *json = json_object();

    put(&json, "scenario", text_json(proof->scenario));
    put(&json, "runs", json_integer(proof->runs));
    put(&json, "whole", json_integer(proof->whole));
    put(&json, "random", json_integer(proof->random));
    put(&json, "depth", json_integer(proof->depth));
    put(&json, "preemptions", proof->preemptions < 0 ? json_null() : json_integer(proof->preemptions));
    put(&json, "everything", json_boolean(proof->everything));
    put(&json, "text", text_json(proof->text));
    return json;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static long get_number(struct json_reader *reading, const char *key, bool needed)
{
    const json_t *value = json_object_get(reading->object, key);
    bool fits = json_is_integer(value) ? json_integer_value(value) >= 0 : !needed && json_is_null(value);

    return json_reader_member(reading, key, fits, value) == NULL ? 0 : (long)json_integer_value(value);
}

static bool get_yes(struct json_reader *reading, const char *key)
{
    const json_t *value = json_object_get(reading->object, key);

    return json_is_true(json_reader_member(reading, key, json_is_boolean(value), value));
}

static const json_t *get_array(struct json_reader *reading, const char *key, size_t most, size_t *count)
{
    const json_t *value = json_object_get(reading->object, key);
    const json_t *good =
        json_reader_member(reading, key, json_is_array(value) && json_array_size(value) <= most, value);

    *count = good == NULL ? 0 : json_array_size(good);
    return good;
}

static void read_thread(struct json_reader *reading, const json_t *json, struct explored_thread *thread)
{
    struct json_reader inner = {.context = reading->context,
                                .object = json,
                                .what = "a thread",
                                .fault = reading->fault,
                                .failed = reading->failed};
    size_t count = 0;

    thread->number = (int)get_number(&inner, "number", true);
    thread->body = json_reader_text(&inner, "body", false);
    thread->file = json_reader_text(&inner, "file", false);
    thread->line = (int)get_number(&inner, "line", true);
    thread->source = json_reader_text(&inner, "source", false);
    thread->ended = get_yes(&inner, "ended");
    thread->state = json_reader_text(&inner, "state", false);
    const json_t *holds = get_array(&inner, "holds", HELD_MAX, &count);
    thread->holds = memory_zeroed(reading->context, count + 1, sizeof *thread->holds);
    for (size_t i = 0; i < count; i++) {
        const json_t *lock = json_array_get(holds, i);

        if (json_reader_member(&inner, "holds", json_is_string(lock), lock) != NULL)
            thread->holds[i] = memory_text(reading->context, json_string_value(lock));
    }
    reading->failed = inner.failed;
}

static void read_step(struct json_reader *reading, const json_t *json, struct step *step)
{
    struct json_reader inner = {.context = reading->context,
                                .object = json,
                                .what = "a step",
                                .fault = reading->fault,
                                .failed = reading->failed};

    step->thread = (int)get_number(&inner, "thread", true);
    step->file = json_reader_text(&inner, "file", false);
    step->line = (int)get_number(&inner, "line", true);
    step->source = json_reader_text(&inner, "source", false);
    step->does = json_reader_text(&inner, "does", true);
    step->object = json_reader_text(&inner, "object", false);
    step->number = (int)get_number(&inner, "number", true);
    step->before = json_reader_text(&inner, "before", false);
    step->after = json_reader_text(&inner, "after", false);
    step->other = (int)get_number(&inner, "other", false);
    reading->failed = inner.failed;
}

int interleaving_from_json(void *context, const json_t *json, struct interleaving *interleaving, struct fault *fault)
{
    struct json_reader reading = {.context = context, .object = json, .what = "an interleaving", .fault = fault};

    *interleaving = (struct interleaving){
        .scenario = json_reader_text(&reading, "scenario", true),
        .story = json_reader_text(&reading, "story", false),
        .kind = json_reader_text(&reading, "kind", true),
        .pattern = json_reader_text(&reading, "pattern", false),
        .token = json_reader_text(&reading, "token", true),
        .runs = get_number(&reading, "runs", true),
        .left_out = get_number(&reading, "left_out", true),
    };
    const json_t *threads = get_array(&reading, "threads", THREADS_MAX, &interleaving->thread_count);
    interleaving->threads = memory_zeroed(context, interleaving->thread_count, sizeof *interleaving->threads);
    for (size_t i = 0; i < interleaving->thread_count; i++)
        read_thread(&reading, json_array_get(threads, i), &interleaving->threads[i]);
    const json_t *steps = get_array(&reading, "steps", STEPS_MAX, &interleaving->step_count);
    interleaving->steps = memory_zeroed(context, interleaving->step_count, sizeof *interleaving->steps);
    for (size_t i = 0; i < interleaving->step_count; i++)
        read_step(&reading, json_array_get(steps, i), &interleaving->steps[i]);
    return reading.failed ? -1 : 0;
}

int proof_from_json(void *context, const json_t *json, struct proof *proof, struct fault *fault)
{
    struct json_reader reading = {.context = context, .object = json, .what = "a proof", .fault = fault};

    *proof = (struct proof){
        .scenario = json_reader_text(&reading, "scenario", true),
        .runs = get_number(&reading, "runs", true),
        .whole = get_number(&reading, "whole", true),
        .random = get_number(&reading, "random", true),
        .depth = (int)get_number(&reading, "depth", true),
        .preemptions = (int)get_number(&reading, "preemptions", false),
        .everything = get_yes(&reading, "everything"),
        .text = json_reader_text(&reading, "text", true),
    };
    if (json_is_null(json_object_get(json, "preemptions")))
        proof->preemptions = -1;
    return reading.failed ? -1 : 0;
}
