/* selfcheck_grades.c - references and variants must pass, starters and mutants must fail, each at its stage. */
#include "files.h"
#include "memory.h"
#include "options.h"
#include "pool.h"
#include "selfcheck.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void expect(struct exam *exam, const struct exercise *exercise, const char *source, const char *label,
                   int fails_at, unsigned stages)
{
    exam->list = memory_grown(exam->context, exam->list, exam->count + 1, sizeof *exam->list);
    exam->list[exam->count++] = (struct expectation){
        .job = {.exercise = exercise,
                .request = {.source = source, .stages = stages, .first_failure = fails_at == STAGE_TESTS}},
        .label = label,
        .fails_at = fails_at,
    };
}

static const char *failed_stage(const struct verdict *verdict, const struct finding **finding)
{
    *finding = NULL;
    for (size_t i = 0; i < verdict->result_count; i++)
        if (verdict->results[i].outcome == OUTCOME_FAILED) {
            if (verdict->results[i].finding_count > 0)
                *finding = &verdict->results[i].findings[0];
            return verdict->results[i].stage;
        }
    return "no stage";
}

/* Whether only the timing left the verdict open. */
static bool only_timing_open(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->result_count; i++)
        if (verdict->results[i].outcome == OUTCOME_INCONCLUSIVE && strcmp(verdict->results[i].stage, "timing") != 0)
            return false;
    return verdict->outcome == OUTCOME_INCONCLUSIVE;
}

bool exam_as_expected(const struct expectation *expectation, const struct verdict *verdict)
{
    const struct finding *finding;
    const char *stage = failed_stage(verdict, &finding);

    if (expectation->fails_at < 0)
        return verdict->outcome == OUTCOME_PASSED || only_timing_open(verdict);
    if (expectation->fails_at == STAGE_TIMING && only_timing_open(verdict))
        return true;
    return verdict->outcome == OUTCOME_FAILED && strcmp(stage, stage_name((enum stage_id)expectation->fails_at)) == 0 &&
           finding != NULL;
}

static void add_costs(struct exam *exam, const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->result_count; i++) {
        enum stage_id id = stage_of(verdict->results[i].stage);
        if (id == STAGE_COUNT)
            continue;
        exam->costs[id].wall_s += verdict->results[i].wall_s;
        exam->costs[id].cpu_s += verdict->results[i].cpu_s;
    }
}

/* Where the time went: so much of it, as many gradings at once as there are cores. */
static void print_costs(const struct exam *exam)
{
    for (int id = 0; id < STAGE_COUNT; id++)
        if (exam->costs[id].wall_s > 0)
            printf("  %-14s %8.1f s, %8.1f s of processor time\n", stage_name((enum stage_id)id),
                   exam->costs[id].wall_s, exam->costs[id].cpu_s);
}

static bool judge(void *data, size_t number, const struct verdict *verdict)
{
    struct exam *exam = data;
    const struct expectation *expectation = &exam->list[number];
    const struct finding *finding;
    const char *stage = failed_stage(verdict, &finding);
    const char *words = finding != NULL ? finding->what : verdict->reason != NULL ? verdict->reason : "";
    bool must_pass = expectation->fails_at < 0;
    bool good = exam_as_expected(expectation, verdict);

    add_costs(exam, verdict);
    sheet_check(exam->sheet, good, "%s: expected %s%s, got %s at %s: %s", expectation->label,
                must_pass ? "passed" : "failed at ", must_pass ? "" : stage_name((enum stage_id)expectation->fails_at),
                outcome_name(verdict->outcome), stage, words);
    if (good && verdict->outcome == OUTCOME_INCONCLUSIVE)
        printf("~ %s: timing inconclusive, the machine is busy\n", expectation->label);
    return true;
}

static void expect_variants(struct exam *exam, const struct exercise *exercise)
{
    size_t count;
    const char **paths =
        selfcheck_list(exam->context, memory_format(exam->context, "%s/variants", exercise->checks_dir), ".c", &count);

    for (size_t i = 0; i < count; i++)
        expect(exam, exercise, paths[i],
               memory_format(exam->context, "%s variant %s", exercise->id, strrchr(paths[i], '/') + 1), -1, STAGES_ALL);
}

static void expect_mutants(struct exam *exam, const struct exercise *exercise)
{
    size_t count;
    const char **paths = selfcheck_list(exam->context, memory_format(exam->context, "%s/mutants", exercise->checks_dir),
                                        ".patch", &count);

    for (size_t i = 0; i < count; i++) {
        struct fault fault = {""};
        const char *what;
        const char *base = strrchr(paths[i], '/') + 1;
        unsigned by_luck = 0;
        int stage = selfcheck_mutant_stage(exam->context, paths[i], &what, &by_luck);
        char *made = memory_format(exam->context, "%s/%s-%s.c", exam->work, exercise->name, base);
        if (stage < 0 || !selfcheck_mutate(exam->context, exercise, paths[i], made, &fault))
            sheet_check(exam->sheet, false, "%s: cannot be made: %s", paths[i], fault.text);
        else
            expect(exam, exercise, made, memory_format(exam->context, "%s mutant %s", exercise->id, base), stage,
                   STAGES_ALL & ~by_luck);
    }
}

void exam_add(struct exam *exam, const struct exercise *exercise, const char *part)
{
    if (strcmp(part, "references") == 0)
        expect(exam, exercise, exercise->reference, memory_format(exam->context, "%s reference", exercise->id), -1,
               STAGES_ALL);
    else if (strcmp(part, "starters") == 0)
        expect(exam, exercise, exercise->starter, memory_format(exam->context, "%s starter", exercise->id),
               (int)exercise->starter_fails_at, STAGES_ALL);
    else if (strcmp(part, "variants") == 0)
        expect_variants(exam, exercise);
    else
        expect_mutants(exam, exercise);
}

int exam_open(struct exam *exam, struct fault *fault)
{
    exam->work = memory_format(exam->context, "%s/build/selfcheck-work.%d", exam->course->root, (int)getpid());
    return files_make_dirs(exam->work, fault);
}

int exam_run(struct exam *exam, bool (*judge_one)(void *exam, size_t number, const struct verdict *verdict),
             void (*tick)(void *exam), struct fault *fault)
{
    struct job *jobs = memory_zeroed(exam->context, exam->count, sizeof *jobs);
    struct pool pool = {
        .course = exam->course,
        .jobs = jobs,
        .job_count = exam->count,
        .at_once = options_cores(),
        .callback_context = exam,
        .done = judge_one,
        .wake_fd = -1,
        .tick = tick,
    };
    struct fault ignored;

    for (size_t i = 0; i < exam->count; i++)
        jobs[i] = exam->list[i].job;
    enum pool_end end = pool_run(exam->context, &pool, NULL, fault);
    files_remove_tree(exam->work, &ignored);
    if (end == POOL_FAILED)
        return -1;
    return end == POOL_DONE ? 0 : fault_set(fault, "interrupted");
}

int selfcheck_grades(void *context, const struct course *course, const struct exercise *only, const char *part,
                     struct tally_sheet *sheet, struct fault *fault)
{
    struct exam exam = {.context = context, .course = course, .sheet = sheet};

    if (exam_open(&exam, fault) < 0)
        return -1;
    for (size_t i = 0; i < course->count; i++)
        if (only == NULL || only == &course->exercises[i])
            exam_add(&exam, &course->exercises[i], part);
    int done = exam_run(&exam, judge, NULL, fault);
    print_costs(&exam);
    return done;
}
