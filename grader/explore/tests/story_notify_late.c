/* Signals after the unlock, when the other may have freed the object already.
 *
 * explore: => heap|race|misuse within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct future {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_set;
};

static void *setter(void *argument)
{
    struct future *future = argument;
    pthread_mutex_lock(&future->mutex);
    future->is_set = true;
#ifdef RIGHT
    pthread_cond_signal(&future->changed);
    pthread_mutex_unlock(&future->mutex);
#else
    pthread_mutex_unlock(&future->mutex);
    pthread_cond_signal(&future->changed);
#endif
    return NULL;
}

int main(void)
{
    pthread_t thread;
    struct future *future = calloc(1, sizeof *future);
    pthread_create(&thread, NULL, setter, future);
    pthread_mutex_lock(&future->mutex);
    while (!future->is_set)
        pthread_cond_wait(&future->changed, &future->mutex);
    pthread_mutex_unlock(&future->mutex);
    free(future);
    pthread_join(thread, NULL);
    return 0;
}
