/* page.h - composing what the student reads: coloured words, wrapped paragraphs, labelled lines.
 *
 * A page collects lines in memory, so that their number is known before anything is written. Texts given are
 * cleaned (text.h) here, unless a comment says that they are clean. Everything belongs to page->context.
 */
#ifndef GRADE_PAGE_H
#define GRADE_PAGE_H

#include "screen.h"

enum paint {
    PAINT_PLAIN,
    PAINT_GOOD,   /* passed */
    PAINT_BAD,    /* wrong */
    PAINT_UNSURE, /* could not be told */
    PAINT_QUIET,  /* less important */
    PAINT_STRONG, /* read this first */
};

struct page {
    void *context;
    const struct screen *screen;
    char *text; /* the lines so far, each with its newline */
    size_t used, room;
};

/* The sign that stands before words. */
enum sign {
    SIGN_PASSED,
    SIGN_FAILED,
    SIGN_UNSURE,
    SIGN_SKIPPED,
    SIGN_BROKEN,
    SIGN_DOT,
    SIGN_FULL,
    SIGN_EMPTY,
    SIGN_BAR
};

struct page page_begin(void *context, const struct screen *screen);

/* Writes the page. */
void page_write(const struct page *page, FILE *out);

/* Adds all of another page. */
void page_add(struct page *page, const struct page *more);

/* How many lines it has. */
int page_lines(const struct page *page);

/* "✓", or "ok" where only ASCII is understood. */
const char *page_sign(const struct screen *screen, enum sign sign);

/* Any text, clean and on one line. */
char *page_clean_line(const struct page *page, const char *text);

/* Clean text in colour, where there is colour. */
char *page_paint(const struct page *page, enum paint paint, const char *clean);

/* A line of clean, perhaps painted text; printf's format. */
void page_line(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A paragraph: `lead` (clean) stands before the first line, which begins at column `indent`; the others hang below the
 * text. At most `limit` lines (0: any), the last cut with "…" where there are more. */
void page_paragraph(struct page *page, int indent, enum paint lead_paint, const char *lead, enum paint paint,
                    const char *text, int limit);

/* "  Read    chapter 02 …": the label in the margin, the words (any text) wrapped beside it. */
void page_labelled(struct page *page, const char *label, const char *text);

#endif
