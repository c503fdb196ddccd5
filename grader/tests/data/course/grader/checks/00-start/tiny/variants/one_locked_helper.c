/* tiny.c - a total that many threads add to.
 *
 * Another way: a static initialiser, and one function that does the locked work for both calls.
 */
#include "tiny.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct tiny {
    long value; /* guarded by mutex */
    pthread_mutex_t mutex;
};

static long change(struct tiny *tiny, long amount)
{
    pthread_mutex_lock(&tiny->mutex);
    tiny->value = tiny->value + amount;
    long now = tiny->value;
    pthread_mutex_unlock(&tiny->mutex);
    return now;
}

int tiny_create(struct tiny **tiny)
{
    struct tiny *made = malloc(sizeof(struct tiny));

    if (!made)
        return ENOMEM;
    *made = (struct tiny){0, PTHREAD_MUTEX_INITIALIZER};
    *tiny = made;
    return 0;
}

void tiny_destroy(struct tiny *tiny)
{
    if (tiny)
        pthread_mutex_destroy(&tiny->mutex);
    free(tiny);
}

int tiny_add(struct tiny *tiny, long amount)
{
    if (amount)
        change(tiny, amount);
    return amount ? 0 : EINVAL;
}

long tiny_value(struct tiny *tiny)
{
    return change(tiny, 0);
}
