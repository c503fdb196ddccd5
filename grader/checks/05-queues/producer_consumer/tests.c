/* tests.c - the pipeline: everything once, everybody at the same time, and everyone stops.
 *
 * What each item's fate was is counted in tallies. Produce and consume wait at gates, so the test decides who is where
 * when something happens; a run that is looked at from outside runs in a runner.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT; slices.h */
#endif
#include "check.h"
#include "leftovers.h"
#include "producer_consumer.h"
#include "slices.h"
#include "wrap.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 4, EACH = 200 };

/* What a run does, and what became of it. */
struct plan {
    struct producer_consumer job;
    int each[WORKERS];          /* how many items each producer has */
    int fails_at;               /* the item whose consume fails, as its place in `things`; -1: none */
    int error, other_error;     /* what it returns; what every other consume returns */
    bool null_items;            /* every item is NULL */
    struct crew *producing;     /* each producer meets here when it is first asked; or NULL */
    struct crew *consuming;     /* each consumer meets here with its first item; or NULL */
    struct gate *hold_producer; /* producer hold_number waits here before item hold_at; or NULL */
    int hold_number, hold_at;
    struct gate *hold_consumer;  /* consumes wait here, all but that of fails_at; or NULL */
    struct gate *hold_failing;   /* the consume of fails_at waits here; or NULL */
    struct gate *first_consumed; /* opened by the first consume; or NULL */
    struct gate *hold_drop;      /* drops wait here; or NULL */
    bool hold_one_drop;          /* rather, only the first does */
    struct tally *looks; /* waits of who once produced or consumed that looked again after a moment; NULL: uncounted */

    char things[WORKERS * EACH];
    struct tally produced, consumed, dropped, nulls, strangers, asked_again, begun_twice;
    struct tally consumed_each[WORKERS * EACH], dropped_each[WORKERS * EACH];
    int next[WORKERS]; /* of each producer, used by its thread only */
    bool ended[WORKERS];
    pthread_t producers[WORKERS], consumers[WORKERS];
    bool met[WORKERS];         /* of each consumer */
    int order[WORKERS * EACH]; /* where there is one consumer: what it consumed */
    int result;
};

/* Which item it is; -1 where it is none of ours. */
static int place_of(const struct plan *plan, const void *item)
{
    for (int i = 0; i < WORKERS * EACH; i++)
        if (item == &plan->things[i])
            return i;
    return -1;
}

/* True where this thread has been this worker since it began. */
static bool same_thread(pthread_t *known, bool first)
{
    if (first)
        *known = pthread_self();
    return pthread_equal(*known, pthread_self());
}

static bool produce(void *context, int producer, void **item)
{
    struct plan *plan = context;

    slices = plan->looks;
    if (producer < 0 || producer >= plan->job.producers) {
        tally_add(&plan->strangers, 1);
        return false;
    }
    int next = plan->next[producer]++;
    if (!same_thread(&plan->producers[producer], next == 0))
        tally_add(&plan->strangers, 1);
    if (next == 0 && plan->producing != NULL)
        crew_meet(plan->producing);
    if (plan->hold_producer != NULL && producer == plan->hold_number && next == plan->hold_at)
        gate_pass(plan->hold_producer);
    if (plan->ended[producer])
        tally_add(&plan->asked_again, 1);
    if (next >= plan->each[producer]) {
        plan->ended[producer] = true;
        return false;
    }
    tally_add(&plan->produced, 1);
    *item = plan->null_items ? NULL : &plan->things[producer * EACH + next];
    return true;
}

static int consume(void *context, int consumer, void *item)
{
    struct plan *plan = context;
    int place = place_of(plan, item);

    slices = plan->looks;
    if (consumer < 0 || consumer >= plan->job.consumers) {
        tally_add(&plan->strangers, 1);
        return 0;
    }
    if (!same_thread(&plan->consumers[consumer], !plan->met[consumer]))
        tally_add(&plan->strangers, 1);
    if (!plan->met[consumer] && plan->consuming != NULL)
        crew_meet(plan->consuming);
    plan->met[consumer] = true;
    long nth = tally_add(&plan->consumed, 1);
    if (place >= 0)
        tally_add(&plan->consumed_each[place], 1);
    else
        tally_add(item == NULL ? &plan->nulls : &plan->strangers, 1);
    if (plan->job.consumers == 1 && nth <= WORKERS * EACH)
        plan->order[nth - 1] = place;
    if (plan->first_consumed != NULL)
        gate_open(plan->first_consumed);
    bool fails = place >= 0 && place == plan->fails_at;
    struct gate *hold = fails ? plan->hold_failing : plan->hold_consumer;
    if (hold != NULL)
        gate_pass(hold);
    return fails ? plan->error : plan->other_error;
}

static void drop(void *context, void *item)
{
    struct plan *plan = context;
    int place = place_of(plan, item);

    long nth = tally_add(&plan->dropped, 1);
    if (plan->hold_drop != NULL && (nth == 1 || !plan->hold_one_drop))
        gate_pass(plan->hold_drop);
    if (place >= 0)
        tally_add(&plan->dropped_each[place], 1);
    else
        tally_add(&plan->strangers, 1);
}

/* A plan of so many producers with so many items each. */
static struct plan *new_plan(int producers, int each, int consumers, int64_t maxsize)
{
    struct plan *plan = calloc(1, sizeof *plan);

    must(plan != NULL, "The test got no memory.");
    plan->job = (struct producer_consumer){producers, consumers, maxsize, plan, produce, consume, drop};
    for (int i = 0; i < WORKERS; i++)
        plan->each[i] = i < producers ? each : 0;
    plan->fails_at = -1;
    plan->result = -1;
    return plan;
}

static void run(void *argument)
{
    struct plan *plan = argument;

    plan->result = producer_consumer_run(&plan->job);
}

/* Whoever waits at the queue when everything has come to rest waits until it is woken. */
static void must_sleep_on(const struct plan *plan, const char *who)
{
    must(tally_read(plan->looks) == 0, "%s should sleep until it is woken, but it sleeps for a moment and looks again.",
         who);
}

/* Everything that was produced was consumed or dropped, once. */
static void must_add_up(struct plan *plan)
{
    int lost = 0, twice = 0;

    for (int i = 0; i < WORKERS * EACH; i++) {
        long fate = tally_read(&plan->consumed_each[i]) + tally_read(&plan->dropped_each[i]);
        lost += i % EACH < plan->each[i / EACH] && i % EACH < plan->next[i / EACH] && fate == 0;
        twice += fate > 1;
    }
    must(lost == 0 || plan->null_items, "Of %ld items produced %d were neither consumed nor dropped: they are lost.",
         tally_read(&plan->produced), lost);
    must(twice == 0, "%d items were consumed or dropped twice.", twice);
    must(tally_read(&plan->strangers) == 0,
         "Something was called with a number, an item or in a thread that does not belong there, %ld times.",
         tally_read(&plan->strangers));
    must(tally_read(&plan->asked_again) == 0, "A producer that had no more items was asked again.");
    settle();
    must(extra_threads() == 0, "The run has ended, and %d of its threads are left.", extra_threads());
}

/* It ran to its end, and nothing was dropped. */
static void must_have_consumed(struct plan *plan, long count)
{
    must_return(0, plan->result, "producer_consumer_run");
    must(tally_read(&plan->consumed) == count, "%ld items were to be consumed, and %ld were.", count,
         tally_read(&plan->consumed));
    must(tally_read(&plan->dropped) == 0, "Nothing failed, and %ld items were dropped.", tally_read(&plan->dropped));
    must_add_up(plan);
}

/* ---- everything once -------------------------------------------------------------------------------------------- */

TEST(everything_once, "Each item that was produced is consumed once, whatever the numbers of threads and of places.")
{
    static const struct {
        int producers, each, consumers;
        int64_t maxsize;
    } sizes[] = {{3, 40, 2, 4}, {2, 40, 4, 1}, {4, 20, 2, 0}, {1, 60, 3, 2}, {2, 30, 2, -1}, {4, 3, 4, INT64_MAX}};

    for (int i = 0; i < 6; i++) {
        struct plan *plan = new_plan(sizes[i].producers, sizes[i].each, sizes[i].consumers, sizes[i].maxsize);
        run(plan);
        must_have_consumed(plan, (long)sizes[i].producers * sizes[i].each);
        free(plan);
    }
}

TEST(nothing_to_do, "Where no producer has anything, nothing is consumed, and everyone stops.")
{
    struct plan *plan = new_plan(3, 0, 3, 1);

    run(plan);
    must_have_consumed(plan, 0);
    for (int i = 0; i < 3; i++)
        must(plan->next[i] == 1, "Producer %d has nothing and should be asked once, but it was asked %d times.", i,
             plan->next[i]);
    free(plan);
}

TEST(null_is_an_item, "An item is any pointer, NULL too: NULL does not mean the end.")
{
    struct plan *plan = new_plan(2, 20, 2, 2);

    plan->null_items = true;
    run(plan);
    must_have_consumed(plan, 40);
    must(tally_read(&plan->nulls) == 40, "40 times NULL was produced, and it was consumed %ld times.",
         tally_read(&plan->nulls));
    free(plan);
}

TEST(wrong_numbers, "Fewer than one producer or consumer is EINVAL, and nothing is called.")
{
    static const int wrong[][2] = {{0, 1}, {1, 0}, {-1, 2}, {2, -1}, {0, 0}};

    for (int i = 0; i < 5; i++) {
        struct plan *plan = new_plan(0, 1, 0, 1);
        plan->job.producers = wrong[i][0];
        plan->job.consumers = wrong[i][1];
        run(plan);
        must(plan->result == EINVAL, "With %d producers and %d consumers it should return EINVAL, but it returned %s.",
             wrong[i][0], wrong[i][1], error_text(plan->result));
        must(tally_read(&plan->produced) + tally_read(&plan->consumed) + tally_read(&plan->strangers) == 0,
             "It returned EINVAL, and produce or consume was called.");
        free(plan);
    }
}

/* ---- at the same time ------------------------------------------------------------------------------------------- */

TEST(producers_together, "The producers run at the same time, each in a thread of its own.")
{
    struct crew crew = CREW_OF(3);
    struct plan *plan = new_plan(3, 5, 2, 0);

    plan->producing = &crew;
    run(plan);
    must_have_consumed(plan, 15);
    must(!pthread_equal(plan->producers[0], plan->producers[1]) &&
             !pthread_equal(plan->producers[1], plan->producers[2]) &&
             !pthread_equal(plan->producers[0], plan->producers[2]),
         "Two producers ran in the same thread.");
    free(plan);
}

TEST(consumers_together, "The consumers run at the same time, each in a thread of its own.")
{
    struct crew crew = CREW_OF(3);
    struct plan *plan = new_plan(1, 9, 3, 0);

    plan->consuming = &crew;
    run(plan);
    must_have_consumed(plan, 9);
    must(!pthread_equal(plan->consumers[0], plan->consumers[1]) &&
             !pthread_equal(plan->consumers[1], plan->consumers[2]) &&
             !pthread_equal(plan->consumers[0], plan->consumers[2]),
         "Two consumers ran in the same thread.");
    free(plan);
}

/* A run with more workers than a plan has: each producer has one item, and each consumer meets all others with it. */
enum { CROWD = 20 };

struct crowd {
    struct crew producing, consuming;
    bool asked[CROWD]; /* of each producer, used by its thread only */
    struct tally consumed;
};

static bool produce_in_a_crowd(void *context, int producer, void **item)
{
    struct crowd *crowd = context;

    if (crowd->asked[producer])
        return false;
    crowd->asked[producer] = true;
    crew_meet(&crowd->producing);
    *item = NULL;
    return true;
}

static int consume_in_a_crowd(void *context, int consumer, void *item)
{
    struct crowd *crowd = context;

    (void)consumer;
    (void)item;
    crew_meet(&crowd->consuming);
    tally_add(&crowd->consumed, 1);
    return 0;
}

TEST(a_crowd, "There may be as many producers and consumers as the caller says, and all of them run at the same time.")
{
    struct crowd crowd = {.producing = CREW_OF(CROWD), .consuming = CREW_OF(CROWD)};
    struct producer_consumer job = {CROWD, CROWD, 1, &crowd, produce_in_a_crowd, consume_in_a_crowd, NULL};

    must_return(0, producer_consumer_run(&job), "producer_consumer_run with 20 producers and 20 consumers");
    must(tally_read(&crowd.consumed) == CROWD, "20 producers had an item each, and %ld were consumed.",
         tally_read(&crowd.consumed));
}

TEST(side_by_side, "Consumers run beside the producers: an item is consumed while the next one is still being made.")
{
    struct gate consumed = GATE_CLOSED;
    struct plan *plan = new_plan(1, 6, 2, 0);

    plan->hold_producer = &consumed; /* its second item is made when the first one was consumed */
    plan->hold_at = 1;
    plan->first_consumed = &consumed;
    run(plan);
    must_have_consumed(plan, 6);
    free(plan);
}

TEST(whoever_is_free, "The next item goes to whoever has nothing to do: one queue, with one bound, lies between all.")
{
    struct gate go_on = GATE_CLOSED;
    struct plan *plan = new_plan(1, 20, 2, 3);

    plan->fails_at = 0; /* does not fail: it only takes its time */
    plan->hold_failing = &go_on;
    struct runner *runner = runner_start(run, plan);
    settle();
    must(tally_read(&plan->consumed) == 20,
         "One of two consumers is long at work on the first item, and of 20 items only %ld went to the other one.",
         tally_read(&plan->consumed) - 1);
    gate_open(&go_on);
    runner_join(runner);
    must_have_consumed(plan, 20);
    free(plan);
}

TEST(two_runs, "The run keeps nothing that another one would use: two may go on at the same time.")
{
    struct crew crew = CREW_OF(4);
    struct plan *plans[2] = {new_plan(1, 7, 2, 1), new_plan(1, 9, 2, 1)};
    struct runner *runners[2];

    for (int i = 0; i < 2; i++) {
        plans[i]->consuming = &crew; /* all four consumers have an item at the same moment */
        runners[i] = runner_start(run, plans[i]);
    }
    for (int i = 0; i < 2; i++)
        runner_join(runners[i]);
    must_have_consumed(plans[0], 7);
    must_have_consumed(plans[1], 9);
    free(plans[0]);
    free(plans[1]);
}

TEST(another_run_fails, "The run keeps nothing that another one would use: the error of one is not that of the other.")
{
    struct gate go_on[2] = {GATE_CLOSED, GATE_CLOSED};
    struct plan *plans[2] = {new_plan(1, 5, 1, 0), new_plan(1, 5, 1, 0)};
    struct runner *runners[2];

    plans[0]->error = plans[0]->other_error = EIO;
    for (int i = 0; i < 2; i++) {
        plans[i]->hold_consumer = plans[i]->hold_failing = &go_on[i];
        runners[i] = runner_start(run, plans[i]);
    }
    settle();
    gate_open(&go_on[0]);
    runner_join(runners[0]);
    gate_open(&go_on[1]);
    runner_join(runners[1]);
    must_return(EIO, plans[0]->result, "A consume returned EIO: producer_consumer_run");
    must_return(0, plans[1]->result, "Nothing failed but in another run: producer_consumer_run");
    must_have_consumed(plans[1], 5);
    must_add_up(plans[0]);
    free(plans[0]);
    free(plans[1]);
}

/* ---- the queue between ------------------------------------------------------------------------------------------ */

TEST(bounded, "At most maxsize items wait in the queue: a producer that is too quick waits asleep.")
{
    struct gate go_on = GATE_CLOSED;
    struct plan *plan = new_plan(1, 50, 1, 3);

    plan->hold_consumer = &go_on;
    plan->looks = slices_tally();
    struct runner *runner = runner_start(run, plan);
    bool at_rest = settle();
    must_sleep_on(plan, "A producer at a full queue");
    must(at_rest, "The consumer is held up, the queue is full, and somebody keeps the processor busy.");
    must(tally_read(&plan->produced) == 5,
         "One item is being consumed, 3 have room in the queue, and the producer has one in its hand: 5 are made, not "
         "%ld.",
         tally_read(&plan->produced));
    must(runner_state(runner) == RUNNER_BLOCKED, "The run has returned, and a consumer is still at work.");
    gate_open(&go_on);
    runner_join(runner);
    must_have_consumed(plan, 50);
    free(plan);
}

TEST(unbounded, "A maxsize of 0 or less means no bound: the producer never waits.")
{
    static const int64_t sizes[] = {-1, 0, INT64_MIN + 1, ((int64_t)1 << 32) + 1}; /* the last is as good as none */

    for (int i = 0; i < 4; i++) {
        struct gate go_on = GATE_CLOSED;
        struct plan *plan = new_plan(2, 100, 1, sizes[i]);

        plan->hold_consumer = &go_on;
        struct runner *runner = runner_start(run, plan);
        must(settle(), "The consumer is held up, and somebody keeps the processor busy.");
        must(tally_read(&plan->produced) == 200,
             "Two producers have 100 items each, maxsize is %lld, and %ld are made.", (long long)sizes[i],
             tally_read(&plan->produced));
        gate_open(&go_on);
        runner_join(runner);
        must_have_consumed(plan, 200);
        free(plan);
    }
}

TEST(in_order, "Items come out of the queue in the order in which they went in.")
{
    struct gate go_on = GATE_CLOSED;
    struct plan *plan = new_plan(2, 40, 1, 0);
    int last[2] = {-1, -1}, wrong = 0;

    plan->hold_consumer = &go_on;
    struct runner *runner = runner_start(run, plan);
    settle();
    gate_open(&go_on);
    runner_join(runner);
    must_have_consumed(plan, 80);
    for (int i = 0; i < 80; i++) {
        int producer = plan->order[i] / EACH, nth = plan->order[i] % EACH;
        wrong += nth != last[producer] + 1;
        last[producer] = nth;
    }
    must(wrong == 0, "One consumer got the items of a producer in another order than it had made them, %d times.",
         wrong);
    free(plan);
}

/* ---- everyone stops --------------------------------------------------------------------------------------------- */

TEST(slow_producer, "An empty queue is not the end: a producer may just be slow, and consumers wait for it asleep.")
{
    struct gate go_on = GATE_CLOSED;
    struct plan *plan = new_plan(1, 10, 2, 0);

    plan->hold_producer = &go_on;
    plan->hold_at = 4;
    plan->looks = slices_tally();
    struct runner *runner = runner_start(run, plan);
    bool at_rest = settle();
    must_sleep_on(plan, "A consumer at an empty queue");
    must(at_rest, "The queue is empty, a producer is slow, and somebody keeps the processor busy.");
    must(tally_read(&plan->consumed) == 4, "Four items were made so far, and %ld are consumed.",
         tally_read(&plan->consumed));
    must(runner_state(runner) == RUNNER_BLOCKED, "The run has returned, and a producer is still at work.");
    gate_open(&go_on);
    runner_join(runner);
    must_have_consumed(plan, 10);
    free(plan);
}

TEST(first_to_end, "The end of one producer is not the end: the others go on, and so do all consumers.")
{
    for (int slow = 0; slow < 2; slow++) {
        struct gate go_on = GATE_CLOSED;
        struct crew crew = CREW_OF(3);
        struct plan *plan = new_plan(2, 2, 3, 0);

        plan->each[slow] = 8;
        plan->each[1 - slow] = 0;
        plan->hold_producer = &go_on;
        plan->hold_number = slow;
        plan->consuming = &crew; /* all three consumers are still there for the items that come later */
        struct runner *runner = runner_start(run, plan);
        settle();
        gate_open(&go_on);
        runner_join(runner);
        must_have_consumed(plan, 8);
        free(plan);
    }
}

TEST(returns_last, "The run returns when the last consumer has done its last item, not before.")
{
    struct gate go_on = GATE_CLOSED;
    struct plan *plan = new_plan(2, 1, 2, 0);

    plan->hold_consumer = &go_on;
    struct runner *runner = runner_start(run, plan);
    must_be_blocked(runner, "Two consumers are still at work, and producer_consumer_run has returned.");
    gate_open(&go_on);
    runner_join(runner);
    must_have_consumed(plan, 2);
    free(plan);
}

/* ---- something fails -------------------------------------------------------------------------------------------- */

TEST(stopped,
     "Where a consume fails, what lies in the queue is dropped, and so is what a producer holds. Nothing is lost.")
{
    struct gate fail = GATE_CLOSED;
    struct plan *plan = new_plan(1, 150, 1, 3);

    plan->fails_at = 0;
    plan->error = EIO;
    plan->hold_failing = &fail;
    struct runner *runner = runner_start(run, plan);
    settle(); /* one item is being consumed, three wait, one is in the producer's hand */
    gate_open(&fail);
    must_be_done(runner, "A consume has failed, and somebody was not stopped: the run does not end.");
    runner_join(runner);
    must_return(EIO, plan->result, "A consume returned EIO: producer_consumer_run");
    must(tally_read(&plan->consumed) == 1, "The first consume failed, the only consumer, and %ld items were consumed.",
         tally_read(&plan->consumed));
    must(tally_read(&plan->produced) <= 6, "Five items were made, then a consume failed, and %ld more were made.",
         tally_read(&plan->produced) - 5);
    must(tally_read(&plan->dropped) == tally_read(&plan->produced) - 1,
         "%ld items were made, one was consumed, %ld dropped.", tally_read(&plan->produced),
         tally_read(&plan->dropped));
    must_add_up(plan);
    free(plan);
}

TEST(all_producers_stopped, "Where a consume fails, all producers stop, also those that sleep at a full queue.")
{
    struct gate fail = GATE_CLOSED;
    struct plan *plan = new_plan(4, 100, 1, 1);

    plan->error = plan->other_error = EDOM;
    plan->hold_consumer = plan->hold_failing = &fail;
    struct runner *runner = runner_start(run, plan);
    settle();
    must(tally_read(&plan->produced) == 6,
         "One item is being consumed, one waits, four producers hold one: 6, not %ld.", tally_read(&plan->produced));
    gate_open(&fail);
    must_be_done(runner, "A consume has failed, and somebody was not stopped: the run does not end.");
    runner_join(runner);
    must_return(EDOM, plan->result, "A consume returned EDOM: producer_consumer_run");
    must(tally_read(&plan->consumed) == 1 && tally_read(&plan->produced) <= 10,
         "The only consumer failed, and then %ld items were made and %ld consumed.", tally_read(&plan->produced) - 6,
         tally_read(&plan->consumed) - 1);
    must_add_up(plan);
    free(plan);
}

TEST(sleeping_consumers_stopped, "Where a consume fails, all consumers stop, also those that sleep at an empty queue.")
{
    struct gate fail = GATE_CLOSED, go_on = GATE_CLOSED;
    struct plan *plan = new_plan(1, 100, 4, 0);

    plan->fails_at = 0;
    plan->error = EIO;
    plan->hold_failing = &fail;
    plan->hold_producer = &go_on; /* one item, and then it is slow */
    plan->hold_at = 1;
    struct runner *runner = runner_start(run, plan);
    settle(); /* one consumer has the item, three sleep, and the producer has been asked for the next one */
    gate_open(&fail);
    must_be_blocked(runner, "A producer is still at work, and the run has returned.");
    must(extra_threads() <= 3,
         "A consume has failed, and of four consumers some still wait: %d threads are left beside the "
         "producer and the run's own.",
         extra_threads() - 2);
    gate_open(&go_on);
    must_be_done(runner, "A consume has failed, and somebody was not stopped: the run does not end.");
    runner_join(runner);
    must_return(EIO, plan->result, "A consume returned EIO: producer_consumer_run");
    must(tally_read(&plan->produced) == 2, "The run was stopped, and the producer was asked for %ld items more.",
         tally_read(&plan->produced) - 1);
    must(tally_read(&plan->dropped) == 1, "The run was stopped, one item was made after that, and %ld were dropped.",
         tally_read(&plan->dropped));
    must_add_up(plan);
    free(plan);
}

TEST(first_error_counts, "What a consumer had already taken is consumed; of several errors the first is returned.")
{
    for (int which = 0; which < 2; which++) {
        struct gate fail = GATE_CLOSED, go_on = GATE_CLOSED;
        struct crew crew = CREW_OF(2);
        struct plan *plan = new_plan(2, 1, 2, 0);

        plan->consuming = &crew;
        plan->fails_at = which * EACH;
        plan->error = EDOM;
        plan->other_error = ERANGE;
        plan->hold_failing = &fail;
        plan->hold_consumer = &go_on;
        struct runner *runner = runner_start(run, plan);
        settle(); /* both consumers have an item */
        gate_open(&fail);
        must_be_blocked(runner, "A consume has failed, another consumer is still at work, and the run has returned.");
        gate_open(&go_on);
        runner_join(runner);
        must_return(EDOM, plan->result, "One consume returned EDOM, then another one ERANGE: producer_consumer_run");
        must(tally_read(&plan->consumed) == 2, "Two consumers had an item each, and %ld were consumed.",
             tally_read(&plan->consumed));
        must_add_up(plan);
        free(plan);
    }
}

TEST(first_error_while_dropping, "Of several errors the first is returned, also where dropping takes its time.")
{
    struct gate fail = GATE_CLOSED, go_on = GATE_CLOSED, drop_on = GATE_CLOSED;
    struct crew crew = CREW_OF(2);
    struct plan *plan = new_plan(1, 6, 2, 0); /* one producer: item 0 is the first to be taken */

    plan->consuming = &crew;
    plan->hold_consumer = &go_on;
    plan->hold_failing = &fail;
    plan->hold_drop = &drop_on;
    plan->fails_at = 0;
    plan->error = EDOM;
    plan->other_error = ERANGE;
    struct runner *runner = runner_start(run, plan);
    settle(); /* one consumer has item 0, the other item 1, and four wait in the queue */
    gate_open(&fail);
    settle();
    gate_open(&go_on);
    settle();
    gate_open(&drop_on);
    must_be_done(runner, "Consumes have failed, and somebody was not stopped: the run does not end.");
    runner_join(runner);
    must_return(EDOM, plan->result,
                "One consume returned EDOM, then, while items were dropped, another one ERANGE: producer_consumer_run");
    must_add_up(plan);
    free(plan);
}

TEST(stopped_while_dropping,
     "A run that was stopped consumes nothing more, and nobody waits for a drop that takes its time.")
{
    for (int fails = 0; fails < 2; fails++) {
        struct gate fail = GATE_CLOSED, go_on = GATE_CLOSED, drop_on = GATE_CLOSED;
        struct crew crew = CREW_OF(2);
        struct plan *plan = new_plan(1, 9, 2, 0); /* one producer: item 0 is the first to be taken */

        plan->consuming = &crew;
        plan->hold_consumer = &go_on;
        plan->hold_failing = &fail;
        plan->hold_drop = &drop_on;
        plan->hold_one_drop = true;
        plan->fails_at = 0;
        plan->error = EDOM;
        plan->other_error = fails ? ERANGE : 0;
        struct runner *runner = runner_start(run, plan);
        settle(); /* one consumer has item 0, the other item 1, and seven wait in the queue */
        gate_open(&fail);
        settle();
        gate_open(&go_on);
        settle();
        int left = extra_threads();
        gate_open(&drop_on);
        must_be_done(runner, "A consume has failed, and somebody was not stopped: the run does not end.");
        runner_join(runner);
        must(tally_read(&plan->consumed) == 2,
             "A consume failed, one more item was in a consumer's hand, seven lay in the queue: of these %ld were "
             "consumed while the first one was being dropped.",
             tally_read(&plan->consumed) - 2);
        must(left <= 2,
             "A consume failed, the first drop takes its time, and %d threads are left beside the one that drops and "
             "the run's own: they should have ended.",
             left - 2);
        must_return(EDOM, plan->result, "A consume returned EDOM: producer_consumer_run");
        must_add_up(plan);
        free(plan);
    }
}

TEST(any_error,
     "Whatever positive value a consume returns stops the run and is returned, also one that the queue uses.")
{
    static const int errors[] = {1, EINVAL, ENOMEM, ETIMEDOUT, ESHUTDOWN, EAGAIN, 4000, INT_MAX};

    for (int i = 0; i < 8; i++) {
        struct plan *plan = new_plan(1, 150, 1, 2);

        plan->error = plan->other_error = errors[i];
        struct runner *runner = runner_start(run, plan);
        must_be_done(runner, "A consume has failed, and somebody was not stopped: the run does not end.");
        runner_join(runner);
        must(plan->result == errors[i], "A consume returned %s, and producer_consumer_run returned %s.",
             error_text(errors[i]), error_text(plan->result));
        must(tally_read(&plan->consumed) == 1, "The first consume failed, the only consumer, and %ld were consumed.",
             tally_read(&plan->consumed));
        must_add_up(plan);
        free(plan);
    }
}

TEST(nobody_to_drop, "drop may be NULL: then nothing is called for an item that will not be consumed.")
{
    struct gate fail = GATE_CLOSED;
    struct plan *plan = new_plan(2, 20, 1, 2);

    plan->job.drop = NULL;
    plan->error = plan->other_error = EIO;
    plan->hold_consumer = plan->hold_failing = &fail;
    struct runner *runner = runner_start(run, plan);
    settle();
    gate_open(&fail);
    must_be_done(runner, "A consume has failed, and somebody was not stopped: the run does not end.");
    runner_join(runner);
    must_return(EIO, plan->result, "A consume returned EIO: producer_consumer_run");
    free(plan);
}

TEST(no_thread_to_be_had,
     "Where a thread cannot be started, the run is stopped and returns that error: nothing is lost.")
{
    for (long nth = 1; nth <= 5; nth++) {
        struct plan *plan = new_plan(2, 30, 3, 2);

        wrap_fail(WRAP_pthread_create, nth, EAGAIN);
        struct runner *runner = runner_start(run, plan);
        must_be_done(runner, "A thread could not be started, and the run does not end.");
        runner_join(runner);
        wrap_fail(WRAP_pthread_create, 0, 0);
        must_return(EAGAIN, plan->result, "pthread_create returned EAGAIN: producer_consumer_run");
        must_add_up(plan);
        free(plan);
    }
}

static void pass(void *gate)
{
    gate_pass(gate);
}

TEST(stopped_without_a_thread,
     "Where a thread cannot be started, the others are not to finish the work: they are stopped as where a consume "
     "fails.")
{
    for (long nth = 2; nth <= 4; nth++) {
        struct gate go_on = GATE_CLOSED;
        struct plan *plan = new_plan(2, 30, 2, 0);

        wrap_in_thread(pass, &go_on); /* nobody has begun when the last one cannot be started */
        wrap_fail(WRAP_pthread_create, nth, EAGAIN);
        struct runner *runner = runner_start(run, plan);
        settle();
        gate_open(&go_on);
        must_be_done(runner, "A thread could not be started, and the run does not end.");
        runner_join(runner);
        wrap_in_thread(NULL, NULL);
        wrap_fail(WRAP_pthread_create, 0, 0);
        must_return(EAGAIN, plan->result, "pthread_create returned EAGAIN: producer_consumer_run");
        must(tally_read(&plan->produced) <= 2,
             "A thread could not be started before anybody had begun, and two producers were asked for %ld items: for "
             "one more each at most, is the promise.",
             tally_read(&plan->produced));
        must(tally_read(&plan->consumed) == 0,
             "A thread could not be started before anybody had begun, and %ld items were consumed, not dropped.",
             tally_read(&plan->consumed));
        must_add_up(plan);
        free(plan);
    }
}

static void come_to_rest(void *unused)
{
    (void)unused;
    settle();
}

TEST(error_before_no_thread,
     "Of several errors the first is returned: also where a thread could not be started after it.")
{
    struct plan *plan = new_plan(2, 30, 2, 0);

    plan->error = plan->other_error = EDOM;
    wrap_after(WRAP_pthread_create, come_to_rest, NULL); /* whoever is there works before the next one is started */
    wrap_fail(WRAP_pthread_create, 4, EAGAIN);
    run(plan);
    wrap_fail(WRAP_pthread_create, 0, 0);
    wrap_after(WRAP_pthread_create, NULL, NULL);
    must_return(tally_read(&plan->consumed) > 0 ? EDOM : EAGAIN, plan->result,
                "A consume returned EDOM, then pthread_create returned EAGAIN: producer_consumer_run");
    must_add_up(plan);
    free(plan);
}

static void let_go(void *gate)
{
    gate_open(gate);
}

TEST(dropped_without_a_thread,
     "Where a thread cannot be started, what lies in the queue is dropped and not consumed, as where a consume fails.")
{
    struct gate go_on = GATE_CLOSED;
    struct plan *plan = new_plan(2, 30, 2, 0);

    plan->hold_consumer = &go_on;
    wrap_after(WRAP_pthread_create, come_to_rest, NULL); /* a consumer has an item, or two have, the others wait */
    wrap_fail(WRAP_pthread_create, 4, EAGAIN);
    wrap_before(WRAP_pthread_join, let_go, &go_on);
    run(plan);
    wrap_fail(WRAP_pthread_create, 0, 0);
    wrap_after(WRAP_pthread_create, NULL, NULL);
    wrap_before(WRAP_pthread_join, NULL, NULL);
    must_return(EAGAIN, plan->result, "The fourth pthread_create returned EAGAIN: producer_consumer_run");
    must(tally_read(&plan->consumed) <= 2,
         "The last thread could not be started while many items lay in the queue, and %ld were consumed: two at most "
         "had been taken.",
         tally_read(&plan->consumed));
    must_add_up(plan);
    free(plan);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

TEST(no_memory, "Where there is no memory, the run returns ENOMEM, keeps nothing, and nothing is lost.")
{
    for (long nth = 1; nth <= 4; nth++) {
        struct plan *plan = new_plan(2, 10, 2, 2);
        long before = wrap_memory_kept(), calls = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc);

        wrap_fail_memory(nth);
        run(plan);
        wrap_fail_memory(0);
        long asked = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) - calls;
        must(plan->result == 0 || plan->result == ENOMEM, "Without memory it should return ENOMEM, but it returned %s.",
             error_text(plan->result));
        must(nth > 1 || asked == 0 || plan->result == ENOMEM, "There was no memory at all, and it returned %s.",
             error_text(plan->result));
        must(wrap_memory_kept() - before <= (plan->result == 0 ? 0 : 1),
             "The run has ended, and memory that it had allocated is lost.");
        must_add_up(plan);
        free(plan);
    }
}

/* Stand before the C library's own, in a thread that says so: no mutex can be made, and no memory is to be had. */
static _Thread_local bool no_heap;
static _Thread_local long no_mutex; /* the how manieth from now cannot be made; 0: all can */

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    int (*real)(pthread_mutex_t *, const pthread_mutexattr_t *) = NULL;

    if (no_mutex > 0 && --no_mutex == 0)
        return EAGAIN;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_init");
    return real == NULL ? ENOSYS : real(mutex, attributes);
}

void *__libc_malloc(size_t size);

void *malloc(size_t size)
{
    if (no_heap) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

TEST(no_queue,
     "Where the queue or a mutex cannot be made, the run returns that error, keeps nothing, and calls nothing.")
{
    for (long nth = 1; nth <= 2; nth++) { /* that of the queue and that of the run, in any order */
        struct plan *plan = new_plan(2, 10, 2, 2);
        long before = wrap_memory_kept();

        no_mutex = nth;
        run(plan);
        bool refused = no_mutex == 0; /* who needs none but the queue's is right too */
        no_mutex = 0;
        must_return(refused ? EAGAIN : 0, plan->result, "A mutex cannot be made (EAGAIN): producer_consumer_run");
        must(wrap_memory_kept() - before <= 0, "The run has ended, and memory that it had allocated is lost.");
        must(!refused || tally_read(&plan->produced) == 0, "The run could not begin, and %ld items were made.",
             tally_read(&plan->produced));
        must_add_up(plan);
        free(plan);
    }
}

TEST(nothing_kept, "The run keeps nothing: each thread that it started is joined, which alone shows that it runs no "
                   "more, and mutexes and conditions are destroyed.")
{
    for (int fails = 0; fails < 2; fails++) {
        struct plan *plan = new_plan(2, 5, 3, 2);

        plan->error = plan->other_error = fails ? EIO : 0;
        run(plan);
        must_return(fails ? EIO : 0, plan->result, "producer_consumer_run");
        must_add_up(plan);
        free(plan);
    }
    must(
        wrap_count(WRAP_pthread_join) >= wrap_count(WRAP_pthread_create),
        "%ld threads were started, and %ld were joined: when the run returned, the others may have been running still.",
        wrap_count(WRAP_pthread_create), wrap_count(WRAP_pthread_join));
    must_have_ended_all();
}

static bool produce_until_the_heap_is_empty(void *context, int producer, void **item)
{
    const struct plan *plan = context;
    bool more = produce(context, producer, item);

    no_heap = plan->next[producer] == 8; /* of this thread: its next put finds no memory */
    return more;
}

TEST(no_memory_to_put, "Where a put fails, the run is stopped and returns that error; the item is dropped, not lost.")
{
    struct plan *plan = new_plan(1, 30, 2, 0);

    plan->job.produce = produce_until_the_heap_is_empty;
    struct runner *runner = runner_start(run, plan);
    must_be_done(runner, "A put has failed, and somebody was not stopped: the run does not end.");
    runner_join(runner);
    bool failed = plan->result != 0; /* a queue that has a place left needs no memory */
    must(plan->result == ENOMEM || tally_read(&plan->consumed) == 30,
         "A put found no memory, or each of 30 items was consumed: neither is so, and producer_consumer_run returned "
         "%s.",
         error_text(plan->result));
    must(!failed || tally_read(&plan->produced) <= 9, "The put of item 8 failed, and %ld were made.",
         tally_read(&plan->produced));
    must(!failed || tally_read(&plan->dropped) >= 1, "The put of an item failed, and it was not dropped.");
    must_add_up(plan);
    free(plan);
}
