/* grade.c - the way through the stages.
 *
 * The student's file is copied into a folder of this grading's own (source.h), and everything works on the copy: what
 * the student saves meanwhile, or has a program do to the original, changes nothing. Each stage runs with the machine
 * shared with the other gradings, a comparison of wall times with the machine to itself (turnstile.h). The first stage
 * that fails is the last; the folder is removed whatever happened. Where this run has a lane to spare (lanes.h), the
 * stages between the tests and the timing go side by side (stages_aside.h), which changes nothing but the time.
 */
#include "grade.h"

#include "files.h"
#include "memory.h"
#include "now.h"
#include "source.h"
#include "stage.h"
#include "stages_aside.h"
#include "turnstile.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct grading {
    void *context;
    const struct course *course;
    const struct exercise *exercise;
    const struct request *request;
    struct verdict *verdict;
    struct fault *fault;
    struct workshop shop;
    struct source_result source;
    struct turnstile turnstile;
};

const char **grade_places(void *context, const struct exercise *exercise)
{
    const char **places = memory_zeroed(context, 5, sizeof *places);

    places[0] = memory_format(context, "%s/%s.c", exercise->id, exercise->name);
    places[1] = memory_format(context, "%s.c", exercise->id);
    places[2] = memory_format(context, "exercises/%s/%s.c", exercise->id, exercise->name);
    places[3] = memory_format(context, "%s.c", exercise->name);
    return places;
}

/* ---- the student's file ------------------------------------------------------------------------------------------ */

/* --source: that one file, under whatever name; the folder it is in is the tree. Whoever names it on the command line
 * may name a link. */
static int copy_named(struct grading *grading)
{
    char path[PATH_MAX];

    grading->shop.shown = memory_text(grading->context, grading->request->source);
    if (realpath(grading->request->source, path) == NULL) {
        grading->source.outcome = SOURCE_MISSING;
        return 0;
    }
    char *slash = strrchr(path, '/');
    *slash = '\0';
    return source_copy(grading->context, slash == path ? "/" : path, slash + 1, grading->shop.source, &grading->source,
                       grading->fault);
}

/* A tree: the first place that has anything of that name. */
static int copy_from_tree(struct grading *grading)
{
    const char *tree = grading->request->tree, *shown = tree;
    const char **places = grade_places(grading->context, grading->exercise);

    if (tree == NULL) {
        tree = memory_format(grading->context, "%s/exercises", grading->course->root);
        shown = "exercises";
    }
    size_t shown_length = strlen(shown);
    while (shown_length > 1 && shown[shown_length - 1] == '/')
        shown_length--;
    for (size_t i = 0; places[i] != NULL; i++) {
        if (source_copy(grading->context, tree, places[i], grading->shop.source, &grading->source, grading->fault) != 0)
            return -1;
        grading->shop.shown = memory_format(grading->context, "%.*s/%s", (int)shown_length, shown, places[i]);
        if (grading->source.outcome != SOURCE_MISSING)
            return 0;
    }
    grading->shop.shown = memory_format(grading->context, "%.*s/%s", (int)shown_length, shown, places[0]);
    return 0;
}

/* ---- stages ------------------------------------------------------------------------------------------------------ */

/* Whether the stage is part of this verdict: it was asked for, and the exercise counts it. */
static bool is_part(const struct grading *grading, enum stage_id id)
{
    if (id == STAGE_BUILD)
        return true;
    if ((grading->request->stages & 1u << id) == 0)
        return false;
    if (id == STAGE_INTERLEAVINGS && (grading->request->explore_runs > 0 || grading->request->replay != NULL))
        return true;
    return id == STAGE_RULES || grading->exercise->stage_points[id] > 0;
}

static struct stage_result *add_result(struct grading *grading, enum stage_id id)
{
    struct stage_result *result = &grading->verdict->results[grading->verdict->result_count++];

    *result = (struct stage_result){.stage = stages[id].name, .max_points = grading->exercise->stage_points[id]};
    return result;
}

/* Waits until the machine is to be had, shared or alone; where that fails, the stage is broken. */
static int enter(struct grading *grading, bool alone, struct stage_result *result)
{
    if (turnstile_enter(&grading->turnstile, alone, grading->fault) == 0)
        return 0;
    result->outcome = OUTCOME_BROKEN;
    result->reason = memory_text(grading->context, grading->fault->text);
    return -1;
}

/* The stage with the machine shared, or alone. */
static int run_stage(struct grading *grading, const struct stage *stage, struct stage_result *result)
{
    bool alone = stage->id == STAGE_TIMING && grading->exercise->time_wall;

    if (enter(grading, alone, result) != 0)
        return -1;
    int ran = stage_run(grading->context, &grading->shop, stage, result, grading->fault);
    turnstile_leave(&grading->turnstile);
    return ran;
}

/* Whatever it may have found meanwhile. */
static void skip(const struct grading *grading, struct stage_result *result, const char *stopped_by)
{
    *result = (struct stage_result){
        .stage = result->stage,
        .max_points = result->max_points,
        .outcome = OUTCOME_SKIPPED,
        .reason = memory_format(grading->context, "after %s", stopped_by),
    };
}

/* All from `first` up to the timing, which is not run beside others. Returns -1 with a fault; `*stopped_by` is the name
 * of the one that did not go well. */
static int run_aside(struct grading *grading, enum stage_id first, const char **stopped_by)
{
    struct side_stage side_stages[STAGE_COUNT];
    struct side_by_side side = {
        .shop = &grading->shop,
        .stages = side_stages,
        .begun = grading->request->stage_begun,
        .begun_context = grading->request->stage_context,
    };
    size_t counted = 1;

    for (enum stage_id id = first; id < STAGE_TIMING; id++)
        if (is_part(grading, id))
            side_stages[side.count++] = (struct side_stage){&stages[id], add_result(grading, id)};
    int ran = enter(grading, false, side_stages[0].result);
    if (ran == 0) {
        ran = stages_side_by_side(grading->context, &side, &counted, grading->fault);
        turnstile_leave(&grading->turnstile);
    }
    const struct stage_result *last = side_stages[counted - 1].result;
    if (stage_stops(last))
        *stopped_by = last->stage;
    for (size_t i = counted; i < side.count; i++)
        skip(grading, side_stages[i].result, *stopped_by);
    return ran;
}

/* Whether there is more than one left to go beside others, and a lane for it. */
static bool may_go_aside(const struct grading *grading, enum stage_id first)
{
    int count = 0;

    for (enum stage_id id = first; id < STAGE_TIMING; id++)
        count += is_part(grading, id);
    return first > STAGE_TESTS && count > 1 && lane_is_free(&grading->shop.lanes);
}

static int run_one(struct grading *grading, enum stage_id id, const char **stopped_by)
{
    struct stage_result *result = add_result(grading, id);

    if (*stopped_by != NULL) {
        skip(grading, result, *stopped_by);
        return 0;
    }
    if (grading->request->stage_begun != NULL)
        grading->request->stage_begun(grading->request->stage_context, stages[id].name);
    int ran = run_stage(grading, &stages[id], result);
    if (stage_stops(result))
        *stopped_by = stages[id].name;
    return ran;
}

/* Runs the stages from `first` on; those after one that did not go well are skipped, with that reason. */
static int run_stages(struct grading *grading, enum stage_id first, const char *stopped_by)
{
    int ran = 0;

    for (enum stage_id id = first; id < STAGE_COUNT; id++) {
        if (!is_part(grading, id))
            continue;
        if (stopped_by == NULL && may_go_aside(grading, id)) {
            ran |= run_aside(grading, id, &stopped_by);
            id = STAGE_TIMING - 1;
        } else {
            ran |= run_one(grading, id, &stopped_by);
        }
    }
    return ran;
}

/* The file is not there, or is nothing that could be compiled: the build stage has failed before it began. */
static void refuse(struct grading *grading)
{
    struct stage_result *result = add_result(grading, STAGE_BUILD);
    struct finding *finding;

    result->outcome = OUTCOME_FAILED;
    grading->verdict->missing = grading->source.outcome == SOURCE_MISSING;
    if (grading->verdict->missing) {
        finding = finding_add(
            grading->context, result, SEVERITY_FAILURE,
            memory_format(grading->context, "There is no submission: %s is not there.", grading->shop.shown));
        finding->why = grading->request->tree == NULL && grading->request->source == NULL
                           ? "Without it there is nothing to grade; `make reset` with EX= brings the starter back."
                           : "The file may have another name, or lie in another folder.";
    } else {
        finding = finding_add(grading->context, result, SEVERITY_FAILURE, grading->source.sentence);
        finding_place(grading->context, finding, memory_format(grading->context, "%s.c", grading->exercise->name),
                      grading->source.line);
    }
    (void)run_stages(grading, STAGE_RULES, "build");
}

static void begin_verdict(void *context, const struct exercise *exercise, const struct request *request,
                          struct verdict *verdict)
{
    *verdict = (struct verdict){
        .exercise = exercise->id,
        .title = exercise->title,
        .student = request->student,
        .source = request->source,
        .results = memory_zeroed(context, STAGE_COUNT, sizeof *verdict->results),
    };
}

/* ---- the student's own, below ------------------------------------------------------------------------------------ */

/* The exercise is not graded: what it is to be built on does not come through build and rules itself. */
static void refuse_own(struct grading *grading, const struct exercise *below, const struct verdict *verdict)
{
    struct stage_result *result = add_result(grading, STAGE_BUILD);
    const struct stage_result *failed = &verdict->results[0];

    while (failed->outcome != OUTCOME_FAILED)
        failed++;
    struct finding *finding =
        finding_add(grading->context, result, SEVERITY_FAILURE,
                    memory_format(grading->context, "Your own %s, which this is to be built on, fails at %s.",
                                  below->id, failed->stage));
    finding->why =
        memory_format(grading->context,
                      "`make grade EX=%s` says why. Without OWN=1 the reference is linked in its place.", below->name);
    result->outcome = OUTCOME_FAILED;
    (void)run_stages(grading, STAGE_RULES, "build");
}

/* Takes the student's file of one exercise below into a workshop of its own, and through build and rules. */
static int take_below(struct grading *grading, const struct exercise *below, struct workshop **shop, bool *fit)
{
    const struct request request = {.tree = grading->request->tree, .stages = 1u << STAGE_BUILD | 1u << STAGE_RULES};
    struct verdict *verdict = memory_zeroed(grading->context, 1, sizeof *verdict);
    struct grading *nested = memory_zeroed(grading->context, 1, sizeof *nested);

    *nested = *grading;
    nested->exercise = below;
    nested->request = &request;
    nested->verdict = verdict;
    nested->shop.exercise = below;
    nested->shop.dir = memory_format(grading->context, "%s/own-%s", grading->shop.dir, below->name);
    nested->shop.source = memory_format(grading->context, "%s/%s.c", nested->shop.dir, below->name);
    begin_verdict(grading->context, below, &request, verdict);
    if (files_make_dirs(nested->shop.dir, grading->fault) != 0 || copy_from_tree(nested) != 0)
        return -1;
    if (nested->source.outcome != SOURCE_COPIED)
        refuse(nested);
    else if (run_stages(nested, STAGE_BUILD, NULL) != 0)
        return -1;
    verdict_conclude(verdict);
    *shop = &nested->shop;
    *fit = verdict->outcome != OUTCOME_FAILED;
    if (!*fit)
        refuse_own(grading, below, verdict);
    return 0;
}

/* With --own: all that the exercise is built on, from the student's tree. `*fit` is false where something of it does
 * not serve; then the verdict says so. */
static int take_own(struct grading *grading, bool *fit)
{
    const struct exercise **needed = toolchain_needed(grading->context, &grading->shop);
    size_t count = 0;

    while (needed[count] != NULL)
        count++;
    struct workshop **own = memory_zeroed(grading->context, count + 1, sizeof *own);
    for (size_t i = 0; i < count && *fit; i++)
        if (take_below(grading, needed[i], &own[i], fit) != 0)
            return -1;
    grading->shop.own = own;
    return 0;
}

/* ---- one grading ------------------------------------------------------------------------------------------------- */

static int set_up(struct grading *grading)
{
    const struct request *request = grading->request;
    char *dir = memory_format(grading->context, "%s/XXXXXX", request->work_dir);

    if (files_make_dirs(request->cache_dir, grading->fault) != 0)
        return -1;
    if (mkdtemp(dir) == NULL)
        return fault_errno(grading->fault, "no folder to work in can be made in %s", request->work_dir);
    grading->shop = (struct workshop){
        .course = grading->course,
        .exercise = grading->exercise,
        .dir = dir,
        .cache_dir = request->cache_dir,
        .source = memory_format(grading->context, "%s/%s.c", dir, grading->exercise->name),
        .explore_runs = request->explore_runs,
        .replay = request->replay,
        .tests_env = request->tests_env,
        .first_failure = request->first_failure,
        .test_failed = request->test_failed,
        .stage_context = request->stage_context,
        .lanes = request->lanes,
    };
    if (turnstile_open(request->cache_dir, &grading->turnstile, grading->fault) != 0) {
        rmdir(dir);
        grading->shop.dir = NULL;
        return -1;
    }
    return 0;
}

static int tear_down(struct grading *grading, int ran)
{
    struct fault removing = {""};

    if (grading->shop.dir == NULL)
        return ran;
    turnstile_close(&grading->turnstile);
    if (files_remove_tree(grading->shop.dir, &removing) != 0 && ran == 0) {
        *grading->fault = removing;
        return -1;
    }
    return ran;
}

void grade_broken(void *context, const struct exercise *exercise, const struct request *request, const char *reason,
                  struct verdict *verdict)
{
    begin_verdict(context, exercise, request, verdict);
    verdict->outcome = OUTCOME_BROKEN;
    verdict->reason = memory_text(context, reason);
    verdict->max_points = exercise->points;
}

/* The stages, once it is known whether there is a file. */
static int run_copied(struct grading *grading)
{
    bool fit = true;

    if (grading->source.outcome != SOURCE_COPIED) {
        refuse(grading);
        return 0;
    }
    if (grading->request->own && take_own(grading, &fit) != 0)
        return -1;
    return fit ? run_stages(grading, STAGE_BUILD, NULL) : 0;
}

int grade_one(void *context, const struct course *course, const struct exercise *exercise,
              const struct request *request, struct verdict *verdict, struct fault *fault)
{
    struct grading grading = {
        .context = context,
        .course = course,
        .exercise = exercise,
        .request = request,
        .verdict = verdict,
        .fault = fault,
    };
    double began_s = now_s();

    begin_verdict(context, exercise, request, verdict);
    int ran = set_up(&grading);
    if (ran == 0)
        ran = request->source != NULL ? copy_named(&grading) : copy_from_tree(&grading);
    if (ran == 0)
        ran = run_copied(&grading);
    ran = tear_down(&grading, ran);
    if (ran != 0 && verdict->result_count == 0)
        grade_broken(context, exercise, request, fault->text, verdict);
    else
        verdict_conclude(verdict);
    if (ran != 0 && verdict->outcome != OUTCOME_BROKEN) {
        verdict->outcome = OUTCOME_BROKEN;
        verdict->reason = memory_text(context, fault->text);
    }
    verdict->source = grading.shop.shown != NULL ? grading.shop.shown : verdict->source;
    verdict->wall_s = now_s() - began_s;
    return ran;
}
