/* tests.c - what a future must do.
 *
 * The test's own thread is one thread, and "another" is a runner. Who waits is seen with settle(). Two calls meet in
 * the middle where one of them is held after its first unlock of a mutex: by then a program that looks and acts in two
 * steps has looked and not yet acted.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* waiting.h */
#endif
#include "check.h"
#include "future.h"
#include "slices.h"
#include "waiting.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { WAITERS = 3, CALLBACKS = 5, ALLOCATIONS = 4, FAILED = 77 };

static const int64_t HOUR_US = 3600LL * 1000 * 1000;
static const enum future_state all_states[] = {FUTURE_PENDING, FUTURE_RUNNING, FUTURE_CANCELLED,
                                               FUTURE_CANCELLED_AND_NOTIFIED, FUTURE_FINISHED};
static const char *const state_names[] = {"PENDING", "RUNNING", "CANCELLED", "CANCELLED_AND_NOTIFIED", "FINISHED"};
static int thing; /* what a result may point to */

static const char *name_of(enum future_state state)
{
    return (unsigned)state < 5 ? state_names[state] : "none of the five";
}

static void must_have_state(struct future *future, enum future_state expected, const char *when)
{
    enum future_state state = future_state(future);
    bool cancelled = expected == FUTURE_CANCELLED || expected == FUTURE_CANCELLED_AND_NOTIFIED;
    bool done = cancelled || expected == FUTURE_FINISHED;

    must(state == expected, "%s the state should be %s, but it is %s.", when, name_of(expected), name_of(state));
    must(future_cancelled(future) == cancelled, "%s future_cancelled should be %s.", when,
         cancelled ? "true" : "false");
    must(future_running(future) == (expected == FUTURE_RUNNING), "%s future_running should be %s.", when,
         expected == FUTURE_RUNNING ? "true" : "false");
    must(future_done(future) == done, "%s future_done should be %s.", when, done ? "true" : "false");
}

static struct future *new_future(void)
{
    struct future *future = NULL;
    int error = future_create(&future);

    must(error == 0 && future != NULL, "future_create returned %s or stored no future.", error_text(error));
    return future;
}

/* A future that has come to this state in the usual way. */
static struct future *future_in(enum future_state state)
{
    struct future *future = new_future();

    if (state == FUTURE_CANCELLED || state == FUTURE_CANCELLED_AND_NOTIFIED)
        must_return(0, future_cancel(future), "future_cancel of a pending future");
    if (state == FUTURE_RUNNING || state == FUTURE_FINISHED)
        must_return(0, future_set_running_or_notify_cancel(future),
                    "future_set_running_or_notify_cancel of a pending future");
    if (state == FUTURE_CANCELLED_AND_NOTIFIED)
        must_return(ECANCELED, future_set_running_or_notify_cancel(future),
                    "future_set_running_or_notify_cancel of a cancelled future");
    if (state == FUTURE_FINISHED)
        must_return(0, future_set_result(future, &thing), "future_set_result of a running future");
    return future;
}

/* ---- what another thread does ------------------------------------------------------------------------------------ */

/* One call by another thread, and what came of it. */
struct errand {
    struct future *future;
    int64_t timeout_us;
    int error;
    void *result;
    int exception;
    int64_t took_us;
    struct runner *runner;
};

static void ask_result(void *argument)
{
    struct errand *errand = argument;
    int64_t began_us = now_us();

    waits = true;
    errand->error = future_result(errand->future, errand->timeout_us, &errand->result);
    waits = false;
    errand->took_us = now_us() - began_us;
}

static void ask_exception(void *argument)
{
    struct errand *errand = argument;

    errand->error = future_exception(errand->future, errand->timeout_us, &errand->exception);
}

static void set_result(void *argument)
{
    struct errand *errand = argument;

    errand->error = future_set_result(errand->future, &thing);
}

static void cancel(void *argument)
{
    struct errand *errand = argument;

    errand->error = future_cancel(errand->future);
}

static void begin_work(void *argument)
{
    struct errand *errand = argument;

    errand->error = future_set_running_or_notify_cancel(errand->future);
}

static void errand_start(struct errand *errand, void (*body)(void *), struct future *future, int64_t timeout_us)
{
    *errand = (struct errand){.future = future, .timeout_us = timeout_us, .error = -1, .exception = -1};
    errand->runner = runner_start(body, errand);
}

/* Holds one thread after the first unlock that it makes. */
static _Thread_local bool to_be_held;
static struct gate held, go_on;

static void hold_here(void *unused)
{
    (void)unused;
    if (!to_be_held)
        return;
    to_be_held = false;
    gate_open(&held);
    gate_pass(&go_on);
}

/* ---- the states -------------------------------------------------------------------------------------------------- */

TEST(new_is_pending, "A new future is pending; its result is not there, and asking without waiting says so at once.")
{
    struct future *future = new_future();
    void *result = &thing;
    int exception = 5;

    must_have_state(future, FUTURE_PENDING, "After future_create");
    must_return(ETIMEDOUT, future_result(future, 0, &result), "future_result of a pending future, not waiting,");
    must_return(ETIMEDOUT, future_exception(future, 0, &exception),
                "future_exception of a pending future, not waiting,");
    must(result == &thing && exception == 5, "Nothing is there, and yet something was stored.");
    future_drop(future);
}

TEST(result_comes_home,
     "What set_result was given, future_result hands out: any pointer, NULL too, as often as one asks.")
{
    struct future *future = new_future(), *empty = new_future();
    void *result = NULL;
    int exception = 5;

    must_return(0, future_set_running_or_notify_cancel(future), "future_set_running_or_notify_cancel");
    must_have_state(future, FUTURE_RUNNING, "When the work has begun");
    must_return(ETIMEDOUT, future_result(future, 0, &result), "future_result of a running future, not waiting,");
    must_return(0, future_set_result(future, &thing), "future_set_result");
    must_have_state(future, FUTURE_FINISHED, "After future_set_result");
    for (int i = 0; i < 2; i++) {
        result = NULL;
        must_return(0, future_result(future, i == 0 ? 0 : -1, &result), "future_result of a finished future");
        must(result == &thing, "future_result stored another result than the one that was set.");
    }
    must_return(0, future_result(future, 0, NULL), "future_result with nowhere to store the result");
    must_return(0, future_exception(future, 0, &exception), "future_exception of a finished future");
    must(exception == 0, "There is a result, and future_exception stored %d; it should store 0.", exception);
    must_return(0, future_set_result(empty, NULL), "future_set_result with NULL");
    result = &thing;
    must_return(0, future_result(empty, -1, &result), "future_result of a future whose result is NULL");
    must(result == NULL, "The result was NULL, and future_result stored something else.");
    future_drop(empty);
    future_drop(future);
}

TEST(exception_comes_home, "The exception that it was finished with is what future_result returns, and stores nothing.")
{
    struct future *future = future_in(FUTURE_RUNNING), *straight = new_future(), *largest = new_future();
    void *result = &thing;
    int exception = 0;

    must_return(0, future_set_exception(future, FAILED), "future_set_exception");
    must_have_state(future, FUTURE_FINISHED, "After future_set_exception");
    must_return(FAILED, future_result(future, 0, &result), "future_result of a future that failed");
    must_return(FAILED, future_result(future, -1, NULL), "future_result of a future that failed");
    must(result == &thing, "There is no result, and future_result stored one.");
    must_return(0, future_exception(future, -1, &exception), "future_exception of a future that failed");
    must(exception == FAILED, "future_exception stored %d instead of the exception, %d.", exception, FAILED);
    must_return(0, future_set_exception(straight, ETIMEDOUT), "future_set_exception of a pending future");
    must_have_state(straight, FUTURE_FINISHED, "After future_set_exception of a pending future");
    must_return(0, future_exception(straight, 0, &exception), "future_exception of one that failed with ETIMEDOUT");
    must(exception == ETIMEDOUT, "future_exception stored %d instead of ETIMEDOUT.", exception);
    must_return(0, future_set_exception(largest, INT_MAX), "future_set_exception with the largest int");
    must_return(INT_MAX, future_result(largest, 0, NULL), "future_result of a future that failed with it");
    future_drop(largest);
    future_drop(straight);
    future_drop(future);
}

TEST(exception_is_positive, "An exception is above 0: anything else is EINVAL, and changes nothing.")
{
    struct future *future = future_in(FUTURE_RUNNING);

    must_return(EINVAL, future_set_exception(future, 0), "future_set_exception with 0");
    must_return(EINVAL, future_set_exception(future, -FAILED), "future_set_exception with a negative number");
    must_return(EINVAL, future_set_exception(future, INT_MIN), "future_set_exception with the smallest int");
    must_have_state(future, FUTURE_RUNNING, "After a future_set_exception that was refused");
    must_return(0, future_set_result(future, NULL), "future_set_result afterwards");
    future_drop(future);
}

TEST(set_once, "It is finished once: a second result or exception is EALREADY, and the first one stays.")
{
    struct future *good = future_in(FUTURE_FINISHED), *bad = future_in(FUTURE_RUNNING);
    void *result = NULL;
    int other = 0;

    must_return(EALREADY, future_set_result(good, &other), "A second future_set_result");
    must_return(EALREADY, future_set_exception(good, FAILED), "future_set_exception after future_set_result");
    must_return(0, future_result(good, 0, &result), "future_result after all that");
    must(result == &thing, "The second result has taken the place of the first.");
    must_return(0, future_set_exception(bad, FAILED), "future_set_exception");
    must_return(EALREADY, future_set_exception(bad, FAILED + 1), "A second future_set_exception");
    must_return(EALREADY, future_set_result(bad, &other), "future_set_result after future_set_exception");
    must_return(FAILED, future_result(bad, 0, &result), "future_result after all that");
    future_drop(bad);
    future_drop(good);
}

TEST(cancelled_stays_cancelled, "What is cancelled gets no result and no exception any more: that is EALREADY.")
{
    for (int i = 2; i <= 3; i++) {
        struct future *future = future_in(all_states[i]);
        must_return(EALREADY, future_set_result(future, &thing), "future_set_result of a cancelled future");
        must_return(EALREADY, future_set_exception(future, FAILED), "future_set_exception of a cancelled future");
        must_have_state(future, all_states[i], "After that");
        future_drop(future);
    }
}

TEST(running_once, "The work begins once, and not if it was cancelled; who was to do it is told so, once.")
{
    static const int expected[] = {0, EALREADY, ECANCELED, EALREADY, EALREADY};
    static const enum future_state after[] = {FUTURE_RUNNING, FUTURE_RUNNING, FUTURE_CANCELLED_AND_NOTIFIED,
                                              FUTURE_CANCELLED_AND_NOTIFIED, FUTURE_FINISHED};

    for (int i = 0; i < 5; i++) {
        struct future *future = future_in(all_states[i]);
        int error = future_set_running_or_notify_cancel(future);
        must(error == expected[i], "In the state %s, future_set_running_or_notify_cancel should return %d, not %s.",
             state_names[i], expected[i], error_text(error));
        must_have_state(future, after[i], "After future_set_running_or_notify_cancel");
        future_drop(future);
    }
}

TEST(cancel_until_it_runs,
     "It can be cancelled until the work begins; what runs or is finished goes on: that is EBUSY.")
{
    static const int expected[] = {0, EBUSY, 0, 0, EBUSY};
    static const enum future_state after[] = {FUTURE_CANCELLED, FUTURE_RUNNING, FUTURE_CANCELLED,
                                              FUTURE_CANCELLED_AND_NOTIFIED, FUTURE_FINISHED};

    for (int i = 0; i < 5; i++) {
        struct future *future = future_in(all_states[i]);
        int error = future_cancel(future);
        must(error == expected[i], "In the state %s, future_cancel should return %d, but it returned %s.",
             state_names[i], expected[i], error_text(error));
        must_have_state(future, after[i], "After future_cancel");
        future_drop(future);
    }
}

TEST(cancelled_has_no_result, "Who asks for the result of a cancelled future gets ECANCELED, notified or not.")
{
    for (int i = 2; i <= 3; i++) {
        struct future *future = future_in(all_states[i]);
        void *result = &i;
        int exception = 5;
        must_return(ECANCELED, future_result(future, -1, &result), "future_result of a cancelled future");
        must_return(ECANCELED, future_result(future, 0, NULL), "future_result of a cancelled future, not waiting,");
        must_return(ECANCELED, future_exception(future, 0, &exception), "future_exception of a cancelled future");
        must(result == &i && exception == 5, "There is neither result nor exception, and yet one was stored.");
        future_drop(future);
    }
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

/* Three threads ask and sleep; then `end` is called, and each of them must be woken. */
static void all_are_woken(struct errand errands[WAITERS], int (*end)(struct future *future), const char *what)
{
    struct future *future = new_future();

    errand_start(&errands[0], ask_result, future, INT64_MIN);
    errand_start(&errands[1], ask_exception, future, INT64_MAX);
    errand_start(&errands[2], ask_result, future, HOUR_US);
    for (int i = 0; i < WAITERS; i++)
        must_be_blocked(errands[i].runner, "Who wants a result that is not there should wait for it, asleep.");
    must_return(0, end(future), what);
    for (int i = 0; i < WAITERS; i++)
        must_be_done(errands[i].runner, "After %s, each of the three who wait should be woken.", what);
    for (int i = 0; i < WAITERS; i++)
        runner_join(errands[i].runner);
    future_drop(future);
}

static int end_with_result(struct future *future)
{
    return future_set_result(future, &thing);
}

static int end_with_exception(struct future *future)
{
    return future_set_exception(future, FAILED);
}

static int run_then_end(struct future *future)
{
    int error = future_set_running_or_notify_cancel(future);

    return error != 0 ? error : future_set_result(future, &thing);
}

TEST(result_wakes_all, "Whoever waits sleeps, and the result wakes all of them.")
{
    struct errand errands[WAITERS];

    all_are_woken(errands, end_with_result, "future_set_result");
    must(errands[0].error == 0 && errands[2].error == 0, "Who waited for the result should get 0, not %s and %s.",
         error_text(errands[0].error), error_text(errands[2].error));
    must(errands[0].result == &thing && errands[2].result == &thing, "Who waited for the result has got another one.");
    must(errands[1].error == 0 && errands[1].exception == 0, "Who waited for the exception should be told 0.");
    all_are_woken(errands, run_then_end, "future_set_result of a running future");
    must(errands[0].result == &thing && errands[2].result == &thing, "Who waited for the result has got another one.");
}

TEST(exception_wakes_all, "Whoever waits sleeps, and the exception wakes all of them.")
{
    struct errand errands[WAITERS];

    all_are_woken(errands, end_with_exception, "future_set_exception");
    must(errands[0].error == FAILED && errands[2].error == FAILED,
         "Who waited for the result should get the exception, %d, not %d and %d.", FAILED, errands[0].error,
         errands[2].error);
    must(errands[1].error == 0 && errands[1].exception == FAILED, "Who waited for the exception has got another one.");
}

TEST(cancel_wakes_all, "Cancelling wakes all who wait; each gets ECANCELED.")
{
    struct errand errands[WAITERS];

    all_are_woken(errands, future_cancel, "future_cancel");
    for (int i = 0; i < WAITERS; i++)
        must_return(ECANCELED, errands[i].error, "The wait for a future that is cancelled meanwhile");
}

/* With the tally that is its `result`, as long as the thread waits. */
static void ask_counted(void *argument)
{
    struct errand *errand = argument;

    slices = errand->result;
    if (errand->exception == 0)
        ask_exception(errand);
    else
        ask_result(errand);
    slices = NULL;
}

TEST(sleeps_until_woken, "Who waits sleeps until he is woken: he does not look again every moment.")
{
    static const int64_t timeouts_us[] = {-1, HOUR_US, INT64_MAX};

    for (int i = 0; i < 6; i++) {
        struct future *future = new_future();
        struct tally *looked = slices_tally();
        struct errand errand = {
            .future = future, .timeout_us = timeouts_us[i % 3], .result = looked, .exception = i < 3 ? 0 : -1};
        errand.runner = runner_start(ask_counted, &errand);
        must_be_blocked(errand.runner, "Who wants a result that is not there should wait for it, asleep.");
        must(tally_read(looked) == 0, "%s sleeps for a moment and looks again; it should sleep until it is woken.",
             i < 3 ? "future_exception" : "future_result");
        must_return(0, future_set_result(future, &thing), "future_set_result");
        runner_join(errand.runner);
        future_drop(future);
    }
}

TEST(running_is_not_done, "That the work has begun is no reason to wake up: the result is not there yet.")
{
    struct future *future = new_future();
    struct errand errand;

    errand_start(&errand, ask_result, future, -1);
    must_be_blocked(errand.runner, "Who wants a result that is not there should wait for it, asleep.");
    must_return(0, future_set_running_or_notify_cancel(future), "future_set_running_or_notify_cancel");
    must_be_blocked(errand.runner, "The work has only begun, and future_result has returned.");
    must_return(0, future_set_result(future, &thing), "future_set_result");
    runner_join(errand.runner);
    must(errand.error == 0 && errand.result == &thing, "Who waited for the result should get it.");
    future_drop(future);
}

TEST(spurious_wakeups, "A wait may end although nobody has signalled: who wakes up looks again.")
{
    struct future *future = new_future();
    struct errand errands[2];

    wrap_fail(WRAP_pthread_cond_wait, 1, 0);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    errand_start(&errands[0], ask_result, future, -1);
    errand_start(&errands[1], ask_result, future, HOUR_US);
    for (int i = 0; i < 2; i++)
        must_be_blocked(errands[i].runner, "After a wake-up that nobody sent, future_result should go on waiting.");
    must_return(0, future_set_result(future, &thing), "future_set_result");
    for (int i = 0; i < 2; i++) {
        runner_join(errands[i].runner);
        must(errands[i].error == 0 && errands[i].result == &thing, "Who waited for the result should get it.");
    }
    future_drop(future);
}

TEST(not_too_early,
     "A time-out is in microseconds: ETIMEDOUT does not come before they are over, and then nothing is stored.")
{
    static const int64_t timeouts_us[] = {199999, 999, 999, 999}; /* who counts in milliseconds has none of the last */
    struct future *future = future_in(FUTURE_RUNNING);

    for (int i = 0; i < 4; i++) {
        struct errand errand;
        errand_start(&errand, ask_result, future, timeouts_us[i]);
        runner_join(errand.runner);
        must_return(ETIMEDOUT, errand.error, "future_result of a running future, when the time is over,");
        must(errand.took_us >= timeouts_us[i], "future_result gave up after %lld µs; its time-out was %lld µs.",
             (long long)errand.took_us, (long long)timeouts_us[i]);
        must(errand.result == NULL, "There is no result, and yet one was stored.");
    }
    must(!asked_the_wall, "future_result asked for CLOCK_REALTIME, the clock on the wall, which somebody may set.");
    must_return(0, future_set_result(future, &thing), "future_set_result afterwards");
    must_return(0, future_result(future, 1000, NULL), "future_result with a time-out, of a finished future,");
    future_drop(future);
}

TEST(span_does_not_restart, "A time-out is a span from the call on: a wake-up for nothing does not make it begin anew.")
{
    struct future *future = new_future();
    struct errand errand;

    /* To the waiting thread it is an hour ago, until it was woken for nothing: then the hour it had is over. */
    tally_add(&behind_s, 3600);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    errand_start(&errand, ask_result, future, HOUR_US);
    must_be_done(errand.runner, "The time-out was over; a wake-up for nothing has made future_result begin it anew.");
    runner_join(errand.runner);
    must_return(ETIMEDOUT, errand.error, "future_result, when the time is over,");
    future_drop(future);
}

TEST(second_begins, "Where the nanoseconds of a moment make a whole second, they count as one.")
{
    static const long fractions_ns[] = {999999000, 999999999}; /* with 1 µs: a second, and a little more than one */

    tally_add(&behind_s, 2); /* so that nobody has to wait for it */
    for (int i = 0; i < 2; i++) {
        struct future *future = new_future();
        struct errand errand;
        fraction_ns = fractions_ns[i];
        naps_before = wrap_count(WRAP_pthread_cond_timedwait);
        errand_start(&errand, ask_result, future, 1);
        runner_join(errand.runner);
        must_return(ETIMEDOUT, errand.error, "future_result that waits beyond the end of a second");
        future_drop(future);
    }
}

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

/* What callbacks write down, in one order. */
struct diary {
    int calls;
    int numbers[2 * CALLBACKS];
    struct future *futures[2 * CALLBACKS];
    enum future_state states[2 * CALLBACKS];
    pthread_t threads[2 * CALLBACKS];
};
static struct diary diary; /* one thread at a time */

static int number_of[CALLBACKS] = {0, 1, 2, 3, 4};

static void write_down(struct future *future, void *number)
{
    int at = diary.calls++;

    if (at >= 2 * CALLBACKS)
        return;
    diary.numbers[at] = *(int *)number;
    diary.futures[at] = future;
    diary.states[at] = future_state(future);
    diary.threads[at] = pthread_self();
}

static void add_callbacks(struct future *future)
{
    for (int i = 0; i < CALLBACKS; i++)
        must_return(0, future_add_done_callback(future, write_down, &number_of[i]), "future_add_done_callback");
}

static void must_be_in_order(struct future *future, enum future_state state, const char *when)
{
    must(diary.calls == CALLBACKS,
         "%s each of the %d callbacks should have been called once, before it returned, and "
         "there were %d calls.",
         when, CALLBACKS, diary.calls);
    for (int i = 0; i < CALLBACKS; i++) {
        must(diary.numbers[i] == i,
             "%s callback %d was called in place %d: they are called in the order in which they "
             "were added.",
             when, diary.numbers[i] + 1, i + 1);
        must(diary.futures[i] == future, "%s a callback was given another future than its own.", when);
        must(diary.states[i] == state, "In its callback the future should be %s, but it is %s.", name_of(state),
             name_of(diary.states[i]));
        must(pthread_equal(diary.threads[i], pthread_self()), "%s a callback was called by another thread.", when);
    }
}

TEST(callbacks_in_order,
     "Each callback is called once, in the order in which they were added, by who finishes the future.")
{
    static int (*const ends[])(struct future *) = {end_with_result, end_with_exception, run_then_end, future_cancel};
    static const enum future_state after[] = {FUTURE_FINISHED, FUTURE_FINISHED, FUTURE_FINISHED, FUTURE_CANCELLED};
    static const char *const when[] = {"After future_set_result", "After future_set_exception",
                                       "After future_set_result of a running future", "After future_cancel"};

    for (int i = 0; i < 4; i++) {
        struct future *future = new_future();
        memset(&diary, 0, sizeof diary);
        add_callbacks(future);
        must(diary.calls == 0, "The future is pending, and a callback was called.");
        must_return(0, ends[i](future), "The call that makes it done");
        must_be_in_order(future, after[i], when[i]);
        future_drop(future);
    }
}

TEST(callbacks_at_once, "A callback that is added to a future that is done is called at once, by who adds it.")
{
    for (int i = 2; i < 5; i++) {
        struct future *future = future_in(all_states[i]);
        memset(&diary, 0, sizeof diary);
        add_callbacks(future);
        must_be_in_order(future, all_states[i], "When they were added to a future that is done,");
        future_drop(future);
    }
}

TEST(callbacks_once, "A callback is called once, whatever becomes of the future afterwards.")
{
    struct future *finished = new_future(), *cancelled = new_future(), *running = future_in(FUTURE_RUNNING);

    must_return(0, future_add_done_callback(finished, write_down, &number_of[0]), "future_add_done_callback");
    must_return(0, future_set_result(finished, NULL), "future_set_result");
    future_set_result(finished, NULL);
    future_set_exception(finished, FAILED);
    future_cancel(finished);
    must(diary.calls == 1, "The future was finished once, and its callback was called %d times.", diary.calls);
    must_return(0, future_add_done_callback(cancelled, write_down, &number_of[1]), "future_add_done_callback");
    must_return(0, future_cancel(cancelled), "future_cancel");
    future_cancel(cancelled);
    future_set_running_or_notify_cancel(cancelled);
    future_set_result(cancelled, NULL);
    must(diary.calls == 2, "The future was cancelled once, and its callback was called %d times.", diary.calls - 1);
    must_return(0, future_add_done_callback(running, write_down, &number_of[2]), "future_add_done_callback");
    future_cancel(running);
    must(diary.calls == 2, "A future that runs was not cancelled, and its callback was called.");
    future_drop(running);
    must(diary.calls == 2, "A future that nobody has finished was dropped, and its callback was called.");
    future_drop(cancelled);
    future_drop(finished);
}

static void use_everything(struct future *future, void *calls)
{
    void *result = NULL;
    int exception = 0;
    struct future_watcher watcher = {NULL, NULL};

    if ((*(int *)calls)++ > 0)
        return;
    (void)future_state(future);
    (void)future_done(future);
    (void)future_result(future, -1, &result);
    (void)future_exception(future, -1, &exception);
    (void)future_set_result(future, NULL);
    (void)future_cancel(future);
    (void)future_set_running_or_notify_cancel(future);
    if (future_watch(future, &watcher) == 0)
        future_unwatch(future, &watcher);
    (void)future_add_done_callback(future, use_everything, calls);
    future_drop(future_hold(future));
}

TEST(callbacks_without_lock, "No lock is held while a callback runs: it may call everything, on the same future too.")
{
    static int (*const ends[])(struct future *) = {end_with_result, end_with_exception, future_cancel};
    int calls;

    for (int i = 0; i < 3; i++) {
        struct future *future = new_future();
        calls = 0;
        must_return(0, future_add_done_callback(future, use_everything, &calls), "future_add_done_callback");
        must_return(0, ends[i](future), "The call that makes it done");
        must(calls == 2, "The callback adds itself once more, so it should be called twice, not %d times.", calls);
        calls = 0;
        must_return(0, future_add_done_callback(future, use_everything, &calls), "future_add_done_callback");
        must(calls == 2, "Added to a future that is done, it should be called twice, not %d times.", calls);
        future_drop(future);
    }
}

TEST(same_callback_twice, "A callback that is added twice is called twice, also with the same argument.")
{
    for (int i = 0; i < 2; i++) {
        struct future *future = new_future();
        memset(&diary, 0, sizeof diary);
        must_return(0, future_add_done_callback(future, write_down, &number_of[0]), "future_add_done_callback");
        must_return(0, future_add_done_callback(future, write_down, &number_of[0]), "future_add_done_callback");
        must_return(0, i == 0 ? future_set_result(future, NULL) : future_cancel(future), "The call that makes it done");
        must(diary.calls == 2, "The same callback was added twice, and was called %d times.", diary.calls);
        must_return(0, future_add_done_callback(future, write_down, &number_of[0]), "future_add_done_callback");
        must(diary.calls == 3, "The same callback was added once more, when the future was done, and was not called.");
        future_drop(future);
    }
}

static int calls_after_adding; /* that there had been when the adding, by a callback, had returned */

static void add_from_inside(struct future *future, void *number)
{
    write_down(future, number);
    (void)future_add_done_callback(future, write_down, &number_of[1]);
    calls_after_adding = diary.calls;
}

TEST(added_by_a_callback,
     "When callbacks are called the future is done: one that a callback adds is called at once, before those behind.")
{
    for (int i = 0; i < 2; i++) {
        struct future *future = new_future();
        memset(&diary, 0, sizeof diary);
        must_return(0, future_add_done_callback(future, add_from_inside, &number_of[0]), "future_add_done_callback");
        must_return(0, future_add_done_callback(future, write_down, &number_of[2]), "future_add_done_callback");
        must_return(0, i == 0 ? future_set_result(future, NULL) : future_cancel(future), "The call that makes it done");
        must(diary.calls == 3, "There were three callbacks, one of them added by another, and %d calls.", diary.calls);
        must(calls_after_adding == 2, "A callback has added another one, which should have been called before "
                                      "future_add_done_callback returned.");
        must(diary.numbers[1] == 1 && diary.numbers[2] == 2,
             "A callback has added another one, which should have been called before the one behind.");
        future_drop(future);
    }
}

static void wait_here(struct future *future, void *gate)
{
    (void)future;
    gate_pass(gate);
}

TEST(slow_callback, "A callback may take its time: others use the future meanwhile, and who waits knows already.")
{
    for (int i = 0; i < 2; i++) {
        struct future *future = new_future();
        struct gate slow = GATE_CLOSED;
        struct errand ender, waiter;
        const char *what = i == 0 ? "future_set_result" : "future_cancel";

        memset(&diary, 0, sizeof diary);
        must_return(0, future_add_done_callback(future, wait_here, &slow), "future_add_done_callback");
        must_return(0, future_add_done_callback(future, write_down, &number_of[0]), "future_add_done_callback");
        errand_start(&waiter, ask_result, future, -1);
        must_be_blocked(waiter.runner, "Who wants a result that is not there should wait for it, asleep.");
        errand_start(&ender, i == 0 ? set_result : cancel, future, 0);
        must_be_blocked(ender.runner, "%s should not return before the callbacks have.", what);
        must_be_done(waiter.runner, "After %s, who waits is kept until a callback has returned.", what);
        runner_join(waiter.runner);
        must_have_state(future, i == 0 ? FUTURE_FINISHED : FUTURE_CANCELLED, "While a callback runs");
        must_return(0, future_add_done_callback(future, write_down, &number_of[1]),
                    "future_add_done_callback meanwhile");
        must(diary.calls == 1 && diary.numbers[0] == 1,
             "A callback that is added to a future that is done should be called "
             "at once, and each only once.");
        gate_open(&slow);
        runner_join(ender.runner);
        must(diary.calls == 2 && diary.numbers[1] == 0,
             "The callback behind the slow one was not called, or not once.");
        future_drop(future);
    }
}

static void adds(void *argument)
{
    struct errand *errand = argument;

    to_be_held = true;
    errand->error = future_add_done_callback(errand->future, write_down, &number_of[0]);
    to_be_held = false;
}

static void sets_held(void *argument)
{
    to_be_held = true;
    set_result(argument);
    to_be_held = false;
}

static void cancels_held(void *argument)
{
    to_be_held = true;
    cancel(argument);
    to_be_held = false;
}

static void begins_held(void *argument)
{
    to_be_held = true;
    begin_work(argument);
    to_be_held = false;
}

static void asks_held(void *argument)
{
    to_be_held = true;
    ask_result(argument);
    to_be_held = false;
}

/* Two calls on one future: `first` is held after its first unlock, until `second` has returned, or sleeps. */
static void meet_at(struct future *future, void (*first)(void *), void (*second)(void *), struct errand errands[2])
{
    wrap_after(WRAP_pthread_mutex_unlock, hold_here, NULL);
    errand_start(&errands[0], first, future, -1);
    settle();
    errand_start(&errands[1], second, future, -1);
    settle();
    gate_open(&go_on);
    runner_join(errands[1].runner);
    runner_join(errands[0].runner);
    wrap_after(WRAP_pthread_mutex_unlock, NULL, NULL);
}

/* Likewise, on a new one. */
static struct future *meet(void (*first)(void *), void (*second)(void *), struct errand errands[2])
{
    struct future *future = new_future();

    meet_at(future, first, second, errands);
    return future;
}

TEST(added_while_finishing, "A callback that is added in the moment in which the future is finished is called, once.")
{
    struct errand errands[2];
    struct future *future = meet(adds, set_result, errands);

    must(diary.calls == 1, "A callback was added while another thread finished the future, and was called %d times.",
         diary.calls);
    future_drop(future);
}

TEST(finished_while_adding, "A callback is called once, also if it is added just behind the finishing of the future.")
{
    struct errand errands[2];
    struct future *future = meet(sets_held, adds, errands);

    must(diary.calls == 1, "A callback was added while another thread finished the future, and was called %d times.",
         diary.calls);
    future_drop(future);
}

TEST(two_set, "Of two threads that finish it at the same time one succeeds, and the other gets EALREADY.")
{
    struct errand errands[2];
    struct future *future = meet(sets_held, set_result, errands);

    must((errands[0].error == 0 && errands[1].error == EALREADY) ||
             (errands[0].error == EALREADY && errands[1].error == 0),
         "Two threads have finished the same future: one should get 0 and the other EALREADY, not %s and %s.",
         error_text(errands[0].error), error_text(errands[1].error));
    future_drop(future);
}

TEST(cancel_or_run, "It is either cancelled or begun, also if both are tried at the same time.")
{
    struct errand errands[2];
    struct future *future = meet(cancels_held, begin_work, errands);

    must((errands[0].error == 0 && errands[1].error == ECANCELED) ||
             (errands[0].error == EBUSY && errands[1].error == 0),
         "One thread cancels and another begins: the two were told %d and %s.", errands[0].error,
         error_text(errands[1].error));
    future_drop(future);
}

TEST(run_or_cancel, "It is either begun or cancelled, also if both are tried at the same time.")
{
    struct errand errands[2];
    struct future *future = meet(begins_held, cancel, errands);

    must((errands[0].error == 0 && errands[1].error == EBUSY) ||
             (errands[0].error == ECANCELED && errands[1].error == 0),
         "One thread begins and another cancels: the two were told %d and %s.", errands[0].error,
         error_text(errands[1].error));
    future_drop(future);
}

TEST(two_are_notified, "Who was to do the work is told of the cancelling once, also if two ask at the same time.")
{
    struct future *future = future_in(FUTURE_CANCELLED);
    struct errand errands[2];

    meet_at(future, begins_held, begin_work, errands);
    must((errands[0].error == ECANCELED && errands[1].error == EALREADY) ||
             (errands[0].error == EALREADY && errands[1].error == ECANCELED),
         "Two threads would begin a cancelled future: one should get ECANCELED and the other EALREADY, not %s and %s.",
         error_text(errands[0].error), error_text(errands[1].error));
    future_drop(future);
}

TEST(set_while_falling_asleep, "A result that comes between the look and the sleep is not missed.")
{
    struct errand errands[2];
    struct future *future = meet(asks_held, set_result, errands);

    must(errands[0].error == 0 && errands[0].result == &thing, "Who waited for the result should get it.");
    future_drop(future);
}

TEST(asked_while_finishing, "The state and the result come in one step: who sees that it is finished has the result.")
{
    struct errand errands[2];
    struct future *future = meet(sets_held, ask_result, errands);

    must(errands[1].error == 0 && errands[1].result == &thing,
         "One thread is about to finish the future; another asks for the result, gets %d, and not the result.",
         errands[1].error);
    future_drop(future);
}

TEST(callback_without_memory, "A callback for which there is no memory is ENOMEM, and is not called.")
{
    struct future *future = new_future();

    wrap_fail_memory(-1);
    int error = future_add_done_callback(future, write_down, &number_of[0]);
    wrap_fail_memory(0);
    must(error == ENOMEM || error == 0, "Without memory, future_add_done_callback should return ENOMEM, not %s.",
         error_text(error));
    must_return(0, future_add_done_callback(future, write_down, &number_of[1]), "future_add_done_callback afterwards");
    must_return(0, future_set_result(future, NULL), "future_set_result");
    must(diary.calls == (error == 0 ? 2 : 1), "%d callbacks were added, and there were %d calls.", error == 0 ? 2 : 1,
         diary.calls);
    future_drop(future);
}

/* ---- references -------------------------------------------------------------------------------------------------- */

TEST(last_one_frees, "The last reference that is dropped frees the future, and none before that.")
{
    struct future *future = new_future();

    must(future_hold(future) == future, "future_hold should return the same future.");
    (void)future_hold(future);
    future_drop(future);
    must_have_state(future, FUTURE_PENDING, "With two references left");
    must(wrap_count(WRAP_pthread_mutex_destroy) == 0, "Two references are left, and the future was destroyed.");
    future_drop(future);
    must_return(0, future_set_result(future, &thing), "future_set_result with one reference left");
    must_have_state(future, FUTURE_FINISHED, "With one reference left");
    must(wrap_count(WRAP_pthread_mutex_destroy) == 0, "One reference is left, and the future was destroyed.");
    future_drop(future);
    must(wrap_memory_kept() <= 0, "The last reference was dropped, and %ld pieces of memory are left.",
         wrap_memory_kept());
    must(wrap_count(WRAP_pthread_mutex_init) == wrap_count(WRAP_pthread_mutex_destroy) &&
             wrap_count(WRAP_pthread_cond_init) == wrap_count(WRAP_pthread_cond_destroy),
         "The last reference was dropped, and a mutex or a condition was not destroyed.");
    future_drop(NULL);
}

TEST(dropped_in_any_state, "A future may be dropped in any state, with callbacks or without; nothing of it is left.")
{
    for (int i = 0; i < 5; i++) {
        struct future *bare = future_in(all_states[i]), *future = future_in(all_states[i]);
        memset(&diary, 0, sizeof diary);
        add_callbacks(future);
        int calls = diary.calls;
        future_drop(bare);
        future_drop(future);
        must(diary.calls == calls, "A future was dropped, and that called its callbacks.");
        must(wrap_memory_kept() <= 0, "A future was dropped in the state %s, and %ld pieces of memory are left.",
             state_names[i], wrap_memory_kept());
    }
}

static void drop_it(struct future *future, void *other)
{
    (void)future;
    future_drop(other);
}

TEST(dropped_by_a_callback,
     "A callback may drop a reference that it was given; the future lives until the call is over.")
{
    struct future *future = new_future();

    must_return(0, future_add_done_callback(future, drop_it, future_hold(future)), "future_add_done_callback");
    must_return(0, future_add_done_callback(future, write_down, &number_of[0]), "future_add_done_callback");
    must_return(0, future_set_result(future, NULL), "future_set_result");
    must(diary.calls == 1, "The callback behind the one that drops its reference was not called.");
    must_have_state(future, FUTURE_FINISHED, "With one reference left");
    future_drop(future);
    must(wrap_memory_kept() <= 0, "The last reference was dropped, and %ld pieces of memory are left.",
         wrap_memory_kept());
}

static void create_must_fail(enum wrap_call call, int error, const char *what)
{
    struct future *future = NULL;

    for (long nth = 1; nth <= ALLOCATIONS; nth++) {
        long before = wrap_memory_kept(), mutexes = wrap_mutexes_kept(), calls = wrap_count(call);
        wrap_fail(call, nth, error);
        int outcome = future_create(&future);
        wrap_fail(call, 0, 0);
        long failed = outcome != 0 && error == ENOMEM ? 1 : 0; /* it was counted, and gave nothing */
        must(outcome == (wrap_count(call) - calls < nth ? 0 : error),
             "Where %s fails future_create should return %s, not %d.", what, error_text(error), outcome);
        must(outcome == 0 || future == NULL, "Where %s fails nothing should be stored.", what);
        if (outcome == 0)
            future_drop(future);
        future = NULL;
        must(wrap_memory_kept() - before <= failed, "After a future_create in which %s failed, memory is left.", what);
        must(wrap_mutexes_kept() - mutexes <= (outcome != 0 && call == WRAP_pthread_mutex_init ? 1 : 0),
             "After a future_create in which %s failed, a mutex was not destroyed.", what);
    }
}

TEST(create_cleans_up, "A future that cannot be made is an error, and nothing of it is kept.")
{
    create_must_fail(WRAP_malloc, ENOMEM, "malloc");
    create_must_fail(WRAP_calloc, ENOMEM, "calloc");
    create_must_fail(WRAP_pthread_mutex_init, EAGAIN, "pthread_mutex_init");
    create_must_fail(WRAP_pthread_cond_init, EAGAIN, "pthread_cond_init");
}

/* ---- watchers ---------------------------------------------------------------------------------------------------- */

/* A watcher, and what it was told. */
struct watch {
    struct future_watcher watcher; /* the first member */
    int told;
    enum future_state state;
    int exception;
    bool callbacks;      /* whether callbacks were said to come now */
    int place;           /* the how manieth of all it was */
    int calls_before;    /* callbacks that had been called */
    struct gate *passes; /* or NULL */
};
static int told_so_far;

static void be_told(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    struct watch *watch = (struct watch *)watcher;

    watch->told++;
    watch->state = state;
    watch->exception = exception;
    watch->callbacks = callbacks;
    watch->place = told_so_far++;
    watch->calls_before = diary.calls;
    if (watch->passes != NULL)
        gate_pass(watch->passes);
}

static void watch(struct future *future, struct watch *watch)
{
    *watch = (struct watch){.watcher = {.settled = be_told}, .passes = watch->passes};
    must_return(0, future_watch(future, &watch->watcher), "future_watch of a future that is not settled");
}

TEST(watchers_are_told,
     "When it is finished its watchers are told how, in the order in which they came, before the callbacks.")
{
    static int (*const ends[])(struct future *) = {end_with_result, end_with_exception, run_then_end};
    static const int exceptions[] = {0, FAILED, 0};

    for (int i = 0; i < 3; i++) {
        struct future *future = new_future();
        struct watch watches[3] = {0};
        told_so_far = 0;
        memset(&diary, 0, sizeof diary);
        must_return(0, future_add_done_callback(future, write_down, &number_of[0]), "future_add_done_callback");
        for (int w = 0; w < 3; w++)
            watch(future, &watches[w]);
        must_return(0, ends[i](future), "The call that finishes it");
        future_set_result(future, NULL);
        for (int w = 0; w < 3; w++) {
            must(watches[w].told == 1, "Watcher %d should be told once, and was told %d times.", w + 1,
                 watches[w].told);
            must(watches[w].state == FUTURE_FINISHED, "A watcher was told %s instead of FINISHED.",
                 name_of(watches[w].state));
            must(watches[w].exception == exceptions[i], "A watcher was told the exception %d instead of %d.",
                 watches[w].exception, exceptions[i]);
            must(watches[w].callbacks, "A callback comes now, and a watcher was told that there is none.");
            must(watches[w].place == w, "The watchers are not told in the order in which they came.");
            must(watches[w].calls_before == 0, "A callback was called before a watcher was told.");
        }
        future_drop(future);
    }
}

static void be_told_and_go(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    be_told(watcher, state, exception, callbacks);
    watcher->next = NULL; /* once told, the memory is its owner's, who may use it for something else */
}

TEST(told_and_gone, "A watcher that was told is its owner's again: the future does not look at it any more.")
{
    struct future *future = new_future();
    struct watch watches[3] = {0};

    for (int w = 0; w < 3; w++) {
        watch(future, &watches[w]);
        watches[w].watcher.settled = be_told_and_go;
    }
    must_return(0, future_set_result(future, NULL), "future_set_result");
    for (int w = 0; w < 3; w++)
        must(watches[w].told == 1,
             "Watcher %d was told %d times: the one before it has gone, and the future looked there for the next.",
             w + 1, watches[w].told);
    future_drop(future);
}

TEST(cancelled_is_not_settled,
     "A cancelled future is settled when who was to do the work knows it: then watchers are told.")
{
    struct future *future = new_future();
    struct watch early = {0}, gone = {0}, late = {0}, too_late = {0};

    must_return(0, future_add_done_callback(future, write_down, &number_of[0]), "future_add_done_callback");
    watch(future, &early);
    watch(future, &gone);
    must_return(0, future_cancel(future), "future_cancel");
    must(early.told == 0, "The future is cancelled and not yet notified, and a watcher was told.");
    watch(future, &late);
    future_unwatch(future, &gone.watcher);
    must_return(ECANCELED, future_set_running_or_notify_cancel(future), "future_set_running_or_notify_cancel");
    must(early.told == 1 && late.told == 1, "Now it is cancelled and notified, and a watcher was not told.");
    must(early.state == FUTURE_CANCELLED_AND_NOTIFIED && early.exception == 0,
         "A watcher of a cancelled future was told "
         "%s with exception %d.",
         name_of(early.state), early.exception);
    must(!early.callbacks, "The callbacks were called by future_cancel, and a watcher was told that they come now.");
    must(gone.told == 0, "A watch of a cancelled future had ended, and its watcher was told.");
    too_late.watcher.settled = be_told;
    must_return(EALREADY, future_watch(future, &too_late.watcher), "future_watch of a settled future");
    must(too_late.told == 0, "future_watch said EALREADY, and the watcher was told.");
    must(early.told == 1 && late.told == 1, "A watcher was told twice.");
    future_drop(future);
}

TEST(settled_is_not_watched, "A settled future is not watched any more: EALREADY, and the watcher is not told.")
{
    struct future *future = future_in(FUTURE_FINISHED), *running = future_in(FUTURE_RUNNING);
    struct watch late = {.watcher = {.settled = be_told}}, one = {0};

    must_return(EALREADY, future_watch(future, &late.watcher), "future_watch of a finished future");
    must(late.told == 0, "future_watch said EALREADY, and the watcher was told.");
    future_unwatch(future, &late.watcher);
    watch(running, &one);
    must_return(0, future_set_result(running, NULL), "future_set_result");
    must(one.told == 1, "The watcher of a running future was told %d times.", one.told);
    must(!one.callbacks, "There are no callbacks, and a watcher was told that there are.");
    future_unwatch(running, &one.watcher);
    future_drop(running);
    future_drop(future);
}

TEST(unwatched_is_not_told, "Who ends his watch is not told any more; the others are.")
{
    for (int gone = 0; gone < 3; gone++) {
        struct future *future = new_future();
        struct watch watches[3] = {0}, stranger = {.watcher = {.settled = be_told}}, last = {0};
        for (int w = 0; w < 3; w++)
            watch(future, &watches[w]);
        future_unwatch(future, &watches[gone].watcher);
        future_unwatch(future, &watches[gone].watcher);
        future_unwatch(future, &stranger.watcher);
        watch(future, &last);
        must_return(0, future_set_result(future, NULL), "future_set_result");
        for (int w = 0; w < 3; w++)
            must(watches[w].told == (w == gone ? 0 : 1),
                 "Watcher %d of 3 was told %d times, when %d had ended its watch.", w + 1, watches[w].told, gone + 1);
        must(last.told == 1 && stranger.told == 0, "A watch that began after another had ended was not told.");
        future_drop(future);
    }
}

TEST(next_is_the_futures, "What stood in a watcher's `next` before it watches means nothing; it may watch again.")
{
    struct future *future = new_future();
    struct watch watches[3] = {0}, stranger = {.watcher = {.settled = be_told}};

    for (int w = 0; w < 3; w++)
        watch(future, &watches[w]);
    future_unwatch(future, &watches[0].watcher);
    watches[0].watcher.next = &stranger.watcher;
    must_return(0, future_watch(future, &watches[0].watcher), "future_watch of a watcher whose watch had ended");
    must_return(0, future_set_result(future, NULL), "future_set_result");
    must(stranger.told == 0, "Before a watcher watched, its `next` pointed to another one, which was told.");
    for (int w = 0; w < 3; w++)
        must(watches[w].told == 1, "Watcher %d should be told once, and was told %d times.", w + 1, watches[w].told);
    must(watches[0].place == 2, "Who ended his watch and began it again came last, and should be told last.");
    future_drop(future);
}

TEST(told_is_forgotten, "A watcher that was told is its owner's again, `next` too, whatever is asked of the future.")
{
    for (int i = 0; i < 2; i++) {
        struct future *future = new_future();
        struct watch one = {0}, two = {0};
        watch(future, &one);
        watch(future, &two);
        if (i == 0)
            must_return(0, future_set_result(future, NULL), "future_set_result");
        else
            must(future_cancel(future) == 0 && future_set_running_or_notify_cancel(future) == ECANCELED,
                 "A pending future should be cancelled, and who was to do the work told so.");
        must(one.told == 1 && two.told == 1, "Two watchers were told %d and %d times.", one.told, two.told);
        one.watcher.next = &two.watcher;
        future_unwatch(future, &two.watcher);
        must(one.watcher.next == &two.watcher,
             "A watcher was told, so its memory is its owner's again; and future_unwatch of another one changed it.");
        future_drop(future);
    }
}

static struct watch seen; /* the watcher of the next test */

static void look_if_told(void *argument)
{
    struct errand *errand = argument;

    errand->exception = (int)future_state(errand->future);
    errand->error = seen.told;
}

TEST(told_before_it_is_seen, "Nobody can see that the future is settled before its watchers were told.")
{
    for (int i = 0; i < 2; i++) {
        struct future *future = future_in(i == 0 ? FUTURE_RUNNING : FUTURE_CANCELLED);
        struct errand errands[2];
        go_on = (struct gate)GATE_CLOSED;
        seen = (struct watch){0};
        watch(future, &seen);
        meet_at(future, i == 0 ? sets_held : begins_held, look_if_told, errands);
        bool settled = errands[1].exception == FUTURE_FINISHED || errands[1].exception == FUTURE_CANCELLED_AND_NOTIFIED;
        must(!settled || errands[1].error == 1, "Another thread sees the state %s, and a watcher is not told yet.",
             name_of((enum future_state)errands[1].exception));
        must(seen.told == 1, "The watcher should be told once, and was told %d times.", seen.told);
        future_drop(future);
    }
}

TEST(watching_needs_no_memory, "Watching cannot fail for want of memory: the memory is the watcher's own.")
{
    struct future *future = new_future();
    struct watch one = {0};

    wrap_fail_memory(-1);
    watch(future, &one);
    must_return(0, future_set_result(future, NULL), "future_set_result without any memory left");
    must(one.told == 1, "The watcher was told %d times.", one.told);
    future_drop(future);
}

static void unwatch(void *argument)
{
    struct errand *errand = argument;

    future_unwatch(errand->future, errand->result);
}

static void unwatch_at(void *argument)
{
    struct errand *errand = argument;

    errand->exception = 0;
    unwatch(argument);
    errand->exception = 1;
}

TEST(unwatch_is_certain, "After future_unwatch the watcher is not being told any more: it may be freed.")
{
    for (int i = 0; i < 2; i++) {
        struct future *future = future_in(i == 0 ? FUTURE_RUNNING : FUTURE_CANCELLED);
        struct gate slow = GATE_CLOSED;
        struct watch one = {.passes = &slow};
        struct errand settler, leaver = {.future = future, .result = &one.watcher};
        watch(future, &one);
        errand_start(&settler, i == 0 ? set_result : begin_work, future, 0);
        must_be_blocked(settler.runner, "The watcher should be told by the thread that settles the future.");
        leaver.runner = runner_start(unwatch_at, &leaver);
        must_be_blocked(leaver.runner,
                        "The watcher is being told, and future_unwatch has returned: who frees it now frees "
                        "what the other thread still uses.");
        gate_open(&slow);
        runner_join(leaver.runner);
        runner_join(settler.runner);
        future_drop(future);
    }
}

static void pause_until(int64_t moment_us)
{
    const struct timespec pause = {0, 1000 * 1000};

    while (now_us() <= moment_us)
        nanosleep(&pause, NULL);
}

TEST(late_and_yet_there, "ETIMEDOUT means that the result is not there: where it is, it is handed out, however late.")
{
    bool forced = false;
    struct errand waiter = {.error = -1}, setter;

    /* The waiter's time ends while the thread that finishes the future holds its lock; a slow machine may need a longer
     * time-out to get so far. */
    for (int64_t timeout_us = 50000; !forced && timeout_us < 60000000; timeout_us *= 2) {
        struct future *future = NULL;
        struct gate slow = GATE_CLOSED;
        struct watch one = {.watcher = {.settled = be_told}, .passes = &slow};
        if (future_create(&future) != 0 || future_watch(future, &one.watcher) != 0)
            break;
        int64_t began_us = now_us();
        errand_start(&waiter, ask_result, future, timeout_us);
        settle();
        errand_start(&setter, set_result, future, 0);
        forced = runner_state(waiter.runner) == RUNNER_BLOCKED;
        pause_until(began_us + timeout_us + timeout_us / 2);
        gate_open(&slow);
        runner_join(waiter.runner);
        runner_join(setter.runner);
        future_drop(future);
    }
    must(forced, "No result could be set while another thread waited for it.");
    must_return(0, waiter.error, "The result came before the waiter looked: future_result");
}
