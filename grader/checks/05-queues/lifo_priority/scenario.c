/* scenario.c - a few threads at queues that give the newest first, or the least first.
 *
 * The lock is the queue's. What could be left unguarded is what two queues share by mistake: two threads use a queue
 * each, one after the other, in an order that the detectors do not see (a gate).
 */
#include "scenario.h"

#include "lifo_priority.h"

#include <errno.h>
#include <stddef.h>

enum { CARDS = 40 };

static int cards[CARDS] = {5, 3, 8, 1, 9, 2, 7, 3, 3, 6, 4, 0, 8, 5, 1, 7, 2, 9, 6, 4,
                           5, 3, 8, 1, 9, 2, 7, 3, 3, 6, 4, 0, 8, 5, 1, 7, 2, 9, 6, 4};

static bool lower(const void *one, const void *other)
{
    return *(const int *)one < *(const int *)other;
}

static struct shutdown_queue *made(bool lifo)
{
    struct shutdown_queue *queue = NULL;
    int error = lifo ? lifo_priority_create_lifo(&queue, 0) : lifo_priority_create_priority(&queue, 0, lower);

    ensure(error == 0, "a create returned an error");
    return queue;
}

static void put(struct shutdown_queue *queue, int card)
{
    ensure(shutdown_queue_put(queue, &cards[card], -1) == 0, "shutdown_queue_put returned an error");
}

/* Which card comes out. */
static int get(struct shutdown_queue *queue)
{
    void *item = NULL;

    ensure(shutdown_queue_get(queue, &item, -1) == 0 && item != NULL,
           "shutdown_queue_get returned an error, or no card");
    return (int)((const int *)item - cards);
}

/* ---- one after the other ---------------------------------------------------------------------------------------- */

struct part {
    struct shutdown_queue *queue;
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *put_and_get(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    for (int i = 0; i < 4; i++)
        put(part->queue, i);
    for (int i = 0; i < 3; i++)
        get(part->queue);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void one_after_the_other(struct shutdown_queue *first, struct shutdown_queue *second)
{
    struct gate done = GATE_CLOSED;
    struct part one = {first, NULL, &done}, two = {second, &done, NULL};
    pthread_t a = scenario_thread(put_and_get, &one), b = scenario_thread(put_and_get, &two);

    scenario_join(a);
    scenario_join(b);
    shutdown_queue_destroy(first);
    if (second != first)
        shutdown_queue_destroy(second);
}

static void two_stacks(void)
{
    one_after_the_other(made(true), made(true));
}

static void two_heaps(void)
{
    one_after_the_other(made(false), made(false));
}

static void one_of_each(void)
{
    one_after_the_other(made(true), made(false));
    one_after_the_other(made(false), made(true));
}

static void two_at_one_queue(void)
{
    for (int lifo = 0; lifo < 2; lifo++) {
        struct shutdown_queue *queue = made(lifo);
        one_after_the_other(queue, queue);
    }
}

/* A queue is made and ended by another thread than the one that made and used the last one. */
static void *make_and_end(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    for (int lifo = 0; lifo < 2; lifo++) {
        struct shutdown_queue *queue = made(lifo);
        put(queue, 0);
        shutdown_queue_destroy(queue);
    }
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void made_by_two(void)
{
    struct gate done = GATE_CLOSED;
    struct part one = {NULL, NULL, &done}, two = {NULL, &done, NULL};
    pthread_t a = scenario_thread(make_and_end, &one), b = scenario_thread(make_and_end, &two);

    scenario_join(a);
    scenario_join(b);
}

/* ---- alone ------------------------------------------------------------------------------------------------------ */

/* Whether `card` may come out of a heap after `last`. */
static bool may_follow(int last, int card)
{
    int rank = cards[card], last_rank = cards[last];

    return rank > last_rank || (rank == last_rank && card > last);
}

static void many(bool lifo)
{
    struct shutdown_queue *queue = made(lifo);

    for (int i = 0; i < CARDS; i++)
        put(queue, i);
    int last = get(queue);
    for (int i = 1; i < CARDS / 2; i++) {
        int card = get(queue);
        ensure(!lifo || card == last - 1, "a stack gave card %d after card %d", card, last);
        ensure(lifo || may_follow(last, card),
               "a heap gave a card of rank %d after one of rank %d, or equal ones in the wrong order", cards[card],
               cards[last]);
        last = card;
    }
    shutdown_queue_destroy(queue);
}

static void many_cards(void)
{
    many(true);
    many(false);
}

static void thrown_away(void)
{
    for (int lifo = 0; lifo < 2; lifo++) {
        struct shutdown_queue *queue = made(lifo);

        for (int i = 0; i < 3; i++)
            put(queue, i);
        shutdown_queue_shutdown(queue, true, NULL, NULL);
        ensure(shutdown_queue_empty(queue), "all was thrown away, and something is there");
        shutdown_queue_destroy(queue);
    }
    shutdown_queue_destroy(made(true));
    shutdown_queue_destroy(made(false));
}

SCENARIOS = {
    {"two_stacks", two_stacks, "two threads use a stack each"},
    {"two_heaps", two_heaps, "two threads use a priority queue each"},
    {"one_of_each", one_of_each, "one thread uses a stack, another a priority queue"},
    {"two_at_one_queue", two_at_one_queue, "two threads use the same queue, one after the other"},
    {"made_by_two", made_by_two, "two threads make, use and end queues of their own"},
    {"many_cards", many_cards, "one thread puts many items and gets half of them"},
    {"thrown_away", thrown_away, "one thread shuts queues down at once, or never uses them"},
    SCENARIOS_END,
};
