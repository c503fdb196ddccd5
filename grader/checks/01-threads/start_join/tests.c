/* tests.c - what start_join must do.
 *
 * Every new thread of the student's is held before its first step until the test lets it go (hold_new_threads): by then
 * start has returned and its stack frame has been written over, so a thread that was handed a pointer to something that
 * does not last, or that all calls share, is found every time and not only on a bad day.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pthread_setattr_default_np */
#endif
#include "check.h"
#include "start_join.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>

enum { CALLS = 3, MANY_CALLS = 300 };

static struct gate threads_may_begin;
static struct gate work_may_end;
static struct tally inside;
static struct tally runs;
static pthread_t worker;

static void pass(void *gate)
{
    gate_pass(gate);
}

static void hold_new_threads(void)
{
    wrap_in_thread(pass, &threads_may_begin);
}

/* Writes over the stack that start has just used. */
static __attribute__((noinline)) void scribble(void)
{
    volatile unsigned char old[8192];

    for (size_t i = 0; i < sizeof old; i++)
        old[i] = 0x5a;
}

static long square(long n)
{
    tally_add(&runs, 1);
    return n * n;
}

static long negate(long n)
{
    return -n;
}

static long same(long n)
{
    return n;
}

static long tell_thread(long n)
{
    worker = pthread_self();
    return n;
}

static long wait_inside(long n)
{
    tally_add(&inside, 1);
    gate_pass(&work_may_end);
    return 10 * n;
}

/* One call from beginning to end, as a runner's body or from the test. */
struct trip {
    long (*work)(long argument);
    long argument;
    struct start_join *call;
    long result;
    int start_error, join_error;
};

static void start_trip(void *argument)
{
    struct trip *trip = argument;

    trip->start_error = start_join_start(&trip->call, trip->work, trip->argument);
    scribble();
}

static void join_trip(void *argument)
{
    struct trip *trip = argument;

    trip->join_error = start_join_join(trip->call, &trip->result);
}

static void must_come_home(long (*work)(long argument), long argument, long expected)
{
    struct trip trip = {.work = work, .argument = argument, .result = 77};

    start_trip(&trip);
    must(trip.start_error == 0, "start_join_start returned %s; it should return 0.", error_text(trip.start_error));
    must(trip.call != NULL, "start_join_start returned 0 and stored no call.");
    gate_open(&threads_may_begin);
    join_trip(&trip);
    must(trip.join_error == 0, "start_join_join returned %s; it should return 0.", error_text(trip.join_error));
    must(trip.result == expected, "The result should be %ld, but start_join_join brought %ld.", expected, trip.result);
}

TEST(result_comes_home, "join brings what work(argument) returned.")
{
    hold_new_threads();
    must_come_home(square, 7, 49);
    must(tally_read(&runs) == 1, "The work ran %ld times; it should run once.", tally_read(&runs));
}

TEST(all_of_a_long_comes_home, "Argument and result are of type long, every bit of them, negative ones too.")
{
    hold_new_threads();
    must_come_home(negate, LONG_MAX, -LONG_MAX);
    must_come_home(negate, -5, 5);
    must_come_home(negate, 0, 0);
    must_come_home(same, -1, -1);
    must_come_home(same, LONG_MIN, LONG_MIN);
}

TEST(work_has_its_own_thread, "The work runs in a new thread, not in the one that called start or join.")
{
    must_come_home(tell_thread, 1, 1);
    must(!pthread_equal(worker, pthread_self()), "The work ran in the thread that called start_join_start and "
                                                 "start_join_join; it should run in a thread of its own.");
}

TEST(start_does_not_wait, "start returns at once; both threads go on at the same time.")
{
    struct trip trip = {.work = wait_inside, .argument = 4};
    struct runner *starter = runner_start(start_trip, &trip);

    must_be_done(starter, "start_join_start has not returned while the work is still running: it waits for it.");
    must(trip.start_error == 0, "start_join_start returned %s.", error_text(trip.start_error));
    must(tally_read(&inside) == 1, "start_join_start has returned, but the work has not begun: it should run now, not "
                                   "at the join.");
    gate_open(&work_may_end);
    runner_join(starter);
    join_trip(&trip);
    must(trip.result == 40, "The result should be 40, but it is %ld.", trip.result);
}

TEST(join_waits_for_the_end, "join returns when the work has returned, not before, and sleeps until then.")
{
    struct trip trip = {.work = wait_inside, .argument = 5};

    start_trip(&trip);
    must(trip.start_error == 0, "start_join_start returned %s.", error_text(trip.start_error));
    struct runner *joiner = runner_start(join_trip, &trip);
    must_be_blocked(joiner, "start_join_join should sleep while the work is running; it has returned, or it spins.");
    gate_open(&work_may_end);
    runner_join(joiner);
    must(trip.join_error == 0, "start_join_join returned %s.", error_text(trip.join_error));
    must(trip.result == 50, "The result should be 50, but it is %ld.", trip.result);
    settle();
    must(extra_threads() == 0, "After start_join_join the call's thread should be gone; %d are left.", extra_threads());
}

static pthread_key_t at_the_end;
static struct tally ending;
static struct gate thread_may_end;

static void hold_the_end(void *unused)
{
    (void)unused;
    tally_add(&ending, 1);
    gate_pass(&thread_may_end);
}

/* Its thread has still something to do when this has returned. */
static long end_slowly(long n)
{
    pthread_setspecific(at_the_end, &ending);
    return 3 * n;
}

TEST(join_waits_for_the_thread, "join returns when the thread has ended, and not as soon as the work has returned: "
                                "until then the thread may still be at work for its thread-local values.")
{
    struct trip trip = {.work = end_slowly, .argument = 2};

    must(pthread_key_create(&at_the_end, hold_the_end) == 0, "The test could not make a key.");
    hold_new_threads();
    start_trip(&trip);
    must(trip.start_error == 0, "start_join_start returned %s.", error_text(trip.start_error));
    gate_open(&threads_may_begin);
    settle();
    must(tally_read(&ending) == 1, "start_join_start has returned, but the work has not begun: it should run now, not "
                                   "at the join.");
    struct runner *joiner = runner_start(join_trip, &trip);
    must_be_blocked(joiner, "The work has returned, but its thread has not ended yet: start_join_join should sleep "
                            "until it has; it has returned, or it spins.");
    gate_open(&thread_may_end);
    runner_join(joiner);
    must(trip.join_error == 0, "start_join_join returned %s.", error_text(trip.join_error));
    must(trip.result == 6, "The result should be 6, but it is %ld.", trip.result);
}

static void start_all(void *argument)
{
    struct trip *trips = argument;

    for (int i = 0; i < CALLS; i++)
        start_trip(&trips[i]);
}

TEST(several_at_once, "Any number of calls may be under way at the same time, each with its argument and its result.")
{
    struct trip trips[CALLS] = {{.work = wait_inside, .argument = 1},
                                {.work = wait_inside, .argument = 2},
                                {.work = wait_inside, .argument = 3}};

    hold_new_threads();
    struct runner *starter = runner_start(start_all, trips);
    must_be_done(starter, "Three calls were started one after the other, and a start waits for an earlier call.");
    runner_join(starter);
    for (int i = 0; i < CALLS; i++)
        must(trips[i].start_error == 0, "Start number %d returned %s.", i + 1, error_text(trips[i].start_error));
    gate_open(&threads_may_begin);
    settle();
    must(tally_read(&inside) == CALLS,
         "Three calls are under way, so three works should be running at the same time; "
         "it is %ld.",
         tally_read(&inside));
    gate_open(&work_may_end);
    for (int i = CALLS - 1; i >= 0; i--) {
        join_trip(&trips[i]);
        must(trips[i].join_error == 0, "start_join_join returned %s.", error_text(trips[i].join_error));
        must(trips[i].result == 10 * trips[i].argument,
             "The call with argument %ld should bring %ld, but it brought %ld.", trips[i].argument,
             10 * trips[i].argument, trips[i].result);
    }
}

TEST(very_many_at_once, "Any number of calls may be under way at the same time: there is no table that could be full.")
{
    static struct trip trips[MANY_CALLS];
    pthread_attr_t small_stacks;

    must(pthread_attr_init(&small_stacks) == 0 && pthread_attr_setstacksize(&small_stacks, 65536) == 0 &&
             pthread_setattr_default_np(&small_stacks) == 0,
         "The test could not choose the size of stacks.");
    for (int i = 0; i < MANY_CALLS; i++) {
        trips[i] = (struct trip){.work = wait_inside, .argument = i};
        start_trip(&trips[i]);
        must(trips[i].start_error == 0, "%d calls are under way, and the next start returned %s.", i,
             error_text(trips[i].start_error));
    }
    gate_open(&work_may_end);
    for (int i = 0; i < MANY_CALLS; i++) {
        join_trip(&trips[i]);
        must(trips[i].join_error == 0 && trips[i].result == 10L * i,
             "The call with argument %d should bring %ld, but it brought %ld, and join returned %s.", i, 10L * i,
             trips[i].result, error_text(trips[i].join_error));
    }
}

static void throw_away(void *argument)
{
    struct trip *trip = argument;

    trip->join_error = start_join_join(trip->call, NULL);
}

TEST(result_may_be_thrown_away, "join takes NULL for a result that nobody wants, and still waits.")
{
    struct trip trip = {.work = wait_inside, .argument = 3};

    start_trip(&trip);
    must(trip.start_error == 0, "start_join_start returned %s.", error_text(trip.start_error));
    struct runner *joiner = runner_start(throw_away, &trip);
    must_be_blocked(joiner, "start_join_join(call, NULL) should sleep while the work is running; it has returned, or "
                            "it spins.");
    gate_open(&work_may_end);
    runner_join(joiner);
    must(trip.join_error == 0, "start_join_join(call, NULL) returned %s; it should return 0.",
         error_text(trip.join_error));
    settle();
    must(extra_threads() == 0, "After start_join_join(call, NULL) the call's thread should be gone; %d are left.",
         extra_threads());
}

TEST(wrong_arguments, "Without a place for the handle, without work, or without a call there is nothing to do: EINVAL.")
{
    char untouched[1];
    struct start_join *call = (struct start_join *)(void *)untouched;
    long result = 77;

    int error = start_join_start(NULL, square, 1);
    must(error == EINVAL, "start_join_start(NULL, work, 1) should return EINVAL, but it returned %s.",
         error_text(error));
    error = start_join_start(&call, NULL, 1);
    must(error == EINVAL, "start_join_start(&call, NULL, 1) should return EINVAL, but it returned %s.",
         error_text(error));
    must((void *)call == untouched, "start_join_start returned EINVAL and yet changed *call.");
    error = start_join_join(NULL, &result);
    must(error == EINVAL, "start_join_join(NULL, &result) should return EINVAL, but it returned %s.",
         error_text(error));
    must(result == 77, "start_join_join returned EINVAL and yet changed *result.");
    settle();
    must(extra_threads() == 0, "A call that was refused left %d threads behind.", extra_threads());
}

TEST(no_thread_to_be_had, "When pthread_create fails, start returns its error, stores nothing and keeps nothing.")
{
    static const int errors[] = {EAGAIN, EPERM};
    char untouched[1];
    struct start_join *call = (struct start_join *)(void *)untouched;

    for (int i = 0; i < 2; i++) {
        wrap_fail(WRAP_pthread_create, 1, errors[i]);
        int error = start_join_start(&call, square, 5);
        must(error == errors[i], "pthread_create returned %s; start_join_start should return it, but it returned %s.",
             error_text(errors[i]), error_text(error));
        must((void *)call == untouched, "start_join_start returned an error and yet changed *call.");
        must(tally_read(&runs) == 0, "There was no thread, and yet the work ran.");
    }
    must_come_home(square, 6, 36);
}

TEST(memory_runs_out, "When the memory ends in the middle of a start, what it had before is given back.")
{
    for (long nth = 1; nth <= 3; nth++) {
        char untouched[1];
        struct start_join *call = (struct start_join *)(void *)untouched;
        long kept = wrap_memory_kept();
        wrap_fail(WRAP_malloc, nth, ENOMEM);
        wrap_fail(WRAP_calloc, nth, ENOMEM);
        int error = start_join_start(&call, square, 5);
        bool failed = error != 0;
        wrap_fail(WRAP_malloc, 0, 0);
        wrap_fail(WRAP_calloc, 0, 0);
        if (!failed) /* it allocates less often, and did not notice */
            start_join_join(call, NULL);
        kept = wrap_memory_kept() - kept;
        must(!failed || error == ENOMEM,
             "Allocation %ld failed: start_join_start should return ENOMEM, but it returned %s.", nth,
             error_text(error));
        must(!failed || (void *)call == untouched, "start_join_start returned ENOMEM and yet changed *call.");
        must(!failed || kept <= 1, "Allocation %ld failed, and %ld that had succeeded were not freed.", nth, kept - 1);
    }
}

TEST(no_memory, "When there is no memory, start returns ENOMEM, starts nothing and stores nothing.")
{
    char untouched[1];
    struct start_join *call = (struct start_join *)(void *)untouched;

    wrap_fail_memory(-1);
    int error = start_join_start(&call, square, 5);
    must(error == ENOMEM, "Without memory start_join_start should return ENOMEM, but it returned %s.",
         error_text(error));
    must((void *)call == untouched, "start_join_start returned ENOMEM and yet changed *call.");
    must(tally_read(&runs) == 0, "start_join_start returned ENOMEM, and yet the work ran.");
}
