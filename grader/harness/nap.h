/* nap.h - for tests.c: time that the test makes. Waits on conditions and sleeps end when the test says so.
 *
 * A thread that has set `nap_alarm` does not really wait on a condition, the next `naps` times: it lets go of the
 * mutex, says that it is asleep, and goes on when the test rings, with the mutex, as if its time were over (or as if it
 * had been woken for no reason). In between the test does what has to happen "meanwhile", which so is a fact and not a
 * matter of luck. All other timed waits sleep until they are woken, whatever their limit: so no time is ever over by
 * itself, and a thread that nobody wakes is seen to be stuck. A thread that has set `nap_bed` does not really sleep
 * either, and to its clocks the time has passed all the same.
 *
 * Theory: this header *defines* pthread_cond_wait, pthread_cond_timedwait, nanosleep, clock_nanosleep and
 * clock_gettime, hidden, so that they stand before the C library's for all that is linked into the test program (the
 * student's file, what it is built on, the harness) and for no library. Include it in tests.c and nowhere else, after
 * defining _GNU_SOURCE.
 */
#ifndef HARNESS_NAP_H
#define HARNESS_NAP_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first #include: RTLD_NEXT is an extension"
#endif

#include "gate.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAP_HIDDEN __attribute__((visibility("hidden")))

/* ---- waits on conditions ---------------------------------------------------------------------------------------- */

enum { NAPS_MAX = 3 };

/* The next waits of one thread. The test writes the first two fields before the thread uses it. */
struct nap_alarm {
    int naps;                        /* so many; after them the thread waits as usual */
    bool for_nothing;                /* they end as if woken for no reason; else a timed one ends with ETIMEDOUT */
    struct gate asleep[NAPS_MAX];    /* opened once the thread is asleep, without the mutex */
    struct gate rung[NAPS_MAX];      /* opened by the test */
    struct timespec until[NAPS_MAX]; /* the limit of a timed one; readable once it is asleep */
    int taken;                       /* the thread's own */
};

static _Thread_local struct nap_alarm *nap_alarm; /* NULL: waits are what they always are */

/* With the mutex held. Returns false where there is no nap left. */
__attribute__((unused)) static bool nap_take(pthread_mutex_t *mutex, const struct timespec *until)
{
    struct nap_alarm *alarm = nap_alarm;

    if (alarm == NULL || alarm->taken == alarm->naps)
        return false;
    int number = alarm->taken++;
    if (until != NULL)
        alarm->until[number] = *until;
    pthread_mutex_unlock(mutex);
    gate_open(&alarm->asleep[number]);
    gate_pass(&alarm->rung[number]);
    pthread_mutex_lock(mutex);
    return true;
}

/* Rings as soon as the thread is asleep: the nth wait is over at once. Blocks until then. */
__attribute__((unused)) static void nap_ring(struct nap_alarm *alarm, int number)
{
    gate_pass(&alarm->asleep[number]);
    gate_open(&alarm->rung[number]);
}

/* The C library's own wait, without a limit: a thread that nobody wakes is seen to be stuck. */
__attribute__((unused)) static int nap_until_woken(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    int (*wait)(pthread_cond_t *, pthread_mutex_t *) = NULL;

    *(void **)&wait = dlsym(RTLD_NEXT, "pthread_cond_wait");
    return wait == NULL ? ENOSYS : wait(condition, mutex);
}

NAP_HIDDEN int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    if (nap_take(mutex, until))
        return nap_alarm->for_nothing ? 0 : ETIMEDOUT;
    return nap_until_woken(condition, mutex);
}

NAP_HIDDEN int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    return nap_take(mutex, NULL) ? 0 : nap_until_woken(condition, mutex);
}

/* ---- sleeps ----------------------------------------------------------------------------------------------------- */

/* What becomes of the sleeps of the threads that have set `nap_bed` to this. */
struct nap_bed {
    long interrupts;           /* so many sleeps end with EINTR, at once */
    bool halves;               /* or rather after half of their time, which they really sleep */
    void (*meanwhile)(void *); /* called, in the thread that sleeps, by each sleep that is not interrupted; or NULL */
    void *argument;
    struct tally sleeps;  /* how many there were that were not interrupted */
    struct tally time_us; /* for how long they asked, together: by so much the thread's clocks are ahead */
    struct tally invalid; /* how many asked for no time at all, with a billion nanoseconds: EINVAL */
    struct tally by_date; /* how many asked for a moment of CLOCK_REALTIME, which is set now and then */
};

static _Thread_local struct nap_bed *nap_bed; /* NULL: sleeps are what they always are */

/* To a thread that sleeps in a bed the time of its sleeps has passed. */
NAP_HIDDEN int clock_gettime(clockid_t clock, struct timespec *now)
{
    int outcome = (int)syscall(SYS_clock_gettime, clock, now);

    if (nap_bed != NULL && (clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME)) {
        int64_t slept_us = tally_read(&nap_bed->time_us);
        now->tv_sec += slept_us / 1000000;
        now->tv_nsec += slept_us % 1000000 * 1000;
        if (now->tv_nsec >= 1000000000) {
            now->tv_nsec -= 1000000000;
            now->tv_sec++;
        }
    }
    return outcome;
}

/* Returns 0, EINTR or EINVAL. */
__attribute__((unused)) static int nap_sleep(clockid_t clock, int flags, const struct timespec *time,
                                             struct timespec *left)
{
    int64_t time_us = (int64_t)time->tv_sec * 1000000 + (time->tv_nsec + 999) / 1000;

    if (time->tv_nsec < 0 || time->tv_nsec >= 1000000000) {
        tally_add(&nap_bed->invalid, 1);
        return EINVAL;
    }
    if (flags != 0) {
        struct timespec now;
        clock_gettime(clock, &now);
        time_us -= (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    }
    if (nap_bed->interrupts > 0) {
        struct timespec half = {time_us / 2000000, time_us / 2 % 1000000 * 1000};
        nap_bed->interrupts--;
        if (nap_bed->halves)
            syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &half, NULL);
        if (left != NULL && flags == 0)
            *left = nap_bed->halves ? half : *time;
        return EINTR;
    }
    tally_add(&nap_bed->by_date, flags != 0 && clock == CLOCK_REALTIME);
    tally_add(&nap_bed->sleeps, 1);
    tally_add(&nap_bed->time_us, (long)time_us);
    if (nap_bed->meanwhile != NULL)
        nap_bed->meanwhile(nap_bed->argument);
    return 0;
}

NAP_HIDDEN int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    if (nap_bed != NULL)
        return nap_sleep(clock, flags, time, left);
    int saved = errno;
    int error = syscall(SYS_clock_nanosleep, clock, flags, time, left) == 0 ? 0 : errno;
    errno = saved;
    return error;
}

NAP_HIDDEN int nanosleep(const struct timespec *time, struct timespec *left)
{
    int error = clock_nanosleep(CLOCK_MONOTONIC, 0, time, left);

    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

#endif
