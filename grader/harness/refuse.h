/* refuse.h - for tests.c: no memory for what the student's code is built on.
 *
 *     refuse_memory(2);                                       // of this thread, from now on, the second piece
 *     int error = executor_submit(executor, work, NULL, &future);
 *     refuse_memory(0);
 *
 * wrap.h lets the student's own calls fail. But a queue, a future, a new thread ask for memory too, and whoever calls
 * them has to bear their errors. Here it is they who are refused, and the student's own calls never are: which of these
 * fails is wrap_fail's business. How many pieces somebody else's call asks for is not known: so try the first, the
 * second, and so on, beyond the last.
 *
 * Theory: this header *defines* malloc and calloc, so that they stand before the C library's for all that is linked
 * into the test program. The student's own calls announce themselves in a hook (exercise.ini must wrap malloc and
 * calloc, and the test may not hook these itself). Include it in tests.c and nowhere else.
 */
#ifndef HARNESS_REFUSE_H
#define HARNESS_REFUSE_H

#include "wrap.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static _Thread_local long refuse_in;  /* the how manieth piece from now is refused; 0: none */
static _Thread_local bool refuse_own; /* the next call is the student's own */

extern void *refuse_libc_malloc(size_t size) __asm__("__libc_malloc");
extern void *refuse_libc_calloc(size_t count, size_t size) __asm__("__libc_calloc");

static bool refuse_this(void)
{
    bool own = refuse_own;

    refuse_own = false;
    if (own || refuse_in == 0 || --refuse_in > 0)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return refuse_this() ? NULL : refuse_libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refuse_this() ? NULL : refuse_libc_calloc(count, size);
}

static void refuse_not_this(void *unused)
{
    (void)unused;
    refuse_own = true;
}

/* Refuses the `nth` piece of memory that is asked for in the calling thread from now on (1 is the next), except by the
 * student's own code. 0 takes it back. */
static void refuse_memory(long nth)
{
    wrap_before(WRAP_malloc, refuse_not_this, NULL);
    wrap_before(WRAP_calloc, refuse_not_this, NULL);
    refuse_in = nth;
}

#endif
