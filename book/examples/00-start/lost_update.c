/* lost_update.c - two threads add to one number, and nobody takes turns. Wrong on purpose: see how often it is right.
 */
#include <pthread.h>
#include <stdio.h>

enum { TIMES = 20000000 };

/* region add */
static volatile long total; /* volatile: each addition really goes to memory */

static void *add(void *unused)
{
    for (int i = 0; i < TIMES; i++)
        total = total + 1;
    return unused;
}
/* end add */

int main(void)
{
    pthread_t one, two;

    if (pthread_create(&one, NULL, add, NULL) != 0 || pthread_create(&two, NULL, add, NULL) != 0)
        return 1;
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("%ld of %d\n", total, 2 * TIMES);
    return 0;
}
