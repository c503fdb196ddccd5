/* scenario.c - a few threads at a barrier.
 *
 * Two parts are run in a certain order that the detectors do not see (a gate), so that whatever one of them leaves
 * unprotected is a race in every run. Where threads meet, the detectors see one order only (order.h): the last to
 * arrive comes when the others sleep. The explorer tries all orders.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h: syscall */
#endif
#include "order.h"

#include "barrier.h"
#include "scenario.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef INTERLEAVE
static const bool every_order = true;
#else
static const bool every_order = false;
#endif

static const char *answer(int error)
{
    switch (error) {
    case 0:
        return "0";
    case ETIMEDOUT:
        return "ETIMEDOUT";
    case ECANCELED:
        return "ECANCELED";
    default:
        return "another error";
    }
}

static struct barrier *made(long parties, int (*action)(void *), void *argument)
{
    struct barrier *barrier = NULL;

    ensure(barrier_create(&barrier, parties, action, argument, -1) == 0, "barrier_create returned an error");
    return barrier;
}

/* ---- two threads, one after the other --------------------------------------------------------------------------- */

struct part {
    void (*play)(struct barrier *barrier);
    struct barrier *barrier;
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->barrier);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void in_order(void (*first)(struct barrier *), void (*second)(struct barrier *))
{
    struct barrier *barrier = made(2, NULL, NULL);
    struct gate first_done = GATE_CLOSED;
    struct part one = {first, barrier, NULL, &first_done}, two = {second, barrier, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    barrier_destroy(barrier);
}

static void ask_waiting(struct barrier *barrier)
{
    ensure(barrier_waiting(barrier) == 0 && barrier_parties(barrier) == 2,
           "nobody waits, and it says that somebody does");
}

static void ask_broken(struct barrier *barrier)
{
    (void)barrier_is_broken(barrier);
}

static void have_no_time(struct barrier *barrier)
{
    int error = barrier_wait(barrier, 0, NULL);

    ensure(error == ETIMEDOUT || error == ECANCELED, "a time-out of 0 returned neither ETIMEDOUT nor ECANCELED");
}

static void have_little_time(struct barrier *barrier)
{
    int error = barrier_wait(barrier, 1, NULL);

    ensure(error == ETIMEDOUT || error == ECANCELED, "a time-out of 1 µs returned neither ETIMEDOUT nor ECANCELED");
}

static void somebody_asks(void)
{
    in_order(have_no_time, ask_waiting);
    in_order(ask_waiting, have_no_time);
    in_order(have_no_time, ask_broken);
    in_order(ask_broken, have_no_time);
    in_order(barrier_reset, ask_broken);
    in_order(ask_broken, barrier_reset);
    in_order(barrier_abort, ask_waiting);
    in_order(ask_waiting, barrier_abort);
}

static void broken_and_reset(void)
{
    in_order(have_little_time, barrier_reset);
    in_order(barrier_reset, have_little_time);
    in_order(barrier_abort, barrier_reset);
    in_order(have_no_time, barrier_abort);
    in_order(barrier_abort, have_no_time);
}

/* ---- threads meet ----------------------------------------------------------------------------------------------- */

struct meeting {
    struct barrier *barrier;
    int rounds;
    struct gate come; /* where the detectors look, the second thread comes after that */
};

static void *come_first(void *argument)
{
    struct meeting *meeting = argument;

    for (int i = 0; i < meeting->rounds; i++) {
        long index = -1;
        ensure(barrier_wait(meeting->barrier, -1, &index) == 0, "barrier_wait returned an error");
        ensure(index == 0 || index == 1, "an index is neither 0 nor 1");
    }
    return NULL;
}

static void *come_last(void *argument)
{
    struct meeting *meeting = argument;

    for (int i = 0; i < meeting->rounds; i++) {
        long index = -1;
        order_until_asleep();
        ensure(barrier_wait(meeting->barrier, INT64_MAX, &index) == 0, "barrier_wait returned an error");
        ensure(index == 0 || index == 1, "an index is neither 0 nor 1");
    }
    return NULL;
}

static void two_meet_twice(void)
{
    struct meeting meeting = {.barrier = made(2, NULL, NULL), .rounds = 2};
    pthread_t a = scenario_thread(come_first, &meeting), b = scenario_thread(come_last, &meeting);

    scenario_join(a);
    scenario_join(b);
    ensure(barrier_waiting(meeting.barrier) == 0, "all have left, and somebody is said to wait");
    barrier_destroy(meeting.barrier);
}

static int count_calls(void *calls)
{
    ++*(long *)calls; /* one thread at a time: the barrier sees to that */
    return 0;
}

static void *pass_alone(void *argument)
{
    struct meeting *meeting = argument;

    for (int i = 0; i < meeting->rounds; i++) {
        long index = -1;
        ensure(barrier_wait(meeting->barrier, -1, &index) == 0, "barrier_wait returned an error");
        ensure(index == 0, "the index of a round of one is not 0");
    }
    gate_open(&meeting->come);
    return NULL;
}

static void *pass_alone_later(void *argument)
{
    struct meeting *meeting = argument;

    order_pass(&meeting->come);
    ensure(barrier_wait(meeting->barrier, -1, NULL) == 0, "barrier_wait returned an error");
    return NULL;
}

/* Each makes a round of his own; who comes while the action of another runs stays outside. */
static void rounds_of_one(void)
{
    long calls = 0;
    struct meeting meeting = {.barrier = made(1, count_calls, &calls), .rounds = 2};
    pthread_t a = scenario_thread(pass_alone, &meeting), b = scenario_thread(pass_alone_later, &meeting);

    scenario_join(a);
    scenario_join(b);
    ensure(calls == 3, "there were three rounds, and the action was called %ld times", calls);
    barrier_destroy(meeting.barrier);
}

/* ---- somebody gives up ------------------------------------------------------------------------------------------ */

struct pair {
    struct barrier *barrier;
    int results[2];
};

static void *first_of_pair(void *argument)
{
    struct pair *pair = argument;

    pair->results[0] = barrier_wait(pair->barrier, 1000, NULL);
    return NULL;
}

static void *second_of_pair(void *argument)
{
    struct pair *pair = argument;

    order_until_asleep();
    pair->results[1] = barrier_wait(pair->barrier, 5000, NULL);
    return NULL;
}

/* Either both meet, or one runs out of time and the other is told. */
static void both_or_none(void)
{
    struct pair pair = {made(2, NULL, NULL), {-1, -1}};
    pthread_t a = scenario_thread(first_of_pair, &pair), b = scenario_thread(second_of_pair, &pair);

    scenario_join(a);
    scenario_join(b);
    ensure((pair.results[0] == 0) == (pair.results[1] == 0),
           "two threads came to a barrier for two; one returned %s and the other %s", answer(pair.results[0]),
           answer(pair.results[1]));
    ensure(barrier_is_broken(pair.barrier) == (pair.results[0] != 0), "somebody gave up, and it is not broken");
    barrier_destroy(pair.barrier);
}

/* Comes again as often as the barrier is reset. */
static void *come_again(void *barrier)
{
    int error;

    while ((error = barrier_wait(barrier, -1, NULL)) == ECANCELED)
        continue;
    ensure(error == 0, "barrier_wait returned an error");
    return NULL;
}

static void reset_meanwhile(void)
{
    struct barrier *barrier = made(2, NULL, NULL);
    pthread_t thread = scenario_thread(come_again, barrier);

    order_until_asleep();
    barrier_reset(barrier);
    ensure(barrier_wait(barrier, -1, NULL) == 0, "barrier_wait after a reset returned an error");
    scenario_join(thread);
    barrier_destroy(barrier);
}

static void *come_once(void *barrier)
{
    ensure(barrier_wait(barrier, -1, NULL) == ECANCELED, "the barrier was aborted, and somebody got through");
    return NULL;
}

static void abort_meanwhile(void)
{
    struct barrier *barrier = made(2, NULL, NULL);
    pthread_t thread = scenario_thread(come_once, barrier);

    order_until_asleep();
    barrier_abort(barrier);
    scenario_join(thread);
    ensure(barrier_is_broken(barrier), "the barrier was aborted, and it is not broken");
    barrier_destroy(barrier);
}

struct guest {
    struct barrier *barrier;
    int result;
    long index;
};

static void *come_as_guest(void *argument)
{
    struct guest *guest = argument;

    guest->result = barrier_wait(guest->barrier, -1, &guest->index);
    return NULL;
}

/* The third makes no difference to a round of two, unless he is one of them. */
static void two_or_nobody(void)
{
    if (!every_order)
        return;
    struct barrier *barrier = made(2, NULL, NULL);
    struct guest guests[3];
    pthread_t threads[3];
    int through = 0;

    for (int i = 0; i < 3; i++) {
        guests[i] = (struct guest){barrier, -1, -1};
        threads[i] = scenario_thread(come_as_guest, &guests[i]);
    }
    barrier_abort(barrier);
    for (int i = 0; i < 3; i++)
        scenario_join(threads[i]);
    for (int i = 0; i < 3; i++) {
        through += guests[i].result == 0;
        ensure(guests[i].result == 0 || guests[i].result == ECANCELED, "barrier_wait returned neither 0 nor ECANCELED");
        for (int j = 0; j < i; j++)
            ensure(guests[i].index < 0 || guests[i].index != guests[j].index,
                   "two threads of a round of two have the index %ld", guests[i].index);
    }
    ensure(through != 1 && through != 3,
           "three threads came to a barrier for two, somebody aborted it, and %d got through", through);
    barrier_destroy(barrier);
}

static int fail(void *unused)
{
    (void)unused;
    return EIO;
}

static void nobody_there(void)
{
    struct barrier *barrier = NULL;

    ensure(barrier_create(&barrier, 0, NULL, NULL, -1) == EINVAL, "barrier_create for nobody did not return EINVAL");
    barrier_destroy(NULL);
    barrier = made(1, fail, NULL);
    ensure(barrier_wait(barrier, -1, NULL) == EIO, "the action has failed, and barrier_wait does not say so");
    ensure(barrier_wait(barrier, -1, NULL) == ECANCELED, "a broken barrier did not return ECANCELED");
    barrier_destroy(barrier);
}

SCENARIOS = {
    {"somebody_asks", somebody_asks, "one thread breaks or resets a barrier, another asks"},
    {"broken_and_reset", broken_and_reset, "one thread breaks a barrier, another resets it"},
    {"two_meet_twice", two_meet_twice, "two threads meet twice"},
    {"rounds_of_one", rounds_of_one, "two threads come to a barrier for one that has an action, one of them twice"},
    {"both_or_none", both_or_none, "two threads meet, if neither runs out of time before"},
    {"reset_meanwhile", reset_meanwhile, "one thread resets a barrier and arrives, another comes until it succeeds"},
    {"abort_meanwhile", abort_meanwhile, "one thread arrives, another aborts the barrier"},
    {"two_or_nobody", two_or_nobody, "three threads come to a barrier for two, another aborts it"},
    {"nobody_there", nobody_there, "a barrier that cannot be made, one that is not there, an action that fails"},
    SCENARIOS_END,
};
