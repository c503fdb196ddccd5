/* tests.c - a queue between threads: what every queue must do (queue_tests.h), and what this one says of itself. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syscall */
#endif
#include "fifo_queue.h"
#include "queue_tests.h"

static void must_measure(struct fifo_queue *queue, size_t size, bool full)
{
    must(fifo_queue_size(queue) == size, "There are %zu items in the queue, but fifo_queue_size says %zu.", size,
         fifo_queue_size(queue));
    must(fifo_queue_empty(queue) == (size == 0), "There are %zu items in the queue, but fifo_queue_empty says %s.",
         size, fifo_queue_empty(queue) ? "true" : "false");
    must(fifo_queue_full(queue) == full, "With %zu items in the queue fifo_queue_full should be %s.", size,
         full ? "true" : "false");
}

static void ask_full_now(void *argument)
{
    struct query *query = argument;

    query->result = fifo_queue_full(query->queue) ? 1 : 0;
}

static void ask_empty_now(void *argument)
{
    struct query *query = argument;

    query->result = fifo_queue_empty(query->queue) ? 1 : 0;
}

/* While another call, which will change nothing, is held up at a queue with room for one item that is full, or empty.
 */
static void must_answer(bool full, bool ask_full)
{
    struct query query = {.queue = new_queue(1), .body = ask_full ? ask_full_now : ask_empty_now, .result = -1};
    void *item = NULL;

    if (full)
        must_put(query.queue, 1);
    asked_meanwhile = true;
    wrap_after(WRAP_pthread_mutex_lock, ask_meanwhile, &query);
    int error = full ? fifo_queue_put(query.queue, &things[2], 0) : fifo_queue_get(query.queue, &item, 0);
    wrap_after(WRAP_pthread_mutex_lock, NULL, NULL);
    asked_meanwhile = false;
    runner_join(query.runner != NULL ? query.runner : runner_start(query.body, &query));
    must_return(ETIMEDOUT, error,
                full ? "fifo_queue_put into a full queue with a time-out of 0"
                     : "fifo_queue_get of an empty queue with a time-out of 0");
    must(query.result == (full == ask_full),
         "The queue is %s and stays so, another thread is just at it, and %s says %s.", full ? "full" : "empty",
         ask_full ? "fifo_queue_full" : "fifo_queue_empty", query.result != 0 ? "true" : "false");
    fifo_queue_destroy(query.queue);
}

TEST(busy_is_no_answer, "Who asks whether the queue is empty or full gets the answer, also when another thread is just "
                        "at the queue.")
{
    for (int which = 0; which < 4; which++)
        must_answer(which / 2 == 1, which % 2 == 1);
}
