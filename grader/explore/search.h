/* search.h - which of the things that can happen next does: every strategy, and what it proved.
 *
 * bounded   few preemptions first: 0, 1, 2, … (Musuvathi & Qadeer, PLDI 2007: iterative context bounding), depth
 *           first within each. What has been run so far, up to swaps of independent operations, is remembered by a
 *           hash (of the order clocks); a point that was seen before ends the run. As runs come in the order of their
 *           cost, whoever sees a point first sees it at its cheapest, so nothing is lost by that under the bound.
 *           (Two different pasts share a hash of 64 bits with a probability below n²/2⁶⁵: 10⁻⁷ at a million points.)
 * reduced   without a bound, each interleaving up to swaps of independent steps once (dpor.h); first where no bound is
 *           asked for, and last where few preemptions took more runs than the budget has. Where it does not come to its
 *           end in the first case, the bounded search follows.
 * pct       random priorities with d - 1 change points (Burckhardt et al., ASPLOS 2010); seeded. Who goes on again and
 *           again because its limit has passed falls below those who could have gone.
 * replay    what a token says, then the first choice.
 *
 * Budgets are in runs, never in seconds. No call blocks longer than the runs take.
 */
#ifndef EXPLORE_SEARCH_H
#define EXPLORE_SEARCH_H

#include "engine.h"

struct decision {
    unsigned n;
    const uint8_t *who;  /* threads, where is_data is not set */
    const uint8_t *cost; /* 0 or 1 */
    uint64_t key;        /* what has been run so far, and what of it matters to the choice */
    bool is_data;        /* a choice that is not among threads */
};

enum { PICK_PRUNE = ~0U };

/* Called by the engine at every decision with n >= 2. Returns an index below n, or PICK_PRUNE. */
unsigned search_pick(const struct decision *decision);

/* Called by the engine where this thread goes on because its limit has passed, and others could have gone. */
void search_limit_passed_early(int thread);

struct search_options {
    uint64_t runs_max;    /* of the bounded search */
    uint64_t runs_random; /* of the random one, where the budget did not suffice */
    uint64_t steps_total; /* of all runs together: where one is long, there are fewer of them; 0: as many as said */
    unsigned preemptions; /* UINT_MAX: without a bound */
    unsigned depth;       /* of PCT */
    uint64_t seed;
    bool deeper;       /* nobody asked for these `preemptions`: where all was well, a look beyond them */
    bool no_reduction; /* the bounded search where no bound is asked for, too */
    bool count;        /* fill in `different` and `fingerprint` */
};

struct search_report {
    bool found; /* il.finding and `failing` say what and how */
    struct choices failing;
    unsigned failing_cost; /* preemptions in it */
    unsigned failing_steps;
    uint64_t runs;         /* all of them, minimising excepted */
    uint64_t whole;        /* of the bounded search: those that ran to their end */
    uint64_t equal;        /* …those cut where they met what had been run before */
    uint64_t at_bound[64]; /* runs with 0, 1, 2… preemptions */
    uint64_t reduced;      /* runs of the reduced search (of `whole` only where it alone proved everything) */
    uint64_t random;       /* runs of PCT */
    uint64_t different;    /* of the whole ones, up to swaps of independent steps */
    uint64_t fingerprint;  /* the sum of their names: the same for every order in which they are found */
    int bound_done;        /* every interleaving with up to so many preemptions was run; -1: not even those with none */
    bool everything;       /* every interleaving at all was run, but for these two: */
    bool held;             /* a loop that only looked was made to wait for a change after LOOKS_FREE looks */
    bool fair_only;        /* a thread that polls was not let before the same other twice */
    bool was_long; /* runs were longer than il.steps_max: beyond, all turns were fair, and nothing was decided */
    unsigned threads, steps; /* most of them in any run; decisions, that is */
    unsigned longest;        /* steps of a run */
};

/* Searches until something is found, everything is run or the budget is used. 0, or -1 where memory ran out. The
 * failing interleaving is made as simple as it can be: fewest preemptions, then fewest steps; replay it to have it in
 * il, unless the finding is FIND_CANNOT. */
int search_run(const struct search_options *options, struct search_report *report);

/* One run that takes these choices and the first wherever they end. il.recording may be set. Returns false where they
 * do not fit the program (a choice that is not there). */
bool search_replay(const struct choices *choices);

/* The same up to the first decision after them, which minimise_pick is asked about. */
bool search_probe(const struct choices *choices);

#endif
