/* task_done.h - a queue that knows when all its work is done: task_done and join of Python's queue.Queue.
 *
 *     def worker():
 *         while True:
 *             job = q.get()
 *             do(job)
 *             q.task_done()
 *
 *     for job in jobs:
 *         q.put(job)
 *     q.join()                    # until every job was done, not just taken
 *
 * An empty queue does not mean that the work is done: what was taken last may still be in somebody's hands. So the
 * queue counts. It promises, beside what a queue promises (fifo_queue.h: first in, first out; who waits sleeps, and is
 * woken):
 *
 *   - Each item that was put is one unfinished task, from the moment at which it can be got.
 *   - Each task_done takes one away. One more than there were items is an error, and changes nothing.
 *   - Who joins waits asleep until no task is unfinished; at that moment all who join are woken. Where none is
 *     unfinished, it does not wait.
 *   - The queue does not ask who got which item: any thread may say task_done, and as in Python even before the get.
 *   - After a join the queue is used on as before.
 *
 * Who joins sees what the workers did before they said task_done. An item is any pointer, NULL too; it belongs to
 * whoever has it. All calls but create and destroy may be made from any number of threads at the same time.
 *
 * Time-outs are microseconds by the monotonic clock: negative waits for ever, 0 does not wait.
 */
#ifndef TASK_DONE_H
#define TASK_DONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task_done_queue;

/* Makes an empty queue with no unfinished task, for `maxsize` items (0 or less: no bound but the memory), and stores
 * it in `*queue`. It belongs to the caller, who ends it with task_done_queue_destroy. Returns 0, or a positive errno
 * value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int task_done_queue_create(struct task_done_queue **queue, int64_t maxsize);

/* Ends a queue that nobody uses any more, and gives back all that it holds; items that are still in it are not touched.
 * NULL is fine. */
void task_done_queue_destroy(struct task_done_queue *queue);

/* Puts an item at the end, which is one more unfinished task. While the queue is full it waits for room, at most
 * `timeout_us`. Returns 0, else a positive errno value, with the queue and its count as they were:
 *   ETIMEDOUT  the queue was full and remained so for that time; with a time-out of 0, at once (Python: queue.Full)
 *   ENOMEM     there is no memory for one more item (Python: MemoryError) */
int task_done_queue_put(struct task_done_queue *queue, void *item, int64_t timeout_us);

/* Takes the item at the front and stores it in `*item`; its task remains unfinished. While the queue is empty it waits
 * for an item, at most `timeout_us`. Returns 0, or ETIMEDOUT, and then `*item` is as it was: the queue was empty and
 * remained so for that time; with a time-out of 0, at once (Python: queue.Empty). */
int task_done_queue_get(struct task_done_queue *queue, void **item, int64_t timeout_us);

/* Says that one task is finished (Python: task_done). With the last one all who join are woken. Does not wait. Returns
 * 0, or EINVAL, and then nothing has changed: there was no unfinished task (Python: ValueError, "task_done() called too
 * many times"). */
int task_done_queue_done(struct task_done_queue *queue);

/* Waits until no task is unfinished, however long that takes (Python: join). */
void task_done_queue_join(struct task_done_queue *queue);

/* How many items are in the queue (Python: qsize), and how many tasks are unfinished (Python: unfinished_tasks): at the
 * moment of the call; others may have changed it by the time the caller looks. Does not wait. */
size_t task_done_queue_size(struct task_done_queue *queue);
size_t task_done_queue_unfinished(struct task_done_queue *queue);

#endif
