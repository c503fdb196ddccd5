/* scenario.c - a few threads at one future.
 *
 * Two parts are run in a certain order that the detectors do not see (a gate), so that whatever one of them leaves
 * unprotected is a race in every run. Each pair that matters is run in both orders; the last few scenarios leave the
 * order open, for the explorer to try them all.
 */
#include "scenario.h"

#include "future.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

enum { FAILED = 77 };

static int thing;

static struct future *made(void)
{
    struct future *future = NULL;

    ensure(future_create(&future) == 0, "future_create returned an error");
    return future;
}

/* ---- two threads, one after the other ---------------------------------------------------------------------------- */

struct part {
    void (*play)(struct future *future);
    struct future *future; /* with a reference of the part's own */
    struct gate *begin;    /* or NULL */
    struct gate *done;     /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->future);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void in_order(void (*first)(struct future *), void (*second)(struct future *))
{
    struct gate first_done = GATE_CLOSED;
    struct future *future = made();
    struct part one = {first, future, NULL, &first_done}, two = {second, future, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    future_drop(future);
}

static void both_orders(void (*one)(struct future *), void (*other)(struct future *))
{
    in_order(one, other);
    in_order(other, one);
}

static void finish(struct future *future)
{
    (void)future_set_result(future, &thing);
}

static void fail(struct future *future)
{
    (void)future_set_exception(future, FAILED);
    (void)future_set_exception(future, 0);
}

static void begin_work(struct future *future)
{
    (void)future_set_running_or_notify_cancel(future);
}

static void cancel(struct future *future)
{
    (void)future_cancel(future);
}

static void cancel_and_notify(struct future *future)
{
    (void)future_cancel(future);
    (void)future_set_running_or_notify_cancel(future);
}

static void look(struct future *future)
{
    (void)future_state(future);
}

static void look_cancelled(struct future *future)
{
    (void)future_cancelled(future);
}

static void look_running(struct future *future)
{
    (void)future_running(future);
}

static void look_done(struct future *future)
{
    (void)future_done(future);
}

static void ask(struct future *future)
{
    void *result = NULL;

    (void)future_result(future, 0, &result);
}

static void ask_exception(struct future *future)
{
    int exception = 0;

    (void)future_exception(future, 0, &exception);
}

static void ask_in_time(struct future *future)
{
    (void)future_result(future, 1, NULL);
}

static void hold_and_drop(struct future *future)
{
    future_drop(future_hold(future));
}

static void be_called(struct future *future, void *unused)
{
    (void)unused;
    ensure(future_done(future), "a callback was called before the future was done");
}

static void add(struct future *future)
{
    ensure(future_add_done_callback(future, be_called, NULL) == 0, "future_add_done_callback returned an error");
}

static void be_told(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    (void)callbacks;
    (void)watcher;
    (void)state;
    (void)exception;
}

static void watch(struct future *future)
{
    struct future_watcher watcher = {.settled = be_told};

    if (future_watch(future, &watcher) == 0)
        future_unwatch(future, &watcher);
}

static void watch_two(struct future *future)
{
    struct future_watcher one = {.settled = be_told}, two = {.settled = be_told};

    (void)future_watch(future, &one);
    (void)future_watch(future, &two);
    future_unwatch(future, &two);
    future_unwatch(future, &one);
}

static void finished_and_looked_at(void)
{
    both_orders(finish, look);
    both_orders(finish, look_cancelled);
    both_orders(finish, look_running);
    both_orders(finish, look_done);
}

static void finished_and_asked(void)
{
    both_orders(finish, ask);
    both_orders(finish, ask_exception);
    both_orders(finish, ask_in_time);
    both_orders(fail, ask);
    both_orders(fail, ask_exception);
}

static void finished_twice(void)
{
    both_orders(finish, finish);
    both_orders(finish, fail);
    both_orders(fail, fail);
}

static void begun_and_cancelled(void)
{
    both_orders(begin_work, cancel);
    both_orders(begin_work, look_running);
    both_orders(begin_work, finish);
    both_orders(cancel, look_cancelled);
    both_orders(cancel, ask);
    both_orders(cancel, finish);
    both_orders(cancel, cancel);
    both_orders(cancel_and_notify, look_done);
}

static void called_back(void)
{
    both_orders(finish, add);
    both_orders(cancel, add);
    both_orders(add, add);
}

static void watched(void)
{
    both_orders(finish, watch);
    both_orders(cancel_and_notify, watch);
    both_orders(watch, watch_two);
    both_orders(finish, watch_two);
}

static void held_and_dropped(void)
{
    both_orders(hold_and_drop, hold_and_drop);
    both_orders(hold_and_drop, finish);
    both_orders(hold_and_drop, look);
}

/* ---- who is the last? -------------------------------------------------------------------------------------------- */

static void *drop(void *future)
{
    future_drop(future);
    return NULL;
}

static void last_reference(void)
{
    struct future *future = made();

    add(future);
    pthread_t a = scenario_thread(drop, future_hold(future)), b = scenario_thread(drop, future_hold(future));
    future_drop(future);
    scenario_join(a);
    scenario_join(b);
    future_drop(NULL);
}

/* ---- any order --------------------------------------------------------------------------------------------------- */

struct meeting {
    struct future *future;
    struct tally calls;
    int error;
};

static void count(struct future *future, void *calls)
{
    (void)future;
    tally_add(calls, 1);
}

static void *finish_it(void *argument)
{
    struct meeting *meeting = argument;

    meeting->error = future_set_result(meeting->future, &thing);
    return NULL;
}

static void *cancel_it(void *argument)
{
    struct meeting *meeting = argument;

    ensure(future_cancel(meeting->future) == 0, "future_cancel of a future that nobody works on returned an error");
    return NULL;
}

static void one_waits(void)
{
    struct meeting meeting = {made(), TALLY_ZERO, -1};
    pthread_t other = scenario_thread(finish_it, &meeting);
    void *result = NULL;

    ensure(future_result(meeting.future, -1, &result) == 0, "future_result returned an error");
    ensure(result == &thing, "future_result stored another result than the one that was set");
    scenario_join(other);
    future_drop(meeting.future);
}

static void one_waits_with_a_limit(void)
{
    struct meeting meeting = {made(), TALLY_ZERO, -1};
    pthread_t other = scenario_thread(cancel_it, &meeting);
    int exception = 0;

    ensure(future_exception(meeting.future, INT64_MAX, &exception) == ECANCELED,
           "future_exception of a future that is cancelled did not return ECANCELED");
    scenario_join(other);
    future_drop(meeting.future);
}

static void added_meanwhile(void)
{
    struct meeting meeting = {made(), TALLY_ZERO, -1};
    pthread_t other = scenario_thread(finish_it, &meeting);

    ensure(future_add_done_callback(meeting.future, count, &meeting.calls) == 0,
           "future_add_done_callback returned an error");
    scenario_join(other);
    ensure(tally_read(&meeting.calls) == 1, "the callback was called %ld times", tally_read(&meeting.calls));
    future_drop(meeting.future);
}

static void both_finish(void)
{
    struct meeting meeting = {made(), TALLY_ZERO, -1};
    pthread_t other = scenario_thread(finish_it, &meeting);

    ensure(future_add_done_callback(meeting.future, count, &meeting.calls) == 0,
           "future_add_done_callback returned an error");
    int error = future_set_exception(meeting.future, FAILED);
    scenario_join(other);
    ensure((error == 0 && meeting.error == EALREADY) || (error == EALREADY && meeting.error == 0),
           "two threads finished the future, and were told %d and %d", error, meeting.error);
    ensure(tally_read(&meeting.calls) == 1, "the callback was called %ld times", tally_read(&meeting.calls));
    ensure(future_result(meeting.future, 0, NULL) == (error == 0 ? FAILED : 0),
           "the second end took the first's place");
    future_drop(meeting.future);
}

/* What is told lives on the watching thread's stack, as in a call that waits for several futures. */
struct told {
    struct future_watcher watcher; /* the first member */
    struct tally times;
};

static void note(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    struct told *told = (struct told *)watcher;

    (void)callbacks;
    ensure(state == FUTURE_FINISHED && exception == 0, "a watcher was told of another end than there was");
    tally_add(&told->times, 1);
}

static void unwatched_meanwhile(void)
{
    struct meeting meeting = {made(), TALLY_ZERO, -1};
    pthread_t other = scenario_thread(finish_it, &meeting);
    struct told told = {{.settled = note}, TALLY_ZERO};
    int error = future_watch(meeting.future, &told.watcher);

    future_unwatch(meeting.future, &told.watcher);
    long times = tally_read(&told.times);
    scenario_join(other);
    ensure(times == tally_read(&told.times), "a watcher was told after future_unwatch had returned");
    ensure(times == 0 || (times == 1 && error == 0), "future_watch said EALREADY, and yet the watcher was told");
    future_drop(meeting.future);
}

static void watched_meanwhile(void)
{
    struct meeting meeting = {made(), TALLY_ZERO, -1};
    pthread_t other = scenario_thread(finish_it, &meeting);
    struct told told = {{.settled = note}, TALLY_ZERO};
    long expected = future_watch(meeting.future, &told.watcher) == 0 ? 1 : 0;

    scenario_join(other);
    ensure(tally_read(&told.times) == expected, "the future is finished, and its watcher was told %ld times",
           tally_read(&told.times));
    future_drop(meeting.future);
}

SCENARIOS = {
    {"finished_and_looked_at", finished_and_looked_at, "one thread finishes it, another looks at its state"},
    {"finished_and_asked", finished_and_asked, "one thread finishes it, another asks for the result"},
    {"finished_twice", finished_twice, "two threads finish it"},
    {"begun_and_cancelled", begun_and_cancelled, "one thread begins or cancels, another looks, finishes or cancels"},
    {"called_back", called_back, "one thread adds a callback, another finishes, cancels or adds one too"},
    {"watched", watched, "one thread watches it, another finishes, cancels or watches it too"},
    {"held_and_dropped", held_and_dropped, "one thread takes a reference and drops it, another uses the future"},
    {"last_reference", last_reference, "three threads drop the last three references"},
    {"one_waits", one_waits, "one thread waits for the result, another sets it"},
    {"one_waits_with_a_limit", one_waits_with_a_limit, "one thread waits with a time-out, another cancels"},
    {"added_meanwhile", added_meanwhile, "one thread adds a callback while another finishes the future"},
    {"both_finish", both_finish, "two threads finish it, one with a result and one with an exception"},
    {"unwatched_meanwhile", unwatched_meanwhile, "one thread watches it for a moment while another finishes it"},
    {"watched_meanwhile", watched_meanwhile, "one thread begins to watch it while another finishes the future"},
    SCENARIOS_END,
};
