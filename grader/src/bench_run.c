/* bench_run.c - one run of a bench program.
 *
 * Theory: the program writes its report (harness/report.h) into a memory file of ours and finds a key in another; we
 * read the report when it has ended. Its last line must carry the key, else it ended before its work was done.
 */
#include "bench_run.h"

#include "child.h"
#include "memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { REPORT_MAX = 1 << 20 };

static const double WALL_LIMIT_S = 60;

struct bench_files {
    int report;
    int key;
    char secret[33];
};

static int open_files(struct bench_files *files, struct fault *fault)
{
    uint64_t random[2];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return fault_errno(fault, "random numbers");
    snprintf(files->secret, sizeof files->secret, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    files->report = memfd_create("report", MFD_CLOEXEC);
    if (files->report < 0)
        return fault_errno(fault, "a memory file");
    files->key = memfd_create("key", MFD_CLOEXEC);
    if (files->key < 0)
        goto close_report;
    if (pwrite(files->key, files->secret, strlen(files->secret), 0) == (ssize_t)strlen(files->secret))
        return 0;
    close(files->key);
close_report:
    fault_errno(fault, "a memory file");
    close(files->report);
    return -1;
}

static void close_files(struct bench_files *files)
{
    close(files->key);
    close(files->report);
}

static char *read_report(void *context, int fd)
{
    char *text = memory_zeroed(context, REPORT_MAX + 1, 1);
    ssize_t got = pread(fd, text, REPORT_MAX, 0);

    text[got < 0 ? 0 : got] = '\0';
    return text;
}

/* Takes one line of the report in. Returns true at the line that carries the key. */
static bool take_line(void *context, const char *line, const char *secret, struct bench_times *times)
{
    json_t *object = json_loads(line, 0, NULL);
    const char *event = json_string_value(json_object_get(object, "event"));
    bool done = false;

    if (event != NULL && strcmp(event, "run") == 0) {
        double wall_s = (double)json_integer_value(json_object_get(object, "wall_ns")) * 1e-9;
        double cpu_s = (double)json_integer_value(json_object_get(object, "cpu_ns")) * 1e-9;
        times->wall_s = times->wall_s == 0 || wall_s < times->wall_s ? wall_s : times->wall_s;
        times->cpu_s = times->cpu_s == 0 || cpu_s < times->cpu_s ? cpu_s : times->cpu_s;
    } else if (event != NULL && strcmp(event, "failed") == 0) {
        times->problem = memory_text(context, json_string_value(json_object_get(object, "message")));
    } else if (event != NULL && strcmp(event, "done") == 0) {
        const char *key = json_string_value(json_object_get(object, "key"));
        done = key != NULL && strcmp(key, secret) == 0;
    }
    json_decref(object);
    return done;
}

/* What a program that did not come to its end did instead. */
static void explain_end(void *context, const struct child_result *result, struct bench_times *times)
{
    switch (result->end) {
    case CHILD_OVER_CPU:
        times->problem =
            memory_format(context, "The timed workload was stopped after %.1f s of processor time.", result->cpu_s);
        break;
    case CHILD_TIMED_OUT:
        /* It slept the time away, or the machine gave it none: only the first is its own doing. */
        times->starved = result->cpu_s > 0.05 * result->wall_s;
        times->problem = memory_format(context, "The timed workload did not end in %.0f s.", result->wall_s);
        break;
    case CHILD_EXITED:
        times->problem = "The program ended before its timed workload did.";
        break;
    default:
        times->problem = memory_format(context, "The timed workload did not end: %s.", child_end_text(context, result));
    }
    times->detail = result->err_size > 0 ? result->err : NULL;
}

int bench_run(void *context, struct workshop *shop, const char *program, int runs, double cpu_limit_s,
              struct bench_times *times, struct fault *fault)
{
    struct bench_files files = {-1, -1, ""};
    struct child_result result;

    *times = (struct bench_times){0};
    if (open_files(&files, fault) < 0)
        return -1;
    int keep[] = {files.report, files.key, -1};
    const char *argv[] = {program,
                          "--report",
                          memory_format(context, "%d", files.report),
                          "--key",
                          memory_format(context, "%d", files.key),
                          memory_format(context, "%d", runs),
                          NULL};
    struct child_spec spec = {
        .argv = argv,
        .cwd = shop->dir,
        .strange = true,
        .wall_limit_s = WALL_LIMIT_S,
        .cpu_limit_s = cpu_limit_s > 0 ? cpu_limit_s : WALL_LIMIT_S,
        .memory_mb = shop->exercise->memory_mb,
        .keep_fds = keep,
    };
    int ran = child_run(context, &spec, &result, fault);
    if (ran == 0) {
        bool done = false;
        for (char *rest = read_report(context, files.report), *line; (line = strsep(&rest, "\n")) != NULL;)
            done = take_line(context, line, files.secret, times) || done;
        times->all_cpu_s = result.cpu_s;
        if (times->problem == NULL && (!done || times->wall_s <= 0))
            explain_end(context, &result, times);
    }
    close_files(&files);
    return ran;
}
