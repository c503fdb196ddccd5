/* class.c - a folder of submissions, each sub-folder one student.
 *
 * Theory of operation. The sub-folders are listed once, sorted by their bytes; each becomes one record, also one that
 * cannot be graded (a symbolic link is not followed). All gradings of all students are jobs of one pool, student after
 * student, so a student who hangs holds up one worker and nobody else. The pool reports in that order; when the last
 * grading of a student is in, the student's JSON is written, whole, and the row is printed. Only sums are kept beyond
 * that, for class.csv, which is written when all are done: a file that is there is complete.
 */
#include "class.h"

#include "files.h"
#include "memory.h"
#include "now.h"
#include "pool.h"
#include "text.h"
#include "verdict_json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_COLUMNS_MAX = 32 };

/* What is known of a student beyond the written JSON. */
struct record {
    const char *name;    /* the folder's name, any bytes */
    const char *shown;   /* the same, on one line */
    const char *refused; /* why it was not graded, or NULL */
    int *points;         /* by exercise */
    int passed, failed, inconclusive, missing, broken, rules;
    int all_points, max_points;
};

struct class
{
    void *context;
    const struct options *options;
    const struct course *course;
    const struct exercise *const *exercises;
    size_t exercise_count;
    FILE *out;
    const struct screen *screen;
    struct fault *fault;
    const char *out_dir;

    struct record *records;
    size_t record_count;
    size_t left_out;           /* entries that are no folders */
    const size_t *job_records; /* by job: whose it is */
    size_t job_count, jobs_done;

    void *student_context; /* verdicts of the student being collected */
    struct verdict **verdicts;
    size_t verdict_count;
    size_t next_record; /* the first whose row is not printed */

    double began_s;
    const char *now; /* what goes on, for the status line */
    int columns;     /* of the names in the table */
};

/* ---- who is there ------------------------------------------------------------------------------------------------ */

static int by_name(const void *left, const void *right)
{
    const struct record *a = left, *b = right;

    return strcmp(a->name, b->name);
}

static void add_record(struct class *class, const char *name, const char *refused)
{
    class->records = memory_grown(class->context, class->records, class->record_count + 1, sizeof *class->records);
    class->records[class->record_count++] = (struct record){
        .name = memory_text(class->context, name),
        .shown = class_shown_name(class->context, name),
        .refused = refused,
        .points = memory_zeroed(class->context, class->exercise_count, sizeof(int)),
    };
}

static int list_students(struct class *class)
{
    const char *dir = class->options->submissions;
    DIR *stream = opendir(dir);
    const struct dirent *entry;

    if (stream == NULL)
        return fault_errno(class->fault, "--submissions: %.200s", dir);
    while ((entry = readdir(stream)) != NULL) {
        struct stat status;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            add_record(class, entry->d_name, "it cannot be read");
        else if (S_ISLNK(status.st_mode))
            add_record(class, entry->d_name, "it is a symbolic link, which is not followed");
        else if (S_ISDIR(status.st_mode) && *entry->d_name != '.')
            add_record(class, entry->d_name,
                       faccessat(dirfd(stream), entry->d_name, R_OK | X_OK, 0) == 0 ? NULL : "it cannot be read");
        else
            class->left_out++;
    }
    closedir(stream);
    if (class->record_count == 0)
        return fault_set(class->fault, "--submissions %.200s: there is no folder in it; each student's tree is one.",
                         dir);
    qsort(class->records, class->record_count, sizeof *class->records, by_name);
    return 0;
}

/* ---- one student ------------------------------------------------------------------------------------------------- */

static bool failed_rules(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->result_count; i++) {
        if (verdict->results[i].outcome == OUTCOME_FAILED && strcmp(verdict->results[i].stage, "rules") == 0)
            return true;
    }
    return false;
}

static void count_verdict(struct record *record, size_t exercise, const struct verdict *verdict)
{
    record->points[exercise] = verdict->points;
    record->all_points += verdict->points;
    record->max_points += verdict->max_points;
    record->passed += verdict->outcome == OUTCOME_PASSED || verdict->outcome == OUTCOME_INCONCLUSIVE;
    record->inconclusive += verdict->outcome == OUTCOME_INCONCLUSIVE;
    record->failed += verdict->outcome == OUTCOME_FAILED && !verdict->missing;
    record->missing += verdict->missing;
    record->broken += verdict->outcome == OUTCOME_BROKEN;
    record->rules += failed_rules(verdict);
}

static int write_student(struct class *class, const struct record *record)
{
    json_t *report = report_to_json(record->name, (const struct verdict *const *)class->verdicts, class->verdict_count);
    char *name = class_file_name(class->student_context, record->name);
    const char *path = memory_format(class->student_context, "%s/%s.json", class->out_dir, name);

    if (record->refused != NULL)
        json_object_set_new(report, "refused", json_string(record->refused));
    int written = report_write(report, path, class->fault);
    json_decref(report);
    return written;
}

/* What a teacher has to look at, in a few words; "" where nothing. */
static const char *needs_a_look(void *context, const struct record *record)
{
    char *text = memory_text(context, "");

    if (record->refused != NULL)
        return memory_format(context, "not graded: %s", record->refused);
    if (record->broken > 0)
        text = memory_append(context, text, "the grader failed (%d)  ", record->broken);
    if (record->rules > 0)
        text = memory_append(context, text, "rules (%d)  ", record->rules);
    if (record->inconclusive > 0)
        text = memory_append(context, text, "inconclusive (%d)  ", record->inconclusive);
    if (record->missing > 0)
        text = memory_append(context, text, "no submission (%d)  ", record->missing);
    size_t length = strlen(text);
    return memory_text_n(context, text, length > 2 ? length - 2 : 0);
}

static const char *name_cell(struct class *class, void *context, const char *shown)
{
    const char *clean = text_clean(context, shown, class->screen->utf8);

    return text_padded(context, text_cut(context, clean, class->columns, class->screen->utf8), class->columns);
}

static void print_row(struct class *class, const struct record *record)
{
    void *context = memory_context(NULL);
    const char *passed = memory_format(context, "%d of %zu", record->passed, class->exercise_count);
    const char *points = memory_format(context, "%d of %d", record->all_points, record->max_points);

    screen_status_clear(class->out, class->screen);
    fprintf(class->out, "%s  %9s  %12s  %s\n", name_cell(class, context, record->shown),
            record->refused != NULL ? "-" : passed, record->refused != NULL ? "-" : points,
            needs_a_look(context, record));
    talloc_free(context);
}

/* Writes and prints the student at next_record, all of whose verdicts are collected. Returns whether to go on. */
static bool finish_student(struct class *class)
{
    const struct record *record = &class->records[class->next_record++];

    if (write_student(class, record) != 0)
        return false;
    print_row(class, record);
    talloc_free(class->student_context);
    class->student_context = memory_context(class->context);
    class->verdict_count = 0;
    if (fflush(class->out) == 0)
        return true;
    fault_errno(class->fault, "the output cannot be written");
    return false;
}

/* Those that are refused have no gradings to wait for. */
static bool finish_refused(struct class *class)
{
    while (class->next_record < class->record_count && class->records[class->next_record].refused != NULL) {
        if (!finish_student(class))
            return false;
    }
    return true;
}

/* ---- while gradings run ------------------------------------------------------------------------------------------ */

static void show_status(struct class *class)
{
    double share = class->job_count == 0 ? 1 : (double)class->jobs_done / (double)class->job_count;
    double elapsed_s = now_s() - class->began_s;
    char left[64] = "";

    /* An estimate from less than this is a guess. */
    if (class->jobs_done >= 5 && elapsed_s > 5) {
        double left_s = elapsed_s / share - elapsed_s;

        if (left_s < 90)
            snprintf(left, sizeof left, " · about %.0f s left", left_s);
        else
            snprintf(left, sizeof left, " · about %.0f min left", left_s / 60);
    }
    screen_status(class->out, class->screen, "%zu of %zu students · %.0f %%%s · %s", class->next_record,
                  class->record_count, 100 * share, left, class->now == NULL ? "" : class->now);
}

static void on_stage(void *data, size_t job, const char *stage)
{
    struct class *class = data;
    const struct record *record = &class->records[class->job_records[job]];

    talloc_free((void *)class->now);
    class->now = memory_format(class->context, "%s: %s (%s)", record->shown,
                               class->exercises[job % class->exercise_count]->id, stage);
    show_status(class);
}

static bool on_done(void *data, size_t job, const struct verdict *verdict)
{
    struct class *class = data;
    size_t exercise = job % class->exercise_count;

    count_verdict(&class->records[class->job_records[job]], exercise, verdict);
    class->verdicts[class->verdict_count++] = verdict_copy(class->student_context, verdict);
    class->jobs_done++;
    if (class->verdict_count == class->exercise_count && !(finish_student(class) && finish_refused(class)))
        return false;
    show_status(class);
    return true;
}

/* ---- before and after -------------------------------------------------------------------------------------------- */

static struct job *make_jobs(struct class *class)
{
    struct job *jobs = memory_zeroed(class->context, class->record_count * class->exercise_count, sizeof *jobs);
    size_t *owners = memory_zeroed(class->context, class->record_count * class->exercise_count, sizeof *owners);

    for (size_t i = 0; i < class->record_count; i++) {
        const struct record *record = &class->records[i];
        const char *tree = memory_format(class->context, "%s/%s", class->options->submissions, record->name);

        for (size_t j = 0; record->refused == NULL && j < class->exercise_count; j++) {
            owners[class->job_count] = i;
            jobs[class->job_count++] = (struct job){
                .exercise = class->exercises[j],
                .request = {.tree = tree,
                            .own = class->options->own,
                            .student = record->name,
                            .stages = class->options->stages},
            };
        }
    }
    class->job_records = owners;
    return jobs;
}

static void print_head(struct class *class)
{
    void *context = memory_context(NULL);

    for (size_t i = 0; i < class->record_count; i++) {
        int width = text_width(text_clean(context, class->records[i].shown, class->screen->utf8));

        if (width > class->columns)
            class->columns = width;
    }
    if (class->columns > NAME_COLUMNS_MAX)
        class->columns = NAME_COLUMNS_MAX;
    fprintf(class->out, "%zu submission%s, %zu exercise%s, %d at a time.\n", class->record_count,
            class->record_count == 1 ? "" : "s", class->exercise_count, class->exercise_count == 1 ? "" : "s",
            class->options->jobs);
    fprintf(class->out, "Not isolated yet: their programs run with your rights. Grade only people you trust.\n");
    if (class->left_out > 0)
        fprintf(class->out, "%zu entr%s left out: not a folder, or hidden.\n", class->left_out,
                class->left_out == 1 ? "y is" : "ies are");
    fprintf(class->out, "\n%s  %9s  %12s  %s\n", name_cell(class, context, "student"), "passed", "points",
            "needs a look");
    fflush(class->out);
    talloc_free(context);
}

static void print_sums(const struct class *class)
{
    int complete = 0, nothing = 0, rules = 0, broken = 0, refused = 0, inconclusive = 0;

    for (size_t i = 0; i < class->record_count; i++) {
        const struct record *record = &class->records[i];

        complete += record->refused == NULL && record->passed == (int)class->exercise_count;
        nothing += record->refused == NULL && record->missing == (int)class->exercise_count;
        rules += record->rules > 0;
        broken += record->broken > 0;
        refused += record->refused != NULL;
        inconclusive += record->inconclusive > 0;
    }
    fprintf(class->out, "\n%zu done: %d passed all, %d handed in nothing, %d need a look", class->record_count,
            complete, nothing, rules + broken + refused);
    if (rules + broken + refused > 0)
        fprintf(class->out, " (rules %d, unreadable %d, the grader %d)", rules, refused, broken);
    fprintf(class->out, ".\n");
    if (inconclusive > 0)
        fprintf(class->out, "%d inconclusive on timing, which costs no points: the machine was too busy.\n",
                inconclusive);
    fprintf(class->out, "Records: %s/class.csv and one JSON a student beside it.\n",
            class->options->out != NULL ? class->options->out : "build/class");
}

static char *csv_row(struct class *class, char *text, const struct record *record)
{
    void *context = memory_context(NULL);

    text = memory_append(class->context, text, "%s,%d,%d,%d,%d,%d,%d,%d,%s", class_csv_field(context, record->shown),
                         record->all_points, record->max_points, record->passed, record->failed, record->inconclusive,
                         record->missing, record->broken, class_csv_field(context, needs_a_look(context, record)));
    for (size_t i = 0; i < class->exercise_count; i++)
        text = memory_append(class->context, text, ",%d", record->points[i]);
    talloc_free(context);
    return memory_append(class->context, text, "\r\n");
}

static const char *csv_path(const struct class *class)
{
    return memory_format(class->context, "%s/class.csv", class->out_dir);
}

static int write_csv(struct class *class)
{
    char *text = memory_text(class->context,
                             "student,points,max_points,passed,failed,inconclusive,no_submission,broken,needs_a_look");

    for (size_t i = 0; i < class->exercise_count; i++)
        text = memory_append(class->context, text, ",%s", class_csv_field(class->context, class->exercises[i]->id));
    text = memory_append(class->context, text, "\r\n");
    for (size_t i = 0; i < class->record_count; i++)
        text = csv_row(class, text, &class->records[i]);
    return files_write(csv_path(class), text, strlen(text), class->fault);
}

static int status_of(const struct class *class)
{
    int status = 0;

    for (size_t i = 0; i < class->record_count; i++) {
        const struct record *record = &class->records[i];

        if (record->broken > 0)
            return 2;
        if (record->failed + record->missing > 0 || record->refused != NULL)
            status = 1;
    }
    return status;
}

/* Makes the folder and takes an older class.csv away: none is better than one that is out of date. */
static int open_out(struct class *class)
{
    class->out_dir = class->options->out != NULL ? class->options->out
                                                 : memory_format(class->context, "%s/build/class", class->course->root);
    if (files_make_dirs(class->out_dir, class->fault) != 0)
        return -1;
    if (unlink(csv_path(class)) != 0 && errno != ENOENT)
        return fault_errno(class->fault, "the old %s cannot be removed", csv_path(class));
    return 0;
}

static int run_jobs(struct class *class, const struct job *jobs)
{
    int signal_number = 0;
    struct pool pool = {
        .course = class->course,
        .jobs = jobs,
        .job_count = class->job_count,
        .at_once = class->options->jobs,
        .callback_context = class,
        .stage_begun = class->screen->live ? on_stage : NULL,
        .done = on_done,
        .wake_fd = -1,
    };
    enum pool_end end = pool_run(class->context, &pool, &signal_number, class->fault);

    screen_status_clear(class->out, class->screen);
    if (end == POOL_INTERRUPTED) {
        fault_set(class->fault, "interrupted after %zu of %zu students, whose records are written.", class->next_record,
                  class->record_count);
        return 128 + signal_number;
    }
    if (end != POOL_DONE)
        return -1;
    if (write_csv(class) != 0)
        return -1;
    print_sums(class);
    return status_of(class);
}

int class_grade(void *context, const struct options *options, const struct course *course,
                const struct exercise *const *exercises, FILE *out, const struct screen *screen, struct fault *fault)
{
    struct class class = {
        .context = memory_context(context),
        .options = options,
        .course = course,
        .exercises = exercises,
        .out = out,
        .screen = screen,
        .fault = fault,
        .columns = 7,
        .began_s = now_s(),
    };
    int status = -1;

    while (exercises[class.exercise_count] != NULL)
        class.exercise_count++;
    class.student_context = memory_context(class.context);
    class.verdicts = memory_zeroed(class.context, class.exercise_count, sizeof(struct verdict *));
    if (list_students(&class) != 0 || open_out(&class) != 0)
        goto done;
    print_head(&class);
    if (finish_refused(&class))
        status = run_jobs(&class, make_jobs(&class));
done:
    talloc_free(class.context);
    return status;
}
