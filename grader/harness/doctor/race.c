/* race.c - two threads and one counter, for the detectors of races: `race clean` adds with the lock held, `race bad`
 * without it. The gate puts one after the other, and the detectors do not see it, so that the race is there in every
 * run.
 */
#include "gate.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long value; /* guarded by lock, or not at all */
static bool clean;
static struct gate first_done = GATE_CLOSED;

static void add(void)
{
    if (clean)
        pthread_mutex_lock(&lock);
    value = value + 1;
    if (clean)
        pthread_mutex_unlock(&lock);
}

static void *first(void *unused)
{
    add();
    gate_open(&first_done);
    return unused;
}

static void *second(void *unused)
{
    gate_pass(&first_done);
    add();
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];

    clean = argc > 1 && strcmp(argv[1], "clean") == 0;
    if (pthread_create(&threads[0], NULL, first, NULL) != 0 || pthread_create(&threads[1], NULL, second, NULL) != 0)
        return 2;
    if (pthread_join(threads[0], NULL) != 0 || pthread_join(threads[1], NULL) != 0)
        return 2;
    return printf("value %ld\n", value) < 0;
}
