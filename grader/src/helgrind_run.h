/* helgrind_run.h - a scenario program under helgrind: one run, and what its report says.
 */
#ifndef GRADE_HELGRIND_RUN_H
#define GRADE_HELGRIND_RUN_H

#include "helgrind_locks.h"
#include "scenario_run.h"
#include "valgrind_xml.h"

struct helgrind_sight {
    struct scenario_run run;
    struct valgrind_report report;
};

/* The words to put before a program, NULL-terminated: valgrind and all its options. `root` is the project's; the report
 * goes to the file `xml`, or as text to the file `text` where `xml` is NULL. */
const char **helgrind_command(void *context, const char *root, const char *xml, const char *text);

/* Runs `program` once and reads the XML. Blocks until it has ended. What the program did is a result; a helgrind that
 * does not do its work is a fault. */
int helgrind_run(void *context, struct workshop *shop, const char *program, struct helgrind_sight *sight,
                 struct fault *fault);

/* Runs `program` once more for the text. Races that do not show again are missing from `locks`; that is no fault. */
int helgrind_run_locks(void *context, struct workshop *shop, const char *program, struct helgrind_locks *locks,
                       struct fault *fault);

#endif
