/* model_cond.c - condition variables; C11's cnd_t. See model.h.
 *
 * A wait gives the mutex up and falls asleep in one step. Whoever signals picks any of those who sleep: which one is a
 * decision of the search. The one that is picked then wants the mutex like everyone else.
 */
#include "model.h"

#include "record.h"
#include "shadow.h"
#include "sync_table.h"

#include <errno.h>
#include <pthread.h>
#include <threads.h>

static void leave_queue(struct sync *cond)
{
    cond->waiters--;
    if (cond->waiters == 0)
        cond->mutex = NULL;
}

void model_cond_leave(const struct thread *thread)
{
    leave_queue(thread->waits_on);
}

/* Asleep; returns true when signalled, false at the deadline or by nobody's doing. Has the mutex again either way. */
static int sleep_on(struct sync *cond, struct sync *mutex, uint64_t deadline_ns)
{
    struct thread *self = il.self;
    self->retakes = mutex;
    self->waits_on = cond;
    self->cancel.waits = true;
    bool in_time = il_wish(WISH_COND, cond, deadline_ns);
    self->cancel.waits = false;
    if (!self->cancel.cut && (!in_time || self->spurious)) {
        leave_queue(cond);
        il_event(cond, true, in_time ? 2 : 1);
        record_note(in_time ? "wakes though nobody signalled" : "wakes as its time is over", cond->address, -1);
        il_wish(WISH_LOCK, mutex, NO_DEADLINE);
    }
    self->retakes = NULL;
    self->waits_on = NULL;
    int result = model_mutex_taken(mutex);
    record_note("is awake and locks again", mutex->address, -1);
    if (result)
        return result;
    return in_time ? 0 : ETIMEDOUT;
}

int model_cond_wait(void *cond_address, void *mutex_address, uint64_t deadline_ns)
{
    struct sync *mutex = model_mutex_of(mutex_address);
    struct sync *cond = sync_use(cond_address, SYNC_COND);
    if (!model_mutex_check_wait(mutex))
        return EPERM;
    if (cond->waiters && cond->mutex != mutex->address)
        il_found(FIND_MISUSE, cond_address, "%s waits on a condition variable with another mutex than those who wait",
                 il_name(il.current));
    if (cond->assumed && cond->assumed != mutex->address && il.assume.signal_silent)
        il.assumption_broken = true;
    if (il.faults && deadline_ns != NO_DEADLINE && il_choice(2, true)) {
        il_event(cond, true, 4);
        record_note("the wait's time is over at once", cond_address, -1);
        return ETIMEDOUT;
    }
    if (deadline_ns != NO_DEADLINE)
        model_needs_unlock_points();
    /* A signal sent without the mutex may come between what was looked at (an atomic variable, say) and the sleep. */
    if (!il.assume.unlock_silent || mutex->taken_at != il.self->wishes)
        il_wish(WISH_GO, NULL, NO_DEADLINE);
    model_cancel_here();
    cond->waiters++;
    cond->mutex = mutex->address;
    record_note("gives up the mutex and sleeps on", cond_address, -1);
    il_event(cond, true, 0);
    unsigned depth = model_mutex_release(mutex);
    int result = sleep_on(cond, mutex, deadline_ns);
    mutex->depth = depth;
    model_cancel_after_wait();
    return result;
}

static void wake(struct sync *cond, int thread)
{
    struct thread *woken = &il.threads[thread];
    woken->wish = (struct wish){.kind = WISH_LOCK, .on = woken->retakes, .deadline_ns = NO_DEADLINE};
    clock_join(&woken->sync, &il.self->sync);
    il_order(woken);
    leave_queue(cond);
}

/* May a signal go without a scheduling point? Where the waiters' mutex is held; where nobody waits yet, any mutex that
 * is held is taken to be theirs until a wait shows another. */
static bool may_be_silent(struct sync *cond)
{
    const struct thread *self = il.self;
    if (!il.assume.signal_silent || self->held_n == 0 || self->held_n > HELD_MAX)
        return false;
    for (unsigned i = 0; i < self->held_n && cond->mutex; i++)
        if (self->held[i]->address == cond->mutex)
            return true;
    if (cond->mutex || (cond->assumed && cond->assumed != self->held[self->held_n - 1]->address))
        return false;
    cond->assumed = self->held[self->held_n - 1]->address;
    return true;
}

static int sleepers(const struct sync *cond, uint8_t *who)
{
    int n = 0;
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].life == LIFE_RUNS && il.threads[i].wish.kind == WISH_COND && il.threads[i].wish.on == cond)
            who[n++] = (uint8_t)i;
    return n;
}

static void notify(void *address, bool everyone)
{
    struct sync *cond = sync_use(address, SYNC_COND);
    if (!may_be_silent(cond)) {
        il_wish(WISH_GO, NULL, NO_DEADLINE);
        cond = sync_use(address, SYNC_COND); /* it may be gone by now */
    }
    uint8_t who[THREADS_MAX];
    int n = sleepers(cond, who);
    unsigned pick = everyone || n < 2 ? 0 : il_choice((unsigned)n, false);
    il_event(cond, true, n ? 16U + who[pick] : 0);
    il_release(cond);
    if (n == 0)
        record_note(everyone ? "wakes everyone who sleeps (nobody) on" : "signals, and nobody sleeps on", address, -1);
    for (int i = 0; i < n; i++) {
        if (!everyone && i != (int)pick)
            continue;
        wake(cond, who[i]);
        record_note(everyone ? "wakes all:" : "wakes", address, who[i]);
    }
}

int il_pthread_cond_signal(pthread_cond_t *cond)
{
    IL_ENTER();
    notify(cond, false);
    return 0;
}

int il_pthread_cond_broadcast(pthread_cond_t *cond)
{
    IL_ENTER();
    notify(cond, true);
    return 0;
}

int il_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    IL_ENTER();
    return model_cond_wait(cond, mutex, NO_DEADLINE);
}

static int timed_wait(void *cond, void *mutex, clockid_t clock, const struct timespec *at)
{
    uint64_t deadline_ns;
    if (!model_deadline(clock, at, &deadline_ns))
        return EINVAL;
    return model_cond_wait(cond, mutex, deadline_ns);
}

int il_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *at)
{
    IL_ENTER();
    const struct sync *known = sync_use(cond, SYNC_COND);
    return timed_wait(cond, mutex, known->type, at);
}

int il_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *at)
{
    IL_ENTER();
    return timed_wait(cond, mutex, clock, at);
}

static void initialise(void *address, clockid_t clock)
{
    struct sync *cond = il_sync(address);
    if (cond->kind == SYNC_COND && cond->waiters)
        il_found(FIND_MISUSE, address, "%s initialises a condition variable that somebody sleeps on",
                 il_name(il.current));
    shadow_access(address, sizeof(pthread_cond_t), true, false);
    sync_renew(cond, SYNC_COND);
    cond->type = clock;
}

int il_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attributes)
{
    IL_ENTER();
    clockid_t clock = CLOCK_REALTIME;
    if (attributes)
        pthread_condattr_getclock(attributes, &clock);
    initialise(cond, clock);
    return 0;
}

static void destroy(void *address)
{
    struct sync *cond = sync_use(address, SYNC_COND);
    if (cond->waiters)
        il_found(FIND_MISUSE, address, "%s destroys a condition variable that somebody sleeps on", il_name(il.current));
    shadow_access(address, sizeof(pthread_cond_t), true, false);
    record_note("destroys", address, -1);
    il_event(cond, true, 3);
    cond->kind = SYNC_DESTROYED;
}

int il_pthread_cond_destroy(pthread_cond_t *cond)
{
    IL_ENTER();
    destroy(cond);
    return 0;
}

/* ---- C11 --------------------------------------------------------------------------------------------------------- */

int il_cnd_init(cnd_t *cond)
{
    IL_ENTER();
    initialise(cond, CLOCK_REALTIME);
    return thrd_success;
}

void il_cnd_destroy(cnd_t *cond)
{
    IL_ENTER();
    destroy(cond);
}

int il_cnd_signal(cnd_t *cond)
{
    IL_ENTER();
    notify(cond, false);
    return thrd_success;
}

int il_cnd_broadcast(cnd_t *cond)
{
    IL_ENTER();
    notify(cond, true);
    return thrd_success;
}

int il_cnd_wait(cnd_t *cond, mtx_t *mutex)
{
    IL_ENTER();
    return model_cond_wait(cond, mutex, NO_DEADLINE) ? thrd_error : thrd_success;
}

int il_cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *at)
{
    IL_ENTER();
    int result = timed_wait(cond, mutex, CLOCK_REALTIME, at);
    return result == 0 ? thrd_success : result == ETIMEDOUT ? thrd_timedout : thrd_error;
}
