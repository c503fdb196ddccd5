/* light_libc.h - the C library without its debug information, which grader/light_libc.sh has made for helgrind. */
#ifndef GRADE_LIGHT_LIBC_H
#define GRADE_LIGHT_LIBC_H

/* The folder with the light copies (libc.so.6, ld.so) of the very C library that this process runs on; NULL where none
 * were made of that one. Owned by `context`. Blocks on the disk only; any thread may call. */
const char *light_libc_dir(void *context, const char *root);

#endif
