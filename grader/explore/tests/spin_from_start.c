/* A new thread that spins on a plain flag from its first step.
 * explore: => race within 5 */
#include <pthread.h>

static volatile int flag;

static void *set(void *argument)
{
    while (!flag)
        ;
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, set, NULL);
    flag = 1;
    pthread_join(thread, NULL);
    return 0;
}
