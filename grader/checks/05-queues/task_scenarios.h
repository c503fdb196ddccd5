/* task_scenarios.h - a few threads at a queue that counts unfinished tasks, beside those at any queue
 * (queue_scenarios.h). Included by the scenario.c of task_done and shutdown.
 */
#ifndef TASK_SCENARIOS_H
#define TASK_SCENARIOS_H

#include "queue_scenarios.h"

static void ask_unfinished(void *object)
{
    ensure(queue_unfinished(object) <= 2, "there are more tasks than were put");
}

static void one_done(void *object)
{
    int error = queue_done(object);

    ensure(error == 0 || error == EINVAL, QUEUE "_done returned %d", error);
}

static void only_join_it(void *object)
{
    queue_join(object);
}

static void done_and_others(void)
{
    pairs(one_done, put_one);
    pairs(one_done, try_get);
    pairs(one_done, one_done);

    struct this_queue *queue = made(0);
    put(queue, 0);
    in_order(one_done, only_join_it, queue); /* nothing is unfinished when it joins */
    in_order(only_join_it, put_one, queue);
    queue_destroy(queue);
}

static void put_and_count(void)
{
    pairs(put_one, ask_unfinished);
}

static void done_and_ask(void)
{
    pairs(one_done, ask_unfinished);
}

/* ---- join ------------------------------------------------------------------------------------------------------- */

struct work {
    struct this_queue *queue;
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
    ensure(queue_done(work->queue) == 0, QUEUE "_done of a task returned an error");
    return NULL;
}

static void *join_work(void *argument)
{
    struct work *work = argument;

    gate_open(&work->about_to_join);
    queue_join(work->queue);
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
    ensure(queue_unfinished(work.queue) == 0, "all is done, and something is unfinished");
    queue_destroy(work.queue);
}

static void join_after_work(void)
{
    work_and_join(true);
}

static void join_and_work(void)
{
    if (every_order)
        work_and_join(false);
}

static void *get_and_do(void *argument)
{
    get(argument);
    ensure(queue_done(argument) == 0, QUEUE "_done of a task returned an error");
    return NULL;
}

static void *put_and_join(void *argument)
{
    put(argument, 1);
    put(argument, 2);
    queue_join(argument);
    ensure(queue_unfinished(argument) == 0, "join has returned, and something is unfinished");
    return NULL;
}

static void two_workers(void)
{
    if (!every_order)
        return;
    struct this_queue *queue = made(1);

    trio(queue, get_and_do, get_and_do, put_and_join);
    queue_destroy(queue);
}

static void *only_join(void *argument)
{
    queue_join(argument);
    return NULL;
}

static void *put_and_do_another(void *argument)
{
    put(argument, 2);
    ensure(queue_done(argument) == 0, QUEUE "_done of a task returned an error");
    return NULL;
}

static void one_joins_one_gets(void)
{
    if (!every_order)
        return;
    struct this_queue *queue = made(0);

    put(queue, 1);
    ensure(get(queue) == 1, "another item came out than was put");
    trio(queue, only_join, get_and_do, put_and_do_another);
    queue_destroy(queue);
}

static void two_who_join(void)
{
    if (!every_order)
        return;
    struct this_queue *queue = made(0);

    put(queue, 1);
    trio(queue, only_join, only_join, get_and_do);
    queue_destroy(queue);
}

static void *do_and_do_more(void *argument)
{
    ensure(queue_done(argument) == 0, QUEUE "_done of a task returned an error");
    put(argument, 2);
    ensure(queue_done(argument) == 0, QUEUE "_done of a task returned an error");
    return NULL;
}

static void two_who_join_and_more_work(void)
{
    if (!every_order)
        return;
    struct this_queue *queue = made(0);

    put(queue, 1);
    trio(queue, only_join, only_join, do_and_do_more);
    queue_destroy(queue);
}

/* ---- alone ------------------------------------------------------------------------------------------------------ */

static void many_tasks(void)
{
    struct this_queue *queue = made_with_many();

    ensure(queue_unfinished(queue) == 51, "51 items were put, none is done, and the count says otherwise");
    for (int i = 0; i < 51; i++)
        ensure(queue_done(queue) == 0, QUEUE "_done of a task returned an error");
    ensure(queue_done(queue) == EINVAL, "one task_done too many did not return EINVAL");
    queue_join(queue);
    queue_destroy(queue);
}

/* For the list in scenario.c. */
#define TASK_SCENARIOS                                                                                                 \
    {"done_and_others", done_and_others, "one thread says task_done, another puts, gets, says the same or joins"},     \
        {"put_and_count", put_and_count, "one thread puts, another asks how many tasks there are"},                    \
        {"done_and_ask", done_and_ask, "one thread says task_done, another asks how many tasks there are"},            \
        {"join_after_work", join_after_work,                                                                           \
         "a worker does its task, then another thread joins and looks at the result"},                                 \
        {"join_and_work", join_and_work, "one thread joins while a worker does the last task"},                        \
        {"two_workers", two_workers, "two workers get and do a task each, another thread puts both and joins"},        \
        {"one_joins_one_gets", one_joins_one_gets,                                                                     \
         "a task is in hand; one thread joins, one waits for an item, another puts one and says that the task is "     \
         "done"},                                                                                                      \
        {"two_who_join", two_who_join, "two threads join, a worker does the last task"},                               \
        {"two_who_join_and_more_work", two_who_join_and_more_work,                                                     \
         "two threads join, a worker does the last task, then puts another one and does that too"},                    \
    {                                                                                                                  \
        "many_tasks", many_tasks, "one thread puts many items and says task_done for each"                             \
    }

#endif
