/* Long, but it ends: no finding, and no proof of everything. Where a number of steps was asked for, no verdict.
 * explore: => nothing
 * explore: -DROUNDS=2000000 => nothing
 * explore: -DTHREADS=2 -DROUNDS=15000 => nothing
 * explore: -DTHREADS=2 -DROUNDS=15000 -DWRONG=1 => assertion within 1
 * explore: --steps 20000 => status 2 .takes.60000.steps */
#include <assert.h>
#include <pthread.h>

#ifndef ROUNDS
#define ROUNDS 60000
#endif
#ifndef THREADS
#define THREADS 0
#endif
#ifndef WRONG
#define WRONG 0
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long count; /* guarded by mutex */

static void *add(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        count++;
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS + 1];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, add, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (THREADS == 0)
        add(NULL);
    assert(count == (THREADS ? THREADS : 1) * (long)ROUNDS + WRONG);
    return 0;
}
