/* student.h - the student's loop: list, next, hint, watch, reset.
 *
 * Each command takes what main() has made ready and returns 0, or -1 with a fault (bad usage, full disk, …), for
 * exit status 2. They write to student->out and flush it; a write error there is a fault.
 */
#ifndef GRADE_STUDENT_H
#define GRADE_STUDENT_H

#include "course.h"
#include "fault.h"
#include "finding.h"
#include "pool.h"
#include "screen.h"

#include <stdbool.h>
#include <stdio.h>

struct student {
    const struct course *course;
    const struct screen *screen;
    FILE *out;
    const char *build_dir; /* absolute: ROOT/build; progress, backups and kept starters live there */
    const char *words;     /* the EXERCISE given on the command line; NULL: none */
    bool again;            /* hint --again: show the last hint once more */

    int jobs; /* gradings at a time, for watch; 0: one */

    /* What runs gradings: NULL is pool_run. Tests put another here. */
    enum pool_end (*run)(void *context, const struct pool *pool, int *signal_number, struct fault *fault);
};

/* Where the student is and what to do next, from the progress file; grades nothing. */
int command_list(const struct student *student, struct fault *fault);

/* The next exercise that is not passed: title, why, what to read, edit and run. With words: that exercise. */
int command_next(const struct student *student, struct fault *fault);

/* One more hint for the exercise (without words: the next one that is not passed), remembered in the progress file. */
int command_hint(const struct student *student, struct fault *fault);

/* Puts the starter back, after a copy of the student's file to NAME.c.N~ beside it. Needs words. */
int command_reset(const struct student *student, struct fault *fault);

/* Grades what is saved below ROOT/exercises (with words: that exercise's file only) until SIGINT, SIGTERM or SIGHUP. */
int command_watch(const struct student *student, struct fault *fault);

#endif
