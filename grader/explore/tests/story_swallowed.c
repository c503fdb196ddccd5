/* A waiter with a time limit is woken, looks whether it was cancelled first, and leaves.
 *
 * explore: => lost-wakeup within 200
 *
 * explore: -DRIGHT => bound 1 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int count;
static bool cancelled;

static void take(void)
{
    if (--count > 0)
        pthread_cond_signal(&filled);
}

static void *patient(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (count == 0)
        pthread_cond_wait(&filled, &mutex);
    take();
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *hasty(void *argument)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 1;
    int error = 0;
    pthread_mutex_lock(&mutex);
    while (count == 0 && error == 0) {
        error = pthread_cond_timedwait(&filled, &mutex, &limit);
        if (cancelled) {
#ifdef RIGHT
            if (count > 0)
                pthread_cond_signal(&filled);
#endif
            pthread_mutex_unlock(&mutex);
            return argument;
        }
    }
    if (count > 0)
        take();
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *producer(void *argument)
{
    pthread_mutex_lock(&mutex);
    cancelled = true;
    count += 2;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, patient, NULL);
    pthread_create(&threads[1], NULL, hasty, NULL);
    pthread_create(&threads[2], NULL, producer, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
