/* lifo_priority.h - two other orders: Python's queue.LifoQueue and queue.PriorityQueue.
 *
 *     q = queue.LifoQueue()       # the newest first: a stack
 *     q = queue.PriorityQueue()   # the least first: a heap
 *
 * In Python both are a Queue with other methods _init, _put and _get; all that has to do with threads they inherit.
 * Here both are a shutdown_queue with another store (shutdown.h), and all its calls work on them: put, get, done, join,
 * shutdown and the rest. What they promise of their own:
 *
 *   - LIFO: get takes the item that was put last.
 *   - Priority: get takes the item that comes before all others; of several of which none comes before the other, the
 *     one that was put first. (Python leaves that last order open.)
 *   - Any number of items, NULL among them: no bound but maxsize and the memory. Counted over many, a put or a get of a
 *     priority queue with n items takes some log2(n) steps, not n, in whatever order items come and go; one of a LIFO
 *     queue a step or two, but for the memory that it may have to take now and then.
 *   - Where there is no memory for one more item, the put returns ENOMEM, and the queue is as it was. A get needs no
 *     memory: it never fails for want of it.
 *   - Each queue is on its own: any number of them may be used at the same time.
 *
 * The queue calls the store's functions one at a time: they need no lock.
 */
#ifndef LIFO_PRIORITY_H
#define LIFO_PRIORITY_H

#include "shutdown.h"

#include <stdbool.h>
#include <stdint.h>

/* Makes an empty queue, newest first, for `maxsize` items (0 or less: no bound but the memory), and stores it in
 * `*queue`. It belongs to the caller, who ends it with shutdown_queue_destroy. Returns 0, or a positive errno value,
 * and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what shutdown_queue_create_with returned */
int lifo_priority_create_lifo(struct shutdown_queue **queue, int64_t maxsize);

/* The same, ordered by `before`, which says whether `one` is to come out before `other`: Python's `one < other`. It is
 * called while the queue's lock is held, so it must not use the queue. It is asked only about items that are in the
 * queue, or just come or go, NULL where NULL was put: one that was got is its getter's, who may free it. Its answer for
 * the same two never changes while they are in the queue. */
int lifo_priority_create_priority(struct shutdown_queue **queue, int64_t maxsize,
                                  bool (*before)(const void *one, const void *other));

#endif
