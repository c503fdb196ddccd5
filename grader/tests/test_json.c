#include "memory.h"
#include "schema.h"
#include "scratch.h"
#include "utf8.h"
#include "verdict_json.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(json, .timeout = 60);

static void *context;
static struct fault fault;

static void set_up(void)
{
    context = memory_context(NULL);
}

static void tear_down(void)
{
    talloc_free(context);
}

/* A verdict with everything that can stand in one. */
static const struct interleaving *full_order(void)
{
    struct interleaving *order = memory_zeroed(context, 1, sizeof *order);

    order->scenario = "two_adders";
    order->story = "two threads add";
    order->kind = "race";
    order->token = "two_adders:i1.1";
    order->runs = 9;
    order->left_out = 3;
    order->thread_count = 2;
    order->threads = memory_zeroed(context, 2, sizeof *order->threads);
    for (size_t i = 0; i < 2; i++)
        order->threads[i] = (struct explored_thread){.number = (int)i + 1,
                                                     .body = "main",
                                                     .file = "counter.c",
                                                     .line = 12,
                                                     .source = "f();",
                                                     .state = "can go on",
                                                     .holds = memory_zeroed(context, 2, sizeof(char *))};
    order->threads[1].holds[0] = "c->mutex";
    order->step_count = 2;
    order->steps = memory_zeroed(context, 2, sizeof *order->steps);
    order->steps[0] = (struct step){.thread = 1,
                                    .file = "counter.c",
                                    .line = 12,
                                    .source = "f();",
                                    .does = "locks",
                                    .object = "c->mutex",
                                    .other = 2};
    order->steps[1] = (struct step){.thread = 2, .does = "reads"};
    return order;
}

static struct verdict *full_verdict(void)
{
    struct verdict *verdict = memory_zeroed(context, 1, sizeof *verdict);
    struct stage_result *results = memory_zeroed(context, 3, sizeof *results);

    results[0] = (struct stage_result){.stage = "build", .outcome = OUTCOME_PASSED, .wall_s = 0.25, .cpu_s = 0.125};
    results[1] = (struct stage_result){.stage = "races", .outcome = OUTCOME_FAILED, .max_points = 3, .checks = 2};
    results[2] =
        (struct stage_result){.stage = "timing", .outcome = OUTCOME_SKIPPED, .reason = "after races", .max_points = 2};
    results[1].proof_count = 1;
    results[1].proofs = memory_zeroed(context, 1, sizeof *results[1].proofs);
    *results[1].proofs = (struct proof){.scenario = "one", .runs = 5, .whole = 4, .preemptions = -1, .text = "some"};
    finding_add(context, &results[0], SEVERITY_NOTE, "A note.");
    struct finding *finding = finding_add(context, &results[1], SEVERITY_FAILURE, "Two threads: \"ä\" 漢 𝄞\n\ttab");
    finding->why = "It is a race.";
    finding->detail = "line 1\nline 2 \x1b[31m";
    finding->read = "02-locks#race";
    finding->order = full_order();
    struct place *place = finding_place(context, finding, "counter.c", 31);
    place->excerpt = "c->value++;";
    place->who = "thread 2";
    place->note = "holding nothing";
    finding_place(context, finding, NULL, 0);
    *verdict = (struct verdict){.exercise = "02-locks/counter",
                                .title = "A counter",
                                .student = "anna",
                                .source = "anna/counter.c",
                                .results = results,
                                .result_count = 3,
                                .wall_s = 1.5};
    verdict_conclude(verdict);
    return verdict;
}

Test(json, a_verdict_goes_there_and_back, .init = set_up, .fini = tear_down)
{
    const struct verdict *verdict = full_verdict();
    json_t *json = verdict_to_json(verdict);
    char *text = json_dumps(json, 0);
    json_t *read = json_loads(text, 0, NULL);
    struct verdict *back = verdict_from_json(context, read, &fault);

    cr_assert_not_null(back, "%s", fault.text);
    json_t *again = verdict_to_json(back);
    cr_expect(json_equal(json, again));
    cr_expect_str_eq(back->results[1].findings[0].what, verdict->results[1].findings[0].what);
    cr_expect_str_eq(back->results[1].findings[0].detail, "line 1\nline 2 \x1b[31m");
    cr_expect_null(back->results[1].findings[0].places[1].file);
    cr_expect_eq(back->results[0].findings[0].severity, SEVERITY_NOTE);
    cr_expect_eq(back->outcome, OUTCOME_FAILED);
    cr_expect_float_eq(back->wall_s, 1.5, 1e-9);
    json_decref(json);
    json_decref(read);
    json_decref(again);
    free(text);
}

/* Takes each member away, and puts something of another type in its place, at every depth. */
static int spoil(json_t *root, json_t *object, int *tried)
{
    json_t *copy = json_copy(object), *kept;
    const char *name;
    int wrong = 0;

    json_object_foreach(copy, name, kept)
    {
        json_t *const bad[] = {NULL, json_integer(-1), json_object(), json_string("\xC3\xA4"), json_true()};

        for (size_t i = 0; i < 5; i++) {
            bool text_for_text = i == 3 && (json_is_string(kept) || json_is_null(kept));
            bool allowed = text_for_text && strcmp(name, "outcome") != 0;
            if (bad[i] == NULL)
                json_object_del(object, name);
            else
                json_object_set(object, name, bad[i]);
            struct verdict *taken = verdict_from_json(context, root, &fault);
            bool bool_for_bool = i == 4 && json_is_boolean(kept);
            bool number = i == 1 && json_is_real(kept);
            if (taken != NULL && !allowed && !bool_for_bool && !number) {
                cr_log_error("%s: bad value %zu was taken", name, i);
                wrong++;
            }
            ++*tried;
            if (bad[i] != NULL)
                json_decref(bad[i]);
        }
        json_object_set(object, name, kept);
    }
    json_decref(copy);
    return wrong;
}

Test(json, what_is_no_verdict_is_refused, .init = set_up, .fini = tear_down)
{
    json_t *json = verdict_to_json(full_verdict());
    json_t *stage = json_array_get(json_object_get(json, "stages"), 1);
    json_t *finding = json_array_get(json_object_get(stage, "findings"), 0);
    json_t *place = json_array_get(json_object_get(finding, "places"), 0);
    int tried = 0;

    cr_expect_eq(spoil(json, json, &tried), 0);
    cr_expect_eq(spoil(json, stage, &tried), 0);
    cr_expect_eq(spoil(json, finding, &tried), 0);
    cr_expect_eq(spoil(json, place, &tried), 0);
    json_t *order = json_object_get(finding, "interleaving");
    cr_expect_eq(spoil(json, order, &tried), 0);
    cr_expect_eq(spoil(json, json_array_get(json_object_get(order, "threads"), 1), &tried), 0);
    cr_expect_eq(spoil(json, json_array_get(json_object_get(order, "steps"), 0), &tried), 0);
    cr_expect_eq(spoil(json, json_array_get(json_object_get(stage, "proofs"), 0), &tried), 0);
    cr_expect_gt(tried, 100);
    json_t *none = json_array();
    cr_expect_null(verdict_from_json(context, none, &fault));
    cr_expect_null(verdict_from_json(context, NULL, &fault));
    json_decref(none);
    json_decref(json);
}

Test(json, strangers_text_becomes_valid_and_bounded, .init = set_up, .fini = tear_down)
{
    static const struct {
        const char *in;
        size_t size;
        const char *out;
    } rows[] = {
        {"plain", 5, "plain"},
        {"a\0b", 3,
         "a\xEF\xBF\xBD"
         "b"},
        {"\xC3\xA4", 2, "\xC3\xA4"},
        {"\xC3", 1, "\xEF\xBF\xBD"},
        {"\xC0\xAF", 2, "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xED\xA0\x80", 3, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF4\x90\x80\x80", 4, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xE6\xBC", 2, "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF0\x9D\x84\x9E", 4, "\xF0\x9D\x84\x9E"},
        {"", 0, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(json_clean_text(context, rows[i].in, rows[i].size), rows[i].out, "row %zu", i);

    size_t size = (size_t)1 << 20;
    char *flood = memory_zeroed(context, size, 1);
    for (size_t i = 0; i < size; i++)
        flood[i] = (char)(i * 7 % 251);
    char *clean = json_clean_text(context, flood, size);
    cr_expect_leq(strlen(clean), (size_t)65536 + 4);
    cr_expect_str_eq(clean + strlen(clean) - 3, "\xE2\x80\xA6");
    json_t *json = json_string(clean);
    cr_expect_not_null(json, "jansson takes valid UTF-8 only");
    json_decref(json);
}

Test(json, seconds_that_are_no_number_do_not_break_it, .init = set_up, .fini = tear_down)
{
    struct verdict verdict = {.exercise = "a/b", .wall_s = INFINITY, .cpu_s = NAN};
    json_t *json = verdict_to_json(&verdict);

    cr_expect_float_eq(json_real_value(json_object_get(json, "wall_s")), 0, 1e-9);
    json_decref(json);
}

/* ---- the schema -------------------------------------------------------------------------------------------------- */

static const json_t *schema;

/* The tests run in the project's folder, as `make unit` starts them. */
static void load_schema(void)
{
    json_error_t error;

    set_up();
    schema = json_load_file("grader/schema/verdict.schema.json", 0, &error);
    cr_assert_not_null(schema, "%s", error.text);
}

Test(json, a_report_has_the_documented_form, .init = load_schema, .fini = tear_down)
{
    const struct verdict *verdict = full_verdict();
    struct verdict broken = {.exercise = "a/b", .outcome = OUTCOME_BROKEN, .reason = "x", .missing = false};
    const struct verdict *const verdicts[] = {verdict, &broken};
    json_t *report = report_to_json("anna", verdicts, 2);
    const char *problem = schema_misfit(context, schema, schema, report, "report");

    cr_expect_null(problem, "%s", problem);
    cr_expect_eq(json_integer_value(json_object_get(report, "failed")), 1);
    cr_expect_eq(json_integer_value(json_object_get(report, "broken")), 1);
    /* And the checker can fail. */
    json_object_set_new(report, "extra", json_null());
    cr_expect_not_null(schema_misfit(context, schema, schema, report, "report"));
    json_object_del(report, "extra");
    json_object_set_new(report, "points", json_integer(-1));
    cr_expect_not_null(schema_misfit(context, schema, schema, report, "report"));
    json_decref(report);
}

Test(json, every_member_of_a_report_is_in_the_schema_and_none_more, .init = load_schema, .fini = tear_down)
{
    const struct verdict *verdict = full_verdict();
    json_t *report = report_to_json(NULL, &verdict, 1);
    const json_t *properties = json_object_get(schema, "properties"), *value;
    const char *key;

    json_object_foreach((json_t *)properties, key, value)
    {
        if (strcmp(key, "refused") != 0)
            cr_expect_not_null(json_object_get(report, key), "%s", key);
    }
    json_decref(report);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

Test(json, a_report_is_written_whole_or_not_at_all, .init = set_up, .fini = tear_down)
{
    const struct verdict *verdict = full_verdict();
    json_t *report = report_to_json(NULL, &verdict, 1);
    char *dir = scratch_dir(context), *path = memory_format(context, "%s/v.json", dir);

    cr_assert(report_write(report, path, &fault) == 0, "%s", fault.text);
    json_t *read = json_load_file(path, 0, NULL);
    cr_assert_not_null(read);
    cr_expect_eq(json_integer_value(json_object_get(read, "schema")), VERDICT_SCHEMA_VERSION);
    json_decref(read);
    cr_expect(report_write(report, memory_format(context, "%s/no/v.json", dir), &fault) == -1);
    cr_expect_not_null(strstr(fault.text, "cannot be written: No such file"), "%s", fault.text);
    cr_expect(report_write(report, dir, &fault) == -1);
    json_decref(report);
    scratch_remove(dir);
}

Test(json, a_full_disk_leaves_nothing_half_written, .init = set_up, .fini = tear_down)
{
    /* A file system of 16 KiB, where we may mount one (root, as in the course's own checks). */
    char *dir = scratch_dir(context);

    if (scratch_shell("mount -t tmpfs -o size=16k none %s 2>/dev/null", dir) != 0) {
        scratch_remove(dir);
        cr_skip_test("no tmpfs can be mounted here");
    }
    char *path = memory_format(context, "%s/big", dir), *bytes = memory_zeroed(context, 1 << 20, 1);
    memset(bytes, 'x', 1 << 20);
    cr_expect(files_write(path, "old", 3, &fault) == 0, "%s", fault.text);
    cr_expect(files_write(path, bytes, 1 << 20, &fault) == -1);
    cr_expect_not_null(strstr(fault.text, "No space left on device"), "%s", fault.text);
    char *kept = files_read(context, path, 100, NULL, &fault);
    cr_expect(kept != NULL && strcmp(kept, "old") == 0, "the old file is gone");
    cr_expect(scratch_shell("test $(ls %s | wc -l) -eq 1", dir) == 0, "something is left");
    cr_expect(scratch_shell("umount %s", dir) == 0);
    scratch_remove(dir);
}

Test(json, trees_are_removed_however_deep_and_no_link_is_followed, .init = set_up, .fini = tear_down)
{
    char *dir = scratch_dir(context), *outside = scratch_dir(context);

    scratch_write(outside, "kept", "kept");
    scratch_write(dir, "tree/a/file", "x");
    cr_assert(symlink(outside, memory_format(context, "%s/tree/link", dir)) == 0);
    cr_assert(scratch_shell("cd %s/tree && i=0 && while [ $i -lt 700 ]; do mkdir dddddddd && cd -P dddddddd || "
                            "exit 1; i=$((i+1)); done; touch deep",
                            dir) == 0);
    cr_assert(
        scratch_shell("mkdir %s/tree/locked && touch %s/tree/locked/f && chmod 0 %s/tree/locked", dir, dir, dir) == 0);
    cr_expect(files_remove_tree(memory_format(context, "%s/tree", dir), &fault) == 0, "%s", fault.text);
    cr_expect(!scratch_has(dir, "tree"));
    cr_expect(scratch_has(outside, "kept"));
    cr_expect(files_remove_tree(memory_format(context, "%s/tree", dir), &fault) == 0, "gone is gone");
    scratch_remove(dir);
    scratch_remove(outside);
}
