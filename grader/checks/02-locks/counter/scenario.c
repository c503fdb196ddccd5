/* scenario.c - two threads at the counter, one after the other.
 *
 * The gate makes the order certain, and the detectors do not see it: to them the two calls are free to overlap. Each
 * pair is run in both orders. A thread that takes the lock after an unprotected access hands an order on to whoever
 * takes it next; so each thread makes one call only, and what it leaves unprotected is a race in one of the two orders.
 */
#include "scenario.h"
#include "counter.h"

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

/* All at once, in whatever order comes. */
static void free_for_all(void)
{
    struct counter *counter = made();
    struct part parts[] = {
        {counter, add, NULL, NULL}, {counter, add_result, NULL, NULL}, {counter, add_all, NULL, NULL}};
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        threads[i] = scenario_thread(play, &parts[i]);
    for (int i = 0; i < 3; i++)
        scenario_join(threads[i]);
    counter_destroy(counter);
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
    {"free_for_all", free_for_all, "three threads add in three ways at once"},
    {"nobody", nobody, "a counter is made and ended unused"},
    SCENARIOS_END,
};
