/* pool_map.c - one function over a whole list, by the workers of a pool.
 *
 * Theory of operation: no threads of its own. The list is cut into chunks; each is a task of the executor, and has a
 * struct that says which items are its own. The chunks write to different results, so these need no lock. They share
 * one thing, the first error, which the job's mutex guards. Who called sleeps on the chunks' futures, one after the
 * other, in whatever order they end; a future also tells when somebody has cancelled a chunk, which a mere count of
 * those that are left would wait for in vain.
 */
#include "pool_map.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

/* region state */
/* A place for what a chunk has to know, and for what all chunks share. What of it needs a lock? */
/* end state */

/* region size */
/* ceil(count / (4 * workers)), in whole numbers. */
size_t pool_map_chunk(size_t count, int workers)
{
    (void)count;
    (void)workers;
    return 0;
}
/* end size */

/* region chunk */
/* A place for what a worker does with one chunk. */
/* end chunk */

/* region hand_out */
/* A place for two helpers: one submits all chunks, one waits for them. */
/* end hand_out */

/* region map */
/* Cut, hand out, wait for all that were handed out, report. */
int pool_map(struct executor *executor, int (*work)(const void *item, void *result), const void *items,
             size_t item_size, size_t count, void *results, size_t result_size)
{
    (void)executor;
    (void)work;
    (void)items;
    (void)item_size;
    (void)count;
    (void)results;
    (void)result_size;
    return ENOSYS;
}
/* end map */
