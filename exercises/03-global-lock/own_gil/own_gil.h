/* own_gil.h - several interpreters in one process, each with a lock of its own: PEP 684.
 *
 *     import _interpreters                       # the module below concurrent.interpreters
 *     one = _interpreters.create()               # own globals, own interned strings, own GIL
 *     _interpreters.exec(one, "x = 1")           # no other interpreter has this x
 *
 * What the lock guards is what threads may share. Two threads can run at the same time only where they share nothing:
 * so each interpreter has its lock (gil.h, on which this is built), and everything that the lock guards. For CPython
 * the long part of the work was to find what was still common to all: counters, caches, buffers, each a `static`
 * variable somewhere. It promises:
 *
 *   - Threads inside the same interpreter take turns, by that interpreter's lock and interval.
 *   - Threads inside different interpreters never wait for each other, whatever they do, and wherever one of them
 *     stands. N interpreters use N cores.
 *   - Whatever is set, interned or reported in one interpreter is not to be seen in another.
 *
 * This interpreter has what is needed to see that: global variables by name, interned strings, the message of the last
 * error. Calls that take an own_gil_thread are made by the thread that entered with it, which so holds the
 * interpreter's lock. There is no limit to the number of interpreters, threads, names or strings.
 */
#ifndef OWN_GIL_H
#define OWN_GIL_H

#include "gil.h"

#include <stddef.h>
#include <stdint.h>

struct own_gil;        /* an interpreter */
struct own_gil_thread; /* a thread inside one */

/* Makes an interpreter without any variable or string, with a lock of its own, and stores it in `*interpreter`. It
 * belongs to the caller, who ends it with own_gil_destroy. Any thread. Returns 0, or a positive errno value, and then
 * nothing was made and nothing is kept:
 *   ENOMEM  there is no memory
 *   other   what gil_create returned */
int own_gil_create(struct own_gil **interpreter);

/* Ends an interpreter, with all that belongs to it. Any thread that is not inside; nobody may be entering it. Returns
 * 0, or EBUSY while a thread is inside, and then nothing has changed (Python: InterpreterError, "interpreter running").
 * NULL is fine. */
int own_gil_destroy(struct own_gil *interpreter);

/* Enters an interpreter: takes its lock, blocks until it has it, and stores the calling thread's side in `*thread`,
 * which own_gil_leave ends. A thread may be inside several interpreters, once each. Returns 0; or ENOMEM, and then it
 * is not inside and nothing is kept. */
int own_gil_enter(struct own_gil *interpreter, struct own_gil_thread **thread);

/* Leaves it: drops the lock, as gil_drop does, and ends `thread`. */
void own_gil_leave(struct own_gil_thread *thread);

/* Lets the interpreter's other threads run where they have asked for it, as gil_checkpoint does. */
void own_gil_checkpoint(struct own_gil_thread *thread);

/* The interval of the interpreter's lock, as in gil.h. Any thread; does not block. set: 0, or EINVAL. */
int own_gil_set_interval(struct own_gil *interpreter, int64_t interval_us);
int64_t own_gil_interval(struct own_gil *interpreter);

/* Sets the global variable `name`, which is made where there is none. The name is copied. Returns 0, or ENOMEM, and
 * then nothing has changed. */
int own_gil_set(struct own_gil_thread *thread, const char *name, int64_t value);

/* Stores the value of a global variable in `*value`. Returns 0, or ENOENT where it was never set, and then `*value` is
 * as it was and the thread's error is "name 'NAME' is not defined" (Python: NameError). Needs no memory. */
int own_gil_get(struct own_gil_thread *thread, const char *name, int64_t *value);

/* The message of the last error that `thread` has met, "" where it met none; a name in it is cut off where the message
 * would have more than OWN_GIL_ERROR_MAX bytes. It stays as it is until the thread meets another error or leaves,
 * whatever others do. */
enum { OWN_GIL_ERROR_MAX = 127 };
const char *own_gil_error(const struct own_gil_thread *thread);

/* The interpreter's one copy of this text (Python: sys.intern): the same pointer for the same text each time, another
 * one in each interpreter. It belongs to the interpreter and lasts as long. NULL where there is no memory. */
const char *own_gil_intern(struct own_gil_thread *thread, const char *text);

/* How many different texts the interpreter has interned. */
size_t own_gil_interned(const struct own_gil_thread *thread);

#endif
