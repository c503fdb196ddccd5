/* thread_local.c - Python's threading.local: one name, and every thread sees a value of its own behind it. A variant:
 * each value says whose it is, by the address of a variable that every thread has its own of; all objects stand in one
 * list, and the end of a thread goes through all of them.
 */
#include "thread_local.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct entry {
    const char *owner; /* the address of that thread's `me` */
    void *value;
    struct entry *next;
};

/* clang-format off */
struct thread_local {
    void (*destructor)(void *value);
    struct entry *entries;            /* guarded by lock, like all lists */
    struct thread_local *next, *previous;
};
/* clang-format on */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct thread_local *objects; /* guarded by lock */
static bool have_key;                /* guarded by lock */
static pthread_key_t key;
static _Thread_local char me;

/* With the lock held: where the pointer to this owner's entry stands; where it would stand, if there is none. Any
 * owner: NULL. */
static struct entry **place_of(struct thread_local *local, const char *owner)
{
    struct entry **place = &local->entries;

    while (*place != NULL && owner != NULL && (*place)->owner != owner)
        place = &(*place)->next;
    return place;
}

/* Takes an entry out, lets the lock go, and only then calls the destructor. */
static bool drop_and_unlock(struct thread_local *local, const char *owner)
{
    struct entry **place = place_of(local, owner), *entry = *place;
    void (*destructor)(void *) = local->destructor;

    if (entry != NULL)
        *place = entry->next;
    pthread_mutex_unlock(&lock);
    if (entry == NULL)
        return false;
    if (entry->value != NULL && destructor != NULL)
        destructor(entry->value);
    free(entry);
    return true;
}

/* Drops one value of this thread, of whatever object. */
static bool drop_one(void)
{
    pthread_mutex_lock(&lock);
    for (struct thread_local *local = objects; local != NULL; local = local->next)
        if (*place_of(local, &me) != NULL)
            return drop_and_unlock(local, &me);
    pthread_mutex_unlock(&lock);
    return false;
}

static void goodbye(void *unused)
{
    (void)unused;
    while (drop_one())
        continue;
}

int thread_local_create(struct thread_local **local, void (*destructor)(void *value))
{
    int error = 0;

    if (local == NULL)
        return EINVAL;
    pthread_mutex_lock(&lock);
    if (!have_key) {
        error = pthread_key_create(&key, goodbye);
        have_key = error == 0;
    }
    struct thread_local *fresh = error == 0 ? calloc(1, sizeof *fresh) : NULL;
    if (fresh != NULL) {
        fresh->destructor = destructor;
        fresh->next = objects;
        if (objects != NULL)
            objects->previous = fresh;
        objects = fresh;
        *local = fresh;
    } else if (error == 0) {
        error = ENOMEM;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

int thread_local_set(struct thread_local *local, void *value)
{
    int error = pthread_setspecific(key, &me);
    void *old = NULL;

    if (error != 0)
        return error;
    pthread_mutex_lock(&lock);
    struct entry **place = place_of(local, &me);
    if (*place == NULL) {
        *place = calloc(1, sizeof **place);
        if (*place == NULL) {
            pthread_mutex_unlock(&lock);
            return ENOMEM;
        }
        (*place)->owner = &me;
    }
    old = (*place)->value;
    (*place)->value = value;
    pthread_mutex_unlock(&lock);
    if (old != NULL && old != value && local->destructor != NULL)
        local->destructor(old);
    return 0;
}

int thread_local_get(struct thread_local *local, void **value)
{
    int error = ENOENT;

    if (value == NULL)
        return EINVAL;
    pthread_mutex_lock(&lock);
    struct entry *entry = *place_of(local, &me);
    if (entry != NULL) {
        *value = entry->value;
        error = 0;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

int thread_local_delete(struct thread_local *local)
{
    pthread_mutex_lock(&lock);
    return drop_and_unlock(local, &me) ? 0 : ENOENT;
}

void thread_local_destroy(struct thread_local *local)
{
    if (local == NULL)
        return;
    do
        pthread_mutex_lock(&lock);
    while (drop_and_unlock(local, NULL));
    pthread_mutex_lock(&lock);
    if (local->previous != NULL)
        local->previous->next = local->next;
    else
        objects = local->next;
    if (local->next != NULL)
        local->next->previous = local->previous;
    pthread_mutex_unlock(&lock);
    free(local);
}
