/* tests.c - what a condition must do.
 *
 * Most tests bring a lock of their own, with two places at which a thread that waits can be held: right after it has
 * let go of the lock, and right before it takes the lock again. So what comes in between is forced, not hoped for.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* slices.h, syscall */
#endif
#include "check.h"
#include "condition.h"
#include "leftovers.h"
#include "refuse.h"
#include "slices.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- a clock of the thread's own -------------------------------------------------------------------------------- */

static const int64_t HOUR_US = 3600000000;

static _Thread_local int64_t ahead_us;     /* so much later it is to this thread */
static _Thread_local bool second_all_over; /* to this thread every second is in its last microsecond */

/* Stands before the C library's own, for the student's file and what it is built on. */
__attribute__((visibility("hidden"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    int outcome = (int)syscall(SYS_clock_gettime, clock, now);
    int64_t since_us = now->tv_nsec / 1000 + ahead_us % 1000000;

    if (ahead_us != 0) {
        now->tv_sec += ahead_us / 1000000 + since_us / 1000000;
        now->tv_nsec = since_us % 1000000 * 1000 + now->tv_nsec % 1000;
    }
    if (second_all_over)
        now->tv_nsec = 999999000;
    return outcome;
}

/* ---- a lock that can hold who waits ----------------------------------------------------------------------------- */

/* Where a thread stops that waits: it opens `here` and passes `go_on`. */
struct stop {
    struct gate here, go_on;
};

struct test_lock {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    pthread_t owner; /* guarded by mutex, as all below; means nothing while depth is 0 */
    long depth;
    long acquires, releases; /* how often they were called */
    bool blocking;           /* the arguments of the last acquire */
    int64_t timeout_us;
    int answer; /* what acquire and release return, without doing anything, where it is not 0 */
};

static _Thread_local struct stop *when_free, *when_back; /* of the thread that waits; or NULL */
static _Thread_local int64_t acquire_takes_us;           /* to its clock, where another thread has the lock, or had */

static void stop_at(struct stop **place)
{
    struct stop *stop = *place;

    *place = NULL;
    if (stop != NULL) {
        gate_open(&stop->here);
        gate_pass(&stop->go_on);
    }
}

static bool is_mine(const struct test_lock *lock)
{
    return lock->depth > 0 && pthread_equal(lock->owner, pthread_self());
}

static int test_acquire(void *object, bool blocking, int64_t timeout_us)
{
    struct test_lock *lock = object;
    int error = 0;

    stop_at(&when_back);
    ahead_us += acquire_takes_us;
    pthread_mutex_lock(&lock->mutex);
    lock->acquires++;
    lock->blocking = blocking;
    lock->timeout_us = timeout_us;
    while (lock->answer == 0 && lock->depth > 0 && !is_mine(lock) && blocking && timeout_us < 0)
        pthread_cond_wait(&lock->freed, &lock->mutex);
    if (lock->answer != 0) {
        error = lock->answer;
    } else if (lock->depth == 0 || is_mine(lock)) {
        lock->owner = pthread_self();
        lock->depth++;
    } else {
        error = EBUSY;
    }
    pthread_mutex_unlock(&lock->mutex);
    return error;
}

static int test_release(void *object)
{
    struct test_lock *lock = object;

    pthread_mutex_lock(&lock->mutex);
    lock->releases++;
    int error = lock->answer != 0 ? lock->answer : is_mine(lock) ? 0 : EPERM;
    if (error == 0 && --lock->depth == 0)
        pthread_cond_broadcast(&lock->freed);
    bool is_free = error == 0 && lock->depth == 0;
    pthread_mutex_unlock(&lock->mutex);
    if (is_free)
        stop_at(&when_free);
    return error;
}

static long test_depth(void *object)
{
    struct test_lock *lock = object;

    pthread_mutex_lock(&lock->mutex);
    long depth = is_mine(lock) ? lock->depth : 0;
    pthread_mutex_unlock(&lock->mutex);
    return depth;
}

#define TEST_LOCK                                                                                                      \
    {                                                                                                                  \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER                                          \
    }

/* With NULL the condition has a lock of its own. */
static struct condition *new_condition(struct test_lock *lock)
{
    struct condition_lock calls = {lock, test_acquire, test_release, test_depth};
    struct condition *condition = NULL;
    int error = condition_create(&condition, lock == NULL ? NULL : &calls);

    memset(&calls, 0, sizeof calls); /* it was copied */
    must(error == 0 && condition != NULL, "condition_create returned %s or stored no condition.", error_text(error));
    return condition;
}

static void must_acquire(struct condition *condition)
{
    must_return(0, condition_acquire(condition, true, -1), "condition_acquire of a free lock");
}

static void must_release(struct condition *condition)
{
    must_return(0, condition_release(condition), "condition_release of the lock's owner");
}

/* The same without a word, where how often it happens depends on time. */
static void notify_one(struct condition *condition)
{
    condition_acquire(condition, true, -1);
    condition_notify(condition, 1);
    condition_release(condition);
}

/* Notifies n threads (-1: all), and lets them go on. */
static void must_notify(struct condition *condition, long n)
{
    must_acquire(condition);
    if (n < 0)
        must_return(0, condition_notify_all(condition), "condition_notify_all of the lock's owner");
    else
        must_return(0, condition_notify(condition, n), "condition_notify of the lock's owner");
    must_release(condition);
}

/* ---- a thread that waits ---------------------------------------------------------------------------------------- */

struct waiter {
    struct condition *condition;
    struct test_lock *lock; /* or NULL */
    int64_t timeout_us;
    int depth; /* how often it takes the lock before it waits; 0 is 1 */
    struct stop *free, *back;
    bool second_all_over; /* by its clock, all the time */
    pthread_t thread;     /* readable once it sleeps */
    int64_t began_us, took_us;
    int result;
    long depth_after;
    struct tally *slices; /* waits that looked again after a moment */
    struct runner *runner;
};

static void wait_once(void *argument)
{
    struct waiter *waiter = argument;
    int depth = waiter->depth == 0 ? 1 : waiter->depth;

    for (int i = 0; i < depth; i++)
        condition_acquire(waiter->condition, true, -1);
    waiter->began_us = now_us();
    when_free = waiter->free;
    when_back = waiter->back;
    slices = waiter->slices;
    waiter->thread = pthread_self();
    second_all_over = waiter->second_all_over;
    waiter->result = condition_wait(waiter->condition, waiter->timeout_us);
    second_all_over = false;
    slices = NULL;
    when_free = when_back = NULL;
    waiter->took_us = now_us() - waiter->began_us;
    waiter->depth_after = waiter->lock == NULL ? depth : test_depth(waiter->lock);
    for (int i = 0; i < depth; i++)
        condition_release(waiter->condition);
}

static void waiter_start(struct waiter *waiter, struct condition *condition, struct test_lock *lock, int64_t timeout_us)
{
    waiter->condition = condition;
    waiter->lock = lock;
    waiter->timeout_us = timeout_us;
    waiter->result = -1;
    waiter->slices = slices_tally();
    waiter->runner = runner_start(wait_once, waiter);
}

/* Starts a thread that waits, and goes on when it sleeps. */
static void must_wait(struct waiter *waiter, struct condition *condition, struct test_lock *lock, int64_t timeout_us)
{
    waiter_start(waiter, condition, lock, timeout_us);
    enum runner_state state = runner_state(waiter->runner);
    must(state != RUNNER_BUSY, "A thread that waits should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED, "Nobody has notified, and condition_wait returned %s.", error_text(waiter->result));
    must(!slices_tell(timeout_us) || tally_read(waiter->slices) == 0,
         "A thread that waits should sleep until it is woken, but it sleeps for a moment, looks, and sleeps again.");
}

static void must_have_been_notified(struct waiter *waiter)
{
    must_be_done(waiter->runner, "A thread was notified and the lock is free, but it sleeps on.");
    runner_join(waiter->runner);
    must_return(0, waiter->result, "condition_wait of a thread that was notified");
}

static void must_sleep_on(struct waiter *waiter)
{
    must_be_blocked(waiter->runner, "A thread that was not notified went on: its condition_wait returned %s.",
                    error_text(waiter->result));
}

/* ---- the lock --------------------------------------------------------------------------------------------------- */

static void try_it(void *argument)
{
    struct waiter *other = argument;

    other->result = condition_acquire(other->condition, other->timeout_us >= 0, other->timeout_us);
    if (other->result == 0)
        condition_release(other->condition);
}

/* Below 0: it does not block. */
static int tried_by_another(struct condition *condition, int64_t timeout_us)
{
    struct waiter other = {.condition = condition, .timeout_us = timeout_us, .result = -1};

    runner_join(runner_start(try_it, &other));
    return other.result;
}

TEST(a_lock_of_its_own,
     "Where the caller brings no lock, the condition has an RLock of its own, which its owner may take again.")
{
    struct condition *condition = new_condition(NULL);
    struct waiter waiters[2] = {{.depth = 3}, {.depth = 1}};

    must_return(EPERM, condition_release(condition), "condition_release of a lock that nobody owns");
    must_acquire(condition);
    must_return(0, condition_acquire(condition, false, -1), "condition_acquire of the owner, not blocking,");
    must_return(EINVAL, condition_acquire(condition, false, 0), "condition_acquire, not blocking, with a time-out");
    must_return(EBUSY, tried_by_another(condition, -1), "condition_acquire of another thread, not blocking,");
    must_return(ETIMEDOUT, tried_by_another(condition, 1000), "condition_acquire of another thread, with a time-out,");
    must_release(condition);
    must_return(EBUSY, tried_by_another(condition, -1), "condition_acquire of another thread after the first release");
    must_release(condition);
    must_return(0, tried_by_another(condition, -1), "condition_acquire of another thread after the last release");
    for (int i = 0; i < 2; i++)
        must_wait(&waiters[i], condition, NULL, i == 0 ? -1 : INT64_MAX);
    must_return(0, tried_by_another(condition, -1),
                "Two threads wait: condition_acquire of another one, not blocking,");
    must_notify(condition, 1);
    must_have_been_notified(&waiters[0]);
    must_sleep_on(&waiters[1]);
    must_notify(condition, 1);
    must_have_been_notified(&waiters[1]);
    condition_destroy(condition);
}

TEST(a_lock_that_was_brought,
     "acquire and release hand their arguments to the lock that was brought, and return its answer.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);

    must_return(0, condition_acquire(condition, true, -1), "condition_acquire");
    must(lock.acquires == 1 && lock.depth == 1 && lock.blocking && lock.timeout_us == -1,
         "condition_acquire(…, true, -1) should call the lock's acquire once, with true and -1.");
    must_return(0, condition_acquire(condition, false, 77), "condition_acquire");
    must(lock.acquires == 2 && !lock.blocking && lock.timeout_us == 77,
         "condition_acquire(…, false, 77) should call the lock's acquire once, with false and 77.");
    must_return(0, condition_release(condition), "condition_release");
    must(lock.releases == 1 && lock.depth == 1, "condition_release should call the lock's release once.");
    must_return(0, condition_release(condition), "condition_release");
    lock.answer = ENOTRECOVERABLE;
    must_return(ENOTRECOVERABLE, condition_acquire(condition, true, -1), "condition_acquire of a lock that says so");
    must_return(ENOTRECOVERABLE, condition_release(condition), "condition_release of a lock that says so");
    lock.answer = 0;
    condition_destroy(condition);
    must(lock.depth == 0 && lock.acquires == 3 && lock.releases == 3,
         "condition_destroy should leave the lock alone that the caller brought.");
}

static int looks; /* how often never() was asked */

static bool never(void *unused)
{
    (void)unused;
    looks++;
    return false;
}

TEST(only_with_the_lock, "Who calls wait or notify without holding the lock gets EPERM, and nothing happens.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct waiter waiter = {0};

    looks = 0;
    for (int i = 0; i < 2; i++) { /* nobody holds it; then a thread has it that sleeps without it */
        must_return(EPERM, condition_wait(condition, -1), "condition_wait without the lock");
        must_return(EPERM, condition_wait(condition, 0), "condition_wait without the lock, with a time-out of 0,");
        must_return(EPERM, condition_wait_for(condition, never, NULL, -1), "condition_wait_for without the lock");
        must_return(EPERM, condition_notify(condition, 1), "condition_notify without the lock");
        must_return(EPERM, condition_notify(condition, 0), "condition_notify of none without the lock");
        must_return(EPERM, condition_notify_all(condition), "condition_notify_all without the lock");
        must(looks == 0, "condition_wait_for was called without the lock, and asked the predicate.");
        if (i == 0)
            must_wait(&waiter, condition, &lock, -1);
    }
    must_sleep_on(&waiter);
    must_notify(condition, 1);
    must_have_been_notified(&waiter);
    condition_destroy(condition);
}

struct other_owner {
    struct condition *condition;
    struct gate leave;
};

static void own_meanwhile(void *argument)
{
    struct other_owner *owner = argument;

    condition_acquire(owner->condition, true, -1);
    gate_pass(&owner->leave);
    condition_release(owner->condition);
}

TEST(the_lock_of_another, "That another thread holds the lock is not enough: wait and notify return EPERM.")
{
    struct condition *condition = new_condition(NULL);
    struct other_owner owner = {condition, GATE_CLOSED};
    struct runner *runner = runner_start(own_meanwhile, &owner);

    settle();
    must_return(EPERM, condition_notify(condition, 1), "condition_notify while another thread holds the lock");
    must_return(EPERM, condition_notify_all(condition), "condition_notify_all while another thread holds the lock");
    must_return(EPERM, condition_wait(condition, 0), "condition_wait while another thread holds the lock");
    gate_open(&owner.leave);
    runner_join(runner);
    condition_destroy(condition);
}

/* ---- wait and notify -------------------------------------------------------------------------------------------- */

TEST(lets_go_and_comes_back, "wait lets go of the lock, sleeps until it is notified, and has the lock when it returns.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct waiter waiter = {0};

    must_wait(&waiter, condition, &lock, -1);
    must(lock.depth == 0, "A thread waits, and the lock is not free.");
    must_acquire(condition);
    must_return(0, condition_notify(condition, 1), "condition_notify");
    must_be_blocked(waiter.runner,
                    "A thread was notified, and its condition_wait returned %s while another one holds the lock.",
                    error_text(waiter.result));
    must_release(condition);
    must_have_been_notified(&waiter);
    must(waiter.depth_after == 1, "When condition_wait returned, its thread had the lock %ld times instead of once.",
         waiter.depth_after);
    condition_destroy(condition);
}

TEST(altogether,
     "A wait lets go of the lock however often its thread has taken it, and has taken it as often again after.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MAX, 1000, 0};

    for (int i = 0; i < 4; i++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct waiter waiter = {.depth = 3};

        if (i < 2) {
            must_wait(&waiter, condition, &lock, timeouts_us[i]);
            must(lock.depth == 0,
                 "A thread took the lock three times and waits, and the lock is not free: %ld are left.", lock.depth);
            must_acquire(condition);
            must_acquire(condition);
            must_return(0, condition_notify(condition, 1), "condition_notify of one that has taken the lock twice");
            must_release(condition);
            must_sleep_on(&waiter);
            must_release(condition);
            must_have_been_notified(&waiter);
        } else {
            waiter_start(&waiter, condition, &lock, timeouts_us[i]);
            runner_join(waiter.runner);
            must_return(ETIMEDOUT, waiter.result, "condition_wait of a thread that nobody notified");
        }
        must(waiter.depth_after == 3,
             "A thread took the lock three times and waited; when condition_wait returned %s it had it %ld times.",
             error_text(waiter.result), waiter.depth_after);
        must(lock.depth == 0, "After as many releases the lock should be free.");
        condition_destroy(condition);
    }
}

enum { WAITERS = 6 };

TEST(first_come_first_woken, "notify(n) wakes the n threads that have waited longest, and no other.")
{
    static const long numbers[] = {1, 0, 2, -5, LONG_MIN, 1, LONG_MAX};
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct waiter waiters[WAITERS] = {0};
    int woken = 0;

    for (int i = 0; i < WAITERS; i++)
        must_wait(&waiters[i], condition, &lock, i % 2 == 0 ? -1 : INT64_MAX);
    for (int k = 0; k < 7; k++) {
        must_acquire(condition);
        must_return(0, condition_notify(condition, numbers[k]), "condition_notify of the lock's owner");
        must_release(condition);
        for (long i = 0; i < numbers[k] && woken < WAITERS; i++)
            must_have_been_notified(&waiters[woken++]);
        for (int i = woken; i < WAITERS; i++)
            must_sleep_on(&waiters[i]);
    }
    must(woken == WAITERS, "Of %d threads that waited %d were woken.", WAITERS, woken);
    condition_destroy(condition);
}

TEST(all_of_them, "notify_all wakes all who wait.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct waiter waiters[WAITERS] = {0};

    must_notify(condition, -1);
    for (int i = 0; i < WAITERS; i++)
        must_wait(&waiters[i], condition, &lock, i % 2 == 0 ? -1 : INT64_MAX);
    must_notify(condition, -1);
    for (int i = 0; i < WAITERS; i++)
        must_have_been_notified(&waiters[i]);
    condition_destroy(condition);
}

TEST(nothing_is_remembered, "Where nobody waits, a notify does nothing: it is not remembered for one that comes later.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct waiter waiter = {0};

    must_notify(condition, 1);
    must_notify(condition, 3);
    must_notify(condition, -1);
    must_acquire(condition);
    must_return(ETIMEDOUT, condition_wait(condition, 0),
                "condition_wait with a time-out of 0, after a notify of nobody,");
    must_release(condition);
    must_wait(&waiter, condition, &lock, -1);
    must_notify(condition, 1);
    must_have_been_notified(&waiter);
    condition_destroy(condition);
}

TEST(two_share_a_lock, "Several conditions may share one lock; a notify is for those who wait on that condition.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *one = new_condition(&lock), *two = new_condition(&lock);
    struct waiter first = {0}, second = {0};

    must_wait(&first, one, &lock, -1);
    must_wait(&second, two, &lock, -1);
    must_notify(two, -1);
    must_have_been_notified(&second);
    must_sleep_on(&first);
    must_notify(one, 1);
    must_have_been_notified(&first);
    condition_destroy(one);
    condition_destroy(two);
}

static struct gate signal_handled;

static void on_signal(int number)
{
    (void)number;
    gate_open(&signal_handled);
}

TEST(not_for_a_signal, "A wait returns 0 only when it was notified: a signal that its thread handles does not end it.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MAX};
    struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART */

    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < 2; i++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct waiter waiter = {0};

        signal_handled = (struct gate)GATE_CLOSED;
        must_wait(&waiter, condition, &lock, timeouts_us[i]);
        pthread_kill(waiter.thread, SIGUSR1);
        gate_pass(&signal_handled);
        must_be_blocked(waiter.runner,
                        "A thread that waits has handled a signal; nobody has notified it, and its condition_wait "
                        "returned %s.",
                        error_text(waiter.result));
        must_notify(condition, 1);
        must_have_been_notified(&waiter);
        condition_destroy(condition);
    }
}

/* ---- in between ------------------------------------------------------------------------------------------------- */

TEST(nothing_is_lost,
     "Nothing is lost between letting go and falling asleep: who waits was there from the moment the lock was free.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct stop stop = {GATE_CLOSED, GATE_CLOSED};
    struct waiter waiter = {.free = &stop};

    waiter_start(&waiter, condition, &lock, -1);
    gate_pass(&stop.here); /* it has let go of the lock, and does not sleep yet */
    must_notify(condition, 1);
    gate_open(&stop.go_on);
    must_be_done(waiter.runner,
                 "A thread let go of the lock; before it slept it was notified; now it sleeps for ever.");
    must_have_been_notified(&waiter);
    condition_destroy(condition);
}

TEST(nobody_steals_it, "A wake-up is for a thread that waited when it was sent: one that comes later does not get it.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct stop stop = {GATE_CLOSED, GATE_CLOSED};
    struct waiter slow = {.free = &stop}, later = {0};

    waiter_start(&slow, condition, &lock, -1);
    gate_pass(&stop.here);
    must_notify(condition, 1);
    waiter_start(&later, condition, &lock, -1);
    must_be_blocked(later.runner, "A thread was notified and is slow to go on; another one came later, waited, and got "
                                  "the wake-up.");
    gate_open(&stop.go_on);
    must_have_been_notified(&slow);
    must_sleep_on(&later);
    must_notify(condition, 1);
    must_have_been_notified(&later);
    condition_destroy(condition);
}

TEST(late_and_notified, "A timed-out thread swallows no wake-up: one that was notified before it had the lock again "
                        "returns 0, or the next one is woken.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct stop stop = {GATE_CLOSED, GATE_CLOSED};
    struct waiter late = {.back = &stop}, patient = {0}, next = {0};

    waiter_start(&late, condition, &lock, 20000);
    settle();
    must_wait(&patient, condition, &lock, -1);
    gate_pass(&stop.here); /* its time is over, and it does not have the lock yet */
    must_notify(condition, 1);
    gate_open(&stop.go_on);
    must_be_done(late.runner, "A thread's time was over and the lock is free, but condition_wait does not return.");
    runner_join(late.runner);
    bool passed_on = runner_state(patient.runner) == RUNNER_DONE;
    must(late.result == 0 || late.result == ETIMEDOUT, "condition_wait with a time-out returned %s.",
         error_text(late.result));
    must(
        late.result == 0 || passed_on,
        "Two threads waited, the time of the first was over, one was notified before the first had the lock again: the "
        "first returned ETIMEDOUT and the second sleeps on, so the wake-up is lost.");
    must(late.result != 0 || !passed_on, "One thread was notified, and two of them returned 0.");
    waiter_start(&next, condition, &lock, -1);
    must_be_blocked(next.runner,
                    "A thread was late and notified, and that wake-up has been used; then another one waited, nobody "
                    "notified it, and its condition_wait returned %s.",
                    error_text(next.result));
    if (!passed_on)
        notify_one(condition);
    must_have_been_notified(&patient);
    must_notify(condition, 1);
    must_have_been_notified(&next);
    condition_destroy(condition);
}

TEST(leaves_no_trace,
     "A thread whose time is over is no longer among those who wait: the next wake-up is for those who are.")
{
    for (int leaver = 0; leaver < 3; leaver++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct stop stop = {GATE_CLOSED, GATE_CLOSED};
        struct waiter waiters[3] = {0};

        waiters[leaver].back = &stop;
        for (int i = 0; i < 3; i++) {
            waiter_start(&waiters[i], condition, &lock, i == leaver ? 5000 : -1);
            settle();
        }
        gate_pass(&stop.here);
        gate_open(&stop.go_on);
        runner_join(waiters[leaver].runner);
        must_return(ETIMEDOUT, waiters[leaver].result, "condition_wait of a thread that nobody notified");
        must(waiters[leaver].depth_after == 1, "condition_wait returned ETIMEDOUT without the lock.");
        must_notify(condition, 2);
        for (int i = 0; i < 3; i++)
            if (i != leaver)
                must_have_been_notified(&waiters[i]);
        must_acquire(condition);
        must_return(ETIMEDOUT, condition_wait(condition, 0), "Then condition_wait with a time-out of 0");
        must_release(condition);
        condition_destroy(condition);
    }
}

TEST(queue_stays_whole,
     "Whoever leaves because his time is over, the others keep their places; who comes later is last.")
{
    for (int leaver = 0; leaver < 3; leaver++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct waiter waiters[5] = {0};

        for (int i = 0; i < 3; i++) {
            waiter_start(&waiters[i], condition, &lock, i == leaver ? 20000 : -1);
            settle();
        }
        runner_join(waiters[leaver].runner);
        must_return(ETIMEDOUT, waiters[leaver].result, "condition_wait of a thread that nobody notified");
        for (int i = 3; i < 5; i++)
            must_wait(&waiters[i], condition, &lock, -1);
        for (int i = 0; i < 5; i++) {
            if (i == leaver)
                continue;
            must_notify(condition, 1);
            must_have_been_notified(&waiters[i]);
            for (int k = i + 1; k < 5; k++)
                if (k != leaver)
                    must_sleep_on(&waiters[k]);
        }
        condition_destroy(condition);
    }
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

TEST(not_before_its_time, "A timed wait returns ETIMEDOUT when its time is over, and not before.")
{
    enum { SHORT_US = 30000 };
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct waiter timed = {0};

    waiter_start(&timed, condition, &lock, SHORT_US);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "condition_wait of a thread that nobody notified");
    must(timed.took_us >= SHORT_US, "The time-out was %d µs, and condition_wait gave up after %lld.", SHORT_US,
         (long long)timed.took_us);
    condition_destroy(condition);
}

TEST(not_a_moment_early, "A time-out is a number of microseconds: it is not rounded down to milliseconds.")
{
    enum { ODD_US = 999, ALMOST_US = 990 };
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);

    must_acquire(condition);
    for (int i = 0; i < 20; i++) {
        int64_t began_us = now_us();
        int error = condition_wait(condition, ODD_US);
        int64_t took_us = now_us() - began_us;
        must_return(ETIMEDOUT, error, "condition_wait of a thread that nobody notified");
        must(took_us >= ALMOST_US, "The time-out was %d µs, and condition_wait gave up after %lld.", ODD_US,
             (long long)took_us);
    }
    must_release(condition);
    condition_destroy(condition);
}

TEST(no_time_at_all, "A time-out of 0 lets go of the lock and takes it again.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);

    must_acquire(condition);
    must_return(ETIMEDOUT, condition_wait(condition, 0), "condition_wait with a time-out of 0");
    must(lock.releases == 1 && lock.acquires == 2 && lock.depth == 1,
         "condition_wait with a time-out of 0 should release the lock once and take it once; it released %ld times and "
         "took it %ld times.",
         lock.releases, lock.acquires - 1);
    must_release(condition);
    condition_destroy(condition);
}

TEST(notified_in_time, "A timed wait returns 0 when it is notified in time, however long that time is.")
{
    static const int64_t timeouts_us[] = {3600000000, 3600999999, INT64_C(1) << 32, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 5; i++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct waiter timed = {0};

        must_wait(&timed, condition, &lock, timeouts_us[i]);
        must_notify(condition, 1);
        must_have_been_notified(&timed);
        condition_destroy(condition);
    }
}

TEST(at_a_full_second, "A time that is over exactly at a full second is no shorter than another.")
{
    for (int i = 0; i < 2; i++) { /* by the thread's clock a second ends in one microsecond */
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct waiter timed = {.second_all_over = true};

        must_wait(&timed, condition, &lock, HOUR_US + i);
        must_notify(condition, 1);
        must_have_been_notified(&timed);
        condition_destroy(condition);
    }
}

TEST(below_zero, "Any time-out below 0 waits for ever, and not only -1.")
{
    static const int64_t timeouts_us[] = {-2, -4000000000, INT64_MIN};

    for (int i = 0; i < 3; i++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct waiter waiter = {0};

        must_wait(&waiter, condition, &lock, timeouts_us[i]);
        must_notify(condition, 1);
        must_have_been_notified(&waiter);
        condition_destroy(condition);
    }
}

/* ---- wait_for --------------------------------------------------------------------------------------------------- */

/* What is waited for: a number of looks, or a flag. */
struct question {
    struct condition *condition;
    struct test_lock *lock;
    int64_t timeout_us;
    long true_at; /* the look that is answered with true; 0: none */
    bool flag;    /* guarded by the lock, as is looks */
    long looks, without_lock;
    int64_t acquire_takes_us; /* to the clock of the thread that asks, each time that it has the lock again */
    int result;
    struct tally *slices; /* waits that looked again after a moment; or NULL */
};

static bool answer(void *argument)
{
    struct question *question = argument;

    question->looks++;
    question->without_lock += test_depth(question->lock) == 0;
    return question->flag || question->looks == question->true_at;
}

static void ask(void *argument)
{
    struct question *question = argument;

    condition_acquire(question->condition, true, -1);
    acquire_takes_us = question->acquire_takes_us;
    slices = question->slices;
    question->result = condition_wait_for(question->condition, answer, question, question->timeout_us);
    slices = NULL;
    acquire_takes_us = 0;
    question->without_lock += test_depth(question->lock) != 1;
    condition_release(question->condition);
}

TEST(true_at_once, "wait_for asks first: where the predicate is true already, it returns 0 and lets nobody in between.")
{
    static const int64_t timeouts_us[] = {-1, 0, 1000, INT64_MAX};
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);

    for (int i = 0; i < 4; i++) {
        struct question question = {condition, &lock, timeouts_us[i], .true_at = 1, .result = -1};
        long releases = lock.releases;
        ask(&question);
        must_return(0, question.result, "condition_wait_for with a predicate that is true");
        must(question.looks == 1, "The predicate was true at the first look, and was asked %ld times.", question.looks);
        must(question.without_lock == 0, "The predicate was asked without the lock.");
        must(lock.releases == releases + 1, "The predicate was true at once, and the lock was released all the same.");
    }
    condition_destroy(condition);
}

TEST(true_in_the_end,
     "wait_for asks again after each wake-up, with the lock held, and sleeps on as long as the answer is no.")
{
    static const int64_t timeouts_us[] = {-1, -2, INT64_MIN, INT64_C(1) << 32, INT64_MAX};

    for (int i = 0; i < 5; i++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct question question = {condition, &lock, timeouts_us[i], .result = -1, .slices = slices_tally()};
        struct runner *runner = runner_start(ask, &question);

        for (long looks = 1; looks < 4; looks++) {
            must_be_blocked(runner, "The predicate is false, and condition_wait_for returned %s.",
                            error_text(question.result));
            must(question.looks == looks, "After %ld wake-ups the predicate should have been asked %ld times, not %ld.",
                 looks - 1, looks, question.looks);
            must(tally_read(question.slices) == 0, "A thread in condition_wait_for should sleep until it is woken, but "
                                                   "it sleeps for a moment, looks, and sleeps again.");
            must_notify(condition, looks == 2 ? -1 : 1);
        }
        must_be_blocked(runner, "The predicate is false, and condition_wait_for returned %s.",
                        error_text(question.result));
        must_acquire(condition);
        question.flag = true;
        must_return(0, condition_notify(condition, 1), "condition_notify");
        must_release(condition);
        must_be_done(runner,
                     "The predicate is true and a thread was notified, but condition_wait_for does not return.");
        runner_join(runner);
        must_return(0, question.result, "condition_wait_for with a predicate that became true");
        must(question.without_lock == 0, "The predicate was asked without the lock, or it was not held at the end.");
        condition_destroy(condition);
    }
}

TEST(asked_once_more,
     "When the time is over wait_for asks once more, and returns ETIMEDOUT only where the answer is still no.")
{
    static const int64_t timeouts_us[] = {0, 2000};

    for (int i = 0; i < 4; i++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct question question = {condition, &lock, timeouts_us[i % 2], .true_at = i < 2 ? 2 : 0, .result = -1};

        ask(&question);
        must_return(i < 2 ? 0 : ETIMEDOUT, question.result,
                    i < 2 ? "condition_wait_for, where the predicate is true at the second look,"
                          : "condition_wait_for, where the predicate is never true,");
        must(question.looks == 2,
             "Nobody notified: the predicate should be asked at first and when the time is over, "
             "but it was asked %ld times.",
             question.looks);
        must(question.without_lock == 0, "The predicate was asked without the lock, or it was not held at the end.");
        condition_destroy(condition);
    }
}

/* Starts a thread that asks, and goes on when it sleeps. */
static struct runner *must_ask(struct question *question)
{
    struct runner *runner = runner_start(ask, question);

    must_be_blocked(runner, "The predicate is false, and condition_wait_for returned %s.",
                    error_text(question->result));
    return runner;
}

/* Notifies it. Who sleeps on goes on, and fails the test with this sentence. */
static void must_end(struct question *question, struct runner *runner, int expected, const char *sentence)
{
    notify_one(question->condition);
    bool ended = runner_state(runner) == RUNNER_DONE;
    condition_acquire(question->condition, true, -1);
    question->flag = question->flag || !ended;
    condition_notify(question->condition, 1);
    condition_release(question->condition);
    runner_join(runner);
    must(ended, "%s", sentence);
    must_return(expected, question->result, "condition_wait_for of that thread");
}

TEST(time_goes_on, "The time of wait_for is for the whole call: a wake-up does not begin it anew, nor shorten it.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct question question = {condition, &lock, HOUR_US, .result = -1, .acquire_takes_us = 25 * HOUR_US / 60};
    struct runner *runner = must_ask(&question);

    for (int minutes = 25; minutes < 60; minutes += 25) {
        must_notify(condition, 1);
        must_be_blocked(runner,
                        "A thread has an hour, was notified in vain after %d minutes, and its "
                        "condition_wait_for returned %s.",
                        minutes, error_text(question.result));
    }
    must_end(&question, runner, ETIMEDOUT,
             "A thread has an hour, was notified in vain three times, after 25 minutes each, and it sleeps on.");
    condition_destroy(condition);
}

TEST(over_when_it_has_the_lock, "Where the time is over when a thread that was notified has the lock again, wait_for "
                                "asks, and does not wait again.")
{
    for (int yes = 0; yes < 2; yes++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct question question = {condition, &lock, HOUR_US, .result = -1, .acquire_takes_us = 2 * HOUR_US};
        struct runner *runner = must_ask(&question);

        must_acquire(condition);
        question.flag = yes == 1;
        must_release(condition);
        must_end(&question, runner, yes == 1 ? 0 : ETIMEDOUT,
                 "A thread was notified in vain, its time was over before it had the lock again, and it sleeps on.");
        must(question.looks >= 2,
             "A thread was notified, its time was over before it had the lock again, and the predicate was not asked.");
        condition_destroy(condition);
    }
}

TEST(not_a_moment_too_early, "The time of wait_for is a number of microseconds: it is not rounded down.")
{
    enum { ODD_US = 999, ALMOST_US = 990 };
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);

    for (int i = 0; i < 20; i++) {
        struct question question = {condition, &lock, ODD_US, .result = -1};
        int64_t began_us = now_us();
        ask(&question);
        int64_t took_us = now_us() - began_us;
        must_return(ETIMEDOUT, question.result, "condition_wait_for, where the predicate is never true,");
        must(took_us >= ALMOST_US, "The time-out was %d µs, and condition_wait_for gave up after %lld.", ODD_US,
             (long long)took_us);
    }
    condition_destroy(condition);
}

/* A question that is always answered with no, and a thread that stops each time before it has the lock again. */
enum { ROUNDS = 5 };

struct vain_question {
    struct question question; /* the first member: the answer's argument */
    struct stop stops[ROUNDS];
};

static bool answer_and_stop(void *argument)
{
    struct vain_question *vain = argument;
    bool yes = answer(&vain->question);

    if (!yes && vain->question.looks <= ROUNDS)
        when_back = &vain->stops[vain->question.looks - 1];
    return yes;
}

static void ask_in_vain(void *argument)
{
    struct vain_question *vain = argument;

    condition_acquire(vain->question.condition, true, -1);
    vain->question.result =
        condition_wait_for(vain->question.condition, answer_and_stop, vain, vain->question.timeout_us);
    condition_release(vain->question.condition);
}

TEST(over_is_over,
     "Where its time is over wait_for asks once more and returns, however often it is notified in vain meanwhile.")
{
    static const int64_t timeouts_us[] = {0, 2000};

    for (int i = 0; i < 2; i++) {
        struct test_lock lock = TEST_LOCK;
        struct condition *condition = new_condition(&lock);
        struct vain_question vain = {.question = {condition, &lock, timeouts_us[i], .result = -1}};
        for (int round = 0; round < ROUNDS; round++)
            vain.stops[round] = (struct stop){GATE_CLOSED, GATE_CLOSED};
        struct runner *runner = runner_start(ask_in_vain, &vain);

        /* Whenever it comes back its time is over, and before it has the lock somebody has notified it. */
        bool ended = false;
        for (int round = 0; round < ROUNDS && !ended; round++) {
            gate_pass(&vain.stops[round].here);
            must_acquire(condition);
            vain.question.flag = round == ROUNDS - 1; /* the last one: let it go */
            must_return(0, condition_notify(condition, 1), "condition_notify");
            must_release(condition);
            gate_open(&vain.stops[round].go_on);
            ended = runner_state(runner) == RUNNER_DONE;
        }
        runner_join(runner);
        must_return(ETIMEDOUT, vain.question.result,
                    "condition_wait_for, notified in vain again and again after its time was over,");
        condition_destroy(condition);
    }
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_memory, "When there is no memory, condition_create returns ENOMEM.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition_lock calls = {&lock, test_acquire, test_release, test_depth};
    struct condition *condition = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, condition_create(&condition, NULL), "Without memory, condition_create");
    must_return(ENOMEM, condition_create(&condition, &calls), "Without memory, condition_create with a lock");
}

TEST(no_memory_to_wait, "When there is no memory for one that waits, condition_wait returns ENOMEM and keeps the lock.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);

    must_acquire(condition);
    long calls = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) + wrap_count(WRAP_realloc);
    wrap_fail_memory(-1);
    int error = condition_wait(condition, 0);
    wrap_fail_memory(0);
    bool tried = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) + wrap_count(WRAP_realloc) > calls;
    must_return(tried ? ENOMEM : ETIMEDOUT, error, "condition_wait with a time-out of 0");
    must(lock.depth == 1 && lock.releases == (tried ? 0 : 1), "Then the lock should be held as before.");
    must_release(condition);
    condition_destroy(condition);
}

/* What the student's own code has asked for and not given back. */
static long pieces_kept(void)
{
    return wrap_memory_kept();
}

TEST(no_memory_for_its_lock,
     "When a lock of its own cannot be made, condition_create returns that error and keeps nothing.")
{
    for (int nth = 1; nth < 4; nth++) {
        struct condition *condition = NULL;
        long before = pieces_kept();

        refuse_memory(nth);
        int error = condition_create(&condition, NULL);
        bool refused = refuse_in == 0;
        refuse_memory(0);
        must_return(refused ? ENOMEM : 0, error, "condition_create, with no memory for an rlock,");
        if (error == 0)
            condition_destroy(condition);
        must(pieces_kept() <= before,
             "rlock_create returned ENOMEM, and condition_create kept memory that it had before: it is lost.");
    }
}

TEST(no_trace_without_memory,
     "A wait that found no memory leaves nothing among those who wait; wait_for returns its error.")
{
    struct test_lock lock = TEST_LOCK;
    struct condition *condition = new_condition(&lock);
    struct waiter waiter = {0};

    must_acquire(condition);
    for (int i = 0; i < 2; i++) {
        long before = pieces_kept();

        refuse_memory(1); /* where what it is built on asks for any: sem_t does not */
        int error = i == 0 ? condition_wait(condition, 0) : condition_wait_for(condition, never, NULL, 1000);
        bool refused = refuse_in == 0;
        refuse_memory(0);
        must_return(refused ? ENOMEM : ETIMEDOUT, error,
                    i == 0 ? "condition_wait, with no memory for a semaphore,"
                           : "condition_wait_for, with no memory for a semaphore,");
        must(lock.depth == 1, "After that the lock should be held as before.");
        must(!refused || pieces_kept() <= before,
             "A wait found no memory for a semaphore, and kept what it had before: it is lost.");
    }
    must_release(condition);
    must_wait(&waiter, condition, &lock, -1);
    must_notify(condition, 1);
    must_be_done(waiter.runner,
                 "A wait found no memory and returned; later another thread waited and one was notified, "
                 "but it sleeps on: the wake-up went to the one that never waited.");
    must_have_been_notified(&waiter);
    condition_destroy(condition);
}

TEST(ends_what_it_made, "condition_destroy gives back all that the condition holds. NULL is fine.")
{
    struct test_lock lock = TEST_LOCK;

    condition_destroy(NULL);
    condition_destroy(new_condition(NULL));
    condition_destroy(new_condition(&lock));
    must_have_ended_all();
    must(lock.acquires == 0 && lock.releases == 0, "The lock that the caller brought was used without need.");
}
