/* executor.c - right, but it counts the idle as Python does: a worker that finds no task is one more, a task that is
 * put there for it makes them one less. It takes its task with the mutex held, unless it has to sleep for it. */
#include "executor.h"

#include "fifo_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
struct task {
    int (*work)(void *argument, void **result);
    void *argument;
    struct future *future; /* a reference of the task's own */
    struct task *next;     /* while a shutdown cancels it */
};

struct worker {
    pthread_t thread;
    struct worker *next;
};

struct executor {
    int max_workers; /* set at creation, only read afterwards; likewise queue */
    struct fifo_queue *queue;
    pthread_mutex_t mutex;
    pthread_cond_t ended;   /* broadcast when the last worker has ended */
    struct worker *workers; /* guarded by mutex, as is all below; the list of all that were started */
    int started;            /* how many those are */
    int alive;              /* how many of them have not ended */
    size_t idle;            /* how many of them sleep in the queue, and no task was put there for them */
    bool closed;            /* shut down */
};
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
/* end create */

/* region task */
static int make_task(struct task **task, int (*work)(void *argument, void **result), void *argument)
{
    struct task *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;

    *made = (struct task){work, argument, NULL, NULL};
    int error = future_create(&made->future);
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

/* Without the mutex: does the task, unless it was cancelled. */
static void run_task(struct task *task)
{
    if (future_set_running_or_notify_cancel(task->future) != 0)
        return;

    void *result = NULL;
    int error = task->work(task->argument, &result);
    if (error == 0)
        future_set_result(task->future, result);
    else
        future_set_exception(task->future, error > 0 ? error : EINVAL);
}
/* end task */

/* region worker */
/* The next task; sleeps while there is none. NULL: there will be none any more, and the next worker is to know it. */
static struct task *next_task(struct executor *executor)
{
    void *task = NULL;

    pthread_mutex_lock(&executor->mutex); /* nobody can put one between the look and the count */
    bool none = fifo_queue_get(executor->queue, &task, 0) != 0;
    bool over = none && executor->closed; /* the NULL found no place, or somebody has taken it */
    if (none)
        executor->idle++;
    pthread_mutex_unlock(&executor->mutex);
    if (none && !over)
        fifo_queue_get(executor->queue, &task, -1);
    if (task == NULL)
        fifo_queue_put(executor->queue, NULL, 0);
    return task;
}

static void *work_off(void *argument)
{
    struct executor *executor = argument;

    for (struct task *task = next_task(executor); task != NULL; task = next_task(executor)) {
        run_task(task);
        free_task(task);
    }
    pthread_mutex_lock(&executor->mutex);
    if (--executor->alive == 0)
        pthread_cond_broadcast(&executor->ended);
    pthread_mutex_unlock(&executor->mutex);
    return NULL;
}
/* end worker */

/* region start */
/* With the mutex held, so that the new worker waits until the task is in the queue. */
static int start_worker(struct executor *executor)
{
    struct worker *worker = malloc(sizeof *worker);
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
    executor->alive++;
    return 0;
}
/* end start */

/* region submit */
/* With the mutex held: sees to it that there is somebody for one more task, and puts it into the queue. */
static int accept_task(struct executor *executor, struct task *task)
{
    if (executor->closed)
        return ESHUTDOWN;

    bool all_busy = executor->idle == 0;
    if (all_busy && executor->started < executor->max_workers) {
        int error = start_worker(executor);
        if (error != 0 && executor->started == 0)
            return error; /* else those that there are will do it */
    }
    int error = fifo_queue_put(executor->queue, task, 0);
    if (error == 0 && executor->idle > 0)
        executor->idle--;
    return error;
}

int executor_submit(struct executor *executor, int (*work)(void *argument, void **result), void *argument,
                    struct future **future)
{
    struct task *task = NULL;
    int error = make_task(&task, work, argument);
    if (error != 0)
        return error;
    struct future *shared = future_hold(task->future); /* while it is ours: a worker may be done with it at once */

    pthread_mutex_lock(&executor->mutex);
    error = accept_task(executor, task);
    pthread_mutex_unlock(&executor->mutex);

    if (error != 0)
        free_task(task);
    if (error == 0 && future != NULL)
        *future = shared;
    else
        future_drop(shared);
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
        if (task == NULL)
            continue; /* another shutdown's; ours comes behind */
        *end = task;
        end = &task->next;
    }
    return first;
}

/* Without the mutex, since that calls callbacks. */
static void cancel_all(struct task *task)
{
    while (task != NULL) {
        struct task *next = task->next;
        if (future_cancel(task->future) == 0)
            future_set_running_or_notify_cancel(task->future); /* nobody will come to do it: tell the watchers */
        free_task(task);
        task = next;
    }
}
/* end cancel */

/* region shutdown */
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
    executor->closed = true;
    struct task *cancelled = cancel_futures ? take_all(executor) : NULL;
    fifo_queue_put(executor->queue, NULL, 0);
    bool itself = wait && is_worker(executor);
    pthread_mutex_unlock(&executor->mutex);

    cancel_all(cancelled);
    if (!wait || itself)
        return itself ? EDEADLK : 0;

    pthread_mutex_lock(&executor->mutex);
    while (executor->alive > 0)
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
        pthread_join(worker->thread, NULL); /* it has left its loop */
        free(worker);
        worker = next;
    }
    pthread_cond_destroy(&executor->ended);
    pthread_mutex_destroy(&executor->mutex);
    fifo_queue_destroy(executor->queue);
    free(executor);
}
/* end destroy */
