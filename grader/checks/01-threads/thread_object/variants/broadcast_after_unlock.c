/* thread_object.c - Python's threading.Thread, as an object in C. A variant: the end is broadcast after the mutex was
 * let go. That is right here: the object is released after the join of its thread, or by the thread itself afterwards.
 */
#include "thread_object.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* region state */
struct thread_object {
    void (*target)(void *argument); /* set at creation, only read afterwards */
    void *argument;                 /* likewise */
    pthread_mutex_t mutex;
    pthread_cond_t stopped;         /* "state has become STOPPED"; waits on the monotonic clock */
    enum thread_object_state state; /* guarded by mutex, as is all below */
    pthread_t id;                   /* of meaning once started, until reaped or detached */
    bool reaped;                    /* somebody has joined id, or is about to */
    bool daemon;
    bool orphan; /* destroyed while running: the thread itself releases the object */
    char *name;
};
/* end state */

/* region current */
/* The object whose thread this is; NULL in threads that no thread object has started, and again when the object is gone
 * before its thread is: that still calls the destructors of its keys, and they may make other objects. */
static _Thread_local struct thread_object *current;
static _Thread_local bool in_daemon; /* whether it is, or was, a daemon */
/* end current */

/* region names */
static char *copy_of(const char *name)
{
    size_t size = strlen(name) + 1;
    char *copy = malloc(size);

    if (copy != NULL)
        memcpy(copy, name, size);
    return copy;
}

/* "Thread-1", "Thread-2", … */
static char *next_name(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static unsigned long count; /* guarded by mutex */
    char name[32];

    pthread_mutex_lock(&mutex);
    count++;
    snprintf(name, sizeof name, "Thread-%lu", count);
    pthread_mutex_unlock(&mutex);
    return copy_of(name);
}
/* end names */

/* region condition */
/* A condition whose timed waits end on the monotonic clock: setting the time of day does not move a deadline. */
static int monotonic_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error != 0)
        return error;
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return error;
}

static struct timespec deadline_in(int64_t timeout_us)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_us / 1000000;
    deadline.tv_nsec += timeout_us % 1000000 * 1000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}
/* end condition */

/* region create */
int thread_object_create(struct thread_object **thread, void (*target)(void *argument), void *argument,
                         const char *name)
{
    if (thread == NULL)
        return EINVAL;

    int error = ENOMEM;
    struct thread_object *created = calloc(1, sizeof *created);
    if (created == NULL)
        return error;
    created->target = target;
    created->argument = argument;
    created->state = THREAD_OBJECT_INITIAL;
    created->daemon = in_daemon;
    created->name = name == NULL || name[0] == '\0' ? next_name() : copy_of(name);
    if (created->name == NULL)
        goto free_object;
    error = pthread_mutex_init(&created->mutex, NULL);
    if (error != 0)
        goto free_name;
    error = monotonic_condition(&created->stopped);
    if (error != 0)
        goto destroy_mutex;
    *thread = created;
    return 0;

destroy_mutex:
    pthread_mutex_destroy(&created->mutex);
free_name:
    free(created->name);
free_object:
    free(created);
    return error;
}
/* end create */

/* region release */
static void release(struct thread_object *thread)
{
    pthread_cond_destroy(&thread->stopped);
    pthread_mutex_destroy(&thread->mutex);
    free(thread->name);
    free(thread);
}
/* end release */

/* region run */
static void *run(void *argument)
{
    struct thread_object *thread = argument;

    current = thread;
    in_daemon = thread->daemon; /* without the mutex: who has started us holds it, and then nobody may change this */
    if (thread->target != NULL)
        thread->target(thread->argument);

    pthread_mutex_lock(&thread->mutex);
    thread->state = THREAD_OBJECT_STOPPED;
    bool orphan = thread->orphan;
    pthread_mutex_unlock(&thread->mutex);
    pthread_cond_broadcast(&thread->stopped);
    if (orphan) {
        current = NULL;
        release(thread);
    }
    return NULL;
}
/* end run */

/* region start */
/* The mutex is held while the thread is created: whoever else starts it waits to see how this went, and the new thread
 * cannot stop before it has been marked as started. */
int thread_object_start(struct thread_object *thread)
{
    int error = EALREADY;

    pthread_mutex_lock(&thread->mutex);
    if (thread->state == THREAD_OBJECT_INITIAL) {
        error = pthread_create(&thread->id, NULL, run, thread);
        if (error == 0)
            thread->state = THREAD_OBJECT_STARTED;
    }
    pthread_mutex_unlock(&thread->mutex);
    return error;
}
/* end start */

/* region join */
/* Waits, with the mutex held on entry and on return. */
static int wait_until_stopped(struct thread_object *thread, int64_t timeout_us)
{
    struct timespec deadline = deadline_in(timeout_us < 0 ? 0 : timeout_us);
    int error = 0;

    while (thread->state != THREAD_OBJECT_STOPPED && error == 0) {
        if (timeout_us < 0)
            error = pthread_cond_wait(&thread->stopped, &thread->mutex);
        else
            error = pthread_cond_timedwait(&thread->stopped, &thread->mutex, &deadline);
    }
    return thread->state == THREAD_OBJECT_STOPPED ? 0 : error;
}

int thread_object_join(struct thread_object *thread, int64_t timeout_us)
{
    if (thread == current)
        return EDEADLK;

    bool reap = false;
    pthread_mutex_lock(&thread->mutex);
    int error = thread->state == THREAD_OBJECT_INITIAL ? EINVAL : wait_until_stopped(thread, timeout_us);
    if (error == 0 && !thread->reaped)
        reap = thread->reaped = true;
    pthread_mutex_unlock(&thread->mutex);
    if (reap)
        pthread_join(thread->id, NULL); /* it has only a few steps left */
    return error;
}
/* end join */

/* region look */
enum thread_object_state thread_object_state(struct thread_object *thread)
{
    pthread_mutex_lock(&thread->mutex);
    enum thread_object_state state = thread->state;
    pthread_mutex_unlock(&thread->mutex);
    return state;
}

bool thread_object_is_alive(struct thread_object *thread)
{
    return thread_object_state(thread) == THREAD_OBJECT_STARTED;
}
/* end look */

/* region name */
int thread_object_name(struct thread_object *thread, char *buffer, size_t size)
{
    if (buffer == NULL)
        return EINVAL;

    pthread_mutex_lock(&thread->mutex);
    size_t needed = strlen(thread->name) + 1;
    bool fits = needed <= size;
    if (fits)
        memcpy(buffer, thread->name, needed);
    pthread_mutex_unlock(&thread->mutex);
    return fits ? 0 : ERANGE;
}

int thread_object_set_name(struct thread_object *thread, const char *name)
{
    if (name == NULL)
        return EINVAL;

    char *fresh = copy_of(name);
    if (fresh == NULL)
        return ENOMEM;
    pthread_mutex_lock(&thread->mutex);
    char *old = thread->name;
    thread->name = fresh;
    pthread_mutex_unlock(&thread->mutex);
    free(old);
    return 0;
}
/* end name */

/* region daemon */
bool thread_object_daemon(struct thread_object *thread)
{
    pthread_mutex_lock(&thread->mutex);
    bool daemon = thread->daemon;
    pthread_mutex_unlock(&thread->mutex);
    return daemon;
}

int thread_object_set_daemon(struct thread_object *thread, bool daemon)
{
    int error = EALREADY;

    pthread_mutex_lock(&thread->mutex);
    if (thread->state == THREAD_OBJECT_INITIAL) {
        thread->daemon = daemon;
        error = 0;
    }
    pthread_mutex_unlock(&thread->mutex);
    return error;
}
/* end daemon */

/* region destroy */
void thread_object_destroy(struct thread_object *thread)
{
    if (thread == NULL)
        return;

    pthread_mutex_lock(&thread->mutex);
    bool started = thread->state != THREAD_OBJECT_INITIAL;
    bool orphan = thread->state == THREAD_OBJECT_STARTED && thread->daemon;
    if (orphan) {
        thread->orphan = true;
        pthread_detach(thread->id);
    }
    pthread_mutex_unlock(&thread->mutex);
    if (orphan)
        return; /* from here on the object is its thread's alone, and may be gone */
    if (started)
        thread_object_join(thread, -1);
    release(thread);
}
/* end destroy */
