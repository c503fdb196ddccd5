/* Does what its argument says: for --each, where several searches follow each other in one process (story.sh). The one
 * named many needs what the others assume to be needless: it looks whether a mutex is free.
 * explore: => exit-status within 1 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int count, *kept;

static void *add(void *is_guarded)
{
    if (is_guarded)
        pthread_mutex_lock(&mutex);
    count++;
    if (is_guarded)
        pthread_mutex_unlock(&mutex);
    return NULL;
}

static void *add_if_free(void *argument)
{
    for (int i = 0; i < 3; i++)
        if (pthread_mutex_trylock(&mutex) == 0) {
            count++;
            pthread_mutex_unlock(&mutex);
        }
    return argument;
}

static void run(void *(*body)(void *), void *argument, int n)
{
    pthread_t threads[4];
    for (int i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, body, argument);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    if (argc != 2 || kept != NULL || count != 0)
        return 3;
    kept = calloc(1, sizeof *kept);
    if (strcmp(argv[1], "right") == 0)
        run(add, argv, 2);
    else if (strcmp(argv[1], "many") == 0)
        run(add_if_free, NULL, 3);
    else
        run(add, NULL, 2);
    free(kept);
    return 0;
}
