/* executor.h - threads that stay and work off tasks: Python's concurrent.futures.ThreadPoolExecutor.
 *
 *     with ThreadPoolExecutor(max_workers=4) as executor:
 *         future = executor.submit(work, argument)
 *         ...
 *         print(future.result())
 *
 * It is built on a queue (05-queues/fifo_queue) and on futures (06-pools/future). It promises:
 *
 *   - Each task that was accepted is done once, by one of the workers, and its future tells how it went. Tasks begin in
 *     the order in which they were submitted.
 *   - A worker is started when a task comes and no worker is idle, and never are there more than the maximum. An idle
 *     worker sleeps, and a task wakes one of them, not all.
 *   - A task that fails fails its future, and nothing else: the worker goes on to the next.
 *   - A task whose future is cancelled before it begins is not done.
 *   - After a shutdown no task is accepted any more, and those that wait in the queue are still done, unless they are
 *     to be cancelled.
 *
 * All calls but create and destroy may be made from any number of threads at the same time, also from tasks and from
 * callbacks of their futures.
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include "future.h"

#include <stdbool.h>

struct executor;

/* Makes an executor for at most `max_workers` threads and stores it in `*executor`; none is started yet. It belongs to
 * the caller, who ends it with executor_destroy. The maximum may be INT_MAX, for it costs nothing itself. Returns 0, or
 * a positive errno value, and then nothing was made and nothing is kept:
 *   EINVAL  max_workers is not above 0 (Python: ValueError)
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the function returned that failed */
int executor_create(struct executor **executor, int max_workers);

/* Has work(argument, &result) called by a worker; `result` is NULL before. Where it returns 0, the future is finished
 * with the result that it stored; where it returns something positive, with that as the exception. (What is negative
 * becomes EINVAL: an exception is above 0.) A task ends by returning, and not with pthread_exit.
 *
 * Stores the future in `*future`, with a reference that is the caller's, who gives it back with future_drop whenever he
 * likes, be the task done or not; while it needs the future the executor has a reference of its own, and no longer than
 * that. Where `future` is NULL the caller wants none. `argument` is handed on and must be there when the task runs.
 * Returns 0, or a positive errno value, and then the task will not be done, and `*future` is as it was:
 *   ESHUTDOWN  the executor was shut down (Python: RuntimeError, "cannot schedule new futures after shutdown")
 *   ENOMEM     there is no memory (Python: MemoryError)
 *   other      what the function returned that failed: future_create, or pthread_create where there is no worker yet
 *              (Python: RuntimeError, "can't start new thread"). Where there are workers, they will have to do, and
 *              that is no error; the next task that finds none idle has it tried again.
 * Does not wait for any task, nor for a new worker to run: a shutdown right after it may cancel every task. */
int executor_submit(struct executor *executor, int (*work)(void *argument, void **result), void *argument,
                    struct future **future);

/* Shuts it down: from now on submit returns ESHUTDOWN. Idle workers end, the others once the queue is empty.
 * `cancel_futures` first cancels what waits in the queue, in its order: those futures are cancelled and notified, their
 * callbacks have been called before this returns, and their tasks are never done, nor are those without a future. What
 * runs is not disturbed, and a worker that becomes free in the middle of it may still take a task that is there (as in
 * Python).
 * `wait` waits until all tasks are done and all workers have ended. It may be called again, with other arguments, and
 * by several threads at the same time: each that asked for `wait` gets it. Returns 0, or
 *   EDEADLK  `wait`, and called by one of its own workers, which would wait for itself (Python: RuntimeError,
 *            "cannot join current thread"); it is shut down all the same, and nobody has waited
 * Blocks, asleep, where `wait` says so. */
int executor_shutdown(struct executor *executor, bool wait, bool cancel_futures);

/* How many workers were started so far, and how many there may be (Python: len(_threads), _max_workers). Does not block
 * for long. */
int executor_workers(struct executor *executor);
int executor_max_workers(struct executor *executor);

/* Shuts it down as executor_shutdown(executor, true, false), as the end of Python's `with` does, and gives back all
 * that it holds. Nobody may use it, or be in a call on it, from now on, except for the tasks that it still has, until
 * they are done. Not from a task of its own. Futures live on as long as somebody has a reference. NULL is fine. */
void executor_destroy(struct executor *executor);

#endif
