/* Double-checked locking with a plain pointer.
 *
 * explore: => race within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

struct config {
    int size;
};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct config storage;
#ifdef RIGHT
static _Atomic(struct config *) instance;
#else
static struct config *instance;
#endif

static struct config *get(void)
{
    if (instance == NULL) {
        pthread_mutex_lock(&mutex);
        if (instance == NULL) {
            storage.size = 3;
            instance = &storage;
        }
        pthread_mutex_unlock(&mutex);
    }
    return instance;
}

static void *work(void *argument)
{
    return get()->size == 3 ? NULL : argument;
}

int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
