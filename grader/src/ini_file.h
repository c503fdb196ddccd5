/* ini_file.h - an .ini file as a list of its lines, each with its line number, so that whoever reads a value can say
 * where it stands. Parsed with inih; an indented line goes on with the value before it; `;` after a space begins a
 * comment. */
#ifndef GRADE_INI_FILE_H
#define GRADE_INI_FILE_H

#include "fault.h"

#include <stddef.h>

struct ini_entry {
    const char *section; /* "" before the first */
    const char *key;
    const char *value; /* without spaces around it; "" where there is none */
    int line;          /* from 1 */
};

struct ini_file {
    const char *shown; /* what to call it in messages */
    struct ini_entry *entries;
    size_t count;
};

/* Reads the file at `path` (at most 1 MiB); all belongs to `context`. A line that is neither a section, a key with a
 * value nor a comment is a fault that says which. */
int ini_file_read(void *context, const char *path, const char *shown, struct ini_file *file, struct fault *fault);

/* The last entry of that section and key, or NULL. */
const struct ini_entry *ini_file_find(const struct ini_file *file, const char *section, const char *key);

/* A fault about that entry: "FILE:LINE: " and the formatted words. Returns -1. */
int ini_fault(struct fault *fault, const struct ini_file *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The words of a value, parted by spaces; NULL-terminated, owned by `context`. */
const char **ini_words(void *context, const char *value, size_t *count);

#endif
