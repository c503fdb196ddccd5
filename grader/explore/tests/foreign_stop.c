/* Threads that go on until main has slept: time comes for main, though the others wake each other without end, or sleep
 * so little that its time would never come.
 * explore: --runs 100 => nothing
 * explore: --runs 100 -DNAPS => nothing
 * explore: --runs 100 -DFOR_EVER => livelock within 1 */
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;
static bool stop;

static void *ping_pong(void *argument)
{
    int me = argument != NULL;
    pthread_mutex_lock(&mutex);
    while (!stop) {
        while (turn != me && !stop)
            pthread_cond_wait(&changed, &mutex);
        turn = !me;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static bool is_stopped(void)
{
    pthread_mutex_lock(&mutex);
    bool is = stop;
    pthread_mutex_unlock(&mutex);
    return is;
}

static void *naps(void *argument)
{
    while (!is_stopped())
        usleep(10);
    return argument;
}

int main(void)
{
    pthread_t threads[2];
#ifdef NAPS
    void *(*body)(void *) = naps;
#else
    void *(*body)(void *) = ping_pong;
#endif
    (void)naps;
    (void)ping_pong;
    pthread_create(&threads[0], NULL, body, NULL);
    pthread_create(&threads[1], NULL, body, &turn);
    sleep(1000);
#ifndef FOR_EVER
    pthread_mutex_lock(&mutex);
    stop = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
#endif
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
