/* A program made of a number: threads that lock, unlock, store, load, post, wait, sleep and signal at random. Both
 * searches without a bound must find the same interleavings (check.sh). Deadlocks are no findings here: who
 * would wait for a lock that is held tries and gives up, except where locks are taken in order.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 4, OPERATIONS_MAX = 6, OBJECTS = 3 };

static pthread_mutex_t mutexes[OBJECTS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                           PTHREAD_MUTEX_INITIALIZER};
static pthread_rwlock_t rwlocks[2] = {PTHREAD_RWLOCK_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER};
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t bell_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t bell = PTHREAD_COND_INITIALIZER;
static sem_t semaphores[2];
static atomic_int atoms[OBJECTS];
static int turns;
static unsigned kinds;

struct work {
    unsigned operations_n, at[OPERATIONS_MAX];
};

static unsigned next(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 16;
}

/* Two locks, in order; between them sometimes an atomic. */
static void nested(unsigned what)
{
    pthread_mutex_lock(&mutexes[0]);
    if (what & 1)
        atomic_fetch_add(&atoms[what % OBJECTS], 1);
    pthread_mutex_lock(&mutexes[1 + (what >> 1) % 2]);
    pthread_mutex_unlock(&mutexes[1 + (what >> 1) % 2]);
    pthread_mutex_unlock(&mutexes[0]);
}

static void read_or_write(unsigned what)
{
    pthread_rwlock_t *lock = &rwlocks[what & 1];
    if (what & 2)
        pthread_rwlock_rdlock(lock);
    else
        pthread_rwlock_wrlock(lock);
    pthread_rwlock_unlock(lock);
}

static void take_turn(unsigned what)
{
    pthread_mutex_lock(&turn);
    if (what & 1) {
        turns++;
        if (what & 2)
            pthread_cond_signal(&turned);
    }
    pthread_mutex_unlock(&turn);
    if ((what & 3) == 1)
        pthread_cond_broadcast(&turned);
}

static void try_one(unsigned what)
{
    pthread_mutex_t *mutex = &mutexes[what % OBJECTS];
    if (pthread_mutex_trylock(mutex) == 0)
        pthread_mutex_unlock(mutex);
}

/* A wait with a limit, on a condition variable of its own, or the signal for one. */
static void wait_a_while(unsigned what)
{
    struct timespec limit;
    if (what & 1) {
        pthread_cond_signal(&bell);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 1 + (what >> 1) % 2;
    pthread_mutex_lock(&bell_mutex);
    (void)pthread_cond_timedwait(&bell, &bell_mutex, &limit);
    pthread_mutex_unlock(&bell_mutex);
}

static void operate(unsigned word)
{
    unsigned what = word >> 4;
    switch (word % kinds) {
    case 0:
        pthread_mutex_lock(&mutexes[what % OBJECTS]);
        pthread_mutex_unlock(&mutexes[what % OBJECTS]);
        break;
    case 1:
        atomic_store(&atoms[what % OBJECTS], (int)what);
        break;
    case 2:
        (void)atomic_load(&atoms[what % OBJECTS]);
        break;
    case 3:
        nested(what);
        break;
    case 4:
        sem_wait(&semaphores[what & 1]);
        sem_post(&semaphores[what & 1]);
        break;
    case 5:
        take_turn(what);
        break;
    case 6:
        read_or_write(what);
        break;
    case 7:
        try_one(what);
        break;
    case 8:
        sleep(1 + what % 2);
        break;
    default:
        wait_a_while(what);
        break;
    }
}

static void *work(void *argument)
{
    const struct work *work = argument;
    for (unsigned i = 0; i < work->operations_n; i++)
        operate(work->at[i]);
    return NULL;
}

/* Waits until as many turns as were planned have been taken. */
static void *wait_for_turns(void *argument)
{
    const unsigned *planned = argument;
    pthread_mutex_lock(&turn);
    while ((unsigned)turns < *planned)
        pthread_cond_wait(&turned, &turn);
    pthread_mutex_unlock(&turn);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct work works[THREADS_MAX];
    pthread_t threads[THREADS_MAX + 1];
    unsigned planned = 0, state = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    unsigned threads_n = 2 + next(&state) % 2, operations_n = 1 + next(&state) % (threads_n == 2 ? 4 : 3);
    kinds = argc > 2 ? (unsigned)atoi(argv[2]) : 8;
    sem_init(&semaphores[0], 0, 1);
    sem_init(&semaphores[1], 0, 2);
    for (unsigned i = 0; i < threads_n; i++) {
        works[i].operations_n = operations_n;
        for (unsigned k = 0; k < operations_n; k++) {
            works[i].at[k] = next(&state);
            if (kinds > 5 && works[i].at[k] % kinds == 5 && ((works[i].at[k] >> 4) & 1))
                planned += ((works[i].at[k] >> 4) & 1);
        }
    }
    for (unsigned i = 0; i < threads_n; i++)
        pthread_create(&threads[i], NULL, work, &works[i]);
    if (planned)
        pthread_create(&threads[threads_n++], NULL, wait_for_turns, &planned);
    for (unsigned i = 0; i < threads_n; i++)
        pthread_join(threads[i], NULL);
    sem_destroy(&semaphores[0]);
    sem_destroy(&semaphores[1]);
    return 0;
}
