/* pool_map.h - one function over a whole list, by the workers of a pool: Python's multiprocessing.pool.Pool.map.
 *
 *     with ThreadPool(4) as pool:
 *         squares = pool.map(square, numbers)
 *
 * A task for each item would cost more than the item. So the list is cut into chunks of neighbours, and a chunk is a
 * task of the executor (06-pools/executor). It promises:
 *
 *   - The results are in the order of the items, whichever chunk was done first.
 *   - A chunk has ceil(n / 4p) items, for n items and an executor of at most p workers; the last one what is left. So
 *     there are about four chunks for each worker: one that had a slow one takes fewer. The items of a chunk are done
 *     one after the other, in order, by one worker; the chunks are begun in order.
 *   - The first item that fails ends its chunk: what is behind it there is not done. All other chunks are finished all
 *     the same. Then the first error is reported: of all chunks that failed, that of the one that failed first.
 *   - When it has returned nothing of it is still running.
 */
#ifndef POOL_MAP_H
#define POOL_MAP_H

#include "executor.h"

#include <stddef.h>

/* Calls work(item, result) for each of the `count` items at `items`, each of `item_size` bytes, as they lie in memory
 * (as for qsort); `result` is the place of the same number among those at `results`, each of `result_size` bytes. Where
 * a size is 0 all places are the same one. work returns 0, or something positive, as a rule an errno value, which is
 * its error (what is negative counts as EINVAL). Several workers call it at the same time, for different items. Items
 * and results are the caller's, and must not be used by anybody else until this has returned; the results' memory holds
 * what work put there, and nothing else touches it.
 *
 * Waits, asleep, until all is done. Where there is nothing to do it does nothing and returns 0. Returns 0, or
 *   the first error     that work returned (Python: raises it)
 *   ESHUTDOWN, ENOMEM…  what executor_submit returned for a chunk, or ENOMEM for its own needs: that chunk and those
 *                       behind it are not done, those before it are finished (and an error of work counts for more)
 *   ECANCELED           executor_shutdown has cancelled a chunk meanwhile; the others are finished (likewise)
 *   EINVAL              a size times the count is more than memory can hold
 *   other               what the pthread function returned that failed, and then nothing is done
 * May be called from any thread at any time, also by several at once, but not from a task of the same executor: its
 * worker would wait for chunks that may have nobody else to do them. */
int pool_map(struct executor *executor, int (*work)(const void *item, void *result), const void *items,
             size_t item_size, size_t count, void *results, size_t result_size);

/* The size of the chunks: ceil(count / (4 * workers)); 0 for an empty list. `workers` is above 0. Does not block. */
size_t pool_map_chunk(size_t count, int workers);

#endif
