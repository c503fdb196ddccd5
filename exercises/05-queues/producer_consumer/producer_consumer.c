/* producer_consumer.c - the pipeline: some threads produce, some consume, a queue lies between them.
 *
 * Theory of operation: the caller starts the consumers, then the producers, and joins the producers, then the
 * consumers. How does a consumer know that nothing more will come? Not by an empty queue: a producer may just be slow.
 * When all producers were joined, nobody puts any more, and the caller shuts the queue down: each consumer gets what is
 * left, and then ESHUTDOWN, which is the end for it.
 *
 * Who sees something fail stops the run: it writes down the error, if it is the first, and shuts the queue down at
 * once, which wakes everybody who sleeps at it. What lies in the queue goes to drop, and so does what a producer could
 * not put. No lock is held while produce, consume or drop runs, and a thread waits for nothing but the queue: so
 * everyone stops.
 */
#include "producer_consumer.h"

#include "shutdown.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
/* What do all threads of a run share, what guards it, and what does each of them know by itself? */
struct run {
    const struct producer_consumer *job;
};
/* end state */

/* region stop */
/* A place for helpers: an item is dropped; the run is stopped, everywhere, and the first error is kept. */
/* end stop */

/* region workers */
/* A place for what a producer's thread does, and a consumer's. When does each of them end? */
/* end workers */

/* region run */
/* Make the queue, start everybody, wait for everybody, end what was made. What tells the consumers that nothing more
 * will come? And what if a thread cannot be started? */
int producer_consumer_run(const struct producer_consumer *job)
{
    (void)job;
    return ENOSYS;
}
/* end run */
