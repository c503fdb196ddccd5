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
/* What the comment above describes is not yet what stands below. Give the counter its mutex. */
struct counter {
    long value;
};
/* end state */

/* region create */
/* With the mutex comes more to make, and more to give back, also where making it fails. */
int counter_create(struct counter **counter)
{
    struct counter *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;

    made->value = 0;
    *counter = made;
    return 0;
}

void counter_destroy(struct counter *counter)
{
    free(counter);
}
/* end create */

/* region add */
/* One thread can run this for years. Two threads can lose an addition: read, add and write are three steps. */
long counter_add(struct counter *counter, long amount)
{
    counter->value = counter->value + amount;
    return counter->value;
}
/* end add */

/* region get */
/* Only reads, and still: while another thread writes? */
long counter_get(struct counter *counter)
{
    return counter->value;
}
/* end get */

/* region add_result */
/* Which part of this needs the lock, and which part must not have it? */
long counter_add_result(struct counter *counter, long (*work)(void *argument), void *argument)
{
    long result = work(argument);

    counter->value = counter->value + result;
    return counter->value;
}
/* end add_result */

/* region add_all */
/* All at one moment, and the long part without the lock. */
long counter_add_all(struct counter *counter, const long *amounts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        counter->value = counter->value + amounts[i];
    return counter->value;
}
/* end add_all */
