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
struct release_for_io_inbox {
    unsigned char *bytes; /* guarded by the global lock, as all below */
    size_t size;          /* bytes in it */
    size_t reserved;      /* bytes that calls in progress may still bring */
    size_t capacity;      /* never less than size + reserved */
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
int release_for_io_call(struct gil_thread *thread, int (*blocking)(void *argument), void *argument, int *result)
{
    int error = gil_drop(thread);
    if (error != 0)
        return error;

    int got = blocking(argument);
    gil_take(thread); /* keeps errno */
    *result = got;
    return 0;
}
/* end call */

/* region sleep */
/* Sleeps until a moment: what a signal interrupts is begun again, and does not get longer by that. */
static int sleep_until(void *argument)
{
    const struct timespec *until = argument;
    int error;

    do
        error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until, NULL);
    while (error == EINTR);
    return error;
}

int release_for_io_sleep(struct gil_thread *thread, int64_t time_us)
{
    struct timespec until;
    int slept = 0;

    if (!gil_is_held(thread))
        return EPERM;
    if (time_us < 0)
        return EINVAL;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += time_us / 1000000;
    until.tv_nsec += time_us % 1000000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    int error = release_for_io_call(thread, sleep_until, &until, &slept);
    return error != 0 ? error : slept;
}
/* end sleep */

/* region read */
/* One read, in terms that need no lock. */
struct reading {
    int fd;
    void *buffer;
    size_t size;
    size_t got;
};

/* Returns 0 or what read() failed with. */
static int read_once(void *argument)
{
    struct reading *reading = argument;
    ssize_t got;

    do
        got = read(reading->fd, reading->buffer, reading->size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno;
    reading->got = (size_t)got;
    return 0;
}

int release_for_io_read(struct gil_thread *thread, int fd, void *buffer, size_t size, size_t *got)
{
    struct reading reading = {fd, buffer, size, 0};
    int saved = errno, failed = 0;
    int error = release_for_io_call(thread, read_once, &reading, &failed);

    errno = saved;
    if (error == 0)
        error = failed;
    if (error == 0)
        *got = reading.got;
    return error;
}
/* end read */

/* region reserve */
/* With the lock held: makes sure that `size` more bytes will fit, whatever others bring meanwhile. */
static int reserve(struct release_for_io_inbox *inbox, size_t size)
{
    size_t promised = inbox->size + inbox->reserved;

    if (size > SIZE_MAX / 2 - promised)
        return ENOMEM;
    if (promised + size > inbox->capacity) {
        size_t capacity = 2 * (promised + size);
        unsigned char *bytes = realloc(inbox->bytes, capacity);
        if (bytes == NULL)
            return ENOMEM;
        inbox->bytes = bytes;
        inbox->capacity = capacity;
    }
    inbox->reserved += size;
    return 0;
}
/* end reserve */

/* region receive */
int release_for_io_receive(struct gil_thread *thread, struct release_for_io_inbox *inbox, int fd, size_t size,
                           size_t *got)
{
    int saved = errno;

    if (!gil_is_held(thread))
        return EPERM;
    int error = ENOMEM;
    unsigned char *own = malloc(size > 0 ? size : 1); /* before the inbox is touched: then it may fail */
    if (own == NULL)
        goto no_memory;
    error = reserve(inbox, size);
    if (error != 0)
        goto no_room;

    size_t came = 0;
    error = release_for_io_read(thread, fd, own, size, &came);
    if (error == 0) {
        if (came > 0)
            memcpy(inbox->bytes + inbox->size, own, came); /* where it lies now, and how full it is now */
        inbox->size += came;
        *got = came;
    }
    inbox->reserved -= size;
no_room:
    free(own);
no_memory:
    errno = saved;
    return error;
}
/* end receive */
