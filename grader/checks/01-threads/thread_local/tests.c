/* tests.c - what a thread-local object must do. Threads wait at gates, so the test decides what happens in which order.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pthread_setattr_default_np */
#endif
#include "check.h"
#include "refuse.h"
#include "thread_local.h"
#include "wrap.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { OBJECTS = 5000, VALUES = 8, MANY_THREADS = 20, AT_ONCE = 150, OBJECTS_AT_THE_END = 300, KEYS = 40 };

/* Values are the addresses of these; destructors count in them. */
static struct tally destructed[VALUES];
static pthread_t destructor_thread;
static char untouched;

static void count(void *value)
{
    tally_add(value, 1);
    destructor_thread = pthread_self();
}

static struct thread_local *make(void (*destructor)(void *value))
{
    struct thread_local *local = NULL;
    int error = thread_local_create(&local, destructor);

    must(error == 0, "thread_local_create returned %s; it should return 0.", error_text(error));
    must(local != NULL, "thread_local_create returned 0 and stored no object.");
    return local;
}

static void set(struct thread_local *local, void *value)
{
    int error = thread_local_set(local, value);

    must(error == 0, "thread_local_set returned %s; it should return 0.", error_text(error));
}

static void must_get(struct thread_local *local, const void *expected, const char *what)
{
    void *value = &untouched;
    int error = thread_local_get(local, &value);

    must(error == 0, "thread_local_get returned %s, but %s.", error_text(error), what);
    must(value == expected, "thread_local_get brought another value, but %s.", what);
}

static void must_have_none(struct thread_local *local, const char *what)
{
    void *value = &untouched;
    int error = thread_local_get(local, &value);

    must(error == ENOENT, "thread_local_get should return ENOENT: %s; it returned %s.", what, error_text(error));
    must(value == &untouched, "thread_local_get returned ENOENT and yet changed *value.");
}

static void must_be_destructed(int value, long times, const char *when)
{
    long is = tally_read(&destructed[value]);

    must(is == times, "%s the destructor should have been called %ld times for the value, but it was %ld.", when, times,
         is);
}

/* ---- what a thread does for a test; the test looks at the results ------------------------------------------------ */

struct visit {
    struct thread_local *local;
    void *value;       /* to set, or NULL */
    void *found;       /* by the get before the set */
    void *found_again; /* by the get at the end */
    int first_error, set_error, last_error;
    struct gate is_set, may_end;
};

static void visit(void *argument)
{
    struct visit *visit = argument;

    visit->found = visit->found_again = &untouched;
    visit->first_error = thread_local_get(visit->local, &visit->found);
    visit->set_error = thread_local_set(visit->local, visit->value);
    gate_open(&visit->is_set);
    gate_pass(&visit->may_end);
    visit->last_error = thread_local_get(visit->local, &visit->found_again);
}

/* The thread has set its value and waits. */
static struct runner *visit_begin(struct visit *self, struct thread_local *local, void *value)
{
    *self = (struct visit){.local = local, .value = value};
    struct runner *runner = runner_start(visit, self);
    gate_pass(&self->is_set);
    return runner;
}

static void visit_end(struct visit *self, struct runner *runner)
{
    gate_open(&self->may_end);
    runner_join(runner);
}

/* ---- a value a thread -------------------------------------------------------------------------------------------- */

TEST(nothing_at_first, "A thread that has set no value has none: get and delete return ENOENT.")
{
    struct thread_local *local = make(count);

    must_have_none(local, "nobody has set a value");
    int error = thread_local_delete(local);
    must(error == ENOENT, "thread_local_delete without a value should return ENOENT, but it returned %s.",
         error_text(error));
    thread_local_destroy(local);
    thread_local_destroy(NULL);
}

TEST(each_thread_its_own, "Each thread sees the value that it has set itself, and no other thread's.")
{
    struct thread_local *local = make(NULL);
    struct visit visits[2];

    set(local, &destructed[0]);
    struct runner *one = visit_begin(&visits[0], local, &destructed[1]);
    struct runner *two = visit_begin(&visits[1], local, &destructed[2]);
    must_get(local, &destructed[0], "this thread had set a value before two others did");
    visit_end(&visits[0], one);
    visit_end(&visits[1], two);
    for (int i = 0; i < 2; i++) {
        must(visits[i].first_error == ENOENT,
             "A new thread should have no value, although others have; get returned %s.",
             error_text(visits[i].first_error));
        must(visits[i].set_error == 0, "thread_local_set in a new thread returned %s.",
             error_text(visits[i].set_error));
        must(visits[i].last_error == 0 && visits[i].found_again == visits[i].value,
             "A thread did not get the value that it had set before; get returned %s.",
             error_text(visits[i].last_error));
    }
    must_get(local, &destructed[0], "this thread had set a value, and two others have ended");
    thread_local_destroy(local);
}

TEST(many_threads, "Any number of threads may have a value in an object at the same time.")
{
    static struct visit visits[AT_ONCE];
    static struct tally values[AT_ONCE];
    static struct runner *runners[AT_ONCE];
    struct thread_local *local = make(count);
    int set_wrong = 0, got_wrong = 0, ended_wrong = 0;
    pthread_attr_t small_stacks;

    must(pthread_attr_init(&small_stacks) == 0 && pthread_attr_setstacksize(&small_stacks, 65536) == 0 &&
             pthread_setattr_default_np(&small_stacks) == 0,
         "The test could not choose the size of stacks.");
    for (int i = 0; i < AT_ONCE; i++)
        runners[i] = visit_begin(&visits[i], local, &values[i]);
    for (int i = 0; i < AT_ONCE; i++) {
        visit_end(&visits[i], runners[i]);
        set_wrong += visits[i].set_error == 0 ? 0 : 1;
        got_wrong += visits[i].last_error == 0 && visits[i].found_again == &values[i] ? 0 : 1;
        ended_wrong += tally_read(&values[i]) == 1 ? 0 : 1;
    }
    must(set_wrong == 0, "Of %d threads at the same time %d could not set a value.", (int)AT_ONCE, set_wrong);
    must(got_wrong == 0, "Of %d threads at the same time %d did not get the value that they had set.", (int)AT_ONCE,
         got_wrong);
    must(ended_wrong == 0, "Of the values of %d threads that have ended %d were not destructed once.", (int)AT_ONCE,
         ended_wrong);
    thread_local_destroy(local);
}

TEST(null_is_a_value, "NULL is a value like any other, as None is: it is there to get, and only delete takes it away.")
{
    struct thread_local *local = make(NULL);

    set(local, NULL);
    must_get(local, NULL, "it had been set to NULL");
    int error = thread_local_delete(local);
    must(error == 0, "thread_local_delete of the value NULL should return 0, but it returned %s.", error_text(error));
    must_have_none(local, "the value was deleted");
    thread_local_destroy(local);
}

TEST(objects_are_apart, "Objects have nothing to do with each other.")
{
    struct thread_local *one = make(count), *two = make(count);

    set(one, &destructed[0]);
    must_have_none(two, "another object was set");
    set(two, &destructed[1]);
    must_get(one, &destructed[0], "another object was set after it");
    must(thread_local_delete(two) == 0, "thread_local_delete returned an error.");
    must_get(one, &destructed[0], "another object's value was deleted");
    must_be_destructed(0, 0, "After another object's value was deleted");
    thread_local_destroy(two);
    must_get(one, &destructed[0], "another object was destroyed");
    thread_local_destroy(one);
    must_be_destructed(0, 1, "After the object was destroyed");
    must_be_destructed(1, 1, "After the value was deleted and the object destroyed");
}

TEST(many_objects, "There may be more objects than pthreads has keys: 1024 for a whole process.")
{
    static struct thread_local *locals[OBJECTS];
    static struct tally values[OBJECTS];
    int wrong = 0;

    for (int i = 0; i < OBJECTS; i++) {
        int error = thread_local_create(&locals[i], count);
        must(error == 0, "Creating object number %d returned %s.", i + 1, error_text(error));
        error = thread_local_set(locals[i], &values[i]);
        must(error == 0, "Setting a value in object number %d returned %s.", i + 1, error_text(error));
    }
    for (int i = 0; i < OBJECTS; i++) {
        void *value = NULL;
        wrong += thread_local_get(locals[i], &value) == 0 && value == &values[i] ? 0 : 1;
    }
    must(wrong == 0, "Of %d objects %d have lost their value, or have another's.", OBJECTS, wrong);
    for (int i = 0; i < OBJECTS; i++)
        thread_local_destroy(locals[i]);
    for (int i = 0; i < OBJECTS; i++)
        wrong += tally_read(&values[i]) == 1 ? 0 : 1;
    must(wrong == 0, "Of the values of %d destroyed objects %d were not destructed once.", OBJECTS, wrong);
}

TEST(create_only_stores, "create stores the new object in *local, and has nothing to do with what stood there before.")
{
    struct thread_local *one = make(count), *two = one;

    set(one, &destructed[0]);
    int error = thread_local_create(&two, count);
    must(error == 0, "thread_local_create returned %s; it should return 0.", error_text(error));
    must(two != one, "*local held the address of another object, and thread_local_create left that there.");
    must_be_destructed(0, 0, "After *local, which held the address of its object, got a new one,");
    must_have_none(two, "the object is new");
    must_get(one, &destructed[0], "it had been set before another object was made");
    thread_local_destroy(two);
    thread_local_destroy(one);
}

/* ---- destructors ------------------------------------------------------------------------------------------------- */

TEST(replaced_values_are_destructed,
     "A value that another takes the place of goes to the destructor; the same one again does not.")
{
    struct thread_local *local = make(count);

    set(local, &destructed[0]);
    must_be_destructed(0, 0, "While the thread has it");
    set(local, &destructed[0]);
    must_be_destructed(0, 0, "After the same value was set again");
    set(local, &destructed[1]);
    must_be_destructed(0, 1, "After another took its place");
    must_get(local, &destructed[1], "it was the last to be set");
    set(local, NULL);
    must_be_destructed(1, 1, "After NULL took its place");
    set(local, &destructed[2]);
    must(thread_local_delete(local) == 0, "thread_local_delete returned an error.");
    must_be_destructed(2, 1, "After the value was deleted");
    must_have_none(local, "the value was deleted");
    thread_local_destroy(local);
    must_be_destructed(0, 1, "After the object was destroyed");
    must_be_destructed(1, 1, "After the object was destroyed");
    must_be_destructed(2, 1, "After the object was destroyed");
}

static void must_be_destructed_by_its_thread(bool exits)
{
    struct thread_local *one = make(count), *two = make(count);
    struct visit visits[2] = {{.local = one}};
    struct runner *runner = visit_begin(&visits[0], one, &destructed[exits ? 0 : 2]);
    struct runner *other = visit_begin(&visits[1], two, &destructed[exits ? 1 : 3]);

    visit_end(&visits[0], runner);
    must_be_destructed(exits ? 0 : 2, 1, "After the end of its thread");
    must(!pthread_equal(destructor_thread, pthread_self()),
         "The value of a thread that ended should be destructed by that "
         "thread.");
    must_be_destructed(exits ? 1 : 3, 0, "While its thread runs, though another has ended,");
    visit_end(&visits[1], other);
    thread_local_destroy(one);
    thread_local_destroy(two);
    must_be_destructed(exits ? 0 : 2, 1, "After its object was destroyed, too,");
    must_be_destructed(exits ? 1 : 3, 1, "After the end of its thread");
}

TEST(the_end_of_a_thread,
     "When a thread ends, its values go to the destructor, before anybody's join of it returns, and no one else's do.")
{
    must_be_destructed_by_its_thread(false);
    must_be_destructed_by_its_thread(true);
}

static struct thread_local *all_at_the_end[OBJECTS_AT_THE_END];
static struct tally left_at_the_end[OBJECTS_AT_THE_END];

static void set_all(void *errors)
{
    for (int i = 0; i < OBJECTS_AT_THE_END; i++)
        *(int *)errors += thread_local_set(all_at_the_end[i], &left_at_the_end[i]) == 0 ? 0 : 1;
}

TEST(the_end_with_many_values, "When a thread ends, all its values go to the destructor, however many they are.")
{
    int errors = 0, wrong = 0;

    for (int i = 0; i < OBJECTS_AT_THE_END; i++)
        all_at_the_end[i] = make(count);
    runner_join(runner_start(set_all, &errors));
    must(errors == 0, "A thread set a value in each of %d objects, and %d of these calls returned an error.",
         (int)OBJECTS_AT_THE_END, errors);
    for (int i = 0; i < OBJECTS_AT_THE_END; i++)
        wrong += tally_read(&left_at_the_end[i]) == 1 ? 0 : 1;
    must(wrong == 0,
         "A thread has ended that had a value in each of %d objects, and %d of these were not destructed once.",
         (int)OBJECTS_AT_THE_END, wrong);
    for (int i = 0; i < OBJECTS_AT_THE_END; i++)
        thread_local_destroy(all_at_the_end[i]);
}

struct set_both {
    struct thread_local *one, *two;
};

static void *set_both_and_exit(void *argument)
{
    struct set_both *both = argument;

    if (thread_local_set(both->one, &destructed[0]) == 0 && thread_local_set(both->two, &destructed[1]) == 0)
        pthread_exit(NULL);
    return NULL;
}

TEST(the_end_by_pthread_exit,
     "pthread_exit ends a thread too, and all its values, of every object, go to their destructors.")
{
    struct set_both both = {make(count), make(count)};
    pthread_t thread;

    must(pthread_create(&thread, NULL, set_both_and_exit, &both) == 0, "The test could not start a thread.");
    pthread_join(thread, NULL);
    must_be_destructed(0, 1, "After its thread had called pthread_exit");
    must_be_destructed(1, 1, "After its thread had called pthread_exit");
    thread_local_destroy(both.one);
    thread_local_destroy(both.two);
    must_be_destructed(0, 1, "After its object was destroyed, too,");
}

TEST(destroy_gives_up_all_values,
     "destroy gives up the values of all threads, and a thread that ends later has nothing left to give up.")
{
    struct thread_local *local = make(count), *other = make(count);
    struct visit visits[2];
    void *mine = &destructed[2];

    set(local, mine);
    struct runner *running = visit_begin(&visits[0], local, &destructed[0]);
    struct runner *ended = visit_begin(&visits[1], local, &destructed[1]);
    visit_end(&visits[1], ended);
    thread_local_destroy(local);
    must_be_destructed(0, 1, "After its object was destroyed, while its thread runs,");
    must_be_destructed(1, 1, "After its thread had ended and its object was destroyed");
    must_be_destructed(2, 1, "After its object was destroyed by its own thread");
    visits[0].local = other; /* its own is no more */
    visit_end(&visits[0], running);
    must_be_destructed(0, 1, "After its object was destroyed and its thread had ended");
    must(visits[0].last_error == ENOENT, "A thread has set nothing in this object, and get returned %s.",
         error_text(visits[0].last_error));
    thread_local_destroy(other);
}

TEST(a_new_object_is_empty, "A new object has no values, also where it lies at the address of one that was destroyed.")
{
    struct thread_local *old = make(NULL);
    struct visit self;
    struct runner *runner = visit_begin(&self, old, &destructed[0]);

    set(old, &destructed[1]);
    thread_local_destroy(old);
    struct thread_local *fresh = make(NULL);
    must_have_none(fresh, "the object is new, and an old one was destroyed");
    self.local = fresh;
    visit_end(&self, runner);
    must(self.last_error == ENOENT,
         "A thread had a value in an object that was destroyed, and finds it in a new one: get returned %s.",
         error_text(self.last_error));
    thread_local_destroy(fresh);
}

TEST(destructor_may_be_absent, "Without a destructor values are just forgotten.")
{
    struct thread_local *local = make(NULL);
    struct visit self;
    struct runner *runner = visit_begin(&self, local, &destructed[0]);

    set(local, &destructed[1]);
    set(local, &destructed[2]);
    must(thread_local_delete(local) == 0, "thread_local_delete returned an error.");
    visit_end(&self, runner);
    thread_local_destroy(local);
    must_be_destructed(0, 0, "Without a destructor");
}

static void fail_on_null(void *value)
{
    tally_add(&destructed[value == NULL ? 7 : 6], 1);
}

TEST(null_is_not_destructed, "The destructor is not called for NULL: there is nothing to release.")
{
    struct thread_local *local = make(fail_on_null);
    struct visit self;
    struct runner *runner = visit_begin(&self, local, NULL);

    visit_end(&self, runner);
    set(local, NULL);
    set(local, &destructed[0]);
    set(local, NULL);
    must(thread_local_delete(local) == 0, "thread_local_delete returned an error.");
    set(local, NULL);
    thread_local_destroy(local);
    must_be_destructed(7, 0, "For NULL");
    must_be_destructed(6, 1, "For a value that NULL took the place of");
}

TEST(same_value_again, "Each value that is given up goes to the destructor, also where it is the same as one before.")
{
    struct thread_local *one = make(count), *two = make(count);

    set(one, &destructed[0]);
    must(thread_local_delete(one) == 0, "thread_local_delete returned an error.");
    set(one, &destructed[0]);
    set(two, &destructed[0]);
    must(thread_local_delete(one) == 0, "thread_local_delete returned an error.");
    must_be_destructed(0, 2, "After it was set and deleted twice");
    thread_local_destroy(two);
    must_be_destructed(0, 3, "After it was deleted twice, and another object destroyed that held it too,");
    thread_local_destroy(one);
}

/* ---- destructors that use the objects ---------------------------------------------------------------------------- */

static struct thread_local *first, *second;
static int got_error;
static void *got;

/* The destructor of `first`: looks at first, and leaves something in second. */
static void use_both(void *value)
{
    tally_add(value, 1);
    got = &untouched;
    got_error = thread_local_get(first, &got);
    if (thread_local_set(second, &destructed[5]) == 0)
        tally_add(&destructed[4], 1);
}

static struct thread_local *local_to_use;

/* A destructor that leaves something in another object. */
static void use_other(void *value)
{
    tally_add(value, 1);
    (void)thread_local_set(local_to_use, &destructed[5]);
}

TEST(destructor_may_use_objects,
     "A destructor may use the objects itself: no lock is held while it runs, and the value is no longer there.")
{
    first = make(use_both);
    second = make(count);
    set(first, &destructed[0]);
    set(first, &destructed[1]);
    must_be_destructed(0, 1, "After another value took its place");
    must(got_error == 0 && got == &destructed[1],
         "The destructor of a value that was replaced should find the new one in its place; get returned %s.",
         error_text(got_error));
    must_get(second, &destructed[5], "a destructor had set it");
    must(thread_local_delete(first) == 0, "thread_local_delete returned an error.");
    must(got_error == ENOENT,
         "The destructor of a value that was deleted should find none in its place; get returned %s.",
         error_text(got_error));
    thread_local_destroy(first);
    thread_local_destroy(second);
    must_be_destructed(5, 1, "After its object was destroyed");
}

TEST(destructor_may_set_at_the_end, "What a destructor sets while its thread ends goes to its destructor as well.")
{
    struct visit self;

    first = make(use_both);
    second = make(count);
    struct runner *runner = visit_begin(&self, first, &destructed[0]);
    visit_end(&self, runner);
    must_be_destructed(0, 1, "After the end of its thread");
    must(got_error == ENOENT,
         "The destructor of a value whose thread ends should find none in its place; get returned %s.",
         error_text(got_error));
    must_be_destructed(4, 1, "In the destructor of another value, a value was set:");
    must_be_destructed(5, 1, "A destructor had set a value while its thread ended, so");
    thread_local_destroy(first);
    thread_local_destroy(second);
    must_be_destructed(5, 1, "After its object was destroyed, too,");
}

TEST(destructor_may_set_at_the_destroy,
     "destroy, too, holds no lock while it calls the destructor: that may use any other object.")
{
    struct thread_local *other = make(count);

    local_to_use = other;
    struct thread_local *local = make(use_other);
    set(local, &destructed[0]);
    thread_local_destroy(local);
    must_be_destructed(0, 1, "After its object was destroyed");
    must_get(other, &destructed[5], "the destructor of a value whose object was destroyed had set it");
    thread_local_destroy(other);
    must_be_destructed(5, 1, "After its object was destroyed");
}

static pthread_key_t late_key;

static void set_late(void *unused)
{
    (void)unused;
    if (thread_local_set(local_to_use, &destructed[5]) == 0)
        tally_add(&destructed[4], 1);
}

static void use_late_key(void *argument)
{
    struct visit *self = argument;

    pthread_setspecific(late_key, &untouched);
    visit(self);
}

TEST(set_by_the_destructor_of_a_key,
     "A thread's end begins with the destructors of pthread keys. What one of them sets is given up like any value.")
{
    struct thread_local *local = make(count);
    struct visit self = {.local = local, .value = &destructed[0]};

    local_to_use = make(count);
    set(local_to_use, NULL); /* whatever is made with the first value is made, and so comes before the key */
    must(pthread_key_create(&late_key, set_late) == 0, "The test could not make a key.");
    gate_open(&self.may_end);
    runner_join(runner_start(use_late_key, &self));
    must_be_destructed(0, 1, "After the end of its thread");
    must_be_destructed(4, 1, "In the destructor of a pthread key, a value was set:");
    must_be_destructed(5, 1, "While its thread ended, the destructor of a pthread key had set a value, so");
    thread_local_destroy(local);
    thread_local_destroy(local_to_use);
    must_be_destructed(5, 1, "After its object was destroyed, too,");
}

enum { CHAIN = 12 };

static struct thread_local *chain[CHAIN];
static struct tally links[CHAIN];

/* Each value, when it is given up, leaves another one in the next object. */
static void set_next(void *value)
{
    long number = (struct tally *)value - links;

    tally_add(value, 1);
    if (number + 1 < CHAIN)
        (void)thread_local_set(chain[number + 1], &links[number + 1]);
}

TEST(destructors_in_a_chain, "What a destructor sets at the end is given up too, and what that one's destructor sets, "
                             "however long this goes on: pthreads itself stops after a few rounds.")
{
    struct visit self;
    long given_up = 0;

    for (int i = 0; i < CHAIN; i++)
        chain[i] = make(set_next);
    struct runner *runner = visit_begin(&self, chain[0], &links[0]);
    visit_end(&self, runner);
    for (int i = 0; i < CHAIN; i++)
        given_up += tally_read(&links[i]);
    must(given_up == CHAIN,
         "A thread ended; its value's destructor set a value in another object, and so on, %d values in all, and %ld "
         "of them went to the destructor.",
         CHAIN, given_up);
    for (int i = 0; i < CHAIN; i++)
        thread_local_destroy(chain[i]);
}

static struct gate destructor_begun, destructor_may_end;

static void slow_count(void *value)
{
    tally_add(value, 1);
    gate_open(&destructor_begun);
    gate_pass(&destructor_may_end);
}

static void destroy_it(void *local)
{
    thread_local_destroy(local);
}

TEST(end_and_destroy_at_once,
     "A thread may end while its object is destroyed: the value is destructed once, and destroy does not wait.")
{
    struct thread_local *local = make(slow_count);
    struct visit self;
    struct runner *ending = visit_begin(&self, local, &destructed[0]);

    gate_open(&self.may_end);
    gate_pass(&destructor_begun);
    struct runner *destroyer = runner_start(destroy_it, local);
    must_be_done(destroyer, "A thread that ends is in its destructor, and thread_local_destroy waits for it.");
    runner_join(destroyer);
    must_be_destructed(0, 1, "While its destructor runs, and its object was destroyed,");
    gate_open(&destructor_may_end);
    runner_join(ending);
    must_be_destructed(0, 1, "After the end of its thread");
}

static void first_is_slow(void *value)
{
    static struct tally calls;

    tally_add(value, 1);
    if (tally_add(&calls, 1) > 1)
        return;
    gate_open(&destructor_begun);
    gate_pass(&destructor_may_end);
}

TEST(end_beside_a_destroy,
     "While a thread ends and is in one value's destructor, another object may be destroyed: each value is destructed "
     "once, and nothing is used that was freed.")
{
    struct thread_local *locals[2] = {make(first_is_slow), make(first_is_slow)};
    struct set_both both = {locals[0], locals[1]};
    pthread_t thread;

    must(pthread_create(&thread, NULL, set_both_and_exit, &both) == 0, "The test could not start a thread.");
    gate_pass(&destructor_begun);
    int begun = tally_read(&destructed[0]) > 0 ? 0 : 1; /* which comes first is not promised */
    thread_local_destroy(locals[1 - begun]);
    gate_open(&destructor_may_end);
    pthread_join(thread, NULL);
    thread_local_destroy(locals[begun]);
    must_be_destructed(0, 1, "After the end of its thread");
    must_be_destructed(1, 1, "After the end of its thread");
}

TEST(end_during_a_destroy, "While destroy is in one value's destructor, a thread may end that has another value in the "
                           "same object: each value "
                           "is destructed once, and nothing is used that was freed.")
{
    struct thread_local *local = make(first_is_slow);
    struct visit visits[2];
    struct runner *runners[2] = {visit_begin(&visits[0], local, &destructed[0]),
                                 visit_begin(&visits[1], local, &destructed[1])};
    struct thread_local *other = make(NULL);

    visits[0].local = visits[1].local = other; /* their last get, once their own object is no more */
    struct runner *destroyer = runner_start(destroy_it, local);
    gate_pass(&destructor_begun);
    int begun = tally_read(&destructed[0]) > 0 ? 0 : 1; /* which comes first is not promised */
    visit_end(&visits[1 - begun], runners[1 - begun]);
    must_be_destructed(1 - begun, 1, "After the end of its thread, while its object is being destroyed,");
    gate_open(&destructor_may_end);
    runner_join(destroyer);
    must_be_destructed(1 - begun, 1, "After its thread had ended and its object was destroyed");
    visit_end(&visits[begun], runners[begun]);
    must_be_destructed(begun, 1, "After its object was destroyed and its thread had ended");
    thread_local_destroy(other);
}

/* ---- when something fails ---------------------------------------------------------------------------------------- */

TEST(wrong_arguments, "Without a place for the object or for the value there is nothing to do: EINVAL.")
{
    struct thread_local *local = make(NULL);

    int error = thread_local_create(NULL, NULL);
    must(error == EINVAL, "thread_local_create(NULL, …) should return EINVAL, but it returned %s.", error_text(error));
    error = thread_local_get(local, NULL);
    must(error == EINVAL, "thread_local_get(local, NULL) should return EINVAL, but it returned %s.", error_text(error));
    set(local, &destructed[0]);
    error = thread_local_get(local, NULL);
    must(error == EINVAL, "thread_local_get(local, NULL) should return EINVAL, but it returned %s.", error_text(error));
    thread_local_destroy(local);
}

/* Twice: whoever writes down that the key is there before it is would find that out now. */
static void must_need_a_key(int refusal)
{
    struct thread_local *local = (struct thread_local *)(void *)&untouched;

    wrap_fail(WRAP_pthread_key_create, -1, refusal);
    for (int i = 0; i < 2; i++) {
        int error = thread_local_create(&local, count);
        must(error == refusal,
             "pthread_key_create returns %s; thread_local_create should return it, each time, but it returned %s.",
             error_text(refusal), error_text(error));
        must((void *)local == &untouched, "thread_local_create returned an error and yet changed *local.");
    }
    must(wrap_memory_kept() <= 0, "thread_local_create returned an error and kept %ld allocations.",
         wrap_memory_kept());
}

TEST(no_key_to_be_had, "When the process has no pthread key left, create returns EAGAIN and stores nothing.")
{
    must_need_a_key(EAGAIN);
}

TEST(no_memory_for_a_key, "Whatever else pthread_key_create returns, create returns it too.")
{
    must_need_a_key(ENOMEM);
}

static void no_memory_from(long nth)
{
    wrap_fail_memory(nth);
}

TEST(no_memory,
     "When there is no memory, create and set return ENOMEM; the value that was to be set is still the caller's.")
{
    struct thread_local *local = (struct thread_local *)(void *)&untouched;

    no_memory_from(-1);
    int error = thread_local_create(&local, count);
    must(error == ENOMEM, "Without memory thread_local_create should return ENOMEM, but it returned %s.",
         error_text(error));
    must((void *)local == &untouched, "thread_local_create returned ENOMEM and yet changed *local.");
    no_memory_from(0);
    local = make(count);
    no_memory_from(-1);
    error = thread_local_set(local, &destructed[0]);
    must(error == ENOMEM, "Without memory thread_local_set should return ENOMEM, but it returned %s.",
         error_text(error));
    no_memory_from(0);
    must_have_none(local, "the set had failed for want of memory");
    thread_local_destroy(local);
    must_be_destructed(0, 0, "After a set that failed");
}

TEST(no_memory_to_replace,
     "When there is no memory, set either does without, or returns ENOMEM and the thread has the value it had.")
{
    struct thread_local *local = make(count);

    set(local, &destructed[0]);
    no_memory_from(-1);
    int error = thread_local_set(local, &destructed[1]);
    no_memory_from(0);
    must(error == 0 || error == ENOMEM, "Without memory thread_local_set should return ENOMEM, but it returned %s.",
         error_text(error));
    must_be_destructed(0, error == 0 ? 1 : 0,
                       error == 0 ? "After another took its place" : "After a set that failed, for the value before,");
    must_get(local, &destructed[error == 0 ? 1 : 0],
             error == 0 ? "it had been set" : "the thread had it before a set that failed for want of memory");
    thread_local_destroy(local);
    must_be_destructed(0, 1, "After the object was destroyed");
    must_be_destructed(1, error == 0 ? 1 : 0, "After the object was destroyed");
}

static const enum wrap_call allocators[] = {WRAP_malloc, WRAP_calloc, WRAP_realloc};

TEST(memory_runs_out_in_create, "When the memory ends half-way, create gives back what it had.")
{
    thread_local_destroy(make(count)); /* what is made once for all is made */
    for (int i = 0; i < 9; i++) {
        struct thread_local *local = (struct thread_local *)(void *)&untouched;
        enum wrap_call what = allocators[i / 3];
        long kept = wrap_memory_kept();
        wrap_fail(what, i % 3 + 1, ENOMEM);
        int error = thread_local_create(&local, count);
        wrap_fail(what, 0, 0);
        kept = wrap_memory_kept() - kept - (what == WRAP_realloc ? 0 : 1); /* the one that failed is none */
        if (error == 0)                                                    /* it makes no such call */
            thread_local_destroy(local);
        must(error == 0 || error == ENOMEM,
             "Allocation %d failed: thread_local_create should return ENOMEM, but it returned %s.", i % 3 + 1,
             error_text(error));
        must(error == 0 || (void *)local == &untouched, "thread_local_create returned ENOMEM and yet changed *local.");
        must(error == 0 || kept <= 0,
             "Allocation %d failed, and what thread_local_create had allocated before is not freed.", i % 3 + 1);
    }
}

TEST(memory_runs_out_in_set, "When the memory ends half-way, the thread that called set has no value, and when it has "
                             "ended, nothing of it is left.")
{
    struct thread_local *local = make(count);
    struct visit self;

    visit_end(&self, visit_begin(&self, local, &destructed[1])); /* what is made once for all is made */
    for (int i = 0; i < 9; i++) {
        enum wrap_call what = allocators[i / 3];
        long kept = wrap_memory_kept(), before = tally_read(&destructed[0]);
        wrap_fail(what, i % 3 + 1, ENOMEM);
        struct runner *runner = visit_begin(&self, local, &destructed[0]);
        wrap_fail(what, 0, 0);
        visit_end(&self, runner);
        kept = wrap_memory_kept() - kept - (what == WRAP_realloc ? 0 : 1); /* the one that failed is none */
        bool failed = self.set_error != 0;
        must(!failed || self.set_error == ENOMEM,
             "Allocation %d failed: thread_local_set should return ENOMEM, but it returned %s.", i % 3 + 1,
             error_text(self.set_error));
        must(self.last_error == (failed ? ENOENT : 0), "thread_local_set returned %s, and then thread_local_get %s.",
             error_text(self.set_error), error_text(self.last_error));
        must_be_destructed(0, before + (failed ? 0 : 1), failed ? "After a set that failed" : "After its thread's end");
        must(!failed || kept <= 0, "Allocation %d failed, and what thread_local_set had allocated before is not freed.",
             i % 3 + 1);
    }
    thread_local_destroy(local);
}

static void set_without_memory_for_others(void *argument)
{
    struct visit *self = argument;

    self->found_again = &untouched;
    refuse_memory(1);
    self->set_error = thread_local_set(self->local, self->value);
    refuse_memory(0);
    self->last_error = thread_local_get(self->local, &self->found_again);
}

TEST(no_memory_for_the_thread,
     "pthread_setspecific needs memory too, once there are many keys: where it has none, set returns ENOMEM.")
{
    struct visit self = {.value = &destructed[0]};

    for (int i = 0; i < KEYS; i++) { /* the first few do without */
        pthread_key_t key;
        must(pthread_key_create(&key, NULL) == 0, "The test could not make a key.");
    }
    self.local = make(count);
    runner_join(runner_start(set_without_memory_for_others, &self));
    must(self.set_error == 0 || self.set_error == ENOMEM, "thread_local_set should return ENOMEM, but it returned %s.",
         error_text(self.set_error));
    must(self.last_error == (self.set_error == 0 ? 0 : ENOENT),
         "thread_local_set returned %s, and then thread_local_get %s.", error_text(self.set_error),
         error_text(self.last_error));
    must_be_destructed(0, self.set_error == 0 ? 1 : 0,
                       self.set_error == 0
                           ? "There was no memory for pthread_setspecific, set returned 0, and its thread has ended:"
                           : "After a set that failed");
    thread_local_destroy(self.local);
}

static long kept_after_threads(struct thread_local *local, int threads)
{
    for (int i = 0; i < threads; i++) {
        struct visit self;
        struct runner *runner = visit_begin(&self, local, &destructed[0]);
        visit_end(&self, runner);
    }
    return wrap_memory_kept();
}

TEST(ended_threads_leave_nothing, "Nothing of an ended thread is left, however long the object lives.")
{
    struct thread_local *local = make(count);
    long after_one = kept_after_threads(local, 1);
    long after_many = kept_after_threads(local, MANY_THREADS);

    must(after_many <= after_one, "%d threads have set a value and ended, and %ld allocations are left of them.",
         MANY_THREADS, after_many - after_one);
    must_be_destructed(0, MANY_THREADS + 1, "After the end of that many threads");
    thread_local_destroy(local);
}
