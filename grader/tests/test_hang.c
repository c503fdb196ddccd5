/* What the threads of a hang add up to, from who waits for whom. How they are read is checked in test_stage_tests.c. */
#include "hang.h"
#include "memory.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MANY = 6 };

static struct hang_thread threads[MANY];
static struct hang hang = {threads, 0};
static void *context;

static void begin(void)
{
    context = memory_context(NULL);
}

static void end(void)
{
    talloc_free(context);
}

TestSuite(hang, .init = begin, .fini = end);

/* Adds a thread with the id 100 + its number. */
static struct hang_thread *add(enum wait_kind wait, int wants_number, bool in_student)
{
    struct hang_thread *thread = &threads[hang.count++];

    *thread = (struct hang_thread){.number = (int)hang.count,
                                   .pid = 1,
                                   .tid = 100 + (int)hang.count,
                                   .wait = wait,
                                   .in_student = in_student,
                                   .wants_tid = wants_number > 0 ? 100 + wants_number : wants_number,
                                   .name = wait == WAIT_MUTEX ? "lock A" : NULL};
    return thread;
}

static void must_say(const char *words)
{
    const char *said = hang_diagnosis(context, &hang);

    cr_assert(said != NULL && strstr(said, words) != NULL, "%s", said == NULL ? "nothing" : said);
}

Test(hang, two_in_a_circle)
{
    add(WAIT_JOIN, 2, false);
    add(WAIT_MUTEX, 3, true);
    add(WAIT_MUTEX, 2, true);
    must_say("Each waits for what the other holds: a deadlock.");
}

Test(hang, three_in_a_circle)
{
    add(WAIT_MUTEX, 2, true);
    add(WAIT_MUTEX, 3, true);
    add(WAIT_MUTEX, 1, true);
    must_say("They wait in a circle, each for a lock that the next one holds");
}

Test(hang, a_join_in_the_circle)
{
    add(WAIT_JOIN, 2, true);
    add(WAIT_MUTEX, 1, true);
    must_say("one waits for the other to end, and that one wants a lock");
}

Test(hang, a_thread_in_its_own_way)
{
    add(WAIT_JOIN, 2, false);
    add(WAIT_MUTEX, 2, true);
    must_say("Thread 2 wants a lock that it holds itself");
}

Test(hang, a_thread_that_joins_itself)
{
    add(WAIT_JOIN, 1, true);
    must_say("Thread 1 waits for its own end.");
}

Test(hang, an_owner_that_has_ended)
{
    add(WAIT_MUTEX, 77, true);
    must_say("The thread that locked lock A has ended and never unlocked it.");
}

Test(hang, an_owner_that_came_out_without_unlocking)
{
    add(WAIT_JOIN, 2, false);
    add(WAIT_MUTEX, 3, true);
    add(WAIT_GATE, -1, false);
    must_say("Thread 3 came out of the call that locked lock A and never unlocked it.");
}

Test(hang, an_owner_that_sleeps)
{
    add(WAIT_MUTEX, 2, true);
    add(WAIT_CONDITION, -1, true);
    must_say("Thread 2 sleeps while it holds lock A, which thread 1 needs.");
}

Test(hang, a_mutex_that_nobody_holds)
{
    add(WAIT_MUTEX, 0, true);
    must_say("which looks locked although no thread holds it");
}

Test(hang, sleepers_that_nobody_wakes)
{
    add(WAIT_JOIN, 2, false);
    add(WAIT_CONDITION, -1, true);
    must_say("Thread 2 sleeps on a condition and nobody is left to wake it");
    add(WAIT_CONDITION, -1, true);
    must_say("2 threads sleep on a condition and nobody is left to wake them");
}

Test(hang, a_loop)
{
    add(WAIT_JOIN, 2, false);
    add(WAIT_NOTHING, -1, true);
    must_say("Thread 2 runs in circles");
}

Test(hang, only_the_tests_own_gate)
{
    add(WAIT_GATE, -1, false);
    must_say("the test's own gate");
}

Test(hang, nothing_is_said_where_nothing_is_known)
{
    add(WAIT_TIME, -1, true);
    cr_assert_null(hang_diagnosis(context, &hang));
}
