/* producer_consumer.c - the pipeline. A variant: a consumer waits at most two hours for an item, and then waits again.
 *
 * Theory of operation: the caller starts the consumers, then the producers, and joins the producers, then the
 * consumers. How does a consumer know that nothing more will come? Not by an empty queue: a producer may just be slow.
 * When all producers were joined, nobody puts any more, and the caller shuts the queue down: each consumer gets what is
 * left, and then ESHUTDOWN, which is the end for it.
 *
 * Who sees something fail stops the run: it writes down the error, if it is the first, and shuts the queue down at
 * once, which wakes everybody who sleeps at it. What lies in the queue goes to drop, and so does what a producer could
 * not put. No lock is held while produce, consume or drop runs, and a thread waits for nothing but the queue: so
 * everyone stops.
 */
#include "producer_consumer.h"

#include "shutdown.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#define TWO_HOURS_US INT64_C(7200000000)

struct run {
    const struct producer_consumer *job;
    struct shutdown_queue *queue;
    pthread_mutex_t mutex;
    int error; /* guarded by mutex; what stopped the run first, 0 while nothing has */
};

/* One producer or consumer. */
struct worker {
    struct run *run;
    int number;
    pthread_t thread;
};

static void drop(void *argument, void *item)
{
    const struct run *run = argument;

    if (run->job->drop != NULL)
        run->job->drop(run->job->context, item);
}

/* Stops the run, everywhere. Any thread. */
static void stop(struct run *run, int error)
{
    pthread_mutex_lock(&run->mutex);
    if (run->error == 0)
        run->error = error;
    pthread_mutex_unlock(&run->mutex);
    shutdown_queue_shutdown(run->queue, true, drop, run);
}

static void *produce_all(void *argument)
{
    const struct worker *me = argument;
    const struct producer_consumer *job = me->run->job;
    void *item;
    int error = 0;

    while (error == 0 && job->produce(job->context, me->number, &item)) {
        error = shutdown_queue_put(me->run->queue, item, -1);
        if (error != 0) /* then it is still ours */
            drop(me->run, item);
    }
    if (error != 0 && error != ESHUTDOWN)
        stop(me->run, error);
    return NULL;
}

static void *consume_all(void *argument)
{
    const struct worker *me = argument;
    const struct producer_consumer *job = me->run->job;
    void *item;
    int error = 0;

    while (error == 0) {
        int got = shutdown_queue_get(me->run->queue, &item, TWO_HOURS_US);
        if (got == 0)
            error = job->consume(job->context, me->number, item);
        else if (got != ETIMEDOUT)
            break;
    }
    if (error != 0)
        stop(me->run, error);
    return NULL;
}

/* Starts all consumers, then all producers, into `workers` in that order. Stops the run where one cannot be started.
 * Returns how many were. */
static size_t start_all(struct run *run, struct worker *workers, size_t consumers, size_t producers)
{
    for (size_t i = 0; i < consumers + producers; i++) {
        bool consumes = i < consumers;
        workers[i] = (struct worker){.run = run, .number = (int)(consumes ? i : i - consumers)};
        int error = pthread_create(&workers[i].thread, NULL, consumes ? consume_all : produce_all, &workers[i]);
        if (error != 0) {
            stop(run, error);
            return i;
        }
    }
    return consumers + producers;
}

/* With the queue there: everything from the first thread's start to the last one's end. */
static void run_all(struct run *run, struct worker *workers)
{
    size_t consumers = (size_t)run->job->consumers;
    size_t left = start_all(run, workers, consumers, (size_t)run->job->producers);

    for (; left > consumers; left--)
        pthread_join(workers[left - 1].thread, NULL);
    shutdown_queue_shutdown(run->queue, false, NULL, NULL); /* nobody puts any more: the consumers may end */
    for (; left > 0; left--)
        pthread_join(workers[left - 1].thread, NULL);
}

int producer_consumer_run(const struct producer_consumer *job)
{
    struct run run = {.job = job};

    if (job->producers < 1 || job->consumers < 1)
        return EINVAL;
    struct worker *workers = calloc((size_t)job->producers + (size_t)job->consumers, sizeof *workers);
    if (workers == NULL)
        return ENOMEM;
    int error = pthread_mutex_init(&run.mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = shutdown_queue_create(&run.queue, job->maxsize);
    if (error != 0)
        goto no_queue;

    run_all(&run, workers);
    error = run.error; /* all its writers were joined */
    shutdown_queue_destroy(run.queue);
no_queue:
    pthread_mutex_destroy(&run.mutex);
no_mutex:
    free(workers);
    return error;
}
