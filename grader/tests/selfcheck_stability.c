/* selfcheck_stability.c - the same verdict every time, on a machine that has no time for it.
 *
 * Theory: twice as many processes as cores do nothing but spin, started here and ended with us (PR_SET_PDEATHSIG),
 * while every reference is graded many times and every mutant some. A reference must pass, or be inconclusive on timing
 * alone; a mutant must never pass, and must fail at the stage it names.
 */
#include "memory.h"
#include "selfcheck.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct score {
    const char *label;
    int rounds, passed, inconclusive, failed_as_named, wrong;
};

struct course_of_rounds {
    struct score *scores;
    size_t score_count;
    size_t *score_of; /* of each grading */
    size_t done;
    time_t began;
};

static void spin(void)
{
    for (volatile unsigned long turns = 0;; turns++)
        ;
}

static int start_spinners(void *context, int count, pid_t **pids, struct fault *fault)
{
    *pids = memory_zeroed(context, (size_t)count, sizeof **pids);
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return fault_errno(fault, "starting a busy process");
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            spin();
        }
        (*pids)[i] = pid;
    }
    return 0;
}

static void stop_spinners(const pid_t *pids, int count)
{
    for (int i = 0; i < count && pids[i] > 0; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
}

static void show_progress(void *data)
{
    struct exam *exam = data;
    struct course_of_rounds *rounds = exam->data;
    char bar[41];

    if (!isatty(STDERR_FILENO) || exam->count == 0)
        return;
    size_t full = rounds->done * (sizeof bar - 1) / exam->count;
    memset(bar, '#', full);
    memset(bar + full, '.', sizeof bar - 1 - full);
    bar[sizeof bar - 1] = '\0';
    long elapsed_s = (long)(time(NULL) - rounds->began);
    long left_s = rounds->done == 0 ? 0 : elapsed_s * (long)(exam->count - rounds->done) / (long)rounds->done;
    fprintf(stderr, "\r%s %zu of %zu, about %ld min left ", bar, rounds->done, exam->count, left_s / 60);
}

static bool count_one(void *data, size_t number, const struct verdict *verdict)
{
    struct exam *exam = data;
    struct course_of_rounds *rounds = exam->data;
    struct score *score = &rounds->scores[rounds->score_of[number]];
    const struct expectation *expectation = &exam->list[number];

    rounds->done++;
    score->rounds++;
    bool good = exam_as_expected(expectation, verdict);
    if (!good)
        score->wrong++;
    else if (verdict->outcome == OUTCOME_INCONCLUSIVE)
        score->inconclusive++;
    else if (expectation->fails_at < 0)
        score->passed++;
    else
        score->failed_as_named++;
    sheet_check(exam->sheet, good, "%s: %s%s%s", expectation->label, outcome_name(verdict->outcome),
                verdict->reason == NULL ? "" : ": ", verdict->reason == NULL ? "" : verdict->reason);
    show_progress(exam);
    return true;
}

/* Repeats what exam_add put into the list since `from`, so that there are `rounds` of each. */
static void repeat(struct exam *exam, struct course_of_rounds *rounds, size_t from, int times)
{
    size_t added = exam->count - from;
    size_t total = from + added * (size_t)times;

    rounds->scores = memory_grown(exam->context, rounds->scores, rounds->score_count + added, sizeof *rounds->scores);
    exam->list = memory_grown(exam->context, exam->list, total, sizeof *exam->list);
    rounds->score_of = memory_grown(exam->context, rounds->score_of, total, sizeof *rounds->score_of);
    for (size_t i = 0; i < added; i++)
        rounds->scores[rounds->score_count + i] = (struct score){.label = exam->list[from + i].label};
    for (size_t i = from; i < total; i++) {
        exam->list[i] = exam->list[from + (i - from) % added];
        rounds->score_of[i] = rounds->score_count + (i - from) % added;
    }
    rounds->score_count += added;
    exam->count = total;
}

static void print_table(const struct course_of_rounds *rounds)
{
    printf("%-58s %6s %6s %6s %6s %6s\n", "", "rounds", "passed", "incon.", "failed", "wrong");
    for (size_t i = 0; i < rounds->score_count; i++) {
        const struct score *score = &rounds->scores[i];
        if (score->rounds == 0)
            continue;
        printf("%-58.58s %6d %6d %6d %6d %6d\n", score->label, score->rounds, score->passed, score->inconclusive,
               score->failed_as_named, score->wrong);
    }
}

int selfcheck_stability(void *context, const struct course *course, const struct exercise *only, int rounds,
                        int mutant_rounds, int spinners, struct tally_sheet *sheet, struct fault *fault)
{
    struct course_of_rounds state = {.began = time(NULL)};
    struct exam exam = {.context = context, .course = course, .sheet = sheet, .data = &state};
    pid_t *pids = NULL;

    if (exam_open(&exam, fault) < 0)
        return -1;
    for (size_t i = 0; i < course->count; i++) {
        if (only != NULL && only != &course->exercises[i])
            continue;
        size_t from = exam.count;
        exam_add(&exam, &course->exercises[i], "references");
        repeat(&exam, &state, from, rounds);
        from = exam.count;
        exam_add(&exam, &course->exercises[i], "mutants");
        if (exam.count > from)
            repeat(&exam, &state, from, mutant_rounds);
    }
    printf("%zu gradings beside %d spinning processes\n", exam.count, spinners);
    fflush(stdout);
    int done = start_spinners(context, spinners, &pids, fault);
    if (done == 0)
        done = exam_run(&exam, count_one, show_progress, fault);
    stop_spinners(pids, spinners);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\n");
    print_table(&state);
    return done;
}
