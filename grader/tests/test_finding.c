#include "finding.h"
#include "memory.h"
#include "pool.h"

#include <criterion/criterion.h>
#include <string.h>

static struct stage_result result_of(const char *stage, enum outcome outcome, int points)
{
    return (struct stage_result){.stage = stage, .outcome = outcome, .max_points = points, .cpu_s = 0.5};
}

static struct verdict conclude(enum outcome tests, enum outcome races, enum outcome timing)
{
    static struct stage_result results[4];
    struct verdict verdict = {.exercise = "02-locks/rlock", .results = results, .result_count = 4};

    results[0] = result_of("build", OUTCOME_PASSED, 0);
    results[1] = result_of("tests", tests, 5);
    results[2] = result_of("races", races, 3);
    results[3] = result_of("timing", timing, 2);
    results[2].reason = "because";
    verdict_conclude(&verdict);
    return verdict;
}

Test(finding, outcomes_of_a_verdict_and_its_points)
{
    const enum outcome P = OUTCOME_PASSED, F = OUTCOME_FAILED, I = OUTCOME_INCONCLUSIVE, S = OUTCOME_SKIPPED,
                       B = OUTCOME_BROKEN;
    const struct {
        enum outcome tests, races, timing, all;
        int points;
    } rows[] = {
        {P, P, P, P, 10}, {P, P, I, I, 10}, {P, P, S, P, 10}, {P, F, S, F, 5}, {F, S, S, F, 0},
        {P, B, S, B, 5},  {I, F, S, F, 0},  {I, B, F, B, 0},  {P, P, F, F, 8}, {I, I, S, I, 10},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct verdict verdict = conclude(rows[i].tests, rows[i].races, rows[i].timing);

        cr_expect_eq(verdict.outcome, rows[i].all, "row %zu: %s", i, outcome_name(verdict.outcome));
        cr_expect_eq(verdict.points, rows[i].points, "row %zu: %d points", i, verdict.points);
        cr_expect_eq(verdict.max_points, 10);
        cr_expect_float_eq(verdict.cpu_s, 2.0, 1e-9);
        cr_expect_eq(verdict.reason != NULL, rows[i].all == B, "a broken verdict says why");
    }
}

Test(finding, nothing_handed_in_has_failed)
{
    struct verdict verdict = {.exercise = "02-locks/rlock", .missing = true};

    verdict_conclude(&verdict);
    cr_expect_eq(verdict.outcome, OUTCOME_FAILED);
}

Test(finding, names_of_outcomes_go_both_ways)
{
    for (int outcome = OUTCOME_PASSED; outcome <= OUTCOME_BROKEN; outcome++)
        cr_expect_eq(outcome_of(outcome_name((enum outcome)outcome)), outcome);
    cr_expect_eq(outcome_of("fine"), -1);
    cr_expect_eq(outcome_of(""), -1);
}

Test(finding, findings_and_places_are_kept_and_copied)
{
    void *context = memory_context(NULL);
    struct stage_result result = {.stage = "tests"};
    char text[] = "Two threads change it.";

    for (int i = 1; i <= 100; i++) {
        struct finding *finding = finding_add(context, &result, SEVERITY_FAILURE, text);
        for (int j = 1; j <= i; j++)
            finding_place(context, finding, "counter.c", j)->who = "thread 2";
    }
    text[0] = '!';
    struct verdict verdict = {.exercise = "a/b", .results = &result, .result_count = 1};
    struct verdict *copy = verdict_copy(NULL, &verdict);
    talloc_free(context);
    cr_assert_eq(copy->results[0].finding_count, 100);
    for (size_t i = 0; i < 100; i++) {
        const struct finding *finding = &copy->results[0].findings[i];

        cr_assert_eq(finding->place_count, i + 1);
        cr_expect_str_eq(finding->what, "Two threads change it.");
        cr_expect_eq(finding->places[i].line, (int)i + 1);
        cr_expect_str_eq(finding->places[i].file, "counter.c");
        cr_expect_str_eq(finding->places[i].who, "thread 2");
        cr_expect_null(finding->places[i].note);
    }
    talloc_free(copy);
}
