/* Peterson's lock: right with sequential consistency, a race where the marks are relaxed. `turn` is a static variable
 * that one function alone uses, which a compiler may not make that function's own.
 * explore: => everything
 * explore: -DRELAXED => race|assertion within 200 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef RELAXED
#define ORDER memory_order_relaxed
#else
#define ORDER memory_order_seq_cst
#endif

static atomic_int wants[2], turn;
static int count;

static void *enter(void *argument)
{
    int me = argument != NULL, other = 1 - me;
    atomic_store_explicit(&wants[me], 1, ORDER);
    atomic_store_explicit(&turn, other, ORDER);
    while (atomic_load_explicit(&wants[other], ORDER) && atomic_load_explicit(&turn, ORDER) == other)
        ;
    count++;
    atomic_store_explicit(&wants[me], 0, ORDER);
    return NULL;
}

int main(void)
{
    pthread_t threads[2];
    assert(pthread_create(&threads[0], NULL, enter, NULL) == 0);
    assert(pthread_create(&threads[1], NULL, enter, &count) == 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert(count == 2);
}
