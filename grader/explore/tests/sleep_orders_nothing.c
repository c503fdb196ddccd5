/* A sleep in place of a join.
 * explore: => race|assertion within 10 */
#include <assert.h>
#include <pthread.h>
#include <unistd.h>

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
    usleep(100000);
    pthread_mutex_lock(&mutex);
    assert(done);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    return 0;
}
