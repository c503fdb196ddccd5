/* record.h - what a run did, row by row, for the trace; and what is wrong where nobody can go on.
 *
 * Only a run that is replayed to be shown is recorded (il.recording); in all others every call returns at once.
 */
#ifndef EXPLORE_RECORD_H
#define EXPLORE_RECORD_H

#include "engine.h"

enum { ROWS_MAX = 4000 };

struct row {
    int thread;
    const void *pc;     /* a return address: the line is that of the byte before */
    const char *what;   /* "locks", "sleeps on", …; NULL for a plain access */
    const void *object; /* or NULL */
    int other;          /* a thread that it happens to, or -1 */
    bool is_write;      /* of a plain access */
    uint64_t now_ns;
};

struct record {
    struct row rows[ROWS_MAX];
    unsigned n, lost; /* rows that did not fit */
};

extern struct record record;

/* The current thread did `what` (a literal) to `object`, and it concerned thread `other` (-1: nobody). */
void record_note_slow(const char *what, const void *object, int other);
static inline void record_note(const char *what, const void *object, int other)
{
    if (__builtin_expect(il.recording, false))
        record_note_slow(what, object, other);
}

/* A plain access by the current thread. */
void record_access(const void *address, size_t size, bool is_write);

/* Nobody can go on: fills il.finding with who waits for whom. Returns. */
void record_stuck(void);

/* What `thread` waits for: "waits for the mutex that thread 2 holds". At most `size` bytes with the NUL. */
void record_waits(int thread, char *text, size_t size);

/* The thread that `thread` waits for, or -1. */
int record_waits_for(int thread);

#endif
