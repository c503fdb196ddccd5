/* Two threads, one counter, and one of them without the lock.
 *
 * explore: => race within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct counter {
    long value;
} shared;

static void *careful(void *argument)
{
    struct counter *c = argument;
    pthread_mutex_lock(&mutex);
    c->value++;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void *careless(void *argument)
{
    struct counter *c = argument;
#ifdef RIGHT
    pthread_mutex_lock(&mutex);
#endif
    c->value++;
#ifdef RIGHT
    pthread_mutex_unlock(&mutex);
#endif
    return NULL;
}

int main(void)
{
    pthread_t one, two;
    pthread_create(&one, NULL, careful, &shared);
    pthread_create(&two, NULL, careless, &shared);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    return 0;
}
