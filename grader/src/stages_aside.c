/* stages_aside.c - see stages_aside.h.
 *
 * Theory: a stage's process sends its result as a verdict of that one stage, in the JSON that verdicts have anyway, and
 * ends. Nobody waits for what no longer counts: it is stopped.
 */
#include "stages_aside.h"

#include "aside.h"
#include "files.h"
#include "memory.h"
#include "verdict_json.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct one {
    const struct side_stage *of;
    struct aside aside;
    bool has_lane; /* beside the caller's own */
    bool done;
};

struct work {
    void *context;
    const struct side_by_side *side;
    struct one *ones;
    const struct side_stage *current; /* of the process that is about to be started */
    size_t begun, wanted;             /* so many, from the first on; more than `wanted` would not count */
    size_t running;
    struct fault *fault;
};

/* ---- the stage's process ----------------------------------------------------------------------------------------- */

static void send_result(const struct work *work, struct stage_result *result, int pipe)
{
    const struct verdict verdict = {
        .exercise = work->side->shop->exercise->id,
        .title = work->side->shop->exercise->title,
        .outcome = result->outcome,
        .results = result,
        .result_count = 1,
    };
    json_t *json = verdict_to_json(&verdict);
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    if (text == NULL || files_write_all(pipe, text, strlen(text)) != 0)
        _exit(3);
    free(text);
}

static void run_stage(void *closure, int pipe)
{
    const struct work *work = closure;
    struct stage_result result = *work->current->result;
    struct fault fault = {""};

    (void)stage_run(work->context, work->side->shop, work->current->stage, &result, &fault);
    send_result(work, &result, pipe);
}

/* ---- ours -------------------------------------------------------------------------------------------------------- */

static bool begin(struct work *work, struct one *one)
{
    const struct side_by_side *side = work->side;

    one->has_lane = work->running > 0;
    if (one->has_lane && !lane_take(&side->shop->lanes))
        return false;
    if (side->begun != NULL)
        side->begun(side->begun_context, one->of->stage->name);
    work->current = one->of;
    if (aside_start(&one->aside, run_stage, work, work->fault) == 0) {
        work->running++;
        return true;
    }
    if (one->has_lane)
        lane_give(&side->shop->lanes);
    return false;
}

static void end(struct work *work, struct one *one)
{
    if (one->has_lane)
        lane_give(&work->side->shop->lanes);
    one->has_lane = false;
    one->done = true;
    work->running--;
}

/* What its process sent becomes the stage's result. */
static void take_result(const struct work *work, const struct one *one)
{
    struct stage_result *result = one->of->result;
    struct fault fault = {""};
    json_t *json = one->aside.clean ? json_loads(one->aside.text, 0, NULL) : NULL;
    const struct verdict *verdict = json == NULL ? NULL : verdict_from_json(work->context, json, &fault);

    json_decref(json);
    if (verdict != NULL && verdict->result_count == 1) {
        const struct stage_result asked = *result;

        *result = verdict->results[0];
        result->stage = asked.stage;
        result->max_points = asked.max_points;
        return;
    }
    result->outcome = OUTCOME_BROKEN;
    result->reason = memory_format(work->context, "the process of the stage %s ended without a result", result->stage);
}

/* What it says, and what that makes of those behind it. */
static void look_at(struct work *work, size_t number)
{
    struct one *one = &work->ones[number];

    if (one->done || !aside_read(work->context, &one->aside))
        return;
    end(work, one);
    take_result(work, one);
    if (!stage_stops(one->of->result) || number + 1 > work->wanted)
        return;
    work->wanted = number + 1;
    for (size_t i = work->wanted; i < work->begun; i++)
        if (!work->ones[i].done) {
            aside_stop(&work->ones[i].aside);
            end(work, &work->ones[i]);
        }
}

static bool all_done(const struct work *work)
{
    for (size_t i = 0; i < work->wanted; i++)
        if (!work->ones[i].done)
            return false;
    return true;
}

static void wait_once(struct work *work)
{
    struct pollfd *polled = memory_zeroed(work->context, work->side->count, sizeof *polled);
    nfds_t count = 0;

    for (size_t i = 0; i < work->begun; i++)
        if (!work->ones[i].done)
            polled[count++] = (struct pollfd){.fd = work->ones[i].aside.pipe, .events = POLLIN};
    (void)poll(polled, count, -1);
    talloc_free(polled);
    for (size_t i = 0; i < work->begun && i < work->wanted; i++)
        look_at(work, i);
}

int stages_side_by_side(void *context, const struct side_by_side *side, size_t *counted, struct fault *fault)
{
    struct work work = {.context = context, .side = side, .wanted = side->count, .fault = fault};

    work.ones = memory_zeroed(context, side->count, sizeof *work.ones);
    for (size_t i = 0; i < side->count; i++)
        work.ones[i].of = &side->stages[i];
    while (!all_done(&work)) {
        while (work.begun < work.wanted && begin(&work, &work.ones[work.begun]))
            work.begun++;
        if (work.running == 0) { /* not even one could be started */
            struct stage_result *result = side->stages[work.begun].result;
            result->outcome = OUTCOME_BROKEN;
            result->reason = memory_text(context, fault->text);
            work.wanted = work.begun + 1;
            break;
        }
        wait_once(&work);
    }
    *counted = work.wanted;
    const struct stage_result *last = side->stages[work.wanted - 1].result;
    return last->outcome == OUTCOME_BROKEN ? fault_set(fault, "%s", last->reason) : 0;
}
