/* timer.h - a function that is called later, unless somebody says no: Python's threading.Timer.
 *
 *     timer = threading.Timer(30.0, give_up)
 *     timer.start()
 *     ...
 *     timer.cancel()                   # it has worked: give_up will not be called
 *
 * A timer is a thread that waits for a while and then calls a function, once. It promises:
 *
 *   - The function is called once, in the timer's own thread, and not before its time.
 *   - cancel says whether it came in time. 0: the function has not been called, and never will be. EALREADY: too late,
 *     the function has been called, or is being called now. Nothing lies between.
 *   - A cancel wakes the timer's thread, which ends at once instead of sleeping on.
 *   - While the function runs, no lock of the timer is held: the function may call everything here but timer_destroy.
 *
 * All calls but new and destroy may be made from any number of threads at the same time. (The name timer_create is
 * taken: POSIX has one in <time.h>, for another kind of timer.)
 */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer;

/* Makes a timer that will call function(argument) `interval_us` microseconds after it was started, by the monotonic
 * clock; at once where that is 0 or less. Stores it in `*timer`; it belongs to the caller, who ends it with
 * timer_destroy. Nothing runs yet. Returns 0, or a positive errno value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int timer_new(struct timer **timer, int64_t interval_us, void (*function)(void *argument), void *argument);

/* Starts it. The time counts from now, or from when its thread begins to run, a moment later, as in Python. One that
 * was cancelled before may be started, and then ends without a call. Does not wait. Returns 0, or:
 *   EALREADY  it was started before (Python: RuntimeError, "threads can only be started once"). Of two threads that
 *             start it at the same time one gets 0 and the other this.
 *   other     what pthread_create returned (EAGAIN: the system has no thread to give; Python: RuntimeError, "can't
 *             start new thread"). It is as it was before, and a later start may succeed. */
int timer_start(struct timer *timer);

/* Stops it, started or not. Does not wait for anything. May be called again, with the same answer. Returns 0 where the
 * function was not called and will not be, else
 *   EALREADY  it is too late: the function has been called, or is being called (Python says nothing) */
int timer_cancel(struct timer *timer);

/* Waits until the timer's thread is done: the function has returned, or it was cancelled. A negative timeout_us waits
 * for ever, 0 does not wait, above that it is at most so many microseconds, by the monotonic clock. May be called
 * again, and by several threads. When it has returned 0, whatever the function wrote is there to read. Returns 0, or:
 *   ETIMEDOUT  the time was over first (Python: returns None all the same, and is_alive tells)
 *   EINVAL     it was not started yet (Python: RuntimeError, "cannot join thread before it is started")
 *   EDEADLK    called by the timer's own thread, whatever the time-out (Python: RuntimeError, "cannot join current
 *              thread") */
int timer_join(struct timer *timer, int64_t timeout_us);

/* True from the success of start until the function has returned, or, where it was cancelled, until the thread has seen
 * that. Does not block. */
bool timer_is_alive(struct timer *timer);

/* Ends it: cancels it where it is not too late for that, waits for the function where it is being called, and gives
 * back all that it holds, the thread too. Nobody may use it from now on. Not to be called by the function. NULL is
 * fine. */
void timer_destroy(struct timer *timer);

#endif
