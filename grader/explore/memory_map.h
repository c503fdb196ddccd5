/* memory_map.h - the memory that the program under test lives in: its data, its heap, its stacks.
 *
 * Data is what its shared object keeps writable; a copy taken once is put back before every run. The heap's arena and
 * the stacks lie in one reservation of ours, at the same addresses in every run; between two stacks lies a guard page.
 * Everything is reserved without being committed (MAP_NORESERVE).
 */
#ifndef EXPLORE_MEMORY_MAP_H
#define EXPLORE_MEMORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memory_size {
    MEMORY_ARENA = 128 << 20,
    MEMORY_STACK = 8 << 20, /* what Linux gives a thread */
    MEMORY_MAIN_STACK = 8 << 20,
};

/* Reserves arena, stacks and their shadow. 0, or -1 with errno. */
int memory_open(void);

/* Puts the guard page below a thread's stack, and those of all threads before it, once in this process. 0, or -1 with
 * errno. */
int memory_guard(int thread);

/* The program's writable data: takes the copy and reserves its shadow. 0, or -1 with errno. */
int memory_set_data(void *start, size_t size);

void memory_restore(void); /* puts the data back as it was */

/* Built with AddressSanitizer: makes all stacks usable again, whatever frames were left by a jump. Otherwise nothing.
 */
void memory_unpoison(void);

char *memory_arena(void);
void *memory_stack_top(int thread);
int memory_guard_of(const void *address); /* whose guard page it is, or -1 */
bool memory_in_arena(const void *address);
bool memory_in_data(const void *address);
void memory_data(const char **start, size_t *size);
int memory_stack_of(const void *address); /* whose stack, or -1 */

/* The shadow cell for the four bytes at `address`, or NULL for memory that is not the program's. */
struct cell *memory_shadow(const void *address);

#endif
