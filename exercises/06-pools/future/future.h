/* future.h - a result that is not there yet: Python's concurrent.futures.Future.
 *
 *     future = executor.submit(work, argument)      # somebody else will set it
 *     future.add_done_callback(show)
 *     print(future.result(timeout=0.5))
 *
 * A future has two sides. Who does the work calls set_running_or_notify_cancel, then set_result or set_exception. Who
 * wants the result asks for it, waits for it, leaves a callback, or cancels. It is in one of five states:
 *
 *     PENDING ──> RUNNING ──> FINISHED
 *        └──────> CANCELLED ──> CANCELLED_AND_NOTIFIED
 *
 * (set_result and set_exception also take it from PENDING straight to FINISHED.) It promises:
 *
 *   - It is finished once: a second result or exception is refused, and the first one stays.
 *   - It can be cancelled until the work begins. What runs or is finished cannot be cancelled any more.
 *   - It is done when it is finished or cancelled. Whoever waits for that sleeps, and all of them are woken.
 *   - Each callback is called exactly once: when the future is done, in the order in which they were added, and with no
 *     lock of the future held. One that is added later is called at once, by who adds it.
 *   - Watchers are told when it is settled, which is the moment at which nobody has anything left to do with it.
 *
 * Exceptions. C has none, so an exception is a positive int, as a rule an errno value; what it means is between who
 * sets it and who asks. Where Python raises it again, future_result returns it.
 *
 * Ownership. A future is shared, and nobody knows who needs it longest, so it counts its references. future_create
 * gives the caller one. Whoever hands the future to somebody else takes one more for him (future_hold), and everybody
 * gives his own back (future_drop), once; the last one frees the future. Whoever calls a function holds a reference
 * until the call has returned. The future never looks behind a result or an argument, and never frees it.
 *
 * All calls may be made from any number of threads at the same time. Time-outs are microseconds by the monotonic clock:
 * negative waits for ever, 0 does not wait. A result that is there is handed out whatever the time-out.
 */
#ifndef FUTURE_H
#define FUTURE_H

#include <stdbool.h>
#include <stdint.h>

struct future;

enum future_state {
    FUTURE_PENDING,                /* nobody has begun */
    FUTURE_RUNNING,                /* somebody works on it */
    FUTURE_CANCELLED,              /* who waits for the result knows; who was to do the work does not yet */
    FUTURE_CANCELLED_AND_NOTIFIED, /* both know */
    FUTURE_FINISHED,               /* there is a result or an exception */
};

/* Makes a pending future and stores it in `*future`, with one reference, which is the caller's. Returns 0, or a
 * positive errno value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int future_create(struct future **future);

/* Takes one more reference and returns the same future. Does not block for long. */
struct future *future_hold(struct future *future);

/* Gives a reference back. The last one frees the future, whatever its state; callbacks that were not called by then
 * never are. NULL is fine. Does not block for long. */
void future_drop(struct future *future);

/* The state (Python: Future._state, cancelled(), running(), done()). cancelled is true in both cancelled states; done
 * where it is finished or cancelled. None of them blocks for long. */
enum future_state future_state(struct future *future);
bool future_cancelled(struct future *future);
bool future_running(struct future *future);
bool future_done(struct future *future);

/* ---- who does the work ------------------------------------------------------------------------------------------ */

/* To be called before the work begins: from now on it cannot be cancelled. Returns
 *   0          pending before, running now: do the work (Python: returns True)
 *   ECANCELED  it was cancelled, and now everybody knows: leave the work (Python: returns False)
 *   EALREADY   neither pending nor cancelled; nothing has changed (Python: RuntimeError, "unexpected state")
 * Does not block for long. */
int future_set_running_or_notify_cancel(struct future *future);

/* Finishes it: with a result, any pointer, NULL too; or with an exception, which is above 0. Wakes whoever waits, tells
 * the watchers, and calls the callbacks, each of which must have returned before this call returns. Returns 0, or with
 * nothing changed:
 *   EALREADY  it is finished or cancelled already (Python: InvalidStateError)
 *   EINVAL    the exception is not above 0 */
int future_set_result(struct future *future, void *result);
int future_set_exception(struct future *future, int exception);

/* ---- who wants the result --------------------------------------------------------------------------------------- */

/* Waits until it is done, at most `timeout_us`, and stores the result in `*result` (which may be NULL: nobody cares).
 * Returns 0, or with `*result` as it was:
 *   the exception  that it was finished with (Python: raises it)
 *   ECANCELED      it was cancelled, before or during the wait (Python: CancelledError)
 *   ETIMEDOUT      the time was over before it was done; with 0, at once (Python: TimeoutError)
 * (Where the exception could itself be ECANCELED or ETIMEDOUT, future_exception tells them apart.) */
int future_result(struct future *future, int64_t timeout_us, void **result);

/* Waits as future_result, and stores in `*exception` what it was finished with, 0 where that was a result (Python:
 * None). Returns 0, or ECANCELED or ETIMEDOUT as above, with `*exception` as it was. */
int future_exception(struct future *future, int64_t timeout_us, int *exception);

/* Cancels it where nobody has begun yet. The first time that wakes whoever waits and calls the callbacks, each of which
 * must have returned before this call returns. Returns
 *   0      it is cancelled, now or before (Python: returns True)
 *   EBUSY  it runs or is finished, and goes on as before (Python: returns False) */
int future_cancel(struct future *future);

/* Has callback(future, argument) called once, when the future is done: by the thread that finishes or cancels it, after
 * the callbacks that were added before. Where it is done already, by the calling thread, before this call returns, be
 * it from a callback. No lock is held meanwhile: a callback may call everything here, on this future too. The future
 * lives as long as the callback runs. One that is added twice is called twice. Adding one costs the same however many
 * there are. Returns 0, or ENOMEM, and then it is not added and was not called. */
int future_add_done_callback(struct future *future, void (*callback)(struct future *future, void *argument),
                             void *argument);

/* ---- watchers: what waiting for several is built from (Python: Future._waiters) ---------------------------------- */

/* Who wants to know that a future is settled: finished, or cancelled and notified. The memory is the watcher's owner's,
 * usually a part of a larger struct; so watching needs none, cannot fail for want of it, and leaves nothing behind. */
struct future_watcher {
    /* Called once, by the thread that settles the future, before anybody can see that it is settled and before the
     * callbacks. It is told how: the state; the exception, 0 where there is none; and whether the thread is going to
     * call callbacks now. The future's lock is held: so it must be quick, and call nothing here. Once
     * called, the watcher is its owner's again, `next` too: nobody looks into it afterwards. */
    void (*settled)(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks);
    struct future_watcher *next; /* the future's own while it watches; what it held before does not matter */
};

/* Watches it: `settled` is set by the caller, and the watcher stays where it is until it was told or is unwatched.
 * Watchers are told in the order in which they came. Returns 0, or EALREADY: it is settled, it does not watch, and
 * `settled` will not be called. Does not block for long. */
int future_watch(struct future *future, struct future_watcher *watcher);

/* Ends the watch, where it has not ended by itself. After this call `settled` is not called any more and does not run
 * any more: the watcher may be freed. A watcher that does not watch is fine. Does not block for long. */
void future_unwatch(struct future *future, struct future_watcher *watcher);

#endif
