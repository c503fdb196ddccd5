/* What a program asks of the system around it: the environment, which begins anew at every run and is not safe to
 * change beside whoever looks; names of hosts, clocks and real-time signals; the older calls for signals.
 * explore: -w => everything
 * explore: -w -DRACE => race within 5 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static char put[] = "INTERLEAVE_PUT=1";
static volatile sig_atomic_t handled;

static void environment(void)
{
    assert(getenv("INTERLEAVE_SET") == NULL && getenv("INTERLEAVE_PUT") == NULL && getenv("PATH") != NULL);
    assert(setenv("INTERLEAVE_SET", "one", 0) == 0 && setenv("INTERLEAVE_SET", "two", 0) == 0);
    assert(strcmp(getenv("INTERLEAVE_SET"), "one") == 0 && setenv("INTERLEAVE_SET", "three", 1) == 0);
    assert(strcmp(getenv("INTERLEAVE_SET"), "three") == 0 && putenv(put) == 0 && getenv("INTERLEAVE_PUT") == put + 15);
    assert(setenv("a=b", "", 1) == -1 && errno == EINVAL);
    assert(unsetenv("INTERLEAVE_PUT") == 0 && getenv("INTERLEAVE_PUT") == NULL && getenv("PATH") != NULL);
}

static void system_around(void)
{
    struct utsname names;
    struct stat about;
    struct tms times_now;
    struct rusage used;
    clockid_t clock;
    struct timespec time;
    struct sched_param param;
    cpu_set_t set;
    char host[65], folder[500], bytes[8] = {0}, same[8] = {0}, *made = getcwd(NULL, 0);
    assert(uname(&names) == 0 && gethostname(host, sizeof host) == 0 && stat("/", &about) == 0);
    assert(getcwd(folder, sizeof folder) && made && strcmp(folder, made) == 0);
    free(made);
    assert(times(&times_now) != (clock_t)-1 && getrusage(RUSAGE_SELF, &used) == 0 && getpgrp() > 0);
    assert(clock_getcpuclockid(0, &clock) == 0 && clock_gettime(clock, &time) == 0);
    assert(sched_getscheduler(0) == SCHED_OTHER && sched_getparam(0, &param) == 0);
    param.sched_priority = 5;
    assert(sched_setparam(0, &param) == -1 && sched_setscheduler(0, SCHED_FIFO, &param) == 0);
    assert(sched_getscheduler(0) == SCHED_FIFO && sched_setscheduler(1, SCHED_RR, &param) == -1 && errno == ESRCH);
    assert(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) >= 1);
    assert(getrandom(bytes, sizeof bytes, 0) == sizeof bytes && getentropy(same, sizeof same) == 0);
    assert(memcmp(bytes, same, sizeof same) != 0);
}

static void note(int number)
{
    (void)number;
    handled++;
}

static void signals(void)
{
    sigset_t set;
    static char room[1 << 16];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof room}, before;
    assert(SIGRTMIN < SIGRTMAX && sigset(SIGRTMIN, note) == SIG_DFL && raise(SIGRTMIN) == 0 && handled == 1);
    assert(sighold(SIGRTMIN) == 0 && raise(SIGRTMIN) == 0 && handled == 1 && sigrelse(SIGRTMIN) == 0 && handled == 2);
    assert(sigset(SIGRTMIN, SIG_HOLD) == note && raise(SIGRTMIN) == 0 && sigpause(SIGRTMIN) == -1 && handled == 3);
    assert(sigset(SIGRTMIN, SIG_DFL) == SIG_HOLD && sigignore(SIGRTMIN) == 0 && raise(SIGRTMIN) == 0 && handled == 3);
    assert(sigset(SIGRTMIN, note) == SIG_IGN && sighold(SIGRTMIN) == 0 && raise(SIGRTMIN) == 0 && raise(SIGRTMIN) == 0);
    assert(sigrelse(SIGRTMIN) == 0 && handled == 5); /* they are queued, and others are not */
    assert(sigset(SIGUSR1, note) == SIG_DFL && sighold(SIGUSR1) == 0 && raise(SIGUSR1) == 0 && raise(SIGUSR1) == 0);
    assert(sigrelse(SIGUSR1) == 0 && handled == 6);
    assert(sighold(0) == -1 && errno == EINVAL && sigaltstack(&stack, &before) == 0 && before.ss_flags == SS_DISABLE);
    sigfillset(&set);
    assert(pthread_sigmask(SIG_SETMASK, &set, NULL) == 0 && pthread_sigmask(SIG_SETMASK, NULL, &set) == 0);
    assert(sigismember(&set, SIGINT) == 1 && sigismember(&set, SIGKILL) == 0 && sigismember(&set, SIGSTOP) == 0);
}

static void *work(void *argument)
{
    assert(getenv("PATH") != NULL);
#ifdef RACE
    setenv("INTERLEAVE_SET", "four", 1);
#endif
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    environment();
    system_around();
    signals();
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
