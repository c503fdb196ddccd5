/* Checks that the exercises of a chapter share: their places are shown like those of an exercise's own. */
#include "places.h"
#include "workshop_fixture.h"

#include <unistd.h>

static struct fixture fixture;
static char root[] = "/tmp/grade-test-XXXXXX";

static const char ini[] = "[exercise]\ntitle = T\nread = 01-a#t\npoints = 10\norder = 1\n"
                          "[stages]\ntests = 10\n[rules]\nallow = @base\n";
static const char names_h[] = "#include \"one.h\"\nstatic inline int number(void)\n{\n    return one_number();\n}\n";
static const char shared_tests_h[] = "#include \"check.h\"\n#include \"names.h\"\n"
                                     "TEST(is_odd, \"The number is odd.\")\n{\n"
                                     "    must(number() % 2 == 1, \"The number is even.\");\n}\n";
static const char tests_c[] = "#include \"numbers_tests.h\"\n\n\n\n\n\n"
                              "TEST(is_seven, \"The number is 7.\")\n{\n"
                              "    must(number() == 7, \"The number is not 7.\");\n}\n";

static void set_up(void)
{
    void *context = memory_context(NULL);

    cr_assert_not_null(mkdtemp(root));
    scratch_exercise(root, "01-a/one", ini);
    scratch_write(root, "exercises/01-a/one/one.h", "int one_number(void);\n");
    scratch_write(root, "solutions/01-a/one.c", "#include \"one.h\"\nint one_number(void)\n{\n    return 7;\n}\n");
    scratch_write(root, "grader/checks/01-a/one/names.h", names_h);
    scratch_write(root, "grader/checks/01-a/numbers_tests.h", shared_tests_h);
    scratch_write(root, "grader/checks/01-a/numbers_scenarios.h", "");
    scratch_write(root, "grader/checks/01-a/one/tests.c", tests_c);
    cr_assert(symlink(fixture_path(context, "grader/harness"), memory_format(context, "%s/grader/harness", root)) == 0);
    talloc_free(context);
    fixture_begin(&fixture, root, "one");
}

static void tear_down(void)
{
    fixture_end(&fixture);
    scratch_remove(root);
}

TestSuite(shared_checks, .init = set_up, .fini = tear_down, .timeout = 300);

Test(shared_checks, pass_with_the_reference)
{
    fixture_edit(&fixture, NULL, NULL);
    cr_assert_eq(fixture_run(&fixture, stage_tests), OUTCOME_PASSED, "%s", fixture_words(&fixture));
    cr_assert_eq(fixture.result.checks, 2);
}

Test(shared_checks, a_failed_assertion_is_told_with_its_place_and_behind_those_of_tests_c)
{
    fixture_edit(&fixture, "return 7", "return 8");
    cr_assert_eq(fixture_run(&fixture, stage_tests), OUTCOME_FAILED);
    cr_assert_eq(fixture.result.finding_count, 2, "%s", fixture_words(&fixture));
    const struct place *own = &fixture.result.findings[0].places[0], *shared = &fixture.result.findings[1].places[0];
    cr_assert_str_eq(own->file, "tests.c");
    cr_assert_str_eq(shared->file, "numbers_tests.h");
    cr_assert_eq(shared->line, 5);
    cr_assert_str_eq(shared->excerpt, "must(number() % 2 == 1, \"The number is even.\");");
    cr_assert_str_eq(fixture.result.findings[1].why, "The number is odd.");
}

Test(shared_checks, a_test_that_crashes_is_told_with_its_frames)
{
    fixture_edit(&fixture, "return 7", "return *(volatile int *)0");
    cr_assert_eq(fixture_run(&fixture, stage_tests), OUTCOME_FAILED);
    const struct finding *finding = &fixture.result.findings[1];
    cr_assert_null(strstr(fixture_words(&fixture), "names.h"), "what only gives names is left out");
    cr_assert_str_eq(finding->places[0].file, "one.c");
    cr_assert_str_eq(finding->places[1].file, "numbers_tests.h");
    cr_assert_str_eq(finding->places[1].excerpt, "must(number() % 2 == 1, \"The number is even.\");");
}

Test(shared_checks, a_test_that_never_ends_has_its_place)
{
    scratch_write(root, "grader/checks/01-a/numbers_tests.h",
                  "#include \"check.h\"\n#include \"names.h\"\n"
                  "TEST(waits, \"Odd numbers let one pass.\")\n{\n    struct gate gate = GATE_CLOSED;\n"
                  "    if (number() % 2 == 1)\n        gate_open(&gate);\n    gate_pass(&gate);\n}\n");
    fixture_edit(&fixture, "return 7", "return 8");
    cr_assert_eq(fixture_run(&fixture, stage_tests), OUTCOME_FAILED);
    const struct finding *finding = &fixture.result.findings[1];
    cr_assert_not_null(strstr(finding->what, "Test waits never ends"), "%s", fixture_words(&fixture));
    cr_assert_str_eq(finding->places[0].file, "numbers_tests.h");
    cr_assert_str_eq(finding->places[0].excerpt, "gate_pass(&gate);");
}

Test(shared_checks, a_reference_that_fails_one_is_told_with_the_place)
{
    scratch_write(root, "solutions/01-a/one.c", "#include \"one.h\"\nint one_number(void)\n{\n    return 8;\n}\n");
    scratch_write(root, "grader/checks/01-a/one/tests.c", "#include \"numbers_tests.h\"\n");
    fixture_edit(&fixture, NULL, NULL);
    cr_assert_eq(stage_tests(fixture.context, &fixture.shop, &fixture.result, &fixture.fault), -1);
    cr_assert_not_null(strstr(fixture.fault.text, "(numbers_tests.h:5)"), "%s", fixture.fault.text);
}

Test(shared_checks, whose_a_file_is)
{
    static const struct {
        const char *file, *path;
        enum owner owner;
    } files[] = {
        {"tests.c", "grader/checks/01-a/one/tests.c", OWNER_TESTS},
        {"scenario.c", "grader/checks/01-a/one/scenario.c", OWNER_SCENARIO},
        {"numbers_tests.h", "grader/checks/01-a/numbers_tests.h", OWNER_TESTS},
        {"numbers_scenarios.h", "grader/checks/01-a/numbers_scenarios.h", OWNER_SCENARIO},
        {"names.h", NULL, OWNER_NOBODY},
        {"check.h", NULL, OWNER_NOBODY},
        {"one.h", NULL, OWNER_NOBODY},
        {"other_tests.h", NULL, OWNER_NOBODY},
        {"one/names.h", NULL, OWNER_NOBODY},
        {".h", NULL, OWNER_NOBODY},
        {NULL, NULL, OWNER_NOBODY},
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = places_path(fixture.context, &fixture.shop, files[i].file);

        cr_expect_eq(places_owner(&fixture.shop, files[i].file), files[i].owner, "%s", files[i].file);
        cr_expect_eq(path == NULL, files[i].path == NULL, "%s", files[i].file);
        if (path != NULL && files[i].path != NULL)
            cr_expect_str_eq(path, memory_format(fixture.context, "%s/%s", root, files[i].path));
    }
}
