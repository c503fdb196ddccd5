/* Destroyed while another still needs it.
 *
 * explore: => misuse|race within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>

static pthread_mutex_t mutex;
static int done;

static void *work(void *argument)
{
    pthread_mutex_lock(&mutex);
    done = 1;
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_mutex_init(&mutex, NULL);
    pthread_create(&thread, NULL, work, NULL);
#ifdef RIGHT
    pthread_join(thread, NULL);
    pthread_mutex_destroy(&mutex);
#else
    pthread_mutex_destroy(&mutex);
    pthread_join(thread, NULL);
#endif
    return 0;
}
