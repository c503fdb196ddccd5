/* `grade hint`: one step more each time, remembered. */
#include "hints.h"
#include "memory.h"
#include "student_parts.h"
#include "verdict_words.h"

#include <stdbool.h>

static void one_hint(struct session *session, const struct exercise *exercise, const char *const *hints, int number)
{
    struct page *page = &session->page;

    page_paragraph(page, 0, PAINT_PLAIN, "", PAINT_STRONG,
                   memory_format(session->context, "%s · hint %d of %d", exercise->id, number, HINTS), 0);
    hints_print(page, hints[number - 1]);
    page_line(page, "%s", "");
}

static void all_hints(struct session *session, const struct exercise *exercise, const char *const *hints)
{
    page_paragraph(&session->page, 0, PAINT_PLAIN, "", PAINT_PLAIN, "All hints are taken; here they are again.", 0);
    page_line(&session->page, "%s", "");
    for (int number = 1; number <= HINTS; number++)
        one_hint(session, exercise, hints, number);
}

static void what_now(struct session *session, const struct exercise *exercise, int number)
{
    const char *word = exercise_word(session->student->course, exercise);

    page_labelled(&session->page, "Then", memory_format(session->context, "make grade EX=%s", word));
    if (number < HINTS)
        page_labelled(&session->page, "More",
                      memory_format(session->context, "make hint EX=%s (%d left)", word, HINTS - number));
}

int command_hint(const struct student *student, struct fault *fault)
{
    struct session session;
    const struct exercise *exercise;
    const char *hints[HINTS];

    session_begin(&session, student);
    exercise = session_exercise(&session, fault);
    if (exercise == NULL || hints_read(session.context, exercise, hints, fault) != 0)
        return session_end(&session, -1, fault);

    int taken = session_hints(&session, exercise);
    bool all = taken >= HINTS && !student->again;
    int number = student->again && taken > 0 ? taken : taken + 1;

    if (all)
        all_hints(&session, exercise, hints);
    else
        one_hint(&session, exercise, hints, number);
    what_now(&session, exercise, all ? HINTS : number);

    /* Only what was really shown is a hint taken. */
    int status = session_end(&session, 0, fault);

    if (status == 0 && !all && number > taken)
        status = progress_hints(student->build_dir, exercise->id, number, fault);
    return status;
}
