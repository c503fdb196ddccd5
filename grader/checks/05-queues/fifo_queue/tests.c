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
