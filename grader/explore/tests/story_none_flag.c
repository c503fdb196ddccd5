/* A flag is tested and later set by two threads, and that is right; the check fails for what has nothing to do with it.
 * No story may be told of the flag.
 *
 * explore: => assertion within 200 */
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool stopped;
static int first;

static bool is_stopped(void)
{
    pthread_mutex_lock(&mutex);
    bool value = stopped;
    pthread_mutex_unlock(&mutex);
    return value;
}

static void *work(void *argument)
{
    if (!is_stopped())
        nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    pthread_mutex_lock(&mutex);
    stopped = true;
    if (first == 0)
        first = *(int *)argument;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(void)
{
    int names[2] = {1, 2};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, &names[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert(first == 1);
    return 0;
}
