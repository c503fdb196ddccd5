#include "timing_rule.h"

#include <criterion/criterion.h>

Test(timing_rule, asks_for_more_before_four_pairs)
{
    double ratios[] = {0.1, 0.1, 0.1};
    cr_assert_eq(timing_decide(ratios, 3, 1.5), TIMING_MORE);
}

Test(timing_rule, four_pairs_clear_of_the_limit_decide)
{
    double fast[] = {1.0, 1.1, 0.9, 1.0}, slow[] = {2.0, 2.1, 3.0, 1.9};
    cr_assert_eq(timing_decide(fast, 4, 1.5), TIMING_FAST_ENOUGH);
    cr_assert_eq(timing_decide(slow, 4, 1.5), TIMING_TOO_SLOW);
}

Test(timing_rule, pairs_near_the_limit_need_a_lead_of_seven)
{
    double ratios[] = {1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4};
    cr_assert_eq(timing_decide(ratios, 6, 1.5), TIMING_MORE);
    cr_assert_eq(timing_decide(ratios, 7, 1.5), TIMING_FAST_ENOUGH);
    for (int i = 0; i < 7; i++)
        ratios[i] = 1.6;
    cr_assert_eq(timing_decide(ratios, 6, 1.5), TIMING_MORE);
    cr_assert_eq(timing_decide(ratios, 7, 1.5), TIMING_TOO_SLOW);
}

Test(timing_rule, a_machine_that_cannot_make_up_its_mind_gives_no_answer)
{
    double ratios[TIMING_PAIRS_MAX];

    for (int i = 0; i < TIMING_PAIRS_MAX; i++)
        ratios[i] = i % 2 == 0 ? 0.5 : 4.0;
    for (size_t count = 0; count < TIMING_PAIRS_MAX; count++)
        cr_assert_eq(timing_decide(ratios, count, 1.5), TIMING_MORE, "at %zu pairs", count);
    cr_assert_eq(timing_decide(ratios, TIMING_PAIRS_MAX, 1.5), TIMING_UNCLEAR);
}

Test(timing_rule, one_lucky_pair_does_not_save_a_slow_program)
{
    double ratios[] = {0.5, 3, 3, 3, 3, 3, 3, 3, 3};
    cr_assert_eq(timing_decide(ratios, 9, 1.5), TIMING_TOO_SLOW);
}

Test(timing_rule, median)
{
    double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 2};
    cr_assert_float_eq(timing_median(odd, 3), 5, 1e-9);
    cr_assert_float_eq(timing_median(even, 4), 2.5, 1e-9);
}
