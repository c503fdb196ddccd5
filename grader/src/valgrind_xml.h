/* valgrind_xml.h - what valgrind wrote with --xml=yes (protocol 4: valgrind's docs/internals/xml-output-protocol4.txt).
 *
 * Read with expat as a stream. Bounded: what goes beyond the limits below is counted, not kept. A file that stops in
 * the middle, as a killed valgrind leaves it, gives what it holds, with `whole` false.
 */
#ifndef GRADE_VALGRIND_XML_H
#define GRADE_VALGRIND_XML_H

#include "fault.h"
#include "trace.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    VALGRIND_ERRORS_MAX = 1000, /* valgrind itself stops counting there */
    VALGRIND_THREADS_MAX = 256,
    VALGRIND_TRACES_MAX = 12, /* of one error */
    VALGRIND_NOTES_MAX = 12,  /* of one error */
};

/* A thread that some error speaks of. */
struct valgrind_thread {
    int id; /* valgrind's number: 1 is main, then by creation */
    bool root;
    struct trace created; /* where; empty for the root */
};

struct valgrind_error {
    const char *kind;     /* "Race", "LockOrder", "UnlockUnlocked", "UnlockForeign", "PthAPIerror", "Misc", … */
    const char *what;     /* the first sentence */
    int thread;           /* who made the error; -1 where none is named */
    int other;            /* a second thread in that sentence; -1 */
    struct trace *traces; /* [0] is where it happened; the others carry their sentence as title */
    size_t trace_count;
    const char **notes; /* sentences without a stack of their own */
    size_t note_count;
};

struct valgrind_report {
    const char *tool; /* "helgrind"; NULL where the file stops before */
    struct valgrind_error *errors;
    size_t error_count;
    size_t dropped; /* errors beyond the limit */
    struct valgrind_thread *threads;
    size_t thread_count;
    int fatal_signal; /* the signal that ended the program, or 0 */
    struct trace fatal;
    bool whole; /* valgrind closed its report */
};

/* Reads `path`. A file that is missing, unreadable or not valgrind's XML is a fault; one that is cut is not. Blocks
 * on the disk only. */
int valgrind_xml_read(void *context, const char *path, struct valgrind_report *report, struct fault *fault);

/* The thread with that number, or NULL. */
const struct valgrind_thread *valgrind_thread_find(const struct valgrind_report *report, int id);

#endif
