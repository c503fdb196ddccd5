/* herd.c - one permit, many sleepers: what it costs to wake one of them, and what it costs to wake all.
 *
 * Theory: `sleepers` threads sleep on one condition until there is a permit. The main thread gives one, with a signal
 * or a broadcast, and waits until it was taken; PERMITS times. The figure is the processor time of the whole process
 * for one permit: with a broadcast all the others wake up, look, find nothing, and sleep again. Median of ROUNDS
 * rounds.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 7, PERMITS = 300, MOST = 64 };

struct meadow {
    pthread_mutex_t mutex;
    pthread_cond_t given;
    long permits; /* guarded by mutex, as is over */
    bool over;
    sem_t taken;
};

static void *graze(void *argument)
{
    struct meadow *meadow = argument;

    pthread_mutex_lock(&meadow->mutex);
    for (;;) {
        while (meadow->permits == 0 && !meadow->over)
            pthread_cond_wait(&meadow->given, &meadow->mutex);
        if (meadow->over)
            break;
        meadow->permits--;
        sem_post(&meadow->taken);
    }
    pthread_mutex_unlock(&meadow->mutex);
    return NULL;
}

static double used_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void give(struct meadow *meadow, bool all)
{
    pthread_mutex_lock(&meadow->mutex);
    meadow->permits++;
    pthread_mutex_unlock(&meadow->mutex);
    if (all)
        pthread_cond_broadcast(&meadow->given);
    else
        pthread_cond_signal(&meadow->given);
    while (sem_wait(&meadow->taken) != 0)
        continue;
}

static double permit_us(int sleepers, bool all)
{
    struct meadow meadow = {.mutex = PTHREAD_MUTEX_INITIALIZER, .given = PTHREAD_COND_INITIALIZER};
    pthread_t threads[MOST];

    sem_init(&meadow.taken, 0, 0);
    for (int i = 0; i < sleepers; i++)
        if (pthread_create(&threads[i], NULL, graze, &meadow) != 0)
            exit(1);
    for (int i = 0; i < PERMITS / 10; i++) /* until all sleep */
        give(&meadow, true);
    double began_us = used_us();
    for (int i = 0; i < PERMITS; i++)
        give(&meadow, all);
    double took_us = used_us() - began_us;
    pthread_mutex_lock(&meadow.mutex);
    meadow.over = true;
    pthread_mutex_unlock(&meadow.mutex);
    pthread_cond_broadcast(&meadow.given);
    for (int i = 0; i < sleepers; i++)
        pthread_join(threads[i], NULL);
    sem_destroy(&meadow.taken);
    return took_us / PERMITS;
}

static int by_size(const void *left, const void *right)
{
    const double one = *(const double *)left, other = *(const double *)right;

    return (one > other) - (one < other);
}

static double median_us(int sleepers, bool all)
{
    double values[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        values[i] = permit_us(sleepers, all);
    qsort(values, ROUNDS, sizeof *values, by_size);
    return values[ROUNDS / 2];
}

int main(void)
{
    puts("sleepers\tsignal_us\tbroadcast_us");
    for (int sleepers = 1; sleepers <= MOST; sleepers *= 2)
        printf("%d\t%.2f\t%.2f\n", sleepers, median_us(sleepers, false), median_us(sleepers, true));
    return 0;
}
