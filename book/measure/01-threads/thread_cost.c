/* thread_cost.c - what it costs to create and end a thread, to switch to another, and to create and end a process.
 *
 * The switch is half of a round trip: two threads hand a byte to and fro through two pipes, and with every byte one of
 * them wakes up and the other goes to sleep. They are kept on one core, so that it is a switch and not a call across
 * cores. Printed are medians of several rounds, in microseconds for one of each.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, CALLS = 1000000, THREADS = 400, PROCESSES = 100, TRIPS = 4000 };

static int there[2], back[2];

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void *nothing(void *argument)
{
    return argument;
}

static double call_us(void)
{
    void *(*volatile function)(void *) = nothing;
    double begin_us = now_us();

    for (int i = 0; i < CALLS; i++)
        function(NULL);
    return (now_us() - begin_us) / CALLS;
}

static double thread_us(void)
{
    double begin_us = now_us();

    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) != 0)
            exit(1);
        pthread_join(thread, NULL);
    }
    return (now_us() - begin_us) / THREADS;
}

static double process_us(void)
{
    double begin_us = now_us();

    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        if (child < 0)
            exit(1);
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    return (now_us() - begin_us) / PROCESSES;
}

static void *answer(void *unused)
{
    char byte;

    while (read(there[0], &byte, 1) == 1)
        if (write(back[1], &byte, 1) != 1)
            exit(1);
    return unused;
}

static void stay_on_one_core(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one); /* a thread that is created later inherits it */
}

static double switch_us(void)
{
    pthread_t thread;
    cpu_set_t all;
    char byte = 0;

    if (sched_getaffinity(0, sizeof all, &all) != 0 || pipe(there) != 0 || pipe(back) != 0)
        exit(1);
    stay_on_one_core();
    if (pthread_create(&thread, NULL, answer, NULL) != 0)
        exit(1);
    double begin_us = now_us();
    for (int i = 0; i < TRIPS; i++)
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            exit(1);
    double trip_us = (now_us() - begin_us) / TRIPS;
    close(there[1]);
    pthread_join(thread, NULL);
    close(there[0]);
    close(back[0]);
    close(back[1]);
    sched_setaffinity(0, sizeof all, &all);
    return trip_us / 2;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median_us(double (*measure)(void))
{
    double times_us[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        times_us[i] = measure();
    qsort(times_us, ROUNDS, sizeof times_us[0], by_size);
    return times_us[ROUNDS / 2];
}

int main(void)
{
    printf("what\tcost_us\n");
    printf("function call\t%.5f\n", median_us(call_us));
    printf("thread switch\t%.3f\n", median_us(switch_us));
    printf("thread\t%.3f\n", median_us(thread_us));
    printf("process\t%.3f\n", median_us(process_us));
    return 0;
}
