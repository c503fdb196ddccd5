/* helgrind_locks.h - which locks each side of a race held.
 *
 * Helgrind's XML leaves this out; its plain text has it ("Locks held: 1, at address 0x4A4C040"). So a program in which
 * the XML showed a race is run once more for the text, and the two are joined by their source lines. Read by line,
 * bounded; lines that do not belong are passed over. Pure function; any thread.
 */
#ifndef GRADE_HELGRIND_LOCKS_H
#define GRADE_HELGRIND_LOCKS_H

#include "trace.h"

#include <stddef.h>
#include <stdint.h>

enum {
    HELD_MAX = 8,           /* locks of one side that are kept */
    LOCKED_RACES_MAX = 128, /* races that are kept */
};

struct locked_side {
    int thread; /* helgrind's number; 0 where this side is missing */
    int held;   /* how many locks it held; -1 where helgrind does not say */
    uint64_t locks[HELD_MAX];
    struct trace trace;
};

struct locked_race {
    struct locked_side sides[2]; /* [0] the access at which the race was found, [1] the earlier one */
};

/* A lock that such a race speaks of, and where helgrind saw it first: its initialisation or its first use. */
struct seen_lock {
    uint64_t address;
    struct trace first;
};

struct helgrind_locks {
    struct locked_race *races;
    size_t race_count;
    struct seen_lock *locks;
    size_t lock_count;
};

/* Reads what helgrind wrote as text; `text` need not end well. All belongs to `context`. */
void helgrind_locks_read(void *context, const char *text, struct helgrind_locks *locks);

#endif
