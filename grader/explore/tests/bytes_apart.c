/* Neighbouring bytes belong to different threads: no race.
 * explore: => everything */
#include <pthread.h>
#include <string.h>

static char bytes[8];

static void *set(void *argument)
{
    char *mine = argument;
    mine[0] = 1;
    memset(mine + 1, 2, 1);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, set, &bytes[2 * i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return bytes[7] == 2 ? 0 : 1;
}
