/* A thread comes to the barrier again and takes the place of another.
 *
 * explore: => deadlock within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>

static pthread_barrier_t barrier;

static void *work(void *argument)
{
    int rounds = *(int *)argument;
    for (int i = 0; i < rounds; i++)
        pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void)
{
#ifdef RIGHT
    int rounds[2] = {2, 2};
#else
    int rounds[2] = {2, 1};
#endif
    pthread_t threads[2];
    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, &rounds[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    return 0;
}
