/* One wrong use each.
 * explore: -DUNLOCK_OTHERS => misuse within 5
 * explore: -DUNLOCK_FREE => misuse within 1
 * explore: -DDESTROY_HELD => misuse within 1
 * explore: -DDESTROY_WAITED => misuse within 10
 * explore: -DWAIT_UNLOCKED => misuse within 1
 * explore: -DJOIN_TWICE => misuse within 2
 * explore: -DJOIN_DETACHED => misuse within 2
 * explore: -DNOT_JOINED => misuse within 2
 * explore: -DENDS_HOLDING => deadlock within 2
 * explore: -DUSE_DESTROYED => misuse within 1
 * explore: -DTWO_MUTEXES => misuse within 10
 * explore: -DRELOCK => deadlock within 1
 * explore: -DSEMAPHORE_NEVER => deadlock within 2
 * explore: -DBARRIER_ALONE => deadlock within 2
 * explore: -DREADER_UPGRADES => deadlock within 2 */
#include <pthread.h>
#include <semaphore.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;

static void *nothing(void *argument)
{
    return argument;
}

static void *unlock(void *argument)
{
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *lock(void *argument)
{
    pthread_mutex_lock(&mutex);
    return argument;
}

static void *wait_first(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&cond, &mutex);
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *wait_second(void *argument)
{
    pthread_mutex_lock(&second);
    pthread_cond_wait(&cond, &second);
    pthread_mutex_unlock(&second);
    return argument;
}

static void wrong(void)
{
    pthread_t thread, other;
    (void)thread, (void)other, (void)nothing, (void)unlock, (void)lock, (void)wait_first, (void)wait_second;
#if defined UNLOCK_OTHERS
    pthread_mutex_lock(&mutex);
    pthread_create(&thread, NULL, unlock, NULL);
    pthread_join(thread, NULL);
#elif defined UNLOCK_FREE
    pthread_mutex_unlock(&mutex);
#elif defined DESTROY_HELD
    pthread_mutex_lock(&mutex);
    pthread_mutex_destroy(&mutex);
#elif defined DESTROY_WAITED
    pthread_create(&thread, NULL, wait_first, NULL);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    pthread_cond_destroy(&cond);
    pthread_join(thread, NULL);
#elif defined WAIT_UNLOCKED
    pthread_cond_wait(&cond, &mutex);
#elif defined JOIN_TWICE
    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
    pthread_join(thread, NULL);
#elif defined JOIN_DETACHED
    pthread_create(&thread, NULL, nothing, NULL);
    pthread_detach(thread);
    pthread_join(thread, NULL);
#elif defined NOT_JOINED
    pthread_create(&thread, NULL, nothing, NULL);
#elif defined ENDS_HOLDING
    pthread_create(&thread, NULL, lock, NULL);
    pthread_join(thread, NULL);
    pthread_mutex_lock(&mutex);
#elif defined USE_DESTROYED
    pthread_mutex_destroy(&mutex);
    pthread_mutex_lock(&mutex);
#elif defined TWO_MUTEXES
    pthread_create(&thread, NULL, wait_first, NULL);
    pthread_create(&other, NULL, wait_second, NULL);
    pthread_join(thread, NULL);
    pthread_join(other, NULL);
#elif defined RELOCK
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
#elif defined SEMAPHORE_NEVER
    sem_init(&semaphore, 0, 0);
    sem_wait(&semaphore);
#elif defined BARRIER_ALONE
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_barrier_wait(&barrier);
#elif defined READER_UPGRADES
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_wrlock(&rwlock);
#endif
}

int main(void)
{
    wrong();
    (void)barrier, (void)semaphore, (void)rwlock;
    return 0;
}
