/* A loop that polls a flag under its lock, without a pause: a fair schedule ends it.
 * explore: --preemptions 1 => bound 1 */
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
    int seen = 0;
    pthread_create(&thread, NULL, work, NULL);
    while (!seen) {
        pthread_mutex_lock(&mutex);
        seen = done;
        pthread_mutex_unlock(&mutex);
    }
    pthread_join(thread, NULL);
    return 0;
}
