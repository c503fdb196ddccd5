/* The harness itself: gates that detectors do not see, settle, wrapped calls, and what the programs report. */
#include "child.h"
#include "scratch.h"
#include "tests_run.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define HARNESS "grader/harness/"
#define DATA "grader/tests/data/harness/"

static void *context;
static struct fault fault;
static char *dir;

static void begin(void)
{
    context = memory_context(NULL);
    dir = scratch_dir(context);
}

static void end(void)
{
    scratch_remove(dir);
    talloc_free(context);
}

TestSuite(harness, .init = begin, .fini = end, .timeout = 120);

static struct child_result run(struct child_spec spec)
{
    struct child_result result;

    cr_assert(child_run(context, &spec, &result, &fault) == 0, "%s", fault.text);
    return result;
}

/* Compiles with the compiler and flags given in words. Returns the program. */
static const char *build(const char *command)
{
    const char *program = memory_format(context, "%s/program", dir);
    const char *script = memory_format(
        context, "%s -std=c17 -Wall -Wextra -Werror -D_GNU_SOURCE -O1 -g -fno-inline -pthread -I" HARNESS " -o %s",
        command, program);
    const char *argv[] = {"sh", "-c", script, NULL};
    struct child_result result = run((struct child_spec){.argv = argv});

    cr_assert(result.end == CHILD_EXITED && result.status == 0, "%s\n%s", script, result.err);
    return program;
}

static const char *build_scenario(const char *compiler, const char *source)
{
    return build(
        memory_format(context, "%s " DATA "%s " HARNESS "gate.c " HARNESS "scenario_main.c", compiler, source));
}

/* Runs it with its words after it; both outputs in one. */
static struct child_result run_words(const char *words)
{
    const char *argv[] = {"sh", "-c", words, NULL};

    return run((struct child_spec){.argv = argv, .merge_output = true, .fixed_addresses = true});
}

static int count(const char *text, const char *word)
{
    int found = 0;

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        found++;
    return found;
}

/* ---- gates ------------------------------------------------------------------------------------------------------- */

static void helgrind(const char *program, int races)
{
    const char *words = memory_format(context, "valgrind -q --tool=helgrind --fair-sched=yes %s", program);
    struct child_result result = run_words(words);

    cr_assert(result.end == CHILD_EXITED && result.status == 0, "%s", result.out);
    if (races == 0)
        cr_assert(count(result.out, "==") == 0 && count(result.out, "\"done\"") == 1, "%s", result.out);
    else
        cr_assert(count(result.out, "Possible data race") >= races, "%s", result.out);
}

Test(harness, helgrind_does_not_see_gates)
{
    helgrind(build_scenario("gcc", "gates.c"), 0);
    helgrind(build_scenario("gcc -DRACE", "gates.c"), 3);
}

Test(harness, thread_sanitizer_does_not_see_gates)
{
    struct child_result clean = run_words(build_scenario("gcc -fsanitize=thread", "gates.c"));
    struct child_result racy = run_words(build_scenario("gcc -DRACE -fsanitize=thread", "gates.c"));

    cr_assert(clean.status == 0 && count(clean.out, "WARNING") == 0 && count(clean.out, "\"done\"") == 1, "%s",
              clean.out);
    cr_assert(count(racy.out, "WARNING: ThreadSanitizer: data race") >= 3, "%s", racy.out);
}

Test(harness, gates_are_clean_for_the_other_sanitizers)
{
    struct child_result asan = run_words(build_scenario("gcc -fsanitize=address,undefined", "gates.c"));
    struct child_result msan = run_words(build_scenario("clang -fsanitize=memory", "gates.c"));

    cr_assert(asan.status == 0 && count(asan.out, "ERROR") == 0 && count(asan.out, "\"done\"") == 1, "%s", asan.out);
    cr_assert(msan.status == 0 && count(msan.out, "WARNING") == 0 && count(msan.out, "\"done\"") == 1, "%s", msan.out);
}

/* ---- scenario_main ----------------------------------------------------------------------------------------------- */

Test(harness, a_scenario_tells_what_is_left)
{
    const char *program = build("gcc -fsanitize=address " DATA "leftovers.c " HARNESS "gate.c " HARNESS
                                "scenario_main.c " HARNESS "thread_watch.c -Wl,--wrap=pthread_create "
                                "-Wl,--wrap=pthread_join -Wl,--wrap=pthread_detach");
    struct child_result result = run_words(program);

    cr_assert(result.status == 1, "%s", child_end_text(context, &result));
    cr_assert(count(result.out, "\"unjoined\"") == 1 && count(result.out, "leftovers.c:22\"") == 1, "%s", result.out);
    cr_assert(count(result.out, "\"event\":\"thread\"") == 1 && count(result.out, "\"state\":\"S\"") == 1, "%s",
              result.out);
    cr_assert(count(result.out, "\"event\":\"descriptor\"") == 1 && count(result.out, "\"path\":\"/dev/null\"") == 1);
    cr_assert(count(result.out, "\"event\":\"end\"") == 3, "%s", result.out);
    cr_assert(count(result.out, "\"message\":\"one and one are 2, \\\"not\\\" 3\"") == 1, "%s", result.out);
    cr_assert(count(result.out, "\"event\":\"done\"") == 0, "%s", result.out);
}

Test(harness, a_scenario_can_be_run_alone_or_listed)
{
    const char *program = build_scenario("gcc", "gates.c");
    struct child_result alone = run_words(memory_format(context, "%s gate_only", program));
    struct child_result listed = run_words(memory_format(context, "%s --list", program));
    struct child_result unknown = run_words(memory_format(context, "%s nobody", program));

    cr_assert(count(alone.out, "\"begin\"") == 1 && count(alone.out, "\"scenarios\":1") == 1, "%s", alone.out);
    cr_assert(count(listed.out, "\"list\"") == 3 && count(listed.out, "\"begin\"") == 0, "%s", listed.out);
    cr_assert(unknown.status == 2 && count(unknown.out, "no scenario is called nobody") == 1, "%s", unknown.out);
}

/* ---- criterion_main, check, wrap --------------------------------------------------------------------------------- */

static const char *build_checks(void)
{
    return build("gcc " DATA "checks.c " HARNESS "check.c " HARNESS "gate.c " HARNESS "wrap.c " HARNESS
                 "criterion_main.c -lcriterion");
}

Test(harness, check_and_wrap_do_what_they_promise)
{
    struct tests_run tests;

    cr_assert(tests_run_trusted(context, build_checks(), NULL, &tests, &fault) == 0, "%s", fault.text);
    cr_assert(tests.report.done && tests.report.count == 10, "%zu: %s", tests.report.count, tests.child.out);
    for (size_t i = 0; i < tests.report.count; i++) {
        const struct test_record *test = &tests.report.tests[i];
        cr_assert(test->passed && test->reached_end, "%s: %s", test->name,
                  test->failed_message == NULL ? "" : test->failed_message);
        cr_assert(test->line > 0 && test->assertions > 0 && test->pid > 0 && test->harness_count == 1);
    }
    tests_run_close(&tests);
}

Test(harness, one_test_can_be_run_alone)
{
    struct tests_run tests;

    cr_assert(tests_run_trusted(context, build_checks(), "blocked_and_done", &tests, &fault) == 0, "%s", fault.text);
    cr_assert(tests.report.done && tests.report.count == 1 && tests.report.tests[0].passed, "%s", tests.child.out);
    tests_run_close(&tests);
}

/* ---- bench_main -------------------------------------------------------------------------------------------------- */

Test(harness, a_bench_reports_every_run)
{
    const char *program = build("gcc " DATA "timed.c " HARNESS "bench_main.c " HARNESS "gate.c");
    struct child_result right = run_words(memory_format(context, "%s 5", program));

    cr_assert(right.status == 0 && count(right.out, "\"wall_ns\":") == 5 && count(right.out, "\"cpu_ns\":") == 5);
    cr_assert(count(right.out, "{\"event\":\"done\",\"key\":\"\",\"runs\":5}") == 1, "%s", right.out);
    cr_assert(run_words(memory_format(context, "%s 0", program)).status == 2);
}

Test(harness, a_bench_that_is_wrong_says_so_and_ends)
{
    const char *program = build("gcc -DWRONG " DATA "timed.c " HARNESS "bench_main.c " HARNESS "gate.c");
    struct child_result wrong = run_words(memory_format(context, "%s 5", program));

    cr_assert(wrong.status == 1 && count(wrong.out, "\"run\"") == 2, "%s", wrong.out);
    cr_assert(count(wrong.out, "\"message\":\"The third sum is wrong.\"") == 1, "%s", wrong.out);
    cr_assert(count(wrong.out, "\"done\"") == 0, "%s", wrong.out);
}
