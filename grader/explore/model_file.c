/* model_file.c - pipes and eventfd, and whoever waits for them: read, write, close, poll, select, fcntl. See model.h.
 *
 * Descriptors are numbers of our own from 3 on, the lowest free one first; 0 to 2 are the process's. A pipe holds
 * 64 KiB; what is written in one call is written whole where it is not above PIPE_BUF. What was written before is seen
 * by whoever reads it, as with any lock. Descriptors of files, sockets and the standard input are not modelled; streams
 * on files are (model_stream.c).
 */
#include "model.h"

#include "heap.h"
#include "record.h"
#include "shadow.h"
#include "sync_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

enum { FILES_MAX = 256, PIPES_MAX = 64, PIPE_SIZE = 64 << 10, FIRST = 3 };

enum file_kind { FILE_FREE, FILE_READ_END, FILE_WRITE_END, FILE_EVENT };

struct pipe {
    char *bytes;    /* of the program's arena: pointers in it are reachable */
    size_t from, n; /* the first one that is there, and how many */
    unsigned readers, writers;
};

struct file {
    enum file_kind kind;
    bool nonblocking, close_on_exec;
    bool counts_down;  /* eventfd: EFD_SEMAPHORE */
    struct pipe *pipe; /* of an end, or NULL */
    uint64_t count;    /* of an eventfd */
};

static struct {
    struct file files[FILES_MAX];
    unsigned files_n, pipes_n; /* in this run */
    struct pipe pipes[PIPES_MAX];
} model;

void model_file_reset(void)
{
    model.files_n = model.pipes_n = 0;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static struct file *file_of(int number)
{
    if (number < FIRST || (unsigned)(number - FIRST) >= model.files_n)
        return NULL;
    struct file *file = &model.files[number - FIRST];
    return file->kind == FILE_FREE ? NULL : file;
}

static int file_new(struct file file)
{
    unsigned at = 0;
    while (at < model.files_n && model.files[at].kind != FILE_FREE)
        at++;
    if (at >= FILES_MAX)
        return fail(EMFILE);
    if (at == model.files_n)
        model.files_n++;
    model.files[at] = file;
    return FIRST + (int)at;
}

/* What stands for it in the partial order: both ends of a pipe are one. */
static struct sync *object_of(const struct file *file)
{
    return sync_use(file->kind == FILE_EVENT ? (const void *)file : file->pipe, SYNC_ATOMIC);
}

/* ---- pipes ------------------------------------------------------------------------------------------------------- */

int il_pipe2(int ends[2], int flags)
{
    IL_ENTER();
    if (flags & ~(O_NONBLOCK | O_CLOEXEC))
        return fail(EINVAL);
    if (model.pipes_n >= PIPES_MAX)
        return fail(EMFILE);
    struct pipe *pipe = &model.pipes[model.pipes_n];
    struct file file = {.pipe = pipe, .nonblocking = flags & O_NONBLOCK, .close_on_exec = flags & O_CLOEXEC};
    *pipe = (struct pipe){.bytes = heap_take_hidden(PIPE_SIZE, 16), .readers = 1, .writers = 1};
    if (!pipe->bytes)
        return fail(ENFILE);
    file.kind = FILE_READ_END;
    int reads = file_new(file);
    file.kind = FILE_WRITE_END;
    int writes = reads < 0 ? -1 : file_new(file);
    if (writes < 0) {
        if (reads >= FIRST)
            model.files[reads - FIRST].kind = FILE_FREE;
        return fail(EMFILE);
    }
    model.pipes_n++;
    shadow_access(ends, 2 * sizeof *ends, true, false);
    ends[0] = reads;
    ends[1] = writes;
    return 0;
}

int il_pipe(int ends[2])
{
    IL_ENTER();
    return il_pipe2(ends, 0);
}

static bool can_read(const struct pipe *pipe)
{
    return pipe->n > 0 || pipe->writers == 0;
}

static bool can_write(const struct pipe *pipe, size_t size)
{
    return pipe->readers == 0 || PIPE_SIZE - pipe->n >= size;
}

static bool read_granted(const struct wish *wish)
{
    return can_read(wish->on->address);
}

static bool write_granted(const struct wish *wish)
{
    return can_write(wish->on->address, wish->whom);
}

/* Its turn: where `granted` says yes, or at once where the descriptor does not wait. A call that would wait: false. */
static bool turn(const struct file *file, bool (*granted)(const struct wish *), uint64_t whom, const char *waits)
{
    struct sync *on = object_of(file);
    struct wish wish = {
        .kind = WISH_UNTIL, .on = on, .whom = whom, .deadline_ns = NO_DEADLINE, .can = granted, .waits = waits};
    if (!file->nonblocking) {
        model_wait(wish);
        return true;
    }
    model_cancel_here();
    il_wish_look(on->address);
    if (granted(&wish))
        return true;
    il_event(on, false, 1);
    il_looked(on->address, 0);
    record_note("would have to wait for the pipe", NULL, -1);
    return false;
}

static void take(struct pipe *pipe, char *to, size_t n)
{
    size_t first = PIPE_SIZE - pipe->from < n ? PIPE_SIZE - pipe->from : n;
    memcpy(to, pipe->bytes + pipe->from, first);
    memcpy(to + first, pipe->bytes, n - first);
    pipe->from = (pipe->from + n) % PIPE_SIZE;
    pipe->n -= n;
}

static void put(struct pipe *pipe, const char *from, size_t n)
{
    size_t at = (pipe->from + pipe->n) % PIPE_SIZE, first = PIPE_SIZE - at < n ? PIPE_SIZE - at : n;
    memcpy(pipe->bytes + at, from, first);
    memcpy(pipe->bytes, from + first, n - first);
    pipe->n += n;
}

static ssize_t pipe_read(const struct file *file, void *to, size_t size)
{
    struct pipe *pipe = file->pipe;
    struct sync *on = object_of(file);
    if (!turn(file, read_granted, 0, "waits for a pipe that is empty"))
        return fail(EAGAIN);
    size_t n = pipe->n < size ? pipe->n : size;
    il_acquire(on);
    il_event(on, n > 0, 2);
    record_note(n ? "reads from the pipe" : "finds the pipe at its end", NULL, -1);
    shadow_access(to, n, true, false);
    take(pipe, to, n);
    return (ssize_t)n;
}

static int broken(void)
{
    if (!model_signal_ignored(SIGPIPE))
        il_found(FIND_CRASH, NULL, "%s writes to a pipe that nobody reads any more: SIGPIPE ends the program",
                 il_name(il.current));
    return fail(EPIPE);
}

/* One piece: as much as there is room for, or what must be whole. */
static ssize_t piece_write(const struct file *file, const char *from, size_t size)
{
    struct pipe *pipe = file->pipe;
    size_t needs = size <= PIPE_BUF ? size : 1;
    if (!turn(file, write_granted, needs, "waits for a pipe that is full"))
        return fail(EAGAIN);
    if (pipe->readers == 0)
        return broken();
    size_t n = PIPE_SIZE - pipe->n < size ? PIPE_SIZE - pipe->n : size;
    shadow_access(from, n, false, false);
    put(pipe, from, n);
    il_event(object_of(file), true, 3);
    il_release(object_of(file));
    record_note("writes to the pipe", NULL, -1);
    return (ssize_t)n;
}

static ssize_t pipe_write(const struct file *file, const char *from, size_t size)
{
    ssize_t done = piece_write(file, from, size);
    while (done >= 0 && (size_t)done < size && !file->nonblocking) {
        ssize_t more = piece_write(file, from + done, size - (size_t)done);
        if (more < 0)
            return done;
        done += more;
    }
    return done;
}

/* ---- eventfd ----------------------------------------------------------------------------------------------------- */

int il_eventfd(unsigned count, int flags)
{
    IL_ENTER();
    if (flags & ~(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC))
        return fail(EINVAL);
    return file_new((struct file){.kind = FILE_EVENT,
                                  .nonblocking = flags & EFD_NONBLOCK,
                                  .close_on_exec = flags & EFD_CLOEXEC,
                                  .counts_down = flags & EFD_SEMAPHORE,
                                  .count = count});
}

static bool count_granted(const struct wish *wish)
{
    return ((const struct file *)wish->on->address)->count > 0;
}

static bool room_granted(const struct wish *wish)
{
    return ((const struct file *)wish->on->address)->count <= UINT64_MAX - 1 - wish->whom;
}

static ssize_t event_read(struct file *file, void *to, size_t size)
{
    if (size < sizeof(uint64_t))
        return fail(EINVAL);
    if (!turn(file, count_granted, 0, "waits for an eventfd that is 0"))
        return fail(EAGAIN);
    uint64_t value = file->counts_down ? 1 : file->count;
    file->count -= value;
    il_acquire(object_of(file));
    il_event(object_of(file), true, 2);
    record_note("reads from the eventfd", NULL, -1);
    shadow_access(to, sizeof value, true, false);
    memcpy(to, &value, sizeof value);
    return sizeof value;
}

static ssize_t event_write(struct file *file, const void *from, size_t size)
{
    uint64_t value;
    if (size < sizeof value)
        return fail(EINVAL);
    shadow_access(from, sizeof value, false, false);
    memcpy(&value, from, sizeof value);
    if (value == UINT64_MAX)
        return fail(EINVAL);
    if (!turn(file, room_granted, value, "waits for an eventfd that is full"))
        return fail(EAGAIN);
    file->count += value;
    il_event(object_of(file), true, 3);
    il_release(object_of(file));
    record_note("adds to the eventfd", NULL, -1);
    return sizeof value;
}

/* ---- either ------------------------------------------------------------------------------------------------------ */

ssize_t il_read(int number, void *to, size_t size)
{
    IL_ENTER();
    struct file *file = file_of(number);
    if (number == STDIN_FILENO)
        il_found(FIND_CANNOT, NULL, "the program reads its standard input, which the explorer cannot model");
    if (!file || file->kind == FILE_WRITE_END)
        return fail(EBADF);
    if (file->kind == FILE_EVENT)
        return event_read(file, to, size);
    return size ? pipe_read(file, to, size) : 0;
}

ssize_t il_write(int number, const void *from, size_t size)
{
    IL_ENTER();
    if (number == STDOUT_FILENO || number == STDERR_FILENO) {
        model_cancel_point();
        shadow_access(from, size, false, false);
        return write(number, from, size);
    }
    struct file *file = file_of(number);
    if (!file || file->kind == FILE_READ_END)
        return fail(EBADF);
    if (file->kind == FILE_EVENT)
        return event_write(file, from, size);
    return size ? pipe_write(file, from, size) : 0;
}

int il_eventfd_read(int number, eventfd_t *value)
{
    IL_ENTER();
    return il_read(number, value, sizeof *value) == sizeof *value ? 0 : -1;
}

int il_eventfd_write(int number, eventfd_t value)
{
    IL_ENTER();
    return il_write(number, &value, sizeof value) == sizeof value ? 0 : -1;
}

int il_dprintf(int number, const char *format, ...)
{
    IL_ENTER();
    char text[4096];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (length >= (int)sizeof text)
        il_found(FIND_CANNOT, NULL, "the program prints more than %zu bytes at once with dprintf()", sizeof text);
    return length < 0 ? -1 : (int)il_write(number, text, (size_t)length);
}

int il_close(int number)
{
    IL_ENTER();
    struct file *file = file_of(number);
    if (number >= 0 && number < FIRST)
        return 0;
    if (!file)
        return fail(EBADF);
    struct sync *on = object_of(file);
    il_wish(WISH_GO, NULL, NO_DEADLINE);
    if (file->kind == FILE_FREE)
        return fail(EBADF); /* another thread was faster */
    if (file->kind == FILE_READ_END)
        file->pipe->readers--;
    else if (file->kind == FILE_WRITE_END)
        file->pipe->writers--;
    file->kind = FILE_FREE;
    il_event(on, true, 4);
    il_release(on);
    record_note("closes its end", NULL, -1);
    return 0;
}

int il_fcntl(int number, int command, ...)
{
    IL_ENTER();
    struct file *file = file_of(number);
    va_list list;
    va_start(list, command);
    int value = va_arg(list, int);
    va_end(list);
    if (!file && (number < 0 || number >= FIRST))
        return fail(EBADF);
    if (!file)
        return command == F_GETFL ? O_WRONLY : 0;
    switch (command) {
    case F_GETFL:
        return (file->nonblocking ? O_NONBLOCK : 0) | (file->kind == FILE_WRITE_END ? O_WRONLY : 0) |
               (file->kind == FILE_EVENT ? O_RDWR : 0);
    case F_SETFL:
        file->nonblocking = value & O_NONBLOCK;
        return 0;
    case F_GETFD:
        return file->close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD:
        file->close_on_exec = value & FD_CLOEXEC;
        return 0;
    case F_GETPIPE_SZ:
        return file->pipe ? PIPE_SIZE : fail(EBADF);
    default:
        il_found(FIND_CANNOT, NULL, "the program calls fcntl() with the command %d, which the explorer cannot model",
                 command);
    }
}

/* ---- several at once --------------------------------------------------------------------------------------------- */

static short ready(const struct pollfd *wanted)
{
    const struct file *file = file_of(wanted->fd);
    if (wanted->fd == STDOUT_FILENO || wanted->fd == STDERR_FILENO)
        return wanted->events & POLLOUT;
    if (!file)
        return POLLNVAL;
    const struct pipe *pipe = file->pipe;
    switch (file->kind) {
    case FILE_READ_END:
        return (short)((pipe->n ? wanted->events & POLLIN : 0) | (pipe->writers ? 0 : POLLHUP));
    case FILE_WRITE_END:
        return (short)((can_write(pipe, PIPE_BUF) ? wanted->events & POLLOUT : 0) | (pipe->readers ? 0 : POLLERR));
    default:
        return (short)((file->count ? wanted->events & POLLIN : 0) |
                       (file->count < UINT64_MAX - 1 ? wanted->events & POLLOUT : 0));
    }
}

struct poll_set {
    struct pollfd *fds;
    nfds_t n;
};

static int count_ready(const struct poll_set *set)
{
    int count = 0;
    for (nfds_t i = 0; i < set->n; i++) {
        set->fds[i].revents = set->fds[i].fd < 0 ? 0 : ready(&set->fds[i]);
        count += set->fds[i].revents != 0;
    }
    return count;
}

static bool poll_granted(const struct wish *wish)
{
    const struct poll_set *set = (const struct poll_set *)(uintptr_t)wish->whom; /* NOLINT(performance-no-int-to-ptr) */
    for (nfds_t i = 0; i < set->n; i++)
        if (set->fds[i].fd >= 0 && ready(&set->fds[i]))
            return true;
    return false;
}

/* What the answer depends on. */
static void looked_at(const struct poll_set *set)
{
    for (nfds_t i = 0; i < set->n; i++) {
        const struct file *file = file_of(set->fds[i].fd);
        if (!file)
            continue;
        il_event(object_of(file), false, 5);
        if (set->fds[i].revents)
            il_acquire(object_of(file));
    }
}

static int poll_until(struct poll_set *set, uint64_t deadline_ns)
{
    for (nfds_t i = 0; i < set->n; i++)
        if (set->fds[i].fd == STDIN_FILENO)
            il_found(FIND_CANNOT, NULL, "the program waits for its standard input, which the explorer cannot model");
    if (deadline_ns == 0) { /* only a look; asked again and again, it is a loop that spins */
        const struct file *first = set->n ? file_of(set->fds[0].fd) : NULL;
        model_cancel_here();
        if (first)
            il_wish_look(object_of(first)->address);
        int count = count_ready(set);
        looked_at(set);
        if (first)
            il_looked(object_of(first)->address, (uint64_t)count);
        return count;
    }
    struct wish wish = {.kind = WISH_UNTIL,
                        .whom = (uintptr_t)set,
                        .deadline_ns = deadline_ns,
                        .can = poll_granted,
                        .waits = "waits for any of several pipes"};
    model_wait(wish);
    int count = count_ready(set);
    looked_at(set);
    record_note(count ? "finds what it waits for ready" : "gives up waiting", NULL, -1);
    return count;
}

int il_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    IL_ENTER();
    struct poll_set set = {.fds = fds, .n = n};
    shadow_access(fds, n * sizeof *fds, true, false);
    if (timeout_ms > 0)
        il_event(NULL, false, il.now_ns); /* when it begins decides when it ends */
    return poll_until(&set, timeout_ms < 0    ? NO_DEADLINE
                            : timeout_ms == 0 ? 0
                                              : il.now_ns + (uint64_t)timeout_ms * 1000000ULL);
}

static unsigned gather(struct pollfd *fds, int n, const fd_set *reads, const fd_set *writes)
{
    unsigned count = 0;
    for (int i = 0; i < n && i < FD_SETSIZE && count < FILES_MAX; i++) {
        short events =
            (short)((reads && FD_ISSET(i, reads) ? POLLIN : 0) | (writes && FD_ISSET(i, writes) ? POLLOUT : 0));
        if (events)
            fds[count++] = (struct pollfd){.fd = i, .events = events};
    }
    return count;
}

static int spread(const struct poll_set *set, fd_set *reads, fd_set *writes)
{
    int count = 0;
    for (nfds_t i = 0; i < set->n; i++) {
        const struct pollfd *at = &set->fds[i];
        bool is_read = at->events & POLLIN && at->revents & (POLLIN | POLLHUP);
        bool is_write = at->events & POLLOUT && at->revents & (POLLOUT | POLLERR);
        if (at->events & POLLIN && !is_read)
            FD_CLR(at->fd, reads);
        if (at->events & POLLOUT && !is_write)
            FD_CLR(at->fd, writes);
        count += is_read + is_write;
    }
    return count;
}

int il_select(int n, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *limit)
{
    IL_ENTER();
    struct pollfd fds[FILES_MAX];
    struct poll_set set = {.fds = fds, .n = gather(fds, n, reads, writes)};
    uint64_t deadline_ns = NO_DEADLINE;
    if (n < 0 || (limit && (limit->tv_sec < 0 || limit->tv_usec < 0)))
        return fail(EINVAL);
    if (limit) {
        uint64_t ns = (uint64_t)limit->tv_sec * 1000000000ULL + (uint64_t)limit->tv_usec * 1000ULL;
        deadline_ns = ns ? il.now_ns + ns : 0;
        il_event(NULL, false, il.now_ns);
    }
    if (errors)
        FD_ZERO(errors);
    poll_until(&set, deadline_ns);
    for (nfds_t i = 0; i < set.n; i++)
        if (fds[i].revents & POLLNVAL)
            return fail(EBADF);
    return spread(&set, reads, writes);
}
