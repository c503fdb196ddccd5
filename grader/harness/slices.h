/* slices.h - for tests.c: whether a thread that waits really sleeps, or looks again every moment.
 *
 * A thread that sleeps for a millisecond, looks, and sleeps again stands as still, for settle(), as one that sleeps
 * until it is woken. What tells the two apart is the limit of its waits: who has an hour, or for ever, and is to be
 * woken, has no reason to ask for less. So each wait with a limit of less than a minute is counted, for a thread that
 * has set `slices` to a tally (slices_tally()); the test gives the call an hour or more, and asks for the count when
 * the thread is at rest. How busy the machine is makes no difference to that, unless it stands still for 59 minutes.
 *
 * Theory: this header *defines* the calls that wait on conditions and semaphores with a limit, hidden, so that they
 * stand before the C library's for all that is linked into the test program: the student's file and what it is built
 * on. Include it in tests.c (or in what tests.c shares with others) and nowhere else, not beside nap.h, after defining
 * _GNU_SOURCE.
 */
#ifndef HARNESS_SLICES_H
#define HARNESS_SLICES_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first #include: RTLD_NEXT is an extension"
#endif

#include "gate.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLICES_HIDDEN __attribute__((visibility("hidden")))

enum { SLICE_S = 60, SLICES_FROM_S = 3600, SLICES_TALLIES = 1024 };

static _Thread_local struct tally *slices; /* NULL: nothing is counted */

/* A tally that stays when the test has ended: a thread that looks again and again does so until its process ends. */
__attribute__((unused)) static struct tally *slices_tally(void)
{
    static struct tally tallies[SLICES_TALLIES], used;
    long number = tally_add(&used, 1);

    return &tallies[number < SLICES_TALLIES ? number : 0];
}

/* Whether a call with this time-out has so much time that no wait of it is to be a slice. */
__attribute__((unused)) static bool slices_tell(int64_t timeout_us)
{
    return timeout_us < 0 || timeout_us >= (int64_t)SLICES_FROM_S * 1000000;
}

/* Not clock_gettime, which a test may have replaced. */
__attribute__((unused)) static time_t slices_now_s(clockid_t clock)
{
    struct timespec now = {0, 0};

    syscall(SYS_clock_gettime, clock, &now);
    return now.tv_sec;
}

__attribute__((unused)) static void slices_note(clockid_t clock, const struct timespec *until)
{
    if (slices != NULL && until->tv_sec - slices_now_s(clock) < SLICE_S)
        tally_add(slices, 1);
}

/* A condition does not say which clock it goes by. The one on the wall is fifty years ahead of the monotonic one, so a
 * limit that is not long over by the former is meant for it; or it is far away by both. */
__attribute__((unused)) static clockid_t slices_clock(const struct timespec *until)
{
    return until->tv_sec >= slices_now_s(CLOCK_REALTIME) - SLICES_FROM_S ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

SLICES_HIDDEN int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                         const struct timespec *until)
{
    int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *) = NULL;

    slices_note(slices_clock(until), until);
    *(void **)&wait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    return wait == NULL ? ENOSYS : wait(condition, mutex, until);
}

SLICES_HIDDEN int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                                         const struct timespec *until)
{
    int (*wait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *) = NULL;

    slices_note(clock, until);
    *(void **)&wait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
    return wait == NULL ? ENOSYS : wait(condition, mutex, clock, until);
}

SLICES_HIDDEN int sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
    int (*wait)(sem_t *, const struct timespec *) = NULL;

    slices_note(CLOCK_REALTIME, until);
    *(void **)&wait = dlsym(RTLD_NEXT, "sem_timedwait");
    return wait == NULL ? -1 : wait(semaphore, until);
}

SLICES_HIDDEN int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    int (*wait)(sem_t *, clockid_t, const struct timespec *) = NULL;

    slices_note(clock, until);
    *(void **)&wait = dlsym(RTLD_NEXT, "sem_clockwait");
    return wait == NULL ? -1 : wait(semaphore, clock, until);
}

#endif
