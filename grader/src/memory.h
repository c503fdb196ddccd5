/* memory.h - allocation in the grader.
 *
 * Everything that belongs to one grading hangs on one talloc context and goes with it; nothing is freed piece by
 * piece. Out of memory is a fault of the machine: the process says so in one line and exits with status 2, so no caller
 * checks for NULL. Use these, not talloc's own calls.
 */
#ifndef GRADE_MEMORY_H
#define GRADE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>
#include <talloc.h>

/* A new, empty context below `parent` (NULL: a root, which its maker frees with talloc_free). */
void *memory_context(void *parent);

/* `count` zeroed elements of `size` bytes, owned by `parent`. */
void *memory_zeroed(void *parent, size_t count, size_t size);

/* `old` (from these functions, or NULL) with room for `count` elements of `size` bytes; new bytes are not set. */
void *memory_grown(void *parent, void *old, size_t count, size_t size);

/* Copies, owned by `parent`. memory_text of NULL is NULL. */
char *memory_text(void *parent, const char *text);
char *memory_text_n(void *parent, const char *text, size_t length);
char *memory_format(void *parent, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *memory_vformat(void *parent, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* `text` with the formatted words behind it; `text` (may be NULL) is gone afterwards. */
char *memory_append(void *parent, char *text, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
