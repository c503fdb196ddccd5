/* tests.c - a queue in front of a lock: who is served when.
 *
 * Threads are queued one by one: the next one starts when the last one sleeps, so there is no doubt who came first. A
 * waiter that is slow to wake up is made with wrap_fail(…, 0): signals are sent and do not arrive.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* waiting.h */
#endif
#include "check.h"
#include "fair_lock.h"
#include "leftovers.h"
#include "slices.h"
#include "waiting.h"
#include "wrap.h"

#include <errno.h>
#include <time.h>

static const int64_t HOUR_US = 3600000000;

static struct fair_lock *new_lock(void)
{
    struct fair_lock *lock = NULL;
    int error = fair_lock_create(&lock);

    must(error == 0 && lock != NULL, "fair_lock_create returned %s or stored no lock.", error_text(error));
    return lock;
}

/* ---- a thread in the queue -------------------------------------------------------------------------------------- */

/* The order in which threads got the lock: written by the holder only. */
struct log {
    int count;
    int who[16];
};

struct waiter {
    struct fair_lock *lock;
    int64_t timeout_us;
    int number;
    struct log *log;    /* or NULL */
    struct gate *leave; /* holds the lock until this opens; NULL: releases at once */
    int64_t began_us, ended_us;
    int result, release;
    struct runner *runner;
    struct tally *slices; /* waits that looked again after a moment; NULL: not asked for */
};

static void queue_up(void *argument)
{
    struct waiter *waiter = argument;

    waiter->began_us = now_us();
    slices = waiter->slices;
    waits = true;
    waiter->result = fair_lock_acquire(waiter->lock, waiter->timeout_us);
    waits = false;
    waiter->ended_us = now_us();
    if (waiter->result != 0)
        return;
    if (waiter->log != NULL && waiter->log->count < 16)
        waiter->log->who[waiter->log->count++] = waiter->number;
    if (waiter->leave != NULL)
        gate_pass(waiter->leave);
    waiter->release = fair_lock_release(waiter->lock);
}

static void waiter_start(struct waiter *waiter, struct fair_lock *lock, int64_t timeout_us)
{
    *waiter = (struct waiter){.lock = lock, .timeout_us = timeout_us, .result = -1, .release = -1};
    waiter->runner = runner_start(queue_up, waiter);
}

/* Starts a waiter, and goes on when it sleeps. */
static void must_queue(struct waiter *waiter, struct fair_lock *lock, int64_t timeout_us, int number, struct log *log)
{
    *waiter = (struct waiter){.lock = lock, .timeout_us = timeout_us, .number = number, .log = log};
    waiter->result = waiter->release = -1;
    waiter->slices = slices_tally();
    waiter->runner = runner_start(queue_up, waiter);
    enum runner_state state = runner_state(waiter->runner);
    must(state != RUNNER_BUSY, "A thread that waits for its turn should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED,
         "The lock is held, and fair_lock_acquire with a time-out of %lld did not wait but returned %s.",
         (long long)timeout_us, error_text(waiter->result));
    must(!slices_tell(timeout_us) || tally_read(waiter->slices) == 0,
         "A thread that waits for its turn should sleep until it is served, but it sleeps for a moment, looks, and "
         "sleeps again.");
}

static void must_be_served(struct waiter *waiter)
{
    must_be_done(waiter->runner, "The lock was released, and a thread that waits for it (number %d) was not served.",
                 waiter->number);
    runner_join(waiter->runner);
    must_return(0, waiter->result, "fair_lock_acquire of a thread that waited");
    must_return(0, waiter->release, "fair_lock_release of a thread that waited");
}

/* What another thread gets that does not wait (and lets go at once where it gets the lock). */
static int asked_by_another(struct fair_lock *lock)
{
    struct waiter asking;

    waiter_start(&asking, lock, 0);
    runner_join(asking.runner);
    return asking.result;
}

/* ---- a lock ----------------------------------------------------------------------------------------------------- */

TEST(one_holder, "One thread at a time holds the lock: who only asks gets ETIMEDOUT while it is held, and 0 when free.")
{
    struct fair_lock *lock = new_lock();

    must_return(0, asked_by_another(lock), "fair_lock_acquire of a new lock with a time-out of 0");
    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    must_return(ETIMEDOUT, asked_by_another(lock), "fair_lock_acquire of a held lock with a time-out of 0");
    must(fair_lock_waiting(lock) == 0, "Nobody waits, and fair_lock_waiting says %ld.", fair_lock_waiting(lock));
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    must_return(0, asked_by_another(lock), "fair_lock_acquire of a free lock with a time-out of 0");
    must_return(0, fair_lock_acquire(lock, 0), "fair_lock_acquire of a free lock with a time-out of 0");
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    must_return(0, fair_lock_acquire(lock, 1000), "fair_lock_acquire of a free lock with a time-out of 1000 µs");
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    fair_lock_destroy(lock);
}

TEST(nobody_twice, "Who holds the lock cannot take it again: EDEADLK, at once, whatever the time-out.")
{
    struct fair_lock *lock = new_lock();

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    must_return(EDEADLK, fair_lock_acquire(lock, -1), "fair_lock_acquire of the holder");
    must_return(EDEADLK, fair_lock_acquire(lock, 0), "fair_lock_acquire of the holder with a time-out of 0");
    must_return(EDEADLK, fair_lock_acquire(lock, 3600000000), "fair_lock_acquire of the holder with a long time-out");
    must_return(ETIMEDOUT, asked_by_another(lock), "Then fair_lock_acquire of another thread with a time-out of 0");
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    must_return(EPERM, fair_lock_release(lock), "A second fair_lock_release");
    fair_lock_destroy(lock);
}

static void release_only(void *argument)
{
    struct waiter *waiter = argument;

    waiter->release = fair_lock_release(waiter->lock);
}

TEST(holder_releases, "Only the holder releases: anyone else gets EPERM, and nothing changes.")
{
    struct fair_lock *lock = new_lock();
    struct waiter stranger = {.lock = lock}, past, waiting;

    must_return(EPERM, fair_lock_release(lock), "fair_lock_release of a new lock");
    waiter_start(&past, lock, -1);
    runner_join(past.runner);
    runner_join(runner_start(release_only, &stranger));
    must_return(EPERM, stranger.release, "fair_lock_release of a lock that another thread held once");
    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    must_queue(&waiting, lock, -1, 1, NULL);
    runner_join(runner_start(release_only, &stranger));
    must_return(EPERM, stranger.release, "fair_lock_release of a thread that does not hold the lock");
    must_be_blocked(waiting.runner, "A thread that does not hold the lock released it, and a waiter was served.");
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    must_be_served(&waiting);
    fair_lock_destroy(lock);
}

TEST(locks_are_separate, "Each lock has a holder and a queue of its own.")
{
    struct fair_lock *one = new_lock(), *two = new_lock();

    must_return(0, fair_lock_acquire(one, -1), "fair_lock_acquire of the first lock");
    must_return(EPERM, fair_lock_release(two), "fair_lock_release of the second lock");
    must_return(0, asked_by_another(two), "fair_lock_acquire of the second lock by another thread");
    must_return(0, fair_lock_acquire(two, 0), "fair_lock_acquire of the second lock");
    must_return(0, fair_lock_release(one), "fair_lock_release of the first lock");
    must_return(0, fair_lock_release(two), "fair_lock_release of the second lock");
    fair_lock_destroy(one);
    fair_lock_destroy(two);
}

/* ---- the order -------------------------------------------------------------------------------------------------- */

enum { QUEUE = 6 };

static void must_be_in_order(const struct log *log, int count, int first)
{
    bool right = log->count == count;

    for (int i = 0; i < count && right; i++)
        right = log->who[i] == first + i;
    must(right,
         "Threads queued up in the order 1, 2, 3, …, and the lock was given to %d, %d, %d, %d, %d, %d (0: nobody).",
         log->who[0], log->who[1], log->who[2], log->who[3], log->who[4], log->who[5]);
}

TEST(in_order_of_arrival, "Threads get the lock in the order in which they came, with a time-out or without.")
{
    struct fair_lock *lock = new_lock();
    struct waiter waiters[QUEUE];
    struct log log = {0};

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    for (int i = 0; i < QUEUE; i++) {
        must(fair_lock_waiting(lock) == i, "%d threads wait, and fair_lock_waiting says %ld.", i,
             fair_lock_waiting(lock));
        must_queue(&waiters[i], lock, i % 3 == 1 ? INT64_MAX : -1, i + 1, &log);
    }
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    for (int i = 0; i < QUEUE; i++)
        must_be_served(&waiters[i]);
    must_be_in_order(&log, QUEUE, 1);
    must(fair_lock_waiting(lock) == 0, "Nobody waits any more, and fair_lock_waiting says %ld.",
         fair_lock_waiting(lock));
    must_return(0, asked_by_another(lock), "Then fair_lock_acquire with a time-out of 0");
    fair_lock_destroy(lock);
}

TEST(one_at_a_time, "A release serves one thread, the first: the others go on waiting.")
{
    struct fair_lock *lock = new_lock();
    struct waiter waiters[3];
    struct gate leave[3] = {GATE_CLOSED, GATE_CLOSED, GATE_CLOSED};
    struct log log = {0};

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    for (int i = 0; i < 3; i++) {
        waiters[i] = (struct waiter){lock, -1, i + 1, &log, &leave[i], .result = -1, .release = -1};
        waiters[i].runner = runner_start(queue_up, &waiters[i]);
        must_be_blocked(waiters[i].runner, "The lock is held, and fair_lock_acquire did not wait.");
    }
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    for (int i = 0; i < 3; i++) {
        must_be_blocked(waiters[i].runner, "Thread %d of the queue should hold the lock until it is told to leave.",
                        i + 1);
        must(log.count == i + 1 && log.who[i] == i + 1,
             "After %d releases thread %d of the queue should hold the lock, but %d threads were served, thread %d "
             "last.",
             i + 1, i + 1, log.count, log.count > 0 ? log.who[log.count - 1] : 0);
        must(fair_lock_waiting(lock) == 2 - i, "Then %d threads wait, and fair_lock_waiting says %ld.", 2 - i,
             fair_lock_waiting(lock));
        gate_open(&leave[i]);
        must_be_served(&waiters[i]);
    }
    fair_lock_destroy(lock);
}

TEST(a_long_queue, "The queue has no end, and its numbers do not begin again: any number of threads may wait.")
{
    enum { CROWD = 40 };
    static struct waiter crowd[CROWD];
    struct fair_lock *lock = new_lock();
    struct waiter waiters[QUEUE];
    struct log log = {0};
    long refused = 0;

    for (long i = 0; i < 65536 - 2; i++)
        refused += fair_lock_acquire(lock, -1) != 0 || fair_lock_release(lock) != 0;
    must(refused == 0, "Of 65534 times that a free lock was taken and released, %ld gave an error.", refused);
    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    for (int i = 0; i < QUEUE; i++)
        must_queue(&waiters[i], lock, -1, i + 1, &log);
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    for (int i = 0; i < QUEUE; i++)
        must_be_served(&waiters[i]);
    must_be_in_order(&log, QUEUE, 1);

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    for (int i = 0; i < CROWD; i++)
        waiter_start(&crowd[i], lock, -1);
    settle();
    int failed = 0;
    for (int i = 0; i < CROWD && failed <= 0; i++)
        failed = crowd[i].result;
    must(failed <= 0, "%d threads came while the lock was held, and fair_lock_acquire of one returned %s.", CROWD,
         error_text(failed));
    must(fair_lock_waiting(lock) == CROWD, "%d threads wait, and fair_lock_waiting says %ld.", CROWD,
         fair_lock_waiting(lock));
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    for (int i = 0; i < CROWD; i++)
        must_be_served(&crowd[i]);
    fair_lock_destroy(lock);
}

/* Releases, and takes the lock again at once. */
static void release_and_return(void *argument)
{
    struct waiter *waiter = argument;

    fair_lock_acquire(waiter->lock, -1);
    gate_pass(waiter->leave);
    waiter->release = fair_lock_release(waiter->lock);
    waiter->result = fair_lock_acquire(waiter->lock, waiter->timeout_us);
}

/* An error is no overtaking, and is called what it is. */
static void must_not_return(struct waiter *waiter)
{
    settle();
    must(waiter->result <= 0,
         "The lock belongs to a thread that is slow to wake up, and fair_lock_acquire of one that came later did not "
         "wait but returned %s.",
         error_text(waiter->result));
}

TEST(nobody_is_overtaken,
     "Nobody gets the lock before one who already waits for it, however slowly that one wakes up: not a thread that "
     "comes later, not one that only asks.")
{
    static struct waiter first, later, timed; /* static: they still wait when the test ends */
    struct fair_lock *lock = new_lock();

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    must_queue(&first, lock, -1, 1, NULL);
    wrap_fail(WRAP_pthread_cond_signal, -1, 0); /* from now on every wake-up is on its way, and does not arrive */
    wrap_fail(WRAP_pthread_cond_broadcast, -1, 0);
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    must_return(ETIMEDOUT, asked_by_another(lock),
                "The lock was released while a thread waits that is slow to wake up: fair_lock_acquire of another one, "
                "with a time-out of 0,");
    waiter_start(&later, lock, -1);
    must_not_return(&later);
    must_be_blocked(later.runner, "The lock was released while a thread waits that is slow to wake up, and a thread "
                                  "that came later has overtaken it.");
    waiter_start(&timed, lock, INT64_MAX);
    must_not_return(&timed);
    must_be_blocked(timed.runner, "The lock was released while a thread waits that is slow to wake up, and a thread "
                                  "that came later, with a time-out, has overtaken it.");
}

TEST(no_return_at_once, "Who releases the lock and wants it again queues up behind those who already wait.")
{
    static struct waiter first[2], again[2];
    static struct gate leave[2];

    for (int i = 0; i < 2; i++) {
        struct fair_lock *lock = new_lock();

        wrap_fail(WRAP_pthread_cond_signal, 0, 0);
        wrap_fail(WRAP_pthread_cond_broadcast, 0, 0);
        again[i] = (struct waiter){.lock = lock, .timeout_us = i == 0 ? -1 : 0, .leave = &leave[i], .result = -1};
        again[i].runner = runner_start(release_and_return, &again[i]);
        must_be_blocked(again[i].runner, "A thread should hold the lock until it is told to leave.");
        must_queue(&first[i], lock, -1, 1, NULL);
        wrap_fail(WRAP_pthread_cond_signal, -1, 0);
        wrap_fail(WRAP_pthread_cond_broadcast, -1, 0);
        gate_open(&leave[i]);
        enum runner_state state = runner_state(again[i].runner);
        must(i == 1 || again[i].result <= 0,
             "A thread released the lock, on which another one waits, and wanted it again at once: fair_lock_acquire "
             "did not wait but returned %s.",
             error_text(again[i].result));
        must(i == 1 || state == RUNNER_BLOCKED,
             "A thread released the lock, took it again at once, and overtook another one that had waited.");
        must(
            i == 0 || again[i].result == ETIMEDOUT,
            "A thread released the lock, asked for it again at once with a time-out of 0, and got %s, although another "
            "one had waited.",
            error_text(again[i].result));
    }
}

TEST(holder_no_more, "Who has released the lock holds it no more, however slowly the next one wakes up.")
{
    static struct waiter first, second; /* static: they still wait when the test ends */
    struct fair_lock *lock = new_lock();

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    must_queue(&first, lock, -1, 1, NULL);
    must_queue(&second, lock, HOUR_US, 2, NULL);
    wrap_fail(WRAP_pthread_cond_signal, -1, 0); /* from now on every wake-up is on its way, and does not arrive */
    wrap_fail(WRAP_pthread_cond_broadcast, -1, 0);
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    must_return(EPERM, fair_lock_release(lock),
                "The lock was released while a thread waits that is slow to wake up: another fair_lock_release");
    must_return(ETIMEDOUT, fair_lock_acquire(lock, 0),
                "Then fair_lock_acquire of the same thread, with a time-out of 0,");
}

TEST(woken_for_nothing, "Who wakes up looks whether it is his turn: a wait may end although nobody has signalled.")
{
    for (int i = 0; i < 2; i++) {
        struct fair_lock *lock = new_lock();
        struct waiter waiters[2];
        struct log log = {0};

        must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
        for (int k = 0; k < 2; k++) {
            wrap_fail(WRAP_pthread_cond_wait, 1, 0);
            wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
            waiters[k] = (struct waiter){lock, i == 0 ? -1 : INT64_MAX, k + 1, &log, .result = -1};
            waiters[k].runner = runner_start(queue_up, &waiters[k]);
            must_be_blocked(waiters[k].runner, "The wait on the condition ended although nobody had signalled, and "
                                               "fair_lock_acquire returned although the lock is held.");
        }
        must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
        for (int k = 0; k < 2; k++)
            must_be_served(&waiters[k]);
        must_be_in_order(&log, 2, 1);
        fair_lock_destroy(lock);
    }
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

enum { SHORT_US = 20000 };

static bool in_set(unsigned set, int i)
{
    return (set >> i & 1) != 0;
}

/* Queues three threads; those in the set `leavers` have a time-out. True where all three were in the queue before the
 * first time-out ended. */
static bool queue_three(struct fair_lock *lock, struct waiter *waiters, unsigned leavers, int64_t timeout_us,
                        struct log *log)
{
    int64_t first_end_us = INT64_MAX;
    bool calm = true; /* who keeps the processor busy is found elsewhere; with him this would take for ever */

    for (int i = 0; i < 3; i++) {
        waiters[i] = (struct waiter){lock, in_set(leavers, i) ? timeout_us : -1, i + 1, log, .result = -1};
        waiters[i].release = -1;
        waiters[i].runner = runner_start(queue_up, &waiters[i]);
        calm = settle() && calm;
        if (in_set(leavers, i) && waiters[i].began_us + timeout_us < first_end_us)
            first_end_us = waiters[i].began_us + timeout_us;
    }
    return !calm || now_us() < first_end_us;
}

/* Three threads queue up, those in `leavers` give up, and a fourth one comes. */
static void must_close_ranks(unsigned leavers)
{
    struct fair_lock *lock = NULL;
    struct waiter waiters[4];
    struct log log;
    int64_t timeout_us = SHORT_US / 2;
    int left = 0;
    bool together = false;

    /* A slow machine may need more time until all three are in the queue. */
    while (!together && timeout_us < 60000000) {
        timeout_us *= 2;
        log = (struct log){0};
        if (fair_lock_create(&lock) != 0 || fair_lock_acquire(lock, -1) != 0)
            break;
        together = queue_three(lock, waiters, leavers, timeout_us, &log);
        if (!together) {
            fair_lock_release(lock);
            for (int i = 0; i < 3; i++)
                runner_join(waiters[i].runner);
            fair_lock_destroy(lock);
        }
    }
    must(together, "fair_lock_create or fair_lock_acquire of a new lock returned an error.");
    for (int i = 0; i < 3; i++)
        if (in_set(leavers, i)) {
            left++;
            runner_join(waiters[i].runner);
            must_return(ETIMEDOUT, waiters[i].result, "The lock was never released: fair_lock_acquire with a time-out");
            must(waiters[i].ended_us - waiters[i].began_us >= timeout_us,
                 "The time-out was %lld µs, and fair_lock_acquire gave up after %lld.", (long long)timeout_us,
                 (long long)(waiters[i].ended_us - waiters[i].began_us));
        }
    must(fair_lock_waiting(lock) == 3 - left,
         "Of three threads in the queue %d gave up, and fair_lock_waiting says %ld.", left, fair_lock_waiting(lock));
    must_queue(&waiters[3], lock, -1, 4, &log);
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    for (int i = 0; i < 4; i++)
        if (!in_set(leavers, i))
            must_be_served(&waiters[i]);
    bool sorted = log.count == 4 - left;
    for (int i = 1; i < log.count; i++)
        sorted = sorted && log.who[i - 1] < log.who[i];
    must(sorted, "After some gave up, the rest of the queue was served in the order %d, %d, %d, %d (0: nobody).",
         log.who[0], log.who[1], log.who[2], log.who[3]);
    must_return(0, asked_by_another(lock), "After all were served, fair_lock_acquire with a time-out of 0");
    fair_lock_destroy(lock);
}

TEST(giving_up_leaves_no_gap,
     "Who gives up because his time is over leaves no gap: those behind him are served in order.")
{
    for (unsigned leavers = 1; leavers < 8; leavers++)
        must_close_ranks(leavers);
}

TEST(
    served_and_late,
    "Served and late at once, a thread either has the lock or has passed it on: it is never lost with one who gave up.")
{
    struct waiter late = {0}, behind = {0};
    struct fair_lock *lock = NULL;
    bool forced = false;

    /* The late one must be served before its time is over, and sleep on until it is: so the time must be long enough
     * for the release to come first, which a slow machine may need several attempts for. */
    for (int64_t timeout_us = 50000; !forced; timeout_us *= 2) {
        fair_lock_destroy(lock);
        if (fair_lock_create(&lock) != 0 || fair_lock_acquire(lock, -1) != 0)
            break;
        waiter_start(&late, lock, timeout_us);
        bool calm = settle();
        wrap_fail(WRAP_pthread_cond_signal, -1, 0);
        wrap_fail(WRAP_pthread_cond_broadcast, -1, 0);
        fair_lock_release(lock);
        forced = !calm || now_us() < late.began_us + timeout_us || timeout_us > 60000000;
        if (forced)
            waiter_start(&behind, lock, -1);
        wrap_fail(WRAP_pthread_cond_signal, 0, 0);
        wrap_fail(WRAP_pthread_cond_broadcast, 0, 0);
        runner_join(late.runner);
    }
    must(forced, "fair_lock_create or fair_lock_acquire of a new lock returned an error.");
    must(late.result == 0 || late.result == ETIMEDOUT,
         "A thread was served just before its time was over, and fair_lock_acquire returned %s.",
         error_text(late.result));
    must_be_done(behind.runner,
                 "A thread was served just before its time was over, its fair_lock_acquire returned %s, and now nobody "
                 "has the lock: the thread behind it waits for ever.",
                 error_text(late.result));
    runner_join(behind.runner);
    must_return(0, behind.result, "fair_lock_acquire of the thread behind it");
    must_return(0, asked_by_another(lock), "Then fair_lock_acquire with a time-out of 0");
    fair_lock_destroy(lock);
}

TEST(monotonic_clock, "Time is measured by the monotonic clock: the one on the wall may be set while a thread waits.")
{
    struct fair_lock *lock = new_lock();
    struct waiter timed;

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    waiter_start(&timed, lock, 1000);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "The lock was never released: fair_lock_acquire with a time-out");
    must(!asked_the_wall,
         "fair_lock_acquire asked for CLOCK_REALTIME, the clock on the wall, to measure its time-out.");
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    fair_lock_destroy(lock);
}

/* Holds who releases right before he signals. */
struct signalling {
    struct gate before, go_on;
    long ended; /* conditions that were destroyed by the time of the signal */
};

static void stop_before_signal(void *argument)
{
    struct signalling *signalling = argument;

    gate_open(&signalling->before);
    gate_pass(&signalling->go_on);
}

static void hold_and_release(void *argument)
{
    struct waiter *waiter = argument;

    waiter->result = fair_lock_acquire(waiter->lock, -1);
    gate_pass(waiter->leave);
    waiter->release = fair_lock_release(waiter->lock);
}

/* True where the waiter was served before its time was over. */
static bool signal_late(int64_t timeout_us, long *ended)
{
    struct signalling signalling = {GATE_CLOSED, GATE_CLOSED, 0};
    struct gate leave = GATE_CLOSED;
    struct waiter holder = {.lock = new_lock(), .leave = &leave}, timed;

    holder.runner = runner_start(hold_and_release, &holder);
    settle();
    waiter_start(&timed, holder.lock, timeout_us);
    bool waits = runner_state(timed.runner) == RUNNER_BLOCKED; /* else other tests say what is wrong */
    long before = wrap_count(WRAP_pthread_cond_destroy);
    wrap_before(WRAP_pthread_cond_signal, stop_before_signal, &signalling);
    wrap_before(WRAP_pthread_cond_broadcast, stop_before_signal, &signalling);
    gate_open(&leave);
    settle();
    bool in_time = !waits || (signalling.before.open && now_us() < timed.began_us + timeout_us);
    while (waits && now_us() < timed.began_us + timeout_us + 10000)
        nanosleep(&(struct timespec){0, 1000000}, NULL); /* its time has to pass, and nothing else */
    settle();
    *ended = wrap_count(WRAP_pthread_cond_destroy) - before;
    wrap_before(WRAP_pthread_cond_signal, NULL, NULL);
    wrap_before(WRAP_pthread_cond_broadcast, NULL, NULL);
    gate_open(&signalling.go_on);
    runner_join(holder.runner);
    runner_join(timed.runner);
    fair_lock_destroy(holder.lock);
    return in_time;
}

TEST(
    signals_what_is_there,
    "A waiter may wake up by itself, see that it was served, and go: a condition that goes with it is signalled before "
    "that, with the mutex held.")
{
    bool forced = false;
    long ended = 0;

    for (int64_t timeout_us = 50000; !forced && timeout_us < 2000000; timeout_us *= 2)
        forced = signal_late(timeout_us, &ended);
    must(!forced || ended == 0,
         "A release served a waiter and unlocked the mutex; the waiter woke up because its time was over, saw that it "
         "was served, destroyed its condition and went; only then came the signal, to a condition that is no more.");
}

TEST(served_in_time, "A thread whose turn comes in time gets the lock, however long its time is.")
{
    const int64_t timeouts_us[] = {HOUR_US, HOUR_US + 999999, INT64_C(1) << 32, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 5; i++) {
        struct fair_lock *lock = new_lock();
        struct waiter timed;

        must_return(0, fair_lock_acquire(lock, timeouts_us[i]),
                    "fair_lock_acquire of a free lock with a long time-out");
        must_queue(&timed, lock, timeouts_us[i], 1, NULL);
        must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
        must_be_served(&timed);
        fair_lock_destroy(lock);
    }
}

TEST(no_limit, "Any time-out below 0 means that there is no limit, not only -1.")
{
    static const int64_t timeouts_us[] = {-2, -1000000, INT64_MIN};

    for (int i = 0; i < 3; i++) {
        struct fair_lock *lock = new_lock();
        struct waiter patient;

        must_return(0, fair_lock_acquire(lock, timeouts_us[i]),
                    "fair_lock_acquire of a free lock with a time-out below 0");
        must_queue(&patient, lock, timeouts_us[i], 1, NULL);
        must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
        must_be_served(&patient);
        fair_lock_destroy(lock);
    }
}

TEST(full_second, "A deadline carries whole seconds: its nanoseconds stay below a second, however the clock stands.")
{
    static const long fractions_ns[] = {999999000, 999999999}; /* with 1 µs: a second, and a little more than one */

    for (int i = 0; i < 2; i++) {
        struct fair_lock *lock = new_lock();
        struct waiter timed;

        must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
        fraction_ns = fractions_ns[i];
        naps_before = wrap_count(WRAP_pthread_cond_timedwait);
        waiter_start(&timed, lock, HOUR_US + 1);
        enum runner_state state = runner_state(timed.runner);
        fraction_ns = -1;
        must(state == RUNNER_BLOCKED,
             "At the end of a second fair_lock_acquire with a time-out of an hour and 1 µs does not sleep: is the "
             "deadline's tv_nsec 1000000000 or more? For that pthread_cond_timedwait returns EINVAL.");
        must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
        must_be_served(&timed);
        fair_lock_destroy(lock);
    }
}

TEST(an_hour_is_over, "A long time-out ends too: after an hour, who had an hour gives up.")
{
    struct fair_lock *lock = new_lock();
    struct waiter timed;

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    naps_before = wrap_count(WRAP_pthread_cond_timedwait);
    tally_add(&behind_s, 3600); /* to the waiter's clock the hour began an hour ago */
    waiter_start(&timed, lock, HOUR_US);
    must(ends_in_time(timed.runner), "The time-out of an hour is over, and fair_lock_acquire still waits: is a long "
                                     "time-out taken for one without a limit?");
    tally_add(&behind_s, -3600);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "The lock was never released: fair_lock_acquire with a time-out");
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    fair_lock_destroy(lock);
}

TEST(time_goes_on, "The time-out is for the whole call: a thread that was woken in vain does not begin it anew.")
{
    struct fair_lock *lock = new_lock();
    struct waiter timed;

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    naps_before = wrap_count(WRAP_pthread_cond_timedwait);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    hour_lost = true;
    waiter_start(&timed, lock, SHORT_US);
    must(ends_in_time(timed.runner), "A thread was woken in vain, its time was over, and fair_lock_acquire waits on: "
                                     "each wake-up begins its time anew.");
    hour_lost = false;
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "The lock was never released: fair_lock_acquire with a time-out");
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    fair_lock_destroy(lock);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_memory, "When there is no memory, fair_lock_create returns ENOMEM.")
{
    struct fair_lock *lock = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, fair_lock_create(&lock), "Without memory, fair_lock_create");
}

static int make_one(void)
{
    struct fair_lock *made = NULL;
    int error = fair_lock_create(&made);

    if (error == 0)
        fair_lock_destroy(made);
    return error;
}

TEST(nothing_kept, "When a part of the lock cannot be made, fair_lock_create returns that error and keeps nothing.")
{
    must_keep_nothing("fair_lock_create", make_one, WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_keep_nothing("fair_lock_create", make_one, WRAP_pthread_cond_init, 1, "pthread_cond_init");
}

TEST(no_ticket, "When what a waiter needs cannot be made, fair_lock_acquire returns that error, and no place is taken.")
{
    struct fair_lock *lock = new_lock();
    struct waiter unlucky, lucky;

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    long calls = wrap_count(WRAP_pthread_cond_init) + wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc);
    wrap_fail(WRAP_pthread_cond_init, -1, EAGAIN);
    wrap_fail(WRAP_malloc, -1, ENOMEM);
    wrap_fail(WRAP_calloc, -1, ENOMEM);
    waiter_start(&unlucky, lock, -1);
    settle();
    bool tried = wrap_count(WRAP_pthread_cond_init) + wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) > calls;
    wrap_fail(WRAP_pthread_cond_init, 0, 0);
    wrap_fail(WRAP_malloc, 0, 0);
    wrap_fail(WRAP_calloc, 0, 0);
    must(!tried || unlucky.result == EAGAIN || unlucky.result == ENOMEM,
         "What a waiter needs could not be made, and fair_lock_acquire returned %s instead of that error.",
         error_text(unlucky.result));
    must_queue(&lucky, lock, -1, 2, NULL);
    must(fair_lock_waiting(lock) == (tried ? 1 : 2), "Then %d threads wait, and fair_lock_waiting says %ld.",
         tried ? 1 : 2, fair_lock_waiting(lock));
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    must_be_served(&lucky);
    runner_join(unlucky.runner);
    fair_lock_destroy(lock);
}

TEST(ticket_given_back,
     "When a part of what a waiter needs cannot be made, fair_lock_acquire returns that error and keeps nothing of it.")
{
    static const char *const reasons[] = {"pthread_cond_init returned EAGAIN", "There was no memory"};

    for (int i = 0; i < 2; i++) {
        struct fair_lock *lock = new_lock();
        struct waiter unlucky;

        must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
        long memory = wrap_memory_kept(), conditions = wrap_conditions_kept();
        wrap_fail(WRAP_pthread_cond_init, i == 0 ? -1 : 0, EAGAIN);
        wrap_fail(WRAP_malloc, i == 1 ? -1 : 0, ENOMEM);
        wrap_fail(WRAP_calloc, i == 1 ? -1 : 0, ENOMEM);
        waiter_start(&unlucky, lock, i == 0 ? -1 : HOUR_US);
        bool does_without = runner_state(unlucky.runner) != RUNNER_DONE;
        wrap_fail(WRAP_pthread_cond_init, 0, 0);
        wrap_fail(WRAP_malloc, 0, 0);
        wrap_fail(WRAP_calloc, 0, 0);
        memory = wrap_memory_kept() - memory;
        conditions = wrap_conditions_kept() - conditions;
        must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
        runner_join(unlucky.runner);
        must(does_without || unlucky.result == (i == 0 ? EAGAIN : ENOMEM),
             "%s, and fair_lock_acquire returned %s instead of that error.", reasons[i], error_text(unlucky.result));
        must(does_without || memory + conditions <= 1, /* the call that failed is counted */
             "%s, and fair_lock_acquire did not give back what it had made before.", reasons[i]);
        fair_lock_destroy(lock);
    }
}

TEST(memory_runs_out, "When there is memory for a part of the lock only, fair_lock_create keeps nothing of it.")
{
    must_bear_want("fair_lock_create", make_one);
}

TEST(ends_what_it_made, "What was made for the lock and for those who waited is given back. NULL is fine.")
{
    fair_lock_destroy(NULL);
    struct fair_lock *lock = new_lock();
    struct waiter patient, leaver;

    must_return(0, fair_lock_acquire(lock, -1), "fair_lock_acquire of a free lock");
    must_queue(&patient, lock, -1, 1, NULL);
    waiter_start(&leaver, lock, SHORT_US);
    runner_join(leaver.runner);
    must_return(0, fair_lock_release(lock), "fair_lock_release of the holder");
    must_be_served(&patient);
    fair_lock_destroy(lock);
    must_have_ended_all();
}
