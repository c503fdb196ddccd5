/* An hour costs nothing, and deadlines come in order.
 * explore: => bound 2 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int order;

static void *late(void *argument)
{
    sleep(3600);
    pthread_mutex_lock(&mutex);
    order = order * 10 + 2;
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t thread;
    struct timespec before, after, limit;
    pthread_create(&thread, NULL, late, NULL);
    clock_gettime(CLOCK_MONOTONIC, &before);
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 7200;
    pthread_mutex_lock(&mutex);
    while (pthread_cond_timedwait(&never, &mutex, &limit) == 0)
        ;
    order = order * 10 + 1;
    assert(order == 21 || order == 12 || order == 1);
    pthread_mutex_unlock(&mutex);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert(after.tv_sec - before.tv_sec >= 7200);
    pthread_join(thread, NULL);
    return 0;
}
