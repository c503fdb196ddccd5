/* `grade next`: one exercise, and all that is needed to begin with it. */
#include "memory.h"
#include "starter.h"
#include "student_parts.h"

/* Why it is this one's turn. */
static char *why_words(const struct session *session, const struct exercise *exercise)
{
    const struct progress_record *record = progress_find(&session->progress, exercise->id);

    if (record == NULL || !record->graded)
        return memory_text(session->context, "It is the first in the course's order that has not been graded yet.");
    if (progress_passed(record))
        return memory_format(session->context, "It is passed, with %d of %d points. All before it are, too.",
                             record->points, exercise->points);
    if (starter_untouched(session->student->course, exercise, exercise->starter))
        return memory_text(session->context, "It has not been begun: the file is the starter, as it was given.");
    return memory_format(session->context, "It failed%s%s when it was last graded, with %d of %d points%s.",
                         record->stage == NULL ? "" : " at ", record->stage == NULL ? "" : record->stage,
                         record->points, exercise->points,
                         progress_changed(record, exercise->starter) ? "; the file has changed since" : "");
}

static void needs_line(struct session *session, const struct exercise *exercise)
{
    char *names = NULL;

    for (const char **need = exercise->needs; need != NULL && *need != NULL; need++)
        names = memory_append(session->context, names, "%s%s", names == NULL ? "" : ", ", *need);
    if (names != NULL)
        page_labelled(&session->page, "Needs",
                      memory_format(session->context,
                                    "%s (use its header; the reference is linked, or yours with OWN=1)", names));
}

int command_next(const struct student *student, struct fault *fault)
{
    struct session session;
    const struct exercise *exercise;
    struct page *page = &session.page;

    session_begin(&session, student);
    exercise = session_exercise(&session, fault);
    if (exercise == NULL)
        return session_end(&session, -1, fault);
    if (session_next(&session) == NULL && student->words == NULL)
        page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_GOOD, "All exercises are passed; this is the last of them.", 0);
    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_STRONG,
                   memory_format(session.context, "%s · %d points", exercise->id, exercise->points), 0);
    page_paragraph(page, 2, PAINT_PLAIN, "", PAINT_PLAIN, exercise->title, 0);
    if (student->words == NULL)
        page_paragraph(page, 2, PAINT_PLAIN, "", PAINT_QUIET, why_words(&session, exercise), 0);
    page_line(page, "%s", "");
    session_what_to_do(&session, exercise);
    needs_line(&session, exercise);
    return session_end(&session, 0, fault);
}
