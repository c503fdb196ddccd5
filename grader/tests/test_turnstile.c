#include "turnstile.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/turnstile-XXXXXX";

static void make_dir(void)
{
    cr_assert(mkdtemp(dir) != NULL);
}

static void remove_dir(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/turnstile-door", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/turnstile-room", dir);
    unlink(path);
    rmdir(dir);
}

TestSuite(turnstile, .init = make_dir, .fini = remove_dir);

/* Whether somebody else could have the room, shared or alone, right now. */
static bool free_for(int how)
{
    char path[128];

    snprintf(path, sizeof path, "%s/turnstile-room", dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool got = flock(fd, how | LOCK_NB) == 0;
    close(fd);
    return got;
}

Test(turnstile, many_share)
{
    struct turnstile one, two;
    struct fault fault;

    cr_assert_eq(turnstile_open(dir, &one, &fault), 0, "%s", fault.text);
    cr_assert_eq(turnstile_open(dir, &two, &fault), 0, "%s", fault.text);
    cr_assert_eq(turnstile_enter(&one, false, &fault), 0);
    cr_assert_eq(turnstile_enter(&two, false, &fault), 0);
    cr_assert(free_for(LOCK_SH));
    cr_assert_not(free_for(LOCK_EX));
    turnstile_leave(&one);
    turnstile_leave(&two);
    cr_assert(free_for(LOCK_EX));
    turnstile_close(&one);
    turnstile_close(&two);
}

Test(turnstile, one_alone_keeps_everybody_out)
{
    struct turnstile one;
    struct fault fault;

    cr_assert_eq(turnstile_open(dir, &one, &fault), 0, "%s", fault.text);
    cr_assert_eq(turnstile_enter(&one, true, &fault), 0);
    cr_assert_not(free_for(LOCK_SH));
    turnstile_leave(&one);
    cr_assert(free_for(LOCK_SH));
    turnstile_close(&one);
}

Test(turnstile, a_process_that_dies_inside_leaves)
{
    pid_t pid = fork();

    cr_assert(pid >= 0);
    if (pid == 0) {
        struct turnstile inner;
        struct fault fault;
        if (turnstile_open(dir, &inner, &fault) < 0 || turnstile_enter(&inner, true, &fault) < 0)
            _exit(1);
        _exit(0);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
    cr_assert(free_for(LOCK_EX));
}

Test(turnstile, a_place_that_is_not_there_is_a_fault)
{
    struct turnstile one;
    struct fault fault;

    cr_assert_eq(turnstile_open("/nonexistent/place", &one, &fault), -1);
    cr_assert(strstr(fault.text, "/nonexistent/place") != NULL);
}
