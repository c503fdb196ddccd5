/* Who waits with a limit, and waits again where it has passed, gives way to the others in the end: a limit may pass
 * before anybody else moves, but not for ever.
 * explore: --steps 20000 --preemptions 1 => bound 1
 * explore: --steps 20000 --runs 20000 --seed 2 => nothing
 * explore: --steps 20000 --runs 20000 --depth 1 => nothing
 * explore: --steps 20000 --runs 20000 --preemptions all => nothing */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

enum { TAKERS = 2, ITEMS = 4 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_cond_t room = PTHREAD_COND_INITIALIZER;
static int lie, taken; /* guarded by mutex */
static bool closed;    /* guarded by mutex */

static int take_within(time_t seconds)
{
    struct timespec limit;
    int error = 0;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += seconds;
    pthread_mutex_lock(&mutex);
    while (lie == 0 && !closed && error == 0)
        error = pthread_cond_timedwait(&changed, &mutex, &limit);
    if (lie > 0) {
        lie--;
        pthread_cond_signal(&room);
        taken++;
        error = 0;
    } else if (closed) {
        error = EPIPE;
    }
    pthread_mutex_unlock(&mutex);
    return error;
}

static void *take_all(void *unused)
{
    int error = 0;
    while (error == 0 || error == ETIMEDOUT)
        error = take_within(7200);
    return unused;
}

int main(void)
{
    pthread_t threads[TAKERS];
    for (int i = 0; i < TAKERS; i++)
        pthread_create(&threads[i], NULL, take_all, NULL);
    for (int i = 0; i <= ITEMS; i++) {
        pthread_mutex_lock(&mutex);
        while (lie == 1)
            pthread_cond_wait(&room, &mutex);
        if (i < ITEMS)
            lie++;
        closed = i == ITEMS;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    return taken != ITEMS;
}
