/* screen.h - verdicts as a student reads them: what happened, where, why, what to read or run.
 *
 * One finding fits one screen of 24 lines, the most telling first; what is left out is counted. Signs stand beside
 * words, colour repeats what the words say, and every text from a student is escaped (text.h). Only reads verdicts.
 * Functions write to `out` and do not look at its errors: the caller checks ferror(out) at the end. They block
 * only where writing does. One thread at a time for each `out`.
 */
#ifndef GRADE_SCREEN_H
#define GRADE_SCREEN_H

#include "course.h"
#include "finding.h"

#include <stdbool.h>
#include <stdio.h>

/* How to write. Filled by screen_of; a caller may change any field afterwards. Plain data, owns nothing. */
struct screen {
    bool colour;
    int width;                   /* columns, at least 40 */
    bool utf8;                   /* else ASCII signs */
    bool verbose;                /* all findings and all their lines, not one screenful */
    bool live;                   /* a terminal that can take back a line: screen_status() works */
    const struct course *course; /* to name sections, files and the next exercise; NULL: does without */
};

/* How to write to `out`: colour and live on a terminal (not with `no_color`, NO_COLOR set and not empty, or TERM
 * unset or "dumb"), width from the terminal, else COLUMNS, else 80; utf8 from LC_ALL, LC_CTYPE, LANG, the first that is
 * set. Needs no setlocale. `course` is NULL, for the caller to set. */
struct screen screen_of(FILE *out, bool no_color);

/* One verdict with the first thing to fix, or all of it where screen->verbose. */
void screen_verdict(FILE *out, const struct screen *screen, const struct verdict *verdict);

/* Several verdicts: one line each, as they come (in course order). */
void screen_line(FILE *out, const struct screen *screen, const struct verdict *verdict);

/* …and after the last of them: sums and bars by chapter, then the first thing to fix. */
void screen_summary(FILE *out, const struct screen *screen, const struct verdict *verdicts, size_t count);

/* What goes on now, in one quiet line that the next call replaces; nothing where the screen is not live. */
void screen_status(FILE *out, const struct screen *screen, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes the status line back. Call it before anything else is written. */
void screen_status_clear(FILE *out, const struct screen *screen);

#endif
