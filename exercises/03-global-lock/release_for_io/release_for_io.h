/* release_for_io.h - letting go of the global lock while a thread waits for the world outside.
 *
 *     threads = [threading.Thread(target=time.sleep, args=(1,)) for _ in range(100)]
 *     # started and joined: one second for all hundred, since who sleeps does not hold the GIL
 *
 * Around each call that may block, CPython drops the lock and takes it again: Py_BEGIN_ALLOW_THREADS and
 * Py_END_ALLOW_THREADS. In between the thread is one of many and may touch nothing that the lock guards. Built on the
 * lock of gil.h. The calls below promise:
 *
 *   - The lock is held by the caller before and after, on every way out, and not while it blocks: N threads that wait
 *     take the time of one, and others run meanwhile.
 *   - What the lock guards is used with the lock held, never in between. Since it may guard `*result` and `*got`, they
 *     are stored once the lock is held again.
 *   - An error is the one of the call that failed, whatever happens while the lock is taken again. errno stays as it
 *     was, also where there was no memory; only release_for_io_call leaves in it what `blocking` left.
 *   - A signal that interrupts the call does not end it: it goes on for what is left (Python: PEP 475).
 *
 * Each `thread` is the calling thread's own (gil.h) and must hold its lock: a call returns EPERM otherwise, before it
 * does anything else.
 */
#ifndef RELEASE_FOR_IO_H
#define RELEASE_FOR_IO_H

#include "gil.h"

#include <stddef.h>
#include <stdint.h>

/* Calls `blocking(argument)` without the lock, and stores what it returned in `*result`. `blocking` may touch nothing
 * that the lock guards. What it leaves in errno is there afterwards. Returns 0 or EPERM. */
int release_for_io_call(struct gil_thread *thread, int (*blocking)(void *argument), void *argument, int *result);

/* Sleeps at least `time_us` microseconds by the monotonic clock, without the lock; 0 lets go and takes it again.
 * Returns 0, EPERM, or EINVAL where `time_us` is below 0 (Python: ValueError, "sleep length must be non-negative"), and
 * then the lock was not dropped. */
int release_for_io_sleep(struct gil_thread *thread, int64_t time_us);

/* Reads once from `fd`, as os.read does: blocks until there is something, and stores at most `size` bytes in `buffer`
 * and their number in `*got`; 0 where the other end was closed. It does not wait for all `size` bytes. `buffer` is the
 * caller's alone, not guarded by the lock. The lock is dropped even where something is there already: only the read
 * itself can tell. Returns 0, EPERM, or what read() failed with (Python: OSError), and then `*got` is as it was. */
int release_for_io_read(struct gil_thread *thread, int fd, void *buffer, size_t size, size_t *got);

/* Bytes that have come from anywhere, in the order in which they came: what a bytearray is in Python. It has no lock of
 * its own: the global lock guards it. So any number of threads may use it, each while it holds that lock. */
struct release_for_io_inbox;

/* Makes an empty one, which belongs to the caller. Returns 0 or ENOMEM. Needs no lock. */
int release_for_io_inbox_create(struct release_for_io_inbox **inbox);

/* Ends one that nobody uses. NULL is fine. Needs no lock. */
void release_for_io_inbox_destroy(struct release_for_io_inbox *inbox);

/* What is in it, and how many bytes that are. The bytes stay where they are until the lock is dropped. With the lock
 * held. */
const unsigned char *release_for_io_inbox_bytes(const struct release_for_io_inbox *inbox);
size_t release_for_io_inbox_size(const struct release_for_io_inbox *inbox);

/* Reads once from `fd`, at most `size` bytes, and appends what came to the inbox. While it blocks, without the lock,
 * other threads may append to the same inbox, which may move its bytes elsewhere; what one call reads stays together.
 * Stores the number of bytes in `*got`; 0 where the other end was closed. Returns 0, EPERM, what read() failed with, or
 * ENOMEM; then the inbox and `*got` are as they were. Memory for all `size` bytes is found before the read: where there
 * is not so much, the call is ENOMEM and reads nothing. What was read is never lost. */
int release_for_io_receive(struct gil_thread *thread, struct release_for_io_inbox *inbox, int fd, size_t size,
                           size_t *got);

#endif
