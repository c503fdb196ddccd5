/* A proof must hold where everybody sleeps for ever, and never where somebody may yet wake. */
#include "memory.h"
#include "stillness.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Runs `body` in a child and looks at it `looks` times, 10 ms apart; says whether a proof was found. */
static bool proved(void (*body)(void), int looks)
{
    void *context = memory_context(NULL);
    struct stillness *stillness = stillness_new(context);
    pid_t pid = fork();
    bool found = false;

    if (pid == 0) {
        setpgid(0, 0);
        body();
        _exit(0);
    }
    for (int i = 0; i < looks && !found; i++) {
        usleep(10 * 1000);
        found = stillness_look(stillness);
    }
    setpgid(pid, pid); /* whoever of the two comes first */
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    talloc_free(context);
    return found;
}

enum { LONG = 3000, SHORT = 60 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ends[2];

static void lock_twice(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}

static void *locker(void *unused)
{
    pthread_mutex_lock(&mutex);
    return unused;
}

static void join_one_who_waits(void)
{
    pthread_t thread;

    pthread_mutex_lock(&mutex);
    pthread_create(&thread, NULL, locker, NULL);
    pthread_join(thread, NULL);
}

static void read_a_pipe(void)
{
    char byte;

    if (pipe(ends) == 0 && read(ends[0], &byte, 1) < 0)
        _exit(1);
}

static void fill_a_pipe(void)
{
    static char bytes[1 << 20];

    if (pipe(ends) == 0 && write(ends[1], bytes, sizeof bytes) < 0)
        _exit(1);
}

static void wait_for_a_child_that_waits(void)
{
    if (fork() == 0)
        lock_twice();
    wait(NULL);
}

static void stop(void)
{
    raise(SIGSTOP);
}

static void *locks_and_ends(void *unused)
{
    pthread_mutex_lock(&mutex);
    return unused;
}

static void main_thread_has_left(void)
{
    pthread_t thread;

    pthread_mutex_lock(&mutex);
    pthread_create(&thread, NULL, locks_and_ends, NULL);
    pthread_exit(NULL);
}

Test(stillness, is_proved_where_nobody_can_wake)
{
    cr_assert(proved(lock_twice, LONG));
    cr_assert(proved(join_one_who_waits, LONG));
    cr_assert(proved(read_a_pipe, LONG));
    cr_assert(proved(fill_a_pipe, LONG));
    cr_assert(proved(wait_for_a_child_that_waits, LONG));
    cr_assert(proved(stop, LONG));
    cr_assert(proved(main_thread_has_left, LONG));
}

static void sleep_long(void)
{
    sleep(1000);
}

static void lock_with_a_limit(void)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 1000;
    pthread_mutex_lock(&mutex);
    pthread_mutex_timedlock(&mutex, &deadline);
}

static void *sleeper(void *unused)
{
    sleep(1000);
    return unused;
}

static void one_of_two_sleeps(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, sleeper, NULL);
    pthread_join(thread, NULL);
}

static void a_child_sleeps(void)
{
    if (fork() == 0)
        sleep(1000);
    wait(NULL);
}

static void a_timerfd_is_armed(void)
{
    struct itimerspec when = {.it_value = {1000, 0}};
    unsigned long long count;
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);

    timerfd_settime(timer, 0, &when, NULL);
    if (read(timer, &count, sizeof count) < 0)
        _exit(1);
}

static void a_timer_is_armed(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec when = {.it_value = {1000, 0}};
    timer_t timer;

    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &when, NULL);
    pause();
}

static void nothing(int number)
{
    (void)number;
}

static void an_alarm_is_awaited(void)
{
    signal(SIGALRM, nothing);
    alarm(1000);
    pause();
}

static void a_socket_has_a_limit(void)
{
    struct timeval limit = {1000, 0};
    char byte;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
        setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 || read(ends[0], &byte, 1) < 0)
        _exit(1);
}

static void spin(void)
{
    for (volatile long i = 0; i >= 0; i++)
        continue;
}

/* Two threads that hand a mutex back and forth are asleep most of the time, each of them. */
static void *pass(void *argument)
{
    int *own = argument;
    char byte = 'x';

    for (;;)
        if (read(own[0], &byte, 1) < 0 || write(own[1], &byte, 1) < 0)
            return NULL;
}

static void ping_pong(void)
{
    int there[2], back[2];
    pthread_t thread;

    if (pipe(there) != 0 || pipe(back) != 0 || write(there[1], "x", 1) < 0)
        return;
    pthread_create(&thread, NULL, pass, (int[]){there[0], back[1]});
    pass((int[]){back[0], there[1]});
}

Test(stillness, is_not_proved_where_somebody_may_wake)
{
    cr_assert(!proved(sleep_long, SHORT));
    cr_assert(!proved(lock_with_a_limit, SHORT));
    cr_assert(!proved(one_of_two_sleeps, SHORT));
    cr_assert(!proved(a_child_sleeps, SHORT));
    cr_assert(!proved(a_timerfd_is_armed, SHORT));
    cr_assert(!proved(a_timer_is_armed, SHORT));
    cr_assert(!proved(an_alarm_is_awaited, SHORT));
    cr_assert(!proved(a_socket_has_a_limit, SHORT));
    cr_assert(!proved(spin, SHORT));
    cr_assert(!proved(ping_pong, SHORT));
}
