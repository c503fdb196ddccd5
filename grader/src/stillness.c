/* stillness.c - see stillness.h. */
#include "stillness.h"

#include "memory.h"
#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { LOOKS_NEEDED = 4, STATUS_SIZE = 4096 };

/* One thread, as one look saw it. */
struct sight {
    pid_t tid;
    long switches;
};

struct stillness {
    struct sight *last;
    size_t last_count;
    int looks; /* in a row that were alike */
    bool ignores_alarms;
};

struct look {
    void *scratch;
    struct sight *sights;
    size_t count, room;
};

struct stillness *stillness_new(void *context)
{
    return memory_zeroed(context, 1, sizeof(struct stillness));
}

void stillness_reset(struct stillness *stillness)
{
    stillness->looks = 0;
    stillness->last_count = 0;
}

void stillness_ignore_alarms(struct stillness *stillness)
{
    stillness->ignores_alarms = true;
}

/* ---- small files of /proc ---------------------------------------------------------------------------------------- */

static bool read_proc(char *text, size_t room, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t got = read(fd, text, room - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got >= 0;
}

static const char *after(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at == NULL ? NULL : at + strlen(name);
}

static long number_after(const char *text, const char *name)
{
    const char *at = after(text, name);

    return at == NULL ? 0 : strtol(at, NULL, 10);
}

/* ---- calls that may last for ever -------------------------------------------------------------------------------- */

/* Where a call keeps its time limit: which argument, and what there means "none". */
enum limit_kind { NONE_EVER, NULL_POINTER, NEGATIVE };

struct endless_call {
    long number;
    enum limit_kind kind;
    int argument;
};

static const struct endless_call endless_calls[] = {
    {SYS_read, NONE_EVER, 0},
    {SYS_readv, NONE_EVER, 0},
    {SYS_write, NONE_EVER, 0},
    {SYS_writev, NONE_EVER, 0},
    {SYS_recvfrom, NONE_EVER, 0},
    {SYS_recvmsg, NONE_EVER, 0},
    {SYS_sendto, NONE_EVER, 0},
    {SYS_sendmsg, NONE_EVER, 0},
    {SYS_accept, NONE_EVER, 0},
    {SYS_accept4, NONE_EVER, 0},
    {SYS_openat, NONE_EVER, 0}, /* of a FIFO */
    {SYS_wait4, NONE_EVER, 0},
    {SYS_waitid, NONE_EVER, 0},
    {SYS_rt_sigsuspend, NONE_EVER, 0},
    {SYS_msgrcv, NONE_EVER, 0},
    {SYS_msgsnd, NONE_EVER, 0},
    {SYS_semop, NONE_EVER, 0},
    {SYS_flock, NONE_EVER, 0},
    {SYS_semtimedop, NULL_POINTER, 3},
    {SYS_rt_sigtimedwait, NULL_POINTER, 2},
    {SYS_ppoll, NULL_POINTER, 2},
    {SYS_pselect6, NULL_POINTER, 4},
    {SYS_epoll_pwait, NEGATIVE, 3},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, NULL_POINTER, 3},
#endif
#ifdef SYS_futex_waitv
    {SYS_futex_waitv, NULL_POINTER, 3},
#endif
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, NEGATIVE, 3},
#endif
#ifdef SYS_poll
    {SYS_poll, NEGATIVE, 2},
#endif
#ifdef SYS_select
    {SYS_select, NULL_POINTER, 4},
#endif
#ifdef SYS_open
    {SYS_open, NONE_EVER, 0},
#endif
#ifdef SYS_pause
    {SYS_pause, NONE_EVER, 0},
#endif
};

static bool futex_is_endless(const struct sleeping_call *call)
{
    int operation = (int)call->arguments[1] & FUTEX_CMD_MASK;

    switch (operation) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_WAIT_REQUEUE_PI:
        return call->arguments[3] == 0;
    default:
        return false;
    }
}

static bool call_is_endless(const struct sleeping_call *call)
{
    if (call->number == SYS_futex)
        return futex_is_endless(call);
    if (call->number == SYS_fcntl)
        return call->arguments[1] == F_SETLKW || call->arguments[1] == F_OFD_SETLKW;
    for (size_t i = 0; i < sizeof endless_calls / sizeof endless_calls[0]; i++) {
        const struct endless_call *endless = &endless_calls[i];
        if (endless->number != call->number)
            continue;
        uint64_t limit = call->arguments[endless->argument];
        return endless->kind == NONE_EVER || (endless->kind == NULL_POINTER ? limit == 0 : (int)limit < 0);
    }
    return false;
}

bool stillness_call(pid_t pid, pid_t tid, struct sleeping_call *call)
{
    char path[96], text[512];
    uint64_t *to = call->arguments;

    *call = (struct sleeping_call){.number = -1};
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
    if (!read_proc(text, sizeof text, path))
        return false;
    int got = sscanf(text, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &call->number,
                     &to[0], &to[1], &to[2], &to[3], &to[4], &to[5]);
    if (got < 1)
        return false; /* "running" */
    if (got == 7)
        call->endless = call_is_endless(call);
    else
        call->number = -1; /* asleep, but in no call: a page on its way from the disk */
    return true;
}

/* ---- what may wake a sleeper all the same ------------------------------------------------------------------------ */

static bool call_names_socket(const struct sleeping_call *call)
{
    return call->number == SYS_read || call->number == SYS_readv || call->number == SYS_write ||
           call->number == SYS_writev || call->number == SYS_recvfrom || call->number == SYS_recvmsg ||
           call->number == SYS_sendto || call->number == SYS_sendmsg || call->number == SYS_accept ||
           call->number == SYS_accept4;
}

static bool has_timeout(int fd, int option)
{
    struct timeval limit = {0, 0};
    socklen_t size = sizeof limit;

    /* Not a socket: no such limit. */
    return getsockopt(fd, SOL_SOCKET, option, &limit, &size) == 0 && (limit.tv_sec != 0 || limit.tv_usec != 0);
}

/* SO_RCVTIMEO or SO_SNDTIMEO on the descriptor that the thread waits for. */
static bool socket_limits_it(pid_t pid, const struct sleeping_call *call)
{
    bool limited = true; /* where it cannot be told, nothing is proved */

    if (!call_names_socket(call))
        return false;
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        return limited;
    int copy = (int)syscall(SYS_pidfd_getfd, process, (int)call->arguments[0], 0);
    if (copy >= 0) {
        limited = has_timeout(copy, SO_RCVTIMEO) || has_timeout(copy, SO_SNDTIMEO);
        close(copy);
    }
    close(process);
    return limited;
}

static bool timerfd_is_armed(pid_t pid, const char *name)
{
    char path[384], text[1024];

    (void)snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)pid, name);
    ssize_t size = readlink(path, text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    if (strcmp(text, "anon_inode:[timerfd]") != 0)
        return false;
    (void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%s", (int)pid, name);
    if (!read_proc(text, sizeof text, path))
        return false;
    const char *left = after(text, "it_value: (");
    return left == NULL || strncmp(left, "0, 0)", 5) != 0;
}

static bool has_armed_timerfd(pid_t pid)
{
    char path[64];
    bool armed = false;

    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *entries = opendir(path);
    if (entries == NULL)
        return false;
    for (struct dirent *entry = readdir(entries); entry != NULL && !armed; entry = readdir(entries))
        armed = entry->d_name[0] != '.' && timerfd_is_armed(pid, entry->d_name);
    closedir(entries);
    return armed;
}

static bool has_posix_timer(pid_t pid)
{
    char path[64], text[256];

    (void)snprintf(path, sizeof path, "/proc/%d/timers", (int)pid);
    return read_proc(text, sizeof text, path) && text[0] != '\0';
}

/* alarm(2) and setitimer(2) leave no trace to be read; a handler that waits for them does. */
static bool handles_alarm(pid_t pid)
{
    char path[64], text[STATUS_SIZE];

    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (!read_proc(text, sizeof text, path))
        return false;
    const char *caught = after(text, "\nSigCgt:\t");
    return caught != NULL && (strtoull(caught, NULL, 16) & (1ULL << (SIGALRM - 1))) != 0;
}

static bool may_be_woken(const struct stillness *stillness, pid_t pid)
{
    return has_posix_timer(pid) || (!stillness->ignores_alarms && handles_alarm(pid)) || has_armed_timerfd(pid);
}

/* ---- one look ---------------------------------------------------------------------------------------------------- */

static void look_add(struct look *look, pid_t tid, long switches)
{
    if (look->count == look->room) {
        look->room = look->room == 0 ? 32 : 2 * look->room;
        look->sights = memory_grown(look->scratch, look->sights, look->room, sizeof *look->sights);
    }
    look->sights[look->count++] = (struct sight){tid, switches};
}

/* True where this thread cannot go on by itself. */
static bool thread_is_stuck(struct look *look, pid_t pid, pid_t tid)
{
    char path[96], text[STATUS_SIZE];
    struct sleeping_call call;

    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)tid);
    if (!read_proc(text, sizeof text, path))
        return false; /* it has just ended, and may have woken somebody */
    const char *state = after(text, "\nState:\t");
    if (state == NULL || *state == 'X')
        return false;
    look_add(look, tid,
             number_after(text, "\nvoluntary_ctxt_switches:") + number_after(text, "\nnonvoluntary_ctxt_switches:"));
    if (*state == 'Z' || *state == 'T')
        return true; /* dead, or stopped with nobody to let it go on */
    return *state == 'S' && stillness_call(pid, tid, &call) && call.endless && !socket_limits_it(pid, &call);
}

static bool process_is_stuck(struct look *look, pid_t pid)
{
    struct pid_list threads = {0};

    process_threads(look->scratch, pid, &threads);
    for (size_t i = 0; i < threads.count; i++)
        if (!thread_is_stuck(look, pid, threads.pids[i]))
            return false;
    return threads.count > 0;
}

/* Everything below the calling process. */
static bool all_are_stuck(struct look *look)
{
    struct pid_list tree = {0};

    process_tree(look->scratch, getpid(), &tree);
    for (size_t i = 1; i < tree.count; i++)
        if (!process_is_stuck(look, tree.pids[i]))
            return false;
    return tree.count > 1;
}

static bool nobody_may_wake(const struct stillness *stillness, struct look *look)
{
    struct pid_list tree = {0};

    process_tree(look->scratch, getpid(), &tree);
    for (size_t i = 1; i < tree.count; i++)
        if (may_be_woken(stillness, tree.pids[i]))
            return false;
    return true;
}

static bool same_as_last(const struct stillness *stillness, const struct look *look)
{
    return stillness->last_count == look->count &&
           (look->count == 0 || memcmp(stillness->last, look->sights, look->count * sizeof *look->sights) == 0);
}

static void remember(struct stillness *stillness, const struct look *look)
{
    stillness->last = memory_grown(stillness, stillness->last, look->count + 1, sizeof *stillness->last);
    if (look->count > 0)
        memcpy(stillness->last, look->sights, look->count * sizeof *look->sights);
    stillness->last_count = look->count;
}

bool stillness_look(struct stillness *stillness)
{
    struct look look = {.scratch = memory_context(stillness)};
    bool proved = false;

    if (!all_are_stuck(&look)) {
        stillness_reset(stillness);
    } else {
        stillness->looks = same_as_last(stillness, &look) ? stillness->looks + 1 : 1;
        remember(stillness, &look);
        proved = stillness->looks >= LOOKS_NEEDED && nobody_may_wake(stillness, &look);
    }
    talloc_free(look.scratch);
    return proved;
}
