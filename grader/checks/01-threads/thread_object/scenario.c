/* scenario.c - thread objects as the detectors see them.
 *
 * Who looks at an object does so once, from a thread of its own that does nothing else (look), and is joined only after
 * the object's thread has ended: so no lock that is taken earlier or later, for another reason, makes an unlocked
 * access seem ordered. The gates, which the detectors do not see, make the real order the same in every run.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* scarce.h, order.h */
#endif
#include "scenario.h"
#include "alone.h"
#include "order.h"
#include "scarce.h"
#include "thread_object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64 };

/* Written by targets and read after a join, without a lock. */
static long basket;

static struct thread_object *make(void (*target)(void *argument), void *argument, const char *name)
{
    struct thread_object *thread = NULL;

    ensure(thread_object_create(&thread, target, argument, name) == 0, "thread_object_create returned an error");
    return thread;
}

static void start(struct thread_object *thread)
{
    ensure(thread_object_start(thread) == 0, "thread_object_start returned an error");
}

static void join(struct thread_object *thread)
{
    ensure(thread_object_join(thread, -1) == 0, "thread_object_join returned an error");
}

/* ---- from create to destroy -------------------------------------------------------------------------------------- */

static void fill_basket(void *amount)
{
    basket = basket + *(const long *)amount;
}

static void whole_life(void)
{
    long amount = 5;
    struct thread_object *thread = make(fill_basket, &amount, NULL);

    basket = 1;
    start(thread);
    join(thread);
    ensure(basket == 6, "the target left %ld in the basket; it should be 6", basket);
    join(thread);
    ensure(thread_object_start(thread) == EALREADY, "a second start did not give EALREADY");
    ensure(thread_object_state(thread) == THREAD_OBJECT_STOPPED, "after the join the state is not stopped");
    thread_object_destroy(thread);
}

static void never_started(void)
{
    struct thread_object *thread = make(fill_basket, NULL, "idle");

    ensure(thread_object_join(thread, -1) == EINVAL, "a join before the start did not give EINVAL");
    ensure(thread_object_create(NULL, NULL, NULL, NULL) == EINVAL, "thread_object_create(NULL, …) did not give EINVAL");
    thread_object_destroy(thread);
    thread_object_destroy(NULL);
}

static void stopped_never_joined(void)
{
    int before = alone_count();
    struct thread_object *thread = make(NULL, NULL, NULL);

    start(thread);
    alone_wait(before);
    thread_object_destroy(thread);
}

static void daemon_never_joined(void)
{
    int before = alone_count();
    struct thread_object *thread = make(NULL, NULL, NULL);

    ensure(thread_object_set_daemon(thread, true) == 0, "thread_object_set_daemon before the start returned an error");
    start(thread);
    alone_wait(before);
    thread_object_destroy(thread);
}

static void no_thread_to_be_had(void)
{
    struct thread_object *thread = make(NULL, NULL, NULL);

    if (scarce_threads(true)) {
        int error = thread_object_start(thread);
        scarce_threads(false);
        ensure(error == EAGAIN || error == 0,
               "without a thread thread_object_start returned %d; it should return EAGAIN", error);
        if (error == 0) { /* with attributes of its own it had a thread all the same */
            thread_object_destroy(thread);
            return;
        }
    }
    start(thread);
    join(thread);
    thread_object_destroy(thread);
}

/* ---- joins ------------------------------------------------------------------------------------------------------- */

static void pass(void *gate)
{
    gate_pass(gate);
    basket = basket + 1;
}

static void *join_and_look(void *thread)
{
    join(thread);
    ensure(basket == 1, "after the join the basket holds %ld; it should hold 1", basket);
    return NULL;
}

static void three_join(void)
{
    struct gate go_on = GATE_CLOSED;
    struct thread_object *thread = make(pass, &go_on, NULL);

    basket = 0;
    start(thread);
    pthread_t one = scenario_thread(join_and_look, thread), two = scenario_thread(join_and_look, thread);
    ensure(thread_object_join(thread, 0) == ETIMEDOUT, "a join with time-out 0 did not give ETIMEDOUT");
    ensure(thread_object_join(thread, 1000) == ETIMEDOUT, "a join with a time-out did not give ETIMEDOUT");
    gate_open(&go_on);
    join_and_look(thread);
    scenario_join(one);
    scenario_join(two);
    thread_object_destroy(thread);
}

static void ask_oneself(void *argument)
{
    struct thread_object *thread = *(struct thread_object **)argument;

    ensure(thread_object_join(thread, -1) == EDEADLK, "a join of itself did not give EDEADLK");
    ensure(thread_object_is_alive(thread), "a thread that runs finds itself not alive");
    ensure(thread_object_set_name(thread, "a rather longer name than before") == 0, "set_name returned an error");
    ensure(thread_object_set_daemon(thread, true) == EALREADY, "set_daemon of a running thread did not give EALREADY");
}

static void by_itself(void)
{
    struct thread_object *thread = NULL;

    thread = make(ask_oneself, &thread, "me");
    start(thread);
    join(thread);
    thread_object_destroy(thread);
}

/* ---- looks without a join in between ----------------------------------------------------------------------------- */

/* One call, made by a thread of its own. */
struct look {
    void (*call)(struct thread_object *thread);
    struct thread_object *thread;
    struct gate *before; /* passed before the call, or NULL */
    struct gate *after;  /* opened after it */
};

static void *look(void *argument)
{
    struct look *self = argument;

    if (self->before != NULL)
        gate_pass(self->before);
    self->call(self->thread);
    gate_open(self->after);
    return NULL;
}

static void call_state(struct thread_object *thread)
{
    (void)thread_object_state(thread);
}

static void call_is_alive(struct thread_object *thread)
{
    (void)thread_object_is_alive(thread);
}

static void call_daemon(struct thread_object *thread)
{
    (void)thread_object_daemon(thread);
}

static void call_set_daemon(struct thread_object *thread)
{
    ensure(thread_object_set_daemon(thread, true) == 0, "thread_object_set_daemon returned an error");
}

static void call_name(struct thread_object *thread)
{
    char name[NAME_SIZE];

    ensure(thread_object_name(thread, name, sizeof name) == 0, "thread_object_name returned an error");
}

static void call_set_name(struct thread_object *thread)
{
    ensure(thread_object_set_name(thread, "renamed") == 0, "thread_object_set_name returned an error");
}

static void wait_at(void *gate)
{
    gate_pass(gate);
}

static void looked_at_while_it_ends(void (*call)(struct thread_object *thread))
{
    struct gate looked = GATE_CLOSED;
    struct thread_object *thread = make(wait_at, &looked, "watched");
    struct look self = {call, thread, NULL, &looked};

    start(thread);
    pthread_t looker = scenario_thread(look, &self);
    join(thread);
    scenario_join(looker);
    thread_object_destroy(thread);
}

static void state_while_it_ends(void)
{
    looked_at_while_it_ends(call_state);
}

static void alive_while_it_ends(void)
{
    looked_at_while_it_ends(call_is_alive);
}

/* First one thread makes one call, then another the other, and nothing but a gate is between them. */
static void one_after_the_other(void (*first)(struct thread_object *thread),
                                void (*second)(struct thread_object *thread))
{
    struct gate between = GATE_CLOSED, done = GATE_CLOSED;
    struct thread_object *thread = make(NULL, NULL, "first");
    struct look one = {first, thread, NULL, &between}, two = {second, thread, &between, &done};
    pthread_t threads[2] = {scenario_thread(look, &one), scenario_thread(look, &two)};

    scenario_join(threads[0]);
    scenario_join(threads[1]);
    thread_object_destroy(thread);
}

static void renamed_and_read(void)
{
    one_after_the_other(call_set_name, call_name);
    one_after_the_other(call_name, call_set_name);
    one_after_the_other(call_set_name, call_set_name);
}

static void daemon_set_and_read(void)
{
    one_after_the_other(call_set_daemon, call_daemon);
    one_after_the_other(call_daemon, call_set_daemon);
}

static void call_start(struct thread_object *thread)
{
    start(thread);
}

static void started_and_looked_at(void)
{
    one_after_the_other(call_start, call_state);
    one_after_the_other(call_start, call_is_alive);
}

static void call_make(struct thread_object *unused)
{
    (void)unused;
    thread_object_destroy(make(NULL, NULL, NULL));
}

static void two_number_their_threads(void)
{
    one_after_the_other(call_make, call_make);
}

/* ---- in any order ------------------------------------------------------------------------------------------------
 * For the explorer nothing orders the threads here; for the detectors each waits for the one before it. */

struct guest {
    struct thread_object *thread;
    int error;            /* what the call returned */
    char name[NAME_SIZE]; /* of the object that it made */
    struct gate *begin;   /* or NULL */
    struct gate done;
};

/* Runs `first` and `second`, each in a thread of its own. */
static void in_any_order(void *(*first)(void *guest), void *(*second)(void *guest), struct guest *one,
                         struct guest *two)
{
    two->begin = &one->done;
    pthread_t a = scenario_thread(first, one), b = scenario_thread(second, two);
    scenario_join(a);
    scenario_join(b);
}

static void guest_begins(struct guest *guest)
{
    if (guest->begin != NULL)
        order_pass(guest->begin);
}

static void *guest_starts(void *argument)
{
    struct guest *guest = argument;

    guest_begins(guest);
    guest->error = thread_object_start(guest->thread);
    gate_open(&guest->done);
    return NULL;
}

static void two_start(void)
{
    struct guest one = {.thread = make(NULL, NULL, NULL)}, two = one;

    in_any_order(guest_starts, guest_starts, &one, &two);
    ensure((one.error == 0 && two.error == EALREADY) || (one.error == EALREADY && two.error == 0),
           "of two starts one should give 0 and one EALREADY; they gave %d and %d", one.error, two.error);
    join(one.thread);
    thread_object_destroy(one.thread);
}

static void *guest_makes_daemon(void *argument)
{
    struct guest *guest = argument;

    guest_begins(guest);
    guest->error = thread_object_set_daemon(guest->thread, true);
    ensure(guest->error == 0 || guest->error == EALREADY, "thread_object_set_daemon returned %d", guest->error);
    gate_open(&guest->done);
    return NULL;
}

static void *guest_starts_and_asks(void *argument)
{
    struct guest *guest = argument;

    guest_begins(guest);
    start(guest->thread);
    guest->error = thread_object_daemon(guest->thread);
    gate_open(&guest->done);
    return NULL;
}

static void made_daemon_while_started(void)
{
    struct guest one = {.thread = make(NULL, NULL, NULL)}, two = one;

    in_any_order(guest_makes_daemon, guest_starts_and_asks, &one, &two);
    ensure(thread_object_daemon(one.thread) == (two.error != 0),
           "after the start it was %s, and later it is %s; nothing changes that after the start",
           two.error != 0 ? "a daemon" : "no daemon", two.error != 0 ? "none" : "one");
    join(one.thread);
    thread_object_destroy(one.thread);
}

static void *guest_makes_another(void *argument)
{
    struct guest *guest = argument;

    guest_begins(guest);
    struct thread_object *thread = make(NULL, NULL, NULL);
    ensure(thread_object_name(thread, guest->name, sizeof guest->name) == 0, "thread_object_name returned an error");
    thread_object_destroy(thread);
    gate_open(&guest->done);
    return NULL;
}

static void two_named_by_number(void)
{
    struct guest one = {.thread = NULL}, two = one;

    in_any_order(guest_makes_another, guest_makes_another, &one, &two);
    ensure(strcmp(one.name, two.name) != 0, "two objects are called %s", one.name);
}

static const char short_name[] = "short", longer_name[] = "a longer name";

static void *guest_renames(void *argument)
{
    struct guest *guest = argument;

    guest_begins(guest);
    guest->error = thread_object_set_name(guest->thread, longer_name);
    gate_open(&guest->done);
    return NULL;
}

static void *guest_reads_name(void *argument)
{
    struct guest *guest = argument;

    guest_begins(guest);
    guest->error = thread_object_name(guest->thread, guest->name, sizeof guest->name);
    gate_open(&guest->done);
    return NULL;
}

static void renamed_while_read(void)
{
    struct guest one = {.thread = make(NULL, NULL, short_name)}, two = one;

    in_any_order(guest_renames, guest_reads_name, &one, &two);
    ensure(one.error == 0 && two.error == 0, "thread_object_set_name gave %d, thread_object_name %d", one.error,
           two.error);
    ensure(strcmp(two.name, short_name) == 0 || strcmp(two.name, longer_name) == 0,
           "it was called \"%s\" and then \"%s\", and thread_object_name says \"%.40s\"", short_name, longer_name,
           two.name);
    thread_object_destroy(one.thread);
}

/* ---- daemons ----------------------------------------------------------------------------------------------------- */

static void make_one_more(void *unused)
{
    struct thread_object *child = make(NULL, NULL, NULL);

    (void)unused;
    ensure(thread_object_daemon(child), "what a daemon creates is no daemon");
    thread_object_destroy(child);
}

static struct thread_object *make_daemon(void (*target)(void *argument), void *argument)
{
    struct thread_object *thread = make(target, argument, NULL);

    ensure(thread_object_set_daemon(thread, true) == 0, "thread_object_set_daemon returned an error");
    start(thread);
    return thread;
}

static void daemon_inherits(void)
{
    struct thread_object *thread = make_daemon(make_one_more, NULL);

    join(thread);
    thread_object_destroy(thread);
}

/* For the explorer it may also end before its object is destroyed, or meanwhile. */
static void wait_in_order(void *gate)
{
    order_pass(gate);
}

static void daemon_left_alone(void)
{
    static struct gate go_on; /* outlives this scenario, as the daemon does */

    thread_object_destroy(make_daemon(wait_in_order, &go_on));
    gate_open(&go_on);
}

static pthread_key_t end_key;

static void make_at_the_end(void *unused)
{
    (void)unused;
    thread_object_destroy(make(NULL, NULL, NULL));
}

static void wait_with_a_key(void *gate)
{
    ensure(pthread_setspecific(end_key, &end_key) == 0, "pthread_setspecific returned an error");
    gate_pass(gate);
}

/* The destructor of the thread's key runs when the target has returned, and nothing is left of the object. */
static void daemon_makes_one_at_its_end(void)
{
    struct gate go_on = GATE_CLOSED;

    ensure(pthread_key_create(&end_key, make_at_the_end) == 0, "pthread_key_create returned an error");
    int before = alone_count();
    thread_object_destroy(make_daemon(wait_with_a_key, &go_on));
    gate_open(&go_on);
    alone_wait(before);
    pthread_key_delete(end_key);
}

SCENARIOS = {
    {"whole_life", whole_life, "a thread is created, started, joined twice and destroyed"},
    {"never_started", never_started, "an object is destroyed without ever having been started"},
    {"stopped_never_joined", stopped_never_joined, "a thread is started and destroyed, and nobody joins it"},
    {"daemon_never_joined", daemon_never_joined,
     "a daemon is started and destroyed after its end, and nobody joins it"},
    {"no_thread_to_be_had", no_thread_to_be_had, "there is no thread for the first start, and one for the second"},
    {"three_join", three_join, "three threads join one, two without a time-out"},
    {"by_itself", by_itself, "a thread uses its own object"},
    {"state_while_it_ends", state_while_it_ends, "one thread asks for the state, and then the target returns"},
    {"alive_while_it_ends", alive_while_it_ends, "one thread asks whether it is alive, and then the target returns"},
    {"renamed_and_read", renamed_and_read, "one thread changes the name while another reads or changes it"},
    {"daemon_set_and_read", daemon_set_and_read, "one thread makes it a daemon while another asks whether it is one"},
    {"started_and_looked_at", started_and_looked_at, "one thread starts it while another looks at its state"},
    {"two_number_their_threads", two_number_their_threads, "two threads create objects that are named by number"},
    {"two_start", two_start, "two threads start it, in any order"},
    {"made_daemon_while_started", made_daemon_while_started,
     "one thread makes it a daemon, another starts it and asks whether it is one, in any order"},
    {"two_named_by_number", two_named_by_number, "two threads create objects that are named by number, in any order"},
    {"renamed_while_read", renamed_while_read, "one thread changes the name while another reads it, in any order"},
    {"daemon_inherits", daemon_inherits, "a daemon creates an object of its own"},
    {"daemon_left_alone", daemon_left_alone, "a daemon's object is destroyed while its target runs"},
    {"daemon_makes_one_at_its_end", daemon_makes_one_at_its_end,
     "a daemon's object is destroyed, and at its end its thread creates an object, in the destructor of a key"},
    SCENARIOS_END,
};
