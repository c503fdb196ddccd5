/* test_toolchain.c - objects and programs of every flavour, what is kept, and what never gets into them. */
#include "cache.h"
#include "object.h"
#include "toolchain.h"
#include "workshop_fixture.h"

#include <stdio.h>
#include <unistd.h>

static struct fixture fixture;

static void tear_down(void)
{
    fixture_end(&fixture);
}

TestSuite(toolchain, .fini = tear_down);

static const char *compile(enum flavour flavour, struct child_result *log)
{
    const char *object = NULL;

    cr_assert(toolchain_compile(fixture.context, &fixture.shop, flavour, &object, log, &fixture.fault) == 0, "%s",
              fixture.fault.text);
    return object;
}

static const char *link_with(enum flavour flavour, enum program program, const char *object)
{
    const char *path = NULL;
    char *log = NULL;

    cr_assert(toolchain_link(fixture.context, &fixture.shop, flavour, program, object, &path, &log, &fixture.fault) ==
                  0,
              "%s", fixture.fault.text);
    cr_assert_not_null(path, "it does not link: %s", log);
    return path;
}

/* Whether the file has these bytes anywhere. */
static bool has_bytes(const char *path, const char *bytes)
{
    size_t size = 0;
    char *text = files_read(fixture.context, path, 1 << 26, &size, &fixture.fault);

    cr_assert_not_null(text, "%s", fixture.fault.text);
    return memmem(text, size, bytes, strlen(bytes)) != NULL;
}

static int run(const char *program, const char *argument)
{
    const char *const argv[] = {program, argument, NULL};
    const char *const env[] = {memory_format(fixture.context, "LD_LIBRARY_PATH=%s", fixture.shop.dir), NULL};
    const struct child_spec spec = {.argv = argv, .more_env = env, .cwd = fixture.shop.dir, .fixed_addresses = true};
    struct child_result result;

    cr_assert(child_run(fixture.context, &spec, &result, &fixture.fault) == 0, "%s", fixture.fault.text);
    return result.end == CHILD_EXITED ? result.status : -1;
}

Test(toolchain, every_flavour_makes_an_object_without_a_word)
{
    fixture_tiny(&fixture);
    fixture_edit(&fixture, NULL, NULL);
    for (enum flavour flavour = 0; flavour < FLAVOUR_COUNT; flavour++) {
        struct child_result log;
        const char *object = compile(flavour, &log);

        cr_assert_not_null(object, "flavour %d: %s", (int)flavour, log.err);
        cr_assert_str_empty(log.err, "flavour %d: %s", (int)flavour, log.err);
        cr_assert(access(object, R_OK) == 0);
    }
}

Test(toolchain, scenario_programs_of_every_detector_run)
{
    static const enum flavour flavours[] = {FLAVOUR_PLAIN, FLAVOUR_ASAN, FLAVOUR_MSAN, FLAVOUR_TSAN};

    fixture_tiny(&fixture);
    fixture_edit(&fixture, NULL, NULL);
    for (size_t i = 0; i < sizeof flavours / sizeof *flavours; i++) {
        struct child_result log;
        const char *program = link_with(flavours[i], PROGRAM_SCENARIO, compile(flavours[i], &log));

        cr_assert_eq(run(program, NULL), 0, "flavour %d", (int)flavours[i]);
        cr_assert_eq(run(link_with(flavours[i], PROGRAM_SCENARIO, NULL), NULL), 0, "the reference's, %d",
                     (int)flavours[i]);
    }
}

Test(toolchain, tests_and_benches_link)
{
    struct child_result log;

    fixture_tiny(&fixture);
    fixture_edit(&fixture, NULL, NULL);
    const char *tests = link_with(FLAVOUR_PLAIN, PROGRAM_TESTS, compile(FLAVOUR_PLAIN, &log));
    cr_assert_eq(run(tests, "--list"), 0);
    link_with(FLAVOUR_FAST, PROGRAM_BENCH, compile(FLAVOUR_FAST, &log));
    link_with(FLAVOUR_FAST, PROGRAM_BENCH, NULL);
}

Test(toolchain, no_path_of_the_machine_gets_in)
{
    struct child_result log;
    const char *object = NULL;

    fixture_tiny(&fixture);
    fixture_edit(&fixture, "tiny->value += amount;", "tiny->value += amount + 0 * __FILE__[0];");
    for (enum flavour flavour = 0; flavour < FLAVOUR_COUNT; flavour++) {
        if (flavour == FLAVOUR_CLANG)
            continue;
        object = compile(flavour, &log);
        cr_assert_not_null(object, "%s", log.err);
        cr_assert_not(has_bytes(object, fixture.shop.dir), "flavour %d: the workshop", (int)flavour);
        cr_assert_not(has_bytes(object, fixture.course.root), "flavour %d: the course", (int)flavour);
    }
    cr_assert(toolchain_trusted(fixture.context, &fixture.shop, FLAVOUR_PLAIN, fixture.shop.exercise->reference,
                                &object, &fixture.fault) == 0);
    cr_assert_not(has_bytes(object, fixture.course.root), "a trusted object");
}

Test(toolchain, the_contract_is_what_the_reference_defines)
{
    static const char *const expected[] = {"tiny_add", "tiny_create", "tiny_destroy", "tiny_value"};
    const char **names = NULL;

    fixture_tiny(&fixture);
    cr_assert(toolchain_contract(fixture.context, &fixture.shop, &names, &fixture.fault) == 0, "%s",
              fixture.fault.text);
    size_t count = 0;
    for (; names[count] != NULL; count++) {
        bool known = false;
        for (size_t i = 0; i < 4; i++)
            known = known || strcmp(names[count], expected[i]) == 0;
        cr_assert(known, "%s", names[count]);
    }
    cr_assert_eq(count, 4u);
}

/* A finding points at the line where the memory is read, not at the one where the value is used. */
Test(toolchain, an_access_has_the_line_it_was_written_on)
{
    struct child_result log;
    struct object object;
    bool seen = false;

    fixture_tiny(&fixture);
    fixture_edit(&fixture,
                 "    pthread_mutex_lock(&tiny->mutex);\n    long value = tiny->value;\n    "
                 "pthread_mutex_unlock(&tiny->mutex);\n",
                 "    long value = tiny->value;\n"); /* line 61 */
    const char *path = compile(FLAVOUR_PLAIN, &log);
    cr_assert_not_null(path, "%s", log.err);
    cr_assert(object_open(fixture.context, path, &object, &fixture.fault) == 0, "%s", fixture.fault.text);
    for (size_t i = 0; i < object.section_count; i++)
        for (uint64_t offset = 0; object.sections[i].executable && offset < object.sections[i].size_bytes; offset++)
            seen = seen || object_line(&object, object.sections[i].index, offset) == 61;
    object_close(&object);
    cr_assert(seen);
}

/* A student's own malloc, gate or test must not be anybody else's. */
Test(toolchain, only_the_contract_is_seen_from_outside)
{
    struct child_result log;

    fixture_tiny(&fixture);
    fixture_edit(
        &fixture, "/* region add */",
        "void gate_open(void *gate);\nvoid gate_open(void *gate)\n{\n    (void)gate;\n    *(volatile char *)0 = 0;\n}\n"
        "int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*b)(void *), void *c)\n"
        "{\n    (void)t;\n    (void)a;\n    (void)b;\n    (void)c;\n    return 11;\n}\n");
    const char *object = compile(FLAVOUR_PLAIN, &log);
    cr_assert_not_null(object, "%s", log.err);
    cr_assert_eq(run(link_with(FLAVOUR_PLAIN, PROGRAM_SCENARIO, object), NULL), 0, "its gate_open was used");
}

Test(toolchain, wrapped_calls_go_to_the_harness)
{
    struct child_result log;

    fixture_tiny(&fixture);
    fixture_edit(&fixture, "free(made);", "free(made), abort();");
    const char *object = compile(FLAVOUR_PLAIN, &log);
    cr_assert_not_null(object, "%s", log.err);
    cr_assert(has_bytes(link_with(FLAVOUR_PLAIN, PROGRAM_TESTS, object), "wrap_malloc"));
    cr_assert_not(has_bytes(link_with(FLAVOUR_PLAIN, PROGRAM_SCENARIO, object), "wrap_malloc"));
}

Test(toolchain, what_was_made_is_found_again)
{
    struct child_result log;
    struct stat before, after;

    fixture_tiny(&fixture);
    fixture_edit(&fixture, "int error =", "int unused;\n    int error =");
    const char *object = compile(FLAVOUR_PLAIN, &log);
    cr_assert_not_null(strstr(log.err, "unused"));
    cr_assert(stat(object, &before) == 0);
    cr_assert_str_eq(compile(FLAVOUR_PLAIN, &log), object);
    cr_assert(stat(object, &after) == 0 && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    cr_assert_not_null(strstr(log.err, "unused"), "the warnings too");

    const char *program = link_with(FLAVOUR_PLAIN, PROGRAM_SCENARIO, object);
    cr_assert(stat(program, &before) == 0);
    cr_assert_str_eq(link_with(FLAVOUR_PLAIN, PROGRAM_SCENARIO, object), program);
    cr_assert(stat(program, &after) == 0 && before.st_ino == after.st_ino);

    program = link_with(FLAVOUR_PLAIN, PROGRAM_SCENARIO, NULL);
    cr_assert(strncmp(program, fixture.shop.cache_dir, strlen(fixture.shop.cache_dir)) == 0);
    cr_assert(stat(program, &before) == 0);
    cr_assert_str_eq(link_with(FLAVOUR_PLAIN, PROGRAM_SCENARIO, NULL), program);
    cr_assert(stat(program, &after) == 0 && before.st_ino == after.st_ino);
}

Test(toolchain, warnings_by_the_thousand_do_not_stop_a_compilation)
{
    struct child_result log;
    char *text = NULL;

    fixture_tiny(&fixture);
    for (int i = 0; i < 20000; i++)
        text = memory_append(fixture.context, text, "static int v%d;\n", i);
    text = memory_append(fixture.context, text, "int tiny_add(void *tiny, long amount)\n{\n");
    fixture_write(&fixture, memory_append(fixture.context, text, "    return 0;\n}\n"));
    cr_assert_not_null(compile(FLAVOUR_PLAIN, &log), "%s", log.err);
}

/* ---- a course of two exercises, one built on the other -------------------------------------------------------------
 */

static const char lower_h[] = "#ifndef LOWER_H\n#define LOWER_H\nint lower_call(void);\n#endif\n";
static const char upper_h[] = "#ifndef UPPER_H\n#define UPPER_H\nint upper_call(void);\n#endif\n";
static const char upper_c[] =
    "#include \"upper.h\"\n#include \"lower.h\"\nint upper_call(void)\n{\n    return lower_call();\n}\n";
static const char scenario_c[] = "#include \"calls_scenarios.h\"\n"
                                 "SCENARIOS = {{\"one\", one, \"one calls\"}, SCENARIOS_END};\n";

/* What the chapter's scenarios share, and this exercise's names for it. */
static const char shared_h[] = "#include \"names.h\"\n#include \"scenario.h\"\nstatic void one(void)\n{\n"
                               "    ensure(call() == 7, \"It is not 7.\");\n}\n";
static const char names_h[] = "#include \"upper.h\"\nstatic inline int call(void)\n{\n    return upper_call();\n}\n";

static void write_two_exercises(const char *root)
{
    void *context = memory_context(NULL);

    scratch_exercise(root, "01-a/lower", NULL);
    scratch_exercise(root, "01-a/upper",
                     "[exercise]\ntitle = T\nread = 01-a#t\npoints = 10\norder = 2\nneeds = 01-a/lower\n"
                     "[stages]\ntests = 4\nmemory = 3\nraces = 3\n[rules]\nallow = @base\n");
    scratch_write(root, "exercises/01-a/lower/lower.h", lower_h);
    scratch_write(root, "exercises/01-a/lower/lower.c", "int nothing;\n");
    scratch_write(root, "exercises/01-a/upper/upper.c", "int nothing;\n");
    scratch_write(root, "solutions/01-a/lower.c", "#include \"lower.h\"\nint lower_call(void)\n{\n    return 7;\n}\n");
    scratch_write(root, "exercises/01-a/upper/upper.h", upper_h);
    scratch_write(root, "solutions/01-a/upper.c", upper_c);
    scratch_write(root, "grader/checks/01-a/upper/scenario.c", scenario_c);
    scratch_write(root, "grader/checks/01-a/upper/names.h", names_h);
    scratch_write(root, "grader/checks/01-a/calls_scenarios.h", shared_h);
    cr_assert(symlink(fixture_path(context, "grader/harness"), memory_format(context, "%s/grader/harness", root)) == 0);
    talloc_free(context);
}

static void begin_two(char *root)
{
    cr_assert_not_null(mkdtemp(root));
    write_two_exercises(root);
    fixture_begin(&fixture, root, "upper");
    fixture_edit(&fixture, NULL, NULL);
}

Test(toolchain, an_exercise_may_be_built_on_another)
{
    char root[] = "/tmp/grade-test-XXXXXX";
    struct child_result log;
    const char **names = NULL;

    begin_two(root);
    const char *object = compile(FLAVOUR_PLAIN, &log);
    cr_assert_not_null(object, "%s", log.err);
    cr_assert_eq(run(link_with(FLAVOUR_PLAIN, PROGRAM_SCENARIO, object), NULL), 0);
    cr_assert(toolchain_needed_names(fixture.context, &fixture.shop, &names, &fixture.fault) == 0);
    cr_assert(names[0] != NULL && strcmp(names[0], "lower_call") == 0 && names[1] == NULL);
    fixture_run(&fixture, stage_rules);
    cr_assert_eq(fixture.result.outcome, OUTCOME_PASSED, "%s", fixture_words(&fixture));
    scratch_remove(root);
}

Test(toolchain, what_is_kept_changes_with_every_input)
{
    static const char *const inputs[] = {"solutions/01-a/upper.c",           "solutions/01-a/lower.c",
                                         "exercises/01-a/lower/lower.h",     "grader/checks/01-a/upper/scenario.c",
                                         "grader/checks/01-a/upper/names.h", "grader/checks/01-a/calls_scenarios.h"};
    char root[] = "/tmp/grade-test-XXXXXX";

    begin_two(root);
    const char *before = link_with(FLAVOUR_PLAIN, PROGRAM_SCENARIO, NULL);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        const char *path = memory_format(fixture.context, "%s/%s", root, inputs[i]);
        scratch_write(root, inputs[i],
                      memory_format(fixture.context, "%s\nextern int changed;\n", fixture_read(&fixture, path)));
        const char *after = link_with(FLAVOUR_PLAIN, PROGRAM_SCENARIO, NULL);
        cr_assert_str_neq(before, after, "%s does not count", inputs[i]);
        before = after;
    }
    scratch_remove(root);
}

Test(toolchain, checks_that_do_not_compile_are_our_fault)
{
    char root[] = "/tmp/grade-test-XXXXXX";
    struct child_result log;
    const char *path = NULL;
    char *words = NULL;

    begin_two(root);
    scratch_write(root, "grader/checks/01-a/upper/scenario.c", "int broken(void) { return nonsense; }\n");
    const char *object = compile(FLAVOUR_PLAIN, &log);
    cr_assert(toolchain_link(fixture.context, &fixture.shop, FLAVOUR_PLAIN, PROGRAM_SCENARIO, object, &path, &words,
                             &fixture.fault) == -1);
    cr_assert_not_null(strstr(fixture.fault.text, "grader/checks/01-a/upper/scenario.c"), "%s", fixture.fault.text);
    cr_assert_not_null(strstr(fixture.fault.text, "nonsense"), "%s", fixture.fault.text);
    cr_assert_null(strchr(fixture.fault.text, '\n'), "a fault is one line");
    scratch_remove(root);
}
