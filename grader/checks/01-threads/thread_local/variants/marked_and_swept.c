/* thread_local.c - Python's threading.local: one name, and every thread sees a value of its own behind it. A variant:
 * a thread's list is its own affair. Nobody else takes anything out of it: who destroys an object only marks its
 * values as gone, and their threads sweep them away when they next set one, and at their end. So get needs no lock.
 */
#include "thread_local.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct value {
    unsigned long long number;    /* its object's, set once: no other object ever has the same */
    struct value *next_of_thread; /* its thread's alone */
    void (*destructor)(void *value);
    void *content;              /* guarded by lock where others may look */
    struct thread_local *local; /* guarded by lock, like all below; NULL: that object is gone */
    struct value *next_of_local, *previous_of_local;
};

struct thread_local
{
    unsigned long long number;
    void (*destructor)(void *value);
    struct value *values;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long objects_made;
static bool have_key;
static pthread_key_t key;
static _Thread_local struct value *mine;

static struct value *find(const struct thread_local *local)
{
    struct value *value = mine;

    while (value != NULL && value->number != local->number)
        value = value->next_of_thread;
    return value;
}

/* Of its object, which is still there. */
static void unlink_value(struct thread_local *local, struct value *value)
{
    if (value->previous_of_local != NULL)
        value->previous_of_local->next_of_local = value->next_of_local;
    else
        local->values = value->next_of_local;
    if (value->next_of_local != NULL)
        value->next_of_local->previous_of_local = value->previous_of_local;
    value->local = NULL;
}

/* Takes a value of this thread out of its thread's list, and if its object is still there gives it up. */
static void drop(struct value *value)
{
    struct value **place = &mine;

    while (*place != value)
        place = &(*place)->next_of_thread;
    *place = value->next_of_thread;
    pthread_mutex_lock(&lock);
    bool there = value->local != NULL;
    if (there)
        unlink_value(value->local, value);
    pthread_mutex_unlock(&lock);
    if (there && value->content != NULL && value->destructor != NULL)
        value->destructor(value->content);
    free(value);
}

static void end(void *unused)
{
    (void)unused;
    while (mine != NULL)
        drop(mine);
}

static void sweep(void)
{
    struct value **place = &mine;

    pthread_mutex_lock(&lock);
    while (*place != NULL) {
        struct value *value = *place;
        if (value->local != NULL) {
            place = &value->next_of_thread;
            continue;
        }
        *place = value->next_of_thread;
        free(value);
    }
    pthread_mutex_unlock(&lock);
}

int thread_local_create(struct thread_local **local, void (*destructor)(void *value))
{
    if (local == NULL)
        return EINVAL;
    struct thread_local *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return ENOMEM;
    pthread_mutex_lock(&lock);
    int error = have_key ? 0 : pthread_key_create(&key, end);
    have_key = have_key || error == 0;
    fresh->number = ++objects_made;
    pthread_mutex_unlock(&lock);
    fresh->destructor = destructor;
    if (error == 0)
        *local = fresh;
    else
        free(fresh);
    return error;
}

int thread_local_set(struct thread_local *local, void *content)
{
    struct value *value = find(local);

    if (value != NULL) {
        pthread_mutex_lock(&lock);
        void *old = value->content;
        value->content = content;
        pthread_mutex_unlock(&lock);
        if (old != NULL && old != content && local->destructor != NULL)
            local->destructor(old);
        return 0;
    }
    sweep();
    int error = pthread_setspecific(key, &mine);
    if (error != 0)
        return error;
    value = calloc(1, sizeof *value);
    if (value == NULL)
        return ENOMEM;
    value->number = local->number;
    value->destructor = local->destructor;
    value->content = content;
    value->local = local;
    value->next_of_thread = mine;
    mine = value;
    pthread_mutex_lock(&lock);
    value->next_of_local = local->values;
    if (local->values != NULL)
        local->values->previous_of_local = value;
    local->values = value;
    pthread_mutex_unlock(&lock);
    return 0;
}

int thread_local_get(struct thread_local *local, void **content)
{
    if (content == NULL)
        return EINVAL;
    const struct value *value = find(local);
    if (value == NULL)
        return ENOENT;
    *content = value->content;
    return 0;
}

int thread_local_delete(struct thread_local *local)
{
    struct value *value = find(local);

    if (value == NULL)
        return ENOENT;
    drop(value);
    return 0;
}

void thread_local_destroy(struct thread_local *local)
{
    if (local == NULL)
        return;
    (void)thread_local_delete(local);
    pthread_mutex_lock(&lock);
    while (local->values != NULL) {
        struct value *value = local->values;
        void *content = value->content;
        unlink_value(local, value);
        pthread_mutex_unlock(&lock);
        if (content != NULL && local->destructor != NULL)
            local->destructor(content);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    free(local);
}
