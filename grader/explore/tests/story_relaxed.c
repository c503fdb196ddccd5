/* Published by a relaxed store.
 *
 * explore: => race within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stdatomic.h>
#ifdef RIGHT
#define ORDER memory_order_release
#else
#define ORDER memory_order_relaxed
#endif

static struct config {
    int size;
} config;
static _Atomic(struct config *) published;

static void *reader(void *argument)
{
    struct config *seen = atomic_load_explicit(&published, memory_order_acquire);
    if (seen)
        return seen->size == 7 ? NULL : argument;
    return NULL;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, reader, NULL);
    config.size = 7;
    atomic_store_explicit(&published, &config, ORDER);
    pthread_join(thread, NULL);
    return 0;
}
