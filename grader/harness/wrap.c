/* wrap.c - see wrap.h.
 *
 * Theory: the linker's tool has renamed the student's calls of NAME to wrap_NAME; every wrap_NAME counts, asks whether
 * this call is to fail, calls the hooks around the real one, and returns what that returned. Nothing here locks or
 * allocates, so it may stand under malloc, between a mutex and its owner, or in a child after fork. A hook is published
 * as one pointer to a slot that is never used again. `inside` keeps a hook's own calls from being counted.
 */
#include "wrap.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { HOOKS_MAX = 1024, STARTS_MAX = 4096 };

struct hook {
    void (*call)(void *);
    void *argument;
};

static struct {
    long count;
    long fail_in; /* 0: no plan; n: the nth call from now; -1: every call */
    int error;
    const struct hook *before; /* or NULL */
    const struct hook *after;
} plans[WRAP_CALLS];

/* What a new thread was started with, and what it is to do before that. Written before the thread exists. */
static struct start {
    void *(*body)(void *);
    void *argument;
    const struct hook *hook;
} starts[STARTS_MAX];
static int starts_used;

static struct hook hooks[HOOKS_MAX];
static const struct hook *in_thread; /* or NULL */
static int hooks_used;
static _Thread_local bool inside;

long wrap_count(enum wrap_call call)
{
    return __atomic_load_n(&plans[call].count, __ATOMIC_ACQUIRE);
}

void wrap_fail(enum wrap_call call, long nth, int error)
{
    __atomic_store_n(&plans[call].error, error, __ATOMIC_RELEASE);
    __atomic_store_n(&plans[call].fail_in, nth, __ATOMIC_RELEASE);
}

long wrap_memory_kept(void)
{
    return wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) - wrap_count(WRAP_free);
}

long wrap_mutexes_kept(void)
{
    return wrap_count(WRAP_pthread_mutex_init) - wrap_count(WRAP_pthread_mutex_destroy);
}

long wrap_conditions_kept(void)
{
    return wrap_count(WRAP_pthread_cond_init) - wrap_count(WRAP_pthread_cond_destroy);
}

void wrap_fail_memory(long nth)
{
    wrap_fail(WRAP_malloc, nth, ENOMEM);
    wrap_fail(WRAP_calloc, nth, ENOMEM);
    wrap_fail(WRAP_realloc, nth, ENOMEM);
}

void wrap_lose_signals(bool lose)
{
    wrap_fail(WRAP_pthread_cond_signal, lose ? -1 : 0, 0);
    wrap_fail(WRAP_pthread_cond_broadcast, lose ? -1 : 0, 0);
}

static const struct hook *hook_new(void (*call)(void *), void *argument)
{
    if (call == NULL)
        return NULL;
    int slot = __atomic_fetch_add(&hooks_used, 1, __ATOMIC_ACQ_REL);
    if (slot >= HOOKS_MAX)
        abort(); /* a test that sets a thousand hooks is our own mistake */
    hooks[slot] = (struct hook){call, argument};
    return &hooks[slot];
}

void wrap_before(enum wrap_call call, void (*hook)(void *), void *argument)
{
    __atomic_store_n(&plans[call].before, hook_new(hook, argument), __ATOMIC_RELEASE);
}

void wrap_after(enum wrap_call call, void (*hook)(void *), void *argument)
{
    __atomic_store_n(&plans[call].after, hook_new(hook, argument), __ATOMIC_RELEASE);
}

void wrap_in_thread(void (*hook)(void *), void *argument)
{
    __atomic_store_n(&in_thread, hook_new(hook, argument), __ATOMIC_RELEASE);
}

static void hook_run(const struct hook *hook)
{
    if (hook == NULL || inside)
        return;
    int saved = errno;
    inside = true;
    hook->call(hook->argument);
    inside = false;
    errno = saved;
}

/* True where this very call is the one that is to fail. */
static bool plan_strikes(enum wrap_call call)
{
    long left = __atomic_load_n(&plans[call].fail_in, __ATOMIC_ACQUIRE);

    while (left > 0)
        if (__atomic_compare_exchange_n(&plans[call].fail_in, &left, left - 1, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return left == 1;
    return left < 0;
}

/* What enter() returns where the real call is to be made. */
enum { GO_ON = -1 };

/* Before the real call. Returns GO_ON, or the error (0: success that never happened) that the call is to return
 * instead. */
static int enter(enum wrap_call call)
{
    if (inside)
        return GO_ON;
    __atomic_add_fetch(&plans[call].count, 1, __ATOMIC_ACQ_REL);
    if (plan_strikes(call))
        return __atomic_load_n(&plans[call].error, __ATOMIC_ACQUIRE);
    hook_run(__atomic_load_n(&plans[call].before, __ATOMIC_ACQUIRE));
    return GO_ON;
}

static void leave(enum wrap_call call, bool succeeded)
{
    if (succeeded)
        hook_run(__atomic_load_n(&plans[call].after, __ATOMIC_ACQUIRE));
}

/* After a call that returns 0 or an error number. */
static int leave_error(enum wrap_call call, int error)
{
    leave(call, error == 0);
    return error;
}

/* After a call that returns memory. */
static void *leave_memory(enum wrap_call call, void *memory)
{
    leave(call, memory != NULL);
    return memory;
}

static void *no_memory(int error)
{
    errno = error;
    return NULL;
}

static int minus_one(int error)
{
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

/* ---- the calls themselves: the same shape each ------------------------------------------------------------------- */

void *wrap_malloc(size_t size);
void *wrap_calloc(size_t count, size_t size);
void *wrap_realloc(void *memory, size_t size);
void wrap_free(void *memory);
int wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument);
int wrap_pthread_join(pthread_t thread, void **result);
int wrap_pthread_detach(pthread_t thread);
int wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int wrap_pthread_mutex_destroy(pthread_mutex_t *mutex);
int wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);
int wrap_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *deadline);
int wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int wrap_pthread_cond_destroy(pthread_cond_t *condition);
int wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *deadline);
int wrap_pthread_cond_signal(pthread_cond_t *condition);
int wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int wrap_pthread_key_delete(pthread_key_t key);
int wrap_sched_yield(void);
int wrap_usleep(useconds_t time_us);
int wrap_nanosleep(const struct timespec *time, struct timespec *left);

void *wrap_malloc(size_t size)
{
    int error = enter(WRAP_malloc);
    return error != GO_ON ? no_memory(error) : leave_memory(WRAP_malloc, malloc(size));
}

void *wrap_calloc(size_t count, size_t size)
{
    int error = enter(WRAP_calloc);
    return error != GO_ON ? no_memory(error) : leave_memory(WRAP_calloc, calloc(count, size));
}

void *wrap_realloc(void *memory, size_t size)
{
    int error = enter(WRAP_realloc);
    return error != GO_ON ? no_memory(error) : leave_memory(WRAP_realloc, realloc(memory, size));
}

/* free cannot fail: a plan for it only counts down. */
void wrap_free(void *memory)
{
    (void)enter(WRAP_free);
    free(memory);
    leave(WRAP_free, true);
}

static void *begin(void *slot)
{
    const struct start *start = slot;

    hook_run(start->hook);
    return start->body(start->argument);
}

int wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
    int error = enter(WRAP_pthread_create);
    if (error != GO_ON)
        return error;

    const struct hook *hook = __atomic_load_n(&in_thread, __ATOMIC_ACQUIRE);
    if (hook != NULL && !inside) {
        int slot = __atomic_fetch_add(&starts_used, 1, __ATOMIC_ACQ_REL);
        if (slot >= STARTS_MAX)
            return EAGAIN; /* a thread bomb, which is no loss */
        starts[slot].body = body;
        starts[slot].argument = argument;
        starts[slot].hook = hook;
        body = begin;
        argument = &starts[slot];
    }
    return leave_error(WRAP_pthread_create, pthread_create(thread, attributes, body, argument));
}

int wrap_pthread_join(pthread_t thread, void **result)
{
    int error = enter(WRAP_pthread_join);
    return error != GO_ON ? error : leave_error(WRAP_pthread_join, pthread_join(thread, result));
}

int wrap_pthread_detach(pthread_t thread)
{
    int error = enter(WRAP_pthread_detach);
    return error != GO_ON ? error : leave_error(WRAP_pthread_detach, pthread_detach(thread));
}

int wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    int error = enter(WRAP_pthread_mutex_init);
    return error != GO_ON ? error : leave_error(WRAP_pthread_mutex_init, pthread_mutex_init(mutex, attributes));
}

int wrap_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    int error = enter(WRAP_pthread_mutex_destroy);
    return error != GO_ON ? error : leave_error(WRAP_pthread_mutex_destroy, pthread_mutex_destroy(mutex));
}

int wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    int error = enter(WRAP_pthread_mutex_lock);
    return error != GO_ON ? error : leave_error(WRAP_pthread_mutex_lock, pthread_mutex_lock(mutex));
}

int wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    int error = enter(WRAP_pthread_mutex_trylock);
    return error != GO_ON ? error : leave_error(WRAP_pthread_mutex_trylock, pthread_mutex_trylock(mutex));
}

int wrap_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *deadline)
{
    int error = enter(WRAP_pthread_mutex_timedlock);
    return error != GO_ON ? error : leave_error(WRAP_pthread_mutex_timedlock, pthread_mutex_timedlock(mutex, deadline));
}

int wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int error = enter(WRAP_pthread_mutex_unlock);
    return error != GO_ON ? error : leave_error(WRAP_pthread_mutex_unlock, pthread_mutex_unlock(mutex));
}

int wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    int error = enter(WRAP_pthread_cond_init);
    return error != GO_ON ? error : leave_error(WRAP_pthread_cond_init, pthread_cond_init(condition, attributes));
}

int wrap_pthread_cond_destroy(pthread_cond_t *condition)
{
    int error = enter(WRAP_pthread_cond_destroy);
    return error != GO_ON ? error : leave_error(WRAP_pthread_cond_destroy, pthread_cond_destroy(condition));
}

int wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    int error = enter(WRAP_pthread_cond_wait);
    return error != GO_ON ? error : leave_error(WRAP_pthread_cond_wait, pthread_cond_wait(condition, mutex));
}

int wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *deadline)
{
    int error = enter(WRAP_pthread_cond_timedwait);
    return error != GO_ON
               ? error
               : leave_error(WRAP_pthread_cond_timedwait, pthread_cond_timedwait(condition, mutex, deadline));
}

int wrap_pthread_cond_signal(pthread_cond_t *condition)
{
    int error = enter(WRAP_pthread_cond_signal);
    return error != GO_ON ? error : leave_error(WRAP_pthread_cond_signal, pthread_cond_signal(condition));
}

int wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
    int error = enter(WRAP_pthread_cond_broadcast);
    return error != GO_ON ? error : leave_error(WRAP_pthread_cond_broadcast, pthread_cond_broadcast(condition));
}

int wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int error = enter(WRAP_pthread_key_create);
    return error != GO_ON ? error : leave_error(WRAP_pthread_key_create, pthread_key_create(key, destructor));
}

int wrap_pthread_key_delete(pthread_key_t key)
{
    int error = enter(WRAP_pthread_key_delete);
    return error != GO_ON ? error : leave_error(WRAP_pthread_key_delete, pthread_key_delete(key));
}

int wrap_sched_yield(void)
{
    int error = enter(WRAP_sched_yield);
    return error != GO_ON ? minus_one(error) : leave_error(WRAP_sched_yield, sched_yield());
}

int wrap_usleep(useconds_t time_us)
{
    int error = enter(WRAP_usleep);
    return error != GO_ON ? minus_one(error) : leave_error(WRAP_usleep, usleep(time_us));
}

int wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
    int error = enter(WRAP_nanosleep);
    return error != GO_ON ? minus_one(error) : leave_error(WRAP_nanosleep, nanosleep(time, left));
}
