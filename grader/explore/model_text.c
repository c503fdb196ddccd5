/* model_text.c - the library's functions on strings and calendars that the program could race in. See model.h.
 *
 * What they read and write of the program's memory counts as the program's own accesses. Those that keep their result,
 * or where they were, in one place for all threads (strtok, localtime, asctime and their like: POSIX says that they
 * need not be safe) keep it in a hidden block of the program's heap: so two threads that use them unordered race there,
 * and so does whoever reads the result while another asks for the next.
 */
#include "model.h"

#include "heap.h"
#include "shadow.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void reads(const void *at, size_t size)
{
    shadow_access(at, size, false, false);
}

static void writes(void *at, size_t size)
{
    shadow_access(at, size, true, false);
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

char *il_strcat(char *to, const char *from)
{
    IL_ENTER();
    size_t length = strlen(to), more = strlen(from) + 1;
    reads(to, length + 1);
    reads(from, more);
    writes(to + length, more);
    memcpy(to + length, from, more);
    return to;
}

char *il_strncat(char *to, const char *from, size_t most)
{
    IL_ENTER();
    size_t length = strlen(to), more = strnlen(from, most);
    reads(to, length + 1);
    reads(from, more < most ? more + 1 : more);
    writes(to + length, more + 1);
    memcpy(to + length, from, more);
    to[length + more] = '\0';
    return to;
}

char *il_strncpy(char *to, const char *from, size_t size)
{
    IL_ENTER();
    size_t length = strnlen(from, size);
    reads(from, length < size ? length + 1 : length);
    writes(to, size);
    memcpy(to, from, length);
    memset(to + length, 0, size - length);
    return to;
}

int il_strncmp(const char *a, const char *b, size_t most)
{
    IL_ENTER();
    size_t same = 0;
    while (same < most && a[same] && a[same] == b[same])
        same++;
    reads(a, same < most ? same + 1 : most);
    reads(b, same < most ? same + 1 : most);
    return strncmp(a, b, most);
}

char *il_strchr(const char *text, int byte)
{
    IL_ENTER();
    char *found = strchr(text, byte);
    reads(text, found ? (size_t)(found - text) + 1 : strlen(text) + 1);
    return found;
}

char *il_strstr(const char *text, const char *wanted)
{
    IL_ENTER();
    reads(text, strlen(text) + 1);
    reads(wanted, strlen(wanted) + 1);
    return strstr(text, wanted);
}

int il_vsnprintf(char *to, size_t size, const char *format, va_list list)
{
    IL_ENTER();
    int length = vsnprintf(to, size, format, list);
    if (length >= 0 && size)
        writes(to, (size_t)length < size ? (size_t)length + 1 : size);
    return length;
}

int il_snprintf(char *to, size_t size, const char *format, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, format);
    int length = vsnprintf(to, size, format, list);
    va_end(list);
    if (length >= 0 && size)
        writes(to, (size_t)length < size ? (size_t)length + 1 : size);
    return length;
}

/* Before it is written, as a plain access is: into a block that is too short, nothing is. */
static int print_into(char *to, const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        return length;
    writes(to, (size_t)length + 1);
    return vsnprintf(to, (size_t)length + 1, format, list);
}

int il_vsprintf(char *to, const char *format, va_list list)
{
    IL_ENTER();
    return print_into(to, format, list);
}

int il_sprintf(char *to, const char *format, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, format);
    int length = print_into(to, format, list);
    va_end(list);
    return length;
}

/* ---- one place for all threads ----------------------------------------------------------------------------------- */

enum { TIME_SIZE = 26 }; /* what asctime() fills, as POSIX says */

static struct {
    uint32_t run;
    char **goes_on;    /* strtok */
    struct tm *broken; /* localtime, gmtime: glibc has one for both */
    char *text;        /* asctime, ctime */
} shared;

static void *place(size_t size)
{
    void *at = heap_take_hidden(size, 16);
    if (!at)
        il_found(FIND_CANNOT, NULL, "no memory is left for what the library keeps for all threads");
    return at;
}

static void begin(void)
{
    if (shared.run == il.run)
        return;
    shared.run = il.run;
    shared.goes_on = place(sizeof *shared.goes_on);
    shared.broken = place(sizeof *shared.broken);
    shared.text = place(TIME_SIZE);
}

char *il_strtok(char *text, const char *ends)
{
    IL_ENTER();
    begin();
    writes(shared.goes_on, sizeof *shared.goes_on);
    char *from = text ? text : *shared.goes_on;
    if (!from)
        return NULL;
    writes(from, strlen(from) + 1);
    return strtok_r(text, ends, shared.goes_on);
}

static struct tm *broken_down(struct tm *(*how)(const time_t *, struct tm *), const time_t *time)
{
    begin();
    reads(time, sizeof *time);
    writes(shared.broken, sizeof *shared.broken);
    return how(time, shared.broken);
}

struct tm *il_localtime(const time_t *time)
{
    IL_ENTER();
    return broken_down(localtime_r, time);
}

struct tm *il_gmtime(const time_t *time)
{
    IL_ENTER();
    return broken_down(gmtime_r, time);
}

static char *as_text(const struct tm *broken)
{
    reads(broken, sizeof *broken);
    writes(shared.text, TIME_SIZE);
    return asctime_r(broken, shared.text);
}

char *il_asctime(const struct tm *broken)
{
    IL_ENTER();
    begin();
    return as_text(broken);
}

char *il_ctime(const time_t *time)
{
    IL_ENTER();
    const struct tm *broken = broken_down(localtime_r, time);
    return broken ? as_text(broken) : NULL;
}
