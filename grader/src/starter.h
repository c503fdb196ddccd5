/* starter.h - an exercise's starter as it was given, found again after the student has edited it in place.
 *
 * A starter is not kept twice. grader/checks/starters.sha256 (sha256sum's format, made by `make starters`, checked by
 * `make test`) says which bytes it has; the bytes themselves are looked for
 *   1. in the file itself, where nobody has edited it;
 *   2. in build/starters, where starters_keep() put a copy (for those who have no git history);
 *   3. in the versions that git knows of that path, newest first.
 * Only bytes of that SHA-256 are ever put back, so an older starter or the student's own commit is not mistaken for it.
 * Where the list does not know the exercise (one that is just being made), it is the version that brought the path into
 * git.
 */
#ifndef GRADE_STARTER_H
#define GRADE_STARTER_H

#include "course.h"
#include "fault.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the file `path` is this exercise's starter, untouched. false where it cannot be known. */
bool starter_untouched(const struct course *course, const struct exercise *exercise, const char *path);

/* Copies every starter that is still untouched to build_dir/starters, once. Costs a stat() an exercise afterwards; what
 * cannot be copied is left out, silently: git has it too. */
void starters_keep(const struct course *course, const char *build_dir);

/* The starter's text, in `context`. A fault where it cannot be found, which says what to do. Runs git. */
int starter_find(void *context, const struct course *course, const char *build_dir, const struct exercise *exercise,
                 char **text, size_t *size, struct fault *fault);

#endif
