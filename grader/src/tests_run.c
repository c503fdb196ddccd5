/* tests_run.c - see tests_run.h. */
#include "tests_run.h"

#include "memory.h"
#include "process.h"
#include "starvation.h"
#include "stillness.h"

#include <math.h>
#include <signal.h>
#include <string.h>

enum { STUCK_MAX = 2, LOOKS_A_MEASURE = 5, OUTPUT_CAP = 256 << 10 };
enum { EXIT_NO_TESTS = 3 }; /* criterion_main.c's */

static const double WATCH_INTERVAL_S = 0.020;
static const double WALL_LIMIT_S = 900; /* of the whole program: only a machine that is overwhelmed gets there */
static const double TIMES_REFERENCE = 40;
static const double SLOW_CPU_S = 0.25; /* from here on a test's processor time is compared with the reference's, */
static const double CPU_FLOOR_S = 1;   /* but no limit is below this */
static const double SLOW_WALL_S = 5;   /* the same for time */
static const double WALL_FLOOR_S = 10;
static const double STARVED_MORE_S = 60; /* over its limit for want of a processor, it gets this much more */

struct watching {
    void *context;
    const struct workshop *shop;
    const char *reference;
    struct tests_run *run;
    struct fault *fault;
    bool failed; /* `fault` is set */
    struct stillness *stillness;
    int looks;
    bool told; /* that a test has failed */

    /* Of the test that runs now. */
    const struct test_record *test;
    double began_s;
    bool compared;
    double reference_cpu_s, reference_wall_s;
};

/* ---- starting ---------------------------------------------------------------------------------------------------- */

/* `only` is the one test to run, or NULL; `first_failure`: none after one that failed. */
static const char **command_line(void *context, const struct tests_report *report, const char *program,
                                 const char *only, bool first_failure)
{
    const char **argv = memory_zeroed(context, 11, sizeof *argv);
    size_t count = 0;

    argv[count++] = program;
    argv[count++] = "--report";
    argv[count++] = memory_format(context, "%d", report->channel.report);
    argv[count++] = "--events";
    argv[count++] = memory_format(context, "%d", report->events_fd);
    argv[count++] = "--key";
    argv[count++] = memory_format(context, "%d", report->channel.key);
    if (first_failure) {
        argv[count++] = "--fail-fast";
        argv[count++] = "1";
    }
    argv[count] = only;
    return argv;
}

/* Of `spec` all is the caller's but what a tests program needs to report; spec->argv is its command line. */
static int run_program(void *context, struct tests_run *run, struct child_spec *spec, struct fault *fault)
{
    const int keep[] = {run->report.channel.report, run->report.events_fd, run->report.channel.key, -1};

    spec->keep_fds = keep;
    spec->merge_output = true;
    spec->output_cap = OUTPUT_CAP;
    spec->wall_limit_s = WALL_LIMIT_S;
    int ran = child_run(context, spec, &run->child, fault);
    tests_report_read(&run->report);
    return ran;
}

/* A test that has crashed stands still, to be looked at; here nobody does, and it would stand for ten minutes. */
static bool nobody_crashed(void *argument, pid_t runner, double running_s)
{
    struct tests_report *report = argument;

    (void)runner;
    (void)running_s;
    tests_report_read(report);
    for (size_t i = 0; i < report->count; i++)
        if (report->tests[i].crashed_tid != 0)
            return false;
    return true;
}

int tests_run_trusted(void *context, const char *program, const char *only, struct tests_run *run, struct fault *fault)
{
    struct child_spec spec = {
        .strange = false,
        .watch = nobody_crashed,
        .watch_context = &run->report,
        .watch_interval_s = WATCH_INTERVAL_S,
    };

    *run = (struct tests_run){0};
    if (tests_report_open(context, &run->report, fault) < 0)
        return -1;
    spec.argv = command_line(context, &run->report, program, only, false);
    int ran = run_program(context, run, &spec, fault);
    if (ran < 0)
        tests_report_close(&run->report);
    return ran;
}

void tests_run_close(struct tests_run *run)
{
    tests_report_close(&run->report);
}

const struct test_sight *tests_run_sight(const struct tests_run *run, const struct test_record *test)
{
    for (size_t i = 0; i < run->sight_count; i++)
        if (run->sights[i].test == test)
            return &run->sights[i];
    return NULL;
}

/* ---- the test's own process -------------------------------------------------------------------------------------- */

/* The test that runs now, or has ended and whose process has not, where that is known to be one below the runner `pid`:
 * the number came from a process that runs the student's code. */
static const struct test_record *running_test(struct watching *watching, pid_t runner)
{
    const struct tests_report *report = &watching->run->report;
    const struct test_record *test = report->current != NULL ? report->current : report->entered;
    struct pid_list tree = {0};
    void *scratch = memory_context(watching->context);
    bool below = false;

    if (test != NULL && test->pid > 0 && test->pid != runner) {
        process_tree(scratch, runner, &tree);
        below = pid_list_has(&tree, test->pid);
    }
    talloc_free(scratch);
    return below ? test : NULL;
}

static void kill_test(struct watching *watching, const struct test_record *test)
{
    struct pid_list tree = {0};

    process_tree(watching->context, test->pid, &tree);
    for (size_t i = 0; i < tree.count; i++)
        (void)kill(tree.pids[i], SIGKILL);
    stillness_reset(watching->stillness);
}

static struct test_sight *add_sight(struct watching *watching, const struct test_record *test)
{
    struct tests_run *run = watching->run;

    run->sights = memory_grown(watching->context, run->sights, run->sight_count + 1, sizeof *run->sights);
    struct test_sight *sight = &run->sights[run->sight_count++];
    *sight = (struct test_sight){.test = test};
    return sight;
}

/* Reads where everybody stands, and ends the test. What cannot be read is not told; that it hangs is. */
static void end_stuck(struct watching *watching, const struct test_record *test, enum stuck stuck, double used_s,
                      double limit_s)
{
    struct test_sight *sight = add_sight(watching, test);
    struct fault unread;

    sight->stuck = stuck;
    sight->used_s = used_s;
    sight->limit_s = limit_s;
    sight->reference_s = stuck == STUCK_SPINNING ? watching->reference_cpu_s : watching->reference_wall_s;
    if (hang_read(watching->context, watching->shop, test->pid, test->harness, test->harness_count, &sight->hang,
                  &unread) < 0)
        sight->hang.count = 0;
    kill_test(watching, test);
    watching->run->stuck_count++;
}

static void end_crashed(struct watching *watching, const struct test_record *test)
{
    struct test_sight *sight = add_sight(watching, test);
    struct stacks stacks;
    struct fault unread;

    sight->crashed = true;
    if (stacks_read(watching->context, test->pid, &stacks, &unread) == 0)
        for (size_t i = 0; i < stacks.count; i++)
            if (stacks.threads[i].tid == test->crashed_tid)
                sight->crash = stacks.threads[i].trace;
    kill_test(watching, test);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

/* What the test's processes have used and waited for. */
struct usage {
    double cpu_s;
    double delayed_s; /* for a processor, all threads together */
};

static struct usage measure(struct watching *watching, const struct test_record *test)
{
    void *scratch = memory_context(watching->context);
    struct usage usage = {0, 0};
    struct pid_list tree = {0};

    process_tree(scratch, test->pid, &tree);
    usage.cpu_s = process_cpu_s(&tree);
    for (size_t i = 0; i < tree.count; i++)
        usage.delayed_s += starvation_delay_s(tree.pids[i]);
    talloc_free(scratch);
    return usage;
}

/* Runs the reference's same test beside it, once. A reference that does not run sets no limit: that is a fault. */
static void compare(struct watching *watching, const struct test_record *test)
{
    struct tests_run run;

    if (watching->compared)
        return;
    watching->compared = true;
    if (tests_run_trusted(watching->context, watching->reference, test->name, &run, watching->fault) < 0) {
        watching->failed = true;
        return;
    }
    watching->reference_cpu_s = run.child.cpu_s;
    watching->reference_wall_s = run.child.wall_s;
    if (!run.report.done) {
        fault_set(watching->fault, "the reference's test %s did not run to compare with: %s: %.300s", test->name,
                  child_end_text(watching->context, &run.child), run.child.out);
        watching->failed = true;
    }
    tests_run_close(&run);
}

/* Ends the test where it is over a limit. */
static void check_limits(struct watching *watching, const struct test_record *test, double running_s)
{
    struct usage usage = measure(watching, test);
    double wall_s = running_s - watching->began_s;

    if (usage.cpu_s > SLOW_CPU_S || wall_s > SLOW_WALL_S)
        compare(watching, test);
    if (!watching->compared || watching->failed)
        return;
    double cpu_limit_s = fmax(CPU_FLOOR_S, TIMES_REFERENCE * watching->reference_cpu_s);
    double wall_limit_s = fmax(WALL_FLOOR_S, TIMES_REFERENCE * watching->reference_wall_s);
    if (usage.cpu_s > cpu_limit_s)
        end_stuck(watching, test, STUCK_SPINNING, usage.cpu_s, cpu_limit_s);
    else if (wall_s - usage.delayed_s > wall_limit_s)
        end_stuck(watching, test, STUCK_STALLED, wall_s, wall_limit_s);
    else if (wall_s > wall_limit_s + STARVED_MORE_S)
        end_stuck(watching, test, STUCK_STARVED, wall_s, wall_limit_s);
}

/* ---- the watch --------------------------------------------------------------------------------------------------- */

static void begin_test(struct watching *watching, const struct test_record *test, double running_s)
{
    watching->test = test;
    watching->began_s = running_s;
    watching->compared = false;
    watching->reference_cpu_s = watching->reference_wall_s = 0;
    stillness_reset(watching->stillness);
}

/* That this test will not pass, whatever else is found out about it. One that was starved has not failed. */
static bool has_failed(const struct watching *watching, const struct test_record *test)
{
    const struct test_sight *sight = tests_run_sight(watching->run, test);

    if (sight != NULL)
        return sight->stuck != STUCK_STARVED;
    return test->failed_message != NULL || (test->ended && !test->passed);
}

/* Says once, as early as it is known, that a test has failed, and which. */
static void tell_first_failure(struct watching *watching)
{
    const struct tests_report *report = &watching->run->report;

    if (watching->told || watching->shop->test_failed == NULL)
        return;
    for (size_t i = 0; i < report->count && !watching->told; i++)
        if (has_failed(watching, &report->tests[i])) {
            watching->told = true;
            watching->shop->test_failed(watching->shop->stage_context, report->tests[i].name);
        }
}

/* Looks at the test that runs now. */
static void watch_test(struct watching *watching, const struct test_record *test, double running_s)
{
    if (tests_run_sight(watching->run, test) != NULL)
        return; /* it was killed a moment ago */
    if (test->crashed_tid != 0)
        end_crashed(watching, test);
    else if (stillness_look(watching->stillness))
        end_stuck(watching, test, STUCK_PROVED, running_s - watching->began_s, 0);
    else if (++watching->looks % LOOKS_A_MEASURE == 0)
        check_limits(watching, test, running_s);
}

static bool watch(void *argument, pid_t runner, double running_s)
{
    struct watching *watching = argument;
    struct tests_run *run = watching->run;

    tests_report_read(&run->report);
    const struct test_record *test = running_test(watching, runner);
    if (test != watching->test)
        begin_test(watching, test, running_s);
    if (test != NULL)
        watch_test(watching, test, running_s);
    else
        run->stuck_outside = stillness_look(watching->stillness);
    tell_first_failure(watching);
    return !watching->failed && !run->stuck_outside && run->stuck_count < STUCK_MAX;
}

/* Criterion finds the tests by reading its program's file, before any line of the student's code has run; where it
 * cannot (no descriptor is left on the machine, or the file is gone), that is nobody's fault but ours. */
static bool found_no_tests(const struct tests_run *run)
{
    return run->report.count == 0 && run->child.end == CHILD_EXITED && run->child.status == EXIT_NO_TESTS;
}

int tests_run(void *context, const struct workshop *shop, const char *program, const char *reference,
              struct tests_run *run, struct fault *fault)
{
    struct watching watching = {.context = context, .shop = shop, .reference = reference, .run = run, .fault = fault};
    struct child_spec spec = {
        .more_env = shop->tests_env,
        .cwd = shop->dir,
        .strange = true,
        .memory_mb = shop->exercise->memory_mb,
        .watch = watch,
        .watch_context = &watching,
        .watch_interval_s = WATCH_INTERVAL_S,
    };

    *run = (struct tests_run){0};
    if (tests_report_open(context, &run->report, fault) < 0)
        return -1;
    watching.stillness = stillness_new(context);
    spec.argv = command_line(context, &run->report, program, NULL, shop->first_failure);
    int ran = run_program(context, run, &spec, fault);
    if (ran == 0)
        tell_first_failure(&watching);
    if (ran == 0 && found_no_tests(run))
        ran = fault_set(fault, "the tests of %s did not find themselves in their own program: %.300s",
                        shop->exercise->id, run->child.out);
    if (ran == 0 && !watching.failed)
        return 0;
    tests_report_close(&run->report);
    return -1;
}
