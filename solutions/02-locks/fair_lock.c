/* fair_lock.c - a lock that serves in the order of arrival.
 *
 * Theory of operation: no threads of its own. One mutex guards the fields, and is held for a few instructions only. Who
 * finds the lock held draws a ticket, which lies in his own stack frame, hangs it at the end of the queue, and sleeps
 * on the ticket's condition. A release does not set the lock free while somebody waits: it makes the first in the queue
 * the holder and wakes him. So there is no moment at which a third thread could come in between, however late he wakes
 * up.
 *
 * A ticket is touched by others only with the mutex held, and only while it hangs in the queue: before its owner leaves
 * his frame it was taken out, by the release that served it or by himself when his time was over.
 */
#include "fair_lock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* region state */
struct ticket {
    pthread_t owner;
    pthread_cond_t called; /* signalled when it is served */
    bool served;           /* guarded by the lock's mutex, as is next */
    struct ticket *next;   /* came later; NULL: the last */
};

struct fair_lock {
    pthread_mutex_t mutex;
    bool held;            /* guarded by mutex, as all below; while somebody waits it is true */
    pthread_t holder;     /* means nothing while held is false */
    struct ticket *first; /* came first of those who wait; NULL: nobody waits */
    long waiting;         /* tickets in the queue */
};
/* end state */

/* region create */
int fair_lock_create(struct fair_lock **lock)
{
    struct fair_lock *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0) {
        free(made);
        return error;
    }
    *lock = made;
    return 0;
}

void fair_lock_destroy(struct fair_lock *lock)
{
    if (lock == NULL)
        return;
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}
/* end create */

/* region queue */
/* With the mutex held: hangs the ticket behind all others. */
static void queue_append(struct fair_lock *lock, struct ticket *ticket)
{
    struct ticket **end = &lock->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = ticket;
    lock->waiting++;
}

/* With the mutex held: takes out a ticket that is in the queue; those behind it move up. */
static void queue_remove(struct fair_lock *lock, const struct ticket *ticket)
{
    struct ticket **at = &lock->first;

    while (*at != ticket)
        at = &(*at)->next;
    *at = ticket->next;
    lock->waiting--;
}
/* end queue */

/* region deadline */
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
/* With the mutex held: draws a ticket and sleeps until it is served or the time is over. */
static int wait_for_turn(struct fair_lock *lock, int64_t timeout_us)
{
    struct ticket ticket = {.owner = pthread_self()};
    struct timespec deadline = {0, 0};
    int error = make_condition(&ticket.called);
    if (error != 0)
        return error;

    if (timeout_us > 0)
        deadline = deadline_after(timeout_us);
    queue_append(lock, &ticket);
    while (!ticket.served && error == 0)
        error = timeout_us < 0 ? pthread_cond_wait(&ticket.called, &lock->mutex)
                               : pthread_cond_timedwait(&ticket.called, &lock->mutex, &deadline);
    if (!ticket.served)
        queue_remove(lock, &ticket);
    pthread_cond_destroy(&ticket.called);
    return ticket.served ? 0 : error; /* served and late at once is served: the lock is mine already */
}
/* end wait */

/* region acquire */
/* With the mutex held. */
static bool is_mine(const struct fair_lock *lock)
{
    return lock->held && pthread_equal(lock->holder, pthread_self());
}

int fair_lock_acquire(struct fair_lock *lock, int64_t timeout_us)
{
    int error = 0;

    pthread_mutex_lock(&lock->mutex);
    if (is_mine(lock)) {
        error = EDEADLK;
    } else if (!lock->held) { /* and so nobody waits */
        lock->held = true;
        lock->holder = pthread_self();
    } else if (timeout_us == 0) {
        error = ETIMEDOUT;
    } else {
        error = wait_for_turn(lock, timeout_us);
    }
    pthread_mutex_unlock(&lock->mutex);
    return error;
}
/* end acquire */

/* region release */
/* With the mutex held: the first in the queue holds the lock from now on, awake or not. */
static void serve(struct fair_lock *lock, struct ticket *ticket)
{
    queue_remove(lock, ticket);
    lock->holder = ticket->owner;
    ticket->served = true;
    pthread_cond_signal(&ticket->called); /* before the unlock: after it, the ticket's owner may be gone */
}

int fair_lock_release(struct fair_lock *lock)
{
    int error = 0;

    pthread_mutex_lock(&lock->mutex);
    if (!is_mine(lock))
        error = EPERM;
    else if (lock->first != NULL)
        serve(lock, lock->first);
    else
        lock->held = false;
    pthread_mutex_unlock(&lock->mutex);
    return error;
}
/* end release */

/* region waiting */
long fair_lock_waiting(struct fair_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    long waiting = lock->waiting;
    pthread_mutex_unlock(&lock->mutex);
    return waiting;
}
/* end waiting */
