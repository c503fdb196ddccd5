/* rlock.h - a lock that its owner may take again: Python's threading.RLock, and an object that needs one.
 *
 *     lock = threading.RLock()
 *     with lock:
 *         with lock:              # a plain Lock would wait for itself here, for ever
 *             ...
 *
 * The lock knows two things that a mutex does not tell: who owns it, and how often he has taken it. It promises:
 *
 *   - One owner at a time. Who finds the lock owned by another thread waits asleep, and is woken when it is free.
 *   - The owner may take it again at any time, without waiting; it is free once he has released it as often.
 *   - Only the owner may release it. A thread that has released it for the last time owns it no more.
 *   - Who gets it next is not promised (fair_lock.h is about that), but where it is free and somebody waits,
 *     somebody gets it.
 *
 * It is built from a mutex, which is held for a moment only, and a condition. A recursive mutex is not allowed: it
 * would leave nothing to build. All calls but create and destroy may be made from any number of threads at the same
 * time. A thread must release what it owns before it ends.
 */
#ifndef RLOCK_H
#define RLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct rlock;

/* How often the owner may have taken the lock without releasing it. Python counts in an unsigned long, which nobody
 * fills in a lifetime; this bound is far beyond any program's need, and a test can still reach it. */
enum { RLOCK_DEPTH_MAX = 1000000 };

/* Makes a lock that nobody owns and stores it in `*lock`. It belongs to the caller, who ends it with rlock_destroy.
 * Returns 0, or a positive errno value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int rlock_create(struct rlock **lock);

/* Ends a lock that nobody owns and nobody uses, and gives back all that it holds. NULL is fine. */
void rlock_destroy(struct rlock *lock);

/* Takes the lock, as RLock.acquire(blocking, timeout) does. The owner gets it at once, whatever the arguments.
 * Where another thread owns it:
 *   blocking, timeout_us < 0    waits until it is free, however long that takes
 *   blocking, timeout_us >= 0   waits at most that many microseconds by the monotonic clock; 0 does not wait
 *   not blocking                does not wait; timeout_us must be negative: there is nothing to time
 * Returns 0 when the calling thread owns the lock, else a positive errno value, with the lock as it was:
 *   ETIMEDOUT  the time was over before the lock was free (Python: returns False)
 *   EBUSY      not blocking, and another thread owns it (Python: returns False)
 *   EAGAIN     the owner has taken it RLOCK_DEPTH_MAX times already (Python: OverflowError)
 *   EINVAL     not blocking, and yet a timeout_us >= 0, whoever owns it (Python: ValueError) */
int rlock_acquire(struct rlock *lock, bool blocking, int64_t timeout_us);

/* Takes back one acquire. With the last one the lock is free, and a thread that waits for it is woken. Does not block.
 * Returns 0, or EPERM, and then nothing has changed: the calling thread does not own it, be it that another one does or
 * that nobody does (Python: RuntimeError, "cannot release un-acquired lock"). */
int rlock_release(struct rlock *lock);

/* Whether the calling thread owns the lock (Python: RLock._is_owned). Does not block. */
bool rlock_is_owned(struct rlock *lock);

/* How often the calling thread has taken the lock and not yet released it (Python: RLock._recursion_count); 0 where it
 * does not own it. Does not block. */
long rlock_depth(struct rlock *lock);

/* An object in two parts, whose methods call each other: the reason for such a lock. It owns an rlock, and each of its
 * calls holds it, so what a call sees and does happens at one moment. get_both is to be written with get_part1 and
 * get_part2, as in Python:
 *
 *     def get_both(self):
 *         with self.lock:
 *             return self.get_part1(), self.get_part2()
 */
struct record;

/* Makes a record with both parts 0. As rlock_create. */
int record_create(struct record **record);

/* Ends a record that nobody uses. NULL is fine. */
void record_destroy(struct record *record);

/* Each blocks while another thread is inside one of the record's calls. */
long record_get_part1(struct record *record);
long record_get_part2(struct record *record);

/* Both parts, as they were at one moment. */
void record_get_both(struct record *record, long *part1, long *part2);

/* Changes both parts at one moment. */
void record_set_both(struct record *record, long part1, long part2);

#endif
