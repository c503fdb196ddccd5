/* What POSIX and C17 say that each call returns, continued: locks that die with their owner, limits, named semaphores,
 * keys, cancellation, C11's threads.
 * explore: => bound 2 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const struct timespec past = {.tv_sec = 1}, bad = {.tv_nsec = 1000000000}, negative = {.tv_nsec = -1};
static pthread_mutex_t robust, plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static mtx_t c11_plain, c11_recursive;

static pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    assert(pthread_create(&thread, NULL, body, argument) == 0);
    return thread;
}

static void run(void *(*body)(void *))
{
    void *result;
    assert(pthread_join(start(body, &plain), &result) == 0 && result == &plain);
}

static void *dies(void *argument)
{
    assert(pthread_mutex_lock(&robust) == 0);
    return argument;
}

/* All that finds held what the first thread holds. */
static void *finds_held(void *argument)
{
    assert(pthread_mutex_trylock(&plain) == EBUSY);
    assert(pthread_mutex_timedlock(&plain, &past) == ETIMEDOUT && pthread_mutex_timedlock(&plain, &bad) == EINVAL);
    assert(pthread_mutex_clocklock(&plain, CLOCK_MONOTONIC, &past) == ETIMEDOUT);
    assert(pthread_mutex_clocklock(&plain, CLOCK_THREAD_CPUTIME_ID, &past) == EINVAL);
    assert(pthread_rwlock_trywrlock(&rwlock) == EBUSY && pthread_rwlock_tryrdlock(&rwlock) == EBUSY);
    assert(pthread_rwlock_timedrdlock(&rwlock, &past) == ETIMEDOUT);
    assert(pthread_rwlock_timedwrlock(&rwlock, &past) == ETIMEDOUT);
    assert(pthread_rwlock_timedwrlock(&rwlock, &negative) == EINVAL);
    assert(pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &past) == ETIMEDOUT);
    assert(pthread_spin_trylock(&spin) == EBUSY);
    assert(mtx_trylock(&c11_plain) == thrd_busy && mtx_timedlock(&c11_plain, &past) == thrd_timedout);
    return argument;
}

static void held(void)
{
    assert(pthread_mutex_timedlock(&plain, &bad) == 0); /* free: the limit is not looked at */
    assert(pthread_mutex_unlock(&plain) == 0);
    assert(pthread_mutex_timedlock(&plain, &past) == 0);
    assert(pthread_rwlock_timedwrlock(&rwlock, &past) == 0);
    assert(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE) == 0 && pthread_spin_lock(&spin) == 0);
    assert(mtx_init(&c11_plain, mtx_timed) == thrd_success && mtx_lock(&c11_plain) == thrd_success);
    run(finds_held);
    assert(pthread_mutex_unlock(&plain) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
    assert(pthread_spin_unlock(&spin) == 0 && pthread_spin_destroy(&spin) == 0);
    assert(mtx_unlock(&c11_plain) == thrd_success);
    mtx_destroy(&c11_plain);
}

static void robusts(void)
{
    pthread_mutexattr_t attributes;
    int type = -1;
    assert(pthread_mutexattr_init(&attributes) == 0 && pthread_mutexattr_settype(&attributes, 99) == EINVAL);
    assert(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    assert(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) == 0);
    assert(pthread_mutexattr_gettype(&attributes, &type) == 0 && type == PTHREAD_MUTEX_ERRORCHECK);
    assert(pthread_mutex_init(&robust, &attributes) == 0 && pthread_mutexattr_destroy(&attributes) == 0);
    run(dies);
    assert(pthread_mutex_trylock(&robust) == EOWNERDEAD && pthread_mutex_lock(&robust) == EDEADLK);
    assert(pthread_mutex_consistent(&robust) == 0 && pthread_mutex_consistent(&robust) == EINVAL);
    assert(pthread_mutex_unlock(&robust) == 0 && pthread_mutex_unlock(&robust) == EPERM);
    assert(pthread_cond_wait(&cond, &robust) == EPERM);
    run(dies);
    assert(pthread_mutex_timedlock(&robust, &past) == EOWNERDEAD && pthread_mutex_unlock(&robust) == 0);
    assert(pthread_mutex_timedlock(&robust, &past) == ENOTRECOVERABLE && pthread_mutex_destroy(&robust) == 0);
}

static void limits(void)
{
    assert(pthread_mutex_lock(&plain) == 0);
    assert(pthread_cond_clockwait(&cond, &plain, CLOCK_PROCESS_CPUTIME_ID, &past) == EINVAL);
    assert(pthread_cond_timedwait(&cond, &plain, &negative) == EINVAL && pthread_mutex_unlock(&plain) == 0);
    assert(nanosleep(&bad, NULL) == -1 && errno == EINVAL && nanosleep(&negative, NULL) == -1);
    assert(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL) == EINVAL);
    assert(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL) == 0);
    assert(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &past, NULL) == EINVAL);
    struct timespec now;
    assert(clock_gettime(12345, &now) == -1 && errno == EINVAL && clock_getres(12345, NULL) == -1);
    assert(timespec_get(&now, TIME_UTC) == TIME_UTC && timespec_get(&now, 99) == 0);
    assert(usleep(10) == 0 && sleep(1) == 0 && sched_yield() == 0);
}

static void semaphores(void)
{
    int value;
    assert(sem_init(&semaphore, 0, (unsigned)SEM_VALUE_MAX + 1) == -1 && errno == EINVAL);
    assert(sem_init(&semaphore, 0, SEM_VALUE_MAX) == 0 && sem_post(&semaphore) == -1 && errno == EOVERFLOW);
    assert(sem_getvalue(&semaphore, &value) == 0 && value == SEM_VALUE_MAX && sem_destroy(&semaphore) == 0);
    assert(sem_init(&semaphore, 0, 0) == 0 && sem_timedwait(&semaphore, &bad) == -1 && errno == EINVAL);
    assert(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &past) == -1 && errno == ETIMEDOUT);
    assert(sem_destroy(&semaphore) == 0);
    assert(sem_open("/interleave", 0) == SEM_FAILED && errno == ENOENT && sem_unlink("/interleave") == -1);
    sem_t *named = sem_open("/interleave", O_CREAT | O_EXCL, 0600, 1);
    assert(named != SEM_FAILED && sem_open("/interleave", O_CREAT, 0600, 7) == named);
    assert(sem_open("/interleave", O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED && errno == EEXIST);
    assert(sem_wait(named) == 0 && sem_trywait(named) == -1 && errno == EAGAIN && sem_post(named) == 0);
    assert(sem_close(named) == 0 && sem_close(named) == 0 && sem_close(named) == -1 && errno == EINVAL);
    assert(sem_unlink("/interleave") == 0 && sem_unlink("/interleave") == -1 && errno == ENOENT);
}

static void *waits_to_be_let_go(void *argument)
{
    assert(sem_wait(&semaphore) == 0);
    return argument;
}

static void threads(void)
{
    void *result;
    assert(sem_init(&semaphore, 0, 0) == 0);
    pthread_t thread = start(waits_to_be_let_go, &plain);
    assert(pthread_tryjoin_np(thread, &result) == EBUSY && pthread_timedjoin_np(thread, &result, &past) == ETIMEDOUT);
    assert(sem_post(&semaphore) == 0);
    assert(pthread_join(thread, &result) == 0 && result == &plain && sem_destroy(&semaphore) == 0);
    pthread_t nobody = (pthread_t)12345;
    assert(pthread_join(nobody, NULL) == ESRCH && pthread_detach(nobody) == ESRCH && pthread_cancel(nobody) == ESRCH);
    assert(pthread_setcancelstate(99, NULL) == EINVAL && pthread_setcanceltype(99, NULL) == EINVAL);
    pthread_attr_t attributes;
    assert(pthread_attr_init(&attributes) == 0 && pthread_attr_setdetachstate(&attributes, 99) == EINVAL);
    assert(pthread_attr_setstacksize(&attributes, 1) == EINVAL && pthread_attr_destroy(&attributes) == 0);
}

static void keys(void)
{
    pthread_key_t key[PTHREAD_KEYS_MAX + 1];
    unsigned n = 0;
    while (pthread_key_create(&key[n], NULL) == 0)
        assert(++n <= PTHREAD_KEYS_MAX);
    assert(n >= _POSIX_THREAD_KEYS_MAX && pthread_key_create(&key[n], NULL) == EAGAIN);
    assert(pthread_setspecific(key[n - 1], key) == 0 && pthread_getspecific(key[n - 1]) == key);
    for (unsigned i = 0; i < n; i++)
        assert(pthread_key_delete(key[i]) == 0);
    assert(pthread_key_delete(key[0]) == EINVAL && pthread_setspecific(key[0], key) == EINVAL);
}

static int c11_body(void *argument)
{
    return *(int *)argument + 1;
}

static void c11(void)
{
    thrd_t thread;
    cnd_t condition;
    tss_t key;
    int number = 41, result = 0;
    assert(thrd_create(&thread, c11_body, &number) == thrd_success);
    assert(thrd_join(thread, &result) == thrd_success && result == 42);
    assert(thrd_equal(thrd_current(), thrd_current()));
    assert(mtx_init(&c11_recursive, mtx_plain | mtx_recursive) == thrd_success);
    assert(mtx_lock(&c11_recursive) == thrd_success && mtx_trylock(&c11_recursive) == thrd_success);
    assert(mtx_unlock(&c11_recursive) == thrd_success && mtx_unlock(&c11_recursive) == thrd_success);
    assert(mtx_init(&c11_plain, mtx_plain) == thrd_success && mtx_lock(&c11_plain) == thrd_success);
    assert(cnd_init(&condition) == thrd_success && cnd_timedwait(&condition, &c11_plain, &past) == thrd_timedout);
    assert(cnd_signal(&condition) == thrd_success && cnd_broadcast(&condition) == thrd_success);
    assert(mtx_unlock(&c11_plain) == thrd_success);
    cnd_destroy(&condition);
    mtx_destroy(&c11_plain);
    mtx_destroy(&c11_recursive);
    assert(tss_create(&key, NULL) == thrd_success && tss_set(key, &key) == thrd_success && tss_get(key) == &key);
    tss_delete(key);
    assert(thrd_sleep(&(struct timespec){.tv_nsec = 5}, NULL) == 0);
}

static void *at_barrier(void *argument)
{
    int result = pthread_barrier_wait(argument);
    assert(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
    if (result) /* everybody has come, so it may go, though the other has not returned */
        assert(pthread_barrier_destroy(argument) == 0);
    return argument;
}

static void barriers(void)
{
    pthread_barrier_t barrier;
    assert(pthread_barrier_init(&barrier, NULL, 2) == 0);
    pthread_t thread = start(at_barrier, &barrier);
    at_barrier(&barrier);
    assert(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    held();
    robusts();
    limits();
    semaphores();
    threads();
    keys();
    c11();
    barriers();
    char *page = mmap(NULL, 5000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(page != MAP_FAILED && page[4999] == 0 && munmap(page, 5000) == 0);
    flockfile(stdout);
    assert(ftrylockfile(stdout) == 0);
    funlockfile(stdout);
    funlockfile(stdout);
    return 0;
}
