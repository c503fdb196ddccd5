/* tests.c - what a semaphore must do.
 *
 * The test's own thread is one thread, and those who wait are runners. Who waits is seen with settle(); wake-ups that
 * nobody sent, and wake-ups that do not arrive, are made with wrap_fail(…, 0).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* waiting.h */
#endif
#include "check.h"
#include "leftovers.h"
#include "semaphore.h"
#include "slices.h"
#include "waiting.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>

static struct semaphore *new_semaphore(long value)
{
    struct semaphore *semaphore = NULL;
    int error = semaphore_create(&semaphore, value);

    must(error == 0 && semaphore != NULL, "semaphore_create(…, %ld) returned %s or stored no semaphore.", value,
         error_text(error));
    return semaphore;
}

static void must_have(long permits, struct semaphore *semaphore, const char *when)
{
    long value = semaphore_value(semaphore);

    must(value == permits, "%s the value should be %ld, but it is %ld.", when, permits, value);
}

/* ---- what another thread does ----------------------------------------------------------------------------------- */

struct taker {
    struct semaphore *semaphore;
    int64_t timeout_us;
    int result;
    int64_t took_us;
    struct tally *slices; /* waits that looked again after a moment */
    struct runner *runner;
};

static void take(void *argument)
{
    struct taker *taker = argument;
    int64_t began_us = now_us();

    slices = taker->slices;
    waits = true;
    taker->result = semaphore_acquire(taker->semaphore, true, taker->timeout_us);
    waits = false;
    taker->took_us = now_us() - began_us;
}

static void taker_start(struct taker *taker, struct semaphore *semaphore, int64_t timeout_us)
{
    *taker = (struct taker){.semaphore = semaphore, .timeout_us = timeout_us, .result = -1};
    taker->slices = slices_tally();
    taker->runner = runner_start(take, taker);
}

/* Starts a thread that finds no permit, and goes on when it sleeps. */
static void must_wait(struct taker *taker, struct semaphore *semaphore, int64_t timeout_us)
{
    taker_start(taker, semaphore, timeout_us);
    enum runner_state state = runner_state(taker->runner);
    must(state != RUNNER_BUSY, "A thread that waits for a permit should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED,
         "There is no permit, and semaphore_acquire with a time-out of %lld did not wait but returned %s.",
         (long long)timeout_us, error_text(taker->result));
    must(!slices_tell(timeout_us) || tally_read(taker->slices) == 0,
         "A thread that waits for a permit should sleep until it is woken, but it sleeps for a moment, looks, and "
         "sleeps again.");
}

static void must_get_it(struct taker *taker)
{
    must_be_done(taker->runner, "There is a permit, and the thread that waits for it was not woken.");
    runner_join(taker->runner);
    must_return(0, taker->result, "semaphore_acquire of a thread that waited");
}

static void release_one(void *argument)
{
    struct taker *giver = argument;

    giver->result = semaphore_release(giver->semaphore, 1);
}

static void release_the_most(void *argument)
{
    struct taker *giver = argument;

    giver->result = semaphore_release(giver->semaphore, LONG_MAX);
}

/* ---- the number ------------------------------------------------------------------------------------------------- */

TEST(takes_and_gives,
     "acquire takes one permit where there is one, release gives some back, and the value counts them.")
{
    struct semaphore *semaphore = new_semaphore(2);

    must_have(2, semaphore, "At first");
    must_return(0, semaphore_acquire(semaphore, true, -1), "The first semaphore_acquire of two permits");
    must_have(1, semaphore, "After one semaphore_acquire");
    must_return(0, semaphore_acquire(semaphore, false, -1), "The second semaphore_acquire, not blocking,");
    must_have(0, semaphore, "After two of them");
    must_return(EBUSY, semaphore_acquire(semaphore, false, -1), "semaphore_acquire, not blocking, with no permit left");
    must_return(ETIMEDOUT, semaphore_acquire(semaphore, true, 0),
                "semaphore_acquire with a time-out of 0 and no permit");
    must_have(0, semaphore, "After two that got nothing");
    must_return(0, semaphore_release(semaphore, 1), "semaphore_release(…, 1)");
    must_have(1, semaphore, "After semaphore_release(…, 1)");
    must_return(0, semaphore_acquire(semaphore, true, 0), "semaphore_acquire with a time-out of 0 and one permit");
    must_return(0, semaphore_release(semaphore, 3), "semaphore_release(…, 3)");
    must_have(3, semaphore, "After semaphore_release(…, 3)");
    must_return(0, semaphore_acquire(semaphore, true, 1000), "semaphore_acquire with a time-out and three permits");
    must_have(2, semaphore, "At last");
    semaphore_destroy(semaphore);
}

TEST(begins_with, "A semaphore begins with the value it was made with, 0 too; a negative one is EINVAL.")
{
    static const long values[] = {0, 1, 7, LONG_MAX};

    for (int i = 0; i < 4; i++) {
        struct semaphore *semaphore = new_semaphore(values[i]);
        must_have(values[i], semaphore, "At first");
        semaphore_destroy(semaphore);
    }
    struct semaphore *none = NULL;
    long before = wrap_memory_kept();
    must_return(EINVAL, semaphore_create(&none, -1), "semaphore_create with a value of -1");
    must_return(EINVAL, semaphore_create(&none, LONG_MIN), "semaphore_create with a value of LONG_MIN");
    long kept = wrap_memory_kept() - before;
    must(kept <= 0, "semaphore_create refused a negative value, and kept memory that it had allocated: it is lost.");
}

TEST(n_is_one_or_more, "release(n) with n below 1 is EINVAL, and nothing changes.")
{
    static const long wrong[] = {0, -1, LONG_MIN};
    struct semaphore *semaphore = new_semaphore(0);
    struct taker taker;

    must_wait(&taker, semaphore, -1);
    for (int i = 0; i < 3; i++) {
        must_return(EINVAL, semaphore_release(semaphore, wrong[i]), "semaphore_release with n below 1");
        must_have(0, semaphore, "After a semaphore_release that was refused");
        must_be_blocked(taker.runner, "A semaphore_release was refused, and a thread got a permit all the same.");
    }
    must_return(0, semaphore_release(semaphore, 1), "semaphore_release(…, 1)");
    must_get_it(&taker);
    must_return(0, semaphore_release(semaphore, 5), "semaphore_release(…, 5)");
    must_return(EINVAL, semaphore_release(semaphore, -3), "semaphore_release(…, -3)");
    must_have(5, semaphore, "After a semaphore_release that was refused");
    semaphore_destroy(semaphore);
}

TEST(not_above_long_max, "A release that would make more than LONG_MAX permits is EOVERFLOW, and nothing changes.")
{
    struct semaphore *semaphore = new_semaphore(LONG_MAX - 1);

    must_return(EOVERFLOW, semaphore_release(semaphore, 2), "semaphore_release(…, 2) at LONG_MAX - 1");
    must_return(EOVERFLOW, semaphore_release(semaphore, LONG_MAX), "semaphore_release(…, LONG_MAX) at LONG_MAX - 1");
    must_have(LONG_MAX - 1, semaphore, "After two of these");
    must_return(0, semaphore_release(semaphore, 1), "semaphore_release(…, 1) at LONG_MAX - 1");
    must_return(EOVERFLOW, semaphore_release(semaphore, 1), "semaphore_release(…, 1) at LONG_MAX");
    must_have(LONG_MAX, semaphore, "At last");
    semaphore_destroy(semaphore);
}

TEST(large_and_quick, "release does not block: a large n takes no longer than a small one.")
{
    struct semaphore *semaphore = new_semaphore(0);
    struct taker taker, giver = {.semaphore = semaphore, .result = -1};

    must_wait(&taker, semaphore, -1);
    struct runner *runner = runner_start(release_the_most, &giver);
    must_be_done(runner, "One thread waits, and semaphore_release(…, LONG_MAX) does not come to an end: as if each "
                         "permit were handled by itself.");
    runner_join(runner);
    must_return(0, giver.result, "semaphore_release(…, LONG_MAX) of a semaphore without permits");
    must_get_it(&taker);
    must_have(LONG_MAX - 1, semaphore, "LONG_MAX permits were released and one was taken: then");
    semaphore_destroy(semaphore);
}

TEST(anyone_may_release, "A semaphore has no owner: a thread that never acquired may release.")
{
    struct semaphore *semaphore = new_semaphore(1);
    struct taker giver = {.semaphore = semaphore, .result = -1};

    must_return(0, semaphore_acquire(semaphore, true, -1), "semaphore_acquire");
    runner_join(runner_start(release_one, &giver));
    must_return(0, giver.result, "semaphore_release of another thread");
    must_have(1, semaphore, "Then");
    must_return(0, semaphore_release(semaphore, 1), "semaphore_release without an acquire");
    must_have(2, semaphore, "Then");
    semaphore_destroy(semaphore);
}

TEST(they_are_separate, "Each semaphore has permits of its own.")
{
    struct semaphore *one = new_semaphore(1), *two = new_semaphore(0);
    struct taker taker;

    must_wait(&taker, two, -1);
    must_return(0, semaphore_release(one, 1), "semaphore_release of the first semaphore");
    must_be_blocked(taker.runner, "One semaphore was released, and a thread that waits for another one was let go.");
    must_have(2, one, "Then, of the first semaphore,");
    must_return(0, semaphore_release(two, 1), "semaphore_release of the second semaphore");
    must_get_it(&taker);
    semaphore_destroy(one);
    semaphore_destroy(two);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

TEST(waits_asleep, "Who finds no permit waits asleep, and is woken when there is one. Any time-out below 0 has no end.")
{
    static const int64_t timeouts_us[] = {-1, -2, -5000000, INT64_MIN};

    for (int i = 0; i < 4; i++) {
        struct semaphore *semaphore = new_semaphore(0);
        struct taker taker;

        must_wait(&taker, semaphore, timeouts_us[i]);
        must_have(0, semaphore, "While a thread waits");
        must_return(0, semaphore_release(semaphore, 1), "semaphore_release(…, 1)");
        must_get_it(&taker);
        must_have(0, semaphore, "When the thread that waited has its permit");
        semaphore_destroy(semaphore);
    }
}

static int how_many_done(struct taker *takers, int count)
{
    int done = 0;

    for (int i = 0; i < count; i++)
        done += runner_state(takers[i].runner) == RUNNER_DONE;
    return done;
}

TEST(wakes_as_many, "release(n) lets n of those who wait go on: not one more, and not one fewer.")
{
    enum { WAITERS = 5 };
    struct semaphore *semaphore = new_semaphore(0);
    struct taker takers[WAITERS];

    for (int i = 0; i < WAITERS; i++)
        must_wait(&takers[i], semaphore, i % 2 == 0 ? -1 : INT64_MAX);
    must_return(0, semaphore_release(semaphore, 2), "semaphore_release(…, 2)");
    int done = how_many_done(takers, WAITERS);
    must(done == 2, "Five threads waited, and semaphore_release(…, 2) let %d of them go on.", done);
    must_have(0, semaphore, "Then");
    must_return(0, semaphore_release(semaphore, 1), "semaphore_release(…, 1)");
    done = how_many_done(takers, WAITERS);
    must(done == 3, "Three threads waited, and after semaphore_release(…, 1) %d of them went on.", done - 2);
    must_return(0, semaphore_release(semaphore, 6), "semaphore_release(…, 6)");
    done = how_many_done(takers, WAITERS);
    must(done == 5, "Two threads waited, and after semaphore_release(…, 6) %d of them went on.", done - 3);
    must_have(4, semaphore, "Two threads waited, six permits were released: then");
    for (int i = 0; i < WAITERS; i++) {
        runner_join(takers[i].runner);
        must_return(0, takers[i].result, "semaphore_acquire of a thread that waited");
    }
    semaphore_destroy(semaphore);
}

TEST(woken_for_nothing,
     "A thread that wakes up looks again whether there is a permit: a wait may end although nobody has signalled.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MAX};

    for (int i = 0; i < 2; i++) {
        struct semaphore *semaphore = new_semaphore(0);
        struct taker taker;

        wrap_fail(WRAP_pthread_cond_wait, 1, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        taker_start(&taker, semaphore, timeouts_us[i]);
        must_be_blocked(taker.runner, "The wait on the condition ended although nobody had signalled, and "
                                      "semaphore_acquire returned although there is no permit.");
        must_have(0, semaphore, "Then");
        must_return(0, semaphore_release(semaphore, 1), "semaphore_release(…, 1)");
        must_get_it(&taker);
        semaphore_destroy(semaphore);
    }
}

TEST(not_blocking, "Not blocking means at once: a permit, or EBUSY. A time-out makes no sense there, and is EINVAL.")
{
    struct semaphore *semaphore = new_semaphore(1);

    must_return(EINVAL, semaphore_acquire(semaphore, false, 0),
                "semaphore_acquire, not blocking, with a time-out of 0");
    must_return(EINVAL, semaphore_acquire(semaphore, false, 1000),
                "semaphore_acquire, not blocking, with a time-out of 1000 µs");
    must_have(1, semaphore, "After an acquire that was refused");
    must_return(0, semaphore_acquire(semaphore, false, -1), "semaphore_acquire, not blocking, with one permit");
    must_return(EBUSY, semaphore_acquire(semaphore, false, -1), "semaphore_acquire, not blocking, without a permit");
    must_return(EBUSY, semaphore_acquire(semaphore, false, -2),
                "semaphore_acquire, not blocking, with a time-out of -2, which is none, without a permit");
    must_return(EBUSY, semaphore_acquire(semaphore, false, INT64_MIN),
                "semaphore_acquire, not blocking, with a time-out of INT64_MIN, which is none, without a permit");
    must_return(EINVAL, semaphore_acquire(semaphore, false, 0),
                "semaphore_acquire, not blocking, with a time-out of 0, without a permit");
    must_have(0, semaphore, "Then");
    semaphore_destroy(semaphore);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

TEST(time_runs_out, "A timed acquire gives up with ETIMEDOUT, but not before its time, and leaves no trace.")
{
    enum { SHORT_US = 30000 };
    struct semaphore *semaphore = new_semaphore(0);
    struct taker timed, patient;

    must_wait(&patient, semaphore, -1);
    taker_start(&timed, semaphore, SHORT_US);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "There was no permit: semaphore_acquire with a time-out");
    must(timed.took_us >= SHORT_US, "The time-out was %d µs, and semaphore_acquire gave up after %lld.", SHORT_US,
         (long long)timed.took_us);
    must_have(0, semaphore, "Then");
    must_return(0, semaphore_release(semaphore, 1), "semaphore_release(…, 1)");
    must_get_it(&patient);
    must_have(0, semaphore, "One thread gave up, another one got the permit: then");
    must_return(0, semaphore_release(semaphore, 2), "semaphore_release(…, 2)");
    must_have(2, semaphore, "Then");
    semaphore_destroy(semaphore);
}

TEST(not_a_moment_early, "A time-out is a number of microseconds: it is not rounded down to milliseconds.")
{
    enum { ODD_US = 999, ALMOST_US = 990 };
    struct semaphore *semaphore = new_semaphore(0);

    for (int i = 0; i < 20; i++) {
        int64_t began_us = now_us();
        int error = semaphore_acquire(semaphore, true, ODD_US);
        int64_t took_us = now_us() - began_us;
        must_return(ETIMEDOUT, error, "There was no permit: semaphore_acquire with a time-out");
        must(took_us >= ALMOST_US, "The time-out was %d µs, and semaphore_acquire gave up after %lld.", ODD_US,
             (long long)took_us);
    }
    semaphore_destroy(semaphore);
}

TEST(time_goes_on, "The time-out is for the whole call: a thread that was woken in vain does not begin it anew.")
{
    struct semaphore *semaphore = new_semaphore(0);
    struct taker timed;

    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    hour_lost = true;
    taker_start(&timed, semaphore, 20000);
    must(ends_in_time(timed.runner), "A thread was woken in vain, its time was over, and semaphore_acquire waits on: "
                                     "each wake-up begins its time anew.");
    hour_lost = false;
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "There was no permit: semaphore_acquire with a time-out");
    semaphore_destroy(semaphore);
}

TEST(monotonic_clock, "Time is measured by the monotonic clock: the one on the wall may be set while a thread waits.")
{
    struct semaphore *semaphore = new_semaphore(0);
    struct taker timed;

    taker_start(&timed, semaphore, 1000);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "There was no permit: semaphore_acquire with a time-out");
    must(!asked_the_wall,
         "semaphore_acquire asked for CLOCK_REALTIME, the clock on the wall, to measure its time-out.");
    semaphore_destroy(semaphore);
}

TEST(there_and_late, "ETIMEDOUT means that there was no permit in time: who wakes up late and finds one takes it.")
{
    struct semaphore *semaphore = NULL;
    struct taker late;
    bool forced = false;

    /* The signal does not arrive, so the thread sleeps on until its time is over; the release must come before that,
     * which a slow machine may need more time for. */
    for (int64_t timeout_us = 50000; !forced && timeout_us < 60000000; timeout_us *= 2) {
        if (semaphore_create(&semaphore, 0) != 0)
            break;
        wrap_lose_signals(true);
        int64_t began_us = now_us();
        taker_start(&late, semaphore, timeout_us);
        bool calm = settle();
        int error = semaphore_release(semaphore, 1);
        forced = !calm || error != 0 || now_us() - began_us < timeout_us;
        runner_join(late.runner);
        wrap_lose_signals(false);
        semaphore_destroy(semaphore);
    }
    must(forced, "semaphore_create returned an error.");
    must_return(0, late.result,
                "A permit was released in time, and then the time was over before the thread woke up: "
                "semaphore_acquire");
}

TEST(there_in_time, "A timed acquire gets the permit that comes in time, however long that time is.")
{
    static const int64_t timeouts_us[] = {3600000000, 3600999999, INT64_C(1) << 32, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 5; i++) {
        struct semaphore *semaphore = new_semaphore(0);
        struct taker timed;

        must_wait(&timed, semaphore, timeouts_us[i]);
        must_return(0, semaphore_release(semaphore, 1), "semaphore_release(…, 1)");
        must_get_it(&timed);
        semaphore_destroy(semaphore);
    }
}

TEST(a_whole_second, "The nanoseconds of a deadline stay below a whole second: with 1000000000 the wait is EINVAL.")
{
    struct semaphore *semaphore = new_semaphore(0);
    struct taker timed;

    fraction_ns = 400000000; /* and 600 ms more are a second, to the nanosecond */
    must_wait(&timed, semaphore, 3600600000);
    fraction_ns = -1;
    must_return(0, semaphore_release(semaphore, 1), "semaphore_release(…, 1)");
    must_get_it(&timed);
    semaphore_destroy(semaphore);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_memory, "When there is no memory, semaphore_create returns ENOMEM.")
{
    struct semaphore *semaphore = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, semaphore_create(&semaphore, 1), "Without memory, semaphore_create");
}

static int make_one(void)
{
    struct semaphore *made = NULL;
    int error = semaphore_create(&made, 1);

    if (error == 0)
        semaphore_destroy(made);
    return error;
}

TEST(nothing_kept,
     "When a part of the semaphore cannot be made, semaphore_create returns that error and keeps nothing.")
{
    must_keep_nothing("semaphore_create", make_one, WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_keep_nothing("semaphore_create", make_one, WRAP_pthread_cond_init, 1, "pthread_cond_init");
}

TEST(ends_what_it_made, "semaphore_destroy gives back all that the semaphore holds, permits or not. NULL is fine.")
{
    semaphore_destroy(NULL);
    struct semaphore *semaphore = new_semaphore(3);
    must_return(0, semaphore_acquire(semaphore, true, -1), "semaphore_acquire");
    semaphore_destroy(semaphore);
    must_have_ended_all();
}
