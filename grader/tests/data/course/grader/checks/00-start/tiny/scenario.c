/* scenario.c - two threads and one total. */
#include "tiny.h"

#include "scenario.h"

#include <errno.h>

static struct tiny *made(void)
{
    struct tiny *tiny = NULL;

    ensure(tiny_create(&tiny) == 0, "tiny_create returned an error.");
    return tiny;
}

static void *add_one(void *argument)
{
    struct tiny *tiny = argument;

    ensure(tiny_add(tiny, 1) == 0, "tiny_add of 1 returned an error.");
    return NULL;
}

static void two_adders(void)
{
    struct tiny *tiny = made();
    pthread_t first = scenario_thread(add_one, tiny);
    pthread_t second = scenario_thread(add_one, tiny);

    scenario_join(first);
    scenario_join(second);
    ensure(tiny_value(tiny) == 2, "Two threads added 1 each, and the total is %ld.", tiny_value(tiny));
    tiny_destroy(tiny);
}

struct reading {
    struct tiny *tiny;
    struct gate added;
};

static void *add_then_tell(void *argument)
{
    struct reading *reading = argument;

    add_one(reading->tiny);
    gate_open(&reading->added);
    return NULL;
}

static void adder_and_reader(void)
{
    struct reading reading = {made(), GATE_CLOSED};
    pthread_t adder = scenario_thread(add_then_tell, &reading);

    gate_pass(&reading.added);
    ensure(tiny_value(reading.tiny) == 1, "One thread added 1, and the total is %ld.", tiny_value(reading.tiny));
    scenario_join(adder);
    tiny_destroy(reading.tiny);
}

static void refused(void)
{
    struct tiny *tiny = made();

    ensure(tiny_add(tiny, 0) == EINVAL, "tiny_add of 0 did not return EINVAL.");
    tiny_destroy(tiny);
    tiny_destroy(NULL);
}

SCENARIOS = {
    {"two_adders", two_adders, "two threads add while nobody else looks"},
    {"adder_and_reader", adder_and_reader, "one thread reads what another has just added"},
    {"refused", refused, "one thread adds 0, which is refused"},
    SCENARIOS_END,
};
