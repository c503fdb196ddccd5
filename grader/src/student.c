#include "chapter.h"
#include "hints.h"
#include "memory.h"
#include "student_parts.h"
#include "verdict_words.h"

#include <string.h>

void session_begin(struct session *session, const struct student *student)
{
    void *context = memory_context(NULL);

    *session = (struct session){student, context, page_begin(context, student->screen), {0}};
    progress_load(context, student->build_dir, &session->progress);
    if (session->progress.notice != NULL)
        page_paragraph(&session->page, 0, PAINT_UNSURE, "! ", PAINT_PLAIN, session->progress.notice, 0);
}

int session_end(struct session *session, int status, struct fault *fault)
{
    FILE *out = session->student->out;

    if (status == 0) {
        page_write(&session->page, out);
        if (fflush(out) != 0 || ferror(out))
            status = fault_errno(fault, "cannot write to standard output");
    }
    talloc_free(session->context);
    return status;
}

const struct exercise *session_next(const struct session *session)
{
    const struct course *course = session->student->course;

    for (size_t i = 0; i < course->count; i++)
        if (!progress_passed(progress_find(&session->progress, course->exercises[i].id)))
            return &course->exercises[i];
    return NULL;
}

const struct exercise *session_exercise(const struct session *session, struct fault *fault)
{
    const struct course *course = session->student->course;
    const struct exercise *next = session_next(session);

    if (session->student->words != NULL && *session->student->words != '\0')
        return course_find(course, session->student->words, fault);
    if (next == NULL && course->count > 0)
        next = &course->exercises[course->count - 1];
    if (next == NULL)
        fault_set(fault, "there are no exercises below grader/checks.");
    return next;
}

int session_hints(const struct session *session, const struct exercise *exercise)
{
    const struct progress_record *record = progress_find(&session->progress, exercise->id);

    return record == NULL ? 0 : record->hints;
}

const char *session_path(const struct session *session, const char *absolute)
{
    const char *root = session->student->course->root;
    size_t length = strlen(root);

    return strncmp(absolute, root, length) == 0 && absolute[length] == '/' ? absolute + length + 1 : absolute;
}

void session_what_to_do(struct session *session, const struct exercise *exercise)
{
    const struct course *course = session->student->course;
    const char *word = exercise_word(course, exercise);
    int hints = session_hints(session, exercise);
    void *context = session->context;

    page_labelled(&session->page, "Read",
                  memory_format(context, "%s (%s)", chapter_section(context, course, exercise->read),
                                chapter_path(context, course, exercise->read)));
    page_labelled(&session->page, "Edit", session_path(session, exercise->starter));
    page_labelled(&session->page, "Header",
                  memory_format(context, "%s (what it promises)", session_path(session, exercise->header)));
    page_labelled(&session->page, "Check", memory_format(context, "make grade EX=%s", word));
    page_labelled(&session->page, "Stuck?",
                  hints >= HINTS
                      ? memory_format(context, "make hint EX=%s (all %d taken: shows them again)", word, HINTS)
                      : memory_format(context, "make hint EX=%s (%d of %d taken)", word, hints, HINTS));
}
