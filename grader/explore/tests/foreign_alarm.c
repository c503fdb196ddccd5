/* An alarm: it rings where all wait, or go round and round, in its time; who would be ended by it never hears it.
 * explore: => nothing
 * explore: -DWATCHDOG => deadlock within 1
 * explore: -DSTUCK => deadlock within 1
 * explore: -DMISSED => exit-status within 1 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t rung;
static atomic_int rung_for_all;
static sem_t never;

static void note(int number)
{
    rung += number == SIGALRM;
    rung_for_all++;
}

static void handle_it(void)
{
    struct sigaction action = {.sa_handler = note};
    sigemptyset(&action.sa_mask);
    assert(sigaction(SIGALRM, &action, NULL) == 0);
    rung = 0;
    rung_for_all = 0;
}

static void *works(void *argument)
{
    sched_yield();
    return argument;
}

static void waits(void)
{
    pthread_t thread;
    assert(pthread_create(&thread, NULL, works, NULL) == 0);
    assert(alarm(2) == 0);
    while (!rung)
        pause();
    assert(pthread_join(thread, NULL) == 0 && rung == 1);
    assert(alarm(5) == 0 && alarm(3) == 5 && alarm(0) == 3 && rung == 1);
    assert(sleep(4) == 0 && rung == 1); /* it was taken back */
}

/* Before a later time, and not before an earlier one. */
static void in_time(void)
{
    struct timespec at;
    assert(clock_gettime(CLOCK_REALTIME, &at) == 0);
    at.tv_sec += 9;
    alarm(2);
    assert(sleep(1) == 0 && rung == 1);
    assert(sleep(5) == 4 && rung == 2);
    alarm(2);
    assert(sem_timedwait(&never, &at) == -1 && errno == EINTR && rung == 3);
    assert(sem_timedwait(&never, &at) == -1 && errno == ETIMEDOUT && rung == 3);
    time_t began = time(NULL);
    alarm(1);
    while (rung == 3 && time(NULL) - began < 30)
        continue;
    assert(rung == 4);
}

static void goes_round(void)
{
    alarm(1);
    while (!rung_for_all)
        continue;
    rung = 0;
    alarm(1);
    while (!rung)
        continue;
    alarm(1);
    while (rung < 2)
        sched_yield();
}

static void every(void)
{
    struct itimerval timer = {.it_value = {.tv_usec = 10}, .it_interval = {.tv_sec = 1, .tv_usec = 20}}, before;
    rung = 0;
    assert(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    while (rung < 3)
        pause();
    timer.it_value = timer.it_interval = (struct timeval){.tv_sec = 0};
    assert(setitimer(ITIMER_REAL, &timer, &before) == 0);
    assert(before.it_interval.tv_usec == 20 && before.it_value.tv_sec == 1 && sleep(3) == 0 && rung == 3);
}

static void *takes(void *set)
{
    int number;
    assert(sigwait(set, &number) == 0 && number == SIGALRM);
    return NULL;
}

static void taken(void)
{
    sigset_t set;
    pthread_t thread;
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    assert(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    alarm(1);
    assert(pthread_create(&thread, NULL, takes, &set) == 0 && pthread_join(thread, NULL) == 0);
}

int main(void)
{
    assert(sem_init(&never, 0, 0) == 0);
#ifdef WATCHDOG
    alarm(1);
    sem_wait(&never);
#endif
    handle_it();
#ifdef STUCK
    alarm(1);
    while (sem_wait(&never))
        assert(errno == EINTR);
#endif
#ifdef MISSED
    alarm(1);
    sleep(2);
    return rung;
#endif
    waits();
    in_time();
    goes_round();
    every();
    taken();
    return 0;
}
