/* tiny_vm.h - a small virtual machine whose threads take turns, as Python's do under the GIL.
 *
 *     dis.dis("while n > 0: n -= 1")   # what CPython makes of a loop: instructions, and a jump back at the end
 *
 * A program is a list of instructions for a machine with a stack. Any number of threads run programs on the same
 * machine, each with a stack and local variables of its own; the global variables and the one list belong to all of
 * them. Nothing of that has a lock of its own: whoever executes instructions holds the global lock (gil.h, on which
 * this is built; the lock is the caller's, so that several machines can share one or have one each). It promises:
 *
 *   - A thread executes instructions only while it holds the lock.
 *   - Where it was asked to drop the lock (gil_drop_requested), it does so at the next *jump back* or *call*, and takes
 *     it again before it goes on. So no loop and no recursion keeps the others out.
 *   - It does so nowhere else. What stands between two such places is one step for all others, and so is each single
 *     instruction: TINY_VM_APPEND never leaves half of an item behind (Python: list.append is atomic).
 *   - TINY_VM_SLEEP lets go of the lock while it sleeps, and takes it again after: others run meanwhile. It never
 *     sleeps for less, by the monotonic clock: where a signal interrupts it, it goes on for the rest of its time
 *     (Python: PEP 475).
 *   - However a program ends, its thread does not hold the lock afterwards, and nothing of it is left behind.
 */
#ifndef TINY_VM_H
#define TINY_VM_H

#include "gil.h"

#include <stddef.h>
#include <stdint.h>

struct tiny_vm;

/* What an instruction does. `a` is its argument; "pops y, x" takes y from the top of the stack and x from below it.
 * Numbers are 64 bits wide, and what runs over their ends comes in at the other. */
enum tiny_vm_operation {
    TINY_VM_PUSH,         /* pushes a */
    TINY_VM_LOAD,         /* pushes local variable a */
    TINY_VM_STORE,        /* pops into local variable a */
    TINY_VM_LOAD_GLOBAL,  /* pushes global variable a */
    TINY_VM_STORE_GLOBAL, /* pops into global variable a */
    TINY_VM_ADD,          /* pops y, x; pushes x + y */
    TINY_VM_SUBTRACT,     /* pops y, x; pushes x - y */
    TINY_VM_MULTIPLY,     /* pops y, x; pushes x * y */
    TINY_VM_MODULO,       /* pops y, x; pushes x % y, which has the sign of y, as in Python */
    TINY_VM_LESS,         /* pops y, x; pushes 1 where x < y, else 0 */
    TINY_VM_JUMP,         /* goes on at instruction a; where that is this one or one before, it is a jump back */
    TINY_VM_JUMP_IF_ZERO, /* pops x; where it is 0, the same */
    TINY_VM_CALL,         /* pops x; goes on at instruction a, with new local variables: number 0 is x, the others 0 */
    TINY_VM_RETURN,       /* pops x; goes on after the call, with the caller's local variables, and pushes x there;
                             where nothing was called, ends the program with the result x */
    TINY_VM_APPEND,       /* pops x; appends it to the list */
    TINY_VM_LENGTH,       /* pushes how many items the list has */
    TINY_VM_SLEEP,        /* pops x; sleeps for x microseconds, without the lock; 0 gives the others a chance */
    TINY_VM_OPERATIONS    /* how many there are */
};

struct tiny_vm_instruction {
    enum tiny_vm_operation operation;
    int64_t a;
};

/* The instructions belong to whoever wrote them, and last as long as a thread runs them. */
struct tiny_vm_program {
    const struct tiny_vm_instruction *instructions;
    size_t count;
};

enum {
    TINY_VM_LOCALS = 8,   /* local variables of a call */
    TINY_VM_GLOBALS = 16, /* global variables of a machine */
    TINY_VM_STACK = 1024, /* values that a thread can have on its stack */
    TINY_VM_DEPTH = 1000, /* calls that can be open at a time, the program itself included: Python's recursion limit */
};

/* Programs to try, with local variable 0 as their n. They are always there. */
const struct tiny_vm_program *tiny_vm_countdown(void); /* while n > 0: n -= 1;                       returns 0 */
const struct tiny_vm_program *tiny_vm_is_prime(void);  /* tries 2, 3, … while i * i <= n;            returns 1 or 0 */
const struct tiny_vm_program *tiny_vm_fibonacci(void); /* fib(n) = n if n < 2 else fib(n-1) + fib(n-2)  */
const struct tiny_vm_program *tiny_vm_fill(void);      /* appends n, n - 1, …, 1 to the list;        returns 0 */
const struct tiny_vm_program *tiny_vm_nap(void);       /* sleeps n microseconds;                     returns 0 */

/* Makes a machine whose global variables are 0 and whose list is empty, and stores it in `*vm`. Its threads take turns
 * by `gil`, which stays the caller's and must outlast the machine. Returns 0 or ENOMEM, and then nothing was made. */
int tiny_vm_create(struct gil *gil, struct tiny_vm **vm);

/* Ends a machine on which nothing runs, with its list. NULL is fine. */
void tiny_vm_destroy(struct tiny_vm *vm);

/* Runs a program in the calling thread, from instruction 0, with local variable 0 set to `argument`. Blocks until it
 * ends. Any number of threads may do so at the same time, none of which may hold the lock as it calls. Stores the
 * program's result in `*result` and returns 0, or returns a positive errno value and leaves `*result` as it was; what
 * the program did to globals and list until then stays done:
 *   EINVAL     an instruction, a variable or a target that there is not, or a value popped off an empty stack
 *   EINVAL     a sleep of less than 0 (Python: ValueError)
 *   EDOM       x % 0 (Python: ZeroDivisionError)
 *   EOVERFLOW  more values than TINY_VM_STACK, or more open calls than TINY_VM_DEPTH (Python: RecursionError)
 *   ENOMEM     there is no memory: the list is as it was (Python: MemoryError) */
int tiny_vm_run(struct tiny_vm *vm, const struct tiny_vm_program *program, int64_t argument, int64_t *result);

/* The machine's global variables and its list, seen from outside, while no program runs. The number of a variable is
 * below TINY_VM_GLOBALS, that of an item below the length. */
int64_t tiny_vm_global(const struct tiny_vm *vm, size_t number);
void tiny_vm_set_global(struct tiny_vm *vm, size_t number, int64_t value);
size_t tiny_vm_length(const struct tiny_vm *vm);
int64_t tiny_vm_item(const struct tiny_vm *vm, size_t number);

#endif
