/* student_parts.h - what the student's commands share. Nothing for others. */
#ifndef GRADE_STUDENT_PARTS_H
#define GRADE_STUDENT_PARTS_H

#include "page.h"
#include "progress.h"
#include "student.h"

/* One command at work: a page that is written at the end, and the progress it looks at. */
struct session {
    const struct student *student;
    void *context;
    struct page page;
    struct progress progress;
};

/* Makes all of it; a notice about a broken progress file is the page's first line. session_end() frees it. */
void session_begin(struct session *session, const struct student *student);

/* Writes the page where `status` is 0, frees everything, and returns the status: -1 with a fault where writing failed.
 */
int session_end(struct session *session, int status, struct fault *fault);

/* The first exercise in the course's order that is not passed; NULL: all are. */
const struct exercise *session_next(const struct session *session);

/* The exercise that student->words name, without words the next; NULL with a fault. All passed: the last of the course.
 */
const struct exercise *session_exercise(const struct session *session, struct fault *fault);

/* How many hints were taken for it. */
int session_hints(const struct session *session, const struct exercise *exercise);

/* "exercises/02-locks/rlock/rlock.c" of an absolute path. */
const char *session_path(const struct session *session, const char *absolute);

/* "Read … Edit … Check … Stuck …" for one exercise. */
void session_what_to_do(struct session *session, const struct exercise *exercise);

#endif
