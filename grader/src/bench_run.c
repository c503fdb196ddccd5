/* bench_run.c - one run of a bench program, whose report (report_channel.h) is read when it has ended. */
#include "bench_run.h"

#include "child.h"
#include "memory.h"
#include "report_channel.h"
#include "starvation.h"

#include <jansson.h>
#include <string.h>

static const double WALL_LIMIT_S = 60;
static const double WATCH_INTERVAL_S = 0.5;

/* Takes one line of the report in. Returns true at the line that carries the key. */
static bool take_line(void *context, const char *line, const struct report_channel *channel, struct bench_times *times)
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
        done = report_channel_signed(channel, object);
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

static bool watch(void *context, pid_t pid, double running_s)
{
    starvation_look(context, pid, running_s);
    return true;
}

/* Runs the program with this channel, and reads what it measured. */
static int run_in_channel(void *context, struct workshop *shop, const char *const *argv, double cpu_limit_s,
                          const struct report_channel *channel, struct bench_times *times, struct fault *fault)
{
    const int keep[] = {channel->report, channel->key, -1};
    struct starvation starvation = {0};
    struct child_result result;
    char *text = NULL;
    bool done = false;
    struct child_spec spec = {
        .argv = argv,
        .cwd = shop->dir,
        .strange = true,
        .wall_limit_s = WALL_LIMIT_S,
        .cpu_limit_s = cpu_limit_s > 0 ? cpu_limit_s : WALL_LIMIT_S,
        .memory_mb = shop->exercise->memory_mb,
        .keep_fds = keep,
        .watch = watch,
        .watch_context = &starvation,
        .watch_interval_s = WATCH_INTERVAL_S,
    };

    if (child_run(context, &spec, &result, fault) != 0 || report_channel_read(context, channel, &text, fault) != 0)
        return -1;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;)
        done = take_line(context, line, channel, times) || done;
    times->all_cpu_s = result.cpu_s;
    times->starved = starvation_found(&starvation, &result, spec.cpu_limit_s);
    if (times->problem == NULL && (!done || times->wall_s <= 0))
        explain_end(context, &result, times);
    return 0;
}

int bench_run(void *context, struct workshop *shop, const char *program, int runs, double cpu_limit_s,
              struct bench_times *times, struct fault *fault)
{
    struct report_channel channel;

    *times = (struct bench_times){0};
    if (report_channel_open(&channel, fault) != 0)
        return -1;
    const char *argv[] = {program,
                          "--report",
                          memory_format(context, "%d", channel.report),
                          "--key",
                          memory_format(context, "%d", channel.key),
                          memory_format(context, "%d", runs),
                          NULL};
    int ran = run_in_channel(context, shop, argv, cpu_limit_s, &channel, times, fault);
    report_channel_close(&channel);
    return ran;
}
