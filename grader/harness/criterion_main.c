/* criterion_main.c - main() of the tests program: runs Criterion and reports to the grader.
 *
 *     tests [--report FD] [--events FD] [--key FD] [--fail-fast 1] [--list] [TEST]
 *
 * Theory: Criterion's runner is this process; each test runs in a worker, which is this program executed anew by
 * Criterion, and tells the runner over a socket what its assertions say. The hooks below run in the runner, where no
 * line of the student's code runs, and write what they learn to the report (report.h), which the workers do not
 * inherit. One test at a time; nothing on the console. The events descriptor and the key are for the workers
 * (check.c), who find their names in the environment.
 */
#include "report.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <criterion/options.h>
#include <fcntl.h>
#include <stdio.h>

enum { EXIT_NO_TESTS = 3 }; /* Criterion found none in its own program: the grader's fault (tests_run.c) */

static struct report runner_report = {STDERR_FILENO, ""};

static const char *status_name(const struct criterion_test_stats *stats)
{
    if (stats->test_status == CR_STATUS_SKIPPED)
        return "skipped";
    return stats->test_status == CR_STATUS_PASSED && !stats->crashed && !stats->timed_out ? "passed" : "failed";
}

ReportHook(PRE_INIT)(struct criterion_test *test)
{
    struct report_line line;

    report_event(&line, "begin");
    report_text(&line, "test", test->name);
    report_send(runner_report.fd, &line);
}

ReportHook(ASSERT)(struct criterion_assert_stats *stats)
{
    struct report_line line;

    report_event(&line, stats->passed ? "mark" : "assert");
    if (!stats->passed) {
        report_text(&line, "file", stats->file);
        report_number(&line, "line", stats->line);
    }
    report_text(&line, "message", stats->message);
    report_send(runner_report.fd, &line);
}

static void report_test_end(const struct criterion_test_stats *stats)
{
    struct report_line line;

    report_event(&line, "end");
    report_text(&line, "test", stats->test->name);
    report_text(&line, "status", status_name(stats));
    report_number(&line, "passed", stats->passed_asserts);
    report_number(&line, "failed", stats->failed_asserts);
    report_number(&line, "signal", stats->signal);
    report_number(&line, "exit", stats->exit_code);
    report_send(runner_report.fd, &line);
}

ReportHook(POST_FINI)(struct criterion_test_stats *stats)
{
    report_test_end(stats);
}

ReportHook(TEST_CRASH)(struct criterion_test_stats *stats)
{
    report_test_end(stats);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    struct report_line line;

    report_event(&line, "done");
    report_text(&line, "key", runner_report.key);
    report_number(&line, "tests", (long long)stats->nb_tests);
    report_send(runner_report.fd, &line);
}

/* Criterion's own sets are ordered; this only walks them. `wanted` NULL: all. */
static int report_list(struct criterion_test_set *set, const char *wanted)
{
    int listed = 0;

    FOREACH_SET(struct criterion_suite_set * suite, set->suites)
    {
        if (suite->tests == NULL)
            continue;
        FOREACH_SET(struct criterion_test * test, suite->tests)
        {
            struct report_line line;

            if (wanted != NULL && strcmp(test->name, wanted) != 0)
                continue;
            report_event(&line, "list");
            report_text(&line, "test", test->name);
            report_text(&line, "promise", test->data->description);
            report_text(&line, "file", test->data->file_);
            report_number(&line, "line", test->data->line_);
            report_send(runner_report.fd, &line);
            listed++;
        }
    }
    return listed;
}

/* Tells the workers where the events and the key are. Criterion closes all but the standard descriptors in them, so
 * they get the names of this process's descriptors ("-": there is none), which stay open here for each of them. */
static void hand_to_workers(int events_fd, int key_fd)
{
    char names[128], events[48] = "-", key[48] = "-";

    if (events_fd >= 0)
        snprintf(events, sizeof events, "/proc/%d/fd/%d", (int)getpid(), events_fd);
    if (key_fd >= 0)
        snprintf(key, sizeof key, "/proc/%d/fd/%d", (int)getpid(), key_fd);
    snprintf(names, sizeof names, "%s %s", events, key);
    setenv("INTERLEAVE_EVENTS", names, 1);
}

/* Nothing that is the grader's is inherited by a worker. */
static void keep_to_myself(int fd)
{
    if (fd > STDERR_FILENO)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void open_report(int argc, char **argv, bool listing)
{
    int report_fd = report_option(argc, argv, "--report");
    int events_fd = report_option(argc, argv, "--events");
    int key_fd = report_option(argc, argv, "--key");

    runner_report.fd = listing ? STDOUT_FILENO : STDERR_FILENO;
    if (report_fd >= 0)
        runner_report.fd = report_fd;
    keep_to_myself(report_fd);
    keep_to_myself(events_fd);
    keep_to_myself(key_fd);
    if (key_fd >= 0)
        report_read_key(dup(key_fd), runner_report.key);
    hand_to_workers(events_fd, key_fd);
}

static void set_options(const char *pattern, bool fail_fast)
{
    criterion_options.jobs = 1;
    /* Above every level there is. Criterion's own "quiet" would send what the tests print to /dev/null. */
    criterion_options.logging_threshold = CRITERION_IMPORTANT + 1;
    criterion_options.use_ascii = true;
    criterion_options.pattern = pattern;
    criterion_options.fail_fast = fail_fast;
}

int main(int argc, char **argv)
{
    bool listing = argc > 1 && strcmp(argv[argc - 1], "--list") == 0;
    const char *wanted = report_operand(argc, argv);
    static char pattern[256]; /* Criterion keeps it */
    struct criterion_test_set *tests = criterion_initialize();

    open_report(argc, argv, listing);
    snprintf(pattern, sizeof pattern, "tests/%s", wanted == NULL ? "*" : wanted);
    set_options(wanted == NULL ? NULL : pattern, report_option(argc, argv, "--fail-fast") == 1);
    if (report_list(tests, wanted) == 0) {
        fprintf(stderr, "no test is called %s\n", wanted == NULL ? "anything" : wanted);
        criterion_finalize(tests);
        return wanted == NULL ? EXIT_NO_TESTS : 2;
    }
    int passed = listing ? 1 : criterion_run_all_tests(tests);
    criterion_finalize(tests);
    return passed ? 0 : 1;
}
