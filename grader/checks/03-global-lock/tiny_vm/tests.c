/* tests.c - what the machine must do.
 *
 * That others are let in here and not there is made certain as follows. One thread runs a program that, with the lock
 * held, comes to an allocation (it appends thousands of items). There it is held until another thread has waited for an
 * interval (nap.h), and so has asked for the lock. What the first thread does next with the request can then be seen in
 * a global variable that the other one sets.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"
#include "refuse.h"
#include "tiny_vm.h"
#include "wrap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* nap.h's own of these are called by those below. */
#define clock_gettime nap_clock_gettime
#define clock_nanosleep nap_clock_nanosleep
#define nanosleep nap_nanosleep
#include "nap.h"
#undef clock_gettime
#undef clock_nanosleep
#undef nanosleep

/* ---- a clock that only sleeps move ------------------------------------------------------------------------------- */

static _Thread_local const struct timespec *stopped_clock; /* where the monotonic one stood; NULL: it is the real one */
static _Thread_local int64_t slept_ns;                     /* for how long the thread was to sleep since then */

static int64_t in_ns(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

NAP_HIDDEN int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (stopped_clock == NULL || clock != CLOCK_MONOTONIC)
        return nap_clock_gettime(clock, now);
    int64_t now_ns = in_ns(*stopped_clock) + slept_ns;
    *now = (struct timespec){now_ns / 1000000000, now_ns % 1000000000};
    return 0;
}

NAP_HIDDEN int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    int error = nap_clock_nanosleep(clock, flags, time, left);

    if (stopped_clock != NULL && error == 0) {
        int64_t until_ns = flags != 0 ? in_ns(*time) - in_ns(*stopped_clock) : slept_ns + in_ns(*time);
        slept_ns = until_ns > slept_ns ? until_ns : slept_ns;
    }
    return error;
}

NAP_HIDDEN int nanosleep(const struct timespec *time, struct timespec *left)
{
    int error = clock_nanosleep(CLOCK_MONOTONIC, 0, time, left);

    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

/* ---- machines and programs --------------------------------------------------------------------------------------- */

enum { CODE_MAX = 12000 };

/* A machine with its lock, and a program that is put together here. */
struct machine {
    struct gil *gil;
    struct tiny_vm *vm;
    struct tiny_vm_instruction code[CODE_MAX];
    struct tiny_vm_program program;
};

static struct machine *new_machine(void)
{
    struct machine *machine = calloc(1, sizeof *machine);

    must(machine != NULL && gil_create(&machine->gil) == 0, "The test has no memory, or gil_create failed.");
    int error = tiny_vm_create(machine->gil, &machine->vm);
    must(error == 0 && machine->vm != NULL, "tiny_vm_create returned %s or stored nothing.", error_text(error));
    machine->program.instructions = machine->code;
    return machine;
}

static void end_machine(struct machine *machine)
{
    tiny_vm_destroy(machine->vm);
    gil_destroy(machine->gil);
    free(machine);
}

static void add(struct machine *machine, enum tiny_vm_operation operation, int64_t a)
{
    machine->code[machine->program.count++] = (struct tiny_vm_instruction){operation, a};
}

static void must_end_with(int expected, int got, const char *what)
{
    must(got == expected, "%s: tiny_vm_run should return %s, but it returned %s.", what, error_text(expected),
         error_text(got));
}

/* Runs the machine's own program, which is to end well with this result. */
static void must_give(struct machine *machine, int64_t argument, int64_t expected, const char *what)
{
    int64_t result = -4711;

    must_end_with(0, tiny_vm_run(machine->vm, &machine->program, argument, &result), what);
    must(result == expected, "%s: the result should be %lld, but it is %lld.", what, (long long)expected,
         (long long)result);
}

static int64_t result_of(struct machine *machine, const struct tiny_vm_program *program, int64_t argument)
{
    int64_t result = -4711;

    must_end_with(0, tiny_vm_run(machine->vm, program, argument, &result), "One of the programs to try");
    return result;
}

/* ---- one run by another thread ---------------------------------------------------------------------------------- */

struct other {
    struct machine *machine;
    const struct tiny_vm_program *program;
    int64_t argument, result;
    int error;
    struct nap_alarm alarm;
    struct nap_bed *bed;
    struct runner *runner;
};

static void run_other(void *argument)
{
    struct other *other = argument;

    nap_alarm = &other->alarm;
    nap_bed = other->bed;
    other->error = tiny_vm_run(other->machine->vm, other->program, other->argument, &other->result);
    nap_alarm = NULL;
    nap_bed = NULL;
}

static void start_other(struct other *other, struct machine *machine, const struct tiny_vm_program *program)
{
    other->machine = machine;
    other->program = program;
    other->error = -1;
    other->runner = runner_start(run_other, other);
}

/* Takes and drops the lock. A lock that is still held makes it wait for ever. */
static void take_and_drop(void *argument)
{
    struct machine *machine = argument;
    struct gil_thread *thread = NULL;

    if (gil_thread_create(machine->gil, &thread) != 0)
        return;
    gil_take(thread);
    gil_drop(thread);
    gil_thread_destroy(thread);
}

static void must_be_free(struct machine *machine, const char *when)
{
    struct runner *runner = runner_start(take_and_drop, machine);

    must_be_done(runner, "%s, and the lock is still held.", when);
    runner_join(runner);
}

/* ---- single instructions ---------------------------------------------------------------------------------------- */

TEST(numbers, "ADD, SUBTRACT, MULTIPLY, MODULO and LESS compute what they should, in the order x, y.")
{
    static const struct {
        enum tiny_vm_operation operation;
        int64_t x, y, value;
    } sums[] = {
        {TINY_VM_ADD, 2, 3, 5},
        {TINY_VM_ADD, INT64_MAX, 1, INT64_MIN},
        {TINY_VM_SUBTRACT, 2, 3, -1},
        {TINY_VM_SUBTRACT, INT64_MIN, 1, INT64_MAX},
        {TINY_VM_MULTIPLY, -4, 5, -20},
        {TINY_VM_MODULO, 7, 3, 1},
        {TINY_VM_MODULO, -7, 3, 2},
        {TINY_VM_MODULO, 7, -3, -2},
        {TINY_VM_MODULO, INT64_MIN, -1, 0},
        {TINY_VM_LESS, 2, 3, 1},
        {TINY_VM_LESS, 3, 3, 0},
        {TINY_VM_LESS, 3, 2, 0},
    };
    struct machine *machine = new_machine();

    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        machine->program.count = 0;
        add(machine, TINY_VM_PUSH, sums[i].x);
        add(machine, TINY_VM_PUSH, sums[i].y);
        add(machine, sums[i].operation, 0);
        add(machine, TINY_VM_RETURN, 0);
        must_give(machine, 0, sums[i].value, "Two numbers and an operation");
    }
    end_machine(machine);
}

TEST(variables, "A program finds its argument in local variable 0; the others are 0. Globals outlast it.")
{
    struct machine *machine = new_machine();

    tiny_vm_set_global(machine->vm, TINY_VM_GLOBALS - 1, 40);
    add(machine, TINY_VM_LOAD, 0);
    add(machine, TINY_VM_LOAD, TINY_VM_LOCALS - 1);
    add(machine, TINY_VM_ADD, 0);
    add(machine, TINY_VM_STORE, 1);
    add(machine, TINY_VM_LOAD_GLOBAL, TINY_VM_GLOBALS - 1);
    add(machine, TINY_VM_LOAD, 1);
    add(machine, TINY_VM_ADD, 0);
    add(machine, TINY_VM_STORE_GLOBAL, 0);
    add(machine, TINY_VM_LOAD_GLOBAL, 0);
    add(machine, TINY_VM_RETURN, 0);
    must_give(machine, 2, 42, "A program that adds its argument to a global variable");
    must(tiny_vm_global(machine->vm, 0) == 42, "Global variable 0 should be 42 afterwards, but it is %lld.",
         (long long)tiny_vm_global(machine->vm, 0));
    must_give(machine, 3, 43, "The same program again");
    end_machine(machine);
}

TEST(jumps, "A jump goes on where it says, forwards and backwards; JUMP_IF_ZERO only where the value is 0.")
{
    struct machine *machine = new_machine();

    add(machine, TINY_VM_JUMP, 4);
    add(machine, TINY_VM_PUSH, 7); /* 1 */
    add(machine, TINY_VM_RETURN, 0);
    add(machine, TINY_VM_RETURN, 0);
    add(machine, TINY_VM_LOAD, 0); /* 4 */
    add(machine, TINY_VM_JUMP_IF_ZERO, 1);
    add(machine, TINY_VM_PUSH, 8);
    add(machine, TINY_VM_RETURN, 0);
    must_give(machine, 0, 7, "A jump forwards, then one back because of a 0");
    must_give(machine, 1, 8, "A jump forwards, then none because of a 1");
    must_give(machine, -1, 8, "A jump forwards, then none because of a -1");
    end_machine(machine);
}

TEST(calls, "A call has local variables of its own, gives its value to the caller, and goes on after the CALL.")
{
    struct machine *machine = new_machine();

    add(machine, TINY_VM_PUSH, 5);
    add(machine, TINY_VM_STORE, 1);
    add(machine, TINY_VM_PUSH, 1000);
    add(machine, TINY_VM_LOAD, 0);
    add(machine, TINY_VM_CALL, 9); /* f(n) */
    add(machine, TINY_VM_ADD, 0);
    add(machine, TINY_VM_LOAD, 1);
    add(machine, TINY_VM_ADD, 0);
    add(machine, TINY_VM_RETURN, 0);
    add(machine, TINY_VM_LOAD, 1); /* 9: def f(x): y is 0 here; y = y + x * 2; return y */
    add(machine, TINY_VM_LOAD, 0);
    add(machine, TINY_VM_PUSH, 2);
    add(machine, TINY_VM_MULTIPLY, 0);
    add(machine, TINY_VM_ADD, 0);
    add(machine, TINY_VM_STORE, 1);
    add(machine, TINY_VM_LOAD, 1);
    add(machine, TINY_VM_RETURN, 0);
    must_give(machine, 3, 1011, "1000 + f(3) + 5 with f(x) = 2 * x");
    must_give(machine, 4, 1013, "1000 + f(4) + 5 with f(x) = 2 * x");
    machine->code[7] = (struct tiny_vm_instruction){TINY_VM_CALL, 9};
    must_give(machine, 3, 10, "f(5), called after f(3): its local variables are 0 again");
    end_machine(machine);
}

TEST(programs_to_try, "The programs in the header do what they say.")
{
    static const int primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47};
    struct machine *machine = new_machine();
    int wrong = -1, next = 0;

    must(result_of(machine, tiny_vm_countdown(), 1000) == 0, "tiny_vm_countdown did not return 0.");
    must(result_of(machine, tiny_vm_fibonacci(), 15) == 610, "tiny_vm_fibonacci of 15 should be 610.");
    for (int n = 0; n < 50; n++) {
        int64_t prime = next < 15 && primes[next] == n;
        next += prime != 0;
        int64_t result = -1;
        if (tiny_vm_run(machine->vm, tiny_vm_is_prime(), n, &result) != 0 || result != prime)
            wrong = n;
    }
    must(wrong < 0, "tiny_vm_is_prime says something wrong of %d.", wrong);
    must(result_of(machine, tiny_vm_nap(), 0) == 0, "tiny_vm_nap did not return 0.");
    end_machine(machine);
}

TEST(list_grows, "APPEND adds an item at the end, for as many as there are; LENGTH says how many.")
{
    enum { ITEMS = 5000 };
    struct machine *machine = new_machine();
    long wrong = 0;

    add(machine, TINY_VM_LENGTH, 0);
    add(machine, TINY_VM_RETURN, 0);
    must_give(machine, 0, 0, "LENGTH of an empty list");
    must(result_of(machine, tiny_vm_fill(), ITEMS) == 0, "tiny_vm_fill did not return 0.");
    must_give(machine, 0, ITEMS, "LENGTH after 5000 appends");
    must(tiny_vm_length(machine->vm) == ITEMS, "5000 items were appended, and tiny_vm_length says %zu.",
         tiny_vm_length(machine->vm));
    for (size_t i = 0; i < ITEMS; i++)
        wrong += tiny_vm_item(machine->vm, i) != (int64_t)(ITEMS - i);
    must(wrong == 0, "5000, 4999, … 1 were appended, and %ld of the items are something else.", wrong);
    end_machine(machine);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

/* Runs the machine's program, which is to fail. */
static void must_fail(struct machine *machine, int expected, const char *what)
{
    int64_t result = 12345;

    must_end_with(expected, tiny_vm_run(machine->vm, &machine->program, 0, &result), what);
    must(result == 12345, "%s: the program failed, and yet *result has changed.", what);
    must_be_free(machine, "A program ended with an error");
    machine->program.count = 0;
}

TEST(wrong_programs, "A wrong instruction, index or stack is EINVAL, and the lock is free afterwards.")
{
    static const int64_t targets[] = {-1, 3, INT64_MAX, INT64_MIN, (int64_t)1 << 32};
    static const enum tiny_vm_operation jumping[] = {TINY_VM_JUMP, TINY_VM_JUMP_IF_ZERO, TINY_VM_CALL};
    static const enum tiny_vm_operation popping[] = {TINY_VM_STORE,  TINY_VM_ADD,    TINY_VM_JUMP_IF_ZERO, TINY_VM_CALL,
                                                     TINY_VM_RETURN, TINY_VM_APPEND, TINY_VM_SLEEP};
    struct machine *machine = new_machine();

    must_fail(machine, EINVAL, "A program of no instructions");
    add(machine, TINY_VM_PUSH, 1);
    must_fail(machine, EINVAL, "A program that runs over its end");
    add(machine, TINY_VM_OPERATIONS, 0);
    must_fail(machine, EINVAL, "An instruction that there is not");
    for (int i = 0; i < 3; i++)
        for (int target = 0; target < 5; target++) {
            add(machine, TINY_VM_PUSH, 0);
            add(machine, jumping[i], targets[target]);
            add(machine, TINY_VM_RETURN, 0);
            must_fail(machine, EINVAL, "A jump or call to where no instruction is");
        }
    for (int i = 0; i < 7; i++) {
        add(machine, popping[i], 0);
        must_fail(machine, EINVAL, "A value taken from an empty stack");
    }
    add(machine, TINY_VM_LOAD, TINY_VM_LOCALS);
    must_fail(machine, EINVAL, "A local variable that there is not");
    add(machine, TINY_VM_LOAD_GLOBAL, -1);
    must_fail(machine, EINVAL, "A global variable that there is not");
    must(tiny_vm_length(machine->vm) == 0, "None of these programs appended anything, and the list has %zu items.",
         tiny_vm_length(machine->vm));
    end_machine(machine);
}

TEST(division_by_zero, "x % 0 is EDOM, and what was done until then stays done.")
{
    struct machine *machine = new_machine();

    add(machine, TINY_VM_PUSH, 9);
    add(machine, TINY_VM_APPEND, 0);
    add(machine, TINY_VM_PUSH, 1);
    add(machine, TINY_VM_PUSH, 0);
    add(machine, TINY_VM_MODULO, 0);
    add(machine, TINY_VM_RETURN, 0);
    must_fail(machine, EDOM, "1 % 0");
    must(tiny_vm_length(machine->vm) == 1 && tiny_vm_item(machine->vm, 0) == 9,
         "An item was appended before the error, and it is not in the list.");
    end_machine(machine);
}

TEST(negative_sleep, "To sleep for less than 0 is EINVAL, and nobody sleeps.")
{
    struct machine *machine = new_machine();
    struct nap_bed bed = {0};
    int64_t result = 12345;

    add(machine, TINY_VM_PUSH, -1);
    add(machine, TINY_VM_SLEEP, 0);
    add(machine, TINY_VM_PUSH, 0);
    add(machine, TINY_VM_RETURN, 0);
    nap_bed = &bed;
    int error = tiny_vm_run(machine->vm, &machine->program, 0, &result);
    nap_bed = NULL;
    must_end_with(EINVAL, error, "A sleep of -1 µs");
    must(tally_read(&bed.sleeps) == 0, "The time to sleep was below 0, and the thread slept all the same.");
    must_be_free(machine, "A program ended with an error");
    end_machine(machine);
}

TEST(as_deep_as_promised,
     "There may be TINY_VM_DEPTH open calls and TINY_VM_STACK values, and not one more: EOVERFLOW.")
{
    struct machine *machine = new_machine();

    add(machine, TINY_VM_LOAD, 0); /* 0: def f(n): return n if n == 0 else f(n - 1) */
    add(machine, TINY_VM_JUMP_IF_ZERO, 7);
    add(machine, TINY_VM_LOAD, 0);
    add(machine, TINY_VM_PUSH, 1);
    add(machine, TINY_VM_SUBTRACT, 0);
    add(machine, TINY_VM_CALL, 0);
    add(machine, TINY_VM_RETURN, 0);
    add(machine, TINY_VM_PUSH, 77); /* 7 */
    add(machine, TINY_VM_RETURN, 0);
    must_give(machine, TINY_VM_DEPTH - 1, 77, "1000 open calls, the program itself included");
    int64_t result = 12345;
    must_end_with(EOVERFLOW, tiny_vm_run(machine->vm, &machine->program, TINY_VM_DEPTH, &result), "1001 open calls");
    must_be_free(machine, "A program ended with an error");
    machine->program.count = 0;
    for (int i = 0; i < TINY_VM_STACK; i++)
        add(machine, TINY_VM_PUSH, i);
    add(machine, TINY_VM_RETURN, 0);
    must_give(machine, 0, TINY_VM_STACK - 1, "1024 values on the stack");
    machine->program.count--;
    add(machine, TINY_VM_PUSH, 0);
    must_fail(machine, EOVERFLOW, "1025 values on the stack");
    end_machine(machine);
}

/* ---- the lock --------------------------------------------------------------------------------------------------- */

TEST(waits_for_the_lock, "A thread executes instructions only while it holds the lock.")
{
    struct machine *machine = new_machine();
    struct gil_thread *me = NULL;
    struct other other = {.argument = 0};

    must(gil_thread_create(machine->gil, &me) == 0 && gil_take(me) == 0, "gil_take returned an error.");
    add(machine, TINY_VM_PUSH, 1);
    add(machine, TINY_VM_STORE_GLOBAL, 0);
    add(machine, TINY_VM_PUSH, 1);
    add(machine, TINY_VM_RETURN, 0);
    start_other(&other, machine, &machine->program);
    must_be_blocked(other.runner, "The lock is held by somebody else, and tiny_vm_run did not wait for it.");
    must(tiny_vm_global(machine->vm, 0) == 0, "The lock is held by somebody else, and tiny_vm_run has set a variable.");
    gil_drop(me);
    runner_join(other.runner);
    must_end_with(0, other.error, "Once the lock was free");
    must(tiny_vm_global(machine->vm, 0) == 1, "Once the lock was free the program should have set a variable.");
    gil_thread_destroy(me);
    end_machine(machine);
}

/* What happens at the first allocation that the watched thread makes with the lock held: another thread comes, waits
 * for an interval, and asks for the lock. */
struct visit {
    struct machine *machine;
    struct other other;
    bool struck;
    long sleeps; /* of the watched thread */
};

static _Thread_local bool watched;

/* global 0 = 7 */
static const struct tiny_vm_instruction set_to_seven[] = {
    {TINY_VM_PUSH, 7}, {TINY_VM_STORE_GLOBAL, 0}, {TINY_VM_PUSH, 0}, {TINY_VM_RETURN, 0}};
static const struct tiny_vm_program setter = {set_to_seven, 4};

static void ask_for_the_lock(void *argument)
{
    struct visit *visit = argument;

    if (!watched || visit->struck)
        return;
    visit->struck = true;
    visit->other.alarm.naps = 2;
    start_other(&visit->other, visit->machine, &setter);
    nap_ring(&visit->other.alarm, 0); /* one interval: now it asks */
    nap_ring(&visit->other.alarm, 1); /* it has asked, and waits again */
}

/* Put before a program: from here on the thread is watched. Its own sleep, of 1 µs, says so. */
static void watch_me(void *unused)
{
    (void)unused;
    watched = true;
}

enum { APPENDS = 5000 };

static void add_watch(struct machine *machine)
{
    add(machine, TINY_VM_PUSH, 1);
    add(machine, TINY_VM_SLEEP, 0);
}

static void add_appends(struct machine *machine)
{
    for (int i = 0; i < APPENDS; i++) {
        add(machine, TINY_VM_PUSH, i);
        add(machine, TINY_VM_APPEND, 0);
    }
}

/* Runs the machine's program, which appends (and so allocates), and returns its result: 7 where the other thread was
 * let in before the program looked at global 0, else 0. */
static int64_t result_when_asked(struct machine *machine, struct visit *visit)
{
    struct nap_bed bed = {.meanwhile = watch_me};
    int64_t result = -1;

    *visit = (struct visit){.machine = machine};
    wrap_before(WRAP_malloc, ask_for_the_lock, visit);
    wrap_before(WRAP_calloc, ask_for_the_lock, visit);
    wrap_before(WRAP_realloc, ask_for_the_lock, visit);
    nap_bed = &bed;
    int error = tiny_vm_run(machine->vm, &machine->program, 0, &result);
    nap_bed = NULL;
    watched = false;
    visit->sleeps = tally_read(&bed.sleeps);
    wrap_before(WRAP_malloc, NULL, NULL);
    wrap_before(WRAP_calloc, NULL, NULL);
    wrap_before(WRAP_realloc, NULL, NULL);
    must_end_with(0, error, "A program that appends 5000 items");
    if (visit->struck)
        runner_join(visit->other.runner);
    must(!visit->struck || tiny_vm_global(machine->vm, 0) == 7, "Another thread waited for the lock and did not run.");
    return visit->struck ? result : -1; /* a list that needs no memory for 5000 items cannot be watched */
}

/* So many jumps back or calls, one or the other, for which nobody asks. */
static void add_turns(struct machine *machine, long turns, bool calls)
{
    for (long i = 0; i < turns; i++) {
        int64_t at = (int64_t)machine->program.count;
        add(machine, TINY_VM_JUMP, at + 3);
        add(machine, calls ? TINY_VM_LOAD : TINY_VM_JUMP, calls ? 0 : at + 5); /* 1: back here */
        add(machine, TINY_VM_RETURN, 0);
        add(machine, TINY_VM_PUSH, 0); /* 3 */
        add(machine, calls ? TINY_VM_CALL : TINY_VM_JUMP, at + 1);
    }
}

/* What a program sees that jumps back when it was asked, after so many jumps back or calls when it was not. */
static int64_t result_at_a_jump_back(struct machine *machine, struct visit *visit, long turns, bool calls)
{
    machine->program.count = 0;
    tiny_vm_set_global(machine->vm, 0, 0);
    add(machine, TINY_VM_JUMP, 3);
    add(machine, TINY_VM_LOAD_GLOBAL, 0); /* 1 */
    add(machine, TINY_VM_RETURN, 0);
    add_turns(machine, turns, calls); /* 3 */
    add_watch(machine);
    add_appends(machine);
    add(machine, TINY_VM_JUMP, 1);
    return result_when_asked(machine, visit);
}

TEST(
    lets_others_in_at_the_next_one,
    "Where it was asked to drop the lock, a thread does so at the very next jump back or call, however many there were "
    "before.")
{
    static const struct {
        long turns;
        bool calls;
        const char *text;
    } before[] = {
        {1, false, "one jump back"}, {7, false, "seven jumps back"}, {1, true, "one call"}, {7, true, "seven calls"}};
    struct visit visit;

    for (int i = 0; i < 4; i++) {
        struct machine *machine = new_machine(); /* its list is to need memory */
        int64_t result = result_at_a_jump_back(machine, &visit, before[i].turns, before[i].calls);
        must(result != 0, "After %s another thread asked for the lock, and at the next jump back it was not let in.",
             before[i].text);
        end_machine(machine);
    }
}

TEST(lets_others_in_at_a_jump_back, "Where it was asked to drop the lock, a thread does so at the next jump back.")
{
    struct machine *machine = new_machine();
    struct visit visit;
    int64_t result = result_at_a_jump_back(machine, &visit, 0, false);

    must(result != 0, "Another thread had asked for the lock, and at a JUMP back it was not let in.");
    must(visit.sleeps <= 1,
         "At a JUMP back a thread sleeps for a while: to let others in it drops the lock, and takes it again.");
    end_machine(machine);
}

TEST(lets_others_in_at_a_conditional_jump_back, "JUMP_IF_ZERO back lets others in too, and so does a jump to itself.")
{
    struct machine *machine = new_machine();
    struct visit visit;

    add_watch(machine);
    add_appends(machine);
    add(machine, TINY_VM_PUSH, 1);
    add(machine, TINY_VM_PUSH, 0);
    add(machine, TINY_VM_JUMP_IF_ZERO, (int64_t)machine->program.count);
    add(machine, TINY_VM_LOAD_GLOBAL, 0);
    add(machine, TINY_VM_RETURN, 0);
    int64_t result = result_when_asked(machine, &visit);
    must(result != 0, "Another thread had asked for the lock, and at a JUMP_IF_ZERO to itself it was not let in.");
    end_machine(machine);
}

TEST(lets_others_in_at_a_call, "Where it was asked to drop the lock, a thread does so at the next call, forwards too.")
{
    struct machine *machine = new_machine();
    struct visit visit;

    add_watch(machine);
    add_appends(machine);
    add(machine, TINY_VM_PUSH, 0);
    add(machine, TINY_VM_CALL, (int64_t)machine->program.count + 2);
    add(machine, TINY_VM_RETURN, 0);
    add(machine, TINY_VM_LOAD_GLOBAL, 0);
    add(machine, TINY_VM_RETURN, 0);
    int64_t result = result_when_asked(machine, &visit);
    must(result != 0, "Another thread had asked for the lock, and at a CALL it was not let in.");
    end_machine(machine);
}

TEST(lets_others_in_nowhere_else,
     "What stands between two jumps back or calls is one step for all others: also an append that needs more memory, a "
     "jump forwards, and a return.")
{
    struct machine *machine = new_machine();
    struct visit visit;

    add_watch(machine);
    add(machine, TINY_VM_PUSH, 0);
    add(machine, TINY_VM_CALL, 6);
    add(machine, TINY_VM_LOAD_GLOBAL, 0); /* 4 */
    add(machine, TINY_VM_RETURN, 0);
    add_appends(machine); /* 6 */
    int64_t end = (int64_t)machine->program.count;
    add(machine, TINY_VM_JUMP, end + 2);
    add(machine, TINY_VM_RETURN, 0);
    add(machine, TINY_VM_PUSH, 0);
    add(machine, TINY_VM_JUMP_IF_ZERO, end + 5);
    add(machine, TINY_VM_RETURN, 0);
    add(machine, TINY_VM_PUSH, 1);
    add(machine, TINY_VM_JUMP_IF_ZERO, 0); /* not taken */
    add(machine, TINY_VM_JUMP, (int64_t)machine->program.count + 1);
    add(machine, TINY_VM_LENGTH, 0);
    add(machine, TINY_VM_STORE, 1);
    add(machine, TINY_VM_LOAD_GLOBAL, 0);
    add(machine, TINY_VM_RETURN, 0);
    int64_t result = result_when_asked(machine, &visit);
    must(result <= 0, "There was no jump back and no call since another thread had asked for the lock, and yet it was "
                      "let in.");
    must(tiny_vm_length(machine->vm) == APPENDS, "5000 items were appended, and the list has %zu.",
         tiny_vm_length(machine->vm));
    end_machine(machine);
}

TEST(lets_others_in_at_a_sleep, "SLEEP lets go of the lock, also where it is to sleep for 0 µs.")
{
    struct machine *machine = new_machine();
    struct visit visit;

    add_watch(machine);
    add_appends(machine);
    add(machine, TINY_VM_PUSH, 0);
    add(machine, TINY_VM_SLEEP, 0);
    add(machine, TINY_VM_LOAD_GLOBAL, 0);
    add(machine, TINY_VM_RETURN, 0);
    int64_t result = result_when_asked(machine, &visit);
    must(result != 0, "Another thread had asked for the lock, and at a SLEEP of 0 µs it was not let in.");
    end_machine(machine);
}

TEST(nobody_is_kept_out, "A loop that only ends when another thread sets a variable does end.")
{
    static const struct tiny_vm_instruction waiting[] = {
        {TINY_VM_LOAD_GLOBAL, 0}, {TINY_VM_JUMP_IF_ZERO, 0}, {TINY_VM_LOAD_GLOBAL, 0}, {TINY_VM_RETURN, 0}};
    static const struct tiny_vm_program waiter = {waiting, 4};
    struct machine *machine = new_machine();
    struct other loop = {.argument = 0}, set = {.alarm = {.naps = 1}};

    gate_open(&set.alarm.rung[0]);
    start_other(&loop, machine, &waiter);
    start_other(&set, machine, &setter);
    runner_join(loop.runner);
    runner_join(set.runner);
    must_end_with(0, loop.error, "A program that loops until a variable is set");
    must(loop.result == 7, "The loop saw %lld in the variable that was set to 7.", (long long)loop.result);
    end_machine(machine);
}

/* ---- sleeping --------------------------------------------------------------------------------------------------- */

struct dormitory {
    struct gate asleep, wake;
};

static void sleep_until_woken(void *argument)
{
    struct dormitory *dormitory = argument;

    gate_open(&dormitory->asleep);
    gate_pass(&dormitory->wake);
}

TEST(others_run_while_one_sleeps, "SLEEP lets go of the lock while it sleeps, and takes it again after.")
{
    struct machine *machine = new_machine();
    struct dormitory dormitory = {GATE_CLOSED, GATE_CLOSED};
    struct nap_bed bed = {.meanwhile = sleep_until_woken, .argument = &dormitory};
    struct other sleeper = {.argument = 1000, .bed = &bed};
    struct gil_thread *me = NULL;

    must(gil_thread_create(machine->gil, &me) == 0, "gil_thread_create returned an error.");
    start_other(&sleeper, machine, tiny_vm_nap());
    gate_pass(&dormitory.asleep);
    must(result_of(machine, tiny_vm_countdown(), 10) == 0, "tiny_vm_countdown did not return 0.");
    must(gil_take(me) == 0, "gil_take returned an error.");
    gate_open(&dormitory.wake);
    must_be_blocked(sleeper.runner, "A thread that has slept goes on although somebody else holds the lock.");
    gil_drop(me);
    runner_join(sleeper.runner);
    must_end_with(0, sleeper.error, "A program that sleeps");
    gil_thread_destroy(me);
    end_machine(machine);
}

TEST(lets_go_unasked,
     "SLEEP lets go of the lock whether or not somebody has asked, also where it is to sleep for 0 µs.")
{
    struct machine *machine = new_machine();
    struct nap_bed bed = {.meanwhile = take_and_drop, .argument = machine}; /* hangs where the sleeper has the lock */

    nap_bed = &bed;
    int64_t zero = result_of(machine, tiny_vm_nap(), 0), one = result_of(machine, tiny_vm_nap(), 1);
    nap_bed = NULL;
    must(zero == 0 && one == 0, "tiny_vm_nap did not return 0.");
    end_machine(machine);
}

static void meet(void *argument)
{
    crew_meet(argument);
}

TEST(sleepers_sleep_together, "Any number of threads sleep at the same time.")
{
    enum { SLEEPERS = 4 };
    struct machine *machine = new_machine();
    struct crew crew = CREW_OF(SLEEPERS);
    struct nap_bed beds[SLEEPERS];
    struct other sleepers[SLEEPERS];
    int errors = 0;

    for (int i = 0; i < SLEEPERS; i++) {
        beds[i] = (struct nap_bed){.meanwhile = meet, .argument = &crew};
        sleepers[i] = (struct other){.argument = 1000, .bed = &beds[i]};
        start_other(&sleepers[i], machine, tiny_vm_nap());
    }
    for (int i = 0; i < SLEEPERS; i++) {
        runner_join(sleepers[i].runner); /* hangs where one sleeps with the lock: the others never come to sleep */
        errors += sleepers[i].error != 0;
    }
    must(errors == 0, "%d of four programs that sleep failed.", errors);
    end_machine(machine);
}

TEST(sleeps_long_enough, "SLEEP sleeps for the time that it was given, never less, also where a signal interrupts it.")
{
    struct machine *machine = new_machine();
    struct nap_bed bed = {.interrupts = 20}, ages = {0};
    int64_t began_us = now_us();

    result_of(machine, tiny_vm_nap(), 20000);
    int64_t took_us = now_us() - began_us;
    must(took_us >= 20000, "A sleep of 20000 µs was over after %lld.", (long long)took_us);
    nap_bed = &bed;
    result_of(machine, tiny_vm_nap(), 3600999999);
    nap_bed = NULL;
    must(tally_read(&bed.invalid) == 0, "A sleep was asked for with 1,000,000,000 nanoseconds or more, which is no "
                                        "valid time: it is refused, and the thread does not sleep.");
    must(tally_read(&bed.sleeps) > 0, "A signal interrupted the sleep, and the thread did not sleep on.");
    must(tally_read(&bed.time_us) > 3600999999 - 60000000 && tally_read(&bed.time_us) < 3600999999 + 1000000,
         "A sleep of an hour was one of %ld µs.", tally_read(&bed.time_us));
    must(tally_read(&bed.by_date) == 0, "The sleep ends at a moment of CLOCK_REALTIME: it gets shorter or longer where "
                                        "somebody sets that clock.");
    nap_bed = &ages;
    result_of(machine, tiny_vm_nap(), 10000000000000000);
    nap_bed = NULL;
    must(tally_read(&ages.time_us) > 10000000000000000 - 60000000,
         "A sleep of 10,000,000,000,000,000 µs was one of %ld.", tally_read(&ages.time_us));
    end_machine(machine);
}

TEST(sleeps_for_the_rest, "A SLEEP that a signal interrupts goes on for the rest of its time, and does not begin anew.")
{
    struct machine *machine = new_machine();
    struct nap_bed bed = {.interrupts = 1, .halves = true};

    nap_bed = &bed;
    result_of(machine, tiny_vm_nap(), 20000);
    nap_bed = NULL;
    must(tally_read(&bed.time_us) <= 10001,
         "A sleep of 20000 µs was interrupted after half of its time, and went on for another %ld µs: where signals "
         "come "
         "again and again it never ends.",
         tally_read(&bed.time_us));
    end_machine(machine);
}

TEST(sleeps_to_the_microsecond,
     "SLEEP counts each microsecond, also where it ends on a full second: that is a second more "
     "and 0 nanoseconds.")
{
    static const struct timespec before = {1000, 999999000};
    static const int64_t times_us[] = {1, 999, 20999, 1000000, 3600999999};
    struct machine *machine = new_machine();

    for (int i = 0; i < 5; i++) {
        struct nap_bed bed = {0};
        nap_bed = &bed;
        slept_ns = 0;
        stopped_clock = &before;
        result_of(machine, tiny_vm_nap(), times_us[i]);
        stopped_clock = NULL;
        nap_bed = NULL;
        must(tally_read(&bed.invalid) == 0,
             "A sleep of %lld µs began at 1000 s and 999,999,000 ns, and was to end at 1,000,000,000 ns or more, which "
             "is "
             "no valid time: it is refused, and the thread does not sleep.",
             (long long)times_us[i]);
        must(slept_ns >= times_us[i] * 1000, "A sleep of %lld µs was one of %lld ns.", (long long)times_us[i],
             (long long)slept_ns);
    }
    end_machine(machine);
}

/* ---- machines, memory ------------------------------------------------------------------------------------------- */

TEST(machines_are_separate, "Each machine has variables and a list of its own, also where two share a lock.")
{
    struct machine *machine = new_machine();
    struct tiny_vm *second = NULL;
    int64_t result = -1;

    must(tiny_vm_create(machine->gil, &second) == 0, "tiny_vm_create returned an error.");
    must_end_with(0, tiny_vm_run(second, &setter, 0, &result), "A program on a second machine");
    must_end_with(0, tiny_vm_run(second, tiny_vm_fill(), 3, &result), "A program on a second machine");
    must(tiny_vm_global(machine->vm, 0) == 0 && tiny_vm_length(machine->vm) == 0,
         "Programs ran on a second machine, and a variable or the list of the first has changed.");
    must(tiny_vm_global(second, 0) == 7 && tiny_vm_length(second) == 3 && tiny_vm_item(second, 2) == 1,
         "Programs ran on a second machine, and its variable or its list is not what they made it.");
    tiny_vm_destroy(second);
    tiny_vm_destroy(NULL);
    end_machine(machine);
}

static void no_memory_from_now_on(void *unused)
{
    (void)unused;
    wrap_fail_memory(-1);
}

TEST(no_memory, "Without memory tiny_vm_create, tiny_vm_run and APPEND give ENOMEM; the list stays as it was.")
{
    struct machine *machine = new_machine();
    struct nap_bed bed = {.meanwhile = no_memory_from_now_on};
    struct tiny_vm *none = NULL;
    int64_t result = 12345;

    wrap_fail_memory(-1);
    int created = tiny_vm_create(machine->gil, &none);
    long tried = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc);
    int ran = tiny_vm_run(machine->vm, tiny_vm_countdown(), 1, &result);
    tried = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) - tried;
    wrap_fail_memory(0);
    must_end_with(ENOMEM, created, "Without memory, tiny_vm_create, not");
    must_end_with(tried > 0 ? ENOMEM : 0, ran, "Without memory");
    must(ran == 0 || result == 12345, "The run failed for want of memory, and *result has changed.");
    must_be_free(machine, "A run failed for want of memory");

    add_watch(machine);
    add_appends(machine);
    add(machine, TINY_VM_PUSH, 1);
    add(machine, TINY_VM_RETURN, 0);
    must(result_of(machine, tiny_vm_fill(), 3) == 0, "tiny_vm_fill did not return 0.");
    nap_bed = &bed;
    long before = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) + wrap_count(WRAP_realloc);
    ran = tiny_vm_run(machine->vm, &machine->program, 0, &result);
    nap_bed = NULL;
    wrap_fail_memory(0);
    long needed = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) + wrap_count(WRAP_realloc) - before;
    must_end_with(needed > 1 ? ENOMEM : ran, ran, "A program that appends 5000 items without memory");
    must_be_free(machine, "An append failed for want of memory");
    long wrong = 0;
    size_t length = tiny_vm_length(machine->vm);
    for (size_t i = 0; i < length; i++)
        wrong += tiny_vm_item(machine->vm, i) != (i < 3 ? 3 - (int64_t)i : (int64_t)i - 3);
    must(length >= 3 && wrong == 0, "An append failed for want of memory, and the list is not as it was.");
    must(result_of(machine, tiny_vm_fill(), 100) == 0 && tiny_vm_length(machine->vm) == length + 100,
         "There is memory again, and the list does not grow as it should.");
    end_machine(machine);
}

TEST(nothing_left_behind, "However a program ends, nothing of its run is left behind.")
{
    struct machine *machine = new_machine();
    int64_t result;
    long held = wrap_memory_kept();

    result_of(machine, tiny_vm_fibonacci(), 5);
    must(wrap_memory_kept() <= held, "A program has ended, and memory of its run was not freed.");
    add(machine, TINY_VM_OPERATIONS, 0);
    must_end_with(EINVAL, tiny_vm_run(machine->vm, &machine->program, 0, &result), "An instruction that there is not");
    must(wrap_memory_kept() <= held, "A program has failed, and memory of its run was not freed.");
    end_machine(machine);
}

/* Refuses the nth piece of memory that a run's side of the lock asks for. Returns whether it asked for so many. */
static bool run_refused(struct machine *machine, long nth)
{
    int64_t result = 12345;
    long held = wrap_memory_kept();

    refuse_memory(nth);
    int error = tiny_vm_run(machine->vm, tiny_vm_countdown(), 1, &result);
    bool refused = refuse_in == 0;
    refuse_memory(0);
    must_end_with(refused ? ENOMEM : 0, error, "Where gil_thread_create may find no memory");
    must(!refused || result == 12345, "gil_thread_create failed, and *result has changed.");
    must(wrap_memory_kept() <= held, "gil_thread_create may fail, and memory of the run was not freed.");
    return refused;
}

TEST(no_memory_for_the_lock, "Where gil_thread_create finds no memory, tiny_vm_run returns ENOMEM and keeps nothing.")
{
    struct machine *machine = new_machine();

    for (long nth = 1; run_refused(machine, nth); nth++)
        continue;
    end_machine(machine);
}
