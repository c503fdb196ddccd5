/* wait_any.h - waiting for several futures at once: Python's concurrent.futures.wait and as_completed.
 *
 *     done, not_done = wait(futures, timeout=1.0, return_when=FIRST_COMPLETED)
 *     for future in as_completed(futures):
 *         print(future.result())
 *
 * It is built on the watchers of 06-pools/future. It promises:
 *
 *   - Who waits sleeps, however many futures there are, and wakes up when enough of them are complete.
 *   - A future is complete when it is settled: finished, or cancelled and notified. One that is merely cancelled is
 *     not, as in Python: who was to do the work has not heard of it yet.
 *   - Nothing is left behind: once a call has returned, and once an iterator is ended, no future knows of it any more.
 *     So it may be done again and again on the same futures, with short time-outs, and costs no memory.
 *
 *   - It costs little, however many futures there are: apart from the waiting, wait_any and wait_any_as_completed take
 *     time that grows like the count n, or like n log n, not like n times n. (To unwatch one of many watchers of the
 *     same future may take longer: that is the future's cost, not yours.)
 *
 * Time-outs are microseconds by the monotonic clock: negative waits for ever, 0 does not wait. All calls may be made
 * from any number of threads at the same time, also for the same futures; one iterator is used by one thread at a time.
 */
#ifndef WAIT_ANY_H
#define WAIT_ANY_H

#include "future.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wait_any_when {
    WAIT_ANY_FIRST_COMPLETED, /* when one is complete */
    WAIT_ANY_FIRST_EXCEPTION, /* when one is finished with an exception (cancelled is none), or all are complete */
    WAIT_ANY_ALL_COMPLETED,   /* when all are complete */
};

/* Waits until what `when` says is so, at most `timeout_us`. Then done[i] is whether futures[i] is complete, for each of
 * the `count` futures; the same future may stand there several times. The caller has a reference of each until the call
 * has returned; the array is only read. What is returned and what `done` says agree: it is 0 exactly where `done` is
 * enough for `when`. A future that completes while the call is about to return may be in `done` or not, each for
 * itself, even where the same one stands there twice. Returns
 *   0          it is so; and where there are no futures, at once
 *   ETIMEDOUT  the time was over before; with 0, at once; `done` tells what is complete so far (Python: wait returns
 *              the two sets all the same)
 *   EINVAL     `when` is none of the three (Python: ValueError); `done` is as it was
 *   other      ENOMEM (Python: MemoryError), or what the pthread function returned that failed; `done` is as it was
 * Blocks, asleep, as long as said. */
int wait_any(struct future *const *futures, size_t count, enum wait_any_when when, int64_t timeout_us, bool *done);

/* An iterator over futures in the order in which they are completed. */
struct wait_any_iterator;

/* Makes an iterator over the futures of the array, stores it in `*iterator`, and does not wait for any. Those that are
 * complete already come first, in their order in the array; then each as it completes. (One that completes during this
 * call may come before some that were complete already.) A future that stands there several times comes once, and its
 * first place counts. The time-out begins now and holds for all of it. The iterator has references of its own: the
 * caller may give back his and free the array. It belongs to the caller, who ends it with wait_any_end. Returns 0, or a
 * positive errno value, and then nothing was made and nothing is kept: ENOMEM, or what the pthread function returned
 * that failed. */
int wait_any_as_completed(struct wait_any_iterator **iterator, struct future *const *futures, size_t count,
                          int64_t timeout_us);

/* Waits for the next one and stores it in `*future`; the iterator's reference keeps it until wait_any_end; who needs it
 * longer takes one of his own. Once it has returned, all who watch that future have been told (future.h): an executor
 * knows that its worker is free, and who submits the next task at once finds it so. Returns 0, or with `*future` as it
 * was: ENOENT     each of them has come (Python: StopIteration) ETIMEDOUT  the time was over and none was complete that
 * has not come yet (Python: TimeoutError); one that completes later may still be asked for */
int wait_any_next(struct wait_any_iterator *iterator, struct future **future);

/* Ends the iterator, at whatever point, and gives back all that it holds. NULL is fine. Waits for no future. */
void wait_any_end(struct wait_any_iterator *iterator);

#endif
