/* program_scan.h - inline assembly, found in what the compiler has made of a file. */
#ifndef EXPLORE_PROGRAM_SCAN_H
#define EXPLORE_PROGRAM_SCAN_H

/* Reads the compiler's output `assembly` (gcc's or clang's -S of the C file `source`). 0 where every instruction is
 * the compiler's own, or one that only hints or fences: what such an instruction does to other threads, the order that
 * the explorer chooses does already. -1 with one line printed to stderr otherwise, or where it cannot be read. */
int scan_assembly(const char *assembly, const char *source);

#endif
