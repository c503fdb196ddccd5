#include "turnstile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static int open_lock(const char *dir, const char *name, struct fault *fault)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return fault_set(fault, "%s: the path is too long", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    return fd;
}

int turnstile_open(const char *dir, struct turnstile *turnstile, struct fault *fault)
{
    turnstile->door = open_lock(dir, "turnstile-door", fault);
    if (turnstile->door < 0)
        return -1;
    turnstile->room = open_lock(dir, "turnstile-room", fault);
    if (turnstile->room >= 0)
        return 0;
    close(turnstile->door);
    return -1;
}

int turnstile_enter(struct turnstile *turnstile, bool alone, struct fault *fault)
{
    /* The door is always taken before the room and never kept while in it, so no circle of waiting can form. */
    if (flock(turnstile->door, LOCK_EX) < 0)
        return fault_errno(fault, "waiting for the other gradings");
    int entered = flock(turnstile->room, alone ? LOCK_EX : LOCK_SH);
    int saved = errno;
    flock(turnstile->door, LOCK_UN);
    errno = saved;
    return entered < 0 ? fault_errno(fault, "waiting for the other gradings") : 0;
}

void turnstile_leave(struct turnstile *turnstile)
{
    flock(turnstile->room, LOCK_UN);
}

void turnstile_close(struct turnstile *turnstile)
{
    close(turnstile->room);
    close(turnstile->door);
}
