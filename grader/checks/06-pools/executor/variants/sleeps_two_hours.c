/* executor.c - right, but a worker without a task sleeps two hours at a time: it looks, finds nothing, and sleeps
 * again.
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

#define TWO_HOURS_US INT64_C(7200000000)

struct task {
    struct future_watcher watcher; /* the first member; tells when its future is about to be seen as finished */
    struct executor *executor;
    bool finished; /* guarded by the executor's mutex; the watcher has told: it is no longer unfinished */
    int (*work)(void *argument, void **result);
    void *argument;
    struct future *future; /* a reference of the task's own; NULL where nobody wants to know how it went */
    struct task *next;     /* among those that are spare, or while a shutdown cancels it */
};

struct worker {
    pthread_t thread;
    struct worker *next;
};

struct executor {
    int max_workers;          /* set at creation, only read afterwards; likewise queue */
    struct fifo_queue *queue; /* of tasks; a NULL in it tells whoever takes it to end */
    pthread_mutex_t mutex;
    pthread_cond_t ended;   /* broadcast when the last worker has ended */
    struct worker *workers; /* guarded by mutex, as is all below; the list of all that were started */
    int started;            /* how many those are */
    int alive;              /* how many of them have not ended */
    size_t unfinished;      /* how many tasks are in the queue or with a worker: each needs a worker of its own */
    struct task *spare;     /* the memory of tasks that are over, for those to come */
    bool closed;            /* shut down */
};

/* Has the queue make its first places now. It keeps them, so in a queue that is empty there is always one for a NULL.
 */
static int make_queue(struct fifo_queue **queue)
{
    void *item = NULL;
    int error = fifo_queue_create(queue, 0);
    if (error != 0)
        return error;

    error = fifo_queue_put(*queue, NULL, 0);
    if (error == 0)
        error = fifo_queue_get(*queue, &item, 0);
    if (error != 0)
        fifo_queue_destroy(*queue);
    return error;
}

int executor_create(struct executor **executor, int max_workers)
{
    if (max_workers <= 0)
        return EINVAL;
    struct executor *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    made->max_workers = max_workers;
    int error = make_queue(&made->queue);
    if (error != 0)
        goto no_queue;
    error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = pthread_cond_init(&made->ended, NULL);
    if (error != 0)
        goto no_ended;
    *executor = made;
    return 0;

no_ended:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    fifo_queue_destroy(made->queue);
no_queue:
    free(made);
    return error;
}

/* With the mutex held: memory for a task. A task is made by one thread and over in another, again and again; so the
 * memory goes back and forth here, under a mutex that both hold anyway, and not through malloc. NULL: there is none. */
static struct task *take_spare(struct executor *executor)
{
    struct task *task = executor->spare;

    if (task == NULL)
        return malloc(sizeof *task);
    executor->spare = task->next;
    return task;
}

/* With the mutex held. */
static void keep_spare(struct executor *executor, struct task *task)
{
    task->next = executor->spare;
    executor->spare = task;
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
    task->finished = true;
    task->executor->unfinished--;
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

/* Without the mutex: the worker has no more to do with the task. Returns whether the executor is shut down. */
static bool end_task(struct executor *executor, struct task *task)
{
    future_drop(task->future);
    pthread_mutex_lock(&executor->mutex);
    executor->unfinished -= task->finished ? 0 : 1;
    keep_spare(executor, task);
    bool closed = executor->closed;
    pthread_mutex_unlock(&executor->mutex);
    return closed;
}

/* The next task; sleeps in the queue while there is none, two hours at a time. NULL: there will be none any more. The
 * NULL may be missing, if the shutdown found all places of the queue taken and no memory for more. But then a worker
 * that has done one of the tasks in it knows: it does not sleep, and puts a NULL into the queue once that is empty. */
static struct task *next_task(struct executor *executor, bool closed)
{
    void *task = NULL;

    int error = fifo_queue_get(executor->queue, &task, closed ? 0 : TWO_HOURS_US);
    while (error == ETIMEDOUT && !closed)
        error = fifo_queue_get(executor->queue, &task, TWO_HOURS_US);
    if (error != 0 || task == NULL)
        (void)fifo_queue_put(executor->queue, NULL, 0); /* for the next one */
    return task;
}

static void *work_off(void *argument)
{
    struct executor *executor = argument;
    bool closed = false; /* as far as this worker knows */

    for (struct task *task = next_task(executor, closed); task != NULL; task = next_task(executor, closed)) {
        run_task(task);
        closed = end_task(executor, task); /* before it sleeps again: nobody else may need the future any more */
    }
    pthread_mutex_lock(&executor->mutex);
    if (--executor->alive == 0)
        pthread_cond_broadcast(&executor->ended);
    pthread_mutex_unlock(&executor->mutex);
    return NULL;
}

/* With the mutex held: starts a worker, if all that there are have a task already and there may be more. Returns an
 * error only where there is no worker at all; else those that there are will do it. */
static int start_worker(struct executor *executor)
{
    if (executor->unfinished < (size_t)executor->started || executor->started == executor->max_workers)
        return 0;
    struct worker *worker = malloc(sizeof *worker);
    int error = worker == NULL ? ENOMEM : pthread_create(&worker->thread, NULL, work_off, executor);
    if (error != 0) {
        free(worker);
        return executor->started > 0 ? 0 : error;
    }
    worker->next = executor->workers;
    executor->workers = worker;
    executor->started++;
    executor->alive++;
    return 0;
}

/* With the mutex held: puts a task like `wanted` into the queue, and sees to it that there is somebody to do it. */
static int accept_task(struct executor *executor, const struct task *wanted)
{
    if (executor->closed)
        return ESHUTDOWN;
    struct task *task = take_spare(executor);
    if (task == NULL)
        return ENOMEM;

    *task = *wanted;
    int error = start_worker(executor);
    if (error == 0)
        error = fifo_queue_put(executor->queue, task, 0);
    if (error == 0)
        executor->unfinished++;
    else
        keep_spare(executor, task);
    return error;
}

int executor_submit(struct executor *executor, int (*work)(void *argument, void **result), void *argument,
                    struct future **future)
{
    struct task task = {.executor = executor, .work = work, .argument = argument};
    int error = future != NULL ? future_create(&task.future) : 0;
    if (error != 0)
        return error;
    /* The caller's reference, while the task is still ours: a worker may be done with it at once. */
    struct future *shared = future != NULL ? future_hold(task.future) : NULL;

    pthread_mutex_lock(&executor->mutex);
    error = accept_task(executor, &task);
    pthread_mutex_unlock(&executor->mutex);

    if (error != 0) {
        future_drop(task.future);
        future_drop(shared);
    } else if (future != NULL) {
        *future = shared;
    }
    return error;
}

/* With the mutex held: takes all tasks out of the queue, in their order. */
static struct task *take_all(struct executor *executor)
{
    struct task *first = NULL, **end = &first;
    void *taken = NULL;

    while (fifo_queue_get(executor->queue, &taken, 0) == 0) {
        if (taken == NULL) /* of an earlier shutdown */
            continue;
        struct task *task = taken;
        task->next = NULL;
        *end = task;
        end = &task->next;
    }
    return first;
}

/* Without the mutex, since that calls callbacks. */
static void cancel_all(struct executor *executor, struct task *task)
{
    while (task != NULL) {
        struct task *next = task->next;
        if (task->future != NULL && future_cancel(task->future) == 0)
            future_set_running_or_notify_cancel(task->future); /* nobody will come to do it: tell the watchers */
        (void)end_task(executor, task);
        task = next;
    }
}

/* With the mutex held: whether the calling thread is one of the workers. */
static bool is_worker(const struct executor *executor)
{
    for (const struct worker *worker = executor->workers; worker != NULL; worker = worker->next)
        if (pthread_equal(worker->thread, pthread_self()))
            return true;
    return false;
}

int executor_shutdown(struct executor *executor, bool wait, bool cancel_futures)
{
    pthread_mutex_lock(&executor->mutex);
    struct task *cancelled = cancel_futures ? take_all(executor) : NULL;
    if (!executor->closed || cancel_futures)
        (void)fifo_queue_put(executor->queue, NULL, 0); /* where there is no memory: see next_task */
    executor->closed = true;
    bool itself = wait && is_worker(executor);
    pthread_mutex_unlock(&executor->mutex);

    cancel_all(executor, cancelled);
    if (!wait || itself)
        return itself ? EDEADLK : 0;

    pthread_mutex_lock(&executor->mutex);
    while (executor->alive > 0)
        pthread_cond_wait(&executor->ended, &executor->mutex);
    pthread_mutex_unlock(&executor->mutex);
    return 0;
}

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

void executor_destroy(struct executor *executor)
{
    if (executor == NULL)
        return;

    executor_shutdown(executor, true, false);
    struct worker *worker = executor->workers; /* nobody is left who could change it, or what is spare */
    while (worker != NULL) {
        struct worker *next = worker->next;
        pthread_join(worker->thread, NULL); /* it has left its loop */
        free(worker);
        worker = next;
    }
    while (executor->spare != NULL)
        free(take_spare(executor));
    pthread_cond_destroy(&executor->ended);
    pthread_mutex_destroy(&executor->mutex);
    fifo_queue_destroy(executor->queue);
    free(executor);
}
