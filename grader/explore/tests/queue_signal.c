/* Two producers of two items, two consumers of two, one slot, one condition variable: one is woken, perhaps the wrong
 * one. explore: => lost-wakeup within 20 */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int full, slot, sum;

static void put(int value)
{
    pthread_mutex_lock(&mutex);
    while (full)
        pthread_cond_wait(&changed, &mutex);
    slot = value;
    full = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static void get(void)
{
    pthread_mutex_lock(&mutex);
    while (!full)
        pthread_cond_wait(&changed, &mutex);
    sum += slot;
    full = 0;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static void *producer(void *argument)
{
    put(1);
    put(2);
    return argument;
}

static void *consumer(void *argument)
{
    get();
    get();
    return argument;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, i < 2 ? producer : consumer, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return sum == 6 ? 0 : 1;
}
