/* timing_rule.h - when the answer of a comparison by pairs is clear.
 *
 * The student's program and the reference run in turn, and each pair gives one ratio of their times: a machine whose
 * speed drifts slows both of a pair. Looking after every pair costs nothing only if the rule knows of it, so the rule
 * is sequential: with a limit L,
 *   - four pairs that all lie clear of L on the same side (below 0.8 L, or above 1.25 L) decide;
 *   - else a lead of 7 of one side over the other decides. That is Wald's sequential probability ratio test for a pair
 *     being on the right side with probability 3/4 against 1/4, at an error of 1/2000 (A. Wald, "Sequential Tests of
 *     Statistical Hypotheses", Annals of Mathematical Statistics 16, 1945: ln(2000)/ln(3) = 6.9);
 *   - after 25 pairs without either, it is too close to tell.
 */
#ifndef GRADE_TIMING_RULE_H
#define GRADE_TIMING_RULE_H

#include <stddef.h>

enum timing_answer { TIMING_MORE, TIMING_FAST_ENOUGH, TIMING_TOO_SLOW, TIMING_UNCLEAR };

enum { TIMING_PAIRS_MAX = 25 };

/* What `count` ratios (student's time over the reference's) say against `limit`. Pure. */
enum timing_answer timing_decide(const double *ratios, size_t count, double limit);

/* The median of `count` > 0 numbers, which it sorts in place. */
double timing_median(double *numbers, size_t count);

#endif
