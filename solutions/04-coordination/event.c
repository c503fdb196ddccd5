/* event.c - a flag that threads wait for.
 *
 * Theory of operation: no threads of its own. The mutex guards the flag, and is held for a few instructions only. Who
 * finds the flag false sleeps on the condition `changed`. The flag alone cannot tell a thread that wakes up slowly
 * whether it was set meanwhile: somebody may have cleared it again. So there is a second field, the number of sets. A
 * thread remembers the number when it begins to wait, and goes on when it is another one.
 */
#include "event.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
struct event {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* broadcast when the flag becomes true */
    bool flag;              /* guarded by mutex, as is sets */
    unsigned long sets;     /* how often the flag became true; may begin anew at 0 */
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

int event_create(struct event **event)
{
    struct event *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_condition(&made->changed);
    if (error != 0)
        goto no_condition;
    *event = made;
    return 0;

no_condition:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

void event_destroy(struct event *event)
{
    if (event == NULL)
        return;
    pthread_cond_destroy(&event->changed);
    pthread_mutex_destroy(&event->mutex);
    free(event);
}
/* end create */

/* region set */
void event_set(struct event *event)
{
    pthread_mutex_lock(&event->mutex);
    const bool was_set = event->flag; /* then nobody waits who has not been told */
    if (!was_set) {
        event->flag = true;
        event->sets++;
    }
    pthread_mutex_unlock(&event->mutex);
    if (!was_set)
        pthread_cond_broadcast(&event->changed); /* after the unlock: who wakes up finds the mutex free */
}

void event_clear(struct event *event)
{
    pthread_mutex_lock(&event->mutex);
    event->flag = false;
    pthread_mutex_unlock(&event->mutex);
}

bool event_is_set(struct event *event)
{
    pthread_mutex_lock(&event->mutex);
    bool flag = event->flag;
    pthread_mutex_unlock(&event->mutex);
    return flag;
}
/* end set */

/* region deadline */
/* The moment `timeout_us` microseconds from now. */
static struct timespec deadline_after(int64_t timeout_us)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_us / 1000000;
    deadline.tv_nsec += timeout_us % 1000000 * 1000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    return deadline;
}
/* end deadline */

/* region wait */
/* With the mutex held, and the flag false: waits for the next set. Returns 0 or ETIMEDOUT. */
static int wait_for_set(struct event *event, int64_t timeout_us)
{
    const unsigned long before = event->sets;
    struct timespec deadline = {0, 0};
    int error = 0;

    if (timeout_us == 0)
        return ETIMEDOUT;
    if (timeout_us > 0)
        deadline = deadline_after(timeout_us);
    while (event->sets == before && error == 0)
        error = timeout_us < 0 ? pthread_cond_wait(&event->changed, &event->mutex)
                               : pthread_cond_timedwait(&event->changed, &event->mutex, &deadline);
    return event->sets != before ? 0 : error; /* set and late at once is set */
}

int event_wait(struct event *event, int64_t timeout_us)
{
    pthread_mutex_lock(&event->mutex);
    int error = event->flag ? 0 : wait_for_set(event, timeout_us);
    pthread_mutex_unlock(&event->mutex);
    return error;
}
/* end wait */
