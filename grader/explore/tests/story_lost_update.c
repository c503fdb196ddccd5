/* Read in one critical section, written in the next.
 *
 * explore: => assertion within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int value;
} counter;

static void *add(void *argument)
{
    pthread_mutex_lock(&mutex);
    int seen = counter.value;
#ifndef RIGHT
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
#endif
    counter.value = seen + 1;
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, add, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert(counter.value == 2);
    return 0;
}
