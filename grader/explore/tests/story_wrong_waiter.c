/* One condition variable, two kinds of waiter, one signal.
 *
 * explore: => lost-wakeup within 200
 *
 * explore: -DRIGHT => bound 1 */
#include <pthread.h>
#ifdef RIGHT
#define NOTIFY pthread_cond_broadcast
#else
#define NOTIFY pthread_cond_signal
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int full;

static void *producer(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (full)
        pthread_cond_wait(&changed, &mutex);
    full = 1;
    NOTIFY(&changed);
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *consumer(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (!full)
        pthread_cond_wait(&changed, &mutex);
    full = 0;
    NOTIFY(&changed);
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, i < 3 ? consumer : producer, NULL);
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
