/* Joins a thread while holding the lock that it needs.
 *
 * explore: => deadlock within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int done;

static void *work(void *argument)
{
    pthread_mutex_lock(&mutex);
    done++;
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    pthread_mutex_lock(&mutex);
#ifdef RIGHT
    pthread_mutex_unlock(&mutex);
#endif
    pthread_join(thread, NULL);
#ifndef RIGHT
    pthread_mutex_unlock(&mutex);
#endif
    return 0;
}
