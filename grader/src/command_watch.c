/* `grade watch`: grades what is saved, as it is saved.
 *
 * Theory of operation. One process and one thread waits for two descriptors: the watcher's (a file was saved) and a
 * signalfd (Ctrl-C and its like; the signals are blocked for everything else). What was saved is graded by pool_run(),
 * in worker processes; while it runs, the pool looks at the watcher's descriptor too, and a new save stops it: then
 * what was not finished and what was saved is graded afresh. Ctrl-C during a grading comes back from the pool, which
 * has ended all its children by then. The terminal is only ever written to, so there is nothing to put back but
 * a status line.
 */
#include "memory.h"
#include "options.h"
#include "pool.h"
#include "student_parts.h"
#include "verdict_words.h"
#include "watcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct watch {
    const struct student *student;
    struct screen screen; /* its width follows the terminal */
    void *context;        /* of the whole command */
    void *round;          /* of one grading */
    struct watcher *watcher;
    bool *pending;          /* by exercise: saved, and not graded since */
    size_t *places;         /* of the jobs of this round: places in the course */
    struct verdict *graded; /* verdicts of this round, in order */
    size_t graded_count;
    int signals; /* signalfd */
    sigset_t old_mask;
};

static const struct exercise *exercise_at(const struct watch *watch, size_t job)
{
    return &watch->student->course->exercises[watch->places[job]];
}

/* Starts a fresh screen on a terminal, a fresh paragraph elsewhere. */
static void clear(struct watch *watch)
{
    FILE *out = watch->student->out;

    if (watch->screen.live)
        watch->screen.width = screen_of(out, true).width;
    fputs(watch->screen.live ? "\033[H\033[2J" : "\n", out);
    fflush(out);
}

static void say_waiting(struct watch *watch)
{
    screen_status(watch->student->out, &watch->screen, "waiting for a file to be saved; Ctrl-C ends");
}

/* ---- what the pool calls ----------------------------------------------------------------------------------------- */

static void on_stage(void *context, size_t job, const char *stage)
{
    struct watch *watch = context;

    screen_status(watch->student->out, &watch->screen, "%s: %s …", exercise_at(watch, job)->id, stage);
}

static void on_test_failed(void *context, size_t job, const char *test)
{
    struct watch *watch = context;

    screen_status(watch->student->out, &watch->screen, "%s: tests: %s fails …", exercise_at(watch, job)->id, test);
}

/* A verdict on a file that was saved again meanwhile is of no interest any more. */
static bool on_done(void *context, size_t job, const struct verdict *verdict)
{
    struct watch *watch = context;
    struct fault fault;

    watch->pending[watch->places[job]] = false;
    if (watcher_take(watch->watcher, watch->pending) > 0) {
        watch->pending[watch->places[job]] = true;
        return false;
    }
    watch->graded[watch->graded_count++] = *verdict_copy(watch->round, verdict);
    if (!verdict->missing &&
        progress_record(watch->student->build_dir, verdict, exercise_at(watch, job)->starter, &fault) != 0) {
        screen_status_clear(watch->student->out, &watch->screen);
        fprintf(watch->student->out, "Progress could not be kept: %s\n", fault.text);
    }
    return true;
}

static bool on_saved(void *context)
{
    struct watch *watch = context;

    return watcher_take(watch->watcher, watch->pending) == 0;
}

/* ---- one round --------------------------------------------------------------------------------------------------- */

static size_t jobs_make(struct watch *watch, struct job **jobs)
{
    const struct course *course = watch->student->course;
    size_t count = 0;

    *jobs = memory_zeroed(watch->round, course->count, sizeof **jobs);
    watch->places = memory_zeroed(watch->round, course->count, sizeof *watch->places);
    watch->graded = memory_zeroed(watch->round, course->count, sizeof *watch->graded);
    watch->graded_count = 0;
    for (size_t i = 0; i < course->count; i++) {
        if (!watch->pending[i])
            continue;
        (*jobs)[count].exercise = &course->exercises[i];
        (*jobs)[count].request.stages = STAGES_ALL;
        watch->places[count++] = i;
    }
    return count;
}

static void show(struct watch *watch)
{
    FILE *out = watch->student->out;

    screen_status_clear(out, &watch->screen);
    if (watch->graded_count == 1) {
        screen_verdict(out, &watch->screen, watch->graded);
    } else {
        for (size_t i = 0; i < watch->graded_count; i++)
            screen_line(out, &watch->screen, &watch->graded[i]);
        screen_summary(out, &watch->screen, watch->graded, watch->graded_count);
    }
    fflush(out);
}

/* Grades what is pending and shows it. A grading that a save has stopped shows nothing: it begins anew. */
static enum pool_end grade_pending(struct watch *watch, struct fault *fault)
{
    enum pool_end (*run)(void *, const struct pool *, int *, struct fault *) =
        watch->student->run != NULL ? watch->student->run : pool_run;
    struct job *jobs;
    enum pool_end end;
    int signal_number = 0;

    watch->round = memory_context(watch->context);
    size_t count = jobs_make(watch, &jobs);
    struct pool pool = {
        .course = watch->student->course,
        .jobs = jobs,
        .job_count = count,
        .at_once = watch->student->jobs > 0 ? watch->student->jobs : 1,
        .callback_context = watch,
        .stage_begun = on_stage,
        .test_failed = on_test_failed,
        .done = on_done,
        .wake_fd = watcher_fd(watch->watcher),
        .woken = on_saved,
    };

    clear(watch);
    end = run(watch->round, &pool, &signal_number, fault);
    if (end == POOL_DONE)
        show(watch);
    talloc_free(watch->round);
    return signal_number != 0 && end != POOL_FAILED ? POOL_INTERRUPTED : end; /* it may come with the last verdict */
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

/* SIGWINCH is no reason to end. */
static bool signal_ends(const struct watch *watch)
{
    struct signalfd_siginfo info;

    while (read(watch->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGWINCH)
            return true;
    return false;
}

static bool anything_pending(const struct watch *watch)
{
    for (size_t i = 0; i < watch->student->course->count; i++)
        if (watch->pending[i])
            return true;
    return false;
}

/* Blocks until something was saved (true) or it is time to end (false). */
static bool wait_for_save(struct watch *watch)
{
    struct pollfd polled[] = {{.fd = watch->signals, .events = POLLIN},
                              {.fd = watcher_fd(watch->watcher), .events = POLLIN}};

    for (;;) {
        if (signal_ends(watch))
            return false;
        watcher_take(watch->watcher, watch->pending);
        if (anything_pending(watch)) {
            watcher_settle(watch->watcher, watch->pending);
            return true;
        }
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            return false;
    }
}

static int watch_loop(struct watch *watch, struct fault *fault)
{
    FILE *out = watch->student->out;

    while (wait_for_save(watch)) {
        switch (grade_pending(watch, fault)) {
        case POOL_DONE:
            say_waiting(watch);
            break;
        case POOL_STOPPED:
            break;
        case POOL_INTERRUPTED:
            return 0;
        case POOL_FAILED:
            return -1;
        }
        if (ferror(out))
            return fault_errno(fault, "watch: cannot write to standard output");
    }
    return 0;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int signals_take(struct watch *watch, struct fault *fault)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, &watch->old_mask);
    watch->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (watch->signals >= 0)
        return 0;
    sigprocmask(SIG_SETMASK, &watch->old_mask, NULL);
    return fault_errno(fault, "watch: no signalfd");
}

/* What stands there before the first save. With one exercise, that is graded at once. */
static void welcome(struct watch *watch, const struct exercise *only)
{
    const struct student *student = watch->student;
    struct page page = page_begin(watch->context, &watch->screen);
    char *what = only != NULL ? memory_text(watch->context, only->id)
                              : memory_format(watch->context, "%zu exercises", student->course->count);

    page_paragraph(
        &page, 0, PAINT_PLAIN, "", PAINT_PLAIN,
        memory_format(watch->context, "Watching %s. Save a file below exercises/ and it is graded. Ctrl-C ends.", what),
        0);
    page_write(&page, student->out);
    fflush(student->out);
    for (size_t i = 0; i < student->course->count; i++)
        if (&student->course->exercises[i] == only)
            watch->pending[i] = true;
}

int command_watch(const struct student *student, struct fault *fault)
{
    struct watch watch = {.student = student, .screen = *student->screen};
    const struct exercise *only = NULL;
    int status = -1;

    if (student->words != NULL && *student->words != '\0') {
        only = course_find(student->course, student->words, fault);
        if (only == NULL)
            return -1;
    }
    watch.context = memory_context(NULL);
    watch.pending = memory_zeroed(watch.context, student->course->count, sizeof *watch.pending);
    watch.watcher = watcher_open(watch.context, student->course, only, fault);
    if (watch.watcher == NULL)
        goto free_context;
    if (signals_take(&watch, fault) != 0)
        goto close_watcher;
    welcome(&watch, only);
    status = watch_loop(&watch, fault);
    screen_status_clear(student->out, &watch.screen);
    close(watch.signals);
    sigprocmask(SIG_SETMASK, &watch.old_mask, NULL);
close_watcher:
    watcher_close(watch.watcher);
free_context:
    talloc_free(watch.context);
    return status;
}
