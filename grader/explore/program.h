/* program.h - from C files to a program that the explorer can run.
 *
 * Each file is compiled with -fsanitize=thread -fPIC, all are linked into one object, whose undefined names are then
 * dealt with: a name for which we define il_NAME becomes il_NAME (objcopy); harmless library calls stay; any other
 * becomes a stub that ends the run and names it. The result is a shared object that is loaded into this process: its
 * writable segment is the program's data, and its thread-local variables are reached by a call that is ours too.
 *
 * Who runs one program many times has it made once (`prepare`) and gives the shared object from then on.
 */
#ifndef EXPLORE_PROGRAM_H
#define EXPLORE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

struct program_options {
    const char *const *files; /* FILE.c, or FILE.o compiled with -fsanitize=thread -fPIC; or one prepared FILE.so */
    unsigned files_n;
    const char *prepare;      /* only make this shared object, and load nothing; or NULL */
    const char *compiler;     /* "gcc", "clang" or a path */
    const char *const *flags; /* handed to the compiler (-I, -D, -std=…, -l…) */
    unsigned flags_n;
};

struct program {
    char directory[200];                /* everything made; program_close removes it */
    void *handle;                       /* dlopen's */
    int (*main)(int, char **, char **); /* constructors, then the program's own main */
};

/* Builds, and loads unless it is only to be prepared. 0, or -1 with one line (or the compiler's own words) printed to
 * stderr. Blocks while the compiler runs. Call program_close in either case. */
int program_open(const struct program_options *options, struct program *program);
void program_close(struct program *program);

/* The program's destructors, as at its end. */
void program_end(void);

/* The image of the loaded program's thread-local variables. */
const void *program_tls(size_t *size, size_t *file_size, size_t *alignment);

/* The program's writable data, as loaded. */
bool program_data(void **start, size_t *size);

/* Where it is loaded, for addresses to be looked up in its file `path`. */
const char *program_path(void);
size_t program_base(void);

#endif
