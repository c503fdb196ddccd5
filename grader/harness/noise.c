/* noise.c - makes the threads of a program slow, each in its own way: `selfcheck noise` loads it before a tests
 * program.
 *
 * Theory: a test that leans on what the machine happens to do (a thread that is far enough, two threads that come in
 * the usual order) gives the usual verdict on a quiet machine and another one once in a thousand gradings. So every
 * thread is given a pace of its own, from none to milliseconds, and before and after the calls where threads meet it
 * spins for as long: to the rest of the program that is a thread which was preempted there, as a loaded machine does.
 * It spins and does not sleep, so whoever looks from outside sees a thread that can run. A thread spins so long in all,
 * less than what the harness takes for a loop that waits busily; a process so long in all, so that tests end.
 *
 * The paces follow from INTERLEAVE_NOISE and from the order in which threads come by here; that order is the machine's,
 * so a run is not the same each time, and it does not have to be: it must come to the same verdict.
 */
#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

enum { THREAD_BUDGET_NS = 10 * 1000 * 1000, PROCESS_BUDGET_NS = 60 * 1000 * 1000, STARTS = 4096 };

static uint64_t seed;
static uint64_t threads_seen; /* atomic */
static int64_t spent_ns;      /* atomic, of the process */

struct pace {
    uint64_t state; /* of the generator; 0: this thread has not come by yet */
    int64_t step_ns;
    int64_t left_ns;
};

static _Thread_local struct pace pace;

/* The library's own function of this name. */
#define REAL(name)                                                                                                     \
    static __typeof__(&(name)) real;                                                                                   \
    if (__atomic_load_n(&real, __ATOMIC_ACQUIRE) == NULL)                                                              \
    __atomic_store_n(&real, (__typeof__(&(name)))dlsym(RTLD_NEXT, #name), __ATOMIC_RELEASE)

/* SplitMix64: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014, figure 16. */
static uint64_t next_number(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15U;

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
}

__attribute__((constructor)) static void read_seed(void)
{
    const char *text = getenv("INTERLEAVE_NOISE");

    seed = text == NULL ? 0 : strtoull(text, NULL, 10);
}

/* Of the library's own clock: a test may have put another one before it. */
static int64_t now_ns(void)
{
    struct timespec now;

    REAL(clock_gettime);
    real(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void take_a_pace(void)
{
    static const int64_t steps_ns[] = {0, 0, 0, 20 * 1000, 100 * 1000, 500 * 1000, 2000 * 1000};

    pace.state = seed * 1000003 + __atomic_add_fetch(&threads_seen, 1, __ATOMIC_RELAXED);
    pace.step_ns = steps_ns[next_number(&pace.state) % (sizeof steps_ns / sizeof *steps_ns)];
    pace.left_ns = THREAD_BUDGET_NS;
}

/* Perhaps spins, at this thread's pace. Keeps errno: it makes no call that sets it. */
static void dawdle(void)
{
    if (seed == 0)
        return;
    if (pace.state == 0)
        take_a_pace();
    if (pace.step_ns == 0 || next_number(&pace.state) % 2 == 0 || pace.left_ns < pace.step_ns ||
        __atomic_add_fetch(&spent_ns, pace.step_ns, __ATOMIC_RELAXED) > PROCESS_BUDGET_NS)
        return;
    pace.left_ns -= pace.step_ns;
    for (int64_t until = now_ns() + pace.step_ns; now_ns() < until;)
        ;
}

#define AROUND(type, name, parameters, arguments)                                                                      \
    type name parameters                                                                                               \
    {                                                                                                                  \
        REAL(name);                                                                                                    \
        dawdle();                                                                                                      \
        type result = real arguments;                                                                                  \
        dawdle();                                                                                                      \
        return result;                                                                                                 \
    }

AROUND(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
AROUND(int, pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))
AROUND(int, pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex))
AROUND(int, pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *mutex), (condition, mutex))
AROUND(int, pthread_cond_timedwait,
       (pthread_cond_t * condition, pthread_mutex_t *mutex, const struct timespec *deadline),
       (condition, mutex, deadline))
AROUND(int, pthread_cond_clockwait,
       (pthread_cond_t * condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *deadline),
       (condition, mutex, clock, deadline))
AROUND(int, pthread_cond_signal, (pthread_cond_t * condition), (condition))
AROUND(int, pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
AROUND(int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
AROUND(int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
AROUND(int, pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock))
AROUND(int, pthread_join, (pthread_t thread, void **result_of_it), (thread, result_of_it))
AROUND(int, sem_wait, (sem_t * semaphore), (semaphore))
AROUND(int, sem_post, (sem_t * semaphore), (semaphore))

/* A gate of the harness was passed: whoever came through may be slow to go on. */
long syscall(long number, ...)
{
    long words[6];
    va_list arguments;

    REAL(syscall);
    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        words[i] = va_arg(arguments, long);
    va_end(arguments);
    long result = real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
    if (number == SYS_futex)
        dawdle();
    return result;
}

/* ---- a thread that is slow to begin ------------------------------------------------------------------------------ */

static struct begin {
    void *(*body)(void *);
    void *argument;
} begins[STARTS];
static int begin_count; /* atomic */

static void *begin_slowly(void *argument)
{
    struct begin begin = *(struct begin *)argument;

    dawdle();
    return begin.body(begin.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
    REAL(pthread_create);
    int place = __atomic_fetch_add(&begin_count, 1, __ATOMIC_RELAXED);
    dawdle();
    int error;
    if (place < STARTS) {
        begins[place] = (struct begin){body, argument};
        error = real(thread, attributes, begin_slowly, &begins[place]);
    } else {
        error = real(thread, attributes, body, argument);
    }
    dawdle();
    return error;
}
