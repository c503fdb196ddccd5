/* scenario.c - threads in one interpreter, and in two.
 *
 * Two threads in two interpreters are ordered by nothing, which is right, since they share nothing: whatever they share
 * all the same is a race, in every run.
 */
#include "scenario.h"

#include "own_gil.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { HOUR_US = 1000000000 };

static struct own_gil *made(void)
{
    struct own_gil *interpreter = NULL;

    ensure(own_gil_create(&interpreter) == 0, "own_gil_create returned an error");
    ensure(own_gil_set_interval(interpreter, HOUR_US) == 0, "own_gil_set_interval returned an error");
    return interpreter;
}

static void end(struct own_gil *interpreter)
{
    ensure(own_gil_destroy(interpreter) == 0, "own_gil_destroy of an interpreter without threads returned an error");
}

static struct own_gil_thread *enter(struct own_gil *interpreter)
{
    struct own_gil_thread *thread = NULL;

    ensure(own_gil_enter(interpreter, &thread) == 0, "own_gil_enter returned an error");
    return thread;
}

/* ---- all that can be done in one -------------------------------------------------------------------------------- */

static void *do_all(void *argument)
{
    struct own_gil_thread *thread = enter(argument);
    int64_t value = 0;

    ensure(own_gil_get(thread, "nowhere", &value) == ENOENT, "a variable that was never set is there");
    ensure(strcmp(own_gil_error(thread), "name 'nowhere' is not defined") == 0, "the message of the error is another");
    ensure(own_gil_set(thread, "x", 1) == 0 && own_gil_get(thread, "x", &value) == 0, "x cannot be set or got");
    ensure(value == 1, "x was set to 1, and it is something else");
    const char *text = own_gil_intern(thread, "spam");
    ensure(text != NULL && own_gil_intern(thread, "spam") == text, "the same text was interned twice");
    own_gil_checkpoint(thread);
    ensure(own_gil_interned(thread) == 1, "one text was interned, and own_gil_interned is not 1");
    own_gil_leave(thread);
    return NULL;
}

static void two_in_one(void)
{
    struct own_gil *interpreter = made();
    pthread_t a = scenario_thread(do_all, interpreter), b = scenario_thread(do_all, interpreter);

    scenario_join(a);
    scenario_join(b);
    end(interpreter);
}

static void *life(void *unused)
{
    struct own_gil *interpreter = made();

    do_all(interpreter);
    end(interpreter);
    return unused;
}

static void two_in_two(void)
{
    pthread_t a = scenario_thread(life, NULL), b = scenario_thread(life, NULL);

    scenario_join(a);
    scenario_join(b);
}

/* The same, one after the other, which nothing tells the detectors. */
struct turn {
    struct gate *begin, *done; /* or NULL */
};

static void *live_in_turn(void *argument)
{
    struct turn *turn = argument;

    if (turn->begin != NULL)
        gate_pass(turn->begin);
    life(NULL);
    if (turn->done != NULL)
        gate_open(turn->done);
    return NULL;
}

static void one_after_the_other(void)
{
    struct gate done = GATE_CLOSED;
    struct turn first = {NULL, &done}, second = {&done, NULL};
    pthread_t a = scenario_thread(live_in_turn, &first), b = scenario_thread(live_in_turn, &second);

    scenario_join(a);
    scenario_join(b);
}

/* ---- adding in one interpreter ---------------------------------------------------------------------------------- */

static void *add_one(void *argument)
{
    struct own_gil_thread *thread = enter(argument);
    int64_t value = 0;

    own_gil_get(thread, "sum", &value);
    ensure(own_gil_set(thread, "sum", value + 1) == 0, "own_gil_set returned an error");
    own_gil_leave(thread);
    return NULL;
}

static void two_of(void *(*adder)(void *), int64_t interval_us)
{
    struct own_gil *interpreter = made();
    int64_t sum = 0;

    ensure(own_gil_set_interval(interpreter, interval_us) == 0, "own_gil_set_interval returned an error");
    pthread_t a = scenario_thread(adder, interpreter), b = scenario_thread(adder, interpreter);
    scenario_join(a);
    scenario_join(b);
    struct own_gil_thread *thread = enter(interpreter);
    ensure(own_gil_get(thread, "sum", &sum) == 0 && sum == 2, "two threads added 1 each, and the sum is not 2");
    own_gil_leave(thread);
    end(interpreter);
}

static void two_add(void)
{
    two_of(add_one, HOUR_US);
}

static void *add_one_in_steps(void *argument)
{
    struct own_gil_thread *thread = enter(argument);
    int64_t value = 0;

    own_gil_get(thread, "sum", &value);
    own_gil_checkpoint(thread);
    ensure(own_gil_set(thread, "sum", value + 1) == 0, "own_gil_set returned an error");
    own_gil_leave(thread);
    return NULL;
}

/* Nobody ever asks for the lock, so a checkpoint lets nobody in. */
static void two_unasked(void)
{
    two_of(add_one_in_steps, INT64_MAX);
}

/* ---- ending ----------------------------------------------------------------------------------------------------- */

/* Somebody tries to end the interpreter that another one is about to leave, until that works. */
struct stay {
    struct own_gil *interpreter;
    struct gate inside, left;
};

static void *stay_for_a_while(void *argument)
{
    struct stay *stay = argument;
    struct own_gil_thread *thread = enter(stay->interpreter);

    ensure(own_gil_set(thread, "x", 1) == 0, "own_gil_set returned an error");
    gate_open(&stay->inside);
    own_gil_leave(thread);
    gate_open(&stay->left);
    return NULL;
}

static void ended_while_leaving(void)
{
    struct stay stay = {.interpreter = made()};
    pthread_t a = scenario_thread(stay_for_a_while, &stay);

    gate_pass(&stay.inside);
    int error = own_gil_destroy(stay.interpreter);
    ensure(error == 0 || error == EBUSY, "own_gil_destroy returned neither 0 nor EBUSY");
    scenario_join(a);
    if (error == EBUSY)
        end(stay.interpreter);
}

/* Nothing but the interpreter itself tells who ends it that the other one has done with it. */
static void ended_after_leaving(void)
{
    struct stay stay = {.interpreter = made()};
    pthread_t a = scenario_thread(stay_for_a_while, &stay);

    gate_pass(&stay.left);
    end(stay.interpreter);
    scenario_join(a);
}

static void nobody(void)
{
    end(NULL);
    struct own_gil *interpreter = made();
    ensure(own_gil_interval(interpreter) == HOUR_US, "own_gil_interval is not what was set");
    struct own_gil_thread *thread = enter(interpreter);
    ensure(own_gil_destroy(interpreter) == EBUSY, "own_gil_destroy while a thread is inside did not return EBUSY");
    own_gil_leave(thread);
    end(interpreter);
}

SCENARIOS = {
    {"two_in_one", two_in_one, "two threads do everything in one interpreter"},
    {"two_in_two", two_in_two, "two threads do everything, each in an interpreter of its own"},
    {"one_after_the_other", one_after_the_other, "the same, one after the other"},
    {"two_add", two_add, "two threads add 1 to a variable of the same interpreter"},
    {"two_unasked", two_unasked, "the same with a checkpoint in between, and an interval without an end: nobody asks"},
    {"ended_while_leaving", ended_while_leaving, "one thread leaves an interpreter, another tries to end it"},
    {"ended_after_leaving", ended_after_leaving, "one thread leaves an interpreter, then another ends it"},
    {"nobody", nobody, "an interpreter is ended while a thread is inside, then when none is"},
    SCENARIOS_END,
};
