/* model_attr.c - what threads can be asked and told that changes nothing here: names, priorities, processors, stacks,
 * the identities of the process. See model.h.
 *
 * Answers are the same on every machine and in every process, so that verdicts are.
 */
#include "model.h"

#include "memory_map.h"
#include "record.h"
#include "shadow.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    PROCESSORS = 4,
    PROCESS_ID = 4711,
    NAME_SIZE = 16,
    STACK_ALIGNMENT = 64,
    GUARD_SIZE = 4096, /* as the program is told */
};

/* Set at the thread's first use in a run: an entry of another run counts for nothing. */
static struct about {
    uint32_t run;
    char name[NAME_SIZE];
    int policy;
    struct sched_param param;
    void *stack; /* its lowest byte, and its size, as the program is told */
    size_t stack_size, guard_size;
} abouts[THREADS_MAX];

static struct {
    uint32_t run;
    int value;
} concurrency;

static struct about *about(const struct thread *thread)
{
    int id = (int)(thread - il.threads);
    struct about *about = &abouts[id];
    size_t size = id == 0 ? MEMORY_MAIN_STACK : MEMORY_STACK;
    if (about->run != il.run)
        *about = (struct about){.run = il.run,
                                .name = "program",
                                .policy = SCHED_OTHER,
                                .stack = (char *)memory_stack_top(id) - size,
                                .stack_size = size,
                                .guard_size = id == 0 ? 0 : GUARD_SIZE};
    return about;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

int il_pthread_setname_np(pthread_t handle, const char *name)
{
    IL_ENTER();
    const struct thread *thread = model_thread_of(handle);
    if (!thread)
        return ESRCH;
    if (strlen(name) >= NAME_SIZE)
        return ERANGE;
    memcpy(about(thread)->name, name, strlen(name) + 1);
    return 0;
}

int il_pthread_getname_np(pthread_t handle, char *name, size_t size)
{
    IL_ENTER();
    const struct thread *thread = model_thread_of(handle);
    if (!thread)
        return ESRCH;
    if (size < NAME_SIZE)
        return ERANGE;
    shadow_access(name, NAME_SIZE, true, false);
    memcpy(name, about(thread)->name, NAME_SIZE);
    return 0;
}

/* ---- priorities -------------------------------------------------------------------------------------------------- */

static bool policy_is(int policy)
{
    return policy == SCHED_OTHER || policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_BATCH ||
           policy == SCHED_IDLE;
}

static bool priority_is(int policy, int priority)
{
    return priority >= sched_get_priority_min(policy) && priority <= sched_get_priority_max(policy);
}

int il_pthread_setschedparam(pthread_t handle, int policy, const struct sched_param *param)
{
    IL_ENTER();
    const struct thread *thread = model_thread_of(handle);
    if (!thread)
        return ESRCH;
    if (!policy_is(policy) || !priority_is(policy, param->sched_priority))
        return EINVAL;
    about(thread)->policy = policy;
    about(thread)->param = *param;
    return 0;
}

int il_pthread_getschedparam(pthread_t handle, int *policy, struct sched_param *param)
{
    IL_ENTER();
    const struct thread *thread = model_thread_of(handle);
    if (!thread)
        return ESRCH;
    *policy = about(thread)->policy;
    *param = about(thread)->param;
    return 0;
}

int il_pthread_setschedprio(pthread_t handle, int priority)
{
    IL_ENTER();
    const struct thread *thread = model_thread_of(handle);
    if (!thread)
        return ESRCH;
    if (!priority_is(about(thread)->policy, priority))
        return EINVAL;
    about(thread)->param.sched_priority = priority;
    return 0;
}

/* Of a thread by its number as gettid() says it, or the one that asks: 0. NULL: there is none. */
static struct thread *thread_of(pid_t id)
{
    if (id == 0)
        return il.self;
    return id >= PROCESS_ID && id < PROCESS_ID + il.n ? &il.threads[id - PROCESS_ID] : NULL;
}

static int result_of(int error)
{
    errno = error;
    return error ? -1 : 0;
}

int il_sched_setscheduler(pid_t id, int policy, const struct sched_param *param)
{
    IL_ENTER();
    const struct thread *thread = thread_of(id);
    if (!thread)
        return result_of(ESRCH);
    if (!policy_is(policy) || !priority_is(policy, param->sched_priority))
        return result_of(EINVAL);
    about(thread)->policy = policy;
    about(thread)->param = *param;
    return 0;
}

int il_sched_setparam(pid_t id, const struct sched_param *param)
{
    IL_ENTER();
    const struct thread *thread = thread_of(id);
    return thread ? il_sched_setscheduler(id, about(thread)->policy, param) : result_of(ESRCH);
}

int il_sched_getscheduler(pid_t id)
{
    IL_ENTER();
    const struct thread *thread = thread_of(id);
    return thread ? about(thread)->policy : result_of(ESRCH);
}

int il_sched_getparam(pid_t id, struct sched_param *param)
{
    IL_ENTER();
    const struct thread *thread = thread_of(id);
    if (!thread)
        return result_of(ESRCH);
    *param = about(thread)->param;
    return 0;
}

int il_pthread_setconcurrency(int level)
{
    if (level < 0)
        return EINVAL;
    concurrency.run = il.run;
    concurrency.value = level;
    return 0;
}

int il_pthread_getconcurrency(void)
{
    return concurrency.run == il.run ? concurrency.value : 0;
}

/* ---- processors -------------------------------------------------------------------------------------------------- */

static int affinity(size_t size, cpu_set_t *set)
{
    if (size < sizeof(unsigned long))
        return EINVAL;
    memset(set, 0, size);
    for (int i = 0; i < PROCESSORS; i++)
        CPU_SET_S(i, size, set);
    return 0;
}

int il_pthread_getaffinity_np(pthread_t handle, size_t size, cpu_set_t *set)
{
    return model_thread_of(handle) ? affinity(size, set) : ESRCH;
}

int il_sched_getaffinity(pid_t process, size_t size, cpu_set_t *set)
{
    (void)process;
    errno = affinity(size, set);
    return errno ? -1 : 0;
}

static int bound_to(size_t size, const cpu_set_t *set)
{
    for (int i = 0; i < PROCESSORS; i++)
        if (CPU_ISSET_S(i, size, set))
            return 0;
    return EINVAL;
}

int il_pthread_setaffinity_np(pthread_t handle, size_t size, const cpu_set_t *set)
{
    return model_thread_of(handle) ? bound_to(size, set) : ESRCH;
}

int il_sched_setaffinity(pid_t process, size_t size, const cpu_set_t *set)
{
    (void)process;
    errno = bound_to(size, set);
    return errno ? -1 : 0;
}

int il_sched_getcpu(void)
{
    return il.current % PROCESSORS;
}

int il_get_nprocs(void)
{
    return PROCESSORS;
}

long il_sysconf(int name)
{
    return name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF ? PROCESSORS : sysconf(name);
}

long il___sysconf(int name)
{
    return il_sysconf(name);
}

/* ---- stacks, and what else a new thread begins with ---------------------------------------------------------------
 */

/* The program's own memory, where it gives any: glibc says where it is not set by a stack that ends at 0. */
static void take_stack(int child, const pthread_attr_t *attributes)
{
    struct about *its = about(&il.threads[child]);
    void *stack = NULL;
    size_t size = 0;
    pthread_attr_getguardsize(attributes, &its->guard_size);
    pthread_attr_getstack(attributes, &stack, &size);
    uintptr_t end = (uintptr_t)stack + size;
    if (size == 0)
        return;
    its->stack_size = size;
    its->stack = end ? stack : (char *)memory_stack_top(child) - size;
    if (end)
        il_stack(child, (char *)stack + (size - end % STACK_ALIGNMENT));
}

void model_attr_inherit(int child, const pthread_attr_t *attributes)
{
    const struct about *mine = about(il.self);
    struct about *its = about(&il.threads[child]);
    int inherits = PTHREAD_INHERIT_SCHED;
    memcpy(its->name, mine->name, sizeof its->name);
    its->policy = mine->policy;
    its->param = mine->param;
    if (!attributes)
        return;
    pthread_attr_getinheritsched(attributes, &inherits);
    if (inherits == PTHREAD_EXPLICIT_SCHED) {
        pthread_attr_getschedpolicy(attributes, &its->policy);
        pthread_attr_getschedparam(attributes, &its->param);
    }
    take_stack(child, attributes);
}

int il_pthread_getattr_np(pthread_t handle, pthread_attr_t *attributes)
{
    IL_ENTER();
    const struct thread *thread = model_thread_of(handle);
    if (!thread)
        return ESRCH;
    const struct about *its = about(thread);
    pthread_attr_init(attributes);
    pthread_attr_setstack(attributes, its->stack, its->stack_size);
    pthread_attr_setguardsize(attributes, its->guard_size);
    pthread_attr_setschedpolicy(attributes, its->policy);
    pthread_attr_setschedparam(attributes, &its->param);
    return pthread_attr_setdetachstate(attributes,
                                       thread->detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
}

/* ---- identities -------------------------------------------------------------------------------------------------- */

pid_t il_getpid(void)
{
    return PROCESS_ID;
}

pid_t il_getppid(void)
{
    return PROCESS_ID - 1;
}

pid_t il_gettid(void)
{
    return PROCESS_ID + il.current;
}

int il_pthread_getcpuclockid(pthread_t handle, clockid_t *clock)
{
    if (!model_thread_of(handle))
        return ESRCH;
    *clock = CLOCK_THREAD_CPUTIME_ID;
    return 0;
}

int il_clock_getcpuclockid(pid_t process, clockid_t *clock)
{
    if (process && process != PROCESS_ID)
        return ESRCH;
    *clock = CLOCK_PROCESS_CPUTIME_ID;
    return 0;
}

/* Nothing forks here. */
int il_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    (void)prepare;
    (void)parent;
    (void)child;
    return 0;
}

int il_sched_yield(void);

long il_syscall(long number, ...)
{
    IL_ENTER();
    switch (number) {
    case SYS_gettid:
        return il_gettid();
    case SYS_getpid:
        return PROCESS_ID;
    case SYS_sched_yield:
        return il_sched_yield();
    default:
        il_found(FIND_CANNOT, NULL, "the program calls syscall() with the number %ld, which the explorer cannot model",
                 number);
    }
}
