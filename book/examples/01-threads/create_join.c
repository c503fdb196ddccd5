/* create_join.c - one thread, from its creation to its end. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* region work */
struct errand {
    int number;  /* in: set before the thread begins */
    long square; /* out: read after it has ended */
};

static void *run(void *argument)
{
    struct errand *errand = argument;

    errand->square = (long)errand->number * errand->number;
    return NULL;
}
/* end work */

/* region main */
int main(void)
{
    struct errand errand = {.number = 12};
    pthread_t thread;

    int error = pthread_create(&thread, NULL, run, &errand);
    if (error != 0) {
        fprintf(stderr, "no thread: %s\n", strerror(error));
        return 1;
    }
    printf("the thread runs, and so does main\n");
    pthread_join(thread, NULL);
    printf("its result: %ld\n", errand.square);
    return 0;
}
/* end main */
