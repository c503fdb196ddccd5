/* What the wait tests is changed without the mutex, between the test and the wait.
 *
 * explore: => lost-wakeup within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_int ready;

static void *waiter(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (!atomic_load(&ready))
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, waiter, NULL);
#ifdef RIGHT
    pthread_mutex_lock(&mutex);
    atomic_store(&ready, 1);
    pthread_mutex_unlock(&mutex);
#else
    atomic_store(&ready, 1);
#endif
    pthread_cond_signal(&changed);
    pthread_join(thread, NULL);
    return 0;
}
