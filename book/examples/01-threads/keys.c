/* keys.c - a key: each thread has a pointer of its own behind it, and a destructor is called when the thread ends. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* region once */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void at_thread_end(void *value)
{
    printf("a thread ends and leaves %d\n", *(int *)value);
    free(value);
}

static void make_key(void)
{
    if (pthread_key_create(&key, at_thread_end) != 0)
        abort();
}
/* end once */

/* region use */
static void *run(void *number)
{
    pthread_once(&once, make_key); /* make_key runs once, whoever comes first; the others wait for it */
    int *value = malloc(sizeof *value);
    if (value == NULL)
        return NULL;
    *value = *(int *)number;
    if (pthread_setspecific(key, value) != 0) {
        free(value);
        return NULL;
    }
    printf("this thread has %d\n", *(int *)pthread_getspecific(key));
    return NULL;
}
/* end use */

/* region variable */
static _Thread_local int calls; /* each thread counts its own */

static int count_call(void)
{
    return ++calls;
}
/* end variable */

int main(void)
{
    pthread_t threads[2];
    int numbers[2] = {7, 8};

    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, run, &numbers[i]) != 0)
            return 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("calls in main: %d\n", count_call());
    return 0;
}
