/* test_pool.c - workers that do well, crash, hang and leave daemons behind, with the grading itself replaced. */
#include "pool.h"
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS = 12 };

static void *context;
static char *root;
static struct course course;
static struct exercise exercises[JOBS];
static struct job jobs[JOBS];
static struct fault fault;

/* What the callbacks saw. */
static size_t order[JOBS], reports;
static enum outcome outcomes[JOBS];
static char reasons[JOBS][256], stages_seen[JOBS][64], tests_failed[JOBS][64];
static size_t stop_after; /* 0: never */

static void set_up(void)
{
    context = memory_context(NULL);
    root = scratch_dir(context);
    unsetenv("TMPDIR");
    course = (struct course){.root = root, .exercises = exercises, .count = JOBS};
    for (int i = 0; i < JOBS; i++) {
        exercises[i] =
            (struct exercise){.id = memory_format(context, "01-a/x%02d", i), .title = "T", .points = 10, .order = i};
        jobs[i] = (struct job){.exercise = &exercises[i], .request = {.stages = 1, .student = "a\xff"}};
    }
}

static void tear_down(void)
{
    scratch_remove(root);
    talloc_free(context);
}

TestSuite(pool, .timeout = 120, .init = set_up, .fini = tear_down);

static void on_stage(void *data, size_t job, const char *stage)
{
    (void)data;
    snprintf(stages_seen[job], sizeof stages_seen[job], "%s", stage);
}

static void on_test_failed(void *data, size_t job, const char *test)
{
    (void)data;
    snprintf(tests_failed[job], sizeof tests_failed[job], "%s", test);
}

static bool on_done(void *data, size_t job, const struct verdict *verdict)
{
    (void)data;
    order[reports++] = job;
    outcomes[job] = verdict->outcome;
    snprintf(reasons[job], sizeof reasons[job], "%s", verdict->reason == NULL ? "" : verdict->reason);
    cr_expect_str_eq(verdict->exercise, exercises[job].id);
    cr_expect_str_eq(verdict->student, "a\xff");
    return reports != stop_after;
}

static struct pool pool_of(int at_once, int (*grade)(void *, const struct course *, const struct exercise *,
                                                     const struct request *, struct verdict *, struct fault *))
{
    return (struct pool){.course = &course,
                         .jobs = jobs,
                         .job_count = JOBS,
                         .at_once = at_once,
                         .stage_begun = on_stage,
                         .test_failed = on_test_failed,
                         .done = on_done,
                         .wake_fd = -1,
                         .grade = grade};
}

static int pass(void *data, const struct course *unused, const struct exercise *exercise, const struct request *request,
                struct verdict *verdict, struct fault *no_fault)
{
    (void)data, (void)unused, (void)no_fault;
    request->stage_begun(request->stage_context, "build");
    if (exercise->order == 2)
        request->test_failed(request->stage_context, "adds");
    *verdict = (struct verdict){.exercise = exercise->id,
                                .title = exercise->title,
                                .student = request->student,
                                .max_points = 10,
                                .points = 10};
    return 0;
}

/* Whether nothing of a run is left: no work folder, no child. */
static void nothing_is_left(void)
{
    char *work = memory_format(context, "%s/build/work", root);
    DIR *stream = opendir(work);
    int entries = 0;

    while (stream != NULL && readdir(stream) != NULL)
        entries++;
    if (stream != NULL)
        closedir(stream);
    bool alone = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
    cr_expect(entries <= 2 && alone, "%s", alone ? "something is left in build/work" : "a child is left");
}

Test(pool, all_are_reported_in_order)
{
    const struct pool pool = pool_of(3, pass);

    cr_assert_eq(pool_run(context, &pool, NULL, &fault), POOL_DONE, "%s", fault.text);
    cr_assert_eq(reports, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        cr_expect_eq(order[i], i);
        cr_expect_eq(outcomes[i], OUTCOME_PASSED);
        cr_expect_str_eq(stages_seen[i], "build");
        cr_expect_str_eq(tests_failed[i], i == 2 ? "adds" : "");
    }
    nothing_is_left();
}

Test(pool, no_jobs_are_done_at_once)
{
    struct pool pool = pool_of(3, pass);

    pool.job_count = 0;
    cr_expect_eq(pool_run(context, &pool, NULL, &fault), POOL_DONE);
    nothing_is_left();
}

/* Every second worker ends in a way of its own. */
static int misbehave(void *data, const struct course *unused, const struct exercise *exercise,
                     const struct request *request, struct verdict *verdict, struct fault *no_fault)
{
    switch (exercise->order) {
    case 1:
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
        break;
    case 3:
        _exit(0);
    case 5:
        _exit(7);
    case 7:
        kill(getpid(), SIGKILL);
        break;
    default:
        break;
    }
    return pass(data, unused, exercise, request, verdict, no_fault);
}

Test(pool, a_worker_that_ends_early_costs_only_its_own_grading)
{
    const struct pool pool = pool_of(2, misbehave);

    cr_assert_eq(pool_run(context, &pool, NULL, &fault), POOL_DONE, "%s", fault.text);
    cr_assert_eq(reports, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        bool bad = i == 1 || i == 3 || i == 5 || i == 7;

        cr_expect_eq(outcomes[i], bad ? OUTCOME_BROKEN : OUTCOME_PASSED, "job %zu", i);
        cr_expect_eq(strstr(reasons[i], "The grader itself failed") != NULL, bad, "%s", reasons[i]);
    }
    cr_expect_not_null(strstr(reasons[1], "signal 11"), "%s", reasons[1]);
    cr_expect_not_null(strstr(reasons[5], "status 7"), "%s", reasons[5]);
    nothing_is_left();
}

/* Leaves a daemon of a session of its own, with a grandchild, then dies. */
static int leave_daemon(void *data, const struct course *unused, const struct exercise *exercise,
                        const struct request *request, struct verdict *verdict, struct fault *no_fault)
{
    if (exercise->order % 2 == 1) {
        if (fork() == 0) {
            setsid();
            (void)!fork();
            for (;;)
                pause();
        }
        kill(getpid(), SIGKILL);
    }
    return pass(data, unused, exercise, request, verdict, no_fault);
}

Test(pool, what_a_dead_worker_leaves_is_ended)
{
    const struct pool pool = pool_of(2, leave_daemon);

    cr_assert_eq(pool_run(context, &pool, NULL, &fault), POOL_DONE, "%s", fault.text);
    nothing_is_left();
}

/* Two must be inside at once, or neither can go on: the proof, without a clock, that they run at the same time. */
static int meet(void *data, const struct course *unused, const struct exercise *exercise, const struct request *request,
                struct verdict *verdict, struct fault *no_fault)
{
    char *mine = memory_format(data, "%s/met-%d", request->work_dir, exercise->order);
    char *other = memory_format(data, "%s/met-%d", request->work_dir, exercise->order ^ 1);

    if (mkfifo(mine, 0600) != 0 && errno != EEXIST)
        _exit(9);
    if (mkfifo(other, 0600) != 0 && errno != EEXIST)
        _exit(9);
    /* Opening a FIFO waits for its other end: each writes its own, reads the other's; the even one writes first. */
    FILE *first = fopen(exercise->order % 2 == 0 ? mine : other, exercise->order % 2 == 0 ? "w" : "r");
    FILE *second = fopen(exercise->order % 2 == 0 ? other : mine, exercise->order % 2 == 0 ? "r" : "w");
    if (first == NULL || second == NULL)
        _exit(9);
    return pass(data, unused, exercise, request, verdict, no_fault);
}

Test(pool, at_once_means_at_once)
{
    const struct pool pool = pool_of(2, meet);

    cr_assert_eq(pool_run(context, &pool, NULL, &fault), POOL_DONE, "%s", fault.text);
    for (size_t i = 0; i < JOBS; i++)
        cr_expect_eq(outcomes[i], OUTCOME_PASSED);
}

/* Hangs, with a child that hangs, and files in the work folder; tells the test that it does through a stage. */
static int hang(void *data, const struct course *unused, const struct exercise *exercise, const struct request *request,
                struct verdict *verdict, struct fault *no_fault)
{
    (void)unused, (void)verdict, (void)no_fault;
    scratch_write(request->work_dir, memory_format(data, "%d/deep/file", exercise->order), "x");
    if (fork() == 0) {
        setsid();
        for (;;)
            pause();
    }
    request->stage_begun(request->stage_context, "tests");
    for (;;)
        pause();
    return 0;
}

static void interrupt_at_stage(void *data, size_t job, const char *stage)
{
    (void)job, (void)stage;
    kill(getpid(), *(const int *)data);
}

Test(pool, interrupted_it_ends_everything)
{
    int signals[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < 3; i++) {
        struct pool pool = pool_of(2, hang);
        int came = 0;

        pool.stage_begun = interrupt_at_stage;
        pool.callback_context = &signals[i];
        cr_expect_eq(pool_run(context, &pool, &came, &fault), POOL_INTERRUPTED);
        cr_expect_eq(came, signals[i]);
        nothing_is_left();
    }
    cr_expect_eq(reports, 0);
}

/* Will not be ended by SIGTERM. */
static int be_stubborn(void *data, const struct course *unused, const struct exercise *exercise,
                       const struct request *request, struct verdict *verdict, struct fault *no_fault)
{
    signal(SIGTERM, SIG_IGN);
    return hang(data, unused, exercise, request, verdict, no_fault);
}

Test(pool, who_ignores_sigterm_is_killed)
{
    struct pool pool = pool_of(2, be_stubborn);
    int signal_number = SIGINT;

    pool.stage_begun = interrupt_at_stage;
    pool.callback_context = &signal_number;
    cr_expect_eq(pool_run(context, &pool, NULL, &fault), POOL_INTERRUPTED);
    nothing_is_left();
}

Test(pool, a_callback_can_stop_it)
{
    const struct pool pool = pool_of(2, pass);

    stop_after = 3;
    cr_expect_eq(pool_run(context, &pool, NULL, &fault), POOL_STOPPED);
    cr_expect_eq(reports, 3);
    nothing_is_left();
}

static bool stop_now(void *data)
{
    (void)data;
    return false;
}

Test(pool, a_wake_up_can_stop_it)
{
    struct pool pool = pool_of(2, hang);
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "!", 1), 1);
    pool.wake_fd = ends[0];
    pool.woken = stop_now;
    cr_expect_eq(pool_run(context, &pool, NULL, &fault), POOL_STOPPED);
    nothing_is_left();
}

Test(pool, masks_and_children_of_the_caller_stay)
{
    const struct pool pool = pool_of(2, misbehave);
    sigset_t before, after;
    pid_t own = fork();

    if (own == 0) {
        for (;;)
            pause();
    }
    cr_assert_gt(own, 0); /* or the kill() below would be for everyone */
    sigemptyset(&before);
    sigaddset(&before, SIGHUP);
    sigprocmask(SIG_SETMASK, &before, NULL);
    cr_assert_eq(pool_run(context, &pool, NULL, &fault), POOL_DONE, "%s", fault.text);
    sigprocmask(SIG_SETMASK, NULL, &after);
    cr_expect(sigismember(&after, SIGHUP) && !sigismember(&after, SIGINT));
    cr_expect_eq(kill(own, 0), 0, "the caller's child is gone");
    kill(own, SIGKILL);
    waitpid(own, NULL, 0);
    nothing_is_left();
}

Test(pool, what_a_killed_grader_left_is_removed_and_no_more)
{
    const struct pool pool = pool_of(2, pass);
    const char *folder = memory_format(context, "%s/build/work", root);

    scratch_write(folder, "grade-abcdef/deep/file", "left");
    scratch_write(folder, "other/file", "not ours");
    cr_assert_eq(pool_run(context, &pool, NULL, &fault), POOL_DONE, "%s", fault.text);
    cr_expect(!scratch_has(folder, "grade-abcdef"));
    cr_expect(scratch_has(folder, "other/file"));
}

Test(pool, no_place_to_work_is_a_fault)
{
    const struct pool pool = pool_of(2, pass);

    scratch_write(root, "build", "a file where the folder should be");
    cr_expect_eq(pool_run(context, &pool, NULL, &fault), POOL_FAILED);
    cr_expect_not_null(strstr(fault.text, "build"), "%s", fault.text);
    cr_expect_eq(reports, 0);
}
