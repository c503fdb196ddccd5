/* sync_table.h - from an address to what the engine knows of the object there (engine.h: il_sync).
 *
 * Entries carry the number of their run, so that a new run finds the table empty.
 */
#ifndef EXPLORE_SYNC_TABLE_H
#define EXPLORE_SYNC_TABLE_H

#include "engine.h"

int sync_table_open(void); /* 0, or -1 with errno */
void sync_table_reset(void);

/* The object at `address`, as `kind`: new where this run has not seen it, or where it lies where an object of another
 * kind was that nobody uses any more. Ends the run with a finding where it was destroyed or freed. */
struct sync *sync_use(const void *address, enum sync_kind kind);

/* Starts its life again (pthread_…_init): nobody holds it. Keeps its clocks. */
void sync_renew(struct sync *on, enum sync_kind kind);

/* The current thread holds it, or not any more. */
void sync_hold(struct sync *on);
void sync_drop(struct sync *on);

/* Read locks that `thread` holds. */
unsigned *sync_shared_of(struct sync *on, int thread);

/* The memory that they lie in is freed: for the reduction (dpor.h), an operation on each of them. */
void sync_freed(const void *start, size_t size);

/* "mutex", "condition variable", … */
const char *sync_word(enum sync_kind kind);

#endif
