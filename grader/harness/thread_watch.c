/* thread_watch.c - see thread_watch.h.
 *
 * Theory: the linker sends every call of pthread_create, _join and _detach in the program to __wrap_NAME here, and
 * __real_NAME is the library's. The table is held while a thread is being created, so that a thread which detaches
 * itself at once finds itself in it. A thread that is joined twice or detached twice is the business of others.
 */
#include "thread_watch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { THREADS_MAX = 4096 };

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument);
int __real_pthread_join(pthread_t thread, void **result);
int __real_pthread_detach(pthread_t thread);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument);
int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_detach(pthread_t thread);

/* guarded by `lock` */
static struct {
    pthread_t thread;
    void *created_at;
} left[THREADS_MAX];
static size_t left_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void strike_out(pthread_t thread)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < left_count; i++)
        if (pthread_equal(left[i].thread, thread)) {
            left[i] = left[--left_count];
            break;
        }
    pthread_mutex_unlock(&lock);
}

static bool born_detached(const pthread_attr_t *attributes)
{
    int state = PTHREAD_CREATE_JOINABLE;

    return attributes != NULL && pthread_attr_getdetachstate(attributes, &state) == 0 &&
           state == PTHREAD_CREATE_DETACHED;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
    bool detached = born_detached(attributes);

    pthread_mutex_lock(&lock);
    int error = __real_pthread_create(thread, attributes, body, argument);
    if (error == 0 && !detached && left_count < THREADS_MAX) {
        left[left_count].thread = *thread;
        left[left_count].created_at = __builtin_return_address(0);
        left_count++;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
    int error = __real_pthread_join(thread, result);

    /* A thread's name may be given to a new thread as soon as it is joined: two of one name are alike here, since only
     * how many are left is asked, and the newest of them was created where the table says. */
    if (error == 0)
        strike_out(thread);
    return error;
}

int __wrap_pthread_detach(pthread_t thread)
{
    int error = __real_pthread_detach(thread);

    if (error == 0)
        strike_out(thread);
    return error;
}

void thread_watch_left(void (*each)(void *context, void *created_at), void *context)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < left_count; i++)
        each(context, left[i].created_at);
    pthread_mutex_unlock(&lock);
}

void thread_watch_forget(void)
{
    pthread_mutex_lock(&lock);
    left_count = 0;
    pthread_mutex_unlock(&lock);
}
