/* test_build.c - what the build stage says: of mistakes, of warnings, of what is missing, and of what would break it.
 */
#include "workshop_fixture.h"

#include <stdio.h>

static struct fixture fixture;

static void set_up(void)
{
    fixture_tiny(&fixture);
}

static void tear_down(void)
{
    fixture_end(&fixture);
}

TestSuite(build, .init = set_up, .fini = tear_down);

static void fails(const char *words)
{
    cr_expect(fixture_run(&fixture, stage_build) == OUTCOME_FAILED, "it passed: %s", fixture_words(&fixture));
    cr_expect(strstr(fixture_words(&fixture), words) != NULL, "“%s” is not in:\n%s", words, fixture_words(&fixture));
}

static void passes(void)
{
    cr_expect(fixture_run(&fixture, stage_build) == OUTCOME_PASSED, "it failed:\n%s", fixture_words(&fixture));
}

/* The reference with `to` for `from` fails at this line, and the words are said. */
static void edit_fails(const char *from, const char *to, const char *words)
{
    fixture_afresh(&fixture);
    fixture_edit(&fixture, from, to);
    fails(words);
}

static int notes(void)
{
    int count = 0;

    for (size_t i = 0; i < fixture.result.finding_count; i++)
        count += fixture.result.findings[i].severity == SEVERITY_NOTE;
    return count;
}

Test(build, the_reference_passes_without_a_word)
{
    fixture_edit(&fixture, NULL, NULL);
    passes();
    cr_assert_eq(fixture.result.finding_count, 0u, "%s", fixture_words(&fixture));
}

Test(build, starter_and_variant_pass)
{
    fixture_write(&fixture, fixture_read(&fixture, fixture.shop.exercise->starter));
    passes();
    fixture_afresh(&fixture);
    fixture_write(&fixture, fixture_read(&fixture, memory_format(fixture.context, "%s/variants/one_locked_helper.c",
                                                                 fixture.shop.exercise->checks_dir)));
    passes();
}

Test(build, mistakes_come_with_their_line_and_a_teachers_word)
{
    static const char add[] = "    tiny->value += amount;\n";

    edit_fails(add, "    tiny->value += amount\n", "semicolon");
    cr_expect_eq(fixture.result.findings[0].places[0].line, 52);
    cr_expect_str_eq(fixture.result.findings[0].places[0].file, "tiny.c");
    cr_expect_str_eq(fixture.result.findings[0].places[0].excerpt, "tiny->value += amount");
    edit_fails(add, "    tiny->value += amuont;\n", "spelled right");
    edit_fails(add, "    tiny->valeu += amount;\n", "has no such field");
    edit_fails(add, "    add(tiny, amount);\n", "declared before it is called");
    edit_fails(add, "    usleep(10);\n", "nanosleep");
    edit_fails(add, "    tiny.value += amount;\n", "-> of what an address points to");
    edit_fails(add, "    tiny->value += amount;\n    tiny_value();\n", "header says what the function takes");
    edit_fails(add, "    tiny = 3;\n", "number is used where an address");
    edit_fails(add, "    tiny = &amount;\n", "of different types");
    edit_fails(add, "    amount + 1 = 3;\n", "Only a variable");
    edit_fails(add, "    asm(\"nop\");\n", "inline assembly");
    edit_fails("#include \"tiny.h\"", "#include \"tinny.h\"", "header's name spelled right");
    edit_fails("long tiny_value(struct tiny *tiny)", "static long tiny_value(struct tiny *tiny)", "cannot be static");
    edit_fails("long tiny_value(struct tiny *tiny)", "int tiny_value(struct tiny *tiny)", "word for word");
    edit_fails("struct tiny {", "struct tinny {", "fields are not known here");
    edit_fails("    return value;\n}", "    return value;\n", "never closed");
}

Test(build, a_hundred_errors_are_not_shown)
{
    char *text = memory_text(fixture.context, "#include \"tiny.h\"\n");

    for (int i = 0; i < 100; i++)
        text = memory_append(fixture.context, text, "int f%d(void) { return nothing%d; }\n", i, i);
    fixture_write(&fixture, text);
    fails("nothing0");
    cr_assert_leq(fixture.result.finding_count, 3u);
    cr_assert_not_null(strstr(fixture_words(&fixture), "More errors follow"));
}

Test(build, warnings_are_shown_and_cost_nothing)
{
    fixture_edit(&fixture, "    if (amount == 0)\n", "    int left_over;\n    if (amount == 0)\n");
    passes();
    cr_assert_eq(notes(), 1, "once, although two compilers saw it: %s", fixture_words(&fixture));
    cr_assert_not_null(strstr(fixture_words(&fixture), "left_over"));
    cr_assert_not_null(strstr(fixture_words(&fixture), "never used"));
    cr_assert_eq(fixture.result.findings[0].places[0].line, 49);
}

Test(build, at_most_five_warnings)
{
    fixture_edit(
        &fixture, "    if (amount == 0)\n",
        "    int a;\n    int b;\n    int c;\n    int d;\n    int e;\n    int f;\n    int g;\n    if (amount == 0)\n");
    passes();
    cr_assert_eq(notes(), 5);
}

Test(build, a_missing_function)
{
    fixture_edit(&fixture, "long tiny_value(struct tiny *tiny)\n",
                 "long tiny_vaule(struct tiny *tiny);\nlong tiny_vaule(struct tiny *tiny)\n");
    fails("`tiny_value` is promised by tiny.h but not defined");
    cr_assert_not_null(strstr(fixture_words(&fixture), "`tiny_vaule`; is that the one, misspelled"));
}

Test(build, only_a_comment)
{
    fixture_write(&fixture, "/* nothing yet */\n");
    fails("is promised by tiny.h but not defined");
}

Test(build, a_function_that_is_nowhere)
{
    fixture_edit(&fixture, "    tiny->value += amount;\n",
                 "    int helper(long);\n    tiny->value += helper(amount);\n");
    fails("`helper` is called, and defined nowhere");
    cr_assert_eq(fixture.result.findings[fixture.result.finding_count - 1].places[0].line, 53);
}

Test(build, names_of_the_librarys_and_of_the_harness_may_be_ones_own)
{
    fixture_edit(&fixture, "/* region add */",
                 "void settle(void);\nvoid settle(void)\n{\n}\nvoid gate_open(void *g);\nvoid gate_open(void *g)\n{\n  "
                 "  (void)g;\n}\n");
    passes();
}

Test(build, other_files_that_end_in_h_are_the_systems)
{
    fixture_edit(&fixture, "#include <errno.h>",
                 "#include <errno.h>\n#include <stdatomic.h>\n#include \"sys/types.h\"\n#include <inttypes.h>");
    passes();
}

Test(build, two_gradings_say_the_same)
{
    fixture_edit(&fixture, "amount;\n", "amuont;\n    int x\n");
    fails("amuont");
    char *kept = memory_text(NULL, fixture_words(&fixture));
    fixture_end(&fixture);
    fixture_tiny(&fixture);
    fixture_edit(&fixture, "amount;\n", "amuont;\n    int x\n");
    fails("amuont");
    cr_assert_str_eq(fixture_words(&fixture), kept);
    talloc_free(kept);
}

Test(build, no_path_of_the_machine_is_shown)
{
    fixture_edit(&fixture, "#include <errno.h>", "#include <errno.h>\n#include <no/such.h>");
    fails("no/such.h");
    cr_assert_null(strstr(fixture_words(&fixture), fixture.shop.dir));
    cr_assert_null(strstr(fixture_words(&fixture), fixture.course.root));
}

/* Two limits may end the same attack, and which is first depends on the machine: "this, or that". */
static bool says_one_of(struct fixture *attacked, const char *words)
{
    static const char either[] = ", or ";
    const char *second = strstr(words, either);

    if (second == NULL)
        return strstr(fixture_words(attacked), words) != NULL;
    return strstr(fixture_words(attacked), memory_text_n(attacked->context, words, (size_t)(second - words))) != NULL ||
           says_one_of(attacked, second + strlen(either));
}

static void ends_here(struct fixture *attacked, const char *name, const char *words)
{
    cr_expect(fixture_run(attacked, stage_build) == OUTCOME_FAILED, "%s passed", name);
    cr_expect(says_one_of(attacked, words), "%s: “%s” is not in:\n%s", name, words, fixture_words(attacked));
}

Test(build, attacks_end_here)
{
    cr_assert_gt(fixture_attacks(&fixture, "build", ends_here), 15);
}
