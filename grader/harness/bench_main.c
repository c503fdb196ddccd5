/* bench_main.c - main() of the timed program: sets up once, runs as often as it is told, reports each run's times.
 *
 *     bench [--report FD] [--key FD] RUNS
 *
 * Wall time is CLOCK_MONOTONIC's, CPU time that of the whole process with all its threads. What run() does beyond its
 * workload belongs in setup() and teardown(). What it reports stands in report.h.
 */
#include "bench.h"

#include "report.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

enum { RUNS_MAX = 1000000, EXIT_FAILED = 1, EXIT_TROUBLE = 2 };

static struct report report = {STDERR_FILENO, ""};

void bench_failed(const char *file, int line, const char *sentence)
{
    struct report_line report_line;

    report_event(&report_line, "failed");
    report_text(&report_line, "file", file);
    report_number(&report_line, "line", line);
    report_text(&report_line, "message", sentence);
    report_send(report.fd, &report_line);
    _exit(EXIT_FAILED);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void run_once(void)
{
    struct report_line line;
    int64_t cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    int64_t wall_ns = clock_ns(CLOCK_MONOTONIC);

    bench.run();
    wall_ns = clock_ns(CLOCK_MONOTONIC) - wall_ns;
    cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
    report_event(&line, "run");
    report_number(&line, "wall_ns", wall_ns);
    report_number(&line, "cpu_ns", cpu_ns);
    report_send(report.fd, &line);
}

int main(int argc, char **argv)
{
    const char *operand = report_operand(argc, argv);
    long runs = operand == NULL ? 0 : strtol(operand, NULL, 10);
    struct report_line line;

    report = report_open(argc, argv);
    if (report.fd > STDERR_FILENO)
        fcntl(report.fd, F_SETFD, FD_CLOEXEC);
    if (runs < 1 || runs > RUNS_MAX) {
        fprintf(stderr, "usage: bench [--report FD] [--key FD] RUNS\n");
        return EXIT_TROUBLE;
    }
    if (bench.setup != NULL)
        bench.setup();
    for (long i = 0; i < runs; i++)
        run_once();
    if (bench.teardown != NULL)
        bench.teardown();
    report_event(&line, "done");
    report_text(&line, "key", report.key);
    report_number(&line, "runs", runs);
    report_send(report.fd, &line);
    return 0;
}
