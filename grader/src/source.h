/* source.h - a student's file: taken into the workshop safely, and quoted line by line.
 *
 * The file may be anything: a link out of the tree, a device, a pipe that never speaks, a hundred megabytes. It is
 * opened without following links and without waiting, must be a regular file of at most SOURCE_LIMIT_BYTES, and is
 * read once; what is graded is the copy.
 */
#ifndef GRADE_SOURCE_H
#define GRADE_SOURCE_H

#include "fault.h"

enum { SOURCE_LIMIT_BYTES = 1 << 20 };

enum source_outcome {
    SOURCE_COPIED,
    SOURCE_MISSING,    /* there is no such file: nothing was handed in */
    SOURCE_UNREADABLE, /* there is something, but no C source: `sentence` says what */
};

struct source_result {
    enum source_outcome outcome;
    const char *sentence; /* for the student: what is wrong with the file; NULL where it was copied */
    int line;             /* where in it, from 1; 0: nowhere in particular */
};

/* Copies `relative` (below the folder `tree`, no link on the way) to `dest`. Whatever the student's file is, the
 * return is 0 and `result` says it; -1 with a fault only where the copy cannot be written. Texts belong to
 * `context`. Blocks on the disk only. */
int source_copy(void *context, const char *tree, const char *relative, const char *dest, struct source_result *result,
                struct fault *fault);

/* Line `line` (from 1) of the file `path` without its indentation, without control characters, cut where it is
 * long; NULL where there is no such line or it is empty. Belongs to `context`. */
const char *source_line(void *context, const char *path, int line);

#endif
