/* shutdown.h - a queue that can be closed while others wait at it: shutdown of Python's queue.Queue, new in 3.13.
 *
 *     q.shutdown()                # no more puts; what is in it may still be got, then queue.ShutDown
 *     q.shutdown(immediate=True)  # what is in it is thrown away
 *
 * It promises, beside what a queue promises (fifo_queue.h: first in, first out; who waits sleeps, and is woken) and
 * what task_done and join promise (task_done.h):
 *
 *   - After a shutdown every put fails with ESHUTDOWN, whether there is room or not.
 *   - After a shutdown gets go on until the queue is empty, and then fail with ESHUTDOWN. Nothing that was put is lost.
 *   - An immediate shutdown empties the queue, and the items thrown away are no longer unfinished tasks: that it is
 *     shut down, empty, and has so many tasks less comes at one moment, and nobody sees one without the others. Items
 *     that were got before are still unfinished, and who joins waits for them.
 *   - A shutdown wakes everyone who sleeps in put, in get, and (where no task is unfinished any more) in join.
 *   - It is for good. It may be called again, and an immediate one may follow a plain one.
 *   - task_done and join work after it as before.
 *
 * Where both hold, that the queue is shut down and that a put or get would have to wait, ESHUTDOWN is what they return.
 *
 * An item is any pointer, NULL too; it belongs to whoever has it. All calls but create and destroy may be made from any
 * number of threads at the same time. Time-outs are microseconds by the monotonic clock: negative waits for ever, 0
 * does not wait. ESHUTDOWN is in the <errno.h> of Linux, the BSDs and macOS, though not in POSIX's own list.
 */
#ifndef SHUTDOWN_H
#define SHUTDOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shutdown_queue;

/* Makes an empty queue, not shut down, for `maxsize` items (0 or less: no bound but the memory), first in, first out,
 * and stores it in `*queue`. It belongs to the caller, who ends it with shutdown_queue_destroy. Returns 0, or a
 * positive errno value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int shutdown_queue_create(struct shutdown_queue **queue, int64_t maxsize);

/* Where the items of a queue lie, and in which order they come out. This is what LifoQueue and PriorityQueue replace in
 * Python, where these are the methods _init, _put and _get of Queue. The queue calls them one at a time, and between
 * one call and the next a thread's work is seen by the next one's: so they need no lock. They must not use the queue.
 */
struct shutdown_queue_store {
    /* Keeps one more item. Returns 0, or a positive errno value: then it did not. */
    int (*push)(void *place, void *item);
    /* Gives up the next item. Called only where there is one. */
    void *(*pop)(void *place);
    /* Frees the place. Items that are still there are not touched. */
    void (*end)(void *place);
};

/* As shutdown_queue_create, with a store of the caller's. `store` must last as long as the queue. On success `place`
 * belongs to the queue, whose destroy ends it with store->end; on failure it is still the caller's. */
int shutdown_queue_create_with(struct shutdown_queue **queue, int64_t maxsize, const struct shutdown_queue_store *store,
                               void *place);

/* Ends a queue that nobody uses any more, and gives back all that it holds; items that are still in it are not touched.
 * NULL is fine. */
void shutdown_queue_destroy(struct shutdown_queue *queue);

/* Puts an item, which is one more unfinished task. While the queue is full it waits for room, at most `timeout_us`.
 * Returns 0, else a positive errno value, with the queue and its count as they were, and the item is still the
 * caller's:
 *   ESHUTDOWN  the queue is shut down, or was while the call waited (Python: queue.ShutDown)
 *   ETIMEDOUT  the queue was full and remained so for that time; at once with a time-out of 0 (Python: queue.Full)
 *   other      what the store's push returned: ENOMEM (Python: MemoryError) */
int shutdown_queue_put(struct shutdown_queue *queue, void *item, int64_t timeout_us);

/* Takes the next item and stores it in `*item`; its task remains unfinished. While the queue is empty it waits for an
 * item, at most `timeout_us`. Returns 0, else a positive errno value, and then `*item` is as it was:
 *   ESHUTDOWN  the queue is empty and shut down, be it before the call or while it waited (Python: queue.ShutDown)
 *   ETIMEDOUT  the queue was empty and remained so for that time; at once with a time-out of 0 (Python: queue.Empty) */
int shutdown_queue_get(struct shutdown_queue *queue, void **item, int64_t timeout_us);

/* Says that one task is finished (Python: task_done). With the last one all who join are woken. Does not wait. Returns
 * 0, or EINVAL, and then nothing has changed: there was no unfinished task (Python: ValueError). */
int shutdown_queue_done(struct shutdown_queue *queue);

/* Waits until no task is unfinished, however long that takes (Python: join). */
void shutdown_queue_join(struct shutdown_queue *queue);

/* Shuts the queue down. An immediate shutdown takes all items out, in the order in which gets would have, and takes as
 * many from the count of unfinished tasks, as far as there are that many (a task_done may have come before its get).
 * Where `discard` is not NULL, the calling thread calls it with each of these items, in that order, before this
 * returns: so that memory behind them is not lost. It may use the queue, and take its time: everyone has been woken
 * before the first call, and others may use the queue meanwhile. A shutdown waits for nobody, and cannot fail. */
void shutdown_queue_shutdown(struct shutdown_queue *queue, bool immediate, void (*discard)(void *context, void *item),
                             void *context);

/* Whether the queue is shut down (Python: is_shutdown). Once true, it remains so. */
bool shutdown_queue_is_shutdown(struct shutdown_queue *queue);

/* How many items are in the queue (Python: qsize); whether there is none; whether there is no room for one more, be it
 * shut down or not; how many tasks are unfinished (Python: unfinished_tasks). At the moment of the call: others may
 * have changed it by the time the caller looks. */
size_t shutdown_queue_size(struct shutdown_queue *queue);
bool shutdown_queue_empty(struct shutdown_queue *queue);
bool shutdown_queue_full(struct shutdown_queue *queue);
size_t shutdown_queue_unfinished(struct shutdown_queue *queue);

#endif
