/* fair_lock.h - a lock that serves in the order of arrival: nobody is overtaken.
 *
 * Neither Python's threading.Lock nor a pthread mutex promises who gets it next. Mostly it is the thread that happens
 * to run, and that is often the one that has just released it:
 *
 *     while True:
 *         with lock:              # another thread that waits here may wait for very long
 *             work()
 *
 * This lock works like the tickets at a counter: who comes draws a ticket, and tickets are served in their order. It
 * promises:
 *
 *   - One holder at a time; who waits sleeps until he is served.
 *   - Nobody gets the lock before one who already waits for it: not a thread that comes later, not one that only asks
 *     (timeout 0), not the one that has just released it, and however slowly the one who waits wakes up.
 *   - Who gives up because his time is over leaves no gap: those behind him move up.
 *   - Only the holder releases, and nobody can take the lock twice.
 *
 * All calls but create and destroy may be made from any number of threads at the same time. A thread must release what
 * it holds before it ends.
 */
#ifndef FAIR_LOCK_H
#define FAIR_LOCK_H

#include <stdint.h>

struct fair_lock;

/* Makes a lock that nobody holds and stores it in `*lock`. It belongs to the caller, who ends it with
 * fair_lock_destroy. Returns 0, or a positive errno value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int fair_lock_create(struct fair_lock **lock);

/* Ends a lock that nobody holds or waits for, and gives back all that it holds. NULL is fine. */
void fair_lock_destroy(struct fair_lock *lock);

/* Takes the lock, as Lock.acquire(timeout=…) does. Where it is held, waits for its turn:
 *   timeout_us < 0   however long that takes
 *   timeout_us > 0   at most that many microseconds, by the monotonic clock
 *   timeout_us = 0   not at all
 * Returns 0 when the calling thread holds the lock, else a positive errno value, and then it has no place in the queue:
 *   ETIMEDOUT  the time was over before its turn came (Python: returns False)
 *   EDEADLK    the calling thread holds it already, whatever the time-out (Python's Lock would wait for itself)
 *   ENOMEM     there is no memory for a place in the queue, which has no bound
 *   other      what the pthread function returned that failed */
int fair_lock_acquire(struct fair_lock *lock, int64_t timeout_us);

/* Gives the lock to the one who has waited longest, or sets it free. Does not block. Returns 0, or EPERM, and then
 * nothing has changed: the calling thread does not hold it (Python: RuntimeError, "release unlocked lock"; but there
 * any thread may release a Lock). */
int fair_lock_release(struct fair_lock *lock);

/* How many threads wait for their turn now. One that was served and has not woken up yet may still be counted. Does not
 * block. */
long fair_lock_waiting(struct fair_lock *lock);

#endif
