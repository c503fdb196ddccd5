/* semaphore.h - a number of permits that threads take and give back: Python's threading.Semaphore.
 *
 *     downloads = threading.Semaphore(3)
 *     with downloads:                  # at most three threads are in here at the same time
 *         fetch(page)
 *
 * A semaphore is a number that is never below 0. It promises:
 *
 *   - acquire takes 1 off the number. Where it is 0, the thread waits, asleep, until it can.
 *   - release(n) adds n, all at once, and wakes as many of those who wait as can go on. Any thread may release, also
 *     one that has never acquired: a semaphore has no owner.
 *   - No permit is lost and none is invented. Where there is one and somebody waits for it, somebody gets it; also when
 *     several are released before the first of those who wait is awake.
 *   - Who gets a permit first, of several who wait, is not promised, and who comes later may be faster.
 *
 * It is built from a mutex, which is held for a moment only, and a condition. The C library's own semaphores, sem_t,
 * are not allowed: they would leave nothing to build. All calls but create and destroy may be made from any number of
 * threads at the same time.
 */
#ifndef SEMAPHORE_H
#define SEMAPHORE_H

#include <stdbool.h>
#include <stdint.h>

struct semaphore;

/* Makes a semaphore with `value` permits (Python's value, 1 unless said) and stores it in `*semaphore`. It belongs to
 * the caller, who ends it with semaphore_destroy. Returns 0, or a positive errno value, and then nothing was made and
 * nothing is kept:
 *   EINVAL  value is negative (Python: ValueError, "semaphore initial value must be >= 0")
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int semaphore_create(struct semaphore **semaphore, long value);

/* Ends a semaphore that nobody uses, whatever its value, and gives back all that it holds. NULL is fine. */
void semaphore_destroy(struct semaphore *semaphore);

/* Takes one permit, as Semaphore.acquire(blocking, timeout) does. Where there is none:
 *   blocking, timeout_us < 0    waits until there is one, however long that takes
 *   blocking, timeout_us >= 0   waits at most that many microseconds by the monotonic clock; 0 does not wait
 *   not blocking                does not wait; timeout_us must be negative: there is nothing to time
 * Returns 0 when the calling thread has a permit, else a positive errno value, with the number of permits as it was:
 *   ETIMEDOUT  the time was over before there was a permit (Python: returns False)
 *   EBUSY      not blocking, and there is no permit (Python: returns False)
 *   EINVAL     not blocking, and yet a timeout_us >= 0, permit or not (Python: ValueError) */
int semaphore_acquire(struct semaphore *semaphore, bool blocking, int64_t timeout_us);

/* Gives n permits, as Semaphore.release(n) does. Does not block, and takes no longer for a larger n, only where more
 * threads have to be woken. Returns 0, or a positive errno value, and then nothing has changed:
 *   EINVAL     n is below 1 (Python: ValueError, "n must be one or more")
 *   EOVERFLOW  there would be more than LONG_MAX permits (Python's numbers have no end) */
int semaphore_release(struct semaphore *semaphore, long n);

/* How many permits there are now (Python: Semaphore._value). Another thread may change that at once. Does not block. */
long semaphore_value(struct semaphore *semaphore);

#endif
