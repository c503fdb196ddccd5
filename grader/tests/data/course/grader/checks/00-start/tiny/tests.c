/* tests.c - what a total must do. */
#include "tiny.h"

#include "check.h"
#include "wrap.h"

#include <errno.h>

TEST(starts_at_zero, "tiny_create makes a total of 0.")
{
    struct tiny *tiny = NULL;

    must(tiny_create(&tiny) == 0, "tiny_create returned an error.");
    must(tiny != NULL, "tiny_create returned 0 but gave no object.");
    must(tiny_value(tiny) == 0, "A new total is %ld, not 0.", tiny_value(tiny));
    tiny_destroy(tiny);
}

TEST(adds, "tiny_add adds the amount to the total.")
{
    struct tiny *tiny = NULL;

    must(tiny_create(&tiny) == 0, "tiny_create returned an error.");
    must(tiny_add(tiny, 2) == 0, "tiny_add of 2 returned an error.");
    must(tiny_add(tiny, -5) == 0, "tiny_add of -5 returned an error.");
    must(tiny_value(tiny) == -3, "After adding 2 and -5 the total is %ld, not -3.", tiny_value(tiny));
    tiny_destroy(tiny);
}

TEST(refuses_zero, "Adding 0 is an error, EINVAL, and changes nothing.")
{
    struct tiny *tiny = NULL;

    must(tiny_create(&tiny) == 0, "tiny_create returned an error.");
    must(tiny_add(tiny, 7) == 0, "tiny_add of 7 returned an error.");
    int error = tiny_add(tiny, 0);
    must(error == EINVAL, "tiny_add of 0 returned %d, not EINVAL (%d).", error, EINVAL);
    must(tiny_value(tiny) == 7, "After a refused tiny_add the total is %ld, not 7.", tiny_value(tiny));
    tiny_destroy(tiny);
}

TEST(no_memory, "Where there is no memory, tiny_create returns ENOMEM and leaves the caller's pointer alone.")
{
    struct tiny *tiny = NULL;

    wrap_fail(WRAP_malloc, 1, ENOMEM);
    int error = tiny_create(&tiny);
    must(error == ENOMEM, "Without memory tiny_create returned %d, not ENOMEM (%d).", error, ENOMEM);
    must(tiny == NULL, "Without memory tiny_create still set the caller's pointer.");
}

struct adding {
    struct tiny *tiny;
    struct gate inside, go_on;
};

static void hold_it(void *argument)
{
    struct adding *adding = argument;

    wrap_after(WRAP_pthread_mutex_lock, NULL, NULL);
    gate_open(&adding->inside);
    gate_pass(&adding->go_on);
}

static void add_one(void *argument)
{
    struct adding *adding = argument;

    tiny_add(adding->tiny, 1);
}

TEST(one_at_a_time, "While one thread is adding, another that wants to add waits for it.")
{
    struct adding adding = {NULL, GATE_CLOSED, GATE_CLOSED};

    must(tiny_create(&adding.tiny) == 0, "tiny_create returned an error.");
    wrap_after(WRAP_pthread_mutex_lock, hold_it, &adding);
    struct runner *first = runner_start(add_one, &adding);
    gate_pass(&adding.inside);
    struct runner *second = runner_start(add_one, &adding);
    must_be_blocked(second, "A second thread added while the first had the lock.");
    gate_open(&adding.go_on);
    runner_join(first);
    runner_join(second);
    must(tiny_value(adding.tiny) == 2, "Two threads added 1 each, and the total is %ld.", tiny_value(adding.tiny));
    tiny_destroy(adding.tiny);
}
