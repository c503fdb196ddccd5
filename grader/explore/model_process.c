/* model_process.c - the rest of the library that a small program calls: ends by failure, random numbers, and whatever
 * cannot be modelled. See model.h. */
#include "model.h"

#include "heap.h"
#include "record.h"
#include "shadow.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    static const char *const variants[] = {"__isoc99_", "__isoc23_"}; /* what headers make of scanf and its like */
    il_enter(pc);
    for (unsigned i = 0; i < sizeof variants / sizeof variants[0]; i++)
        if (strncmp(name, variants[i], strlen(variants[i])) == 0)
            name += strlen(variants[i]);
    il_found(FIND_CANNOT, NULL, "the program calls %s(), which the explorer cannot model", name);
}

/* ---- ends with a message ----------------------------------------------------------------------------------------- */

_Noreturn void il___assert_perror_fail(int error, const char *file, unsigned line, const char *function)
{
    IL_ENTER();
    (void)function;
    record_note("fails the assertion", NULL, -1);
    il_found(FIND_ASSERTION, NULL, "%s:%u: unexpected error: %s", base(file), line, strerrordesc_np(error));
}

_Noreturn void il___assert(const char *condition, const char *file, int line)
{
    IL_ENTER();
    record_note("fails the assertion", NULL, -1);
    il_found(FIND_ASSERTION, NULL, "%s:%d: the assertion `%s` does not hold", base(file), line, condition);
}

_Noreturn void il_err(int status, const char *format, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, format);
    vwarn(format, list);
    va_end(list);
    model_exit(status);
}

_Noreturn void il_errx(int status, const char *format, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, format);
    vwarnx(format, list);
    va_end(list);
    model_exit(status);
}

void il_warn(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vwarn(format, list);
    va_end(list);
}

void il_warnx(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vwarnx(format, list);
    va_end(list);
}

void il_error(int status, int error, const char *format, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, error ? ": %s\n" : "\n", strerrordesc_np(error));
    if (status)
        model_exit(status);
}

/* ---- the library's own state, and memory that the library would allocate ----------------------------------------- */

/* drand48 and its family: X' = 0x5deece66d X + 11 mod 2^48, as POSIX says. */
static uint64_t next48(void)
{
    il.random48 = (il.random48 * 0x5deece66dULL + 11) & 0xffffffffffffULL;
    return il.random48;
}

double il_drand48(void)
{
    return (double)next48() / 281474976710656.0;
}

long il_lrand48(void)
{
    return (long)(next48() >> 17);
}

long il_mrand48(void)
{
    return (long)(int32_t)(next48() >> 16);
}

void il_srand48(long seed)
{
    il.random48 = (uint64_t)(uint32_t)seed << 16 | 0x330e;
}

void model_process_reset(void)
{
    il.random48 = 0x1234abcd330eULL;
    optind = 0; /* glibc: getopt begins afresh */
}

int il_vasprintf(char **to, const char *format, va_list list)
{
    IL_ENTER();
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : il_malloc((size_t)length + 1);
    if (!text)
        return -1;
    *to = text;
    return vsnprintf(text, (size_t)length + 1, format, list);
}

int il_asprintf(char **to, const char *format, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, format);
    int length = il_vasprintf(to, format, list);
    va_end(list);
    return length;
}

/* A merge sort: stable as glibc's is, and with no memory of the library's that a run that is left would leave behind.
 * `room` has space for half of the elements. */
static void sort(char *base, char *room, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    if (n < 2)
        return;
    size_t half = n / 2, left = 0, right = half, to = 0;
    sort(base, room, half, size, compare);
    sort(base + half * size, room, n - half, size, compare);
    memcpy(room, base, half * size);
    while (left < half && right < n) {
        bool takes_right = compare(room + left * size, base + right * size) > 0;
        memmove(base + to++ * size, takes_right ? base + right++ * size : room + left++ * size, size);
    }
    memcpy(base + to * size, room + left * size, (half - left) * size);
}

void il_qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    IL_ENTER();
    if (n < 2 || size == 0)
        return;
    shadow_access(base, n * size, true, false);
    void *room = heap_take_hidden(n / 2 * size, 16);
    if (!room)
        il_found(FIND_CANNOT, NULL, "no memory is left to sort %zu elements", n);
    sort(base, room, n, size, compare);
}
