/* capacity.c - what an item costs on its way from one thread to another, and how often the threads sleep, for queues of
 * different sizes.
 *
 * Theory: one producer, one consumer, nothing to do but to hand over. Each figure is the median of ROUNDS rounds; the
 * sleeps are the kernel's count of the times that a thread gave up its processor of its own accord (getrusage).
 */
#include "05-queues/fifo_queue.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */

#include <stdio.h>
#include <sys/resource.h>

enum { ROUNDS = 7, ITEMS = 40000 };

struct round {
    double item_ns;
    double sleeps;
};

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *produce(void *queue)
{
    for (int i = 0; i < ITEMS; i++)
        if (fifo_queue_put(queue, queue, -1) != 0)
            exit(1);
    return NULL;
}

static void *consume(void *queue)
{
    void *item;

    for (int i = 0; i < ITEMS; i++)
        if (fifo_queue_get(queue, &item, -1) != 0)
            exit(1);
    return NULL;
}

static struct round run(int64_t maxsize)
{
    struct fifo_queue *queue;
    pthread_t producer, consumer;
    struct rusage before, after;

    if (fifo_queue_create(&queue, maxsize) != 0)
        exit(1);
    getrusage(RUSAGE_SELF, &before);
    double began = now_ns();
    if (pthread_create(&producer, NULL, produce, queue) != 0 || pthread_create(&consumer, NULL, consume, queue) != 0)
        exit(1);
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    double took_ns = now_ns() - began;
    getrusage(RUSAGE_SELF, &after);
    fifo_queue_destroy(queue);
    return (struct round){took_ns / ITEMS, (double)(after.ru_nvcsw - before.ru_nvcsw) / ITEMS};
}

static int by_time(const void *left, const void *right)
{
    const struct round *one = left, *other = right;

    return (one->item_ns > other->item_ns) - (one->item_ns < other->item_ns);
}

int main(void)
{
    puts("maxsize\titem_ns\tsleeps_per_1000");
    for (int64_t maxsize = 1; maxsize <= 4096; maxsize *= 4) {
        struct round rounds[ROUNDS];
        for (int i = 0; i < ROUNDS; i++)
            rounds[i] = run(maxsize);
        qsort(rounds, ROUNDS, sizeof *rounds, by_time);
        printf("%lld\t%.0f\t%.1f\n", (long long)maxsize, rounds[ROUNDS / 2].item_ns, rounds[ROUNDS / 2].sleeps * 1000);
    }
    return 0;
}
