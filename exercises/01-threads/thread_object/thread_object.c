/* thread_object.c - Python's threading.Thread, as an object in C.
 *
 * Theory of operation: the object's thread runs `run`, everyone else calls the functions of the contract. One mutex
 * guards whatever may change after creation, and nobody holds it while the target runs or while waiting for its end.
 * The last thing that `run` does with the object is to mark it as stopped and wake all who wait. Whoever then comes
 * first to a join, or destroy, takes the ended thread's stack away with pthread_join; `reaped` makes that happen once.
 * A daemon that is destroyed while it runs is an orphan: its thread is detached and releases the object itself.
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
    void (*target)(void *argument);
    void *argument;
    /* What else? Its state, its thread, its name, whether it is a daemon; and what guards them. */
};
/* end state */

/* region current */
/* How does a thread know that it is this very thread object's? A _Thread_local variable may help. */
/* end current */

/* region names */
/* Here, perhaps: a function that copies a name, and one that makes "Thread-1", "Thread-2", … */
/* end names */

/* region condition */
/* Here, perhaps: a condition on the monotonic clock, and the deadline that lies timeout_us from now. */
/* end condition */

/* region create */
int thread_object_create(struct thread_object **thread, void (*target)(void *argument), void *argument,
                         const char *name)
{
    /* Allocate it and fill it in; start nothing. */
    (void)thread;
    (void)target;
    (void)argument;
    (void)name;
    return ENOSYS;
}
/* end create */

/* region release */
/* Here, perhaps: a function that releases all that create has made. */
/* end release */

/* region run */
/* Write here what the new thread runs: it calls the target, marks the object as stopped and wakes those who wait for
 * that. */
/* end run */

/* region start */
int thread_object_start(struct thread_object *thread)
{
    /* Once only, also when two threads call this at the same time. */
    (void)thread;
    return ENOSYS;
}
/* end start */

/* region join */
int thread_object_join(struct thread_object *thread, int64_t timeout_us)
{
    /* Wait until it is stopped, or the time is up. Whose turn is it to call pthread_join? */
    (void)thread;
    (void)timeout_us;
    return ENOSYS;
}
/* end join */

/* region look */
enum thread_object_state thread_object_state(struct thread_object *thread)
{
    (void)thread;
    return THREAD_OBJECT_INITIAL;
}

bool thread_object_is_alive(struct thread_object *thread)
{
    (void)thread;
    return false;
}
/* end look */

/* region name */
int thread_object_name(struct thread_object *thread, char *buffer, size_t size)
{
    (void)thread;
    (void)buffer;
    (void)size;
    return ENOSYS;
}

int thread_object_set_name(struct thread_object *thread, const char *name)
{
    (void)thread;
    (void)name;
    return ENOSYS;
}
/* end name */

/* region daemon */
bool thread_object_daemon(struct thread_object *thread)
{
    (void)thread;
    return false;
}

int thread_object_set_daemon(struct thread_object *thread, bool daemon)
{
    (void)thread;
    (void)daemon;
    return ENOSYS;
}
/* end daemon */

/* region destroy */
void thread_object_destroy(struct thread_object *thread)
{
    /* Three cases: it never ran or has stopped; it runs and is no daemon; it runs and is one. */
    (void)thread;
}
/* end destroy */
