/* model_sync.c - read-write locks, semaphores, barriers, spin locks and once; C11's call_once. See model.h. */
#include "model.h"

#include "record.h"
#include "shadow.h"
#include "sync_table.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <string.h>
#include <threads.h>

/* An unlock, a post: a scheduling point only where somebody may try instead of wait. */
static void wish_release(void)
{
    if (!il.assume.unlock_silent)
        il_wish(WISH_GO, NULL, NO_DEADLINE);
}

static void begin_life(void *address, size_t size, enum sync_kind kind)
{
    struct sync *on = il_sync(address);
    if (on->kind == kind && (on->owner >= 0 || on->readers || on->waiters))
        il_found(FIND_MISUSE, address, "%s initialises a %s that is in use", il_name(il.current), sync_word(kind));
    shadow_access(address, size, true, false);
    sync_renew(on, kind);
}

static void end_life(void *address, size_t size, enum sync_kind kind)
{
    struct sync *on = sync_use(address, kind);
    bool is_waited_on = on->waiters > 0;
    for (int i = 0; i < il.n; i++)
        is_waited_on |= il.threads[i].life == LIFE_RUNS && il.threads[i].wish.kind != WISH_GO &&
                        il.threads[i].wish.on == on && i != il.current;
    if (on->owner >= 0 || on->readers || is_waited_on)
        il_found(FIND_MISUSE, address, "%s destroys a %s that is %s", il_name(il.current), sync_word(kind),
                 is_waited_on ? "waited for" : "held");
    shadow_access(address, size, true, false);
    record_note("destroys", address, -1);
    il_event(on, true, 3);
    on->kind = SYNC_DESTROYED;
}

/* Waits; true when granted. A limit means that others may see it give up. */
static bool wait_for(enum wish_kind kind, struct sync *on, uint64_t deadline_ns)
{
    if (deadline_ns != NO_DEADLINE)
        model_needs_unlock_points();
    if (il_wish(kind, on, deadline_ns))
        return true;
    il_event(on, false, 1);
    record_note("gives up waiting for", on->address, -1);
    return false;
}

/* The same at a cancellation point. */
static bool wait_or_end(enum wish_kind kind, struct sync *on, uint64_t deadline_ns)
{
    if (deadline_ns != NO_DEADLINE)
        model_needs_unlock_points();
    enum breaks breaks = kind == WISH_SEMAPHORE ? BREAKS_WITHOUT_RESTART : BREAKS_NEVER;
    if (model_wait((struct wish){.kind = kind, .on = on, .deadline_ns = deadline_ns, .breaks = breaks}) &&
        !il.self->interrupted)
        return true;
    il_event(on, false, 1);
    record_note("gives up waiting for", on->address, -1);
    return false;
}

/* A try: is it granted now? */
static bool try_for(struct sync *on, bool (*can)(const struct sync *))
{
    model_needs_unlock_points();
    il_wish_look(on->address);
    if (can(on))
        return true;
    il_event(on, false, 1);
    il_looked(on->address, 1);
    record_note("finds in use", on->address, on->owner);
    return false;
}

/* ---- read-write locks -------------------------------------------------------------------------------------------- */

static bool can_read(const struct sync *lock)
{
    return lock->owner < 0;
}

static bool can_write(const struct sync *lock)
{
    return lock->owner < 0 && lock->readers == 0;
}

static int read_taken(struct sync *lock)
{
    lock->readers++;
    ++*sync_shared_of(lock, il.current);
    sync_hold(lock);
    il_acquire(lock);
    il_event(lock, true, 4);
    shadow_access(lock->address, 4, false, false);
    record_note("locks for reading", lock->address, -1);
    return 0;
}

static int write_taken(struct sync *lock)
{
    lock->owner = il.current;
    sync_hold(lock);
    il_acquire(lock);
    clock_join(&il.self->sync, &lock->sync_shared);
    il_event(lock, true, 5);
    shadow_access(lock->address, 4, false, false);
    record_note("locks for writing", lock->address, -1);
    return 0;
}

static int read_lock(void *address, uint64_t deadline_ns)
{
    struct sync *lock = sync_use(address, SYNC_RWLOCK);
    if (lock->owner == il.current)
        return EDEADLK;
    return wait_for(WISH_READ_LOCK, lock, deadline_ns) ? read_taken(lock) : ETIMEDOUT;
}

static int write_lock(void *address, uint64_t deadline_ns)
{
    struct sync *lock = sync_use(address, SYNC_RWLOCK);
    if (lock->owner == il.current)
        return EDEADLK;
    return wait_for(WISH_WRITE_LOCK, lock, deadline_ns) ? write_taken(lock) : ETIMEDOUT;
}

int il_pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    IL_ENTER();
    return read_lock(lock, NO_DEADLINE);
}

int il_pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    IL_ENTER();
    return write_lock(lock, NO_DEADLINE);
}

int il_pthread_rwlock_tryrdlock(pthread_rwlock_t *address)
{
    IL_ENTER();
    struct sync *lock = sync_use(address, SYNC_RWLOCK);
    return try_for(lock, can_read) ? read_taken(lock) : EBUSY;
}

int il_pthread_rwlock_trywrlock(pthread_rwlock_t *address)
{
    IL_ENTER();
    struct sync *lock = sync_use(address, SYNC_RWLOCK);
    return try_for(lock, can_write) ? write_taken(lock) : EBUSY;
}

int il_pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *at)
{
    IL_ENTER();
    uint64_t deadline_ns;
    return model_deadline(clock, at, &deadline_ns) ? read_lock(lock, deadline_ns) : EINVAL;
}

int il_pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *at)
{
    IL_ENTER();
    uint64_t deadline_ns;
    return model_deadline(CLOCK_REALTIME, at, &deadline_ns) ? read_lock(lock, deadline_ns) : EINVAL;
}

int il_pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *at)
{
    IL_ENTER();
    uint64_t deadline_ns;
    return model_deadline(clock, at, &deadline_ns) ? write_lock(lock, deadline_ns) : EINVAL;
}

int il_pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *at)
{
    IL_ENTER();
    uint64_t deadline_ns;
    return model_deadline(CLOCK_REALTIME, at, &deadline_ns) ? write_lock(lock, deadline_ns) : EINVAL;
}

int il_pthread_rwlock_unlock(pthread_rwlock_t *address)
{
    IL_ENTER();
    struct sync *lock = sync_use(address, SYNC_RWLOCK);
    bool is_writer = lock->owner == il.current;
    if (!is_writer && *sync_shared_of(lock, il.current) == 0)
        il_found(FIND_MISUSE, address, "%s unlocks a read-write lock that it does not hold", il_name(il.current));
    wish_release();
    if (is_writer) {
        lock->owner = -1;
    } else {
        lock->readers--;
        --*sync_shared_of(lock, il.current);
    }
    sync_drop(lock);
    il_event(lock, true, 6);
    if (is_writer) {
        il_release(lock);
    } else { /* what a reader did comes before what a writer does, but orders nothing among readers */
        clock_join(&lock->sync_shared, &il.self->sync);
        il_tick();
    }
    record_note("unlocks", address, -1);
    return 0;
}

int il_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes)
{
    IL_ENTER();
    (void)attributes;
    begin_life(lock, sizeof *lock, SYNC_RWLOCK);
    return 0;
}

int il_pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    IL_ENTER();
    end_life(lock, sizeof *lock, SYNC_RWLOCK);
    return 0;
}

/* ---- semaphores -------------------------------------------------------------------------------------------------- */

static int fail(int error)
{
    errno = error;
    return -1;
}

static bool can_take(const struct sync *semaphore)
{
    return semaphore->value > 0;
}

static int semaphore_taken(struct sync *semaphore)
{
    semaphore->value--;
    il_acquire(semaphore);
    il_event(semaphore, true, 0);
    shadow_access(semaphore->address, 4, false, false);
    record_note("takes one of", semaphore->address, -1);
    return 0;
}

static struct sync *semaphore_of(sem_t *address)
{
    struct sync *known = il_sync(address);
    if (known->kind == SYNC_NEW)
        il_found(FIND_MISUSE, address, "%s uses a semaphore that sem_init has not made", il_name(il.current));
    return sync_use(address, SYNC_SEMAPHORE);
}

int il_sem_init(sem_t *semaphore, int shared, unsigned value)
{
    IL_ENTER();
    (void)shared;
    if (value > SEM_VALUE_MAX)
        return fail(EINVAL);
    begin_life(semaphore, sizeof *semaphore, SYNC_SEMAPHORE);
    il_sync(semaphore)->value = value;
    return 0;
}

int il_sem_destroy(sem_t *semaphore)
{
    IL_ENTER();
    end_life(semaphore, sizeof *semaphore, SYNC_SEMAPHORE);
    return 0;
}

int il_sem_wait(sem_t *address)
{
    IL_ENTER();
    struct sync *semaphore = semaphore_of(address);
    return wait_or_end(WISH_SEMAPHORE, semaphore, NO_DEADLINE) ? semaphore_taken(semaphore) : fail(EINTR);
}

int il_sem_trywait(sem_t *address)
{
    IL_ENTER();
    struct sync *semaphore = semaphore_of(address);
    return try_for(semaphore, can_take) ? semaphore_taken(semaphore) : fail(EAGAIN);
}

static int timed_wait(sem_t *address, clockid_t clock, const struct timespec *at)
{
    uint64_t deadline_ns;
    struct sync *semaphore = semaphore_of(address);
    if (!model_deadline(clock, at, &deadline_ns))
        return fail(EINVAL);
    if (wait_or_end(WISH_SEMAPHORE, semaphore, deadline_ns))
        return semaphore_taken(semaphore);
    return fail(il.self->interrupted ? EINTR : ETIMEDOUT);
}

int il_sem_timedwait(sem_t *semaphore, const struct timespec *at)
{
    IL_ENTER();
    return timed_wait(semaphore, CLOCK_REALTIME, at);
}

int il_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *at)
{
    IL_ENTER();
    return timed_wait(semaphore, clock, at);
}

int il_sem_post(sem_t *address)
{
    IL_ENTER();
    struct sync *semaphore = semaphore_of(address);
    if (semaphore->value >= SEM_VALUE_MAX)
        return fail(EOVERFLOW);
    wish_release();
    semaphore->value++;
    shadow_access(address, 4, false, false);
    il_event(semaphore, true, 7);
    il_release(semaphore);
    record_note("adds one to", address, -1);
    return 0;
}

int il_sem_getvalue(sem_t *address, int *value)
{
    IL_ENTER();
    struct sync *semaphore = semaphore_of(address);
    model_needs_unlock_points();
    il_wish_look(address);
    il_event(semaphore, false, 2);
    il_looked(address, semaphore->value);
    shadow_access(value, sizeof *value, true, false);
    *value = (int)semaphore->value;
    return 0;
}

/* ---- barriers ---------------------------------------------------------------------------------------------------- */

int il_pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes, unsigned count)
{
    IL_ENTER();
    (void)attributes;
    if (count == 0)
        return EINVAL;
    begin_life(barrier, sizeof *barrier, SYNC_BARRIER);
    il_sync(barrier)->size = count;
    return 0;
}

int il_pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    IL_ENTER();
    end_life(barrier, sizeof *barrier, SYNC_BARRIER);
    return 0;
}

/* They wait no more, though they have not returned yet: the barrier may be destroyed now. */
static void let_go(const struct sync *barrier)
{
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].wish.kind == WISH_BARRIER && il.threads[i].wish.on == barrier)
            il.threads[i].wish.kind = WISH_GO;
}

int il_pthread_barrier_wait(pthread_barrier_t *address)
{
    IL_ENTER();
    if (il_sync(address)->kind == SYNC_NEW)
        il_found(FIND_MISUSE, address, "%s waits at a barrier that pthread_barrier_init has not made",
                 il_name(il.current));
    struct sync *barrier = sync_use(address, SYNC_BARRIER);
    il_wish(WISH_GO, NULL, NO_DEADLINE);
    shadow_access(address, 4, false, false);
    record_note("comes to", address, -1);
    il_event(barrier, true, 0);
    il_release(barrier);
    if (++barrier->waiters == barrier->size) {
        barrier->waiters = 0;
        barrier->value++; /* the next round */
        let_go(barrier);
        il_acquire(barrier);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    il_wish_for((struct wish){.kind = WISH_BARRIER, .on = barrier, .whom = barrier->value, .deadline_ns = NO_DEADLINE});
    il_acquire(barrier);
    il_event(barrier, false, 8);
    record_note("goes on from", address, -1);
    return 0;
}

/* ---- spin locks -------------------------------------------------------------------------------------------------- */

static int spin_taken(struct sync *lock)
{
    lock->owner = il.current;
    sync_hold(lock);
    il_acquire(lock);
    il_event(lock, true, 0);
    record_note("locks", lock->address, -1);
    return 0;
}

int il_pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    IL_ENTER();
    (void)shared;
    begin_life((void *)lock, sizeof *lock, SYNC_SPIN);
    return 0;
}

int il_pthread_spin_destroy(pthread_spinlock_t *lock)
{
    IL_ENTER();
    end_life((void *)lock, sizeof *lock, SYNC_SPIN);
    return 0;
}

int il_pthread_spin_lock(pthread_spinlock_t *address)
{
    IL_ENTER();
    struct sync *lock = sync_use((void *)address, SYNC_SPIN);
    wait_for(WISH_LOCK, lock, NO_DEADLINE);
    return spin_taken(lock);
}

int il_pthread_spin_trylock(pthread_spinlock_t *address)
{
    IL_ENTER();
    struct sync *lock = sync_use((void *)address, SYNC_SPIN);
    return try_for(lock, can_read) ? spin_taken(lock) : EBUSY;
}

int il_pthread_spin_unlock(pthread_spinlock_t *address)
{
    IL_ENTER();
    struct sync *lock = sync_use((void *)address, SYNC_SPIN);
    if (lock->owner != il.current)
        il_found(FIND_MISUSE, (void *)address, "%s unlocks a spin lock that it does not hold", il_name(il.current));
    wish_release();
    lock->owner = -1;
    sync_drop(lock);
    il_event(lock, true, 0);
    il_release_only(lock);
    record_note("unlocks", (void *)address, -1);
    return 0;
}

/* ---- once -------------------------------------------------------------------------------------------------------- */

/* That it was done is said by the memory too, as in glibc: where it is as PTHREAD_ONCE_INIT leaves it, the variable is
 * a new one in the same place, or was set back. */
enum { ONCE_INIT = 0, ONCE_DONE = 2 };
_Static_assert(PTHREAD_ONCE_INIT == ONCE_INIT && sizeof(once_flag) == sizeof(int), "as glibc has them");

static void once(int *address, void (*function)(void))
{
    struct sync *on = sync_use(address, SYNC_ONCE);
    __pthread_unwind_buf_t buffer;
    il_wish(WISH_ONCE, on, NO_DEADLINE);
    il_acquire(on);
    if (on->value && *address != ONCE_INIT) {
        il_event(on, false, 0);
        return;
    }
    on->owner = il.current;
    il_event(on, true, 0);
    record_note("is the first and runs the function of", address, -1);
    if (sigsetjmp((struct __jmp_buf_tag *)(void *)buffer.__cancel_jmp_buf, 0)) { /* it ends the thread */
        on->owner = -1;
        il_event(on, true, 2);
        il_release(on);
        il___pthread_unwind_next(&buffer);
    }
    il___pthread_register_cancel(&buffer);
    function();
    il___pthread_unregister_cancel(&buffer);
    on->owner = -1;
    on->value = 1;
    *address = ONCE_DONE;
    il_event(on, true, 1);
    il_release(on);
}

int il_pthread_once(pthread_once_t *address, void (*function)(void))
{
    IL_ENTER();
    once(address, function);
    return 0;
}

void il_call_once(once_flag *address, void (*function)(void))
{
    IL_ENTER();
    once((int *)(void *)address, function);
}
