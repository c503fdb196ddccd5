/* coordination_cost.c - what it costs to take and give by oneself, and what it costs to wake each other.
 *
 * Theory: "alone" is one thread that nobody waits for, while another one exists and sleeps: a C library may leave out
 * the expensive part while a process has one thread only. "in turn" is two threads: one gives and waits for the answer,
 * the other waits and answers; the figure is for there and back. Each figure is the median of ROUNDS rounds.
 */
#include "references.h"

#include "04-coordination/bounded_semaphore.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */

#include <semaphore.h>
#include <stdio.h>

enum { ROUNDS = 11, ALONE = 50000, TURNS = 2000 };

static struct {
    sem_t posix[2];
    struct semaphore *semaphores[2];
    struct bounded_semaphore *bounded[2];
    struct event *events[2];
} things;

static void posix_take(int i)
{
    while (sem_wait(&things.posix[i]) != 0)
        continue;
}

static void posix_give(int i)
{
    sem_post(&things.posix[i]);
}

static void semaphore_take(int i)
{
    semaphore_acquire(things.semaphores[i], true, -1);
}

static void semaphore_give(int i)
{
    semaphore_release(things.semaphores[i], 1);
}

static void bounded_take(int i)
{
    bounded_semaphore_acquire(things.bounded[i], true, -1);
}

static void bounded_give(int i)
{
    bounded_semaphore_release(things.bounded[i], 1);
}

static void event_take(int i)
{
    event_wait(things.events[i], -1);
    event_clear(things.events[i]);
}

static void event_give(int i)
{
    event_set(things.events[i]);
}

struct kind {
    const char *name;
    void (*take)(int i);
    void (*give)(int i);
};

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, argument) != 0) {
        fputs("coordination_cost: no thread\n", stderr);
        exit(1);
    }
    return thread;
}

static void *sleep_until_told(void *bed)
{
    while (sem_wait(bed) != 0)
        continue;
    return NULL;
}

static double alone_ns(const struct kind *kind)
{
    sem_t bed;

    sem_init(&bed, 0, 0);
    pthread_t sleeper = start(sleep_until_told, &bed);
    double began_ns = now_ns();
    for (int i = 0; i < ALONE; i++) {
        kind->give(0);
        kind->take(0);
    }
    double took_ns = now_ns() - began_ns;
    sem_post(&bed);
    pthread_join(sleeper, NULL);
    sem_destroy(&bed);
    return took_ns / ALONE;
}

static void *answer(void *argument)
{
    const struct kind *kind = argument;

    for (int i = 0; i < TURNS; i++) {
        kind->take(0);
        kind->give(1);
    }
    return NULL;
}

static double in_turn_ns(const struct kind *kind)
{
    pthread_t thread = start(answer, (void *)kind);
    double began_ns = now_ns();

    for (int i = 0; i < TURNS; i++) {
        kind->give(0);
        kind->take(1);
    }
    double took_ns = now_ns() - began_ns;
    pthread_join(thread, NULL);
    return took_ns / TURNS;
}

static int by_size(const void *left, const void *right)
{
    const double one = *(const double *)left, other = *(const double *)right;

    return (one > other) - (one < other);
}

static double median_ns(double (*workload)(const struct kind *), const struct kind *kind)
{
    double values[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        values[i] = workload(kind);
    qsort(values, ROUNDS, sizeof *values, by_size);
    return values[ROUNDS / 2];
}

static void make_things(void)
{
    bool made = true;

    for (int i = 0; i < 2; i++) {
        made = made && sem_init(&things.posix[i], 0, 0) == 0 && semaphore_create(&things.semaphores[i], 0) == 0;
        made = made && event_create(&things.events[i]) == 0;
        made = made && bounded_semaphore_create(&things.bounded[i], 1) == 0;
        made = made && bounded_semaphore_acquire(things.bounded[i], true, -1) == 0;
    }
    if (!made)
        exit(1);
}

int main(void)
{
    static const struct kind kinds[] = {{"sem_t", posix_take, posix_give},
                                        {"our semaphore", semaphore_take, semaphore_give},
                                        {"our bounded one", bounded_take, bounded_give},
                                        {"our event", event_take, event_give}};

    make_things();
    puts("what\talone_ns\tin_turn_us");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        printf("%s\t%.1f\t%.2f\n", kinds[i].name, median_ns(alone_ns, &kinds[i]),
               median_ns(in_turn_ns, &kinds[i]) / 1000);
    return 0;
}
