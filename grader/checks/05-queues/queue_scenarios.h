/* queue_scenarios.h - a few threads at a queue, any of this chapter's.
 *
 * Included by the scenario.c of fifo_queue, task_done and shutdown. "queue.h", beside each scenario.c, gives that
 * exercise's calls the names they have here, and says in QUEUE how they begin, for the sentences.
 *
 * Two parts are run in a certain order that the detectors do not see (a gate), so that whatever one of them leaves
 * unprotected is a race in every run. Each pair that matters is run in both orders. The scenarios with two threads on
 * one side are for the explorer: in some order of their steps each signal has to reach the right one.
 */
#ifndef QUEUE_SCENARIOS_H
#define QUEUE_SCENARIOS_H

#include "queue.h"
#include "scenario.h"

#include <errno.h>
#include <stddef.h>

static char things[8];

static struct this_queue *made(int64_t maxsize)
{
    struct this_queue *queue = NULL;

    ensure(queue_create(&queue, maxsize) == 0, QUEUE "_create returned an error");
    return queue;
}

static void put(struct this_queue *queue, int thing)
{
    ensure(queue_put(queue, &things[thing], -1) == 0, QUEUE "_put returned an error");
}

/* Which of the things comes out. */
static int get(struct this_queue *queue)
{
    void *item = NULL;

    ensure(queue_get(queue, &item, -1) == 0, QUEUE "_get returned an error");
    for (int i = 0; i < (int)sizeof things; i++)
        if (item == &things[i])
            return i;
    ensure(item == NULL, QUEUE "_get gave an item that nobody had put");
    return -1;
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

static void put_one(void *object)
{
    put(object, 1);
}

static void try_put(void *object)
{
    int error = queue_put(object, &things[2], 0);

    ensure(error == 0 || error == ETIMEDOUT, QUEUE "_put with a time-out of 0 returned %d", error);
}

static void try_get(void *object)
{
    void *item = &things[0];
    int error = queue_get(object, &item, 0);

    ensure(error == 0 || (error == ETIMEDOUT && item == &things[0]), QUEUE "_get with a time-out of 0 returned %d",
           error);
}

static void ask_size(void *object)
{
    ensure(queue_size(object) <= 2, "there are more items than were put");
}

/* Both orders, with one item in a queue for three, and in an empty one. */
static void pairs(void (*one)(void *), void (*other)(void *))
{
    for (int order = 0; order < 4; order++) {
        struct this_queue *queue = made(3);

        if (order < 2)
            put(queue, 0);
        in_order(order % 2 == 0 ? one : other, order % 2 == 0 ? other : one, queue);
        queue_destroy(queue);
    }
}

static void put_and_put(void)
{
    pairs(put_one, try_put);
}

static void put_and_get(void)
{
    pairs(put_one, try_get);
}

static void get_and_get(void)
{
    pairs(try_get, try_get);
}

static void put_and_ask(void)
{
    pairs(put_one, ask_size);
}

static void get_and_ask(void)
{
    pairs(try_get, ask_size);
}

/* A full queue: what is put next goes where the first item lay, if the places are as many as the items. */
static void full_queue(void)
{
    for (int maxsize = 1; maxsize <= 16; maxsize += 15)
        for (int order = 0; order < 2; order++) {
            struct this_queue *queue = made(maxsize);

            for (int i = 0; i < maxsize; i++)
                put(queue, i % 8);
            in_order(order == 0 ? try_get : try_put, order == 0 ? try_put : try_get, queue);
            queue_destroy(queue);
        }
}

/* A queue of one's own: another thread makes, uses and ends another one. */
static void use_ones_own(void *unused)
{
    struct this_queue *queue = made(0);

    (void)unused;
    put(queue, 1);
    put(queue, 2);
    ensure(get(queue) == 1, QUEUE "_get gave another item than was put first");
    queue_destroy(queue);
}

static void a_queue_each(void)
{
    in_order(use_ones_own, use_ones_own, NULL);
}

/* ---- what lies behind an item ----------------------------------------------------------------------------------- */

struct letter {
    struct this_queue *queue;
    int text; /* guarded by nobody: it belongs to whoever has the letter */
};

static void *write_letter(void *argument)
{
    struct letter *letter = argument;

    letter->text = 42;
    ensure(queue_put(letter->queue, letter, -1) == 0, QUEUE "_put returned an error");
    return NULL;
}

static void *read_letter(void *argument)
{
    struct this_queue *queue = argument;
    void *item = NULL;

    ensure(queue_get(queue, &item, -1) == 0 && item != NULL, QUEUE "_get returned an error, or no letter");
    struct letter *letter = item;
    ensure(letter->text == 42, "the letter says %d, and 42 was written", letter->text);
    letter->text = 0;
    return NULL;
}

static void a_letter(void)
{
    struct letter letter = {.queue = made(0)};
    pthread_t a = scenario_thread(read_letter, letter.queue), b = scenario_thread(write_letter, &letter);

    scenario_join(a);
    scenario_join(b);
    queue_destroy(letter.queue);
}

/* ---- one waits for the other ------------------------------------------------------------------------------------ */

struct meeting {
    struct this_queue *queue;
    int64_t timeout_us;
    struct gate about_to_wait;
};

static void *wait_for_item(void *argument)
{
    struct meeting *meeting = argument;
    void *item = &things[0];

    ensure(queue_get(meeting->queue, &item, 0) == ETIMEDOUT, "an empty queue gave an item");
    ensure(queue_get(meeting->queue, &item, 1) == ETIMEDOUT && item == &things[0], "an empty queue gave an item");
    gate_open(&meeting->about_to_wait);
    ensure(queue_get(meeting->queue, &item, meeting->timeout_us) == 0, QUEUE "_get returned an error");
    ensure(item == &things[1], QUEUE "_get gave another item than was put");
    return NULL;
}

static void *bring_item(void *argument)
{
    struct meeting *meeting = argument;

    gate_pass(&meeting->about_to_wait);
    put(meeting->queue, 1);
    return NULL;
}

static void *wait_for_room(void *argument)
{
    struct meeting *meeting = argument;

    ensure(queue_put(meeting->queue, &things[2], 0) == ETIMEDOUT, "a full queue took an item");
    ensure(queue_put(meeting->queue, &things[2], 1) == ETIMEDOUT, "a full queue took an item");
    gate_open(&meeting->about_to_wait);
    ensure(queue_put(meeting->queue, &things[3], meeting->timeout_us) == 0, QUEUE "_put returned an error");
    return NULL;
}

static void *make_room(void *argument)
{
    struct meeting *meeting = argument;

    gate_pass(&meeting->about_to_wait);
    ensure(get(meeting->queue) == 1, QUEUE "_get gave another item than was put first");
    return NULL;
}

static void meet(bool for_room, int64_t timeout_us)
{
    struct meeting meeting = {made(1), timeout_us, GATE_CLOSED};

    if (for_room)
        put(meeting.queue, 1);
    pthread_t a = scenario_thread(for_room ? wait_for_room : wait_for_item, &meeting);
    pthread_t b = scenario_thread(for_room ? make_room : bring_item, &meeting);
    scenario_join(a);
    scenario_join(b);
    queue_destroy(meeting.queue);
}

static void one_waits_for_an_item(void)
{
    meet(false, -1);
}

static void one_waits_for_an_item_with_a_limit(void)
{
    meet(false, INT64_MAX);
}

static void one_waits_for_room(void)
{
    meet(true, -1);
}

static void one_waits_for_room_with_a_limit(void)
{
    meet(true, INT64_MAX);
}

/* ---- two on one side -------------------------------------------------------------------------------------------- */

/* In which order three threads go to work is the machine's choice: a mistake would show on one day and not on the next.
 * So these are for the explorer alone, which takes every order. */
#ifdef INTERLEAVE
static const bool every_order = true;
#else
static const bool every_order = false;
#endif

static void *get_one(void *argument)
{
    return &things[get(argument)];
}

static void *put_1(void *argument)
{
    put(argument, 1);
    return NULL;
}

static void *put_2(void *argument)
{
    put(argument, 2);
    return NULL;
}

static void *put_1_and_2(void *argument)
{
    put(argument, 1);
    put(argument, 2);
    return NULL;
}

static void *get_two(void *argument)
{
    int first = get(argument), second = get(argument);

    ensure(first != second, QUEUE "_get gave item %d twice", first);
    return NULL;
}

static void trio(struct this_queue *queue, void *(*one)(void *), void *(*two)(void *), void *(*three)(void *))
{
    pthread_t a = scenario_thread(one, queue), b = scenario_thread(two, queue), c = scenario_thread(three, queue);

    scenario_join(a);
    scenario_join(b);
    scenario_join(c);
}

static void two_consumers(void)
{
    if (!every_order)
        return;
    struct this_queue *queue = made(0);

    trio(queue, get_one, get_one, put_1_and_2);
    ensure(queue_size(queue) == 0, "two items were put and two were got, and the queue is not empty");
    queue_destroy(queue);
}

static void two_producers_at_a_full_queue(void)
{
    if (!every_order)
        return;
    struct this_queue *queue = made(2);

    put(queue, 3);
    put(queue, 4);
    trio(queue, put_1, put_2, get_two);
    ensure(queue_size(queue) == 2, "four items were put and two were got, and there are not two left");
    queue_destroy(queue);
}

static void *put_and_take_back(void *argument)
{
    put(argument, 1);
    ensure(get(argument) == 1, "there was one item, and " QUEUE "_get gave another");
    return NULL;
}

static void *look_at_the_size(void *argument)
{
    size_t size = queue_size(argument);

    ensure(size <= 1, "there is one item at most, and " QUEUE "_size says %ld", (long)size);
    return NULL;
}

static void size_of_one_moment(void)
{
    if (!every_order)
        return;
    struct this_queue *queue = made(0);
    pthread_t a = scenario_thread(put_and_take_back, queue), b = scenario_thread(look_at_the_size, queue);

    scenario_join(a);
    scenario_join(b);
    queue_destroy(queue);
}

/* To the explorer two hours pass as soon as nobody does anything else. */
static void nobody_comes(void)
{
    if (!every_order)
        return;
    struct this_queue *queue = made(1);
    void *item = &things[0];

    ensure(queue_get(queue, &item, INT64_C(7200000000)) == ETIMEDOUT && item == &things[0],
           "an empty queue gave an item");
    put(queue, 1);
    ensure(queue_put(queue, &things[2], INT64_C(7200000000)) == ETIMEDOUT, "a full queue took an item");
    queue_destroy(queue);
}

/* A put or get with a limit, which may pass at any moment. */
struct attempt {
    struct this_queue *queue;
    int result;
};

static void *get_or_give_up(void *argument)
{
    struct attempt *attempt = argument;
    void *item = &things[0];

    attempt->result = queue_get(attempt->queue, &item, 1);
    ensure(attempt->result == 0 || (attempt->result == ETIMEDOUT && item == &things[0]),
           QUEUE "_get with a time-out of 1 returned %d", attempt->result);
    return NULL;
}

static void *put_or_give_up(void *argument)
{
    struct attempt *attempt = argument;

    attempt->result = queue_put(attempt->queue, &things[3], 1);
    ensure(attempt->result == 0 || attempt->result == ETIMEDOUT, QUEUE "_put with a time-out of 1 returned %d",
           attempt->result);
    return NULL;
}

static void one_getter_gives_up(void)
{
    if (!every_order)
        return;
    struct attempt attempt = {made(0), -1};
    pthread_t patient = scenario_thread(get_one, attempt.queue), hasty = scenario_thread(get_or_give_up, &attempt);
    pthread_t putter = scenario_thread(put_1, attempt.queue);

    scenario_join(putter);
    scenario_join(hasty);
    if (attempt.result == 0) /* then there is nothing for the patient one yet */
        put(attempt.queue, 2);
    scenario_join(patient);
    ensure(queue_size(attempt.queue) == 0, "all that was put was got, and the queue is not empty");
    queue_destroy(attempt.queue);
}

static void one_putter_gives_up(void)
{
    if (!every_order)
        return;
    struct attempt attempt = {made(1), -1};

    put(attempt.queue, 1);
    pthread_t patient = scenario_thread(put_2, attempt.queue), hasty = scenario_thread(put_or_give_up, &attempt);
    pthread_t getter = scenario_thread(get_one, attempt.queue);

    scenario_join(getter);
    scenario_join(hasty);
    if (attempt.result == 0) /* then there is no room for the patient one yet */
        get(attempt.queue);
    scenario_join(patient);
    ensure(queue_size(attempt.queue) == 1, "one item more was put than was got, and the queue has not one");
    queue_destroy(attempt.queue);
}

/* ---- alone ------------------------------------------------------------------------------------------------------ */

/* A queue in which there are 41 items of 51 that were put. */
static struct this_queue *made_with_many(void)
{
    struct this_queue *queue = made(-1);

    for (int i = 0; i < 20; i++)
        put(queue, i % 8);
    for (int i = 0; i < 10; i++)
        ensure(get(queue) == i % 8, "items come out in another order than they went in");
    for (int i = 20; i < 50; i++)
        put(queue, i % 8);
    ensure(queue_put(queue, NULL, -1) == 0, QUEUE "_put of NULL returned an error");
    ensure(queue_size(queue) == 41, "41 items are in the queue, and it says otherwise");
    return queue;
}

static void ends(void)
{
    queue_destroy(made_with_many());
    queue_destroy(NULL);
    queue_destroy(made(5));
}

/* For the list in scenario.c. */
#define QUEUE_SCENARIOS                                                                                                \
    {"put_and_put", put_and_put, "two threads put, one after the other"},                                              \
        {"put_and_get", put_and_get, "one thread puts, another gets"},                                                 \
        {"get_and_get", get_and_get, "two threads get, one after the other"},                                          \
        {"put_and_ask", put_and_ask, "one thread puts, another asks how many items there are"},                        \
        {"get_and_ask", get_and_ask, "one thread gets, another asks how many items there are"},                        \
        {"full_queue", full_queue, "one thread gets from a full queue, another puts"},                                 \
        {"a_queue_each", a_queue_each, "two threads make, use and end a queue each"},                                  \
        {"a_letter", a_letter, "one thread writes a letter and puts it, another gets it and reads it"},                \
        {"one_waits_for_an_item", one_waits_for_an_item, "one thread waits for an item, another puts one"},            \
        {"one_waits_for_an_item_with_a_limit", one_waits_for_an_item_with_a_limit, "the same, with a time-out"},       \
        {"one_waits_for_room", one_waits_for_room, "one thread waits for room, another gets an item"},                 \
        {"one_waits_for_room_with_a_limit", one_waits_for_room_with_a_limit, "the same, with a time-out"},             \
        {"two_consumers", two_consumers, "two threads get an item each, another puts two"},                            \
        {"two_producers_at_a_full_queue", two_producers_at_a_full_queue,                                               \
         "two threads put an item each into a full queue, another gets two"},                                          \
        {"one_getter_gives_up", one_getter_gives_up,                                                                   \
         "two threads wait for an item, one of them with a limit, another thread puts one"},                           \
        {"one_putter_gives_up", one_putter_gives_up,                                                                   \
         "two threads wait for room, one of them with a limit, another thread gets an item"},                          \
        {"size_of_one_moment", size_of_one_moment,                                                                     \
         "one thread puts an item and gets it, another asks how many items there are"},                                \
        {"nobody_comes", nobody_comes, "one thread waits two hours for an item, then two for room, in vain"},          \
    {                                                                                                                  \
        "ends", ends, "one thread puts many items, gets some, and ends the queue"                                      \
    }

#endif
