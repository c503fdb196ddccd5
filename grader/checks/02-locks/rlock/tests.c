/* tests.c - what an RLock must do, and the record that needs one.
 *
 * The test's own thread is one thread, and "another" is a runner. Who waits is seen with settle(); wake-ups that nobody
 * sent are made with wrap_fail(…, 0).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* waiting.h */
#endif
#include "check.h"
#include "leftovers.h"
#include "rlock.h"
#include "slices.h"
#include "waiting.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>

static const int64_t HOUR_US = 3600000000;

static struct rlock *new_lock(void)
{
    struct rlock *lock = NULL;
    int error = rlock_create(&lock);

    must(error == 0 && lock != NULL, "rlock_create returned %s or stored no lock.", error_text(error));
    return lock;
}

/* ---- what another thread does ----------------------------------------------------------------------------------- */

/* One acquire by another thread, and what it saw. */
struct visit {
    struct rlock *lock;
    bool blocking;
    int64_t timeout_us;
    int result; /* of the acquire */
    bool owned; /* what is_owned and depth said to that thread after the acquire */
    long depth;
    int release;          /* of its release, where it got the lock; -1 where it did not */
    int64_t took_us;      /* the acquire */
    struct tally *slices; /* waits that looked again after a moment; NULL: not asked for */
};

static void visit(void *argument)
{
    struct visit *visit = argument;
    int64_t began_us = now_us();

    slices = visit->slices;
    waits = true;
    visit->result = rlock_acquire(visit->lock, visit->blocking, visit->timeout_us);
    waits = false;
    visit->took_us = now_us() - began_us;
    visit->owned = rlock_is_owned(visit->lock);
    visit->depth = rlock_depth(visit->lock);
    visit->release = visit->result == 0 ? rlock_release(visit->lock) : -1;
}

static struct visit waits_for(struct rlock *lock)
{
    return (struct visit){
        .lock = lock, .blocking = true, .timeout_us = -1, .result = -1, .release = -1, .slices = slices_tally()};
}

/* Once it is at rest, and has an hour at least. */
static void must_sleep_on(const struct visit *visit)
{
    must(tally_read(visit->slices) == 0, "A thread that waits for the lock should sleep until it is woken, but it "
                                         "sleeps for a moment, looks, and sleeps again.");
}

/* What another thread gets that tries without waiting (and lets go at once where it succeeds). */
static int tried_by_another(struct rlock *lock)
{
    struct visit attempt = {.lock = lock, .blocking = false, .timeout_us = -1};

    runner_join(runner_start(visit, &attempt));
    return attempt.result;
}

static void release_it(void *argument)
{
    struct visit *visit = argument;

    visit->owned = rlock_is_owned(visit->lock);
    visit->depth = rlock_depth(visit->lock);
    visit->release = rlock_release(visit->lock);
}

/* ---- one owner, as often as he likes ---------------------------------------------------------------------------- */

TEST(owner_takes_it_again, "The owner may take the lock again without waiting; it counts how often.")
{
    struct rlock *lock = new_lock();

    must(!rlock_is_owned(lock) && rlock_depth(lock) == 0, "A new lock should be owned by nobody, with a depth of 0.");
    must_return(0, rlock_acquire(lock, true, -1), "The first rlock_acquire");
    must(rlock_is_owned(lock), "After the first rlock_acquire rlock_is_owned should be true.");
    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire of the owner");
    must_return(0, rlock_acquire(lock, false, -1), "rlock_acquire of the owner, not blocking,");
    must_return(0, rlock_acquire(lock, true, 0), "rlock_acquire of the owner with a time-out of 0");
    must_return(0, rlock_acquire(lock, true, 1000), "rlock_acquire of the owner with a time-out of 1000 µs");
    must(rlock_depth(lock) == 5, "After five acquires the depth should be 5, but it is %ld.", rlock_depth(lock));
    for (long depth = 4; depth >= 0; depth--) {
        must_return(0, rlock_release(lock), "rlock_release of the owner");
        must(rlock_depth(lock) == depth, "After this release the depth should be %ld, but it is %ld.", depth,
             rlock_depth(lock));
    }
    must(!rlock_is_owned(lock), "After as many releases as acquires nobody should own the lock.");
    rlock_destroy(lock);
}

TEST(free_after_the_last_release, "The lock is free once its owner has released it as often as he took it, not before.")
{
    struct rlock *lock = new_lock();

    for (int i = 0; i < 3; i++)
        must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
    for (int left = 3; left > 0; left--) {
        int result = tried_by_another(lock);
        must(result == EBUSY,
             "The owner has %d releases to go, and another thread that tried for the lock got %s instead of EBUSY.",
             left, result == 0 ? "the lock" : error_text(result));
        must_return(0, rlock_release(lock), "rlock_release of the owner");
    }
    must_return(0, tried_by_another(lock), "After the last release, rlock_acquire of another thread");
    rlock_destroy(lock);
}

TEST(locks_are_separate, "Each lock has an owner of its own.")
{
    struct rlock *one = new_lock();
    struct rlock *two = new_lock();

    must_return(0, rlock_acquire(one, true, -1), "rlock_acquire of the first lock");
    must(!rlock_is_owned(two) && rlock_depth(two) == 0, "The first lock was taken, and the second says it is owned.");
    must_return(EPERM, rlock_release(two), "rlock_release of the second lock, which nobody owns,");
    must_return(0, tried_by_another(two), "rlock_acquire of the second lock by another thread");
    must_return(0, rlock_acquire(two, true, -1), "rlock_acquire of the second lock");
    must_return(0, rlock_acquire(two, true, -1), "rlock_acquire of the second lock by its owner");
    must(rlock_depth(one) == 1 && rlock_depth(two) == 2,
         "One lock was taken once and the other twice, and rlock_depth says %ld and %ld.", rlock_depth(one),
         rlock_depth(two));
    must_return(0, rlock_release(two), "rlock_release of the second lock");
    must_return(EBUSY, tried_by_another(two), "The second lock has one release to go: another thread's rlock_acquire");
    must_return(0, rlock_release(two), "The last rlock_release of the second lock");
    must_return(EBUSY, tried_by_another(one), "The first lock is still owned: another thread's rlock_acquire");
    must_return(0, rlock_release(one), "rlock_release of the first lock");
    rlock_destroy(one);
    rlock_destroy(two);
}

TEST(depth_is_bounded,
     "After RLOCK_DEPTH_MAX acquires the owner gets EAGAIN, and the lock is as it was. To others it is owned, no more.")
{
    struct rlock *lock = new_lock();
    long refused = 0;

    for (long i = 0; i < RLOCK_DEPTH_MAX; i++)
        refused += rlock_acquire(lock, true, -1) != 0;
    must(refused == 0, "%ld of the first %d acquires of the owner were refused.", refused, RLOCK_DEPTH_MAX);
    must_return(EAGAIN, rlock_acquire(lock, true, -1), "One acquire more than RLOCK_DEPTH_MAX");
    must_return(EAGAIN, rlock_acquire(lock, false, -1), "One acquire more than RLOCK_DEPTH_MAX, not blocking,");
    must_return(EINVAL, rlock_acquire(lock, false, 0), "The same with a time-out of 0, which makes no sense there,");
    must_return(EBUSY, tried_by_another(lock),
                "The owner has taken the lock RLOCK_DEPTH_MAX times: rlock_acquire of another thread, not blocking,");
    must(rlock_depth(lock) == RLOCK_DEPTH_MAX, "Then the depth should still be %d, but it is %ld.", RLOCK_DEPTH_MAX,
         rlock_depth(lock));
    for (long i = 0; i < RLOCK_DEPTH_MAX; i++)
        refused += rlock_release(lock) != 0;
    must(refused == 0, "%ld of as many releases were refused.", refused);
    must_return(0, tried_by_another(lock), "Then rlock_acquire of another thread");
    rlock_destroy(lock);
}

/* ---- only the owner releases ------------------------------------------------------------------------------------ */

TEST(nobody_owns_it, "Releasing a lock that nobody owns is EPERM, and changes nothing.")
{
    struct rlock *lock = new_lock();

    must_return(EPERM, rlock_release(lock), "rlock_release of a new lock");
    must_return(0, rlock_acquire(lock, true, -1), "Then rlock_acquire");
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    must_return(EPERM, rlock_release(lock), "One rlock_release too many");
    must_return(EPERM, rlock_release(lock), "Another rlock_release too many");
    must_return(0, rlock_acquire(lock, true, -1), "Then rlock_acquire");
    must(rlock_depth(lock) == 1, "After that the depth should be 1, but it is %ld.", rlock_depth(lock));
    must_return(EBUSY, tried_by_another(lock), "rlock_acquire of another thread, not blocking,");
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    rlock_destroy(lock);
}

TEST(another_owns_it, "Only the owner may release: anyone else gets EPERM, and the lock stays with its owner.")
{
    struct rlock *lock = new_lock();
    struct visit thief = {.lock = lock, .release = -1};

    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire of the owner");
    runner_join(runner_start(release_it, &thief));
    must_return(EPERM, thief.release, "rlock_release of a thread that does not own the lock");
    must(!thief.owned && thief.depth == 0,
         "To a thread that does not own it rlock_is_owned should say false and rlock_depth 0; they said %s and %ld.",
         thief.owned ? "true" : "false", thief.depth);
    must(rlock_depth(lock) == 2, "The owner's depth should still be 2, but it is %ld.", rlock_depth(lock));
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    rlock_destroy(lock);
}

TEST(owner_of_the_past,
     "Who has released the lock for the last time owns it no more, and neither does a new thread that looks like him: "
     "the system uses the identity of an ended thread again.")
{
    struct rlock *lock = new_lock();
    struct visit past = waits_for(lock), later = {.lock = lock, .release = -1};

    runner_join(runner_start(visit, &past));
    must_return(0, past.result, "rlock_acquire of a first thread");
    runner_join(runner_start(release_it, &later));
    must_return(EPERM, later.release, "A first thread took the lock, released it and ended: rlock_release of a second");
    must(!later.owned && later.depth == 0, "The second thread was told that it owns the lock, which nobody does.");
    must_return(0, tried_by_another(lock), "Then rlock_acquire of a third thread");
    rlock_destroy(lock);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

TEST(others_wait_asleep, "Who finds the lock owned by another thread waits asleep, and is woken by the last release.")
{
    struct rlock *lock = new_lock();
    struct visit other = waits_for(lock);

    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire of the owner");
    struct runner *waiter = runner_start(visit, &other);
    enum runner_state state = runner_state(waiter);
    must(state != RUNNER_BUSY, "A thread that waits for the lock should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED, "The lock is owned, and rlock_acquire of another thread returned %s.",
         error_text(other.result));
    must_sleep_on(&other);
    must_return(0, rlock_release(lock), "rlock_release of the owner, the first of two,");
    must_be_blocked(waiter,
                    "The owner has taken the lock twice and released it once, and already another thread has it.");
    must_return(0, rlock_release(lock), "rlock_release of the owner, the second of two,");
    must_be_done(waiter, "The owner has released the lock, and the thread that waits for it was not woken.");
    runner_join(waiter);
    must_return(0, other.result, "rlock_acquire of the thread that waited");
    must(other.owned && other.depth == 1, "Then that thread should own the lock with a depth of 1, not %ld.",
         other.depth);
    must_return(0, other.release, "rlock_release of the thread that waited");
    rlock_destroy(lock);
}

TEST(everyone_gets_it, "Where the lock is free and somebody waits, somebody gets it: nobody is forgotten.")
{
    enum { WAITERS = 4 };
    struct rlock *lock = new_lock();
    struct visit visits[WAITERS];
    struct runner *waiters[WAITERS];

    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
    for (int i = 0; i < WAITERS; i++) {
        visits[i] = waits_for(lock);
        visits[i].timeout_us = i % 2 == 0 ? -1 : INT64_MAX;
        waiters[i] = runner_start(visit, &visits[i]);
        must_be_blocked(waiters[i], "The lock is owned, and rlock_acquire of another thread did not wait.");
        must_sleep_on(&visits[i]);
    }
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    for (int i = 0; i < WAITERS; i++)
        must_be_done(waiters[i],
                     "Four threads waited, and each releases the lock as soon as it has it; one still waits.");
    for (int i = 0; i < WAITERS; i++) {
        runner_join(waiters[i]);
        must_return(0, visits[i].result, "rlock_acquire of a thread that waited");
    }
    rlock_destroy(lock);
}

TEST(woken_for_nothing,
     "A thread that wakes up looks again whether the lock is free: a wait may end although nobody has signalled.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MAX};

    for (int i = 0; i < 2; i++) {
        struct rlock *lock = new_lock();
        struct visit other = waits_for(lock);

        other.timeout_us = timeouts_us[i];
        must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
        wrap_fail(WRAP_pthread_cond_wait, 1, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        struct runner *waiter = runner_start(visit, &other);
        must_be_blocked(waiter, "The wait on the condition ended although nobody had signalled, and rlock_acquire "
                                "returned although another thread owns the lock.");
        must_return(0, rlock_release(lock), "rlock_release of the owner");
        must_be_done(waiter, "The owner has released the lock, and the thread that waits for it was not woken.");
        runner_join(waiter);
        must_return(0, other.result, "rlock_acquire of the thread that waited");
        rlock_destroy(lock);
    }
}

TEST(not_blocking, "Not blocking means at once: the lock, or EBUSY. A time-out makes no sense there, and is EINVAL.")
{
    struct rlock *lock = new_lock();
    struct visit other = {.lock = lock, .blocking = false, .timeout_us = 0};

    must_return(EINVAL, rlock_acquire(lock, false, 0), "rlock_acquire, not blocking, with a time-out of 0");
    must_return(EINVAL, rlock_acquire(lock, false, 1000), "rlock_acquire, not blocking, with a time-out of 1000 µs");
    must(!rlock_is_owned(lock), "rlock_acquire returned EINVAL and took the lock all the same.");
    must_return(0, rlock_acquire(lock, false, -1), "rlock_acquire of a free lock, not blocking,");
    must_return(EINVAL, rlock_acquire(lock, false, 0),
                "rlock_acquire of the owner, not blocking, with a time-out of 0");
    must(rlock_depth(lock) == 1, "Then the depth should be 1, but it is %ld.", rlock_depth(lock));
    must_return(EBUSY, tried_by_another(lock), "rlock_acquire of another thread, not blocking,");
    runner_join(runner_start(visit, &other));
    must_return(EINVAL, other.result, "rlock_acquire of another thread, not blocking, with a time-out of 0");
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    rlock_destroy(lock);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

TEST(no_time_at_all, "A time-out of 0 does not wait: the lock where it is free, else ETIMEDOUT.")
{
    struct rlock *lock = new_lock();
    struct visit other = waits_for(lock);

    must_return(0, rlock_acquire(lock, true, 0), "rlock_acquire of a free lock with a time-out of 0");
    other.timeout_us = 0;
    runner_join(runner_start(visit, &other));
    must_return(ETIMEDOUT, other.result, "rlock_acquire of another thread with a time-out of 0");
    must(!other.owned && other.depth == 0, "rlock_acquire returned ETIMEDOUT, and the thread is said to own the lock.");
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    rlock_destroy(lock);
}

TEST(time_runs_out, "A timed acquire gives up with ETIMEDOUT, but not before its time, and leaves no trace.")
{
    enum { SHORT_US = 30000 };
    struct rlock *lock = new_lock();
    struct visit timed = waits_for(lock), patient = waits_for(lock);

    timed.timeout_us = SHORT_US;
    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
    struct runner *first = runner_start(visit, &timed);
    struct runner *second = runner_start(visit, &patient);
    runner_join(first);
    must_return(ETIMEDOUT, timed.result, "The lock was never free: rlock_acquire with a time-out");
    must(timed.took_us >= SHORT_US, "The time-out was %d µs, and rlock_acquire gave up after %lld.", SHORT_US,
         (long long)timed.took_us);
    must(rlock_depth(lock) == 1, "Then the owner's depth should still be 1, but it is %ld.", rlock_depth(lock));
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    must_be_done(second, "One waiter gave up, then the lock was released, and the other waiter was not woken.");
    runner_join(second);
    must_return(0, patient.result, "rlock_acquire of the other waiter");
    rlock_destroy(lock);
}

TEST(monotonic_clock, "Time is measured by the monotonic clock: the one on the wall may be set while a thread waits.")
{
    struct rlock *lock = new_lock();
    struct visit timed = waits_for(lock);

    timed.timeout_us = 1000;
    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
    runner_join(runner_start(visit, &timed));
    must_return(ETIMEDOUT, timed.result, "The lock was never free: rlock_acquire with a time-out");
    must(!asked_the_wall, "rlock_acquire asked for CLOCK_REALTIME, the clock on the wall, to measure its time-out.");
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    rlock_destroy(lock);
}

TEST(free_and_late, "ETIMEDOUT means that the lock was not free in time: who wakes up late and finds it free gets it.")
{
    struct rlock *lock = NULL;
    struct visit late;
    bool forced = false;

    /* The signal does not arrive, so the waiter sleeps on until its time is over; the release must come before that,
     * which a slow machine may need more time for. */
    for (int64_t timeout_us = 50000; !forced && timeout_us < 60000000; timeout_us *= 2) {
        if (rlock_create(&lock) != 0 || rlock_acquire(lock, true, -1) != 0)
            break;
        late = waits_for(lock);
        late.timeout_us = timeout_us;
        wrap_fail(WRAP_pthread_cond_signal, -1, 0);
        wrap_fail(WRAP_pthread_cond_broadcast, -1, 0);
        int64_t began_us = now_us();
        struct runner *waiter = runner_start(visit, &late);
        bool calm = settle();
        int error = rlock_release(lock);
        forced = !calm || error != 0 || now_us() - began_us < timeout_us;
        runner_join(waiter);
        wrap_fail(WRAP_pthread_cond_signal, 0, 0);
        wrap_fail(WRAP_pthread_cond_broadcast, 0, 0);
        rlock_destroy(lock);
    }
    must(forced, "rlock_create or rlock_acquire of a new lock returned an error.");
    must_return(0, late.result,
                "The lock was released in time, and then the time was over before the waiter woke up: rlock_acquire");
}

TEST(free_in_time, "A timed acquire gets the lock that becomes free in time, however long that time is.")
{
    const int64_t timeouts_us[] = {HOUR_US, HOUR_US + 999999, INT64_C(1) << 32, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 5; i++) {
        struct rlock *lock = new_lock();
        struct visit timed = waits_for(lock);

        timed.timeout_us = timeouts_us[i];
        must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
        struct runner *waiter = runner_start(visit, &timed);
        must_be_blocked(waiter, "The lock is owned, there are %lld µs to wait, and rlock_acquire returned %s at once.",
                        (long long)timeouts_us[i], error_text(timed.result));
        must_return(0, rlock_release(lock), "rlock_release of the owner");
        must_be_done(waiter, "The lock was released, and a thread that waits for it with a time-out was not woken.");
        runner_join(waiter);
        must_return(0, timed.result, "rlock_acquire of the thread that waited with a time-out");
        rlock_destroy(lock);
    }
}

TEST(free_at_once, "A free lock is had at once, also by who would have time to wait.")
{
    struct rlock *lock = new_lock();
    struct visit timed = waits_for(lock);

    timed.timeout_us = HOUR_US;
    struct runner *other = runner_start(visit, &timed);
    must_be_done(other, "Nobody owns the lock, and rlock_acquire with a time-out of an hour waits.");
    runner_join(other);
    must_return(0, timed.result, "rlock_acquire of a free lock with a time-out of an hour");
    rlock_destroy(lock);
}

TEST(no_limit, "Any time-out below 0 means no limit, not only -1: blocking waits for ever, not blocking is no error.")
{
    static const int64_t timeouts_us[] = {-2, -1000000, INT64_MIN};

    for (int i = 0; i < 3; i++) {
        struct rlock *lock = new_lock();
        struct visit patient = waits_for(lock), hasty = {.lock = lock, .timeout_us = timeouts_us[i]};

        patient.timeout_us = timeouts_us[i];
        must_return(0, rlock_acquire(lock, false, timeouts_us[i]),
                    "rlock_acquire of a free lock, not blocking, with a time-out below 0");
        runner_join(runner_start(visit, &hasty));
        must_return(EBUSY, hasty.result, "rlock_acquire of another thread, not blocking, with a time-out below 0");
        struct runner *waiter = runner_start(visit, &patient);
        must_be_blocked(waiter,
                        "The lock is owned, and rlock_acquire with a time-out of %lld, which sets no limit, "
                        "did not wait but returned %s.",
                        (long long)timeouts_us[i], error_text(patient.result));
        must_return(0, rlock_release(lock), "rlock_release of the owner");
        must_be_done(waiter, "The owner has released the lock, and the thread that waits for it was not woken.");
        runner_join(waiter);
        must_return(0, patient.result, "rlock_acquire of the thread that waited");
        rlock_destroy(lock);
    }
}

TEST(full_second, "A deadline carries whole seconds: its nanoseconds stay below a second, however the clock stands.")
{
    static const long fractions_ns[] = {999999000, 999999999}; /* with 1 µs: a second, and a little more than one */

    for (int i = 0; i < 2; i++) {
        struct rlock *lock = new_lock();
        struct visit timed = waits_for(lock);

        timed.timeout_us = HOUR_US + 1;
        must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
        fraction_ns = fractions_ns[i];
        naps_before = wrap_count(WRAP_pthread_cond_timedwait);
        struct runner *waiter = runner_start(visit, &timed);
        enum runner_state state = runner_state(waiter);
        fraction_ns = -1;
        must(state == RUNNER_BLOCKED,
             "At the end of a second rlock_acquire with a time-out of an hour and 1 µs does not sleep: is the "
             "deadline's tv_nsec 1000000000 or more? For that pthread_cond_timedwait returns EINVAL.");
        must_return(0, rlock_release(lock), "rlock_release of the owner");
        must_be_done(waiter, "The lock was released, and a thread that waits for it with a time-out was not woken.");
        runner_join(waiter);
        must_return(0, timed.result, "rlock_acquire of the thread that waited with a time-out");
        rlock_destroy(lock);
    }
}

TEST(an_hour_is_over, "A long time-out ends too: after an hour an acquire with a time-out of an hour gives up.")
{
    struct rlock *lock = new_lock();
    struct visit timed = waits_for(lock);

    timed.timeout_us = HOUR_US;
    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
    naps_before = wrap_count(WRAP_pthread_cond_timedwait);
    tally_add(&behind_s, 3600); /* to the waiter's clock the hour began an hour ago */
    struct runner *waiter = runner_start(visit, &timed);
    must(ends_in_time(waiter), "The time-out of an hour is over, and rlock_acquire still waits: is a long time-out "
                               "taken for one without a limit?");
    tally_add(&behind_s, -3600);
    runner_join(waiter);
    must_return(ETIMEDOUT, timed.result, "The lock was never free: rlock_acquire with a time-out");
    must_return(0, rlock_release(lock), "rlock_release of the owner");
    rlock_destroy(lock);
}

/* ---- the record ------------------------------------------------------------------------------------------------- */

static struct record *new_record(void)
{
    struct record *record = NULL;
    int error = record_create(&record);

    must(error == 0 && record != NULL, "record_create returned %s or stored no record.", error_text(error));
    return record;
}

TEST(record_keeps_both, "A record keeps two parts, and get_both, which calls the other two, does not wait for itself.")
{
    struct record *record = new_record();
    long part1 = -1, part2 = -1;

    record_get_both(record, &part1, &part2);
    must(part1 == 0 && part2 == 0, "Both parts of a new record should be 0, but they are %ld and %ld.", part1, part2);
    record_set_both(record, 7, -8);
    must(record_get_part1(record) == 7, "Part 1 was set to 7, but it is %ld.", record_get_part1(record));
    must(record_get_part2(record) == -8, "Part 2 was set to -8, but it is %ld.", record_get_part2(record));
    record_get_both(record, &part1, &part2);
    must(part1 == 7 && part2 == -8, "The parts were set to 7 and -8, but get_both says %ld and %ld.", part1, part2);
    record_set_both(record, LONG_MAX, LONG_MIN);
    record_get_both(record, &part1, &part2);
    must(part1 == LONG_MAX && part2 == LONG_MIN,
         "The parts were set to LONG_MAX and LONG_MIN, but get_both says %ld and %ld: a part is a long.", part1, part2);
    record_destroy(record);
    record_destroy(NULL);
}

/* Starts `body` once, in another thread, when the thread that set `watched` first lets go of a mutex, and lets that
 * other thread run as far as it can, then and each time after. */
struct interruption {
    struct record *record;
    void (*body)(void *);
    struct runner *runner;
    bool waited; /* for the interrupted thread to go on */
    long part1, part2;
};

static _Thread_local bool watched;

static void interrupt(void *argument)
{
    struct interruption *interruption = argument;

    if (!watched)
        return;
    if (interruption->runner == NULL)
        interruption->runner = runner_start(interruption->body, interruption);
    interruption->waited = runner_state(interruption->runner) != RUNNER_DONE || interruption->waited;
}

static void set_to_two(void *argument)
{
    struct interruption *interruption = argument;

    record_set_both(interruption->record, 2, 2);
}

static void read_both(void *argument)
{
    struct interruption *interruption = argument;

    record_get_both(interruption->record, &interruption->part1, &interruption->part2);
}

static void watch_unlocks(struct interruption *interruption)
{
    watched = interruption != NULL;
    wrap_after(WRAP_pthread_mutex_unlock, interruption == NULL ? NULL : interrupt, interruption);
}

/* Where the student's code locked nothing, there was no moment to interrupt. */
static void finish(struct interruption *interruption)
{
    watch_unlocks(NULL);
    if (interruption->runner != NULL)
        runner_join(interruption->runner);
}

TEST(both_of_one_moment, "get_both gives the two parts as they were at one moment: nobody changes them in between.")
{
    struct interruption setter = {.record = new_record(), .body = set_to_two};
    long part1 = -1, part2 = -1;

    record_set_both(setter.record, 1, 1);
    watch_unlocks(&setter);
    record_get_both(setter.record, &part1, &part2);
    finish(&setter);
    must(part1 == part2, "Both parts were 1, then another thread set both to 2, and get_both says %ld and %ld.", part1,
         part2);
    record_destroy(setter.record);
}

TEST(set_at_one_moment, "set_both changes the two parts at one moment: nobody sees one changed and the other not.")
{
    struct interruption reader = {.record = new_record(), .body = read_both};

    record_set_both(reader.record, 1, 1);
    watch_unlocks(&reader);
    record_set_both(reader.record, 2, 2);
    finish(&reader);
    must(reader.part1 == reader.part2,
         "Both parts were changed from 1 to 2, and another thread's get_both saw %ld and %ld meanwhile.", reader.part1,
         reader.part2);
    record_destroy(reader.record);
}

TEST(records_are_separate, "Each record owns a lock of its own: who is inside one keeps nobody from another.")
{
    struct record *one = new_record();
    struct interruption reader = {.record = new_record(), .body = read_both, .part1 = -1, .part2 = -1};

    watch_unlocks(&reader);
    record_set_both(one, 3, 4);
    finish(&reader);
    must(!reader.waited, "A thread is inside a call of one record, and another thread's call of another record waits.");
    must(reader.runner == NULL || (reader.part1 == 0 && reader.part2 == 0),
         "One record was changed, and the parts of another one, which were 0, are %ld and %ld.", reader.part1,
         reader.part2);
    record_destroy(one);
    record_destroy(reader.record);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_memory, "When there is no memory, rlock_create and record_create return ENOMEM.")
{
    struct rlock *lock = NULL;
    struct record *record = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, rlock_create(&lock), "Without memory, rlock_create");
    must_return(ENOMEM, record_create(&record), "Without memory, record_create");
}

static int make_one(void)
{
    struct rlock *made = NULL;
    int error = rlock_create(&made);

    if (error == 0)
        rlock_destroy(made);
    return error;
}

TEST(nothing_kept, "When a part of the lock cannot be made, rlock_create returns that error and keeps nothing.")
{
    must_keep_nothing("rlock_create", make_one, WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_keep_nothing("rlock_create", make_one, WRAP_pthread_cond_init, 1, "pthread_cond_init");
}

static int make_record(void)
{
    struct record *made = NULL;
    int error = record_create(&made);

    if (error == 0)
        record_destroy(made);
    return error;
}

TEST(memory_runs_out, "When there is memory for a part only, rlock_create and record_create keep nothing of it.")
{
    must_bear_want("rlock_create", make_one);
    must_bear_want("record_create", make_record);
}

TEST(record_keeps_nothing, "When its lock cannot be made, record_create returns that error and keeps nothing.")
{
    must_keep_nothing("record_create", make_record, WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_keep_nothing("record_create", make_record, WRAP_pthread_cond_init, 1, "pthread_cond_init");
}

TEST(ends_what_it_made,
     "rlock_destroy gives back all that the lock holds: its mutex and its condition too. NULL is fine.")
{
    rlock_destroy(NULL);
    struct rlock *lock = new_lock();
    must_return(0, rlock_acquire(lock, true, -1), "rlock_acquire");
    must_return(0, rlock_release(lock), "rlock_release");
    rlock_destroy(lock);
    must_have_ended_all();
}
