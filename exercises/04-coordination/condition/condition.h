/* condition.h - a place to sleep until something has changed: Python's threading.Condition.
 *
 *     changed = threading.Condition()
 *
 *     with changed:                            with changed:
 *         changed.wait_for(lambda: items)          items.append(item)
 *         item = items.pop()                       changed.notify()
 *
 * A condition goes with a lock, which guards what is waited for. wait lets go of the lock, sleeps until it is notified,
 * and takes the lock again. It promises:
 *
 *   - Nothing is lost between letting go and falling asleep: who waits was there from the moment the lock was free.
 *   - A wait lets go of the lock altogether, however often its thread has taken it, and has taken it as often again
 *     when it returns, whatever it returns.
 *   - notify(n) wakes the n threads that have waited longest. Others go on waiting, and so does a thread that comes
 *     later, however slowly those wake up. Where nobody waits, nothing happens: nothing is remembered.
 *   - A wake-up is for one thread that is still there. A thread whose time is over before it was notified is no longer
 *     among those who wait; one that was notified, and then found its time over, was notified all the same: its wait
 *     returns 0.
 *   - A wait returns 0 only when it was notified, never for nothing. A signal that its thread handles does not end it.
 *   - Who calls wait or notify must hold the lock, else it is an error.
 *
 * It is built from one semaphore for each thread that waits: the one of this chapter (semaphore.h), or the C library's
 * sem_t. pthread_cond_t is what is being built, and so is not allowed. The lock is the RLock of chapter 02 (rlock.h),
 * as in Python, or one that the caller brings. All calls but create and destroy may be made from any number of threads
 * at the same time.
 */
#ifndef CONDITION_H
#define CONDITION_H

#include <stdbool.h>
#include <stdint.h>

struct condition;

/* A lock that a condition works with: an object, and three calls on it, to be made from any thread. The object stays
 * the caller's, and must live as long as the condition. Several conditions may share one lock, as queue.Queue's do. */
struct condition_lock {
    void *object; /* handed to each call */

    /* Takes it, as rlock_acquire does. A wait calls this with blocking and a negative timeout_us, and relies on 0. */
    int (*acquire)(void *object, bool blocking, int64_t timeout_us);

    /* Takes back one acquire, as rlock_release does. A wait calls this with the lock held, and relies on 0. */
    int (*release)(void *object);

    /* How often the calling thread has taken it and not yet released it, as rlock_depth says; 0: it does not hold it.
     * For a lock that can be taken only once that is 0 or 1. */
    long (*depth)(void *object);
};

/* Makes a condition and stores it in `*condition`. It works with `*lock`, which is copied; where `lock` is NULL, with
 * an RLock of its own. It belongs to the caller, who ends it with condition_destroy. Returns 0, or a positive errno
 * value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the function returned that failed */
int condition_create(struct condition **condition, const struct condition_lock *lock);

/* Ends a condition on which nobody waits, and its own lock, if it has one, which nobody holds. A lock that the caller
 * brought is not touched. NULL is fine. */
void condition_destroy(struct condition *condition);

/* Takes the condition's lock: hands the arguments to its acquire and returns what that returns. */
int condition_acquire(struct condition *condition, bool blocking, int64_t timeout_us);

/* Releases the condition's lock: returns what its release returns. */
int condition_release(struct condition *condition);

/* Lets go of the lock, sleeps until it is notified, and takes the lock again, as Condition.wait(timeout) does.
 *   timeout_us < 0   sleeps however long that takes
 *   timeout_us > 0   sleeps at most that many microseconds
 *   timeout_us = 0   does not sleep: lets go of the lock, and takes it again
 * It goes by the clock that the semaphore goes by: the monotonic one, or, with sem_timedwait, the one on the wall. That
 * the lock is taken again may take longer; there is no limit to that. Returns 0 where it was notified (Python: True),
 * else a positive errno value, and then it is no longer among those who wait:
 *   ETIMEDOUT  the time was over first (Python: returns False)
 *   EPERM      the calling thread does not hold the lock, and nothing happened (Python: RuntimeError, "cannot wait on
 *              un-acquired lock")
 *   ENOMEM     there is no memory for what a waiting thread needs, and it did not let go of the lock (Python:
 *              MemoryError)
 *   other      what the making of its semaphore returned; it did not let go of the lock */
int condition_wait(struct condition *condition, int64_t timeout_us);

/* Waits until predicate(argument) is true, as Condition.wait_for does. The predicate is called with the lock held:
 * first of all, again after each wake-up, and once more when the time is over. timeout_us is as above, and is the time
 * for the whole call: it is not begun anew by a wake-up, and when it is over the call sleeps no more and returns,
 * however often it is notified. (A predicate that takes long may make it longer.) Returns 0 where the last call of the
 * predicate said true; ETIMEDOUT where the time was over, also for a thread that was notified in vain; else what
 * condition_wait returned. Where the lock is not held that is EPERM, before the predicate is called at all. */
int condition_wait_for(struct condition *condition, bool (*predicate)(void *argument), void *argument,
                       int64_t timeout_us);

/* Wakes the n threads that have waited longest, or all where fewer wait; n below 1 wakes nobody. They go on when the
 * caller has released the lock. Does not block. Returns 0, or
 *   EPERM  the calling thread does not hold the lock (Python: RuntimeError, "cannot notify on un-acquired lock");
 *          nothing happened */
int condition_notify(struct condition *condition, long n);

/* Wakes all who wait. As condition_notify. */
int condition_notify_all(struct condition *condition);

#endif
