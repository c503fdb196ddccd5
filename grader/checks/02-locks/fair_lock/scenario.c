/* scenario.c - a few threads in front of a lock.
 *
 * A gate makes the order of two calls certain, and the detectors do not see it: to them the two are free to overlap.
 * Each thread makes as few calls as can be, so that no later lock of its own draws an order between the two.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h */
#endif
#include "scenario.h"

#include "fair_lock.h"
#include "order.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

static struct fair_lock *made(void)
{
    struct fair_lock *lock = NULL;

    ensure(fair_lock_create(&lock) == 0, "fair_lock_create returned an error");
    return lock;
}

/* ---- two threads, one after the other --------------------------------------------------------------------------- */

struct part {
    void (*play)(struct fair_lock *lock);
    struct fair_lock *lock;
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->lock);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void in_order(void (*first)(struct fair_lock *), void (*second)(struct fair_lock *))
{
    struct gate first_done = GATE_CLOSED;
    struct fair_lock *lock = made();
    struct part one = {first, lock, NULL, &first_done}, two = {second, lock, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    fair_lock_destroy(lock);
}

static void hold(struct fair_lock *lock)
{
    ensure(fair_lock_acquire(lock, -1) == 0, "fair_lock_acquire returned an error");
    ensure(fair_lock_release(lock) == 0, "fair_lock_release of the holder returned an error");
}

static void ask(struct fair_lock *lock)
{
    ensure(fair_lock_acquire(lock, 0) == 0, "fair_lock_acquire of a free lock with a time-out of 0 returned an error");
    ensure(fair_lock_release(lock) == 0, "fair_lock_release of the holder returned an error");
}

static void release_wrongly(struct fair_lock *lock)
{
    ensure(fair_lock_release(lock) == EPERM, "fair_lock_release of a lock that nobody holds did not return EPERM");
}

static void count(struct fair_lock *lock)
{
    ensure(fair_lock_waiting(lock) == 0, "nobody waits, and fair_lock_waiting is not 0");
}

static void hold_twice(struct fair_lock *lock)
{
    ensure(fair_lock_acquire(lock, 1000000) == 0, "fair_lock_acquire returned an error");
    ensure(fair_lock_acquire(lock, -1) == EDEADLK, "fair_lock_acquire of the holder did not return EDEADLK");
    ensure(fair_lock_release(lock) == 0, "fair_lock_release of the holder returned an error");
}

static void *give_up(void *argument)
{
    ensure(fair_lock_acquire(argument, 1) == ETIMEDOUT, "a time-out of 1 µs did not return ETIMEDOUT");
    return NULL;
}

/* Somebody queues up meanwhile, and gives up. */
static void hold_with_a_queue(struct fair_lock *lock)
{
    ensure(fair_lock_acquire(lock, -1) == 0, "fair_lock_acquire returned an error");
    scenario_join(scenario_thread(give_up, lock));
    ensure(fair_lock_release(lock) == 0, "fair_lock_release of the holder returned an error");
}

static void two_holders(void)
{
    in_order(hold, hold);
    in_order(hold, ask);
    in_order(ask, hold);
    in_order(hold, hold_twice);
    in_order(hold_twice, hold);
}

/* What two locks have in common, nobody guards. */
static void two_locks(void)
{
    struct gate first_done = GATE_CLOSED;
    struct part one = {hold_with_a_queue, made(), NULL, &first_done};
    struct part two = {hold_with_a_queue, made(), &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    fair_lock_destroy(one.lock);
    fair_lock_destroy(two.lock);
}

static void holder_and_stranger(void)
{
    in_order(hold, release_wrongly);
    in_order(release_wrongly, hold);
}

/* ---- a queue ---------------------------------------------------------------------------------------------------- */

struct queue {
    struct fair_lock *lock;
    int64_t timeout_us;
    struct gate held, asked;
};

static void *hold_meanwhile(void *argument)
{
    struct queue *queue = argument;

    ensure(fair_lock_acquire(queue->lock, -1) == 0, "fair_lock_acquire returned an error");
    gate_open(&queue->held);
    gate_pass(&queue->asked);
    order_until_asleep();
    ensure(fair_lock_release(queue->lock) == 0, "fair_lock_release of the holder returned an error");
    return NULL;
}

static void *wait_for_turn(void *argument)
{
    struct queue *queue = argument;

    gate_pass(&queue->held);
    ensure(fair_lock_acquire(queue->lock, 0) == ETIMEDOUT, "a time-out of 0 did not return ETIMEDOUT");
    ensure(fair_lock_acquire(queue->lock, 1) == ETIMEDOUT, "a time-out of 1 µs did not return ETIMEDOUT");
    ensure(fair_lock_release(queue->lock) == EPERM, "fair_lock_release of a stranger did not return EPERM");
    gate_open(&queue->asked);
    ensure(fair_lock_acquire(queue->lock, queue->timeout_us) == 0, "fair_lock_acquire returned an error");
    ensure(fair_lock_release(queue->lock) == 0, "fair_lock_release of the holder returned an error");
    return NULL;
}

static void *wait_too(void *argument)
{
    struct queue *queue = argument;

    gate_pass(&queue->held);
    ensure(fair_lock_acquire(queue->lock, queue->timeout_us) == 0, "fair_lock_acquire returned an error");
    ensure(fair_lock_release(queue->lock) == 0, "fair_lock_release of the holder returned an error");
    return NULL;
}

static void *look_at_queue(void *argument)
{
    struct queue *queue = argument;

    gate_pass(&queue->held);
    ensure(fair_lock_waiting(queue->lock) <= 2, "more threads wait than there are");
    return NULL;
}

static void run_queue(int64_t timeout_us)
{
    struct queue queue = {made(), timeout_us, GATE_CLOSED, GATE_CLOSED};
    pthread_t threads[] = {scenario_thread(hold_meanwhile, &queue), scenario_thread(wait_for_turn, &queue),
                           scenario_thread(wait_too, &queue), scenario_thread(look_at_queue, &queue)};

    for (int i = 0; i < 4; i++)
        scenario_join(threads[i]);
    fair_lock_destroy(queue.lock);
}

static void a_queue(void)
{
    run_queue(-1);
}

static void a_queue_with_limits(void)
{
    run_queue(INT64_MAX);
}

/* The count changes when somebody queues up or leaves the queue; who asks for it has no other business with the lock.
 */
static void *queue_up_and_leave(void *argument)
{
    struct queue *queue = argument;

    gate_pass(&queue->held);
    ensure(fair_lock_acquire(queue->lock, 1) == ETIMEDOUT, "a time-out of 1 µs did not return ETIMEDOUT");
    gate_open(&queue->asked);
    return NULL;
}

static void *ask_afterwards(void *argument)
{
    struct queue *queue = argument;

    gate_pass(&queue->asked);
    ensure(fair_lock_waiting(queue->lock) == 0, "nobody waits any more, and fair_lock_waiting is not 0");
    return NULL;
}

static void counting(void)
{
    struct queue queue = {made(), -1, GATE_CLOSED, GATE_CLOSED};
    pthread_t threads[] = {scenario_thread(hold_meanwhile, &queue), scenario_thread(queue_up_and_leave, &queue),
                           scenario_thread(ask_afterwards, &queue)};

    for (int i = 0; i < 3; i++)
        scenario_join(threads[i]);
    fair_lock_destroy(queue.lock);
    in_order(hold, count);
    in_order(count, hold);
}

/* ---- in any order ------------------------------------------------------------------------------------------------
 * For the explorer nothing orders the threads here; for the detectors each waits for the one before it. */

enum { LIMIT_US = 1999 }; /* no whole milliseconds */

static int64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

struct visitor {
    struct fair_lock *lock;
    int64_t timeout_us;
    long *visits; /* nothing but the lock guards it */
    struct gate *begin, *done;
};

static void *hold_for_a_moment(void *argument)
{
    struct visitor *visitor = argument;

    if (visitor->begin != NULL)
        order_pass(visitor->begin);
    int64_t began_us = clock_us();
    int error = fair_lock_acquire(visitor->lock, visitor->timeout_us);
    int64_t took_us = clock_us() - began_us;
    ensure(error != ETIMEDOUT || took_us >= visitor->timeout_us,
           "the time-out was %lld µs, and fair_lock_acquire gave up after %lld", (long long)visitor->timeout_us,
           (long long)took_us);
    ensure(error == 0 || (error == ETIMEDOUT && visitor->timeout_us >= 0), "fair_lock_acquire returned %d", error);
    if (error == 0) {
        ++*visitor->visits;
        ensure(fair_lock_release(visitor->lock) == 0, "fair_lock_release of the holder returned an error");
    }
    gate_open(visitor->done);
    return NULL;
}

/* As long as the other's time-out: so that for the explorer the two end together, at no price. */
static void nap(void)
{
#ifdef INTERLEAVE
    const struct timespec limit = {0, LIMIT_US * 1000L};

    nanosleep(&limit, NULL);
#endif
}

static void *hold_for_long(void *argument)
{
    struct visitor *visitor = argument;

    ensure(fair_lock_acquire(visitor->lock, -1) == 0, "fair_lock_acquire returned an error");
    nap();
    ensure(fair_lock_release(visitor->lock) == 0, "fair_lock_release of the holder returned an error");
    gate_open(visitor->done);
    return NULL;
}

enum { VISITORS_MOST = 3 };

/* After everybody has released the lock or given up. */
static void must_be_free(struct fair_lock *lock)
{
    ensure(fair_lock_waiting(lock) == 0, "nobody waits any more, and fair_lock_waiting is not 0");
    ensure(fair_lock_acquire(lock, 0) == 0,
           "everybody has released the lock or given up, and fair_lock_acquire with a time-out of 0 does not get it");
    ensure(fair_lock_release(lock) == 0, "fair_lock_release of the holder returned an error");
}

static void three_want_it(void)
{
    struct gate done[VISITORS_MOST] = {GATE_CLOSED, GATE_CLOSED, GATE_CLOSED};
    struct visitor visitors[VISITORS_MOST];
    pthread_t threads[VISITORS_MOST];
    struct fair_lock *lock = made();
    long visits = 0;

    for (int i = 0; i < VISITORS_MOST; i++) {
        visitors[i] = (struct visitor){lock, -1, &visits, i == 0 ? NULL : &done[i - 1], &done[i]};
        threads[i] = scenario_thread(hold_for_a_moment, &visitors[i]);
    }
    for (int i = 0; i < VISITORS_MOST; i++)
        scenario_join(threads[i]);
    ensure(visits == VISITORS_MOST, "three threads held the lock once each, and %ld visits were counted", visits);
    must_be_free(lock);
    fair_lock_destroy(lock);
}

/* Holds the lock, and asks for it again as soon as it has released it. */
static void *return_at_once(void *argument)
{
    struct visitor *visitor = argument;

    ensure(fair_lock_acquire(visitor->lock, -1) == 0, "fair_lock_acquire returned an error");
    bool somebody = fair_lock_waiting(visitor->lock) > 0;
    long before = *visitor->visits;
    ensure(fair_lock_release(visitor->lock) == 0, "fair_lock_release of the holder returned an error");
    if (fair_lock_acquire(visitor->lock, 0) == 0) {
        ensure(!somebody || *visitor->visits > before,
               "somebody waited, and the thread that had just released the lock has overtaken it");
        ensure(fair_lock_release(visitor->lock) == 0, "fair_lock_release of the holder returned an error");
    }
    gate_open(visitor->done);
    return NULL;
}

static void one_returns(void)
{
    struct gate done[2] = {GATE_CLOSED, GATE_CLOSED};
    long visits = 0;
    struct visitor first = {made(), -1, &visits, NULL, &done[0]};
    struct visitor other = {first.lock, -1, &visits, &done[0], &done[1]};
    pthread_t a = scenario_thread(return_at_once, &first), b = scenario_thread(hold_for_a_moment, &other);

    scenario_join(a);
    scenario_join(b);
    must_be_free(first.lock);
    fair_lock_destroy(first.lock);
}

/* "Does not block" is no leave to give up where another thread is inside a call for a moment. */
static void *count_for_a_moment(void *argument)
{
    struct visitor *visitor = argument;

    ensure(fair_lock_waiting(visitor->lock) == 0, "nobody waits, and fair_lock_waiting is not 0");
    gate_open(visitor->done);
    return NULL;
}

static void *ask_only(void *argument)
{
    struct visitor *visitor = argument;

    order_pass(visitor->begin);
    ensure(fair_lock_acquire(visitor->lock, 0) == 0,
           "nobody holds the lock, and fair_lock_acquire with a time-out of 0 does not get it");
    ensure(fair_lock_release(visitor->lock) == 0, "fair_lock_release of the holder returned an error");
    gate_open(visitor->done);
    return NULL;
}

static void one_counts(void)
{
    struct gate done[2] = {GATE_CLOSED, GATE_CLOSED};
    struct visitor counting_one = {.lock = made(), .done = &done[0]};
    struct visitor asking = {.lock = counting_one.lock, .begin = &done[0], .done = &done[1]};
    pthread_t a = scenario_thread(count_for_a_moment, &counting_one), b = scenario_thread(ask_only, &asking);

    scenario_join(a);
    scenario_join(b);
    fair_lock_destroy(asking.lock);
}

/* One waits for good while another asks for the lock; the holder counts meanwhile. */
static void *ask_in_vain(void *argument)
{
    struct visitor *visitor = argument;

    ensure(fair_lock_acquire(visitor->lock, 0) == ETIMEDOUT, "a time-out of 0 did not return ETIMEDOUT");
    gate_open(visitor->done);
    return NULL;
}

static void holder_counts(void)
{
    struct gate done[2] = {GATE_CLOSED, GATE_CLOSED};
    struct fair_lock *lock = made();
    long visits = 0;
    struct visitor asking = {.lock = lock, .done = &done[0]}, patient = {lock, -1, &visits, NULL, &done[1]};

    ensure(fair_lock_acquire(lock, -1) == 0, "fair_lock_acquire returned an error");
    pthread_t waits = scenario_thread(hold_for_a_moment, &patient);
    order_surely_asleep();
    pthread_t asks = scenario_thread(ask_in_vain, &asking);
    order_pass(&done[0]);
    ensure(fair_lock_waiting(lock) == 1, "one thread waits, and fair_lock_waiting is not 1");
    scenario_join(asks);
    ensure(fair_lock_release(lock) == 0, "fair_lock_release of the holder returned an error");
    scenario_join(waits);
    fair_lock_destroy(lock);
}

static void one_gives_up(void)
{
    struct gate done[2] = {GATE_CLOSED, GATE_CLOSED};
    long visits = 0;
    struct visitor holder = {made(), -1, NULL, NULL, &done[0]};
    struct visitor hasty = {holder.lock, LIMIT_US, &visits, &done[0], &done[1]};
    pthread_t a = scenario_thread(hold_for_long, &holder), b = scenario_thread(hold_for_a_moment, &hasty);

    scenario_join(a);
    scenario_join(b);
    must_be_free(holder.lock);
    fair_lock_destroy(holder.lock);
}

static void nobody(void)
{
    fair_lock_destroy(made());
    fair_lock_destroy(NULL);
}

SCENARIOS = {
    {"two_holders", two_holders, "two threads hold the lock, one after the other"},
    {"two_locks", two_locks, "two threads hold a lock each, one after the other, and somebody waits in vain for each"},
    {"holder_and_stranger", holder_and_stranger, "one thread holds the lock, another releases what it does not hold"},
    {"a_queue", a_queue, "one thread holds the lock, two wait for it, one counts them"},
    {"a_queue_with_limits", a_queue_with_limits, "the same, with time-outs"},
    {"counting", counting, "one thread queues up and gives up, another counts who waits"},
    {"three_want_it", three_want_it, "three threads want the lock once each, in any order"},
    {"one_returns", one_returns, "one thread releases the lock and asks for it again, another wants it, in any order"},
    {"one_counts", one_counts, "one thread counts who waits, another asks for the lock, in any order"},
    {"holder_counts", holder_counts, "one thread waits for the lock, one asks for it, and its holder counts who waits"},
    {"one_gives_up", one_gives_up, "one thread holds the lock, and the time of another is over when it is released"},
    {"nobody", nobody, "a lock is made and ended unused"},
    SCENARIOS_END,
};
