/* release_for_io.c - letting go of the global lock while a thread waits for the world outside.
 *
 * Theory of operation: no threads and no lock of its own. All blocking goes through release_for_io_call, which is the
 * one place where the lock is dropped and taken again; so it is held on every way out. What runs in between sees only a
 * struct in the caller's stack frame, and memory that nobody else knows.
 *
 * The inbox is guarded by the global lock. A thread that is about to read into it first *reserves* room: the inbox
 * always has space for all that is in it and all that is still to come. So what was read can always be kept, although
 * others may have filled the inbox, and moved it, meanwhile. The read itself goes to memory of the thread's own.
 */
#include "release_for_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* region inbox */
/* Where the bytes are, and how many. What must be known of those who are reading at the moment? */
struct release_for_io_inbox {
    unsigned char *bytes; /* guarded by the global lock, as all below */
    size_t size;
};

int release_for_io_inbox_create(struct release_for_io_inbox **inbox)
{
    *inbox = calloc(1, sizeof **inbox);
    return *inbox == NULL ? ENOMEM : 0;
}

void release_for_io_inbox_destroy(struct release_for_io_inbox *inbox)
{
    if (inbox == NULL)
        return;
    free(inbox->bytes);
    free(inbox);
}

const unsigned char *release_for_io_inbox_bytes(const struct release_for_io_inbox *inbox)
{
    return inbox->bytes;
}

size_t release_for_io_inbox_size(const struct release_for_io_inbox *inbox)
{
    return inbox->size;
}
/* end inbox */

/* region call */
/* The one place where the lock is dropped and taken again. */
int release_for_io_call(struct gil_thread *thread, int (*blocking)(void *argument), void *argument, int *result)
{
    (void)thread;
    (void)blocking;
    (void)argument;
    (void)result;
    return ENOSYS;
}
/* end call */

/* region sleep */
/* A signal may interrupt the sleep. */
int release_for_io_sleep(struct gil_thread *thread, int64_t time_us)
{
    (void)thread;
    (void)time_us;
    return ENOSYS;
}
/* end sleep */

/* region read */
/* A signal may interrupt the read. */
int release_for_io_read(struct gil_thread *thread, int fd, void *buffer, size_t size, size_t *got)
{
    (void)thread;
    (void)fd;
    (void)buffer;
    (void)size;
    (void)got;
    return ENOSYS;
}
/* end read */

/* region reserve */
/* A place for a helper: room for what is still to come. */
/* end reserve */

/* region receive */
/* What may be touched while the lock is somebody else's? And where do the bytes lie afterwards? */
int release_for_io_receive(struct gil_thread *thread, struct release_for_io_inbox *inbox, int fd, size_t size,
                           size_t *got)
{
    (void)thread;
    (void)inbox;
    (void)fd;
    (void)size;
    (void)got;
    return ENOSYS;
}
/* end receive */
