/* One verdict on one screen.
 *
 *     02-locks/counter · fails at races · 4 of 10 points                1.4 s
 *       ✓ build   ✓ rules   ✓ tests (6)   ✓ memory   ✗ races   – timing (after races)
 *
 *     ✗ What happened, in one sentence.
 *         counter.c:31   c->value = c->value + n;      thread 2, holding nothing
 *       Why: …
 *         │ what was printed
 *       2 more: …
 *
 *       Read   …                                                   the foot
 *
 * Each of these is a block of its own; the finding's places and detail get what the others leave of 24 lines.
 */
#include "chapter.h"
#include "memory.h"
#include "page.h"
#include "screen.h"
#include "screen_finding.h"
#include "screen_interleaving.h"
#include "text.h"
#include "verdict_words.h"

#include <limits.h>
#include <string.h>

enum {
    LINES = 23, /* of a screen of 24: the last is the prompt's */
    WHAT_LINES = 4,
    WHY_LINES = 5,
    STORY_LINES = 8, /* the same, where it tells what several threads did */
    REST_LEAST = 4,  /* for places and detail */
    ALSO_MOST = 3,
    ORDER_MORE = 14, /* lines beyond those, for who did what in which order: without the turn it tells nothing */
};

/* ---- head ------------------------------------------------------------------------------------------------------- */

static void head_first_line(struct page *page, const struct verdict *verdict)
{
    void *context = page->context;
    const char *dot = page_sign(page->screen, SIGN_DOT);
    struct verdict_words words = verdict_words(page, verdict);
    char *name = page_clean_line(page, verdict->exercise), *points = memory_text(context, "");
    char *time = memory_format(context, "%.1f s", verdict->wall_s);

    if (verdict->student != NULL)
        name = memory_format(context, "%s: %s", page_clean_line(page, verdict->student), name);
    if (verdict->outcome != OUTCOME_BROKEN)
        points = memory_format(context, " %s %d of %d points", dot, verdict->points, verdict->max_points);

    char *line = memory_format(context, "%s %s %s%s", name, dot, words.state, points);
    int gap = page->screen->width - text_width(line) - text_width(time);

    if (gap < 2)
        page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_STRONG, line, 2);
    else
        page_line(page, "%s %s %s%s%*s%s", page_paint(page, PAINT_STRONG, name), dot,
                  page_paint(page, words.paint, words.state), points, gap, "", page_paint(page, PAINT_QUIET, time));
}

static enum sign stage_sign(enum outcome outcome)
{
    static const enum sign signs[] = {
        [OUTCOME_PASSED] = SIGN_PASSED,   [OUTCOME_FAILED] = SIGN_FAILED, [OUTCOME_INCONCLUSIVE] = SIGN_UNSURE,
        [OUTCOME_SKIPPED] = SIGN_SKIPPED, [OUTCOME_BROKEN] = SIGN_BROKEN,
    };

    return signs[outcome];
}

static enum paint stage_paint(enum outcome outcome)
{
    static const enum paint paints[] = {
        [OUTCOME_PASSED] = PAINT_GOOD,   [OUTCOME_FAILED] = PAINT_BAD,    [OUTCOME_INCONCLUSIVE] = PAINT_UNSURE,
        [OUTCOME_SKIPPED] = PAINT_QUIET, [OUTCOME_BROKEN] = PAINT_UNSURE,
    };

    return paints[outcome];
}

static bool same_skip(const struct stage_result *a, const struct stage_result *b)
{
    return a->outcome == OUTCOME_SKIPPED && b->outcome == OUTCOME_SKIPPED && a->reason != NULL && b->reason != NULL &&
           strcmp(a->reason, b->reason) == 0;
}

/* What stands behind the sign, for the stages from `from` to (not) `end`, which share it: "tests (6)",
 * "memory, races (after tests)". */
static char *stage_words(const struct page *page, const struct verdict *verdict, size_t from, size_t end)
{
    const struct stage_result *first = &verdict->results[from];
    char *words = page_clean_line(page, first->stage);

    for (size_t i = from + 1; i < end; i++)
        words = memory_append(page->context, words, ", %s", page_clean_line(page, verdict->results[i].stage));
    if (first->outcome == OUTCOME_SKIPPED && first->reason != NULL)
        return memory_format(page->context, "%s (%s)", words, page_clean_line(page, first->reason));
    if (first->checks > 0 && first->outcome == OUTCOME_PASSED)
        return memory_format(page->context, "%s (%d)", words, first->checks);
    return words;
}

/* The stages in a row, wrapped between them. */
static void head_stages(struct page *page, const struct verdict *verdict)
{
    char *line = memory_text(page->context, "");
    int column = 0;

    for (size_t i = 0, end; i < verdict->result_count; i = end) {
        enum outcome outcome = verdict->results[i].outcome;

        for (end = i + 1; end < verdict->result_count && same_skip(&verdict->results[i], &verdict->results[end]);)
            end++;

        const char *sign = page_sign(page->screen, stage_sign(outcome));
        char *words =
            text_cut(page->context, stage_words(page, verdict, i, end), page->screen->width - 8, page->screen->utf8);
        int width = text_width(sign) + 1 + text_width(words);

        if (column > 0 && column + 3 + width > page->screen->width) {
            page_line(page, "%s", line);
            line = memory_text(page->context, "");
            column = 0;
        }
        line = memory_append(page->context, line, "%*s%s %s", column == 0 ? 2 : 3, "",
                             page_paint(page, stage_paint(outcome), sign), words);
        column += width + (column == 0 ? 2 : 3);
    }
    if (column > 0)
        page_line(page, "%s", line);
}

static void head(struct page *page, const struct verdict *verdict)
{
    head_first_line(page, verdict);
    head_stages(page, verdict);
}

/* ---- which findings --------------------------------------------------------------------------------------------- */

/* All findings of a verdict, most telling first: failures before notes, each in their stage's own order. */
static size_t ranked(void *context, const struct verdict *verdict, const struct finding ***list)
{
    size_t count = 0;

    *list = NULL;
    for (int notes = 0; notes < 2; notes++)
        for (size_t i = 0; i < verdict->result_count; i++)
            for (size_t j = 0; j < verdict->results[i].finding_count; j++) {
                const struct finding *finding = &verdict->results[i].findings[j];

                if ((finding->severity == SEVERITY_NOTE) != (notes == 1))
                    continue;
                *list = memory_grown(context, (void *)*list, count + 1, sizeof(struct finding *));
                (*list)[count++] = finding;
            }
    return count;
}

/* A finding in one line: "note: counter.c:12: unused variable". */
static void also_line(struct page *page, const struct finding *finding)
{
    const char *kind = finding->severity == SEVERITY_NOTE ? "note: " : "also: ";
    char *where = memory_text(page->context, "");

    if (finding->place_count > 0 && finding->places[0].file != NULL)
        where = memory_format(page->context, "%s: ", finding_where(page, &finding->places[0]));

    page_paragraph(page, 2, PAINT_QUIET, kind, PAINT_PLAIN,
                   memory_format(page->context, "%s%s", where, page_clean_line(page, finding->what)), 1);
}

/* The findings behind the first: as many as `room` lines allow, one line each; the others are counted. */
static void also(struct page *page, const struct verdict *verdict, const struct finding *const *list, size_t count,
                 size_t room)
{
    const struct exercise *own = verdict_own(page->screen, verdict);
    size_t shown = count <= room ? count : room - 1;
    char *all = memory_text(page->context, "--verbose");

    for (size_t i = 0; i < shown; i++)
        also_line(page, list[i]);
    if (own != NULL)
        all = memory_format(page->context, "make grade EX=%s ARGS=--verbose", exercise_word(page->screen->course, own));
    if (shown < count)
        page_paragraph(page, 2, PAINT_PLAIN, "", PAINT_QUIET,
                       memory_format(page->context, "%zu more; all of it: %s", count - shown, all), 0);
}

/* ---- foot ------------------------------------------------------------------------------------------------------- */

static void foot_failed(struct page *page, const struct verdict *verdict, const struct finding *first)
{
    const struct exercise *exercise = verdict_exercise(page->screen, verdict);
    const char *read = first != NULL && first->read != NULL ? first->read : exercise != NULL ? exercise->read : NULL;

    if (read != NULL)
        page_labelled(page, "Read",
                      memory_format(page->context, "%s (%s)",
                                    chapter_section(page->context, page->screen->course, read),
                                    chapter_path(page->context, page->screen->course, read)));

    if (first != NULL && first->order != NULL)
        page_line(
            page, "  %s %s", page_paint(page, PAINT_QUIET, "Replay"),
            verdict_replay(page, verdict, first->order)); /* not wrapped: it must come off the screen in one piece */

    const struct exercise *own = verdict_own(page->screen, verdict);

    if (own == NULL)
        return;

    const char *word = exercise_word(page->screen->course, own);

    if (verdict_is_beginning(page->screen, verdict))
        page_labelled(page, "Edit", own->starter + strlen(page->screen->course->root) + 1);
    page_labelled(page, "Then",
                  memory_format(page->context, "make grade EX=%s, or when stuck: make hint EX=%s", word, word));
}

static void foot_passed(struct page *page, const struct verdict *verdict)
{
    const struct exercise *own = verdict_own(page->screen, verdict);

    if (own == NULL)
        return;
    page_labelled(page, "Read",
                  memory_format(page->context, "how the reference does it: %s",
                                own->reference + strlen(page->screen->course->root) + 1));
    page_labelled(page, "Then", "make next");
}

/* Why something could not be told, stage by stage. */
static void unsure_lines(struct page *page, const struct verdict *verdict)
{
    char *lead = memory_format(page->context, "%s ", page_sign(page->screen, SIGN_UNSURE));

    for (size_t i = 0; i < verdict->result_count; i++) {
        const struct stage_result *result = &verdict->results[i];
        const char *reason = result->reason;

        if (result->outcome != OUTCOME_INCONCLUSIVE)
            continue;
        if (reason == NULL)
            reason = "No points are lost; run it again when the machine is quieter.";
        page_paragraph(page, 0, PAINT_UNSURE, lead, PAINT_PLAIN,
                       memory_format(page->context, "%s: inconclusive. %s", result->stage, reason),
                       page->screen->verbose ? 0 : 6);
    }
}

/* The grader's own failure: why, and that it costs nobody anything. */
static void broken_block(struct page *page, const struct verdict *verdict)
{
    const char *reason = verdict->reason;

    for (size_t i = 0; i < verdict->result_count && reason == NULL; i++)
        if (verdict->results[i].outcome == OUTCOME_BROKEN)
            reason = verdict->results[i].reason;
    page_paragraph(page, 0, PAINT_UNSURE, "! ", PAINT_STRONG,
                   "The grader could not do its work. That is not the fault of the graded code.", 0);
    page_paragraph(page, 2, PAINT_PLAIN, "", PAINT_PLAIN, reason == NULL ? "It did not say why." : reason,
                   page->screen->verbose ? 0 : 8);
    page_paragraph(page, 2, PAINT_PLAIN, "", PAINT_PLAIN, "Nothing was judged, and nothing is lost.", 0);
    page_labelled(page, "Try", "make doctor (it checks the tools that the grader needs)");
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* What stands between head and findings of a starter that nobody has touched yet. */
static void beginning_lines(struct page *page, const struct verdict *verdict)
{
    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_STRONG, verdict->title == NULL ? "" : verdict->title, 2);
    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_PLAIN,
                   "This is still the starter, so it is meant to fail. Here is the first thing to make it do:", 0);
    page_line(page, "%s", "");
}

static void verbose_findings(struct page *page, const struct finding *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            page_line(page, "%s", "");
        screen_finding(page, list[i], (struct finding_room){0, 0, INT_MAX});
    }
}

/* How many lines the first finding takes with this room. */
static int lines_with(const struct page *page, const struct finding *finding, struct finding_room room)
{
    struct page trial = page_begin(page->context, page->screen);

    screen_finding(&trial, finding, room);
    return page_lines(&trial);
}

/* The first finding, and the others in what it leaves, but for a line or three that say that there are others. */
static void brief_findings(struct page *page, const struct verdict *verdict, const struct finding *const *list,
                           size_t count, int lines)
{
    struct page rest = page_begin(page->context, page->screen);
    lines += list[0]->order == NULL ? 0 : ORDER_MORE;
    struct finding_room room = {WHAT_LINES, list[0]->order == NULL ? WHY_LINES : STORY_LINES, lines};
    int left = lines - lines_with(page, list[0], room);

    if (count > 1)
        also(&rest, verdict, list + 1, count - 1, left < 1 ? 1 : left > ALSO_MOST ? ALSO_MOST : (size_t)left);

    /* What and why are whole; places and detail get what they leave. */
    const struct finding bare = {.severity = list[0]->severity, .what = list[0]->what, .why = list[0]->why};

    room.rest = lines - page_lines(&rest) - lines_with(page, &bare, room);
    if (room.rest < REST_LEAST)
        room.rest = REST_LEAST;
    screen_finding(page, list[0], room);
    page_add(page, &rest);
}

static void notes_only(struct page *page, const struct finding *const *list, size_t count)
{
    for (size_t i = 0; i < count && i < ALSO_MOST; i++)
        also_line(page, list[i]);
}

static void body(struct page *page, const struct verdict *verdict, int lines)
{
    const struct finding **list;
    size_t count = ranked(page->context, verdict, &list);

    if (verdict->outcome == OUTCOME_BROKEN)
        broken_block(page, verdict);
    if (verdict_is_beginning(page->screen, verdict))
        beginning_lines(page, verdict);
    unsure_lines(page, verdict);
    lines -= page_lines(page);
    for (size_t i = 0; i < verdict->result_count && page->screen->verbose; i++)
        screen_proofs(page, verdict->results[i].proofs, verdict->results[i].proof_count);
    if (count == 0)
        return;
    if (page->screen->verbose)
        verbose_findings(page, list, count);
    else if (list[0]->severity == SEVERITY_FAILURE)
        brief_findings(page, verdict, list, count, lines);
    else
        notes_only(page, list, count);
}

static struct page foot(void *context, const struct screen *screen, const struct verdict *verdict)
{
    const struct stage_result *failed = verdict_failed_stage(verdict);
    struct page page = page_begin(context, screen);

    if (verdict->outcome == OUTCOME_PASSED || verdict->outcome == OUTCOME_INCONCLUSIVE)
        foot_passed(&page, verdict);
    else if (verdict->outcome == OUTCOME_FAILED)
        foot_failed(&page, verdict, failed != NULL && failed->finding_count > 0 ? &failed->findings[0] : NULL);
    return page;
}

void screen_verdict(FILE *out, const struct screen *screen, const struct verdict *verdict)
{
    void *context = memory_context(NULL);
    struct page top = page_begin(context, screen), middle = page_begin(context, screen);
    struct page bottom = foot(context, screen, verdict);

    head(&top, verdict);
    body(&middle, verdict, LINES - 1 - page_lines(&top) - page_lines(&bottom));
    page_write(&top, out);
    if (*middle.text != '\0')
        fputc('\n', out);
    page_write(&middle, out);
    page_write(&bottom, out);
    fflush(out);
    talloc_free(context);
}
