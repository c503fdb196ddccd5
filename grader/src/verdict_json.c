/* verdict_json.c - struct verdict and JSON, there and back.
 *
 * The writing half cannot fail but for want of memory, which ends the process as everywhere in the grader (memory.h).
 * The reading half reads what a worker process or a file says, so it trusts nothing: every member is looked for, its
 * type and range checked, and the first that does not fit is a fault that names it.
 */
#include "verdict_json.h"

#include "files.h"
#include "json_reader.h"
#include "memory.h"
#include "options.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { TEXT_MAX = 64 * 1024, ITEMS_MAX = 10000 };

/* ---- text -------------------------------------------------------------------------------------------------------- */

char *json_clean_text(void *context, const char *bytes, size_t size)
{
    static const char replacement[] = "\xEF\xBF\xBD", cut[] = "\xE2\x80\xA6";
    size_t room = size < TEXT_MAX ? size * 3 : TEXT_MAX;
    char *clean = memory_zeroed(context, room + sizeof cut, 1);
    size_t used = 0;

    for (size_t i = 0; i < size;) {
        size_t length = utf8_length(bytes + i, size - i);
        const char *from = length > 0 ? bytes + i : replacement;
        size_t count = length > 0 ? length : 3;

        if (used + count > room) {
            memcpy(clean + used, cut, sizeof cut);
            return clean;
        }
        memcpy(clean + used, from, count);
        used += count;
        i += length > 0 ? length : 1;
    }
    return clean;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static _Noreturn void no_memory(void)
{
    static const char message[] = "grade: out of memory; close something, or use fewer --jobs\n";

    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    _exit(2);
}

static json_t *checked(json_t *json)
{
    if (json == NULL)
        no_memory();
    return json;
}

static char *dumped(char *text)
{
    if (text == NULL)
        no_memory();
    return text;
}

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, checked(value)) != 0)
        no_memory();
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text == NULL) {
        put(object, key, json_null());
        return;
    }
    char *clean = json_clean_text(NULL, text, strlen(text));
    put(object, key, json_string(clean));
    talloc_free(clean);
}

/* JSON knows no infinity. */
static void put_seconds(json_t *object, const char *key, double seconds)
{
    put(object, key, json_real(isfinite(seconds) ? seconds : 0));
}

static void add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, checked(value)) != 0)
        no_memory();
}

static json_t *place_to_json(const struct place *place)
{
    json_t *json = checked(json_object());

    put_text(json, "file", place->file);
    put(json, "line", json_integer(place->line));
    put_text(json, "excerpt", place->excerpt);
    put_text(json, "who", place->who);
    put_text(json, "note", place->note);
    return json;
}

static json_t *finding_to_json(const struct finding *finding)
{
    json_t *json = checked(json_object()), *places = checked(json_array());

    put(json, "severity", json_string(finding->severity == SEVERITY_NOTE ? "note" : "failure"));
    put_text(json, "what", finding->what == NULL ? "" : finding->what);
    for (size_t i = 0; i < finding->place_count; i++)
        add(places, place_to_json(&finding->places[i]));
    put(json, "places", places);
    put_text(json, "why", finding->why);
    put_text(json, "detail", finding->detail);
    put_text(json, "read", finding->read);
    put(json, "interleaving", finding->order == NULL ? json_null() : interleaving_to_json(finding->order));
    return json;
}

static json_t *result_to_json(const struct stage_result *result)
{
    json_t *json = checked(json_object()), *findings = checked(json_array()), *proofs = checked(json_array());

    put_text(json, "stage", result->stage);
    put(json, "outcome", json_string(outcome_name(result->outcome)));
    put_text(json, "reason", result->reason);
    put(json, "points", json_integer(result->points));
    put(json, "max_points", json_integer(result->max_points));
    put(json, "checks", json_integer(result->checks));
    put_seconds(json, "wall_s", result->wall_s);
    put_seconds(json, "cpu_s", result->cpu_s);
    for (size_t i = 0; i < result->finding_count; i++)
        add(findings, finding_to_json(&result->findings[i]));
    put(json, "findings", findings);
    for (size_t i = 0; i < result->proof_count; i++)
        add(proofs, proof_to_json(&result->proofs[i]));
    put(json, "proofs", proofs);
    return json;
}

json_t *verdict_to_json(const struct verdict *verdict)
{
    json_t *json = checked(json_object()), *stages = checked(json_array());

    put_text(json, "exercise", verdict->exercise);
    put_text(json, "title", verdict->title);
    put_text(json, "student", verdict->student);
    put_text(json, "source", verdict->source);
    put(json, "outcome", json_string(outcome_name(verdict->outcome)));
    put(json, "missing", json_boolean(verdict->missing));
    put_text(json, "reason", verdict->reason);
    put(json, "points", json_integer(verdict->points));
    put(json, "max_points", json_integer(verdict->max_points));
    put_seconds(json, "wall_s", verdict->wall_s);
    put_seconds(json, "cpu_s", verdict->cpu_s);
    for (size_t i = 0; i < verdict->result_count; i++)
        add(stages, result_to_json(&verdict->results[i]));
    put(json, "stages", stages);
    return json;
}

/* The processor's name as Linux knows it, or "unknown". */
static void put_processor(json_t *machine)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    const char *name = "unknown";

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');

        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        name = colon + 1 + (colon[1] == ' ');
        break;
    }
    put_text(machine, "processor", name);
    if (file != NULL)
        fclose(file);
}

static json_t *machine_to_json(void)
{
    json_t *json = checked(json_object());
    struct utsname system;
    long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGE_SIZE);

    put(json, "cores", json_integer(options_cores()));
    put_processor(json);
    put(json, "memory_mb", json_integer(pages > 0 ? (json_int_t)pages * page_size >> 20 : 0));
    if (uname(&system) == 0) {
        put_text(json, "system", system.sysname);
        put_text(json, "kernel", system.release);
        put_text(json, "architecture", system.machine);
    }
    return json;
}

json_t *report_to_json(const char *student, const struct verdict *const *verdicts, size_t count)
{
    json_t *json = checked(json_object()), *grader = checked(json_object()), *list = checked(json_array());
    int points = 0, max_points = 0;
    int counts[OUTCOME_BROKEN + 1] = {0};

    put(json, "schema", json_integer(VERDICT_SCHEMA_VERSION));
    put_text(grader, "name", "interleave");
    put_text(grader, "version", GRADE_VERSION);
    put(json, "grader", grader);
    put(json, "machine", machine_to_json());
    put_text(json, "student", student);
    for (size_t i = 0; i < count; i++) {
        points += verdicts[i]->points;
        max_points += verdicts[i]->max_points;
        counts[verdicts[i]->outcome]++;
        add(list, verdict_to_json(verdicts[i]));
    }
    put(json, "points", json_integer(points));
    put(json, "max_points", json_integer(max_points));
    for (enum outcome outcome = OUTCOME_PASSED; outcome <= OUTCOME_BROKEN; outcome++) {
        if (outcome != OUTCOME_SKIPPED)
            put(json, outcome_name(outcome), json_integer(counts[outcome]));
    }
    put(json, "verdicts", list);
    return json;
}

int report_write(const json_t *report, const char *path, struct fault *fault)
{
    char *bytes = dumped(json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6)));
    int written = 0;

    size_t length = strlen(bytes);
    bytes[length] = '\n'; /* in the place of the NUL, which is not written */
    if (strcmp(path, "-") != 0)
        written = files_write(path, bytes, length + 1, fault);
    else if (fwrite(bytes, 1, length + 1, stdout) != length + 1 || fflush(stdout) != 0)
        written = fault_errno(fault, "the JSON cannot be written to standard output");
    free(bytes);
    return written;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int get_integer(struct json_reader *reader, const char *key)
{
    const json_t *value = json_object_get(reader->object, key);
    json_int_t number = json_integer_value(value);
    const json_t *good =
        json_reader_member(reader, key, json_is_integer(value) && number >= 0 && number <= 1000000000, value);

    return good == NULL ? 0 : (int)number;
}

static double get_seconds(struct json_reader *reader, const char *key)
{
    const json_t *value = json_object_get(reader->object, key);

    return json_reader_member(reader, key, json_is_number(value), value) == NULL ? 0 : json_number_value(value);
}

static enum outcome get_outcome(struct json_reader *reader)
{
    const json_t *value = json_object_get(reader->object, "outcome");
    int outcome = json_is_string(value) ? outcome_of(json_string_value(value)) : -1;

    return json_reader_member(reader, "outcome", outcome >= 0, value) == NULL ? OUTCOME_BROKEN : (enum outcome)outcome;
}

/* An array and its size; 0 where it does not fit. */
static const json_t *get_array(struct json_reader *reader, const char *key, size_t *count)
{
    const json_t *value = json_object_get(reader->object, key);
    const json_t *good =
        json_reader_member(reader, key, json_is_array(value) && json_array_size(value) <= ITEMS_MAX, value);

    *count = good == NULL ? 0 : json_array_size(good);
    return good;
}

static bool read_place(void *context, const json_t *json, struct place *place, struct fault *fault)
{
    struct json_reader reader = {.context = context, .object = json, .what = "a place", .fault = fault};

    place->file = json_reader_text(&reader, "file", false);
    place->line = get_integer(&reader, "line");
    place->excerpt = json_reader_text(&reader, "excerpt", false);
    place->who = json_reader_text(&reader, "who", false);
    place->note = json_reader_text(&reader, "note", false);
    return !reader.failed;
}

/* An object, or null where there is none. */
static const struct interleaving *read_order(struct json_reader *reader, const char *key)
{
    const json_t *value = json_object_get(reader->object, key);
    const json_t *good = json_reader_member(reader, key, json_is_object(value) || json_is_null(value), value);

    if (good == NULL || json_is_null(good))
        return NULL;
    struct interleaving *order = memory_zeroed(reader->context, 1, sizeof *order);
    reader->failed = interleaving_from_json(reader->context, good, order, reader->fault) != 0;
    return order;
}

static bool read_finding(void *context, const json_t *json, struct finding *finding, struct fault *fault)
{
    struct json_reader reader = {.context = context, .object = json, .what = "a finding", .fault = fault};
    const char *severity = json_reader_text(&reader, "severity", true);

    finding->severity = severity != NULL && strcmp(severity, "note") == 0 ? SEVERITY_NOTE : SEVERITY_FAILURE;
    finding->what = json_reader_text(&reader, "what", true);
    finding->why = json_reader_text(&reader, "why", false);
    finding->detail = json_reader_text(&reader, "detail", false);
    finding->read = json_reader_text(&reader, "read", false);
    finding->order = read_order(&reader, "interleaving");
    const json_t *places = get_array(&reader, "places", &finding->place_count);
    finding->places = memory_zeroed(context, finding->place_count, sizeof *finding->places);
    for (size_t i = 0; i < finding->place_count && !reader.failed; i++)
        reader.failed = !read_place(context, json_array_get(places, i), &finding->places[i], fault);
    return !reader.failed;
}

static bool read_result(void *context, const json_t *json, struct stage_result *result, struct fault *fault)
{
    struct json_reader reader = {.context = context, .object = json, .what = "a stage", .fault = fault};

    result->stage = json_reader_text(&reader, "stage", true);
    result->outcome = get_outcome(&reader);
    result->reason = json_reader_text(&reader, "reason", false);
    result->points = get_integer(&reader, "points");
    result->max_points = get_integer(&reader, "max_points");
    result->checks = get_integer(&reader, "checks");
    result->wall_s = get_seconds(&reader, "wall_s");
    result->cpu_s = get_seconds(&reader, "cpu_s");
    const json_t *findings = get_array(&reader, "findings", &result->finding_count);
    result->findings = memory_zeroed(context, result->finding_count, sizeof *result->findings);
    for (size_t i = 0; i < result->finding_count && !reader.failed; i++)
        reader.failed = !read_finding(context, json_array_get(findings, i), &result->findings[i], fault);
    const json_t *proofs = get_array(&reader, "proofs", &result->proof_count);
    result->proofs = memory_zeroed(context, result->proof_count, sizeof *result->proofs);
    for (size_t i = 0; i < result->proof_count && !reader.failed; i++)
        reader.failed = proof_from_json(context, json_array_get(proofs, i), &result->proofs[i], fault) != 0;
    return !reader.failed;
}

struct verdict *verdict_from_json(void *context, const json_t *json, struct fault *fault)
{
    struct verdict *verdict = memory_zeroed(context, 1, sizeof *verdict);
    struct json_reader reader = {.context = verdict, .object = json, .what = "a verdict", .fault = fault};
    const json_t *missing = json_object_get(json, "missing");

    verdict->exercise = json_reader_text(&reader, "exercise", true);
    verdict->title = json_reader_text(&reader, "title", false);
    verdict->student = json_reader_text(&reader, "student", false);
    verdict->source = json_reader_text(&reader, "source", false);
    verdict->outcome = get_outcome(&reader);
    verdict->missing = json_is_true(json_reader_member(&reader, "missing", json_is_boolean(missing), missing));
    verdict->reason = json_reader_text(&reader, "reason", false);
    verdict->points = get_integer(&reader, "points");
    verdict->max_points = get_integer(&reader, "max_points");
    verdict->wall_s = get_seconds(&reader, "wall_s");
    verdict->cpu_s = get_seconds(&reader, "cpu_s");
    const json_t *stages = get_array(&reader, "stages", &verdict->result_count);
    verdict->results = memory_zeroed(verdict, verdict->result_count, sizeof *verdict->results);
    for (size_t i = 0; i < verdict->result_count && !reader.failed; i++)
        reader.failed = !read_result(verdict, json_array_get(stages, i), &verdict->results[i], fault);
    if (!reader.failed)
        return verdict;
    talloc_free(verdict);
    return NULL;
}
