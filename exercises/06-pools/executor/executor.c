/* executor.c - threads that stay and work off tasks.
 *
 * Theory of operation: submit puts a task into the queue, workers take tasks out, one after the other, in their order.
 * A worker without a task sleeps in the queue. As in Python the shutdown puts a NULL behind the last task: the worker
 * who takes it puts it back for the next one, and ends. One mutex guards the numbers and orders everything: a submit is
 * either before a shutdown, and then its task is in the queue before the NULL, or after it, and refused.
 *
 * The mutex is never held while foreign code runs: neither during a task nor when a future becomes done, for that calls
 * callbacks. Locks are taken in this order: a future's, the executor's, the queue's.
 *
 * The workers' threads are joined by executor_destroy. A shutdown that waits only waits until the last worker has left
 * its loop; so any number of threads may do it, at the same time and again.
 */
#include "executor.h"

#include "fifo_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
/* The queue, the workers, how many of them are idle, whether it is shut down: and what guards that, and who sleeps on
 * what? */
struct executor {
    int max_workers;
};
/* end state */

/* region create */
/* Make what the struct needs, and give back what was made where the rest fails. No worker yet. */
int executor_create(struct executor **executor, int max_workers)
{
    (void)executor;
    (void)max_workers;
    return ENOSYS;
}
/* end create */

/* region task */
/* A place for a task: what is to be done, and the future that will tell how it went. */
/* end task */

/* region worker */
/* A place for what a worker does: a task, the next, and when there is none? And when does it end? */
/* end worker */

/* region start */
/* A place for a helper that starts one more worker. */
/* end start */

/* region submit */
/* Refuse it, or see to it that somebody will do it. Two references to its future: whose are they? */
int executor_submit(struct executor *executor, int (*work)(void *argument, void **result), void *argument,
                    struct future **future)
{
    (void)executor;
    (void)work;
    (void)argument;
    (void)future;
    return ENOSYS;
}
/* end submit */

/* region cancel */
/* A place for what a shutdown does with tasks that are to be cancelled. Which lock is held when callbacks are called?
 */
/* end cancel */

/* region shutdown */
/* Say it to all, wake who sleeps, wait if asked to; and who must not wait? */
int executor_shutdown(struct executor *executor, bool wait, bool cancel_futures)
{
    (void)executor;
    (void)wait;
    (void)cancel_futures;
    return ENOSYS;
}
/* end shutdown */

/* region look */
int executor_workers(struct executor *executor)
{
    (void)executor;
    return 0;
}

int executor_max_workers(struct executor *executor)
{
    (void)executor;
    return 0;
}
/* end look */

/* region destroy */
/* Wait for the end of all, then give everything back. */
void executor_destroy(struct executor *executor)
{
    (void)executor;
}
/* end destroy */
