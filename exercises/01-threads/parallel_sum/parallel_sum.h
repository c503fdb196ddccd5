/* parallel_sum.h - add up many numbers on several cores.
 *
 * In Python:
 *
 *     parts = [numbers[i * n // threads:(i + 1) * n // threads] for i in range(threads)]
 *     with ThreadPoolExecutor(threads) as pool:
 *         total = sum(pool.map(sum, parts))
 *
 * which is no faster than sum(numbers), because one global lock lets only one thread at a time run Python. Here nothing
 * of the kind stands in the way: two threads on two cores take about half the time.
 */
#ifndef PARALLEL_SUM_H
#define PARALLEL_SUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds up numbers[0] to numbers[n - 1] and stores the result in `*sum`.
 *
 * The array is split into min(threads, n) consecutive parts of about the same length (none is longer than one and a
 * half times its fair share, where there are at least four numbers for each thread), and each part is added up by a
 * thread of its own, all of them at the same time. The calling thread may be one of them. The numbers are only read.
 * Every thread that was started has been joined when parallel_sum returns, whatever it returns, and nothing else is
 * left of it.
 *
 * With n = 0 the sum is 0, no thread is started, and `numbers` may be NULL.
 *
 * Returns 0, or a positive errno value with `*sum` left as it was:
 *   EINVAL  `threads` is 0 (Python: ValueError), `sum` is NULL, or `numbers` is NULL although n > 0
 *   ENOMEM  there is no memory to keep the threads in (Python: MemoryError)
 *   EAGAIN  the system has no thread to give (Python: RuntimeError, "can't start new thread"), or whatever else
 *           pthread_create returned
 *
 * Blocks until all parts are added up. May be called from any number of threads at the same time, also for the same
 * numbers. */
int parallel_sum(const int32_t *numbers, size_t n, size_t threads, int64_t *sum);

#endif
