/* barrier.h - where threads wait for each other: Python's threading.Barrier.
 *
 *     start = threading.Barrier(3)
 *     start.wait()                     # in three threads: none goes on before all three are here
 *
 * A barrier works in rounds. A round fills: threads arrive and wait. With the last arrival it is complete, and drains:
 * all of them leave. It promises:
 *
 *   - Nobody leaves before `parties` threads have arrived, and then all of them leave.
 *   - Each thread of a round gets an index, one of 0 … parties-1, and no two get the same.
 *   - The next round does not begin before the last has left this one, however slowly he wakes up: who comes early
 *     waits, and nobody gets through.
 *   - The action, if there is one, is called once a round, by the thread that arrives last, before anybody leaves.
 *   - A barrier breaks when somebody gives up: one thread's time is over, the action fails, or someone calls abort.
 *     Then nobody waits for one who will never come: all who wait leave with an error, and so does everyone who
 *     comes, until it is reset.
 *
 * All calls but create and destroy may be made from any number of threads at the same time, also by more threads than
 * there are parties.
 */
#ifndef BARRIER_H
#define BARRIER_H

#include <stdbool.h>
#include <stdint.h>

struct barrier;

/* Makes a barrier for `parties` threads and stores it in `*barrier`. It belongs to the caller, who ends it with
 * barrier_destroy.
 *
 * `action` may be NULL. It is called as action(argument), and returns 0, or a positive errno value when it has failed.
 * No lock of the barrier is held meanwhile: it may call barrier_parties, barrier_waiting, barrier_is_broken,
 * barrier_abort and barrier_reset. It must not wait at this barrier.
 *
 * `timeout_us` is the time-out for those who call barrier_wait without one: negative for ever.
 *
 * Returns 0, or a positive errno value, and then nothing was made and nothing is kept:
 *   EINVAL  parties is below 1 (Python: ValueError, "parties must be >= 1")
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int barrier_create(struct barrier **barrier, long parties, int (*action)(void *argument), void *argument,
                   int64_t timeout_us);

/* Ends a barrier that nobody uses, broken or not, and gives back all that it holds. NULL is fine. */
void barrier_destroy(struct barrier *barrier);

/* Arrives, and waits until the round is complete.
 *   timeout_us > 0   waits for the others at most that many microseconds, by the monotonic clock
 *   timeout_us = 0   does not wait for others: where this is not the last arrival, the time is over at once
 *   timeout_us < 0   waits as long as the barrier's own time-out says
 * The time does not count any more when the last has arrived: the action may take as long as it likes, and so may those
 * of the last round who have not left yet.
 *
 * Returns 0, and stores the thread's index in `*index` (NULL: it is not wanted). Else a positive errno value, and
 * `*index` is as it was:
 *   ETIMEDOUT  this thread's time was over, and so it broke the barrier (Python: BrokenBarrierError)
 *   ECANCELED  the barrier was broken, by someone else or before, or it was reset while this thread waited
 *              (Python: BrokenBarrierError)
 *   other      what the action returned, to the thread that called it; it broke the barrier (Python: its exception) */
int barrier_wait(struct barrier *barrier, int64_t timeout_us, long *index);

/* Makes the barrier as new: empty, and not broken. Threads that wait leave with ECANCELED. Does not block. */
void barrier_reset(struct barrier *barrier);

/* Breaks the barrier: all who wait leave with ECANCELED, and so does who comes, until it is reset. Does not block. */
void barrier_abort(struct barrier *barrier);

/* How many threads make a round. Does not block. */
long barrier_parties(struct barrier *barrier);

/* How many threads have arrived in a round that is not complete (Python: n_waiting): all of them while the action runs,
 * 0 where the barrier is broken. Those who came early, while the last round drains, may be counted or not. Does not
 * block. */
long barrier_waiting(struct barrier *barrier);

/* Whether it is broken. Does not block. */
bool barrier_is_broken(struct barrier *barrier);

#endif
