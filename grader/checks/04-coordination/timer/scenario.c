/* scenario.c - a timer, and those who start, cancel and wait for it.
 *
 * Two parts are run in a certain order that the detectors do not see (a gate), so that whatever one of them leaves
 * unprotected is a race in every run. Where a cancel and the end of the time may meet, the detectors see one order only
 * (order.h), and the explorer all of them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h: syscall */
#endif
#include "order.h"

#include "scenario.h"
#include "timer.h"

#include <errno.h>
#include <stddef.h>

/* Longer than anybody lives: to the explorer an hour is soon over. */
static const int64_t AGES_US = INT64_MAX;

/* What the function does: it counts, and may be held. */
struct call {
    struct timer *timer;
    int calls; /* written by the timer's thread, read when that is done */
    struct gate called, go_on;
    struct gate first_done; /* of two that do something, one after the other */
    void (*first)(struct timer *timer), (*second)(struct timer *timer);
    int results[2];
};

static void count(void *argument)
{
    struct call *call = argument;

    call->calls++;
    gate_open(&call->called);
}

static void count_and_wait(void *argument)
{
    count(argument);
    gate_pass(&((struct call *)argument)->go_on);
}

static struct timer *made(struct call *call, int64_t interval_us, void (*function)(void *))
{
    struct timer *timer = NULL;

    ensure(timer_new(&timer, interval_us, function, call) == 0, "timer_new returned an error");
    call->timer = timer;
    return timer;
}

static void start(struct timer *timer)
{
    ensure(timer_start(timer) == 0, "timer_start returned an error");
}

static void join(struct timer *timer)
{
    ensure(timer_join(timer, -1) == 0, "timer_join returned an error");
}

/* ---- two threads, one after the other --------------------------------------------------------------------------- */

static void *play_first(void *argument)
{
    struct call *call = argument;

    call->first(call->timer);
    gate_open(&call->first_done);
    return NULL;
}

static void *play_second(void *argument)
{
    struct call *call = argument;

    gate_pass(&call->first_done);
    call->second(call->timer);
    return NULL;
}

/* On a timer that has been started and has ages to go. */
static void in_order(void (*first)(struct timer *), void (*second)(struct timer *))
{
    struct call call = {.first = first, .second = second};
    struct timer *timer = made(&call, AGES_US, count);

    start(timer);
    pthread_t a = scenario_thread(play_first, &call), b = scenario_thread(play_second, &call);
    scenario_join(a);
    scenario_join(b);
    ensure(timer_cancel(timer) == 0, "timer_cancel ages before the time returned an error");
    join(timer);
    timer_destroy(timer);
    ensure(call.calls == 0, "a timer was cancelled, and the function was called");
}

static void cancel(struct timer *timer)
{
    ensure(timer_cancel(timer) == 0, "timer_cancel ages before the time returned an error");
}

static void ask(struct timer *timer)
{
    (void)timer_is_alive(timer);
}

static void start_again(struct timer *timer)
{
    ensure(timer_start(timer) == EALREADY, "a second timer_start did not return EALREADY");
}

static void join_at_once(struct timer *timer)
{
    int error = timer_join(timer, 0);

    ensure(error == 0 || error == ETIMEDOUT, "timer_join with a time-out of 0 returned neither 0 nor ETIMEDOUT");
}

static void cancel_and_ask(void)
{
    in_order(cancel, ask);
    in_order(ask, cancel);
    in_order(cancel, cancel);
    in_order(cancel, join_at_once);
    in_order(join_at_once, cancel);
}

static void start_and_ask(void)
{
    in_order(start_again, ask);
    in_order(start_again, cancel);
    in_order(cancel, start_again);
}

/* ---- the timer's thread and another ----------------------------------------------------------------------------- */

static void *start_it(void *argument)
{
    struct call *call = argument;

    start(call->timer);
    gate_open(&call->first_done);
    return NULL;
}

static void *ask_later(void *argument)
{
    struct call *call = argument;

    gate_pass(&call->first_done);
    (void)timer_is_alive(call->timer);
    return NULL;
}

/* One starts it, another asks about it, and nothing orders the two but the timer. */
static void started_by_another(void)
{
    struct call call = {.calls = 0};
    struct timer *timer = made(&call, AGES_US, count);
    pthread_t a = scenario_thread(start_it, &call), b = scenario_thread(ask_later, &call);

    scenario_join(a);
    scenario_join(b);
    timer_destroy(timer);
}

static void asked_while_it_runs(void)
{
    struct call call = {.calls = 0};
    struct timer *timer = made(&call, 0, count_and_wait);

    ensure(timer_join(timer, -1) == EINVAL, "timer_join before the start did not return EINVAL");
    start(timer);
    gate_pass(&call.called);
    ensure(timer_is_alive(timer), "the function runs, and the timer is not alive");
    ensure(timer_cancel(timer) == EALREADY, "timer_cancel while the function runs did not return EALREADY");
    ensure(timer_join(timer, 1) == ETIMEDOUT, "timer_join with a time-out did not return ETIMEDOUT");
    gate_open(&call.go_on);
    join(timer);
    ensure(call.calls == 1, "the function was called %d times", call.calls);
    timer_destroy(timer);
}

static void ask_itself(void *argument)
{
    struct call *call = argument;

    call->results[0] = timer_cancel(call->timer);
    call->results[1] = timer_join(call->timer, -1);
}

static void asked_by_the_function(void)
{
    struct call call = {.calls = 0};
    struct timer *timer = made(&call, 1, ask_itself);

    start(timer);
    join(timer);
    ensure(call.results[0] == EALREADY && call.results[1] == EDEADLK,
           "the function asked its own timer, and was told %d "
           "and %d",
           call.results[0], call.results[1]);
    timer_destroy(timer);
}

/* ---- at the same moment ----------------------------------------------------------------------------------------- */

/* It is cancelled at any moment; where the detectors look, after the function was called. */
static void cancelled_at_any_moment(void)
{
    struct call call = {.calls = 0};
    struct timer *timer = made(&call, 0, count);

    start(timer);
    order_pass(&call.called);
    int error = timer_cancel(timer);
    join(timer);
    ensure(error == 0 || error == EALREADY, "timer_cancel returned neither 0 nor EALREADY");
    ensure(call.calls == (error == 0 ? 0 : 1), "timer_cancel returned %d, and the function was called %d times", error,
           call.calls);
    ensure(timer_cancel(timer) == error, "a second timer_cancel gave another answer");
    timer_destroy(timer);
}

static void *start_first(void *argument)
{
    struct call *call = argument;

    call->results[0] = timer_start(call->timer);
    gate_open(&call->first_done);
    return NULL;
}

static void *start_second(void *argument)
{
    struct call *call = argument;

    order_pass(&call->first_done);
    call->results[1] = timer_start(call->timer);
    return NULL;
}

static void started_by_two(void)
{
    struct call call = {.calls = 0};
    struct timer *timer = made(&call, 0, count);
    pthread_t a = scenario_thread(start_first, &call), b = scenario_thread(start_second, &call);

    scenario_join(a);
    scenario_join(b);
    ensure((call.results[0] == 0) != (call.results[1] == 0), "two threads started a timer, and were told %d and %d",
           call.results[0], call.results[1]);
    join(timer);
    timer_destroy(timer);
    ensure(call.calls == 1, "two threads started a timer, and the function was called %d times", call.calls);
}

static void destroyed_at_any_moment(void)
{
    struct call call = {.calls = 0};
    struct timer *timer = made(&call, 1000, count);

    start(timer);
    order_pass(&call.called);
    timer_destroy(timer);
    ensure(call.calls <= 1, "the function was called %d times", call.calls);
}

/* Nothing orders the two threads: what they share is a race. */
static void two_timers(void)
{
    struct call calls[2] = {{.calls = 0}};
    struct timer *timers[2];

    for (int i = 0; i < 2; i++)
        timers[i] = made(&calls[i], 0, count);
    for (int i = 0; i < 2; i++)
        start(timers[i]);
    for (int i = 0; i < 2; i++)
        gate_pass(&calls[i].called);
    for (int i = 0; i < 2; i++) {
        timer_destroy(timers[i]);
        ensure(calls[i].calls == 1, "two timers were started, and the function of one was called %d times",
               calls[i].calls);
    }
}

static void never_started(void)
{
    struct call call = {.calls = 0};
    struct timer *timer = made(&call, 0, count);

    ensure(timer_cancel(timer) == 0, "timer_cancel before the start returned an error");
    start(timer);
    join(timer);
    timer_destroy(timer);
    timer_destroy(made(&call, 0, count));
    timer_destroy(NULL);
    ensure(call.calls == 0, "a timer was cancelled, another one not started, and the function was called");
}

SCENARIOS = {
    {"cancel_and_ask", cancel_and_ask, "one thread cancels a timer, another asks about it or waits for it"},
    {"start_and_ask", start_and_ask, "one thread starts a timer again, another asks about it or cancels it"},
    {"started_by_another", started_by_another, "one thread starts a timer, another asks about it"},
    {"asked_while_it_runs", asked_while_it_runs, "the function runs, and somebody asks, cancels and waits"},
    {"asked_by_the_function", asked_by_the_function, "the function cancels its own timer and waits for it"},
    {"cancelled_at_any_moment", cancelled_at_any_moment, "the time is over and somebody cancels, at the same moment"},
    {"started_by_two", started_by_two, "two threads start the same timer"},
    {"destroyed_at_any_moment", destroyed_at_any_moment, "a timer is destroyed when its time is about to be over"},
    {"two_timers", two_timers, "two timers run at the same time, each in its own thread"},
    {"never_started", never_started, "a timer is cancelled before it is started, another one is never started"},
    SCENARIOS_END,
};
