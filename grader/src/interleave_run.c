/* interleave_run.c - see interleave_run.h.
 *
 * Theory: the student's code runs inside the explorer's process, so that process is a stranger's: it goes through
 * child_run() as such, and its JSON, which comes by a standard output that the program itself has not got, is read as
 * carefully as any stranger's. To start a process costs more than to explore a small scenario, so one process explores
 * all, and writes a line for each. Budgets are in interleavings. The limits of time are there for what they do not
 * bound, and decide nothing: who reaches them is not judged.
 */
#include "interleave_run.h"

#include "cache.h"
#include "child.h"
#include "files.h"
#include "memory.h"
#include "places.h"
#include "source.h"
#include "trace.h"

#include <stdio.h>
#include <string.h>

/* Steps of a run: no scenario of ours is longer, nor what a right program makes of it. */
static const char STEPS_MAX[] = "20000";

enum { WORDS_MAX = 26, OUTPUT_MAX = 16 << 20, SCENARIOS_MOST = 256 };

static const double CPU_LIMIT_S = 60, CPU_LIMIT_EACH_S = 30;
static const double WALL_LIMIT_TIMES = 3; /* as much as of processor time */

/* ---- reading its JSON -------------------------------------------------------------------------------------------- */

static const char *text_of(void *context, const json_t *object, const char *key)
{
    return memory_text(context, json_string_value(json_object_get(object, key)));
}

static long number_of(const json_t *object, const char *key)
{
    return (long)json_integer_value(json_object_get(object, key));
}

/* What a frame says, where it is one that a student can look at; -1 where it is nobody's. */
static int owner_of(const struct workshop *shop, const json_t *place)
{
    const char *file = json_string_value(json_object_get(place, "file"));
    enum owner owner = file == NULL ? OWNER_NOBODY : places_owner(shop, file);

    return owner == OWNER_NOBODY || number_of(place, "line") <= 0 ? -1 : (int)owner;
}

/* The frame to show of a step: the innermost that is the student's, else the first that is anybody's. */
static const json_t *frame_of(const struct workshop *shop, const json_t *json)
{
    const json_t *at = json_object_get(json, "at"), *best = at, *callers = json_object_get(json, "callers");
    size_t count = json_array_size(callers);
    int owner = owner_of(shop, at);

    for (size_t i = 0; i < count && owner != OWNER_STUDENT; i++) {
        const json_t *frame = json_array_get(callers, i);
        int other = owner_of(shop, frame);

        if (other == OWNER_STUDENT || owner < 0) {
            best = frame;
            owner = other;
        }
    }
    return best;
}

/* A place where one is told: its file and line, and its text where it is no line of the scenario's. */
struct line {
    const char *file;
    int number;
    const char *source;
};

static struct line line_read(void *context, const struct workshop *shop, const json_t *json)
{
    const json_t *frame = frame_of(shop, json);
    const char *file = json_string_value(json_object_get(frame, "file"));
    struct line line = {0};

    if (owner_of(shop, frame) < 0)
        return line;
    line.file = memory_text(context, file);
    line.number = (int)number_of(frame, "line");
    if (places_owner(shop, file) != OWNER_SCENARIO)
        line.source = source_line(context, places_path(context, shop, file), line.number);
    return line;
}

/* A line that an earlier step stands on need not be read again. */
static const struct step *step_before(const struct step *steps, size_t count, const struct workshop *shop,
                                      const json_t *json)
{
    const json_t *frame = frame_of(shop, json);
    const char *file = json_string_value(json_object_get(frame, "file"));

    for (size_t i = count; i-- > 0 && file != NULL;)
        if (steps[i].file != NULL && steps[i].line == number_of(frame, "line") && strcmp(steps[i].file, file) == 0)
            return &steps[i];
    return NULL;
}

/* The step behind the `count` at `steps`. */
static void step_read(void *context, const struct workshop *shop, const json_t *json, struct step *steps, size_t count)
{
    const char *does = json_string_value(json_object_get(json, "does"));
    bool ends = does != NULL && strcmp(does, "ends") == 0; /* at no line of its own */
    const struct step *before = step_before(steps, count, shop, json);
    struct line line = {0};

    if (before != NULL && !ends)
        line = (struct line){before->file, before->line, before->source};
    else if (!ends)
        line = line_read(context, shop, json);
    steps[count] = (struct step){
        .thread = (int)number_of(json, "thread"),
        .file = line.file,
        .line = line.number,
        .source = line.source,
        .does = memory_text(context, does == NULL ? "" : does),
        .object = text_of(context, json, "object"),
        .number = (int)number_of(json, "object_number"),
        .before = text_of(context, json, "before"),
        .after = text_of(context, json, "after"),
        .other = (int)number_of(json, "other"),
    };
}

static void thread_read(void *context, const struct workshop *shop, const json_t *json, struct explored_thread *thread)
{
    const json_t *holds = json_object_get(json, "holds");
    struct line line = line_read(context, shop, json);
    size_t count = json_array_size(holds);

    *thread = (struct explored_thread){
        .number = (int)number_of(json, "number"),
        .body = text_of(context, json, "body"),
        .file = line.file,
        .line = line.number,
        .source = line.source,
        .ended = json_is_true(json_object_get(json, "ended")),
        .state = text_of(context, json, "state"),
        .holds = memory_zeroed(context, count + 1, sizeof *thread->holds),
    };
    for (size_t i = 0, kept = 0; i < count; i++) {
        const char *lock = json_string_value(json_array_get(holds, i));

        if (lock != NULL)
            thread->holds[kept++] = memory_text(context, lock);
    }
}

/* What happened and what to do, where the explorer knows the mistake; NULL where it does not. */
static const char *story_of(void *context, const json_t *story, const char **pattern)
{
    const char *what = json_string_value(json_object_get(story, "what"));
    const char *advice = json_string_value(json_object_get(story, "advice"));

    if (what == NULL || *what == '\0')
        return NULL;
    *pattern = text_of(context, story, "pattern");
    return advice == NULL || *advice == '\0' ? memory_text(context, what)
                                             : memory_format(context, "%s %s", what, advice);
}

static void found_read(void *context, const struct workshop *shop, const struct listed_scenario *scenario,
                       const json_t *finding, struct explored *explored)
{
    const json_t *threads = json_object_get(finding, "threads"), *trace = json_object_get(finding, "trace");
    const json_t *at = frame_of(shop, finding);
    struct interleaving *order = memory_zeroed(context, 1, sizeof *order);
    const char *token = json_string_value(json_object_get(finding, "token"));

    *order = (struct interleaving){
        .scenario = scenario->name,
        .story = scenario->story,
        .kind = text_of(context, finding, "kind"),
        .token = memory_format(context, "%s:%s", scenario->name, token == NULL ? "" : token),
        .runs = explored->proof.runs,
        .threads = memory_zeroed(context, json_array_size(threads), sizeof *order->threads),
        .thread_count = json_array_size(threads),
        .steps = memory_zeroed(context, json_array_size(trace), sizeof *order->steps),
        .step_count = json_array_size(trace),
        .left_out = number_of(finding, "trace_cut"),
    };
    for (size_t i = 0; i < order->thread_count; i++)
        thread_read(context, shop, json_array_get(threads, i), &order->threads[i]);
    for (size_t i = 0; i < order->step_count; i++)
        step_read(context, shop, json_array_get(trace, i), order->steps, i);
    explored->end = EXPLORE_FOUND;
    explored->order = order;
    explored->what = text_of(context, finding, "what");
    explored->why = story_of(context, json_object_get(finding, "story"), &order->pattern);
    explored->thread = (int)number_of(finding, "thread");
    explored->other = (int)number_of(finding, "other");
    if (owner_of(shop, at) >= 0) {
        explored->file = text_of(context, at, "file");
        explored->line = (int)number_of(at, "line");
    }
}

int interleave_read(void *context, const struct workshop *shop, const struct listed_scenario *scenario,
                    const char *text, struct explored *explored)
{
    json_t *json = json_loads(text, 0, NULL);
    const json_t *finding = json_object_get(json, "finding"), *proved = json_object_get(json, "proved_preemptions");
    bool good = json_is_integer(json_object_get(json, "runs")) && (json_is_object(finding) || json_is_null(finding));

    if (good) {
        explored->proof = (struct proof){
            .scenario = scenario->name,
            .runs = number_of(json, "runs"),
            .whole = number_of(json, "runs_whole"),
            .random = number_of(json, "runs_random"),
            .depth = (int)number_of(json, "random_depth"),
            .preemptions = json_is_integer(proved) ? (int)json_integer_value(proved) : -1,
            .everything = json_is_true(json_object_get(json, "proved_everything")),
        };
        explored->proof.text = proof_words(context, &explored->proof);
        explored->end = EXPLORE_NOTHING;
        if (json_is_object(finding))
            found_read(context, shop, scenario, finding, explored);
    }
    if (good && explored->end == EXPLORE_FOUND)
        good = explored->what != NULL && explored->order->kind != NULL;
    json_decref(json);
    return good ? 0 : -1;
}

/* ---- running it -------------------------------------------------------------------------------------------------- */

static const char **command(void *context, const struct explore_spec *spec, const char *interleave)
{
    const char **words = memory_zeroed(context, WORDS_MAX + spec->count, sizeof *words);
    size_t count = 0;

    words[count++] = interleave;
    words[count++] = "--json";
    words[count++] = "-";
    words[count++] = "--steps";
    words[count++] = STEPS_MAX;
    if (spec->order != NULL) {
        words[count++] = "--replay";
        words[count++] = spec->order;
    } else {
        words[count++] = "--each";
        words[count++] = "--runs";
        words[count++] = memory_format(context, "%d", spec->runs);
        words[count++] = "--preemptions";
        words[count++] = memory_format(context, "%d", spec->preemptions);
    }
    if (spec->spurious)
        words[count++] = "--spurious";
    if (spec->faults)
        words[count++] = "--faults";
    words[count++] = spec->program;
    words[count++] = "--";
    for (size_t i = 0; i < spec->count; i++)
        words[count++] = spec->scenario[i].name;
    return words;
}

/* The explorer's own line, without its name. */
static const char *trouble_of(void *context, const struct child_result *child)
{
    static const char name[] = "interleave: ";
    const char *line = child->err == NULL ? "" : child->err;

    if (strncmp(line, name, sizeof name - 1) == 0)
        line += sizeof name - 1;
    if (child->end != CHILD_EXITED || *line == '\0')
        return child_end_text(context, child);
    return memory_text_n(context, line, strcspn(line, "\n"));
}

void interleave_spec_of(const struct exercise *exercise, struct explore_spec *spec)
{
    spec->runs = exercise->explore_runs;
    spec->preemptions = exercise->explore_preemptions;
    spec->spurious = exercise->explore_spurious;
    spec->faults = exercise->explore_faults;
}

/* What is told of a scenario: a line, or with one order only all that there is. Moves `*text` behind it; NULL where
 * there is no more. */
static const char *told_of_next(void *context, const struct explore_spec *spec, const char **text)
{
    size_t length = spec->order != NULL ? strlen(*text) : strcspn(*text, "\n");
    const char *told = length == 0 ? NULL : memory_text_n(context, *text, length);

    *text += length + ((*text)[length] == '\n' ? 1 : 0);
    return told;
}

/* Reads what was told; how many scenarios nothing was found in. The one behind them may have been found wrong. */
static size_t read_all(void *context, const struct workshop *shop, const struct explore_spec *spec,
                       const struct child_result *child, struct explored *explored)
{
    const char *text = child->out == NULL ? "" : child->out;

    for (size_t i = 0; i < spec->count; i++) {
        const char *told = told_of_next(context, spec, &text);

        if (told == NULL || interleave_read(context, shop, &spec->scenario[i], told, &explored[i]) != 0) {
            explored[i] = (struct explored){.end = EXPLORE_CANNOT};
            return i;
        }
        if (explored[i].end != EXPLORE_NOTHING)
            return i;
    }
    return spec->count;
}

int interleave_run(void *context, struct workshop *shop, const struct explore_spec *spec, struct explored *explored,
                   struct fault *fault)
{
    const char *interleave = NULL;
    struct child_result child;
    double cpu_limit_s = CPU_LIMIT_S + CPU_LIMIT_EACH_S * (double)spec->count;

    if (toolchain_interleave(context, shop, &interleave, fault) != 0)
        return -1;
    const struct child_spec run = {
        .argv = command(context, spec, interleave),
        .cwd = shop->dir,
        .strange = true,
        .output_cap = OUTPUT_MAX,
        .wall_limit_s = WALL_LIMIT_TIMES * cpu_limit_s,
        .cpu_limit_s = cpu_limit_s,
    };
    if (child_run(context, &run, &child, fault) != 0)
        return -1;
    size_t well = read_all(context, shop, spec, &child, explored);
    bool told = child.end == CHILD_EXITED && child.status == (well < spec->count);
    struct explored *last = &explored[well < spec->count ? well : spec->count - 1];

    if (child.end == CHILD_TIMED_OUT || child.end == CHILD_OVER_CPU)
        *last = (struct explored){.end = EXPLORE_STARVED, .cpu_s = child.cpu_s};
    else if (!told || (well < spec->count && last->end != EXPLORE_FOUND))
        *last = (struct explored){.end = EXPLORE_CANNOT, .trouble = trouble_of(context, &child)};
    return 0;
}

/* ---- which scenarios there are ----------------------------------------------------------------------------------- */

static struct listed_scenario *list_read(void *context, const char *text)
{
    struct listed_scenario *scenarios = memory_zeroed(context, SCENARIOS_MOST + 1, sizeof *scenarios);
    size_t count = 0;

    for (const char *line = text; *line != '\0' && count < SCENARIOS_MOST; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n"), name = strcspn(line, "\t\n");

        if (name < length)
            scenarios[count++] = (struct listed_scenario){memory_text_n(context, line, name),
                                                          memory_text_n(context, line + name + 1, length - name - 1)};
        if (line[length] == '\0')
            break;
    }
    return scenarios;
}

/* Asks the program, which is all ours. */
static int list_ask(void *context, struct workshop *shop, const char *reference, char **text, struct fault *fault)
{
    const char *interleave = NULL;
    struct child_result child;

    if (toolchain_interleave(context, shop, &interleave, fault) != 0)
        return -1;
    const char *const argv[] = {interleave, "--runs", "1", "--output", reference, "--", "--list", NULL};
    const struct child_spec run = {.argv = argv, .cwd = shop->dir};
    if (child_run(context, &run, &child, fault) != 0)
        return -1;
    if (child.end != CHILD_EXITED || child.status != 0 || strchr(child.out, '\t') == NULL) {
        (void)fault_set(fault, "%s: scenario.c cannot be explored: %s", shop->exercise->id,
                        trouble_of(context, &child));
        return -1;
    }
    *text = child.out;
    return 0;
}

int interleave_list(void *context, struct workshop *shop, const char *reference, struct listed_scenario **scenarios,
                    struct fault *fault)
{
    const char *name = memory_format(context, "%s.list", trace_base_name(reference));
    char *text = cache_text(context, shop->cache_dir, name);

    if (text == NULL && (list_ask(context, shop, reference, &text, fault) != 0 ||
                         cache_keep_text(context, shop->cache_dir, name, text, fault) != 0))
        return -1;
    *scenarios = list_read(context, text);
    return 0;
}
