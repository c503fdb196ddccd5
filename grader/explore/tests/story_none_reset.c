/* Reads under the lock, lets go, and writes another time what depends on nothing that it read: the check fails for
 * another reason (two threads may both be last). What is said must be only what the trace shows.
 *
 * explore: => assertion within 200 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int turns, last;

static void *turn(void *argument)
{
    pthread_mutex_lock(&mutex);
    turns++;
    last = *(int *)argument;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(void)
{
    int names[2] = {1, 2};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, turn, &names[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert(turns == 2 && last == 2);
    return 0;
}
