/* command_explore.h - what `grade explore` and `grade replay` print of the verdict that they asked for.
 */
#ifndef GRADE_COMMAND_EXPLORE_H
#define GRADE_COMMAND_EXPLORE_H

#include "finding.h"
#include "screen.h"

#include <stdio.h>

enum {
    EXPLORE_MORE_RUNS = 100000, /* of each scenario, unless exercise.ini asks for more */
};

/* Prints what was explored, scenario by scenario; the first finding in full with its whole table, the others in one
 * line each with their tokens. A verdict that ended before (build, rules) is printed as always. Returns false where
 * the exploring could not be done as asked (a token that does not fit), with the reason in `*reason`. */
bool explore_print(FILE *out, const struct screen *screen, const struct verdict *verdict, const char **reason);

#endif
