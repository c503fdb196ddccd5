/* trace.h - the stacks that detectors report, in one shape.
 *
 * valgrind_xml.h and sanitizer_log.h make them, the memory and races stages read them. All strings belong to the
 * context that the reader was given. Pure functions; any thread.
 */
#ifndef GRADE_TRACE_H
#define GRADE_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct frame {
    const char *function; /* or NULL */
    const char *file;     /* base name, or NULL */
    int line;             /* from 1; 0 where unknown */
    const char *module;   /* path of the program or library it is in, or NULL */
    uint64_t address;     /* in the process; in `module` where `file` is NULL and `module` is not; 0 where unknown */
};

struct trace {
    const char *title; /* the detector's sentence above the stack, "" where it has none */
    int thread;        /* the detector's own number of the thread; -1 where it names none */
    struct frame *frames;
    size_t count;
};

enum {
    TRACE_FRAMES_MAX = 64, /* deeper frames are dropped: a report stays bounded whatever the program did */
};

/* Adds an empty frame to `trace` and returns it; NULL where it is full. */
struct frame *trace_add(void *context, struct trace *trace);

/* The innermost frame that lies in `file` (a base name) and has a line; NULL where there is none. */
const struct frame *trace_find(const struct trace *trace, const char *file);

/* What follows the last '/' of `path`; NULL for NULL. */
const char *trace_base_name(const char *path);

#endif
