/* Two threads add to each other's number: the largest sum needs every step in turn, far more than two preemptions.
 * explore: => everything
 * explore: -DLESS => assertion within 3000 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum { ROUNDS = 4, LARGEST = 55 };

static atomic_int first = 1, second = 1;

static void *add_to_first(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++)
        atomic_store(&first, atomic_load(&first) + atomic_load(&second));
    return NULL;
}

static void *add_to_second(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++)
        atomic_store(&second, atomic_load(&first) + atomic_load(&second));
    return NULL;
}

int main(void)
{
    pthread_t threads[2];
    assert(pthread_create(&threads[0], NULL, add_to_first, NULL) == 0);
    assert(pthread_create(&threads[1], NULL, add_to_second, NULL) == 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
#ifdef LESS
    assert(first < LARGEST && second < LARGEST);
#else
    assert(first <= LARGEST && second <= LARGEST);
#endif
}
