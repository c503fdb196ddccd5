/* producer_consumer.h - the pipeline: some threads produce, some consume, a queue lies between them.
 *
 *     def producer():                         def consumer():
 *         for item in source():                   while True:
 *             q.put(item)                             try: item = q.get()
 *                                                     except queue.ShutDown: break
 *                                                     consume(item)
 *
 * Python has the queue and leaves the rest to you: who ends whom, and what becomes of what is on the way when one of
 * them fails. Here that is the whole of the work. It promises:
 *
 *   - Each item that was produced is consumed once, or (only where the run was stopped) dropped once: nothing is lost,
 *     nothing is done twice.
 *   - The producers run at the same time, each in a thread of its own, and so do the consumers, beside the producers.
 *     All these threads are started for the run; the one that calls it only waits.
 *   - At most `maxsize` items wait in the queue. A producer that is too quick waits asleep, and so does a consumer that
 *     has nothing to do.
 *   - Items come out of the queue in the order in which they went in, whoever takes them.
 *   - When all producers have ended and all items were consumed, everyone stops, and the run returns.
 *   - Where a consume fails, or a thread cannot be started, the run is stopped: everyone stops soon, also who sleeps.
 *     Items that lie in the queue are dropped and not consumed; each producer is asked at most once more, and that item
 *     is dropped too. An item that a consumer had already taken is consumed. Nobody waits for a drop that is still
 *     going on in another thread: the others stop meanwhile.
 *
 * It is built on shutdown.h. The run keeps nothing: any number may go on at the same time.
 */
#ifndef PRODUCER_CONSUMER_H
#define PRODUCER_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

/* What is to be run. All of it is the caller's and does not change during the run. */
struct producer_consumer {
    int producers; /* how many of each, at least 1 */
    int consumers;
    int64_t maxsize; /* of the queue between them; 0 or less: no bound but the memory */
    void *context;   /* is handed to all three functions */

    /* Stores the next item (any pointer, NULL too) of producer 0, 1, … in `*item` and returns true; or returns false:
     * that producer has no more, and is not asked again. Called by that producer's thread only, one call after another.
     */
    bool (*produce)(void *context, int producer, void **item);

    /* Consumes an item; it belongs to this function. Returns 0, or a positive errno value: the run is stopped. Called
     * by the thread of consumer 0, 1, … only, one call after another. */
    int (*consume)(void *context, int consumer, void *item);

    /* Is handed each item that was produced and will not be consumed; it belongs to this function. Any thread of the
     * run calls it, several at the same time too. May be NULL. */
    void (*drop)(void *context, void *item);
};

/* Runs the pipeline, and returns when it has ended: none of its threads runs any more, and nothing is kept. Blocks
 * until then. Returns 0 when everything was produced and consumed, else a positive errno value, of several that failed
 * the first:
 *   EINVAL  fewer than one producer, or fewer than one consumer: nothing was called
 *   ENOMEM  there is no memory
 *   other   what stopped the run: what the first consume that failed returned, or pthread_create, or what a put or the
 *           making of the queue returned */
int producer_consumer_run(const struct producer_consumer *job);

#endif
