/* files.h - reading, writing, making and removing files, each call whole or not at all. Every call blocks on the disk
 * only; a path is used as given. */
#ifndef GRADE_FILES_H
#define GRADE_FILES_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>

/* A whole regular file of at most `limit` bytes with a NUL behind it, owned by `context`; NULL with a fault. `size` may
 * be NULL. Not for strangers' files: those go through source.h. */
char *files_read(void *context, const char *path, size_t limit, size_t *size, struct fault *fault);

/* Makes the folder and those above it; fine where it is there. */
int files_make_dirs(const char *path, struct fault *fault);

/* Writes a file under another name beside it, syncs and renames it: whoever looks sees the old one or the new one,
 * whole. On a fault nothing is left. What is there and is no regular file (a device, a pipe) is written to as it is. */
int files_write(const char *path, const char *bytes, size_t size, struct fault *fault);

/* Writes all the bytes to a descriptor, in as many pieces as it takes. Returns 0, or -1 with errno set. */
int files_write_all(int fd, const char *bytes, size_t size);

/* Removes the folder with all in it, however deep, whatever its modes; follows no link. Fine where it is not there. */
int files_remove_tree(const char *path, struct fault *fault);

bool files_is_dir(const char *path);
bool files_is_file(const char *path);

#endif
