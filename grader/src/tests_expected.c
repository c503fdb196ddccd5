/* tests_expected.c - see tests_expected.h. A line a test: assertions, file, line, name, promise, with tabs between. */
#include "tests_expected.h"

#include "cache.h"
#include "memory.h"
#include "tests_run.h"
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char TESTS[] = "tests.c";

/* Those of tests.c first, then those of the headers that it shares with others. */
static int by_place(const void *left, const void *right)
{
    const struct expected_test *a = left, *b = right;
    bool own_a = strcmp(a->file, TESTS) == 0, own_b = strcmp(b->file, TESTS) == 0;

    if (strcmp(a->file, b->file) != 0)
        return own_a != own_b ? (own_a ? -1 : 1) : strcmp(a->file, b->file);
    return a->line != b->line ? (a->line > b->line) - (a->line < b->line) : strcmp(a->name, b->name);
}

static struct expected_test *add(void *context, struct expected_tests *expected)
{
    expected->tests = memory_grown(context, expected->tests, expected->count + 1, sizeof *expected->tests);
    return &expected->tests[expected->count++];
}

/* The first `count` fields of a line, ended by tabs; the last is what is left. False where there are fewer. */
static bool split(char *line, char **fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (line == NULL)
            return false;
        fields[i] = i + 1 < count ? strsep(&line, "\t") : line;
    }
    return true;
}

/* False where the text is not one that we wrote. */
static bool parse(void *context, char *text, struct expected_tests *expected)
{
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *fields[5];
        if (line[0] == '\0')
            continue;
        if (!split(line, fields, 5))
            return false;
        *add(context, expected) = (struct expected_test){.assertions = (int)strtol(fields[0], NULL, 10),
                                                         .file = fields[1],
                                                         .line = (int)strtol(fields[2], NULL, 10),
                                                         .name = fields[3],
                                                         .promise = fields[4]};
    }
    return expected->count > 0;
}

static char *write_down(void *context, const struct expected_tests *expected)
{
    char *text = memory_text(context, "");

    for (size_t i = 0; i < expected->count; i++) {
        const struct expected_test *test = &expected->tests[i];
        text = memory_append(context, text, "%d\t%s\t%d\t%s\t%s\n", test->assertions, test->file, test->line,
                             test->name, test->promise);
    }
    return text;
}

/* The reference must pass all its tests, and come to the end of each. */
static int check_reference(void *context, const struct workshop *shop, const struct tests_run *run, struct fault *fault)
{
    const char *id = shop->exercise->id;

    for (size_t i = 0; i < run->report.count; i++) {
        const struct test_record *test = &run->report.tests[i];
        if (test->crashed_tid != 0)
            return fault_set(fault, "the reference of %s crashes in its own test %s", id, test->name);
        if (test->failed_message != NULL)
            return fault_set(fault, "the reference of %s fails its own test %s (%s:%d): %s", id, test->name,
                             trace_base_name(test->failed_file), test->failed_line, test->failed_message);
        if (!test->passed || !test->reached_end)
            return fault_set(fault, "the reference of %s does not come to the end of its own test %s", id, test->name);
    }
    if (run->report.count == 0 || !run->report.done)
        return fault_set(fault, "the tests of %s do not run with its reference: %s: %.300s", id,
                         child_end_text(context, &run->child), run->child.out);
    return 0;
}

static int ask_reference(void *context, const struct workshop *shop, const char *program,
                         struct expected_tests *expected, struct fault *fault)
{
    struct tests_run run;

    if (tests_run_trusted(context, program, NULL, &run, fault) < 0)
        return -1;
    int checked = check_reference(context, shop, &run, fault);
    for (size_t i = 0; checked == 0 && i < run.report.count; i++) {
        const struct test_record *test = &run.report.tests[i];
        *add(context, expected) = (struct expected_test){.name = test->name,
                                                         .promise = test->promise,
                                                         .file = test->file,
                                                         .line = test->line,
                                                         .assertions = test->assertions};
    }
    tests_run_close(&run);
    if (checked == 0)
        qsort(expected->tests, expected->count, sizeof *expected->tests, by_place);
    return checked;
}

int tests_expected(void *context, const struct workshop *shop, const char *program, struct expected_tests *expected,
                   struct fault *fault)
{
    struct cache_key key;

    *expected = (struct expected_tests){0};
    cache_key_begin(&key);
    cache_key_text(&key, "tests expected, 2");
    cache_key_text(&key, trace_base_name(program)); /* the hash of all that it is made from */
    const char *name = cache_key_name(context, &key);
    char *text = cache_text(context, shop->cache_dir, name);
    if (text != NULL && parse(context, text, expected))
        return 0;
    *expected = (struct expected_tests){0};
    if (ask_reference(context, shop, program, expected, fault) < 0)
        return -1;
    return cache_keep_text(context, shop->cache_dir, name, write_down(context, expected), fault);
}
