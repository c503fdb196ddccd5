/* thread_object.h - Python's threading.Thread, as an object in C.
 *
 * In Python:
 *
 *     thread = threading.Thread(target=work, args=(argument,), name="worker")
 *     thread.start()                 # once; a second time is a RuntimeError
 *     thread.is_alive()              # True until work has returned
 *     thread.join(timeout=0.5)       # waits, at most so long
 *     thread.join()                  # waits; as often as you like
 *
 * A thread object is in one of three states, in this order: initial, started, stopped. A call returns 0, or a positive
 * errno value; next to each stands the Python error that it is.
 *
 * Who calls what: thread_object_create, then start, then join as often as you like, at last destroy, once. Everything
 * but destroy may be called from any thread at any time, also while others are calling, and from inside the target. A
 * thread object that is passed in must be one that thread_object_create made and that was not destroyed.
 */
#ifndef THREAD_OBJECT_H
#define THREAD_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread_object;

enum thread_object_state {
    THREAD_OBJECT_INITIAL, /* created, never started */
    THREAD_OBJECT_STARTED, /* from the success of start until the target has returned: alive */
    THREAD_OBJECT_STOPPED, /* the target has returned */
};

/* Makes a thread object in the state initial and stores it in `*thread`; nothing runs yet. The caller owns it and owes
 * it one thread_object_destroy().
 *
 * Once started it calls target(argument), which ends by returning, never with pthread_exit(); a target of NULL does
 * nothing, as in Python. `argument` is handed on and otherwise left alone. `name` is copied and may be of any length;
 * where it is NULL or "", the name is "Thread-1" for the first such object of the process, "Thread-2" for the second,
 * and so on; a number is never used again, and a call that fails may use one up. The object is a daemon if it is
 * created by a thread that was itself started through a thread object that is a daemon; otherwise it is none. Who
 * starts it makes no difference to that.
 *
 * Returns 0, or, with `*thread` left as it was and nothing kept:
 *   EINVAL  `thread` is NULL
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what pthread_mutex_init or pthread_cond_init returned
 *
 * Does not block. */
int thread_object_create(struct thread_object **thread, void (*target)(void *argument), void *argument,
                         const char *name);

/* Starts the thread and returns without waiting for it: from now on it is alive.
 *
 * Returns 0, or:
 *   EALREADY  it was started before, whatever became of it (Python: RuntimeError, "threads can only be started once").
 *             Of two threads that start it at the same time one gets 0 and the other this; the target is called once.
 *   EAGAIN    the system has no thread to give (Python: RuntimeError, "can't start new thread"), or whatever else
 *             pthread_create returned. The object is still initial, and a later start may succeed.
 *
 * Blocks no longer than another start of the same object takes. */
int thread_object_start(struct thread_object *thread);

/* Waits until the target has returned, at most `timeout_us` microseconds by the monotonic clock; a negative time-out
 * waits for ever, 0 does not wait. When it has returned 0, whatever the target wrote is there to read. May be called
 * again, and by several threads at the same time: each of them gets 0. Where the target has returned, it may also wait
 * until its thread is quite over, destructors of keys included.
 *
 * Returns 0, or:
 *   ETIMEDOUT  the time is up, and not a moment before, and the target has not returned (Python: join returns None
 *              all the same, and is_alive tells)
 *   EINVAL     it was not started yet (Python: RuntimeError, "cannot join thread before it is started")
 *   EDEADLK    it was called by this very thread, which would wait for itself, whatever the time-out
 *              (Python: RuntimeError, "cannot join current thread")
 *
 * Blocks, asleep, as long as said. Others may use the object meanwhile. */
int thread_object_join(struct thread_object *thread, int64_t timeout_us);

/* True from the success of start until the target has returned; that nobody has joined the thread yet makes no
 * difference. Does not block for long. */
bool thread_object_is_alive(struct thread_object *thread);

/* The state; Python shows it in repr(thread). Does not block for long. */
enum thread_object_state thread_object_state(struct thread_object *thread);

/* Copies the name, with its '\0', to `buffer`, which has room for `size` bytes.
 * Returns 0, or, with `buffer` left as it was: EINVAL where `buffer` is NULL, ERANGE where the name does not fit.
 * Does not block for long. */
int thread_object_name(struct thread_object *thread, char *buffer, size_t size);

/* Gives it another name, at any time; the name is copied, may be empty and of any length.
 * Returns 0, or, with the name left as it was: EINVAL where `name` is NULL, ENOMEM where there is no memory.
 * Does not block for long. */
int thread_object_set_name(struct thread_object *thread, const char *name);

/* Whether it is a daemon: one whose end nobody waits for. Does not block for long. */
bool thread_object_daemon(struct thread_object *thread);

/* Makes it a daemon, or none, before it is started.
 * Returns 0, or EALREADY where it was started before (Python: RuntimeError, "cannot set daemon status of active
 * thread"), and then nothing changes. Does not block for long. */
int thread_object_set_daemon(struct thread_object *thread, bool daemon);

/* Ends the object's life, whatever its state. Nobody may use it, or be in a call on it, from now on. NULL is nothing.
 *
 * Initial or stopped: releases all of it, the ended thread too, whether it was ever joined or not.
 * Started, and not a daemon: waits until the target has returned, as the end of a Python program waits for its threads,
 * and then releases it. So the target must not destroy its own object. Started, and a daemon: does not wait. The target
 * goes on, and what belongs to the object is released when the target has returned (or with the process, if that ends
 * first). The target of a daemon may destroy its own object. */
void thread_object_destroy(struct thread_object *thread);

#endif
