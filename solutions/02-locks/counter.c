/* counter.c - a counter that several threads add to.
 *
 * Theory of operation: no threads of its own. One mutex guards the value, and every read and every write of it happens
 * with the mutex held. The critical section is one addition long; what takes time (the caller's work, a long sum) is
 * done before it, on values that only the calling thread knows. No other lock is ever taken inside, and no code of
 * the caller's runs inside, so nothing can deadlock here.
 */
#include "counter.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* region state */
struct counter {
    pthread_mutex_t mutex;
    long value; /* guarded by mutex */
};
/* end state */

/* region create */
int counter_create(struct counter **counter)
{
    struct counter *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0) {
        free(made);
        return error;
    }
    made->value = 0;
    *counter = made;
    return 0;
}

void counter_destroy(struct counter *counter)
{
    if (counter == NULL)
        return;
    pthread_mutex_destroy(&counter->mutex);
    free(counter);
}
/* end create */

/* region add */
long counter_add(struct counter *counter, long amount)
{
    pthread_mutex_lock(&counter->mutex);
    counter->value += amount;
    long value = counter->value; /* a copy to return: after the unlock the value is anyone's again */
    pthread_mutex_unlock(&counter->mutex);
    return value;
}
/* end add */

/* region get */
long counter_get(struct counter *counter)
{
    pthread_mutex_lock(&counter->mutex);
    long value = counter->value;
    pthread_mutex_unlock(&counter->mutex);
    return value;
}
/* end get */

/* region add_result */
long counter_add_result(struct counter *counter, long (*work)(void *argument), void *argument)
{
    long result = work(argument); /* no lock is held: it may take its time, and may call us */

    return counter_add(counter, result);
}
/* end add_result */

/* region add_all */
long counter_add_all(struct counter *counter, const long *amounts, size_t count)
{
    long sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += amounts[i];
    return counter_add(counter, sum);
}
/* end add_all */
