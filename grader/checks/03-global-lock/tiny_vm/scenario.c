/* scenario.c - a few threads at the machine.
 *
 * With the long interval nobody is ever asked to let go, unless somebody tries all interleavings: then the hour may be
 * over at any moment. So each scenario is small.
 */
#include "scenario.h"

#include "tiny_vm.h"

#include <errno.h>
#include <stddef.h>

enum { HOUR_US = 1000000000 };

struct stage {
    struct gil *gil;
    struct tiny_vm *vm;
    const struct tiny_vm_program *program;
    int64_t argument;
    int expected;
};

static struct stage made(const struct tiny_vm_program *program, int64_t argument)
{
    struct stage stage = {.program = program, .argument = argument};

    ensure(gil_create(&stage.gil) == 0, "gil_create returned an error");
    ensure(gil_set_interval(stage.gil, HOUR_US) == 0, "gil_set_interval returned an error");
    ensure(tiny_vm_create(stage.gil, &stage.vm) == 0, "tiny_vm_create returned an error");
    return stage;
}

static void end(struct stage *stage)
{
    tiny_vm_destroy(stage->vm);
    gil_destroy(stage->gil);
}

static void *run(void *argument)
{
    struct stage *stage = argument;
    int64_t result = -1;
    int error = tiny_vm_run(stage->vm, stage->program, stage->argument, &result);

    ensure(error == stage->expected, "tiny_vm_run returned %d, and it should be %d", error, stage->expected);
    return NULL;
}

static void two_of(struct stage *stage)
{
    pthread_t a = scenario_thread(run, stage), b = scenario_thread(run, stage);

    scenario_join(a);
    scenario_join(b);
}

/* ---- each thread appends ---------------------------------------------------------------------------------------- */

static void two_fillers(int64_t items)
{
    struct stage stage = made(tiny_vm_fill(), items);
    int64_t sum = 0;

    two_of(&stage);
    ensure(tiny_vm_length(stage.vm) == 2 * (size_t)items, "two threads appended %d items each, and the list has %zu",
           (int)items, tiny_vm_length(stage.vm));
    for (size_t i = 0; i < tiny_vm_length(stage.vm); i++)
        sum += tiny_vm_item(stage.vm, i);
    ensure(sum == items * (items + 1), "two threads appended 1 to %d each, and the sum is %d", (int)items, (int)sum);
    end(&stage);
}

static void two_fill(void)
{
    two_fillers(9); /* together more than a small list has room for: it moves */
}

/* ---- one step for all others ------------------------------------------------------------------------------------- */

/* global 0 += 1, without a jump back or call in between */
static const struct tiny_vm_instruction adding[] = {{TINY_VM_LOAD_GLOBAL, 0},  {TINY_VM_PUSH, 1}, {TINY_VM_ADD, 0},
                                                    {TINY_VM_STORE_GLOBAL, 0}, {TINY_VM_PUSH, 0}, {TINY_VM_RETURN, 0}};
static const struct tiny_vm_program adder = {adding, 6};

static void two_add(void)
{
    struct stage stage = made(&adder, 0);

    two_of(&stage);
    ensure(tiny_vm_global(stage.vm, 0) == 2, "two threads added 1 to a variable, and it is %d",
           (int)tiny_vm_global(stage.vm, 0));
    end(&stage);
}

/* The same in a function that is called once more. */
static const struct tiny_vm_instruction calling[] = {{TINY_VM_PUSH, 0},         {TINY_VM_CALL, 3}, {TINY_VM_RETURN, 0},
                                                     {TINY_VM_LOAD_GLOBAL, 0},  {TINY_VM_PUSH, 1}, {TINY_VM_ADD, 0},
                                                     {TINY_VM_STORE_GLOBAL, 0}, {TINY_VM_PUSH, 0}, {TINY_VM_RETURN, 0}};
static const struct tiny_vm_program caller = {calling, 9};

static void two_call(void)
{
    struct stage stage = made(&caller, 0);

    two_of(&stage);
    ensure(tiny_vm_global(stage.vm, 0) == 2, "two threads called a function that adds 1 to a variable, and it is %d",
           (int)tiny_vm_global(stage.vm, 0));
    end(&stage);
}

/* Nobody ever asks for the lock: then jumps back and calls let nobody in, and all of this is one step. */
static const struct tiny_vm_instruction unasked[] = {{TINY_VM_LOAD_GLOBAL, 0},  {TINY_VM_JUMP, 3}, {TINY_VM_JUMP, 4},
                                                     {TINY_VM_JUMP, 2},         {TINY_VM_CALL, 6}, {TINY_VM_RETURN, 0},
                                                     {TINY_VM_LOAD, 0},         {TINY_VM_PUSH, 1}, {TINY_VM_ADD, 0},
                                                     {TINY_VM_STORE_GLOBAL, 0}, {TINY_VM_PUSH, 0}, {TINY_VM_RETURN, 0}};
static const struct tiny_vm_program jumper = {unasked, 12};

static void two_unasked(void)
{
    struct stage stage = made(&jumper, 0);

    ensure(gil_set_interval(stage.gil, INT64_MAX) == 0, "gil_set_interval returned an error");
    two_of(&stage);
    ensure(tiny_vm_global(stage.vm, 0) == 2,
           "two threads, which nobody asked for the lock, added 1 to a variable, and it is %d",
           (int)tiny_vm_global(stage.vm, 0));
    end(&stage);
}

/* Two machines, a lock each: nothing orders what their threads do, and they share nothing. */
static void two_machines(void)
{
    struct stage one = made(&caller, 0), two = made(&caller, 0);
    pthread_t a = scenario_thread(run, &one), b = scenario_thread(run, &two);

    scenario_join(a);
    scenario_join(b);
    ensure(tiny_vm_global(one.vm, 0) == 1 && tiny_vm_global(two.vm, 0) == 1,
           "a thread added 1 to a variable of each machine, and they are %d and %d", (int)tiny_vm_global(one.vm, 0),
           (int)tiny_vm_global(two.vm, 0));
    end(&one);
    end(&two);
}

/* ---- sleeping, failing ------------------------------------------------------------------------------------------ */

/* length before a sleep; append; so that a list that another one has moved meanwhile is used after it */
static const struct tiny_vm_instruction sleeping[] = {{TINY_VM_LENGTH, 0}, {TINY_VM_APPEND, 0}, {TINY_VM_LOAD, 0},
                                                      {TINY_VM_SLEEP, 0},  {TINY_VM_LENGTH, 0}, {TINY_VM_APPEND, 0},
                                                      {TINY_VM_PUSH, 0},   {TINY_VM_RETURN, 0}};
static const struct tiny_vm_program sleeper = {sleeping, 8};

static void two_sleep(void)
{
    struct stage stage = made(&sleeper, 100);

    two_of(&stage);
    ensure(tiny_vm_length(stage.vm) == 4, "two threads appended 2 items each, and the list has %zu",
           tiny_vm_length(stage.vm));
    end(&stage);
}

/* A thread sleeps, with time for another to run before and after: both orders of all that they touch. */
static void one_sleeps_one_fills(void)
{
    struct stage stage = made(&sleeper, 20000), fills = stage;
    pthread_t a = scenario_thread(run, &stage);

    fills.program = tiny_vm_fill();
    fills.argument = 3;
    pthread_t b = scenario_thread(run, &fills);
    scenario_join(a);
    scenario_join(b);
    ensure(tiny_vm_length(stage.vm) == 5, "two threads appended 2 and 3 items, and the list has %zu",
           tiny_vm_length(stage.vm));
    end(&stage);
}

static const struct tiny_vm_instruction dividing[] = {
    {TINY_VM_PUSH, 1}, {TINY_VM_APPEND, 0}, {TINY_VM_PUSH, 1}, {TINY_VM_PUSH, 0}, {TINY_VM_MODULO, 0}};
static const struct tiny_vm_program divider = {dividing, 5};

static void two_fail(void)
{
    struct stage stage = made(&divider, 0);

    stage.expected = EDOM;
    two_of(&stage);
    ensure(tiny_vm_length(stage.vm) == 2, "two threads appended an item each, and the list has %zu",
           tiny_vm_length(stage.vm));
    end(&stage);
}

static const struct tiny_vm_instruction wrong[] = {{TINY_VM_PUSH, -1}, {TINY_VM_SLEEP, 0}};
static const struct tiny_vm_program waker = {wrong, 2};

static void programs(void)
{
    struct stage stage = made(tiny_vm_fibonacci(), 6);

    run(&stage);
    stage.program = tiny_vm_is_prime();
    run(&stage);
    stage.program = tiny_vm_countdown();
    run(&stage);
    tiny_vm_set_global(stage.vm, 3, 1);
    stage.program = &waker;
    stage.expected = EINVAL;
    run(&stage);
    end(&stage);
    tiny_vm_destroy(NULL);
}

SCENARIOS = {
    {"two_fill", two_fill, "two threads append to the list, each in a loop"},
    {"two_add", two_add, "two threads add 1 to the same variable"},
    {"two_call", two_call, "the same in a function that they call"},
    {"two_unasked", two_unasked, "the same with a jump back and a call in between, and an interval without an end"},
    {"two_machines", two_machines, "two threads call it, each on a machine with a lock of its own"},
    {"two_sleep", two_sleep, "two threads append, sleep and append again"},
    {"one_sleeps_one_fills", one_sleeps_one_fills,
     "one thread appends, sleeps and appends again, another fills the list"},
    {"two_fail", two_fail, "two threads append and then divide by zero"},
    {"programs", programs, "one thread runs one program after the other"},
    SCENARIOS_END,
};
