/* clever_release.c - a lock that saves signals, and loses one. Three threads take it once each; mostly that goes well.
 * See it go wrong: build/interleave book/examples/02-locks/clever_release.c */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct lock {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    bool owned;     /* guarded by mutex, as all below */
    long waiting;   /* how many sleep */
    bool signalled; /* one of them was woken, and does not have the lock yet */
};

static struct lock lock = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, false};

static void sleep_until_free(void)
{
    lock.waiting++;
    while (lock.owned)
        pthread_cond_wait(&lock.freed, &lock.mutex);
    lock.waiting--;
    lock.signalled = false;
}

static void acquire(void)
{
    pthread_mutex_lock(&lock.mutex);
    if (lock.owned)
        sleep_until_free();
    lock.owned = true;
    pthread_mutex_unlock(&lock.mutex);
}

/* region release */
static void release(void)
{
    pthread_mutex_lock(&lock.mutex);
    lock.owned = false;
    if (lock.waiting > 0 && !lock.signalled) {
        lock.signalled = true; /* false again when the thread that wakes up has the lock */
        pthread_cond_signal(&lock.freed);
    }
    pthread_mutex_unlock(&lock.mutex);
}
/* end release */

static void *take_it_once(void *unused)
{
    acquire();
    release();
    return unused;
}

int main(void)
{
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        if (pthread_create(&threads[i], NULL, take_it_once, NULL) != 0)
            return 1;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
