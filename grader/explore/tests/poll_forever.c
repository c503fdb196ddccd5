/* A loop that polls a flag under its lock, which nobody sets: no schedule ends it, however fair. Main waits for it.
 * explore: => livelock within 1 */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int done;

static void *poll(void *argument)
{
    int seen = 0;
    while (!seen) {
        pthread_mutex_lock(&mutex);
        seen = done;
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, poll, NULL);
    pthread_join(thread, NULL);
    return 0;
}
