/* aside.c - see aside.h.
 *
 * The process gets SIGTERM when its parent dies, as the workers of a pool do (pool.c): one that waits for a child ends
 * that first (child_run), any other just dies. It is a subreaper, so what a child of its leaves is its own to end.
 */
#include "aside.h"

#include "memory.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_SIZE = 16384, GRACE_MS = 3000 };

static _Noreturn void become(void (*work)(void *closure, int pipe), void *closure, int pipe, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (getppid() != parent) /* it died before the kernel knew what to do then */
        _exit(3);
    work(closure, pipe);
    _exit(0);
}

int aside_start(struct aside *aside, void (*work)(void *closure, int pipe), void *closure, struct fault *fault)
{
    int ends[2];
    pid_t self = getpid();

    *aside = (struct aside){.pipe = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fault_errno(fault, "no pipe for a process beside this one");
    pid_t pid = fork();
    if (pid < 0) {
        fault_errno(fault, "no process beside this one can be started");
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    if (pid == 0) {
        close(ends[0]);
        become(work, closure, ends[1], self);
    }
    close(ends[1]);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    aside->pid = pid;
    aside->pipe = ends[0];
    return 0;
}

static void reap(struct aside *aside)
{
    int status = 0;

    while (waitpid(aside->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    aside->clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    aside->pid = 0;
    close(aside->pipe);
    aside->pipe = -1;
}

bool aside_read(void *context, struct aside *aside)
{
    while (aside->pid != 0) {
        if (aside->used + 1 >= aside->size) {
            aside->size = aside->size == 0 ? FIRST_SIZE : aside->size * 2;
            aside->text = memory_grown(context, aside->text, aside->size, 1);
        }
        ssize_t n = read(aside->pipe, aside->text + aside->used, aside->size - aside->used - 1);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0)
            aside->used += (size_t)n;
        aside->text[aside->used] = '\0';
        if (n <= 0)
            reap(aside);
    }
    return true;
}

void aside_wait(void *context, struct aside *aside)
{
    while (!aside_read(context, aside)) {
        struct pollfd polled = {.fd = aside->pipe, .events = POLLIN};

        (void)poll(&polled, 1, -1);
    }
}

/* It is not reaped yet, so all numbers of its tree that we see hang on one that is still its own. */
static void kill_tree(pid_t pid)
{
    void *scratch = memory_context(NULL);
    struct pid_list list = {0};

    process_tree(scratch, pid, &list);
    for (size_t i = 0; i < list.count; i++)
        kill(list.pids[i], SIGKILL);
    talloc_free(scratch);
}

void aside_stop(struct aside *aside)
{
    if (aside->pid == 0)
        return;
    int pidfd = pidfd_open(aside->pid, 0);
    struct pollfd polled = {.fd = pidfd, .events = POLLIN};

    kill(aside->pid, SIGTERM);
    if (pidfd < 0 || poll(&polled, 1, GRACE_MS) <= 0)
        kill_tree(aside->pid);
    if (pidfd >= 0)
        close(pidfd);
    reap(aside);
}
