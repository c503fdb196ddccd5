/* tests.c - what the global lock must do.
 *
 * The test's own thread is mostly the holder, and those who want the lock are runners. How long an interval lasts is
 * decided by the test (nap.h): so "the interval was over", "a switch happened meanwhile" and "he had not woken up yet"
 * are facts, not matters of luck.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"
#include "gil.h"
#include "leftovers.h"
#include "wrap.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

/* nap.h's own of these two are called by those below. */
#define pthread_cond_timedwait nap_cond_timedwait
#define clock_gettime nap_clock_gettime
#include "nap.h"
#undef pthread_cond_timedwait
#undef clock_gettime

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

/* The conditions that go by the monotonic clock. A wait in a nap ends when the test says so, and would not show that
 * its deadline, by the condition's own clock, was over before it began. */
enum { CONDITIONS_MAX = 1024 };
static pthread_cond_t *monotonic[CONDITIONS_MAX];
static struct tally conditions;
static struct tally waits_by_the_wall; /* timed ones, on any other condition */

NAP_HIDDEN int pthread_cond_init(pthread_cond_t *restrict condition, const pthread_condattr_t *restrict attributes)
{
    int (*init)(pthread_cond_t *, const pthread_condattr_t *) = NULL;
    clockid_t clock = CLOCK_REALTIME;

    *(void **)&init = dlsym(RTLD_NEXT, "pthread_cond_init");
    if (attributes != NULL)
        pthread_condattr_getclock(attributes, &clock);
    long number = clock == CLOCK_MONOTONIC ? tally_add(&conditions, 1) : CONDITIONS_MAX;
    if (number < CONDITIONS_MAX)
        __atomic_store_n(&monotonic[number], condition, __ATOMIC_RELEASE);
    return init == NULL ? ENOSYS : init(condition, attributes);
}

NAP_HIDDEN int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                      const struct timespec *restrict until)
{
    bool by_the_wall = tally_read(&conditions) < CONDITIONS_MAX;

    for (int i = 0; i < CONDITIONS_MAX && by_the_wall; i++)
        by_the_wall = __atomic_load_n(&monotonic[i], __ATOMIC_ACQUIRE) != condition;
    tally_add(&waits_by_the_wall, by_the_wall);
    return nap_cond_timedwait(condition, mutex, until);
}

static _Thread_local const struct timespec *stopped_clock; /* what the monotonic one shows; NULL: the time */

NAP_HIDDEN int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (stopped_clock == NULL || clock != CLOCK_MONOTONIC)
        return nap_clock_gettime(clock, now);
    *now = *stopped_clock;
    return 0;
}

/* ---- making, calling --------------------------------------------------------------------------------------------- */

static struct gil *new_gil(void)
{
    struct gil *gil = NULL;
    int error = gil_create(&gil);

    must(error == 0 && gil != NULL, "gil_create returned %s or stored no lock.", error_text(error));
    return gil;
}

static struct gil_thread *new_thread(struct gil *gil)
{
    struct gil_thread *thread = NULL;
    int error = gil_thread_create(gil, &thread);

    must(error == 0 && thread != NULL, "gil_thread_create returned %s or stored nothing.", error_text(error));
    return thread;
}

/* ---- threads that want the lock --------------------------------------------------------------------------------- */

/* A thread that takes the lock, holds it until it is told to let go, and drops it. */
struct taker {
    struct gil_thread *thread;
    struct nap_alarm clock; /* of its gil_take */
    const struct timespec *stopped;
    struct gate has_it, let_go;
    int took, dropped; /* what the calls returned */
    int errno_after;   /* of gil_take; it was ERANGE before */
    bool asked;        /* whether its drop was requested, just before it let go */
    bool held, held_after;
    struct runner *runner;
};

static void take_and_drop(void *argument)
{
    struct taker *taker = argument;

    nap_alarm = &taker->clock;
    stopped_clock = taker->stopped;
    errno = ERANGE;
    taker->took = gil_take(taker->thread);
    taker->errno_after = errno;
    stopped_clock = NULL;
    nap_alarm = NULL;
    taker->held = gil_is_held(taker->thread);
    gate_open(&taker->has_it);
    gate_pass(&taker->let_go);
    taker->asked = gil_drop_requested(taker->thread);
    taker->dropped = gil_drop(taker->thread);
    taker->held_after = gil_is_held(taker->thread);
}

/* Starts one whose first `naps` waits are rung by the test and end because the time is over. */
static void start_taker(struct taker *taker, struct gil *gil, int naps)
{
    *taker = (struct taker){.thread = new_thread(gil), .took = -1, .dropped = -1};
    taker->clock.naps = naps;
    taker->runner = runner_start(take_and_drop, taker);
}

static void end_taker(struct taker *taker)
{
    gate_open(&taker->let_go);
    runner_join(taker->runner);
    must_return(0, taker->took, "gil_take of a thread that waited");
    must(taker->held && !taker->held_after, "gil_is_held should be true after gil_take and false after gil_drop.");
    must_return(0, taker->dropped, "gil_drop of the holder");
    gil_thread_destroy(taker->thread);
}

/* Blocks until the taker sleeps for the nth time; fails where it does not sleep, but ends or goes on. */
static void must_sleep(struct taker *taker, int number)
{
    must_be_blocked(taker->runner, "The lock is held, and gil_take of another thread did not sleep.");
    must(__atomic_load_n(&taker->clock.asleep[number].open, __ATOMIC_ACQUIRE) != 0,
         "A thread that waits for the lock should sleep in pthread_cond_timedwait, one interval after the other; "
         "instead it is blocked elsewhere.");
}

static void ring(struct taker *taker, int number)
{
    gate_open(&taker->clock.rung[number]);
    settle();
}

/* ---- one holder ------------------------------------------------------------------------------------------------- */

TEST(taken_and_dropped, "The lock is taken and dropped, again and again, and says who holds it.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil), *other = new_thread(gil);

    must(!gil_is_held(me), "A new lock should be held by nobody.");
    for (int i = 0; i < 3; i++) {
        must_return(0, gil_take(me), "gil_take of a free lock");
        must(gil_is_held(me) && !gil_is_held(other), "After gil_take its thread should hold the lock, and no other.");
        must(!gil_drop_requested(me), "Nobody waits for the lock, and gil_drop_requested is true.");
        must_return(0, gil_drop(me), "gil_drop of the holder");
        must(!gil_is_held(me), "After gil_drop nobody should hold the lock.");
    }
    gil_thread_destroy(me);
    gil_thread_destroy(other);
    gil_destroy(gil);
}

TEST(holder_takes_again, "Who holds the lock and takes it again gets EDEADLK, and holds it still.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);

    must_return(0, gil_take(me), "gil_take of a free lock");
    must_return(EDEADLK, gil_take(me), "gil_take of the holder");
    must(gil_is_held(me), "gil_take of the holder failed, as it should, but then it does not hold the lock any more.");
    must_return(0, gil_drop(me), "One gil_drop after that");
    must_return(EPERM, gil_drop(me), "A second gil_drop");
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(only_the_holder_drops, "Who does not hold the lock cannot drop it: EPERM, and nothing has changed.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil), *other = new_thread(gil);
    struct taker taker;

    must_return(EPERM, gil_drop(me), "gil_drop of a lock that nobody holds");
    must_return(EPERM, gil_checkpoint(me), "gil_checkpoint of a thread that does not hold the lock");
    must_return(0, gil_take(me), "gil_take of a free lock");
    must_return(EPERM, gil_drop(other), "gil_drop of a thread that does not hold the lock");
    must_return(EPERM, gil_checkpoint(other), "gil_checkpoint of a thread that does not hold the lock");
    must(gil_is_held(me), "Another thread's gil_drop took the lock away from its holder.");
    start_taker(&taker, gil, 0);
    must_be_blocked(taker.runner, "The lock is held, and another thread's gil_take returned %d.", taker.took);
    must_return(0, gil_drop(me), "gil_drop of the holder");
    end_taker(&taker);
    gil_thread_destroy(me);
    gil_thread_destroy(other);
    gil_destroy(gil);
}

TEST(others_wait_asleep, "Who finds the lock held waits asleep, and is woken when it is dropped.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 0);
    enum runner_state state = runner_state(taker.runner);
    must(state != RUNNER_BUSY, "A thread that waits for the lock should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED, "The lock is held, and gil_take of another thread returned %d.", taker.took);
    must_return(0, gil_drop(me), "gil_drop of the holder");
    must_be_blocked(taker.runner, "A thread that got the lock did not wait at the test's gate.");
    must(taker.took == 0, "The lock was dropped, and the thread that waits for it was not woken.");
    end_taker(&taker);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(everyone_gets_it, "Where the lock is free and somebody waits, somebody gets it: nobody is forgotten.")
{
    enum { WAITERS = 4 };
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker takers[WAITERS];

    must_return(0, gil_take(me), "gil_take of a free lock");
    for (int i = 0; i < WAITERS; i++) {
        start_taker(&takers[i], gil, 0);
        gate_open(&takers[i].let_go);
    }
    settle();
    must_return(0, gil_drop(me), "gil_drop of the holder");
    for (int i = 0; i < WAITERS; i++)
        must_be_done(takers[i].runner, "Four threads waited for the lock; each drops it at once, and one of them still "
                                       "sleeps although the lock is free.");
    for (int i = 0; i < WAITERS; i++)
        end_taker(&takers[i]);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(locks_are_separate, "Each lock has a holder of its own.")
{
    struct gil *one = new_gil(), *two = new_gil();
    struct gil_thread *me_one = new_thread(one), *me_two = new_thread(two);

    must_return(0, gil_take(me_one), "gil_take of the first lock");
    must_return(0, gil_take(me_two), "gil_take of the second lock");
    must_return(0, gil_set_interval(one, 77), "gil_set_interval");
    must(gil_interval(two) == GIL_INTERVAL_US, "The first lock's interval was set, and the second one's changed.");
    must(gil_switches(one) == 1 && gil_switches(two) == 1,
         "Each lock was taken once, and their switches are %llu and "
         "%llu.",
         (unsigned long long)gil_switches(one), (unsigned long long)gil_switches(two));
    must_return(0, gil_drop(me_one), "gil_drop of the first lock");
    must(gil_is_held(me_two), "The first lock was dropped, and the second is not held any more.");
    must_return(0, gil_drop(me_two), "gil_drop of the second lock");
    gil_thread_destroy(me_one);
    gil_thread_destroy(me_two);
    gil_destroy(one);
    gil_destroy(two);
}

/* ---- the interval ----------------------------------------------------------------------------------------------- */

TEST(interval_is_set, "The interval is 5 ms at first; any number above 0 can be set, and nothing else.")
{
    static const int64_t wrong_us[] = {0, -1, INT64_MIN}, right_us[] = {1, 4999999, 7200000000, INT64_MAX};
    struct gil *gil = new_gil();

    must(gil_interval(gil) == 5000, "The interval of a new lock should be 5000 µs, but it is %lld.",
         (long long)gil_interval(gil));
    for (int i = 0; i < 4; i++) {
        must_return(0, gil_set_interval(gil, right_us[i]), "gil_set_interval");
        must(gil_interval(gil) == right_us[i], "The interval was set to %lld µs, but it is %lld.",
             (long long)right_us[i], (long long)gil_interval(gil));
    }
    for (int i = 0; i < 3; i++) {
        must_return(EINVAL, gil_set_interval(gil, wrong_us[i]), "gil_set_interval with 0 or less");
        must(gil_interval(gil) == INT64_MAX, "gil_set_interval was refused, and yet the interval is now %lld.",
             (long long)gil_interval(gil));
    }
    gil_destroy(gil);
}

static int64_t in_ns(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return in_ns(now);
}

TEST(waits_one_interval, "Who waits sleeps for one interval at a time, by the monotonic clock.")
{
    static const int64_t intervals_us[] = {5000, 999999, 3600000000};

    for (int i = 0; i < 3; i++) {
        struct gil *gil = new_gil();
        struct gil_thread *me = new_thread(gil);
        struct taker taker;

        must_return(0, gil_set_interval(gil, intervals_us[i]), "gil_set_interval");
        must_return(0, gil_take(me), "gil_take of a free lock");
        int64_t before_ns = now_ns();
        start_taker(&taker, gil, 1);
        must_sleep(&taker, 0);
        int64_t after_ns = now_ns(), until_ns = in_ns(taker.clock.until[0]), interval_ns = intervals_us[i] * 1000;
        must(taker.clock.until[0].tv_nsec >= 0 && taker.clock.until[0].tv_nsec < 1000000000,
             "The deadline has %ld nanoseconds, which is no valid time: they must be below 1,000,000,000.",
             taker.clock.until[0].tv_nsec);
        must(until_ns >= before_ns + interval_ns && until_ns <= after_ns + interval_ns + 1000000,
             "The interval is %lld µs, and a thread that waits sleeps until %lld µs after it began, by the monotonic "
             "clock.",
             (long long)intervals_us[i], (long long)(until_ns - before_ns) / 1000);
        must(tally_read(&waits_by_the_wall) == 0,
             "A thread that waits sleeps on a condition that goes by the clock on the wall, by which its deadline is "
             "long "
             "over: pthread_condattr_setclock says that a condition is to go by CLOCK_MONOTONIC.");
        must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
        ring(&taker, 0);
        end_taker(&taker);
        gil_thread_destroy(me);
        gil_destroy(gil);
    }
}

TEST(full_second, "A deadline may fall on a full second: that is a second more and 0 nanoseconds.")
{
    static const struct timespec before = {1000, 995000000};
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker = {
        .thread = new_thread(gil), .took = -1, .dropped = -1, .clock = {.naps = 1}, .stopped = &before};

    must_return(0, gil_take(me), "gil_take of a free lock");
    taker.runner = runner_start(take_and_drop, &taker);
    must_sleep(&taker, 0);
    must(taker.clock.until[0].tv_sec == 1001 && taker.clock.until[0].tv_nsec == 0,
         "A thread began to wait for 5 ms at 1000 s and 995,000,000 ns, and sleeps until %lld s and %ld ns instead of "
         "1001 s and 0 ns.",
         (long long)taker.clock.until[0].tv_sec, taker.clock.until[0].tv_nsec);
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    ring(&taker, 0);
    end_taker(&taker);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(longest_interval, "An interval may be as long as an int64_t can say: then nobody ever asks.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker;

    must_return(0, gil_set_interval(gil, INT64_MAX), "gil_set_interval");
    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 1);
    must_sleep(&taker, 0);
    must(taker.clock.until[0].tv_sec > (time_t)9000000000000 && taker.clock.until[0].tv_nsec >= 0 &&
             taker.clock.until[0].tv_nsec < 1000000000,
         "The interval is INT64_MAX µs, and a thread that waits sleeps until %lld seconds on the clock.",
         (long long)taker.clock.until[0].tv_sec);
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    ring(&taker, 0);
    end_taker(&taker);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(next_wait_is_of_the_new_interval,
     "A new interval counts for the waits that begin from then on, also for who waits already.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil), *other = new_thread(gil);
    struct taker taker;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 2);
    must_sleep(&taker, 0);
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    must_return(0, gil_take(other), "gil_take of a lock that is free");
    must_return(0, gil_set_interval(gil, 3600000000), "gil_set_interval");
    int64_t before_ns = now_ns();
    ring(&taker, 0);
    must_sleep(&taker, 1);
    must(in_ns(taker.clock.until[1]) >= before_ns + (int64_t)3600 * 1000000000,
         "The interval was set to an hour while a thread waited, and its next wait is shorter.");
    must_return(0, gil_drop(other), "gil_drop of the holder, whom nobody has asked,");
    ring(&taker, 1);
    end_taker(&taker);
    gil_thread_destroy(other);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* ---- the drop request ------------------------------------------------------------------------------------------- */

TEST(asks_after_one_interval, "Who has waited for one interval asks the holder to drop the lock; not before.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil), *idle = new_thread(gil);
    struct taker taker;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 2);
    must_sleep(&taker, 0);
    must(!gil_drop_requested(me), "A thread has only begun to wait, and gil_drop_requested of the holder is true.");
    int64_t before_ns = now_ns();
    ring(&taker, 0);
    must_sleep(&taker, 1);
    int64_t until_ns = in_ns(taker.clock.until[1]);
    must(until_ns == 0 || until_ns >= before_ns + (int64_t)GIL_INTERVAL_US * 1000,
         "A thread's interval was over, it has asked, and its next wait is shorter than an interval: it keeps the "
         "processor busy until the lock is dropped.");
    must(gil_drop_requested(me),
         "A thread has waited for an interval, nothing else happened, and gil_drop_requested of "
         "the holder is false.");
    must(!gil_drop_requested(idle), "The holder is asked to drop the lock, and so is a thread that does not hold it.");
    must(!gil_drop_requested(taker.thread), "The thread that asks is asked itself.");
    must(gil_is_held(me), "A drop request only asks; here it took the lock away from its holder.");
    gate_open(&taker.clock.rung[1]);
    must_return(0, gil_drop(me), "gil_drop of the holder, on request,");
    end_taker(&taker);
    gil_thread_destroy(idle);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(woken_for_nothing, "A wait that ends for no reason is no interval: nobody is asked, and the wait goes on.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker = {
        .thread = new_thread(gil), .took = -1, .dropped = -1, .clock = {.naps = 2, .for_nothing = true}};

    must_return(0, gil_take(me), "gil_take of a free lock");
    taker.runner = runner_start(take_and_drop, &taker);
    must_sleep(&taker, 0);
    ring(&taker, 0);
    must_sleep(&taker, 1);
    must(!gil_drop_requested(me),
         "A thread's wait ended for no reason, before its time, and gil_drop_requested is true.");
    must_return(0, gil_drop(me), "gil_drop of the holder");
    ring(&taker, 1);
    end_taker(&taker);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(a_switch_begins_anew, "Where the lock went to another thread during the wait, that one has just begun: the waiter "
                           "does not ask, but waits "
                           "for another interval; after that it asks the new holder.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker slow, quick;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&slow, gil, 3);
    must_sleep(&slow, 0);
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    start_taker(&quick, gil, 0);
    gate_pass(&quick.has_it);
    int64_t before_ns = now_ns();
    ring(&slow, 0);
    must_sleep(&slow, 1);
    must(
        in_ns(slow.clock.until[1]) >= before_ns + (int64_t)GIL_INTERVAL_US * 1000,
        "A thread's interval was over, but the lock had gone to another thread meanwhile, and the next wait is shorter "
        "than a whole interval.");
    must(!gil_drop_requested(quick.thread),
         "A thread's interval was over, but the lock had gone to another thread meanwhile, and that one was asked to "
         "drop it although it has only just begun.");
    must(!gil_drop_requested(me), "A thread's interval was over, and it asked the one who had the lock before.");
    ring(&slow, 1);
    must_sleep(&slow, 2);
    must(gil_drop_requested(quick.thread),
         "A thread has waited for another whole interval without a switch, and gil_drop_requested of the new holder is "
         "false.");
    gate_open(&slow.clock.rung[2]);
    end_taker(&quick);
    must(quick.asked, "The drop request was gone before the holder let go.");
    end_taker(&slow);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(there_and_back, "Two switches that bring the lock back to the same thread are switches: it has just begun.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil), *other = new_thread(gil);
    struct taker taker;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 2);
    must_sleep(&taker, 0);
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    must_return(0, gil_take(other), "gil_take of a lock that is free");
    must_return(0, gil_drop(other), "gil_drop of the holder, whom nobody has asked,");
    must_return(0, gil_take(me), "gil_take of a lock that is free");
    ring(&taker, 0);
    must_sleep(&taker, 1);
    must(!gil_drop_requested(me), "During a thread's wait the lock went to another thread and came back, and the "
                                  "holder, who has only just begun, is asked to drop it.");
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    ring(&taker, 1);
    end_taker(&taker);
    gil_thread_destroy(other);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(no_switch_is_no_excuse, "Who drops the lock and takes it again himself has made no switch: he is asked all the "
                             "same, or who waits would wait for ever.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 2);
    must_sleep(&taker, 0);
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    must_return(0, gil_take(me), "gil_take of a lock that is free");
    ring(&taker, 0);
    must_sleep(&taker, 1);
    must(gil_drop_requested(me), "During a thread's wait the holder dropped the lock and took it again, which is no "
                                 "switch, and gil_drop_requested is false when the interval is over.");
    gate_open(&taker.clock.rung[1]);
    must_return(0, gil_drop(me), "gil_drop of the holder, on request,");
    end_taker(&taker);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(free_and_late, "Who finds the lock free after his interval takes it, and asks nobody.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 1);
    must_sleep(&taker, 0);
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    ring(&taker, 0);
    must_be_blocked(taker.runner, "A thread that got the lock did not wait at the test's gate.");
    must(taker.took == 0, "The lock was free when a thread's interval was over, and it did not take it.");
    must(!gil_drop_requested(me) && !gil_drop_requested(taker.thread),
         "The lock was free when a thread's interval was over, and yet somebody is asked to drop it.");
    end_taker(&taker);
    must(!taker.asked, "Nobody waits for the lock, and its new holder is asked to drop it.");
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(request_ends_with_the_drop,
     "A drop request is for one hold: it ends when the lock is dropped, and nobody inherits it.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 1);
    must_sleep(&taker, 0);
    ring(&taker, 0);
    must(gil_drop_requested(me), "A thread has waited for an interval, and gil_drop_requested of the holder is false.");
    must_return(0, gil_drop(me), "gil_drop of the holder, on request,");
    must(!gil_drop_requested(me), "The holder has dropped the lock on request, and gil_drop_requested is still true.");
    end_taker(&taker);
    must(!taker.asked,
         "The holder was asked and dropped the lock, and the next holder is asked although nobody waits.");
    must_return(0, gil_take(me), "gil_take of a free lock");
    must(!gil_drop_requested(me), "A thread takes the lock again, nobody waits, and it is asked to drop it.");
    must_return(0, gil_drop(me), "gil_drop of the holder");
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(asking_takes_no_lock, "gil_drop_requested is asked at every turn of a loop: it takes no mutex.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    bool asked = false;

    must_return(0, gil_take(me), "gil_take of a free lock");
    long before = wrap_count(WRAP_pthread_mutex_lock) + wrap_count(WRAP_pthread_mutex_trylock);
    for (int i = 0; i < 100; i++)
        asked = asked || gil_drop_requested(me);
    long locks = wrap_count(WRAP_pthread_mutex_lock) + wrap_count(WRAP_pthread_mutex_trylock) - before;
    must(!asked, "Nobody waits for the lock, and gil_drop_requested is true.");
    must(locks == 0, "gil_drop_requested was called 100 times, and a mutex was locked %ld times.", locks);
    must_return(0, gil_drop(me), "gil_drop of the holder");
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* ---- forced switching ------------------------------------------------------------------------------------------- */

/* A holder in a thread of its own, which drops the lock when told to, and may be slow to wake up in gil_drop. */
struct holder {
    struct gil_thread *thread;
    struct nap_alarm clock; /* of its gil_drop */
    struct gate has_it, go;
    int took, dropped, taken_again;
    bool takes_again, checkpoint;
    struct runner *runner;
};

static void hold(void *argument)
{
    struct holder *holder = argument;

    holder->took = gil_take(holder->thread);
    gate_open(&holder->has_it);
    gate_pass(&holder->go);
    nap_alarm = &holder->clock;
    holder->dropped = holder->checkpoint ? gil_checkpoint(holder->thread) : gil_drop(holder->thread);
    nap_alarm = NULL;
    if (holder->takes_again)
        holder->taken_again = gil_take(holder->thread);
    if (gil_is_held(holder->thread))
        gil_drop(holder->thread);
}

/* A lock, a holder who has been asked to drop it, and the one who asked, who has not woken up since. */
static struct gil *asked_holder(struct holder *holder, struct taker *taker)
{
    struct gil *gil = new_gil();

    holder->thread = new_thread(gil);
    holder->runner = runner_start(hold, holder);
    gate_pass(&holder->has_it);
    start_taker(taker, gil, NAPS_MAX);
    must_sleep(taker, 0);
    ring(taker, 0);
    must_sleep(taker, 1);
    return gil;
}

static void end_holder(struct holder *holder)
{
    runner_join(holder->runner);
    must_return(0, holder->took, "gil_take of a free lock");
    must_return(0, holder->dropped, holder->checkpoint ? "gil_checkpoint of the holder" : "gil_drop of the holder");
    gil_thread_destroy(holder->thread);
}

TEST(forced_switching, "A holder that drops the lock on request waits until another thread has taken it, however "
                       "slowly that one wakes up.")
{
    struct holder holder = {.dropped = -1};
    struct taker taker;
    struct gil *gil = asked_holder(&holder, &taker);

    gate_open(&holder.go);
    enum runner_state state = runner_state(holder.runner);
    must(state != RUNNER_BUSY,
         "A holder that waits in gil_drop for the switch should sleep, but it keeps the processor "
         "busy.");
    must(state == RUNNER_BLOCKED, "The holder dropped the lock on request, the one who asked has not woken up yet, and "
                                  "gil_drop has returned already: its caller could take the lock again at once.");
    ring(&taker, 1);
    must_be_done(holder.runner, "Another thread has the lock now, and gil_drop of the holder before has not returned.");
    end_holder(&holder);
    end_taker(&taker);
    gil_destroy(gil);
}

TEST(not_overtaken, "Who has let go on request and takes the lock again gets it after the one who asked.")
{
    struct holder holder = {.dropped = -1, .taken_again = -1, .takes_again = true};
    struct taker taker;
    struct gil *gil = asked_holder(&holder, &taker);

    gate_open(&holder.go);
    settle();
    ring(&taker, 1);
    must_be_blocked(taker.runner, "The thread that asked for the lock did not get it.");
    must(taker.took == 0, "The holder let go on request and took the lock again, and the one who asked still waits.");
    must_be_blocked(holder.runner, "Two threads hold the lock at the same time.");
    end_taker(&taker);
    end_holder(&holder);
    must_return(0, holder.taken_again, "gil_take of the thread that had let go on request");
    must(gil_switches(gil) == 3, "The lock went to a first thread, to a second and back: that is 3 switches, not %llu.",
         (unsigned long long)gil_switches(gil));
    gil_destroy(gil);
}

TEST(asks_the_next_one_too,
     "Who has asked one holder, and sees another one take the lock that he let go, asks that one "
     "after another interval: each of them has to let go.")
{
    struct holder holder = {.dropped = -1};
    struct taker slow, quick;
    struct gil *gil = asked_holder(&holder, &slow);

    gate_open(&holder.go);
    settle();
    start_taker(&quick, gil, 0);
    gate_pass(&quick.has_it);
    ring(&slow, 1);
    must_sleep(&slow, 2);
    must(!gil_drop_requested(quick.thread),
         "A thread woke up and found that the lock had gone to another one meanwhile, "
         "and that one was asked to drop it although it has only just begun.");
    ring(&slow, 2);
    must(gil_drop_requested(quick.thread),
         "A thread asked the holder for the lock, another one got it, an interval is over since then, and that one is "
         "not asked: it may keep the lock for ever.");
    end_holder(&holder);
    end_taker(&quick);
    end_taker(&slow);
    gil_destroy(gil);
}

TEST(unasked_drop_does_not_wait, "A holder that drops the lock unasked does not wait for anybody.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 1);
    must_sleep(&taker, 0);
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    must_return(0, gil_take(me), "gil_take of a lock that is free: who waits for it has not woken up yet");
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    ring(&taker, 0);
    end_taker(&taker);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(switch_survives_nothing, "A wait for the switch that ends for no reason goes on until there was one.")
{
    struct holder holder = {.dropped = -1, .clock.naps = 2};
    struct taker taker;
    struct gil *gil = asked_holder(&holder, &taker);

    gate_open(&holder.go);
    must_be_blocked(holder.runner, "The holder dropped the lock on request, and gil_drop returned before the switch.");
    must(holder.clock.until[0].tv_sec == 0,
         "A holder that waits in gil_drop for the switch sets itself a limit, to look again and again: it should sleep "
         "until whoever takes the lock wakes it.");
    gate_open(&holder.clock.rung[0]);
    must_be_blocked(holder.runner, "The wait of gil_drop for the switch ended for no reason, no other thread has taken "
                                   "the lock, and yet gil_drop returned.");
    gate_open(&holder.clock.rung[1]);
    ring(&taker, 1);
    must_be_done(holder.runner, "Another thread has the lock now, and gil_drop of the holder before has not returned.");
    end_holder(&holder);
    end_taker(&taker);
    gil_destroy(gil);
}

TEST(switch_that_is_over,
     "A switch counts also for who wakes up when it is over: the other has had the lock, dropped it, and ended.")
{
    struct holder holder = {.dropped = -1, .clock.naps = 1};
    struct taker taker;
    struct gil *gil = asked_holder(&holder, &taker);

    gate_open(&holder.go);
    must_be_blocked(holder.runner, "The holder dropped the lock on request, and gil_drop returned before the switch.");
    ring(&taker, 1);
    end_taker(&taker);
    gate_open(&holder.clock.rung[0]);
    must_be_done(holder.runner, "Another thread took the lock, dropped it and ended before the holder woke up in "
                                "gil_drop, and now he waits for a switch that has happened already.");
    end_holder(&holder);
    gil_destroy(gil);
}

/* Called in the thread that unlocks: lets everybody else go as far as they can, where the thread is the one meant. */
static _Thread_local bool unlocks_slowly;

static void let_others_run(void *unused)
{
    (void)unused;
    if (unlocks_slowly)
        settle();
}

static void drop_slowly(void *argument)
{
    struct holder *holder = argument;

    holder->took = gil_take(holder->thread);
    gate_open(&holder->has_it);
    gate_pass(&holder->go);
    unlocks_slowly = true;
    holder->dropped = gil_drop(holder->thread);
    unlocks_slowly = false;
}

TEST(switch_at_any_moment,
     "The switch may come as soon as gil_drop lets go of the mutex: it is not missed, however quick the other one is.")
{
    struct holder holder = {.thread = NULL, .dropped = -1};
    struct taker taker;
    struct gil *gil = new_gil();

    holder.thread = new_thread(gil);
    wrap_after(WRAP_pthread_mutex_unlock, let_others_run, NULL);
    holder.runner = runner_start(drop_slowly, &holder);
    gate_pass(&holder.has_it);
    start_taker(&taker, gil, 1);
    must_sleep(&taker, 0);
    ring(&taker, 0);
    gate_open(&holder.go);
    end_holder(&holder); /* hangs where the switch was missed */
    end_taker(&taker);
    gil_destroy(gil);
}

TEST(woken_when_it_is_free,
     "Who waits is woken when the lock is free, not before: however quick he is, he does not find it held.")
{
    struct holder holder = {.thread = NULL, .dropped = -1};
    struct taker taker;
    struct gil *gil = new_gil();

    holder.thread = new_thread(gil);
    wrap_after(WRAP_pthread_cond_signal, let_others_run, NULL);
    wrap_after(WRAP_pthread_cond_broadcast, let_others_run, NULL);
    holder.runner = runner_start(drop_slowly, &holder);
    gate_pass(&holder.has_it);
    start_taker(&taker, gil, 0);
    must_be_blocked(taker.runner, "The lock is held, and gil_take of another thread returned.");
    gate_open(&holder.go);
    end_holder(&holder);
    must_be_blocked(taker.runner, "A thread that got the lock did not wait at the test's gate.");
    must(taker.took == 0,
         "gil_drop woke the thread that waits for the lock before the lock was free: it found it held, "
         "and sleeps again although the lock is free now.");
    end_taker(&taker);
    gil_destroy(gil);
}

TEST(checkpoint,
     "gil_checkpoint drops the lock where that was requested, and takes it again when the other has had it.")
{
    struct holder holder = {.dropped = -1, .checkpoint = true};
    struct taker taker;
    struct gil *gil = asked_holder(&holder, &taker);

    gate_open(&holder.go);
    must_be_blocked(holder.runner,
                    "The holder was asked for the lock, nobody has taken it, and gil_checkpoint returned.");
    ring(&taker, 1);
    gate_pass(&taker.has_it);
    must_be_blocked(holder.runner, "Another thread holds the lock, and gil_checkpoint returned.");
    end_taker(&taker);
    must_be_done(holder.runner, "The lock is free again, and gil_checkpoint did not take it.");
    end_holder(&holder);
    must(gil_switches(gil) == 3, "The lock went to a first thread, to a second and back: that is 3 switches, not %llu.",
         (unsigned long long)gil_switches(gil));
    gil_destroy(gil);
}

TEST(checkpoint_unasked, "gil_checkpoint does nothing where the holder was not asked, whoever waits.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker;

    must_return(0, gil_take(me), "gil_take of a free lock");
    must_return(0, gil_checkpoint(me), "gil_checkpoint of the holder");
    start_taker(&taker, gil, 0);
    settle();
    long woken = wrap_count(WRAP_pthread_cond_signal) + wrap_count(WRAP_pthread_cond_broadcast);
    must_return(0, gil_checkpoint(me), "gil_checkpoint of the holder, whom nobody has asked,");
    woken = wrap_count(WRAP_pthread_cond_signal) + wrap_count(WRAP_pthread_cond_broadcast) - woken;
    settle();
    must(gil_is_held(me) && taker.took == -1, "Nobody had asked the holder, and gil_checkpoint gave the lock away.");
    must(woken == 0, "Nobody had asked the holder, and gil_checkpoint woke one who waits, as if the lock were free.");
    must_return(0, gil_drop(me), "gil_drop of the holder");
    end_taker(&taker);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* ---- switches --------------------------------------------------------------------------------------------------- */

static void must_count(struct gil *gil, uint64_t expected, const char *what)
{
    must(gil_switches(gil) == expected, "%s: there should have been %llu switches, but gil_switches says %llu.", what,
         (unsigned long long)expected, (unsigned long long)gil_switches(gil));
}

TEST(switches_are_counted, "A switch is when another thread takes the lock than the one that had it last.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil), *other = new_thread(gil);

    must_count(gil, 0, "Nobody has taken the lock yet");
    gil_take(me);
    must_count(gil, 1, "A first thread has taken the lock");
    gil_drop(me);
    gil_take(me);
    gil_drop(me);
    must_count(gil, 1, "The same thread has taken the lock again");
    gil_take(other);
    must_count(gil, 2, "Another thread has taken the lock");
    gil_drop(other);
    gil_take(me);
    gil_drop(me);
    must_count(gil, 3, "The first thread has taken it again");
    gil_thread_destroy(me);
    gil_thread_destroy(other);
    gil_destroy(gil);
}

TEST(many_switches, "However many switches there were during a wait, the waiter sees that there were some.")
{
    enum { SWITCHES = 65536 };
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil), *other = new_thread(gil);
    struct taker taker;
    int failed = 0;

    must_return(0, gil_take(me), "gil_take of a free lock");
    start_taker(&taker, gil, 2);
    must_sleep(&taker, 0);
    for (int i = 0; i < SWITCHES; i += 2) /* each by the other, and back */
        failed |= gil_drop(me) | gil_take(other) | gil_drop(other) | gil_take(me);
    must(failed == 0, "Two threads took and dropped the lock in turn, and gil_take or gil_drop returned an error.");
    must_count(gil, 1 + SWITCHES, "Two threads have taken the lock in turn");
    ring(&taker, 0);
    must_sleep(&taker, 1);
    must(!gil_drop_requested(me),
         "During a thread's wait the lock went to and fro 65,536 times, and the holder, who has "
         "only just begun, is asked to drop it.");
    must_return(0, gil_drop(me), "gil_drop of the holder, whom nobody has asked,");
    ring(&taker, 1);
    end_taker(&taker);
    gil_thread_destroy(other);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(a_new_thread_is_another,
     "A new gil_thread is another one, also where it lies at the address of one that has ended.")
{
    struct gil *gil = new_gil();

    /* malloc gives the same place again, though not from the first time on */
    for (uint64_t i = 1; i <= 40; i++) {
        struct gil_thread *thread = new_thread(gil);
        gil_take(thread);
        must_count(gil, i, "Threads have come one after the other, each took the lock once and ended");
        gil_drop(thread);
        gil_thread_destroy(thread);
    }
    gil_destroy(gil);
}

TEST(another_ends, "That one gil_thread ends changes nothing for the others: who had the lock last had it last.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker;

    gil_take(me);
    gil_thread_destroy(new_thread(gil));
    start_taker(&taker, gil, 2);
    must_sleep(&taker, 0);
    ring(&taker, 0);
    must(gil_drop_requested(me), "A gil_thread that never had the lock has ended, and since then the holder is not "
                                 "asked to drop it when an interval is over.");
    gate_open(&taker.clock.rung[1]);
    gil_drop(me);
    end_taker(&taker);
    gil_take(me);
    gil_drop(me);
    gil_thread_destroy(new_thread(gil));
    gil_take(me);
    must_count(gil, 3, "The same thread has taken the lock again, and another gil_thread ended in between");
    gil_drop(me);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(errno_is_kept, "gil_take, gil_drop and gil_checkpoint leave errno as it was, also where they wait.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct taker taker;

    errno = ERANGE;
    int took = gil_take(me), after_take = errno;
    start_taker(&taker, gil, 1);
    settle();
    gate_open(&taker.clock.rung[0]);
    settle();
    gate_open(&taker.let_go);
    errno = ERANGE;
    int checked = gil_checkpoint(me), after_checkpoint = errno;
    int again = gil_take(me), after_again = errno;
    int dropped = gil_drop(me), after_drop = errno;
    int twice = gil_drop(me), after_twice = errno;
    int unheld = gil_checkpoint(me), after_unheld = errno;
    end_taker(&taker);
    must_return(0, took, "gil_take");
    must_return(0, checked, "gil_checkpoint");
    must_return(0, dropped, "gil_drop");
    must_return(EDEADLK, again, "gil_take of the holder");
    must_return(EPERM, twice, "A second gil_drop");
    must_return(EPERM, unheld, "gil_checkpoint without the lock");
    must(after_again == ERANGE && after_twice == ERANGE && after_unheld == ERANGE,
         "errno was ERANGE, and after a gil_take, a gil_drop and a gil_checkpoint that were refused it was %s, %s and "
         "%s: an error is returned, and errno stays as it was.",
         error_text(after_again), error_text(after_twice), error_text(after_unheld));
    must(taker.errno_after == ERANGE, "errno was ERANGE, and after a gil_take that waited for an interval it was %s.",
         error_text(taker.errno_after));
    must(after_take == ERANGE && after_checkpoint == ERANGE && after_drop == ERANGE,
         "errno was ERANGE, and after gil_take, gil_checkpoint and gil_drop it was %s, %s and %s.",
         error_text(after_take), error_text(after_checkpoint), error_text(after_drop));
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_memory, "When there is no memory, gil_create and gil_thread_create return ENOMEM.")
{
    struct gil *gil = new_gil(), *none = NULL;
    struct gil_thread *thread = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, gil_create(&none), "Without memory, gil_create");
    must_return(ENOMEM, gil_thread_create(gil, &thread), "Without memory, gil_thread_create");
    gil_destroy(gil);
}

/* What was wrong when a call of gil_create's failed; all calls together, since how many there are is not promised. */
struct failures {
    const char *of;                       /* the call that failed; NULL: nothing was wrong */
    int error;                            /* how it failed */
    bool memory_kept, parts_kept, silent; /* what was wrong then */
};

static long made_parts(void)
{
    return wrap_mutexes_kept() + wrap_conditions_kept();
}

/* Makes the nth call of `what` in gil_create fail. Returns whether there was an nth call. */
static bool fail_nth(enum wrap_call what, long nth, int how, const char *name, struct failures *failures)
{
    struct gil *gil = NULL;
    long memory = wrap_memory_kept(), parts = made_parts(), calls = wrap_count(what);

    wrap_fail(what, nth, how);
    int error = gil_create(&gil);
    wrap_fail(what, 0, 0);
    if (wrap_count(what) - calls < nth) {
        gil_destroy(gil);
        return false;
    }
    bool memory_kept = wrap_memory_kept() > memory, silent = error != how;
    bool parts_kept = made_parts() - parts > 1; /* the call that failed was counted, and made nothing */
    if (memory_kept || parts_kept || silent)
        *failures = (struct failures){name, how, memory_kept, parts_kept, silent};
    return true;
}

TEST(nothing_kept, "When a part of the lock cannot be made, gil_create returns that error and keeps nothing.")
{
    static const int hows[] = {EAGAIN, ENOMEM};
    struct failures failures = {NULL, 0, false, false, false};

    for (int i = 0; i < 2; i++) {
        long nth = 1;
        while (nth < 6 && fail_nth(WRAP_pthread_mutex_init, nth, hows[i], "pthread_mutex_init", &failures))
            nth++;
        nth = 1;
        while (nth < 6 && fail_nth(WRAP_pthread_cond_init, nth, hows[i], "pthread_cond_init", &failures))
            nth++;
    }
    must(!failures.silent, "%s returned %s, and gil_create did not return that.", failures.of,
         error_text(failures.error));
    must(!failures.memory_kept, "%s failed, and gil_create kept memory that it had allocated: it is lost.",
         failures.of);
    must(!failures.parts_kept, "%s failed, and gil_create left a mutex or condition that it had made.", failures.of);
}

TEST(ends_what_it_made, "gil_destroy and gil_thread_destroy give back all that there is. NULL is fine.")
{
    gil_destroy(NULL);
    gil_thread_destroy(NULL);
    struct gil *gil = new_gil();
    struct gil_thread *thread = new_thread(gil);
    must_return(0, gil_take(thread), "gil_take");
    must_return(0, gil_drop(thread), "gil_drop");
    gil_thread_destroy(thread);
    gil_destroy(gil);
    must_have_ended_all();
    must(wrap_memory_kept() <= 0, "gil_destroy and gil_thread_destroy did not free all that was allocated.");
}
