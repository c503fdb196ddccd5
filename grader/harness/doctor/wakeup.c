/* wakeup.c - one thread waits for what another says, for the explorer: `wakeup bad` looks before it takes the lock, and
 * sleeps for ever in the one order in which the other has its say between the two; `wakeup clean` looks with the lock
 * held. Natively the first is right nearly every time.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_bool said;
static bool clean;

static void *say(void *unused)
{
    pthread_mutex_lock(&lock);
    atomic_store(&said, true);
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void listen(void)
{
    if (!clean && atomic_load(&said))
        return;
    pthread_mutex_lock(&lock);
    while (clean && !atomic_load(&said))
        pthread_cond_wait(&changed, &lock);
    if (!clean)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
    pthread_t thread;

    clean = argc > 1 && strcmp(argv[1], "clean") == 0;
    if (pthread_create(&thread, NULL, say, NULL) != 0)
        return 2;
    listen();
    return pthread_join(thread, NULL) == 0 ? 0 : 2;
}
