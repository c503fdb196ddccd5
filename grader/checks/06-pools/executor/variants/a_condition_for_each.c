/* executor.c - right, but each worker sleeps on a condition of its own. Those that are idle stand in a list, and a
 * submit takes one of them out of it before it wakes it: so nobody counts on a worker that is on its way already. */
#include "executor.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
struct task {
    int (*work)(void *argument, void **result);
    void *argument;
    struct future *future; /* a reference of the task's own, or NULL */
    struct task *next;
};

struct worker {
    struct executor *executor;
    pthread_t thread;
    pthread_cond_t woken;
    bool sleeps; /* and is in the list of those that are idle */
    struct worker *next_idle;
    struct worker *next;
};

struct executor {
    int max_workers; /* set at creation, only read afterwards */
    pthread_mutex_t mutex;
    pthread_cond_t ended; /* broadcast when the last worker has ended */
    struct task *tasks;   /* guarded by mutex, as is all below; in the order in which they came */
    struct task **tasks_end;
    struct worker *workers; /* all that were started */
    struct worker *idle;
    int started;
    int alive;
    bool closed;
};
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
    made->tasks_end = &made->tasks;
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error == 0) {
        error = pthread_cond_init(&made->ended, NULL);
        if (error != 0)
            pthread_mutex_destroy(&made->mutex);
    }
    if (error != 0)
        free(made);
    else
        *executor = made;
    return error;
}
/* end create */

/* region task */
/* Without the mutex. */
static void run_task(struct task *task)
{
    if (task->future == NULL || future_set_running_or_notify_cancel(task->future) == 0) {
        void *result = NULL;
        int error = task->work(task->argument, &result);
        if (task->future != NULL && error == 0)
            future_set_result(task->future, result);
        else if (task->future != NULL)
            future_set_exception(task->future, error > 0 ? error : EINVAL);
    }
    future_drop(task->future);
    free(task);
}
/* end task */

/* region worker */
/* With the mutex held: the next task, asleep until there is one. NULL: there will be none any more. */
static struct task *next_task(struct worker *worker)
{
    struct executor *executor = worker->executor;

    while (executor->tasks == NULL && !executor->closed) {
        worker->sleeps = true;
        worker->next_idle = executor->idle;
        executor->idle = worker;
        while (worker->sleeps)
            pthread_cond_wait(&worker->woken, &executor->mutex);
    }
    struct task *task = executor->tasks;
    if (task != NULL)
        executor->tasks = task->next;
    if (executor->tasks == NULL)
        executor->tasks_end = &executor->tasks;
    return task;
}

static void *work_off(void *argument)
{
    struct worker *worker = argument;
    struct executor *executor = worker->executor;

    works_for = executor;
    pthread_mutex_lock(&executor->mutex);
    for (struct task *task = next_task(worker); task != NULL; task = next_task(worker)) {
        pthread_mutex_unlock(&executor->mutex);
        run_task(task);
        pthread_mutex_lock(&executor->mutex);
    }
    if (--executor->alive == 0)
        pthread_cond_broadcast(&executor->ended);
    pthread_mutex_unlock(&executor->mutex);
    return NULL;
}

/* With the mutex held, and somebody idle. */
static void wake_one(struct executor *executor)
{
    struct worker *worker = executor->idle;

    executor->idle = worker->next_idle;
    worker->sleeps = false;
    pthread_cond_signal(&worker->woken);
}
/* end worker */

/* region start */
static int start_worker(struct executor *executor)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return ENOMEM;

    worker->executor = executor;
    int error = pthread_cond_init(&worker->woken, NULL);
    if (error != 0)
        goto no_condition;
    error = pthread_create(&worker->thread, NULL, work_off, worker);
    if (error != 0)
        goto no_thread;
    worker->next = executor->workers;
    executor->workers = worker;
    executor->started++;
    executor->alive++;
    return 0;

no_thread:
    pthread_cond_destroy(&worker->woken);
no_condition:
    free(worker);
    return error;
}
/* end start */

/* region submit */
/* With the mutex held. */
static int accept_task(struct executor *executor, struct task *task)
{
    if (executor->closed)
        return ESHUTDOWN;
    if (executor->idle != NULL) {
        wake_one(executor);
    } else if (executor->started < executor->max_workers) {
        int error = start_worker(executor);
        if (error != 0 && executor->started == 0)
            return error;
    }
    *executor->tasks_end = task;
    executor->tasks_end = &task->next;
    return 0;
}

int executor_submit(struct executor *executor, int (*work)(void *argument, void **result), void *argument,
                    struct future **future)
{
    struct task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return ENOMEM;
    task->work = work;
    task->argument = argument;
    int error = future != NULL ? future_create(&task->future) : 0;
    if (error != 0) {
        free(task);
        return error;
    }
    struct future *shared = future != NULL ? future_hold(task->future) : NULL;

    pthread_mutex_lock(&executor->mutex);
    error = accept_task(executor, task);
    pthread_mutex_unlock(&executor->mutex);
    if (error != 0) {
        future_drop(task->future);
        future_drop(shared);
        free(task);
    } else if (future != NULL) {
        *future = shared;
    }
    return error;
}
/* end submit */

/* region cancel */
/* Without the mutex, since that calls callbacks. */
static void cancel_all(struct task *task)
{
    while (task != NULL) {
        struct task *next = task->next;
        if (task->future != NULL && future_cancel(task->future) == 0)
            future_set_running_or_notify_cancel(task->future);
        future_drop(task->future);
        free(task);
        task = next;
    }
}
/* end cancel */

/* region shutdown */
int executor_shutdown(struct executor *executor, bool wait, bool cancel_futures)
{
    struct task *cancelled = NULL;

    pthread_mutex_lock(&executor->mutex);
    executor->closed = true;
    if (cancel_futures) {
        cancelled = executor->tasks;
        executor->tasks = NULL;
        executor->tasks_end = &executor->tasks;
    }
    while (executor->idle != NULL)
        wake_one(executor);
    pthread_mutex_unlock(&executor->mutex);

    cancel_all(cancelled);
    if (!wait)
        return 0;
    if (works_for == executor)
        return EDEADLK;
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
    struct worker *worker = executor->workers;
    while (worker != NULL) {
        struct worker *next = worker->next;
        pthread_join(worker->thread, NULL);
        pthread_cond_destroy(&worker->woken);
        free(worker);
        worker = next;
    }
    pthread_cond_destroy(&executor->ended);
    pthread_mutex_destroy(&executor->mutex);
    free(executor);
}
/* end destroy */
