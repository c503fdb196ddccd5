/* Ends of every kind, used rightly: detached threads, exit in a thread, pthread_exit in main, cleanup handlers, atexit.
 * explore: -DDETACHED => everything
 * explore: -DEXIT_IN_THREAD => everything
 * explore: -DMAIN_EXITS => everything
 * explore: -DCLEANUP => everything */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int cleaned;

static void clean(void *argument)
{
    cleaned += *(int *)argument;
}

static void *work(void *argument)
{
#if defined EXIT_IN_THREAD
    printf("the thread ends all\n");
    exit(0);
#elif defined CLEANUP
    static int one = 1, ten = 10;
    pthread_cleanup_push(clean, &one);
    pthread_cleanup_push(clean, &ten);
    pthread_exit(argument);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
#endif
    return argument;
}

int main(void)
{
    pthread_t thread;
    int local = 5;
    void *result = NULL;
    (void)clean;
    assert(pthread_create(&thread, NULL, work, &local) == 0);
#if defined DETACHED || defined MAIN_EXITS
    pthread_detach(thread);
    pthread_exit(NULL);
#else
    pthread_join(thread, &result);
#endif
#if defined CLEANUP
    assert(cleaned == 11 && result == &local);
#endif
    return 0;
}
