/* lock_scan.h - which locks a piece of C visibly holds at a line, read from its text.
 *
 * A detector tells how many locks a thread held, and their addresses; a student wants "c->mutex (taken at line 23)".
 * The text says that where the code is plain: a lock call that every way to the line has passed, and no unlock between.
 * What is not plain (a lock kept over the end of a block, an unlock in one branch only) makes the answer uncertain, and
 * callers must hold it against the detector's count before they repeat it. Pure functions; any thread.
 */
#ifndef GRADE_LOCK_SCAN_H
#define GRADE_LOCK_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum { LOCK_SCAN_MAX = 16 };

struct held_lock {
    const char *expression; /* as written, without the `&`: "c->mutex" */
    int line;               /* of the call that took it */
};

struct lock_scan {
    struct held_lock held[LOCK_SCAN_MAX]; /* in the order they were taken */
    size_t count;
    bool certain;
};

/* What the function around `line` of `source` (a whole C file) holds there. With `inclusive` a lock taken on that very
 * line counts; without, only what was taken on earlier lines. */
struct lock_scan lock_scan_at(void *context, const char *source, int line, bool inclusive);

/* The name of the first locking, unlocking or lock-making call on that line, and its first argument without the `&`.
 * False where there is none. */
bool lock_call_at(void *context, const char *source, int line, const char **call, const char **expression);

#endif
