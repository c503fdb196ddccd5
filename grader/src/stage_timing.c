/* stage_timing.c - is it about as fast as the reference, here and now?
 *
 * Theory: the bench linked with the student's object and the bench linked with the reference run in turn, as two
 * programs, pair after pair, until timing_rule.h calls the answer clear. Each program runs its workload a few times and
 * the fastest run counts: whatever else the machine does can only make a run longer.
 * A comparison of wall times is fair only on a machine that has its cores free. So the kernel's own account of all
 * processors (/proc/stat) is read before and after: what was used beyond our own programs' share, and what a
 * hypervisor stole, was somebody else's. Too much of that, and the answer is "too busy to tell", whatever the ratios
 * say; so is a reference that does not agree with itself. Processor time needs no idle machine.
 * That something is concurrent at all is no question for this stage: tests prove it without a clock.
 */
#include "bench_run.h"
#include "memory.h"
#include "stage.h"
#include "timing_rule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RUNS_A_PROGRAM = 2, PATIENCE = 4 };

/* More of the processors' time than this used by others makes a comparison of wall times unfair. */
static const double OTHERS_AT_MOST = 0.20;
/* A reference that takes this many times its own fastest is no yardstick. */
static const double SPREAD_AT_MOST = 3.0;

struct contest {
    void *context;
    struct workshop *shop;
    const char *student;
    const char *reference;
    double ratios[TIMING_PAIRS_MAX];
    size_t count;
    double fastest_s, slowest_s; /* of the reference */
    double own_cpu_s;
};

/* Seconds of all processors, from /proc/stat: how much they were busy or stolen, and how much there was. */
struct machine_time {
    double busy_s;
    double total_s;
};

static struct machine_time machine_time_now(void)
{
    struct machine_time now = {0, 0};
    unsigned long long field[8] = {0};
    FILE *file = fopen("/proc/stat", "re");

    if (file == NULL)
        return now;
    int got = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &field[0], &field[1], &field[2], &field[3],
                     &field[4], &field[5], &field[6], &field[7]);
    fclose(file);
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    for (int i = 0; i < got; i++) {
        now.total_s += (double)field[i] * tick_s;
        if (i != 3 && i != 4) /* idle, and waiting for a disk */
            now.busy_s += (double)field[i] * tick_s;
    }
    return now;
}

/* The share of the processors that others had since `before`. */
static double others_share(struct machine_time before, double own_cpu_s)
{
    struct machine_time now = machine_time_now();
    double total_s = now.total_s - before.total_s;
    double others_s = now.busy_s - before.busy_s - own_cpu_s;

    return total_s <= 0 || others_s <= 0 ? 0 : others_s / total_s;
}

static double measured_s(const struct exercise *exercise, const struct bench_times *times)
{
    return exercise->time_wall ? times->wall_s : times->cpu_s;
}

/* One pair. Returns 1 where it gave a ratio, 0 where the student's program did not do its work (`result` says how),
 * -1 with a fault. */
static int run_pair(struct contest *contest, struct stage_result *result, struct fault *fault)
{
    const struct exercise *exercise = contest->shop->exercise;
    struct bench_times reference, student;

    if (bench_run(contest->context, contest->shop, contest->reference, RUNS_A_PROGRAM, 0, &reference, fault) < 0)
        return -1;
    if (reference.problem != NULL)
        return fault_set(fault, "the reference of %s does not do its own bench: %s", exercise->id, reference.problem);
    double limit_s = fmax(2, 40 * reference.cpu_s * (RUNS_A_PROGRAM + 1));
    if (bench_run(contest->context, contest->shop, contest->student, RUNS_A_PROGRAM, limit_s, &student, fault) < 0)
        return -1;
    contest->own_cpu_s += reference.all_cpu_s + student.all_cpu_s;
    if (student.starved) {
        result->outcome = OUTCOME_INCONCLUSIVE;
        result->reason = "The machine gave the program next to no processor time: it is too busy for a fair "
                         "comparison. No points lost; run again when it is quieter.";
        return 0;
    }
    if (student.problem != NULL) {
        result->outcome = OUTCOME_FAILED;
        struct finding *finding = finding_add(contest->context, result, SEVERITY_FAILURE, student.problem);
        finding->why = "A fast answer counts only where it is the right one, and where it comes.";
        finding->detail = student.detail;
        return 0;
    }
    double reference_s = measured_s(exercise, &reference);
    if (contest->count == 0 || reference_s < contest->fastest_s)
        contest->fastest_s = reference_s;
    if (contest->count == 0 || reference_s > contest->slowest_s)
        contest->slowest_s = reference_s;
    contest->ratios[contest->count++] = measured_s(exercise, &student) / fmax(reference_s, 1e-9);
    return 1;
}

static void say_too_slow(struct contest *contest, struct stage_result *result)
{
    const struct exercise *exercise = contest->shop->exercise;
    const char *kind = exercise->time_wall ? "time" : "processor time";
    double ratios[TIMING_PAIRS_MAX];

    memcpy(ratios, contest->ratios, sizeof ratios);
    result->outcome = OUTCOME_FAILED;
    struct finding *finding =
        finding_add(contest->context, result, SEVERITY_FAILURE,
                    memory_format(contest->context,
                                  "It takes %.1f times the reference's %s; at most %.1f times is asked (median of %zu "
                                  "pairs, run in turn).",
                                  timing_median(ratios, contest->count), kind, exercise->time_at_most, contest->count));
    finding->why = exercise->time_why;
}

static void say_inconclusive(struct contest *contest, struct stage_result *result, const char *why)
{
    result->outcome = OUTCOME_INCONCLUSIVE;
    result->reason = memory_format(contest->context,
                                   "The reference itself took between %.3g and %.3g ms in %zu runs%s. No points lost; "
                                   "run again when it is quieter.",
                                   contest->fastest_s * 1e3, contest->slowest_s * 1e3, contest->count, why);
}

static bool is_crowded(const struct contest *contest, struct machine_time before)
{
    return contest->shop->exercise->time_wall && others_share(before, contest->own_cpu_s) > OTHERS_AT_MOST;
}

static void conclude(struct contest *contest, enum timing_answer answer, struct machine_time before,
                     struct stage_result *result)
{
    bool wall = contest->shop->exercise->time_wall;
    bool crowded = is_crowded(contest, before);
    bool erratic = wall && contest->slowest_s > SPREAD_AT_MOST * contest->fastest_s;

    if (crowded || erratic)
        say_inconclusive(contest, result, ": this machine is too busy for a fair comparison");
    else if (answer == TIMING_UNCLEAR)
        say_inconclusive(contest, result, " and the comparison is too close to call");
    else if (answer == TIMING_TOO_SLOW)
        say_too_slow(contest, result);
    else
        result->outcome = OUTCOME_PASSED;
}

static int link_benches(struct contest *contest, const char **log, struct fault *fault)
{
    const char *object = NULL;
    struct child_result compiled;
    char *words = NULL;

    if (toolchain_compile(contest->context, contest->shop, FLAVOUR_FAST, &object, &compiled, fault) < 0)
        return -1;
    *log = compiled.err;
    if (object == NULL)
        return 0;
    if (toolchain_link(contest->context, contest->shop, FLAVOUR_FAST, PROGRAM_BENCH, object, &contest->student, &words,
                       fault) < 0)
        return -1;
    *log = words;
    if (contest->student == NULL)
        return 0;
    if (toolchain_link(contest->context, contest->shop, FLAVOUR_FAST, PROGRAM_BENCH, NULL, &contest->reference, &words,
                       fault) < 0)
        return -1;
    if (contest->reference == NULL)
        return fault_set(fault, "the bench of %s does not link with its reference: %s", contest->shop->exercise->id,
                         words);
    return 0;
}

int stage_timing(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    struct contest contest = {.context = context, .shop = shop};
    const struct exercise *exercise = shop->exercise;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const char *log = NULL;

    if (cores < exercise->time_cores) {
        result->outcome = OUTCOME_SKIPPED;
        result->reason =
            memory_format(context, "This machine has %ld core%s and the speed-up needs %d; no points lost.", cores,
                          cores == 1 ? "" : "s", exercise->time_cores);
        return 0;
    }
    if (link_benches(&contest, &log, fault) < 0)
        return -1;
    if (contest.student == NULL) {
        result->outcome = OUTCOME_FAILED;
        finding_add(context, result, SEVERITY_FAILURE, "It does not build with -O2.")->detail = log;
        return 0;
    }

    struct machine_time before = machine_time_now();
    enum timing_answer answer = TIMING_MORE;
    while (answer == TIMING_MORE) {
        int ran = run_pair(&contest, result, fault);
        if (ran <= 0)
            return ran;
        answer = timing_decide(contest.ratios, contest.count, exercise->time_at_most);
        if (answer == TIMING_MORE && contest.count >= PATIENCE && is_crowded(&contest, before))
            answer = TIMING_UNCLEAR; /* a busy machine is not made to work 21 pairs more for the same answer */
    }
    result->checks = (int)contest.count;
    conclude(&contest, answer, before, result);
    return 0;
}
