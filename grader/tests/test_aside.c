/* test_aside.c - lanes, work in a process beside this one, and stages side by side: the verdict is the same. */
#include "aside.h"
#include "grade.h"
#include "stages_aside.h"
#include "verdict_json.h"
#include "workshop_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(aside, .timeout = 120);

/* ---- lanes ------------------------------------------------------------------------------------------------------- */

Test(aside, a_lane_is_taken_where_no_grading_uses_it)
{
    struct fault fault;
    struct lanes *lanes = lanes_open(2, &fault);
    const struct lane_share first = {lanes, 0}, second = {lanes, 1}, none = {0};

    cr_assert_not_null(lanes);
    cr_expect(!lane_take(&none), "who was given no lanes has none to spare");
    lanes_begin(lanes, 0);
    cr_expect(lane_take(&first));
    cr_expect(!lane_take(&first), "there are two, and both are in use");
    lane_give(&first);
    lanes_begin(lanes, 1);
    cr_expect(!lane_take(&first) && !lane_take(&second), "each of two gradings has its own");
    lanes_end(lanes, 1);
    cr_expect(lane_take(&first));
    lanes_begin(lanes, 1); /* begins in any case: now three are in use */
    lanes_end(lanes, 0);   /* died with two of them */
    cr_expect(lane_take(&second));
    cr_expect(!lane_take(&second));
    lanes_close(lanes);
    lanes_close(NULL);
}

/* ---- work beside this process ------------------------------------------------------------------------------------ */

static void say_much(void *closure, int pipe)
{
    char block[1000];

    memset(block, *(const char *)closure, sizeof block);
    for (int i = 0; i < 300; i++)
        if (files_write_all(pipe, block, sizeof block) != 0)
            _exit(1);
}

Test(aside, what_it_writes_comes_back_whole)
{
    void *context = memory_context(NULL);
    struct aside aside;
    struct fault fault;

    cr_assert_eq(aside_start(&aside, say_much, (char[]){"x"}, &fault), 0, "%s", fault.text);
    aside_wait(context, &aside);
    cr_expect(aside.clean && aside.used == 300000 && aside.text[299999] == 'x' && aside.text[300000] == '\0');
    cr_expect(aside_read(context, &aside), "at its end it stays there");
    aside_stop(&aside);
    talloc_free(context);
}

static void crash(void *closure, int pipe)
{
    (void)closure, (void)pipe;
    signal(SIGABRT, SIG_DFL);
    abort();
}

Test(aside, a_crash_is_not_clean)
{
    void *context = memory_context(NULL);
    struct aside aside;
    struct fault fault;

    cr_assert_eq(aside_start(&aside, crash, NULL, &fault), 0, "%s", fault.text);
    aside_wait(context, &aside);
    cr_expect(!aside.clean && aside.used == 0);
    talloc_free(context);
}

/* With a child, both deaf to SIGTERM. */
static void stay(void *closure, int pipe)
{
    (void)closure;
    signal(SIGTERM, SIG_IGN);
    if (fork() != 0)
        (void)files_write_all(pipe, "!", 1);
    for (;;)
        pause();
}

Test(aside, whoever_does_not_listen_is_killed_with_all_it_started)
{
    void *context = memory_context(NULL);
    struct aside aside;
    struct fault fault;
    int ends[2];

    cr_assert_eq(pipe(ends), 0); /* held by both of them until they are gone */
    cr_assert_eq(aside_start(&aside, stay, NULL, &fault), 0, "%s", fault.text);
    close(ends[1]);
    while (aside.used == 0)
        cr_assert(!aside_read(context, &aside));
    pid_t pid = aside.pid;
    aside_stop(&aside);
    cr_expect(kill(pid, 0) == -1 && errno == ESRCH);
    cr_expect_eq(read(ends[0], (char[1]){0}, 1), 0, "one of them is still there");
    talloc_free(context);
}

/* ---- stages side by side ----------------------------------------------------------------------------------------- */

static int pass(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    (void)context, (void)shop, (void)fault;
    result->outcome = OUTCOME_PASSED;
    result->checks = 7;
    return 0;
}

static void nap_ms(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static int fail_late(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    (void)fault;
    nap_ms(300);
    result->outcome = OUTCOME_FAILED;
    struct finding *finding = finding_add(context, result, SEVERITY_FAILURE, "It is wrong.");
    finding->why = memory_format(context, "%s says so.", shop->shown);
    finding_place(context, finding, "tiny.c", 12)->note = "here";
    return 0;
}

static int fail_at_once(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    (void)shop, (void)fault;
    result->outcome = OUTCOME_FAILED;
    finding_add(context, result, SEVERITY_FAILURE, "It is wrong at once.");
    return 0;
}

static int never_end(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    (void)context, (void)shop, (void)result, (void)fault;
    for (;;)
        pause();
    return 0;
}

static int die(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    (void)context, (void)shop, (void)result, (void)fault;
    raise(SIGKILL);
    return 0;
}

static int break_down(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    (void)context, (void)shop, (void)result;
    return fault_set(fault, "the disk is full");
}

enum { MOST = 4 };

static struct stage_result results[MOST];
static struct fixture fixture;
static char begun[100];

static void note_begun(void *context, const char *stage)
{
    (void)context;
    strncat(begun, stage, sizeof begun - strlen(begun) - 1);
}

/* Runs them with so many lanes; how many count. */
static size_t side_by_side(int lanes_n, int expected,
                           int (*const *run)(void *, struct workshop *, struct stage_result *, struct fault *))
{
    static const char *const names[MOST] = {"a", "b", "c", "d"};
    struct stage fake[MOST];
    struct side_stage side_stages[MOST];
    struct side_by_side side = {.shop = &fixture.shop, .stages = side_stages, .begun = note_begun};
    struct lanes *lanes = lanes_open(lanes_n, &fixture.fault);
    size_t counted = 0;

    begun[0] = '\0';
    lanes_begin(lanes, 0);
    fixture.shop.lanes = (struct lane_share){lanes, 0};
    for (; side.count < MOST && run[side.count] != NULL; side.count++) {
        results[side.count] = (struct stage_result){.stage = names[side.count], .max_points = 3};
        fake[side.count] = (struct stage){STAGE_TESTS, names[side.count], run[side.count]};
        side_stages[side.count] = (struct side_stage){&fake[side.count], &results[side.count]};
    }
    cr_expect_eq(stages_side_by_side(fixture.context, &side, &counted, &fixture.fault), expected);
    for (int i = 1; i < lanes_n; i++)
        cr_expect(lane_take(&fixture.shop.lanes), "a lane was not given back");
    cr_expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a process is left");
    lanes_close(lanes);
    return counted;
}

typedef int (*run_function)(void *, struct workshop *, struct stage_result *, struct fault *);

Test(aside, all_that_pass_count_with_what_they_say)
{
    fixture_tiny(&fixture);
    for (int lanes = 1; lanes <= 4; lanes++) {
        cr_expect_eq(side_by_side(lanes, 0, (const run_function[]){pass, pass, pass, pass}), 4);
        for (int i = 0; i < 4; i++)
            cr_expect(results[i].outcome == OUTCOME_PASSED && results[i].checks == 7 && results[i].max_points == 3);
        cr_expect_str_eq(begun, "abcd");
    }
    fixture_end(&fixture);
}

Test(aside, the_first_in_their_order_that_fails_counts)
{
    fixture_tiny(&fixture);
    cr_expect_eq(side_by_side(4, 0, (const run_function[]){pass, fail_late, fail_at_once, never_end}), 2);
    cr_expect_eq(results[1].outcome, OUTCOME_FAILED);
    cr_assert_eq(results[1].finding_count, 1);
    cr_expect_str_eq(results[1].stage, "b");
    cr_expect_str_eq(results[1].findings[0].what, "It is wrong.");
    cr_expect_str_eq(results[1].findings[0].why, "student.c says so.");
    cr_expect_eq(results[1].findings[0].places[0].line, 12);
    cr_expect(results[1].wall_s >= 0.3 && results[1].wall_s < 60);
    cr_expect_eq(side_by_side(2, 0, (const run_function[]){fail_at_once, never_end, never_end, pass}), 1);
    cr_expect_eq(side_by_side(1, 0, (const run_function[]){pass, fail_at_once, never_end, NULL}), 2);
    cr_expect_str_eq(begun, "ab", "nothing behind a failure begins, where one runs at a time");
    fixture_end(&fixture);
}

Test(aside, a_process_that_dies_and_a_fault_are_the_graders)
{
    fixture_tiny(&fixture);
    cr_expect_eq(side_by_side(2, -1, (const run_function[]){pass, die, pass, NULL}), 2);
    cr_expect_eq(results[1].outcome, OUTCOME_BROKEN);
    cr_expect_eq(side_by_side(2, -1, (const run_function[]){break_down, never_end, NULL}), 1);
    cr_expect_eq(results[0].outcome, OUTCOME_BROKEN);
    cr_expect_str_eq(fixture.fault.text, "the disk is full");
    cr_expect_eq(side_by_side(3, 0, (const run_function[]){fail_late, break_down, NULL}), 1,
                 "a fault behind a failure does not count");
    fixture_end(&fixture);
}

/* ---- the same verdict -------------------------------------------------------------------------------------------- */

/* The verdict on the student's file in the fixture, without what time it took. */
static char *graded(struct lanes *lanes)
{
    struct request request = {
        .source = fixture.shop.source,
        .stages = ~0U,
        .work_dir = scratch_dir(fixture.context),
        .cache_dir = fixture.shop.cache_dir,
        .lanes = {lanes, 0},
    };
    struct verdict verdict;

    cr_assert_eq(grade_one(fixture.context, &fixture.course, fixture.shop.exercise, &request, &verdict, &fixture.fault),
                 0, "%s", fixture.fault.text);
    verdict.wall_s = verdict.cpu_s = 0;
    for (size_t i = 0; i < verdict.result_count; i++)
        verdict.results[i].wall_s = verdict.results[i].cpu_s = 0;
    scratch_remove(request.work_dir);
    json_t *json = verdict_to_json(&verdict);
    char *text = json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    return text;
}

/* "" where all went well. */
static const char *failed_stage(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    const char *name = "";

    for (size_t i = 0; i < json_array_size(json_object_get(json, "stages")); i++) {
        const json_t *stage = json_array_get(json_object_get(json, "stages"), i);
        if (strcmp(json_string_value(json_object_get(stage, "outcome")), "failed") == 0)
            name = memory_text(fixture.context, json_string_value(json_object_get(stage, "stage")));
    }
    json_decref(json);
    return name;
}

Test(aside, side_by_side_or_in_turn_the_verdict_is_the_same)
{
    static const struct {
        const char *from, *to, *fails_at;
    } edits[] = {
        {NULL, NULL, ""},
        {"made->value = 0;", "made->value = 0", "build"},
        {"pthread_mutex_init(&made->mutex, NULL)", "PTHREAD_MUTEX_RECURSIVE", "rules"},
        {"if (amount == 0)", "if (amount == 1)", "tests"},
        {"free(tiny);", "(void)tiny;", "memory"},
        {"pthread_mutex_lock(&tiny->mutex);\n    long value = tiny->value;\n    pthread_mutex_unlock(&tiny->mutex);",
         "long value = tiny->value;", "races"},
    };
    struct lanes *lanes = lanes_open(3, &fixture.fault);

    lanes_begin(lanes, 0);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        fixture_tiny(&fixture);
        fixture_edit(&fixture, edits[i].from, edits[i].to);
        char *turn = graded(NULL), *side = graded(lanes);

        cr_expect_str_eq(turn, side);
        cr_expect_str_eq(failed_stage(turn), edits[i].fails_at);
        free(turn);
        free(side);
        fixture_end(&fixture);
    }
    lanes_close(lanes);
}
