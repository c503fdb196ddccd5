/* model_thread.c - threads, their ends, keys and thread-local variables; C11's thrd_t and tss_t. See model.h.
 *
 * A pthread_t is the thread's number plus one: zero is nobody.
 */
#include "model.h"

#include "dpor.h"
#include "heap.h"
#include "memory_map.h"
#include "program.h"
#include "record.h"
#include "shadow.h"
#include "sync_table.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <threads.h>

enum { AT_EXIT_MAX = 64 };

static struct {
    unsigned keys_n;
    void (*destructor[KEYS_MAX])(void *);
    bool used[KEYS_MAX];
    unsigned at_exit_n, at_quick_exit_n;
    void (*at_exit[AT_EXIT_MAX])(void);
    void (*at_quick_exit[AT_EXIT_MAX])(void);
} model;

void model_reset(void)
{
    sync_table_reset();
    model.keys_n = 0;
    model.at_exit_n = model.at_quick_exit_n = 0;
    model_process_reset();
    model_file_reset();
    model_stream_reset();
    model_environment_reset();
    model_named_reset();
}

static pthread_t handle_of(int thread)
{
    return (pthread_t)thread + 1;
}

struct thread *model_thread_of(pthread_t handle)
{
    return handle >= 1 && handle <= (pthread_t)il.n ? &il.threads[handle - 1] : NULL;
}

void model_check_lives(const struct thread *thread, const char *what)
{
    int id = (int)(thread - il.threads);
    if (thread->detached && thread->life == LIFE_ENDED)
        il_found(FIND_MISUSE, NULL, "%s %s %s, which is detached and has ended", il_name(il.current), what,
                 il_name(id));
    if (thread->joined)
        il_found(FIND_MISUSE, NULL, "%s %s %s, which was joined before", il_name(il.current), what, il_name(id));
}

static void make(void *handle, size_t handle_size, const pthread_attr_t *attributes, void *(*body)(void *),
                 int (*body_int)(void *), void *argument)
{
    int state = PTHREAD_CREATE_JOINABLE;
    if (attributes)
        pthread_attr_getdetachstate(attributes, &state);
    int id = il_spawn(body, body_int, argument, state == PTHREAD_CREATE_DETACHED);
    model_signal_inherit(id);
    model_attr_inherit(id, attributes);
    pthread_t value = handle_of(id);
    shadow_access(handle, handle_size, true, false);
    memcpy(handle, &value, handle_size);
    record_note("makes", body ? (const void *)body : (const void *)body_int, id);
    il_start(id);
}

static int create(void *handle, size_t handle_size, const pthread_attr_t *attributes, void *(*body)(void *),
                  int (*body_int)(void *), void *argument)
{
    if (il.faults && il_choice(2, true)) {
        il_event(NULL, true, 1);
        record_note("cannot make a thread (EAGAIN)", NULL, -1);
        return EAGAIN;
    }
    make(handle, handle_size, attributes, body, body_int, argument);
    return 0;
}

pthread_t model_thread_make(void *(*body)(void *), void *argument)
{
    pthread_t handle = 0;
    make(&handle, sizeof handle, NULL, body, NULL, argument);
    return handle;
}

int il_pthread_create(pthread_t *handle, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
    IL_ENTER();
    return create(handle, sizeof *handle, attributes, body, NULL, argument);
}

/* Who has a limit gives up at it: ETIMEDOUT. */
static int join(pthread_t handle, void **result, uint64_t deadline_ns)
{
    struct thread *other = model_thread_of(handle);
    if (!other)
        return ESRCH;
    int id = (int)(other - il.threads);
    if (other == il.self)
        return EDEADLK;
    if (other->detached)
        il_found(FIND_MISUSE, NULL, "%s joins %s, which is detached", il_name(il.current), il_name(id));
    if (other->joined)
        il_found(FIND_MISUSE, NULL, "%s joins %s, which was joined before", il_name(il.current), il_name(id));
    for (int i = 0; i < il.n; i++)
        if (i != il.current && il.threads[i].life == LIFE_RUNS && il.threads[i].wish.kind == WISH_JOIN &&
            il.threads[i].wish.whom == (uint64_t)id)
            il_found(FIND_MISUSE, NULL, "%s and %s both join %s", il_name(i), il_name(il.current), il_name(id));
    if (!model_wait((struct wish){.kind = WISH_JOIN, .whom = (uint64_t)id, .deadline_ns = deadline_ns})) {
        il_event(NULL, false, 1);
        record_note("gives up waiting for the end of", NULL, id);
        return ETIMEDOUT;
    }
    other->joined = true;
    clock_join(&il.self->sync, &other->sync);
    il_event(NULL, true, other->order);
    record_note("joins", NULL, id);
    if (result) {
        shadow_access(result, sizeof *result, true, false);
        *result = other->result;
    }
    return 0;
}

int il_pthread_join(pthread_t handle, void **result)
{
    IL_ENTER();
    return join(handle, result, NO_DEADLINE);
}

int il_pthread_clockjoin_np(pthread_t handle, void **result, clockid_t clock, const struct timespec *at)
{
    IL_ENTER();
    uint64_t deadline_ns;
    return model_deadline(clock, at, &deadline_ns) ? join(handle, result, deadline_ns) : EINVAL;
}

int il_pthread_timedjoin_np(pthread_t handle, void **result, const struct timespec *at)
{
    IL_ENTER();
    uint64_t deadline_ns;
    return model_deadline(CLOCK_REALTIME, at, &deadline_ns) ? join(handle, result, deadline_ns) : EINVAL;
}

int il_pthread_tryjoin_np(pthread_t handle, void **result)
{
    IL_ENTER();
    const struct thread *other = model_thread_of(handle);
    if (!other)
        return ESRCH;
    dpor_give_up(); /* where the other stands is no object */
    il_wish_look(other);
    if (other->life == LIFE_ENDED)
        return join(handle, result, NO_DEADLINE);
    il_event(NULL, false, 1);
    il_looked(other, 0);
    return EBUSY;
}

int model_thread_join(pthread_t handle)
{
    return join(handle, NULL, NO_DEADLINE);
}

int il_pthread_detach(pthread_t handle)
{
    IL_ENTER();
    struct thread *other = model_thread_of(handle);
    if (!other)
        return ESRCH;
    if (other->detached || other->joined)
        il_found(FIND_MISUSE, NULL, "%s detaches %s, which is %s already", il_name(il.current),
                 il_name((int)(other - il.threads)), other->detached ? "detached" : "joined");
    other->detached = true;
    il_event(NULL, true, 0);
    return 0;
}

pthread_t il_pthread_self(void)
{
    return handle_of(il.current);
}

int il_pthread_equal(pthread_t a, pthread_t b)
{
    return a == b;
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */

static void run_destructors(void)
{
    struct thread *self = il.self;
    for (unsigned round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS; round++) {
        bool any = false;
        for (unsigned key = 0; key < self->values_n; key++) {
            void *value = (void *)self->values[key];
            if (!value || !model.used[key] || !model.destructor[key])
                continue;
            any = true;
            self->values[key] = NULL;
            model.destructor[key](value);
        }
        if (!any)
            return;
    }
}

static bool is_last(void)
{
    for (int i = 0; i < il.n; i++)
        if (i != il.current && il.threads[i].life == LIFE_RUNS)
            return false;
    return true;
}

void model_thread_ends(void)
{
    if (il.current == 0)
        model_scenario_left();
    run_destructors();
    model_locks_of_ended();
    if (is_last())
        model_run_at_exit(); /* main has ended by pthread_exit: this is the end of the program, with status 0 */
}

/* The innermost exit() of several goes on where the one that called it stopped. */
void model_run_at_exit(void)
{
    while (model.at_exit_n)
        model.at_exit[--model.at_exit_n]();
    program_end();
}

/* Threads that nobody joined and nobody let go. */
static void check_leaked_threads(void)
{
    for (int i = 1; i < il.n && !il.leaks_allowed; i++) {
        const struct thread *thread = &il.threads[i];
        if (thread->joined || thread->detached)
            continue;
        if (thread->life == LIFE_RUNS)
            il_found(FIND_MISUSE, NULL, "main returns while %s still runs: the end of the program cuts it off",
                     il_name(i));
        il_found(FIND_MISUSE, NULL, "main returns, and %s was neither joined nor detached", il_name(i));
    }
}

void model_main_returned(int status)
{
    il_before_end();
    model_run_at_exit();
    record_note("returns from main", NULL, -1);
    if (status == 0) {
        check_leaked_threads();
        heap_check_leaks(true);
    }
    il_end(status);
}

_Noreturn void il_exit(int status)
{
    IL_ENTER();
    model_exit(status);
}

_Noreturn void model_exit(int status)
{
    model_scenario_left();
    il_before_end();
    model_run_at_exit();
    record_note("ends the program", NULL, -1);
    if (status == 0)
        heap_check_leaks(false);
    il_end(status);
}

_Noreturn void il__exit(int status)
{
    IL_ENTER();
    model_scenario_left();
    il_before_end();
    record_note("ends the program", NULL, -1);
    il_end(status);
}

_Noreturn void il__Exit(int status)
{
    IL_ENTER();
    model_scenario_left();
    il_before_end();
    record_note("ends the program", NULL, -1);
    il_end(status);
}

static int at_exit_add(void (**list)(void), unsigned *n, void (*function)(void))
{
    if (*n >= AT_EXIT_MAX)
        return -1;
    list[(*n)++] = function;
    return 0;
}

int il_atexit(void (*function)(void))
{
    IL_ENTER();
    return at_exit_add(model.at_exit, &model.at_exit_n, function);
}

int il_at_quick_exit(void (*function)(void))
{
    IL_ENTER();
    return at_exit_add(model.at_quick_exit, &model.at_quick_exit_n, function);
}

_Noreturn void il_quick_exit(int status)
{
    IL_ENTER();
    while (model.at_quick_exit_n)
        model.at_quick_exit[--model.at_quick_exit_n]();
    il__exit(status);
}

/* ---- keys and thread-local variables ----------------------------------------------------------------------------- */

int il_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    IL_ENTER();
    unsigned at = 0;
    while (at < model.keys_n && model.used[at])
        at++;
    if (at >= KEYS_MAX)
        return EAGAIN;
    if (at == model.keys_n)
        model.keys_n++;
    model.used[at] = true;
    model.destructor[at] = destructor;
    for (int i = 0; i < il.n; i++)
        if (at < il.threads[i].values_n)
            il.threads[i].values[at] = NULL;
    shadow_access(key, sizeof *key, true, false);
    *key = at;
    return 0;
}

static bool key_is(unsigned key)
{
    return key < model.keys_n && model.used[key];
}

int il_pthread_key_delete(pthread_key_t key)
{
    IL_ENTER();
    if (!key_is(key))
        return EINVAL;
    model.used[key] = false;
    return 0;
}

int il_pthread_setspecific(pthread_key_t key, const void *value)
{
    struct thread *self = il.self;
    if (!key_is(key))
        return EINVAL;
    while (self->values_n <= key)
        self->values[self->values_n++] = NULL;
    self->values[key] = value;
    return 0;
}

void *il_pthread_getspecific(pthread_key_t key)
{
    return key_is(key) && key < il.self->values_n ? (void *)il.self->values[key] : NULL;
}

/* What the compiler calls for the address of a thread-local variable of a shared object (both processors' ABIs: the
 * module, which is always the program, and the offset in its block). */
struct tls_place {
    unsigned long module, offset;
};

void *il___tls_get_addr(const struct tls_place *place)
{
    struct thread *self = il.self;
    if (!self->tls) {
        size_t size, file_size, alignment;
        const void *image = program_tls(&size, &file_size, &alignment);
        self->tls = heap_take_hidden(size, alignment < 16 ? 16 : alignment);
        if (!self->tls)
            il_found(FIND_CANNOT, NULL, "no memory is left for thread-local variables");
        memcpy(self->tls, image, file_size);
    }
    return (char *)self->tls + place->offset;
}

/* The same with -femulated-tls (clang for AArch64 knows no call otherwise): for each variable what libgcc's emutls.c
 * calls an object. The program's data is put back before each run, so each run counts its variables anew. */
struct emulated {
    size_t size, alignment, number;
    const void *image; /* NULL: zeros */
};

enum { EMULATED_SIZE = 256 << 10, EMULATED_MAX = 256 };

static struct {
    uint32_t run;
    size_t n, used, offset[EMULATED_MAX + 1];
} emulated;

static void emulated_number(struct emulated *variable)
{
    if (emulated.run != il.run) {
        emulated.run = il.run;
        emulated.n = 0;
        emulated.used = EMULATED_MAX + 1; /* at the start of each thread's block: which it has used */
    }
    size_t alignment = variable->alignment ? variable->alignment : 1;
    size_t offset = (emulated.used + alignment - 1) / alignment * alignment;
    if (emulated.n == EMULATED_MAX || alignment > 64 || variable->size > EMULATED_SIZE - offset)
        il_found(FIND_CANNOT, NULL, "more thread-local variables than the explorer has room for");
    variable->number = ++emulated.n;
    emulated.offset[variable->number] = offset;
    emulated.used = offset + variable->size;
}

/* The block that a thread has for all of them, from its first use of one. */
static char *emulated_block(void)
{
    char *block = il.self->tls;
    if (block)
        return block;
    block = heap_take_hidden(EMULATED_SIZE, 64);
    if (!block)
        il_found(FIND_CANNOT, NULL, "no memory is left for thread-local variables");
    il.self->tls = block;
    return block;
}

void *il___emutls_get_address(struct emulated *variable)
{
    if (!variable->number)
        emulated_number(variable);
    char *block = emulated_block(), *at = block + emulated.offset[variable->number];
    if (!block[variable->number] && variable->image)
        memcpy(at, variable->image, variable->size);
    block[variable->number] = 1;
    return at;
}

/* ---- C11 --------------------------------------------------------------------------------------------------------- */

int il_thrd_create(thrd_t *handle, thrd_start_t body, void *argument)
{
    IL_ENTER();
    return create(handle, sizeof *handle, NULL, NULL, body, argument) ? thrd_nomem : thrd_success;
}

int il_thrd_join(thrd_t handle, int *result)
{
    IL_ENTER();
    if (join(handle, NULL, NO_DEADLINE))
        return thrd_error;
    if (result)
        *result = model_thread_of(handle)->result_int;
    return thrd_success;
}

int il_thrd_detach(thrd_t handle)
{
    return il_pthread_detach(handle) ? thrd_error : thrd_success;
}

thrd_t il_thrd_current(void)
{
    return handle_of(il.current);
}

int il_thrd_equal(thrd_t a, thrd_t b)
{
    return a == b;
}

_Noreturn void il_thrd_exit(int result)
{
    IL_ENTER();
    il.self->result_int = result;
    model_unwind();
}

int il_tss_create(tss_t *key, tss_dtor_t destructor)
{
    return il_pthread_key_create(key, destructor) ? thrd_error : thrd_success;
}

void il_tss_delete(tss_t key)
{
    il_pthread_key_delete(key);
}

void *il_tss_get(tss_t key)
{
    return il_pthread_getspecific(key);
}

int il_tss_set(tss_t key, void *value)
{
    return il_pthread_setspecific(key, value) ? thrd_error : thrd_success;
}
