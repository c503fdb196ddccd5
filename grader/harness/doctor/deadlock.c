/* deadlock.c - two threads and two locks, for reading where a hung program stands: `deadlock bad` takes them in
 * opposite orders and hangs for certain, `deadlock clean` in one order and ends.
 */
#include "gate.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;
static bool clean;
static struct crew both_hold_one = CREW_OF(2);

static void take_both(pthread_mutex_t *one, pthread_mutex_t *other)
{
    pthread_mutex_lock(one);
    if (!clean)
        crew_meet(&both_hold_one);
    pthread_mutex_lock(other);
    pthread_mutex_unlock(other);
    pthread_mutex_unlock(one);
}

static void *first(void *unused)
{
    take_both(&left, &right);
    return unused;
}

static void *second(void *unused)
{
    take_both(clean ? &left : &right, clean ? &right : &left);
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
    return puts("ended") < 0;
}
