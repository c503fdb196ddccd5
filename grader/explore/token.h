/* token.h - an interleaving as a word that replays it: "s17.1.4.2" is 17 first choices, then choice 1, then 4 first
 * choices, then choice 2. The letters before say what the search took into account: u, s that unlocks and signals had
 * no scheduling point of their own, w spurious wake-ups, f faults, o sleeps that order, l leaks and r data races
 * allowed.
 */
#ifndef EXPLORE_TOKEN_H
#define EXPLORE_TOKEN_H

#include "engine.h"

/* Writes at most `size` bytes with the NUL. 0, or -1 where that is too little. */
int token_write(const struct choices *choices, char *text, size_t size);

/* Reads one, and sets il.assume and what was asked for (il.spurious, …) as it says. 0, or -1 where it is not a token.
 */
int token_read(const char *text, struct choices *choices);

#endif
