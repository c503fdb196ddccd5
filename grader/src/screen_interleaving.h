/* screen_interleaving.h - an interleaving as a table: a column a thread, a row a step, downwards in time.
 */
#ifndef GRADE_SCREEN_INTERLEAVING_H
#define GRADE_SCREEN_INTERLEAVING_H

#include "page.h"

/* Adds the table, at most `room` lines of it: where that is not enough, the last of them, which are where it goes
 * wrong. Threads that take no step in the student's file have no column; where the columns would be too narrow, every
 * step stands on a line of its own with its thread. Adds nothing where there is no step to show, or no room. */
void screen_interleaving(struct page *page, const struct interleaving *order, int room);

/* What was proved, a line a scenario: "✓ two_adders   every interleaving was run (12)". */
void screen_proofs(struct page *page, const struct proof *proofs, size_t count);

#endif
