/* lastzero(5) of Abdulla et al. (POPL 2014, table 1): 64 traces. One thread looks for the last zero while the others
 * each make an element one more than its neighbour.
 * explore: --preemptions all => traces 64 */
#include <pthread.h>
#include <stdatomic.h>

enum { N = 5 };

static atomic_int array[N + 1];

static void *look(void *argument)
{
    for (int i = N; atomic_load(&array[i]); i--)
        ;
    return argument;
}

static void *work(void *argument)
{
    atomic_int *mine = argument;
    atomic_store(mine, atomic_load(mine - 1) + 1);
    return NULL;
}

int main(void)
{
    pthread_t threads[N + 1];
    pthread_create(&threads[0], NULL, look, NULL);
    for (int i = 1; i <= N; i++)
        pthread_create(&threads[i], NULL, work, &array[i]);
    for (int i = 0; i <= N; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
