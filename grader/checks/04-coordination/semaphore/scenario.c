/* scenario.c - a few threads at a semaphore.
 *
 * Two parts are run in a certain order that the detectors do not see (a gate), so that whatever one of them leaves
 * unprotected is a race in every run. The scenarios with threads that wait keep to one order where the detectors look
 * (order.h), and are as small as the mistakes allow: the explorer runs all their interleavings.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h: syscall */
#endif
#include "scenario.h"
#include "order.h"
#include "semaphore.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

static struct semaphore *made(long value)
{
    struct semaphore *semaphore = NULL;

    ensure(semaphore_create(&semaphore, value) == 0, "semaphore_create returned an error");
    return semaphore;
}

/* ---- two threads, one after the other --------------------------------------------------------------------------- */

struct part {
    void (*play)(struct semaphore *semaphore);
    struct semaphore *semaphore;
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->semaphore);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void in_order(void (*first)(struct semaphore *), void (*second)(struct semaphore *))
{
    struct semaphore *semaphore = made(2);
    struct gate first_done = GATE_CLOSED;
    struct part one = {first, semaphore, NULL, &first_done}, two = {second, semaphore, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    semaphore_destroy(semaphore);
}

static void take(struct semaphore *semaphore)
{
    ensure(semaphore_acquire(semaphore, true, -1) == 0, "semaphore_acquire returned an error");
}

static void try_to_take(struct semaphore *semaphore)
{
    ensure(semaphore_acquire(semaphore, false, -1) == 0, "semaphore_acquire, not blocking, returned an error");
}

static void give(struct semaphore *semaphore)
{
    ensure(semaphore_release(semaphore, 2) == 0, "semaphore_release returned an error");
}

static void give_wrongly(struct semaphore *semaphore)
{
    ensure(semaphore_release(semaphore, 0) == EINVAL, "semaphore_release(…, 0) did not return EINVAL");
    ensure(semaphore_release(semaphore, LONG_MAX) == EOVERFLOW, "semaphore_release did not return EOVERFLOW");
    ensure(semaphore_acquire(semaphore, false, 0) == EINVAL, "not blocking with a time-out did not return EINVAL");
}

static void ask(struct semaphore *semaphore)
{
    ensure(semaphore_value(semaphore) > 0, "the value is not what it should be");
}

static void two_takers(void)
{
    in_order(take, try_to_take);
    in_order(try_to_take, take);
}

static void taker_and_giver(void)
{
    in_order(take, give);
    in_order(give, take);
    in_order(give, give);
    in_order(give_wrongly, take);
    in_order(take, give_wrongly);
}

static void somebody_asks(void)
{
    in_order(take, ask);
    in_order(ask, take);
    in_order(give, ask);
    in_order(ask, give);
}

/* ---- at the same moment ----------------------------------------------------------------------------------------- */

/* Two parts at the same time; where the detectors look, one after the other. */
struct meeting {
    struct semaphore *semaphore;
    void (*second)(struct semaphore *semaphore);
    struct gate first_done;
};

static void *try_first(void *argument)
{
    struct meeting *meeting = argument;

    try_to_take(meeting->semaphore);
    gate_open(&meeting->first_done);
    return NULL;
}

static void *play_second(void *argument)
{
    struct meeting *meeting = argument;

    order_pass(&meeting->first_done);
    meeting->second(meeting->semaphore);
    return NULL;
}

/* There are permits for all: that somebody else is busy with the semaphore is no reason to go without. */
static void enough_for_all(void)
{
    void (*seconds[])(struct semaphore *) = {try_to_take, ask};

    for (int i = 0; i < 2; i++) {
        struct meeting meeting = {made(2), seconds[i], GATE_CLOSED};
        pthread_t a = scenario_thread(try_first, &meeting), b = scenario_thread(play_second, &meeting);
        scenario_join(a);
        scenario_join(b);
        ensure(semaphore_value(meeting.semaphore) == i, "of two permits %d were taken, and the value is %ld", 2 - i,
               semaphore_value(meeting.semaphore));
        semaphore_destroy(meeting.semaphore);
    }
}

/* Releases; where the detectors look, the second thread comes when the first has released. */
struct filling {
    struct semaphore *semaphore;
    struct gate first_done;
    int first_result, second_result;
};

static void *give_one_first(void *argument)
{
    struct filling *filling = argument;

    filling->first_result = semaphore_release(filling->semaphore, 1);
    gate_open(&filling->first_done);
    return NULL;
}

static void *give_one_second(void *argument)
{
    struct filling *filling = argument;

    order_pass(&filling->first_done);
    filling->second_result = semaphore_release(filling->semaphore, 1);
    return NULL;
}

/* There is room for one more permit, and two come. */
static void room_for_one(void)
{
    struct filling filling = {made(LONG_MAX - 1), GATE_CLOSED, -1, -1};
    pthread_t a = scenario_thread(give_one_first, &filling), b = scenario_thread(give_one_second, &filling);

    scenario_join(a);
    scenario_join(b);
    ensure((filling.first_result == 0 && filling.second_result == EOVERFLOW) ||
               (filling.first_result == EOVERFLOW && filling.second_result == 0),
           "of LONG_MAX permits one was missing, two threads released one each, and semaphore_release returned %d and "
           "%d",
           filling.first_result, filling.second_result);
    ensure(semaphore_value(filling.semaphore) == LONG_MAX, "there should be LONG_MAX permits, and the value is %ld",
           semaphore_value(filling.semaphore));
    semaphore_destroy(filling.semaphore);
}

static void *give_two(void *argument)
{
    struct filling *filling = argument;

    filling->first_result = semaphore_release(filling->semaphore, 2);
    gate_open(&filling->first_done);
    return NULL;
}

/* Two permits come at once: nobody sees one. */
static void two_at_once(void)
{
    struct filling filling = {made(0), GATE_CLOSED, -1, -1};
    pthread_t a = scenario_thread(give_two, &filling);

    order_pass(&filling.first_done);
    long value = semaphore_value(filling.semaphore);
    ensure(value == 0 || value == 2, "semaphore_release(…, 2) of another thread is under way, and the value is %ld",
           value);
    scenario_join(a);
    ensure(filling.first_result == 0, "semaphore_release returned an error");
    semaphore_destroy(filling.semaphore);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

/* A thread that waits for a permit; where the detectors look, not before `come` is open. */
struct waiting {
    struct semaphore *semaphore;
    int64_t timeout_us;
    struct gate come;
};

static void *wait_and_take(void *argument)
{
    struct waiting *waiting = argument;

    order_pass(&waiting->come);
    ensure(semaphore_acquire(waiting->semaphore, true, waiting->timeout_us) == 0,
           "semaphore_acquire returned an error");
    return NULL;
}

static void one_waits(int64_t timeout_us)
{
    struct waiting waiting = {made(0), timeout_us, GATE_CLOSED};

    gate_open(&waiting.come);
    pthread_t thread = scenario_thread(wait_and_take, &waiting);
    order_until_asleep();
    ensure(semaphore_release(waiting.semaphore, 1) == 0, "semaphore_release returned an error");
    scenario_join(thread);
    ensure(semaphore_value(waiting.semaphore) == 0, "one permit was released and taken, and the value is not 0");
    semaphore_destroy(waiting.semaphore);
}

static void one_waits_for_ever(void)
{
    one_waits(-1);
}

static void one_waits_with_a_limit(void)
{
    one_waits(INT64_MAX);
}

/* Two threads wait for two permits. */
static void two_wait(long at_once, long later)
{
    struct semaphore *semaphore = made(0);
    struct waiting one = {semaphore, -1, GATE_CLOSED}, two = {semaphore, -1, GATE_CLOSED};
    pthread_t a = scenario_thread(wait_and_take, &one), b = scenario_thread(wait_and_take, &two);

    ensure(semaphore_release(semaphore, at_once) == 0, "semaphore_release returned an error");
    if (later > 0)
        ensure(semaphore_release(semaphore, later) == 0, "semaphore_release returned an error");
    gate_open(&one.come);
    gate_open(&two.come);
    scenario_join(a);
    scenario_join(b);
    ensure(semaphore_value(semaphore) == 0, "two permits were released and two were taken, and the value is not 0");
    semaphore_destroy(semaphore);
}

static void two_permits_one_by_one(void)
{
    two_wait(1, 1);
}

static void two_permits_at_once(void)
{
    two_wait(2, 0);
}

/* Takes the one permit and gives it back; where the detectors look, not before `come` is open. */
struct sharing {
    struct semaphore *semaphore;
    struct tally *inside; /* who has the permit */
    struct gate come;
    struct gate *done; /* or NULL */
};

static void *take_and_give(void *argument)
{
    struct sharing *sharing = argument;

    order_pass(&sharing->come);
    ensure(semaphore_acquire(sharing->semaphore, true, -1) == 0, "semaphore_acquire returned an error");
    ensure(tally_add(sharing->inside, 1) == 1, "there is one permit, and two threads have one");
    tally_add(sharing->inside, -1);
    ensure(semaphore_release(sharing->semaphore, 1) == 0, "semaphore_release returned an error");
    if (sharing->done != NULL)
        gate_open(sharing->done);
    return NULL;
}

static void one_permit_for_two(void)
{
    struct semaphore *semaphore = made(1);
    struct tally inside = TALLY_ZERO;
    struct sharing second = {semaphore, &inside, GATE_CLOSED, NULL};
    struct sharing first = {semaphore, &inside, GATE_CLOSED, &second.come};

    gate_open(&first.come);
    pthread_t a = scenario_thread(take_and_give, &first), b = scenario_thread(take_and_give, &second);
    scenario_join(a);
    scenario_join(b);
    ensure(semaphore_value(semaphore) == 1, "the one permit was given back, and the value is not 1");
    semaphore_destroy(semaphore);
}

/* One may run out of time, the other has all the time there is. */
static void *hurry(void *argument)
{
    struct semaphore *semaphore = argument;
    int error = semaphore_acquire(semaphore, true, 1000);

    ensure(error == 0 || error == ETIMEDOUT, "semaphore_acquire with a time-out returned neither 0 nor ETIMEDOUT");
    if (error == 0)
        ensure(semaphore_release(semaphore, 1) == 0, "semaphore_release returned an error");
    return NULL;
}

static void one_is_in_a_hurry(void)
{
    struct waiting patient = {made(0), -1, GATE_CLOSED};

    ensure(semaphore_acquire(patient.semaphore, true, 0) == ETIMEDOUT, "a time-out of 0 did not return ETIMEDOUT");
    ensure(semaphore_acquire(patient.semaphore, false, -1) == EBUSY, "not blocking did not return EBUSY");
    pthread_t a = scenario_thread(hurry, patient.semaphore), b = scenario_thread(wait_and_take, &patient);
    ensure(semaphore_release(patient.semaphore, 1) == 0, "semaphore_release returned an error");
    scenario_join(a);
    gate_open(&patient.come);
    scenario_join(b);
    ensure(semaphore_value(patient.semaphore) == 0, "one permit was released and taken, and the value is not 0");
    semaphore_destroy(patient.semaphore);
}

static void nobody_there(void)
{
    struct semaphore *semaphore = NULL;

    ensure(semaphore_create(&semaphore, -1) == EINVAL, "semaphore_create with a negative value did not return EINVAL");
    semaphore_destroy(NULL);
}

SCENARIOS = {
    {"two_takers", two_takers, "two threads take a permit, one after the other"},
    {"taker_and_giver", taker_and_giver, "one thread takes a permit, another gives some"},
    {"somebody_asks", somebody_asks, "one thread takes or gives, another asks for the value"},
    {"enough_for_all", enough_for_all, "two threads try for two permits, or ask for the value, at the same moment"},
    {"room_for_one", room_for_one, "there is room for one more permit, and two threads release one each"},
    {"two_at_once", two_at_once, "one thread releases two permits, another asks for the value"},
    {"one_waits_for_ever", one_waits_for_ever, "one thread waits, and a permit is released"},
    {"one_waits_with_a_limit", one_waits_with_a_limit, "one thread waits with a time-out, and a permit is released"},
    {"two_permits_one_by_one", two_permits_one_by_one, "two threads wait, and two permits are released one by one"},
    {"two_permits_at_once", two_permits_at_once, "two threads wait, and two permits are released at once"},
    {"one_permit_for_two", one_permit_for_two, "two threads take the same permit in turn and give it back"},
    {"one_is_in_a_hurry", one_is_in_a_hurry, "two threads wait for one permit, and one of them may run out of time"},
    {"nobody_there", nobody_there, "a semaphore that cannot be made, and one that is not there"},
    SCENARIOS_END,
};
