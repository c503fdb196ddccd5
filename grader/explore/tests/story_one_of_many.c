/* A gate that opens for everyone, and a signal that wakes one.
 *
 * explore: => lost-wakeup within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stdbool.h>
#ifdef RIGHT
#define NOTIFY pthread_cond_broadcast
#else
#define NOTIFY pthread_cond_signal
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool is_open;

static void *visitor(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (!is_open)
        pthread_cond_wait(&opened, &mutex);
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, visitor, NULL);
    pthread_mutex_lock(&mutex);
    is_open = true;
    NOTIFY(&opened);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
