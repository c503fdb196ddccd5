/* A call by a pointer to a function that is null: the line is that of the call (story.sh).
 *
 * explore: => crash within 20
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stddef.h>

static void (*volatile discard)(void *);

static void *run(void *item)
{
#ifdef RIGHT
    if (discard == NULL)
        return item;
#endif
    discard(item);
    return item;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, NULL);
    return 0;
}
