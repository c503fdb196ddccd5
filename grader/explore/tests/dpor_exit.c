/* main ends the program while a detached thread still runs: only where that one comes before the end, and after the
 * other, does the assertion fail.
 * explore: --preemptions all => assertion within 20
 * explore: => assertion within 20 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ready;

static void *late(void *argument)
{
    pthread_mutex_lock(&mutex);
    assert(!ready);
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *make_ready(void *argument)
{
    pthread_mutex_lock(&mutex);
    ready = 1;
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t alone, joined;
    pthread_create(&joined, NULL, make_ready, NULL);
    pthread_create(&alone, NULL, late, NULL);
    pthread_detach(alone);
    pthread_join(joined, NULL);
    exit(0);
}
