/* program_build.h - from C files to the shared object that is loaded (program.h says what becomes of its names). */
#ifndef EXPLORE_PROGRAM_BUILD_H
#define EXPLORE_PROGRAM_BUILD_H

#include "program.h"

/* The dynamic section's entries for constructors and destructors go under these tags (of the range that is left to
 * operating systems), so that the loader does not run them: each run does, like main. */
enum hidden_tag {
    HIDDEN_INIT = 0x60e11e00,
    HIDDEN_INIT_SIZE,
    HIDDEN_FINI,
    HIDDEN_FINI_SIZE,
};

/* Is it a shared object that build_program has made? By its name. */
bool build_is_prepared(const char *file);

/* Compiles and links the files of `options` into `shared`, with what is made on the way in `directory`. 0, or -1 with
 * one line printed to stderr, after the compiler's own words where it is the source that does not compile. Blocks while
 * compiler and linker run. */
int build_program(const struct program_options *options, const char *directory, const char *shared);

#endif
