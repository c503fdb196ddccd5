/* dpor.h - every interleaving that differs, once: dynamic partial-order reduction without a bound.
 *
 * Two interleavings are equal where one comes of the other by swapping neighbours that have nothing to do with each
 * other (a trace of Mazurkiewicz). One run of each suffices: the same locks are taken in the same order, the same
 * values are read, the same data races are seen. The algorithm is
 *
 *   Abdulla, Aronis, Jonsson, Sagonas: Optimal Dynamic Partial Order Reduction, POPL 2014: source sets (source-DPOR),
 *   with sleep sets (Godefroid, LNCS 1032, 1996), which let no trace run to its end twice;
 *   Flanagan, Godefroid: Dynamic Partial-Order Reduction, POPL 2005: where an operation cannot go yet, who could
 *   have brought it about goes instead, and everybody where that is nobody; operations that a thread has announced
 *   and may never come to (deadlocks) count from the moment they are announced.
 *
 * A *step* is what a thread does from one wish to the next (engine.h). Two steps depend on each other where both touch
 * an object and at least one changes it; steps of one thread, a thread's creation and its first step, its last step
 * and a join, a signal and whom it wakes always do. A deadline that is set, met or given up, and a look at a clock,
 * all touch one object: the clock. The end of the program depends on everything.
 *
 * What is not covered ends the reduction (dpor_give_up), and the search goes another way: a loop that polls without
 * end (fairness is not compatible with it), cancelling, waits for what is no object, more steps than FRAMES.
 *
 * The search goes on by running again from the start with another choice at one step. All calls come from the one
 * thread of the operating system that runs everything; none blocks; memory is that of the process's static data.
 */
#ifndef EXPLORE_DPOR_H
#define EXPLORE_DPOR_H

#include "engine.h"

/* What can happen next. */
struct dpor_options {
    unsigned n;
    const uint8_t *who; /* a thread may be there several times in a row: granted, timed out, … */
    int forced;         /* index of the one that is taken whatever the search says, or -1 */
};

void dpor_begin(void); /* forgets everything: the next run is the first */

/* Around each run: before engine_run; and after it: false where every trace was run, or nothing may be concluded
 * (dpor_gave_up). */
void dpor_run_begins(void);
bool dpor_run_ended(void);
bool dpor_gave_up(void);

/* From the engine, inside a run. dpor_order(main) begins it. */
unsigned dpor_step(const struct dpor_options *options); /* an index, or PICK_PRUNE (search.h) */
unsigned dpor_data(unsigned n);                         /* a decision that is not among threads */
void dpor_event(struct sync *on, bool is_write);        /* il_event */
void dpor_order(const struct thread *other);            /* il_order */
void dpor_ends(void);                                   /* the program ends, whoever still runs */
void dpor_give_up(void); /* what comes is not covered: the run is cut at its next step, and the search is over */

#endif
