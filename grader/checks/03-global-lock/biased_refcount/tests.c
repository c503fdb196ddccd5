/* tests.c - what reference counts must do, one step of one thread after the other.
 *
 * Here threads take turns (each step is awaited), so that what every single step has to do can be said; what happens
 * when two steps meet is for the scenarios. A thread is told what to do through a pair of gates.
 */
#include "biased_refcount.h"
#include "check.h"
#include "wrap.h"

#include <errno.h>
#include <string.h>

static struct biased_refcount_threads *new_threads(void)
{
    struct biased_refcount_threads *threads = NULL;
    int error = biased_refcount_threads_create(&threads);

    must(error == 0 && threads != NULL, "biased_refcount_threads_create returned %s.", error_text(error));
    return threads;
}

static struct biased_refcount_thread *join(struct biased_refcount_threads *threads)
{
    struct biased_refcount_thread *thread = NULL;
    int error = biased_refcount_join(threads, &thread);

    must(error == 0 && thread != NULL, "biased_refcount_join returned %s.", error_text(error));
    return thread;
}

/* What an object stands for here: how often it ended, and where. */
struct thing {
    int ended;
    const void *ended_in; /* the thread that was at it */
    long memory;          /* how many allocations there were when it ended */
};

static _Thread_local const void *whoami = "the test's own thread";

static void end_thing(void *value)
{
    struct thing *thing = value;

    thing->ended++;
    thing->ended_in = whoami;
    thing->memory = wrap_memory_kept();
}

static struct biased_refcount *new_object(struct biased_refcount_thread *thread, struct thing *thing)
{
    struct biased_refcount *object = NULL;
    int error = biased_refcount_create(thread, end_thing, thing, &object);

    must(error == 0 && object != NULL, "biased_refcount_create returned %s.", error_text(error));
    return object;
}

static void must_count(struct biased_refcount *object, int64_t expected, const char *when)
{
    int64_t count = biased_refcount_count(object);

    must(count == expected, "%s: there are %lld references, but biased_refcount_count says %lld.", when,
         (long long)expected, (long long)count);
}

static void must_live(const struct thing *thing, const char *when)
{
    must(thing->ended == 0, "%s: there are references left, and the object has ended.", when);
}

static void must_end(const struct thing *thing, const char *when)
{
    must(thing->ended == 1, "%s: the last reference was given up, and the object has ended %d times.", when,
         thing->ended);
}

/* ---- another thread, told what to do ---------------------------------------------------------------------------- */

enum { STEPS_MAX = 24 };

struct helper {
    struct biased_refcount_threads *threads;
    struct biased_refcount_thread *thread; /* its own */
    void (*step)(struct helper *helper);   /* what to do next; NULL: leave */
    struct biased_refcount *object;        /* to do it with */
    struct thing *thing;
    struct gate go[STEPS_MAX], done[STEPS_MAX];
    int steps;
    bool asked;
    int error;
    struct runner *runner;
};

static void help(void *argument)
{
    struct helper *helper = argument;

    whoami = helper;
    helper->error = biased_refcount_join(helper->threads, &helper->thread);
    for (int i = 0; i < STEPS_MAX; i++) {
        gate_open(&helper->done[i]);
        gate_pass(&helper->go[i]);
        if (helper->step == NULL)
            break;
        helper->step(helper);
    }
    biased_refcount_leave(helper->thread);
}

static void start(struct helper *helper, struct biased_refcount_threads *threads)
{
    *helper = (struct helper){.threads = threads};
    helper->runner = runner_start(help, helper);
    gate_pass(&helper->done[0]);
    must(helper->error == 0, "biased_refcount_join returned %s.", error_text(helper->error));
}

/* Has it do one step, and waits until that is done. */
static void let(struct helper *helper, void (*step)(struct helper *helper), struct biased_refcount *object)
{
    int number = helper->steps++;

    helper->step = step;
    helper->object = object;
    gate_open(&helper->go[number]);
    gate_pass(&helper->done[number + 1]);
}

static void leave(struct helper *helper)
{
    helper->step = NULL;
    gate_open(&helper->go[helper->steps]);
    runner_join(helper->runner);
}

static void incref(struct helper *helper)
{
    biased_refcount_incref(helper->thread, helper->object);
}

static void decref(struct helper *helper)
{
    biased_refcount_decref(helper->thread, helper->object);
}

static void merge(struct helper *helper)
{
    biased_refcount_merge(helper->thread);
}

static void ask(struct helper *helper)
{
    helper->asked = biased_refcount_merge_requested(helper->thread);
}

static void create(struct helper *helper)
{
    helper->error = biased_refcount_create(helper->thread, end_thing, helper->thing, &helper->object);
}

/* ---- one thread ------------------------------------------------------------------------------------------------- */

TEST(one_thread, "An object begins with one reference, and ends when the last one is given up: once, at once.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0}, other = {0};
    struct biased_refcount *object = new_object(me, &thing), *second = new_object(me, &other);

    must(biased_refcount_value(object) == &thing, "biased_refcount_value is not what the object was made with.");
    must_count(object, 1, "A new object");
    for (int64_t i = 2; i <= 5; i++) {
        biased_refcount_incref(me, object);
        must_count(object, i, "After an incref");
    }
    for (int64_t i = 4; i >= 1; i--) {
        biased_refcount_decref(me, object);
        must_live(&thing, "After a decref");
        must_count(object, i, "After a decref");
    }
    must(!biased_refcount_is_merged(object), "Only its owner has used the object, and its counts were merged.");
    long memory = wrap_memory_kept();
    biased_refcount_decref(me, object);
    must_end(&thing, "After the last decref");
    must(thing.memory >= memory, "What is called when an object ends should be called before its counts are freed.");
    must(thing.ended_in == whoami, "The object ended in another thread than the one that gave up the last reference.");
    must_live(&other, "When another object ended");
    biased_refcount_decref(me, second);
    must_end(&other, "After the last decref");
    must(!biased_refcount_merge_requested(me),
         "No other thread was there, and biased_refcount_merge_requested is true.");
    biased_refcount_merge(me);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
    biased_refcount_threads_destroy(NULL);
}

TEST(many_references, "There may be very many references: neither count is a small number.")
{
    enum { MANY = 70000 }; /* more than 16 bits hold */
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads), *other = join(threads);
    struct thing thing = {0};
    struct biased_refcount *object = new_object(me, &thing);

    for (int i = 0; i < MANY; i++) {
        biased_refcount_incref(me, object);
        biased_refcount_incref(other, object);
    }
    must_count(object, 1 + 2 * (int64_t)MANY, "Two threads counted 70000 references each");
    for (int i = 0; i < MANY; i++) {
        biased_refcount_decref(me, object);
        biased_refcount_decref(other, object);
    }
    must_live(&thing, "One reference is left");
    must_count(object, 1, "One reference is left");
    biased_refcount_decref(me, object);
    must_end(&thing, "After the last decref");
    biased_refcount_leave(me);
    biased_refcount_leave(other);
    biased_refcount_threads_destroy(threads);
}

/* ---- two threads ------------------------------------------------------------------------------------------------ */

TEST(counted_and_given_up_elsewhere,
     "Another thread counts its references by itself; while the owner has one, nothing ends.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0};
    struct biased_refcount *object = new_object(me, &thing);
    struct helper helper;

    start(&helper, threads);
    let(&helper, incref, object);
    let(&helper, incref, object);
    must_count(object, 3, "Two references of another thread");
    must(!biased_refcount_is_merged(object), "Both have references, and biased_refcount_is_merged is true.");
    let(&helper, decref, object);
    let(&helper, decref, object);
    must_count(object, 1, "The other thread has given up both of its references");
    must(!biased_refcount_merge_requested(me), "Another thread gave up as many references as it had counted, and the "
                                               "owner is asked to merge.");
    must(!biased_refcount_is_merged(object), "Nobody has merged the counts, and biased_refcount_is_merged is true.");
    biased_refcount_decref(me, object);
    must_end(&thing, "The owner's last decref, when the others have none left");
    leave(&helper);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

TEST(the_owner_first,
     "Where the owner gives up his last reference first, the counts are merged, and the last one of the "
     "others ends the object, at once and where it is given up.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0};
    struct biased_refcount *object = new_object(me, &thing);
    struct helper helper;

    start(&helper, threads);
    let(&helper, incref, object);
    let(&helper, incref, object);
    biased_refcount_decref(me, object);
    must_live(&thing, "The owner has no reference left, another thread has two");
    must(biased_refcount_is_merged(object), "The owner's count became 0, and the counts were not merged.");
    must_count(object, 2, "The owner has no reference left, another thread has two");
    let(&helper, incref, object);
    let(&helper, decref, object);
    let(&helper, decref, object);
    must_live(&thing, "One reference is left");
    let(&helper, decref, object);
    must_end(&thing, "The other thread gave up the last reference");
    must(thing.ended_in == &helper, "The object ended in another thread than the one that gave up the last reference.");
    must(!biased_refcount_merge_requested(me), "The counts were merged already, and the owner is asked to merge them.");
    leave(&helper);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

TEST(given_to_another,
     "A reference that the owner has counted and another thread gives up: that one cannot know whether it "
     "is the last, so it queues the object, and the owner ends it when he merges.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0};
    struct biased_refcount *object = new_object(me, &thing);
    struct biased_refcount_thread *others[] = {join(threads), join(threads), join(threads)};
    struct helper helper;

    start(&helper, threads);
    let(&helper, decref, object); /* the owner's only reference, given to the other thread */
    must_live(&thing,
              "Another thread gave up a reference that the owner had counted, and the owner has not merged yet");
    must(biased_refcount_merge_requested(me),
         "An object is queued for the owner, and biased_refcount_merge_requested is "
         "false.");
    let(&helper, ask, NULL);
    must(!helper.asked, "An object is queued for its owner, and another thread is asked to merge.");
    let(&helper, merge, NULL);
    must_live(&thing, "Another thread merged what is queued for it, which is nothing");
    biased_refcount_merge(me);
    must_end(&thing, "The owner has merged");
    must(thing.ended_in == whoami, "The object should end in its owner, who merged its counts.");
    must(!biased_refcount_merge_requested(me), "Everything is merged, and biased_refcount_merge_requested is true.");
    biased_refcount_merge(me);
    must(thing.ended == 1, "The owner merged again, and the object ended again.");
    leave(&helper);
    for (int i = 0; i < 3; i++)
        biased_refcount_leave(others[i]);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

TEST(below_zero, "The shared count may fall below 0: references that the owner has counted, given up by others.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0};
    struct biased_refcount *object = new_object(me, &thing);
    struct helper helper;

    start(&helper, threads);
    for (int i = 0; i < 4; i++)
        biased_refcount_incref(me, object);
    let(&helper, decref, object);
    let(&helper, decref, object);
    let(&helper, decref, object);
    must_live(&thing, "Two references are left");
    must_count(object, 3, "Five references were counted, three given up, and one of these waits in the queue");
    must(!biased_refcount_is_merged(object),
         "The object is queued, its owner has not merged its counts yet, and biased_refcount_is_merged is true.");
    biased_refcount_merge(me);
    must_live(&thing, "Two references are left, and the counts are merged");
    must_count(object, 2, "Five references were counted, three given up, and the counts are merged");
    must(biased_refcount_is_merged(object), "The owner has merged the counts, and biased_refcount_is_merged is false.");
    must(!biased_refcount_merge_requested(me),
         "The object was queued more than once, or the request outlives the merge.");
    biased_refcount_decref(me, object);
    must_live(&thing, "One reference is left");
    must_count(object, 1, "One reference is left");
    let(&helper, decref, object);
    must_end(&thing, "The other thread gave up the last reference of a merged object");
    must(thing.ended_in == &helper, "The last reference of a merged object was given up, and it did not end at once.");
    leave(&helper);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

TEST(queued_and_used_on, "While an object is queued it may be counted and given up by anybody, and nothing is lost.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0};
    struct biased_refcount *object = new_object(me, &thing);
    struct helper helper;

    start(&helper, threads);
    biased_refcount_incref(me, object);
    let(&helper, decref, object); /* given to it: queued */
    let(&helper, incref, object);
    let(&helper, incref, object);
    biased_refcount_incref(me, object);
    let(&helper, decref, object);
    biased_refcount_merge(me);
    must_live(&thing, "The owner has two references and another thread one");
    must_count(object, 3, "The owner has two references and another thread one, and the counts are merged");
    biased_refcount_decref(me, object);
    biased_refcount_decref(me, object);
    must_live(&thing, "Another thread has a reference");
    let(&helper, decref, object);
    must_end(&thing, "The other thread gave up the last reference");
    leave(&helper);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

TEST(queued_and_merged_before,
     "An object that is queued may be merged by its owner's last decref before he looks at his "
     "queue: the queue's reference counts until then.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0};
    struct biased_refcount *object = new_object(me, &thing);
    struct helper helper;

    start(&helper, threads);
    biased_refcount_incref(me, object);
    let(&helper, decref, object); /* given to it: queued */
    let(&helper, incref, object); /* its own now, and given to the owner at once */
    biased_refcount_decref(me, object);
    biased_refcount_decref(me, object); /* the owner's count is 0 */
    must_live(&thing, "The object is still in the queue");
    must(biased_refcount_is_merged(object),
         "The owner's count became 0 while the object was in his queue, and the counts were not merged.");
    biased_refcount_merge(me);
    must_end(&thing, "The owner has merged, and nobody has a reference");
    leave(&helper);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

TEST(several_in_the_queue, "All objects in the queue are merged, each for itself, and each queue is its owner's.")
{
    enum { MANY = 5 };
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing things[MANY] = {{0}}, its = {0};
    struct biased_refcount *objects[MANY], *second;
    struct helper helper;
    int ended = 0;

    start(&helper, threads);
    for (int i = 0; i < MANY; i++)
        objects[i] = new_object(me, &things[i]);
    biased_refcount_incref(me, objects[2]);
    helper.thing = &its;
    let(&helper, create, NULL);
    must(helper.error == 0, "biased_refcount_create returned %d.", helper.error);
    second = helper.object;
    for (int i = 0; i < MANY; i++)
        let(&helper, decref, objects[i]);
    biased_refcount_decref(me, second); /* the helper's own, given to this thread */
    let(&helper, ask, NULL);
    must(helper.asked && biased_refcount_merge_requested(me),
         "Objects are queued for two threads, and not both are asked.");
    biased_refcount_merge(me);
    for (int i = 0; i < MANY; i++)
        ended += things[i].ended;
    must(ended == MANY - 1 && things[2].ended == 0, "Four of five objects in the queue should have ended, not %d.",
         ended);
    must_live(&its, "The object is queued for another thread");
    let(&helper, merge, NULL);
    must_end(&its, "Its owner has merged");
    must(its.ended_in == &helper, "The object should end in its owner, who merged its counts.");
    biased_refcount_decref(me, objects[2]);
    must_end(&things[2], "The last reference of a merged object");
    leave(&helper);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

/* ---- threads that leave ----------------------------------------------------------------------------------------- */

TEST(leaving_merges, "A thread that leaves merges what is queued for it.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0}, kept = {0};
    struct helper helper;

    start(&helper, threads);
    helper.thing = &thing;
    let(&helper, create, NULL);
    struct biased_refcount *object = helper.object;
    helper.thing = &kept;
    let(&helper, create, NULL);
    struct biased_refcount *second = helper.object;
    let(&helper, incref, second);
    biased_refcount_decref(me, object);
    biased_refcount_decref(me, second);
    must_live(&thing, "The object is in the queue");
    leave(&helper);
    must_end(&thing, "Its owner has left");
    must_live(&kept, "One reference is left");
    must(biased_refcount_is_merged(second), "The owner has left with an object in his queue, and it was not merged.");
    biased_refcount_decref(me, second);
    must_end(&kept, "The last reference of a merged object");
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

TEST(after_the_owner,
     "When the owner has left others merge in his place: the object ends at once with its last reference.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0}, shared = {0};
    struct helper helper;

    start(&helper, threads);
    helper.thing = &thing;
    let(&helper, create, NULL);
    struct biased_refcount *object = helper.object;
    let(&helper, incref, object);
    helper.thing = &shared;
    let(&helper, create, NULL);
    struct biased_refcount *second = helper.object;
    leave(&helper);
    must_count(object, 2, "The owner has left, and two references of his are somewhere else");
    biased_refcount_incref(me, object);
    biased_refcount_decref(me, object);
    biased_refcount_decref(me, object);
    must_live(&thing, "One reference is left");
    must_count(object, 1, "One reference is left");
    biased_refcount_decref(me, object);
    must_end(&thing, "The owner had left, and the last reference was given up");
    biased_refcount_incref(me, second);
    biased_refcount_incref(me, second);
    biased_refcount_decref(me, second);
    biased_refcount_decref(me, second);
    must_live(&shared, "One reference is left");
    biased_refcount_decref(me, second);
    must_end(&shared, "The owner had left, and the last reference was given up");
    must(!biased_refcount_merge_requested(me), "The owner has left, and this thread is asked to merge.");
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

TEST(many_come_and_go, "Any number of threads may come and go, in any order.")
{
    enum { MANY = 60 };
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *several[3];
    struct thing things[MANY] = {{0}};
    struct biased_refcount *objects[MANY];
    struct biased_refcount_thread *me = join(threads);
    int ended = 0;

    for (int i = 0; i < MANY; i++) {
        for (int j = 0; j < 3; j++)
            several[j] = join(threads);
        objects[i] = new_object(several[i % 3], &things[i]);
        biased_refcount_incref(several[i % 3], objects[i]);
        for (int j = 0; j < 3; j++)
            biased_refcount_leave(several[(i + j) % 3]);
        if (i % 2 == 0)
            biased_refcount_decref(me, objects[i]);
    }
    for (int j = 0; j < 3; j++)
        several[j] = join(threads); /* perhaps at the addresses of the owners, but they are others */
    for (int i = 0; i < MANY; i++) {
        biased_refcount_incref(several[i % 3], objects[i]);
        biased_refcount_decref(me, objects[i]);
        biased_refcount_decref(me, objects[i]);
        if (i % 2 == 1)
            biased_refcount_decref(me, objects[i]);
        ended += things[i].ended;
    }
    must(ended == MANY, "60 objects of threads that have left lost their last reference, and %d ended.", ended);
    for (int j = 0; j < 3; j++)
        biased_refcount_leave(several[j]);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

TEST(two_sets, "Each set of threads is for itself: making or ending another one changes nothing in it.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *owner = join(threads), *other = join(threads);
    struct thing thing = {0}, its = {0};
    struct biased_refcount *object = new_object(owner, &thing);
    struct biased_refcount_threads *second = new_threads();
    struct biased_refcount_thread *its_owner = join(second), *its_other = join(second);
    struct biased_refcount *its_object = new_object(its_owner, &its);

    biased_refcount_decref(its_other, its_object);
    biased_refcount_decref(other, object); /* the owner's only reference: queued for him, in his set */
    must_live(&thing, "There are two sets, and the object is queued for its owner");
    must(biased_refcount_merge_requested(owner) && biased_refcount_merge_requested(its_owner),
         "In each of two sets an object is queued for its owner, and not both owners are asked to merge.");
    biased_refcount_merge(its_owner);
    must_end(&its, "The owner in the second set has merged");
    must_live(&thing, "Only the owner in the other set has merged");
    biased_refcount_leave(its_owner);
    biased_refcount_leave(its_other);
    biased_refcount_threads_destroy(second);
    biased_refcount_merge(owner);
    must_end(&thing, "The other set has ended, and the owner has merged");
    biased_refcount_leave(owner);
    biased_refcount_leave(other);
    biased_refcount_threads_destroy(threads);
}

/* ---- what ends an object may do anything ------------------------------------------------------------------------ */

struct holder {
    struct biased_refcount_thread *thread; /* where it ends */
    struct biased_refcount *held;          /* gives this up when it ends */
    int ended;
};

static void end_holder(void *value)
{
    struct holder *holder = value;

    holder->ended++;
    if (holder->held != NULL)
        biased_refcount_decref(holder->thread, holder->held);
}

static struct biased_refcount *hold(struct biased_refcount_thread *thread, struct holder *holder,
                                    struct biased_refcount *held)
{
    struct biased_refcount *object = NULL;

    *holder = (struct holder){thread, held, 0};
    must(biased_refcount_create(thread, end_holder, holder, &object) == 0, "biased_refcount_create failed.");
    return object;
}

TEST(ends_may_nest, "What is called when an object ends may give up others: no lock is held meanwhile.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing inner = {0}, its = {0};
    struct holder first, second, third;
    struct helper helper;

    start(&helper, threads);
    struct biased_refcount *chain = hold(me, &second, hold(me, &first, new_object(me, &inner)));
    helper.thing = &its;
    let(&helper, create, NULL);
    struct biased_refcount *other = hold(me, &third, helper.object);
    let(&helper, decref, chain);
    let(&helper, decref, other);
    biased_refcount_merge(me); /* ends four, and queues the helper's; hangs where a lock is held */
    must(second.ended == 1 && first.ended == 1 && inner.ended == 1 && third.ended == 1,
         "An object that held another that held a third ended, and they ended %d, %d and %d times.", second.ended,
         first.ended, inner.ended);
    must_live(&its, "The object is queued for another thread");
    let(&helper, merge, NULL);
    must_end(&its, "Its owner has merged");
    leave(&helper);
    /* in the place of an owner who has left, and in leaving */
    start(&helper, threads);
    helper.thing = &inner;
    inner.ended = 0;
    let(&helper, create, NULL);
    struct biased_refcount *orphan = helper.object;
    leave(&helper);
    chain = hold(me, &first, orphan);
    start(&helper, threads);
    let(&helper, decref, chain);
    biased_refcount_leave(me);
    must(first.ended == 1 && inner.ended == 1,
         "A thread left, an object in its queue ended, and the one that it held "
         "ended %d times.",
         inner.ended);
    leave(&helper);
    biased_refcount_threads_destroy(threads);
}

/* What an object that ends has another thread do: it queues something for the one that merges. */
struct last_wish {
    struct helper *helper;
    struct biased_refcount *object;
};

static void end_with_a_wish(void *value)
{
    struct last_wish *wish = value;

    let(wish->helper, decref, wish->object);
}

TEST(queued_while_merging, "What is queued while its owner merges is merged as well, or the owner is asked again.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0};
    struct helper helper;
    struct last_wish wish = {&helper, new_object(me, &thing)};
    struct biased_refcount *object = NULL;

    must(biased_refcount_create(me, end_with_a_wish, &wish, &object) == 0, "biased_refcount_create failed.");
    start(&helper, threads);
    let(&helper, decref, object);
    biased_refcount_merge(me);
    must(thing.ended == 1 || biased_refcount_merge_requested(me),
         "While the owner merged, another thread queued an object for him: it is not merged, and he is not asked.");
    biased_refcount_merge(me);
    must_end(&thing, "The owner has merged once more");
    leave(&helper);
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
}

/* ---- locks and memory ------------------------------------------------------------------------------------------- */

static long locks_taken(void)
{
    return wrap_count(WRAP_pthread_mutex_lock) + wrap_count(WRAP_pthread_mutex_trylock);
}

TEST(no_lock_for_counting,
     "The owner's changes take no lock, nor do the others' while the shared count is not 0 or the "
     "object is merged; nor does asking for a request.")
{
    struct biased_refcount_threads *threads = new_threads();
    struct biased_refcount_thread *me = join(threads), *other = join(threads); /* both are this thread, in turn */
    struct thing thing = {0};
    struct biased_refcount *object = new_object(me, &thing);
    bool asked = false;

    long before = locks_taken();
    for (int i = 0; i < 10; i++)
        biased_refcount_incref(me, object);
    for (int i = 0; i < 10; i++)
        biased_refcount_decref(me, object);
    long owner = locks_taken() - before;
    before = locks_taken();
    for (int i = 0; i < 10; i++)
        biased_refcount_incref(other, object);
    for (int i = 0; i < 9; i++)
        biased_refcount_decref(other, object);
    asked = asked || biased_refcount_merge_requested(me);
    long others = locks_taken() - before;
    biased_refcount_decref(me, object);
    before = locks_taken();
    biased_refcount_incref(me, object);
    biased_refcount_decref(other, object);
    long merged = locks_taken() - before;
    biased_refcount_decref(other, object);
    must(owner == 0, "The owner counted ten references and gave them up, and took %ld locks for it.", owner);
    must(others == 0, "Another thread counted ten references and gave up nine, and took %ld locks for it.", others);
    must(merged == 0, "References of a merged object were counted and given up, and that took %ld locks.", merged);
    must(!asked, "Nothing is queued, and biased_refcount_merge_requested is true.");
    must_end(&thing, "The last reference");
    biased_refcount_leave(me);
    biased_refcount_leave(other);
    biased_refcount_threads_destroy(threads);
}

TEST(no_memory, "Without memory the three calls that make something return ENOMEM; giving up needs none.")
{
    struct biased_refcount_threads *threads = new_threads(), *none = NULL;
    struct biased_refcount_thread *me = join(threads), *other = join(threads), *nobody = NULL;
    struct thing thing = {0};
    struct biased_refcount *object = new_object(me, &thing), *nothing = NULL;

    wrap_fail_memory(-1);
    int errors[] = {biased_refcount_threads_create(&none), biased_refcount_join(threads, &nobody),
                    biased_refcount_create(me, end_thing, &thing, &nothing)};
    biased_refcount_incref(other, object);
    biased_refcount_decref(other, object);
    biased_refcount_decref(other, object);
    biased_refcount_merge(me);
    wrap_fail_memory(0);
    for (int i = 0; i < 3; i++)
        must(errors[i] == ENOMEM, "Without memory a call that makes something returned %s instead of ENOMEM.",
             error_text(errors[i]));
    must_end(&thing, "The last reference was given up without memory");
    biased_refcount_leave(me);
    biased_refcount_leave(other);
    biased_refcount_threads_destroy(threads);
}

/* How many pieces are held, where the nth call of this kind since there were `before` of them was refused. */
static long held_but(enum wrap_call call, long before, long nth)
{
    return wrap_memory_kept() - (wrap_count(call) - before >= nth ? 1 : 0);
}

TEST(no_memory_midway, "A call that makes something and finds no memory keeps none, however much it has already.")
{
    static const enum wrap_call calls[] = {WRAP_malloc, WRAP_calloc};

    for (long nth = 1; nth <= 4; nth++) {
        for (int c = 0; c < 2; c++) {
            struct biased_refcount_threads *threads = new_threads(), *more = NULL;
            struct biased_refcount_thread *me = join(threads), *another = NULL;
            struct thing thing = {0};
            struct biased_refcount *object = NULL;
            int errors[3];

            for (int i = 0; i < 3; i++) {
                long held = wrap_memory_kept(), before = wrap_count(calls[c]);
                wrap_fail(calls[c], nth, ENOMEM);
                errors[i] = i == 0   ? biased_refcount_threads_create(&more)
                            : i == 1 ? biased_refcount_join(threads, &another)
                                     : biased_refcount_create(me, end_thing, &thing, &object);
                wrap_fail(calls[c], 0, 0);
                long kept = held_but(calls[c], before, nth) - held;
                must(errors[i] == 0 || (errors[i] == ENOMEM && kept <= 0),
                     "Without memory, %s should return ENOMEM and keep nothing; it returned %s and kept %ld pieces.",
                     i == 0   ? "biased_refcount_threads_create"
                     : i == 1 ? "biased_refcount_join"
                              : "biased_refcount_create",
                     error_text(errors[i]), kept);
            }
            if (errors[2] == 0)
                biased_refcount_decref(me, object);
            if (errors[1] == 0)
                biased_refcount_leave(another);
            if (errors[0] == 0)
                biased_refcount_threads_destroy(more);
            biased_refcount_leave(me);
            biased_refcount_threads_destroy(threads);
        }
    }
}

TEST(nothing_kept,
     "When the mutex cannot be made that error is returned and nothing is kept; ending gives back everything.")
{
    struct biased_refcount_threads *threads = NULL;
    long held = wrap_memory_kept();

    wrap_fail(WRAP_pthread_mutex_init, -1, EAGAIN);
    int error = biased_refcount_threads_create(&threads);
    wrap_fail(WRAP_pthread_mutex_init, 0, 0);
    bool tried = wrap_count(WRAP_pthread_mutex_init) > 0;
    must(!tried || (error == EAGAIN && wrap_memory_kept() <= held),
         "pthread_mutex_init returned EAGAIN, and biased_refcount_threads_create returned %s, or kept memory.",
         error_text(error));
    if (error == 0)
        biased_refcount_threads_destroy(threads);
    long made = wrap_count(WRAP_pthread_mutex_init), ended = wrap_count(WRAP_pthread_mutex_destroy);
    threads = new_threads();
    struct biased_refcount_thread *me = join(threads);
    struct thing thing = {0};
    biased_refcount_decref(me, new_object(me, &thing));
    biased_refcount_leave(me);
    biased_refcount_threads_destroy(threads);
    must(wrap_memory_kept() <= held, "Threads and objects have ended, and memory of them was not freed.");
    must(wrap_count(WRAP_pthread_mutex_destroy) - ended >= wrap_count(WRAP_pthread_mutex_init) - made,
         "biased_refcount_threads_destroy did not destroy the mutex that was made.");
}
