/* Signals from thread to thread: handled in a wait or between two steps, awaited, for the process.
 * explore: => bound 2
 * explore: -DUNHANDLED => crash within 2
 * explore: -DMISSED => deadlock|lost-wakeup|livelock within 60 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum { LONG_S = 3600 };

static atomic_int handled;
static sem_t ready, never;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool may_go;

static void note(int number)
{
    handled += number;
}

static void handle_with(int number, int flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    assert(sigaction(number, &action, NULL) == 0);
}

static void *sleeps(void *unused)
{
    (void)unused;
    struct timespec hour = {.tv_sec = LONG_S}, left = {.tv_sec = -1};
    sem_post(&ready);
    if (nanosleep(&hour, &left) != 0)
        assert(errno == EINTR && handled == SIGUSR1 && left.tv_sec >= 0 && left.tv_sec <= LONG_S);
    return NULL;
}

static void *takes(void *unused)
{
    (void)unused;
    sem_post(&ready);
    assert(sem_wait(&never) == 0 || (errno == EINTR && handled == SIGUSR1));
    return NULL;
}

/* Neither a mutex nor a condition variable says anything of a signal. */
static void *waits(void *unused)
{
    (void)unused;
    sem_post(&ready);
    assert(pthread_mutex_lock(&mutex) == 0);
    while (!may_go)
        assert(pthread_cond_wait(&changed, &mutex) == 0);
    assert(pthread_mutex_unlock(&mutex) == 0);
    return NULL;
}

static void interrupt(void *(*body)(void *), int flags)
{
    pthread_t thread;
    handled = 0;
    handle_with(SIGUSR1, flags);
    assert(sem_init(&ready, 0, 0) == 0 && sem_init(&never, 0, 0) == 0);
    assert(pthread_create(&thread, NULL, body, NULL) == 0);
    assert(sem_wait(&ready) == 0);
    assert(pthread_kill(thread, SIGUSR1) == 0);
    if (body == waits) {
        assert(pthread_mutex_lock(&mutex) == 0);
        may_go = true;
        assert(pthread_cond_signal(&changed) == 0);
        assert(pthread_mutex_unlock(&mutex) == 0);
    } else if (body == takes) { /* the signal may have come before the wait, or the wait begun again */
        assert(sem_post(&never) == 0);
    }
    assert(pthread_join(thread, NULL) == 0);
    assert(handled == SIGUSR1 || body == sleeps); /* whose hour may have been over before */
}

/* One thread for all signals, as servers have it. */
static void *serves(void *argument)
{
    int first = 0, second = 0;
    assert(sigwait(argument, &first) == 0 && sigwait(argument, &second) == 0);
    assert((first == SIGTERM && second == SIGUSR2) || (first == SIGUSR2 && second == SIGTERM));
    return NULL;
}

static void serve(void)
{
    sigset_t set, pending;
    pthread_t thread;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR2);
    assert(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    assert(pthread_create(&thread, NULL, serves, &set) == 0);
    assert(pthread_kill(thread, SIGTERM) == 0);
    assert(kill(getpid(), SIGUSR2) == 0);
    assert(pthread_join(thread, NULL) == 0);
    assert(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR2) == 0);
    assert(sigtimedwait(&set, NULL, &(struct timespec){.tv_sec = 1}) == -1 && errno == EAGAIN);
}

static void *pauses(void *unused)
{
    (void)unused;
    sem_post(&ready);
#ifdef MISSED
    pause(); /* the signal may have come before */
#else
    sigset_t none;
    sigemptyset(&none);
    assert(sigsuspend(&none) == -1 && errno == EINTR);
#endif
    assert(handled);
    return NULL;
}

static void suspend(void)
{
    pthread_t thread;
    sigset_t set;
    handled = 0;
    handle_with(SIGUSR1, 0);
    assert(sem_init(&ready, 0, 0) == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
#ifndef MISSED
    assert(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
#endif
    assert(pthread_create(&thread, NULL, pauses, NULL) == 0);
    assert(sem_wait(&ready) == 0);
    assert(pthread_kill(thread, SIGUSR1) == 0);
    assert(pthread_join(thread, NULL) == 0);
    assert(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

int main(void)
{
#ifdef UNHANDLED
    pthread_t thread;
    assert(sem_init(&ready, 0, 0) == 0);
    assert(pthread_create(&thread, NULL, sleeps, NULL) == 0);
    assert(pthread_kill(thread, SIGUSR1) == 0);
    pthread_join(thread, NULL);
#endif
    suspend();
    interrupt(sleeps, SA_RESTART);
    interrupt(takes, 0);
    interrupt(takes, SA_RESTART);
    interrupt(waits, 0);
    serve();
    return 0;
}
