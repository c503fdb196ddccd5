/* A suite's way to order its threads: variables of no kind that are looked at between two sleeps. A race by the letter;
 * with sleeps that order, right; and it shows what is really wrong.
 * explore: => race within 2
 * explore: --sleeps-order => everything
 * explore: --sleeps-order -DLATE => assertion within 5
 * explore: --sleeps-order -DLEFT => misuse within 2
 * explore: --sleeps-order --no-leaks -DLEFT => everything
 * explore: --sleeps-order -DNO_SLEEP => race within 5
 * explore: --sleeps-order --no-races -DNO_SLEEP => everything */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

enum { LIMIT_S = 3 };

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int has_read, unguarded;

static void *reads(void *unused)
{
    (void)unused;
#ifdef LATE
    sleep(LIMIT_S + 1);
#endif
    assert(pthread_rwlock_rdlock(&lock) == 0);
    unguarded++;
    sleep(1);
    assert(pthread_rwlock_unlock(&lock) == 0);
    has_read = 1;
    return NULL;
}

int main(void)
{
    pthread_t thread;
    assert(pthread_rwlock_wrlock(&lock) == 0);
    assert(pthread_create(&thread, NULL, reads, NULL) == 0);
    sleep(1);
    assert(!has_read);
    assert(pthread_rwlock_unlock(&lock) == 0);
#ifdef NO_SLEEP
    unguarded++;
#endif
    for (int waited_s = 0; !has_read && waited_s < LIMIT_S; waited_s++)
        sleep(1);
    assert(has_read);
#ifndef LEFT
    assert(pthread_join(thread, NULL) == 0);
#endif
    return 0;
}
