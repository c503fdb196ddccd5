/* lines.h - from addresses of the program to its source: libdw, and the text of the files themselves. */
#ifndef EXPLORE_LINES_H
#define EXPLORE_LINES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

struct place {
    const char *file;    /* base name; "" where unknown. Lives until lines_close. */
    int line;            /* 0 where unknown */
    char text[160];      /* the line, without its margins and cut where too long */
    unsigned long entry; /* of the function that the machine is in, by the file's addresses; 0 where unknown */
    char function[64];   /* an inlined one, too; "" where unknown */
};

/* Reads the debug information of `path`, loaded at `base`. 0, or -1 with nothing to look up (places stay unknown). */
int lines_open(const char *path, size_t base);
void lines_close(void);

/* The place of the call that returns to `pc`. False where unknown. Remembered, so that a second look costs nothing. */
bool lines_place(const void *pc, struct place *place);

/* The debug information itself, or NULL; and what its addresses count from. Stay the module's. */
Dwarf *lines_dwarf(void);
size_t lines_base(void);

/* The part of it that `address` (as in the file) belongs to. False where there is none. */
bool lines_unit(unsigned long address, Dwarf_Die *unit);

/* The variable or function at `address`: "name" or "name+12", at most `size` bytes. False where there is none. */
bool lines_symbol(const void *address, char *text, size_t size);

#endif
