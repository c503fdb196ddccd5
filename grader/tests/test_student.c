/* The student's loop: where am I, what is next, hints one by one, the starter again, and watch. */
#include "little_course.h"
#include "progress.h"
#include "starter.h"
#include "student.h"
#include "text.h"
#include "watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct little_course little;
static void *context;

static void setup(void)
{
    little_begin(&little);
    context = little.context;
}

static void teardown(void)
{
    little_end(&little);
}

TestSuite(student, .init = setup, .fini = teardown);

static struct screen screen = {.width = 80, .utf8 = true};

static struct student student_of(const char *words)
{
    screen.course = &little.course;
    return (struct student){
        .course = &little.course, .screen = &screen, .build_dir = little.build_dir, .words = words, .jobs = 1};
}

/* What a command writes. It has to succeed. */
static char *said_at_all(int (*command)(const struct student *, struct fault *), struct student student)
{
    struct fault fault = {""};
    char *text;
    size_t size;

    student.out = open_memstream(&text, &size);
    cr_assert_eq(command(&student, &fault), 0, "%s", fault.text);
    fclose(student.out);

    char *copy = memory_text_n(context, text, size);

    free(text);
    return copy;
}

/* …and has to fit the screen. */
static char *said(int (*command)(const struct student *, struct fault *), struct student student)
{
    char *copy = said_at_all(command, student);

    cr_assert_leq(text_width(copy), screen.width, "%s", copy);
    cr_assert_leq(text_lines(copy), 23, "%s", copy);
    return copy;
}

/* The one line of a command that has to fail. */
static char *refused(int (*command)(const struct student *, struct fault *), struct student student)
{
    struct fault fault = {""};

    student.out = tmpfile();
    cr_assert_eq(command(&student, &fault), -1);
    cr_assert_neq(*fault.text, '\0');
    cr_assert_null(strchr(fault.text, '\n'));
    cr_assert_eq(ftell(student.out), 0L, "nothing is printed where there is a fault");
    fclose(student.out);
    return memory_text(context, fault.text);
}

static void must_have(const char *text, const char *words)
{
    cr_assert_not_null(strstr(text, words), "\"%s\" is not in\n%.3000s", words, text);
}

static void must_not_have(const char *text, const char *words)
{
    cr_assert_null(strstr(text, words), "\"%s\" is in\n%.3000s", words, text);
}

static void graded(const char *exercise, enum outcome outcome, int points)
{
    struct verdict verdict = {.exercise = exercise, .outcome = outcome, .points = points, .max_points = 10};
    struct fault fault;

    cr_assert_eq(progress_record(little.build_dir, &verdict,
                                 memory_format(context, "%s/exercises/%s/%s.c", little.course.root, exercise,
                                               strchr(exercise, '/') + 1),
                                 &fault),
                 0, "%s", fault.text);
}

/* ---- list -------------------------------------------------------------------------------------------------------- */

Test(student, the_first_page_says_what_to_read_edit_and_run)
{
    char *text = said(command_list, student_of(NULL));

    must_have(text, "Welcome to interleave");
    must_have(text, "4 exercises, 40 points");
    must_have(text, "Begin with 00-start/hello");
    must_have(text, "exercises/00-start/hello/hello.c");
    must_have(text, "make grade EX=hello");
    must_have(text, "make hint EX=hello");
    must_have(text, "make watch");
}

Test(student, the_overview_counts_and_points_to_the_next)
{
    graded("00-start/hello", OUTCOME_PASSED, 10);
    graded("00-start/again", OUTCOME_INCONCLUSIVE, 10);
    graded("02-locks/counter", OUTCOME_FAILED, 4);

    char *text = said(command_list, student_of(NULL));

    must_have(text, "interleave · 2 of 4 passed · 24 of 40 points");
    must_have(text, "00 start           ██  2 of 2\n");
    must_have(text, "02 locks           ··  0 of 2   next: 02-locks/counter");
    must_have(text, "make grade EX=counter");
    must_have(text, "(0 of 3 taken)");
    must_not_have(text, "changed since");
}

Test(student, the_overview_says_what_changed_since)
{
    graded("00-start/hello", OUTCOME_PASSED, 10);
    little_write(&little, "exercises/00-start/hello/hello.c", "/* another */\n");
    must_have(said(command_list, student_of(NULL)), "changed since graded: 00-start/hello");
}

Test(student, the_overview_of_all_passed_has_nothing_left)
{
    for (size_t i = 0; i < little.course.count; i++)
        graded(little.course.exercises[i].id, OUTCOME_PASSED, 10);

    char *text = said(command_list, student_of(NULL));

    must_have(text, "4 of 4 passed · 40 of 40 points");
    must_have(text, "All exercises are passed.");
    must_not_have(text, "next:");
}

Test(student, the_overview_works_narrow_plain_and_verbose)
{
    static const int widths[] = {60, 80, 200};

    graded("02-locks/counter", OUTCOME_FAILED, 4);
    for (size_t i = 0; i < 3; i++) {
        screen = (struct screen){.width = widths[i], .verbose = true};

        char *text = said(command_list, student_of(NULL));

        cr_assert_str_eq(text_clean(context, text, false), text, "ASCII only, and no escapes");
        must_have(text, "not graded yet");
        must_have(text, "x  counter");
    }
}

Test(student, a_broken_progress_file_is_one_line_of_the_overview)
{
    little_write(&little, "build/progress.json", "{");
    must_have(said(command_list, student_of(NULL)), "progress.json.bad");
    must_not_have(said(command_list, student_of(NULL)), "progress.json.bad");
}

/* ---- next -------------------------------------------------------------------------------------------------------- */

Test(student, next_is_the_first_that_is_not_passed)
{
    must_have(said(command_next, student_of(NULL)), "00-start/hello · 10 points");
    graded("00-start/hello", OUTCOME_PASSED, 10);
    graded("02-locks/counter", OUTCOME_PASSED, 10);
    must_have(said(command_next, student_of(NULL)), "00-start/again · 10 points");
    graded("00-start/again", OUTCOME_FAILED, 3);
    must_have(said(command_next, student_of(NULL)), "with 3 of 10 points");
    must_have(said(command_next, student_of("rlock")), "02-locks/rlock");
    must_have(said(command_next, student_of("rlock")), "exercises/02-locks/rlock/rlock.h");
    must_have(refused(command_next, student_of("nobody")), "nobody");
}

Test(student, next_names_what_an_exercise_is_built_on)
{
    const char *needs[] = {"00-start/hello", "00-start/again", NULL};

    little.course.exercises[3].needs = needs;
    must_have(said(command_next, student_of("rlock")), "00-start/hello, 00-start/again");
}

Test(student, next_has_an_end)
{
    for (size_t i = 0; i < little.course.count; i++)
        graded(little.course.exercises[i].id, OUTCOME_PASSED, 10);
    must_have(said(command_next, student_of(NULL)), "All exercises are passed");
}

/* ---- hints ------------------------------------------------------------------------------------------------------- */

Test(student, hints_come_one_by_one_and_are_remembered)
{
    struct student again = student_of("counter");

    again.again = true;

    char *first = said(command_hint, student_of("counter"));

    must_have(first, "02-locks/counter · hint 1 of 3");
    must_have(first, "A nudge, which is not long.");
    must_not_have(first, "The idea");
    must_have(first, "(2 left)");
    must_have(said(command_hint, again), "hint 1 of 3");
    must_have(said(command_hint, student_of("counter")), "  - one\n  - two\n");
    must_have(said(command_list, student_of(NULL)), "(0 of 3 taken)");
    must_have(said(command_hint, student_of("counter")), "      int answer = 42;\n");
    must_have(said(command_hint, again), "hint 3 of 3");

    char *all = said(command_hint, student_of("counter"));

    must_have(all, "All hints are taken");
    must_have(all, "hint 1 of 3");
    must_have(all, "hint 3 of 3");
}

/* It is there to be copied. */
Test(student, code_in_a_hint_is_never_cut)
{
    static const char line[] = "if (the_first_of_both != NULL && the_second_of_both != NULL && they_are_not_the_same)";

    little_write(&little, "grader/checks/02-locks/counter/hints.md",
                 memory_format(context, "## 1\n```c\n%s\n```\n\n## 2\nb\n\n## 3\nc\n", line));
    must_have(said_at_all(command_hint, student_of("counter")), memory_format(context, "      %s\n", line));
}

Test(student, a_hint_that_nobody_saw_is_not_taken)
{
    struct student student = student_of("counter");
    struct fault fault = {""};

    student.out = fopen("/dev/full", "w");
    cr_assert_not_null(student.out);
    cr_assert_eq(command_hint(&student, &fault), -1);
    cr_assert_not_null(strstr(fault.text, "cannot write"), "%s", fault.text);
    must_have(said(command_hint, student_of("counter")), "hint 1 of 3");
}

Test(student, a_hint_without_a_name_is_for_the_next_exercise)
{
    graded("00-start/hello", OUTCOME_PASSED, 10);
    must_have(said(command_hint, student_of(NULL)), "00-start/again · hint 1 of 3");
}

Test(student, broken_hints_are_a_fault_that_names_the_section)
{
    little_write(&little, "grader/checks/02-locks/counter/hints.md", "## 1\nx\n## 3\ny\n");
    must_have(refused(command_hint, student_of("counter")), "\"## 2\"");
}

/* ---- reset ------------------------------------------------------------------------------------------------------- */

static const char mine[] = "/* mine */\n", counter[] = "exercises/02-locks/counter/counter.c";

static void shell(const char *command)
{
    little_shell(&little, memory_format(context,
                                        "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
                                        "GIT_COMMITTER_EMAIL=a@b; %s",
                                        command));
}

Test(student, reset_wants_a_name)
{
    must_have(refused(command_reset, student_of(NULL)), "which exercise");
}

Test(student, reset_without_any_source_loses_nothing)
{
    little_write(&little, counter, mine);
    must_have(refused(command_reset, student_of("counter")), "starter is nowhere to be found");
    cr_assert_str_eq(little_read(&little, counter), mine);
}

Test(student, reset_from_the_copy_that_was_kept)
{
    char *starter = little_read(&little, counter);

    little_list_starters(&little);
    starters_keep(&little.course, little.build_dir);
    for (int i = 1; i <= 3; i++) {
        char *text = memory_format(context, "/* try %d */\n", i);

        little_write(&little, counter, text);
        must_have(said(command_reset, student_of("counter")), memory_format(context, "counter.c.%d~", i));
        cr_assert_str_eq(little_read(&little, counter), starter);
        cr_assert_str_eq(little_read(&little, memory_format(context, "%s.%d~", counter, i)), text);
    }
    must_have(said(command_reset, student_of("counter")), "is the starter already");
}

Test(student, what_was_edited_is_not_kept_as_a_starter)
{
    little_list_starters(&little);
    little_write(&little, counter, mine);
    starters_keep(&little.course, little.build_dir);
    must_have(refused(command_reset, student_of("counter")), "nowhere to be found");
    little_write(&little, "build/starters/02-locks/counter.c", "/* forged */\n");
    must_have(refused(command_reset, student_of("counter")), "nowhere to be found");
    cr_assert_str_eq(little_read(&little, counter), mine);
}

Test(student, reset_from_git_finds_the_newest_starter_not_the_students_commits)
{
    shell("git init -q . && git add . && git commit -qm first");
    little_write(&little, counter, "/* the starter, mended */\n");
    little_list_starters(&little);
    shell("git add . && git commit -qm mended");
    little_write(&little, counter, mine);
    shell("git add . && git commit -qm homework");
    must_have(said(command_reset, student_of("counter")), "the starter is back");
    cr_assert_str_eq(little_read(&little, counter), "/* the starter, mended */\n");
}

Test(student, reset_from_git_without_a_list_takes_the_first_version)
{
    char *starter = little_read(&little, counter);

    shell("git init -q . && git add . && git commit -qm first");
    little_write(&little, counter, mine);
    shell("git add . && git commit -qm homework");
    must_have(said(command_reset, student_of("counter")), "the starter is back");
    cr_assert_str_eq(little_read(&little, counter), starter);
}

Test(student, reset_brings_back_a_file_that_was_removed)
{
    char *starter = little_read(&little, counter);

    little_list_starters(&little);
    starters_keep(&little.course, little.build_dir);
    cr_assert_eq(unlink(little.course.exercises[2].starter), 0);
    must_not_have(said(command_reset, student_of("counter")), "~");
    cr_assert_str_eq(little_read(&little, counter), starter);
}

Test(student, a_starter_is_known_by_its_bytes)
{
    const struct exercise *exercise = &little.course.exercises[2];

    cr_assert_not(starter_untouched(&little.course, exercise, exercise->starter), "there is no list yet");
    little_list_starters(&little);
    cr_assert(starter_untouched(&little.course, exercise, exercise->starter));
    little_write(&little, counter, mine);
    cr_assert_not(starter_untouched(&little.course, exercise, exercise->starter));
    cr_assert_not(starter_untouched(&little.course, exercise, "/nowhere"));
}

/* ---- the watcher ------------------------------------------------------------------------------------------------- */

static struct watcher *watching(const struct exercise *only)
{
    struct fault fault = {""};
    struct watcher *watcher = watcher_open(context, &little.course, only, &fault);

    cr_assert_not_null(watcher, "%s", fault.text);
    return watcher;
}

/* Which were saved: "2 3"; blocks until something happened. */
static char *saves(struct watcher *watcher, bool wait)
{
    struct pollfd polled = {.fd = watcher_fd(watcher), .events = POLLIN};
    bool saved[LITTLE_COUNT] = {false};
    char *list = memory_text(context, "");

    cr_assert_geq(poll(&polled, 1, wait ? -1 : 0), 0);
    watcher_take(watcher, saved);
    for (int i = 0; i < LITTLE_COUNT; i++)
        if (saved[i])
            list = memory_append(context, list, "%s%d", *list == '\0' ? "" : " ", i);
    return list;
}

Test(student, the_watcher_sees_every_way_of_saving)
{
    struct watcher *watcher = watching(NULL);

    shell("echo 1 >exercises/02-locks/counter/counter.c");
    cr_assert_str_eq(saves(watcher, true), "2", "written in place");
    shell("echo 2 >exercises/02-locks/rlock/new && mv exercises/02-locks/rlock/new exercises/02-locks/rlock/rlock.c");
    cr_assert_str_eq(saves(watcher, true), "3", "replaced by renaming");
    shell("mv exercises/00-start/hello/hello.c exercises/00-start/hello/hello.c~ && "
          "cp exercises/00-start/hello/hello.c~ exercises/00-start/hello/hello.c");
    cr_assert_str_eq(saves(watcher, true), "0", "moved to a backup and written anew");
    shell("echo 1 >exercises/02-locks/counter/.counter.c.swp; echo 1 >exercises/02-locks/counter/counter.c.1~; "
          "cat exercises/02-locks/counter/counter.c");
    cr_assert_str_eq(saves(watcher, false), "", "other files and reading are nobody's business");
    watcher_close(watcher);
}

Test(student, the_watcher_takes_up_a_folder_that_comes_back)
{
    struct watcher *watcher = watching(NULL);
    char *all = memory_text(context, "");

    shell("cp -r exercises kept && rm -r exercises/02-locks && cp -r kept/02-locks exercises/");
    while (strstr(all, "2") == NULL || strstr(all, "3") == NULL)
        all = memory_append(context, all, " %s", saves(watcher, true));
    while (*saves(watcher, false) != '\0')
        continue;
    shell("echo changed >exercises/02-locks/rlock/rlock.c");
    cr_assert_str_eq(saves(watcher, true), "3");
    watcher_close(watcher);
}

Test(student, the_watcher_of_one_exercise_sees_no_other)
{
    struct watcher *watcher = watching(&little.course.exercises[3]);

    shell("echo 1 >exercises/02-locks/counter/counter.c; echo 1 >exercises/02-locks/rlock/rlock.c");
    cr_assert_str_eq(saves(watcher, true), "3");
    watcher_close(watcher);
}

/* ---- watch ------------------------------------------------------------------------------------------------------- */

static bool file_says(const struct exercise *exercise, const char *word)
{
    struct fault fault;
    char *text = files_read(context, exercise->starter, 1 << 20, NULL, &fault);

    return text != NULL && strstr(text, word) != NULL;
}

/* In place of the grader: "right" passes, "slow" is graded until the file is saved again, anything else fails. */
static enum pool_end fake_run(void *unused, const struct pool *pool, int *signal_number, struct fault *fault)
{
    (void)unused;
    (void)signal_number;
    (void)fault;
    for (size_t i = 0; i < pool->job_count; i++) {
        const struct exercise *exercise = pool->jobs[i].exercise;
        struct stage_result result = {.stage = "tests", .outcome = OUTCOME_FAILED};
        struct verdict verdict = {.exercise = exercise->id, .results = &result, .result_count = 1, .max_points = 10};

        pool->stage_begun(pool->callback_context, i, "build");
        while (file_says(exercise, "slow")) {
            struct pollfd polled = {.fd = pool->wake_fd, .events = POLLIN};

            if (poll(&polled, 1, -1) > 0 && !pool->woken(pool->callback_context))
                return POOL_STOPPED;
        }
        if (file_says(exercise, "right")) {
            result.outcome = OUTCOME_PASSED;
            verdict.points = 10;
        }
        verdict.outcome = result.outcome;
        if (!pool->done(pool->callback_context, i, &verdict))
            return POOL_STOPPED;
    }
    return POOL_DONE;
}

struct watch_run {
    pid_t pid;
    char *path; /* what it writes */
};

/* Starts command_watch in a process of its own. */
static struct watch_run watch_start(const char *words)
{
    struct watch_run run = {.path = memory_format(context, "%s/out", little.course.root)};
    struct student student = student_of(words);

    student.out = fopen(run.path, "we");
    cr_assert_not_null(student.out);
    student.run = fake_run;
    run.pid = fork();
    cr_assert_geq(run.pid, 0);
    if (run.pid == 0) {
        struct fault fault;

        _exit(command_watch(&student, &fault) == 0 ? 0 : 1);
    }
    fclose(student.out);
    return run;
}

static void nap(void)
{
    const struct timespec pause = {.tv_nsec = 2000000};

    nanosleep(&pause, NULL);
}

static size_t times_said(const struct watch_run *run, const char *words)
{
    const char *text = little_read(&little, run->path + strlen(little.course.root) + 1);
    size_t times = 0;

    for (; (text = strstr(text, words)) != NULL; text += strlen(words))
        times++;
    return times;
}

/* Waits until it has said the words so often. Where it never does, the test hangs, and is ended by its runner. */
static void await_words(const struct watch_run *run, const char *words, size_t times)
{
    while (times_said(run, words) < times)
        nap();
}

static void watch_end(const struct watch_run *run, int signal_number)
{
    int status;

    cr_assert_eq(kill(run->pid, signal_number), 0);
    cr_assert_eq(waitpid(run->pid, &status, 0), run->pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

Test(student, watch_grades_what_is_saved_and_remembers_it, .timeout = 120)
{
    struct watch_run run = watch_start(NULL);
    struct progress progress;

    await_words(&run, "Watching 4 exercises", 1);
    little_write(&little, counter, "wrong");
    await_words(&run, "02-locks/counter · fails at tests", 1);
    little_write(&little, counter, "right");
    await_words(&run, "02-locks/counter · passed", 1);
    watch_end(&run, SIGINT);
    cr_assert_eq(times_said(&run, "· fails at tests"), 1u, "once saved, once graded");
    cr_assert_eq(times_said(&run, "rlock"), 0u);
    progress_load(context, little.build_dir, &progress);
    cr_assert(progress_passed(progress_find(&progress, "02-locks/counter")));
}

Test(student, watch_of_one_exercise_grades_it_at_once, .timeout = 120)
{
    struct watch_run run = watch_start("rlock");

    await_words(&run, "02-locks/rlock · fails at tests", 1);
    watch_end(&run, SIGTERM);
}

Test(student, watch_begins_anew_where_the_file_is_saved_meanwhile, .timeout = 120)
{
    struct watch_run run = watch_start(NULL);

    await_words(&run, "Watching", 1);
    little_write(&little, counter, "slow");
    await_words(&run, "\n\n", 1); /* the fresh paragraph: it is being graded */
    little_write(&little, counter, "right");
    await_words(&run, "02-locks/counter · passed", 1);
    watch_end(&run, SIGHUP);
    cr_assert_eq(times_said(&run, "fails at"), 0u, "a grading that was stopped says nothing");
}

Test(student, watch_shows_several_as_lines_and_sums, .timeout = 120)
{
    struct watch_run run = watch_start(NULL);

    await_words(&run, "Watching", 1);

    /* Stopped, so that both saves are there when it looks. */
    int status;

    cr_assert_eq(kill(run.pid, SIGSTOP), 0);
    cr_assert_eq(waitpid(run.pid, &status, WUNTRACED), run.pid);
    little_write(&little, counter, "right");
    little_write(&little, "exercises/02-locks/rlock/rlock.c", "wrong");
    kill(run.pid, SIGCONT);
    await_words(&run, "1 of 2 passed", 1);
    await_words(&run, "First to fix:", 1);
    watch_end(&run, SIGINT);
}

Test(student, watch_of_nobody_is_refused)
{
    must_have(refused(command_watch, student_of("nobody")), "nobody");
}

Test(student, watch_ends_with_its_status_line_taken_back, .timeout = 120)
{
    screen.live = true;
    screen.colour = true;

    struct watch_run run = watch_start("rlock");

    await_words(&run, "waiting for a file", 1);
    watch_end(&run, SIGINT);

    char *text = little_read(&little, "out");

    must_have(text, "\033[H\033[2J");
    cr_assert_str_eq(text + strlen(text) - strlen("\r\033[K"), "\r\033[K");
}
