/* Two threads add without a lock.
 * explore: => race within 3 */
#include <pthread.h>

static int counter;

static void *add(void *argument)
{
    counter++;
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, add, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
