/* lost_updates.c - how many additions two threads lose that add to one number without a lock.
 *
 * The race is what is measured, so the number is volatile: that keeps the compiler from adding everything up at once,
 * and protects nothing. Both threads begin together: each spins until
 * the other is there too. For each length the median, the smallest and the
 * largest share of ROUNDS rounds.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 15, THREADS = 2 };

struct race;

struct adder {
    struct race *race;
    int number;
};

struct race {
    volatile long value;
    long additions;
    atomic_int ready;
};

/* Each thread stays on a processor of its own, as far as there are enough: where two threads share one, only one of
 * them runs at a time, and nothing is measured. */
static void stay_on(int number)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(number % (int)sysconf(_SC_NPROCESSORS_ONLN), &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *add(void *argument)
{
    struct adder *adder = argument;
    struct race *race = adder->race;

    stay_on(adder->number);

    atomic_fetch_add(&race->ready, 1);
    while (atomic_load(&race->ready) < THREADS)
        ;
    for (long i = 0; i < race->additions; i++)
        race->value = race->value + 1;
    return NULL;
}

/* The share that is missing in the end. */
static double lost_percent(long additions)
{
    struct race race = {.additions = additions};
    struct adder adders[THREADS];
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){&race, i};
        if (pthread_create(&threads[i], NULL, add, &adders[i]) != 0)
            exit(1);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 100.0 * (1.0 - (double)race.value / ((double)additions * THREADS));
}

static int by_size(const void *left, const void *right)
{
    double one = *(const double *)left, other = *(const double *)right;

    return (one > other) - (one < other);
}

int main(void)
{
    puts("additions\tlost_percent\tleast_percent\tmost_percent");
    for (long additions = 100; additions <= 10000000; additions *= 10) {
        double rounds[ROUNDS];
        for (int i = 0; i < ROUNDS; i++)
            rounds[i] = lost_percent(additions);
        qsort(rounds, ROUNDS, sizeof *rounds, by_size);
        printf("%ld\t%.3f\t%.3f\t%.3f\n", additions, rounds[ROUNDS / 2], rounds[0], rounds[ROUNDS - 1]);
    }
    return 0;
}
