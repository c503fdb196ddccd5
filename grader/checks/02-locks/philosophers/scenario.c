/* scenario.c - a few philosophers at the table.
 *
 * A gate makes the order of two calls certain, and the detectors do not see it: to them the two are free to overlap.
 * Each thread makes one meal only, or asks one question, so that no later lock of its own draws an order between the
 * two.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h */
#endif
#include "scenario.h"

#include "order.h"
#include "philosophers.h"

#include <errno.h>
#include <stddef.h>

static struct table *laid(void)
{
    struct table *table = NULL;

    ensure(table_create(&table) == 0, "table_create returned an error");
    return table;
}

struct part {
    struct table *table;
    int seat;
    void (*play)(struct table *table, int seat);
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->table, part->seat);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void eat(struct table *table, int seat)
{
    ensure(table_take(table, seat) == 0, "table_take of seat %d returned an error", seat);
    ensure(table_put(table, seat) == 0, "table_put of seat %d returned an error", seat);
}

static void ask(struct table *table, int seat)
{
    long meals = table_meals(table, seat);

    ensure(meals == 0 || meals == 1, "after at most one meal table_meals says %ld", meals);
}

static void put_wrongly(struct table *table, int seat)
{
    ensure(table_put(table, seat) == EPERM, "table_put of a seat at which nobody eats did not return EPERM");
}

/* Runs `first` at seat 0, then `second` at `seat`, each in a thread of its own. */
static void in_order(void (*first)(struct table *, int), void (*second)(struct table *, int), int seat)
{
    struct gate first_done = GATE_CLOSED;
    struct table *table = laid();
    struct part one = {table, 0, first, NULL, &first_done}, two = {table, seat, second, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    table_destroy(table);
}

static void one_after_the_other(void)
{
    for (int seat = 0; seat < TABLE_SEATS; seat++)
        in_order(eat, eat, seat);
}

/* What two tables have in common, nobody guards. */
static void two_tables(void)
{
    struct gate first_done = GATE_CLOSED;
    struct part one = {laid(), 0, eat, NULL, &first_done}, two = {laid(), 0, eat, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    table_destroy(one.table);
    table_destroy(two.table);
}

static void asking(void)
{
    in_order(eat, ask, 0);
    in_order(ask, eat, 0);
    in_order(eat, ask, 1);
}

static void putting_wrongly(void)
{
    in_order(eat, put_wrongly, 0);
    in_order(put_wrongly, eat, 0);
    in_order(eat, put_wrongly, 1);
    in_order(put_wrongly, eat, 1);
}

/* Everyone at the seats from 0 makes one `meal`. */
static void eat_together(int seats, void (*meal)(struct table *table, int seat))
{
    struct table *table = laid();
    struct part parts[TABLE_SEATS];
    pthread_t threads[TABLE_SEATS];

    for (int seat = 0; seat < seats; seat++) {
        parts[seat] = (struct part){table, seat, meal, NULL, NULL};
        threads[seat] = scenario_thread(play, &parts[seat]);
    }
    for (int seat = 0; seat < seats; seat++)
        scenario_join(threads[seat]);
    for (int seat = 0; seat < seats; seat++)
        ensure(table_meals(table, seat) == 1, "seat %d has eaten %ld times", seat, table_meals(table, seat));
    table_destroy(table);
}

#ifdef INTERLEAVE               /* five have too many interleavings to run them all; three have one who waits for two */
static long forks[TABLE_SEATS]; /* who eats uses two, and nothing but the table keeps others from them */

static void eat_with_forks(struct table *table, int seat)
{
    ensure(table_take(table, seat) == 0, "table_take of seat %d returned an error", seat);
    forks[seat]++;
    forks[(seat + 1) % TABLE_SEATS]++;
    ensure(table_put(table, seat) == 0, "table_put of seat %d returned an error", seat);
}

static void three_hungry(void)
{
    eat_together(3, eat_with_forks);
}
#else
static void all_hungry(void)
{
    eat_together(TABLE_SEATS, eat);
}
#endif

/* Seat 1 is hungry while seat 0 eats; seat 0 puts its forks back when seat 1 is about to take them. */
struct wait {
    struct table *table;
    struct gate eating, about_to_wait;
};

static void *eat_first(void *argument)
{
    struct wait *wait = argument;

    ensure(table_take(wait->table, 0) == 0, "table_take returned an error");
    ensure(table_take(wait->table, 0) == EBUSY, "table_take of a seat that eats did not return EBUSY");
    gate_open(&wait->eating);
    gate_pass(&wait->about_to_wait);
    ensure(table_put(wait->table, 0) == 0, "table_put returned an error");
    return NULL;
}

static void *eat_second(void *argument)
{
    struct wait *wait = argument;

    gate_pass(&wait->eating);
    gate_open(&wait->about_to_wait);
    eat(wait->table, 1);
    return NULL;
}

static void one_waits(void)
{
    struct wait wait = {laid(), GATE_CLOSED, GATE_CLOSED};
    pthread_t a = scenario_thread(eat_first, &wait), b = scenario_thread(eat_second, &wait);

    scenario_join(a);
    scenario_join(b);
    table_destroy(wait.table);
}

/* ---- in any order ------------------------------------------------------------------------------------------------
 * For the explorer nothing orders the threads here; for the detectors each waits for the one before it. */

static void *play_in_any_order(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        order_pass(part->begin);
    part->play(part->table, part->seat);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void in_any_order(struct part one, struct part two)
{
    struct gate first_done = GATE_CLOSED;

    one.table = two.table = laid();
    one.done = two.begin = &first_done;
    pthread_t a = scenario_thread(play_in_any_order, &one), b = scenario_thread(play_in_any_order, &two);
    scenario_join(a);
    scenario_join(b);
    table_destroy(one.table);
}

/* Somebody else may sit there already. */
static void eat_if_free(struct table *table, int seat)
{
    int error = table_take(table, seat);

    ensure(error == 0 || error == EBUSY, "table_take of seat %d returned %d", seat, error);
    if (error == 0)
        ensure(table_put(table, seat) == 0, "table_put of seat %d, which eats, returned an error", seat);
}

static void eat_and_ask(struct table *table, int seat)
{
    eat(table, seat);
    ensure(table_meals(table, seat) == 1, "after one meal table_meals says %ld", table_meals(table, seat));
}

static void one_seat(void)
{
    in_any_order((struct part){.seat = 0, .play = eat_if_free}, (struct part){.seat = 0, .play = eat_if_free});
}

static void asking_oneself(void)
{
    in_any_order((struct part){.seat = 0, .play = eat_and_ask}, (struct part){.seat = 2, .play = eat_and_ask});
    in_any_order((struct part){.seat = 0, .play = eat_and_ask}, (struct part){.seat = 1, .play = eat_and_ask});
}

static void errors(void)
{
    struct table *table = laid();

    ensure(table_take(table, -1) == EINVAL && table_take(table, TABLE_SEATS) == EINVAL, "a wrong seat was not refused");
    ensure(table_put(table, -1) == EINVAL && table_put(table, TABLE_SEATS) == EINVAL, "a wrong seat was not refused");
    ensure(table_meals(table, -1) == -1 && table_meals(table, TABLE_SEATS) == -1, "a wrong seat was not refused");
    table_destroy(table);
    table_destroy(NULL);
}

SCENARIOS = {
    {"one_after_the_other", one_after_the_other, "one philosopher eats, then another"},
    {"two_tables", two_tables, "one philosopher eats at one table, then another at another table"},
    {"asking", asking, "one philosopher eats, another thread asks how often"},
    {"putting_wrongly", putting_wrongly, "one philosopher eats, another puts forks back that he does not have"},
#ifdef INTERLEAVE
    {"three_hungry", three_hungry, "three who sit side by side eat once, in any order"},
#else
    {"all_hungry", all_hungry, "all five eat once, in any order"},
#endif
    {"one_waits", one_waits, "one philosopher waits for his neighbour"},
    {"one_seat", one_seat, "two threads want to eat at the same seat, in any order"},
    {"asking_oneself", asking_oneself, "two eat, and ask afterwards how often they have, in any order"},
    {"errors", errors, "one thread asks for seats that do not exist"},
    SCENARIOS_END,
};
