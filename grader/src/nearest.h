/* nearest.h - "did you mean": the known word nearest to one that was mistyped. Pure; does not block; any thread. */
#ifndef GRADE_NEAREST_H
#define GRADE_NEAREST_H

#include <stddef.h>

/* How many letters must be changed, added, left out or swapped with their neighbour to make `a` into `b`; case does not
 * count. At most 64 bytes of each are looked at. (Optimal string alignment, F. Damerau 1964.) */
int nearest_distance(const char *a, const char *b);

/* The one of `count` words nearest to `word`, or NULL where none is near enough to be meant (a third of its letters).
 */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
