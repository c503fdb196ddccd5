/* selfcheck_bench.c - what the grader itself costs, as ratios within one run.
 *
 * The yardstick is one start of helgrind on a program that starts two threads and does nothing else, in processor time
 * (user and system, with all children). What is compared with it runs in turn with it, so a machine whose speed
 * drifts slows both. The explorer is compared with the same scenario run by real threads. The figures go to
 * build/bench.tsv and to the screen.
 */
#include "child.h"
#include "files.h"
#include "memory.h"
#include "now.h"
#include "process.h"
#include "selfcheck.h"
#include "timing_rule.h"

#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

static int run_helgrind(struct bench_sheet *sheet, struct child_result *result, struct fault *fault)
{
    const char *argv[] = {"valgrind", "--command-line-only=yes", "--tool=helgrind", "-q", sheet->empty, NULL};

    return run(sheet, argv, result, fault);
}

static void note(struct bench_sheet *sheet, const char *what, double value, const char *unit, const char *target)
{
    printf("%-72s %8.2f %-10s %s\n", what, value, unit, target);
    fflush(stdout);
    sheet->table = memory_append(sheet->context, sheet->table, "%s\t%.3f\t%s\t%s\n", what, value, unit, target);
}

/* Medians of one grading: processor time, and that over a start of helgrind's in turn with it, and what of the clock's
 * time over its clock's time. `less`, where given, is taken off the first two: what is left is the cost of the stages
 * that it leaves out. */
struct cost {
    double cpu_s, helgrinds, wall_helgrinds;
};

static int measure_cost(struct bench_sheet *sheet, const char *const *argv, const char *const *less, struct cost *cost,
                        struct fault *fault)
{
    double times_s[ROUNDS], ratios[ROUNDS], walls[ROUNDS];
    struct child_result yardstick, result;

    if (run(sheet, argv, &result, fault) < 0) /* warms the cache */
        return -1;
    for (int i = 0; i < ROUNDS; i++) {
        if (run_helgrind(sheet, &yardstick, fault) < 0 || run(sheet, argv, &result, fault) < 0)
            return -1;
        times_s[i] = result.cpu_s;
        walls[i] = result.wall_s / yardstick.wall_s;
        if (less != NULL) {
            if (run(sheet, less, &result, fault) < 0)
                return -1;
            times_s[i] -= result.cpu_s;
        }
        ratios[i] = times_s[i] / yardstick.cpu_s;
    }
    *cost = (struct cost){timing_median(times_s, ROUNDS), timing_median(ratios, ROUNDS), timing_median(walls, ROUNDS)};
    return 0;
}

/* ---- until the first failing test is shown ----------------------------------------------------------------------- */

/* What the processes of this one have used so far. */
static double tree_cpu_s(void *context, pid_t pid)
{
    void *scratch = memory_context(context);
    struct pid_list tree = {0};

    process_tree(scratch, pid, &tree);
    double total_s = process_cpu_s(&tree);
    talloc_free(scratch);
    return total_s;
}

/* Reads until `words` have come or there is no more. What comes in two pieces is found too. */
static bool read_until(int fd, const char *words)
{
    char text[8192];
    size_t used = 0, keep = strlen(words);

    for (;;) {
        ssize_t got = read(fd, text + used, sizeof text - 1 - used);
        if (got <= 0)
            return false;
        used += (size_t)got;
        text[used] = '\0';
        if (strstr(text, words) != NULL)
            return true;
        if (used > keep) {
            memmove(text, text + used - keep, keep);
            used = keep;
        }
    }
}

/* Runs the command on a terminal of its own until one line says that a test fails: processor time and the clock's. */
static int run_to_first_failure(struct bench_sheet *sheet, const char *const *argv, double *cpu_s, double *wall_s,
                                struct fault *fault)
{
    double began_s = now_s();
    int terminal, status;
    char rest[4096];
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

    if (pid < 0)
        return fault_errno(fault, "no terminal for %s", argv[0]);
    if (pid == 0) {
        setenv("TERM", "xterm", 1);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    bool came = read_until(terminal, " fails ");
    *wall_s = now_s() - began_s;
    *cpu_s = tree_cpu_s(sheet->context, pid);
    kill(pid, SIGINT);
    while (read(terminal, rest, sizeof rest) > 0)
        continue;
    waitpid(pid, &status, 0);
    close(terminal);
    return came ? 0 : fault_set(fault, "%s showed no test that fails", argv[0]);
}

/* The same as measure_cost(), but until then. */
static int measure_first(struct bench_sheet *sheet, const char *const *argv, struct cost *cost, struct fault *fault)
{
    double times_s[ROUNDS], ratios[ROUNDS], walls[ROUNDS], wall_s = 0;
    struct child_result yardstick;

    if (run_to_first_failure(sheet, argv, &times_s[0], &wall_s, fault) < 0) /* warms the cache */
        return -1;
    for (int i = 0; i < ROUNDS; i++) {
        times_s[i] = 0;
        if (run_helgrind(sheet, &yardstick, fault) < 0 ||
            run_to_first_failure(sheet, argv, &times_s[i], &wall_s, fault) < 0)
            return -1;
        ratios[i] = times_s[i] / yardstick.cpu_s;
        walls[i] = wall_s / yardstick.wall_s;
    }
    *cost = (struct cost){timing_median(times_s, ROUNDS), timing_median(ratios, ROUNDS), timing_median(walls, ROUNDS)};
    return 0;
}

/* ---- exercises --------------------------------------------------------------------------------------------------- */

/* What is measured of each exercise. */
enum { WHOLE, FIRST, FIRST_SCREEN, STARTER, STAGE, SCREEN, MEASURED };

static const char *const measured_of[MEASURED] = {
    [WHOLE] = "full verdict, passing",
    [FIRST] = "starter until the first failing test is shown",
    [FIRST_SCREEN] = "the same by the clock, on all cores",
    [STARTER] = "starter up to the end of its tests",
    [STAGE] = "the stage interleavings",
    [SCREEN] = "full verdict by the clock, on all cores",
};

/* By the clock is what a student waits for, alone at the machine; by processor time is what a class costs. Where the
 * starter fails at another stage than the tests, there is no first failing test, and its figures are 0. */
static int measure_exercise(struct bench_sheet *sheet, const struct exercise *exercise, struct cost costs[MEASURED],
                            struct fault *fault)
{
    const char *root = sheet->course->root, *id = exercise->id;
    const char *reference = exercise->reference, *starter = exercise->starter;
    const char *grade = sheet->grade;
    const char *whole[] = {grade, "--root", root, "--jobs", "1", "--source", reference, id, NULL};
    const char *first[] = {grade, "--root", root, "--jobs", "1", "--source", starter, id, NULL};
    const char *whole_starter[] = {grade,      "--root", root, "--jobs", "1", "--stages", "build,rules,tests",
                                   "--source", starter,  id,   NULL};
    const char *with[] = {grade,      "--root",  root, "--jobs", "1", "--stages", "build,interleavings",
                          "--source", reference, id,   NULL};
    const char *without[] = {grade,   "--root",   root,      "--jobs", "1", "--stages",
                             "build", "--source", reference, id,       NULL};
    const char *screen[] = {grade, "--root", root, "--source", reference, id, NULL};
    const char *first_screen[] = {grade, "--root", root, "--source", starter, id, NULL};
    bool has_first = exercise->starter_fails_at == STAGE_TESTS;

    if (!has_first)
        costs[FIRST] = costs[FIRST_SCREEN] = (struct cost){0};
    if (measure_cost(sheet, whole, NULL, &costs[WHOLE], fault) < 0 ||
        (has_first && (measure_first(sheet, first, &costs[FIRST], fault) < 0 ||
                       measure_first(sheet, first_screen, &costs[FIRST_SCREEN], fault) < 0)) ||
        measure_cost(sheet, whole_starter, NULL, &costs[STARTER], fault) < 0 ||
        measure_cost(sheet, with, without, &costs[STAGE], fault) < 0 ||
        measure_cost(sheet, screen, NULL, &costs[SCREEN], fault) < 0)
        return -1;
    costs[SCREEN].helgrinds = costs[SCREEN].wall_helgrinds;
    costs[FIRST_SCREEN].helgrinds = costs[FIRST_SCREEN].wall_helgrinds;
    for (int i = 0; i < MEASURED; i++)
        if (costs[i].helgrinds > 0)
            note(sheet, memory_format(sheet->context, "%s: %s", id, measured_of[i]), costs[i].helgrinds, "helgrinds",
                 "");
    return 0;
}

static int measure_exercises(struct bench_sheet *sheet, struct fault *fault)
{
    size_t count = sheet->course->count, firsts = 0;
    double *values[MEASURED + 1];

    for (int i = 0; i <= MEASURED; i++)
        values[i] = memory_zeroed(sheet->context, count, sizeof *values[i]);
    for (size_t i = 0; i < count; i++) {
        struct cost costs[MEASURED];
        if (measure_exercise(sheet, &sheet->course->exercises[i], costs, fault) < 0)
            return -1;
        for (int j = 0; j < MEASURED; j++)
            values[j][j == FIRST || j == FIRST_SCREEN ? firsts : i] = costs[j].helgrinds;
        firsts += costs[FIRST].helgrinds > 0;
        values[MEASURED][i] = costs[WHOLE].cpu_s;
    }
    note(sheet, "full verdict on one passing exercise, median", timing_median(values[WHOLE], count), "helgrinds",
         "at most 3");
    note(sheet, "the same in processor time, median", timing_median(values[MEASURED], count), "CPU s", "");
    note(sheet, "first failing test on the screen, median", timing_median(values[FIRST], firsts), "helgrinds",
         "at most 1");
    note(sheet, "the same by the clock, on all cores, median", timing_median(values[FIRST_SCREEN], firsts), "helgrinds",
         "at most 1");
    note(sheet, "starter up to the end of its tests, median", timing_median(values[STARTER], count), "helgrinds", "");
    note(sheet, "full verdict by the clock, on all cores, median", timing_median(values[SCREEN], count), "helgrinds",
         "at most 3");
    note(sheet, "explorer: the stage interleavings, median", timing_median(values[STAGE], count), "helgrinds",
         "at most 1");
    return 0;
}

static const char *shell_words(struct bench_sheet *sheet, const char *between)
{
    const struct exercise *exercise = &sheet->course->exercises[0];
    const char *one = memory_format(sheet->context, "'%s' --root '%s' --jobs 1 --source '%s' %s >/dev/null",
                                    sheet->grade, sheet->course->root, exercise->reference, exercise->id);

    return memory_format(sheet->context, "for i in 1 2 3; do %s %s %s; wait; done", one, between, one);
}

/* How much two cores are to this machine: two graders side by side that know nothing of each other. */
static int measure_machine(struct bench_sheet *sheet, struct fault *fault)
{
    const char *in_turn[] = {"sh", "-c", shell_words(sheet, ";"), NULL};
    const char *at_once[] = {"sh", "-c", shell_words(sheet, "&"), NULL};
    double ratios[JOB_ROUNDS];

    for (int i = 0; i < JOB_ROUNDS; i++) {
        struct child_result turns, once;
        if (run(sheet, in_turn, &turns, fault) < 0 || run(sheet, at_once, &once, fault) < 0)
            return -1;
        ratios[i] = turns.wall_s / once.wall_s;
    }
    note(sheet, "this machine: two graders in turn over two at once, median", timing_median(ratios, JOB_ROUNDS),
         "times", "");
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

/* ---- the explorer ------------------------------------------------------------------------------------------------ */

/* The scenario with real threads, once and again in one process; prints the processor time of one run in seconds. */
static const char native_program[] =
    "#define _POSIX_C_SOURCE 200809L\n"
    "#include <stdio.h>\n"
    "#include <time.h>\n"
    "int scenario_main(void);\n"
    "int main(void)\n{\n"
    "    struct timespec used;\n"
    "    enum { RUNS = 2000 };\n"
    "    for (int i = 0; i < RUNS; i++) scenario_main();\n"
    "    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);\n"
    "    printf(\"%.9f\\n\", ((double)used.tv_sec + (double)used.tv_nsec * 1e-9) / RUNS);\n"
    "    return 0;\n}\n";

struct explorer_bench {
    char *interleave, *scenario, *native;
};

static int make_native(struct bench_sheet *sheet, const struct explorer_bench *bench, struct fault *fault)
{
    char *driver = memory_format(sheet->context, "%s.c", bench->native);
    char *object = memory_format(sheet->context, "%s.o", bench->native);
    const char *compile[] = {"gcc", "-g", "-O1", "-Dmain=scenario_main", "-c", bench->scenario, "-o", object, NULL};
    const char *link[] = {"gcc", "-g", "-O1", "-pthread", driver, object, "-o", bench->native, NULL};
    struct child_result result;

    if (files_write(driver, native_program, sizeof native_program - 1, fault) < 0)
        return -1;
    return run(sheet, compile, &result, fault) < 0 ? -1 : run(sheet, link, &result, fault);
}

/* One search of the scenario: interleavings a second, and its seconds, both of processor time. */
static int search_once(struct bench_sheet *sheet, const struct explorer_bench *bench, const char *preemptions,
                       double *rate, double *cpu_s, struct fault *fault)
{
    const char *argv[] = {bench->interleave, "--measure", "--no-reduction", "--runs", "1000000",
                          "--preemptions",   preemptions, bench->scenario,  NULL};
    struct child_result result;
    unsigned long long runs;

    if (run(sheet, argv, &result, fault) < 0)
        return -1;
    if (sscanf(result.out, "%llu runs (%*u cut short) in %lf s", &runs, cpu_s) != 2 || *cpu_s <= 0)
        return fault_set(fault, "interleave --measure says '%.100s'", result.out);
    *rate = (double)runs / *cpu_s;
    return 0;
}

static int native_once(struct bench_sheet *sheet, const struct explorer_bench *bench, double *cpu_s,
                       struct fault *fault)
{
    const char *argv[] = {bench->native, NULL};
    struct child_result result;

    if (run(sheet, argv, &result, fault) < 0)
        return -1;
    if (sscanf(result.out, "%lf", cpu_s) != 1)
        return fault_set(fault, "%s says '%.100s'", bench->native, result.out);
    return 0;
}

/* Two producers of two items, two consumers of two, one slot, one condition variable. */
static int measure_explorer(struct bench_sheet *sheet, struct fault *fault)
{
    const char *root = sheet->course->root;
    struct explorer_bench bench = {
        .interleave = memory_format(sheet->context, "%s/build/interleave", root),
        .scenario = memory_format(sheet->context, "%s/grader/explore/tests/queue_right.c", root),
        .native = memory_format(sheet->context, "%s/build/bench-native", root),
    };
    double rates[ROUNDS] = {0}, ratios[ROUNDS] = {0}, seconds[ROUNDS] = {0};

    if (make_native(sheet, &bench, fault) < 0)
        return -1;
    for (int i = 0; i < ROUNDS; i++) {
        double cpu_s = 0, native_s = 0, rate_of_few = 0;
        if (search_once(sheet, &bench, "all", &rates[i], &cpu_s, fault) < 0 ||
            native_once(sheet, &bench, &native_s, fault) < 0 ||
            search_once(sheet, &bench, "2", &rate_of_few, &seconds[i], fault) < 0)
            return -1;
        ratios[i] = rates[i] * native_s;
    }
    note(sheet, "explorer: interleavings of the queue in a second of CPU, median", timing_median(rates, ROUNDS) / 1000,
         "thousands", "at least 300");
    note(sheet, "explorer: the same over runs with real threads, median", timing_median(ratios, ROUNDS), "times",
         "at least 25");
    note(sheet, "explorer: all of the queue up to 2 preemptions, median", timing_median(seconds, ROUNDS), "CPU s",
         "below 1");
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

int selfcheck_bench(void *context, const struct course *course, const struct exercise *only, struct fault *fault)
{
    struct cost costs[MEASURED];
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
    if (only != NULL)
        return make_empty(&sheet, fault) < 0 ? -1 : measure_exercise(&sheet, only, costs, fault);
    if (make_empty(&sheet, fault) < 0 || measure_explorer(&sheet, fault) < 0 || measure_exercises(&sheet, fault) < 0 ||
        measure_jobs(&sheet, fault) < 0 || measure_machine(&sheet, fault) < 0)
        return -1;
    printf("written to build/bench.tsv\n");
    return files_write(path, sheet.table, strlen(sheet.table), fault);
}
