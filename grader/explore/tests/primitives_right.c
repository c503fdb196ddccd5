/* Semaphores, barriers, read-write locks, spin locks, once, keys and thread-local variables, used as they should be.
 * explore: --preemptions 1 => bound 1 */
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

static sem_t items;
static pthread_barrier_t together;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static _Thread_local int mine = 7;
static int initialised, shared, destroyed, serial;

static void initialise(void)
{
    initialised++;
}

static void destroy(void *value)
{
    pthread_spin_lock(&spin);
    destroyed++;
    pthread_spin_unlock(&spin);
    free(value);
}

static void *work(void *argument)
{
    pthread_once(&once, initialise);
    assert(initialised == 1 && mine == 7);
    mine++;
    pthread_setspecific(key, malloc(4));
    sem_wait(&items);
    if (pthread_barrier_wait(&together) == PTHREAD_BARRIER_SERIAL_THREAD) {
        pthread_rwlock_wrlock(&rwlock);
        serial++;
        shared = 1;
        pthread_rwlock_unlock(&rwlock);
    } else {
        pthread_rwlock_rdlock(&rwlock);
        assert(shared == 0 || shared == 1);
        pthread_rwlock_unlock(&rwlock);
    }
    assert(mine == 8);
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    sem_init(&items, 0, 0);
    pthread_barrier_init(&together, NULL, 2);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_key_create(&key, destroy);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    sem_post(&items);
    sem_post(&items);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert(initialised == 1 && destroyed == 2 && serial == 1 && mine == 7);
    pthread_barrier_destroy(&together);
    pthread_spin_destroy(&spin);
    pthread_rwlock_destroy(&rwlock);
    sem_destroy(&items);
    pthread_key_delete(key);
    return 0;
}
