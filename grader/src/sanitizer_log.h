/* sanitizer_log.h - what the sanitizers of gcc and clang wrote, as reports with stacks.
 *
 * Reads the text of AddressSanitizer, LeakSanitizer, UndefinedBehaviorSanitizer, MemorySanitizer and ThreadSanitizer,
 * as gcc 12 and clang 14 print it (compiler-rt's *_report.cpp are the reference). Bounded; lines that belong to nobody,
 * such as what the program itself printed, are passed over. Pure but for sanitizer_log_resolve; any thread.
 */
#ifndef GRADE_SANITIZER_LOG_H
#define GRADE_SANITIZER_LOG_H

#include "fault.h"
#include "trace.h"

#include <stdbool.h>
#include <stddef.h>

enum sanitizer { SANITIZER_ADDRESS, SANITIZER_LEAK, SANITIZER_UNDEFINED, SANITIZER_MEMORY, SANITIZER_THREAD };

enum {
    SANITIZER_REPORTS_MAX = 64,
    SANITIZER_TRACES_MAX = 16, /* of one report */
    SANITIZER_NOTES_MAX = 16,  /* of one report */
};

struct sanitizer_report {
    enum sanitizer sanitizer;
    /* "heap-use-after-free", "double-free", "bad-free", "SEGV", …; "direct leak", "indirect leak"; "data race", "thread
     * leak", …; "use-of-uninitialized-value"; for UndefinedBehaviorSanitizer "runtime error". */
    const char *kind;
    const char *text; /* its first sentence, without tool and process number */
    long bytes;       /* a leak's size in bytes, and how many blocks; else 0 */
    long objects;
    struct trace *traces; /* each titled by the line above it */
    size_t trace_count;
    const char **notes; /* lines without a stack: "0x… is located 4 bytes to the right of 40-byte region …" */
    size_t note_count;
};

struct sanitizer_log {
    struct sanitizer_report *reports;
    size_t count;
    const char *failure; /* the sanitizer's own words where it could not do its work, or NULL */
};

/* `text` ends with a NUL. All belongs to `context`. */
void sanitizer_log_read(void *context, const char *text, struct sanitizer_log *log);

/* Gives function, file and line to the frames that only say "module+offset" and lie in `program` (a path): what a
 * sanitizer prints where it was told not to look for symbols itself. Reads the program's DWARF. A program that cannot
 * be read is a fault; an address without a line is left as it is. */
int sanitizer_log_resolve(void *context, const char *program, struct sanitizer_log *log, struct fault *fault);

#endif
