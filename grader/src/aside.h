/* aside.h - work of this process in another one beside it, for what needs no answer before the end.
 *
 * The other is a copy of this one (fork), so it works on the same things and shares none of them: what it has found
 * comes back as bytes through a pipe. It ends with us, and what it started ends with it. Not beside threads.
 */
#ifndef GRADE_ASIDE_H
#define GRADE_ASIDE_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct aside {
    pid_t pid;   /* 0: there is none */
    int pipe;    /* to be read: poll() it; -1 at its end */
    char *text;  /* what came so far, with a NUL behind it; owned by the context given */
    size_t used; /* bytes of it */
    size_t size;
    bool clean; /* after its end: it exited, and with status 0 */
};

/* Has `work` done in a process beside this one; what it writes to `pipe` comes back. Returns at once. The caller ends
 * with aside_wait() or aside_stop(). */
int aside_start(struct aside *aside, void (*work)(void *closure, int pipe), void *closure, struct fault *fault);

/* Reads what has come; does not block. True once it is at its end: then `text` is whole, and the process reaped. */
bool aside_read(void *context, struct aside *aside);

/* Blocks until it is at its end. */
void aside_wait(void *context, struct aside *aside);

/* Ends it, with all that it started; blocks until it is gone, which takes seconds where it does not listen. What came
 * is of no use. Nothing happens where there is none, or no more. */
void aside_stop(struct aside *aside);

#endif
