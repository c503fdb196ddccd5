/* bounded_semaphore.h - a semaphore that notices one release too many: Python's threading.BoundedSemaphore.
 *
 *     seats = threading.BoundedSemaphore(3)
 *     seats.release()                  # ValueError: Semaphore released too many times
 *
 * A semaphore that guards three seats should never count four. If it does, somebody has given back what he never took,
 * and from then on one thread too many comes in. This one promises all that semaphore.h promises, and:
 *
 *   - Its value is never above the one it was made with: not afterwards, and not for a moment.
 *   - A release that would raise it above is an error, and leaves the value as it was. With release(n), that is all n
 *     of them or none.
 *   - This holds however many threads release at the same time.
 *
 * It is built on the semaphore of this chapter: semaphore.h is its contract, and its .c is linked. All calls but create
 * and destroy may be made from any number of threads at the same time.
 */
#ifndef BOUNDED_SEMAPHORE_H
#define BOUNDED_SEMAPHORE_H

#include <stdbool.h>
#include <stdint.h>

struct bounded_semaphore;

/* Makes a semaphore with `value` permits, which is also its bound, and stores it in `*bounded`. It belongs to the
 * caller, who ends it with bounded_semaphore_destroy. Returns 0, or a positive errno value, and then nothing was made
 * and nothing is kept:
 *   EINVAL  value is negative (Python: ValueError, "semaphore initial value must be >= 0")
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the function returned that failed */
int bounded_semaphore_create(struct bounded_semaphore **bounded, long value);

/* Ends a semaphore that nobody uses, whatever its value, and gives back all that it holds. NULL is fine. */
void bounded_semaphore_destroy(struct bounded_semaphore *bounded);

/* Takes one permit. Exactly as semaphore_acquire, errors included. */
int bounded_semaphore_acquire(struct bounded_semaphore *bounded, bool blocking, int64_t timeout_us);

/* Gives n permits back. Does not block for long: no thread waits in here for a permit. Returns 0, or a positive errno
 * value, and then nothing has changed:
 *   EINVAL  n is below 1 (Python: ValueError, "n must be one or more")
 *   ERANGE  the value would be above the one it was made with (Python: ValueError, "Semaphore released too many
 *           times") */
int bounded_semaphore_release(struct bounded_semaphore *bounded, long n);

/* How many permits there are now. Does not block. */
long bounded_semaphore_value(struct bounded_semaphore *bounded);

#endif
