/* scenario.c - two threads at the counter, one after the other.
 *
 * The gate makes the order certain, and the detectors do not see it: to them the two calls are free to overlap. Each
 * pair is run in both orders. A thread that takes the lock after an unprotected access hands an order on to whoever
 * takes it next; so each thread makes one call only, and what it leaves unprotected is a race in one of the two orders.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h */
#endif
#include "scenario.h"
#include "counter.h"
#include "order.h"

#include <stddef.h>

/* One thread's part: waits for `begin` (NULL: does not wait), makes its call, and opens `done`. */
struct part {
    struct counter *counter;
    void (*call)(struct counter *counter);
    struct gate *begin;
    struct gate *done;
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->call(part->counter);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void add(struct counter *counter)
{
    counter_add(counter, 1);
}

static void get(struct counter *counter)
{
    long value = counter_get(counter);

    ensure(value == 0 || value == 1, "after at most one addition of 1 counter_get returned %ld", value);
}

static long one(void *argument)
{
    (void)argument;
    return 1;
}

static void add_result(struct counter *counter)
{
    counter_add_result(counter, one, NULL);
}

static void add_all(struct counter *counter)
{
    static const long amounts[] = {3, -3, 1};

    counter_add_all(counter, amounts, 3);
}

/* Where there is nothing to add, the value is read all the same. */

static void add_zero(struct counter *counter)
{
    counter_add(counter, 0);
}

static long zero(void *argument)
{
    (void)argument;
    return 0;
}

static void add_zero_result(struct counter *counter)
{
    counter_add_result(counter, zero, NULL);
}

static void add_empty_list(struct counter *counter)
{
    counter_add_all(counter, NULL, 0);
}

static struct counter *made(void)
{
    struct counter *counter = NULL;

    ensure(counter_create(&counter) == 0, "counter_create returned an error");
    return counter;
}

/* Runs `first` and then `second`, each in a thread of its own, on a fresh counter. */
static void in_order(void (*first)(struct counter *), void (*second)(struct counter *), long expected)
{
    struct gate first_done = GATE_CLOSED;
    struct counter *counter = made();
    struct part one_part = {counter, first, NULL, &first_done}, two_part = {counter, second, &first_done, NULL};

    pthread_t a = scenario_thread(play, &one_part);
    pthread_t b = scenario_thread(play, &two_part);
    scenario_join(a);
    scenario_join(b);
    ensure(counter_get(counter) == expected, "the sum should be %ld, but it is %ld", expected, counter_get(counter));
    counter_destroy(counter);
}

static void two_adders(void)
{
    in_order(add, add, 2);
}

static void adder_then_reader(void)
{
    in_order(add, get, 1);
}

static void reader_then_adder(void)
{
    in_order(get, add, 1);
}

static void results(void)
{
    in_order(add_result, add_result, 2);
    in_order(add_result, add, 2);
    in_order(add, add_result, 2);
}

static void lists(void)
{
    in_order(add_all, add_all, 2);
    in_order(add_all, add, 2);
    in_order(add, add_all, 2);
}

static void nothing_to_add(void)
{
    in_order(add, add_zero, 1);
    in_order(add_zero, add, 1);
    in_order(add, add_zero_result, 1);
    in_order(add_zero_result, add, 1);
    in_order(add, add_empty_list, 1);
    in_order(add_empty_list, add, 1);
}

/* ---- in any order ------------------------------------------------------------------------------------------------
 * For the explorer nothing orders the threads here; for the detectors each waits for the one before it. */

struct guest {
    struct counter *counter;
    void (*call)(struct counter *counter, struct guest *self);
    long value; /* what the call returned */
    struct gate *begin, *done;
};

static void *visit(void *argument)
{
    struct guest *guest = argument;

    if (guest->begin != NULL)
        order_pass(guest->begin);
    guest->call(guest->counter, guest);
    gate_open(guest->done);
    return NULL;
}

static void guest_adds(struct counter *counter, struct guest *self)
{
    self->value = counter_add(counter, 1);
}

static void guest_adds_result(struct counter *counter, struct guest *self)
{
    self->value = counter_add_result(counter, one, NULL);
}

static void guest_adds_all(struct counter *counter, struct guest *self)
{
    static const long amounts[] = {3, -3, 1};

    self->value = counter_add_all(counter, amounts, 3);
}

static void guest_adds_and_looks(struct counter *counter, struct guest *self)
{
    self->value = counter_add(counter, 1);
    long later = counter_get(counter);
    ensure(later >= self->value, "one thread's addition made %ld, and then counter_get said %ld; nobody takes away",
           self->value, later);
}

enum { GUESTS_MOST = 3 };

/* Each adds 1, so each of the numbers up to `count` is returned once. */
static void together(int count, void (*const *calls)(struct counter *, struct guest *))
{
    struct counter *counter = made();
    struct gate done[GUESTS_MOST] = {GATE_CLOSED, GATE_CLOSED, GATE_CLOSED};
    struct guest guests[GUESTS_MOST];
    pthread_t threads[GUESTS_MOST];
    unsigned returned = 0;

    for (int i = 0; i < count; i++) {
        guests[i] = (struct guest){counter, calls[i], 0, i == 0 ? NULL : &done[i - 1], &done[i]};
        threads[i] = scenario_thread(visit, &guests[i]);
    }
    for (int i = 0; i < count; i++)
        scenario_join(threads[i]);
    ensure(counter_get(counter) == count, "%d threads added 1 each, and the sum is %ld", count, counter_get(counter));
    for (int i = 0; i < count; i++) {
        ensure(1 <= guests[i].value && guests[i].value <= count, "an addition returned %ld", guests[i].value);
        ensure((returned & 1U << guests[i].value) == 0, "two additions returned the same number, %ld", guests[i].value);
        returned |= 1U << guests[i].value;
    }
    counter_destroy(counter);
}

static void free_for_all(void)
{
    together(3, (void (*[])(struct counter *, struct guest *)){guest_adds, guest_adds_result, guest_adds_all});
}

static void looking_meanwhile(void)
{
    together(2, (void (*[])(struct counter *, struct guest *)){guest_adds_and_looks, guest_adds_and_looks});
}

static void nobody(void)
{
    counter_destroy(NULL);
    counter_destroy(made());
}

SCENARIOS = {
    {"two_adders", two_adders, "two threads add 1, one after the other"},
    {"adder_then_reader", adder_then_reader, "one thread adds, then another reads"},
    {"reader_then_adder", reader_then_adder, "one thread reads, then another adds"},
    {"results", results, "two threads add the results of their work"},
    {"lists", lists, "two threads add lists of amounts"},
    {"nothing_to_add", nothing_to_add, "one thread adds 1 and another adds 0, or an empty list"},
    {"looking_meanwhile", looking_meanwhile, "two threads add and then look, in any order"},
    {"free_for_all", free_for_all, "three threads add in three ways, in any order"},
    {"nobody", nobody, "a counter is made and ended unused"},
    SCENARIOS_END,
};
