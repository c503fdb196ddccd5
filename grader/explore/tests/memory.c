/* One wrong use of memory each, and one right use of all.
 * explore: -DRIGHT => everything
 * explore: -DLEAK => leak within 1
 * explore: -DTWICE => heap within 1
 * explore: -DAFTER_FREE => heap within 1
 * explore: -DBEYOND => heap within 1
 * explore: -DNULL_POINTER => crash within 1
 * explore: -DSTACK => stack-overflow within 1
 * explore: -DABORT => crash within 1
 * explore: -DSTATUS => exit-status within 1
 * explore: -DFREED_BY_OTHER => race|heap within 10
 * explore: -DFAULT => everything
 * explore: --faults -DFAULT => crash within 3 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int *volatile kept;

static void *use(void *argument)
{
    int *number = argument;
    *number = 1;
    return NULL;
}

static int deep(int n)
{
    volatile char frame[4096];
    frame[0] = (char)n;
    return n > 1000000 ? 0 : deep(n + 1) + frame[0];
}

static int act(void)
{
    pthread_t thread;
    int *number = malloc(2 * sizeof *number);
    (void)thread, (void)use, (void)deep;
#if defined RIGHT
    char *text = strdup("text"), *more = realloc(NULL, 10);
    more = realloc(more, 100);
    memset(number, 0, 8);
    free(text);
    free(more);
    free(NULL);
    kept = calloc(1, 4); /* still to be reached: no leak */
    free(number);
#elif defined LEAK
    number[0] = 1;
#elif defined TWICE
    free(number);
    free(number);
#elif defined AFTER_FREE
    free(number);
    number[1] = 1;
#elif defined BEYOND
    number[2] = 1;
    free(number);
#elif defined NULL_POINTER
    free(number);
    *kept = 1;
#elif defined STACK
    free(number);
    return deep(0);
#elif defined ABORT
    abort();
#elif defined STATUS
    free(number);
    exit(3);
#elif defined FREED_BY_OTHER
    pthread_create(&thread, NULL, use, number);
    free(number);
    pthread_join(thread, NULL);
#elif defined FAULT
    *number = 1;
    free(number);
#endif
    return 0;
}

int main(void)
{
    return act();
}
