/* scenario.c - a few threads at a bounded semaphore.
 *
 * Two parts are run in a certain order that the detectors do not see (a gate), so that whatever one of them leaves
 * unprotected is a race in every run. Where two releases may meet, the detectors see one order only (order.h), and the
 * explorer all of them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h: syscall */
#endif
#include "order.h"

#include "bounded_semaphore.h"
#include "scenario.h"

#include <errno.h>
#include <stddef.h>

static struct bounded_semaphore *made(long value)
{
    struct bounded_semaphore *bounded = NULL;

    ensure(bounded_semaphore_create(&bounded, value) == 0, "bounded_semaphore_create returned an error");
    return bounded;
}

/* ---- two threads, one after the other --------------------------------------------------------------------------- */

struct part {
    void (*play)(struct bounded_semaphore *bounded);
    struct bounded_semaphore *bounded;
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->bounded);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void take(struct bounded_semaphore *bounded)
{
    ensure(bounded_semaphore_acquire(bounded, true, -1) == 0, "an acquire returned an error");
}

static void give(struct bounded_semaphore *bounded)
{
    ensure(bounded_semaphore_release(bounded, 1) == 0, "a release returned an error");
}

static void give_too_many(struct bounded_semaphore *bounded)
{
    ensure(bounded_semaphore_release(bounded, 9) == ERANGE, "a release of too many did not return ERANGE");
    ensure(bounded_semaphore_release(bounded, 0) == EINVAL, "a release of none did not return EINVAL");
    ensure(bounded_semaphore_acquire(bounded, false, 0) == EINVAL,
           "not blocking with a time-out did not return EINVAL");
}

static void ask(struct bounded_semaphore *bounded)
{
    ensure(bounded_semaphore_value(bounded) > 0, "the value is not what it should be");
}

/* Of four permits two are taken at the beginning. */
static void in_order(void (*first)(struct bounded_semaphore *), void (*second)(struct bounded_semaphore *))
{
    struct bounded_semaphore *bounded = made(4);
    struct gate first_done = GATE_CLOSED;
    struct part one = {first, bounded, NULL, &first_done}, two = {second, bounded, &first_done, NULL};

    take(bounded);
    take(bounded);
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);
    scenario_join(a);
    scenario_join(b);
    bounded_semaphore_destroy(bounded);
}

static void one_after_the_other(void)
{
    in_order(take, take);
    in_order(take, give);
    in_order(give, take);
    in_order(give, give);
}

static void too_many(void)
{
    in_order(give, give_too_many);
    in_order(give_too_many, give);
    in_order(take, give_too_many);
    in_order(give_too_many, take);
}

static void somebody_asks(void)
{
    in_order(take, ask);
    in_order(ask, take);
    in_order(give, ask);
    in_order(ask, give);
}

/* ---- two releases meet ------------------------------------------------------------------------------------------ */

/* What two threads do at the same time; where the detectors look, the second when the first has done it. */
struct meeting {
    struct bounded_semaphore *bounded;
    struct gate second;
    int first_result, second_result;
};

static void *give_first(void *argument)
{
    struct meeting *meeting = argument;

    meeting->first_result = bounded_semaphore_release(meeting->bounded, 1);
    gate_open(&meeting->second);
    return NULL;
}

static void *give_second(void *argument)
{
    struct meeting *meeting = argument;

    order_pass(&meeting->second);
    meeting->second_result = bounded_semaphore_release(meeting->bounded, 1);
    return NULL;
}

static void two_give_back_one(void)
{
    struct meeting meeting = {made(1), GATE_CLOSED, -1, -1};

    take(meeting.bounded);
    pthread_t a = scenario_thread(give_first, &meeting), b = scenario_thread(give_second, &meeting);
    scenario_join(a);
    scenario_join(b);
    ensure(bounded_semaphore_value(meeting.bounded) == 1,
           "one permit was taken, two threads gave one back, and the value is %ld",
           bounded_semaphore_value(meeting.bounded));
    ensure((meeting.first_result == 0) != (meeting.second_result == 0),
           "one permit was taken, two threads gave one back, and the releases returned %d and %d", meeting.first_result,
           meeting.second_result);
    bounded_semaphore_destroy(meeting.bounded);
}

/* Of two permits both were taken. */
static struct meeting both_taken(void)
{
    struct meeting meeting = {made(2), GATE_CLOSED, -1, -1};

    take(meeting.bounded);
    take(meeting.bounded);
    return meeting;
}

static void two_give_back_two(void)
{
    struct meeting meeting = both_taken();
    pthread_t a = scenario_thread(give_first, &meeting), b = scenario_thread(give_second, &meeting);

    scenario_join(a);
    scenario_join(b);
    ensure(meeting.first_result == 0 && meeting.second_result == 0,
           "two permits were taken, two threads gave one back each, and the releases returned %d and %d",
           meeting.first_result, meeting.second_result);
    ensure(bounded_semaphore_value(meeting.bounded) == 2, "both permits were given back, and the value is %ld",
           bounded_semaphore_value(meeting.bounded));
    bounded_semaphore_destroy(meeting.bounded);
}

static void *give_two(void *argument)
{
    struct meeting *meeting = argument;

    order_pass(&meeting->second);
    meeting->second_result = bounded_semaphore_release(meeting->bounded, 2);
    return NULL;
}

static void two_or_one(void)
{
    struct meeting meeting = both_taken();
    pthread_t a = scenario_thread(give_first, &meeting), b = scenario_thread(give_two, &meeting);

    scenario_join(a);
    scenario_join(b);
    ensure((meeting.first_result == 0) != (meeting.second_result == 0),
           "two permits were taken, one thread gave back one and another two, and the releases returned %d and %d",
           meeting.first_result, meeting.second_result);
    long given = meeting.first_result == 0 ? 1 : 2;
    ensure(bounded_semaphore_value(meeting.bounded) == given,
           "the release of %ld succeeded and the other was refused, and the value is %ld", given,
           bounded_semaphore_value(meeting.bounded));
    bounded_semaphore_destroy(meeting.bounded);
}

/* The second thread tries twice for the one permit there is, and keeps what it gets. */
static void *try_twice(void *argument)
{
    struct meeting *meeting = argument;

    order_pass(&meeting->second);
    meeting->second_result = bounded_semaphore_acquire(meeting->bounded, false, -1) == 0;
    meeting->second_result += bounded_semaphore_acquire(meeting->bounded, false, -1) == 0;
    return NULL;
}

static void never_above_the_bound(void)
{
    struct meeting meeting = {made(1), GATE_CLOSED, -1, -1};
    pthread_t a = scenario_thread(give_first, &meeting), b = scenario_thread(try_twice, &meeting);

    scenario_join(a);
    scenario_join(b);
    long returned = meeting.first_result == 0 ? 1 : 0; /* right where the other thread had taken the permit before */
    ensure(meeting.second_result == 1 + returned || (returned == 1 && meeting.second_result == 1),
           "there was one permit and %ld were given back, and a thread got %d", returned, meeting.second_result);
    ensure(bounded_semaphore_value(meeting.bounded) == 1 + returned - meeting.second_result,
           "the value is not what is left");
    bounded_semaphore_destroy(meeting.bounded);
}

static void *take_it(void *argument)
{
    struct meeting *meeting = argument;

    take(meeting->bounded);
    gate_open(&meeting->second);
    return NULL;
}

/* Who finds that the permit was taken may give it back for whoever took it. */
static void *give_back_what_is_taken(void *argument)
{
    struct meeting *meeting = argument;

    order_pass(&meeting->second);
    meeting->first_result = bounded_semaphore_acquire(meeting->bounded, false, -1);
    meeting->second_result = bounded_semaphore_release(meeting->bounded, 1);
    return NULL;
}

static void given_back_for_another(void)
{
    struct meeting meeting = {made(1), GATE_CLOSED, -1, -1};
    pthread_t a = scenario_thread(take_it, &meeting), b = scenario_thread(give_back_what_is_taken, &meeting);

    scenario_join(a);
    scenario_join(b);
    ensure(meeting.second_result == 0,
           "a thread found the one permit %s, and its release returned %d, although no permit was there",
           meeting.first_result == 0 ? "and took it" : "taken", meeting.second_result);
    bounded_semaphore_destroy(meeting.bounded);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

static void *wait_and_take(void *bounded)
{
    ensure(bounded_semaphore_acquire(bounded, true, INT64_MAX) == 0, "an acquire returned an error");
    return NULL;
}

static void one_waits(void)
{
    struct bounded_semaphore *bounded = made(1);

    take(bounded);
    ensure(bounded_semaphore_acquire(bounded, true, 0) == ETIMEDOUT, "a time-out of 0 did not return ETIMEDOUT");
    ensure(bounded_semaphore_acquire(bounded, false, -1) == EBUSY, "not blocking did not return EBUSY");
    pthread_t thread = scenario_thread(wait_and_take, bounded);
    order_until_asleep();
    give(bounded);
    scenario_join(thread);
    ensure(bounded_semaphore_value(bounded) == 0, "one permit was released and taken, and the value is not 0");
    bounded_semaphore_destroy(bounded);
}

/* Two threads wait, and two permits come one by one. */
struct waiting {
    struct bounded_semaphore *bounded;
    struct gate come; /* where the detectors look, it does not come before that */
};

static void *wait_for_one(void *argument)
{
    struct waiting *waiting = argument;

    order_pass(&waiting->come);
    ensure(bounded_semaphore_acquire(waiting->bounded, true, -1) == 0, "an acquire returned an error");
    return NULL;
}

static void two_permits_one_by_one(void)
{
    struct bounded_semaphore *bounded = both_taken().bounded;
    struct waiting one = {bounded, GATE_CLOSED}, two = {bounded, GATE_CLOSED};
    pthread_t a = scenario_thread(wait_for_one, &one), b = scenario_thread(wait_for_one, &two);

    give(bounded);
    give(bounded);
    gate_open(&one.come);
    gate_open(&two.come);
    scenario_join(a);
    scenario_join(b);
    ensure(bounded_semaphore_value(bounded) == 0, "two permits were given back and taken again, and the value is %ld",
           bounded_semaphore_value(bounded));
    bounded_semaphore_destroy(bounded);
}

/* Takes the one permit and gives it back; where the detectors look, not before `come` is open. */
struct sharing {
    struct bounded_semaphore *bounded;
    struct tally *inside; /* who has the permit */
    struct gate come;
    struct gate *done; /* or NULL */
};

static void *take_and_give(void *argument)
{
    struct sharing *sharing = argument;

    order_pass(&sharing->come);
    take(sharing->bounded);
    ensure(tally_add(sharing->inside, 1) == 1, "there is one permit, and two threads have one");
    tally_add(sharing->inside, -1);
    give(sharing->bounded);
    if (sharing->done != NULL)
        gate_open(sharing->done);
    return NULL;
}

static void one_permit_for_two(void)
{
    struct bounded_semaphore *bounded = made(1);
    struct tally inside = TALLY_ZERO;
    struct sharing second = {bounded, &inside, GATE_CLOSED, NULL};
    struct sharing first = {bounded, &inside, GATE_CLOSED, &second.come};

    gate_open(&first.come);
    pthread_t a = scenario_thread(take_and_give, &first), b = scenario_thread(take_and_give, &second);
    scenario_join(a);
    scenario_join(b);
    ensure(bounded_semaphore_value(bounded) == 1, "the one permit was given back, and the value is %ld",
           bounded_semaphore_value(bounded));
    bounded_semaphore_destroy(bounded);
}

static void nobody_there(void)
{
    struct bounded_semaphore *bounded = NULL;

    ensure(bounded_semaphore_create(&bounded, -1) == EINVAL, "a negative value did not return EINVAL");
    bounded_semaphore_destroy(NULL);
}

SCENARIOS = {
    {"one_after_the_other", one_after_the_other, "two threads take and give, one after the other"},
    {"too_many", too_many, "one thread takes or gives, another one gives too many"},
    {"somebody_asks", somebody_asks, "one thread takes or gives, another asks for the value"},
    {"two_give_back_one", two_give_back_one, "one permit was taken, and two threads give one back"},
    {"two_give_back_two", two_give_back_two, "two permits were taken, and two threads give one back each"},
    {"two_or_one", two_or_one, "two permits were taken; one thread gives back one, another two"},
    {"never_above_the_bound", never_above_the_bound, "one thread gives one too many, another tries for two permits"},
    {"given_back_for_another", given_back_for_another, "one thread takes the permit, another gives it back"},
    {"one_waits", one_waits, "one thread waits, and a permit is given back"},
    {"two_permits_one_by_one", two_permits_one_by_one, "two threads wait, and two permits are given back one by one"},
    {"one_permit_for_two", one_permit_for_two, "two threads take the same permit in turn and give it back"},
    {"nobody_there", nobody_there, "a semaphore that cannot be made, and one that is not there"},
    SCENARIOS_END,
};
