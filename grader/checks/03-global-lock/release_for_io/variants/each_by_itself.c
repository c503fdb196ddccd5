/* release_for_io.c - another way: the lock is dropped and taken in each function, and what is read
 * comes into a piece that knows its size, which is copied to the end of the inbox with the lock held.
 *
 * Theory of operation: no threads and no lock of its own; between gil_drop and gil_take only the stack frame and the
 * piece are used, which nobody else knows.
 */
#include "release_for_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* region inbox */
struct piece {
    size_t size;
    unsigned char bytes[];
};

struct release_for_io_inbox {
    unsigned char *row; /* guarded by the global lock, as all below */
    size_t size, capacity, coming;
};

int release_for_io_inbox_create(struct release_for_io_inbox **inbox)
{
    struct release_for_io_inbox *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;
    *made = (struct release_for_io_inbox){NULL, 0, 0, 0};
    *inbox = made;
    return 0;
}

void release_for_io_inbox_destroy(struct release_for_io_inbox *inbox)
{
    if (inbox != NULL)
        free(inbox->row);
    free(inbox);
}

const unsigned char *release_for_io_inbox_bytes(const struct release_for_io_inbox *inbox)
{
    return inbox->row;
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

int release_for_io_sleep(struct gil_thread *thread, int64_t time_us)
{
    int saved = errno;

    if (!gil_is_held(thread))
        return EPERM;
    if (time_us < 0)
        return EINVAL;
    struct timespec left = {time_us / 1000000, time_us % 1000000 * 1000};
    gil_drop(thread);
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
    gil_take(thread);
    errno = saved;
    return 0;
}

int release_for_io_read(struct gil_thread *thread, int fd, void *buffer, size_t size, size_t *got)
{
    int saved = errno;

    if (gil_drop(thread) != 0)
        return EPERM;
    ssize_t count = read(fd, buffer, size);
    while (count == -1 && errno == EINTR)
        count = read(fd, buffer, size);
    int error = count == -1 ? errno : 0;
    gil_take(thread);
    if (error == 0)
        *got = (size_t)count;
    errno = saved;
    return error;
}

/* With the lock held: a row that is large enough for all that is there and all that may come. The old one is copied. */
static int widen(struct release_for_io_inbox *inbox, size_t size)
{
    if (size >= SIZE_MAX / 4 || inbox->size + inbox->coming >= SIZE_MAX / 4)
        return ENOMEM;
    size_t needed = inbox->size + inbox->coming + size + 1;
    if (needed > inbox->capacity) {
        unsigned char *row = malloc(needed + needed / 2);
        if (row == NULL)
            return ENOMEM;
        if (inbox->size > 0)
            memcpy(row, inbox->row, inbox->size);
        free(inbox->row);
        inbox->row = row;
        inbox->capacity = needed + needed / 2;
    }
    inbox->coming += size;
    return 0;
}

int release_for_io_receive(struct gil_thread *thread, struct release_for_io_inbox *inbox, int fd, size_t size,
                           size_t *got)
{
    if (!gil_is_held(thread))
        return EPERM;
    int saved = errno;
    int error = ENOMEM;
    struct piece *piece = size < SIZE_MAX / 4 ? calloc(1, sizeof *piece + size) : NULL;
    if (piece != NULL && widen(inbox, size) == 0) {
        error = release_for_io_read(thread, fd, piece->bytes, size, &piece->size);
        inbox->coming -= size;
        if (error == 0) {
            memmove(inbox->row + inbox->size, piece->bytes, piece->size);
            inbox->size += piece->size;
            *got = piece->size;
        }
    }
    free(piece);
    errno = saved;
    return error;
}
