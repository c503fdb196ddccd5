/* Fails, and no known mistake is in it: two threads come in either order, and both are right. No story may be told.
 *
 * explore: => assertion within 200 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int order[2], n;

static void *come(void *argument)
{
    pthread_mutex_lock(&mutex);
    order[n++] = *(int *)argument;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(void)
{
    int names[2] = {1, 2};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, come, &names[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert(order[0] == 1);
    return 0;
}
