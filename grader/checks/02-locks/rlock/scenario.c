/* scenario.c - a few threads at an RLock and at a record.
 *
 * Two parts are run in a certain order that the detectors do not see (a gate), so that whatever one of them leaves
 * unprotected is a race in every run. Each pair that matters is run in both orders.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h */
#endif
#include "scenario.h"
#include "order.h"

#include "rlock.h"

#include <errno.h>
#include <stddef.h>
#ifdef INTERLEAVE
#include <time.h>
#endif

/* How often a lock is taken again: RLOCK_DEPTH_MAX times is for the tests, a detector would take seconds over it. */
enum { DEEP = 5 };

static struct rlock *made(void)
{
    struct rlock *lock = NULL;

    ensure(rlock_create(&lock) == 0, "rlock_create returned an error");
    return lock;
}

/* ---- two threads, one after the other --------------------------------------------------------------------------- */

struct part {
    void (*play)(void *object);
    void *object;
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->object);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void in_order(void (*first)(void *), void (*second)(void *), void *object)
{
    struct gate first_done = GATE_CLOSED;
    struct part one = {first, object, NULL, &first_done}, two = {second, object, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
}

static void take_twice(void *object)
{
    struct rlock *lock = object;

    ensure(rlock_acquire(lock, true, -1) == 0, "rlock_acquire returned an error");
    ensure(rlock_acquire(lock, true, 1000000) == 0, "rlock_acquire of the owner returned an error");
    ensure(rlock_release(lock) == 0 && rlock_release(lock) == 0, "rlock_release of the owner returned an error");
}

static void try_once(void *object)
{
    struct rlock *lock = object;

    if (rlock_acquire(lock, false, -1) == 0)
        rlock_release(lock);
}

static void release_wrongly(void *object)
{
    ensure(rlock_release(object) == EPERM, "rlock_release of a lock that nobody owns did not return EPERM");
}

static void ask_owned(void *object)
{
    ensure(!rlock_is_owned(object), "rlock_is_owned says true to a thread that does not own the lock");
}

static void ask_depth(void *object)
{
    ensure(rlock_depth(object) == 0, "rlock_depth is not 0 for a thread that does not own the lock");
}

static void pairs(void (*other)(void *))
{
    struct rlock *lock = made();

    in_order(take_twice, other, lock);
    rlock_destroy(lock);
    lock = made();
    in_order(other, take_twice, lock);
    rlock_destroy(lock);
}

static void two_owners(void)
{
    pairs(take_twice);
}

/* Takes one of two locks. */
static void take_own(void *object)
{
    struct rlock **lock = object;

    take_twice(*lock);
}

/* What two locks have in common, nobody guards. */
static void two_locks(void)
{
    struct rlock *locks[] = {made(), made()};
    struct gate first_done = GATE_CLOSED;
    struct part one = {take_own, &locks[0], NULL, &first_done}, two = {take_own, &locks[1], &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    rlock_destroy(locks[0]);
    rlock_destroy(locks[1]);
}

static void owner_and_trier(void)
{
    pairs(try_once);
}

static void owner_and_stranger(void)
{
    pairs(release_wrongly);
    pairs(ask_owned);
    pairs(ask_depth);
}

/* ---- one waits for the other ------------------------------------------------------------------------------------ */

struct meeting {
    struct rlock *lock;
    int64_t timeout_us;
    struct gate owned, about_to_wait;
};

static void *own_meanwhile(void *argument)
{
    struct meeting *meeting = argument;

    ensure(rlock_acquire(meeting->lock, true, -1) == 0, "rlock_acquire returned an error");
    gate_open(&meeting->owned);
    gate_pass(&meeting->about_to_wait);
    order_until_asleep();
    ensure(rlock_release(meeting->lock) == 0, "rlock_release of the owner returned an error");
    return NULL;
}

static void *wait_for_it(void *argument)
{
    struct meeting *meeting = argument;

    gate_pass(&meeting->owned);
    ensure(rlock_acquire(meeting->lock, true, 0) == ETIMEDOUT, "a time-out of 0 did not return ETIMEDOUT");
    ensure(rlock_acquire(meeting->lock, true, 1) == ETIMEDOUT, "a time-out of 1 µs did not return ETIMEDOUT");
    ensure(rlock_acquire(meeting->lock, false, -1) == EBUSY, "not blocking, rlock_acquire did not return EBUSY");
    ensure(rlock_acquire(meeting->lock, false, 0) == EINVAL, "not blocking with a time-out did not return EINVAL");
    ensure(rlock_release(meeting->lock) == EPERM, "rlock_release of a stranger did not return EPERM");
    ensure(!rlock_is_owned(meeting->lock) && rlock_depth(meeting->lock) == 0, "a stranger is said to own the lock");
    gate_open(&meeting->about_to_wait);
    ensure(rlock_acquire(meeting->lock, true, meeting->timeout_us) == 0, "rlock_acquire returned an error");
    ensure(rlock_is_owned(meeting->lock) && rlock_depth(meeting->lock) == 1, "the owner is said not to own the lock");
    ensure(rlock_release(meeting->lock) == 0, "rlock_release of the owner returned an error");
    return NULL;
}

static void meet(int64_t timeout_us)
{
    struct meeting meeting = {made(), timeout_us, GATE_CLOSED, GATE_CLOSED};
    pthread_t a = scenario_thread(own_meanwhile, &meeting), b = scenario_thread(wait_for_it, &meeting);

    scenario_join(a);
    scenario_join(b);
    rlock_destroy(meeting.lock);
}

static void one_waits(void)
{
    meet(-1);
}

static void one_waits_with_a_limit(void)
{
    meet(INT64_MAX);
}

/* ---- in any order ------------------------------------------------------------------------------------------------
 * For the explorer nothing orders the threads here; for the detectors each waits for the one before it. */

struct visitor {
    struct rlock *lock;
    long *visits; /* nothing but the lock guards it */
    struct gate *begin, *done;
};

static void *own_for_a_moment(void *argument)
{
    struct visitor *visitor = argument;

    if (visitor->begin != NULL)
        order_pass(visitor->begin);
    ensure(rlock_acquire(visitor->lock, true, -1) == 0, "rlock_acquire returned an error");
    ++*visitor->visits;
    ensure(rlock_release(visitor->lock) == 0, "rlock_release of the owner returned an error");
    gate_open(visitor->done);
    return NULL;
}

enum { VISITORS_MOST = 3 };

static void visit_once_each(int count)
{
    struct gate done[VISITORS_MOST] = {GATE_CLOSED, GATE_CLOSED, GATE_CLOSED};
    struct visitor visitors[VISITORS_MOST];
    pthread_t threads[VISITORS_MOST];
    struct rlock *lock = made();
    long visits = 0;

    for (int i = 0; i < count; i++) {
        visitors[i] = (struct visitor){lock, &visits, i == 0 ? NULL : &done[i - 1], &done[i]};
        threads[i] = scenario_thread(own_for_a_moment, &visitors[i]);
    }
    for (int i = 0; i < count; i++)
        scenario_join(threads[i]);
    ensure(visits == count, "%d threads owned the lock once each, and %ld visits were counted", count, visits);
    rlock_destroy(lock);
}

static void two_want_it(void)
{
    visit_once_each(2);
}

static void three_want_it(void)
{
    visit_once_each(3);
}

/* "Does not block" is no leave to give up where another thread is inside a call for a moment. */
static void *ask_for_a_moment(void *argument)
{
    struct visitor *visitor = argument;

    ensure(!rlock_is_owned(visitor->lock), "rlock_is_owned says true to a thread that does not own the lock");
    gate_open(visitor->done);
    return NULL;
}

static void *own_and_ask(void *argument)
{
    struct visitor *visitor = argument;

    order_pass(visitor->begin);
    ensure(rlock_acquire(visitor->lock, false, -1) == 0, "nobody owns the lock, and rlock_acquire does not get it");
    ensure(rlock_is_owned(visitor->lock), "rlock_is_owned says false to the owner");
    ensure(rlock_depth(visitor->lock) == 1, "the owner has taken the lock once, and rlock_depth is not 1");
    ensure(rlock_release(visitor->lock) == 0, "rlock_release of the owner returned an error");
    gate_open(visitor->done);
    return NULL;
}

static void owner_asks(void)
{
    struct gate done[2] = {GATE_CLOSED, GATE_CLOSED};
    struct rlock *lock = made();
    struct visitor stranger = {lock, NULL, NULL, &done[0]}, owner = {lock, NULL, &done[0], &done[1]};
    pthread_t a = scenario_thread(ask_for_a_moment, &stranger), b = scenario_thread(own_and_ask, &owner);

    scenario_join(a);
    scenario_join(b);
    rlock_destroy(lock);
}

#ifdef INTERLEAVE /* its time is the explorer's: it costs nothing, and it is exact */

enum { LIMIT_US = 1000999, NAP_US = 900000 };

static int64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

struct late_meeting {
    struct meeting meeting;
    struct tally woke_us; /* when the owner's nap was over; 0: not yet */
};

static void *wait_a_second(void *argument)
{
    struct late_meeting *late = argument;
    struct meeting *meeting = &late->meeting;
    int64_t began_us = clock_us();
    int error = rlock_acquire(meeting->lock, true, LIMIT_US);
    int64_t took_us = clock_us() - began_us;

    ensure(error == 0 || error == ETIMEDOUT, "rlock_acquire returned %d", error);
    ensure(error == 0 || took_us >= LIMIT_US, "the time-out was %d µs, and rlock_acquire gave up after %lld", LIMIT_US,
           (long long)took_us);
    int64_t woke_us = tally_read(&late->woke_us);
    if (0 < woke_us && woke_us < LIMIT_US) /* else this thread's time was over before the nap was */
        ensure(took_us <= LIMIT_US + 1, "the time-out was %d µs, and rlock_acquire waited %lld", LIMIT_US,
               (long long)took_us);
    if (error == 0)
        ensure(rlock_release(meeting->lock) == 0, "rlock_release of the owner returned an error");
    gate_open(&meeting->about_to_wait);
    return NULL;
}

/* Who waits is woken when most of its time is over, and may find the lock taken again. */
static void taken_again(void)
{
    const struct timespec nap = {0, NAP_US * 1000L};
    struct late_meeting late = {{made(), LIMIT_US, GATE_CLOSED, GATE_CLOSED}, TALLY_ZERO};
    struct rlock *lock = late.meeting.lock;
    int64_t began_us = clock_us();

    ensure(rlock_acquire(lock, true, -1) == 0, "rlock_acquire returned an error");
    pthread_t thread = scenario_thread(wait_a_second, &late);
    order_surely_asleep();
    nanosleep(&nap, NULL);
    tally_add(&late.woke_us, clock_us() - began_us);
    ensure(rlock_release(lock) == 0, "rlock_release of the owner returned an error");
    ensure(rlock_acquire(lock, true, -1) == 0, "rlock_acquire returned an error");
    gate_pass(&late.meeting.about_to_wait);
    ensure(rlock_release(lock) == 0, "rlock_release of the owner returned an error");
    scenario_join(thread);
    rlock_destroy(lock);
}

#endif

/* ---- the record ------------------------------------------------------------------------------------------------- */

static void set(void *object)
{
    record_set_both(object, 4, 5);
}

static void get_first(void *object)
{
    record_get_part1(object);
}

static void get_second(void *object)
{
    record_get_part2(object);
}

static void get_both(void *object)
{
    long part1 = -1, part2 = -1;

    record_get_both(object, &part1, &part2);
    ensure((part1 == 0 && part2 == 0) || (part1 == 4 && part2 == 5), "get_both gives parts of two moments: %ld and %ld",
           part1, part2);
}

static void on_record(void (*first)(void *), void (*second)(void *))
{
    struct record *record = NULL;

    ensure(record_create(&record) == 0, "record_create returned an error");
    in_order(first, second, record);
    record_destroy(record);
}

static void record_set_then_read(void)
{
    on_record(set, get_first);
    on_record(set, get_second);
    on_record(set, get_both);
    on_record(set, set);
}

static void record_read_then_set(void)
{
    on_record(get_first, set);
    on_record(get_second, set);
    on_record(get_both, set);
}

static void *change(void *argument)
{
    struct part *part = argument;

    set(part->object);
    gate_open(part->done);
    return NULL;
}

static void *read_meanwhile(void *argument)
{
    struct part *part = argument;

    order_pass(part->begin);
    get_both(part->object);
    return NULL;
}

static void record_in_any_order(void)
{
    struct gate changed = GATE_CLOSED;
    struct record *record = NULL;

    ensure(record_create(&record) == 0, "record_create returned an error");
    struct part setter = {NULL, record, NULL, &changed}, reader = {NULL, record, &changed, NULL};
    pthread_t a = scenario_thread(change, &setter), b = scenario_thread(read_meanwhile, &reader);
    scenario_join(a);
    scenario_join(b);
    record_destroy(record);
}

static void deep(void)
{
    struct rlock *lock = made();

    for (int i = 0; i < DEEP; i++)
        ensure(rlock_acquire(lock, true, -1) == 0, "acquire %d of the owner was refused", i + 1);
    for (int i = 0; i < DEEP; i++)
        ensure(rlock_release(lock) == 0, "release %d of the owner was refused", i + 1);
    rlock_destroy(lock);
    rlock_destroy(NULL);
    record_destroy(NULL);
}

SCENARIOS = {
    {"two_owners", two_owners, "two threads take the lock twice each, one after the other"},
    {"two_locks", two_locks, "two threads take a lock each, one after the other"},
    {"owner_and_trier", owner_and_trier, "one thread takes the lock, another tries for it"},
    {"owner_and_stranger", owner_and_stranger,
     "one thread takes the lock, another asks about it and may not release it"},
    {"two_want_it", two_want_it, "two threads want the lock once each, in any order"},
    {"one_waits", one_waits, "one thread owns the lock, another waits for it"},
    {"one_waits_with_a_limit", one_waits_with_a_limit, "one thread owns the lock, another waits with a time-out"},
    {"three_want_it", three_want_it, "three threads want the lock once each, in any order"},
    {"owner_asks", owner_asks, "one thread owns the lock and asks about it, as does another, in any order"},
#ifdef INTERLEAVE
    {"taken_again", taken_again, "a thread waits with a time-out, and the owner releases the lock and takes it again"},
#endif
    {"record_set_then_read", record_set_then_read, "one thread changes a record, then another reads it"},
    {"record_read_then_set", record_read_then_set, "one thread reads a record, then another changes it"},
    {"record_in_any_order", record_in_any_order, "one thread changes a record while another reads it, in any order"},
    {"deep", deep, "one thread takes the lock many times over"},
    SCENARIOS_END,
};
