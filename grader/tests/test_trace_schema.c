/* test_trace_schema.c - what interleave --json writes has the documented form. The traces are those that
 * grader/explore/tests/story.sh holds the program to, byte for byte. */
#include "memory.h"
#include "schema.h"

#include <criterion/criterion.h>
#include <jansson.h>

static void *context;
static json_t *schema;

static void set_up(void)
{
    json_error_t error;

    context = memory_context(NULL);
    schema = json_load_file("grader/explore/trace.schema.json", 0, &error);
    cr_assert_not_null(schema, "%s", error.text);
}

static void tear_down(void)
{
    json_decref(schema);
    talloc_free(context);
}

static json_t *trace_of(const char *name)
{
    json_error_t error;
    json_t *trace = json_load_file(name, 0, &error);

    cr_assert_not_null(trace, "%s: %s", name, error.text);
    return trace;
}

Test(trace_schema, traces_have_the_documented_form, .init = set_up, .fini = tear_down)
{
    static const char *const names[] = {"grader/explore/tests/story_self.json",
                                        "grader/explore/tests/story_double_checked.json",
                                        "grader/explore/tests/story_none_wait.json"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *trace = trace_of(names[i]);
        const char *problem = schema_misfit(context, schema, schema, trace, "trace");

        cr_expect_null(problem, "%s: %s", names[i], problem);
        json_decref(trace);
    }
}

Test(trace_schema, another_form_is_refused, .init = set_up, .fini = tear_down)
{
    json_t *trace = trace_of("grader/explore/tests/story_self.json"), *finding = json_object_get(trace, "finding");

    json_object_set_new(json_object_get(finding, "story"), "pattern", json_string("nobody-knows-it"));
    cr_expect_not_null(schema_misfit(context, schema, schema, trace, "trace"));
    json_decref(trace);
    trace = trace_of("grader/explore/tests/story_self.json");
    json_object_del(json_object_get(trace, "finding"), "table");
    cr_expect_not_null(schema_misfit(context, schema, schema, trace, "trace"));
    json_decref(trace);
}
