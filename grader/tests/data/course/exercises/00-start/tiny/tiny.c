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
    int nothing_yet; /* put here what a total needs */
};
/* end state */

/* region create */
int tiny_create(struct tiny **tiny)
{
    (void)tiny;
    return ENOSYS; /* make a total of 0 */
}
/* end create */

/* region destroy */
void tiny_destroy(struct tiny *tiny)
{
    (void)tiny; /* free what tiny_create made */
}
/* end destroy */

/* region add */
int tiny_add(struct tiny *tiny, long amount)
{
    (void)tiny;
    (void)amount;
    return ENOSYS; /* add, with the lock held */
}
/* end add */

/* region value */
long tiny_value(struct tiny *tiny)
{
    (void)tiny;
    return 0; /* read, with the lock held */
}
/* end value */
