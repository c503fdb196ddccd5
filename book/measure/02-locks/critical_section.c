/* critical_section.c - how much faster two threads are than one, by how much of their work is done with the lock held.
 *
 * Each step of a thread is WORK units of work, some of them inside the lock and the rest outside. Two threads share the
 * steps that one thread would make alone. The figure is the time of one thread over the time of two: 2 is perfect, 1 is
 * no faster. Of each the shortest of ROUNDS
 * rounds: whatever else the machine does can only make one longer.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 20, STEPS = 200, WORK = 100000, THREADS = 2 };

struct job {
    pthread_mutex_t mutex;
    int steps;  /* of each thread */
    int inside; /* units of work with the lock held */
};

struct worker {
    struct job *job;
    int number;
};

static void work(int units)
{
    for (volatile int i = 0; i < units; i++)
        ;
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

static void *run(void *argument)
{
    struct worker *worker = argument;
    struct job *job = worker->job;

    stay_on(worker->number);

    for (int i = 0; i < job->steps; i++) {
        work(WORK - job->inside);
        pthread_mutex_lock(&job->mutex);
        work(job->inside);
        pthread_mutex_unlock(&job->mutex);
    }
    return NULL;
}

static double took_s(int threads, int inside)
{
    struct job job = {PTHREAD_MUTEX_INITIALIZER, STEPS / threads, inside};
    struct worker workers[THREADS];
    pthread_t ids[THREADS];
    struct timespec began, ended;

    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int i = 0; i < threads; i++) {
        workers[i] = (struct worker){&job, i};
        if (pthread_create(&ids[i], NULL, run, &workers[i]) != 0)
            exit(1);
    }
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
}

/* The shortest of all rounds. */
static double shortest_s(int threads, int inside)
{
    double shortest = took_s(threads, inside);

    for (int i = 1; i < ROUNDS; i++) {
        double next = took_s(threads, inside);
        if (next < shortest)
            shortest = next;
    }
    return shortest;
}

int main(void)
{
    puts("inside_percent\tspeedup");
    for (int percent = 0; percent <= 100; percent += 10) {
        int inside = WORK / 100 * percent;
        printf("%d\t%.2f\n", percent, shortest_s(1, inside) / shortest_s(THREADS, inside));
    }
    return 0;
}
