/* Nobody joins the thread.
 *
 * explore: => misuse within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
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
    pthread_create(&thread, NULL, work, NULL);
#ifdef RIGHT
    pthread_join(thread, NULL);
#endif
    return 0;
}
