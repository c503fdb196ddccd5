/* task_tests.h - what every queue that counts unfinished tasks must do, beside what every queue must do
 * (queue_tests.h): the count, task_done, join. Included by the tests.c of task_done and shutdown.
 */
#ifndef TASK_TESTS_H
#define TASK_TESTS_H

#include "queue_tests.h"

static void must_measure(struct this_queue *queue, size_t size, bool full)
{
    (void)full;
    must(queue_size(queue) == size, "There are %zu items in the queue, but " QUEUE "_size says %zu.", size,
         queue_size(queue));
}

static void must_count(struct this_queue *queue, size_t size, size_t unfinished)
{
    must_measure(queue, size, false);
    must(queue_unfinished(queue) == unfinished, "There are %zu unfinished tasks, but " QUEUE "_unfinished says %zu.",
         unfinished, queue_unfinished(queue));
}

static void must_done(struct this_queue *queue)
{
    must_return(0, queue_done(queue), QUEUE "_done where a task is unfinished");
}

/* ---- the count -------------------------------------------------------------------------------------------------- */

TEST(counts_tasks, "Each item that was put is one unfinished task until task_done: a get changes nothing of that.")
{
    struct this_queue *queue = new_queue(0);

    must_count(queue, 0, 0);
    for (int i = 0; i < 20; i++) {
        must_put(queue, i);
        must_count(queue, (size_t)i + 1, (size_t)i + 1);
    }
    for (int i = 0; i < 20; i++) {
        must_get(queue, i);
        must_count(queue, 19 - (size_t)i, 20);
    }
    for (int i = 0; i < 20; i++) {
        must_done(queue);
        must_count(queue, 0, 19 - (size_t)i);
    }
    queue_destroy(queue);
}

TEST(many_tasks, "There may be any number of unfinished tasks, also where the items were got long ago.")
{
    enum { MANY = 70000 };
    struct this_queue *queue = new_queue(1);
    void *item = NULL;
    int wrong = 0;

    for (int i = 0; i < MANY; i++)
        wrong += queue_put(queue, &things[1], 0) != 0 || queue_get(queue, &item, 0) != 0;
    must(wrong == 0, "Of %d puts and as many gets %d failed.", MANY, wrong);
    must_count(queue, 0, MANY);
    for (int i = 0; i < MANY; i++)
        wrong += queue_done(queue) != 0;
    must(wrong == 0, "%d items were put and got; of as many task_done %d failed.", MANY, wrong);
    must_count(queue, 0, 0);
    queue_destroy(queue);
}

TEST(one_done_too_many, "One task_done more than there were items is EINVAL, and changes nothing.")
{
    struct this_queue *queue = new_queue(0);

    must_return(EINVAL, queue_done(queue), QUEUE "_done of a new queue");
    must_count(queue, 0, 0);
    for (int round = 0; round < 2; round++) {
        must_put(queue, 1);
        must_put(queue, 2);
        must_get(queue, 1);
        must_get(queue, 2);
        must_done(queue);
        must_done(queue);
        must_return(EINVAL, queue_done(queue), "Two items were put: the third " QUEUE "_done");
        must_return(EINVAL, queue_done(queue), "The fourth");
        must_count(queue, 0, 0);
    }
    queue_destroy(queue);
}

TEST(done_before_get, "The queue does not ask who got what: as in Python task_done may come even before the get.")
{
    struct this_queue *queue = new_queue(0);

    must_put(queue, 1);
    must_put(queue, 2);
    must_done(queue);
    must_done(queue);
    must_count(queue, 2, 0);
    must_return(EINVAL, queue_done(queue), "Two items were put: the third " QUEUE "_done");
    queue_join(queue);
    must_get(queue, 1);
    must_get(queue, 2);
    must_return(EINVAL, queue_done(queue), "The two tasks had been done before the items were got: " QUEUE "_done");
    must_put(queue, 3);
    must_put(queue, 4);
    must_return(0, queue_done(queue), "Two items were put, the two before them were done before they were got");
    must_return(0, queue_done(queue), "The second of two");
    must_put(queue, 5);
    must_count(queue, 3, 1);
    queue_destroy(queue);
}

TEST(failed_put_counts_nothing, "A put that fails is no task, and one that still waits for room is none yet.")
{
    struct this_queue *queue = new_queue(1);
    struct visit timed = a_put(queue, 2, 1000), waiting = a_put(queue, 3, -1);

    must_put(queue, 1);
    must_return(ETIMEDOUT, queue_put(queue, &things[2], 0), QUEUE "_put into a full queue with a time-out of 0");
    must_count(queue, 1, 1);
    runner_join(runner_start(visit_run, &timed));
    must_return(ETIMEDOUT, timed.result, QUEUE "_put into a full queue with a time-out of 1000 µs");
    must_count(queue, 1, 1);
    must_wait(&waiting);
    must_count(queue, 1, 1);
    must_done(queue);
    must_return(EINVAL, queue_done(queue),
                "One item is in the queue, another one waits for room: the second " QUEUE "_done");
    must_get(queue, 1);
    must_end(&waiting, "An item was got, there is room, and");
    must_count(queue, 1, 1);
    must_done(queue);
    queue_destroy(queue);
}

static void get_and_do(void *argument)
{
    struct errand *errand = argument;
    void *item = NULL;

    errand->got = queue_get(errand->queue, &item, -1);
    errand->result = queue_done(errand->queue);
}

TEST(counted_when_it_can_be_got,
     "An item is counted from the moment at which it can be got: a quick worker's task_done finds it.")
{
    struct errand worker = {.queue = new_queue(0), .body = get_and_do, .got = -1, .result = -1};

    watch_for(&worker);
    int error = queue_put(worker.queue, &things[1], -1);
    finish(&worker);
    must_return(0, error, QUEUE "_put");
    must_return(0, worker.got, QUEUE "_get of a worker");
    must_return(0, worker.result, QUEUE "_done of a worker that got the item as soon as it could be got");
    must_count(worker.queue, 0, 0);
    queue_destroy(worker.queue);
}

static void only_done(void *argument)
{
    struct errand *errand = argument;

    errand->result = queue_done(errand->queue);
}

TEST(one_task_done_once,
     "Looking whether a task is unfinished and taking it away are one step: of two at once one fails.")
{
    struct errand other = {.queue = new_queue(0), .body = only_done, .result = -1};

    must_put(other.queue, 1);
    watch_for(&other);
    int error = queue_done(other.queue);
    finish(&other);
    must((error == 0 && other.result == EINVAL) || (error == EINVAL && other.result == 0),
         "One task was unfinished, two threads said task_done at the same time, and they got %d and %d.", error,
         other.result);
    must_count(other.queue, 1, 0);
    queue_destroy(other.queue);
}

static void put_and_do_it(void *argument)
{
    struct errand *errand = argument;

    errand->got = queue_put(errand->queue, &things[1], 0);
    errand->result = queue_done(errand->queue);
}

TEST(too_many_at_no_moment,
     "One task_done too many changes nothing, not even for a moment in which somebody else comes.")
{
    struct errand other = {.queue = new_queue(0), .body = put_and_do_it, .got = -1, .result = -1};

    watch_for(&other);
    int error = queue_done(other.queue);
    finish(&other);
    must_return(EINVAL, error, QUEUE "_done where nothing was unfinished");
    must_return(0, other.runner == NULL ? 0 : other.got, QUEUE "_put where there is room, at the same time,");
    must_return(0, other.runner == NULL ? 0 : other.result,
                "One thread said task_done where nothing was unfinished; just then another one put an item and said "
                "task_done for it: its " QUEUE "_done");
    must_count(other.queue, other.runner == NULL ? 0 : 1, 0);
    queue_destroy(other.queue);
}

static void only_count(void *argument)
{
    struct errand *errand = argument;

    errand->got = (int)queue_unfinished(errand->queue);
}

TEST(refused_at_no_moment, "A put that fails is no task, not even for a moment.")
{
    struct errand other = {.queue = new_queue(1), .body = only_count, .got = 1};

    must_put(other.queue, 1);
    watch_for(&other);
    int error = queue_put(other.queue, &things[2], 0);
    finish(&other);
    must_return(ETIMEDOUT, error, QUEUE "_put into a full queue with a time-out of 0");
    must(other.got == 1,
         "One item was put, a put of a second one was just about to fail, and " QUEUE "_unfinished "
         "said %d.",
         other.got);
    must_count(other.queue, 1, 1);
    queue_destroy(other.queue);
}

/* ---- join ------------------------------------------------------------------------------------------------------- */

static struct tally join_slices; /* waits of those who join that looked again after a moment */

static void join_queue(void *queue)
{
    slices = &join_slices;
    queue_join(queue);
}

/* Starts a thread that joins, and goes on when it sleeps. */
static struct runner *must_join_asleep(struct this_queue *queue)
{
    struct runner *joiner = runner_start(join_queue, queue);
    enum runner_state state = runner_state(joiner);

    must(state != RUNNER_BUSY, "A thread that joins should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED, "%zu tasks are unfinished, and " QUEUE "_join returned.", queue_unfinished(queue));
    must(tally_read(&join_slices) == 0, "A thread that joins should sleep until it is woken, but it sleeps for a "
                                        "moment, looks, and sleeps again.");
    return joiner;
}

static void must_be_joined(struct runner *joiner, const char *when)
{
    must_be_done(joiner, "%s a thread that joins was not woken.", when);
    runner_join(joiner);
}

TEST(nothing_to_wait_for, "Where no task is unfinished, join does not wait.")
{
    struct this_queue *queue = new_queue(2);

    for (int round = 0; round < 2; round++) {
        struct runner *joiner = runner_start(join_queue, queue);
        must_be_joined(joiner, "No task is unfinished, and");
        must_put(queue, 1);
        must_get(queue, 1);
        must_done(queue);
    }
    queue_destroy(queue);
}

TEST(until_done_not_until_taken, "join waits until every item was done: an empty queue is not enough.")
{
    struct this_queue *queue = new_queue(0);

    must_put(queue, 1);
    must_put(queue, 2);
    struct runner *joiner = must_join_asleep(queue);
    must_get(queue, 1);
    must_get(queue, 2);
    must_be_blocked(joiner, "Both items were got and none is done, and " QUEUE "_join returned.");
    must_done(queue);
    must_be_blocked(joiner, "Of two items one is done, and " QUEUE "_join returned.");
    must_done(queue);
    must_be_joined(joiner, "Both items are done, and");
    queue_destroy(queue);
}

TEST(items_in_between, "What is put while somebody joins counts too; only when all is done the join ends.")
{
    struct this_queue *queue = new_queue(0);

    must_put(queue, 1);
    struct runner *joiner = must_join_asleep(queue);
    must_put(queue, 2);
    must_get(queue, 1);
    must_done(queue);
    must_be_blocked(joiner, "A second item was put, only the first is done, and " QUEUE "_join returned.");
    must_get(queue, 2);
    must_done(queue);
    must_be_joined(joiner, "Both items are done, and");
    queue_destroy(queue);
}

TEST(all_who_join, "All who join are woken, not just one.")
{
    enum { JOINERS = 4 };
    struct this_queue *queue = new_queue(1);
    struct runner *joiners[JOINERS];

    must_put(queue, 1);
    for (int i = 0; i < JOINERS; i++)
        joiners[i] = must_join_asleep(queue);
    must_get(queue, 1);
    must_done(queue);
    for (int i = 0; i < JOINERS; i++)
        must_be_joined(joiners[i], "Four threads joined, the last task is done, and");
    queue_destroy(queue);
}

static void do_one(void *argument)
{
    struct errand *errand = argument;

    errand->result = queue_done(errand->queue);
}

TEST(nobody_waits_for_who_joins,
     "task_done does not wait, and a put where there is room does not either, until those who join have woken up.")
{
    struct errand worker = {.queue = new_queue(0), .result = -1};
    struct visit putter = a_put(worker.queue, 2, -1);

    must_put(worker.queue, 1);
    must_join_asleep(worker.queue); /* and that one sleeps on: its wake-up is still on its way */
    must_get(worker.queue, 1);
    wrap_lose_signals(true);
    worker.runner = runner_start(do_one, &worker);
    must_be_done(worker.runner,
                 "The last task is done, who joins has not woken up yet, and " QUEUE "_done waits for it.");
    runner_join(worker.runner);
    must_return(0, worker.result, QUEUE "_done where a task is unfinished");
    putter.runner = runner_start(visit_run, &putter);
    must_be_done(putter.runner,
                 "The last task was done, who joins has not woken up yet, and " QUEUE "_put waits for it.");
    runner_join(putter.runner);
    must_return(0, putter.result, QUEUE "_put where there is room");
    must_count(worker.queue, 1, 1);
}

TEST(joins_again, "After a join the queue is used on as before, and joined again.")
{
    struct this_queue *queue = new_queue(1);

    for (int round = 0; round < 3; round++) {
        must_put(queue, round);
        struct runner *joiner = must_join_asleep(queue);
        must_get(queue, round);
        must_be_blocked(joiner, "The item was got and is not done, and " QUEUE "_join returned.");
        must_done(queue);
        must_be_joined(joiner, "The item is done, and");
        must_count(queue, 0, 0);
    }
    queue_destroy(queue);
}

TEST(join_woken_for_nothing, "Who joins and wakes up looks again: a wait may end although nobody has signalled.")
{
    struct this_queue *queue = new_queue(0);

    must_put(queue, 1);
    wrap_fail(WRAP_pthread_cond_wait, 1, 0);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    struct runner *joiner = must_join_asleep(queue);
    must_done(queue);
    must_be_joined(joiner, "The item is done, and");
    queue_destroy(queue);
}

TEST(everybody_waits_for_his_own,
     "Who joins, who gets and who puts wait for different things, and each is woken for its own.")
{
    struct this_queue *queue = new_queue(1), *full = new_queue(1);
    struct visit getter = a_get(queue, -1), putter = a_put(full, 2, -1);

    must_put(queue, 1);
    must_get(queue, 1); /* one task in somebody's hands */
    struct runner *joiner = must_join_asleep(queue);
    must_wait(&getter);
    must_done(queue);
    must_be_joined(joiner, "The last task is done, and");
    must_still_wait(&getter, "A task is done, nothing was put, and");
    must_put(queue, 2);
    must_end(&getter, "An item was put, and");
    must_put(full, 1);
    must_wait(&putter);
    joiner = must_join_asleep(full);
    must_done(full);
    must_be_joined(joiner, "The last task is done, and");
    must_still_wait(&putter, "A task is done, nothing was got, and");
    must_get(full, 1);
    must_end(&putter, "An item was got, and");
    queue_destroy(queue);
    queue_destroy(full);
}

TEST(no_memory_counts_nothing, "A put that finds no memory is no task.")
{
    enum { MANY = 100000 };
    struct this_queue *queue = new_queue(0);
    size_t kept = 0;
    int error = 0;

    wrap_fail_memory(-1);
    for (; kept < MANY && error == 0; kept += error == 0 ? 1 : 0)
        error = queue_put(queue, &things[1], 0);
    must_return(ENOMEM, error, "Without memory, one of very many puts");
    must_count(queue, kept, kept);
    wrap_fail_memory(0);
    queue_destroy(queue);
}

static void done_now(void *argument)
{
    struct query *query = argument;

    query->result = queue_done(query->queue);
}

static void count_now(void *argument)
{
    struct query *query = argument;

    size_t unfinished = queue_unfinished(query->queue);
    query->result = unfinished == 1 || unfinished == 2 ? 0 : EBUSY;
}

TEST(busy_is_no_answer, "task_done and the count wait for their turn: that another thread is just at the queue is no "
                        "reason to fail.")
{
    must_be_served(done_now, "A task is unfinished, another thread just puts a second one: " QUEUE "_done");
    must_be_served(count_now, "A task is unfinished, another thread just puts a second one: asking whether " QUEUE
                              "_unfinished is 1 or 2");
}

#endif
