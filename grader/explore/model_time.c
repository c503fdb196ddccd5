/* model_time.c - clocks, sleeps and yields in virtual time. See model.h.
 *
 * The clock stands still while anybody can go on for nothing, and jumps to the earliest deadline where nobody can; at
 * the price of a preemption it jumps although somebody could, as if that thread were slow. So an hour costs nothing,
 * deadlines come in their exact order, and a sleep orders nothing.
 */
#include "model.h"

#include "record.h"
#include "shadow.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <threads.h>
#include <unistd.h>

static const uint64_t SECOND_NS = 1000000000ULL;

/* Clocks that can be read: those of the processor's time stand still with the others. */
static bool clock_is(clockid_t clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        return true;
    default:
        return false;
    }
}

static uint64_t start_s(clockid_t clock)
{
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
        return 0;
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? START_REALTIME_S : START_MONOTONIC_S;
}

bool model_deadline(clockid_t clock, const struct timespec *at, uint64_t *deadline_ns)
{
    *deadline_ns = NO_DEADLINE;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return false;
    if (!at)
        return true;
    shadow_access(at, sizeof *at, false, false);
    if (at->tv_nsec < 0 || (uint64_t)at->tv_nsec >= SECOND_NS)
        return false;
    uint64_t start = start_s(clock);
    if (at->tv_sec < 0 || (uint64_t)at->tv_sec < start)
        *deadline_ns = 0;
    else if ((uint64_t)at->tv_sec - start > 4000000000ULL)
        *deadline_ns = NO_DEADLINE; /* in more than a hundred years: nobody waits for that */
    else
        *deadline_ns = ((uint64_t)at->tv_sec - start) * SECOND_NS + (uint64_t)at->tv_nsec;
    return true;
}

/* False where a signal has ended it. */
static bool sleep_until(uint64_t deadline_ns)
{
    record_note("sleeps", NULL, -1);
    if (il.sleeps_order) { /* a loop that polls and sleeps gives its turn away as well as it takes it */
        il_wish(WISH_GO, NULL, NO_DEADLINE);
        il_release_to_all();
    }
    model_wait((struct wish){.kind = WISH_SLEEP, .deadline_ns = deadline_ns, .breaks = BREAKS_ALWAYS});
    il_event(NULL, false, il.now_ns);
    return !il.self->interrupted;
}

/* Returns what is left of it where a signal has ended it, or 0. */
static uint64_t sleep_for(uint64_t ns)
{
    il_event(NULL, false, il.now_ns); /* when it begins decides when it ends */
    uint64_t deadline_ns = il.now_ns > NO_DEADLINE - 1 - ns ? NO_DEADLINE - 1 : il.now_ns + ns;
    if (sleep_until(deadline_ns) || il.now_ns >= deadline_ns)
        return 0;
    return deadline_ns - il.now_ns;
}

static void tell_rest(struct timespec *left, uint64_t ns)
{
    if (!left)
        return;
    shadow_access(left, sizeof *left, true, false);
    *left = (struct timespec){.tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = (long)(ns % SECOND_NS)};
}

unsigned il_sleep(unsigned seconds)
{
    IL_ENTER();
    uint64_t left_ns = sleep_for(seconds * SECOND_NS);
    return (unsigned)((left_ns + SECOND_NS - 1) / SECOND_NS);
}

int il_usleep(unsigned us)
{
    IL_ENTER();
    if (sleep_for(us * 1000ULL) == 0)
        return 0;
    errno = EINTR;
    return -1;
}

static bool duration(const struct timespec *time, uint64_t *ns)
{
    shadow_access(time, sizeof *time, false, false);
    if (time->tv_sec < 0 || time->tv_nsec < 0 || (uint64_t)time->tv_nsec >= SECOND_NS)
        return false;
    uint64_t seconds = (uint64_t)time->tv_sec > 4000000000ULL ? 4000000000ULL : (uint64_t)time->tv_sec;
    *ns = seconds * SECOND_NS + (uint64_t)time->tv_nsec;
    return true;
}

int il_nanosleep(const struct timespec *time, struct timespec *left)
{
    IL_ENTER();
    uint64_t ns;
    if (!duration(time, &ns)) {
        errno = EINVAL;
        return -1;
    }
    uint64_t left_ns = sleep_for(ns);
    if (left_ns == 0)
        return 0;
    tell_rest(left, left_ns);
    errno = EINTR;
    return -1;
}

int il_thrd_sleep(const struct timespec *time, struct timespec *left)
{
    IL_ENTER();
    uint64_t ns;
    if (!duration(time, &ns))
        return -2;
    uint64_t left_ns = sleep_for(ns);
    if (left_ns)
        tell_rest(left, left_ns);
    return left_ns ? -1 : 0;
}

int il_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    IL_ENTER();
    uint64_t ns;
    if (clock == CLOCK_THREAD_CPUTIME_ID || !clock_is(clock))
        return EINVAL;
    if (flags & TIMER_ABSTIME) {
        if (!model_deadline(clock, time, &ns))
            return EINVAL;
        return sleep_until(ns) ? 0 : EINTR;
    }
    if (!duration(time, &ns))
        return EINVAL;
    uint64_t left_ns = sleep_for(ns);
    if (left_ns)
        tell_rest(left, left_ns);
    return left_ns ? EINTR : 0;
}

/* A loop that does nothing but look at a clock waits for a time: it must come. So time passes, faster and faster, but
 * never beyond what somebody else sleeps for. */
static void pass_time(void)
{
    enum { PATIENT_LOOKS = 8, DOUBLINGS_MAX = 40 };
    struct thread *self = il.self;
    if (self->clock_writes != il.writes)
        self->clock_looks = 0;
    self->clock_writes = il.writes;
    if (++self->clock_looks <= PATIENT_LOOKS)
        return;
    unsigned doublings = self->clock_looks - PATIENT_LOOKS;
    uint64_t now_ns = il.now_ns + (1000ULL << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX));
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].life == LIFE_RUNS && il.threads[i].wish.deadline_ns < now_ns)
            now_ns = il.threads[i].wish.deadline_ns;
    if (il.alarm && model_alarm_ns() <= now_ns)
        model_alarm_comes_nearer(now_ns - il.now_ns, false);
    else if (now_ns > il.now_ns)
        il.now_ns = now_ns;
}

/* What a clock says depends on which deadlines have passed. */
static void look_at_clock(void)
{
    il_wish(WISH_GO, NULL, NO_DEADLINE);
    pass_time();
    il_event(NULL, false, il.now_ns);
}

static struct timespec now(clockid_t clock)
{
    return (struct timespec){.tv_sec = (time_t)(start_s(clock) + il.now_ns / SECOND_NS),
                             .tv_nsec = (long)(il.now_ns % SECOND_NS)};
}

int il_clock_gettime(clockid_t clock, struct timespec *to)
{
    IL_ENTER();
    if (!clock_is(clock)) {
        errno = EINVAL;
        return -1;
    }
    look_at_clock();
    shadow_access(to, sizeof *to, true, false);
    *to = now(clock);
    return 0;
}

int il_clock_getres(clockid_t clock, struct timespec *to)
{
    IL_ENTER();
    if (!clock_is(clock)) {
        errno = EINVAL;
        return -1;
    }
    if (to)
        *to = (struct timespec){.tv_nsec = 1};
    return 0;
}

int il_timespec_getres(struct timespec *to, int base)
{
    if (base == TIME_UTC && to)
        *to = (struct timespec){.tv_nsec = 1};
    return base == TIME_UTC ? base : 0;
}

/* Nobody sets the clocks here. */
int il_clock_settime(clockid_t clock, const struct timespec *to)
{
    IL_ENTER();
    (void)to;
    errno = clock == CLOCK_REALTIME ? EPERM : EINVAL;
    return -1;
}

int il_timespec_get(struct timespec *to, int base)
{
    IL_ENTER();
    if (base != TIME_UTC)
        return 0;
    look_at_clock();
    shadow_access(to, sizeof *to, true, false);
    *to = now(CLOCK_REALTIME);
    return base;
}

int il_gettimeofday(struct timeval *to, void *zone)
{
    IL_ENTER();
    (void)zone;
    look_at_clock();
    struct timespec time = now(CLOCK_REALTIME);
    shadow_access(to, sizeof *to, true, false);
    *to = (struct timeval){.tv_sec = time.tv_sec, .tv_usec = time.tv_nsec / 1000};
    return 0;
}

time_t il_time(time_t *to)
{
    IL_ENTER();
    look_at_clock();
    struct timespec time = now(CLOCK_REALTIME);
    if (to) {
        shadow_access(to, sizeof *to, true, false);
        *to = time.tv_sec;
    }
    return time.tv_sec;
}

clock_t il_clock(void)
{
    IL_ENTER();
    look_at_clock();
    return (clock_t)(il.now_ns / 1000);
}

/* Processor time stands for all the time that has passed. */
clock_t il_times(struct tms *to)
{
    IL_ENTER();
    enum { TICK_NS = 10000000 };
    look_at_clock();
    clock_t ticks = (clock_t)(il.now_ns / TICK_NS);
    if (to) {
        shadow_access(to, sizeof *to, true, false);
        *to = (struct tms){.tms_utime = ticks};
    }
    return ticks;
}

int il_getrusage(int who, struct rusage *to)
{
    IL_ENTER();
    if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD) {
        errno = EINVAL;
        return -1;
    }
    look_at_clock();
    struct timespec time = now(CLOCK_PROCESS_CPUTIME_ID);
    shadow_access(to, sizeof *to, true, false);
    *to = (struct rusage){.ru_utime = {.tv_sec = time.tv_sec, .tv_usec = time.tv_nsec / 1000}};
    return 0;
}

/* Who yields again and again, and nobody changes anything, waits for an alarm where one is set. */
static void yield(void)
{
    enum { YIELD_NS = 10000000 };
    struct thread *self = il.self;
    if (il.alarm && self->clock_writes == il.writes)
        model_alarm_comes_nearer(YIELD_NS, false);
    self->clock_writes = il.writes;
    il_yield();
}

int il_sched_yield(void)
{
    IL_ENTER();
    yield();
    return 0;
}

void il_thrd_yield(void)
{
    IL_ENTER();
    yield();
}
