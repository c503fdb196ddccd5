/* program_directory.h - a directory for what is made on the way, which is gone afterwards, however we end. */
#ifndef EXPLORE_PROGRAM_DIRECTORY_H
#define EXPLORE_PROGRAM_DIRECTORY_H

#include <stddef.h>

/* Makes one below $TMPDIR or /tmp and writes its name (at most `size` bytes with the NUL). 0, or -1 with one line
 * printed to stderr; `name` is empty then. To be called once, before there are threads. */
int directory_open(char *name, size_t size);

/* Removes it with all that is in it. Nothing for an empty name. */
void directory_close(const char *name);

#endif
