/* program_names.h - what becomes of the names that a program does not define itself. */
#ifndef EXPLORE_PROGRAM_NAMES_H
#define EXPLORE_PROGRAM_NAMES_H

#include <stdbool.h>

/* Reads the undefined names of the object `object` and writes `directory`/names (options of objcopy) and, where
 * *stubs becomes true, `directory`/stubs.c. 0, or -1 with one line printed to stderr. */
int names_redirect(const char *object, const char *directory, bool *stubs);

#endif
