/* primes.h - which of these numbers are prime? Four ways to ask, and the same answer.
 *
 *     [n for n in numbers if is_prime(n)]                               # in turn
 *     threads = [Thread(target=check, args=(n,)) for n in numbers]      # a thread for each
 *     workers = [Thread(target=work) for _ in range(4)]                 # four, a queue and a lock
 *     list(ThreadPoolExecutor(4).map(is_prime, numbers))                # an executor
 *
 * It is an anti-example: under Python's global lock the threads of the last three take turns at computing, so none of
 * them can be faster than the first. In C they can, where the numbers are large enough; the chapter measures where that
 * begins. Each of the four promises:
 *
 *   - It stores the primes among the `count` numbers in `primes`, in the order in which they stand in `numbers`, each
 *     as often as it stands there, and how many these are in `*found`. `primes` has room for `count` numbers.
 *   - It asks is_prime once for each number, and nobody else.
 *   - When it has returned all its threads have ended, and all its memory is given back.
 *   - It returns 0, or a positive errno value, and then `*found` is as it was (what is in `primes` means nothing):
 *     ENOMEM, or what the function returned that failed. An empty list is no error.
 *
 * Both arrays are the caller's, do not overlap, and must not be used by anybody else until the call has returned. May
 * be called from any thread, also by several at once, which do not wait for one another. is_prime is called from
 * several threads at the same time.
 */
#ifndef PRIMES_H
#define PRIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many threads the third and the fourth way may have. */
enum { PRIMES_WORKERS = 4 };

/* Whether a number is prime, by trying 2 and each odd number up to its root. It is there already, to be handed to one
 * of the four, which ask whatever question they are given. */
bool primes_is_prime(uint64_t number);

/* Asks for one number after the other, in the calling thread. */
int primes_in_turn(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                   size_t *found);

/* Has a thread of its own for each number, all at once. Where one of them cannot be started it waits for those that
 * were, and returns the error. */
int primes_thread_each(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                       size_t *found);

/* Puts the work into a queue (05-queues/fifo_queue) and starts PRIMES_WORKERS threads, each of which gets from it until
 * nothing is left: who is done early takes more. Where a thread cannot be started those that were do the work; where
 * none can, it returns the error. */
int primes_workers(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                   size_t *found);

/* Submits each number to an executor (06-pools/executor) of PRIMES_WORKERS workers at most, and collects the futures.
 */
int primes_executor(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                    size_t *found);

#endif
