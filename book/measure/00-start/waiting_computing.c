/* waiting_computing.c - eight tasks, in turn and in eight threads: tasks that wait, and tasks that compute.
 *
 * A task that waits sleeps for 25 ms, as if a disk or another computer had to answer. A task that computes counts, as
 * far as one core gets in about 25 ms. Printed are medians of several rounds, in milliseconds for all eight.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TASKS = 8, TASK_MS = 25, ROUNDS = 5 };

static long steps; /* as many as take TASK_MS; set before any thread starts */

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void *task_that_waits(void *unused)
{
    struct timespec time = {0, TASK_MS * 1000000L};

    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
    return unused;
}

static void *task_that_computes(void *unused)
{
    for (volatile long i = 0; i < steps; i++)
        continue;
    return unused;
}

static double in_turn_ms(void *(*task)(void *))
{
    double begin_ms = now_ms();

    for (int i = 0; i < TASKS; i++)
        task(NULL);
    return now_ms() - begin_ms;
}

static double in_threads_ms(void *(*task)(void *))
{
    pthread_t threads[TASKS];
    double begin_ms = now_ms();

    for (int i = 0; i < TASKS; i++)
        if (pthread_create(&threads[i], NULL, task, NULL) != 0)
            exit(1);
    for (int i = 0; i < TASKS; i++)
        pthread_join(threads[i], NULL);
    return now_ms() - begin_ms;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median_ms(double (*measure)(void *(*task)(void *)), void *(*task)(void *))
{
    double times_ms[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        times_ms[i] = measure(task);
    qsort(times_ms, ROUNDS, sizeof times_ms[0], by_size);
    return times_ms[ROUNDS / 2];
}

static void calibrate(void)
{
    double begin_ms = now_ms();

    steps = 10 * 1000 * 1000;
    task_that_computes(NULL);
    steps = (long)((double)steps * TASK_MS / (now_ms() - begin_ms));
}

int main(void)
{
    calibrate();
    printf("tasks\tin_turn_ms\teight_threads_ms\n");
    printf("that wait\t%.1f\t%.1f\n", median_ms(in_turn_ms, task_that_waits),
           median_ms(in_threads_ms, task_that_waits));
    printf("that compute\t%.1f\t%.1f\n", median_ms(in_turn_ms, task_that_computes),
           median_ms(in_threads_ms, task_that_computes));
    return 0;
}
