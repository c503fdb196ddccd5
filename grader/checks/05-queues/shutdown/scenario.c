/* scenario.c - a few threads at a queue, which one of them shuts down.
 *
 * Two parts are run in a certain order that the detectors do not see (a gate), so that whatever one of them leaves
 * unprotected is a race in every run. Each pair that matters is run in both orders. The scenarios with two threads on
 * one side are for the explorer: in some order of their steps each signal has to reach the right one.
 */
#include "scenario.h"

#include "shutdown.h"

#include <errno.h>
#include <stddef.h>

static char things[8];

static struct shutdown_queue *made(int64_t maxsize)
{
    struct shutdown_queue *queue = NULL;

    ensure(shutdown_queue_create(&queue, maxsize) == 0, "shutdown_queue_create returned an error");
    return queue;
}

static void put(struct shutdown_queue *queue, int thing)
{
    ensure(shutdown_queue_put(queue, &things[thing], -1) == 0, "shutdown_queue_put returned an error");
}

/* Which of the things comes out. */
static int get(struct shutdown_queue *queue)
{
    void *item = NULL;

    ensure(shutdown_queue_get(queue, &item, -1) == 0, "shutdown_queue_get returned an error");
    for (int i = 0; i < (int)sizeof things; i++)
        if (item == &things[i])
            return i;
    ensure(item == NULL, "shutdown_queue_get gave an item that nobody had put");
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
    int error = shutdown_queue_put(object, &things[2], 0);

    ensure(error == 0 || error == ETIMEDOUT, "shutdown_queue_put with a time-out of 0 returned %d", error);
}

static void try_get(void *object)
{
    void *item = &things[0];
    int error = shutdown_queue_get(object, &item, 0);

    ensure(error == 0 || (error == ETIMEDOUT && item == &things[0]),
           "shutdown_queue_get with a time-out of 0 returned %d", error);
}

static void ask_size(void *object)
{
    ensure(shutdown_queue_size(object) <= 2, "there are more items than were put");
}

static void ask_unfinished(void *object)
{
    ensure(shutdown_queue_unfinished(object) <= 2, "there are more tasks than were put");
}

static void one_done(void *object)
{
    int error = shutdown_queue_done(object);

    ensure(error == 0 || error == EINVAL, "shutdown_queue_done returned %d", error);
}

static void only_join_it(void *object)
{
    shutdown_queue_join(object);
}

/* Both orders, with one item in a queue for three, and in an empty one. */
static void pairs(void (*one)(void *), void (*other)(void *))
{
    for (int order = 0; order < 4; order++) {
        struct shutdown_queue *queue = made(3);

        if (order < 2)
            put(queue, 0);
        in_order(order % 2 == 0 ? one : other, order % 2 == 0 ? other : one, queue);
        shutdown_queue_destroy(queue);
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

static void done_and_others(void)
{
    pairs(one_done, put_one);
    pairs(one_done, try_get);
    pairs(one_done, one_done);

    struct shutdown_queue *queue = made(0);
    put(queue, 0);
    in_order(one_done, only_join_it, queue); /* nothing is unfinished when it joins */
    in_order(only_join_it, put_one, queue);
    shutdown_queue_destroy(queue);
}

static void put_and_ask(void)
{
    pairs(put_one, ask_size);
    pairs(put_one, ask_unfinished);
}

static void get_and_ask(void)
{
    pairs(try_get, ask_size);
}

static void done_and_ask(void)
{
    pairs(one_done, ask_unfinished);
}

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
    ensure(shutdown_queue_empty(queue) && !shutdown_queue_full(queue), "all was thrown away, and something is there");
    shutdown_queue_destroy(queue);
}

/* A full queue: what is put next goes where the first item lay, if the places are as many as the items. */
static void full_queue(void)
{
    for (int maxsize = 1; maxsize <= 16; maxsize += 15)
        for (int order = 0; order < 2; order++) {
            struct shutdown_queue *queue = made(maxsize);

            for (int i = 0; i < maxsize; i++)
                put(queue, i % 8);
            in_order(order == 0 ? try_get : try_put, order == 0 ? try_put : try_get, queue);
            shutdown_queue_destroy(queue);
        }
}

/* A queue of one's own: another thread makes, uses and ends another one. */
static void use_ones_own(void *unused)
{
    struct shutdown_queue *queue = made(0);

    (void)unused;
    put(queue, 1);
    put(queue, 2);
    ensure(get(queue) == 1, "shutdown_queue_get gave another item than was put first");
    shutdown_queue_destroy(queue);
}

static void a_queue_each(void)
{
    in_order(use_ones_own, use_ones_own, NULL);
}

/* ---- what lies behind an item ----------------------------------------------------------------------------------- */

struct letter {
    struct shutdown_queue *queue;
    int text; /* guarded by nobody: it belongs to whoever has the letter */
};

static void *write_letter(void *argument)
{
    struct letter *letter = argument;

    letter->text = 42;
    ensure(shutdown_queue_put(letter->queue, letter, -1) == 0, "shutdown_queue_put returned an error");
    return NULL;
}

static void *read_letter(void *argument)
{
    struct shutdown_queue *queue = argument;
    void *item = NULL;

    ensure(shutdown_queue_get(queue, &item, -1) == 0 && item != NULL,
           "shutdown_queue_get returned an error, or no letter");
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
    shutdown_queue_destroy(letter.queue);
}

/* ---- one waits for the other ------------------------------------------------------------------------------------ */

struct meeting {
    struct shutdown_queue *queue;
    int64_t timeout_us;
    struct gate about_to_wait;
};

static void *wait_for_item(void *argument)
{
    struct meeting *meeting = argument;
    void *item = &things[0];

    ensure(shutdown_queue_get(meeting->queue, &item, 0) == ETIMEDOUT, "an empty queue gave an item");
    ensure(shutdown_queue_get(meeting->queue, &item, 1) == ETIMEDOUT && item == &things[0],
           "an empty queue gave an item");
    gate_open(&meeting->about_to_wait);
    ensure(shutdown_queue_get(meeting->queue, &item, meeting->timeout_us) == 0, "shutdown_queue_get returned an error");
    ensure(item == &things[1], "shutdown_queue_get gave another item than was put");
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

    ensure(shutdown_queue_put(meeting->queue, &things[2], 0) == ETIMEDOUT, "a full queue took an item");
    ensure(shutdown_queue_put(meeting->queue, &things[2], 1) == ETIMEDOUT, "a full queue took an item");
    gate_open(&meeting->about_to_wait);
    ensure(shutdown_queue_put(meeting->queue, &things[3], meeting->timeout_us) == 0,
           "shutdown_queue_put returned an error");
    return NULL;
}

static void *make_room(void *argument)
{
    struct meeting *meeting = argument;

    gate_pass(&meeting->about_to_wait);
    ensure(get(meeting->queue) == 1, "shutdown_queue_get gave another item than was put first");
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
    shutdown_queue_destroy(meeting.queue);
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

/* ---- join ------------------------------------------------------------------------------------------------------- */

struct work {
    struct shutdown_queue *queue;
    struct gate about_to_join; /* opened by the one who joins */
    struct gate at_work;       /* passed by the worker before it begins */
    int result;                /* written by the worker before it says that it is done */
};

static void *do_work(void *argument)
{
    struct work *work = argument;

    gate_pass(&work->at_work);
    get(work->queue);
    work->result = 42;
    ensure(shutdown_queue_done(work->queue) == 0, "shutdown_queue_done of a task returned an error");
    return NULL;
}

static void *join_work(void *argument)
{
    struct work *work = argument;

    gate_open(&work->about_to_join);
    shutdown_queue_join(work->queue);
    ensure(work->result == 42, "who joined does not see what the worker had done: %d", work->result);
    return NULL;
}

/* The worker begins when the other one is about to join, or that one joins when nothing else can change. */
static void work_and_join(bool worker_first)
{
    struct work work = {.queue = made(0)};

    put(work.queue, 1);
    if (worker_first)
        gate_open(&work.at_work);
    pthread_t worker = scenario_thread(do_work, &work);
    if (worker_first)
        scenario_join(worker);
    pthread_t joiner = scenario_thread(join_work, &work);
    gate_pass(&work.about_to_join);
    if (!worker_first) {
        gate_open(&work.at_work);
        scenario_join(worker);
    }
    scenario_join(joiner);
    ensure(shutdown_queue_unfinished(work.queue) == 0, "all is done, and something is unfinished");
    shutdown_queue_destroy(work.queue);
}

static void join_after_work(void)
{
    work_and_join(true);
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

    ensure(first != second, "shutdown_queue_get gave item %d twice", first);
    return NULL;
}

static void trio(struct shutdown_queue *queue, void *(*one)(void *), void *(*two)(void *), void *(*three)(void *))
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
    struct shutdown_queue *queue = made(0);

    trio(queue, get_one, get_one, put_1_and_2);
    ensure(shutdown_queue_unfinished(queue) == 2, "two items were put, none is done, and the count is another one");
    shutdown_queue_destroy(queue);
}

static void two_producers(void)
{
    if (!every_order)
        return;
    struct shutdown_queue *queue = made(2);

    put(queue, 3);
    put(queue, 4);
    trio(queue, put_1, put_2, get_two);
    ensure(shutdown_queue_size(queue) == 2, "four items were put and two were got, and there are not two left");
    shutdown_queue_destroy(queue);
}

static void join_and_work(void)
{
    if (every_order)
        work_and_join(false);
}

static void *get_and_do(void *argument)
{
    get(argument);
    ensure(shutdown_queue_done(argument) == 0, "shutdown_queue_done of a task returned an error");
    return NULL;
}

static void *put_and_join(void *argument)
{
    put(argument, 1);
    put(argument, 2);
    shutdown_queue_join(argument);
    ensure(shutdown_queue_unfinished(argument) == 0, "join has returned, and something is unfinished");
    return NULL;
}

static void two_workers(void)
{
    if (!every_order)
        return;
    struct shutdown_queue *queue = made(1);

    trio(queue, get_and_do, get_and_do, put_and_join);
    shutdown_queue_destroy(queue);
}

static void *only_join(void *argument)
{
    shutdown_queue_join(argument);
    return NULL;
}

static void *put_and_do_another(void *argument)
{
    put(argument, 2);
    ensure(shutdown_queue_done(argument) == 0, "shutdown_queue_done of a task returned an error");
    return NULL;
}

static void one_joins_one_gets(void)
{
    if (!every_order)
        return;
    struct shutdown_queue *queue = made(0);

    put(queue, 1);
    ensure(get(queue) == 1, "another item came out than was put");
    trio(queue, only_join, get_and_do, put_and_do_another);
    shutdown_queue_destroy(queue);
}

static void two_who_join(void)
{
    if (!every_order)
        return;
    struct shutdown_queue *queue = made(0);

    put(queue, 1);
    trio(queue, only_join, only_join, get_and_do);
    shutdown_queue_destroy(queue);
}

static void *do_and_do_more(void *argument)
{
    ensure(shutdown_queue_done(argument) == 0, "shutdown_queue_done of a task returned an error");
    put(argument, 2);
    ensure(shutdown_queue_done(argument) == 0, "shutdown_queue_done of a task returned an error");
    return NULL;
}

static void two_who_join_and_more_work(void)
{
    if (!every_order)
        return;
    struct shutdown_queue *queue = made(0);

    put(queue, 1);
    trio(queue, only_join, only_join, do_and_do_more);
    shutdown_queue_destroy(queue);
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

/* A put or get with a limit, which may pass at any moment. */
struct attempt {
    struct shutdown_queue *queue;
    int result;
};

static void *get_or_give_up(void *argument)
{
    struct attempt *attempt = argument;
    void *item = &things[0];

    attempt->result = shutdown_queue_get(attempt->queue, &item, 1);
    ensure(attempt->result == 0 || (attempt->result == ETIMEDOUT && item == &things[0]),
           "shutdown_queue_get with a time-out of 1 returned %d", attempt->result);
    return NULL;
}

static void *put_or_give_up(void *argument)
{
    struct attempt *attempt = argument;

    attempt->result = shutdown_queue_put(attempt->queue, &things[3], 1);
    ensure(attempt->result == 0 || attempt->result == ETIMEDOUT, "shutdown_queue_put with a time-out of 1 returned %d",
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
    ensure(shutdown_queue_size(attempt.queue) == 0, "all that was put was got, and the queue is not empty");
    shutdown_queue_destroy(attempt.queue);
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
    ensure(shutdown_queue_size(attempt.queue) == 1, "one item more was put than was got, and the queue has not one");
    shutdown_queue_destroy(attempt.queue);
}

/* ---- alone ------------------------------------------------------------------------------------------------------ */

static void many_items(void)
{
    struct shutdown_queue *queue = made(-1);

    for (int i = 0; i < 20; i++)
        put(queue, i % 8);
    for (int i = 0; i < 10; i++)
        ensure(get(queue) == i % 8, "items come out in another order than they went in");
    for (int i = 20; i < 50; i++)
        put(queue, i % 8);
    ensure(shutdown_queue_put(queue, NULL, -1) == 0, "shutdown_queue_put of NULL returned an error");
    ensure(shutdown_queue_size(queue) == 41, "41 items are in the queue, and it says otherwise");
    ensure(shutdown_queue_unfinished(queue) == 51, "51 items were put, none is done, and the count says otherwise");
    for (int i = 0; i < 51; i++)
        ensure(shutdown_queue_done(queue) == 0, "shutdown_queue_done of a task returned an error");
    ensure(shutdown_queue_done(queue) == EINVAL, "one task_done too many did not return EINVAL");
    shutdown_queue_join(queue);
    shutdown_queue_shutdown(queue, true, NULL, NULL);
    ensure(shutdown_queue_empty(queue) && shutdown_queue_is_shutdown(queue), "it was shut down, and says otherwise");
    shutdown_queue_destroy(queue);
    shutdown_queue_destroy(NULL);
    shutdown_queue_destroy(made(5));
}

SCENARIOS = {
    {"put_and_put", put_and_put, "two threads put, one after the other"},
    {"put_and_get", put_and_get, "one thread puts, another gets"},
    {"get_and_get", get_and_get, "two threads get, one after the other"},
    {"done_and_others", done_and_others, "one thread says task_done, another puts, gets, says the same or joins"},
    {"put_and_ask", put_and_ask, "one thread puts, another asks how many items and tasks there are"},
    {"get_and_ask", get_and_ask, "one thread gets, another asks how many items there are"},
    {"done_and_ask", done_and_ask, "one thread says task_done, another asks how many tasks there are"},
    {"shutdown_and_others", shutdown_and_others, "one thread shuts the queue down, another puts, gets or asks"},
    {"immediate_and_others", immediate_and_others, "the same, and what is in the queue is thrown away"},
    {"thrown_away", thrown_away, "one thread puts, another shuts the queue down at once"},
    {"getter_sent_away", getter_sent_away, "one thread waits for an item, another shuts the queue down"},
    {"putter_sent_away", putter_sent_away, "one thread waits for room, another shuts the queue down"},
    {"full_queue", full_queue, "one thread gets from a full queue, another puts"},
    {"a_queue_each", a_queue_each, "two threads make, use and end a queue each"},
    {"a_letter", a_letter, "one thread writes a letter and puts it, another gets it and reads it"},
    {"one_waits_for_an_item", one_waits_for_an_item, "one thread waits for an item, another puts one"},
    {"one_waits_for_an_item_with_a_limit", one_waits_for_an_item_with_a_limit, "the same, with a time-out"},
    {"one_waits_for_room", one_waits_for_room, "one thread waits for room, another gets an item"},
    {"one_waits_for_room_with_a_limit", one_waits_for_room_with_a_limit, "the same, with a time-out"},
    {"join_after_work", join_after_work, "a worker does its task, then another thread joins and looks at the result"},
    {"join_and_work", join_and_work, "one thread joins while a worker does the last task"},
    {"two_workers", two_workers, "two workers get and do a task each, another thread puts both and joins"},
    {"one_joins_one_gets", one_joins_one_gets,
     "a task is in hand; one thread joins, one waits for an item, another puts one and says that the task is done"},
    {"two_who_join", two_who_join, "two threads join, a worker does the last task"},
    {"two_who_join_and_more_work", two_who_join_and_more_work,
     "two threads join, a worker does the last task, then puts another one and does that too"},
    {"two_consumers", two_consumers, "two threads get an item each, another puts two"},
    {"two_producers", two_producers, "two threads put an item each into a full queue, another gets two"},
    {"two_getters_sent_away", two_getters_sent_away, "two threads wait for items, another puts one and shuts down"},
    {"two_putters_sent_away", two_putters_sent_away, "two threads wait for room, another gets one item and shuts down"},
    {"joiner_sent_away", joiner_sent_away, "one thread joins, one puts, another throws everything away"},
    {"getter_or_thrown_away", getter_or_thrown_away, "one thread gets, one puts, another throws everything away"},
    {"one_getter_gives_up", one_getter_gives_up,
     "two threads wait for an item, one of them with a limit, another thread puts one"},
    {"one_putter_gives_up", one_putter_gives_up,
     "two threads wait for room, one of them with a limit, another thread gets an item"},
    {"many_items", many_items, "one thread puts and gets many items"},
    SCENARIOS_END,
};
