/* A thread has what its attributes say: its stack, its scheduling, its guard; what they do not say is its maker's.
 * explore: => everything
 * explore: -DWRONG => race|heap within 1 */
#define _GNU_SOURCE
#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 128 << 10, SMALL = 16 << 10, PRIORITY = 3 };

static char reserved[SIZE] __attribute__((aligned(4096)));

struct stack {
    char *start;
    size_t size;
};

static void is_told(const struct stack *stack)
{
    pthread_attr_t attributes;
    void *start;
    size_t size;
    assert(pthread_getattr_np(pthread_self(), &attributes) == 0);
    assert(pthread_attr_getstack(&attributes, &start, &size) == 0 && pthread_attr_destroy(&attributes) == 0);
    assert(size == stack->size && (!stack->start || start == stack->start));
}

static void *lives_there(void *argument)
{
    const struct stack *stack = argument;
    char local[100];
    memset(local, 1, sizeof local);
    uintptr_t at = (uintptr_t)local - (uintptr_t)stack->start;
    assert(at < stack->size && local[99] == 1);
    is_told(stack);
#ifdef WRONG
    stack->start[SIZE] = 1; /* beyond its end */
#endif
    return argument;
}

static void *only_told(void *argument)
{
    is_told(argument);
    return argument;
}

static void run(void *(*body)(void *), struct stack stack)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;
    assert(pthread_attr_init(&attributes) == 0);
    if (stack.start)
        assert(pthread_attr_setstack(&attributes, stack.start, stack.size) == 0);
    else
        assert(pthread_attr_setstacksize(&attributes, stack.size) == 0);
    assert(pthread_create(&thread, &attributes, body, &stack) == 0);
    assert(pthread_attr_destroy(&attributes) == 0);
    assert(pthread_join(thread, &result) == 0 && result == &stack);
}

static void *asks(void *argument)
{
    struct sched_param param;
    char name[16];
    int policy;
    assert(pthread_getschedparam(pthread_self(), &policy, &param) == 0);
    assert(policy == (argument ? SCHED_FIFO : SCHED_RR) && param.sched_priority == (argument ? PRIORITY : 1));
    assert(pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "maker") == 0);
    return NULL;
}

static void scheduling(void)
{
    struct sched_param param = {.sched_priority = 1};
    pthread_attr_t attributes;
    pthread_t thread;
    assert(pthread_setname_np(pthread_self(), "maker") == 0);
    assert(pthread_setschedparam(pthread_self(), SCHED_RR, &param) == 0);
    assert(pthread_create(&thread, NULL, asks, NULL) == 0 && pthread_join(thread, NULL) == 0);
    param.sched_priority = PRIORITY;
    assert(pthread_attr_init(&attributes) == 0 && pthread_attr_setschedpolicy(&attributes, SCHED_FIFO) == 0);
    assert(pthread_attr_setschedparam(&attributes, &param) == 0);
    assert(pthread_create(&thread, &attributes, asks, NULL) == 0 && pthread_join(thread, NULL) == 0);
    assert(pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED) == 0);
    assert(pthread_create(&thread, &attributes, asks, &attributes) == 0 && pthread_join(thread, NULL) == 0);
    assert(pthread_attr_destroy(&attributes) == 0);
}

int main(void)
{
    void *memory = NULL;
    assert(posix_memalign(&memory, 4096, SIZE) == 0);
    run(lives_there, (struct stack){.start = memory, .size = SIZE});
    run(lives_there, (struct stack){.start = memory, .size = SIZE});  /* again */
#ifdef __x86_64__                                                     /* elsewhere no stack may be so small */
    run(lives_there, (struct stack){.start = memory, .size = SMALL}); /* we need 11 KiB of it, for output and all */
#endif
    free(memory);
    run(lives_there, (struct stack){.start = reserved, .size = SIZE});
    run(only_told, (struct stack){.size = 1 << 20});
    scheduling();
    return 0;
}
