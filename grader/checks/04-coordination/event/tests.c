/* tests.c - what an event must do.
 *
 * The test's own thread sets and clears, and those who wait are runners. Who waits is seen with settle(). A thread that
 * is slow to wake up is made with wrap_fail(…, 0): signals are sent and do not arrive.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* waiting.h */
#endif
#include "check.h"
#include "event.h"
#include "leftovers.h"
#include "slices.h"
#include "waiting.h"
#include "wrap.h"

#include <errno.h>

static struct event *new_event(void)
{
    struct event *event = NULL;
    int error = event_create(&event);

    must(error == 0 && event != NULL, "event_create returned %s or stored no event.", error_text(error));
    return event;
}

/* ---- what another thread does ----------------------------------------------------------------------------------- */

struct waiter {
    struct event *event;
    int64_t timeout_us;
    int result;
    int64_t began_us, took_us;
    struct tally *slices; /* waits that looked again after a moment */
    struct runner *runner;
};

static void wait_for_it(void *argument)
{
    struct waiter *waiter = argument;

    waiter->began_us = now_us();
    slices = waiter->slices;
    waits = true;
    waiter->result = event_wait(waiter->event, waiter->timeout_us);
    waits = false;
    waiter->took_us = now_us() - waiter->began_us;
}

static void waiter_start(struct waiter *waiter, struct event *event, int64_t timeout_us)
{
    *waiter = (struct waiter){.event = event, .timeout_us = timeout_us, .result = -1};
    waiter->slices = slices_tally();
    waiter->runner = runner_start(wait_for_it, waiter);
}

/* Starts a thread that waits, and goes on when it sleeps. */
static void must_wait(struct waiter *waiter, struct event *event, int64_t timeout_us)
{
    waiter_start(waiter, event, timeout_us);
    enum runner_state state = runner_state(waiter->runner);
    must(state != RUNNER_BUSY, "A thread that waits for an event should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED,
         "The flag is false, and event_wait with a time-out of %lld did not wait but returned %s.",
         (long long)timeout_us, error_text(waiter->result));
    must(!slices_tell(timeout_us) || tally_read(waiter->slices) == 0,
         "A thread that waits for an event should sleep until it is woken, but it sleeps for a moment, looks, and "
         "sleeps again.");
}

static void must_go_on(struct waiter *waiter)
{
    must_be_done(waiter->runner, "The event was set, and a thread that waited for it sleeps on.");
    runner_join(waiter->runner);
    must_return(0, waiter->result, "event_wait of a thread that waited when the event was set");
}

/* ---- the flag --------------------------------------------------------------------------------------------------- */

TEST(a_flag, "The flag is false at first; set makes it true and clear makes it false, however often.")
{
    struct event *event = new_event();

    must(!event_is_set(event), "A new event should not be set.");
    event_clear(event);
    must(!event_is_set(event), "After event_clear of a new event it should not be set.");
    for (int i = 0; i < 2; i++) {
        event_set(event);
        must(event_is_set(event), "After event_set the event should be set.");
        event_set(event);
        must(event_is_set(event), "After a second event_set the event should still be set.");
        event_clear(event);
        must(!event_is_set(event), "After event_clear the event should not be set.");
        event_clear(event);
        must(!event_is_set(event), "After a second event_clear the event should not be set.");
    }
    event_destroy(event);
}

TEST(at_once_where_set, "As long as the flag is true nobody waits; and a wait does not change it.")
{
    struct event *event = new_event();

    must_return(ETIMEDOUT, event_wait(event, 0), "event_wait of a new event with a time-out of 0");
    event_set(event);
    for (int i = 0; i < 2; i++) {
        must_return(0, event_wait(event, -1), "event_wait of an event that is set");
        must_return(0, event_wait(event, 0), "event_wait of an event that is set, with a time-out of 0,");
        must_return(0, event_wait(event, 1000), "event_wait of an event that is set, with a time-out of 1000 µs,");
        must(event_is_set(event), "After event_wait the event should still be set.");
    }
    event_clear(event);
    must_return(ETIMEDOUT, event_wait(event, 0), "event_wait of a cleared event with a time-out of 0");
    event_destroy(event);
}

TEST(they_are_separate, "Each event has a flag of its own.")
{
    struct event *one = new_event(), *two = new_event();
    struct waiter waiter;

    must_wait(&waiter, two, -1);
    event_set(one);
    must(!event_is_set(two), "One event was set, and another one says that it is.");
    must_be_blocked(waiter.runner, "One event was set, and a thread that waits for another one went on.");
    event_set(two);
    must_go_on(&waiter);
    event_destroy(one);
    event_destroy(two);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

enum { WAITERS = 5 };

TEST(set_wakes_all,
     "set wakes all who wait, asleep, with a time-out or without; any time-out below 0 is none, not only -1.")
{
    static const int64_t timeouts_us[WAITERS] = {-1, INT64_MAX, -2, -5000000, INT64_MIN};
    struct event *event = new_event();
    struct waiter waiters[WAITERS];

    for (int i = 0; i < WAITERS; i++)
        must_wait(&waiters[i], event, timeouts_us[i]);
    event_clear(event);
    for (int i = 0; i < WAITERS; i++)
        must_be_blocked(waiters[i].runner, "The event was cleared, not set, and a thread that waits for it went on.");
    event_set(event);
    for (int i = 0; i < WAITERS; i++)
        must_go_on(&waiters[i]);
    must(event_is_set(event), "The threads that waited went on, and the event should still be set.");
    event_destroy(event);
}

TEST(next_time_again, "After a clear threads wait for the next set; the one before does not count for them.")
{
    struct event *event = new_event();

    for (int i = 0; i < 3; i++) {
        struct waiter waiters[2];
        must_wait(&waiters[0], event, -1);
        must_wait(&waiters[1], event, INT64_MAX);
        event_set(event);
        must_go_on(&waiters[0]);
        must_go_on(&waiters[1]);
        event_clear(event);
    }
    event_destroy(event);
}

/* A thread waits; meanwhile the event is set so many times, and cleared after each, or only cleared where it is none.
 * The wake-ups do not arrive, so the thread sleeps on until its time is over; sets and clears must come before that,
 * which a slow machine may need more time for. Returns what the thread was told, or -1. */
static int slow_while_set(long times)
{
    struct waiter slow = {.result = -1};
    struct event *event = NULL;
    bool forced = false;

    for (int64_t timeout_us = 50000; !forced && timeout_us < 60000000; timeout_us *= 2) {
        if (event_create(&event) != 0)
            return -1;
        wrap_lose_signals(true);
        waiter_start(&slow, event, timeout_us);
        bool calm = settle();
        for (long i = 0; i < times; i++) {
            event_set(event);
            event_clear(event);
        }
        event_clear(event);
        forced = !calm || now_us() < slow.began_us + timeout_us;
        runner_join(slow.runner);
        wrap_lose_signals(false);
        event_destroy(event);
    }
    return forced ? slow.result : -1;
}

TEST(set_then_cleared, "A set loses nobody who was waiting: his wait succeeds even if the flag was cleared at once.")
{
    int result = slow_while_set(1);

    must(result == 0,
         "A thread waited, the event was set and cleared at once, and then the thread woke up: event_wait should "
         "return 0, but it returned %s.",
         error_text(result));
}

TEST(set_again_and_again, "A set loses nobody who was waiting, however often the event is set and cleared meanwhile.")
{
    static const long often[] = {2, 256, 65536};

    for (int i = 0; i < 3; i++) {
        int result = slow_while_set(often[i]);
        must(result == 0,
             "A thread waited, the event was set and cleared %ld times, and then the thread woke up: event_wait should "
             "return 0, but it returned %s.",
             often[i], error_text(result));
    }
}

TEST(a_clear_is_no_set, "A clear lets nobody go on, nor does it count as a set for one that wakes up late.")
{
    must_return(ETIMEDOUT, slow_while_set(0), "The event was cleared and never set: event_wait with a time-out");
}

TEST(not_meant, "Who comes after the clear waits for the next set, and takes nobody's place who is slow to wake up.")
{
    static struct waiter slow[2]; /* static: they still wait when the test ends */
    struct event *event = new_event();
    struct waiter late[2];

    must_wait(&slow[0], event, -1);
    must_wait(&slow[1], event, INT64_MAX);
    wrap_lose_signals(true); /* from now on wake-ups are on their way */
    event_set(event);
    event_clear(event);
    must_return(ETIMEDOUT, event_wait(event, 0), "After a set and a clear, event_wait with a time-out of 0");
    for (int i = 0; i < 2; i++) {
        waiter_start(&late[i], event, i == 0 ? -1 : INT64_MAX);
        must_be_blocked(late[i].runner,
                        "The event was set and cleared, and a thread that came after that did not wait: it took the "
                        "wake-up of one that is slow.");
    }
    wrap_lose_signals(false);
    event_set(event);
    must_go_on(&late[0]);
    must_go_on(&late[1]);
}

TEST(woken_for_nothing, "A thread that wakes up looks again: a wait may end although nobody has signalled.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MAX};

    for (int i = 0; i < 2; i++) {
        struct event *event = new_event();
        struct waiter waiter;

        wrap_fail(WRAP_pthread_cond_wait, 1, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        waiter_start(&waiter, event, timeouts_us[i]);
        must_be_blocked(waiter.runner, "The wait on the condition ended although nobody had signalled, and event_wait "
                                       "returned although the event was not set.");
        event_set(event);
        must_go_on(&waiter);
        event_destroy(event);
    }
}

/* Holds the thread that sets right behind its wake-up. */
struct setter {
    struct event *event;
    struct gate go_on;
};

static void set_it(void *argument)
{
    struct setter *setter = argument;

    event_set(setter->event);
}

static void stop_behind(void *argument)
{
    struct setter *setter = argument;

    gate_pass(&setter->go_on);
}

TEST(wakes_when_it_is_set, "Who is woken by a set finds that it was set, however slowly the one who sets goes on.")
{
    struct setter setter = {new_event(), GATE_CLOSED};
    struct waiter waiter;

    must_wait(&waiter, setter.event, -1);
    wrap_after(WRAP_pthread_cond_broadcast, stop_behind, &setter);
    wrap_after(WRAP_pthread_cond_signal, stop_behind, &setter);
    struct runner *runner = runner_start(set_it, &setter);
    settle(); /* who was woken has looked, if he could */
    wrap_after(WRAP_pthread_cond_broadcast, NULL, NULL);
    wrap_after(WRAP_pthread_cond_signal, NULL, NULL);
    gate_open(&setter.go_on);
    must_be_done(runner, "event_set does not return.");
    runner_join(runner);
    must_go_on(&waiter);
    event_destroy(setter.event);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

TEST(time_runs_out, "A timed wait gives up with ETIMEDOUT, but not before its time, and leaves no trace.")
{
    enum { SHORT_US = 30000 };
    struct event *event = new_event();
    struct waiter timed, patient;

    must_wait(&patient, event, -1);
    waiter_start(&timed, event, SHORT_US);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "The event was never set: event_wait with a time-out");
    must(timed.took_us >= SHORT_US, "The time-out was %d µs, and event_wait gave up after %lld.", SHORT_US,
         (long long)timed.took_us);
    must(!event_is_set(event), "A wait timed out, and then the event should not be set.");
    event_set(event);
    must_go_on(&patient);
    event_destroy(event);
}

TEST(not_a_moment_early, "A time-out is a number of microseconds: it is not rounded down to milliseconds.")
{
    enum { ODD_US = 999, ALMOST_US = 990 };
    struct event *event = new_event();

    for (int i = 0; i < 20; i++) {
        int64_t began_us = now_us();
        int error = event_wait(event, ODD_US);
        int64_t took_us = now_us() - began_us;
        must_return(ETIMEDOUT, error, "The event was never set: event_wait with a time-out");
        must(took_us >= ALMOST_US, "The time-out was %d µs, and event_wait gave up after %lld.", ODD_US,
             (long long)took_us);
    }
    event_destroy(event);
}

TEST(time_goes_on, "The time-out is for the whole call: a thread that was woken in vain does not begin it anew.")
{
    struct event *event = new_event();
    struct waiter timed;

    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    hour_lost = true;
    waiter_start(&timed, event, 20000);
    must(ends_in_time(timed.runner), "A thread was woken in vain, its time was over, and event_wait waits on: each "
                                     "wake-up begins its time anew.");
    hour_lost = false;
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "The event was never set: event_wait with a time-out");
    event_destroy(event);
}

TEST(monotonic_clock, "Time is measured by the monotonic clock: the one on the wall may be set while a thread waits.")
{
    struct event *event = new_event();
    struct waiter timed;

    waiter_start(&timed, event, 1000);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "The event was never set: event_wait with a time-out");
    must(!asked_the_wall, "event_wait asked for CLOCK_REALTIME, the clock on the wall, to measure its time-out.");
    event_destroy(event);
}

TEST(set_in_time, "A timed wait goes on when the event is set in time, however long that time is.")
{
    static const int64_t timeouts_us[] = {3600000000, 3600999999, INT64_C(1) << 32, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 5; i++) {
        struct event *event = new_event();
        struct waiter timed;

        must_wait(&timed, event, timeouts_us[i]);
        event_set(event);
        must_go_on(&timed);
        event_destroy(event);
    }
}

TEST(a_whole_second, "The nanoseconds of a deadline stay below a whole second: with 1000000000 the wait is EINVAL.")
{
    struct event *event = new_event();
    struct waiter timed;

    fraction_ns = 400000000; /* and 600 ms more are a second, to the nanosecond */
    must_wait(&timed, event, 3600600000);
    fraction_ns = -1;
    event_set(event);
    must_go_on(&timed);
    event_destroy(event);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_memory, "When there is no memory, event_create returns ENOMEM.")
{
    struct event *event = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, event_create(&event), "Without memory, event_create");
}

static int make_one(void)
{
    struct event *made = NULL;
    int error = event_create(&made);

    if (error == 0)
        event_destroy(made);
    return error;
}

TEST(nothing_kept, "When a part of the event cannot be made, event_create returns that error and keeps nothing.")
{
    must_keep_nothing("event_create", make_one, WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_keep_nothing("event_create", make_one, WRAP_pthread_cond_init, 1, "pthread_cond_init");
}

TEST(ends_what_it_made, "event_destroy gives back all that the event holds, set or not. NULL is fine.")
{
    event_destroy(NULL);
    struct event *event = new_event();
    event_set(event);
    event_destroy(event);
    must_have_ended_all();
}
