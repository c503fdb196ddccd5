/* course.h - the exercises there are, read from grader/checks/CHAPTER/NAME/exercise.ini.
 *
 * Nothing in the grader knows an exercise by name; this is the only door.
 */
#ifndef GRADE_COURSE_H
#define GRADE_COURSE_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>

enum stage_id {
    STAGE_BUILD,
    STAGE_RULES,
    STAGE_TESTS,
    STAGE_MEMORY,
    STAGE_RACES,
    STAGE_INTERLEAVINGS,
    STAGE_TIMING,
    STAGE_COUNT
};

/* "build", "rules", …; and the stage of that name, or STAGE_COUNT where there is none. */
const char *stage_name(enum stage_id id);
enum stage_id stage_of(const char *name);

/* A call or a word that the exercise does not allow, and what to tell a student who used it. */
struct ban {
    const char *name;
    const char *why; /* one sentence */
};

struct exercise {
    const char *id;      /* "02-locks/rlock" */
    const char *chapter; /* "02-locks" */
    const char *name;    /* "rlock" */
    const char *title;
    const char *read;              /* section anchor: "02-locks#rlock" */
    int points;                    /* 1 to 100, the sum of stage_points */
    int stage_points[STAGE_COUNT]; /* 0: the stage does not count; a stage that counts but earns 0 is not possible */
    const char **needs;            /* ids of the exercises it is built on; NULL-terminated */
    const char **allow;            /* library calls, shell patterns, sets already expanded; NULL-terminated */
    struct ban *bans;              /* library calls that get their own sentence */
    size_t ban_count;
    struct ban *word_bans; /* words (identifiers) that may not stand in the source */
    size_t word_ban_count;
    const char **wraps;             /* library calls that tests.c takes over in the student's object */
    bool helgrind, tsan;            /* which race detectors judge it */
    int explore_runs;               /* [interleavings] runs: the budget of each scenario, in interleavings */
    int explore_preemptions;        /* [interleavings] preemptions: all interleavings with so many are tried first */
    bool explore_spurious;          /* [interleavings] spurious: waits may end though nobody signalled */
    bool explore_faults;            /* [interleavings] faults: pthread_create, malloc and timed waits may fail */
    int memory_mb;                  /* limit on data of a test process */
    double time_at_most;            /* [timing] at_most: times the reference */
    bool time_wall;                 /* [timing] measure = wall (else cpu) */
    int time_cores;                 /* [timing] cores: fewer on the machine skip the stage, with the reason */
    const char *time_why;           /* [timing] why: one sentence for who is too slow */
    enum stage_id starter_fails_at; /* [exercise] starter = STAGE: where the untouched starter fails; default tests */
    int order;                      /* place in the course */

    const char *checks_dir; /* absolute: ROOT/grader/checks/CH/NAME */
    const char *header;     /* absolute: ROOT/exercises/CH/NAME/NAME.h */
    const char *starter;    /* absolute: ROOT/exercises/CH/NAME/NAME.c */
    const char *reference;  /* absolute: ROOT/solutions/CH/NAME.c */
};

struct course {
    const char *root; /* the checkout, absolute */
    struct exercise *exercises;
    size_t count; /* ordered by chapter, then by exercise.ini's `order`, then by name */
};

/* Reads every exercise.ini below root/grader/checks. All belongs to `context`. A broken file is a fault that names
 * file, line and key. */
int course_load(void *context, const char *root, struct course *course, struct fault *fault);

/* The one exercise whose id equals `words`, or contains it where only one does ("rlock", "02-locks/rl"); a name that
 * equals `words` wins over ids that contain it. None or several: a fault that lists what fits. */
const struct exercise *course_find(const struct course *course, const char *words, struct fault *fault);

/* As course_find, but `words` may also name a chapter ("02-locks", "02", "locks"), which is all of its exercises. An
 * exercise's whole name wins over a chapter, a chapter over a part of a name. NULL-terminated, in course order, owned
 * by `context`; NULL with a fault. */
const struct exercise **course_select(void *context, const struct course *course, const char *words,
                                      struct fault *fault);

#endif
