/* primes.c - the same numbers asked about in four ways: numbers of several sizes, a short list and a long one.
 *
 * Each number of a list is a prime of about so many digits, which costs a division for every second number up to its
 * root. A figure is the median of ROUNDS rounds in which the four ways take turns, so that whatever else the machine
 * does concerns all of them. How much one number costs is what the first way needs for the list, divided by its length.
 */
#define deadline_after fifo_queue_deadline_after
#include "05-queues/fifo_queue.c" /* NOLINT(bugprone-suspicious-include): the references themselves are measured */
#undef deadline_after
#include "06-pools/executor.c" /* NOLINT(bugprone-suspicious-include) */
#include "06-pools/future.c"   /* NOLINT(bugprone-suspicious-include) */
#define work primes_work
#include "06-pools/primes.c" /* NOLINT(bugprone-suspicious-include) */

#include <stdio.h>

enum { ROUNDS = 9, WAYS = 4, MOST = 200 };

typedef int ask_way(const uint64_t *, size_t, bool (*)(uint64_t), uint64_t *, size_t *);

static ask_way *const ways[WAYS] = {primes_in_turn, primes_thread_each, primes_workers, primes_executor};

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The next `count` primes from `first` on. */
static void fill(uint64_t *numbers, size_t count, uint64_t first)
{
    for (uint64_t number = first; count > 0; number++)
        if (primes_is_prime(number))
            numbers[--count] = number;
}

static double once_us(int way, const uint64_t *numbers, size_t count)
{
    static uint64_t primes[MOST];
    size_t found = 0;
    double began_us = now_us();

    if (ways[way](numbers, count, primes_is_prime, primes, &found) != 0 || found != count) {
        fputs("primes: one of the four ways has failed\n", stderr);
        exit(1);
    }
    return now_us() - began_us;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static void measure(int digits, uint64_t first, size_t count)
{
    uint64_t numbers[MOST];
    double times_us[WAYS][ROUNDS];

    fill(numbers, count, first);
    for (int round = 0; round < ROUNDS; round++)
        for (int way = 0; way < WAYS; way++)
            times_us[way][round] = once_us(way, numbers, count);
    for (int way = 0; way < WAYS; way++)
        qsort(times_us[way], ROUNDS, sizeof(double), by_size);
    printf("%zu of %d digits\t%.3f", count, digits, times_us[0][ROUNDS / 2] / (double)count);
    for (int way = 0; way < WAYS; way++)
        printf("\t%.1f", times_us[way][ROUNDS / 2]);
    putchar('\n');
}

int main(void)
{
    puts("numbers\tone_number_us\tin_turn_us\tthread_each_us\tworkers_us\texecutor_us");
    for (size_t count = 20; count <= MOST; count *= 10) {
        measure(3, 500, count);
        measure(6, 500000, count);
        measure(8, 50000000, count);
        measure(10, 5000000000, count);
        measure(11, 50000000000, count);
    }
    return 0;
}
