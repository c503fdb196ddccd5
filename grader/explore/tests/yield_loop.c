/* Waits by yielding; a fair schedule ends it.
 * explore: => bound 2 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static atomic_int flag;

static void *set(void *argument)
{
    atomic_store(&flag, 1);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, set, NULL);
    while (!atomic_load(&flag))
        sched_yield();
    pthread_join(thread, NULL);
    return 0;
}
