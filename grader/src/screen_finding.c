#include "screen_finding.h"

#include "memory.h"
#include "screen_interleaving.h"
#include "text.h"

#include <string.h>

enum {
    DETAIL_BYTES = 64 << 10, /* more is never looked at */
    WRAPPED_MOST = 3,        /* lines that one line of detail becomes at most */
    TABLE_LEAVES = 2,        /* lines for the detail below a table */
    EXCERPT_LEAST = 16,      /* columns of code, below which a note goes to its own line */
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* "thread 2, holding nothing" */
static char *place_note(const struct page *page, const struct place *place)
{
    const char *who = place->who == NULL ? "" : place->who, *note = place->note == NULL ? "" : place->note;
    const char *comma = *who != '\0' && *note != '\0' ? ", " : "";

    return page_clean_line(page, memory_format(page->context, "%s%s%s", who, comma, note));
}

char *finding_where(const struct page *page, const struct place *place)
{
    if (place->file == NULL)
        return memory_text(page->context, "");

    char *file = text_cut(page->context, page_clean_line(page, place->file), 24, page->screen->utf8);

    return place->line > 0 ? memory_format(page->context, "%s:%d", file, place->line) : file;
}

/* The widths that the places of one finding share, so that they stand in columns. */
struct columns {
    int where, excerpt, note;
    bool note_beside; /* on the same line; else below it */
};

static struct columns places_columns(const struct page *page, const struct finding *finding)
{
    struct columns columns = {0};

    for (size_t i = 0; i < finding->place_count; i++) {
        const struct place *place = &finding->places[i];
        int where = text_width(finding_where(page, place)), note = text_width(place_note(page, place));
        int excerpt = text_width(page_clean_line(page, place->excerpt));

        columns.where = where > columns.where ? where : columns.where;
        columns.note = note > columns.note ? note : columns.note;
        columns.excerpt = excerpt > columns.excerpt ? excerpt : columns.excerpt;
    }

    int room = page->screen->width - 4 - columns.where - (columns.where > 0 ? 3 : 0);
    int beside = room - columns.note - 3, least = columns.excerpt < EXCERPT_LEAST ? columns.excerpt : EXCERPT_LEAST;

    columns.note_beside = columns.excerpt <= beside || (beside >= EXCERPT_LEAST * 2 && beside >= least);
    if (columns.note > 0 && columns.note_beside)
        room = beside;
    columns.excerpt = columns.excerpt < room ? columns.excerpt : room;
    return columns;
}

static void place_lines(struct page *page, const struct place *place, const struct columns *columns)
{
    char *where = finding_where(page, place), *note = place_note(page, place);
    char *excerpt = page_clean_line(page, place->excerpt);

    excerpt = text_cut(page->context, excerpt, columns->excerpt, page->screen->utf8);
    if (*note != '\0' && columns->note_beside)
        excerpt = text_padded(page->context, excerpt, columns->excerpt);

    char *start = memory_format(page->context, "    %s%s",
                                page_paint(page, PAINT_STRONG, text_padded(page->context, where, columns->where)),
                                columns->where > 0 && (*excerpt != '\0' || *note != '\0') ? "   " : "");

    if (*note == '\0')
        page_line(page, "%s%s", start, excerpt);
    else if (columns->note_beside)
        page_line(page, "%s%s%s%s", start, excerpt, columns->excerpt > 0 ? "   " : "", note);
    else {
        if (*excerpt != '\0' || *where != '\0')
            page_line(page, "%s%s", start, excerpt);
        page_paragraph(page, 8, PAINT_PLAIN, "", PAINT_PLAIN, note, page->screen->verbose ? 0 : 2);
    }
}

/* As many places as `room` lines allow; the others are counted. */
static void places(struct page *page, const struct finding *finding, int room)
{
    struct columns columns = places_columns(page, finding);

    for (size_t i = 0; i < finding->place_count; i++) {
        struct page trial = page_begin(page->context, page->screen);
        size_t left = finding->place_count - i;

        place_lines(&trial, &finding->places[i], &columns);
        room -= page_lines(&trial);
        if (i > 0 && room < (left > 1 ? 1 : 0)) {
            page_line(page, "    and %zu more place%s", left, left == 1 ? "" : "s");
            return;
        }
        page_add(page, &trial);
    }
}

/* One line of what was printed; where it is too long it goes on in the next lines, `room` at most. Returns how many. */
static int detail_line(struct page *page, const char *bar, const char *line, int room)
{
    const struct screen *screen = page->screen;
    int lines = 0;

    if (screen->verbose || text_width(line) <= screen->width - 6) {
        page_line(page, "    %s %s", bar, line);
        return 1;
    }

    char *wrapped = text_wrap(page->context, line, screen->width - 6, 0, 2), *part;

    while (lines < room && (part = strsep(&wrapped, "\n")) != NULL) {
        bool cut = wrapped != NULL && lines + 1 == room;

        if (cut)
            part =
                text_cut(page->context, memory_format(page->context, "%s\n+", part), screen->width - 6, screen->utf8);
        page_line(page, "    %s %s", bar, part);
        lines++;
    }
    return lines;
}

/* What was printed, as it was, behind a bar: so it is never taken for the grader's own words, and no line of it
 * begins a line of ours. */
static void detail(struct page *page, const char *text, int room)
{
    size_t size = strnlen(text, DETAIL_BYTES);
    char *clean = text_clean_n(page->context, text, size, page->screen->utf8);
    int left = text_lines(clean);
    const char *bar = page_paint(page, PAINT_QUIET, page_sign(page->screen, SIGN_BAR));

    /* The last line is for the count of the others, where there are more than one. */
    while (left > 0 && (room > 1 || left == 1)) {
        size_t length = strcspn(clean, "\n");
        int for_this = left > 1 ? room - 1 : room;

        room -= detail_line(page, bar, memory_text_n(page->context, clean, length),
                            least(for_this, page->screen->verbose ? for_this : WRAPPED_MOST));
        clean += length + (clean[length] == '\n');
        left--;
    }
    if (text[size] != '\0' && page->screen->verbose)
        page_line(page, "    %s and %zu more bytes", bar, strlen(text + size));
    else if (left > 0)
        page_line(page, "    %s and %d more line%s", bar, left, left == 1 ? "" : "s");
}

void screen_finding(struct page *page, const struct finding *finding, struct finding_room room)
{
    bool failure = finding->severity == SEVERITY_FAILURE;
    const char *lead = failure ? page_sign(page->screen, SIGN_FAILED) : page_sign(page->screen, SIGN_DOT);
    int detail_lines = finding->detail == NULL ? 0 : text_lines(finding->detail);
    struct page why = page_begin(page->context, page->screen);

    page_paragraph(page, 0, failure ? PAINT_BAD : PAINT_QUIET, memory_format(page->context, "%s ", lead),
                   failure ? PAINT_STRONG : PAINT_PLAIN, finding->what, room.what);
    if (finding->why != NULL)
        page_paragraph(&why, 2, PAINT_QUIET, "Why: ", PAINT_PLAIN, finding->why, room.why);
    if (finding->place_count > 0) {
        struct page block = page_begin(page->context, page->screen);

        places(&block, finding, room.rest); /* where it is says more than what was printed */
        room.rest -= page_lines(&block);
        page_add(page, &block);
    }
    if (finding->order != NULL) {
        struct page table = page_begin(page->context, page->screen);

        screen_interleaving(&table, finding->order, room.rest - least(detail_lines, TABLE_LEAVES));
        room.rest -= page_lines(&table);
        page_add(page, &table);
    }
    page_add(page, &why);
    if (detail_lines > 0 && room.rest > 0)
        detail(page, finding->detail, room.rest);
}
