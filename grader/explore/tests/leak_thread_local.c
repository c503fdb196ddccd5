/* Only a thread-local variable of a thread that has ended pointed to what nobody has freed.
 * explore: --cc clang -femulated-tls => leak within 10
 * explore: => leak within 10 */
#include <pthread.h>
#include <stdlib.h>

static _Thread_local int *mine;

static void *keep(void *unused)
{
    (void)unused;
    mine = malloc(sizeof *mine);
    if (mine != NULL)
        *mine = 1;
    return NULL;
}

int main(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, keep, NULL) != 0)
        return 1;
    return pthread_join(thread, NULL);
}
