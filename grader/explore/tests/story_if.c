/* An `if` where a `while` belongs, by a queue on the heap: an item is taken by another before the one that was woken
 * has the lock.
 *
 * explore: => assertion within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    int count;
};

static int queue_is_empty(const struct queue *q)
{
    return q->count == 0;
}

static void queue_take(struct queue *q)
{
    pthread_mutex_lock(&q->mutex);
#ifdef RIGHT
    while (queue_is_empty(q))
#else
    if (queue_is_empty(q))
#endif
        pthread_cond_wait(&q->filled, &q->mutex);
    assert(q->count > 0);
    q->count--;
    pthread_mutex_unlock(&q->mutex);
}

static void queue_put(struct queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->count++;
    pthread_cond_signal(&q->filled);
    pthread_mutex_unlock(&q->mutex);
}

static void *consumer(void *queue)
{
    queue_take(queue);
    return NULL;
}

int main(void)
{
    struct queue *q = calloc(1, sizeof *q);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, consumer, q);
    queue_put(q);
    queue_put(q);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    free(q);
    return 0;
}
