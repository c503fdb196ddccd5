/* One way out does not post.
 *
 * explore: => deadlock within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <semaphore.h>

static sem_t items;

static void *producer(void *argument)
{
    for (int i = 0; i < 3; i++) {
#ifndef RIGHT
        if (i == 1)
            continue;
#endif
        sem_post(&items);
    }
    return argument;
}

int main(void)
{
    pthread_t thread;
    sem_init(&items, 0, 0);
    pthread_create(&thread, NULL, producer, NULL);
    for (int i = 0; i < 3; i++)
        sem_wait(&items);
    pthread_join(thread, NULL);
    sem_destroy(&items);
    return 0;
}
