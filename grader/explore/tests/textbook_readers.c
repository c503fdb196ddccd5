/* Who locks for reading and writes: readers order nothing among themselves, in whatever order they come.
 * explore: => everything
 * explore: -DWRITES_AS_READER => race within 5 */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int one, other;

static void *change(void *unused)
{
    (void)unused;
#ifdef WRITES_AS_READER
    pthread_rwlock_rdlock(&lock);
#else
    pthread_rwlock_wrlock(&lock);
#endif
    one++;
    other++;
    pthread_rwlock_unlock(&lock);
    return NULL;
}

static void *look(void *unused)
{
    (void)unused;
    pthread_rwlock_rdlock(&lock);
    assert(one == other);
    pthread_rwlock_unlock(&lock);
    return NULL;
}

int main(void)
{
    void *(*const bodies[])(void *) = {change, look, change};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert(pthread_create(&threads[i], NULL, bodies[i], NULL) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    pthread_rwlock_wrlock(&lock); /* comes after all of them, readers too */
    assert(one == 2 && other == 2);
    one = 0;
    pthread_rwlock_unlock(&lock);
    assert(pthread_rwlock_destroy(&lock) == 0);
}
