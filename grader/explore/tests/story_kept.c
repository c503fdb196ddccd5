/* A thread ends with the lock.
 *
 * explore: => misuse|deadlock within 200
 *
 * explore: -DRIGHT => everything */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int stock;

static void *take(void *argument)
{
    pthread_mutex_lock(&mutex);
    if (stock == 0) {
#ifdef RIGHT
        pthread_mutex_unlock(&mutex);
#endif
        return NULL;
    }
    stock--;
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, take, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
