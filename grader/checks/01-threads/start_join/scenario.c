/* scenario.c - calls under way, as the detectors see them.
 *
 * The works wait at a gate until start has returned. So the order is the same in every run, and since the detectors do
 * not see the gate, whatever start still writes after pthread_create is a race in every run.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* scarce.h */
#endif
#include "scenario.h"
#include "scarce.h"
#include "start_join.h"

#include <errno.h>

/* Shared by scenario and work, without a lock: start and join are to put it in order. */
static long basket;
static struct gate started, both_started, outer_started, inner_started;
static struct crew both = CREW_OF(2);

static long fill_basket(long n)
{
    gate_pass(&started);
    basket = basket + n;
    return n + 1;
}

static void one_call(void)
{
    struct start_join *call = NULL;
    long result = 0;

    basket = 1;
    ensure(start_join_start(&call, fill_basket, 6) == 0, "start_join_start returned an error");
    gate_open(&started);
    ensure(start_join_join(call, &result) == 0, "start_join_join returned an error");
    ensure(basket == 7 && result == 7, "the work left %ld and returned %ld; both should be 7", basket, result);
}

static long meet(long n)
{
    gate_pass(&both_started);
    crew_meet(&both);
    return n;
}

static void two_calls(void)
{
    struct start_join *first = NULL, *second = NULL;
    long one = 0, two = 0;

    ensure(start_join_start(&first, meet, 1) == 0, "the first start_join_start returned an error");
    ensure(start_join_start(&second, meet, 2) == 0, "the second start_join_start returned an error");
    gate_open(&both_started);
    ensure(start_join_join(second, &two) == 0, "joining the second call returned an error");
    ensure(start_join_join(first, &one) == 0, "joining the first call returned an error");
    ensure(one == 1 && two == 2, "the two calls should bring 1 and 2; they brought %ld and %ld", one, two);
}

static long twice(long n)
{
    gate_pass(&inner_started);
    return 2 * n;
}

/* A work that starts a call of its own. */
static long twice_by_another(long n)
{
    struct start_join *call = NULL;
    long result = 0;

    gate_pass(&outer_started);
    ensure(start_join_start(&call, twice, n) == 0, "start_join_start returned an error");
    gate_open(&inner_started);
    ensure(start_join_join(call, &result) == 0, "start_join_join returned an error");
    return result + 1;
}

static void call_in_a_call(void)
{
    struct start_join *call = NULL;
    long result = 0;

    ensure(start_join_start(&call, twice_by_another, 10) == 0, "start_join_start returned an error");
    gate_open(&outer_started);
    ensure(start_join_join(call, &result) == 0, "start_join_join returned an error");
    ensure(result == 21, "the result should be 21; it is %ld", result);
    ensure(start_join_start(&call, twice, 1) == 0, "start_join_start returned an error");
    ensure(start_join_join(call, NULL) == 0, "start_join_join(call, NULL) returned an error");
}

static void refused(void)
{
    struct start_join *call = NULL;

    ensure(start_join_start(NULL, twice, 1) == EINVAL, "start_join_start(NULL, …) did not return EINVAL");
    ensure(start_join_start(&call, NULL, 1) == EINVAL, "start_join_start without work did not return EINVAL");
    ensure(start_join_join(NULL, NULL) == EINVAL, "start_join_join(NULL, …) did not return EINVAL");
    if (scarce_threads(true)) {
        gate_open(&inner_started);
        int error = start_join_start(&call, twice, 1);
        scarce_threads(false);
        ensure(error == EAGAIN || error == 0, "without a thread start_join_start returned %d; it should return EAGAIN",
               error);
        if (error == 0) /* with attributes of its own it had a thread all the same */
            ensure(start_join_join(call, NULL) == 0, "start_join_join(call, NULL) returned an error");
    }
}

SCENARIOS = {
    {"one_call", one_call, "one call is started and joined; its work writes to a variable of the caller's"},
    {"two_calls", two_calls, "two calls are under way at the same time and are joined in the other order"},
    {"call_in_a_call", call_in_a_call, "a work starts and joins a call of its own"},
    {"refused", refused, "calls with wrong arguments, and one for which there is no thread"},
    SCENARIOS_END,
};
