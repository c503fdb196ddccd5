/* shadow.h - data races by happens-before.
 *
 * FastTrack (Flanagan & Freund, PLDI 2009) over granules of four bytes, split into bytes where accesses are smaller:
 * the last write and the last read as epochs (thread << 24 | its clock), a whole vector of reads where several
 * threads read at once, and vectors of atomic accesses, which race with plain ones only. Precise: a race is found in a
 * run exactly where two accesses of that run conflict and neither happens before the other.
 * Cells belong to the run whose number they carry, so a new run finds them all empty.
 */
#ifndef EXPLORE_SHADOW_H
#define EXPLORE_SHADOW_H

#include "engine.h"
#include "memory_map.h"

struct cell {
    uint32_t run;
    uint32_t write; /* epoch, or 0 */
    uint32_t read;
    uint32_t more; /* 0, or 1 + index of vectors, or SHADOW_SPLIT | index of four cells */
};

/* Tables. 0, or -1 with errno. */
int shadow_open(void);
void shadow_reset(void); /* a new run */

/* An access by the current thread to `size` bytes. Ends the run where it races (engine.h: il_found), or where it is
 * to freed memory or outside a block of the heap (heap.h). Memory that is not the program's is not looked at. */
void shadow_access(const void *address, size_t size, bool is_write, bool is_atomic);

/* A block of the heap is given back: as if all of it were written by the current thread, and from then on the next
 * access to it asks heap.h again. Costs one look at each cell that was not used in this run. */
void shadow_release(const void *address, size_t size);

/* The same for a block just allocated: what is small will soon be used, and the heap need not be asked. */
void shadow_allocate(const void *address, size_t size);

/* Nobody else has used these four bytes since they were last written: no race, and no clock to be looked at. What the
 * heap has to be asked about is not for here. */
static inline bool shadow_is_own(const struct cell *cell, const void *address)
{
    uint32_t thread = il.self->epoch >> 24;
    if (cell->run != il.run)
        return !memory_in_arena(address);
    return !cell->more && (!cell->write || cell->write >> 24 == thread) && (!cell->read || cell->read >> 24 == thread);
}

static inline void shadow_note_own(struct cell *cell, bool is_write)
{
    if (cell->run != il.run)
        *cell = (struct cell){.run = il.run};
    if (is_write)
        cell->write = il.self->epoch;
    cell->read = is_write ? 0 : il.self->epoch;
}

#endif
