/* selfcheck_noise.c - the same verdict of the tests, whichever thread is slow.
 *
 * Theory: the stages build, rules and tests of every reference, variant and mutant, with grader/harness/noise.c loaded
 * before the tests program: in every round each thread has another pace. A reference and a variant must pass, and so
 * must a mutant that a later stage is to find; a mutant that the tests find must be found. What comes out is a test
 * that leans on the usual order of things. Mutants whose first line says that the tests meet them now and then are left
 * out, and those that build or rules refuse.
 */
#include "memory.h"
#include "selfcheck.h"

#include <stdio.h>
#include <unistd.h>

static bool count_one(void *data, size_t number, const struct verdict *verdict)
{
    struct exam *exam = data;
    const struct expectation *expectation = &exam->list[number];
    const char *what = verdict->reason == NULL ? "" : verdict->reason;

    for (size_t i = verdict->result_count; i-- > 0;)
        if (verdict->results[i].outcome == OUTCOME_FAILED && verdict->results[i].finding_count > 0)
            what = verdict->results[i].findings[0].what;
    sheet_check(exam->sheet, exam_as_expected(expectation, verdict), "%s: with %s the tests say %s: %s",
                expectation->label, expectation->job.request.tests_env[1], outcome_name(verdict->outcome), what);
    return true;
}

/* Whether the tests have something to say to it, and what: a mutant of a later stage passes them. */
static bool expect_of_tests(struct expectation *expectation)
{
    bool tests_asked = (expectation->job.request.stages & 1u << STAGE_TESTS) != 0;

    if (expectation->fails_at > (int)STAGE_TESTS)
        expectation->fails_at = -1;
    expectation->job.request.stages = 1u << STAGE_BUILD | 1u << STAGE_RULES | 1u << STAGE_TESTS;
    return tests_asked && (expectation->fails_at < 0 || expectation->fails_at == (int)STAGE_TESTS);
}

/* Each grading has paces of its own. */
static const char *const *environment(const struct exam *exam, const char *noise, size_t number)
{
    const char **env = memory_zeroed(exam->context, 3, sizeof *env);

    env[0] = memory_format(exam->context, "LD_PRELOAD=%s", noise);
    env[1] = memory_format(exam->context, "INTERLEAVE_NOISE=%zu", number + 1);
    return env;
}

/* What exam_add put into the list since `from`: keeps those that are of use, and has `rounds` of each. */
static void repeat(struct exam *exam, size_t from, const char *noise, int rounds)
{
    size_t kept = from;

    for (size_t i = from; i < exam->count; i++)
        if (expect_of_tests(&exam->list[i]))
            exam->list[kept++] = exam->list[i];
    size_t count = kept - from;
    exam->count = from + count * (size_t)rounds;
    exam->list = memory_grown(exam->context, exam->list, exam->count + 1, sizeof *exam->list);
    for (size_t i = kept; i < exam->count; i++)
        exam->list[i] = exam->list[i - count];
    for (size_t i = from; i < exam->count; i++)
        exam->list[i].job.request.tests_env = environment(exam, noise, i);
}

int selfcheck_noise(void *context, const struct course *course, const struct exercise *only, int rounds,
                    int mutant_rounds, struct tally_sheet *sheet, struct fault *fault)
{
    static const char *const parts[] = {"references", "variants", "mutants"};
    const int times[] = {rounds, rounds, mutant_rounds};
    struct exam exam = {.context = context, .course = course, .sheet = sheet};
    const char *noise = memory_format(context, "%s/build/noise.so", course->root);

    if (access(noise, R_OK) != 0) /* the loader would do without, and say so where nobody reads it */
        return fault_errno(fault, "%s: run make noise", noise);
    if (exam_open(&exam, fault) < 0)
        return -1;
    for (size_t i = 0; i < course->count; i++)
        for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
            size_t from = exam.count;
            if (times[part] > 0 && (only == NULL || only == &course->exercises[i]))
                exam_add(&exam, &course->exercises[i], parts[part]);
            if (exam.count > from)
                repeat(&exam, from, noise, times[part]);
        }
    printf("%zu gradings up to the tests\n", exam.count);
    fflush(stdout);
    return exam_run(&exam, count_one, NULL, fault);
}
