/* waiting.c - the calls that wait for the world outside, and what to do when a signal interrupts them. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* region sleep */
/* Sleeps until a moment on the monotonic clock. A moment stays what it is, so the call can simply be made again. */
static void sleep_until(const struct timespec *until)
{
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until, NULL) == EINTR)
        continue;
}
/* end sleep */

/* region read */
/* Reads what is there, at most `size` bytes; waits until there is something. 0: the other end is closed. */
static ssize_t read_some(int fd, void *buffer, size_t size)
{
    ssize_t got;

    do
        got = read(fd, buffer, size);
    while (got < 0 && errno == EINTR);
    return got;
}
/* end read */

int main(void)
{
    struct timespec until;
    char buffer[16];
    int ends[2];

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    sleep_until(&until);
    if (pipe(ends) != 0 || write(ends[1], "hello", 5) != 5)
        return 1;
    printf("%d bytes\n", (int)read_some(ends[0], buffer, sizeof buffer));
    close(ends[0]);
    close(ends[1]);
    return 0;
}
