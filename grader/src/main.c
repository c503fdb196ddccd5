/* main.c - the program `grade`: reads the command line, does what it says, gives the exit status.
 *
 * 0: all passed, or too busy a machine to tell; 1: something failed; 2: bad usage, or the grader could not do its work;
 * 128 + signal: interrupted.
 */
#include "class.h"
#include "command_explore.h"
#include "course.h"
#include "doctor.h"
#include "files.h"
#include "memory.h"
#include "options.h"
#include "pool.h"
#include "progress.h"
#include "screen.h"
#include "starter.h"
#include "student.h"
#include "verdict_json.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_GOOD = 0, EXIT_SOMETHING_FAILED = 1, EXIT_FAULT = 2, EXIT_SIGNAL = 128 };

/* One run of the program. */
struct session {
    void *context;
    const struct options *options;
    struct course course;
    struct screen screen;
    FILE *out; /* what a person reads: standard output, or standard error where that is for JSON */
    const char *build_dir;
    struct fault fault;

    const struct exercise **exercises; /* what to grade, in course order; NULL-terminated */
    size_t exercise_count;
    struct verdict *verdicts; /* of those, as far as they are done */
    size_t verdict_count;
    const char *stage; /* the stage begun last, for the status line, and whose */
    size_t stage_job;
    int output_error; /* errno of the first write that failed; 0: none */
    bool failed;      /* the fault says why it cannot go on */
};

/* ---- what to grade ----------------------------------------------------------------------------------------------- */

static bool is_exploring(const struct options *options)
{
    return options->command == COMMAND_EXPLORE || options->command == COMMAND_REPLAY;
}

/* All that the words name, each once, in course order. */
static int select_exercises(struct session *session)
{
    const struct options *options = session->options;
    const struct course *course = &session->course;
    bool *chosen = memory_zeroed(session->context, course->count, sizeof *chosen);

    size_t words = options->command == COMMAND_REPLAY ? 1 : options->word_count; /* the second is the token */

    for (size_t i = 0; i < words; i++) {
        const struct exercise **found;

        found = course_select(session->context, course, options->words[i], &session->fault);
        if (found == NULL)
            return -1;
        for (; *found != NULL; found++)
            chosen[*found - course->exercises] = true;
    }
    session->exercises = memory_zeroed(session->context, course->count + 1, sizeof(struct exercise *));
    for (size_t i = 0; i < course->count; i++) {
        if (chosen[i] || options->word_count == 0)
            session->exercises[session->exercise_count++] = &course->exercises[i];
    }
    const char *needs_one = options->source != NULL ? "--source" : is_exploring(options) ? "exploring" : NULL;
    if (needs_one != NULL && session->exercise_count != 1)
        return fault_set(&session->fault, "%s needs one EXERCISE; '%.80s' is a whole chapter.", needs_one,
                         options->words[0]);
    return 0;
}

static int check_sources(struct session *session)
{
    const struct options *options = session->options;

    if (options->tree != NULL && !files_is_dir(options->tree))
        return fault_set(&session->fault, "--tree: there is no folder %.200s.", options->tree);
    if (options->source != NULL && access(options->source, F_OK) != 0)
        return fault_errno(&session->fault, "--source: %.200s", options->source);
    return 0;
}

/* ---- while gradings run ------------------------------------------------------------------------------------------ */

/* Whether the student's own file was graded, whole: only that counts as progress. */
static bool counts_as_progress(const struct options *options)
{
    return options->command == COMMAND_GRADE && options->tree == NULL && options->source == NULL && !options->own &&
           options->stages == STAGES_ALL;
}

static bool is_full_disk(const char *reason)
{
    static const int errors[] = {ENOSPC, EDQUOT, EFBIG, EROFS};

    for (size_t i = 0; reason != NULL && i < sizeof errors / sizeof *errors; i++) {
        if (strstr(reason, strerror(errors[i])) != NULL)
            return true;
    }
    return false;
}

static void show_status(struct session *session)
{
    if (session->stage == NULL)
        return;
    screen_status(session->out, &session->screen, "%s%s · %s …",
                  session->exercise_count > 1 ? memory_format(session->context, "%zu of %zu · ", session->verdict_count,
                                                              session->exercise_count)
                                              : "",
                  session->exercises[session->stage_job]->id, session->stage);
}

static void on_stage(void *data, size_t job, const char *stage)
{
    struct session *session = data;

    session->stage = memory_text(session->context, stage);
    session->stage_job = job;
    show_status(session);
}

/* The first thing to know, seconds before the verdict. */
static void on_test_failed(void *data, size_t job, const char *test)
{
    struct session *session = data;

    on_stage(session, job, memory_format(session->context, "tests: %s fails", test));
}

static bool on_done(void *data, size_t job, const struct verdict *verdict)
{
    struct session *session = data;
    const struct exercise *exercise = session->exercises[job];

    screen_status_clear(session->out, &session->screen);
    /* A full disk would break every grading that follows in the same way: once is enough. */
    if (verdict->outcome == OUTCOME_BROKEN && is_full_disk(verdict->reason)) {
        session->failed = true;
        fault_set(&session->fault, "%s", verdict->reason);
        return false;
    }
    struct verdict *copy = verdict_copy(session->context, verdict);
    session->verdicts[session->verdict_count++] = *copy;
    if (session->exercise_count > 1) {
        screen_line(session->out, &session->screen, copy);
        show_status(session);
    }
    if (counts_as_progress(session->options) && verdict->outcome != OUTCOME_BROKEN && !verdict->missing &&
        progress_record(session->build_dir, copy, exercise->starter, &session->fault) != 0) {
        session->failed = true;
        return false;
    }
    if (fflush(session->out) != 0)
        session->output_error = errno;
    return session->output_error == 0;
}

/* ---- after them -------------------------------------------------------------------------------------------------- */

static int status_of(const struct session *session)
{
    int status = EXIT_GOOD;

    for (size_t i = 0; i < session->verdict_count; i++) {
        if (session->verdicts[i].outcome == OUTCOME_BROKEN)
            return EXIT_FAULT;
        if (session->verdicts[i].outcome == OUTCOME_FAILED)
            status = EXIT_SOMETHING_FAILED;
    }
    return status;
}

static int write_json(struct session *session)
{
    const struct verdict **list = memory_zeroed(session->context, session->verdict_count, sizeof(struct verdict *));

    for (size_t i = 0; i < session->verdict_count; i++)
        list[i] = &session->verdicts[i];
    json_t *report = report_to_json(NULL, list, session->verdict_count);
    int written = report_write(report, session->options->json, &session->fault);
    json_decref(report);
    return written;
}

static int print_one(struct session *session)
{
    const char *reason = NULL;

    if (!is_exploring(session->options))
        screen_verdict(session->out, &session->screen, session->verdicts);
    else if (!explore_print(session->out, &session->screen, session->verdicts, &reason))
        return fault_set(&session->fault, "%s", reason);
    return 0;
}

static int conclude(struct session *session)
{
    screen_status_clear(session->out, &session->screen);
    if (session->exercise_count == 1 && print_one(session) != 0)
        return EXIT_FAULT;
    if (session->exercise_count != 1)
        screen_summary(session->out, &session->screen, session->verdicts, session->verdict_count);
    if (session->options->json != NULL && write_json(session) != 0)
        return EXIT_FAULT;
    return status_of(session);
}

static int interrupted(struct session *session, int signal_number)
{
    screen_status_clear(session->out, &session->screen);
    fflush(session->out);
    fault_set(&session->fault, "interrupted; nothing is left running.");
    return EXIT_SIGNAL + signal_number;
}

static struct request request_of(const struct options *options)
{
    struct request request = {
        .tree = options->tree, .source = options->source, .own = options->own, .stages = options->stages};

    if (is_exploring(options))
        request.stages = 1u << STAGE_BUILD | 1u << STAGE_RULES | 1u << STAGE_INTERLEAVINGS;
    if (options->command == COMMAND_EXPLORE)
        request.explore_runs = EXPLORE_MORE_RUNS;
    if (options->command == COMMAND_REPLAY)
        request.replay = options->words[1];
    return request;
}

static int grade_exercises(struct session *session)
{
    const struct options *options = session->options;
    struct job *jobs = memory_zeroed(session->context, session->exercise_count, sizeof *jobs);
    int signal_number = 0;
    struct pool pool = {
        .course = &session->course,
        .jobs = jobs,
        .job_count = session->exercise_count,
        .at_once = options->jobs,
        .callback_context = session,
        .stage_begun = session->screen.live ? on_stage : NULL,
        .test_failed = session->screen.live ? on_test_failed : NULL,
        .done = on_done,
        .wake_fd = -1,
    };

    session->verdicts = memory_zeroed(session->context, session->exercise_count, sizeof *session->verdicts);
    for (size_t i = 0; i < session->exercise_count; i++)
        jobs[i] = (struct job){.exercise = session->exercises[i], .request = request_of(options)};
    switch (pool_run(session->context, &pool, &signal_number, &session->fault)) {
    case POOL_DONE:
        return conclude(session);
    case POOL_INTERRUPTED:
        return interrupted(session, signal_number);
    case POOL_STOPPED:
    case POOL_FAILED:
        break;
    }
    screen_status_clear(session->out, &session->screen);
    return EXIT_FAULT;
}

static int run_grade(struct session *session)
{
    if (select_exercises(session) != 0 || check_sources(session) != 0)
        return EXIT_FAULT;
    if (session->options->submissions != NULL) {
        int status = class_grade(session->context, session->options, &session->course, session->exercises, session->out,
                                 &session->screen, &session->fault);
        return status < 0 ? EXIT_FAULT : status;
    }
    starters_keep(&session->course, session->build_dir);
    return grade_exercises(session);
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static int run_student(struct session *session, int (*command)(const struct student *, struct fault *))
{
    const struct student student = {
        .course = &session->course,
        .screen = &session->screen,
        .out = session->out,
        .build_dir = session->build_dir,
        .words = session->options->words[0],
        .again = session->options->again,
        .jobs = session->options->jobs,
    };

    starters_keep(&session->course, session->build_dir);
    return command(&student, &session->fault) == 0 ? EXIT_GOOD : EXIT_FAULT;
}

static int run_doctor(struct session *session)
{
    const char *cache_dir = memory_format(session->context, "%s/cache", session->build_dir);

    /* A detector that does not work is said in the table; without it the grader cannot do its work. */
    return doctor_report(session->context, session->options->root, cache_dir, session->out, &session->fault) == 0
               ? EXIT_GOOD
               : EXIT_FAULT;
}

static int run_command(struct session *session)
{
    switch (session->options->command) {
    case COMMAND_HELP:
        options_help(session->out);
        return EXIT_GOOD;
    case COMMAND_VERSION:
        fputs("grade (interleave) " GRADE_VERSION "\n", session->out);
        return EXIT_GOOD;
    case COMMAND_DOCTOR:
        return run_doctor(session);
    default:
        break;
    }
    if (course_load(session->context, session->options->root, &session->course, &session->fault) != 0)
        return EXIT_FAULT;
    session->screen.course = &session->course;
    switch (session->options->command) {
    case COMMAND_LIST:
        return run_student(session, command_list);
    case COMMAND_NEXT:
        return run_student(session, command_next);
    case COMMAND_HINT:
        return run_student(session, command_hint);
    case COMMAND_RESET:
        return run_student(session, command_reset);
    case COMMAND_WATCH:
        return run_student(session, command_watch);
    default:
        return run_grade(session);
    }
}

/* A write that failed shows here at the latest. */
static int close_output(struct session *session, int status)
{
    if (fflush(session->out) != 0 && session->output_error == 0)
        session->output_error = errno;
    /* Somebody else's flush failed, and the number of the error is lost: another write tells it. */
    if (session->output_error == 0 && ferror(session->out))
        session->output_error = fputc('\n', session->out) == EOF || fflush(session->out) != 0 ? errno : EIO;
    if (session->output_error == 0)
        return status;
    errno = session->output_error;
    fault_errno(&session->fault, "the output cannot be written");
    return EXIT_FAULT;
}

/* Who closed the pipe that we write to has read enough, and is told nothing. */
static void print_fault(const struct fault *fault)
{
    if (*fault->text != '\0' && strstr(fault->text, strerror(EPIPE)) == NULL)
        fprintf(stderr, "grade: %s\n", fault->text);
}

int main(int argc, char **argv)
{
    struct options options;
    struct session session = {.context = memory_context(NULL), .options = &options, .out = stdout};

    /* A closed pipe and a file that may not grow are errors of the write, which are looked at, not ends of the program.
     */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    int status = options_parse(session.context, argc, argv, &options, &session.fault) == 0 ? EXIT_GOOD : EXIT_FAULT;
    if (status == EXIT_GOOD) {
        if (options.json != NULL && strcmp(options.json, "-") == 0)
            session.out = stderr;
        session.screen = screen_of(session.out, options.no_color);
        session.screen.verbose = options.verbose;
        if (options.root != NULL)
            session.build_dir = memory_format(session.context, "%s/build", options.root);
        status = run_command(&session);
        status = close_output(&session, status);
    }
    if (status >= EXIT_FAULT)
        print_fault(&session.fault);
    talloc_free(session.context);
    return status;
}
