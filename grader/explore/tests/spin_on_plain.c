/* A loop that spins on a plain flag.
 * explore: => race within 5 */
#include <pthread.h>

static volatile int flag;

static void *set(void *argument)
{
    flag = 1;
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, set, NULL);
    while (!flag)
        ;
    pthread_join(thread, NULL);
    return 0;
}
