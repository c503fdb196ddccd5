/* tests.c - what an executor must do.
 *
 * Tasks wait at gates, so the test decides when a worker is busy. A worker is idle when everything has settled.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT; slices.h */
#endif
#include "check.h"
#include "executor.h"
#include "fifo_queue.h"
#include "slices.h"
#include "wrap.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { FAILED = 77, TASKS = 6, WORKERS = 4, ALLOCATIONS = 4, MANY = 20000 };

static struct executor *new_executor(int max_workers)
{
    struct executor *executor = NULL;
    int error = executor_create(&executor, max_workers);

    must(error == 0 && executor != NULL, "executor_create returned %s or stored no executor.", error_text(error));
    return executor;
}

static struct future *submit(struct executor *executor, int (*work)(void *, void **), void *argument)
{
    struct future *future = NULL;
    int error = executor_submit(executor, work, argument, &future);

    must(error == 0 && future != NULL, "executor_submit returned %s or stored no future.", error_text(error));
    return future;
}

static void must_have_state(struct future *future, enum future_state expected, const char *what)
{
    static const char *const names[] = {"PENDING", "RUNNING", "CANCELLED", "CANCELLED_AND_NOTIFIED", "FINISHED"};
    unsigned state = (unsigned)future_state(future);

    must(state == (unsigned)expected, "%s should be %s, but it is %s.", what, names[expected],
         state < 5 ? names[state] : "none of the five");
}

static void must_have_workers(struct executor *executor, int expected, const char *when)
{
    must(settle(), "%s a worker without a task should sleep; one of them keeps looking.", when);
    must(executor_workers(executor) == expected, "%s executor_workers should be %d, but it is %d.", when, expected,
         executor_workers(executor));
    must(extra_threads() == expected, "%s there should be %d threads of the executor, and there are %d.", when,
         expected, extra_threads());
}

/* ---- tasks ------------------------------------------------------------------------------------------------------- */

static int give_back(void *argument, void **result)
{
    *result = argument;
    return 0;
}

static int fail(void *argument, void **result)
{
    *result = argument;
    return FAILED;
}

static int fail_below_zero(void *argument, void **result)
{
    (void)argument;
    (void)result;
    return -FAILED;
}

static int keep_quiet(void *argument, void **result)
{
    *(bool *)argument = *result == NULL;
    return 0;
}

static int count(void *tally, void **result)
{
    (void)result;
    tally_add(tally, 1);
    return 0;
}

static int wait_for_gate(void *gate, void **result)
{
    (void)result;
    gate_pass(gate);
    return 0;
}

static int meet(void *crew, void **result)
{
    (void)result;
    crew_meet(crew);
    return 0;
}

static int who_am_i(void *place, void **result)
{
    (void)result;
    *(pthread_t *)place = pthread_self();
    return 0;
}

/* What several tasks write down; one worker, so one at a time. */
static struct {
    int count;
    int numbers[TASKS];
} list;

static int write_down(void *number, void **result)
{
    (void)result;
    if (list.count < TASKS)
        list.numbers[list.count] = *(int *)number;
    list.count++;
    return 0;
}

static int numbers[TASKS] = {0, 1, 2, 3, 4, 5};

/* ---- what another thread does ------------------------------------------------------------------------------------ */

struct errand {
    struct executor *executor;
    bool wait, cancel_futures;
    struct tally *tally;
    struct gate *gate;
    struct future *future;
    int error, late; /* `late`: of a submit by a task that has shut its executor down */
    struct runner *runner;
};

static void shut_down(void *argument)
{
    struct errand *errand = argument;

    errand->error = executor_shutdown(errand->executor, errand->wait, errand->cancel_futures);
}

static void destroy(void *argument)
{
    struct errand *errand = argument;

    executor_destroy(errand->executor);
}

static void submit_count(void *argument)
{
    struct errand *errand = argument;

    errand->error = executor_submit(errand->executor, count, errand->tally, &errand->future);
}

/* ---- one task ---------------------------------------------------------------------------------------------------- */

TEST(nothing_to_do, "A new executor starts no thread before there is a task; its maximum is above 0.")
{
    struct executor *executor = NULL;

    must_return(EINVAL, executor_create(&executor, 0), "executor_create with a maximum of 0");
    must_return(EINVAL, executor_create(&executor, -3), "executor_create with a maximum below 0");
    must(executor == NULL, "executor_create returned EINVAL and stored an executor.");
    executor = new_executor(3);
    must(executor_max_workers(executor) == 3, "executor_max_workers should be 3, but it is %d.",
         executor_max_workers(executor));
    must_have_workers(executor, 0, "Before the first task");
    executor_destroy(executor);
    executor_destroy(NULL);
    must_return(EINVAL, executor_create(&executor, INT_MIN), "executor_create with the smallest int as its maximum");
    executor = new_executor(INT_MAX);
    must(executor_max_workers(executor) == INT_MAX, "executor_max_workers should be %d, but it is %d.", INT_MAX,
         executor_max_workers(executor));
    must_return(0, executor_submit(executor, give_back, NULL, NULL), "executor_submit, with as large a maximum,");
    must_have_workers(executor, 1, "After one task, with the largest maximum,");
    executor_destroy(executor);
}

TEST(result_comes_home, "A task's result is its future's result, and what it returns above 0 is its exception.")
{
    struct executor *executor = new_executor(1);
    struct future *good = submit(executor, give_back, &executor), *bad = submit(executor, fail, &executor);
    struct future *below = submit(executor, fail_below_zero, NULL);
    bool none_before = false;
    struct future *quiet = submit(executor, keep_quiet, &none_before);
    void *result = NULL;
    int exception = 0;

    must_return(0, future_result(good, -1, &result), "future_result of a task that returned 0");
    must(result == &executor, "The task's result has not come home.");
    must_return(FAILED, future_result(bad, -1, NULL), "future_result of a task that returned 77");
    must_return(0, future_exception(below, -1, &exception), "future_exception of a task that returned -77");
    must(exception == EINVAL, "A task that returned -77 should have the exception EINVAL, but it has %d.", exception);
    must_return(0, future_result(quiet, -1, &result), "future_result of a task that stored nothing");
    must(none_before && result == NULL, "A task that stores no result should have the result NULL.");
    future_drop(quiet);
    future_drop(below);
    future_drop(bad);
    future_drop(good);
    executor_destroy(executor);
}

TEST(submit_does_not_wait, "submit returns while the task runs or waits; the future tells which.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;
    struct future *first = submit(executor, wait_for_gate, &open), *second = submit(executor, wait_for_gate, &open);

    must(settle(), "A worker that waits in its task should be the only thing that goes on.");
    must_have_state(first, FUTURE_RUNNING, "The future of a task that runs");
    must_have_state(second, FUTURE_PENDING, "The future of a task that waits for a worker");
    must_return(EBUSY, future_cancel(first), "future_cancel of a task that runs");
    gate_open(&open);
    must_return(0, future_result(second, -1, NULL), "future_result of the second task");
    future_drop(second);
    future_drop(first);
    executor_destroy(executor);
}

TEST(no_future_wanted, "Who wants no future gets none, and the task is done all the same.")
{
    struct executor *executor = new_executor(2);
    struct tally done = TALLY_ZERO;

    for (int i = 0; i < TASKS; i++)
        must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit without a place for the future");
    must_return(0, executor_submit(executor, fail, NULL, NULL), "executor_submit without a place for the future");
    must_return(0, executor_shutdown(executor, true, false), "executor_shutdown");
    must(tally_read(&done) == TASKS, "%d tasks were submitted, and there were %ld calls.", TASKS, tally_read(&done));
    executor_destroy(executor);
}

TEST(in_order, "Tasks begin in the order in which they were submitted, each once.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;

    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    for (int i = 0; i < TASKS; i++)
        must_return(0, executor_submit(executor, write_down, &numbers[i], NULL), "executor_submit");
    gate_open(&open);
    must_return(0, executor_shutdown(executor, true, false), "executor_shutdown");
    must(list.count == TASKS, "%d tasks were submitted, and there were %d calls.", TASKS, list.count);
    for (int i = 0; i < TASKS; i++)
        must(list.numbers[i] == i, "Task %d was begun in place %d.", list.numbers[i] + 1, i + 1);
    executor_destroy(executor);
}

TEST(many_wait, "However many tasks wait for a worker, submit accepts one more, and each is done.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;
    struct tally done = TALLY_ZERO;
    int refused = 0;

    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    for (int i = 0; i < MANY; i++)
        refused += executor_submit(executor, count, &done, NULL) == 0 ? 0 : 1;
    must(refused == 0, "Of %d tasks that were to wait for a worker, %d were refused.", MANY, refused);
    must(tally_read(&done) == 0, "The only worker is busy, and %ld tasks behind its own were done.", tally_read(&done));
    gate_open(&open);
    must_return(0, executor_shutdown(executor, true, false), "executor_shutdown");
    must(tally_read(&done) == MANY, "%d tasks were submitted, and there were %ld calls.", MANY, tally_read(&done));
    executor_destroy(executor);
}

/* ---- the workers ------------------------------------------------------------------------------------------------- */

TEST(idle_worker_is_taken, "A worker is started only where none is idle: one that has finished its task does the next.")
{
    struct executor *executor = new_executor(3);
    struct gate first_open = GATE_CLOSED, second_open = GATE_CLOSED, third_open = GATE_CLOSED;

    for (int i = 0; i < 3; i++) {
        struct future *future = submit(executor, give_back, NULL);
        must_return(0, future_result(future, -1, NULL), "future_result");
        future_drop(future);
        must_have_workers(executor, 1, "After tasks that came when the only worker was idle");
    }
    must_return(0, executor_submit(executor, wait_for_gate, &first_open, NULL), "executor_submit");
    must_have_workers(executor, 1, "With one task, and one worker that was idle,");
    must_return(0, executor_submit(executor, wait_for_gate, &second_open, NULL), "executor_submit");
    must_have_workers(executor, 2, "With two tasks that run");
    gate_open(&first_open);
    must_have_workers(executor, 2, "With one worker idle");
    must_return(0, executor_submit(executor, wait_for_gate, &third_open, NULL), "executor_submit");
    must_have_workers(executor, 2, "After a task that came when a worker was idle");
    gate_open(&second_open);
    gate_open(&third_open);
    executor_destroy(executor);
}

struct held {
    struct gate begun, open;
};

static void hold_up(struct future *future, void *argument)
{
    struct held *held = argument;

    (void)future;
    gate_open(&held->begun);
    gate_pass(&held->open);
}

TEST(callbacks_keep_it_busy,
     "A worker that still calls callbacks is not idle: another one is started for the next task.")
{
    struct executor *executor = new_executor(2);
    struct gate open = GATE_CLOSED;
    struct held held = {GATE_CLOSED, GATE_CLOSED};
    struct tally done = TALLY_ZERO;
    struct future *first = submit(executor, wait_for_gate, &open);

    must_return(0, future_add_done_callback(first, hold_up, &held), "future_add_done_callback");
    gate_open(&open);
    gate_pass(&held.begun);
    struct future *second = submit(executor, count, &done);
    must_return(0, future_result(second, -1, NULL), "future_result of the task that came meanwhile");
    must_have_workers(executor, 2, "With one worker in a callback and one task more");
    gate_open(&held.open);
    executor_destroy(executor);
    future_drop(first);
    future_drop(second);
}

static void pass_gate(void *gate)
{
    gate_pass(gate);
}

TEST(new_worker_need_not_run, "submit does not wait for a worker that it has started to run.")
{
    struct executor *executor = new_executor(1);
    struct gate may_begin = GATE_CLOSED;
    struct tally done = TALLY_ZERO;
    struct errand errand = {.executor = executor, .tally = &done, .error = -1};

    wrap_in_thread(pass_gate, &may_begin);
    errand.runner = runner_start(submit_count, &errand);
    must_be_done(errand.runner, "The new worker does not run yet, and executor_submit waits for it.");
    runner_join(errand.runner);
    wrap_in_thread(NULL, NULL);
    must_return(0, errand.error, "executor_submit");
    must_have_state(errand.future, FUTURE_PENDING, "The future of a task whose worker does not run yet");
    gate_open(&may_begin);
    must_return(0, future_result(errand.future, -1, NULL), "future_result");
    future_drop(errand.future);
    executor_destroy(executor);
}

/* A task whose future is cancelled before its worker has begun. */
static void submit_and_cancel(struct executor *executor)
{
    struct gate may_begin = GATE_CLOSED;
    struct tally done = TALLY_ZERO;

    wrap_in_thread(pass_gate, &may_begin);
    struct future *future = submit(executor, count, &done);
    wrap_in_thread(NULL, NULL);
    must_return(0, future_cancel(future), "future_cancel of a task that no worker has begun");
    gate_open(&may_begin);
    settle();
    must(tally_read(&done) == 0, "A task was cancelled before it began, and was done all the same.");
    future_drop(future);
}

TEST(idle_whatever_it_did, "A worker is idle after any task: one that failed, one that was cancelled, one for nobody.")
{
    for (int i = 0; i < 5; i++) {
        struct executor *executor = new_executor(3);
        struct tally done = TALLY_ZERO;
        struct future *future = NULL;
        if (i == 0)
            submit_and_cancel(executor);
        else
            must_return(0, executor_submit(executor, i < 3 ? fail : fail_below_zero, NULL, i % 2 == 1 ? &future : NULL),
                        "executor_submit");
        settle();
        future_drop(future);
        must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit");
        must_have_workers(executor, 1,
                          i == 0 ? "When the only worker was idle, after a task that was cancelled,"
                                 : "When the only worker was idle, after a task that failed,");
        must(tally_read(&done) == 1, "A task was submitted, and was done %ld times.", tally_read(&done));
        executor_destroy(executor);
    }
}

TEST(never_above_the_maximum, "There are never more workers than the maximum; what they cannot begin waits.")
{
    struct executor *executor = new_executor(2);
    struct gate open = GATE_CLOSED;
    struct future *futures[TASKS];

    for (int i = 0; i < TASKS; i++)
        futures[i] = submit(executor, wait_for_gate, &open);
    must_have_workers(executor, 2, "With a maximum of two, and six tasks,");
    for (int i = 0; i < TASKS; i++)
        must_have_state(futures[i], i < 2 ? FUTURE_RUNNING : FUTURE_PENDING,
                        i < 2 ? "One of the first two tasks" : "A task behind the first two");
    gate_open(&open);
    for (int i = 0; i < TASKS; i++) {
        must_return(0, future_result(futures[i], -1, NULL), "future_result");
        future_drop(futures[i]);
    }
    executor_destroy(executor);
}

TEST(really_at_once, "As many tasks run at the same time as there may be workers.")
{
    struct executor *executor = new_executor(WORKERS);
    struct crew first = CREW_OF(WORKERS), second = CREW_OF(WORKERS);

    for (int i = 0; i < WORKERS; i++)
        must_return(0, executor_submit(executor, meet, &first, NULL), "executor_submit");
    gate_pass(&first.full);
    must_have_workers(executor, WORKERS, "When all are idle");
    for (int i = 0; i < WORKERS; i++) {
        must_return(0, executor_submit(executor, meet, &second, NULL), "executor_submit");
        settle(); /* one after the other: what two at once may do to each other is for the explorer */
    }
    gate_pass(&second.full);
    must_have_workers(executor, WORKERS, "When all are idle again");
    executor_destroy(executor);
}

/* The executor's own calls of these come here (exercise.ini): how many references it was given, less those it gave
 * back.
 */
static atomic_long references;

int wrap_future_create(struct future **future);
struct future *wrap_future_hold(struct future *future);
void wrap_future_drop(struct future *future);

static int no_future; /* where not 0, the error of each future_create */

int wrap_future_create(struct future **future)
{
    int error = no_future != 0 ? no_future : future_create(future);

    if (error == 0)
        atomic_fetch_add(&references, 1);
    return error;
}

struct future *wrap_future_hold(struct future *future)
{
    atomic_fetch_add(&references, 1);
    return future_hold(future);
}

void wrap_future_drop(struct future *future)
{
    if (future != NULL)
        atomic_fetch_sub(&references, 1);
    future_drop(future);
}

TEST(reference_given_back,
     "When the task is done the executor has no reference to its future any more: one is left, the caller's.")
{
    struct executor *executor = new_executor(1);
    struct future *future = submit(executor, give_back, NULL);

    must_return(0, future_result(future, -1, NULL), "future_result");
    settle();
    long left = atomic_load(&references);
    must(left == 1, "A task is done, its worker is idle, and there are %ld references to its future, not 1.", left);
    future_drop(future);
    executor_destroy(executor);
}

static long waits(void)
{
    return wrap_count(WRAP_pthread_cond_wait) + wrap_count(WRAP_pthread_cond_timedwait);
}

TEST(wakes_one_worker, "With all workers asleep a task wakes one of them: the others would only look and sleep again.")
{
    struct executor *executor = new_executor(WORKERS);
    struct crew crew = CREW_OF(WORKERS + 1);
    struct tally done = TALLY_ZERO;

    for (int i = 0; i < WORKERS; i++)
        must_return(0, executor_submit(executor, meet, &crew, NULL), "executor_submit");
    crew_meet(&crew);
    settle();
    long before = waits();
    must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit");
    settle();
    must(tally_read(&done) == 1, "All workers were idle, and the task was done %ld times.", tally_read(&done));
    must(waits() - before <= 2, "One task had %ld of %d idle workers look for it and sleep again.", waits() - before,
         WORKERS);
    executor_destroy(executor);
}

/* A task: from now on the waits of its worker are counted. */
static int count_slices(void *tally, void **result)
{
    (void)result;
    slices = tally;
    return 0;
}

TEST(idle_worker_sleeps, "A worker without a task sleeps until there is one: it does not look again every moment.")
{
    struct executor *executor = new_executor(1);
    struct tally *looked = slices_tally();

    must_return(0, executor_submit(executor, count_slices, looked, NULL), "executor_submit");
    settle();
    must(tally_read(looked) == 0, "A worker without a task should sleep until there is one, but it sleeps for a moment "
                                  "and looks again.");
    executor_destroy(executor);
}

TEST(failure_ends_no_worker, "A task that fails fails its future and nothing else: the same worker does the next task.")
{
    struct executor *executor = new_executor(1);
    pthread_t before = pthread_self(), after = pthread_self();

    must_return(0, executor_submit(executor, who_am_i, &before, NULL), "executor_submit");
    for (int i = 0; i < 3; i++) {
        struct future *future = submit(executor, i == 2 ? fail_below_zero : fail, NULL);
        must_return(i == 2 ? EINVAL : FAILED, future_result(future, -1, NULL), "future_result of a task that failed");
        future_drop(future);
    }
    must_have_workers(executor, 1, "After tasks that failed");
    struct future *future = submit(executor, who_am_i, &after);
    must_return(0, future_result(future, -1, NULL), "future_result of the task behind those that failed");
    future_drop(future);
    must(pthread_equal(before, after), "After a task that failed another worker has taken the place of the first.");
    must(!pthread_equal(before, pthread_self()), "The task was done by the thread that submitted it.");
    executor_destroy(executor);
}

TEST(woken_for_nothing, "A wait may end although nobody has signalled: a worker that finds no task sleeps again.")
{
    struct executor *executor = new_executor(1);
    struct tally done = TALLY_ZERO;

    wrap_fail(WRAP_pthread_cond_wait, 1, 0);
    for (int i = 0; i < 3; i++) {
        must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit");
        must_have_workers(executor, 1, "When its task is done");
        must(tally_read(&done) == i + 1, "%d tasks were submitted, and there were %ld calls.", i + 1,
             tally_read(&done));
    }
    wrap_fail(WRAP_pthread_cond_wait, 1, 0);
    must_return(0, executor_shutdown(executor, true, false), "executor_shutdown");
    executor_destroy(executor);
}

/* ---- cancelling -------------------------------------------------------------------------------------------------- */

TEST(cancelled_is_not_done, "A task whose future is cancelled before it begins is not done, and its watchers are told.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;
    struct tally done = TALLY_ZERO;

    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    struct future *cancelled = submit(executor, count, &done), *next = submit(executor, count, &done);
    must_return(0, future_cancel(cancelled), "future_cancel of a task that waits");
    gate_open(&open);
    must_return(0, future_result(next, -1, NULL), "future_result of the task behind a cancelled one");
    must(tally_read(&done) == 1, "One of two tasks was cancelled, and there were %ld calls.", tally_read(&done));
    must_have_state(cancelled, FUTURE_CANCELLED_AND_NOTIFIED, "The future that was cancelled, when its turn has come,");
    future_drop(next);
    future_drop(cancelled);
    executor_destroy(executor);
}

/* ---- shutdown ---------------------------------------------------------------------------------------------------- */

TEST(refused_after_shutdown, "After a shutdown submit returns ESHUTDOWN, and the task is not done.")
{
    for (int round = 0; round < 4; round++) {
        struct executor *executor = new_executor(2);
        struct tally done = TALLY_ZERO;
        struct future *future = NULL;
        if (round > 1)
            must_return(0, executor_submit(executor, give_back, NULL, NULL), "executor_submit");
        must_return(0, executor_shutdown(executor, round % 2 == 0, false), "executor_shutdown");
        must_return(ESHUTDOWN, executor_submit(executor, count, &done, &future), "executor_submit after a shutdown");
        must_return(ESHUTDOWN, executor_submit(executor, count, &done, NULL), "executor_submit after a shutdown");
        must(future == NULL, "executor_submit returned ESHUTDOWN and stored a future.");
        executor_destroy(executor);
        must(tally_read(&done) == 0, "A task was refused, and was done all the same.");
    }
}

TEST(idle_workers_end, "A shutdown ends the idle workers, also if nobody waits for that.")
{
    struct executor *executor = new_executor(3);
    struct crew crew = CREW_OF(3);

    for (int i = 0; i < 3; i++)
        must_return(0, executor_submit(executor, meet, &crew, NULL), "executor_submit");
    must_have_workers(executor, 3, "With three idle workers");
    must_return(0, executor_shutdown(executor, false, false), "executor_shutdown");
    settle();
    must(extra_threads() == 0, "It is shut down and nothing is left to do, and %d workers are still there.",
         extra_threads());
    must(executor_workers(executor) == 3, "executor_workers should still be 3, for so many were started.");
    must_return(0, executor_shutdown(executor, true, false), "A second executor_shutdown");
    executor_destroy(executor);
}

TEST(idle_end_before_busy, "A shutdown ends the idle workers although another one is busy still.")
{
    struct executor *executor = new_executor(3);
    struct crew crew = CREW_OF(3);
    struct gate open = GATE_CLOSED;

    for (int i = 0; i < 3; i++)
        must_return(0, executor_submit(executor, meet, &crew, NULL), "executor_submit");
    must_have_workers(executor, 3, "With three idle workers");
    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    settle();
    must_return(0, executor_shutdown(executor, false, false), "executor_shutdown");
    settle();
    must(extra_threads() == 1, "It is shut down, one worker is busy, and %d are still there.", extra_threads());
    gate_open(&open);
    settle();
    must(extra_threads() == 0, "All tasks are done, and %d workers are still there.", extra_threads());
    executor_destroy(executor);
}

/* One task that runs, TASKS in the queue, and a shutdown by another thread. */
static void shut_down_busy(struct errand *errand, bool wait, bool cancel_futures, struct gate *open, struct tally *done,
                           struct future *futures[TASKS])
{
    struct executor *executor = new_executor(1);

    must_return(0, executor_submit(executor, wait_for_gate, open, NULL), "executor_submit");
    for (int i = 0; i < TASKS; i++)
        futures[i] = submit(executor, count, done);
    settle();
    *errand = (struct errand){.executor = executor, .wait = wait, .cancel_futures = cancel_futures, .error = -1};
    errand->runner = runner_start(shut_down, errand);
}

TEST(queued_work_is_done,
     "What waits in the queue at a shutdown is still done, and a shutdown that waits waits for it.")
{
    struct gate open = GATE_CLOSED;
    struct tally done = TALLY_ZERO;
    struct future *futures[TASKS];
    struct errand errand;

    shut_down_busy(&errand, true, false, &open, &done, futures);
    must_be_blocked(errand.runner, "executor_shutdown was asked to wait, and returned while a task was running.");
    must_return(ESHUTDOWN, executor_submit(errand.executor, count, &done, NULL), "executor_submit meanwhile");
    gate_open(&open);
    runner_join(errand.runner);
    must_return(0, errand.error, "executor_shutdown");
    must(tally_read(&done) == TASKS, "%d tasks waited in the queue, and %ld were done.", TASKS, tally_read(&done));
    settle();
    must(extra_threads() == 0, "executor_shutdown has waited, and %d workers are still there.", extra_threads());
    for (int i = 0; i < TASKS; i++) {
        must_have_state(futures[i], FUTURE_FINISHED, "The future of a task that waited in the queue");
        future_drop(futures[i]);
    }
    executor_destroy(errand.executor);
}

TEST(shutdown_need_not_wait, "A shutdown that is not to wait returns at once, and the work goes on by itself.")
{
    struct gate open = GATE_CLOSED;
    struct tally done = TALLY_ZERO;
    struct future *futures[TASKS];
    struct errand errand;

    shut_down_busy(&errand, false, false, &open, &done, futures);
    must_be_done(errand.runner, "executor_shutdown was asked not to wait, and waits for a task.");
    runner_join(errand.runner);
    must_return(0, errand.error, "executor_shutdown");
    gate_open(&open);
    settle();
    must(tally_read(&done) == TASKS, "%d tasks waited in the queue, and %ld were done.", TASKS, tally_read(&done));
    must(extra_threads() == 0, "All tasks are done, and %d workers are still there.", extra_threads());
    for (int i = 0; i < TASKS; i++)
        future_drop(futures[i]);
    executor_destroy(errand.executor);
}

static void tally_call(struct future *future, void *tally)
{
    (void)future;
    tally_add(tally, 1);
}

struct told {
    struct future_watcher watcher; /* the first member */
    struct tally times;
};

static void be_told(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    (void)callbacks;
    (void)state;
    (void)exception;
    tally_add(&((struct told *)watcher)->times, 1);
}

TEST(queue_is_cancelled,
     "Where it is to cancel futures, the tasks in the queue are cancelled and notified, and not done.")
{
    for (int wait = 0; wait < 2; wait++) {
        struct gate open = GATE_CLOSED;
        struct tally done = TALLY_ZERO, called = TALLY_ZERO;
        struct future *futures[TASKS];
        struct errand errand;
        struct executor *executor = new_executor(1);
        struct told told = {{.settled = be_told}, TALLY_ZERO};
        struct future *running = submit(executor, wait_for_gate, &open);
        for (int i = 0; i < TASKS; i++) {
            futures[i] = submit(executor, count, &done);
            must_return(0, future_add_done_callback(futures[i], tally_call, &called), "future_add_done_callback");
        }
        must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit");
        must_return(0, future_cancel(futures[1]), "future_cancel of a task that waits");
        must_return(0, future_watch(futures[2], &told.watcher), "future_watch");
        settle();
        errand = (struct errand){.executor = executor, .wait = wait == 1, .cancel_futures = true, .error = -1};
        errand.runner = runner_start(shut_down, &errand);
        if (wait == 1)
            must_be_blocked(errand.runner,
                            "executor_shutdown was asked to wait, and returned while a task was running.");
        else
            must_be_done(errand.runner, "executor_shutdown was asked not to wait, and waits for a task.");
        must(tally_read(&called) == TASKS, "%d futures were cancelled, and %ld callbacks were called.", TASKS,
             tally_read(&called));
        must(tally_read(&told.times) == 1, "Who watches a future that a shutdown has cancelled should be told, once.");
        for (int i = 0; i < TASKS; i++)
            must_have_state(futures[i], FUTURE_CANCELLED_AND_NOTIFIED,
                            i == 1 ? "A future that was cancelled before, after a shutdown that cancels,"
                                   : "A future that a shutdown has cancelled");
        must_have_state(running, FUTURE_RUNNING, "What runs should not be disturbed: its future");
        gate_open(&open);
        runner_join(errand.runner);
        must_return(0, errand.error, "executor_shutdown");
        must_return(0, future_result(running, -1, NULL), "future_result of the task that was running");
        executor_destroy(executor);
        must(tally_read(&done) == 0, "The tasks in the queue were cancelled, and %ld were done.", tally_read(&done));
        for (int i = 0; i < TASKS; i++)
            future_drop(futures[i]);
        future_drop(running);
    }
}

static void note_number(struct future *future, void *number)
{
    void *result = NULL;

    (void)future;
    (void)write_down(number, &result);
}

TEST(cancelled_in_order, "A shutdown cancels what waits in the order of the queue.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;
    struct future *futures[TASKS];

    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    settle();
    for (int i = 0; i < TASKS; i++) {
        futures[i] = submit(executor, give_back, NULL);
        must_return(0, future_add_done_callback(futures[i], note_number, &numbers[i]), "future_add_done_callback");
    }
    must_return(0, executor_shutdown(executor, false, true), "executor_shutdown");
    must(list.count == TASKS, "%d futures were cancelled, and %d callbacks were called.", TASKS, list.count);
    for (int i = 0; i < TASKS; i++) {
        must(list.numbers[i] == i, "Task %d in the queue was cancelled in place %d.", list.numbers[i] + 1, i + 1);
        future_drop(futures[i]);
    }
    gate_open(&open);
    executor_destroy(executor);
}

TEST(cancelled_by_a_later_shutdown,
     "It may be shut down again, with other arguments: then what still waits is cancelled.")
{
    struct gate open = GATE_CLOSED;
    struct tally done = TALLY_ZERO;
    struct future *futures[TASKS];
    struct errand errand;

    shut_down_busy(&errand, true, false, &open, &done, futures);
    must_be_blocked(errand.runner, "executor_shutdown was asked to wait, and returned while a task was running.");
    must_return(0, executor_shutdown(errand.executor, false, true),
                "executor_shutdown, cancelling, while another waits,");
    for (int i = 0; i < TASKS; i++)
        must_have_state(futures[i], FUTURE_CANCELLED_AND_NOTIFIED, "A future that a shutdown has cancelled");
    gate_open(&open);
    runner_join(errand.runner);
    must_return(0, errand.error, "executor_shutdown");
    must(tally_read(&done) == 0, "The tasks in the queue were cancelled, and %ld were done.", tally_read(&done));
    for (int i = 0; i < TASKS; i++)
        future_drop(futures[i]);
    executor_destroy(errand.executor);
}

TEST(all_who_wait_get_it,
     "Several threads may shut it down at the same time: each that asked to wait waits to the end.")
{
    struct gate open = GATE_CLOSED;
    struct tally done = TALLY_ZERO;
    struct future *futures[TASKS];
    struct errand first, second;

    shut_down_busy(&first, true, false, &open, &done, futures);
    second = (struct errand){.executor = first.executor, .wait = true, .error = -1};
    second.runner = runner_start(shut_down, &second);
    must_be_blocked(first.runner, "executor_shutdown was asked to wait, and returned while a task was running.");
    must_be_blocked(second.runner, "A second executor_shutdown that is to wait returned while a task was running.");
    gate_open(&open);
    runner_join(first.runner);
    runner_join(second.runner);
    must(first.error == 0 && second.error == 0, "Both should get 0, not %s and %s.", error_text(first.error),
         error_text(second.error));
    must_return(0, executor_shutdown(first.executor, true, true), "A third executor_shutdown");
    for (int i = 0; i < TASKS; i++)
        future_drop(futures[i]);
    executor_destroy(first.executor);
}

TEST(waits_for_each_worker, "A shutdown that waits waits for all workers, and not for the first one that ends.")
{
    struct executor *executor = new_executor(3);
    struct gate first_open = GATE_CLOSED, second_open = GATE_CLOSED;
    struct errand errand = {.executor = executor, .wait = true, .error = -1};

    must_return(0, executor_submit(executor, wait_for_gate, &first_open, NULL), "executor_submit");
    must_return(0, executor_submit(executor, wait_for_gate, &second_open, NULL), "executor_submit");
    must_return(0, executor_submit(executor, give_back, NULL, NULL), "executor_submit");
    must_have_workers(executor, 3, "With two workers busy, and one idle,");
    errand.runner = runner_start(shut_down, &errand);
    must_be_blocked(errand.runner, "Two workers are busy, the idle one has ended, and executor_shutdown has returned.");
    gate_open(&first_open);
    must_be_blocked(errand.runner, "One of three workers is still busy, and executor_shutdown has returned.");
    gate_open(&second_open);
    runner_join(errand.runner);
    must_return(0, errand.error, "executor_shutdown");
    executor_destroy(executor);
}

TEST(shutdown_woken_for_nothing, "A shutdown that waits and is woken for nothing looks again, and goes on waiting.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;
    struct errand errand = {.executor = executor, .wait = true, .error = -1};

    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    settle();
    wrap_fail(WRAP_pthread_cond_wait, 1, 0);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    errand.runner = runner_start(shut_down, &errand);
    must_be_blocked(errand.runner, "Nobody has signalled, a task is running, and executor_shutdown has returned.");
    wrap_fail(WRAP_pthread_cond_wait, 0, 0);
    wrap_fail(WRAP_pthread_cond_timedwait, 0, 0);
    gate_open(&open);
    runner_join(errand.runner);
    must_return(0, errand.error, "executor_shutdown");
    executor_destroy(executor);
}

static _Thread_local bool works; /* a thread that the executor has started */
static struct gate may_end;

static void is_a_worker(void *unused)
{
    (void)unused;
    works = true;
}

static void hold_worker(void *unused)
{
    (void)unused;
    if (works)
        gate_pass(&may_end);
}

TEST(waits_for_their_end, "A shutdown that waits waits for the workers' end, and not only for that of their tasks.")
{
    struct executor *executor = new_executor(1);
    struct tally done = TALLY_ZERO;
    struct errand errand = {.executor = executor, .wait = true, .error = -1};

    wrap_in_thread(is_a_worker, NULL);
    must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit");
    must_have_workers(executor, 1, "When its task is done");
    wrap_before(WRAP_pthread_mutex_lock, hold_worker, NULL);
    errand.runner = runner_start(shut_down, &errand);
    /* A worker that is on its way out may need a lock for that, or none: then it has ended. */
    bool returned = runner_state(errand.runner) != RUNNER_BLOCKED;
    if (returned)
        runner_join(errand.runner);
    settle();
    must(!returned || extra_threads() == 0,
         "A worker has not ended yet, and executor_shutdown, which was asked to wait, has returned.");
    gate_open(&may_end);
    if (!returned)
        runner_join(errand.runner);
    wrap_before(WRAP_pthread_mutex_lock, NULL, NULL);
    must_return(0, errand.error, "executor_shutdown");
    executor_destroy(executor);
}

static int shut_down_from_inside(void *argument, void **result)
{
    struct errand *errand = argument;

    (void)result;
    gate_pass(errand->gate); /* until the queue is filled */
    int error = executor_shutdown(errand->executor, errand->wait, errand->cancel_futures);
    errand->late = executor_submit(errand->executor, count, errand->tally, NULL);
    return error;
}

TEST(not_by_its_own_worker,
     "A worker that waits for the end of all workers would wait for itself: EDEADLK. It is shut down.")
{
    for (int wait = 0; wait < 2; wait++) {
        struct executor *executor = new_executor(2), *other = new_executor(1);
        struct gate filled = GATE_CLOSED;
        struct tally done = TALLY_ZERO;
        struct errand inner = {.executor = executor, .wait = wait == 1, .gate = &filled, .tally = &done};
        struct errand foreign = {.executor = other, .wait = true, .gate = &filled, .tally = &done};
        struct future *future = submit(executor, shut_down_from_inside, &inner);
        struct future *of_another = submit(executor, shut_down_from_inside, &foreign);
        must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit");
        gate_open(&filled);
        must_return(wait == 1 ? EDEADLK : 0, future_result(future, -1, NULL), "executor_shutdown by a task");
        must_return(0, future_result(of_another, -1, NULL), "executor_shutdown of another executor, by a task,");
        must_return(ESHUTDOWN, inner.late, "executor_submit by a task, after a shutdown,");
        must_return(ESHUTDOWN, executor_submit(executor, count, &done, NULL), "executor_submit after that");
        must_return(0, executor_shutdown(executor, true, false), "executor_shutdown from outside");
        must(tally_read(&done) == 1, "The task that waited in the queue was done %ld times.", tally_read(&done));
        future_drop(of_another);
        future_drop(future);
        executor_destroy(other);
        executor_destroy(executor);
    }
}

static void wait_from_callback(struct future *future, void *argument)
{
    struct errand *errand = argument;

    (void)future;
    errand->error = executor_shutdown(errand->executor, true, false);
}

TEST(not_by_a_callback_of_its_worker, "A worker that calls a callback is a worker still: if that one waits, EDEADLK.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;
    struct errand inner = {.executor = executor, .error = -1};
    struct future *future = submit(executor, wait_for_gate, &open);

    must_return(0, future_add_done_callback(future, wait_from_callback, &inner), "future_add_done_callback");
    gate_open(&open);
    must_return(0, future_result(future, -1, NULL), "future_result");
    must(settle(), "Everything should come to rest.");
    must(inner.error != -1, "A callback, in a worker, has asked executor_shutdown to wait, and it waits for itself.");
    must_return(EDEADLK, inner.error, "executor_shutdown by a callback, in a worker,");
    must_return(ESHUTDOWN, executor_submit(executor, give_back, NULL, NULL), "executor_submit after that");
    future_drop(future);
    executor_destroy(executor);
}

TEST(its_own_worker_cancels,
     "A shutdown by a worker cancels what waits, where it is to, though it cannot wait: EDEADLK.")
{
    struct executor *executor = new_executor(1);
    struct gate filled = GATE_CLOSED;
    struct tally done = TALLY_ZERO;
    struct errand inner = {.executor = executor, .wait = true, .cancel_futures = true, .gate = &filled, .tally = &done};
    struct future *future = submit(executor, shut_down_from_inside, &inner), *waits = submit(executor, count, &done);

    gate_open(&filled);
    must_return(EDEADLK, future_result(future, -1, NULL), "executor_shutdown by a task");
    must_return(0, executor_shutdown(executor, true, false), "executor_shutdown from outside");
    must_have_state(waits, FUTURE_CANCELLED_AND_NOTIFIED, "A future that a shutdown by a worker has cancelled");
    must(tally_read(&done) == 0, "A task was cancelled, or refused, and was done all the same.");
    future_drop(waits);
    future_drop(future);
    executor_destroy(executor);
}

TEST(destroy_finishes, "destroy waits until all tasks are done, those in the queue too, and leaves no thread behind.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;
    struct tally done = TALLY_ZERO;

    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    for (int i = 0; i < TASKS; i++)
        must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit");
    struct errand errand = {.executor = executor};
    errand.runner = runner_start(destroy, &errand);
    must_be_blocked(errand.runner, "executor_destroy returned while a task was running.");
    gate_open(&open);
    runner_join(errand.runner);
    must(tally_read(&done) == TASKS, "%d tasks waited in the queue, and %ld were done.", TASKS, tally_read(&done));
    settle();
    must(extra_threads() == 0, "The executor is destroyed, and %d of its threads are left.", extra_threads());
    must(wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) <= wrap_count(WRAP_free),
         "The executor is destroyed, and some of its memory is left.");
    must(wrap_count(WRAP_pthread_mutex_init) <= wrap_count(WRAP_pthread_mutex_destroy) &&
             wrap_count(WRAP_pthread_cond_init) <= wrap_count(WRAP_pthread_cond_destroy),
         "The executor is destroyed, and a mutex or a condition of its is not.");
}

/* ---- from inside ------------------------------------------------------------------------------------------------- */

static int submit_from_inside(void *argument, void **result)
{
    struct errand *errand = argument;

    (void)result;
    return executor_submit(errand->executor, count, errand->tally, &errand->future);
}

static void submit_from_callback(struct future *future, void *argument)
{
    void *result = NULL;

    (void)future;
    (void)submit_from_inside(argument, &result);
    (void)executor_workers(((struct errand *)argument)->executor);
}

TEST(submit_from_inside_works, "A task and a callback may submit: no lock of the executor is held while they run.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;
    struct tally done = TALLY_ZERO;
    struct errand in_task = {.executor = executor, .tally = &done}, in_callback = in_task;

    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    struct future *future = submit(executor, submit_from_inside, &in_task);
    must_return(0, future_add_done_callback(future, submit_from_callback, &in_callback), "future_add_done_callback");
    gate_open(&open);
    must_return(0, future_result(future, -1, NULL), "executor_submit from a task");
    must(settle(), "Everything should come to rest.");
    must(in_task.future != NULL && in_callback.future != NULL, "A submit from a task or a callback stored no future.");
    must_return(0, future_result(in_task.future, -1, NULL), "future_result of the task that a task has submitted");
    must_return(0, future_result(in_callback.future, -1, NULL), "future_result of what a callback has submitted");
    must(tally_read(&done) == 2, "Two tasks were submitted from inside, and there were %ld calls.", tally_read(&done));
    future_drop(in_callback.future);
    future_drop(in_task.future);
    future_drop(future);
    executor_destroy(executor);
}

static void shut_down_from_callback(struct future *future, void *argument)
{
    struct errand *errand = argument;

    (void)future;
    errand->error = executor_submit(errand->executor, count, errand->tally, NULL);
    (void)executor_workers(errand->executor);
    (void)executor_shutdown(errand->executor, false, true);
}

TEST(callbacks_of_cancelled,
     "A shutdown that cancels holds no lock while it calls the callbacks: they may use the executor.")
{
    struct executor *executor = new_executor(1);
    struct gate open = GATE_CLOSED;
    struct tally done = TALLY_ZERO;
    struct errand inner = {.executor = executor, .tally = &done, .error = -1};

    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    struct future *future = submit(executor, count, &done), *behind = submit(executor, count, &done);
    must_return(0, future_add_done_callback(future, shut_down_from_callback, &inner), "future_add_done_callback");
    must_return(0, executor_shutdown(executor, false, true), "executor_shutdown");
    must_return(ESHUTDOWN, inner.error, "executor_submit from a callback of a shutdown");
    must_have_state(behind, FUTURE_CANCELLED_AND_NOTIFIED, "The second future in the queue");
    gate_open(&open);
    future_drop(behind);
    future_drop(future);
    executor_destroy(executor);
}

/* ---- a submit in the moment of a shutdown ------------------------------------------------------------------------ */

static _Thread_local bool to_be_held;
static struct gate go_on;

static void hold_here(void *unused)
{
    (void)unused;
    if (!to_be_held)
        return;
    to_be_held = false;
    gate_pass(&go_on);
}

static void submit_held(void *argument)
{
    to_be_held = true;
    submit_count(argument);
    to_be_held = false;
}

static void shut_down_held(void *argument)
{
    to_be_held = true;
    shut_down(argument);
    to_be_held = false;
}

/* Either accepted, and then it is done; or refused, and then it is not. `first` is held after its first unlock. */
static void meet_shutdown(void (*first)(void *), void (*second)(void *), bool first_submits)
{
    struct executor *executor = new_executor(1);
    struct tally done = TALLY_ZERO;
    struct future *warm = submit(executor, give_back, NULL);
    struct errand submitter = {.executor = executor, .tally = &done, .error = -1};
    struct errand closer = {.executor = executor, .wait = true, .error = -1};
    struct errand *one = first_submits ? &submitter : &closer, *other = first_submits ? &closer : &submitter;

    must_return(0, future_result(warm, -1, NULL), "future_result");
    future_drop(warm);
    settle();
    wrap_after(WRAP_pthread_mutex_unlock, hold_here, NULL);
    one->runner = runner_start(first, one);
    settle();
    other->runner = runner_start(second, other);
    settle();
    gate_open(&go_on);
    runner_join(one->runner);
    runner_join(other->runner);
    must_return(0, closer.error, "executor_shutdown");
    must(submitter.error == 0 || submitter.error == ESHUTDOWN, "executor_submit returned %s.",
         error_text(submitter.error));
    int outcome = submitter.error == 0 ? future_result(submitter.future, -1, NULL) : 0;
    must_return(0, outcome, "A task was accepted while another thread shut the executor down: its future_result");
    executor_destroy(executor);
    must(tally_read(&done) == (submitter.error == 0 ? 1 : 0),
         "executor_submit returned %s, and the task was done %ld times.", error_text(submitter.error),
         tally_read(&done));
    future_drop(submitter.future);
}

TEST(submit_then_shutdown, "A task that comes in the moment of a shutdown is either accepted and done, or refused.")
{
    meet_shutdown(submit_held, shut_down, true);
}

TEST(shutdown_then_submit, "A task that comes just behind a shutdown is refused, or it is done.")
{
    meet_shutdown(shut_down_held, submit_count, false);
}

/* ---- when something cannot be had -------------------------------------------------------------------------------- */

TEST(no_thread_to_be_had, "Where there is no worker and none can be started, submit says why, and keeps nothing.")
{
    struct executor *executor = new_executor(2);
    struct tally done = TALLY_ZERO;
    struct future *future = NULL;

    wrap_fail(WRAP_pthread_create, 1, EAGAIN);
    must_return(EAGAIN, executor_submit(executor, count, &done, &future), "executor_submit without a thread");
    must(future == NULL, "executor_submit returned EAGAIN and stored a future.");
    must_have_workers(executor, 0, "After a worker that could not be started");
    must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit afterwards");
    must_return(0, executor_shutdown(executor, true, false), "executor_shutdown");
    must(tally_read(&done) == 1, "One of two tasks was accepted, and there were %ld calls.", tally_read(&done));
    executor_destroy(executor);
}

TEST(no_future_to_be_had, "Where no future can be made, submit says why, and the task is not done.")
{
    struct executor *executor = new_executor(2);
    struct tally done = TALLY_ZERO;
    struct future *future = NULL;

    no_future = EAGAIN;
    must_return(EAGAIN, executor_submit(executor, count, &done, &future), "executor_submit without a future");
    no_future = 0;
    must(future == NULL, "executor_submit returned EAGAIN and stored a future.");
    must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit afterwards");
    executor_destroy(executor);
    must(tally_read(&done) == 1, "One of two tasks was accepted, and there were %ld calls.", tally_read(&done));
}

TEST(too_few_threads, "Where a worker cannot be started, those that there are do the work, and that is no error.")
{
    struct executor *executor = new_executor(3);
    struct gate open = GATE_CLOSED;

    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    settle();
    wrap_fail(WRAP_pthread_create, -1, EAGAIN);
    struct future *future = submit(executor, give_back, NULL);
    must_have_workers(executor, 1, "While no thread can be had");
    must_have_state(future, FUTURE_PENDING, "A task for which there is no worker yet");
    wrap_fail(WRAP_pthread_create, 0, 0);
    must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
    must_have_workers(executor, 2, "When a thread can be had again, and another task has come,");
    must_have_state(future, FUTURE_FINISHED, "The first of two tasks, which a new worker should begin with,");
    gate_open(&open);
    must_return(0, future_result(future, -1, NULL), "future_result");
    future_drop(future);
    executor_destroy(executor);
}

/* Here the task itself may be what there is no memory for: then it is refused. */
TEST(too_little_memory, "Where there is no memory for one more worker, those that there are do the work.")
{
    for (long nth = 1; nth <= ALLOCATIONS; nth++) {
        struct executor *executor = new_executor(2);
        struct gate open = GATE_CLOSED;
        struct tally done = TALLY_ZERO;
        must_return(0, executor_submit(executor, wait_for_gate, &open, NULL), "executor_submit");
        settle();
        wrap_fail(WRAP_malloc, nth, ENOMEM);
        int error = executor_submit(executor, count, &done, NULL);
        wrap_fail(WRAP_malloc, 0, 0);
        must(error == 0 || error == ENOMEM, "Without memory executor_submit should return ENOMEM, not %s.",
             error_text(error));
        gate_open(&open);
        executor_destroy(executor);
        must(tally_read(&done) == (error == 0 ? 1 : 0), "executor_submit returned %s, and the task was done %ld times.",
             error_text(error), tally_read(&done));
    }
}

TEST(no_memory_for_a_task, "A task for which there is no memory is ENOMEM, is not done, and changes nothing.")
{
    for (long nth = 1; nth <= ALLOCATIONS; nth++) {
        struct executor *executor = new_executor(2);
        struct tally done = TALLY_ZERO;
        struct future *future = NULL;
        enum wrap_call call = nth % 2 == 0 ? WRAP_calloc : WRAP_malloc;
        wrap_fail(call, (nth + 1) / 2, ENOMEM);
        int error = executor_submit(executor, count, &done, &future);
        wrap_fail(call, 0, 0);
        must(error == ENOMEM || error == 0, "Without memory executor_submit should return ENOMEM, not %s.",
             error_text(error));
        must((error == 0) == (future != NULL), "executor_submit returned %s, and %s.", error_text(error),
             error == 0 ? "stored no future" : "stored a future");
        settle();
        must(tally_read(&done) == (error == 0 ? 1 : 0), "executor_submit returned %s, and the task was done %ld times.",
             error_text(error), tally_read(&done));
        must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit afterwards");
        future_drop(future);
        executor_destroy(executor);
        must(tally_read(&done) == (error == 0 ? 2 : 1), "A task was refused, and then another was not done.");
    }
}

/* The executor's own calls of fifo_queue_put come here (exercise.ini): where memory is scarce, a task cannot be put.
 * For a NULL there is still a place in a queue that is empty, where an earlier item was. */
static atomic_bool scarce;

int wrap_fifo_queue_put(struct fifo_queue *queue, void *item, int64_t timeout_us);

int wrap_fifo_queue_put(struct fifo_queue *queue, void *item, int64_t timeout_us)
{
    if (atomic_load(&scarce) && (item != NULL || !fifo_queue_empty(queue)))
        return ENOMEM;
    return fifo_queue_put(queue, item, timeout_us);
}

static void make_scarce(bool is_scarce)
{
    atomic_store(&scarce, is_scarce);
    wrap_fail(WRAP_malloc, is_scarce ? -1 : 0, is_scarce ? ENOMEM : 0);
    wrap_fail(WRAP_calloc, is_scarce ? -1 : 0, is_scarce ? ENOMEM : 0);
}

/* All workers are busy, and behind them wait so many tasks that count. */
static void fill(struct executor *executor, int workers, struct gate *open, int waiting, struct tally *done)
{
    for (int i = 0; i < workers; i++)
        must_return(0, executor_submit(executor, wait_for_gate, open, NULL), "executor_submit");
    settle();
    for (int i = 0; i < waiting; i++)
        must_return(0, executor_submit(executor, count, done, NULL), "executor_submit");
}

TEST(no_memory_in_the_queue, "A task for which the queue has no memory is ENOMEM, is not done, and changes nothing.")
{
    struct executor *executor = new_executor(2);
    struct tally done = TALLY_ZERO;
    struct future *future = NULL;

    must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit");
    settle();
    atomic_store(&scarce, true);
    int error = executor_submit(executor, count, &done, &future);
    atomic_store(&scarce, false);
    must(error == ENOMEM || error == 0, "Where the queue has no memory executor_submit should return ENOMEM, not %s.",
         error_text(error));
    must((error == 0) == (future != NULL), "executor_submit returned %s, and %s.", error_text(error),
         error == 0 ? "stored no future" : "stored a future");
    settle();
    must_return(0, executor_submit(executor, count, &done, NULL), "executor_submit");
    must_have_workers(executor, 1, "After a task that was refused, with one worker that is idle,");
    executor_destroy(executor);
    must(tally_read(&done) == (error == 0 ? 3 : 2), "executor_submit returned %s, and there were %ld calls, not %d.",
         error_text(error), tally_read(&done), error == 0 ? 3 : 2);
    future_drop(future);
}

TEST(shutdown_needs_no_memory, "A shutdown ends the workers although there is no memory, whatever waits in the queue.")
{
    for (int waiting = 0; waiting <= WORKERS; waiting++) {
        struct executor *executor = new_executor(2);
        struct gate open = GATE_CLOSED;
        struct tally done = TALLY_ZERO;

        fill(executor, 2, &open, waiting, &done);
        make_scarce(true);
        must_return(0, executor_shutdown(executor, false, false), "executor_shutdown without memory");
        make_scarce(false);
        gate_open(&open);
        executor_destroy(executor);
        must(tally_read(&done) == waiting, "%d tasks waited at the shutdown, and %ld were done.", waiting,
             tally_read(&done));
    }
}

static int no_queue; /* where not 0, the error of each fifo_queue_create of the executor's */

int wrap_fifo_queue_create(struct fifo_queue **queue, int64_t maxsize);

int wrap_fifo_queue_create(struct fifo_queue **queue, int64_t maxsize)
{
    return no_queue != 0 ? no_queue : fifo_queue_create(queue, maxsize);
}

TEST(no_queue_to_be_had, "Where no queue can be made, create says why, and nothing is kept.")
{
    struct executor *executor = NULL;

    no_queue = EAGAIN;
    int error = executor_create(&executor, 2);
    no_queue = 0;
    must(error == EAGAIN || (error == 0 && executor != NULL),
         "Where fifo_queue_create returns EAGAIN executor_create "
         "should do so too, but it returned %s.",
         error_text(error));
    must(error == 0 || executor == NULL, "executor_create returned EAGAIN and stored an executor.");
    executor_destroy(executor);
    must(wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) <= wrap_count(WRAP_free),
         "After an executor_create in which fifo_queue_create failed, memory is left.");
}

static void create_must_fail(enum wrap_call call, int error, const char *what)
{
    for (long nth = 1; nth <= ALLOCATIONS; nth++) {
        struct executor *executor = NULL;
        long calls = wrap_count(call);
        long memory = wrap_memory_kept();
        long locks = wrap_count(WRAP_pthread_mutex_init) + wrap_count(WRAP_pthread_cond_init) -
                     wrap_count(WRAP_pthread_mutex_destroy) - wrap_count(WRAP_pthread_cond_destroy);
        wrap_fail(call, nth, error);
        int outcome = executor_create(&executor, 2);
        bool reached = wrap_count(call) - calls >= nth;
        wrap_fail(call, 0, 0);
        long failed = outcome == 0 ? 0 : 1; /* the call that failed was counted, and gave nothing */
        must(outcome == (reached ? error : 0), "Where %s fails executor_create should return %s, not %d.", what,
             error_text(error), outcome);
        must(outcome == 0 || executor == NULL, "Where %s fails nothing should be stored.", what);
        executor_destroy(executor);
        memory = wrap_memory_kept() - memory;
        locks = wrap_count(WRAP_pthread_mutex_init) + wrap_count(WRAP_pthread_cond_init) -
                wrap_count(WRAP_pthread_mutex_destroy) - wrap_count(WRAP_pthread_cond_destroy) - locks;
        must(memory <= (error == ENOMEM ? failed : 0), "After an executor_create in which %s failed, memory is left.",
             what);
        must(locks <= (error == ENOMEM ? 0 : failed),
             "After an executor_create in which %s failed, a mutex or a "
             "condition was not destroyed.",
             what);
    }
}

TEST(create_cleans_up, "An executor that cannot be made is an error, and nothing of it is kept.")
{
    create_must_fail(WRAP_malloc, ENOMEM, "malloc");
    create_must_fail(WRAP_calloc, ENOMEM, "calloc");
    create_must_fail(WRAP_pthread_mutex_init, EAGAIN, "pthread_mutex_init");
    create_must_fail(WRAP_pthread_cond_init, EAGAIN, "pthread_cond_init");
}

/* ---- references -------------------------------------------------------------------------------------------------- */

/* Stands before the C library's own: a future destroys its mutex when nobody has a reference any more. */
static struct tally destroyed;

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    int (*real)(pthread_mutex_t *) = NULL;

    tally_add(&destroyed, 1);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_destroy");
    return real == NULL ? ENOSYS : real(mutex);
}

TEST(keeps_no_future, "The executor has a reference to a future while it needs it, and no longer than that.")
{
    struct executor *executor = new_executor(1);
    struct tally done = TALLY_ZERO;

    for (int cancels = 0; cancels < 2; cancels++) {
        struct gate open = GATE_CLOSED;
        struct future *future = submit(executor, cancels == 1 ? wait_for_gate : give_back, &open);
        struct future *behind = cancels == 1 ? submit(executor, count, &done) : NULL;
        must(behind == NULL || future_cancel(behind) == 0, "future_cancel of a task that waits should return 0.");
        gate_open(&open);
        settle();
        long before = tally_read(&destroyed);
        future_drop(future);
        must(tally_read(&destroyed) > before, "A task is done, and the executor still keeps its future.");
        before = tally_read(&destroyed);
        future_drop(behind);
        must(cancels == 0 || tally_read(&destroyed) > before,
             "A task was cancelled, its turn has come and gone, and the executor still keeps its future.");
    }
    executor_destroy(executor);
}
