/* producer_consumer.c - the pipeline. A variant: no thread waits for the producers. They count down, and the last one
 * to end shuts the queue down; the caller only joins. Producers and consumers have an array each. A run that is stopped
 * is drained by whoever stops it. */
#include "producer_consumer.h"

#include "shutdown.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct line {
    const struct producer_consumer *job;
    struct shutdown_queue *belt;
    pthread_mutex_t guard;
    int producers_left; /* guarded by guard */
    int first_error;    /* guarded by guard */
};

struct hand {
    struct line *line;
    int number;
    pthread_t thread;
};

static void fail(struct line *line, int error)
{
    void *item = NULL;

    pthread_mutex_lock(&line->guard);
    line->first_error = line->first_error == 0 ? error : line->first_error;
    pthread_mutex_unlock(&line->guard);
    shutdown_queue_shutdown(line->belt, false, NULL,
                            NULL); /* no item comes after this: what is there is all there is */
    while (shutdown_queue_get(line->belt, &item, 0) == 0)
        if (line->job->drop != NULL)
            line->job->drop(line->job->context, item);
}

static bool failed(struct line *line)
{
    pthread_mutex_lock(&line->guard);
    bool failed = line->first_error != 0;
    pthread_mutex_unlock(&line->guard);
    return failed;
}

static void leave(struct line *line, int how_many)
{
    pthread_mutex_lock(&line->guard);
    line->producers_left -= how_many;
    bool last = line->producers_left == 0;
    pthread_mutex_unlock(&line->guard);
    if (last)
        shutdown_queue_shutdown(line->belt, false, NULL, NULL);
}

static void *make(void *argument)
{
    struct hand *hand = argument;
    const struct producer_consumer *job = hand->line->job;
    void *item = NULL;

    while (!failed(hand->line) && job->produce(job->context, hand->number, &item)) {
        int error = shutdown_queue_put(hand->line->belt, item, -1);
        if (error == 0)
            continue;
        if (job->drop != NULL)
            job->drop(job->context, item);
        if (error != ESHUTDOWN)
            fail(hand->line, error);
        break;
    }
    leave(hand->line, 1);
    return NULL;
}

static void *use(void *argument)
{
    struct hand *hand = argument;
    const struct producer_consumer *job = hand->line->job;
    void *item = NULL;

    while (shutdown_queue_get(hand->line->belt, &item, -1) == 0) {
        if (failed(hand->line)) { /* before it was taken: whoever stops the line was not quick enough */
            if (job->drop != NULL)
                job->drop(job->context, item);
            continue;
        }
        int error = job->consume(job->context, hand->number, item);
        if (error != 0) {
            fail(hand->line, error);
            break;
        }
    }
    return NULL;
}

/* Starts `count` hands; returns how many could be. */
static int start(struct line *line, struct hand *hands, int count, void *(*body)(void *))
{
    for (int i = 0; i < count; i++) {
        hands[i] = (struct hand){.line = line, .number = i};
        int error = pthread_create(&hands[i].thread, NULL, body, &hands[i]);
        if (error != 0) {
            fail(line, error);
            return i;
        }
    }
    return count;
}

static void join(struct hand *hands, int count)
{
    for (int i = 0; i < count; i++)
        pthread_join(hands[i].thread, NULL);
}

int producer_consumer_run(const struct producer_consumer *job)
{
    if (job->producers < 1 || job->consumers < 1)
        return EINVAL;

    struct line line = {.job = job, .producers_left = job->producers};
    struct hand *makers = malloc((size_t)job->producers * sizeof *makers);
    struct hand *users = malloc((size_t)job->consumers * sizeof *users);
    int error = makers == NULL || users == NULL ? ENOMEM : pthread_mutex_init(&line.guard, NULL);
    if (error != 0)
        goto no_guard;
    error = shutdown_queue_create(&line.belt, job->maxsize);
    if (error != 0)
        goto no_belt;

    int making = start(&line, makers, job->producers, make);
    leave(&line, job->producers - making);
    int using = making == job->producers ? start(&line, users, job->consumers, use) : 0;
    join(makers, making);
    join(users, using);
    error = line.first_error;
    shutdown_queue_destroy(line.belt);
no_belt:
    pthread_mutex_destroy(&line.guard);
no_guard:
    free(users);
    free(makers);
    return error;
}
