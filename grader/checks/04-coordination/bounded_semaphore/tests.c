/* tests.c - what a bounded semaphore must do: all that a semaphore does, and no release too many.
 *
 * The test's own thread is one thread, and those who wait are runners. Who waits is seen with settle(). What two
 * threads can do to each other in between is for the explorer (scenario.c).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* waiting.h */
#endif
#include "bounded_semaphore.h"
#include "check.h"
#include "leftovers.h"
#include "refuse.h"
#include "slices.h"
#include "waiting.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>

static struct bounded_semaphore *new_semaphore(long value)
{
    struct bounded_semaphore *bounded = NULL;
    int error = bounded_semaphore_create(&bounded, value);

    must(error == 0 && bounded != NULL, "bounded_semaphore_create(…, %ld) returned %s or stored no semaphore.", value,
         error_text(error));
    return bounded;
}

static void must_have(long permits, struct bounded_semaphore *bounded, const char *when)
{
    long value = bounded_semaphore_value(bounded);

    must(value == permits, "%s the value should be %ld, but it is %ld.", when, permits, value);
}

/* ---- what another thread does ----------------------------------------------------------------------------------- */

struct taker {
    struct bounded_semaphore *bounded;
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
    taker->result = bounded_semaphore_acquire(taker->bounded, true, taker->timeout_us);
    waits = false;
    taker->took_us = now_us() - began_us;
}

static void give_one(void *argument)
{
    struct taker *giver = argument;

    giver->result = bounded_semaphore_release(giver->bounded, 1);
}

static void taker_start(struct taker *taker, struct bounded_semaphore *bounded, int64_t timeout_us)
{
    *taker = (struct taker){.bounded = bounded, .timeout_us = timeout_us, .result = -1};
    taker->slices = slices_tally();
    taker->runner = runner_start(take, taker);
}

/* A semaphore of so many permits, all of them taken. */
static struct bounded_semaphore *all_taken(int permits)
{
    struct bounded_semaphore *bounded = new_semaphore(permits);

    for (int i = 0; i < permits; i++)
        must_return(0, bounded_semaphore_acquire(bounded, true, -1), "An acquire");
    return bounded;
}

/* Starts a thread that finds no permit, and goes on when it sleeps. */
static void must_wait(struct taker *taker, struct bounded_semaphore *bounded, int64_t timeout_us)
{
    taker_start(taker, bounded, timeout_us);
    enum runner_state state = runner_state(taker->runner);
    must(state != RUNNER_BUSY, "A thread that waits for a permit should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED,
         "There is no permit, and bounded_semaphore_acquire with a time-out of %lld did not wait but returned %s.",
         (long long)timeout_us, error_text(taker->result));
    must(!slices_tell(timeout_us) || tally_read(taker->slices) == 0,
         "A thread that waits for a permit should sleep until it is woken, but it sleeps for a moment, looks, and "
         "sleeps again.");
}

static void must_get_it(struct taker *taker)
{
    must_be_done(taker->runner, "There is a permit, and the thread that waits for it was not woken.");
    runner_join(taker->runner);
    must_return(0, taker->result, "bounded_semaphore_acquire of a thread that waited");
}

/* A release by another thread, which must not have to wait for anybody. */
static int released_by_another(struct bounded_semaphore *bounded)
{
    struct taker giver = {.bounded = bounded, .result = -1};
    struct runner *runner = runner_start(give_one, &giver);

    must_be_done(runner,
                 "A thread waits for a permit, and bounded_semaphore_release of another thread, which would let "
                 "it go on, waits too: for something that the first one holds.");
    runner_join(runner);
    return giver.result;
}

/* ---- the bound -------------------------------------------------------------------------------------------------- */

TEST(takes_and_gives, "acquire takes a permit, release gives it back, and the value counts them, up to where it began.")
{
    struct bounded_semaphore *bounded = new_semaphore(2);

    must_have(2, bounded, "At first");
    must_return(0, bounded_semaphore_acquire(bounded, true, -1), "The first acquire of two permits");
    must_return(0, bounded_semaphore_acquire(bounded, false, -1), "The second acquire, not blocking,");
    must_have(0, bounded, "After two acquires");
    must_return(EBUSY, bounded_semaphore_acquire(bounded, false, -1), "A third acquire, not blocking,");
    must_return(ETIMEDOUT, bounded_semaphore_acquire(bounded, true, 0), "A third acquire with a time-out of 0");
    must_return(0, bounded_semaphore_release(bounded, 1), "bounded_semaphore_release(…, 1)");
    must_have(1, bounded, "After one release");
    must_return(0, bounded_semaphore_acquire(bounded, true, 1000), "Another acquire, with a time-out,");
    must_return(0, bounded_semaphore_release(bounded, 2), "bounded_semaphore_release(…, 2)");
    must_have(2, bounded, "When all permits were given back");
    bounded_semaphore_destroy(bounded);
}

TEST(one_too_many, "A release that would raise the value above where it began is ERANGE, and changes nothing.")
{
    struct bounded_semaphore *bounded = new_semaphore(2);

    must_return(ERANGE, bounded_semaphore_release(bounded, 1), "A release of a new semaphore");
    must_return(ERANGE, bounded_semaphore_release(bounded, LONG_MAX), "A release of LONG_MAX permits");
    must_have(2, bounded, "After two releases that were refused");
    for (int i = 0; i < 3; i++) {
        must_return(0, bounded_semaphore_acquire(bounded, false, -1), "An acquire, not blocking,");
        must_return(0, bounded_semaphore_release(bounded, 1), "The release of what was acquired");
        must_return(ERANGE, bounded_semaphore_release(bounded, 1), "One release more");
        must_have(2, bounded, "After an acquire, a release, and one release too many");
    }
    must_return(0, bounded_semaphore_acquire(bounded, false, -1), "An acquire, not blocking,");
    must_return(0, bounded_semaphore_acquire(bounded, false, -1), "A second acquire, not blocking,");
    must_return(EBUSY, bounded_semaphore_acquire(bounded, false, -1), "A third acquire, not blocking, of two permits");
    bounded_semaphore_destroy(bounded);
}

TEST(all_or_none, "release(n) gives back all n or, where that would be too many, none of them.")
{
    struct bounded_semaphore *bounded = new_semaphore(3);

    must_return(0, bounded_semaphore_acquire(bounded, true, -1), "An acquire");
    must_return(0, bounded_semaphore_acquire(bounded, true, -1), "A second acquire");
    must_return(ERANGE, bounded_semaphore_release(bounded, 3), "bounded_semaphore_release(…, 3) after two acquires");
    must_have(1, bounded, "After a release that was refused");
    must_return(ERANGE, bounded_semaphore_release(bounded, LONG_MAX), "bounded_semaphore_release(…, LONG_MAX)");
    must_have(1, bounded, "After another release that was refused");
    must_return(0, bounded_semaphore_release(bounded, 2), "bounded_semaphore_release(…, 2) after two acquires");
    must_have(3, bounded, "At last");
    bounded_semaphore_destroy(bounded);
}

TEST(none_at_all, "A semaphore may begin with 0, and then every release is one too many; a negative value is EINVAL.")
{
    struct bounded_semaphore *bounded = new_semaphore(0), *none = NULL;

    must_have(0, bounded, "At first");
    must_return(ERANGE, bounded_semaphore_release(bounded, 1), "A release of a semaphore that began with 0");
    must_return(EBUSY, bounded_semaphore_acquire(bounded, false, -1), "An acquire, not blocking,");
    bounded_semaphore_destroy(bounded);
    long before = wrap_memory_kept();
    must_return(EINVAL, bounded_semaphore_create(&none, -1), "bounded_semaphore_create with a value of -1");
    must_return(EINVAL, bounded_semaphore_create(&none, LONG_MIN), "bounded_semaphore_create with LONG_MIN");
    long kept = wrap_memory_kept() - before;
    must(kept <= 0, "bounded_semaphore_create refused a negative value, and kept memory that it had allocated.");
}

TEST(n_is_one_or_more, "release(n) with n below 1 is EINVAL, full or not, and nothing changes.")
{
    static const long wrong[] = {0, -1, LONG_MIN};
    struct bounded_semaphore *bounded = new_semaphore(2);

    for (int i = 0; i < 3; i++)
        must_return(EINVAL, bounded_semaphore_release(bounded, wrong[i]), "A release with n below 1");
    must_return(0, bounded_semaphore_acquire(bounded, true, -1), "An acquire");
    for (int i = 0; i < 3; i++)
        must_return(EINVAL, bounded_semaphore_release(bounded, wrong[i]),
                    "A release with n below 1, after an acquire,");
    must_have(1, bounded, "After releases that were refused");
    bounded_semaphore_destroy(bounded);
}

TEST(anyone_may_release, "A semaphore has no owner: a thread that never acquired may release what another one took.")
{
    struct bounded_semaphore *bounded = new_semaphore(1);

    must_return(0, bounded_semaphore_acquire(bounded, true, -1), "An acquire");
    must_return(0, released_by_another(bounded), "The release of another thread");
    must_return(ERANGE, released_by_another(bounded), "One release more of another thread");
    must_have(1, bounded, "At last");
    bounded_semaphore_destroy(bounded);
}

TEST(the_largest, "The bound may be as large as a long can be.")
{
    struct bounded_semaphore *bounded = new_semaphore(LONG_MAX);

    must_return(ERANGE, bounded_semaphore_release(bounded, 1), "A release at LONG_MAX");
    must_return(0, bounded_semaphore_acquire(bounded, true, -1), "An acquire");
    must_return(ERANGE, bounded_semaphore_release(bounded, 2), "A release of two, after one acquire,");
    must_return(0, bounded_semaphore_release(bounded, 1), "A release of one, after one acquire,");
    must_have(LONG_MAX, bounded, "At last");
    bounded_semaphore_destroy(bounded);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

TEST(waits_asleep, "Who finds no permit waits asleep, keeps nobody from releasing, and is woken by a release.")
{
    static const int64_t timeouts_us[] = {-1, -2, INT64_MIN, 3600999999, INT64_C(1) << 32, INT64_MAX};

    for (int i = 0; i < 6; i++) {
        struct bounded_semaphore *bounded = all_taken(1);
        struct taker taker;

        must_wait(&taker, bounded, timeouts_us[i]);
        must_have(0, bounded, "While a thread waits");
        must_return(0, released_by_another(bounded), "A release of another thread");
        must_get_it(&taker);
        must_have(0, bounded, "When the thread that waited has its permit");
        bounded_semaphore_destroy(bounded);
    }
}

TEST(refused_wakes_nobody, "A release that is refused lets nobody go on.")
{
    struct bounded_semaphore *bounded = new_semaphore(1);
    struct taker taker;

    must_return(0, bounded_semaphore_acquire(bounded, true, -1), "An acquire");
    must_wait(&taker, bounded, -1);
    must_return(ERANGE, bounded_semaphore_release(bounded, 2), "bounded_semaphore_release(…, 2) after one acquire");
    must_be_blocked(taker.runner, "A release was refused, and a thread that waits for a permit got one.");
    must_return(0, bounded_semaphore_release(bounded, 1), "bounded_semaphore_release(…, 1)");
    must_get_it(&taker);
    bounded_semaphore_destroy(bounded);
}

TEST(wakes_as_many, "release(n) lets n of those who wait go on.")
{
    enum { WAITERS = 3 };
    struct bounded_semaphore *bounded = new_semaphore(WAITERS);
    struct taker takers[WAITERS];
    int done = 0;

    for (int i = 0; i < WAITERS; i++)
        must_return(0, bounded_semaphore_acquire(bounded, true, -1), "An acquire");
    for (int i = 0; i < WAITERS; i++)
        must_wait(&takers[i], bounded, -1);
    must_return(0, bounded_semaphore_release(bounded, 2), "bounded_semaphore_release(…, 2)");
    for (int i = 0; i < WAITERS; i++)
        done += runner_state(takers[i].runner) == RUNNER_DONE;
    must(done == 2, "Three threads waited, and bounded_semaphore_release(…, 2) let %d of them go on.", done);
    must_return(0, bounded_semaphore_release(bounded, 1), "bounded_semaphore_release(…, 1)");
    for (int i = 0; i < WAITERS; i++)
        must_get_it(&takers[i]);
    must_have(0, bounded, "When all three have a permit");
    bounded_semaphore_destroy(bounded);
}

TEST(woken_for_nothing,
     "A thread that wakes up looks again whether there is a permit: a wait may end although nobody has signalled.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MAX};

    for (int i = 0; i < 2; i++) {
        struct bounded_semaphore *bounded = all_taken(1);
        struct taker taker;

        wrap_fail(WRAP_pthread_cond_wait, 1, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        taker_start(&taker, bounded, timeouts_us[i]);
        must_be_blocked(taker.runner, "The wait on the condition ended although nobody had signalled, and "
                                      "bounded_semaphore_acquire returned although there is no permit.");
        must_have(0, bounded, "Then");
        must_return(0, bounded_semaphore_release(bounded, 1), "A release");
        must_get_it(&taker);
        bounded_semaphore_destroy(bounded);
    }
}

TEST(not_blocking, "Not blocking means at once: a permit, or EBUSY. A time-out makes no sense there, and is EINVAL.")
{
    struct bounded_semaphore *bounded = new_semaphore(1);

    must_return(EINVAL, bounded_semaphore_acquire(bounded, false, 0), "An acquire, not blocking, with a time-out of 0");
    must_return(EINVAL, bounded_semaphore_acquire(bounded, false, 9), "An acquire, not blocking, with a time-out");
    must_have(1, bounded, "After an acquire that was refused");
    must_return(0, bounded_semaphore_acquire(bounded, false, -1), "An acquire, not blocking,");
    must_return(EBUSY, bounded_semaphore_acquire(bounded, false, -1), "An acquire, not blocking, without a permit");
    must_return(EBUSY, bounded_semaphore_acquire(bounded, false, -2),
                "An acquire, not blocking, with a time-out of -2, which is none, without a permit");
    must_return(EINVAL, bounded_semaphore_acquire(bounded, false, 0),
                "An acquire, not blocking, with a time-out of 0, without a permit");
    bounded_semaphore_destroy(bounded);
}

TEST(time_runs_out, "A timed acquire gives up with ETIMEDOUT, but not before its time, and leaves no trace.")
{
    enum { SHORT_US = 20000 };
    struct bounded_semaphore *bounded = new_semaphore(1);
    struct taker timed = {.bounded = bounded, .timeout_us = SHORT_US, .result = -1};

    must_return(0, bounded_semaphore_acquire(bounded, true, -1), "An acquire");
    runner_join(runner_start(take, &timed));
    must_return(ETIMEDOUT, timed.result, "There was no permit: an acquire with a time-out");
    must(timed.took_us >= SHORT_US, "The time-out was %d µs, and the acquire gave up after %lld.", SHORT_US,
         (long long)timed.took_us);
    must_return(0, bounded_semaphore_release(bounded, 1), "A release");
    must_have(1, bounded, "Then");
    must_return(ERANGE, bounded_semaphore_release(bounded, 1), "One release more");
    bounded_semaphore_destroy(bounded);
}

TEST(not_a_moment_early, "A time-out is a number of microseconds: it is not rounded down to milliseconds.")
{
    enum { ODD_US = 999, ALMOST_US = 990 };
    struct bounded_semaphore *bounded = all_taken(1);

    for (int i = 0; i < 20; i++) {
        int64_t began_us = now_us();
        int error = bounded_semaphore_acquire(bounded, true, ODD_US);
        int64_t took_us = now_us() - began_us;
        must_return(ETIMEDOUT, error, "There was no permit: an acquire with a time-out");
        must(took_us >= ALMOST_US, "The time-out was %d µs, and the acquire gave up after %lld.", ODD_US,
             (long long)took_us);
    }
    bounded_semaphore_destroy(bounded);
}

TEST(time_goes_on, "The time-out is for the whole call: a thread that was woken in vain does not begin it anew.")
{
    struct bounded_semaphore *bounded = all_taken(1);
    struct taker timed;

    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    hour_lost = true;
    taker_start(&timed, bounded, 20000);
    must(ends_in_time(timed.runner), "A thread was woken in vain, its time was over, and bounded_semaphore_acquire "
                                     "waits on: each wake-up begins its time anew.");
    hour_lost = false;
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "There was no permit: an acquire with a time-out");
    bounded_semaphore_destroy(bounded);
}

TEST(monotonic_clock, "Time is measured by the monotonic clock: the one on the wall may be set while a thread waits.")
{
    struct bounded_semaphore *bounded = all_taken(1);
    struct taker timed;

    taker_start(&timed, bounded, 1000);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "There was no permit: an acquire with a time-out");
    must(!asked_the_wall,
         "bounded_semaphore_acquire asked for CLOCK_REALTIME, the clock on the wall, to measure its time-out.");
    bounded_semaphore_destroy(bounded);
}

TEST(there_and_late, "ETIMEDOUT means that there was no permit in time: who wakes up late and finds one takes it.")
{
    struct bounded_semaphore *bounded = NULL;
    struct taker late;
    bool forced = false;

    /* The signal does not arrive, so the thread sleeps on until its time is over; the release must come before that,
     * which a slow machine may need more time for. */
    for (int64_t timeout_us = 50000; !forced && timeout_us < 60000000; timeout_us *= 2) {
        if (bounded_semaphore_create(&bounded, 1) != 0)
            break;
        int error = bounded_semaphore_acquire(bounded, true, -1);
        wrap_lose_signals(true);
        int64_t began_us = now_us();
        taker_start(&late, bounded, timeout_us);
        bool calm = settle();
        if (error == 0)
            error = bounded_semaphore_release(bounded, 1);
        forced = !calm || error != 0 || now_us() - began_us < timeout_us;
        runner_join(late.runner);
        wrap_lose_signals(false);
        bounded_semaphore_destroy(bounded);
    }
    must(forced, "bounded_semaphore_create returned an error.");
    must_return(0, late.result,
                "A permit was released in time, and then the time was over before the thread woke up: "
                "bounded_semaphore_acquire");
}

TEST(a_whole_second, "The nanoseconds of a deadline stay below a whole second: with 1000000000 the wait is EINVAL.")
{
    struct bounded_semaphore *bounded = all_taken(1);
    struct taker timed;

    fraction_ns = 400000000; /* and 600 ms more are a second, to the nanosecond */
    must_wait(&timed, bounded, 3600600000);
    fraction_ns = -1;
    must_return(0, bounded_semaphore_release(bounded, 1), "A release");
    must_get_it(&timed);
    bounded_semaphore_destroy(bounded);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_memory, "When there is no memory, bounded_semaphore_create returns ENOMEM.")
{
    struct bounded_semaphore *bounded = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, bounded_semaphore_create(&bounded, 1), "Without memory, bounded_semaphore_create");
}

TEST(no_memory_inside,
     "When there is no memory for the semaphore inside, bounded_semaphore_create returns ENOMEM and keeps nothing.")
{
    for (long nth = 1; nth <= 3; nth++) {
        struct bounded_semaphore *bounded = NULL;
        long before = wrap_memory_kept();

        refuse_memory(nth);
        int error = bounded_semaphore_create(&bounded, 1);
        bool refused = refuse_in == 0; /* else so much was not asked for */
        refuse_memory(0);
        if (error == 0 && !refused)
            bounded_semaphore_destroy(bounded);
        must_return(refused ? ENOMEM : 0, error,
                    refused ? "There was no memory for the semaphore inside: bounded_semaphore_create"
                            : "bounded_semaphore_create");
        long kept = wrap_memory_kept() - before;
        must(kept <= 0, "There was no memory for the semaphore inside, and bounded_semaphore_create kept memory that "
                        "it had allocated: it is lost.");
    }
}

static int make_one(void)
{
    struct bounded_semaphore *made = NULL;
    int error = bounded_semaphore_create(&made, 1);

    if (error == 0)
        bounded_semaphore_destroy(made);
    return error;
}

TEST(nothing_kept, "When a part cannot be made, bounded_semaphore_create returns that error and keeps nothing.")
{
    must_keep_nothing("bounded_semaphore_create", make_one, WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_keep_nothing("bounded_semaphore_create", make_one, WRAP_pthread_cond_init, 1, "pthread_cond_init");
}

TEST(no_semaphore_kept, "When the semaphore's guard cannot be made, the semaphore inside is not kept either.")
{
    enum { TIMES = 200, SMALL_BYTES = 24 };

    for (int i = 0; i < 2; i++) { /* the first time is for what the C library keeps for later */
        struct bounded_semaphore *bounded = NULL;
        size_t before_bytes = mallinfo2().uordblks;
        long calls = wrap_count(WRAP_pthread_mutex_init);
        int refused = 0;
        wrap_fail(WRAP_pthread_mutex_init, -1, EAGAIN);
        for (int k = 0; k < TIMES; k++) {
            refused += bounded_semaphore_create(&bounded, 1) != 0;
        }
        wrap_fail(WRAP_pthread_mutex_init, 0, 0);
        size_t after_bytes = mallinfo2().uordblks;
        bool tried = wrap_count(WRAP_pthread_mutex_init) > calls;
        must(!tried || refused == TIMES, "pthread_mutex_init returned EAGAIN, and bounded_semaphore_create succeeded.");
        must(!tried || i == 0 || after_bytes < before_bytes + TIMES * SMALL_BYTES,
             "pthread_mutex_init failed %d times, and each time bounded_semaphore_create kept a semaphore that it had "
             "made before: it is lost.",
             TIMES);
    }
}

TEST(ends_what_it_made, "bounded_semaphore_destroy gives back all that it holds, permits or not. NULL is fine.")
{
    bounded_semaphore_destroy(NULL);
    struct bounded_semaphore *bounded = new_semaphore(3);
    must_return(0, bounded_semaphore_acquire(bounded, true, -1), "An acquire");
    bounded_semaphore_destroy(bounded);
    must_have_ended_all();
}
