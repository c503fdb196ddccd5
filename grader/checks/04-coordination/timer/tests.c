/* tests.c - what a timer must do.
 *
 * A timer that must not fire is given an hour; one that must, a few milliseconds or none. No test asks whether it fired
 * soon enough: it waits until it has. What a cancel and the end of the time can do to each other is for the explorer.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syscall */
#endif
#include "check.h"
#include "leftovers.h"
#include "slices.h"
#include "timer.h"
#include "wrap.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int64_t HOUR_US = 3600000000;

/* ---- the function that is called -------------------------------------------------------------------------------- */

struct call {
    struct timer *timer;
    struct tally calls;
    pthread_t thread; /* that it was called in */
    int64_t at_us;    /* when */
    struct gate called, go_on;
    bool waits; /* for go_on */
    bool asks;  /* what it is told about its own timer, when it is called */
    int start, cancel, join, join_at_once;
    bool alive;
    struct timer *other; /* that it waits for; or NULL */
    int join_other;
};

static void on_time(void *argument)
{
    struct call *call = argument;

    call->at_us = now_us();
    call->thread = pthread_self();
    if (call->asks) {
        call->start = timer_start(call->timer);
        call->cancel = timer_cancel(call->timer);
        call->join = timer_join(call->timer, -1);
        call->join_at_once = timer_join(call->timer, 0);
        call->alive = timer_is_alive(call->timer);
    }
    if (call->other != NULL)
        call->join_other = timer_join(call->other, -1);
    tally_add(&call->calls, 1);
    gate_open(&call->called);
    if (call->waits)
        gate_pass(&call->go_on);
}

static struct timer *new_timer(struct call *call, int64_t interval_us)
{
    struct timer *timer = NULL;
    int error = timer_new(&timer, interval_us, on_time, call);

    must(error == 0 && timer != NULL, "timer_new returned %s or stored no timer.", error_text(error));
    call->timer = timer;
    return timer;
}

static void must_start(struct timer *timer)
{
    must_return(0, timer_start(timer), "timer_start of a new timer");
}

static void must_have_called(struct call *call, long times)
{
    long calls = tally_read(&call->calls);

    must(calls == times, "The function should have been called %ld times, but it was called %ld times.", times, calls);
}

/* ---- what another thread does ----------------------------------------------------------------------------------- */

struct join {
    struct timer *timer;
    int64_t timeout_us, took_us;
    int result;
    struct tally *slices; /* waits that looked again after a moment */
    struct runner *runner;
};

static _Thread_local bool waits;
static bool asked_the_wall; /* written by one waiting thread, read when it has ended */
static bool hour_lost;      /* to a thread that waits and was woken once, it is an hour later */
static long waits_counted;  /* waits before this many do not count as that */

static _Thread_local time_t ago_s; /* so much earlier it is to this thread */
static bool second_all_over;       /* to all threads every second is in its last microsecond */

/* Stands before the C library's own: which clock is asked for while a thread waits. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (waits && clock == CLOCK_REALTIME)
        asked_the_wall = true;
    int error = (int)syscall(SYS_clock_gettime, clock, now);
    if (waits && hour_lost && wrap_count(WRAP_pthread_cond_timedwait) > waits_counted)
        now->tv_sec += 3600;
    now->tv_sec -= ago_s;
    if (second_all_over)
        now->tv_nsec = 999999000;
    return error;
}

/* Whether it ends although an hour was lost; its own time is a few milliseconds. Who works out a new end for his wait
 * finds it an hour away. */
static bool ends_in_time(struct runner *runner)
{
    for (int64_t over_us = now_us() + 5000000; now_us() < over_us && runner_state(runner) != RUNNER_DONE;)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return runner_state(runner) == RUNNER_DONE;
}

static void join_it(void *argument)
{
    struct join *join = argument;
    int64_t began_us = now_us();

    slices = join->slices;
    waits = true;
    join->result = timer_join(join->timer, join->timeout_us);
    waits = false;
    join->took_us = now_us() - began_us;
}

static void join_start(struct join *join, struct timer *timer, int64_t timeout_us)
{
    *join = (struct join){.timer = timer, .timeout_us = timeout_us, .result = -1};
    join->slices = slices_tally();
    join->runner = runner_start(join_it, join);
}

static void must_wait_for_it(struct join *join, struct timer *timer, int64_t timeout_us)
{
    join_start(join, timer, timeout_us);
    enum runner_state state = runner_state(join->runner);
    must(state != RUNNER_BUSY, "A thread that waits for a timer should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED, "The timer is alive, and timer_join did not wait but returned %s.",
         error_text(join->result));
    must(!slices_tell(timeout_us) || tally_read(join->slices) == 0,
         "A thread that waits for a timer should sleep until it is woken, but it sleeps for a moment, looks, and "
         "sleeps again.");
}

static void must_have_joined(struct join *join)
{
    must_be_done(join->runner, "The timer is done, and a thread that waits for it in timer_join sleeps on.");
    runner_join(join->runner);
    must_return(0, join->result, "timer_join of a timer that is done");
}

/* ---- in time ---------------------------------------------------------------------------------------------------- */

TEST(called_once, "The function is called once, with its argument, in a thread of the timer's own.")
{
    static const int64_t intervals_us[] = {0, 1, 5000, -1, INT64_MIN};

    for (int i = 0; i < 5; i++) {
        struct call call = {.calls = TALLY_ZERO};
        struct timer *timer = new_timer(&call, intervals_us[i]);

        must_start(timer);
        must_return(0, timer_join(timer, -1), "timer_join");
        must_have_called(&call, 1);
        must(!pthread_equal(call.thread, pthread_self()),
             "The function was called by the thread that started the timer "
             "or waited for it.");
        timer_destroy(timer);
        must_have_called(&call, 1);
    }
}

TEST(not_before_its_time, "The function is not called before its time, and start does not wait for it.")
{
    enum { SOME_US = 30000 };
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, SOME_US);

    int64_t began_us = now_us();
    must_start(timer);
    must_return(0, timer_join(timer, -1), "timer_join");
    must(call.at_us - began_us >= SOME_US, "The interval was %d µs, and the function was called after %lld.", SOME_US,
         (long long)(call.at_us - began_us));
    timer_destroy(timer);
}

/* In the timer's own thread, before it runs. */
static void count_slices(void *tally)
{
    slices = tally;
}

TEST(sleeps_until_its_time,
     "The timer's thread sleeps until its time has come or it is woken: it does not look again and again.")
{
    struct tally *looks = slices_tally();
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, 2 * HOUR_US);

    wrap_in_thread(count_slices, looks);
    must_start(timer);
    must(settle(), "The timer has two hours, and its thread keeps the processor busy.");
    must(tally_read(looks) == 0,
         "The timer has two hours, and its thread sleeps for a moment, looks, and sleeps again.");
    must_return(0, timer_cancel(timer), "timer_cancel of a timer that waits");
    timer_destroy(timer);
    must_have_called(&call, 0);
}

TEST(nothing_before_start, "Nothing runs before start: there is no thread and no call.")
{
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, 0);

    settle();
    must_have_called(&call, 0);
    must(extra_threads() == 0, "A timer was made and not started, and it has a thread already.");
    must(!timer_is_alive(timer), "A timer was not started, and it is said to be alive.");
    timer_destroy(timer);
    must_have_called(&call, 0);
}

TEST(started_once, "A timer is started once: a second start is EALREADY, alive or done.")
{
    struct call call = {.calls = TALLY_ZERO, .waits = true};
    struct timer *timer = new_timer(&call, 0);

    must_start(timer);
    must_return(EALREADY, timer_start(timer), "A second timer_start");
    gate_pass(&call.called);
    must_return(EALREADY, timer_start(timer), "timer_start while the function runs");
    gate_open(&call.go_on);
    must_return(0, timer_join(timer, -1), "timer_join");
    must_return(EALREADY, timer_start(timer), "timer_start of a timer that is done");
    settle();
    must_have_called(&call, 1);
    timer_destroy(timer);
}

TEST(woken_for_nothing,
     "A thread that wakes up looks whether its time has come: a wait may end although nobody has signalled.")
{
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, HOUR_US);
    struct join join;

    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    wrap_fail(WRAP_pthread_cond_wait, 1, 0);
    must_start(timer);
    settle();
    must_have_called(&call, 0);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    wrap_fail(WRAP_pthread_cond_wait, 1, 0);
    join_start(&join, timer, -1);
    must_be_blocked(join.runner,
                    "The wait on the condition ended although nobody had signalled, and timer_join returned "
                    "although the timer is not done.");
    must_return(0, timer_cancel(timer), "timer_cancel an hour before the time");
    must_have_joined(&join);
    must_have_called(&call, 0);
    timer_destroy(timer);
}

TEST(each_its_own_thread, "Each timer has a thread of its own: two functions may run at the same time.")
{
    struct call calls[2] = {{.waits = true}, {.waits = true}};
    struct timer *timers[2];

    for (int i = 0; i < 2; i++) {
        timers[i] = new_timer(&calls[i], 0);
        must_start(timers[i]);
    }
    gate_pass(&calls[0].called); /* each waits for its gate, so both are inside now */
    gate_pass(&calls[1].called);
    for (int i = 0; i < 2; i++) {
        gate_open(&calls[i].go_on);
        must_return(0, timer_join(timers[i], -1), "timer_join");
        timer_destroy(timers[i]);
        must_have_called(&calls[i], 1);
    }
}

/* ---- cancelled -------------------------------------------------------------------------------------------------- */

TEST(cancelled_in_time, "A cancel in time returns 0: the function is never called, and the thread ends at once.")
{
    static const int64_t intervals_us[] = {3600000000, 3600999999, INT64_C(1) << 32, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 5; i++) {
        struct call call = {.calls = TALLY_ZERO};
        struct timer *timer = new_timer(&call, intervals_us[i]);
        struct join join;

        must_start(timer);
        settle();
        must(tally_read(&call.calls) == 0, "A timer was started and has an hour to go or more, and its function was "
                                           "called.");
        must(timer_is_alive(timer), "A timer was started and has an hour to go, and it is not alive.");
        must_wait_for_it(&join, timer, i % 2 == 0 ? -1 : INT64_C(1) << 32);
        must_have_called(&call, 0);
        must_return(0, timer_cancel(timer), "timer_cancel an hour before the time");
        must_be_done(join.runner, "A timer was cancelled an hour before its time, and its thread sleeps on.");
        must_have_joined(&join);
        must(!timer_is_alive(timer), "A timer was cancelled and its thread has ended, and it is said to be alive.");
        must_return(0, timer_cancel(timer), "timer_cancel of a timer that was cancelled");
        timer_destroy(timer);
        must_have_called(&call, 0);
    }
}

static void hold(void *gate)
{
    gate_pass(gate);
}

TEST(cancelled_and_alive,
     "A timer that was cancelled is alive until its thread has seen that; join waits for it, and it wakes up.")
{
    struct gate begin = GATE_CLOSED;
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, 0);
    struct join join;

    wrap_in_thread(hold, &begin); /* the timer's thread does not run yet */
    must_start(timer);
    must_return(0, timer_cancel(timer), "timer_cancel of a timer whose thread does not run yet");
    must(timer_is_alive(timer), "A timer was cancelled, its thread has not seen that, and it is not alive.");
    must_return(ETIMEDOUT, timer_join(timer, 0),
                "timer_join with a time-out of 0, of a timer that was cancelled and "
                "whose thread has not seen that,");
    must_wait_for_it(&join, timer, -1);
    gate_open(&begin);
    must_have_joined(&join);
    must(!timer_is_alive(timer), "A timer was cancelled and its thread has ended, and it is said to be alive.");
    must_have_called(&call, 0);
    timer_destroy(timer);
}

TEST(cancel_wakes_the_timer, "A cancel wakes the timer's thread, also where others sleep that wait for the timer.")
{
    struct gate begin = GATE_CLOSED;
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, HOUR_US);
    struct join joins[2];

    wrap_in_thread(hold, &begin);
    must_start(timer);
    for (int i = 0; i < 2; i++) /* they sleep before the timer's thread does */
        must_wait_for_it(&joins[i], timer, -1);
    gate_open(&begin);
    settle();
    must_return(0, timer_cancel(timer), "timer_cancel an hour before the time");
    for (int i = 0; i < 2; i++) {
        must_be_done(joins[i].runner, "A timer was cancelled while two threads waited for it in timer_join: it sleeps "
                                      "on, or they do, because somebody else had the wake-up.");
        must_have_joined(&joins[i]);
    }
    timer_destroy(timer);
}

TEST(cancelled_before_start,
     "A timer that is cancelled before it is started never calls the function, and may be started.")
{
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, 0);

    must_return(0, timer_cancel(timer), "timer_cancel of a timer that was not started");
    must_return(EINVAL, timer_join(timer, -1), "timer_join of a timer that was cancelled and not started");
    must_return(0, timer_start(timer), "timer_start of a timer that was cancelled");
    must_return(0, timer_join(timer, -1), "timer_join");
    must_have_called(&call, 0);
    must_return(0, timer_cancel(timer), "timer_cancel of a timer that was cancelled");
    must_return(EALREADY, timer_start(timer), "A second timer_start");
    timer_destroy(timer);
    must_have_called(&call, 0);
}

TEST(too_late, "A cancel that comes too late returns EALREADY: the function is being called, or was.")
{
    struct call call = {.waits = true};
    struct timer *timer = new_timer(&call, 0);

    must_start(timer);
    gate_pass(&call.called);
    must_return(EALREADY, timer_cancel(timer), "timer_cancel while the function runs");
    must_return(EALREADY, timer_cancel(timer), "timer_cancel while the function runs, a second time,");
    gate_open(&call.go_on);
    must_return(0, timer_join(timer, -1), "timer_join");
    must_return(EALREADY, timer_cancel(timer), "timer_cancel of a timer whose function has returned");
    must_have_called(&call, 1);
    timer_destroy(timer);
}

TEST(from_inside, "The function may call everything but destroy: no lock of the timer is held while it runs.")
{
    struct call call = {.asks = true};
    struct timer *timer = new_timer(&call, 0);

    must_start(timer);
    must_return(0, timer_join(timer, -1), "timer_join");
    must_return(EALREADY, call.start, "timer_start by the function");
    must_return(EALREADY, call.cancel, "timer_cancel by the function");
    must_return(EDEADLK, call.join, "timer_join by the function");
    must_return(EDEADLK, call.join_at_once, "timer_join by the function, with a time-out of 0,");
    must(call.alive, "To the function, the timer should be alive.");
    timer_destroy(timer);
}

TEST(from_another, "The function may wait for another timer: only its own is EDEADLK.")
{
    struct call first = {.calls = TALLY_ZERO}, second = {.calls = TALLY_ZERO};
    struct timer *other = new_timer(&first, 0), *timer = new_timer(&second, 0);

    second.other = other;
    must_start(other);
    must_start(timer);
    must_return(0, timer_join(timer, -1), "timer_join");
    must_return(0, second.join_other, "timer_join of one timer by the function of another");
    must_have_called(&first, 1);
    timer_destroy(timer);
    timer_destroy(other);
}

/* ---- join ------------------------------------------------------------------------------------------------------- */

TEST(waits_until_done, "join waits until the function has returned, as often as one likes, in several threads.")
{
    struct call call = {.waits = true};
    static const int64_t timeouts_us[] = {-1, INT64_MAX, -2, -4000000000, INT64_MIN};
    struct timer *timer = new_timer(&call, 0);
    struct join joins[5];

    must_return(EINVAL, timer_join(timer, -1), "timer_join before the start");
    must_return(EINVAL, timer_join(timer, 0), "timer_join before the start, with a time-out of 0,");
    must_start(timer);
    gate_pass(&call.called);
    must(timer_is_alive(timer), "The function runs, and the timer is not alive.");
    must_return(ETIMEDOUT, timer_join(timer, 0), "timer_join with a time-out of 0 while the function runs");
    for (int i = 0; i < 5; i++)
        must_wait_for_it(&joins[i], timer, timeouts_us[i]);
    gate_open(&call.go_on);
    for (int i = 0; i < 5; i++)
        must_have_joined(&joins[i]);
    must(!timer_is_alive(timer), "The function has returned, and the timer is alive.");
    must_return(0, timer_join(timer, -1), "timer_join once more");
    must_return(0, timer_join(timer, 0), "timer_join once more, with a time-out of 0,");
    timer_destroy(timer);
}

TEST(time_runs_out, "A timed join gives up with ETIMEDOUT, not before its time, and the timer goes on.")
{
    enum { SHORT_US = 20000 };
    struct call call = {.waits = true};
    struct timer *timer = new_timer(&call, 0);
    struct join join;

    must_start(timer);
    gate_pass(&call.called);
    join_start(&join, timer, SHORT_US);
    runner_join(join.runner);
    must_return(ETIMEDOUT, join.result, "The function has not returned: timer_join with a time-out");
    must(join.took_us >= SHORT_US, "The time-out was %d µs, and timer_join gave up after %lld.", SHORT_US,
         (long long)join.took_us);
    must(!asked_the_wall, "timer_join asked for CLOCK_REALTIME, the clock on the wall, to measure its time-out.");
    gate_open(&call.go_on);
    must_return(0, timer_join(timer, -1), "timer_join");
    timer_destroy(timer);
}

TEST(not_a_moment_early, "Times are numbers of microseconds: they are not rounded down to milliseconds.")
{
    enum { ODD_US = 999, ALMOST_US = 990 };

    for (int i = 0; i < 20; i++) {
        struct call call = {.calls = TALLY_ZERO};
        struct timer *timer = new_timer(&call, ODD_US);
        int64_t began_us = now_us();
        must_start(timer);
        must_return(0, timer_join(timer, -1), "timer_join");
        must(call.at_us - began_us >= ALMOST_US, "The interval was %d µs, and the function was called after %lld.",
             ODD_US, (long long)(call.at_us - began_us));
        timer_destroy(timer);
    }
}

TEST(no_join_gives_up_early, "The time-out of join is a number of microseconds: it is not rounded down.")
{
    enum { ODD_US = 999, ALMOST_US = 990 };
    struct call call = {.waits = true};
    struct timer *timer = new_timer(&call, 0);

    must_start(timer);
    gate_pass(&call.called);
    for (int i = 0; i < 20; i++) {
        int64_t began_us = now_us();
        int error = timer_join(timer, ODD_US);
        int64_t took_us = now_us() - began_us;
        must_return(ETIMEDOUT, error, "The function has not returned: timer_join with a time-out");
        must(took_us >= ALMOST_US, "The time-out was %d µs, and timer_join gave up after %lld.", ODD_US,
             (long long)took_us);
    }
    gate_open(&call.go_on);
    must_return(0, timer_join(timer, -1), "timer_join");
    timer_destroy(timer);
}

TEST(at_a_full_second, "A time that is over exactly at a full second is no shorter than another.")
{
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, HOUR_US + 1);
    struct join join;

    second_all_over = true; /* by the clock of all threads a second ends in one microsecond */
    must_start(timer);
    settle();
    must_have_called(&call, 0);
    must_wait_for_it(&join, timer, HOUR_US + 1);
    must_return(0, timer_cancel(timer), "timer_cancel an hour before the time");
    must_have_joined(&join);
    second_all_over = false;
    timer_destroy(timer);
    must_have_called(&call, 0);
}

TEST(counts_from_the_start, "The time counts from the start, and not from when the timer was made.")
{
    struct call call = {.calls = TALLY_ZERO};

    ago_s = 7200; /* it is made two hours ago, and has one */
    struct timer *timer = new_timer(&call, HOUR_US);
    ago_s = 0;
    must_start(timer);
    settle();
    must(tally_read(&call.calls) == 0,
         "The interval was an hour. The timer was made two hours before its start, and called its function at the "
         "start: the time counts from there.");
    must_return(0, timer_cancel(timer), "timer_cancel of a timer that waits");
    timer_destroy(timer);
    must_have_called(&call, 0);
}

TEST(each_its_own_time, "Each timer has a time of its own: what is due for one is nothing to another.")
{
    struct gate begin = GATE_CLOSED;
    struct call calls[3] = {{.calls = TALLY_ZERO}};
    struct timer *soon = new_timer(&calls[0], 1), *late = new_timer(&calls[1], HOUR_US);
    struct timer *later = new_timer(&calls[2], HOUR_US);

    wrap_in_thread(hold, &begin); /* the thread of the one that is late begins after the other's time */
    must_start(late);
    wrap_in_thread(NULL, NULL);
    must_start(soon);
    must_return(0, timer_join(soon, -1), "timer_join");
    must_have_called(&calls[0], 1);
    gate_open(&begin);
    must_start(later);
    settle();
    for (int i = 1; i < 3; i++)
        must(tally_read(&calls[i].calls) == 0,
             "Two timers had an hour to go, one was started before and one after a third whose time was over at once, "
             "and %s of them was called, too.",
             i == 1 ? "the first" : "the second");
    timer_destroy(soon);
    timer_destroy(late);
    timer_destroy(later);
}

static void waits_from_now(void *unused)
{
    (void)unused;
    waits = true;
}

TEST(time_goes_on, "The interval is counted from the start: a thread that was woken in vain does not begin it anew.")
{
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, 20000);
    struct join join;

    wrap_in_thread(waits_from_now, NULL);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    hour_lost = true;
    must_start(timer);
    join_start(&join, timer, -1);
    must(ends_in_time(join.runner), "The timer's thread was woken in vain, its time was over, and it waits on: each "
                                    "wake-up begins its time anew.");
    hour_lost = false;
    must_have_joined(&join);
    must_have_called(&call, 1);
    timer_destroy(timer);
}

TEST(time_to_join_goes_on, "The time-out of join is for the whole call: a wake-up in vain does not begin it anew.")
{
    struct call call = {.waits = true};
    struct timer *timer = new_timer(&call, 0);
    struct join join;

    must_start(timer);
    gate_pass(&call.called);
    long before = wrap_count(WRAP_pthread_cond_timedwait);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    waits_counted = before;
    hour_lost = true;
    join_start(&join, timer, 20000);
    must(ends_in_time(join.runner),
         "A thread in timer_join was woken in vain, its time was over, and it waits on: each wake-up begins its time "
         "anew.");
    hour_lost = false;
    runner_join(join.runner);
    must_return(ETIMEDOUT, join.result, "The function has not returned: timer_join with a time-out");
    gate_open(&call.go_on);
    must_return(0, timer_join(timer, -1), "timer_join");
    timer_destroy(timer);
}

TEST(monotonic_clock, "The time goes by the monotonic clock: the one on the wall may be set meanwhile.")
{
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, 1000);

    wrap_in_thread(waits_from_now, NULL);
    waits = true;
    int error = timer_start(timer);
    waits = false;
    must_return(0, error, "timer_start of a new timer");
    must_return(0, timer_join(timer, -1), "timer_join");
    must(!asked_the_wall, "The timer asked for CLOCK_REALTIME, the clock on the wall, to measure its interval.");
    timer_destroy(timer);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

static void destroy_it(void *argument)
{
    timer_destroy(argument);
}

TEST(ends_what_waits, "destroy cancels a timer whose time has not come, and leaves no thread.")
{
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, HOUR_US);

    timer_destroy(NULL);
    must_start(timer);
    settle();
    struct runner *runner = runner_start(destroy_it, timer);
    must_be_done(runner, "timer_destroy of a timer that has an hour to go does not return.");
    runner_join(runner);
    settle();
    must(extra_threads() == 0, "A timer was destroyed, and its thread is still there.");
    must_have_called(&call, 0);
}

TEST(waits_for_what_runs, "destroy waits for a function that is being called.")
{
    struct call call = {.waits = true};
    struct timer *timer = new_timer(&call, 0);

    must_start(timer);
    gate_pass(&call.called);
    struct runner *runner = runner_start(destroy_it, timer);
    must_be_blocked(runner, "The function runs, and timer_destroy has returned.");
    gate_open(&call.go_on);
    must_be_done(runner, "The function has returned, and timer_destroy has not.");
    runner_join(runner);
    settle();
    must(extra_threads() == 0, "A timer was destroyed, and its thread is still there.");
    must_have_called(&call, 1);
}

TEST(no_thread,
     "When there is no thread to have, start says so, and the timer is as it was: a later start may succeed.")
{
    struct call call = {.calls = TALLY_ZERO};
    struct timer *timer = new_timer(&call, 0);

    wrap_fail(WRAP_pthread_create, 1, EAGAIN);
    must_return(EAGAIN, timer_start(timer), "pthread_create returned EAGAIN: timer_start");
    must(!timer_is_alive(timer), "A timer could not be started, and it is alive.");
    must_return(EINVAL, timer_join(timer, -1), "timer_join of a timer that could not be started");
    wrap_fail(WRAP_pthread_create, 1, EPERM);
    must_return(EPERM, timer_start(timer), "pthread_create returned EPERM: timer_start");
    must_return(0, timer_start(timer), "A third timer_start, when there is a thread again,");
    must_return(0, timer_join(timer, -1), "timer_join");
    must_have_called(&call, 1);
    timer_destroy(timer);
    timer = new_timer(&call, 0);
    wrap_fail(WRAP_pthread_create, 1, EAGAIN);
    must_return(EAGAIN, timer_start(timer), "pthread_create returned EAGAIN: timer_start");
    timer_destroy(timer);
    must_have_called(&call, 1);
}

TEST(no_memory, "When there is no memory, timer_new returns ENOMEM.")
{
    struct timer *timer = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, timer_new(&timer, 0, on_time, NULL), "Without memory, timer_new");
}

static int make_one(void)
{
    struct timer *made = NULL;
    int error = timer_new(&made, 0, on_time, NULL);

    if (error == 0)
        timer_destroy(made);
    return error;
}

TEST(nothing_kept, "When a part of the timer cannot be made, timer_new returns that error and keeps nothing.")
{
    must_keep_nothing("timer_new", make_one, WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_keep_nothing("timer_new", make_one, WRAP_pthread_cond_init, 1, "pthread_cond_init");
}

TEST(ends_what_it_made, "destroy gives back all that the timer holds, started or not.")
{
    struct call calls[3] = {{.calls = TALLY_ZERO}};

    for (int i = 0; i < 3; i++) { /* not started; done; cancelled */
        struct timer *timer = new_timer(&calls[i], i == 1 ? 0 : HOUR_US);
        if (i > 0)
            must_start(timer);
        if (i == 2)
            must_return(0, timer_cancel(timer), "timer_cancel an hour before the time");
        if (i > 0)
            must_return(0, timer_join(timer, -1), "timer_join");
        timer_destroy(timer);
    }
    must_have_ended_all();
}
