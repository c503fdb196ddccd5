/* model_cancel.c - pthread_cancel and what a thread runs on its way out. See model.h.
 *
 * Theory. A request is noted at the thread (struct cancel). Deferred, it is acted on at the next cancellation point:
 * on entering it, or in the middle of its wait, which is cut off. A wait on a condition variable is left with the
 * mutex locked again and takes no signal with it; any other goes on "doomed", and the engine calls model_cancelled().
 * Asynchronous requests are acted on at the next visible operation, which is as soon as anybody could tell.
 *
 * Most programs cancel nobody. So cancellation points get no scheduling points of their own until a run has cancelled
 * another thread (assume.cancel_silent); then the search begins again with them.
 *
 * <pthread.h>'s pthread_cleanup_push keeps a jump buffer on the stack and gives it to us; the innermost one is run by
 * jumping there, and it comes back with __pthread_unwind_next.
 */
#include "model.h"

#include "dpor.h"
#include "memory_map.h"
#include "record.h"
#include "sync_table.h"

#include <errno.h>
#include <pthread.h>

/* ---- handlers ---------------------------------------------------------------------------------------------------- */

struct cleanup {
    struct cleanup *outer; /* in the buffer's own spare words */
};

static struct cleanup **spare_of(__pthread_unwind_buf_t *buffer)
{
    return (struct cleanup **)&buffer->__pad[0];
}

void il___pthread_register_cancel(__pthread_unwind_buf_t *buffer)
{
    *spare_of(buffer) = il.self->cleanups;
    il.self->cleanups = (struct cleanup *)buffer;
}

void il___pthread_unregister_cancel(__pthread_unwind_buf_t *buffer)
{
    il.self->cleanups = *spare_of(buffer);
}

struct __jmp_buf_tag;
extern void _longjmp(struct __jmp_buf_tag *buffer, int value) __attribute__((noreturn));

_Noreturn void model_unwind(void)
{
    il.self->cancel.ending = true;
    __pthread_unwind_buf_t *buffer = (__pthread_unwind_buf_t *)il.self->cleanups;
    if (buffer) {
        il.self->cleanups = *spare_of(buffer);
        memory_unpoison();
        _longjmp((struct __jmp_buf_tag *)(void *)buffer->__cancel_jmp_buf, 1);
    }
    il_thread_end();
}

_Noreturn void il___pthread_unwind_next(__pthread_unwind_buf_t *buffer)
{
    (void)buffer;
    model_unwind();
}

_Noreturn void il_pthread_exit(void *result)
{
    IL_ENTER();
    il.self->result = result;
    model_unwind();
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

/* What stands for the request in the partial order. */
static struct sync *request_of(struct thread *thread)
{
    return sync_use(&thread->cancel, SYNC_ATOMIC);
}

static bool acts(const struct cancel *cancel)
{
    return cancel->pending && !cancel->disabled && !cancel->ending;
}

_Noreturn void model_cancelled(void)
{
    struct cancel *cancel = &il.self->cancel;
    struct sync *request = request_of(il.self);
    cancel->pending = cancel->doomed = cancel->waits = cancel->cut = false;
    il_acquire(request);
    il_event(request, false, 1);
    record_note("ends, as it was asked to", NULL, -1);
    il.self->result = PTHREAD_CANCELED;
    model_unwind();
}

static void look(void)
{
    if (il.assume.cancel_silent || il.self->cancel.ending)
        return;
    struct sync *request = request_of(il.self);
    il_event(request, false, 2);
    il_acquire(request); /* what came before the request is seen by whoever could have acted on it */
}

void model_cancel_here(void)
{
    look();
    if (acts(&il.self->cancel))
        model_cancelled();
}

void model_cancel_point(void)
{
    if (!il.assume.cancel_silent && !il.self->cancel.ending)
        il_wish(WISH_GO, NULL, NO_DEADLINE);
    model_cancel_here();
}

bool model_wait(struct wish wish)
{
    model_cancel_point();
    il.self->cancel.waits = true;
    bool in_time = il_wish_for(wish);
    il.self->cancel.waits = false;
    look();
    return in_time;
}

void model_cancel_after_wait(void)
{
    const struct cancel *cancel = &il.self->cancel;
    if (!cancel->cut)
        look();
    if (cancel->cut || (cancel->async && acts(cancel)))
        model_cancelled();
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* What `other` waits for or is about to do is not done. In a wait on a condition variable it has given its mutex up and
 * must have it again first. */
static void cut_off(struct thread *other)
{
    struct wish *wish = &other->wish;
    if (other->retakes && wish->kind != WISH_COND)
        return; /* signalled, and on its way out of the wait: later */
    clock_join(&other->sync, &il.self->sync);
    il_order(other);
    if (other->retakes) {
        model_cond_leave(other);
        other->cancel.cut = true;
        *wish = (struct wish){.kind = WISH_LOCK, .on = other->retakes, .deadline_ns = NO_DEADLINE};
        return;
    }
    other->cancel.doomed = true;
    *wish = (struct wish){.kind = WISH_GO, .deadline_ns = NO_DEADLINE};
}

static void request(struct thread *other)
{
    struct cancel *cancel = &other->cancel;
    if (other->life != LIFE_RUNS || cancel->ending || cancel->pending)
        return;
    cancel->pending = true;
    if (cancel->disabled || other == il.self)
        return;
    if (cancel->waits || cancel->async)
        cut_off(other);
}

int il_pthread_cancel(pthread_t handle)
{
    IL_ENTER();
    struct thread *other = model_thread_of(handle);
    if (!other)
        return ESRCH;
    if (other != il.self && il.assume.cancel_silent)
        il.assumption_broken = true;
    dpor_give_up(); /* where the other stands is no object */
    il_wish(WISH_GO, NULL, NO_DEADLINE);
    model_check_lives(other, "asks to end");
    struct sync *on = request_of(other);
    il_event(on, true, 0);
    il_release(on);
    record_note("asks to end:", NULL, (int)(other - il.threads));
    request(other);
    if (other == il.self && il.self->cancel.async && acts(&il.self->cancel))
        model_cancelled();
    return 0;
}

/* A loop that asks again and again waits for a request, like any other that spins. */
void il_pthread_testcancel(void)
{
    IL_ENTER();
    if (!acts(&il.self->cancel) && !il.self->cancel.ending) {
        il_wish_look(&il.self->cancel);
        il_event(request_of(il.self), false, 2);
        il_looked(&il.self->cancel, 0);
        il_acquire(request_of(il.self));
    }
    if (acts(&il.self->cancel))
        model_cancelled();
}

/* A change of the thread's own, which only who cancels it could tell from none. */
static void change(void)
{
    if (il.assume.cancel_silent || il.self->cancel.ending)
        return;
    il_wish(WISH_GO, NULL, NO_DEADLINE);
    look();
}

int il_pthread_setcancelstate(int state, int *old)
{
    IL_ENTER();
    struct cancel *cancel = &il.self->cancel;
    if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
        return EINVAL;
    change();
    if (old)
        *old = cancel->disabled ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
    cancel->disabled = state == PTHREAD_CANCEL_DISABLE;
    if (cancel->async && acts(cancel))
        model_cancelled();
    return 0;
}

int il_pthread_setcanceltype(int type, int *old)
{
    IL_ENTER();
    struct cancel *cancel = &il.self->cancel;
    if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
        return EINVAL;
    change();
    if (old)
        *old = cancel->async ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
    cancel->async = type == PTHREAD_CANCEL_ASYNCHRONOUS;
    if (cancel->async && acts(cancel))
        model_cancelled();
    return 0;
}

/* GNU's pthread_cleanup_push_defer_np: a handler, and cancellation deferred as long as it is there. */
void il___pthread_register_cancel_defer(__pthread_unwind_buf_t *buffer)
{
    il___pthread_register_cancel(buffer);
    buffer->__pad[2] = il.self->cancel.async ? buffer : NULL;
    il.self->cancel.async = false;
}

void il___pthread_unregister_cancel_restore(__pthread_unwind_buf_t *buffer)
{
    il___pthread_unregister_cancel(buffer);
    if (buffer->__pad[2])
        il_pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
}
