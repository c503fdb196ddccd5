/* A thread that does nothing but print is cancelled there, and so is one that prints with a lock held.
 * explore: => bound 2
 * explore: -DLOCKED => deadlock|lost-wakeup|livelock within 50
 * explore: -DNOBODY_CANCELS => endless|livelock within 1 */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *prints(void *unused)
{
    (void)unused;
#ifdef LOCKED
    pthread_mutex_lock(&mutex);
    printf("one line\n");
    pthread_mutex_unlock(&mutex);
#elif defined NOBODY_CANCELS
    for (;;)
        fflush(stdout);
#else
    for (;;)
        fprintf(stdout, "%s\n", "a line");
#endif
    return NULL;
}

int main(void)
{
    pthread_t thread;
    void *result;
    assert(pthread_create(&thread, NULL, prints, NULL) == 0);
#ifndef NOBODY_CANCELS
    assert(pthread_cancel(thread) == 0);
#endif
    assert(pthread_join(thread, &result) == 0);
    pthread_mutex_lock(&mutex);
#ifndef LOCKED
    assert(result == PTHREAD_CANCELED);
#endif
    pthread_mutex_unlock(&mutex);
}
