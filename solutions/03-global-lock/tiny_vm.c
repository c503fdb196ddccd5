/* tiny_vm.c - a small virtual machine whose threads take turns.
 *
 * Theory of operation: no threads of its own; whoever calls tiny_vm_run executes the program. What belongs to one run
 * (its stack, its calls) is in a `struct run`, and only its own thread touches that. What belongs to the machine is
 * guarded by the global lock, which a run holds from before the first instruction until after the last. It lets go in
 * between in two functions: `turn`, where a jump back or a call is, if somebody has asked; and `sleep_without`. There
 * is no other lock, so nothing can wait for something else while it holds this one.
 */
#include "tiny_vm.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct tiny_vm {
    struct gil *gil;
    int64_t globals[TINY_VM_GLOBALS]; /* guarded by gil, as all below */
    int64_t *items;                   /* the list: `length` of `capacity` are used */
    size_t length;
    size_t capacity;
};

/* One call that is open. */
struct frame {
    size_t back; /* the instruction to go on with after it */
    int64_t locals[TINY_VM_LOCALS];
};

/* One program that runs: its own thread's alone. */
struct run {
    struct tiny_vm *vm;
    struct gil_thread *thread;
    const struct tiny_vm_program *program;
    size_t at; /* the next instruction */
    bool ended;
    int64_t result; /* once it has ended */
    size_t height;  /* values on the stack */
    size_t depth;   /* open calls; the last one is frames[depth - 1] */
    int64_t stack[TINY_VM_STACK];
    struct frame frames[TINY_VM_DEPTH];
};

/* ---- the stack and the variables -------------------------------------------------------------------------------- */

static int push(struct run *run, int64_t value)
{
    if (run->height == TINY_VM_STACK)
        return EOVERFLOW;
    run->stack[run->height++] = value;
    return 0;
}

static int pop(struct run *run, int64_t *value)
{
    if (run->height == 0)
        return EINVAL;
    *value = run->stack[--run->height];
    return 0;
}

/* A variable of the machine or of the call; NULL where there is none of that number. */
static int64_t *variable(struct run *run, bool global, int64_t number)
{
    if (number < 0 || number >= (global ? TINY_VM_GLOBALS : TINY_VM_LOCALS))
        return NULL;
    return global ? &run->vm->globals[number] : &run->frames[run->depth - 1].locals[number];
}

static int load(struct run *run, bool global, int64_t number)
{
    const int64_t *from = variable(run, global, number);
    return from == NULL ? EINVAL : push(run, *from);
}

static int store(struct run *run, bool global, int64_t number)
{
    int64_t *to = variable(run, global, number);
    return to == NULL ? EINVAL : pop(run, to);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* x % y as in Python: it has the sign of y. */
static int64_t modulo(int64_t x, int64_t y)
{
    if (y == -1)
        return 0; /* the machine's own division would run over for the smallest number */
    int64_t rest = x % y;
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

/* In unsigned numbers, which run over without being undefined. */
static int compute(enum tiny_vm_operation operation, int64_t x, int64_t y, int64_t *value)
{
    switch (operation) {
    case TINY_VM_ADD:
        *value = (int64_t)((uint64_t)x + (uint64_t)y);
        return 0;
    case TINY_VM_SUBTRACT:
        *value = (int64_t)((uint64_t)x - (uint64_t)y);
        return 0;
    case TINY_VM_MULTIPLY:
        *value = (int64_t)((uint64_t)x * (uint64_t)y);
        return 0;
    case TINY_VM_LESS:
        *value = x < y;
        return 0;
    default: /* TINY_VM_MODULO */
        *value = y == 0 ? 0 : modulo(x, y);
        return y == 0 ? EDOM : 0;
    }
}

static int arithmetic(struct run *run, enum tiny_vm_operation operation)
{
    int64_t x, y, value;
    int error = pop(run, &y);

    if (error == 0)
        error = pop(run, &x);
    if (error == 0)
        error = compute(operation, x, y, &value);
    return error != 0 ? error : push(run, value);
}

/* region turn */
/* Where others may run: at a jump back and at a call. If nobody has asked, this is one look at a flag. */
static int turn(struct run *run)
{
    return gil_checkpoint(run->thread);
}
/* end turn */

/* region jump */
/* Goes on at instruction `to`. `run->at` is already the one after this. */
static int jump(struct run *run, int64_t to)
{
    if (to < 0 || (uint64_t)to >= run->program->count)
        return EINVAL;

    bool back = (size_t)to < run->at;
    run->at = (size_t)to;
    return back ? turn(run) : 0;
}

static int jump_if_zero(struct run *run, int64_t to)
{
    int64_t value;
    int error = pop(run, &value);

    if (error != 0 || value != 0)
        return error;
    return jump(run, to);
}
/* end jump */

/* region call */
/* Opens a call that begins at instruction `to`, with new local variables: number 0 is the value from the stack. */
static int call(struct run *run, int64_t to)
{
    struct frame frame = {.back = run->at};
    int error = pop(run, &frame.locals[0]);

    if (error != 0)
        return error;
    if (to < 0 || (uint64_t)to >= run->program->count)
        return EINVAL;
    if (run->depth == TINY_VM_DEPTH)
        return EOVERFLOW;
    run->frames[run->depth++] = frame;
    run->at = (size_t)to;
    return turn(run);
}

/* Ends the last call, and with it the program where it is the first one. */
static int give_back(struct run *run)
{
    int64_t value;
    int error = pop(run, &value);

    if (error != 0)
        return error;
    run->at = run->frames[--run->depth].back;
    if (run->depth > 0)
        return push(run, value);
    run->result = value;
    run->ended = true;
    return 0;
}
/* end call */

/* region append */
/* Makes room for one more item; where there is none to be had, the list is as it was. */
static int grow(struct tiny_vm *vm)
{
    if (vm->length < vm->capacity)
        return 0;

    size_t capacity = vm->capacity == 0 ? 16 : 2 * vm->capacity;
    if (capacity > SIZE_MAX / sizeof *vm->items)
        return ENOMEM;
    int64_t *items = realloc(vm->items, capacity * sizeof *items);
    if (items == NULL)
        return ENOMEM;
    vm->items = items;
    vm->capacity = capacity;
    return 0;
}

/* One step for everybody else, since nothing in here lets go of the lock. */
static int append(struct run *run)
{
    int64_t value;
    int error = pop(run, &value);

    if (error == 0)
        error = grow(run->vm);
    if (error == 0)
        run->vm->items[run->vm->length++] = value;
    return error;
}
/* end append */

/* region sleep */
/* Sleeps until a moment, so that what a signal interrupts can simply be begun again. */
static void sleep_for(int64_t time_us)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += time_us / 1000000;
    until.tv_nsec += time_us % 1000000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

/* While it sleeps the machine is not to be touched: the lock is somebody else's. */
static int sleep_without(struct run *run)
{
    int64_t time_us;
    int error = pop(run, &time_us);

    if (error != 0)
        return error;
    if (time_us < 0)
        return EINVAL;
    gil_drop(run->thread);
    sleep_for(time_us);
    return gil_take(run->thread);
}
/* end sleep */

/* ---- the loop --------------------------------------------------------------------------------------------------- */

/* With the lock held: executes one instruction. Returns 0 or what tiny_vm_run returns. */
static int step(struct run *run)
{
    if (run->at >= run->program->count)
        return EINVAL;

    const struct tiny_vm_instruction *instruction = &run->program->instructions[run->at++];
    switch (instruction->operation) {
    case TINY_VM_PUSH:
        return push(run, instruction->a);
    case TINY_VM_LOAD:
    case TINY_VM_LOAD_GLOBAL:
        return load(run, instruction->operation == TINY_VM_LOAD_GLOBAL, instruction->a);
    case TINY_VM_STORE:
    case TINY_VM_STORE_GLOBAL:
        return store(run, instruction->operation == TINY_VM_STORE_GLOBAL, instruction->a);
    case TINY_VM_ADD:
    case TINY_VM_SUBTRACT:
    case TINY_VM_MULTIPLY:
    case TINY_VM_MODULO:
    case TINY_VM_LESS:
        return arithmetic(run, instruction->operation);
    case TINY_VM_JUMP:
        return jump(run, instruction->a);
    case TINY_VM_JUMP_IF_ZERO:
        return jump_if_zero(run, instruction->a);
    case TINY_VM_CALL:
        return call(run, instruction->a);
    case TINY_VM_RETURN:
        return give_back(run);
    case TINY_VM_APPEND:
        return append(run);
    case TINY_VM_LENGTH:
        return push(run, (int64_t)run->vm->length);
    case TINY_VM_SLEEP:
        return sleep_without(run);
    default:
        return EINVAL;
    }
}

/* region run */
/* Holds the lock from before the first instruction until after the last, whatever that returns. */
static int execute(struct run *run)
{
    int error = gil_take(run->thread);

    if (error != 0)
        return error;
    while (!run->ended && error == 0)
        error = step(run);
    gil_drop(run->thread);
    return error;
}

int tiny_vm_run(struct tiny_vm *vm, const struct tiny_vm_program *program, int64_t argument, int64_t *result)
{
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return ENOMEM;

    int error = gil_thread_create(vm->gil, &run->thread);
    if (error != 0)
        goto no_thread;
    run->vm = vm;
    run->program = program;
    run->depth = 1;
    run->frames[0].locals[0] = argument;
    error = execute(run);
    if (error == 0)
        *result = run->result;
    gil_thread_destroy(run->thread);
no_thread:
    free(run);
    return error;
}
/* end run */

/* ---- from outside ----------------------------------------------------------------------------------------------- */

int tiny_vm_create(struct gil *gil, struct tiny_vm **vm)
{
    struct tiny_vm *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    made->gil = gil;
    *vm = made;
    return 0;
}

void tiny_vm_destroy(struct tiny_vm *vm)
{
    if (vm == NULL)
        return;
    free(vm->items);
    free(vm);
}

int64_t tiny_vm_global(const struct tiny_vm *vm, size_t number)
{
    return vm->globals[number];
}

void tiny_vm_set_global(struct tiny_vm *vm, size_t number, int64_t value)
{
    vm->globals[number] = value;
}

size_t tiny_vm_length(const struct tiny_vm *vm)
{
    return vm->length;
}

int64_t tiny_vm_item(const struct tiny_vm *vm, size_t number)
{
    return vm->items[number];
}

/* ---- programs to try -------------------------------------------------------------------------------------------- */

/* clang-format off */
/* region countdown */
static const struct tiny_vm_instruction countdown[] = {
    {TINY_VM_PUSH, 0},          /* 0: while 0 < n: */
    {TINY_VM_LOAD, 0},
    {TINY_VM_LESS, 0},
    {TINY_VM_JUMP_IF_ZERO, 9},
    {TINY_VM_LOAD, 0},          /*        n -= 1 */
    {TINY_VM_PUSH, 1},
    {TINY_VM_SUBTRACT, 0},
    {TINY_VM_STORE, 0},
    {TINY_VM_JUMP, 0},          /* 8: the jump back */
    {TINY_VM_PUSH, 0},          /* 9: return 0 */
    {TINY_VM_RETURN, 0},
};
/* end countdown */

static const struct tiny_vm_instruction is_prime[] = {
    {TINY_VM_LOAD, 0},           /*  0: if n < 2: return 0 */
    {TINY_VM_PUSH, 2},
    {TINY_VM_LESS, 0},
    {TINY_VM_JUMP_IF_ZERO, 6},
    {TINY_VM_PUSH, 0},
    {TINY_VM_RETURN, 0},
    {TINY_VM_PUSH, 2},           /*  6: i = 2 */
    {TINY_VM_STORE, 1},
    {TINY_VM_LOAD, 0},           /*  8: while not n < i * i: */
    {TINY_VM_LOAD, 1},
    {TINY_VM_LOAD, 1},
    {TINY_VM_MULTIPLY, 0},
    {TINY_VM_LESS, 0},
    {TINY_VM_JUMP_IF_ZERO, 16},
    {TINY_VM_PUSH, 1},           /*     return 1 */
    {TINY_VM_RETURN, 0},
    {TINY_VM_LOAD, 0},           /* 16:    if n % i == 0: return 0 */
    {TINY_VM_LOAD, 1},
    {TINY_VM_MODULO, 0},
    {TINY_VM_JUMP_IF_ZERO, 25},
    {TINY_VM_LOAD, 1},           /*        i += 1 */
    {TINY_VM_PUSH, 1},
    {TINY_VM_ADD, 0},
    {TINY_VM_STORE, 1},
    {TINY_VM_JUMP, 8},
    {TINY_VM_PUSH, 0},           /* 25: return 0 */
    {TINY_VM_RETURN, 0},
};

static const struct tiny_vm_instruction fibonacci[] = {
    {TINY_VM_LOAD, 0},           /*  0: if n < 2: return n */
    {TINY_VM_PUSH, 2},
    {TINY_VM_LESS, 0},
    {TINY_VM_JUMP_IF_ZERO, 6},
    {TINY_VM_LOAD, 0},
    {TINY_VM_RETURN, 0},
    {TINY_VM_LOAD, 0},           /*  6: return fib(n - 1) + fib(n - 2) */
    {TINY_VM_PUSH, 1},
    {TINY_VM_SUBTRACT, 0},
    {TINY_VM_CALL, 0},
    {TINY_VM_LOAD, 0},
    {TINY_VM_PUSH, 2},
    {TINY_VM_SUBTRACT, 0},
    {TINY_VM_CALL, 0},
    {TINY_VM_ADD, 0},
    {TINY_VM_RETURN, 0},
};

static const struct tiny_vm_instruction fill[] = {
    {TINY_VM_PUSH, 0},          /*  0: while 0 < n: */
    {TINY_VM_LOAD, 0},
    {TINY_VM_LESS, 0},
    {TINY_VM_JUMP_IF_ZERO, 11},
    {TINY_VM_LOAD, 0},          /*        items.append(n) */
    {TINY_VM_APPEND, 0},
    {TINY_VM_LOAD, 0},          /*        n -= 1 */
    {TINY_VM_PUSH, 1},
    {TINY_VM_SUBTRACT, 0},
    {TINY_VM_STORE, 0},
    {TINY_VM_JUMP, 0},
    {TINY_VM_PUSH, 0},          /* 11: return 0 */
    {TINY_VM_RETURN, 0},
};

static const struct tiny_vm_instruction nap[] = {
    {TINY_VM_LOAD, 0},
    {TINY_VM_SLEEP, 0},
    {TINY_VM_PUSH, 0},
    {TINY_VM_RETURN, 0},
};
/* clang-format on */

const struct tiny_vm_program *tiny_vm_countdown(void)
{
    static const struct tiny_vm_program program = {countdown, sizeof countdown / sizeof *countdown};
    return &program;
}

const struct tiny_vm_program *tiny_vm_is_prime(void)
{
    static const struct tiny_vm_program program = {is_prime, sizeof is_prime / sizeof *is_prime};
    return &program;
}

const struct tiny_vm_program *tiny_vm_fibonacci(void)
{
    static const struct tiny_vm_program program = {fibonacci, sizeof fibonacci / sizeof *fibonacci};
    return &program;
}

const struct tiny_vm_program *tiny_vm_fill(void)
{
    static const struct tiny_vm_program program = {fill, sizeof fill / sizeof *fill};
    return &program;
}

const struct tiny_vm_program *tiny_vm_nap(void)
{
    static const struct tiny_vm_program program = {nap, sizeof nap / sizeof *nap};
    return &program;
}
