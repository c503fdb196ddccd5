/* timeline.c - who held the global lock when: two threads that compute and one that mostly sleeps, on the small
 * machine.
 *
 * Theory: the machine of this chapter runs as it is; only its calls of gil_take, gil_drop and gil_checkpoint go through
 * functions of ours, which write down the time. Each thread writes to a list of its own, so nothing is disturbed.
 */
#include "03-global-lock/gil.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */

static int traced_take(struct gil_thread *thread);
static int traced_drop(struct gil_thread *thread);
static int traced_checkpoint(struct gil_thread *thread);

#define gil_take traced_take
#define gil_drop traced_drop
#define gil_checkpoint traced_checkpoint
#include "03-global-lock/tiny_vm.c" /* NOLINT(bugprone-suspicious-include) */
#undef gil_take
#undef gil_drop
#undef gil_checkpoint

#include <stdio.h>

enum { THREADS = 3, HOLDS_MAX = 4000, COUNT = 1000 * 1000, NAPS = 10, NAP_US = 6000, SHOWN_MS = 120 };

/* One thread, and when it held the lock. */
struct lane {
    const char *name;
    struct tiny_vm *vm;
    const struct tiny_vm_program *program;
    int64_t argument;
    double from_ms[HOLDS_MAX], to_ms[HOLDS_MAX];
    int holds;
};

static _Thread_local struct lane *lane;
static double began_ms; /* written before the threads are there */

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6 - began_ms;
}

static int traced_take(struct gil_thread *thread)
{
    int error = gil_take(thread);

    if (lane->holds < HOLDS_MAX)
        lane->from_ms[lane->holds] = now_ms();
    return error;
}

static int traced_drop(struct gil_thread *thread)
{
    if (lane->holds < HOLDS_MAX)
        lane->to_ms[lane->holds++] = now_ms();
    return gil_drop(thread);
}

static int traced_checkpoint(struct gil_thread *thread)
{
    if (!gil_drop_requested(thread))
        return 0;
    traced_drop(thread);
    return traced_take(thread);
}

/* while n > 0: sleep a while; fib(20); n -= 1 */
static const struct tiny_vm_instruction napping[] = {
    {TINY_VM_PUSH, 0},      {TINY_VM_LOAD, 0},   {TINY_VM_LESS, 0},  {TINY_VM_JUMP_IF_ZERO, 14},
    {TINY_VM_PUSH, NAP_US}, {TINY_VM_SLEEP, 0},  {TINY_VM_PUSH, 20}, {TINY_VM_CALL, 16},
    {TINY_VM_STORE, 1},     {TINY_VM_LOAD, 0},   {TINY_VM_PUSH, 1},  {TINY_VM_SUBTRACT, 0},
    {TINY_VM_STORE, 0},     {TINY_VM_JUMP, 0},   {TINY_VM_PUSH, 0},  {TINY_VM_RETURN, 0},
    {TINY_VM_LOAD, 0},      {TINY_VM_PUSH, 2},   {TINY_VM_LESS, 0},  {TINY_VM_JUMP_IF_ZERO, 22},
    {TINY_VM_LOAD, 0},      {TINY_VM_RETURN, 0}, {TINY_VM_LOAD, 0},  {TINY_VM_PUSH, 1},
    {TINY_VM_SUBTRACT, 0},  {TINY_VM_CALL, 16},  {TINY_VM_LOAD, 0},  {TINY_VM_PUSH, 2},
    {TINY_VM_SUBTRACT, 0},  {TINY_VM_CALL, 16},  {TINY_VM_ADD, 0},   {TINY_VM_RETURN, 0},
};
static const struct tiny_vm_program sleeper = {napping, sizeof napping / sizeof *napping};

static void *run(void *argument)
{
    int64_t result;

    lane = argument;
    if (tiny_vm_run(lane->vm, lane->program, lane->argument, &result) != 0)
        exit(1);
    return NULL;
}

int main(void)
{
    static struct lane lanes[THREADS] = {{.name = "computes"}, {.name = "computes too"}, {.name = "sleeps"}};
    pthread_t threads[THREADS];
    struct gil *gil;
    struct tiny_vm *vm;

    if (gil_create(&gil) != 0 || tiny_vm_create(gil, &vm) != 0)
        return 1;
    began_ms = now_ms();
    for (int i = 0; i < THREADS; i++) {
        lanes[i].vm = vm;
        lanes[i].program = i < 2 ? tiny_vm_countdown() : &sleeper;
        lanes[i].argument = i < 2 ? COUNT : NAPS;
        if (pthread_create(&threads[i], NULL, run, &lanes[i]) != 0)
            return 1;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("thread\tlane\tfrom_ms\tto_ms\n");
    for (int i = 0; i < THREADS; i++)
        for (int hold = 0; hold < lanes[i].holds && lanes[i].from_ms[hold] < SHOWN_MS; hold++)
            printf("%s\t%d\t%.3f\t%.3f\n", lanes[i].name, i + 1, lanes[i].from_ms[hold], lanes[i].to_ms[hold]);
    tiny_vm_destroy(vm);
    gil_destroy(gil);
    return 0;
}
