/* scenario.c - thread-local objects as the detectors see them.
 *
 * Gates put the steps of the threads in one order, the same in every run, and the detectors do not see them; where a
 * thread has to have ended, alone.h waits for that, unseen too. So whatever is touched without the lock is a race in
 * every run.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h */
#endif
#include "scenario.h"
#include "alone.h"
#include "order.h"
#include "thread_local.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static struct thread_local *make(void (*destructor)(void *value))
{
    struct thread_local *local = NULL;

    ensure(thread_local_create(&local, destructor) == 0, "thread_local_create returned an error");
    return local;
}

/* A value in memory of its own, which is to be freed by the destructor. */
static void set_new(struct thread_local *local, int number)
{
    int *value = malloc(sizeof *value);

    ensure(value != NULL, "the scenario has no memory");
    *value = number;
    ensure(thread_local_set(local, value) == 0, "thread_local_set returned an error");
}

static void must_hold(struct thread_local *local, int number)
{
    void *value = NULL;

    ensure(thread_local_get(local, &value) == 0, "thread_local_get returned an error");
    ensure(value != NULL && *(int *)value == number, "the thread's value is not the one that it has set");
}

/* ---- one thread -------------------------------------------------------------------------------------------------- */

static void one_thread(void)
{
    struct thread_local *local = make(free);
    void *value = NULL;

    ensure(thread_local_get(local, &value) == ENOENT, "get without a value did not give ENOENT");
    ensure(thread_local_delete(local) == ENOENT, "delete without a value did not give ENOENT");
    set_new(local, 1);
    set_new(local, 2);
    must_hold(local, 2);
    ensure(thread_local_delete(local) == 0, "thread_local_delete returned an error");
    ensure(thread_local_set(local, NULL) == 0, "thread_local_set returned an error");
    set_new(local, 3);
    ensure(thread_local_create(NULL, free) == EINVAL, "thread_local_create(NULL, …) did not give EINVAL");
    ensure(thread_local_get(local, NULL) == EINVAL, "thread_local_get(local, NULL) did not give EINVAL");
    thread_local_destroy(local);
    thread_local_destroy(NULL);
}

/* ---- several threads --------------------------------------------------------------------------------------------- */

struct pair {
    struct thread_local *one, *two;
    struct gate are_set, go_on;
};

static void set_in_order(struct pair *pair)
{
    set_new(pair->one, 10);
    set_new(pair->two, 20);
}

static void *set_both(void *argument)
{
    struct pair *pair = argument;

    set_in_order(pair);
    gate_open(&pair->are_set);
    gate_pass(&pair->go_on);
    return NULL;
}

/* What comes after go_on is done while one of the two objects may be gone. */
static void *set_wait_and_get_one(void *argument)
{
    struct pair *pair = argument;

    set_both(pair);
    must_hold(pair->one, 10);
    return NULL;
}

static void *set_wait_and_get_two(void *argument)
{
    struct pair *pair = argument;

    set_both(pair);
    must_hold(pair->two, 20);
    return NULL;
}

/* Who destroys an object sees to it that no thread is using it; here with a mutex that the detectors see, so that get
 * may do without one. What threads do with other objects meanwhile, nothing orders but the student's lock. */
static void in_order(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static struct thread_local *oldest; /* its values are set before those of a pair */

/* The pair's first object, which is to be destroyed, is in the middle: in a list of values one of the other two
 * lies before it, whichever way the list grows. */
static void *set_get_and_wait(void *argument)
{
    struct pair *pair = argument;

    set_new(oldest, 5);
    set_in_order(pair);
    must_hold(pair->one, 10);
    in_order();
    must_hold(oldest, 5);
    must_hold(pair->two, 20);
    gate_open(&pair->are_set);
    gate_pass(&pair->go_on);
    return NULL;
}

static void *set_delete_and_wait(void *argument)
{
    struct pair *pair = argument;

    set_in_order(pair);
    ensure(thread_local_delete(pair->one) == 0, "thread_local_delete returned an error");
    gate_open(&pair->are_set);
    gate_pass(&pair->go_on);
    return NULL;
}

static void own_values(void)
{
    struct pair pair = {make(free), make(free), GATE_CLOSED, GATE_CLOSED};

    set_new(pair.one, 1);
    gate_open(&pair.go_on);
    pthread_t threads[2] = {scenario_thread(set_wait_and_get_two, &pair), scenario_thread(set_wait_and_get_one, &pair)};
    must_hold(pair.one, 1);
    scenario_join(threads[0]);
    scenario_join(threads[1]);
    must_hold(pair.one, 1);
    thread_local_destroy(pair.one);
    thread_local_destroy(pair.two);
}

/* One object is destroyed between the steps of a thread that has a value in it, and one in another. Which of the two
 * values the thread finds first is the student's affair: so once the one is destroyed, and once the other. */
static void destroyed_beside(void *(*body)(void *), bool first)
{
    struct pair pair = {make(free), make(free), GATE_CLOSED, GATE_CLOSED};
    pthread_t thread = scenario_thread(body, &pair);

    gate_pass(&pair.are_set);
    in_order();
    thread_local_destroy(first ? pair.one : pair.two);
    gate_open(&pair.go_on);
    scenario_join(thread);
    thread_local_destroy(first ? pair.two : pair.one);
}

static void destroyed_then_got(void)
{
    destroyed_beside(set_wait_and_get_two, true);
    destroyed_beside(set_wait_and_get_one, false);
}

static void got_then_destroyed(void)
{
    oldest = make(free);
    destroyed_beside(set_get_and_wait, true);
    thread_local_destroy(oldest);
}

static void destroyed_then_ended(void)
{
    destroyed_beside(set_both, true);
    destroyed_beside(set_both, false);
}

static void deleted_then_set(void)
{
    struct pair pair = {make(free), make(free), GATE_CLOSED, GATE_CLOSED};

    set_new(pair.one, 1);
    pthread_t thread = scenario_thread(set_delete_and_wait, &pair);
    gate_pass(&pair.are_set);
    ensure(thread_local_delete(pair.one) == 0, "thread_local_delete returned an error");
    set_new(pair.one, 2);
    gate_open(&pair.go_on);
    scenario_join(thread);
    thread_local_destroy(pair.one);
    thread_local_destroy(pair.two);
}

static void ended_then_destroyed(void)
{
    int before = alone_count();
    struct pair pair = {make(free), make(free), GATE_CLOSED, GATE_CLOSED};

    gate_open(&pair.go_on);
    pthread_t thread = scenario_thread(set_both, &pair);
    alone_wait(before);
    thread_local_destroy(pair.one);
    thread_local_destroy(pair.two);
    scenario_join(thread);
}

static void *set_and_end_meanwhile(void *argument)
{
    struct pair *pair = argument;

    set_new(pair->one, 5);
    gate_open(&pair->are_set);
    order_pass(&pair->go_on);
    return NULL;
}

/* For the explorer the thread may end before, after, or while the object is destroyed. */
static void ends_while_destroyed(void)
{
    struct pair pair = {make(free), NULL, GATE_CLOSED, GATE_CLOSED};
    pthread_t thread = scenario_thread(set_and_end_meanwhile, &pair);

    gate_pass(&pair.are_set);
    thread_local_destroy(pair.one);
    gate_open(&pair.go_on);
    scenario_join(thread);
}

static void *set_and_end(void *argument)
{
    struct pair *pair = argument;

    gate_pass(&pair->go_on);
    set_new(pair->one, 5);
    gate_open(&pair->are_set);
    return NULL;
}

static void set_one_after_the_other(void)
{
    struct pair pair = {make(free), NULL, GATE_CLOSED, GATE_CLOSED};
    pthread_t thread = scenario_thread(set_and_end, &pair);

    set_new(pair.one, 4);
    gate_open(&pair.go_on);
    gate_pass(&pair.are_set);
    must_hold(pair.one, 4);
    scenario_join(thread);
    thread_local_destroy(pair.one);
}

static void *make_and_destroy(void *gates)
{
    struct pair *pair = gates;

    thread_local_destroy(make(NULL));
    gate_open(&pair->are_set);
    return NULL;
}

static void *wait_make_and_destroy(void *gates)
{
    struct pair *pair = gates;

    gate_pass(&pair->are_set);
    thread_local_destroy(make(NULL));
    return NULL;
}

static void two_makers(void)
{
    struct pair pair = {NULL, NULL, GATE_CLOSED, GATE_CLOSED};
    pthread_t threads[2] = {scenario_thread(make_and_destroy, &pair), scenario_thread(wait_make_and_destroy, &pair)};

    scenario_join(threads[0]);
    scenario_join(threads[1]);
}

/* ---- destructors that use the objects ---------------------------------------------------------------------------- */

static struct thread_local *next; /* where the destructor leaves something */

static void leave_something(void *value)
{
    free(value);
    set_new(next, 7);
}

static void destructor_sets(void)
{
    struct pair pair = {make(leave_something), make(free), GATE_CLOSED, GATE_CLOSED};

    next = pair.two;
    gate_open(&pair.go_on);
    pthread_t thread = scenario_thread(set_and_end, &pair);
    scenario_join(thread);
    thread_local_destroy(pair.one);
    thread_local_destroy(pair.two);
}

SCENARIOS = {
    {"two_makers", two_makers, "two threads create and destroy an object each"},
    {"one_thread", one_thread, "one thread calls every function"},
    {"own_values", own_values, "three threads have a value each in the same object"},
    {"set_one_after_the_other", set_one_after_the_other, "one thread sets a value, then another does"},
    {"deleted_then_set", deleted_then_set, "a thread deletes its value in an object, then another sets one"},
    {"destroyed_then_got", destroyed_then_got, "one object is destroyed, then a thread gets its value in another"},
    {"got_then_destroyed", got_then_destroyed, "a thread gets its value in one object, then another is destroyed"},
    {"destroyed_then_ended", destroyed_then_ended, "an object is destroyed, then a thread ends that had a value in it"},
    {"ended_then_destroyed", ended_then_destroyed, "a thread ends, then an object is destroyed that it had a value in"},
    {"ends_while_destroyed", ends_while_destroyed,
     "a thread ends and an object is destroyed that it has a value in, in any order"},
    {"destructor_sets", destructor_sets, "a destructor sets another value while its thread ends"},
    SCENARIOS_END,
};
