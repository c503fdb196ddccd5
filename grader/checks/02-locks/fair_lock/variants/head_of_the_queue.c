/* fair_lock.c - a lock that serves in the order of arrival. A variant: a release sets the lock free and wakes the first
 * in a doubly linked queue, who takes it himself; everybody else sees that he is not the first, or that somebody is.
 * The tickets come from the heap. */
#include "fair_lock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct place {
    struct place *before, *behind;
    pthread_cond_t wake;
};

struct fair_lock {
    pthread_mutex_t guard;
    pthread_condattr_t monotonic;
    struct place ends; /* a ring: behind it stands the first, before it the last; guarded by guard, as all below */
    bool taken;
    pthread_t taker;
    long length;
};

int fair_lock_create(struct fair_lock **lock)
{
    struct fair_lock *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_condattr_init(&made->monotonic);
    if (error != 0)
        goto no_attributes;
    error = pthread_condattr_setclock(&made->monotonic, CLOCK_MONOTONIC);
    if (error != 0)
        goto no_mutex;
    error = pthread_mutex_init(&made->guard, NULL);
    if (error != 0)
        goto no_mutex;
    made->ends.before = made->ends.behind = &made->ends;
    *lock = made;
    return 0;

no_mutex:
    pthread_condattr_destroy(&made->monotonic);
no_attributes:
    free(made);
    return error;
}

void fair_lock_destroy(struct fair_lock *lock)
{
    if (lock == NULL)
        return;
    pthread_mutex_destroy(&lock->guard);
    pthread_condattr_destroy(&lock->monotonic);
    free(lock);
}

/* A place at the end of the queue, or NULL with `*error`. */
static struct place *place_new(struct fair_lock *lock, int *error)
{
    struct place *place = malloc(sizeof *place);

    if (place == NULL) {
        *error = ENOMEM;
        return NULL;
    }
    *error = pthread_cond_init(&place->wake, &lock->monotonic);
    if (*error != 0) {
        free(place);
        return NULL;
    }
    place->behind = &lock->ends;
    place->before = lock->ends.before;
    place->before->behind = place->behind->before = place;
    lock->length++;
    return place;
}

/* Leaves the queue; where the lock is free, whoever is first now must know. */
static void place_leave(struct fair_lock *lock, struct place *place)
{
    place->before->behind = place->behind;
    place->behind->before = place->before;
    lock->length--;
    pthread_cond_destroy(&place->wake);
    free(place);
}

static void wake_first(struct fair_lock *lock)
{
    if (!lock->taken && lock->ends.behind != &lock->ends)
        pthread_cond_signal(&lock->ends.behind->wake);
}

static int sleep_until(pthread_cond_t *wake, pthread_mutex_t *guard, int64_t timeout_us, const struct timespec *end)
{
    return timeout_us < 0 ? pthread_cond_wait(wake, guard) : pthread_cond_timedwait(wake, guard, end);
}

static int stand_in_line(struct fair_lock *lock, int64_t timeout_us)
{
    struct timespec end;
    int error;
    struct place *mine = place_new(lock, &error);

    if (mine == NULL)
        return error;
    clock_gettime(CLOCK_MONOTONIC, &end);
    for (end.tv_nsec += timeout_us % 1000000 * 1000; end.tv_nsec > 999999999; end.tv_nsec -= 1000000000)
        end.tv_sec++;
    end.tv_sec += timeout_us / 1000000;
    while (error == 0 && (lock->taken || lock->ends.behind != mine))
        error = sleep_until(&mine->wake, &lock->guard, timeout_us, &end);
    bool mine_now = !lock->taken && lock->ends.behind == mine;
    place_leave(lock, mine);
    if (mine_now)
        return 0;
    wake_first(lock);
    return error;
}

int fair_lock_acquire(struct fair_lock *lock, int64_t timeout_us)
{
    int error = 0;

    pthread_mutex_lock(&lock->guard);
    if (lock->taken && pthread_equal(lock->taker, pthread_self()))
        error = EDEADLK;
    else if (lock->taken || lock->length > 0)
        error = timeout_us == 0 ? ETIMEDOUT : stand_in_line(lock, timeout_us);
    if (error == 0) {
        lock->taken = true;
        lock->taker = pthread_self();
    }
    pthread_mutex_unlock(&lock->guard);
    return error;
}

int fair_lock_release(struct fair_lock *lock)
{
    pthread_mutex_lock(&lock->guard);
    bool mine = lock->taken && pthread_equal(lock->taker, pthread_self());
    if (mine) {
        lock->taken = false;
        wake_first(lock);
    }
    pthread_mutex_unlock(&lock->guard);
    return mine ? 0 : EPERM;
}

long fair_lock_waiting(struct fair_lock *lock)
{
    pthread_mutex_lock(&lock->guard);
    long length = lock->length;
    pthread_mutex_unlock(&lock->guard);
    return length;
}
