#include "timing_rule.h"

#include <stdlib.h>

enum { CLEAR_PAIRS = 4, LEAD = 7 };

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double timing_median(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, ascending);
    return count % 2 == 1 ? numbers[count / 2] : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}

enum timing_answer timing_decide(const double *ratios, size_t count, double limit)
{
    size_t below = 0, clearly_below = 0, clearly_above = 0;

    for (size_t i = 0; i < count; i++) {
        below += ratios[i] <= limit;
        clearly_below += ratios[i] <= 0.8 * limit;
        clearly_above += ratios[i] >= 1.25 * limit;
    }
    size_t above = count - below;
    if (count >= CLEAR_PAIRS && clearly_below == count)
        return TIMING_FAST_ENOUGH;
    if (count >= CLEAR_PAIRS && clearly_above == count)
        return TIMING_TOO_SLOW;
    if (below >= above + LEAD)
        return TIMING_FAST_ENOUGH;
    if (above >= below + LEAD)
        return TIMING_TOO_SLOW;
    return count >= TIMING_PAIRS_MAX ? TIMING_UNCLEAR : TIMING_MORE;
}
