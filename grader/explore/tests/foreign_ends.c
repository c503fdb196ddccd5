/* Before main and after it: constructors, destructors, handlers of atexit, thread-local variables with large images,
 * the last thread's end as the program's.
 * explore: --cc clang -femulated-tls => everything
 * explore: => everything
 * explore: -DMAIN_LEAVES => everything
 * explore: -DEXITS => everything
 * explore: -DQUICK => everything
 * explore: -DFAILS_AT_EXIT => assertion within 1 */
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int built, handled;
static char *made_before_main;
static _Thread_local char large[100000] = "image";
static _Thread_local int small = 7;
static pthread_mutex_t mutex;

__attribute__((constructor(200))) static void first(void)
{
    assert(built == 0);
    built = 1;
    pthread_mutex_init(&mutex, NULL);
}

__attribute__((constructor(201))) static void second(void)
{
    assert(built == 1);
    built = 2;
    made_before_main = malloc(10);
}

__attribute__((destructor)) static void last(void)
{
    assert(handled == 2);
    free(made_before_main);
    pthread_mutex_destroy(&mutex);
}

static void handler_second(void)
{
    assert(handled == 1);
    handled = 2;
}

static void handler_first(void)
{
#ifdef FAILS_AT_EXIT
    assert(handled == 1);
#endif
    assert(handled == 0);
    handled = 1;
}

static void handler_quick(void)
{
    free(made_before_main);
}

static void *work(void *argument)
{
    assert(strcmp(large, "image") == 0 && large[99999] == 0 && small == 7);
    large[0] = large[99999] = 'x';
    small = 8;
    pthread_mutex_lock(&mutex);
    built = built + 1;
    pthread_mutex_unlock(&mutex);
#ifdef EXITS
    exit(0);
#endif
    return argument;
}

int main(void)
{
    pthread_t a, b;
    assert(built == 2);
    atexit(handler_second);
    atexit(handler_first);
    at_quick_exit(handler_quick);
    small = 9;
    pthread_create(&a, NULL, work, NULL);
#ifdef EXITS
    pthread_exit(NULL);
#endif
    pthread_create(&b, NULL, work, NULL);
#ifdef MAIN_LEAVES
    pthread_detach(a);
    pthread_detach(b);
    pthread_exit(NULL);
#endif
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    assert(small == 9 && built == 4);
#ifdef QUICK
    quick_exit(0);
#endif
    return 0;
}
