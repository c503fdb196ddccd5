/* thread_local.c - Python's threading.local: one name, and every thread sees a value of its own behind it.
 *
 * Theory of operation: a value is where an object and a thread meet, and it hangs in two lists: all values of its
 * object, so that destroy finds them, and all values of its thread, so that the thread finds them when it ends. A
 * single pthread key for all objects tells the end of a thread: its destructor is called in each thread that has set
 * anything. One mutex guards all the lists, because destroy reaches into the lists of other threads. It is held for a
 * few steps only, and never while a destructor runs: a value is first taken out of both lists, then the mutex is let
 * go, then the destructor is called. So whoever takes a value out is the only one who destroys it.
 */
#include "thread_local.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* region state */
struct value {
    struct thread_local *local;
    void *content;
    struct value *next_of_local, **link_of_local;   /* guarded by mutex; a link is what points to this value */
    struct value *next_of_thread, **link_of_thread; /* likewise */
};

struct thread_local
{
    void (*destructor)(void *value); /* set at creation, only read afterwards */
    struct value *values;            /* of all threads, guarded by mutex */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct value *mine; /* this thread's values in all objects, guarded by mutex */
/* end state */

/* region lists */
/* The functions here are called with the mutex held. */

static struct value *find(const struct thread_local *local)
{
    struct value *value = mine;

    while (value != NULL && value->local != local)
        value = value->next_of_thread;
    return value;
}

static void put_in(struct value *value)
{
    struct thread_local *local = value->local;

    value->next_of_local = local->values;
    value->link_of_local = &local->values;
    value->next_of_thread = mine;
    value->link_of_thread = &mine;
    if (local->values != NULL)
        local->values->link_of_local = &value->next_of_local;
    if (mine != NULL)
        mine->link_of_thread = &value->next_of_thread;
    local->values = mine = value;
}

static void take_out(struct value *value)
{
    *value->link_of_local = value->next_of_local;
    if (value->next_of_local != NULL)
        value->next_of_local->link_of_local = value->link_of_local;
    *value->link_of_thread = value->next_of_thread;
    if (value->next_of_thread != NULL)
        value->next_of_thread->link_of_thread = value->link_of_thread;
}
/* end lists */

/* region give_up */
static void destruct(void (*destructor)(void *value), void *content)
{
    if (destructor != NULL && content != NULL)
        destructor(content);
}

/* Gives up `value`, with the mutex held on entry and free on return. The object may be gone as soon as
 * the mutex is free, so the destructor is read before. ENOENT where there is none. */
static int give_up_and_unlock(struct value *value)
{
    if (value == NULL) {
        pthread_mutex_unlock(&mutex);
        return ENOENT;
    }
    void (*destructor)(void *) = value->local->destructor;
    take_out(value);
    pthread_mutex_unlock(&mutex);
    destruct(destructor, value->content);
    free(value);
    return 0;
}
/* end give_up */

/* region thread_end */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t end_key; /* not NULL in threads that have set a value; its destructor tells their end */
static int key_error;         /* what became of its creation; both are written once, by make_key */

static int give_up_first(struct value *const *list)
{
    pthread_mutex_lock(&mutex);
    return give_up_and_unlock(*list); /* NOLINT(clang-analyzer-unix.Malloc): taking it out has changed *list */
}

static void thread_ends(void *list)
{
    while (give_up_first(list) == 0)
        continue;
}

static void make_key(void)
{
    key_error = pthread_key_create(&end_key, thread_ends);
}
/* end thread_end */

/* region create */
int thread_local_create(struct thread_local **local, void (*destructor)(void *value))
{
    if (local == NULL)
        return EINVAL;
    pthread_once(&key_once, make_key);
    if (key_error != 0)
        return key_error;

    struct thread_local *created = malloc(sizeof *created);
    if (created == NULL)
        return ENOMEM;
    created->destructor = destructor;
    created->values = NULL;
    *local = created;
    return 0;
}
/* end create */

/* region set */
/* This thread's first value in the object. */
static int add(struct thread_local *local, void *content)
{
    int error = pthread_setspecific(end_key, &mine);
    if (error != 0)
        return error;

    struct value *value = malloc(sizeof *value);
    if (value == NULL)
        return ENOMEM;
    value->local = local;
    value->content = content;
    pthread_mutex_lock(&mutex);
    put_in(value);
    pthread_mutex_unlock(&mutex);
    return 0;
}

int thread_local_set(struct thread_local *local, void *value)
{
    pthread_mutex_lock(&mutex);
    struct value *had = find(local);
    void *old = had == NULL ? NULL : had->content;
    if (had != NULL)
        had->content = value;
    pthread_mutex_unlock(&mutex);
    if (had == NULL)
        return add(local, value);
    if (old != value)
        destruct(local->destructor, old);
    return 0;
}
/* end set */

/* region get */
int thread_local_get(struct thread_local *local, void **value)
{
    if (value == NULL)
        return EINVAL;

    pthread_mutex_lock(&mutex);
    const struct value *has = find(local);
    if (has != NULL)
        *value = has->content;
    pthread_mutex_unlock(&mutex);
    return has == NULL ? ENOENT : 0;
}
/* end get */

/* region delete */
int thread_local_delete(struct thread_local *local)
{
    pthread_mutex_lock(&mutex);
    return give_up_and_unlock(find(local));
}
/* end delete */

/* region destroy */
void thread_local_destroy(struct thread_local *local)
{
    if (local == NULL)
        return;
    while (give_up_first(&local->values) == 0)
        continue;
    free(local);
}
/* end destroy */
