/* counter.c - a counter that several threads add to. A variant: the mutex is allocated apart from the value, tried
 * first and waited for only where it is taken. */
#include "counter.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct counter {
    pthread_mutex_t *lock;
    long sum; /* guarded by lock */
};

int counter_create(struct counter **counter)
{
    int error = ENOMEM;
    struct counter *made = malloc(sizeof *made);
    if (made == NULL)
        goto failed;
    made->lock = malloc(sizeof(pthread_mutex_t));
    if (made->lock == NULL)
        goto no_lock;
    error = pthread_mutex_init(made->lock, NULL);
    if (error != 0)
        goto no_mutex;
    made->sum = 0;
    *counter = made;
    return 0;

no_mutex:
    free(made->lock);
no_lock:
    free(made);
failed:
    return error;
}

void counter_destroy(struct counter *counter)
{
    if (counter == NULL)
        return;
    pthread_mutex_destroy(counter->lock);
    free(counter->lock);
    free(counter);
}

static void enter(struct counter *counter)
{
    if (pthread_mutex_trylock(counter->lock) != 0)
        pthread_mutex_lock(counter->lock);
}

long counter_add(struct counter *counter, long amount)
{
    enter(counter);
    long made = counter->sum += amount;
    pthread_mutex_unlock(counter->lock);
    return made;
}

long counter_get(struct counter *counter)
{
    enter(counter);
    long sum = counter->sum;
    pthread_mutex_unlock(counter->lock);
    return sum;
}

long counter_add_result(struct counter *counter, long (*work)(void *argument), void *argument)
{
    long result = work(argument);

    enter(counter);
    counter->sum += result;
    result = counter->sum;
    pthread_mutex_unlock(counter->lock);
    return result;
}

long counter_add_all(struct counter *counter, const long *amounts, size_t count)
{
    long sum = 0;

    for (const long *amount = amounts; amount != amounts + count; amount++)
        sum += *amount;
    return counter_add(counter, sum);
}
