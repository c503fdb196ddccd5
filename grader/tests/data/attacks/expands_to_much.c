/* build: 1 GiB, or 5 seconds of processor time */
/* tiny.c - a total that many threads add to.
 *
 * Whoever reads or changes the value holds the mutex; nobody takes a second lock while holding it, so nobody deadlocks.
 */
#include "tiny.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* region state */
struct tiny {
    pthread_mutex_t mutex;
    long value; /* guarded by mutex */
};
/* end state */

/* region create */
int tiny_create(struct tiny **tiny)
{
    struct tiny *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0) {
        free(made);
        return error;
    }
    made->value = 0;
    *tiny = made;
    return 0;
}
/* end create */

/* region destroy */
void tiny_destroy(struct tiny *tiny)
{
    if (tiny == NULL)
        return;
    pthread_mutex_destroy(&tiny->mutex);
    free(tiny);
}
/* end destroy */

/* region add */
int tiny_add(struct tiny *tiny, long amount)
{
    if (amount == 0)
        return EINVAL;
    pthread_mutex_lock(&tiny->mutex);
    tiny->value += amount;
    pthread_mutex_unlock(&tiny->mutex);
    return 0;
}
/* end add */

/* region value */
long tiny_value(struct tiny *tiny)
{
    pthread_mutex_lock(&tiny->mutex);
    long value = tiny->value;
    pthread_mutex_unlock(&tiny->mutex);
    return value;
}
/* end value */

#define A "a" "a" "a" "a" "a" "a" "a" "a" "a" "a"
#define B A A A A A A A A A A
#define C B B B B B B B B B B
#define D C C C C C C C C C C
#define E D D D D D D D D D D
#define F E E E E E E E E E E
#define G F F F F F F F F F F
#define H G G G G G G G G G G
static const char *many = H;
