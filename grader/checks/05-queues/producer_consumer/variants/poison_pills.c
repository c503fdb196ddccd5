/* producer_consumer.c - the pipeline. A variant: when all producers have ended, the caller puts a pill for each
 * consumer behind the last item; a pill is an address that no item can have. The queue is shut down only where
 * something fails. */
#include "producer_consumer.h"

#include "shutdown.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static char pill; /* only its address is used */

struct crew {
    const struct producer_consumer *job;
    struct shutdown_queue *queue;
    pthread_mutex_t lock;
    int error; /* guarded by lock */
};

struct member {
    struct crew *crew;
    int number;
    bool consumes;
    pthread_t thread;
};

static void throw_away(void *context, void *item)
{
    struct crew *crew = context;

    if (item != &pill && crew->job->drop != NULL)
        crew->job->drop(crew->job->context, item);
}

static void give_up(struct crew *crew, int error)
{
    pthread_mutex_lock(&crew->lock);
    if (crew->error == 0)
        crew->error = error;
    pthread_mutex_unlock(&crew->lock);
    shutdown_queue_shutdown(crew->queue, true, throw_away, crew);
}

static void put(struct crew *crew, void *item, int *error)
{
    *error = shutdown_queue_put(crew->queue, item, -1);
    if (*error == 0)
        return;
    throw_away(crew, item);
    if (*error != ESHUTDOWN)
        give_up(crew, *error);
}

static void *work(void *argument)
{
    struct member *member = argument;
    const struct producer_consumer *job = member->crew->job;
    void *item = NULL;
    int error = 0;

    if (!member->consumes) {
        while (error == 0 && job->produce(job->context, member->number, &item))
            put(member->crew, item, &error);
        return NULL;
    }
    while (shutdown_queue_get(member->crew->queue, &item, -1) == 0 && item != &pill) {
        error = job->consume(job->context, member->number, item);
        if (error == 0)
            continue;
        give_up(member->crew, error);
        break;
    }
    return NULL;
}

static void go(struct crew *crew, struct member *members, int producers, int all)
{
    int started = 0, error = 0;

    while (started < all && error == 0) {
        bool consumes = started >= producers;
        members[started] =
            (struct member){.crew = crew, .number = consumes ? started - producers : started, .consumes = consumes};
        error = pthread_create(&members[started].thread, NULL, work, &members[started]);
        started += error == 0 ? 1 : 0;
    }
    if (error != 0)
        give_up(crew, error);
    for (int i = 0; i < started && i < producers; i++)
        pthread_join(members[i].thread, NULL);
    for (int i = producers; i < started; i++)
        put(crew, &pill, &error);
    for (int i = producers; i < started; i++)
        pthread_join(members[i].thread, NULL);
}

int producer_consumer_run(const struct producer_consumer *job)
{
    struct crew crew = {.job = job};
    struct member *members = NULL;
    int error = job->producers < 1 || job->consumers < 1 ? EINVAL : pthread_mutex_init(&crew.lock, NULL);

    if (error != 0)
        return error;
    error = shutdown_queue_create(&crew.queue, job->maxsize);
    if (error == 0)
        members = calloc((size_t)job->producers + (size_t)job->consumers, sizeof *members);
    if (error == 0 && members == NULL)
        error = ENOMEM;
    if (error == 0) {
        go(&crew, members, job->producers, job->producers + job->consumers);
        error = crew.error;
    }
    free(members);
    if (crew.queue != NULL)
        shutdown_queue_destroy(crew.queue);
    pthread_mutex_destroy(&crew.lock);
    return error;
}
