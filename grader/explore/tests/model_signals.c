/* Signals that a thread raises for itself (for others: conform_signals.c); what is not modelled is said.
 * explore: => everything
 * explore: -DENDS => crash within 1
 * explore: -DTIMER => status 2 setitimer()
 * explore: -DWAITS => deadlock|lost-wakeup within 5 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t handled;

static void note(int number)
{
    handled = handled * 100 + number;
}

static void *raises(void *argument)
{
    sigset_t set, old;
    assert(pthread_sigmask(SIG_BLOCK, NULL, &old) == 0 && sigismember(&old, SIGHUP) && !sigismember(&old, SIGINT));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    assert(pthread_sigmask(SIG_BLOCK, &set, &old) == 0 && !sigismember(&old, SIGUSR2));
    raise(SIGUSR2);
    assert(handled == SIGUSR1);
    assert(pthread_sigmask(99, &set, NULL) == EINVAL);
    assert(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    assert(handled == SIGUSR1 * 100 + SIGUSR2);
    return argument;
}

int main(void)
{
    pthread_t thread;
    int ends[2];
    struct sigaction action = {.sa_handler = note};
    alarm(10);
    assert(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
    assert(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL);
    assert(signal(SIGPIPE, SIG_IGN) == SIG_DFL);
    assert(pipe(ends) == 0 && close(ends[0]) == 0 && write(ends[1], "x", 1) == -1 && errno == EPIPE);
    close(ends[1]);
    raise(SIGUSR1);
    raise(SIGCHLD);
    assert(handled == SIGUSR1);
    sigset_t inherited;
    sigemptyset(&inherited);
    sigaddset(&inherited, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &inherited, NULL);
    pthread_create(&thread, NULL, raises, NULL);
#if defined TIMER
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value.tv_sec = 1}, NULL);
#elif defined WAITS
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigwait(&set, &number);
#elif defined ENDS
    raise(SIGTERM);
#endif
    assert(pthread_kill(thread, 0) == 0 && pthread_kill(thread, 12345) == EINVAL);
    pthread_join(thread, NULL);
    return 0;
}
