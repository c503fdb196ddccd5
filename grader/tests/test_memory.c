/* test_memory.c - what the memory stage says of programs that use memory, threads and descriptors wrongly. */
#include "workshop_fixture.h"

static struct fixture fixture;

static void set_up(void)
{
    fixture_tiny(&fixture);
}

static void tear_down(void)
{
    fixture_end(&fixture);
}

TestSuite(memory, .init = set_up, .fini = tear_down, .timeout = 300);

static const char ADD[] = "    tiny->value += amount;\n";
static const char SET[] = "    made->value = 0;\n";
static const char FREE[] = "    free(tiny);\n";

/* The reference with `to` in place of `from`, and `includes` in front. */
static enum outcome grade(const char *includes, const char *from, const char *to)
{
    fixture_edit(&fixture, from, to);
    char *text = fixture_read(&fixture, fixture.shop.source);
    fixture_write(&fixture, memory_format(fixture.context, "%s%s", includes, text));
    return fixture_run(&fixture, stage_memory);
}

static void must_say(const char *words)
{
    char *said = fixture_words(&fixture);

    cr_assert(strstr(said, words) != NULL, "`%s` is not in:\n%s", words, said);
}

/* The first finding's place number `index` is a line of the student's with these words. */
static void must_point_at(size_t index, const char *words)
{
    cr_assert(fixture.result.finding_count > 0);
    const struct finding *finding = &fixture.result.findings[0];

    cr_assert(index < finding->place_count, "there is no place %zu:\n%s", index, fixture_words(&fixture));
    cr_assert_str_eq(finding->places[index].file, "tiny.c", "%s", fixture_words(&fixture));
    cr_assert(strstr(finding->places[index].excerpt, words) != NULL, "`%s` is not where it points:\n%s", words,
              fixture_words(&fixture));
    cr_assert(finding->why != NULL);
}

Test(memory, the_reference_passes)
{
    cr_assert_eq(grade("", "", ""), OUTCOME_PASSED, "%s", fixture_words(&fixture));
    cr_assert_eq(fixture.result.checks, 3);
}

Test(memory, a_use_after_free_shows_use_free_and_allocation)
{
    cr_assert_eq(grade("", FREE, "    free(tiny);\n    tiny->value = 0;\n"), OUTCOME_FAILED);
    must_say("Memory is written after it was freed.");
    must_point_at(0, "tiny->value = 0;");
    must_point_at(1, "free(tiny);");
    must_point_at(2, "malloc(sizeof *made)");
    must_say("Seen in the scenario two_adders");
}

Test(memory, a_double_free)
{
    cr_assert_eq(grade("", FREE, "    free(tiny);\n    free(tiny);\n"), OUTCOME_FAILED);
    must_say("freed twice");
    must_point_at(0, "free(tiny);");
}

Test(memory, a_write_behind_a_block)
{
    cr_assert_eq(grade("", "malloc(sizeof *made)", "malloc(sizeof *made - 1)"), OUTCOME_FAILED);
    cr_assert(fixture.result.finding_count > 0);
    must_say("tiny.c");
}

Test(memory, blocks_of_one_line_are_one_leak)
{
    cr_assert_eq(grade("", FREE, ""), OUTCOME_FAILED);
    cr_assert_eq(fixture.result.finding_count, 1, "%s", fixture_words(&fixture));
    must_say("3 blocks, together");
    must_point_at(0, "malloc(sizeof *made)");
}

Test(memory, a_value_that_was_never_set)
{
    cr_assert_eq(grade("", SET, ""), OUTCOME_FAILED);
    must_say("never set");
    must_say("struct tiny *made = malloc(sizeof *made);");
}

Test(memory, undefined_behaviour_has_its_sentence)
{
    cr_assert_eq(grade("#include <limits.h>\n", ADD,
                       "    volatile int big = INT_MAX;\n    big = big + (int)amount;\n    tiny->value += amount;\n"),
                 OUTCOME_FAILED);
    must_say("The behaviour is undefined: signed integer overflow");
    must_point_at(0, "big = big + (int)amount;");
}

Test(memory, a_null_pointer)
{
    cr_assert_eq(grade("", ADD, "    long *nowhere = amount > 100 ? &amount : NULL;\n    *nowhere = amount;\n"),
                 OUTCOME_FAILED);
    must_say("null pointer");
    must_point_at(0, "*nowhere = amount;");
}

Test(memory, an_abort)
{
    cr_assert_eq(grade("", ADD, "    abort();\n"), OUTCOME_FAILED);
    must_say("abort()");
    must_point_at(0, "abort();");
}

Test(memory, a_descriptor_left_open_is_named_without_numbers)
{
    cr_assert_eq(grade("#include <unistd.h>\n", SET,
                       "    int ends[2];\n    made->value = 0;\n    if (pipe(ends) != 0)\n        return EMFILE;\n"),
                 OUTCOME_FAILED);
    must_say("A descriptor is left open: the end of a pipe.");
}

static const char HELPER[] = "#include <pthread.h>\nstatic void *helper(void *argument)\n{\n    return argument;\n}\n";

Test(memory, a_thread_that_nobody_joins)
{
    cr_assert_eq(
        grade(HELPER, SET,
              "    made->value = 0;\n    pthread_t id;\n    if (pthread_create(&id, NULL, helper, made) != 0)\n"
              "        return EAGAIN;\n"),
        OUTCOME_FAILED);
    must_say("neither joined nor detached");
    must_point_at(0, "pthread_create(&id");
    cr_assert_eq(fixture.result.finding_count, 1, "%s", fixture_words(&fixture));
}

Test(memory, a_lock_kept_is_a_hang_that_is_proved)
{
    cr_assert_eq(grade("", "    pthread_mutex_unlock(&tiny->mutex);\n", ""), OUTCOME_FAILED);
    must_say("The program hangs");
    must_say("pthread_mutex_lock(&tiny->mutex);");
}

Test(memory, a_loop_that_never_ends)
{
    cr_assert_eq(grade("", ADD, "    while (tiny->value >= 0)\n        tiny->value = amount;\n"), OUTCOME_FAILED);
    must_say("did not end");
}

Test(memory, exit_in_the_middle_is_no_pass)
{
    cr_assert_eq(grade("", ADD, "    exit(0);\n"), OUTCOME_FAILED);
    must_say("ended before its scenarios did");
}

Test(memory, a_promise_that_is_not_kept)
{
    cr_assert_eq(grade("", ADD, "    tiny->value += 2 * amount;\n"), OUTCOME_FAILED);
    must_say("Two threads added 1 each, and the total is 4.");
    must_say("tiny.h promises it");
}

Test(memory, a_flood_is_cut)
{
    cr_assert_eq(
        grade("#include <stdio.h>\n", ADD,
              "    for (;;)\n        puts(\"again and again and again and again\");\n    tiny->value += amount;\n"),
        OUTCOME_FAILED);
    must_say("printed without end");
}

/* The program's own words cannot pass for a sanitizer's. */
Test(memory, what_a_program_prints_is_no_report)
{
    cr_assert_eq(
        grade(
            "#include <stdio.h>\n", ADD,
            "    tiny->value += amount;\n    fputs(\"==1==ERROR: AddressSanitizer: heap-use-after-free on address\\n\","
            " stderr);\n    fputs(\"LeakSanitizer has encountered a fatal error\\n\", stderr);\n"),
        OUTCOME_PASSED, "%s", fixture_words(&fixture));
}

/* Runs a line of shell, which must succeed. */
static void shell(const char *line)
{
    const char *const argv[] = {"sh", "-c", line, NULL};
    const struct child_spec spec = {.argv = argv};
    struct child_result result;

    cr_assert(child_run(fixture.context, &spec, &result, &fixture.fault) == 0, "%s", fixture.fault.text);
    cr_assert(result.end == CHILD_EXITED && result.status == 0, "%s: %s", line, result.err);
}

/* A course whose own scenario leaks: the grader's fault, never the student's. */
Test(memory, a_mistake_of_ours_is_a_fault)
{
    struct fixture ours;
    const char *root = memory_format(fixture.context, "%s/course", fixture.shop.dir);

    shell(memory_format(fixture.context,
                        "cp -rL grader/tests/data/course %s && sed -i 's/^static void refused(void)$/static "
                        "void *volatile kept;\\n#include <stdlib.h>\\n&/; s/    tiny_destroy(NULL);/    "
                        "kept = malloc(9); kept = NULL;/' %s/grader/checks/00-start/tiny/scenario.c",
                        root, root));
    fixture_begin(&ours, root, "tiny");
    fixture_edit(&ours, NULL, NULL);
    cr_assert(stage_memory(ours.context, &ours.shop, &ours.result, &ours.fault) == -1, "%s", fixture_words(&ours));
    cr_assert(strstr(ours.fault.text, "the reference itself") != NULL, "%s", ours.fault.text);
    fixture_end(&ours);
}
