/* counter.c - a counter that several threads add to. A variant: every use of the value, reading too, goes through one
 * function with the only critical section of the file. */
#include "counter.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct counter {
    long value; /* guarded by guard */
    pthread_mutex_t guard;
};

static long change(struct counter *counter, long by)
{
    long now;

    pthread_mutex_lock(&counter->guard);
    now = counter->value + by;
    counter->value = now;
    pthread_mutex_unlock(&counter->guard);
    return now;
}

int counter_create(struct counter **counter)
{
    int error;

    *counter = calloc(1, sizeof **counter);
    if (*counter == NULL)
        return ENOMEM;
    error = pthread_mutex_init(&(*counter)->guard, NULL);
    if (error != 0) {
        free(*counter);
        *counter = NULL;
    }
    return error;
}

void counter_destroy(struct counter *counter)
{
    if (counter != NULL)
        pthread_mutex_destroy(&counter->guard);
    free(counter);
}

long counter_add(struct counter *counter, long amount)
{
    return change(counter, amount);
}

long counter_get(struct counter *counter)
{
    return change(counter, 0);
}

long counter_add_result(struct counter *counter, long (*work)(void *argument), void *argument)
{
    return change(counter, work(argument));
}

long counter_add_all(struct counter *counter, const long *amounts, size_t count)
{
    long sum = 0;

    while (count > 0)
        sum += amounts[--count];
    return change(counter, sum);
}
