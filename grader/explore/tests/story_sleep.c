/* A sleep that is thought to order.
 *
 * explore: => race|assertion within 200
 *
 * explore: -DRIGHT => bound 2 */
#define _DEFAULT_SOURCE
#include <assert.h>
#include <pthread.h>
#include <unistd.h>

static int result;

static void *compute(void *argument)
{
    result = 42;
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, compute, NULL);
#ifdef RIGHT
    pthread_join(thread, NULL);
    assert(result == 42);
#else
    usleep(100000);
    assert(result == 42);
    pthread_join(thread, NULL);
#endif
    return 0;
}
