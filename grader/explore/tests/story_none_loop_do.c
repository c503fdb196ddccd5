/* The look comes behind the wait, at the foot of the loop, and is kept in a variable of its own. It fails for another
 * reason, and no story may be told.
 *
 * explore: => assertion within 400 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, store = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int items, closed, naps;

/* By a lock of its own. */
static int take(void)
{
    pthread_mutex_lock(&store);
    int taken = items > 0;
    items -= taken;
    pthread_mutex_unlock(&store);
    return taken;
}

static void *worker(void *argument)
{
    int taken = 0;
    pthread_mutex_lock(&mutex);
    if (!closed && !take()) {
        do {
            if (closed)
                break;
            naps++;
            pthread_cond_wait(&work, &mutex);
            taken = take();
        } while (!taken);
    }
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, worker, NULL);
    pthread_mutex_lock(&store);
    items++;
    pthread_mutex_unlock(&store);
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&work);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    closed = 1;
    assert(naps == 0);
    return 0;
}
