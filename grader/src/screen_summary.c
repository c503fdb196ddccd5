/* Many verdicts: a line each, then the sums by chapter and the first thing to fix. */
#include "chapter.h"
#include "memory.h"
#include "page.h"
#include "screen.h"
#include "starter.h"
#include "text.h"
#include "verdict_words.h"

#include <string.h>

/* Columns of a line: the id, the state in words; then points, then seconds. */
enum { ID_WIDE = 34, STATE_WIDE = 25, ID_NARROW = 24, STATE_NARROW = 17, NARROW = 78 };

void screen_line(FILE *out, const struct screen *screen, const struct verdict *verdict)
{
    void *context = memory_context(NULL);
    struct page page = page_begin(context, screen);
    struct verdict_words words = verdict_words(&page, verdict);
    char *name = page_clean_line(&page, verdict->exercise);
    char *points = memory_format(context, "%d of %d", verdict->points, verdict->max_points);
    int id_columns = screen->width < NARROW ? ID_NARROW : ID_WIDE;
    int state_columns = screen->width < NARROW ? STATE_NARROW : STATE_WIDE;
    char *line;

    if (verdict->outcome == OUTCOME_BROKEN)
        points = memory_text(context, "");
    if (verdict->student != NULL)
        name = memory_format(context, "%s: %s", page_clean_line(&page, verdict->student), name);
    line = memory_format(context, "%s %s %s", text_padded(context, name, id_columns),
                         text_padded(context, words.state, state_columns), points);
    if (text_width(line) + 10 <= screen->width)
        line = memory_format(context, "%s %5.1f s", text_padded(context, line, id_columns + state_columns + 10),
                             verdict->wall_s);
    line = text_cut(context, line, screen->width - 3, screen->utf8);
    page_line(&page, "%s %s", page_paint(&page, words.paint, text_padded(context, words.sign, screen->utf8 ? 1 : 2)),
              line);
    page_write(&page, out);
    fflush(out);
    talloc_free(context);
}

/* Sums over some verdicts. */
struct sums {
    size_t count, passed, inconclusive, broken;
    int points, max_points;
};

static bool in_chapter(const struct verdict *verdict, const char *chapter, size_t length)
{
    return chapter == NULL || (strncmp(verdict->exercise, chapter, length) == 0 && verdict->exercise[length] == '/');
}

static bool counts_as_passed(const struct verdict *verdict)
{
    return verdict->outcome == OUTCOME_PASSED || verdict->outcome == OUTCOME_INCONCLUSIVE;
}

/* Of one chapter, or (NULL) of all. */
static struct sums sums_of(const struct verdict *verdicts, size_t count, const char *chapter, size_t length)
{
    struct sums sums = {0};

    for (size_t i = 0; i < count; i++) {
        if (!in_chapter(&verdicts[i], chapter, length))
            continue;
        sums.count++;
        sums.passed += counts_as_passed(&verdicts[i]);
        sums.inconclusive += verdicts[i].outcome == OUTCOME_INCONCLUSIVE;
        sums.broken += verdicts[i].outcome == OUTCOME_BROKEN;
        sums.points += verdicts[i].points;
        sums.max_points += verdicts[i].max_points;
    }
    return sums;
}

static void chapter_line(struct page *page, const struct verdict *verdicts, size_t count, size_t first, size_t longest)
{
    const char *chapter = verdicts[first].exercise;
    size_t length = strcspn(chapter, "/");
    struct sums sums = sums_of(verdicts, count, chapter, length);
    char *label = chapter_label(page->context, memory_text_n(page->context, chapter, length));
    char *bar = page_bar(page, sums.passed, sums.count);

    page_line(page, "  %s %s%*s  %zu of %zu   %d of %d points",
              text_padded(page->context, page_clean_line(page, label), 20), bar, (int)(longest - sums.count), "",
              sums.passed, sums.count, sums.points, sums.max_points);
}

/* Whether this verdict is the first of its chapter. */
static bool opens_chapter(const struct verdict *verdicts, size_t at)
{
    const char *before = at == 0 ? "" : verdicts[at - 1].exercise;

    return at == 0 || !in_chapter(&verdicts[at], before, strcspn(before, "/"));
}

static void chapter_lines(struct page *page, const struct verdict *verdicts, size_t count)
{
    size_t longest = 0;

    for (size_t i = 0; i < count; i++) {
        const char *id = verdicts[i].exercise;
        size_t of_chapter = sums_of(verdicts, count, id, strcspn(id, "/")).count;

        longest = of_chapter > longest ? of_chapter : longest;
    }
    for (size_t i = 0; i < count; i++)
        if (opens_chapter(verdicts, i))
            chapter_line(page, verdicts, count, i, longest);
}

static void sums_lines(struct page *page, const struct verdict *verdicts, size_t count)
{
    struct sums all = sums_of(verdicts, count, NULL, 0);
    char *line = memory_format(page->context, "%zu of %zu passed · %d of %d points", all.passed, all.count, all.points,
                               all.max_points);

    if (all.inconclusive > 0)
        line = memory_append(page->context, line, " · %zu not judged on everything: too busy", all.inconclusive);
    if (all.broken > 0)
        line = memory_append(page->context, line, " · %zu without a verdict: the grader failed", all.broken);
    page_line(page, "%s", "");
    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_STRONG, line, 0);
}

/* What to show in full: the first failed one that was begun, else the first failed, else the first broken. */
static const struct verdict *first_to_fix(const struct screen *screen, const struct verdict *verdicts, size_t count)
{
    const struct verdict *failed = NULL, *broken = NULL;

    for (size_t i = 0; i < count; i++) {
        if (verdicts[i].outcome == OUTCOME_BROKEN && broken == NULL)
            broken = &verdicts[i];
        if (verdicts[i].outcome != OUTCOME_FAILED)
            continue;
        if (!verdict_is_beginning(screen, &verdicts[i]))
            return &verdicts[i];
        if (failed == NULL)
            failed = &verdicts[i];
    }
    return failed != NULL ? failed : broken;
}

void screen_summary(FILE *out, const struct screen *screen, const struct verdict *verdicts, size_t count)
{
    void *context = memory_context(NULL);
    struct page page = page_begin(context, screen);
    const struct verdict *first = first_to_fix(screen, verdicts, count);

    sums_lines(&page, verdicts, count);
    chapter_lines(&page, verdicts, count);
    if (first != NULL) {
        page_line(&page, "%s", "");
        page_line(&page, "%s",
                  page_paint(&page, PAINT_QUIET,
                             first->outcome == OUTCOME_BROKEN      ? "What stopped the grader:"
                             : verdict_is_beginning(screen, first) ? "Where to begin:"
                                                                   : "First to fix:"));
    } else if (count > 0) {
        page_line(&page, "%s All passed.", page_paint(&page, PAINT_GOOD, page_sign(screen, SIGN_PASSED)));
    }
    page_write(&page, out);
    if (first != NULL)
        screen_verdict(out, screen, first);
    talloc_free(context);
}
