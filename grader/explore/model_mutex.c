/* model_mutex.c - mutexes of every type, timed and robust; C11's mtx_t. See model.h. */
#include "model.h"

#include "record.h"
#include "shadow.h"
#include "sync_table.h"

#include <errno.h>
#include <pthread.h>
#include <threads.h>

void model_needs_unlock_points(void)
{
    if (il.assume.unlock_silent)
        il.assumption_broken = true;
}

struct sync *model_mutex_of(void *address)
{
    struct sync *mutex = sync_use(address, SYNC_MUTEX);
    if (mutex->type < 0) /* PTHREAD_MUTEX_INITIALIZER and its like say the type in the object (glibc) */
        mutex->type = ((const pthread_mutex_t *)address)->__data.__kind & 3;
    return mutex;
}

int model_mutex_taken(struct sync *mutex)
{
    mutex->owner = il.current;
    mutex->depth = 1;
    mutex->taken_at = il.self->wishes;
    sync_hold(mutex);
    il_acquire(mutex);
    il_event(mutex, true, 0);
    shadow_access(mutex->address, 4, false, false);
    if (!mutex->owner_died)
        return 0;
    mutex->owner_died = false;
    mutex->lost = true; /* unless it is made consistent before it is unlocked */
    return EOWNERDEAD;
}

unsigned model_mutex_release(struct sync *mutex)
{
    unsigned depth = mutex->depth;
    mutex->owner = -1;
    mutex->depth = 0;
    sync_drop(mutex);
    il_event(mutex, true, 0);
    il_release_only(mutex);
    return depth;
}

static bool is_kind(const struct sync *mutex, int type)
{
    return mutex->type == type;
}

/* What locking by the owner itself comes to; false where that is to wait for ever. */
static bool lock_again(struct sync *mutex, int *result)
{
    if (is_kind(mutex, PTHREAD_MUTEX_RECURSIVE)) {
        mutex->depth++;
        *result = 0;
        return true;
    }
    *result = EDEADLK;
    return is_kind(mutex, PTHREAD_MUTEX_ERRORCHECK);
}

static int lock(void *address, uint64_t deadline_ns)
{
    struct sync *mutex = model_mutex_of(address);
    int result;
    if (mutex->owner == il.current && lock_again(mutex, &result))
        return result;
    if (deadline_ns != NO_DEADLINE)
        model_needs_unlock_points();
    bool in_time = il_wish(WISH_LOCK, mutex, deadline_ns);
    if (mutex->kind == SYNC_DESTROYED)
        il_found(FIND_MISUSE, address, "%s locks a mutex that was destroyed", il_name(il.current));
    if (!in_time) {
        il_event(mutex, false, 1);
        record_note("gives up waiting for", address, -1);
        return ETIMEDOUT;
    }
    if (mutex->lost && mutex->robust) {
        il_event(mutex, false, 2);
        return ENOTRECOVERABLE;
    }
    result = model_mutex_taken(mutex);
    record_note("locks", address, -1);
    return result;
}

int il_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    IL_ENTER();
    return lock(mutex, NO_DEADLINE);
}

static int try_lock(void *address)
{
    struct sync *mutex = model_mutex_of(address);
    model_needs_unlock_points();
    il_wish_look(address);
    if (mutex->owner == il.current && is_kind(mutex, PTHREAD_MUTEX_RECURSIVE)) {
        mutex->depth++;
        return 0;
    }
    if (mutex->owner >= 0) {
        il_event(mutex, false, 1);
        il_looked(address, (uint64_t)mutex->owner);
        record_note("finds locked", address, mutex->owner);
        return EBUSY;
    }
    if (mutex->lost && mutex->robust)
        return ENOTRECOVERABLE;
    int result = model_mutex_taken(mutex);
    record_note("locks", address, -1);
    return result;
}

int il_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    IL_ENTER();
    return try_lock(mutex);
}

/* A limit that is none matters only to who has to wait (POSIX). */
static int lock_until(void *address, clockid_t clock, const struct timespec *at)
{
    uint64_t deadline_ns;
    if (model_deadline(clock, at, &deadline_ns))
        return lock(address, deadline_ns);
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    int result = try_lock(address);
    return result == EBUSY ? EINVAL : result;
}

int il_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *at)
{
    IL_ENTER();
    return lock_until(mutex, clock, at);
}

int il_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *at)
{
    IL_ENTER();
    return lock_until(mutex, CLOCK_REALTIME, at);
}

static int unlock(void *address)
{
    struct sync *mutex = model_mutex_of(address);
    if (mutex->owner != il.current) {
        if (mutex->robust || is_kind(mutex, PTHREAD_MUTEX_ERRORCHECK) || is_kind(mutex, PTHREAD_MUTEX_RECURSIVE))
            return EPERM;
        if (mutex->owner < 0)
            il_found(FIND_MISUSE, address, "%s unlocks a mutex that nobody holds", il_name(il.current));
        il_found(FIND_MISUSE, address, "%s unlocks a mutex that %s holds", il_name(il.current), il_name(mutex->owner));
    }
    if (mutex->depth > 1) {
        mutex->depth--;
        return 0;
    }
    if (!il.assume.unlock_silent)
        il_wish(WISH_GO, NULL, NO_DEADLINE);
    model_mutex_release(mutex);
    record_note("unlocks", address, -1);
    return 0;
}

int il_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    IL_ENTER();
    return unlock(mutex);
}

static struct sync *initialise(void *address, int type, bool robust)
{
    struct sync *mutex = il_sync(address);
    if (mutex->kind == SYNC_MUTEX && mutex->owner >= 0)
        il_found(FIND_MISUSE, address, "%s initialises a mutex that %s holds", il_name(il.current),
                 il_name(mutex->owner));
    shadow_access(address, sizeof(pthread_mutex_t), true, false);
    sync_renew(mutex, SYNC_MUTEX);
    mutex->type = type;
    mutex->robust = robust;
    return mutex;
}

int il_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    IL_ENTER();
    int type = PTHREAD_MUTEX_DEFAULT, robust = PTHREAD_MUTEX_STALLED;
    if (attributes) {
        pthread_mutexattr_gettype(attributes, &type);
        pthread_mutexattr_getrobust(attributes, &robust);
    }
    initialise(mutex, type, robust == PTHREAD_MUTEX_ROBUST);
    return 0;
}

static int destroy(void *address)
{
    struct sync *mutex = model_mutex_of(address);
    if (mutex->owner >= 0)
        il_found(FIND_MISUSE, address, "%s destroys a mutex that %s holds", il_name(il.current),
                 mutex->owner == il.current ? "it" : il_name(mutex->owner));
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].life == LIFE_RUNS && il.threads[i].retakes == mutex)
            il_found(FIND_MISUSE, address, "%s destroys a mutex that %s takes again when its wait is over",
                     il_name(il.current), il_name(i));
    shadow_access(address, sizeof(pthread_mutex_t), true, false);
    record_note("destroys", address, -1);
    il_event(mutex, true, 3);
    mutex->kind = SYNC_DESTROYED;
    return 0;
}

int il_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    IL_ENTER();
    return destroy(mutex);
}

int il_pthread_mutex_consistent(pthread_mutex_t *address)
{
    IL_ENTER();
    struct sync *mutex = model_mutex_of(address);
    if (!mutex->robust || mutex->owner != il.current || !mutex->lost)
        return EINVAL;
    mutex->lost = false;
    return 0;
}

bool model_mutex_check_wait(const struct sync *mutex)
{
    if (mutex->owner == il.current)
        return true;
    if (mutex->robust || is_kind(mutex, PTHREAD_MUTEX_ERRORCHECK))
        return false;
    il_found(FIND_MISUSE, mutex->address, "%s waits on a condition variable without holding the mutex that it passes",
             il_name(il.current));
}

void model_locks_of_ended(void)
{
    struct thread *self = il.self;
    for (unsigned i = self->held_n < HELD_MAX ? self->held_n : HELD_MAX; i-- > 0;) {
        struct sync *mutex = self->held[i];
        if (mutex->kind != SYNC_MUTEX || !mutex->robust || mutex->owner != il.current)
            continue;
        model_mutex_release(mutex);
        if (!mutex->lost) /* died in the middle of a recovery: the next one may try again */
            mutex->owner_died = true;
        mutex->owner_died |= mutex->lost;
        mutex->lost = false;
    }
}

/* ---- C11 --------------------------------------------------------------------------------------------------------- */

int il_mtx_init(mtx_t *mutex, int type)
{
    IL_ENTER();
    initialise(mutex, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL, false);
    return thrd_success;
}

void il_mtx_destroy(mtx_t *mutex)
{
    IL_ENTER();
    destroy(mutex);
}

int il_mtx_lock(mtx_t *mutex)
{
    IL_ENTER();
    return lock(mutex, NO_DEADLINE) ? thrd_error : thrd_success;
}

int il_mtx_timedlock(mtx_t *mutex, const struct timespec *at)
{
    IL_ENTER();
    uint64_t deadline_ns;
    if (!model_deadline(CLOCK_REALTIME, at, &deadline_ns))
        return thrd_error;
    int result = lock(mutex, deadline_ns);
    return result == 0 ? thrd_success : result == ETIMEDOUT ? thrd_timedout : thrd_error;
}

int il_mtx_trylock(mtx_t *mutex)
{
    IL_ENTER();
    int result = try_lock(mutex);
    return result == 0 ? thrd_success : result == EBUSY ? thrd_busy : thrd_error;
}

int il_mtx_unlock(mtx_t *mutex)
{
    IL_ENTER();
    return unlock(mutex) ? thrd_error : thrd_success;
}
