/* scenario.c - a few threads at a queue: those at any queue (queue_scenarios.h), and at one that says whether it is
 * empty or full. */
#include "fifo_queue.h"
#include "queue_scenarios.h"

static void ask_empty(void *object)
{
    fifo_queue_empty(object);
}

static void ask_full(void *object)
{
    fifo_queue_full(object);
}

static void put_and_look(void)
{
    pairs(put_one, ask_empty);
    pairs(put_one, ask_full);
}

static void get_and_look(void)
{
    pairs(try_get, ask_empty);
    pairs(try_get, ask_full);
}

static void two_consumers_at_a_small_queue(void)
{
    if (!every_order)
        return;
    struct fifo_queue *queue = made(1);

    trio(queue, get_one, get_one, put_1_and_2);
    ensure(fifo_queue_empty(queue), "two items were put and two were got, and the queue is not empty");
    fifo_queue_destroy(queue);
}

static void two_producers_at_a_small_queue(void)
{
    if (!every_order)
        return;
    struct fifo_queue *queue = made(1);

    trio(queue, put_1, put_2, get_two);
    ensure(fifo_queue_empty(queue), "two items were put and two were got, and the queue is not empty");
    fifo_queue_destroy(queue);
}

/* Waits a little; what it gets it puts back for the other one. */
static void *get_or_put_back(void *argument)
{
    void *item = NULL;
    int error = fifo_queue_get(argument, &item, 1000);

    ensure(error == 0 || error == ETIMEDOUT, "fifo_queue_get returned %d", error);
    if (error == 0)
        ensure(fifo_queue_put(argument, item, -1) == 0, "fifo_queue_put returned an error");
    return NULL;
}

static void one_gives_up(void)
{
    if (!every_order)
        return;
    struct fifo_queue *queue = made(0);

    trio(queue, get_or_put_back, get_one, put_1);
    ensure(fifo_queue_empty(queue), "one item was put and got, and the queue is not empty");
    fifo_queue_destroy(queue);
}

static void many_items(void)
{
    struct fifo_queue *queue = made_with_many();

    ensure(!fifo_queue_full(queue) && !fifo_queue_empty(queue), "41 items are in the queue, and it says otherwise");
    fifo_queue_destroy(queue);
}

SCENARIOS = {
    QUEUE_SCENARIOS,
    {"put_and_look", put_and_look, "one thread puts, another asks whether the queue is empty, or full"},
    {"get_and_look", get_and_look, "one thread gets, another asks whether the queue is empty, or full"},
    {"two_consumers_at_a_small_queue", two_consumers_at_a_small_queue,
     "two threads get an item each, another puts two where there is room for one"},
    {"two_producers_at_a_small_queue", two_producers_at_a_small_queue,
     "two threads put an item each where there is room for one, another gets two"},
    {"one_gives_up", one_gives_up, "two threads wait for one item, one of them only for a while"},
    {"many_items", many_items, "one thread puts and gets many items"},
    SCENARIOS_END,
};
