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
/* Where others may run: at a jump back and at a call. */
static int turn(struct run *run)
{
    (void)run;
    return 0;
}
/* end turn */

/* region jump */
/* Goes on at instruction `to`. `run->at` is already the one after this. Which jumps are jumps back? */
static int jump(struct run *run, int64_t to)
{
    (void)to;
    return turn(run) == 0 ? ENOSYS : 0;
}

static int jump_if_zero(struct run *run, int64_t to)
{
    return jump(run, to);
}
/* end jump */

/* region call */
/* Opens a call that begins at instruction `to`, with new local variables: number 0 is the value from the stack. */
static int call(struct run *run, int64_t to)
{
    (void)run;
    (void)to;
    return ENOSYS;
}

/* Ends the last call, and with it the program where it is the first one. */
static int give_back(struct run *run)
{
    (void)run;
    return ENOSYS;
}
/* end call */

/* region append */
/* Takes a value from the stack and makes it the last item. What if there is no room, and no memory? */
static int append(struct run *run)
{
    (void)run;
    return ENOSYS;
}
/* end append */

/* region sleep */
/* Takes a time from the stack, and lets the others run while it sleeps. */
static int sleep_without(struct run *run)
{
    (void)run;
    return ENOSYS;
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
/* Make a run and its thread's side of the lock, execute step after step with the lock held, and leave nothing behind.
 */
int tiny_vm_run(struct tiny_vm *vm, const struct tiny_vm_program *program, int64_t argument, int64_t *result)
{
    struct run run = {.vm = vm, .program = program, .depth = 1};

    run.frames[0].locals[0] = argument;
    (void)result;
    return step(&run) == 0 ? ENOSYS : EINVAL; /* one step, and without the lock */
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
