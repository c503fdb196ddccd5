/* record.h - what a run did, row by row, for the trace; and what is wrong where nobody can go on.
 *
 * Only a run that is replayed to be shown is recorded (il.recording); in all others every call returns at once.
 * Everything that is said about a run afterwards (show.h, story.h, json.c) rests on these rows alone and on where each
 * thread stood at the end, so a row keeps the facts: who, where (with its callers), what, to which object, and the
 * value before and after.
 */
#ifndef EXPLORE_RECORD_H
#define EXPLORE_RECORD_H

#include "engine.h"

enum { ROWS_MAX = 4000, FRAMES_MAX = 12 };

/* What a row's words mean; from the table in record.c. A new word that is not in the table is OP_OTHER: it is shown,
 * and no pattern is seen in it. */
enum op {
    OP_READ,
    OP_WRITE,
    OP_LOOK,   /* atomic */
    OP_SET,    /* atomic, whatever was there */
    OP_CHANGE, /* atomic read-modify-write */
    OP_LOCK,
    OP_LOCK_READ,
    OP_UNLOCK,
    OP_BUSY, /* a try that failed */
    OP_GIVE_UP,
    OP_SLEEP,    /* on a condition variable */
    OP_AWAKE,    /* has the mutex again after it */
    OP_SPURIOUS, /* wakes though nobody signalled */
    OP_TIME_OVER,
    OP_SIGNAL, /* wakes `other` */
    OP_SIGNAL_NOBODY,
    OP_BROADCAST, /* wakes `other` among all */
    OP_BROADCAST_NOBODY,
    OP_TAKE, /* of a semaphore */
    OP_POST,
    OP_ARRIVE, /* at a barrier */
    OP_LEAVE,
    OP_MAKE, /* thread `other` */
    OP_JOIN,
    OP_END,
    OP_NAP, /* sleeps for a time */
    OP_FREE,
    OP_DESTROY,
    OP_RACE_READ, /* the access that ended the run */
    OP_RACE_WRITE,
    OP_FAIL, /* an assertion */
    OP_OVER, /* of the program */
    OP_OTHER,
};

/* A call that has not returned: the address that it returns to (program counters here are return addresses: the line
 * is that of the byte before), and the end of its frame on the stack. Innermost first. */
struct frame {
    const void *pc, *top;
};

struct row {
    int thread;
    enum op op;
    const void *pc;
    const char *what;   /* "locks", "sleeps on", …; NULL for a plain access */
    const void *object; /* or NULL */
    int other;          /* a thread that it happens to, or -1 */
    bool is_write;      /* of an access */
    bool switched;      /* another thread went before this one */
    uint64_t now_ns;
    uint8_t size; /* bytes of an access whose values are known, or 0 */
    uint64_t before, after;
    uint8_t frames_n;
    struct frame frames[FRAMES_MAX];
};

struct record {
    struct row rows[ROWS_MAX];
    unsigned n, lost;             /* rows that did not fit */
    unsigned pending;             /* 1 + a write whose value is not there yet, or 0 */
    struct row last[THREADS_MAX]; /* where each thread's last wish was made: frames and pc; `n` of rows then */
    unsigned last_n[THREADS_MAX];
};

extern struct record record;

/* Before the run that is to be recorded, and after it (values of the last write). */
void record_begin(void);
void record_end(void);

/* The current thread did `what` (a literal) to `object`, and it concerned thread `other` (-1: nobody). */
void record_note_slow(const char *what, const void *object, int other);
static inline void record_note(const char *what, const void *object, int other)
{
    if (__builtin_expect(il.recording, false))
        record_note_slow(what, object, other);
}

/* A plain access by the current thread, about to be done (an atomic one: just done, and a note follows). */
void record_access(const void *address, size_t size, bool is_write);

/* The current thread announces a wish: should it never be granted, this is where it stands. */
void record_wish_slow(void);
static inline void record_wish(void)
{
    if (__builtin_expect(il.recording, false))
        record_wish_slow();
}

/* The words of table and trace that `what` stands for. */
enum op record_op(const char *what);

/* Nobody can go on: fills il.finding with who waits for whom. Returns. */
void record_stuck(void);

/* What `thread` waits for: "waits for the mutex that thread 2 holds". At most `size` bytes with the NUL. */
void record_waits(int thread, char *text, size_t size);

/* The thread that `thread` waits for, or -1. */
int record_waits_for(int thread);

/* The threads of the first circle of who waits for whom, in order; their number, or 0. Room for THREADS_MAX. */
unsigned record_circle(int *members);

#endif
