/* suite.c - three tests for Criterion itself: one passes, one fails, one crashes. */
#include <criterion/criterion.h>
#include <signal.h>

static volatile int one = 1;

Test(doctor, passes)
{
    cr_assert(one == 1);
}

Test(doctor, fails)
{
    cr_assert(one == 2, "this test fails on purpose");
}

Test(doctor, crashes)
{
    (void)raise(SIGSEGV);
}
