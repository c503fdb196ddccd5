/* model_process.c - the rest of the library that a small program calls: ends by failure, random numbers, and whatever
 * cannot be modelled. See model.h. */
#include "model.h"

#include "record.h"

#include <stdlib.h>
#include <string.h>

static const char *base(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

_Noreturn void il___assert_fail(const char *condition, const char *file, unsigned line, const char *function)
{
    IL_ENTER();
    (void)function;
    record_note("fails the assertion", NULL, -1);
    il_found(FIND_ASSERTION, NULL, "%s:%u: the assertion `%s` does not hold", base(file), line, condition);
}

_Noreturn void il_abort(void)
{
    IL_ENTER();
    record_note("aborts", NULL, -1);
    il_found(FIND_CRASH, NULL, "%s calls abort()", il_name(il.current));
}

/* The generator starts afresh at every run, so that every run of the same interleaving is the same (the example of
 * POSIX, with the whole range of glibc). */
int il_rand(void)
{
    il.random_state = il.random_state * 1103515245U + 12345U;
    return (int)(il.random_state >> 1);
}

void il_srand(unsigned seed)
{
    il.random_state = seed;
}

long il_random(void)
{
    return il_rand();
}

void il_srandom(unsigned seed)
{
    il.random_state = seed;
}

int il_rand_r(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return (int)(*state >> 1);
}

/* Stands for a call that the explorer does not model; the driver makes a stub for each such name. */
_Noreturn void il_cannot(const char *name, const void *pc)
{
    il_enter(pc);
    il_found(FIND_CANNOT, NULL, "the program calls %s(), which the explorer cannot model", name);
}
