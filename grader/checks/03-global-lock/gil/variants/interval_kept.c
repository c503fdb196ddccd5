/* gil.c - the global lock, another way: a wait that ends for no reason goes on to the end of the same interval, and a
 * condition for all is enough, since every change of the note wakes everybody.
 *
 * Theory of operation: no threads of its own. The mutex guards all fields. Who wants the lock and who has dropped it on
 * request sleep on the same condition, and each looks for himself whether it is his turn.
 *
 * The drop request is the one field that is read without the mutex: the holder looks at it at every turn of his loops.
 * So it is atomic. It needs no order (relaxed), since nothing else is read because of it: who sees it takes the mutex.
 *
 * Algorithm: CPython's, by Antoine Pitrou (2009), Python/ceval_gil.c.
 */
#include "gil.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* region state */
struct gil {
    pthread_mutex_t mutex;
    pthread_cond_t changed;         /* broadcast when locked becomes false, and when last_holder changes */
    bool locked;                    /* guarded by mutex, as all below */
    struct gil_thread *last_holder; /* who holds it, or held it last; NULL: nobody yet, or he has ended */
    uint64_t switch_number;
    int64_t interval_us;
};

struct gil_thread {
    struct gil *gil;
    bool holds;                 /* used by its own thread alone */
    atomic_bool drop_requested; /* written with the mutex held, while this one holds the lock; read by him without */
};
/* end state */

/* region create */
/* A condition whose timed waits go by the monotonic clock. */
static int make_condition(pthread_cond_t *condition)
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

int gil_create(struct gil **gil)
{
    struct gil *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_condition(&made->changed);
    if (error != 0)
        goto no_condition;
    made->interval_us = GIL_INTERVAL_US;
    *gil = made;
    return 0;

no_condition:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

void gil_destroy(struct gil *gil)
{
    if (gil == NULL)
        return;
    pthread_cond_destroy(&gil->changed);
    pthread_mutex_destroy(&gil->mutex);
    free(gil);
}
/* end create */

/* region interval */
int gil_set_interval(struct gil *gil, int64_t interval_us)
{
    if (interval_us <= 0)
        return EINVAL;

    pthread_mutex_lock(&gil->mutex);
    gil->interval_us = interval_us;
    pthread_mutex_unlock(&gil->mutex);
    return 0;
}

int64_t gil_interval(struct gil *gil)
{
    pthread_mutex_lock(&gil->mutex);
    int64_t interval_us = gil->interval_us;
    pthread_mutex_unlock(&gil->mutex);
    return interval_us;
}

uint64_t gil_switches(struct gil *gil)
{
    pthread_mutex_lock(&gil->mutex);
    uint64_t switches = gil->switch_number;
    pthread_mutex_unlock(&gil->mutex);
    return switches;
}
/* end interval */

/* region thread */
int gil_thread_create(struct gil *gil, struct gil_thread **thread)
{
    struct gil_thread *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    made->gil = gil;
    atomic_init(&made->drop_requested, false);
    *thread = made;
    return 0;
}

void gil_thread_destroy(struct gil_thread *thread)
{
    if (thread == NULL)
        return;

    struct gil *gil = thread->gil;
    pthread_mutex_lock(&gil->mutex);
    if (gil->last_holder == thread)
        gil->last_holder = NULL; /* or the next gil_thread at this address would be taken for this one */
    pthread_mutex_unlock(&gil->mutex);
    free(thread);
}
/* end thread */

/* region held */
bool gil_is_held(struct gil_thread *thread)
{
    return thread->holds;
}

bool gil_drop_requested(struct gil_thread *thread)
{
    return atomic_load_explicit(&thread->drop_requested, memory_order_relaxed);
}
/* end held */

/* region deadline */
static struct timespec deadline_after(int64_t time_us)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += time_us / 1000000;
    deadline.tv_nsec += time_us % 1000000 * 1000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    return deadline;
}
/* end deadline */

/* region take */
/* With the mutex held: sleeps until the lock is free. At the end of each interval in which nothing has switched it asks
 * the holder to let go. */
static void wait_until_free(struct gil *gil)
{
    uint64_t switches = gil->switch_number;
    struct timespec deadline = deadline_after(gil->interval_us);

    while (gil->locked) {
        int error = pthread_cond_timedwait(&gil->changed, &gil->mutex, &deadline);
        bool switched = gil->switch_number != switches;
        if (!switched && error == 0)
            continue; /* woken for nothing: the interval goes on */
        if (!switched && gil->locked)
            atomic_store_explicit(&gil->last_holder->drop_requested, true, memory_order_relaxed);
        switches = gil->switch_number;
        deadline = deadline_after(gil->interval_us);
    }
}

int gil_take(struct gil_thread *thread)
{
    struct gil *gil = thread->gil;
    int saved = errno;

    if (thread->holds)
        return EDEADLK;

    pthread_mutex_lock(&gil->mutex);
    wait_until_free(gil);
    gil->locked = true;
    if (gil->last_holder != thread) {
        gil->last_holder = thread;
        gil->switch_number++;
        pthread_cond_broadcast(&gil->changed);
    }
    pthread_mutex_unlock(&gil->mutex);
    thread->holds = true;
    errno = saved;
    return 0;
}
/* end take */

/* region drop */
int gil_drop(struct gil_thread *thread)
{
    struct gil *gil = thread->gil;
    int saved = errno;

    if (!thread->holds)
        return EPERM;

    thread->holds = false;
    pthread_mutex_lock(&gil->mutex);
    bool requested = atomic_exchange_explicit(&thread->drop_requested, false, memory_order_relaxed);
    gil->locked = false;
    pthread_cond_broadcast(&gil->changed);
    while (requested && gil->last_holder == thread)
        pthread_cond_wait(&gil->changed, &gil->mutex); /* forced switching: the next one first */
    pthread_mutex_unlock(&gil->mutex);
    errno = saved;
    return 0;
}
/* end drop */

/* region checkpoint */
int gil_checkpoint(struct gil_thread *thread)
{
    if (!thread->holds)
        return EPERM;
    if (!gil_drop_requested(thread))
        return 0;

    int error = gil_drop(thread);
    return error != 0 ? error : gil_take(thread);
}
/* end checkpoint */
