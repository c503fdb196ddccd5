/* scenario.c - steps of two and three threads that meet.
 *
 * Every object has a number for each thread, which that thread writes before it gives up its reference; what ends the
 * object reads them all. So an end that is not ordered after what others did is a race, in every run.
 */
#include "scenario.h"

#include "biased_refcount.h"

#include <stddef.h>

struct thing {
    int written[3]; /* by each thread, before it gives up its reference */
    int ended;
    int sum;
};

static void end_thing(void *value)
{
    struct thing *thing = value;

    thing->ended++;
    for (int i = 0; i < 3; i++)
        thing->sum += thing->written[i];
}

struct part {
    struct biased_refcount_threads *threads;
    struct biased_refcount_thread *owner; /* made for the thread that plays it */
    struct biased_refcount *object;
    struct thing *thing;
    struct gate may_leave;
    struct gate done[3];
};

static struct biased_refcount_thread *joined(struct biased_refcount_threads *threads)
{
    struct biased_refcount_thread *thread = NULL;

    ensure(biased_refcount_join(threads, &thread) == 0, "biased_refcount_join returned an error");
    return thread;
}

/* The object is there before the threads begin: it is handed over with them. */
static void begin(struct part *part, struct thing *thing, int references)
{
    *thing = (struct thing){.ended = 0};
    *part = (struct part){.thing = thing};
    ensure(biased_refcount_threads_create(&part->threads) == 0, "biased_refcount_threads_create returned an error");
    part->owner = joined(part->threads);
    ensure(biased_refcount_create(part->owner, end_thing, thing, &part->object) == 0, "biased_refcount_create failed");
    for (int i = 1; i < references; i++)
        biased_refcount_incref(part->owner, part->object);
}

static void end(struct part *part, int sum)
{
    ensure(part->thing->ended == 1, "every reference was given up, and the object has ended %d times",
           part->thing->ended);
    ensure(part->thing->sum == sum, "what the threads wrote before they gave up their references is not all there");
    biased_refcount_threads_destroy(part->threads);
}

/* Gives up one reference, merges once, leaves. */
static void *owner(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = part->owner;

    part->thing->written[0] = 1;
    biased_refcount_decref(me, part->object);
    if (biased_refcount_merge_requested(me))
        biased_refcount_merge(me);
    gate_open(&part->done[0]);
    biased_refcount_leave(me);
    return NULL;
}

/* Gives up a reference that the owner has counted for it. */
static void *taker(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = joined(part->threads);

    part->thing->written[1] = 1;
    biased_refcount_decref(me, part->object);
    gate_open(&part->done[1]);
    biased_refcount_leave(me);
    return NULL;
}

/* Counts one of its own first. */
static void *counter(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = joined(part->threads);

    biased_refcount_incref(me, part->object);
    part->thing->written[1] = 1;
    biased_refcount_decref(me, part->object);
    biased_refcount_decref(me, part->object);
    biased_refcount_leave(me);
    return NULL;
}

static void *another_taker(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = joined(part->threads);

    part->thing->written[2] = 1;
    biased_refcount_decref(me, part->object);
    biased_refcount_leave(me);
    return NULL;
}

static void run(struct part *part, void *(*first)(void *), void *(*second)(void *), void *(*third)(void *))
{
    pthread_t threads[3] = {scenario_thread(first, part), scenario_thread(second, part)};

    if (third != NULL)
        threads[2] = scenario_thread(third, part);
    for (int i = 0; i < (third != NULL ? 3 : 2); i++)
        scenario_join(threads[i]);
}

static void one_each(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 2);
    run(&part, owner, taker, NULL);
    end(&part, 2);
}

static void counted_by_both(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 2);
    run(&part, owner, counter, NULL);
    end(&part, 2);
}

static void one_and_two_takers(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 3);
    run(&part, owner, taker, another_taker);
    end(&part, 3);
}

/* Counts two references for the owner to give up, beside one of its own that the owner has counted. */
static void *giver(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = joined(part->threads);

    biased_refcount_incref(me, part->object);
    biased_refcount_incref(me, part->object);
    gate_open(&part->done[2]);
    part->thing->written[2] = 1;
    biased_refcount_decref(me, part->object);
    biased_refcount_leave(me);
    return NULL;
}

/* Gives up his own and the two: his count may become 0 while the object is on its way into his queue. */
static void *giving_owner(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = part->owner;

    part->thing->written[0] = 1;
    gate_pass(&part->done[2]);
    for (int i = 0; i < 3; i++)
        biased_refcount_decref(me, part->object);
    biased_refcount_leave(me);
    return NULL;
}

static void merged_while_queueing(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 3);
    run(&part, giving_owner, taker, giver);
    end(&part, 3);
}

/* ---- the owner leaves ------------------------------------------------------------------------------------------- */

static void *leaver(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = part->owner;

    part->thing->written[0] = 1;
    biased_refcount_leave(me);
    gate_open(&part->done[0]);
    return NULL;
}

static void left_or_leaving(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 1);
    run(&part, leaver, taker, NULL);
    end(&part, 2);
}

static void left_to_two(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 2);
    run(&part, leaver, taker, another_taker);
    end(&part, 3);
}

/* ---- two objects, one owner ------------------------------------------------------------------------------------- */

struct two {
    struct biased_refcount_threads *threads;
    struct biased_refcount_thread *owner;
    struct biased_refcount *objects[2];
    struct thing things[2];
};

static void begin_two(struct two *two)
{
    *two = (struct two){.owner = NULL};
    ensure(biased_refcount_threads_create(&two->threads) == 0, "biased_refcount_threads_create returned an error");
    two->owner = joined(two->threads);
    for (int i = 0; i < 2; i++)
        ensure(biased_refcount_create(two->owner, end_thing, &two->things[i], &two->objects[i]) == 0,
               "biased_refcount_create failed");
}

/* Gives up the last reference to each: both come into the queue, one after the other, while the owner is there. */
static void *taker_of_two(void *argument)
{
    struct two *two = argument;
    struct biased_refcount_thread *me = joined(two->threads);

    for (int i = 0; i < 2; i++)
        biased_refcount_decref(me, two->objects[i]);
    biased_refcount_leave(me);
    return NULL;
}

static void end_two(struct two *two)
{
    for (int i = 0; i < 2; i++)
        ensure(two->things[i].ended == 1,
               "the last reference to the %s of two objects was given up, it has ended %d "
               "times",
               i == 0 ? "first" : "second", two->things[i].ended);
}

/* The second may be queued while the owner merges the first, in order to leave. */
static void *leaver_of_two(void *argument)
{
    struct two *two = argument;

    biased_refcount_leave(two->owner);
    return NULL;
}

/* The second may be queued while the owner merges the first: then he is asked again. */
static void *merger(void *argument)
{
    struct two *two = argument;

    biased_refcount_merge(two->owner);
    return NULL;
}

/* Main only waits: who begins is not a preemption, and two are enough. */
static void run_two(struct two *two, void *(*owner_of_two)(void *))
{
    pthread_t threads[2] = {scenario_thread(owner_of_two, two), scenario_thread(taker_of_two, two)};

    for (int i = 0; i < 2; i++)
        scenario_join(threads[i]);
}

static void leaving_two(void)
{
    struct two two;

    begin_two(&two);
    run_two(&two, leaver_of_two);
    end_two(&two);
    biased_refcount_threads_destroy(two.threads);
}

static void asked_twice(void)
{
    struct two two;

    begin_two(&two);
    run_two(&two, merger);
    if (biased_refcount_merge_requested(two.owner))
        biased_refcount_merge(two.owner);
    end_two(&two);
    biased_refcount_leave(two.owner);
    biased_refcount_threads_destroy(two.threads);
}

/* ---- certain orders, which the detectors do not see ------------------------------------------------------------- */

static void *late_taker(void *argument)
{
    struct part *part = argument;

    gate_pass(&part->done[0]);
    return taker(argument);
}

/* The owner has given up his, when the other one comes. */
static void the_owner_first(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 2);
    run(&part, owner, late_taker, NULL);
    end(&part, 2);
}

static void *patient_owner(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = part->owner;

    part->thing->written[0] = 1;
    gate_pass(&part->done[1]);
    ensure(biased_refcount_merge_requested(me), "an object is queued for its owner, and he is not asked to merge");
    biased_refcount_decref(me, part->object);
    ensure(part->thing->ended == 0, "an object ended that is still in a queue");
    biased_refcount_merge(me);
    ensure(part->thing->ended == 1, "the last reference was given up, and the owner has merged: it has not ended once");
    biased_refcount_leave(me);
    return NULL;
}

/* The other one has given up his, when the owner looks. */
static void the_other_first(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 2);
    run(&part, patient_owner, taker, NULL);
    end(&part, 2);
}

/* Counted by another thread alone, and given up by both: no queue, and yet ordered. */
static void *brief_counter(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = joined(part->threads);

    biased_refcount_incref(me, part->object);
    part->thing->written[1] = 1;
    biased_refcount_decref(me, part->object);
    gate_open(&part->done[1]);
    gate_pass(&part->may_leave); /* what it does with locks comes after the end: it orders nothing */
    biased_refcount_leave(me);
    return NULL;
}

static void *last_owner(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = part->owner;

    part->thing->written[0] = 1;
    gate_pass(&part->done[1]);
    biased_refcount_decref(me, part->object);
    ensure(part->thing->ended == 1, "the last reference was given up, and the object has not ended once");
    gate_open(&part->may_leave);
    biased_refcount_leave(me);
    return NULL;
}

static void counted_and_given_up(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 1);
    run(&part, last_owner, brief_counter, NULL);
    end(&part, 2);
}

/* The same where the owner is first: the last one of a merged object is another thread's. */
static void *first_owner(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = part->owner;

    part->thing->written[0] = 1;
    gate_pass(&part->done[1]);
    part->thing->written[0] = 1;
    biased_refcount_decref(me, part->object);
    gate_open(&part->done[0]);
    gate_pass(&part->may_leave);
    biased_refcount_leave(me);
    return NULL;
}

static void *last_counter(void *argument)
{
    struct part *part = argument;
    struct biased_refcount_thread *me = joined(part->threads);

    biased_refcount_incref(me, part->object);
    gate_open(&part->done[1]);
    gate_pass(&part->done[0]);
    ensure(biased_refcount_is_merged(part->object), "the owner's count became 0, and the counts were not merged");
    ensure(biased_refcount_count(part->object) == 1, "one reference is left, and biased_refcount_count is not 1");
    part->thing->written[1] = 1;
    biased_refcount_decref(me, part->object);
    gate_open(&part->may_leave);
    biased_refcount_leave(me);
    return NULL;
}

static void merged_by_the_owner(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 1);
    run(&part, first_owner, last_counter, NULL);
    end(&part, 2);
}

static void alone(void)
{
    struct part part;
    struct thing thing;

    begin(&part, &thing, 3);
    struct biased_refcount_thread *me = part.owner;
    ensure(biased_refcount_value(part.object) == &thing, "biased_refcount_value is not what the object was made with");
    for (int i = 0; i < 3; i++)
        biased_refcount_decref(me, part.object);
    biased_refcount_merge(me);
    biased_refcount_leave(me);
    end(&part, 0);
    biased_refcount_threads_destroy(NULL);
}

SCENARIOS = {
    {"one_each", one_each, "the owner and another thread have a reference each, and give them up"},
    {"counted_by_both", counted_by_both, "the same, and the other thread counts one of its own meanwhile"},
    {"one_and_two_takers", one_and_two_takers, "the owner and two other threads give up a reference each"},
    {"merged_while_queueing", merged_while_queueing,
     "one thread queues the object while the owner gives up all that he has counted, and a third counts"},
    {"left_or_leaving", left_or_leaving, "the owner leaves while another thread gives up the last reference"},
    {"left_to_two", left_to_two, "the owner leaves while two threads give up the last two references"},
    {"leaving_two", leaving_two, "the owner leaves while another thread gives up the last reference to two objects"},
    {"asked_twice", asked_twice,
     "the owner merges, once and where he is asked, while another thread gives up two objects"},
    {"the_owner_first", the_owner_first, "the owner gives up his reference, then another thread the last one"},
    {"the_other_first", the_other_first, "another thread gives up a reference of the owner's, then he his own"},
    {"counted_and_given_up", counted_and_given_up,
     "another thread counts a reference and gives it up, then the owner his"},
    {"merged_by_the_owner", merged_by_the_owner,
     "another thread counts a reference, the owner gives up his, then it its own"},
    {"alone", alone, "one thread counts and gives up"},
    SCENARIOS_END,
};
