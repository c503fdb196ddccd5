/* Data handed over by release and acquire, a counter by relaxed additions, a lock of our own.
 * explore: => bound 2 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int ready, count;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static int data, guarded;

static void *give(void *argument)
{
    data = 42;
    atomic_store_explicit(&ready, 1, memory_order_release);
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
        ;
    guarded++;
    atomic_flag_clear_explicit(&lock, memory_order_release);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, give, NULL);
    while (!atomic_load_explicit(&ready, memory_order_acquire))
        ;
    assert(data == 42);
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
        ;
    guarded++;
    atomic_flag_clear_explicit(&lock, memory_order_release);
    pthread_join(thread, NULL);
    assert(atomic_load(&count) == 2 && guarded == 2);
    return 0;
}
