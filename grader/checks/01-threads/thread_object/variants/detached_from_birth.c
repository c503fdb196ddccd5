/* thread_object.c - Python's threading.Thread, as an object in C. A variant: every thread is created detached and
 * nobody calls pthread_join; the object is counted instead: one reference is its owner's, one its running thread's, one
 * each waiter's, and whoever gives back the last one releases it.
 */
#include "thread_object.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct thread_object {
    pthread_mutex_t lock;
    pthread_cond_t over;
    void (*target)(void *argument);
    void *argument;
    int references; /* guarded by lock, like all below */
    bool started, ended, daemon;
    char *name;
};

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t own_key; /* each thread's own object */

static void make_key(void)
{
    pthread_key_create(&own_key, NULL);
}

static struct thread_object *own(void)
{
    pthread_once(&key_once, make_key);
    return pthread_getspecific(own_key);
}

static int number_of_next(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int last;

    pthread_mutex_lock(&lock);
    int number = ++last;
    pthread_mutex_unlock(&lock);
    return number;
}

static char *duplicate(const char *text)
{
    char *copy = calloc(strlen(text) + 1, 1);

    return copy == NULL ? NULL : strcpy(copy, text); // NOLINT(clang-analyzer-security.insecureAPI.strcpy)
}

/* With the lock held; it is let go, and the object may be gone. */
static void give_back_and_unlock(struct thread_object *thread)
{
    bool last = --thread->references == 0;

    pthread_mutex_unlock(&thread->lock);
    if (!last)
        return;
    pthread_cond_destroy(&thread->over);
    pthread_mutex_destroy(&thread->lock);
    free(thread->name);
    free(thread);
}

static int make_over(pthread_cond_t *over)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error != 0)
        return error;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    error = pthread_cond_init(over, &attributes);
    pthread_condattr_destroy(&attributes);
    return error;
}

int thread_object_create(struct thread_object **thread, void (*target)(void *argument), void *argument,
                         const char *name)
{
    char numbered[40];

    if (thread == NULL)
        return EINVAL;
    struct thread_object *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return ENOMEM;
    if (name == NULL || *name == '\0') {
        snprintf(numbered, sizeof numbered, "Thread-%d", number_of_next());
        name = numbered;
    }
    fresh->name = duplicate(name);
    if (fresh->name == NULL) {
        free(fresh);
        return ENOMEM;
    }
    int error = pthread_mutex_init(&fresh->lock, NULL);
    if (error == 0 && (error = make_over(&fresh->over)) != 0)
        pthread_mutex_destroy(&fresh->lock);
    if (error != 0) {
        free(fresh->name);
        free(fresh);
        return error;
    }
    fresh->target = target;
    fresh->argument = argument;
    fresh->references = 1;
    fresh->daemon = own() != NULL && thread_object_daemon(own());
    *thread = fresh;
    return 0;
}

static void *body(void *argument)
{
    struct thread_object *thread = argument;

    pthread_once(&key_once, make_key);
    pthread_setspecific(own_key, thread);
    if (thread->target != NULL)
        thread->target(thread->argument);
    pthread_mutex_lock(&thread->lock);
    thread->ended = true;
    pthread_cond_broadcast(&thread->over);
    pthread_setspecific(own_key, NULL); /* the destructors of other keys must not find it */
    give_back_and_unlock(thread);
    return NULL;
}

static int create_detached(struct thread_object *thread)
{
    pthread_attr_t attributes;
    pthread_t id;
    int error = pthread_attr_init(&attributes);

    if (error != 0)
        return error;
    error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (error == 0)
        error = pthread_create(&id, &attributes, body, thread);
    pthread_attr_destroy(&attributes);
    return error;
}

int thread_object_start(struct thread_object *thread)
{
    pthread_mutex_lock(&thread->lock);
    if (thread->started) {
        pthread_mutex_unlock(&thread->lock);
        return EALREADY;
    }
    thread->started = true;
    thread->references++;
    int error = create_detached(thread);
    if (error != 0) {
        thread->started = false;
        thread->references--;
    }
    pthread_mutex_unlock(&thread->lock);
    return error;
}

/* With the lock held. */
static int wait_for_end(struct thread_object *thread, int64_t timeout_us)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_us > 0) {
        int64_t fraction_ns = until.tv_nsec + timeout_us % 1000000 * 1000;
        until.tv_sec += timeout_us / 1000000 + fraction_ns / 1000000000;
        until.tv_nsec = fraction_ns % 1000000000;
    }
    while (!thread->ended) {
        int error = timeout_us < 0 ? pthread_cond_wait(&thread->over, &thread->lock)
                                   : pthread_cond_timedwait(&thread->over, &thread->lock, &until);
        if (error == ETIMEDOUT && !thread->ended)
            return ETIMEDOUT;
    }
    return 0;
}

int thread_object_join(struct thread_object *thread, int64_t timeout_us)
{
    if (own() == thread)
        return EDEADLK;
    pthread_mutex_lock(&thread->lock);
    thread->references++;
    int error = thread->started ? wait_for_end(thread, timeout_us) : EINVAL;
    give_back_and_unlock(thread);
    return error;
}

enum thread_object_state thread_object_state(struct thread_object *thread)
{
    enum thread_object_state state = THREAD_OBJECT_INITIAL;

    pthread_mutex_lock(&thread->lock);
    if (thread->ended)
        state = THREAD_OBJECT_STOPPED;
    else if (thread->started)
        state = THREAD_OBJECT_STARTED;
    pthread_mutex_unlock(&thread->lock);
    return state;
}

bool thread_object_is_alive(struct thread_object *thread)
{
    pthread_mutex_lock(&thread->lock);
    bool alive = thread->started && !thread->ended;
    pthread_mutex_unlock(&thread->lock);
    return alive;
}

int thread_object_name(struct thread_object *thread, char *buffer, size_t size)
{
    int error = EINVAL;

    pthread_mutex_lock(&thread->lock);
    if (buffer != NULL) {
        error = strlen(thread->name) < size ? 0 : ERANGE;
        if (error == 0)
            strcpy(buffer, thread->name); // NOLINT(clang-analyzer-security.insecureAPI.strcpy)
    }
    pthread_mutex_unlock(&thread->lock);
    return error;
}

int thread_object_set_name(struct thread_object *thread, const char *name)
{
    char *fresh = name == NULL ? NULL : duplicate(name);

    if (fresh == NULL)
        return name == NULL ? EINVAL : ENOMEM;
    pthread_mutex_lock(&thread->lock);
    free(thread->name);
    thread->name = fresh;
    pthread_mutex_unlock(&thread->lock);
    return 0;
}

bool thread_object_daemon(struct thread_object *thread)
{
    pthread_mutex_lock(&thread->lock);
    bool daemon = thread->daemon;
    pthread_mutex_unlock(&thread->lock);
    return daemon;
}

int thread_object_set_daemon(struct thread_object *thread, bool daemon)
{
    pthread_mutex_lock(&thread->lock);
    int error = thread->started ? EALREADY : 0;
    if (error == 0)
        thread->daemon = daemon;
    pthread_mutex_unlock(&thread->lock);
    return error;
}

void thread_object_destroy(struct thread_object *thread)
{
    if (thread == NULL)
        return;
    pthread_mutex_lock(&thread->lock);
    if (thread->started && !thread->daemon)
        wait_for_end(thread, -1);
    give_back_and_unlock(thread);
}
