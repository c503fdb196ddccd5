/* scenario.c - a few tasks for one or two workers.
 *
 * The first scenarios run two calls in a certain order that the detectors do not see (a gate), each pair in both
 * orders; the others leave the order open, for the explorer to try them all.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* scarce.h */
#endif
#include "scenario.h"

#include "executor.h"

#ifndef INTERLEAVE
#include "scarce.h"
#endif

#include <errno.h>
#include <stddef.h>

enum { FAILED = 77 };

static struct executor *made(int max_workers)
{
    struct executor *executor = NULL;

    ensure(executor_create(&executor, max_workers) == 0, "executor_create returned an error");
    return executor;
}

static int give_back(void *argument, void **result)
{
    *result = argument;
    return 0;
}

static int fail(void *argument, void **result)
{
    (void)argument;
    (void)result;
    return FAILED;
}

static int count(void *tally, void **result)
{
    (void)result;
    tally_add(tally, 1);
    return 0;
}

struct blocker {
    struct gate begun, open;
};

static int block(void *argument, void **result)
{
    struct blocker *blocker = argument;

    (void)result;
    gate_open(&blocker->begun);
    gate_pass(&blocker->open);
    return 0;
}

/* ---- two threads, one after the other ---------------------------------------------------------------------------- */

struct part {
    void (*play)(struct executor *executor);
    struct executor *executor;
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->executor);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void in_order(void (*first)(struct executor *), void (*second)(struct executor *))
{
    struct gate first_done = GATE_CLOSED;
    struct executor *executor = made(2);
    struct part one = {first, executor, NULL, &first_done}, two = {second, executor, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    executor_destroy(executor);
}

static void submit_one(struct executor *executor)
{
    struct future *future = NULL;
    int error = executor_submit(executor, give_back, executor, &future);

    ensure(error == 0 || error == ESHUTDOWN, "executor_submit returned %d", error);
    future_drop(future);
}

static void look(struct executor *executor)
{
    ensure(executor_workers(executor) <= executor_max_workers(executor), "there are more workers than may be");
}

static void close_only(struct executor *executor)
{
    ensure(executor_shutdown(executor, false, false) == 0, "executor_shutdown returned an error");
}

static void close_and_cancel(struct executor *executor)
{
    ensure(executor_shutdown(executor, false, true) == 0, "executor_shutdown returned an error");
}

static void close_and_wait(struct executor *executor)
{
    ensure(executor_shutdown(executor, true, false) == 0, "executor_shutdown returned an error");
}

static void two_submit(void)
{
    in_order(submit_one, submit_one);
}

static void submitted_and_counted(void)
{
    in_order(submit_one, look);
    in_order(look, submit_one);
}

static void submitted_and_closed(void)
{
    in_order(submit_one, close_only);
    in_order(close_only, submit_one);
    in_order(submit_one, close_and_cancel);
    in_order(close_and_cancel, submit_one);
}

static void closed_twice(void)
{
    in_order(close_only, close_and_wait);
    in_order(close_and_wait, close_and_cancel);
    in_order(close_and_wait, close_and_wait);
}

/* ---- whole lives ------------------------------------------------------------------------------------------------- */

static void whole_life(void)
{
    struct executor *executor = made(1);
    struct future *good = NULL, *bad = NULL;
    void *result = NULL;

    ensure(executor_submit(executor, give_back, &good, &good) == 0, "executor_submit returned an error");
    ensure(future_result(good, -1, &result) == 0 && result == &good, "the task's result has not come home");
    ensure(executor_submit(executor, fail, NULL, &bad) == 0, "executor_submit returned an error");
    ensure(future_result(bad, -1, NULL) == FAILED, "the task's exception has not come home");
    ensure(executor_shutdown(executor, true, false) == 0, "executor_shutdown returned an error");
    ensure(executor_submit(executor, fail, NULL, NULL) == ESHUTDOWN, "executor_submit did not return ESHUTDOWN");
    executor_destroy(executor);
    future_drop(good);
    future_drop(bad);
    ensure(executor_create(&executor, 0) == EINVAL, "executor_create with a maximum of 0 did not return EINVAL");
    executor_destroy(NULL);
}

static void cancelled_in_the_queue(void)
{
    struct executor *executor = made(1);
    struct blocker blocker = {GATE_CLOSED, GATE_CLOSED};
    struct tally done = TALLY_ZERO;
    struct future *kept = NULL;

    ensure(executor_submit(executor, block, &blocker, NULL) == 0, "executor_submit returned an error");
    gate_pass(&blocker.begun); /* a worker that is free may take a task while others are being cancelled */
    ensure(executor_submit(executor, count, &done, &kept) == 0, "executor_submit returned an error");
    ensure(executor_submit(executor, count, &done, NULL) == 0, "executor_submit returned an error");
    ensure(executor_shutdown(executor, false, true) == 0, "executor_shutdown returned an error");
    gate_open(&blocker.open);
    ensure(future_result(kept, -1, NULL) == ECANCELED, "the future of a cancelled task did not give ECANCELED");
    executor_destroy(executor);
    ensure(tally_read(&done) == 0, "a task was cancelled, and was done all the same");
    future_drop(kept);
}

static void cancelled_by_its_owner(void)
{
    struct executor *executor = made(1);
    struct tally done = TALLY_ZERO;
    struct future *future = NULL;

    ensure(executor_submit(executor, count, &done, &future) == 0, "executor_submit returned an error");
    int error = future_cancel(future);
    executor_destroy(executor);
    ensure(tally_read(&done) == (error == 0 ? 0 : 1), "future_cancel returned %d, and the task was done %ld times",
           error, tally_read(&done));
    future_drop(future);
}

static void never_closed(void)
{
    struct executor *executor = made(1);
    struct tally done = TALLY_ZERO;

    ensure(executor_submit(executor, count, &done, NULL) == 0, "executor_submit returned an error");
    ensure(executor_submit(executor, count, &done, NULL) == 0, "executor_submit returned an error");
    executor_destroy(executor);
    ensure(tally_read(&done) == 2, "two tasks were submitted, and %ld were done", tally_read(&done));
}

/* ---- any order --------------------------------------------------------------------------------------------------- */

struct pair {
    struct crew crew;
    struct gate begun[2];
    struct tally order;
};

static int meet(void *argument, void **result)
{
    struct pair *pair = argument;

    (void)result;
    gate_open(&pair->begun[tally_add(&pair->order, 1) - 1]);
    crew_meet(&pair->crew);
    return 0;
}

/* Two tasks that need each other; waits until both are done, so that no shutdown comes to wake anybody. Only the
 * explorer submits the second before the first has begun: what becomes of that is a matter of order, and it tries them
 * all. */
static void both_must_run(struct executor *executor)
{
    struct pair pair = {.crew = CREW_OF(2)};
    struct future *futures[2] = {NULL, NULL};

    for (int i = 0; i < 2; i++) {
        ensure(executor_submit(executor, meet, &pair, &futures[i]) == 0, "executor_submit returned an error");
#ifndef INTERLEAVE
        gate_pass(&pair.begun[i]);
#endif
    }
    for (int i = 0; i < 2; i++) {
        ensure(future_result(futures[i], -1, NULL) == 0, "a task failed");
        future_drop(futures[i]);
    }
}

static void two_tasks_meet(void)
{
    struct executor *executor = made(2);
    struct future *warm = NULL;

    ensure(executor_submit(executor, give_back, NULL, &warm) == 0, "executor_submit returned an error");
    ensure(future_result(warm, -1, NULL) == 0, "a task failed");
    future_drop(warm);
    both_must_run(executor);
    executor_destroy(executor);
}

static void two_idle_workers(void)
{
    struct executor *executor = made(2);

    both_must_run(executor);
    both_must_run(executor);
    executor_destroy(executor);
}

struct closing {
    struct executor *executor;
};

static void *close_it(void *argument)
{
    struct closing *closing = argument;

    ensure(executor_shutdown(closing->executor, true, false) == 0, "executor_shutdown returned an error");
    return NULL;
}

static void closed_meanwhile(void)
{
    struct closing closing = {made(1)};
    struct tally done = TALLY_ZERO;
    struct future *future = NULL;
    pthread_t closer = scenario_thread(close_it, &closing);
    int error = executor_submit(closing.executor, count, &done, &future);

    if (error == 0)
        ensure(future_result(future, -1, NULL) == 0, "a task was accepted and not done");
    scenario_join(closer);
    executor_destroy(closing.executor);
    ensure(tally_read(&done) == (error == 0 ? 1 : 0), "executor_submit returned %d, and the task was done %ld times",
           error, tally_read(&done));
    future_drop(future);
}

static void no_thread_to_be_had(void)
{
#ifndef INTERLEAVE
    struct executor *executor = made(1);
    struct tally done = TALLY_ZERO;

    if (scarce_threads(true)) {
        int error = executor_submit(executor, count, &done, NULL);
        scarce_threads(false);
        ensure(error == EAGAIN || error == 0, "without a thread executor_submit returned %d", error);
    }
    ensure(executor_submit(executor, count, &done, NULL) == 0, "executor_submit returned an error");
    executor_destroy(executor);
#endif
}

SCENARIOS = {
    {"two_submit", two_submit, "two threads submit a task each"},
    {"submitted_and_counted", submitted_and_counted, "one thread submits, another asks how many workers there are"},
    {"submitted_and_closed", submitted_and_closed, "one thread submits, another shuts it down"},
    {"closed_twice", closed_twice, "two threads shut it down"},
    {"whole_life", whole_life, "two tasks, a shutdown, and one task too many"},
    {"cancelled_in_the_queue", cancelled_in_the_queue, "a shutdown cancels two tasks while a third runs"},
    {"cancelled_by_its_owner", cancelled_by_its_owner, "who submitted a task cancels it"},
    {"never_closed", never_closed, "two tasks without their futures, and no shutdown"},
    {"two_tasks_meet", two_tasks_meet, "two tasks need each other, and one worker is idle"},
    {"two_idle_workers", two_idle_workers, "two tasks need each other, and two workers are idle"},
    {"closed_meanwhile", closed_meanwhile, "one thread submits while another shuts it down"},
    {"no_thread_to_be_had", no_thread_to_be_had, "there is no thread for the first task, and one for the second"},
    SCENARIOS_END,
};
