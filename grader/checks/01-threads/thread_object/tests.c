/* tests.c - what a thread object must do.
 *
 * Targets wait at gates, so the test decides when a thread is running and when it has ended. Where two calls are to
 * meet in the middle, one of them is held inside a call of the library's (wrap_before).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* slices.h, waiting.h */
#endif
#include "check.h"
#include "leftovers.h"
#include "slices.h"
#include "thread_object.h"
#include "waiting.h"
#include "wrap.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { LONG_NAME = 3000, NAME_SIZE = 64, ALLOCATIONS = 6, NUMBERS = 120 };

static const int64_t HOUR_US = 3600LL * 1000 * 1000;

static struct tally runs;
static struct gate go_on;

/* ---- targets ----------------------------------------------------------------------------------------------------- */

static void count_run(void *unused)
{
    (void)unused;
    tally_add(&runs, 1);
}

static void wait_for_gate(void *gate)
{
    tally_add(&runs, 1);
    gate_pass(gate);
}

static void keep_thread(void *place)
{
    *(pthread_t *)place = pthread_self();
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void pass(void *gate)
{
    gate_pass(gate);
}

static struct thread_object *make(void (*target)(void *argument), void *argument)
{
    struct thread_object *thread = NULL;
    int error = thread_object_create(&thread, target, argument, NULL);

    must(error == 0, "thread_object_create returned %s; it should return 0.", error_text(error));
    must(thread != NULL, "thread_object_create returned 0 and stored no object.");
    return thread;
}

static void start(struct thread_object *thread)
{
    int error = thread_object_start(thread);

    must(error == 0, "thread_object_start returned %s; it should return 0.", error_text(error));
}

static void join(struct thread_object *thread)
{
    int error = thread_object_join(thread, -1);

    must(error == 0, "thread_object_join returned %s; it should return 0.", error_text(error));
}

static void must_have_state(struct thread_object *thread, enum thread_object_state state, const char *when)
{
    static const char *const names[] = {"initial", "started", "stopped"};
    unsigned is = (unsigned)thread_object_state(thread);
    bool alive = thread_object_is_alive(thread);

    must(is == (unsigned)state, "%s the state should be %s, but it is %s.", when, names[state],
         is < 3 ? names[is] : "none of the three");
    must(alive == (state == THREAD_OBJECT_STARTED), "%s thread_object_is_alive should be %s, but it is %s.", when,
         state == THREAD_OBJECT_STARTED ? "true" : "false", alive ? "true" : "false");
}

static void must_be_called(struct thread_object *thread, const char *expected)
{
    char name[NAME_SIZE] = "?";
    int error = thread_object_name(thread, name, sizeof name);

    must(error == 0, "thread_object_name returned %s; it should return 0.", error_text(error));
    must(strcmp(name, expected) == 0, "The name should be \"%s\", but it is \"%.40s\".", expected, name);
}

/* A call that may block, as a runner's body. */
struct errand {
    struct thread_object *thread;
    int64_t timeout_us;
    int error;
    int64_t took_us;
    struct tally *slices; /* waits that looked again after a moment */
};

static void join_errand(void *argument)
{
    struct errand *errand = argument;
    int64_t begin_us = now_us();

    waits = true;
    slices = errand->slices;
    errand->error = thread_object_join(errand->thread, errand->timeout_us);
    waits = false;
    slices = NULL;
    errand->took_us = now_us() - begin_us;
}

static void start_errand(void *argument)
{
    struct errand *errand = argument;

    errand->error = thread_object_start(errand->thread);
}

static void destroy_errand(void *argument)
{
    struct errand *errand = argument;

    slices = errand->slices;
    thread_object_destroy(errand->thread);
    slices = NULL;
}

static void must_not_look_again(struct errand *errand, const char *name)
{
    must(tally_read(errand->slices) == 0,
         "%s waits for a moment, looks, and waits again: it should sleep until it is woken.", name);
}

/* The error is 1 where it is alive, and 0 where it is not. */
static void alive_errand(void *argument)
{
    struct errand *errand = argument;

    errand->error = thread_object_is_alive(errand->thread) ? 1 : 0;
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

TEST(create_starts_nothing,
     "A new object is initial: nothing runs before it is started, and it may be destroyed unstarted.")
{
    struct thread_object *thread = make(count_run, NULL);

    settle();
    must(tally_read(&runs) == 0, "The target has run, and nobody has started the thread.");
    must(extra_threads() == 0, "Nobody has started the thread, and there are %d more.", extra_threads());
    must_have_state(thread, THREAD_OBJECT_INITIAL, "Before the start");
    thread_object_destroy(thread);
    thread_object_destroy(NULL);
}

TEST(start_runs_the_target, "start calls target(argument) in a new thread; join brings what the target wrote.")
{
    pthread_t where = pthread_self();
    struct thread_object *thread = make(keep_thread, &where);

    start(thread);
    join(thread);
    must(!pthread_equal(where, pthread_self()), "The target did not run in a thread of its own.");
    must_have_state(thread, THREAD_OBJECT_STOPPED, "After the join");
    thread_object_destroy(thread);
    settle();
    must(extra_threads() == 0, "The object is destroyed, and %d of its threads are left.", extra_threads());
}

TEST(without_a_target, "A target of NULL does nothing, as in Python; the thread starts and ends like any other.")
{
    struct thread_object *thread = make(NULL, NULL);

    start(thread);
    join(thread);
    must_have_state(thread, THREAD_OBJECT_STOPPED, "After the join");
    thread_object_destroy(thread);
}

TEST(alive_from_start_to_end, "It is alive from the success of start until the target has returned, joined or not.")
{
    struct gate begin = GATE_CLOSED;
    struct thread_object *thread = make(wait_for_gate, &go_on);

    wrap_in_thread(pass, &begin);
    start(thread);
    must_have_state(thread, THREAD_OBJECT_STARTED, "After the start, before the thread's first step,");
    gate_open(&begin);
    settle();
    must(tally_read(&runs) == 1, "The thread was started, and its target does not run.");
    must_have_state(thread, THREAD_OBJECT_STARTED, "While the target runs");
    gate_open(&go_on);
    settle();
    must_have_state(thread, THREAD_OBJECT_STOPPED, "After the target has returned, before anybody joins,");
    int error = thread_object_join(thread, 0);
    must(error == 0, "Joining a stopped thread with time-out 0 should return 0, but it returned %s.",
         error_text(error));
    thread_object_destroy(thread);
}

TEST(start_does_not_wait, "start returns while the target runs.")
{
    struct errand errand = {.thread = make(wait_for_gate, &go_on)};
    struct runner *starter = runner_start(start_errand, &errand);

    must_be_done(starter, "thread_object_start should return while the target is running; it waits for it.");
    runner_join(starter);
    gate_open(&go_on);
    join(errand.thread);
    thread_object_destroy(errand.thread);
}

/* ---- start once -------------------------------------------------------------------------------------------------- */

TEST(starts_only_once,
     "A thread can be started once: a second start, even after its end, gives EALREADY and runs nothing.")
{
    struct thread_object *thread = make(wait_for_gate, &go_on);

    start(thread);
    int error = thread_object_start(thread);
    must(error == EALREADY, "A second start while it runs should return EALREADY, but it returned %s.",
         error_text(error));
    gate_open(&go_on);
    join(thread);
    error = thread_object_start(thread);
    must(error == EALREADY, "A start after the end should return EALREADY, but it returned %s.", error_text(error));
    settle();
    must(tally_read(&runs) == 1, "The target should have run once, but it ran %ld times.", tally_read(&runs));
    thread_object_destroy(thread);
}

TEST(two_starts_at_once,
     "When two threads start it at the same time, one gets 0 and the other EALREADY; the target runs once.")
{
    struct gate create = GATE_CLOSED;
    struct thread_object *thread = make(count_run, NULL);
    struct errand errands[2] = {{.thread = thread}, {.thread = thread}};

    wrap_before(WRAP_pthread_create, pass, &create);
    struct runner *first = runner_start(start_errand, &errands[0]);
    settle();
    struct runner *second = runner_start(start_errand, &errands[1]);
    settle();
    gate_open(&create);
    runner_join(first);
    runner_join(second);
    settle();
    must(tally_read(&runs) == 1, "Two threads started it at the same time, and the target ran %ld times.",
         tally_read(&runs));
    must((errands[0].error == 0 && errands[1].error == EALREADY) ||
             (errands[1].error == 0 && errands[0].error == EALREADY),
         "Two threads started it at the same time: one should get 0 and one EALREADY, but they got %s and %s.",
         error_text(errands[0].error), error_text(errands[1].error));
    join(thread);
    thread_object_destroy(thread);
}

TEST(no_thread_to_be_had,
     "When pthread_create fails, start returns its error; the object stays initial and can be started later.")
{
    struct thread_object *thread = make(count_run, NULL);

    wrap_fail(WRAP_pthread_create, 1, EAGAIN);
    int error = thread_object_start(thread);
    must(error == EAGAIN, "pthread_create returned EAGAIN; thread_object_start should return it, but it returned %s.",
         error_text(error));
    must_have_state(thread, THREAD_OBJECT_INITIAL, "After a start that failed");
    wrap_fail(WRAP_pthread_create, 1, EPERM);
    must_return(EPERM, thread_object_start(thread), "pthread_create returned EPERM: thread_object_start");
    must_have_state(thread, THREAD_OBJECT_INITIAL, "After a second start that failed");
    error = thread_object_join(thread, 0);
    must(error == EINVAL, "Joining it after a start that failed should return EINVAL, but it returned %s.",
         error_text(error));
    start(thread);
    join(thread);
    must(tally_read(&runs) == 1, "The target should have run once, but it ran %ld times.", tally_read(&runs));
    thread_object_destroy(thread);
}

TEST(not_alive_too_early, "It is alive from the success of start, and not while nobody knows yet whether it succeeds.")
{
    struct gate create = GATE_CLOSED;
    struct errand starts = {.thread = make(count_run, NULL)}, asks = {.thread = starts.thread, .error = 0};

    wrap_before(WRAP_pthread_create, pass, &create);
    struct runner *starter = runner_start(start_errand, &starts);
    settle();
    struct runner *asker = runner_start(alive_errand, &asks);
    bool answered = runner_state(asker) == RUNNER_DONE; /* or it waits to see how the start goes */
    must(!answered || asks.error == 0,
         "One thread is about to call pthread_create, which may fail, and another is told that the object is alive.");
    gate_open(&create);
    runner_join(starter);
    runner_join(asker);
    must_return(0, starts.error, "thread_object_start");
    join(starts.thread);
    thread_object_destroy(starts.thread);
}

static _Thread_local bool held_up;

static void pass_if_held_up(void *gate)
{
    if (held_up)
        gate_pass(gate);
}

static void start_held_up(void *argument)
{
    held_up = true;
    start_errand(argument);
}

static void make_and_start(void *argument)
{
    struct errand *errand = argument;

    errand->error = thread_object_create(&errand->thread, count_run, NULL, NULL);
    if (errand->error == 0)
        errand->error = thread_object_start(errand->thread);
}

TEST(objects_are_separate,
     "A start blocks no longer than another start of the same object: others are not its concern.")
{
    struct gate create = GATE_CLOSED;
    struct errand slow = {.thread = make(count_run, NULL)}, quick = {.thread = NULL};

    wrap_before(WRAP_pthread_create, pass_if_held_up, &create);
    struct runner *first = runner_start(start_held_up, &slow);
    settle();
    struct runner *second = runner_start(make_and_start, &quick);
    must_be_done(second, "One thread is in pthread_create for its object, and another that creates and starts an "
                         "object of its own waits for it.");
    gate_open(&create);
    runner_join(first);
    runner_join(second);
    must_return(0, slow.error, "thread_object_start");
    must_return(0, quick.error, "thread_object_create, and then thread_object_start,");
    join(slow.thread);
    join(quick.thread);
    thread_object_destroy(slow.thread);
    thread_object_destroy(quick.thread);
}

/* ---- join -------------------------------------------------------------------------------------------------------- */

TEST(join_before_start, "Joining a thread that was not started is an error, EINVAL, and does not wait.")
{
    struct thread_object *thread = make(count_run, NULL);
    struct errand errand = {.thread = thread, .timeout_us = -1};
    struct runner *joiner = runner_start(join_errand, &errand);

    must_be_done(joiner,
                 "Joining a thread that was never started should return at once; it waits, and nobody will wake it.");
    runner_join(joiner);
    must(errand.error == EINVAL, "Joining a thread before its start should return EINVAL, but it returned %s.",
         error_text(errand.error));
    int error = thread_object_join(thread, 0);
    must(error == EINVAL, "The same with time-out 0 should return EINVAL, but it returned %s.", error_text(error));
    start(thread);
    join(thread);
    thread_object_destroy(thread);
}

static void join_itself(void *argument)
{
    struct errand *errands = argument;

    errands[0].error = thread_object_join(errands[0].thread, 0);
    errands[1].error = thread_object_join(errands[1].thread, -1);
}

TEST(join_of_itself, "A thread cannot join itself, it would wait for ever: EDEADLK, whatever the time-out.")
{
    struct errand errands[2] = {{.error = -1}, {.error = -1}};
    struct thread_object *thread = make(join_itself, errands);

    errands[0].thread = errands[1].thread = thread;
    start(thread);
    join(thread);
    must(errands[0].error == EDEADLK, "Joining itself with time-out 0 should return EDEADLK, but it returned %s.",
         error_text(errands[0].error));
    must(errands[1].error == EDEADLK, "Joining itself should return EDEADLK, but it returned %s.",
         error_text(errands[1].error));
    thread_object_destroy(thread);
}

TEST(join_by_a_later_thread, "A thread may join one that has ended, even if the system gave it the same pthread_t.")
{
    struct thread_object *ended = make(count_run, NULL);
    struct errand errand = {.thread = ended, .timeout_us = -1, .error = -1};

    start(ended);
    join(ended);
    settle(); /* the ended thread's stack is free: the next one gets it, and its pthread_t with it */
    struct thread_object *later = make(join_errand, &errand);
    start(later);
    join(later);
    must(errand.error == 0, "A thread joined another that had ended before; it should get 0, but it got %s.",
         error_text(errand.error));
    thread_object_destroy(later);
    thread_object_destroy(ended);
}

TEST(join_waits, "join returns when the target has returned, not before, and sleeps until then; it wakes all who wait.")
{
    struct thread_object *thread = make(wait_for_gate, &go_on);
    struct errand errands[2] = {{.thread = thread, .timeout_us = -1, .error = -1, .slices = slices_tally()},
                                {.thread = thread, .timeout_us = -1, .error = -1}};

    start(thread);
    struct runner *first = runner_start(join_errand, &errands[0]);
    must_be_blocked(first,
                    "thread_object_join should sleep while the target is running; it has returned, or it spins.");
    struct runner *second = runner_start(join_errand, &errands[1]);
    must_be_blocked(second, "A second thread_object_join should sleep while the target is running.");
    must_not_look_again(&errands[0], "thread_object_join without a time-out");
    gate_open(&go_on);
    must_be_done(first, "The target has returned, and of two that had joined the first still waits.");
    must_be_done(second, "The target has returned, and of two that had joined the second still waits.");
    runner_join(first);
    runner_join(second);
    must(errands[0].error == 0 && errands[1].error == 0,
         "Two joins at the same time should both return 0; they returned %s and %s.", error_text(errands[0].error),
         error_text(errands[1].error));
    thread_object_destroy(thread);
}

TEST(join_as_often_as_you_like, "Joining a thread again is fine, and gives 0 each time.")
{
    struct thread_object *thread = make(count_run, NULL);

    start(thread);
    join(thread);
    join(thread);
    int error = thread_object_join(thread, 0);
    must(error == 0, "A third join, with time-out 0, should return 0, but it returned %s.", error_text(error));
    error = thread_object_join(thread, 1000);
    must(error == 0, "A fourth join, with a time-out, should return 0, but it returned %s.", error_text(error));
    thread_object_destroy(thread);
}

TEST(join_with_a_time_out, "With a time-out, join returns ETIMEDOUT when the time is up, and not a moment before.")
{
    struct errand errand = {.thread = make(wait_for_gate, &go_on), .timeout_us = 20000};

    start(errand.thread);
    int error = thread_object_join(errand.thread, 0);
    must(error == ETIMEDOUT, "The target runs; join with time-out 0 should return ETIMEDOUT, but it returned %s.",
         error_text(error));
    join_errand(&errand);
    must(errand.error == ETIMEDOUT,
         "The target runs; join with a time-out of 20000 µs should return ETIMEDOUT, but it returned %s.",
         error_text(errand.error));
    must(errand.took_us >= errand.timeout_us, "join with a time-out of 20000 µs gave up after %lld µs.",
         (long long)errand.took_us);
    must_have_state(errand.thread, THREAD_OBJECT_STARTED, "After a join that timed out");
    gate_open(&go_on);
    join(errand.thread);
    thread_object_destroy(errand.thread);
}

static void must_wait_out(int64_t timeout_us, struct gate *gate)
{
    struct errand errand = {.thread = make(wait_for_gate, gate), .timeout_us = timeout_us, .slices = slices_tally()};

    start(errand.thread);
    struct runner *joiner = runner_start(join_errand, &errand);
    must_be_blocked(joiner, "A join with a time-out of %lld µs should wait; it returned at once, or it spins.",
                    (long long)timeout_us);
    must_not_look_again(&errand, "thread_object_join with a time-out");
    gate_open(gate);
    must_be_done(joiner, "A join with a time-out of %lld µs did not notice that the target had returned.",
                 (long long)timeout_us);
    runner_join(joiner);
    must(errand.error == 0,
         "The target returned in time; join with a time-out of %lld µs should return 0, but it returned %s.",
         (long long)timeout_us, error_text(errand.error));
    thread_object_destroy(errand.thread);
}

TEST(join_in_time,
     "With a time-out, join returns 0 as soon as the target has returned, however long it would have waited.")
{
    struct gate gates[4] = {GATE_CLOSED, GATE_CLOSED, GATE_CLOSED, GATE_CLOSED};

    must_wait_out(HOUR_US, &gates[0]);
    must_wait_out(HOUR_US + 999999, &gates[1]); /* now and then and this make more than a second of nanoseconds */
    must_wait_out(INT64_MAX, &gates[2]);
    must_wait_out(4000000000000000, &gates[3]); /* more seconds than an int holds */
}

TEST(join_for_ever, "A negative time-out, any of them, waits for ever.")
{
    struct gate gates[2] = {GATE_CLOSED, GATE_CLOSED};

    must_wait_out(-2, &gates[0]);
    must_wait_out(INT64_MIN, &gates[1]);
}

TEST(a_whole_second, "The nanoseconds of a deadline stay below a whole second: with 1000000000 the wait is EINVAL.")
{
    struct gate gate = GATE_CLOSED;

    fraction_ns = 400000000; /* and 600 ms more are a second, to the nanosecond */
    must_wait_out(HOUR_US + 600000, &gate);
    fraction_ns = -1;
}

TEST(time_goes_on, "The time-out is for the whole call: a join that was woken for nothing does not begin it anew.")
{
    struct errand errand = {.thread = make(wait_for_gate, &go_on), .timeout_us = HOUR_US};

    start(errand.thread);
    /* To the joining thread it is an hour ago, until it was woken for nothing: then the hour that it had is over. */
    tally_add(&behind_s, HOUR_US / 1000000);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    struct runner *joiner = runner_start(join_errand, &errand);
    must_be_done(joiner, "A join was woken for nothing, and its time was over; it waits on: each wake-up begins its "
                         "time anew.");
    runner_join(joiner);
    must_return(ETIMEDOUT, errand.error, "The target runs, and the time is over: thread_object_join");
    must(!asked_the_wall, "thread_object_join asked for CLOCK_REALTIME, the clock on the wall, which somebody may set "
                          "while it waits.");
    gate_open(&go_on);
    join(errand.thread);
    thread_object_destroy(errand.thread);
}

TEST(woken_for_nothing, "A condition may wake a waiter for no reason: join then looks, and goes on waiting.")
{
    struct thread_object *thread = make(wait_for_gate, &go_on);
    struct errand errands[2] = {{.thread = thread, .timeout_us = -1, .error = -1},
                                {.thread = thread, .timeout_us = HOUR_US, .error = -1}};
    struct runner *joiners[2];

    start(thread);
    for (int i = 0; i < 2; i++) {
        wrap_fail(WRAP_pthread_cond_wait, 1, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        joiners[i] = runner_start(join_errand, &errands[i]);
        must_be_blocked(joiners[i], "A join %s was woken for no reason, and returned although the target runs.",
                        i == 0 ? "without a time-out" : "with a time-out");
    }
    gate_open(&go_on);
    for (int i = 0; i < 2; i++) {
        runner_join(joiners[i]);
        must(errands[i].error == 0, "join should return 0, but it returned %s.", error_text(errands[i].error));
    }
    thread_object_destroy(thread);
}

/* The target ends and the joiner's time is over, before the joiner has woken up: signals are sent and do not arrive.
 * True where the target was first, which a slow machine may need more time for. */
static bool end_and_be_late(struct errand *errand, struct gate *gate)
{
    errand->thread = NULL;
    if (thread_object_create(&errand->thread, wait_for_gate, gate, NULL) != 0 ||
        thread_object_start(errand->thread) != 0)
        return false;
    wrap_fail(WRAP_pthread_cond_signal, -1, 0);
    wrap_fail(WRAP_pthread_cond_broadcast, -1, 0);
    int64_t begin_us = now_us();
    struct runner *joiner = runner_start(join_errand, errand);
    settle();
    gate_open(gate);
    settle();
    bool ended = thread_object_state(errand->thread) == THREAD_OBJECT_STOPPED;
    bool in_time = now_us() - begin_us < errand->timeout_us;
    runner_join(joiner);
    wrap_fail(WRAP_pthread_cond_signal, 0, 0);
    wrap_fail(WRAP_pthread_cond_broadcast, 0, 0);
    thread_object_destroy(errand->thread);
    return ended && in_time;
}

TEST(ended_and_late, "ETIMEDOUT means that the target has not returned: where it has, join returns 0, however late.")
{
    struct errand errand = {.timeout_us = 10000, .error = -1};
    bool forced = false;

    while (!forced && errand.timeout_us < HOUR_US / 60) {
        struct gate gate = GATE_CLOSED;
        errand.timeout_us *= 2;
        forced = end_and_be_late(&errand, &gate);
    }
    must(forced, "A thread was started and its target let go, and thread_object_state does not say that it has ended.");
    must(errand.error == 0,
         "The target returned, then the time was over, then the joining thread woke up: join should return 0, since "
         "the target has returned, but it returned %s.",
         error_text(errand.error));
}

static void ask_everything(void *argument)
{
    struct thread_object *thread = ((struct errand *)argument)->thread;
    char name[NAME_SIZE];

    (void)thread_object_is_alive(thread);
    (void)thread_object_state(thread);
    (void)thread_object_daemon(thread);
    (void)thread_object_set_daemon(thread, true);
    (void)thread_object_set_name(thread, "busy");
    (void)thread_object_name(thread, name, sizeof name);
    (void)thread_object_start(thread);
    ((struct errand *)argument)->error = thread_object_join(thread, 0);
}

TEST(nobody_is_kept_waiting,
     "While one thread waits in join, others may use the object: nobody holds its lock in his sleep.")
{
    struct errand waits = {.thread = make(wait_for_gate, &go_on), .timeout_us = -1}, asks = {.thread = waits.thread};

    start(waits.thread);
    struct runner *joiner = runner_start(join_errand, &waits);
    settle();
    struct runner *asker = runner_start(ask_everything, &asks);
    must_be_done(asker,
                 "While one thread waits in thread_object_join, another that asks for state and name is kept waiting.");
    runner_join(asker);
    must(asks.error == ETIMEDOUT,
         "A join with time-out 0 should return ETIMEDOUT while another waits, but it returned %s.",
         error_text(asks.error));
    gate_open(&go_on);
    runner_join(joiner);
    thread_object_destroy(waits.thread);
}

TEST(target_may_use_its_object, "The target may call every function on its own thread object, join and destroy apart.")
{
    struct errand errand = {.error = 0};
    struct thread_object *thread = make(ask_everything, &errand);

    errand.thread = thread;
    start(thread);
    join(thread);
    must(errand.error == EDEADLK, "A thread that joins itself should get EDEADLK, but it got %s.",
         error_text(errand.error));
    must_be_called(thread, "busy");
    thread_object_destroy(thread);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

TEST(names_by_number, "Without a name the threads of a process are called \"Thread-1\", \"Thread-2\", and so on.")
{
    struct thread_object *named = NULL, *empty = NULL;
    struct thread_object *first = make(NULL, NULL);

    must(thread_object_create(&named, NULL, NULL, "worker") == 0, "thread_object_create returned an error.");
    must(thread_object_create(&empty, NULL, NULL, "") == 0, "thread_object_create returned an error.");
    must_be_called(first, "Thread-1");
    must_be_called(named, "worker");
    must_be_called(empty, "Thread-2");
    thread_object_destroy(named);
    thread_object_destroy(empty);
    thread_object_destroy(first);
    for (int number = 3; number <= NUMBERS; number++) {
        char expected[NAME_SIZE];
        snprintf(expected, sizeof expected, "Thread-%d", number);
        struct thread_object *thread = make(NULL, NULL); /* those before it are gone; their numbers do not come back */
        must_be_called(thread, expected);
        thread_object_destroy(thread);
    }
}

TEST(names_are_copied, "The object keeps a copy of its name: what becomes of the caller's own is no matter.")
{
    char name[] = "worker";
    struct thread_object *thread = NULL;

    must(thread_object_create(&thread, wait_for_gate, &go_on, name) == 0, "thread_object_create returned an error.");
    memcpy(name, "ruined", sizeof name);
    must_be_called(thread, "worker");
    start(thread);
    memcpy(name, "second", sizeof name);
    must(thread_object_set_name(thread, name) == 0, "thread_object_set_name returned an error.");
    memcpy(name, "ruined", sizeof name);
    must_be_called(thread, "second");
    must(thread_object_set_name(thread, "") == 0, "thread_object_set_name(thread, \"\") returned an error.");
    must_be_called(thread, "");
    int error = thread_object_set_name(thread, NULL);
    must(error == EINVAL, "thread_object_set_name(thread, NULL) should return EINVAL, but it returned %s.",
         error_text(error));
    must_be_called(thread, "");
    gate_open(&go_on);
    join(thread);
    thread_object_destroy(thread);
}

enum { UNTOUCHED = '?' };

static bool buffer_is_untouched(const char *buffer)
{
    for (int i = 0; i <= LONG_NAME; i++)
        if (buffer[i] != UNTOUCHED)
            return false;
    return true;
}

TEST(names_of_any_length, "A name may have any length; a buffer that is too small gets ERANGE, and nothing else.")
{
    static char name[LONG_NAME + 1], buffer[LONG_NAME + 1];
    struct thread_object *thread = NULL;

    memset(name, 'n', LONG_NAME);
    memset(buffer, UNTOUCHED, sizeof buffer);
    must(thread_object_create(&thread, NULL, NULL, name) == 0, "thread_object_create returned an error.");
    int error = thread_object_name(thread, buffer, LONG_NAME);
    must(error == ERANGE, "A name of %d characters does not fit into %d bytes: it should be ERANGE, but it is %d.",
         LONG_NAME, LONG_NAME, error);
    must_return(ERANGE, thread_object_name(thread, buffer, 1), "thread_object_name with room for 1 byte");
    must_return(ERANGE, thread_object_name(thread, buffer, 0), "thread_object_name with room for 0 bytes");
    must(buffer_is_untouched(buffer), "thread_object_name returned ERANGE and yet wrote to the buffer.");
    error = thread_object_name(thread, buffer, LONG_NAME + 1);
    must(error == 0, "A name of %d characters fits into %d bytes: it should be 0, but it is %d.", LONG_NAME,
         LONG_NAME + 1, error);
    must(strcmp(name, buffer) == 0, "The name that came back is not the one that was given.");
    error = thread_object_name(thread, NULL, LONG_NAME);
    must(error == EINVAL, "thread_object_name without a buffer should return EINVAL, but it returned %s.",
         error_text(error));
    name[0] = 'm';
    must_return(0, thread_object_set_name(thread, name), "thread_object_set_name with a long name");
    must_return(0, thread_object_name(thread, buffer, LONG_NAME + 1), "thread_object_name");
    must(strcmp(name, buffer) == 0, "The name that came back is not the one that was given to thread_object_set_name.");
    must_return(0, thread_object_set_name(thread, ""), "thread_object_set_name(thread, \"\")");
    must_return(ERANGE, thread_object_name(thread, buffer, 0),
                "Even an empty name has its '\\0': thread_object_name with room for 0 bytes");
    must_return(0, thread_object_name(thread, buffer, 1), "thread_object_name of an empty name with room for 1 byte");
    thread_object_destroy(thread);
}

/* ---- daemons ----------------------------------------------------------------------------------------------------- */

TEST(daemon_is_set_before_the_start, "Whether it is a daemon is settled before the start; afterwards it is EALREADY.")
{
    struct thread_object *thread = make(wait_for_gate, &go_on);

    must(!thread_object_daemon(thread), "A thread that the main thread creates should not be a daemon, but it is one.");
    must(thread_object_set_daemon(thread, true) == 0, "thread_object_set_daemon before the start returned an error.");
    must(thread_object_daemon(thread), "thread_object_set_daemon(thread, true) did not make it a daemon.");
    must(thread_object_set_daemon(thread, false) == 0, "thread_object_set_daemon before the start returned an error.");
    must(!thread_object_daemon(thread), "thread_object_set_daemon(thread, false) left it a daemon.");
    start(thread);
    int error = thread_object_set_daemon(thread, true);
    must(error == EALREADY, "thread_object_set_daemon after the start should return EALREADY, but it returned %s.",
         error_text(error));
    gate_open(&go_on);
    join(thread);
    error = thread_object_set_daemon(thread, true);
    must(error == EALREADY, "thread_object_set_daemon after the end should return EALREADY, but it returned %s.",
         error_text(error));
    must(!thread_object_daemon(thread), "thread_object_set_daemon returned EALREADY and yet made it a daemon.");
    thread_object_destroy(thread);
}

static void keep_daemon_of_a_new_one(void *place)
{
    struct thread_object *made = NULL;

    if (thread_object_create(&made, NULL, NULL, NULL) != 0)
        return;
    *(int *)place = thread_object_daemon(made) ? 1 : 0;
    thread_object_destroy(made);
}

TEST(daemon_is_inherited, "What a daemon's thread creates is a daemon, and what another's creates is none.")
{
    int of_daemon = -1, of_other = -1;
    struct thread_object *daemon = make(keep_daemon_of_a_new_one, &of_daemon);
    struct thread_object *other = make(keep_daemon_of_a_new_one, &of_other);

    must(thread_object_set_daemon(daemon, true) == 0, "thread_object_set_daemon before the start returned an error.");
    start(daemon);
    join(daemon);
    struct thread_object *plain = make(NULL, NULL);
    must(!thread_object_daemon(plain),
         "A daemon has run, and what the main thread creates afterwards is a daemon: only what a daemon's own thread "
         "creates should be one.");
    thread_object_destroy(plain);
    start(other);
    join(other);
    must(of_daemon == 1, "A thread object that was created by a daemon's thread should be a daemon.");
    must(of_other == 0, "A thread object that was created by the thread of one that is no daemon should be none.");
    thread_object_destroy(daemon);
    thread_object_destroy(other);
}

/* A daemon's thread starts `given` and makes `made`. */
struct exchange {
    struct thread_object *given, *made;
    int error;
};

static void start_and_make(void *argument)
{
    struct exchange *exchange = argument;

    exchange->error = thread_object_start(exchange->given);
    if (thread_object_create(&exchange->made, NULL, NULL, NULL) != 0)
        exchange->made = NULL;
}

TEST(daemon_by_creation, "Whether it is a daemon depends on the thread that creates it, not on the one that starts it.")
{
    struct exchange exchange = {.given = make(NULL, NULL)};
    struct thread_object *daemon = make(start_and_make, &exchange);

    must_return(0, thread_object_set_daemon(daemon, true), "thread_object_set_daemon before the start");
    start(daemon);
    join(daemon);
    must(exchange.error == 0 && exchange.made != NULL, "A daemon's thread could not start or create another object.");
    must(!thread_object_daemon(exchange.given),
         "The main thread created it, a daemon's thread started it, and now it is a daemon.");
    start(exchange.made);
    must(thread_object_daemon(exchange.made),
         "A daemon's thread created it, the main thread started it, and now it is no daemon.");
    join(exchange.given);
    join(exchange.made);
    thread_object_destroy(exchange.given);
    thread_object_destroy(exchange.made);
    thread_object_destroy(daemon);
}

/* ---- destroy ----------------------------------------------------------------------------------------------------- */

TEST(destroy_waits, "Destroying a running thread that is no daemon waits until its target has returned.")
{
    struct errand errand = {.thread = make(wait_for_gate, &go_on), .slices = slices_tally()};

    start(errand.thread);
    struct runner *destroyer = runner_start(destroy_errand, &errand);
    must_be_blocked(destroyer,
                    "The target is running and no daemon: thread_object_destroy should wait for it, asleep.");
    must_not_look_again(&errand, "thread_object_destroy");
    gate_open(&go_on);
    runner_join(destroyer);
    must(wrap_memory_kept() <= 0, "The object is destroyed, and %ld of its allocations were not freed.",
         wrap_memory_kept());
    settle();
    must(extra_threads() == 0, "The object is destroyed, and %d of its threads are left.", extra_threads());
}

static void wait_then_count(void *gate)
{
    gate_pass(gate);
    tally_add(&runs, 1);
}

TEST(destroy_leaves_a_daemon_alone,
     "Destroying a running daemon does not wait; its target goes on, and the object is released then.")
{
    struct errand errand = {.thread = make(wait_then_count, &go_on)};

    must(thread_object_set_daemon(errand.thread, true) == 0, "thread_object_set_daemon returned an error.");
    start(errand.thread);
    struct runner *destroyer = runner_start(destroy_errand, &errand);
    must_be_done(destroyer, "The target is running and a daemon: thread_object_destroy should not wait for it.");
    runner_join(destroyer);
    must(extra_threads() == 1,
         "The daemon's object was destroyed, and its thread is gone with it: the target should go on.");
    gate_open(&go_on);
    settle();
    must(tally_read(&runs) == 1, "The daemon's object was destroyed, and its target did not run to its end.");
    must(extra_threads() == 0, "The daemon's target has returned, and its thread is still there.");
    must(wrap_memory_kept() <= 0,
         "The daemon's target has returned, and %ld of its object's allocations were not freed.", wrap_memory_kept());
}

static void destroy_itself(void *place)
{
    struct thread_object **thread = place;

    thread_object_destroy(*thread);
    tally_add(&runs, 1);
}

TEST(a_daemon_may_destroy_itself, "The target of a daemon may destroy its own object, and goes on to its end.")
{
    struct thread_object *thread = NULL;

    thread = make(destroy_itself, &thread);
    must(thread_object_set_daemon(thread, true) == 0, "thread_object_set_daemon returned an error.");
    start(thread);
    settle();
    must(tally_read(&runs) == 1, "A daemon destroyed its own object, and its target did not run to its end.");
    must(wrap_memory_kept() <= 0, "A daemon destroyed its own object, and %ld of its allocations were not freed.",
         wrap_memory_kept());
}

TEST(destroy_ends_all, "What was made for an object is ended with it: its mutexes and its conditions too.")
{
    thread_object_destroy(make(NULL, NULL));
    struct thread_object *thread = make(count_run, NULL);
    start(thread);
    join(thread);
    thread_object_destroy(thread);
    must_have_ended_all();
}

/* ---- no memory --------------------------------------------------------------------------------------------------- */

/* Without the `nth` piece of memory of those that it asks for in this way. */
static void must_bear(enum wrap_call what, long nth, const char *name)
{
    char untouched[1];
    struct thread_object *thread = (struct thread_object *)(void *)untouched;
    long before = wrap_memory_kept();

    wrap_fail(what, nth, ENOMEM);
    int error = thread_object_create(&thread, NULL, NULL, name);
    wrap_fail(what, 0, 0);
    bool stored = (void *)thread != untouched;
    must(error == 0 || error == ENOMEM,
         "Allocation %ld failed: thread_object_create should return ENOMEM, but it returned %s.", nth,
         error_text(error));
    must(stored == (error == 0), "thread_object_create returned %s and %s.", error_text(error),
         stored ? "yet stored an object" : "stored no object");
    char copy[NAME_SIZE] = "";
    must(error != 0 || thread_object_name(thread, copy, sizeof copy) == 0,
         "thread_object_create returned 0, and the object has no name.");
    if (error == 0)
        thread_object_destroy(thread);
    long kept = wrap_memory_kept() - before;
    must(error == 0 || kept <= 1, "Allocation %ld failed, and %ld that had succeeded were not freed.", nth, kept - 1);
}

TEST(no_memory, "When there is no memory, create returns ENOMEM, stores nothing and keeps nothing.")
{
    char untouched[1];

    must_return(EINVAL, thread_object_create(NULL, NULL, NULL, NULL), "thread_object_create(NULL, …)");
    must(wrap_memory_kept() <= 0, "thread_object_create(NULL, …) returned EINVAL and kept memory.");
    for (long nth = 1; nth <= ALLOCATIONS; nth++) {
        must_bear(WRAP_malloc, nth, "worker");
        must_bear(WRAP_calloc, nth, "worker");
        must_bear(WRAP_malloc, nth, NULL);
        must_bear(WRAP_calloc, nth, NULL);
    }
    struct thread_object *thread = (struct thread_object *)(void *)untouched;
    wrap_fail_memory(-1);
    int error = thread_object_create(&thread, NULL, NULL, "worker");
    must(error == ENOMEM, "Without any memory thread_object_create should return ENOMEM, but it returned %s.",
         error_text(error));
}

static int make_one(void)
{
    struct thread_object *made = NULL;
    int error = thread_object_create(&made, NULL, NULL, "worker");

    if (error == 0)
        thread_object_destroy(made);
    return error;
}

TEST(create_half_way, "When a mutex or a condition cannot be made, create returns that error and keeps nothing.")
{
    for (long nth = 1; nth <= 2; nth++) {
        must_keep_nothing("thread_object_create", make_one, WRAP_pthread_mutex_init, nth, "pthread_mutex_init");
        must_keep_nothing("thread_object_create", make_one, WRAP_pthread_cond_init, nth, "pthread_cond_init");
    }
}

TEST(no_memory_for_a_name, "When there is no memory for a new name, set_name returns ENOMEM and the old one stays.")
{
    static char name[LONG_NAME + 1];
    struct thread_object *thread = make(NULL, NULL);

    memset(name, 'n', LONG_NAME);
    wrap_fail_memory(-1);
    int error = thread_object_set_name(thread, name);
    must(error == ENOMEM, "Without memory thread_object_set_name should return ENOMEM, but it returned %s.",
         error_text(error));
    wrap_fail_memory(0);
    must_be_called(thread, "Thread-1");
    thread_object_destroy(thread);
}
