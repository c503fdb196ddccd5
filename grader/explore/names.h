/* names.h - what the student calls the memory at an address, and how its value reads.
 *
 * By the debug information (DWARF 5, chapter 5 on types, 3.3 on subprograms): a variable of the program with the path
 * into it (`queue.slots[2]`); a field of a block of the heap, whose type is that of the one pointer in the function
 * that allocated it which fits the block's size (`queue->count`, by the struct's tag); a variable in a frame that was
 * there when the run was recorded. Where a line of the source mentions the same field, its own words are better
 * (`q->count`). Nothing is guessed: where the types leave a doubt, the address is described by its block.
 *
 * One process, one program: the tables are filled at the first call and stay. No call blocks but on the first read of
 * the debug information.
 */
#ifndef EXPLORE_NAMES_H
#define EXPLORE_NAMES_H

#include "record.h"

enum name_kind { NAME_UNKNOWN, NAME_SIGNED, NAME_UNSIGNED, NAME_BOOL, NAME_CHAR, NAME_POINTER, NAME_FLOAT };

struct name {
    char text[96]; /* "" where there is none */
    enum name_kind kind;
    bool is_path;  /* its last part is a field, before it come `.` or `->` */
    bool is_known; /* a name of the program's, not a description of ours */
};

/* What is at `address`. The result stays valid to the end. */
const struct name *names_of(const void *address);

/* The same in the words of the line at `pc`, where these name it. At most `size` bytes with the NUL. Two objects that
 * would read alike get numbers. */
void names_in_line(const void *address, const void *pc, char *text, size_t size);

/* A number for each object that was ever named, from 1 on, in the order of naming; the same in every replay. */
unsigned names_number(const void *address);

/* A value of `size` bytes at `address` in words: "3", "-1", "true", "'x'", "NULL", "an address". */
void names_value(const void *address, unsigned size, uint64_t value, char *text, size_t room);

#endif
