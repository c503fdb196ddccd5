/* A change that somebody waits for, and no signal on one way out.
 *
 * explore: => lost-wakeup within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stdbool.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool closed;

static void *waiter(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (!closed)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, waiter, NULL);
    pthread_mutex_lock(&mutex);
    closed = true;
#ifdef RIGHT
    pthread_cond_broadcast(&changed);
#endif
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    return 0;
}
