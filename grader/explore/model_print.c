/* model_print.c - output: what is printed goes where it went, and may be where a thread ends that was asked to.
 *
 * POSIX says that these may be cancellation points, and in glibc they are whenever a buffer is written out. So a
 * program that is cancelled in printf while it holds a lock is wrong, and one that waits to be cancelled there ends.
 * See model.h.
 */
#include "model.h"

#include "shadow.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PRINTS_MAX = 2000000 }; /* while nobody changes anything that others could see */

static struct {
    uint32_t run;
    uint64_t writes;
    unsigned n;
} quiet;

/* A loop that only prints gives nobody a turn: it is without end, long before processor time would show it. */
static void count_quiet(void)
{
    if (quiet.run != il.run || quiet.writes != il.writes) {
        quiet.run = il.run;
        quiet.writes = il.writes;
        quiet.n = 0;
    }
    if (++quiet.n > PRINTS_MAX)
        il_found(FIND_ENDLESS, NULL, "%s prints without end: it does nothing else that others could see",
                 il_name(il.current));
}

static void may_end(const void *pc)
{
    il_enter(pc);
    count_quiet();
    model_cancel_point();
}

/* The same, for what goes to a stream. */
static void may_end_at(const void *pc, const FILE *to)
{
    may_end(pc);
    model_stream_turn(to);
}

#define MAY_END() may_end(__builtin_return_address(0))
#define MAY_END_AT(to) may_end_at(__builtin_return_address(0), to)

static void reads_text(const char *text)
{
    shadow_access(text, strlen(text) + 1, false, false);
}

int il_vfprintf(FILE *to, const char *format, va_list list)
{
    MAY_END_AT(to);
    return vfprintf(to, format, list);
}

int il_vprintf(const char *format, va_list list)
{
    MAY_END();
    return vfprintf(stdout, format, list);
}

int il_fprintf(FILE *to, const char *format, ...)
{
    MAY_END_AT(to);
    va_list list;
    va_start(list, format);
    int length = vfprintf(to, format, list);
    va_end(list);
    return length;
}

int il_printf(const char *format, ...)
{
    MAY_END();
    va_list list;
    va_start(list, format);
    int length = vfprintf(stdout, format, list);
    va_end(list);
    return length;
}

int il_puts(const char *text)
{
    MAY_END();
    reads_text(text);
    return puts(text);
}

int il_fputs(const char *text, FILE *to)
{
    MAY_END_AT(to);
    reads_text(text);
    return fputs(text, to);
}

size_t il_fwrite(const void *from, size_t size, size_t n, FILE *to)
{
    MAY_END_AT(to);
    if (size && n)
        shadow_access(from, size * n, false, false);
    return fwrite(from, size, n, to);
}

int il_putchar(int byte)
{
    MAY_END();
    return fputc(byte, stdout);
}

int il_putc(int byte, FILE *to)
{
    MAY_END_AT(to);
    return fputc(byte, to);
}

int il_fputc(int byte, FILE *to)
{
    MAY_END_AT(to);
    return fputc(byte, to);
}

int il_fflush(FILE *stream)
{
    MAY_END();
    if (stream && stream != stdin)
        model_stream_turn(stream);
    return fflush(stream);
}

void il_perror(const char *text)
{
    MAY_END();
    perror(text);
}
