/* biased_refcount.c - counting references without a global lock.
 *
 * Theory of operation: no threads of its own. An object's owner is a number that no other thread ever gets, and 0 once
 * its counts are merged. `local` is used by the owner alone, without any ceremony. `shared` is one atomic word: the
 * count of all other threads, times four, and a mark that says how far things have come:
 *
 *   nothing  ->  QUEUED  ->  MERGED        or straight to MERGED, where the owner's count becomes 0
 *
 * Each transition happens once, since it is a compare-and-swap. Who makes it QUEUED hangs the object into the owner's
 * queue, and gives the reference that he wanted to give up to the queue. Who makes it MERGED is the owner, or, where he
 * has left, the one who would have queued it. After that `shared` is the whole truth, and whoever brings it to 0 ends
 * the object.
 *
 * The mutex guards who is there, and their queues; it is held for a moment only, and never while an object ends. A
 * thread that leaves takes it to see that its queue is empty and to strike itself off, in one step: so nobody queues
 * for the dead.
 *
 * What a thread wrote to the value before it gave up its reference is there for whoever ends the object: giving up
 * releases (memory_order_release), and the last one acquires.
 *
 * Algorithm: CPython's (PEP 703, Sam Gross 2023; Objects/object.c, Python/brc.c), after Choi, Shull and Torrellas,
 * "Biased reference counting", PACT 2018.
 */
#include "biased_refcount.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
/* As long as one thread is alone this is enough. Who owns an object? What do the others count, and where do they leave
 * what they cannot decide? */
struct biased_refcount {
    int64_t local; /* the owner's alone */
    void (*end)(void *value);
    void *value;
};

struct biased_refcount_thread {
    struct biased_refcount_threads *threads;
};

struct biased_refcount_threads {
    pthread_mutex_t mutex;
};
/* end state */

/* region threads */
/* Each thread gets a number that no other thread ever gets. */
int biased_refcount_threads_create(struct biased_refcount_threads **threads)
{
    struct biased_refcount_threads *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0) {
        free(made);
        return error;
    }
    *threads = made;
    return 0;
}

void biased_refcount_threads_destroy(struct biased_refcount_threads *threads)
{
    if (threads == NULL)
        return;
    pthread_mutex_destroy(&threads->mutex);
    free(threads);
}

int biased_refcount_join(struct biased_refcount_threads *threads, struct biased_refcount_thread **thread)
{
    struct biased_refcount_thread *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    made->threads = threads;
    *thread = made;
    return 0;
}
/* end threads */

/* region object */
int biased_refcount_create(struct biased_refcount_thread *thread, void (*end)(void *value), void *value,
                           struct biased_refcount **object)
{
    struct biased_refcount *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;

    (void)thread;
    made->local = 1;
    made->end = end;
    made->value = value;
    *object = made;
    return 0;
}

void *biased_refcount_value(const struct biased_refcount *object)
{
    return object->value;
}

/* Nobody has a reference any more. */
static void end_object(struct biased_refcount *object)
{
    object->end(object->value);
    free(object);
}
/* end object */

/* region incref */
/* Mine: a plain addition. Somebody else's: an atomic one, elsewhere. */
void biased_refcount_incref(struct biased_refcount_thread *thread, struct biased_refcount *object)
{
    (void)thread;
    object->local++;
}
/* end incref */

/* region merge */
/* Put the two counts of each object together that is queued for me. Some of them end then. */
void biased_refcount_merge(struct biased_refcount_thread *thread)
{
    (void)thread;
}

bool biased_refcount_merge_requested(struct biased_refcount_thread *thread)
{
    (void)thread;
    return false;
}
/* end merge */

/* region queue */
/* A place for a helper: gives a reference to the queue of the owner. What if he has left? What if he has merged
 * meanwhile? */
/* end queue */

/* region decref */
/* Mine: is that the last one that I know of? Somebody else's: can he know whether it is the last? */
void biased_refcount_decref(struct biased_refcount_thread *thread, struct biased_refcount *object)
{
    (void)thread;
    if (--object->local == 0)
        end_object(object);
}
/* end decref */

/* region leave */
/* Nobody may queue anything for a thread that has left. */
void biased_refcount_leave(struct biased_refcount_thread *thread)
{
    free(thread);
}
/* end leave */

/* region count */
int64_t biased_refcount_count(struct biased_refcount *object)
{
    return object->local;
}

bool biased_refcount_is_merged(const struct biased_refcount *object)
{
    (void)object;
    return false;
}
/* end count */
