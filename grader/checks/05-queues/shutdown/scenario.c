/* scenario.c - a few threads at a queue, which one of them shuts down. What goes on at any queue stands in
 * queue_scenarios.h, what goes on at one that counts tasks in task_scenarios.h. */
#include "shutdown.h"
#include "task_scenarios.h"

static void shut_plainly(void *object)
{
    shutdown_queue_shutdown(object, false, NULL, NULL);
}

static void count_item(void *context, void *item)
{
    int *count = context;

    (void)item;
    (*count)++;
}

static void shut_at_once(void *object)
{
    int count = 0;

    shutdown_queue_shutdown(object, true, count_item, &count);
    ensure(count <= 2, "more items were thrown away than were put: %d", count);
}

static void ask_shutdown(void *object)
{
    shutdown_queue_is_shutdown(object);
}

static void put_or_not(void *object)
{
    int error = shutdown_queue_put(object, &things[2], -1);

    ensure(error == 0 || error == ESHUTDOWN, "shutdown_queue_put returned %d", error);
}

static void get_or_not(void *object)
{
    void *item = &things[0];
    int error = shutdown_queue_get(object, &item, 0);

    ensure(error == 0 || error == ESHUTDOWN || error == ETIMEDOUT, "shutdown_queue_get returned %d", error);
}

static void with_each(void (*shut)(void *))
{
    pairs(shut, put_or_not);
    pairs(shut, get_or_not);
    pairs(shut, one_done);
    pairs(shut, ask_size);
    pairs(shut, ask_unfinished);
    pairs(shut, ask_shutdown);
}

static void shutdown_and_others(void)
{
    with_each(shut_plainly);
    pairs(shut_plainly, shut_at_once);
}

static void immediate_and_others(void)
{
    with_each(shut_at_once);
    pairs(shut_at_once, shut_at_once);
}

/* An immediate shutdown, when others have put. */
static void thrown_away(void)
{
    struct shutdown_queue *queue = made(0);

    put(queue, 0);
    in_order(put_one, shut_at_once, queue);
    in_order(only_join_it, get_or_not, queue);
    ensure(shutdown_queue_empty(queue), "all was thrown away, and something is there");
    ensure(!shutdown_queue_full(queue), "all was thrown away, and shutdown_queue_full says true");
    shutdown_queue_destroy(queue);
}

/* ---- sent away -------------------------------------------------------------------------------------------------- */

static void *wait_for_nothing(void *argument)
{
    struct meeting *meeting = argument;
    void *item = &things[0];

    gate_open(&meeting->about_to_wait);
    ensure(shutdown_queue_get(meeting->queue, &item, meeting->timeout_us) == ESHUTDOWN && item == &things[0],
           "shutdown_queue_get did not return ESHUTDOWN");
    return NULL;
}

static void *put_for_nothing(void *argument)
{
    struct meeting *meeting = argument;

    gate_open(&meeting->about_to_wait);
    ensure(shutdown_queue_put(meeting->queue, &things[2], meeting->timeout_us) == ESHUTDOWN,
           "shutdown_queue_put did not return ESHUTDOWN");
    return NULL;
}

static void *close_up(void *argument)
{
    struct meeting *meeting = argument;

    gate_pass(&meeting->about_to_wait);
    shutdown_queue_shutdown(meeting->queue, false, NULL, NULL);
    return NULL;
}

static void send_away(bool putter, int64_t timeout_us)
{
    struct meeting meeting = {made(1), timeout_us, GATE_CLOSED};

    if (putter)
        put(meeting.queue, 1);
    pthread_t a = scenario_thread(putter ? put_for_nothing : wait_for_nothing, &meeting);
    pthread_t b = scenario_thread(close_up, &meeting);
    scenario_join(a);
    scenario_join(b);
    ensure(shutdown_queue_size(meeting.queue) == (putter ? 1 : 0), "a put that failed left an item");
    shutdown_queue_destroy(meeting.queue);
}

static void getter_sent_away(void)
{
    send_away(false, -1);
    send_away(false, INT64_MAX);
}

static void putter_sent_away(void)
{
    send_away(true, -1);
    send_away(true, INT64_MAX);
}

/* ---- two are sent away ------------------------------------------------------------------------------------------ */

static void *get_or_leave(void *argument)
{
    void *item = NULL;
    int error = shutdown_queue_get(argument, &item, -1);

    ensure(error == 0 || error == ESHUTDOWN, "shutdown_queue_get returned %d", error);
    return error == 0 ? item : NULL;
}

static void *put_or_leave(void *argument)
{
    put_or_not(argument);
    return NULL;
}

static void *put_and_shut(void *argument)
{
    put(argument, 1);
    shut_plainly(argument);
    return NULL;
}

static void *get_and_shut(void *argument)
{
    get(argument);
    shut_plainly(argument);
    return NULL;
}

static void *shut_everything(void *argument)
{
    shut_at_once(argument);
    return NULL;
}

static void two_getters_sent_away(void)
{
    if (!every_order)
        return;
    struct shutdown_queue *queue = made(0);

    trio(queue, get_or_leave, get_or_leave, put_and_shut);
    ensure(shutdown_queue_empty(queue), "two gets came after a put, and the item is still there");
    shutdown_queue_destroy(queue);
}

static void two_putters_sent_away(void)
{
    if (!every_order)
        return;
    struct shutdown_queue *queue = made(2);

    put(queue, 3);
    put(queue, 4);
    trio(queue, put_or_leave, put_or_leave, get_and_shut);
    shutdown_queue_destroy(queue);
}

static void joiner_sent_away(void)
{
    if (!every_order)
        return;
    struct shutdown_queue *queue = made(0);

    put(queue, 1);
    trio(queue, only_join, put_or_leave, shut_everything);
    ensure(shutdown_queue_unfinished(queue) == 0, "all was thrown away, and something is unfinished");
    shutdown_queue_destroy(queue);
}

static void getter_or_thrown_away(void)
{
    if (!every_order)
        return;
    struct shutdown_queue *queue = made(0);

    put(queue, 1);
    trio(queue, get_or_leave, shut_everything, put_or_leave);
    ensure(shutdown_queue_empty(queue), "the queue was shut down at once, and something is left");
    ensure(shutdown_queue_unfinished(queue) <= 1, "more is unfinished than was got");
    shutdown_queue_destroy(queue);
}

/* ---- at one moment ----------------------------------------------------------------------------------------------- */

static void *shut_and_forget(void *argument)
{
    shutdown_queue_shutdown(argument, true, NULL, NULL);
    return NULL;
}

static void *look_whether_empty(void *argument)
{
    if (shutdown_queue_empty(argument))
        ensure(shutdown_queue_unfinished(argument) == 0, "the queue is empty, nobody has got anything, and something "
                                                         "is unfinished");
    return NULL;
}

static void *look_whether_shut(void *argument)
{
    void *item = &things[0];

    if (shutdown_queue_is_shutdown(argument))
        ensure(shutdown_queue_get(argument, &item, 0) == ESHUTDOWN, "the queue was shut down at once, and an item came "
                                                                    "out of it after that");
    return NULL;
}

static void at_one_moment(void)
{
    static void *(*const looks[])(void *) = {look_whether_empty, look_whether_shut};

    if (!every_order)
        return;
    for (int i = 0; i < 2; i++) {
        struct shutdown_queue *queue = made(0);

        put(queue, 1);
        pthread_t shutter = scenario_thread(shut_and_forget, queue);
        looks[i](queue);
        scenario_join(shutter);
        shutdown_queue_destroy(queue);
    }
}

/* ---- alone ------------------------------------------------------------------------------------------------------ */

static void shut_down_alone(void)
{
    struct shutdown_queue *queue = made_with_many();

    shutdown_queue_shutdown(queue, true, NULL, NULL);
    ensure(shutdown_queue_empty(queue) && shutdown_queue_is_shutdown(queue), "it was shut down, and says otherwise");
    shutdown_queue_destroy(queue);
}

SCENARIOS = {
    QUEUE_SCENARIOS,
    TASK_SCENARIOS,
    {"shutdown_and_others", shutdown_and_others, "one thread shuts the queue down, another puts, gets or asks"},
    {"immediate_and_others", immediate_and_others, "the same, and what is in the queue is thrown away"},
    {"thrown_away", thrown_away, "one thread puts, another shuts the queue down at once"},
    {"getter_sent_away", getter_sent_away, "one thread waits for an item, another shuts the queue down"},
    {"putter_sent_away", putter_sent_away, "one thread waits for room, another shuts the queue down"},
    {"two_getters_sent_away", two_getters_sent_away, "two threads wait for items, another puts one and shuts down"},
    {"two_putters_sent_away", two_putters_sent_away, "two threads wait for room, another gets one item and shuts down"},
    {"joiner_sent_away", joiner_sent_away, "one thread joins, one puts, another throws everything away"},
    {"getter_or_thrown_away", getter_or_thrown_away, "one thread gets, one puts, another throws everything away"},
    {"at_one_moment", at_one_moment, "one thread throws everything away, another looks whether it has"},
    {"shut_down_alone", shut_down_alone, "one thread puts many items and shuts the queue down"},
    SCENARIOS_END,
};
