/* What POSIX says that each call returns, call by call.
 * explore: --preemptions all -D_GNU_SOURCE => everything */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

static pthread_mutex_t checked, recursive, robust, plain = PTHREAD_MUTEX_INITIALIZER;

static void make(pthread_mutex_t *mutex, int type, int robustness)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutexattr_setrobust(&attributes, robustness);
    assert(pthread_mutex_init(mutex, &attributes) == 0);
    pthread_mutexattr_destroy(&attributes);
}

static void *others_locks(void *argument)
{
    assert(pthread_mutex_unlock(&checked) == EPERM);
    assert(pthread_mutex_trylock(&checked) == EBUSY);
    assert(pthread_mutex_unlock(&recursive) == EPERM);
    struct timespec past = {.tv_sec = 1}, bad = {.tv_nsec = 1000000000};
    assert(pthread_mutex_timedlock(&checked, &past) == ETIMEDOUT);
    assert(pthread_mutex_timedlock(&checked, &bad) == EINVAL);
    return argument;
}

static void *dies(void *argument)
{
    assert(pthread_mutex_lock(&robust) == 0);
    return argument;
}

static void mutexes(void)
{
    pthread_t thread;
    make(&checked, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
    make(&recursive, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
    make(&robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    assert(pthread_mutex_unlock(&checked) == EPERM);
    assert(pthread_mutex_lock(&checked) == 0 && pthread_mutex_lock(&checked) == EDEADLK);
    assert(pthread_mutex_lock(&recursive) == 0 && pthread_mutex_lock(&recursive) == 0);
    assert(pthread_mutex_trylock(&recursive) == 0);
    pthread_create(&thread, NULL, others_locks, NULL);
    assert(pthread_join(thread, NULL) == 0);
    assert(pthread_mutex_unlock(&recursive) == 0 && pthread_mutex_unlock(&recursive) == 0);
    assert(pthread_mutex_unlock(&recursive) == 0 && pthread_mutex_unlock(&recursive) == EPERM);
    assert(pthread_mutex_unlock(&checked) == 0 && pthread_mutex_destroy(&checked) == 0);
    pthread_create(&thread, NULL, dies, NULL);
    pthread_join(thread, NULL);
    assert(pthread_mutex_consistent(&robust) == EINVAL);
    assert(pthread_mutex_lock(&robust) == EOWNERDEAD && pthread_mutex_consistent(&robust) == 0);
    assert(pthread_mutex_unlock(&robust) == 0 && pthread_mutex_lock(&robust) == 0);
    assert(pthread_mutex_unlock(&robust) == 0);
    pthread_create(&thread, NULL, dies, NULL);
    pthread_join(thread, NULL);
    assert(pthread_mutex_lock(&robust) == EOWNERDEAD && pthread_mutex_unlock(&robust) == 0);
    assert(pthread_mutex_lock(&robust) == ENOTRECOVERABLE && pthread_mutex_trylock(&robust) == ENOTRECOVERABLE);
    assert(pthread_mutex_destroy(&robust) == 0);
}

static void waits(void)
{
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    struct timespec past = {.tv_sec = 1}, bad = {.tv_nsec = -1};
    pthread_mutex_lock(&plain);
    assert(pthread_cond_timedwait(&cond, &plain, &past) == ETIMEDOUT);
    assert(pthread_cond_timedwait(&cond, &plain, &bad) == EINVAL);
    assert(pthread_cond_clockwait(&cond, &plain, CLOCK_MONOTONIC, &past) == ETIMEDOUT);
    assert(pthread_cond_signal(&cond) == 0 && pthread_cond_broadcast(&cond) == 0);
    pthread_mutex_unlock(&plain);
    assert(pthread_cond_destroy(&cond) == 0);
}

static void semaphores(void)
{
    sem_t semaphore;
    int value;
    struct timespec past = {.tv_sec = 1};
    assert(sem_init(&semaphore, 0, 1) == 0 && sem_getvalue(&semaphore, &value) == 0 && value == 1);
    assert(sem_wait(&semaphore) == 0 && sem_trywait(&semaphore) == -1 && errno == EAGAIN);
    assert(sem_timedwait(&semaphore, &past) == -1 && errno == ETIMEDOUT);
    assert(sem_post(&semaphore) == 0 && sem_trywait(&semaphore) == 0 && sem_destroy(&semaphore) == 0);
}

static void rwlocks(void)
{
    pthread_rwlock_t lock;
    assert(pthread_rwlock_init(&lock, NULL) == 0);
    assert(pthread_rwlock_rdlock(&lock) == 0 && pthread_rwlock_tryrdlock(&lock) == 0);
    assert(pthread_rwlock_trywrlock(&lock) == EBUSY);
    assert(pthread_rwlock_unlock(&lock) == 0 && pthread_rwlock_unlock(&lock) == 0);
    assert(pthread_rwlock_wrlock(&lock) == 0 && pthread_rwlock_tryrdlock(&lock) == EBUSY);
    assert(pthread_rwlock_rdlock(&lock) == EDEADLK && pthread_rwlock_wrlock(&lock) == EDEADLK);
    assert(pthread_rwlock_unlock(&lock) == 0 && pthread_rwlock_destroy(&lock) == 0);
}

static void threads_and_keys(void)
{
    pthread_key_t key;
    pthread_barrier_t barrier;
    assert(pthread_join(pthread_self(), NULL) == EDEADLK);
    assert(pthread_equal(pthread_self(), pthread_self()));
    assert(pthread_key_create(&key, NULL) == 0 && pthread_getspecific(key) == NULL);
    assert(pthread_setspecific(key, &key) == 0 && pthread_getspecific(key) == &key);
    assert(pthread_key_delete(key) == 0 && pthread_setspecific(key, &key) == EINVAL);
    assert(pthread_barrier_init(&barrier, NULL, 0) == EINVAL && pthread_barrier_init(&barrier, NULL, 1) == 0);
    assert(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD && pthread_barrier_destroy(&barrier) == 0);
}

int main(void)
{
    mutexes();
    waits();
    semaphores();
    rwlocks();
    threads_and_keys();
    return 0;
}
