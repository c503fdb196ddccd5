/* `grade list`, and `make` alone: where the student is, and what to do next. */
#include "chapter.h"
#include "memory.h"
#include "starter.h"
#include "student_parts.h"
#include "text.h"
#include "verdict_words.h"

#include <string.h>

/* Sums over a chapter, or over the course. */
struct tally {
    size_t count, passed;
    int points, max_points;
};

static struct tally tally_of(const struct session *session, const char *chapter)
{
    const struct course *course = session->student->course;
    struct tally tally = {0};

    for (size_t i = 0; i < course->count; i++) {
        const struct exercise *exercise = &course->exercises[i];
        const struct progress_record *record = progress_find(&session->progress, exercise->id);

        if (chapter != NULL && strcmp(chapter, exercise->chapter) != 0)
            continue;
        tally.count++;
        tally.passed += progress_passed(record);
        tally.points += record != NULL && record->graded ? record->points : 0;
        tally.max_points += exercise->points;
    }
    return tally;
}

/* How one exercise stands, for the verbose list: "passed", "failed at races, changed since", … */
static char *state_words(const struct session *session, const struct exercise *exercise, enum sign *sign)
{
    const struct progress_record *record = progress_find(&session->progress, exercise->id);
    const char *changed = progress_changed(record, exercise->starter) ? ", changed since" : "";

    *sign = SIGN_EMPTY;
    if (record == NULL || !record->graded)
        return memory_text(session->context, "not graded yet");
    *sign = progress_passed(record) ? SIGN_PASSED : SIGN_FAILED;
    if (progress_passed(record))
        return memory_format(session->context, "passed%s", changed);
    return memory_format(session->context, "failed%s%s%s", record->stage == NULL ? "" : " at ",
                         record->stage == NULL ? "" : record->stage, changed);
}

static void exercise_lines(struct session *session, const char *chapter)
{
    const struct course *course = session->student->course;
    struct page *page = &session->page;

    for (size_t i = 0; i < course->count; i++) {
        const struct exercise *exercise = &course->exercises[i];
        enum sign sign;

        if (strcmp(chapter, exercise->chapter) != 0)
            continue;

        char *words = page_clean_line(page, state_words(session, exercise, &sign));
        char *name = text_padded(session->context, page_clean_line(page, exercise->name), 20);
        const char *mark = text_padded(session->context, page_sign(page->screen, sign), page->screen->utf8 ? 1 : 2);
        char *line = memory_format(session->context, "    %s %s %3d points   %s", mark, name, exercise->points, words);

        page_line(page, "%s", text_cut(session->context, line, page->screen->width, page->screen->utf8));
    }
}

static void chapter_line(struct session *session, const struct exercise *first, const struct exercise *next,
                         size_t longest)
{
    struct page *page = &session->page;
    struct tally tally = tally_of(session, first->chapter);
    char *label = page_clean_line(page, chapter_label(session->context, first->chapter));
    bool here = next != NULL && strcmp(next->chapter, first->chapter) == 0;
    char *pointer = here ? memory_format(session->context, "   next: %s", page_clean_line(page, next->id)) : NULL;

    page_line(page, "  %s %s%*s  %zu of %zu%s", text_padded(session->context, label, 18),
              page_bar(page, tally.passed, tally.count), (int)(longest - tally.count), "", tally.passed, tally.count,
              pointer == NULL ? "" : page_paint(page, PAINT_STRONG, pointer));
    if (page->screen->verbose)
        exercise_lines(session, first->chapter);
}

static void chapter_lines(struct session *session, const struct exercise *next)
{
    const struct course *course = session->student->course;
    size_t longest = 0;

    for (size_t i = 0; i < course->count; i++) {
        size_t count = tally_of(session, course->exercises[i].chapter).count;

        longest = count > longest ? count : longest;
    }
    for (size_t i = 0; i < course->count; i++)
        if (i == 0 || strcmp(course->exercises[i].chapter, course->exercises[i - 1].chapter) != 0)
            chapter_line(session, &course->exercises[i], next, longest);
}

/* Exercises whose file is another than the one that was graded: their result is of yesterday. */
static void changed_line(struct session *session)
{
    const struct course *course = session->student->course;
    char *names = NULL;

    for (size_t i = 0; i < course->count; i++) {
        const struct exercise *exercise = &course->exercises[i];

        if (progress_changed(progress_find(&session->progress, exercise->id), exercise->starter))
            names = memory_append(session->context, names, "%s%s", names == NULL ? "" : ", ", exercise->id);
    }
    if (names != NULL)
        page_paragraph(&session->page, 2, PAINT_UNSURE, "changed since graded: ", PAINT_PLAIN, names, 3);
}

static bool anything_graded(const struct session *session)
{
    for (size_t i = 0; i < session->progress.count; i++)
        if (session->progress.records[i].graded)
            return true;
    return false;
}

/* The first page that a new student sees. */
static void welcome(struct session *session, const struct exercise *first)
{
    struct page *page = &session->page;
    struct tally all = tally_of(session, NULL);

    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_STRONG,
                   "Welcome to interleave: rebuild Python's concurrency tools in C, one file at a time.", 0);
    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_PLAIN,
                   memory_format(session->context,
                                 "%zu exercises, %d points. For each: read a section, edit one file, grade it, and the "
                                 "grader says what is wrong and why.",
                                 all.count, all.max_points),
                   0);
    page_line(page, "%s", "");
    chapter_lines(session, NULL);
    page_line(page, "%s", "");
    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_STRONG,
                   memory_format(session->context, "Begin with %s · %s", first->id, first->title), 0);
    session_what_to_do(session, first);
    page_labelled(page, "Watch", "make watch (grades a file whenever you save it)");
}

static void overview(struct session *session, const struct exercise *next)
{
    struct page *page = &session->page;
    struct tally all = tally_of(session, NULL);
    char *head = memory_format(session->context, "interleave · %zu of %zu passed · %d of %d points", all.passed,
                               all.count, all.points, all.max_points);

    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_STRONG, head, 0);
    chapter_lines(session, next);
    changed_line(session);
    page_line(page, "%s", "");
    if (next == NULL) {
        page_paragraph(page, 0, PAINT_GOOD,
                       memory_format(session->context, "%s ", page_sign(page->screen, SIGN_PASSED)), PAINT_PLAIN,
                       "All exercises are passed. The references are in solutions/, to compare with.", 0);
        return;
    }
    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_STRONG,
                   memory_format(session->context, "Next: %s · %s", next->id, next->title), 0);
    session_what_to_do(session, next);
}

int command_list(const struct student *student, struct fault *fault)
{
    struct session session;

    if (student->course->count == 0)
        return fault_set(fault, "there are no exercises below grader/checks.");
    session_begin(&session, student);
    starters_keep(student->course, student->build_dir);
    if (anything_graded(&session))
        overview(&session, session_next(&session));
    else
        welcome(&session, &student->course->exercises[0]);
    return session_end(&session, 0, fault);
}
