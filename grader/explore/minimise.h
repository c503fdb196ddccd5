/* minimise.h - the shortest way to a finding: fewest preemptions, then fewest switches from thread to thread, then
 * fewest steps.
 *
 * First what is cheap: one decision after another is taken back while the run still fails in the same way. Then, with
 * that as the bound, a search by cost (Dijkstra 1959; branch and bound): points of decision in the order of what it
 * cost to come there, each point once, told apart by the partial order of what was run (engine.h: il.hash) and by who
 * stands there. The first failing run that this meets is the shortest there is, up to swaps of independent operations;
 * where its budget of runs and steps ends before, the shortest met so far stands. No clock decides, so it is the same
 * every time.
 */
#ifndef EXPLORE_MINIMISE_H
#define EXPLORE_MINIMISE_H

#include "search.h"

/* Shortens report->failing, a run that ends in a finding of `kind`; its cost and steps go with it. Leaves il as some
 * other run left it: replay before showing. */
void minimise(struct search_report *report, enum finding_kind kind);

/* What search.c asks at the first decision after a prefix (search_probe). */
unsigned minimise_pick(const struct decision *decision);

#endif
