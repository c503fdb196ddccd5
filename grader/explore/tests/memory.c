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
 * explore: -DFREED_WHILE_READ => race|heap within 10
 * explore: -DFREED_BY_BYTE => race|heap within 10
 * explore: -DODD_END => heap within 1
 * explore: -DHANDED_OVER => everything
 * explore: -DHALF_OWN => race within 10
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

/* Far into a block, where a whole one is given back at once. */
enum { FAR = 100000 };
static volatile int seen;

static void *look_far(void *argument)
{
    seen = ((const int *)argument)[FAR];
    return NULL;
}

static void *set_byte_far(void *argument)
{
    ((char *)argument)[FAR + 1] = 1;
    return NULL;
}

/* The second half of eight bytes, whose first is nobody else's. */
static void *set_half(void *argument)
{
    ((volatile int *)argument)[1] = 1;
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
    (void)thread, (void)use, (void)deep, (void)look_far, (void)set_byte_far, (void)set_half;
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
#elif defined FREED_WHILE_READ
    int *large = calloc(FAR + 1, sizeof *large);
    pthread_create(&thread, NULL, look_far, large);
    free(large);
    pthread_join(thread, NULL);
    free(number);
#elif defined FREED_BY_BYTE
    char *large = malloc(FAR + 2);
    pthread_create(&thread, NULL, set_byte_far, large);
    free(large);
    pthread_join(thread, NULL);
    free(number);
#elif defined ODD_END
    char *odd = malloc(5);
    odd[4] = 1;
    odd[5] = 1;
    free(odd);
    free(number);
#elif defined HANDED_OVER
    int *large = calloc(FAR + 1, sizeof *large);
    large[FAR] = 1;
    pthread_create(&thread, NULL, look_far, large);
    pthread_join(thread, NULL);
    large[FAR] = 2;
    free(large);
    large = calloc(FAR + 1, sizeof *large);
    pthread_create(&thread, NULL, look_far, large);
    pthread_join(thread, NULL);
    free(large);
    free(number);
#elif defined HALF_OWN
    volatile long *whole = malloc(sizeof *whole);
    *whole = 1;
    pthread_create(&thread, NULL, set_half, (void *)whole);
    *whole = 2;
    pthread_join(thread, NULL);
    free((void *)whole);
    free(number);
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
