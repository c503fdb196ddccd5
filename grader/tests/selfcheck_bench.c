/* selfcheck_bench.c - what the grader itself costs, as ratios within one run.
 *
 * The yardstick is one start of helgrind on a program that starts two threads and does nothing else, in processor time
 * (user and system, with all children). What is compared with it runs in turn with it, so a machine whose speed
 * drifts slows both. The figures go to build/bench.tsv and to the screen.
 */
#include "child.h"
#include "files.h"
#include "memory.h"
#include "selfcheck.h"
#include "timing_rule.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, JOB_ROUNDS = 3 };

struct bench_sheet {
    void *context;
    const struct course *course;
    char *table; /* what goes into the file */
    char *grade; /* the grader's own program */
    char *empty; /* the empty threaded program */
};

static const char empty_program[] = "#include <pthread.h>\n"
                                    "static void *nothing(void *argument) { return argument; }\n"
                                    "int main(void)\n{\n"
                                    "    pthread_t threads[2];\n"
                                    "    for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, nothing, 0);\n"
                                    "    for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);\n"
                                    "    return 0;\n}\n";

/* Runs a command; the grader's 1 ("something failed") is as good as 0 here. */
static int run(struct bench_sheet *sheet, const char *const *argv, struct child_result *result, struct fault *fault)
{
    struct child_spec spec = {.argv = argv, .wall_limit_s = 600, .processes = 1000};

    if (child_run(sheet->context, &spec, result, fault) < 0)
        return -1;
    if (result->end == CHILD_EXITED && result->status <= 1)
        return 0;
    return fault_set(fault, "%s %s: %s: %.300s", argv[0], argv[1], child_end_text(sheet->context, result), result->err);
}

static int helgrind_cpu_s(struct bench_sheet *sheet, double *cpu_s, struct fault *fault)
{
    const char *argv[] = {"valgrind", "--command-line-only=yes", "--tool=helgrind", "-q", sheet->empty, NULL};
    struct child_result result;

    if (run(sheet, argv, &result, fault) < 0)
        return -1;
    *cpu_s = result.cpu_s;
    return 0;
}

static void note(struct bench_sheet *sheet, const char *what, double value, const char *unit, const char *target)
{
    printf("%-64s %8.2f %-10s %s\n", what, value, unit, target);
    fflush(stdout);
    sheet->table = memory_append(sheet->context, sheet->table, "%s\t%.3f\t%s\t%s\n", what, value, unit, target);
}

/* The median ratio of a grading's processor time to a start of helgrind. */
static int measure_ratio(struct bench_sheet *sheet, const char *const *argv, double *ratio, struct fault *fault)
{
    double ratios[ROUNDS];
    struct child_result result;

    if (run(sheet, argv, &result, fault) < 0) /* warms the cache */
        return -1;
    for (int i = 0; i < ROUNDS; i++) {
        double yardstick_s;
        if (helgrind_cpu_s(sheet, &yardstick_s, fault) < 0 || run(sheet, argv, &result, fault) < 0)
            return -1;
        ratios[i] = result.cpu_s / yardstick_s;
    }
    *ratio = timing_median(ratios, ROUNDS);
    return 0;
}

static int measure_exercises(struct bench_sheet *sheet, struct fault *fault)
{
    size_t count = sheet->course->count;
    double *whole = memory_zeroed(sheet->context, count, sizeof *whole);
    double *first = memory_zeroed(sheet->context, count, sizeof *first);

    for (size_t i = 0; i < count; i++) {
        const struct exercise *exercise = &sheet->course->exercises[i];
        const char *root = sheet->course->root;
        const char *passing[] = {sheet->grade,        "--root",     root, "--jobs", "1", "--source",
                                 exercise->reference, exercise->id, NULL};
        const char *failing[] = {
            sheet->grade, "--root",          root,         "--jobs", "1", "--stages", "build,rules,tests",
            "--source",   exercise->starter, exercise->id, NULL};
        if (measure_ratio(sheet, passing, &whole[i], fault) < 0 || measure_ratio(sheet, failing, &first[i], fault) < 0)
            return -1;
        note(sheet, memory_format(sheet->context, "%s: full verdict, passing", exercise->id), whole[i], "helgrinds",
             "");
        note(sheet, memory_format(sheet->context, "%s: starter up to its tests", exercise->id), first[i], "helgrinds",
             "");
    }
    note(sheet, "full verdict on one passing exercise, median", timing_median(whole, count), "helgrinds", "at most 3");
    note(sheet, "first failing test after a save, median", timing_median(first, count), "helgrinds", "at most 1");
    return 0;
}

static int measure_jobs(struct bench_sheet *sheet, struct fault *fault)
{
    const char *one[] = {sheet->grade, "--root", sheet->course->root, "--tree", "solutions", "--jobs", "1", NULL};
    const char *two[] = {sheet->grade, "--root", sheet->course->root, "--tree", "solutions", "--jobs", "2", NULL};
    double ratios[JOB_ROUNDS];

    one[4] = two[4] = memory_format(sheet->context, "%s/solutions", sheet->course->root);
    for (int i = 0; i < JOB_ROUNDS; i++) {
        struct child_result alone, together;
        if (run(sheet, one, &alone, fault) < 0 || run(sheet, two, &together, fault) < 0)
            return -1;
        ratios[i] = alone.wall_s / together.wall_s;
    }
    note(sheet, "all references: wall time with 1 job over 2 jobs, median", timing_median(ratios, JOB_ROUNDS), "times",
         "at least 1.8");
    return 0;
}

static int make_empty(struct bench_sheet *sheet, struct fault *fault)
{
    char *source = memory_format(sheet->context, "%s.c", sheet->empty);
    const char *argv[] = {"gcc", "-g", "-O1", "-pthread", source, "-o", sheet->empty, NULL};
    struct child_result result;

    if (files_write(source, empty_program, sizeof empty_program - 1, fault) < 0)
        return -1;
    return run(sheet, argv, &result, fault);
}

int selfcheck_bench(void *context, const struct course *course, struct fault *fault)
{
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    struct bench_sheet sheet = {
        .context = context,
        .course = course,
        .grade = memory_format(context, "%s/build/grade", course->root),
        .empty = memory_format(context, "%s/build/bench-empty", course->root),
    };
    char *path = memory_format(context, "%s/build/bench.tsv", course->root);

    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
    sheet.table = memory_format(context, "# %s\nwhat\tvalue\tunit\ttarget\n", date);
    if (make_empty(&sheet, fault) < 0 || measure_exercises(&sheet, fault) < 0 || measure_jobs(&sheet, fault) < 0)
        return -1;
    printf("written to build/bench.tsv\n");
    return files_write(path, sheet.table, strlen(sheet.table), fault);
}
