/* Relaxed operations with fences around them do order.
 * explore: => everything */
#include <pthread.h>
#include <stdatomic.h>

static atomic_int ready;
static int data;

static void *give(void *argument)
{
    data = 42;
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&ready, 1, memory_order_relaxed);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, give, NULL);
    while (!atomic_load_explicit(&ready, memory_order_relaxed))
        ;
    atomic_thread_fence(memory_order_acquire);
    int seen = data;
    pthread_join(thread, NULL);
    return seen == 42 ? 0 : 1;
}
