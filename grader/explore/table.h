/* table.h - a recorded run as a table: a column a thread, a row a step, the student's own line at each; or, where so
 * many columns do not fit, a list with a line a step. Never wider than asked, counted in characters, not bytes.
 *
 * Left out and said so: what comes before the story begins; threads that take no part; accesses to memory that no two
 * threads share; the middle, where it is long. All of it is in the JSON.
 */
#ifndef EXPLORE_TABLE_H
#define EXPLORE_TABLE_H

#include "story.h"

#include <stdio.h>

enum { WIDTH_MIN = 40, WIDTH_USUAL = 80, WIDTH_MAX = 400 };

/* `story` may be NULL. `width` from WIDTH_MIN to WIDTH_MAX. */
void table_print(FILE *to, const struct story *story, unsigned width);

/* Words, broken at blanks so that no line is wider: `first` begins the first line, `rest` the others. */
void table_wrap(FILE *to, const char *text, const char *first, const char *rest, unsigned width);

/* Bytes of the longest beginning of `text` of at most `columns` characters; broken at a blank where `words` and where
 * there is one. Never within a character. */
size_t table_fit(const char *text, size_t columns, bool words);

#endif
