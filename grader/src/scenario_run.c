/* scenario_run.c - see scenario_run.h.
 *
 * Theory: the program's report (report_channel.h) is read only when it has ended, so nothing waits for anything.
 */
#include "scenario_run.h"

#include "memory.h"
#include "report_channel.h"
#include "starvation.h"
#include "stillness.h"
#include "trace.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64 };

static const double WATCH_INTERVAL_S = 0.03;
static const double CPU_LIMIT_S = 20;
static const double WALL_LIMIT_S = 60;

/* What the watch function needs, and what it saw. */
struct watching {
    void *context;
    const struct workshop *shop;
    struct stillness *stillness;
    bool read_stacks;
    struct scenario_run *run; /* `too_large`, `hung` and `hang` are set here */
    long resident_mb;
    struct starvation starvation;
};

/* ---- its lines --------------------------------------------------------------------------------------------------- */

struct reading {
    void *context;
    struct scenario_run *run;
    const struct report_channel *channel;
    bool begun; /* a scenario has begun: the list is closed */
    bool done;
};

static const char *line_text(const struct reading *reading, const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));

    return memory_text(reading->context, text == NULL ? "" : text);
}

static struct scenario_state *scenario_named(const struct reading *reading, const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "scenario"));

    for (size_t i = 0; name != NULL && i < reading->run->scenario_count; i++)
        if (strcmp(reading->run->scenarios[i].name, name) == 0)
            return &reading->run->scenarios[i];
    return NULL;
}

static void list_read(struct reading *reading, const json_t *line)
{
    struct scenario_run *run = reading->run;

    if (reading->begun || run->scenario_count == SCENARIOS_MAX)
        return;
    run->scenarios[run->scenario_count++] = (struct scenario_state){.name = line_text(reading, line, "scenario"),
                                                                    .story = line_text(reading, line, "story")};
}

static void step_read(struct reading *reading, const json_t *line, bool begin)
{
    struct scenario_state *scenario = scenario_named(reading, line);

    reading->begun = true;
    if (scenario == NULL)
        return;
    if (begin)
        scenario->begun = true;
    else if (reading->run->current == scenario)
        scenario->ended = true;
    reading->run->current = begin ? scenario : NULL;
}

static void failed_read(struct reading *reading, const json_t *line)
{
    if (reading->run->failed_file != NULL)
        return;
    reading->run->failed_file = trace_base_name(line_text(reading, line, "file"));
    reading->run->failed_line = (int)json_integer_value(json_object_get(line, "line"));
    reading->run->failed_message = line_text(reading, line, "message");
}

static void remain_read(struct reading *reading, const json_t *line, enum remain_kind kind)
{
    static const char *const texts[] = {"place", "state", "path"};
    static const char *const numbers[] = {"address", "tid", "number"};
    struct scenario_run *run = reading->run;

    if (run->remain_count == REMAINS_MAX)
        return;
    run->remains = memory_grown(reading->context, run->remains, run->remain_count + 1, sizeof *run->remains);
    run->remains[run->remain_count++] =
        (struct remain){.kind = kind,
                        .scenario = run->current,
                        .text = line_text(reading, line, texts[kind]),
                        .number = (long)json_integer_value(json_object_get(line, numbers[kind]))};
}

static void done_read(struct reading *reading, const json_t *line)
{
    reading->done = report_channel_signed(reading->channel, line);
}

static void event_read(struct reading *reading, const json_t *line)
{
    const char *event = json_string_value(json_object_get(line, "event"));

    if (event == NULL)
        return;
    if (strcmp(event, "list") == 0)
        list_read(reading, line);
    else if (strcmp(event, "begin") == 0 || strcmp(event, "end") == 0)
        step_read(reading, line, event[0] == 'b');
    else if (strcmp(event, "failed") == 0)
        failed_read(reading, line);
    else if (strcmp(event, "unjoined") == 0)
        remain_read(reading, line, REMAIN_UNJOINED);
    else if (strcmp(event, "thread") == 0)
        remain_read(reading, line, REMAIN_THREAD);
    else if (strcmp(event, "descriptor") == 0)
        remain_read(reading, line, REMAIN_DESCRIPTOR);
    else if (strcmp(event, "trouble") == 0)
        reading->run->trouble = line_text(reading, line, "message");
    else if (strcmp(event, "done") == 0)
        done_read(reading, line);
}

static bool all_ended(const struct scenario_run *run)
{
    for (size_t i = 0; i < run->scenario_count; i++)
        if (!run->scenarios[i].begun || !run->scenarios[i].ended)
            return false;
    return run->scenario_count > 0;
}

static void report_read(void *context, char *text, const struct report_channel *channel, struct scenario_run *run)
{
    struct reading reading = {.context = context, .run = run, .channel = channel};

    run->scenarios = memory_zeroed(context, SCENARIOS_MAX, sizeof *run->scenarios);
    for (char *rest = text, *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        json_t *object = json_loads(line, 0, NULL);

        if (object != NULL)
            event_read(&reading, object);
        json_decref(object);
    }
    run->complete = reading.done && all_ended(run) && run->child.end == CHILD_EXITED && run->failed_file == NULL;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

/* Memory in use, from /proc/PID/statm; 0 where it has ended. */
static long resident_mb(pid_t pid)
{
    char path[64];
    long pages = 0;

    (void)snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    (void)fclose(file);
    return pages / ((1 << 20) / sysconf(_SC_PAGESIZE));
}

/* Where the threads of a program stand that hangs. What cannot be read is left out: that it hangs is known already. */
static void stacks_look(struct watching *watching, pid_t pid)
{
    struct fault ignored;

    if (hang_read(watching->context, watching->shop, pid, NULL, 0, &watching->run->hang, &ignored) != 0)
        watching->run->hang = (struct hang){0};
}

static bool watch(void *context, pid_t pid, double running_s)
{
    struct watching *watching = context;

    starvation_look(&watching->starvation, pid, running_s);
    watching->run->too_large = watching->resident_mb > 0 && resident_mb(pid) > watching->resident_mb;
    watching->run->hung = stillness_look(watching->stillness);
    if (watching->run->hung && watching->read_stacks)
        stacks_look(watching, pid);
    return !watching->run->too_large && !watching->run->hung;
}

/* prefix…, program, --report FD, --key FD, [scenario]. */
static const char **arguments_make(void *context, const struct scenario_spec *spec,
                                   const struct report_channel *channel)
{
    const char **arguments = memory_zeroed(context, ARGUMENTS_MAX, sizeof *arguments);
    size_t count = 0;

    for (; spec->prefix != NULL && spec->prefix[count] != NULL && count < ARGUMENTS_MAX - 8; count++)
        arguments[count] = spec->prefix[count];
    arguments[count++] = spec->program;
    arguments[count++] = "--report";
    arguments[count++] = memory_format(context, "%d", channel->report);
    arguments[count++] = "--key";
    arguments[count++] = memory_format(context, "%d", channel->key);
    arguments[count] = spec->scenario;
    return arguments;
}

static int run_in_channel(void *context, struct workshop *shop, const struct scenario_spec *spec,
                          const struct report_channel *channel, struct scenario_run *run, struct fault *fault)
{
    struct watching watching = {.context = context,
                                .shop = shop,
                                .stillness = stillness_new(context),
                                .read_stacks = spec->prefix == NULL,
                                .run = run,
                                .resident_mb = spec->resident_mb};
    if (spec->prefix != NULL)
        stillness_ignore_alarms(watching.stillness);
    const int keep[] = {channel->report, channel->key, -1};
    const struct child_spec child = {
        .argv = arguments_make(context, spec, channel),
        .env = spec->env,
        .cwd = shop->dir,
        .strange = true,
        .fixed_addresses = spec->fixed_addresses,
        .wall_limit_s = spec->wall_limit_s > 0 ? spec->wall_limit_s : WALL_LIMIT_S,
        .cpu_limit_s = spec->cpu_limit_s > 0 ? spec->cpu_limit_s : CPU_LIMIT_S,
        .memory_mb = spec->memory_mb,
        .keep_fds = keep,
        .watch = watch,
        .watch_context = &watching,
        .watch_interval_s = WATCH_INTERVAL_S,
    };
    char *text = NULL;

    if (child_run(context, &child, &run->child, fault) != 0)
        return -1;
    run->too_large = run->too_large && run->child.end == CHILD_STOPPED_BY_WATCH;
    run->hung = run->hung && run->child.end == CHILD_STOPPED_BY_WATCH;
    run->starved = starvation_found(&watching.starvation, &run->child, child.cpu_limit_s);
    if (report_channel_read(context, channel, &text, fault) != 0)
        return -1;
    report_read(context, text, channel, run);
    if (run->trouble != NULL)
        return fault_set(fault, "%s: a scenario's harness could not do its work: %s", shop->exercise->id, run->trouble);
    return 0;
}

int scenario_run(void *context, struct workshop *shop, const struct scenario_spec *spec, struct scenario_run *run,
                 struct fault *fault)
{
    struct report_channel channel;

    *run = (struct scenario_run){0};
    if (report_channel_open(&channel, fault) != 0)
        return -1;
    int result = run_in_channel(context, shop, spec, &channel, run, fault);
    report_channel_close(&channel);
    return result;
}
