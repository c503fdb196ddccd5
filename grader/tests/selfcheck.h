/* selfcheck.h - the project's checks on its own exercises.
 *
 * `selfcheck files|references|starters|mutants|variants [EXERCISE]` prints a line for each thing that is wrong and ends
 * with `N passed, N failed`. `selfcheck stability`, `noise` and `bench` measure; they are no part of `make test`.
 */
#ifndef SELFCHECK_H
#define SELFCHECK_H

#include "course.h"
#include "fault.h"
#include "finding.h"
#include "pool.h"

#include <stdbool.h>
#include <stddef.h>

struct tally_sheet {
    int passed;
    int failed;
};

/* Counts one check; where it failed, prints the line (printf's format) with a cross before it. Returns `good`. */
bool sheet_check(struct tally_sheet *sheet, bool good, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Every exercise has its whole file set, and its files agree. `only` NULL: all of the course. */
void selfcheck_files(void *context, const struct course *course, const struct exercise *only,
                     struct tally_sheet *sheet);

/* The paths below `dir` whose names end in `ending`, sorted, absolute; owned by `context`; NULL-terminated. */
const char **selfcheck_list(void *context, const char *dir, const char *ending, size_t *count);

/* The stage that a mutant's first line names, or -1 where it names none; `*what` is what is wrong, owned by `context`.
 * `tests or interleavings: …` names interleavings, and in `*by_luck` (1 << stage_id) the tests, which meet it now and
 * then: what the threads do there is up to the machine. */
int selfcheck_mutant_stage(void *context, const char *patch, const char **what, unsigned *by_luck);

/* Writes the reference with the patch applied to `path`. Returns false where it does not apply, with the words of
 * patch(1) in fault. */
bool selfcheck_mutate(void *context, const struct exercise *exercise, const char *patch, const char *path,
                      struct fault *fault);

/* A whole text file, with a NUL behind it, owned by `context`; NULL where it cannot be read. */
char *selfcheck_read(void *context, const char *path);

/* One grading and what must come of it. */
struct expectation {
    struct job job;
    const char *label; /* "02-locks/counter mutant no_lock.patch" */
    int fails_at;      /* a stage_id, or -1: must pass */
};

/* Gradings that run together. */
struct exam {
    void *context;
    const struct course *course;
    const char *work; /* absolute: where mutants are written; exam_run removes it */
    struct expectation *list;
    size_t count;
    struct tally_sheet *sheet;
    void *data; /* the maker's own */
    struct stage_cost {
        double wall_s, cpu_s;
    } costs[STAGE_COUNT]; /* of all gradings so far, stage by stage */
};

/* Adds all gradings of one part ("references", "starters", "mutants", "variants") of one exercise. */
void exam_add(struct exam *exam, const struct exercise *exercise, const char *part);

/* Makes exam->work. */
int exam_open(struct exam *exam, struct fault *fault);

/* Grades all, as many at a time as there are cores, and calls `judge` (with the exam as its data) for each. */
int exam_run(struct exam *exam, bool (*judge)(void *exam, size_t number, const struct verdict *verdict),
             void (*tick)(void *exam), struct fault *fault);

/* Whether the verdict is what was expected; an inconclusive timing is, where all else is as it must be. */
bool exam_as_expected(const struct expectation *expectation, const struct verdict *verdict);

/* references, starters, mutants or variants: grades them all and compares with what must come out. */
int selfcheck_grades(void *context, const struct course *course, const struct exercise *only, const char *part,
                     struct tally_sheet *sheet, struct fault *fault);

/* Grades every reference `rounds` times and every mutant, with `spinners` busy processes beside; a table at the end. */
int selfcheck_stability(void *context, const struct course *course, const struct exercise *only, int rounds,
                        int mutant_rounds, int spinners, struct tally_sheet *sheet, struct fault *fault);

/* Grades every reference, variant and mutant up to the tests, so many times, with threads that are slow in turn. */
int selfcheck_noise(void *context, const struct course *course, const struct exercise *only, int rounds,
                    int mutant_rounds, struct tally_sheet *sheet, struct fault *fault);

/* Measures what the grader costs, as ratios, and writes build/bench.tsv. With `only`, what it costs on that exercise,
 * to the screen alone. */
int selfcheck_bench(void *context, const struct course *course, const struct exercise *only, struct fault *fault);

#endif
