/* More threads than two words have bits, all at once.
 * explore: --runs 20 => nothing
 * explore: --runs 20 -DUNLOCKED => race within 1
 * explore: --runs 20 -DTHREADS=300 => status 2 more.than.250.threads */
#include <assert.h>
#include <pthread.h>
#include <sched.h>

#ifndef THREADS
#define THREADS 200
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int counter, never_written;

static void *counts(void *argument)
{
    sched_yield();
    pthread_rwlock_rdlock(&rwlock);
    int seen = never_written;
    pthread_rwlock_unlock(&rwlock);
#ifndef UNLOCKED
    pthread_mutex_lock(&mutex);
#endif
    counter += 1 + seen;
#ifndef UNLOCKED
    pthread_mutex_unlock(&mutex);
#endif
    return argument;
}

int main(void)
{
    static pthread_t threads[THREADS];
    (void)mutex;
    for (int i = 0; i < THREADS; i++)
        assert(pthread_create(&threads[i], NULL, counts, &threads[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        assert(pthread_join(threads[i], &result) == 0 && result == &threads[i]);
    }
    assert(counter == THREADS);
    return 0;
}
