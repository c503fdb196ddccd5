/* scenario.c - a few threads at an event.
 *
 * Two parts are run in a certain order that the detectors do not see (a gate), so that whatever one of them leaves
 * unprotected is a race in every run. Scenarios with threads that wait keep to one order where the detectors look
 * (order.h), and are as small as the mistakes allow: the explorer runs all their interleavings.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h: syscall */
#endif
#include "order.h"

#include "event.h"
#include "scenario.h"

#include <errno.h>
#include <stddef.h>

static struct event *made(void)
{
    struct event *event = NULL;

    ensure(event_create(&event) == 0, "event_create returned an error");
    return event;
}

/* ---- two threads, one after the other --------------------------------------------------------------------------- */

struct part {
    void (*play)(struct event *event);
    struct event *event;
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->event);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void in_order(void (*first)(struct event *), void (*second)(struct event *))
{
    struct event *event = made();
    struct gate first_done = GATE_CLOSED;
    struct part one = {first, event, NULL, &first_done}, two = {second, event, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    event_destroy(event);
}

static void look(struct event *event)
{
    (void)event_is_set(event);
}

static void wait_no_time(struct event *event)
{
    int error = event_wait(event, 0);

    ensure(error == 0 || error == ETIMEDOUT, "event_wait with a time-out of 0 returned neither 0 nor ETIMEDOUT");
}

static void wait_a_moment(struct event *event)
{
    int error = event_wait(event, 1);

    ensure(error == 0 || error == ETIMEDOUT, "event_wait with a time-out of 1 µs returned neither 0 nor ETIMEDOUT");
}

static void set_and_look(void)
{
    in_order(event_set, look);
    in_order(look, event_set);
    in_order(event_clear, look);
    in_order(look, event_clear);
}

static void set_and_clear(void)
{
    in_order(event_set, event_clear);
    in_order(event_clear, event_set);
    in_order(event_set, event_set);
    in_order(event_clear, event_clear);
}

static void set_and_wait(void)
{
    in_order(event_set, wait_no_time);
    in_order(wait_no_time, event_set);
    in_order(event_set, wait_a_moment);
    in_order(wait_a_moment, event_set);
    in_order(wait_a_moment, event_clear);
    in_order(event_clear, wait_a_moment);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

struct waiting {
    struct event *event;
    int64_t timeout_us;
    struct gate come; /* where the detectors look, it does not come before that */
};

static void *wait_until_set(void *argument)
{
    struct waiting *waiting = argument;

    order_pass(&waiting->come);
    ensure(event_wait(waiting->event, waiting->timeout_us) == 0, "event_wait returned an error");
    return NULL;
}

/* Two threads are asleep when the event is set. */
static void asleep_when_set(void)
{
    struct event *event = made();
    struct waiting one = {event, -1, GATE_CLOSED}, two = {event, INT64_MAX, GATE_CLOSED};

    gate_open(&one.come);
    gate_open(&two.come);
    pthread_t a = scenario_thread(wait_until_set, &one), b = scenario_thread(wait_until_set, &two);
    order_surely_asleep();
    event_set(event);
    scenario_join(a);
    scenario_join(b);
    event_destroy(event);
}

/* Two threads come at any moment before, while or after the event is set. */
static void come_at_any_moment(void)
{
    struct event *event = made();
    struct waiting one = {event, -1, GATE_CLOSED}, two = {event, INT64_MAX, GATE_CLOSED};
    pthread_t a = scenario_thread(wait_until_set, &one), b = scenario_thread(wait_until_set, &two);

    event_set(event);
    gate_open(&one.come);
    gate_open(&two.come);
    scenario_join(a);
    scenario_join(b);
    event_destroy(event);
}

struct setting {
    struct event *event;
    struct gate set;
};

static void *set_it(void *argument)
{
    struct setting *setting = argument;

    event_set(setting->event);
    gate_open(&setting->set);
    return NULL;
}

/* A thread is asleep, one sets and another clears; where the detectors look, the second a good while after the first.
 */
static void set_and_cleared_at_once(void)
{
    struct setting setting = {made(), GATE_CLOSED};
    struct waiting waiting = {setting.event, -1, GATE_CLOSED};

    gate_open(&waiting.come);
    pthread_t a = scenario_thread(wait_until_set, &waiting);
    order_surely_asleep();
    pthread_t b = scenario_thread(set_it, &setting);
    order_pass(&setting.set);
    order_until_asleep();
    event_clear(setting.event);
    wait_a_moment(setting.event); /* and may take the wake-up that was meant for the other */
    scenario_join(a);
    scenario_join(b);
    event_destroy(setting.event);
}

/* Two threads are asleep; the event is set and cleared, and somebody comes late. */
static void one_comes_late(void)
{
    struct event *event = made();
    struct waiting one = {event, -1, GATE_CLOSED}, two = {event, INT64_MAX, GATE_CLOSED};

    gate_open(&one.come);
    gate_open(&two.come);
    pthread_t a = scenario_thread(wait_until_set, &one), b = scenario_thread(wait_until_set, &two);
    order_surely_asleep();
    event_set(event);
    order_until_asleep();
    event_clear(event);
    ensure(event_wait(event, 1) == ETIMEDOUT, "a thread that came after the clear did not have to wait");
    scenario_join(a);
    scenario_join(b);
    event_destroy(event);
}

/* Two ask at the same moment; where the detectors look, one after the other. */
static void *ask_first(void *argument)
{
    struct setting *setting = argument;

    ensure(event_is_set(setting->event), "the event is set, and it says that it is not");
    gate_open(&setting->set);
    return NULL;
}

static void *wait_second(void *argument)
{
    struct setting *setting = argument;

    order_pass(&setting->set);
    ensure(event_wait(setting->event, 0) == 0, "the event is set, and a wait with a time-out of 0 did not return 0");
    return NULL;
}

static void two_ask_at_once(void)
{
    struct setting setting = {made(), GATE_CLOSED};

    event_set(setting.event);
    pthread_t a = scenario_thread(ask_first, &setting), b = scenario_thread(wait_second, &setting);
    scenario_join(a);
    scenario_join(b);
    event_destroy(setting.event);
}

static void nobody_there(void)
{
    event_destroy(NULL);
}

SCENARIOS = {
    {"set_and_look", set_and_look, "one thread sets or clears, another asks"},
    {"set_and_clear", set_and_clear, "one thread sets, another clears"},
    {"set_and_wait", set_and_wait, "one thread sets or clears, another waits for no time or nearly none"},
    {"asleep_when_set", asleep_when_set, "two threads are asleep, and the event is set"},
    {"come_at_any_moment", come_at_any_moment, "two threads wait, and the event is set at any moment"},
    {"set_and_cleared_at_once", set_and_cleared_at_once,
     "a thread is asleep; one sets the event, another clears it and then waits"},
    {"one_comes_late", one_comes_late, "two threads are asleep; the event is set and cleared, and somebody comes late"},
    {"two_ask_at_once", two_ask_at_once, "the event is set; one thread asks, another waits for no time"},
    {"nobody_there", nobody_there, "an event that is not there"},
    SCENARIOS_END,
};
