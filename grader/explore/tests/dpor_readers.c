/* readers(8): each of eight readers comes before or after the one writer: 2⁸ traces.
 * explore: --preemptions all => traces 256 */
#include <pthread.h>
#include <stdatomic.h>

enum { READERS = 8 };

static atomic_int shared;

static void *look(void *argument)
{
    (void)atomic_load(&shared);
    return argument;
}

static void *write(void *argument)
{
    atomic_store(&shared, 1);
    return argument;
}

int main(void)
{
    pthread_t threads[READERS + 1];
    for (int i = 0; i <= READERS; i++)
        pthread_create(&threads[i], NULL, i ? look : write, NULL);
    for (int i = 0; i <= READERS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
