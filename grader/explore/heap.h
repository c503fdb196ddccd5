/* heap.h - malloc and its family for the program under test: from an arena that is empty again at every run.
 *
 * Nothing is handed out twice in a run, so that a use after free is always seen; blocks lie apart, so that an access
 * just outside one is. Freeing counts as a write to the block: free races with whoever still uses it.
 */
#ifndef EXPLORE_HEAP_H
#define EXPLORE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Tables. 0, or -1 with errno. */
int heap_open(void);
void heap_reset(void); /* a new run */

/* A zeroed block that no leak check counts (thread-local variables); NULL where the arena is full. */
void *heap_take_hidden(size_t size, size_t alignment);

/* Ends the run (il_found) where the bytes, in the arena, are not inside a block or in one that was freed. */
void heap_check_access(const void *address, size_t size);

/* Ends the run where a block was never freed and nothing that is left points to it. `main_over`: main's own variables
 * count no more. */
void heap_check_leaks(bool main_over);

/* Says what `address`, in the arena, is: "12 bytes into the 24 bytes allocated at FILE:LINE"; false where nothing. */
bool heap_describe(const void *address, size_t *offset, size_t *size, const void **allocated_pc, int *freed_by);

#endif
