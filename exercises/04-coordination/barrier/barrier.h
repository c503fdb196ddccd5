/* barrier.h - where threads wait for each other: Python's threading.Barrier.
 *
 *     start = threading.Barrier(3)
 *     start.wait()                     # in three threads: none goes on before all three are here
 *
 * A barrier works in rounds. A round fills: threads arrive and wait. With the last arrival it is full. When all of the
 * round before have left and the action is done, it is complete, and drains: all of its threads leave. It promises:
 *
 *   - Nobody leaves before `parties` threads have arrived, and then all of them leave.
 *   - Each thread of a round gets an index, one of 0 … parties-1, and no two get the same.
 *   - The next round does not begin before the last has left this one, however slowly he wakes up: who comes early
 *     waits, and nobody gets through. That holds for the threads of a round that was broken or reset, too.
 *   - A round that is complete stays so, and all its threads succeed: who resets or aborts the barrier later takes that
 *     from nobody, however slow he is. (Python's abort does, from those who have not left yet.)
 *   - The action, if there is one, is called once a round, by the thread that arrives last, before anybody leaves. Two
 *     calls of it never run at the same time: where a round was reset while its action ran, the next one waits for that
 *     thread to leave, as for any other, before it calls the action.
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
 * The time does not count any more when the last has arrived, neither for him nor for the others: the action may take
 * as long as it likes, and so may those of the round before who have not left yet. Who comes while a round is full
 * stays outside until that round has ended, whatever his time-out. Only then does he arrive, and only then may his time
 * be over; whether it began with the call or with the arrival is left open.
 *
 * Returns 0, and stores the thread's index in `*index` (NULL: it is not wanted). Else a positive errno value, and
 * `*index` is as it was:
 *   ETIMEDOUT  this thread's time was over, and so it broke the barrier (Python: BrokenBarrierError)
 *   ECANCELED  the barrier was broken, by someone else or before, or it was reset while this thread waited (Python:
 *              BrokenBarrierError). A thread that was still outside at a reset may get it, or arrive in the new round,
 *              if the barrier is not broken by then.
 *   other      what the action returned, to the thread that called it; it broke the barrier (Python: its exception),
 *              unless the action's round had been ended before by a reset: then the barrier stays as it is, and the
 *              thread still gets that error (Python breaks it all the same) */
int barrier_wait(struct barrier *barrier, int64_t timeout_us, long *index);

/* Makes the barrier as new: empty, and not broken. Threads that wait leave with ECANCELED. Who is still leaving an
 * older round leaves with the answer of that round. Does not block. */
void barrier_reset(struct barrier *barrier);

/* Breaks the barrier: all who wait leave with ECANCELED, and so does who comes, until it is reset. Who is still leaving
 * an older round leaves with the answer of that round. Does not block. */
void barrier_abort(struct barrier *barrier);

/* How many threads make a round. Does not block. */
long barrier_parties(struct barrier *barrier);

/* How many threads have arrived in a round that is not complete (Python: n_waiting): all of them while the action runs,
 * 0 where the barrier is broken. Who comes early, while the last round drains, may arrive in the next one at once, and
 * is counted, or stay outside until it has drained, and is not. Does not block. */
long barrier_waiting(struct barrier *barrier);

/* Whether it is broken. Does not block. */
bool barrier_is_broken(struct barrier *barrier);

#endif
