/* against_queues.c - our queue beside GLib's GAsyncQueue, and beside the plainest ring that one could write by hand.
 *
 * Theory: each workload is run with ours and with the other one in turn, ROUNDS times, and the ratio of a round is ours
 * over theirs: what else the machine does concerns both. A figure is the median of the rounds. Like is set beside like.
 * GAsyncQueue knows no bound, so its producers never wait: beside it our bounded queue has room for all items of a
 * round. The plain ring holds MAXSIZE items, and so does ours beside it: both sides wait. It has a mutex, two
 * conditions, an array of MAXSIZE places, and no time-outs: what ours does beyond that is what the ratio shows.
 *
 * links: glib-2.0
 */
#include "05-queues/fifo_queue.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */

#include <glib.h>
#include <stdio.h>

enum { ROUNDS = 15, ITEMS = 120000, MAXSIZE = 1024, THREADS_MAX = 4 };

/* ---- the plain ring ---------------------------------------------------------------------------------------------- */

struct plain {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    void *items[MAXSIZE]; /* guarded by mutex, as all below */
    size_t first, count;
};

static struct plain plain = {
    .mutex = PTHREAD_MUTEX_INITIALIZER, .not_empty = PTHREAD_COND_INITIALIZER, .not_full = PTHREAD_COND_INITIALIZER};

static void plain_put(void *item)
{
    pthread_mutex_lock(&plain.mutex);
    while (plain.count == MAXSIZE)
        pthread_cond_wait(&plain.not_full, &plain.mutex);
    plain.items[(plain.first + plain.count++) % MAXSIZE] = item;
    pthread_cond_signal(&plain.not_empty);
    pthread_mutex_unlock(&plain.mutex);
}

static void *plain_get(void)
{
    pthread_mutex_lock(&plain.mutex);
    while (plain.count == 0)
        pthread_cond_wait(&plain.not_empty, &plain.mutex);
    void *item = plain.items[plain.first];
    plain.first = (plain.first + 1) % MAXSIZE;
    plain.count--;
    pthread_cond_signal(&plain.not_full);
    pthread_mutex_unlock(&plain.mutex);
    return item;
}

/* ---- the three, alike -------------------------------------------------------------------------------------------- */

static struct fifo_queue *ours;
static GAsyncQueue *theirs;

static void ours_put(void *item)
{
    if (fifo_queue_put(ours, item, -1) != 0)
        exit(1);
}

static void *ours_get(void)
{
    void *item = NULL;

    return fifo_queue_get(ours, &item, -1) == 0 ? item : NULL;
}

static void glib_put(void *item)
{
    g_async_queue_push(theirs, item);
}

static void *glib_get(void)
{
    return g_async_queue_pop(theirs);
}

struct queue {
    const char *name;
    void (*put)(void *item);
    void *(*get)(void);
};

static const struct queue our_queue = {"our queue", ours_put, ours_get};
static const struct queue others[] = {{"GAsyncQueue", glib_put, glib_get}, {"plain ring", plain_put, plain_get}};

/* ---- workloads --------------------------------------------------------------------------------------------------- */

struct worker {
    const struct queue *queue;
    bool produces;
    long items;
};

static void *work(void *argument)
{
    const struct worker *worker = argument;

    for (long i = 1; i <= worker->items; i++)
        if (worker->produces)
            worker->queue->put((void *)i); /* NOLINT(performance-no-int-to-ptr) */
        else if (worker->queue->get() == NULL)
            exit(1);
    return NULL;
}

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The time for each item, with so many producers and as many consumers; 0: one thread puts and gets in turn. */
static double item_ns(const struct queue *queue, int pairs)
{
    struct worker producer = {queue, true, pairs == 0 ? 0 : ITEMS / pairs}, consumer = producer;
    pthread_t threads[THREADS_MAX];
    double began = now_ns();

    consumer.produces = false;
    for (int i = 0; i < 2 * pairs; i++)
        if (pthread_create(&threads[i], NULL, work, i % 2 == 0 ? &producer : &consumer) != 0)
            exit(1);
    for (int i = 0; i < 2 * pairs; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; pairs == 0 && i < ITEMS; i++) {
        queue->put(&producer);
        if (queue->get() != &producer)
            exit(1);
    }
    return (now_ns() - began) / ITEMS;
}

static int by_size(const void *left, const void *right)
{
    double one = *(const double *)left, other = *(const double *)right;

    return (one > other) - (one < other);
}

static double median(double *numbers)
{
    qsort(numbers, ROUNDS, sizeof *numbers, by_size);
    return numbers[ROUNDS / 2];
}

static void compare(const char *what, int pairs, const struct queue *other)
{
    double mine[ROUNDS], others_ns[ROUNDS], ratios[ROUNDS];

    if (fifo_queue_create(&ours, other->put == glib_put ? ITEMS : MAXSIZE) != 0)
        exit(1);
    for (int i = 0; i < ROUNDS; i++) {
        mine[i] = item_ns(&our_queue, pairs);
        others_ns[i] = item_ns(other, pairs);
        ratios[i] = mine[i] / others_ns[i];
    }
    fifo_queue_destroy(ours);
    printf("%s\t%s\t%.1f\t%.1f\t%.2f\n", what, other->name, median(mine), median(others_ns), median(ratios));
}

int main(void)
{
    static const char *const names[] = {"one thread", "1 + 1 threads", "2 + 2 threads"};

    theirs = g_async_queue_new();
    if (theirs == NULL)
        return 1;
    puts("what\tbeside\tours_ns\ttheirs_ns\tratio");
    for (int other = 0; other < 2; other++)
        for (int pairs = 0; pairs <= 2; pairs++)
            compare(names[pairs], pairs, &others[other]);
    g_async_queue_unref(theirs);
    return 0;
}
