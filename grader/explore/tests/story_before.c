/* A signal that comes before the wait is not remembered.
 *
 * explore: => lost-wakeup within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;
#ifdef RIGHT
static int is_started;
#endif

static void *starter(void *argument)
{
    pthread_mutex_lock(&mutex);
#ifdef RIGHT
    is_started = 1;
#endif
    pthread_cond_signal(&started);
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, starter, NULL);
    pthread_mutex_lock(&mutex);
#ifdef RIGHT
    while (!is_started)
#endif
        pthread_cond_wait(&started, &mutex);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    return 0;
}
