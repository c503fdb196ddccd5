/* gil.c - the global lock as CPython itself writes it: the switch has a mutex of its own, beside that of the lock.
 *
 * Theory of operation: no threads of its own. `mutex` guards who holds the lock; `switch_mutex` is taken inside it
 * where last_holder changes, and alone by who waits for that. Who wants the lock sleeps on `dropped`, who has let go on
 * request sleeps on `switched`.
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
    pthread_cond_t dropped;         /* signalled when locked becomes false */
    pthread_mutex_t switch_mutex;   /* after mutex, where both are taken */
    pthread_cond_t switched;        /* signalled with switch_mutex held, when last_holder changes */
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
    error = pthread_mutex_init(&made->switch_mutex, NULL);
    if (error != 0)
        goto no_switch_mutex;
    error = make_condition(&made->dropped);
    if (error != 0)
        goto no_dropped;
    error = make_condition(&made->switched);
    if (error != 0)
        goto no_switched;
    made->interval_us = GIL_INTERVAL_US;
    *gil = made;
    return 0;

no_switched:
    pthread_cond_destroy(&made->dropped);
no_dropped:
    pthread_mutex_destroy(&made->switch_mutex);
no_switch_mutex:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

void gil_destroy(struct gil *gil)
{
    if (gil == NULL)
        return;
    pthread_cond_destroy(&gil->switched);
    pthread_cond_destroy(&gil->dropped);
    pthread_mutex_destroy(&gil->switch_mutex);
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
    pthread_mutex_lock(&gil->switch_mutex);
    if (gil->last_holder == thread)
        gil->last_holder = NULL;
    pthread_mutex_unlock(&gil->switch_mutex);
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
/* With the mutex held, and somebody else holding the lock: sleeps until a signal or the end of the interval. In the
 * second case asks the holder to let go, unless he is not the one for whom we began to wait. */
static void wait_one_interval(struct gil *gil)
{
    uint64_t switches = gil->switch_number;
    struct timespec deadline = deadline_after(gil->interval_us);
    int error = pthread_cond_timedwait(&gil->dropped, &gil->mutex, &deadline);

    if (error == ETIMEDOUT && gil->locked && gil->switch_number == switches)
        atomic_store_explicit(&gil->last_holder->drop_requested, true, memory_order_relaxed);
}

int gil_take(struct gil_thread *thread)
{
    struct gil *gil = thread->gil;
    int saved = errno;

    if (thread->holds)
        return EDEADLK;

    pthread_mutex_lock(&gil->mutex);
    while (gil->locked)
        wait_one_interval(gil);
    gil->locked = true;
    pthread_mutex_lock(&gil->switch_mutex);
    if (gil->last_holder != thread) {
        gil->last_holder = thread;
        gil->switch_number++;
    }
    pthread_cond_broadcast(&gil->switched);
    pthread_mutex_unlock(&gil->switch_mutex);
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
    pthread_cond_signal(&gil->dropped);
    pthread_mutex_unlock(&gil->mutex);
    if (requested) {
        pthread_mutex_lock(&gil->switch_mutex);
        while (gil->last_holder == thread)
            pthread_cond_wait(&gil->switched, &gil->switch_mutex);
        pthread_mutex_unlock(&gil->switch_mutex);
    }
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
