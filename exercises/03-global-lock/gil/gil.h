/* gil.h - the lock that lets one thread at a time run Python: the GIL, taken and dropped as CPython does.
 *
 *     sys.setswitchinterval(0.005)     # after so many seconds a thread that waits may ask for the lock
 *     sys.getswitchinterval()
 *
 * A thread that computes would hold a plain lock for ever, and one that lets go of it every few microseconds would
 * mostly get it back at once, since the others are still waking up. So this lock has two rules that a mutex has not. It
 * promises:
 *
 *   - One holder at a time. Who finds the lock held waits asleep, and is woken when it is dropped.
 *   - Who has waited for one interval asks the holder to drop it: that sets the holder's *drop request*. But only if no
 *     switch happened meanwhile: if the lock went to another thread during the wait, that one has just begun, and the
 *     waiter waits for a whole interval again. An interval is a time-out of a wait, measured by the monotonic clock.
 *     Who has asked goes on waiting, an interval at a time: the next holder may be somebody else again, and has to be
 *     asked, too.
 *   - A holder that drops the lock while its drop request is set waits asleep, in gil_drop, until another thread has
 *     taken the lock (*forced switching*). However slowly that one wakes up, who has just let go does not overtake it.
 *     A holder that drops the lock unasked does not wait.
 *   - A drop request is for one holder and one hold: it ends when he drops the lock.
 *   - Which of several waiters gets the lock is not promised. But a lock that is free while somebody waits goes to
 *     somebody, and who comes and finds it free takes it, also before those who were woken and have not come yet.
 *
 * It is built from one mutex, held for a moment only, and conditions; waiting for an interval is a
 * pthread_cond_timedwait. Whether the lock is held is a field of its own, guarded by the mutex: `locked` in CPython,
 * beside `last_holder`, who had it last, and `switch_number`, how often it went from one thread to another.
 */
#ifndef GIL_H
#define GIL_H

#include <stdbool.h>
#include <stdint.h>

struct gil;

/* One thread's side of a lock; in CPython this is a part of the PyThreadState. Each thread that is to take the lock
 * makes one, and only one thread at a time uses it. */
struct gil_thread;

/* The interval of a new lock: 5 ms, as in Python. */
enum { GIL_INTERVAL_US = 5000 };

/* Makes a lock that nobody holds, whose interval is GIL_INTERVAL_US, and stores it in `*gil`. It belongs to the caller,
 * who ends it with gil_destroy. Returns 0, or a positive errno value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory
 *   other   what the pthread function returned that failed */
int gil_create(struct gil **gil);

/* Ends a lock that nobody holds or waits for, after all of its gil_threads. NULL is fine. */
void gil_destroy(struct gil *gil);

/* Sets the interval, in microseconds; time-outs that begin from now on go by it, also the next one of a thread that
 * waits already. Any thread, at any time; does not block. Returns 0, or EINVAL where `interval_us` is 0 or less, and
 * then nothing has changed (Python: ValueError, "switch interval must be strictly positive"). */
int gil_set_interval(struct gil *gil, int64_t interval_us);

/* The interval in microseconds. Any thread, at any time; does not block. */
int64_t gil_interval(struct gil *gil);

/* How often the lock has been taken by another gil_thread than the one that had it last; the first time counts. Who
 * takes it again after himself makes no switch. A new gil_thread is another one, even where it lies at the address of
 * one that has ended. Any thread, at any time; does not block. */
uint64_t gil_switches(struct gil *gil);

/* Makes a thread's side of the lock and stores it in `*thread`; the lock must outlast it. It belongs to the caller, who
 * ends it with gil_thread_destroy. Any thread may make it. Returns 0 or ENOMEM. */
int gil_thread_create(struct gil *gil, struct gil_thread **thread);

/* Ends one that does not hold the lock and does not wait for it. NULL is fine. */
void gil_thread_destroy(struct gil_thread *thread);

/* Takes the lock; blocks until it has it, however long that takes. errno stays as it was. Returns 0, or EDEADLK where
 * `thread` holds it already (CPython ends the process then). */
int gil_take(struct gil_thread *thread);

/* Drops the lock and wakes somebody who waits. Where the drop request was set, blocks until another thread has taken
 * the lock; otherwise does not block. errno stays as it was. Returns 0, or EPERM, and then nothing has changed:
 * `thread` does not hold it, be it that another one does or that nobody does (CPython: fatal error, "GIL is not
 * locked"). */
int gil_drop(struct gil_thread *thread);

/* Whether `thread` holds the lock (Python: PyGILState_Check). Does not block. */
bool gil_is_held(struct gil_thread *thread);

/* Whether `thread` holds the lock and somebody has asked it to drop it. A thread that computes asks this very often, so
 * it has to be quick: it takes no mutex. */
bool gil_drop_requested(struct gil_thread *thread);

/* What a thread calls that holds the lock and computes on and on: where the drop request is set, drops the lock and
 * takes it again, so that another thread runs in between; otherwise does nothing. errno stays as it was. Returns 0,
 * holding the lock, or EPERM where `thread` does not hold it. */
int gil_checkpoint(struct gil_thread *thread);

#endif
