/* executor.c - threads that stay and work off tasks.
 *
 * Theory of operation: submit puts a task into the queue, workers take tasks out, one after the other, in their order.
 * One mutex guards the numbers and orders everything: a submit is either before a shutdown, and then its task is in the
 * queue when the workers are told to end, or after it, and refused. A worker without a task sleeps on the condition
 * `work`, for one of two things: a task, or the shutdown. That is why it does not sleep in fifo_queue_get, which knows
 * of tasks only; the queue is never asked to wait. (Python's workers do sleep in the queue. Its shutdown wakes them by
 * a None that it puts there, for which C would need memory just when there must be no failure.)
 *
 * The mutex is never held while foreign code runs: neither during a task nor when a future becomes done, for that calls
 * callbacks. Locks are taken in this order: a future's, the executor's, the queue's.
 *
 * A shutdown that waits joins the workers. Of several that wait at the same time each joins those that nobody else is
 * joining yet, and then sleeps until the others are joined too; so any number of threads may do it, and again.
 */
#include "executor.h"

#include "fifo_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
struct task {
    struct future_watcher watcher; /* the first member; tells when the worker has no more to do with it */
    struct executor *executor;
    bool ending; /* guarded by the executor's mutex; its worker is one of those that are ending */
    int (*work)(void *argument, void **result);
    void *argument;
    struct future *future; /* a reference of the task's own; NULL where nobody wants to know how it went */
    struct task *next;     /* while a shutdown cancels it */
};

struct worker {
    bool joining; /* somebody joins it, or has joined it; guarded by the executor's mutex */
    pthread_t thread;
    struct worker *next;
};

struct executor {
    int max_workers; /* set at creation, only read afterwards; likewise queue */
    struct fifo_queue *queue;
    pthread_mutex_t mutex;
    pthread_cond_t work;    /* signalled when there is a task for an idle worker; broadcast at the shutdown */
    pthread_cond_t ended;   /* broadcast when a worker was joined */
    struct worker *workers; /* guarded by mutex, as is all below; the list of all that were started */
    int started;            /* how many those are */
    int joined;             /* how many of them were joined */
    size_t idle;            /* how many of them sleep on work */
    size_t ending;          /* how many have finished a task, for all to see, and are about to look for the next */
    size_t waiting;         /* how many tasks are in the queue */
    bool closed;            /* shut down */
};
/* Whose worker this thread is. The list cannot tell: a thread that was joined leaves its pthread_t to the next one. */
static _Thread_local const struct executor *works_for;
/* end state */

/* region create */
int executor_create(struct executor **executor, int max_workers)
{
    if (max_workers <= 0)
        return EINVAL;
    struct executor *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    made->max_workers = max_workers;
    int error = fifo_queue_create(&made->queue, 0);
    if (error != 0)
        goto no_queue;
    error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = pthread_cond_init(&made->work, NULL);
    if (error != 0)
        goto no_work;
    error = pthread_cond_init(&made->ended, NULL);
    if (error != 0)
        goto no_ended;
    *executor = made;
    return 0;

no_ended:
    pthread_cond_destroy(&made->work);
no_work:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    fifo_queue_destroy(made->queue);
no_queue:
    free(made);
    return error;
}
/* end create */

/* region task */
static int make_task(struct executor *executor, struct task **task, int (*work)(void *argument, void **result),
                     void *argument, bool with_future)
{
    struct task *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;

    *made = (struct task){.executor = executor, .work = work, .argument = argument};
    int error = with_future ? future_create(&made->future) : 0;
    if (error != 0) {
        free(made);
        return error;
    }
    *task = made;
    return 0;
}

static void free_task(struct task *task)
{
    future_drop(task->future);
    free(task);
}

/* The future is about to be seen as finished. Whoever sees it may submit the next task at once, and that is no reason
 * to start a worker, since this one is as good as idle; unless it has callbacks to call, which may take any time.
 * Called with the future's lock held, so that lock comes before the executor's. */
static void finished(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    struct task *task = (struct task *)watcher;

    (void)state;
    (void)exception;
    if (callbacks)
        return;
    pthread_mutex_lock(&task->executor->mutex);
    task->ending = true;
    task->executor->ending++;
    pthread_mutex_unlock(&task->executor->mutex);
}

/* Without the mutex: does the task, unless it was cancelled. */
static void run_task(struct task *task)
{
    if (task->future != NULL && future_set_running_or_notify_cancel(task->future) != 0)
        return;

    void *result = NULL;
    int error = task->work(task->argument, &result);
    if (task->future == NULL)
        return;
    task->watcher.settled = finished;
    (void)future_watch(task->future, &task->watcher);
    if (error == 0)
        future_set_result(task->future, result);
    else
        future_set_exception(task->future, error > 0 ? error : EINVAL);
}
/* end task */

/* region worker */
/* With the mutex held: the next task; sleeps while there is none. NULL: there will be none any more. */
static struct task *next_task(struct executor *executor)
{
    void *task = NULL;

    while (fifo_queue_get(executor->queue, &task, 0) != 0) {
        if (executor->closed)
            return NULL;
        executor->idle++;
        pthread_cond_wait(&executor->work, &executor->mutex);
        executor->idle--;
    }
    executor->waiting--;
    return task;
}

static void *work_off(void *argument)
{
    struct executor *executor = argument;

    works_for = executor;

    pthread_mutex_lock(&executor->mutex);
    for (struct task *task = next_task(executor); task != NULL; task = next_task(executor)) {
        pthread_mutex_unlock(&executor->mutex);
        run_task(task);
        bool ending = task->ending; /* told by this very thread */
        free_task(task);            /* before it sleeps again: nobody else may need the future any more */
        pthread_mutex_lock(&executor->mutex);
        executor->ending -= ending ? 1 : 0;
    }
    pthread_mutex_unlock(&executor->mutex);
    return NULL;
}
/* end worker */

/* region start */
/* With the mutex held, so that the new worker waits until the task is in the queue. */
static int start_worker(struct executor *executor)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return ENOMEM;

    int error = pthread_create(&worker->thread, NULL, work_off, executor);
    if (error != 0) {
        free(worker);
        return error;
    }
    worker->next = executor->workers;
    executor->workers = worker;
    executor->started++;
    return 0;
}
/* end start */

/* region submit */
/* With the mutex held: sees to it that there is somebody for one more task, and puts it into the queue. */
static int accept_task(struct executor *executor, struct task *task)
{
    if (executor->closed)
        return ESHUTDOWN;

    /* Each task that waits has the claim on one of those who sleep, although he may not have woken up yet, or who are
     * about to look for one. */
    if (executor->waiting >= executor->idle + executor->ending && executor->started < executor->max_workers) {
        int error = start_worker(executor);
        if (error != 0 && executor->started == 0)
            return error; /* else those that there are will do it */
    }
    int error = fifo_queue_put(executor->queue, task, 0);
    if (error != 0)
        return error;
    executor->waiting++;
    if (executor->idle > 0)
        pthread_cond_signal(&executor->work);
    return 0;
}

int executor_submit(struct executor *executor, int (*work)(void *argument, void **result), void *argument,
                    struct future **future)
{
    struct task *task = NULL;
    int error = make_task(executor, &task, work, argument, future != NULL);
    if (error != 0)
        return error;
    /* The caller's reference, while the task is still ours: a worker may be done with it at once. */
    struct future *shared = future == NULL ? NULL : future_hold(task->future);

    pthread_mutex_lock(&executor->mutex);
    error = accept_task(executor, task);
    pthread_mutex_unlock(&executor->mutex);

    if (error != 0) {
        future_drop(shared);
        free_task(task);
    } else if (future != NULL) {
        *future = shared;
    }
    return error;
}
/* end submit */

/* region cancel */
/* With the mutex held: takes all tasks out of the queue, in their order. */
static struct task *take_all(struct executor *executor)
{
    struct task *first = NULL, **end = &first;
    void *taken = NULL;

    while (fifo_queue_get(executor->queue, &taken, 0) == 0) {
        struct task *task = taken;
        *end = task;
        end = &task->next;
    }
    executor->waiting = 0;
    return first;
}

/* Without the mutex, since that calls callbacks. */
static void cancel_all(struct task *task)
{
    while (task != NULL) {
        struct task *next = task->next;
        if (task->future != NULL && future_cancel(task->future) == 0)
            future_set_running_or_notify_cancel(task->future); /* nobody will come to do it: tell the watchers */
        free_task(task);
        task = next;
    }
}
/* end cancel */

/* region shutdown */
int executor_shutdown(struct executor *executor, bool wait, bool cancel_futures)
{
    pthread_mutex_lock(&executor->mutex);
    executor->closed = true;
    struct task *cancelled = cancel_futures ? take_all(executor) : NULL;
    pthread_cond_broadcast(&executor->work);
    bool itself = wait && works_for == executor;
    pthread_mutex_unlock(&executor->mutex);

    cancel_all(cancelled);
    if (!wait || itself)
        return itself ? EDEADLK : 0;

    pthread_mutex_lock(&executor->mutex);
    for (struct worker *worker = executor->workers; worker != NULL; worker = worker->next) {
        if (worker->joining)
            continue;
        worker->joining = true;
        pthread_mutex_unlock(&executor->mutex);
        pthread_join(worker->thread, NULL);
        pthread_mutex_lock(&executor->mutex);
        executor->joined++;
        pthread_cond_broadcast(&executor->ended);
    }
    while (executor->joined < executor->started)
        pthread_cond_wait(&executor->ended, &executor->mutex);
    pthread_mutex_unlock(&executor->mutex);
    return 0;
}
/* end shutdown */

/* region look */
int executor_workers(struct executor *executor)
{
    pthread_mutex_lock(&executor->mutex);
    int started = executor->started;
    pthread_mutex_unlock(&executor->mutex);
    return started;
}

int executor_max_workers(struct executor *executor)
{
    return executor->max_workers;
}
/* end look */

/* region destroy */
void executor_destroy(struct executor *executor)
{
    if (executor == NULL)
        return;

    executor_shutdown(executor, true, false);
    struct worker *worker = executor->workers; /* nobody is left who could change it */
    while (worker != NULL) {
        struct worker *next = worker->next;
        free(worker);
        worker = next;
    }
    pthread_cond_destroy(&executor->ended);
    pthread_cond_destroy(&executor->work);
    pthread_mutex_destroy(&executor->mutex);
    fifo_queue_destroy(executor->queue);
    free(executor);
}
/* end destroy */
