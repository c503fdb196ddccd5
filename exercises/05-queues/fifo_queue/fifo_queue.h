/* fifo_queue.h - a queue between threads, first in, first out: Python's queue.Queue.
 *
 *     q = queue.Queue(maxsize=2)
 *     q.put("a")                  # waits while there are two items in it
 *     q.get(timeout=0.5)          # waits for one, at most half a second: then queue.Empty
 *
 * It promises:
 *
 *   - Items come out in the order in which they went in. Each comes out once, none is lost.
 *   - There are never more than `maxsize` items in it. Who puts one more waits asleep until there is room.
 *   - Who gets from an empty queue waits asleep until there is an item.
 *   - Whoever waits is woken when what it waits for has come: while there is an item nobody sleeps for one, while there
 *     is room nobody sleeps for that.
 *   - Which of several threads that wait gets the next item is not promised.
 *   - A put or a get that need not wait costs the same however many items there are, but for the memory that a put may
 *     have to take now and then.
 *
 * An item is any pointer, NULL too. The queue never looks behind it, and never owns what is there: who puts an item
 * hands it to whoever gets it. What a thread did before it put an item, the thread that gets it sees.
 *
 * All calls but create and destroy may be made from any number of threads at the same time.
 *
 * Time-outs are microseconds by the monotonic clock: negative waits for ever, 0 does not wait.
 */
#ifndef FIFO_QUEUE_H
#define FIFO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fifo_queue;

/* Makes an empty queue for `maxsize` items and stores it in `*queue`. A maxsize of 0 or less means: no bound but the
 * memory. A large one costs nothing by itself: memory is taken for the items that come. The queue belongs to the
 * caller, who ends it with fifo_queue_destroy. Returns 0, or a positive errno value, and then nothing was made and
 * nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int fifo_queue_create(struct fifo_queue **queue, int64_t maxsize);

/* Ends a queue that nobody uses any more, and gives back all that it holds; items that are still in it are not touched.
 * NULL is fine. */
void fifo_queue_destroy(struct fifo_queue *queue);

/* Puts an item at the end, as Queue.put(item, block, timeout) does. While the queue is full it waits for room, at most
 * `timeout_us`. Where there is room it does not wait, whatever the time-out. Returns 0 when the item is in the queue,
 * else a positive errno value, with the queue as it was, and the item is still the caller's:
 *   ETIMEDOUT  the queue was full and remained so for that time; with a time-out of 0, at once (Python: queue.Full)
 *   ENOMEM     there is no memory for one more item (Python: MemoryError) */
int fifo_queue_put(struct fifo_queue *queue, void *item, int64_t timeout_us);

/* Takes the item at the front and stores it in `*item`, as Queue.get(block, timeout) does. While the queue is empty it
 * waits for an item, at most `timeout_us`. Returns 0, or ETIMEDOUT, and then `*item` is as it was: the queue was empty
 * and remained so for that time; with a time-out of 0, at once (Python: queue.Empty). */
int fifo_queue_get(struct fifo_queue *queue, void **item, int64_t timeout_us);

/* How many items are in the queue (Python: qsize). By the time the caller looks at the answer others may have put and
 * got; so do not ask and then act on it: put and get with a time-out of 0 do both in one step. Does not wait. */
size_t fifo_queue_size(struct fifo_queue *queue);

/* Whether there is no item in it; whether there is no room for one more. A queue without a bound is never full. As
 * fifo_queue_size. */
bool fifo_queue_empty(struct fifo_queue *queue);
bool fifo_queue_full(struct fifo_queue *queue);

#endif
