/* diagnostics.h - what a compiler said of the student's file, in one shape. Pure functions; any thread. */
#ifndef GRADE_DIAGNOSTICS_H
#define GRADE_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>

enum { DIAGNOSTICS_MAX = 64 }; /* further ones are only counted */

struct diagnostic {
    bool error;         /* else a warning */
    const char *file;   /* base name, or NULL */
    int line;           /* from 1; 0 where unknown */
    const char *text;   /* the compiler's sentence, not capitalised, without a full stop */
    const char *option; /* "-Wunused-variable", also where -Werror= made it an error; or NULL */
};

struct diagnostics {
    struct diagnostic *items;
    size_t count;
    size_t errors; /* of all, kept or not */
    size_t warnings;
};

/* Reads lines like "tiny.c:12:5: warning: unused variable ‘m’ [-Wunused-variable]", gcc's or clang's; other lines are
 * left out. Belongs to `context`. */
struct diagnostics diagnostics_read(void *context, const char *words);

/* What a teacher would add to the compiler's sentence: what it means and what to do. NULL where there is nothing to
 * add. */
const char *diagnostics_lesson(const struct diagnostic *diagnostic);

#endif
