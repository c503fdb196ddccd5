/* Pipes and eventfd: data handed over without a lock, an end that is seen, a full pipe that is waited for, polls.
 * explore: => bound 2
 * explore: -DNEVER_CLOSED => deadlock within 2
 * explore: -DNOBODY_READS => crash within 5
 * explore: -DUNORDERED => assertion|race within 5
 * explore: -DTOO_MUCH => deadlock within 3 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

static int ends[2], bell, plain;

static void *writes(void *argument)
{
    int *number = malloc(sizeof *number);
    *number = 42;
    assert(write(ends[1], &number, sizeof number) == sizeof number);
#ifdef UNORDERED
    *number = 43;
#endif
#ifndef NEVER_CLOSED
    assert(close(ends[1]) == 0);
#endif
    return argument;
}

static void hands_over(void)
{
    pthread_t thread;
    int *number;
    assert(pipe(ends) == 0);
    pthread_create(&thread, NULL, writes, NULL);
    assert(read(ends[0], &number, sizeof number) == sizeof number);
    assert(*number == 42);
    free(number);
    assert(read(ends[0], &number, 1) == 0);
    pthread_join(thread, NULL);
    assert(close(ends[0]) == 0 && close(ends[0]) == -1 && errno == EBADF);
}

static void *fills(void *argument)
{
    static char much[100000];
    assert(write(ends[1], much, sizeof much) == (ssize_t)sizeof much);
    close(ends[1]);
    return argument;
}

static void waits_for_room(void)
{
    pthread_t thread;
    static char bytes[50000];
    ssize_t total = 0, n;
    assert(pipe2(ends, O_CLOEXEC) == 0);
    pthread_create(&thread, NULL, fills, NULL);
#ifdef TOO_MUCH
    pthread_join(thread, NULL);
#endif
    while ((n = read(ends[0], bytes, sizeof bytes)) > 0)
        total += n;
    assert(n == 0 && total == 100000);
    pthread_join(thread, NULL);
    close(ends[0]);
}

static void does_not_wait(void)
{
    char bytes[4096], one;
    int written = 0;
    assert(pipe2(ends, O_NONBLOCK) == 0 && (fcntl(ends[0], F_GETFL) & O_NONBLOCK));
    assert(read(ends[0], &one, 1) == -1 && errno == EAGAIN);
    memset(bytes, 'x', sizeof bytes);
    while (write(ends[1], bytes, sizeof bytes) == (ssize_t)sizeof bytes)
        written++;
    assert(errno == EAGAIN && written == 16);
    assert(write(ends[1], bytes, 1) == -1 && errno == EAGAIN);
    assert(read(ends[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes && bytes[7] == 'x');
    assert(write(ends[1], bytes, sizeof bytes) == (ssize_t)sizeof bytes);
    assert(fcntl(ends[0], F_SETFL, 0) == 0 && read(ends[1], &one, 1) == -1 && errno == EBADF);
    close(ends[0]);
    close(ends[1]);
}

static void *rings(void *argument)
{
    plain = 1;
    assert(eventfd_write(bell, 2) == 0);
    return argument;
}

static void polls(void)
{
    pthread_t thread;
    uint64_t count;
    fd_set set;
    assert(pipe(ends) == 0);
    bell = eventfd(0, EFD_SEMAPHORE);
    struct pollfd fds[] = {{.fd = ends[0], .events = POLLIN}, {.fd = bell, .events = POLLIN}};
    assert(poll(fds, 2, 0) == 0 && poll(fds, 2, 1000) == 0);
    pthread_create(&thread, NULL, rings, NULL);
    assert(poll(fds, 2, -1) == 1 && fds[0].revents == 0 && fds[1].revents == POLLIN);
    assert(plain == 1);
    assert(read(bell, &count, sizeof count) == 8 && count == 1 && eventfd_read(bell, &count) == 0 && count == 1);
    FD_ZERO(&set);
    FD_SET(bell, &set);
    FD_SET(ends[0], &set);
    assert(select(bell + 1, &set, NULL, NULL, &(struct timeval){.tv_usec = 5}) == 0 && !FD_ISSET(bell, &set));
    pthread_join(thread, NULL);
    close(ends[1]);
    assert(poll(fds, 1, -1) == 1 && fds[0].revents == POLLHUP);
    close(ends[0]);
    close(bell);
}

int main(void)
{
#ifdef NOBODY_READS
    assert(pipe(ends) == 0);
    close(ends[0]);
    write(ends[1], "x", 1);
#endif
    hands_over();
    waits_for_room();
    does_not_wait();
    polls();
    return 0;
}
