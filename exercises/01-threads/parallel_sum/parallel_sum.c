/* parallel_sum.c - add up many numbers on several cores.
 *
 * Theory of operation: the caller splits the array into parts, starts a thread for each and joins them all; the threads
 * know nothing of each other. No lock is needed, because nothing is shared that anybody writes: the numbers are only
 * read, and each thread writes to its own part and to nothing else. pthread_create() and pthread_join() order the
 * rest: the caller fills in a part before its thread begins and reads its sum after its thread has ended.
 */
#include "parallel_sum.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* region part */
struct part {
    int64_t sum; /* what else must the thread find here? */
};
/* end part */

/* region thread */
/* Write here the function that each thread runs: static void *add_up(void *argument). It adds up the numbers of one
 * part.
 */
/* end thread */

/* region split */
/* Here a function that cuts the array into parts may help: which numbers belong to which thread? */
/* end split */

/* region start */
/* Here one that starts all threads may help. What if the third of four cannot be started? */
/* end start */

/* region sum */
int parallel_sum(const int32_t *numbers, size_t n, size_t threads, int64_t *sum)
{
    /* Split, start all the threads, join all the threads, add up what they found. */
    (void)numbers;
    (void)n;
    (void)threads;
    (void)sum;
    return ENOSYS;
}
/* end sum */
