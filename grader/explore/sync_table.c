/* sync_table.c - see sync_table.h: open addressing; indices into a pool that is handed out anew at every run. */
#include "sync_table.h"

#include "dpor.h"
#include "heap.h"
#include "memory_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SLOTS = 1 << 16, POOL = 1 << 15 };

struct slot {
    uint32_t run, index;
};

static struct {
    struct slot *slots;
    struct sync *pool;
    unsigned used;
} table;

int sync_table_open(void)
{
    table.slots = calloc(SLOTS, sizeof *table.slots);
    table.pool = mmap(NULL, POOL * sizeof *table.pool, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return !table.slots || table.pool == MAP_FAILED ? -1 : 0;
}

void sync_table_reset(void)
{
    table.used = 0;
}

static void start(struct sync *on, const void *address)
{
    memset(on, 0, offsetof(struct sync, shared));
    on->address = (void *)address;
    on->run = il.run;
    on->owner = -1;
    on->shared_n = 0;
    on->sync.n = on->sync_shared.n = 0;
}

static struct slot *slot_of(const void *address)
{
    size_t at = ((uintptr_t)address >> 2) * 0x9e3779b97f4a7c15ULL >> 48;
    for (;; at = (at + 1) % SLOTS) {
        struct slot *slot = &table.slots[at];
        if (slot->run != il.run || table.pool[slot->index].address == address)
            return slot;
    }
}

struct sync *il_sync_find(const void *address)
{
    const struct slot *slot = slot_of(address);
    return slot->run == il.run ? &table.pool[slot->index] : NULL;
}

struct sync *il_sync(const void *address)
{
    struct slot *slot = slot_of(address);
    if (slot->run == il.run)
        return &table.pool[slot->index];
    if (table.used >= POOL)
        il_found(FIND_CANNOT, NULL, "the program uses more than %d locks and atomic variables in one run", POOL);
    slot->run = il.run;
    slot->index = table.used++;
    start(&table.pool[slot->index], address);
    return &table.pool[slot->index];
}

void sync_freed(const void *start, size_t size)
{
    for (unsigned i = 0; i < table.used; i++)
        if ((uintptr_t)table.pool[i].address - (uintptr_t)start < size)
            dpor_event(&table.pool[i], true);
}

const char *sync_word(enum sync_kind kind)
{
    static const char *const words[] = {
        [SYNC_NEW] = "object",
        [SYNC_MUTEX] = "mutex",
        [SYNC_COND] = "condition variable",
        [SYNC_RWLOCK] = "rwlock",
        [SYNC_SEMAPHORE] = "semaphore",
        [SYNC_BARRIER] = "barrier",
        [SYNC_SPIN] = "spin lock",
        [SYNC_ONCE] = "once",
        [SYNC_ATOMIC] = "atomic variable",
        [SYNC_GATE] = "gate",
        [SYNC_DESTROYED] = "destroyed object",
    };
    return words[kind];
}

struct sync *sync_use(const void *address, enum sync_kind kind)
{
    if (!address)
        il_found(FIND_CRASH, NULL, "%s gives a null pointer where a %s belongs", il_name(il.current), sync_word(kind));
    if (memory_in_arena(address))
        heap_check_access(address, 1);
    struct sync *on = il_sync(address);
    if (on->kind == kind)
        return on;
    if (on->kind == SYNC_DESTROYED)
        il_found(FIND_MISUSE, address, "%s uses a %s that was destroyed", il_name(il.current), sync_word(kind));
    if (on->kind != SYNC_NEW && (on->owner >= 0 || on->waiters))
        il_found(FIND_MISUSE, address, "%s uses a %s as if it were a %s", il_name(il.current), sync_word(on->kind),
                 sync_word(kind));
    sync_renew(on, kind);
    on->type = kind == SYNC_MUTEX ? -1 : 0;
    return on;
}

void sync_renew(struct sync *on, enum sync_kind kind)
{
    uint32_t n = on->sync.n, shared_n = on->sync_shared.n;
    uint64_t order = on->order, reads = on->reads;
    struct dpor_mark mark = on->dpor;
    start(on, on->address);
    on->sync.n = n;
    on->sync_shared.n = shared_n;
    on->order = order;
    on->reads = reads;
    on->dpor = mark;
    on->kind = kind;
}

void sync_hold(struct sync *on)
{
    struct thread *self = il.self;
    if (self->held_n < HELD_MAX)
        self->held[self->held_n] = on;
    self->held_n++;
}

void sync_drop(struct sync *on)
{
    struct thread *self = il.self;
    unsigned kept = self->held_n < HELD_MAX ? self->held_n : HELD_MAX;
    for (unsigned i = kept; i-- > 0;) {
        if (self->held[i] != on)
            continue;
        memmove(&self->held[i], &self->held[i + 1], (kept - i - 1) * sizeof self->held[0]);
        break;
    }
    if (self->held_n)
        self->held_n--;
}

unsigned *sync_shared_of(struct sync *on, int thread)
{
    while (on->shared_n <= (unsigned)thread)
        on->shared[on->shared_n++] = 0;
    return &on->shared[thread];
}
