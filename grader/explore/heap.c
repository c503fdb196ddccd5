/* heap.c - see heap.h. */
#include "heap.h"

#include "engine.h"
#include "memory_map.h"
#include "record.h"
#include "shadow.h"
#include "sync_table.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCKS_MAX = 1 << 20, APART = 16 };

struct block {
    char *start;
    size_t size;
    const void *pc;
    int thread;
    int freed_by; /* thread, or -1 */
    const void *freed_pc;
    bool hidden, reached;
};

static struct {
    struct block *blocks; /* by address */
    size_t n, live;
    size_t used;  /* bytes of the arena */
    size_t asked; /* the block that was asked about last */
} heap;

int heap_open(void)
{
    heap.blocks = mmap(NULL, BLOCKS_MAX * sizeof(struct block), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return heap.blocks == MAP_FAILED ? -1 : 0;
}

void heap_reset(void)
{
    heap.n = heap.live = 0;
    heap.used = 64;
    heap.asked = 0;
}

static struct block *take(size_t size, size_t alignment)
{
    if (heap.n >= BLOCKS_MAX || size > MEMORY_ARENA || alignment > MEMORY_ARENA / 2)
        return NULL;
    char *base = memory_arena();
    size_t from = heap.used + APART;
    from += (alignment - ((uintptr_t)base + from) % alignment) % alignment;
    if (from + size + APART > MEMORY_ARENA)
        return NULL;
    heap.used = from + size + APART;
    struct block *block = &heap.blocks[heap.n++];
    *block =
        (struct block){.start = base + from, .size = size, .pc = il.self->pc, .thread = il.current, .freed_by = -1};
    return block;
}

void *heap_take_hidden(size_t size, size_t alignment)
{
    struct block *block = take(size, alignment);
    if (!block)
        return NULL;
    block->hidden = true;
    memset(block->start, 0, size);
    return block->start;
}

/* The block that starts last at or before `address`. */
static struct block *block_before(const void *address)
{
    size_t low = 0, high = heap.n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (heap.blocks[middle].start <= (const char *)address)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &heap.blocks[low - 1] : NULL;
}

bool heap_describe(const void *address, size_t *offset, size_t *size, const void **allocated_pc, int *freed_by)
{
    const struct block *block = memory_in_arena(address) ? block_before(address) : NULL;
    if (!block || (size_t)((const char *)address - block->start) >= block->size + APART)
        return false;
    *offset = (size_t)((const char *)address - block->start);
    *size = block->size;
    *allocated_pc = block->pc;
    *freed_by = block->freed_by;
    return true;
}

void heap_check_access(const void *address, size_t size)
{
    const struct block *block = heap.asked < heap.n ? &heap.blocks[heap.asked] : NULL;
    if (!block || (size_t)((const char *)address - block->start) >= block->size)
        block = block_before(address);
    heap.asked = block ? (size_t)(block - heap.blocks) : 0;
    size_t offset = block ? (size_t)((const char *)address - block->start) : 0;
    if (block && offset + size <= block->size && block->freed_by < 0)
        return;
    if (block && offset < block->size && block->freed_by >= 0)
        il_found(FIND_HEAP, address, "%s uses memory that %s has freed", il_name(il.current),
                 block->freed_by == il.current ? "it" : il_name(block->freed_by));
    if (block && offset < block->size + APART)
        il_found(FIND_HEAP, address, "%s reaches beyond the end of a block of %zu bytes", il_name(il.current),
                 block->size);
    il_found(FIND_HEAP, address, "%s uses memory of the heap that was never allocated", il_name(il.current));
}

/* ---- what the program calls -------------------------------------------------------------------------------------- */

static void *fail(void)
{
    errno = ENOMEM;
    return NULL;
}

static void *allocate(size_t size, size_t alignment, bool zeroed)
{
    if (il.faults && il_choice(2, true) == 1) {
        il_event(NULL, true, 1);
        record_note("malloc fails", NULL, -1);
        return fail();
    }
    struct block *block = take(size, alignment < 16 ? 16 : alignment);
    if (!block)
        return fail();
    heap.live++;
    memset(block->start, zeroed ? 0 : 0xbe, size);
    shadow_allocate(block->start, size);
    return block->start;
}

void *il_malloc(size_t size)
{
    IL_ENTER();
    return allocate(size, 16, false);
}

void *il_calloc(size_t count, size_t size)
{
    IL_ENTER();
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return fail();
    return allocate(bytes, 16, true);
}

void *il_aligned_alloc(size_t alignment, size_t size)
{
    IL_ENTER();
    if (alignment == 0 || (alignment & (alignment - 1))) {
        errno = EINVAL;
        return NULL;
    }
    return allocate(size, alignment, false);
}

int il_posix_memalign(void **to, size_t alignment, size_t size)
{
    IL_ENTER();
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)))
        return EINVAL;
    void *start = allocate(size, alignment, false);
    if (!start)
        return ENOMEM;
    *to = start;
    return 0;
}

static void release(void *start)
{
    struct block *block = memory_in_arena(start) ? block_before(start) : NULL;
    if (!block || block->start != start || block->hidden)
        il_found(FIND_HEAP, start, "%s frees what malloc has not given", il_name(il.current));
    /* cppcheck-suppress nullPointerRedundantCheck ; il_found does not return */
    if (block->freed_by >= 0)
        il_found(FIND_HEAP, start, "%s frees memory that %s has freed already", il_name(il.current),
                 block->freed_by == il.current ? "it" : il_name(block->freed_by));
    shadow_release(start, block->size); /* and the next access asks us */
    record_note("frees", start, -1);
    if (il.reducing)
        sync_freed(start, block->size);
    block->freed_by = il.current;
    block->freed_pc = il.self->pc;
    heap.live--;
}

void il_free(void *start)
{
    IL_ENTER();
    if (start)
        release(start);
}

void *il_realloc(void *start, size_t size)
{
    IL_ENTER();
    if (!start)
        return allocate(size, 16, false);
    struct block *block = memory_in_arena(start) ? block_before(start) : NULL;
    size_t old = block && block->start == start ? block->size : 0;
    void *larger = allocate(size, 16, false);
    if (!larger)
        return NULL;
    memcpy(larger, start, old < size ? old : size);
    release(start);
    return larger;
}

void *il_reallocarray(void *start, size_t count, size_t size)
{
    IL_ENTER();
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return fail();
    return il_realloc(start, bytes);
}

char *il_strndup(const char *text, size_t most)
{
    IL_ENTER();
    size_t length = strnlen(text, most);
    shadow_access(text, length < most ? length + 1 : length, false, false);
    char *copy = allocate(length + 1, 16, false);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *il_strdup(const char *text)
{
    IL_ENTER();
    return il_strndup(text, strlen(text));
}

/* ---- leaks ------------------------------------------------------------------------------------------------------- */

static void scan(const char *from, const char *to);

static void reach(const char *value)
{
    struct block *block = memory_in_arena(value) ? block_before(value) : NULL;
    if (!block || block->reached || block->freed_by >= 0 || (size_t)(value - block->start) > block->size)
        return;
    block->reached = true;
    scan(block->start, block->start + block->size);
}

/* Whatever looks like an address of a block is one. */
static void scan(const char *from, const char *to)
{
    const char *at = from + (sizeof(void *) - (uintptr_t)from % sizeof(void *)) % sizeof(void *);
    for (; at + sizeof(void *) <= to; at += sizeof(void *)) {
        const char *value;
        memcpy(&value, at, sizeof value);
        reach(value);
    }
}

/* The thread-local variables of a thread that has ended are gone with it. */
static bool went_with_its_thread(const struct block *block)
{
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].life == LIFE_ENDED && il.threads[i].tls == (const void *)block->start)
            return true;
    return false;
}

static void reach_roots(bool main_over)
{
    const char *data;
    size_t size;
    memory_data(&data, &size);
    scan(data, data + size);
    for (size_t i = 0; i < heap.n; i++)
        if (heap.blocks[i].hidden && !went_with_its_thread(&heap.blocks[i]))
            reach(heap.blocks[i].start);
    for (int i = 0; i < il.n; i++) {
        const struct thread *thread = &il.threads[i];
        if (thread->life == LIFE_RUNS && (i != 0 || !main_over)) {
            const char *lowest = i == il.current ? (const char *)__builtin_frame_address(0) : thread->place;
            scan(lowest, thread->stack_top);
        }
        for (unsigned key = 0; key < thread->values_n; key++)
            reach(thread->values[key]);
        if (!thread->joined)
            reach(thread->result);
    }
}

void heap_check_leaks(bool main_over)
{
    if (heap.live == 0 || il.leaks_allowed)
        return;
    reach_roots(main_over);
    for (size_t i = 0; i < heap.n; i++) {
        const struct block *block = &heap.blocks[i];
        if (block->hidden || block->reached || block->freed_by >= 0)
            continue;
        il.finding.pc = block->pc;
        il_found(FIND_LEAK, block->start, "%zu bytes that %s allocated were never freed", block->size,
                 il_name(block->thread));
    }
}
