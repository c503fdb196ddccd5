/* memory_map.c - see memory_map.h. */
#include "memory_map.h"

#include "engine.h"
#include "shadow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { UNPOISONED = 256 << 10 }; /* of each stack: our own tests need no more */
#endif

/* Stacks begin at different places of their pages: else the frames of all threads fell on the same lines of the cache.
 */
enum { GUARD = 64 << 10, COLOURS = 7, COLOUR = 576 };

static struct {
    char *base; /* arena, then thread 1's guard and stack, then the others' */
    size_t size;
    int guarded; /* the guards of so many threads are in place */
    struct cell *shadow;
    char *data;
    size_t data_size;
    char *copy;
    struct cell *data_shadow;
} map;

static void *reserve(size_t size, int protection)
{
    void *at = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static size_t guard_at(int thread)
{
    size_t first = MEMORY_ARENA;
    if (thread == 0)
        return first;
    return first + GUARD + MEMORY_MAIN_STACK + (size_t)(thread - 1) * (GUARD + MEMORY_STACK);
}

/* Two hundred and fifty guards would take a third of the time that a scenario of one order takes. */
int memory_guard(int thread)
{
    for (; map.guarded <= thread; map.guarded++)
        if (mprotect(map.base + guard_at(map.guarded), GUARD, PROT_NONE))
            return -1;
    return 0;
}

int memory_open(void)
{
    map.size = guard_at(THREADS_MAX);
    map.base = reserve(map.size, PROT_READ | PROT_WRITE);
    map.shadow = reserve(map.size / 4 * sizeof(struct cell), PROT_READ | PROT_WRITE);
    if (!map.base || !map.shadow)
        return -1;
    return memory_guard(0);
}

int memory_set_data(void *start, size_t size)
{
    map.data = start;
    map.data_size = size;
    map.copy = malloc(size + 1);
    map.data_shadow = reserve((size / 4 + 4) * sizeof(struct cell), PROT_READ | PROT_WRITE);
    if (!map.copy || !map.data_shadow) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(map.copy, start, size);
    return 0;
}

/* A run that is left in the middle leaves its frames' red zones behind, where the next run's frames will lie. */
void memory_unpoison(void)
{
#ifdef __SANITIZE_ADDRESS__
    for (int i = 0; i < THREADS_MAX; i++)
        __asan_unpoison_memory_region((char *)memory_stack_top(i) - UNPOISONED, UNPOISONED);
#endif
}

void memory_restore(void)
{
    memory_unpoison();
    memcpy(map.data, map.copy, map.data_size);
}

char *memory_arena(void)
{
    return map.base;
}

void *memory_stack_top(int thread)
{
    return map.base + guard_at(thread + 1) - (size_t)thread % COLOURS * COLOUR;
}

static size_t offset_of(const void *address)
{
    return (size_t)((const char *)address - map.base);
}

int memory_guard_of(const void *address)
{
    for (int i = 0; i < THREADS_MAX; i++)
        if (offset_of(address) - guard_at(i) < GUARD)
            return i;
    return -1;
}

int memory_stack_of(const void *address)
{
    size_t offset = offset_of(address);
    for (int i = 0; i < THREADS_MAX && offset < map.size; i++)
        if (offset >= guard_at(i) && offset < guard_at(i + 1))
            return i;
    return -1;
}

bool memory_in_arena(const void *address)
{
    return offset_of(address) < MEMORY_ARENA;
}

bool memory_in_data(const void *address)
{
    return (size_t)((const char *)address - map.data) < map.data_size;
}

void memory_data(const char **start, size_t *size)
{
    *start = map.data;
    *size = map.data_size;
}

struct cell *memory_shadow(const void *address)
{
    size_t offset = (size_t)((const char *)address - map.data);
    if (offset < map.data_size)
        return &map.data_shadow[offset / 4];
    offset = offset_of(address);
    if (offset < map.size)
        return &map.shadow[offset / 4];
    return NULL;
}
