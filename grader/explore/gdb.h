/* gdb.h - the replay of an interleaving under gdb, with the program's threads to be seen (fibers.py). */
#ifndef EXPLORE_GDB_H
#define EXPLORE_GDB_H

/* Becomes gdb, which will run this program again with the same words but --gdb. Returns only where it cannot: -1, with
 * one line printed to stderr. Blocks not. */
int gdb_become(int argc, char **argv);

#endif
