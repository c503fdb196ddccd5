/* class.h - a folder of submissions: each sub-folder one student's tree, one record for each. */
#ifndef GRADE_CLASS_H
#define GRADE_CLASS_H

#include "course.h"
#include "fault.h"
#include "options.h"
#include "screen.h"

#include <stddef.h>
#include <stdio.h>

/* Grades `exercises` (NULL-terminated) for every sub-folder of options->submissions, options->jobs at a time. Writes
 * OUT/STUDENT.json as each is done and OUT/class.csv at the end; says on `out` what goes on. Returns the exit
 * status: 0 all passed, 1 something failed, 2 a broken verdict, 128 + signal; or -1 with a fault. */
int class_grade(void *context, const struct options *options, const struct course *course,
                const struct exercise *const *exercises, FILE *out, const struct screen *screen, struct fault *fault);

/* The file name for a student: what is not a letter, digit, space, '.', '_', '-' or a printable character beyond ASCII
 * is written %XX, so that no two share one; cut with a hash where too long. Owned by `context`. */
char *class_file_name(void *context, const char *student);

/* A name as it can be shown on one line: control bytes and broken UTF-8 as \xXX. Owned by `context`. */
char *class_shown_name(void *context, const char *student);

/* One CSV field (RFC 4180), quoted where needed; a text that a spreadsheet would take for a formula gets a leading '.
 */
char *class_csv_field(void *context, const char *text);

#endif
