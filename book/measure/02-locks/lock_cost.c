/* lock_cost.c - what one lock and one unlock cost, alone and with a second thread that wants the same lock.
 *
 * Theory: a second thread exists in every measurement, asleep where it is not to compete; a C library may leave out the
 * expensive part while a process has one thread only. Each figure is the shortest of ROUNDS rounds:
 * whatever else the machine does can only make one longer. With two threads each
 * makes all its pairs at the same lock, on a processor of its own.
 */
#include "02-locks/rlock.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */

#include <stdio.h>
#include <unistd.h>

enum { ROUNDS = 15, PAIRS = 200000 };

/* What is measured: one of these locks around one addition. */
struct subject {
    const char *name;
    void (*pair)(struct subject *subject);
    pthread_mutex_t mutex;
    struct rlock *rlock;
    volatile long value;
};

static void pair_nothing(struct subject *subject)
{
    subject->value = subject->value + 1;
}

static void pair_mutex(struct subject *subject)
{
    pthread_mutex_lock(&subject->mutex);
    subject->value = subject->value + 1;
    pthread_mutex_unlock(&subject->mutex);
}

static void pair_rlock(struct subject *subject)
{
    rlock_acquire(subject->rlock, true, -1);
    subject->value = subject->value + 1;
    rlock_release(subject->rlock);
}

/* The lock is taken again by its owner: the second level of an RLock. */
static void pair_nested(struct subject *subject)
{
    rlock_acquire(subject->rlock, true, -1);
    rlock_acquire(subject->rlock, true, -1);
    subject->value = subject->value + 1;
    rlock_release(subject->rlock);
    rlock_release(subject->rlock);
}

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Each thread stays on a processor of its own, as far as there are enough: where two threads share one, only one of
 * them runs at a time, and nothing is measured. */
static void stay_on(int number)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(number % (int)sysconf(_SC_NPROCESSORS_ONLN), &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *make_pairs(void *argument)
{
    struct subject *subject = argument;

    for (int i = 0; i < PAIRS; i++)
        subject->pair(subject);
    return NULL;
}

static void *make_pairs_first(void *subject)
{
    stay_on(0);
    return make_pairs(subject);
}

static void *make_pairs_second(void *subject)
{
    stay_on(1);
    return make_pairs(subject);
}

static void *sleep_until_told(void *mutex)
{
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
    return NULL;
}

static pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, argument) != 0) {
        fputs("lock_cost: no thread\n", stderr);
        exit(1);
    }
    return thread;
}

/* One thread makes all the pairs, while another one sleeps. */
static double alone_ns(struct subject *subject)
{
    pthread_mutex_t bed = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&bed);
    pthread_t sleeper = start(sleep_until_told, &bed);
    double began_ns = now_ns();
    make_pairs(subject);
    double took_ns = now_ns() - began_ns;
    pthread_mutex_unlock(&bed);
    pthread_join(sleeper, NULL);
    return took_ns / PAIRS;
}

static double together_ns(struct subject *subject)
{
    double began_ns = now_ns();
    pthread_t one = start(make_pairs_first, subject), two = start(make_pairs_second, subject);

    pthread_join(one, NULL);
    pthread_join(two, NULL);
    return (now_ns() - began_ns) / PAIRS;
}

static double shortest_ns(double (*measure)(struct subject *), struct subject *subject)
{
    double shortest = measure(subject);

    for (int i = 1; i < ROUNDS; i++) {
        double next = measure(subject);
        if (next < shortest)
            shortest = next;
    }
    return shortest;
}

static void measure(const char *name, void (*pair)(struct subject *), int kind)
{
    struct subject subject = {.name = name, .pair = pair};
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, kind);
    pthread_mutex_init(&subject.mutex, &attributes);
    if (rlock_create(&subject.rlock) != 0)
        exit(1);
    double alone = shortest_ns(alone_ns, &subject), together = shortest_ns(together_ns, &subject);
    printf("%s\t%.2f\t%.2f\n", name, alone, together);
    rlock_destroy(subject.rlock);
    pthread_mutex_destroy(&subject.mutex);
    pthread_mutexattr_destroy(&attributes);
}

int main(void)
{
    puts("lock\talone_ns\ttwo_threads_ns");
    measure("no lock", pair_nothing, PTHREAD_MUTEX_NORMAL);
    measure("mutex", pair_mutex, PTHREAD_MUTEX_NORMAL);
    measure("recursive mutex", pair_mutex, PTHREAD_MUTEX_RECURSIVE);
    measure("our RLock", pair_rlock, PTHREAD_MUTEX_NORMAL);
    measure("our RLock, taken twice", pair_nested, PTHREAD_MUTEX_NORMAL);
    return 0;
}
