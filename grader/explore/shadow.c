/* shadow.c - see shadow.h. */
#include "shadow.h"

#include "engine.h"
#include "heap.h"
#include "memory_map.h"
#include "record.h"

#include <string.h>
#include <sys/mman.h>

enum { VECTORS_MAX = 1 << 16, SPLITS_MAX = 1 << 18, ALLOCATED_MAX = 512 };
#define SHADOW_SPLIT 0x80000000U

/* Clocks by thread; entries from n on are zero. */
struct vectors {
    uint32_t n;
    uint32_t reads[THREADS_MAX], atomic_reads[THREADS_MAX], atomic_writes[THREADS_MAX];
};

struct split {
    struct cell byte[4];
};

static struct {
    struct vectors *vectors;
    struct split *splits;
    uint32_t vectors_used, splits_used;
} tables;

int shadow_open(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    tables.vectors = mmap(NULL, VECTORS_MAX * sizeof(struct vectors), PROT_READ | PROT_WRITE, flags, -1, 0);
    tables.splits = mmap(NULL, SPLITS_MAX * sizeof(struct split), PROT_READ | PROT_WRITE, flags, -1, 0);
    return tables.vectors == MAP_FAILED || tables.splits == MAP_FAILED ? -1 : 0;
}

void shadow_reset(void)
{
    tables.vectors_used = tables.splits_used = 0;
}

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

static struct vectors *vectors_of(const struct cell *cell)
{
    return cell->more ? &tables.vectors[cell->more - 1] : NULL;
}

static void vectors_reach(struct vectors *vectors, unsigned n)
{
    for (; vectors->n < n; vectors->n++)
        vectors->reads[vectors->n] = vectors->atomic_reads[vectors->n] = vectors->atomic_writes[vectors->n] = 0;
}

static struct vectors *vectors_for(struct cell *cell)
{
    if (!cell->more) {
        if (tables.vectors_used >= VECTORS_MAX)
            il_found(FIND_CANNOT, NULL, "too much memory is shared by readers: %d places", VECTORS_MAX);
        cell->more = ++tables.vectors_used;
        vectors_of(cell)->n = 0;
    }
    struct vectors *vectors = vectors_of(cell);
    vectors_reach(vectors, (unsigned)il.n);
    return vectors;
}

/* ---- conflicts --------------------------------------------------------------------------------------------------- */

struct access {
    const void *address;
    size_t size;
    bool is_write, is_atomic;
};

static bool before(uint32_t thread, uint32_t clock)
{
    const struct clock *mine = &il.self->sync;
    return clock == 0 || (thread < mine->n && clock <= mine->at[thread]);
}

static bool epoch_before(uint32_t epoch)
{
    return epoch == 0 || before(epoch >> 24, epoch & 0xffffff);
}

/* Where a race is no finding, which of the two came first still tells interleavings apart. It is no visible operation.
 */
static void note_order(uint32_t thread, uint32_t clock)
{
    unsigned quiet = il.self->quiet_accesses;
    il_event(NULL, false, (uint64_t)thread << 32 | clock);
    il.self->quiet_accesses = quiet;
}

static void race(const struct access *access, uint32_t thread, uint32_t clock, bool other_write)
{
    struct finding *finding = &il.finding;
    if (il.races_allowed) {
        note_order(thread, clock);
        return;
    }
    finding->size = access->size;
    finding->is_write = access->is_write;
    finding->other = (int)thread;
    finding->other_clock = clock;
    finding->other_write = other_write;
    record_note(access->is_write ? "writes, unordered:" : "reads, unordered:", access->address, -1);
    il_found(FIND_RACE, access->address,
             "data race: %s and %s use the same memory, at least one changes it, and nothing orders them",
             il_name((int)thread), il_name(il.current));
}

static void race_with_any(const struct access *access, const uint32_t *clocks, unsigned n, bool other_write)
{
    for (unsigned i = 0; i < n; i++)
        if (!before(i, clocks[i]))
            race(access, i, clocks[i], other_write);
}

static inline __attribute__((always_inline)) void check(const struct cell *cell, const struct access *access)
{
    const struct vectors *vectors = vectors_of(cell);
    if (!epoch_before(cell->write))
        race(access, cell->write >> 24, cell->write & 0xffffff, true);
    if (access->is_write && !epoch_before(cell->read))
        race(access, cell->read >> 24, cell->read & 0xffffff, false);
    if (!vectors)
        return;
    if (access->is_write)
        race_with_any(access, vectors->reads, vectors->n, false);
    if (!access->is_atomic) {
        race_with_any(access, vectors->atomic_writes, vectors->n, true);
        if (access->is_write)
            race_with_any(access, vectors->atomic_reads, vectors->n, false);
    }
}

static void note_atomic(struct cell *cell, bool is_write)
{
    struct vectors *vectors = vectors_for(cell);
    uint32_t *clocks = is_write ? vectors->atomic_writes : vectors->atomic_reads;
    clocks[il.current] = il.self->epoch & 0xffffff;
}

static void note_read(struct cell *cell)
{
    uint32_t epoch = il.self->epoch;
    if (!cell->more && (cell->read >> 24 == epoch >> 24 || epoch_before(cell->read))) {
        cell->read = epoch;
        return;
    }
    struct vectors *vectors = vectors_for(cell);
    if (cell->read)
        vectors->reads[cell->read >> 24] = cell->read & 0xffffff;
    cell->read = 0;
    vectors->reads[il.current] = epoch & 0xffffff;
}

static void touch(struct cell *cell, const struct access *access)
{
    check(cell, access);
    if (access->is_atomic) {
        note_atomic(cell, access->is_write);
    } else if (access->is_write) { /* everything noted so far happens before this */
        cell->write = il.self->epoch;
        cell->read = cell->more = 0;
    } else {
        note_read(cell);
    }
}

/* ---- granules ---------------------------------------------------------------------------------------------------- */

static void freshen(struct cell *cell, const void *address, size_t size)
{
    if (cell->run == il.run)
        return;
    if (memory_in_arena(address))
        heap_check_access(address, size);
    *cell = (struct cell){.run = il.run};
}

static void split(struct cell *cell)
{
    if (tables.splits_used >= SPLITS_MAX)
        il_found(FIND_CANNOT, NULL, "too much memory is shared byte by byte: %d places", SPLITS_MAX);
    struct split *parts = &tables.splits[tables.splits_used];
    for (unsigned i = 0; i < 4; i++) {
        parts->byte[i] = *cell;
        parts->byte[i].more = 0;
        if (!cell->more)
            continue;
        *vectors_for(&parts->byte[i]) = *vectors_of(cell);
    }
    cell->more = SHADOW_SPLIT | tables.splits_used++;
}

static void access_part(const struct access *access, const char *at, size_t size)
{
    struct cell *cell = memory_shadow(at);
    if (!cell)
        return;
    freshen(cell, at, size);
    if (size == 4 && !(cell->more & SHADOW_SPLIT)) {
        touch(cell, access);
        return;
    }
    if (memory_in_arena(at)) /* a block may end between the four bytes */
        heap_check_access(at, size);
    if (!(cell->more & SHADOW_SPLIT))
        split(cell);
    struct split *parts = &tables.splits[cell->more & ~SHADOW_SPLIT];
    for (size_t i = 0; i < size; i++)
        touch(&parts->byte[((uintptr_t)at + i) & 3], access);
}

void shadow_access(const void *address, size_t size, bool is_write, bool is_atomic)
{
    struct access access = {.address = address, .size = size, .is_write = is_write, .is_atomic = is_atomic};
    const char *at = address, *end = at + size;
    bool is_range = size > 8 && !is_atomic; /* tsan.c has looked at what is smaller */
    if (il.recording)
        record_access(address, size, is_write);
    while (at < end) {
        size_t part = 4 - ((uintptr_t)at & 3);
        if (part > (size_t)(end - at))
            part = (size_t)(end - at);
        struct cell *cell = is_range && part == 4 ? memory_shadow(at) : NULL;
        if (cell && shadow_is_own(cell, at))
            shadow_note_own(cell, is_write);
        else
            access_part(&access, at, part);
        at += part;
    }
}

/* Whatever was noted of the cell happens before a write of now, or it is a race. */
static void check_cell(const struct cell *cell, const struct access *access)
{
    if (!(cell->more & SHADOW_SPLIT)) {
        check(cell, access);
        return;
    }
    const struct split *parts = &tables.splits[cell->more & ~SHADOW_SPLIT];
    for (unsigned i = 0; i < 4; i++)
        check(&parts->byte[i], access);
}

void shadow_release(const void *address, size_t size)
{
    struct access access = {.address = address, .size = size, .is_write = true};
    struct cell *cell = size > 0 ? memory_shadow(address) : NULL;
    if (il.recording)
        record_access(address, size, true);
    for (const struct cell *end = cell + (size + 3) / 4; cell && cell < end; cell++) {
        if (cell->run != il.run)
            continue;
        check_cell(cell, &access);
        cell->run = 0;
    }
}

void shadow_allocate(const void *address, size_t size)
{
    struct cell *cell = size <= ALLOCATED_MAX ? memory_shadow(address) : NULL;
    for (size_t i = 0; cell && i < size / 4; i++)
        cell[i] = (struct cell){.run = il.run};
}
