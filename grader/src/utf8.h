/* utf8.h - is this UTF-8? Pure; does not block; any thread. */
#ifndef GRADE_UTF8_H
#define GRADE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the UTF-8 sequence at `at`, of which `left` > 0 bytes may be looked at; 0 where it is not one, and for
 * NUL. (Table 3-7 of the Unicode Standard: no overlong forms, no surrogates, nothing above U+10FFFF.) */
size_t utf8_length(const char *at, size_t left);

/* Whether the valid sequence of that length beyond ASCII can be seen: no control or format character, no separator,
 * none that turns the direction of writing, nothing of private use. */
bool utf8_visible(const char *at, size_t length);

#endif
