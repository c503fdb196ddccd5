/* tsan.c - the functions that -fsanitize=thread makes the program call at every plain access (gcc and clang).
 *
 * An access costs a few comparisons where only the current thread has used the place.
 */
#include "engine.h"
#include "memory_map.h"
#include "record.h"
#include "shadow.h"

#include <string.h>

enum {
    QUIET_MAX = 20000,  /* accesses without a visible operation, after which others get a turn */
    QUIET_NS = 1000000, /* …and so much time has passed, for whoever has set an alarm */
};

/* A loop over plain memory has no scheduling points: it gets one now and then, so that it cannot keep others away. */
static void quiet_too_long(void)
{
    il.self->quiet_accesses = 0;
    if (il.alarm)
        model_alarm_comes_nearer(QUIET_NS, false);
    il_yield();
}

static inline void access_plain(const void *address, size_t size, bool is_write, const void *pc)
{
    if (!il.inside)
        return;
    struct thread *self = il.self;
    self->pc = pc;
    if (++self->quiet_accesses > QUIET_MAX)
        quiet_too_long();
    if ((size == 4 || size == 8) && ((uintptr_t)address & 3) == 0 && !il.recording) {
        struct cell *cell = memory_shadow(address);
        if (!cell)
            return;
        if (shadow_is_own(cell, address) && (size == 4 || shadow_is_own(cell + 1, address))) {
            shadow_note_own(cell, is_write);
            if (size == 8)
                shadow_note_own(cell + 1, is_write);
            return;
        }
    }
    shadow_access(address, size, is_write, false);
}

#define HERE __builtin_return_address(0)
#define ACCESS(name, size, is_write)                                                                                   \
    void name(const void *address)                                                                                     \
    {                                                                                                                  \
        access_plain(address, size, is_write, HERE);                                                                   \
    }

#define ACCESSES(size)                                                                                                 \
    ACCESS(__tsan_read##size, size, false)                                                                             \
    ACCESS(__tsan_write##size, size, true)                                                                             \
    ACCESS(__tsan_unaligned_read##size, size, false)                                                                   \
    ACCESS(__tsan_unaligned_write##size, size, true)                                                                   \
    ACCESS(__tsan_volatile_read##size, size, false)                                                                    \
    ACCESS(__tsan_volatile_write##size, size, true)                                                                    \
    ACCESS(__tsan_unaligned_volatile_read##size, size, false)                                                          \
    ACCESS(__tsan_unaligned_volatile_write##size, size, true)                                                          \
    ACCESS(__tsan_read_write##size, size, true)                                                                        \
    ACCESS(__tsan_unaligned_read_write##size, size, true)

/* Named by the compilers; no header declares them. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(const void *address, unsigned long size)
{
    access_plain(address, size, false, HERE);
}

void __tsan_write_range(const void *address, unsigned long size)
{
    access_plain(address, size, true, HERE);
}

void __tsan_init(void) {}

void __tsan_func_entry(const void *pc)
{
    (void)pc;
}

void __tsan_func_exit(void) {}

/* ---- the library's functions on memory: range checks, then the real ones ----------------------------------------- */

void *il_memcpy(void *to, const void *from, size_t size)
{
    access_plain(from, size, false, HERE);
    access_plain(to, size, true, HERE);
    return memcpy(to, from, size);
}

void *il_memmove(void *to, const void *from, size_t size)
{
    access_plain(from, size, false, HERE);
    access_plain(to, size, true, HERE);
    return memmove(to, from, size);
}

void *il_memset(void *to, int byte, size_t size)
{
    access_plain(to, size, true, HERE);
    return memset(to, byte, size);
}

int il_memcmp(const void *a, const void *b, size_t size)
{
    access_plain(a, size, false, HERE);
    access_plain(b, size, false, HERE);
    return memcmp(a, b, size);
}

size_t il_strlen(const char *text)
{
    size_t length = strlen(text);
    access_plain(text, length + 1, false, HERE);
    return length;
}

char *il_strcpy(char *to, const char *from)
{
    size_t size = strlen(from) + 1;
    access_plain(from, size, false, HERE);
    access_plain(to, size, true, HERE);
    return memcpy(to, from, size);
}

int il_strcmp(const char *a, const char *b)
{
    access_plain(a, strlen(a) + 1, false, HERE);
    access_plain(b, strlen(b) + 1, false, HERE);
    return strcmp(a, b);
}
