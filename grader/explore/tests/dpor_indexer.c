/* indexer(13) of Flanagan & Godefroid (POPL 2005): threads put numbers into a hash table by compare-and-swap. Up to 11
 * threads never meet; the 12th and the 13th meet others at three places each: 8 · 8 = 64 traces.
 * explore: --preemptions all => traces 64 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum { THREADS = 13, SIZE = 128, MOST = 4 };

static atomic_int table[SIZE];

static void *work(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (int m = 1; m <= MOST; m++) {
        int number = m * 11 + me, at = number * 7 % SIZE, nothing = 0;
        while (!atomic_compare_exchange_strong(&table[at], &nothing, number)) {
            at = (at + 1) % SIZE;
            nothing = 0;
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
