/* thread_local.c - Python's threading.local: one name, and every thread sees a value of its own behind it.
 *
 * Theory of operation: a value is where an object and a thread meet, and it hangs in two lists: all values of its
 * object, so that destroy finds them, and all values of its thread, so that the thread finds them when it ends. A
 * single pthread key for all objects tells the end of a thread: its destructor is called in each thread that has set
 * anything. One mutex guards all the lists, because destroy reaches into the lists of other threads. It is held for a
 * few steps only, and never while a destructor runs: a value is first taken out of both lists, then the mutex is let
 * go, then the destructor is called. So whoever takes a value out is the only one who destroys it.
 */
#include "thread_local.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
struct thread_local
{
    void (*destructor)(void *value);
    /* What else? All the values that threads have in this object must be found from here. */
};

/* And all the values that this thread has, in whatever object, from here? What guards it all? */
/* end state */

/* region lists */
/* Here, perhaps: finding a thread's value in an object, putting one in, taking one out. */
/* end lists */

/* region give_up */
/* Here, perhaps: giving a value up. Nobody may hold a lock while its destructor runs. */
/* end give_up */

/* region thread_end */
/* Here, perhaps: a pthread key whose destructor gives up all the values of a thread that ends. */
/* end thread_end */

/* region create */
int thread_local_create(struct thread_local **local, void (*destructor)(void *value))
{
    (void)local;
    (void)destructor;
    return ENOSYS;
}
/* end create */

/* region set */
int thread_local_set(struct thread_local *local, void *value)
{
    (void)local;
    (void)value;
    return ENOSYS;
}
/* end set */

/* region get */
int thread_local_get(struct thread_local *local, void **value)
{
    (void)local;
    (void)value;
    return ENOSYS;
}
/* end get */

/* region delete */
int thread_local_delete(struct thread_local *local)
{
    (void)local;
    return ENOSYS;
}
/* end delete */

/* region destroy */
void thread_local_destroy(struct thread_local *local)
{
    (void)local;
}
/* end destroy */
