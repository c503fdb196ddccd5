/* primes.c - which of these numbers are prime? Four ways to ask.
 *
 * Theory of operation: every number has a slot of its own, with the number and, later, the answer. Whoever asks about a
 * number writes to its slot and to no other, so the slots need no lock, and the order of the answers is the order of
 * the slots, whoever was faster. The calling thread reads them when all who wrote have ended (or, with the executor,
 * when their futures are done).
 */
#include "primes.h"

#include "executor.h"
#include "fifo_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* region state */
/* A place for what is known of one number. Who writes to it, and when? */
/* end state */

/* region is_prime */
bool primes_is_prime(uint64_t number)
{
    if (number < 4)
        return number >= 2;
    if (number % 2 == 0)
        return false;
    for (uint64_t divisor = 3; divisor <= number / divisor; divisor += 2)
        if (number % divisor == 0)
            return false;
    return true;
}
/* end is_prime */

/* region in_turn */
/* A loop. */
int primes_in_turn(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                   size_t *found)
{
    (void)numbers;
    (void)count;
    (void)is_prime;
    (void)primes;
    (void)found;
    return ENOSYS;
}
/* end in_turn */

/* region slots */
/* A place for what the other three ways have in common: making the places, asking, collecting the answers. */
/* end slots */

/* region thread_each */
/* Start them all, then join them all. */
int primes_thread_each(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                       size_t *found)
{
    (void)numbers;
    (void)count;
    (void)is_prime;
    (void)primes;
    (void)found;
    return ENOSYS;
}
/* end thread_each */

/* region workers */
/* Fill the queue, start four workers, join them. When does a worker know that nothing is left? */
int primes_workers(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                   size_t *found)
{
    (void)numbers;
    (void)count;
    (void)is_prime;
    (void)primes;
    (void)found;
    return ENOSYS;
}
/* end workers */

/* region executor */
/* Submit them all, then wait for all the futures; give everything back. */
int primes_executor(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                    size_t *found)
{
    (void)numbers;
    (void)count;
    (void)is_prime;
    (void)primes;
    (void)found;
    return ENOSYS;
}
/* end executor */
