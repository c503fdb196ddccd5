/* gil.c - the global lock, another way: those who want it stand in a queue, each with a condition of its own, and the
 * lock is handed to the first of them. Threads are told apart by a serial number, so it does not matter where they lie.
 * A holder that hands the lock over on request has switched by that alone, but it still waits until the other one is
 * awake and has it.
 *
 * Theory of operation: no threads of its own. One mutex guards everything. A drop marks the first of the queue as
 * `called` and signals him; nobody else may take the lock from then on.
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
    pthread_cond_t switched;   /* broadcast at each switch */
    struct gil_thread *first;  /* guarded by mutex, as all below: of those who wait */
    struct gil_thread **end;   /* where the next one is hung */
    struct gil_thread *holder; /* NULL: free */
    uint64_t last_serial;      /* who had it last; 0: nobody */
    uint64_t next_serial;
    uint64_t switch_number;
    int64_t interval_us;
};

struct gil_thread {
    struct gil *gil;
    uint64_t serial;
    pthread_cond_t called_up;
    bool called;             /* guarded by mutex, as next */
    bool holds;              /* its own thread's */
    struct gil_thread *next; /* in the queue */
    atomic_int requests;
};
/* end state */

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
    struct gil *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;
    *made = (struct gil){.interval_us = GIL_INTERVAL_US, .next_serial = 1};
    made->end = &made->first;
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error == 0) {
        error = make_condition(&made->switched);
        if (error != 0)
            pthread_mutex_destroy(&made->mutex);
    }
    if (error != 0) {
        free(made);
        return error;
    }
    *gil = made;
    return 0;
}

void gil_destroy(struct gil *gil)
{
    if (gil == NULL)
        return;
    pthread_cond_destroy(&gil->switched);
    pthread_mutex_destroy(&gil->mutex);
    free(gil);
}

int gil_set_interval(struct gil *gil, int64_t interval_us)
{
    if (interval_us < 1)
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

int gil_thread_create(struct gil *gil, struct gil_thread **thread)
{
    struct gil_thread *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;
    if (make_condition(&made->called_up) != 0) {
        free(made);
        return ENOMEM;
    }
    made->gil = gil;
    pthread_mutex_lock(&gil->mutex);
    made->serial = gil->next_serial++;
    pthread_mutex_unlock(&gil->mutex);
    *thread = made;
    return 0;
}

void gil_thread_destroy(struct gil_thread *thread)
{
    if (thread == NULL)
        return;
    pthread_cond_destroy(&thread->called_up);
    free(thread);
}

bool gil_is_held(struct gil_thread *thread)
{
    return thread->holds;
}

bool gil_drop_requested(struct gil_thread *thread)
{
    return atomic_load(&thread->requests) != 0;
}

static void queue(struct gil *gil, struct gil_thread *thread)
{
    thread->called = false;
    thread->next = NULL;
    *gil->end = thread;
    gil->end = &thread->next;
}

/* With the mutex held, and the lock free: the first of the queue may come. */
static void call_next(struct gil *gil)
{
    if (gil->first != NULL && !gil->first->called) {
        gil->first->called = true;
        pthread_cond_signal(&gil->first->called_up);
    }
}

static struct timespec interval_end(const struct gil *gil)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t nanoseconds = end.tv_nsec + gil->interval_us % 1000000 * 1000;
    end.tv_sec += gil->interval_us / 1000000 + nanoseconds / 1000000000;
    end.tv_nsec = nanoseconds % 1000000000;
    return end;
}

static void wait_for_call(struct gil_thread *thread)
{
    struct gil *gil = thread->gil;

    queue(gil, thread);
    while (gil->holder != NULL || gil->first != thread) {
        uint64_t before = gil->switch_number;
        struct timespec end = interval_end(gil);
        if (pthread_cond_timedwait(&thread->called_up, &gil->mutex, &end) == ETIMEDOUT && gil->holder != NULL &&
            before == gil->switch_number)
            atomic_store(&gil->holder->requests, 1);
    }
    gil->first = thread->next;
    if (gil->first == NULL)
        gil->end = &gil->first;
}

int gil_take(struct gil_thread *thread)
{
    struct gil *gil = thread->gil;
    int saved = errno;

    if (thread->holds)
        return EDEADLK;
    pthread_mutex_lock(&gil->mutex);
    /* Who is called up but still asleep may be overtaken by one who was not asked to let go, never by one who was. */
    if (gil->holder != NULL)
        wait_for_call(thread);
    gil->holder = thread;
    if (gil->last_serial != thread->serial) {
        gil->last_serial = thread->serial;
        gil->switch_number++;
        pthread_cond_broadcast(&gil->switched);
    }
    if (gil->first != NULL)
        gil->first->called = false;
    pthread_mutex_unlock(&gil->mutex);
    thread->holds = true;
    errno = saved;
    return 0;
}

int gil_drop(struct gil_thread *thread)
{
    struct gil *gil = thread->gil;
    int saved = errno;

    if (!thread->holds)
        return EPERM;
    thread->holds = false;
    pthread_mutex_lock(&gil->mutex);
    bool asked = atomic_exchange(&thread->requests, 0) != 0;
    uint64_t before = gil->switch_number;
    gil->holder = NULL;
    call_next(gil);
    if (asked)
        while (gil->switch_number == before)
            pthread_cond_wait(&gil->switched, &gil->mutex);
    pthread_mutex_unlock(&gil->mutex);
    errno = saved;
    return 0;
}

int gil_checkpoint(struct gil_thread *thread)
{
    if (!thread->holds)
        return EPERM;
    if (gil_drop_requested(thread)) {
        gil_drop(thread);
        gil_take(thread);
    }
    return 0;
}
