/* places.h - from a detector's stacks to places that a student can look at.
 *
 * A stack has frames of the C library, the detector, the harness, the checks and the student's file. What a student
 * can act on is the innermost frame in his own file; where there is none, the one in the checks or in a reference that
 * the exercise builds on, which he may read. Checks that a chapter's exercises share lie in headers in the chapter's
 * folder, grader/checks/CH/THINGS_tests.h; a header in an exercise's own folder of checks is nobody's: it only gives
 * the calls of the exercise the names that the shared checks know.
 */
#ifndef GRADE_PLACES_H
#define GRADE_PLACES_H

#include "finding.h"
#include "toolchain.h"
#include "trace.h"

enum owner {
    OWNER_NOBODY,   /* the library's, the detector's, the harness's */
    OWNER_TESTS,    /* tests.c, or a header THINGS_tests.h that the chapter's checks share */
    OWNER_NEEDED,   /* a reference that the exercise builds on */
    OWNER_SCENARIO, /* scenario.c, or another header that the chapter's checks share: THINGS_scenarios.h */
    OWNER_STUDENT,
};

/* Whose the file with this base name is (NULL: nobody's). */
enum owner places_owner(const struct workshop *shop, const char *file);

/* The whole path of such a file, for reading; NULL where it is nobody's. */
const char *places_path(void *context, const struct workshop *shop, const char *file);

/* All of such a file's text; NULL where it is nobody's or cannot be read. */
const char *places_text(void *context, const struct workshop *shop, const char *file);

/* The frame to show of this stack: the innermost of the student's, else of the scenario's, else of a needed
 * reference's, else of the tests'; NULL where the stack has none of these. */
const struct frame *places_frame(const struct workshop *shop, const struct trace *trace);

/* True where any frame of the stack is the student's. */
bool places_student_in(const struct workshop *shop, const struct trace *trace);

/* Adds a place with its excerpt; `who` and `note` (or NULL) are kept as they are. */
struct place *places_add(void *context, const struct workshop *shop, struct finding *finding, const char *file,
                         int line, const char *who, const char *note);

/* The same for the frame to show of `trace`; NULL, and nothing added, where it has none. */
struct place *places_add_trace(void *context, const struct workshop *shop, struct finding *finding,
                               const struct trace *trace, const char *who, const char *note);

#endif
