/* scenario.c - small pipelines.
 *
 * Each producer has one or two items. What became of each is counted in tallies, which order nothing for the detectors.
 * The text of an item is written by the producer and read by the consumer, and a report is written by each worker and
 * read by who called the run: if the run does not order them, that is a race in every run.
 */
#include "scenario.h"

#include "producer_consumer.h"

#include <errno.h>
#include <stddef.h>

enum { WORKERS = 2, EACH = 2 };

struct thing {
    int text;
    struct tally consumed, dropped;
};

struct plan {
    struct thing things[WORKERS][EACH];
    int each;
    int next[WORKERS];
    int fails; /* what the consume of every item returns */
    struct tally consumed;
    int consumed_by[WORKERS]; /* of each consumer, written by it and read after the run */
};

static bool produce(void *context, int producer, void **item)
{
    struct plan *plan = context;
    int next = plan->next[producer]++;

    if (next >= plan->each)
        return false;
    plan->things[producer][next].text = 42;
    *item = &plan->things[producer][next];
    return true;
}

static int consume(void *context, int consumer, void *item)
{
    struct plan *plan = context;
    struct thing *thing = item;

    ensure(thing != NULL && thing->text == 42, "a consumer does not see what the producer wrote");
    ensure(tally_add(&thing->consumed, 1) == 1, "an item was consumed twice");
    plan->consumed_by[consumer]++;
    tally_add(&plan->consumed, 1);
    return plan->fails;
}

static void drop(void *context, void *item)
{
    struct thing *thing = item;

    (void)context;
    ensure(thing != NULL && thing->text == 42, "drop does not see what the producer wrote");
    ensure(tally_add(&thing->dropped, 1) == 1, "an item was dropped twice");
}

/* Runs it, and looks whether all that was produced was consumed or dropped. */
static void run_once(int producers, int consumers, int64_t maxsize, int each, int fails)
{
    struct plan plan = {.each = each, .fails = fails};
    struct producer_consumer job = {producers, consumers, maxsize, &plan, produce, consume, drop};
    int result = producer_consumer_run(&job), sum = 0;

    ensure(result == fails, "producer_consumer_run returned %d, and should have returned %d", result, fails);
    for (int i = 0; i < consumers; i++)
        sum += plan.consumed_by[i];
    ensure(sum == tally_read(&plan.consumed), "the consumers' own counts do not add up");
    for (int i = 0; i < producers; i++)
        for (int n = 0; n < each && n < plan.next[i]; n++) {
            const struct thing *thing = &plan.things[i][n];
            ensure(thing->consumed.value + thing->dropped.value == 1,
                   "an item was neither consumed nor dropped, or both");
            ensure(fails != 0 || thing->consumed.value == 1, "nothing failed, and an item was dropped");
        }
}

static void one_each(void)
{
    run_once(1, 1, 1, EACH, 0);
}

static void two_producers(void)
{
    run_once(2, 1, 1, 1, 0);
}

static void two_consumers(void)
{
    run_once(1, 2, 0, EACH, 0);
}

static void two_of_each(void)
{
    run_once(2, 2, 1, EACH, 0);
}

static void nothing(void)
{
    run_once(1, 2, 1, 0, 0);
}

static void a_consume_fails(void)
{
    run_once(1, 1, 1, EACH, EIO);
}

/* Both consumers have an item and fail: who is first is open, that nobody looks at the other's error unguarded is not.
 */
static struct crew both_fail;

static int consume_together(void *context, int consumer, void *item)
{
    int error = consume(context, consumer, item);

    crew_meet(&both_fail);
    return error;
}

static void two_consumes_fail(void)
{
    struct plan plan = {.each = 1, .fails = EIO};
    struct producer_consumer job = {2, 2, 0, &plan, produce, consume_together, drop};

    both_fail = (struct crew)CREW_OF(2);
    ensure(producer_consumer_run(&job) == EIO, "two consumes failed, and producer_consumer_run did not say so");
    ensure(tally_read(&plan.consumed) == 2, "two items were taken, and not both were consumed");
}

static void without_drop(void)
{
    struct plan plan = {.each = EACH, .fails = EIO};
    struct producer_consumer job = {1, 1, 1, &plan, produce, consume, NULL};

    ensure(producer_consumer_run(&job) == EIO, "a consume failed, and producer_consumer_run did not say so");
    job.producers = 0;
    ensure(producer_consumer_run(&job) == EINVAL, "a run without producers did not return EINVAL");
    job.producers = 1;
    job.consumers = 0;
    ensure(producer_consumer_run(&job) == EINVAL, "a run without consumers did not return EINVAL");
}

SCENARIOS = {
    {"one_each", one_each, "one producer, one consumer, two items, room for one"},
    {"two_producers", two_producers, "two producers with an item each, one consumer, room for one"},
    {"two_consumers", two_consumers, "one producer with two items, two consumers"},
    {"two_of_each", two_of_each, "two producers with two items each, two consumers, room for one"},
    {"nothing", nothing, "one producer without items, two consumers"},
    {"a_consume_fails", a_consume_fails, "one producer, one consumer, and the first consume fails"},
    {"two_consumes_fail", two_consumes_fail, "two consumers have an item each, and both fail"},
    {"without_drop", without_drop, "a consume fails, and nobody wants what is dropped"},
    SCENARIOS_END,
};
