/* program_directory.c - see program_directory.h.
 *
 * Theory of operation. A process of its own, the guard, waits at the reading end of a pipe. We hold the writing end,
 * and so does every compiler that we start (it is inherited). When the last of us has ended, by whatever signal, the
 * guard reads the end of the file and removes the directory. Where we come to directory_close we remove it ourselves
 * and end the guard. The guard has a session of its own and none of our files, so that nobody waits for it and no
 * signal to our group reaches it.
 */
#include "program_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    pid_t guard; /* or 0 */
    int end;     /* ours, of the pipe */
} directory;

static _Noreturn void guard(const char *name, int end)
{
    char byte;
    setsid();
    close_range(0, (unsigned)end - 1, 0);
    close_range((unsigned)end + 1, ~0U, 0);
    if (chdir("/") == 0)
        while (read(end, &byte, 1) < 0 && errno == EINTR)
            continue;
    execlp("rm", "rm", "-rf", "--", name, (char *)NULL);
    _exit(2);
}

/* Where there is no process left for a guard, we go without. */
static void guard_start(const char *name)
{
    int ends[2];
    if (pipe(ends))
        return;
    directory.guard = fork();
    if (directory.guard == 0) {
        close(ends[1]);
        guard(name, ends[0]);
    }
    close(ends[0]);
    directory.end = ends[1];
    if (directory.guard < 0) {
        directory.guard = 0;
        close(ends[1]);
    }
}

int directory_open(char *name, size_t size)
{
    const char *parent = getenv("TMPDIR");
    int length = snprintf(name, size, "%s/interleave.XXXXXX", parent && *parent ? parent : "/tmp");
    if (length < 0 || (size_t)length >= size || !mkdtemp(name)) {
        fprintf(stderr, "interleave: no directory for temporary files (%s): %s\n", name, strerror(errno));
        name[0] = '\0';
        return -1;
    }
    guard_start(name);
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)about;
    (void)type;
    (void)where;
    return remove(path);
}

void directory_close(const char *name)
{
    if (!name[0])
        return;
    nftw(name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (directory.guard == 0)
        return;
    kill(directory.guard, SIGKILL);
    while (waitpid(directory.guard, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(directory.end);
    directory.guard = 0;
}
