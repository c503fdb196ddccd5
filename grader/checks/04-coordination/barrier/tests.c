/* tests.c - what a barrier must do.
 *
 * Threads arrive one by one: the next one when the last one sleeps. A thread that is slow to wake up sleeps in a nap,
 * until the test wakes it; or signals are sent and do not arrive (wrap_fail(…, 0)), and it wakes up when its time is
 * over.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* waiting.h */
#endif
#include "barrier.h"
#include "check.h"
#include "leftovers.h"
#include "slices.h"
#include "waiting.h"
#include "wrap.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* For those who will be woken. Whole seconds: what a deadline looks like below the second is for tests of time. */
static const int64_t HOUR_US = 3600000000;

static struct barrier *new_barrier(long parties, int (*action)(void *), void *argument, int64_t timeout_us)
{
    struct barrier *barrier = NULL;
    int error = barrier_create(&barrier, parties, action, argument, timeout_us);

    must(error == 0 && barrier != NULL, "barrier_create for %ld threads returned %s or stored no barrier.", parties,
         error_text(error));
    return barrier;
}

static void must_count(long waiting, struct barrier *barrier, const char *when)
{
    long counted = barrier_waiting(barrier);

    must(counted == waiting, "%s barrier_waiting should be %ld, but it is %ld.", when, waiting, counted);
}

/* ---- a thread that arrives -------------------------------------------------------------------------------------- */

/* A thread that has set `nap` sleeps in it the next time that it would wait on a condition without a limit: without the
 * mutex, and until the test opens the gate. Such a wait may end at any time, so to the barrier it is a thread that is
 * slow to wake up. */
static _Thread_local struct gate *nap;

__attribute__((visibility("hidden"))) int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    int (*wait)(pthread_cond_t *, pthread_mutex_t *) = NULL;
    struct gate *taken = nap;

    if (taken == NULL) {
        *(void **)&wait = dlsym(RTLD_NEXT, "pthread_cond_wait");
        return wait == NULL ? ENOSYS : wait(condition, mutex);
    }
    nap = NULL;
    pthread_mutex_unlock(mutex);
    gate_pass(taken);
    pthread_mutex_lock(mutex);
    return 0;
}

enum { NO_INDEX = -7 };

struct party {
    struct barrier *barrier;
    int64_t timeout_us;
    int rounds;
    int result; /* of the last round */
    long index;
    int64_t began_us, took_us;
    struct tally *slices; /* waits that looked again after a moment */
    struct gate *nap;     /* or NULL */
    struct runner *runner;
};

static void arrive(void *argument)
{
    struct party *party = argument;

    party->began_us = now_us();
    slices = party->slices;
    nap = party->nap;
    waits = true;
    for (int i = 0; i < party->rounds; i++)
        party->result = barrier_wait(party->barrier, party->timeout_us, &party->index);
    waits = false;
    nap = NULL;
    party->took_us = now_us() - party->began_us;
}

static void party_start(struct party *party, struct barrier *barrier, int64_t timeout_us)
{
    *party = (struct party){.barrier = barrier, .timeout_us = timeout_us, .rounds = 1, .result = -1, .index = NO_INDEX};
    party->slices = slices_tally();
    party->runner = runner_start(arrive, party);
}

/* Starts a thread that arrives without a limit, sleeps, and is so slow to wake up that the test has to open the gate
 * first. */
static void party_start_slow(struct party *party, struct barrier *barrier, struct gate *wake_up)
{
    *party = (struct party){.barrier = barrier, .timeout_us = -1, .rounds = 1, .result = -1, .index = NO_INDEX};
    party->nap = wake_up;
    party->runner = runner_start(arrive, party);
    settle();
}

/* Starts a thread that arrives when others are missing, and goes on when it sleeps. */
static void must_wait(struct party *party, struct barrier *barrier, int64_t timeout_us)
{
    party_start(party, barrier, timeout_us);
    enum runner_state state = runner_state(party->runner);
    must(state != RUNNER_BUSY, "A thread that waits for others should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED || timeout_us < 0,
         "With a time-out of %lld µs, and others missing, barrier_wait returned %s at once.%s", (long long)timeout_us,
         error_text(party->result),
         timeout_us == HOUR_US ? " Does the condition go by the clock that the deadline was computed with "
                                 "(pthread_condattr_setclock)?"
                               : "");
    must(state == RUNNER_BLOCKED, "Others are missing, and barrier_wait did not wait but returned %s.",
         error_text(party->result));
}

static void must_have_left(struct party *party, int expected, const char *when)
{
    must_be_done(party->runner, "%s a thread still waits.", when);
    runner_join(party->runner);
    must(party->result == expected, "%s barrier_wait of a thread that waited should return %s, but it returned %s.",
         when, error_text(expected), error_text(party->result));
    must(expected == 0 || party->index == NO_INDEX, "barrier_wait returned an error and stored an index.");
}

/* The indices of one round: 0 … count-1, each once. */
static void must_be_numbered(struct party *parties, int count)
{
    unsigned seen = 0;

    char got[128] = "";

    for (int i = 0; i < count; i++) {
        size_t length = strlen(got);
        seen |= parties[i].index >= 0 && parties[i].index < count ? 1U << parties[i].index : 0;
        snprintf(&got[length], sizeof got - length, "%s%ld", i == 0 ? "" : ", ", parties[i].index);
    }
    must(seen == (1U << count) - 1, "The indices of a round of %d should be 0 to %d, each once, but they are %s.",
         count, count - 1, got);
}

static void must_be_pair(long one, long other)
{
    must((one == 0 && other == 1) || (one == 1 && other == 0),
         "The indices of a round of two should be 0 and 1, but they are %ld and %ld.", one, other);
}

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

enum { PARTIES = 4 };

TEST(all_together, "Nobody leaves before all have arrived; then all leave, and each has an index of its own.")
{
    struct barrier *barrier = new_barrier(PARTIES, NULL, NULL, -1);
    struct party parties[PARTIES];

    must(barrier_parties(barrier) == PARTIES, "barrier_parties should be %d, but it is %ld.", PARTIES,
         barrier_parties(barrier));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < PARTIES - 1; i++) {
            must_count(i, barrier, "Before a thread arrives");
            must_wait(&parties[i], barrier, i % 2 == 0 ? -1 : HOUR_US);
            must(
                tally_read(parties[i].slices) == 0,
                "A thread that waits for others should sleep until it is woken, but it sleeps for a moment, looks, and "
                "sleeps again.");
        }
        must_count(PARTIES - 1, barrier, "When one is missing");
        for (int i = 0; i < PARTIES - 1; i++)
            must_be_blocked(parties[i].runner, "One is missing, and another one has left.");
        party_start(&parties[PARTIES - 1], barrier, round == 2 ? 0 : -1);
        for (int i = 0; i < PARTIES; i++)
            must_have_left(&parties[i], 0, "All have arrived:");
        must_be_numbered(parties, PARTIES);
        must_count(0, barrier, "When all have left");
        must(!barrier_is_broken(barrier), "All have arrived and left, and the barrier is said to be broken.");
    }
    barrier_destroy(barrier);
}

TEST(alone, "A barrier for one lets everyone through, with the index 0, whatever the time-out.")
{
    struct barrier *barrier = new_barrier(1, NULL, NULL, 0);
    long index = NO_INDEX;

    must_return(0, barrier_wait(barrier, -1, &index), "barrier_wait of a barrier for one");
    must(index == 0, "The index should be 0, but it is %ld.", index);
    must_return(0, barrier_wait(barrier, 0, NULL), "barrier_wait of a barrier for one, with a time-out of 0,");
    must_return(0, barrier_wait(barrier, 1000, NULL), "barrier_wait of a barrier for one, with a time-out,");
    barrier_destroy(barrier);
}

TEST(at_least_one, "A barrier for fewer than one is EINVAL.")
{
    static const long wrong[] = {0, -1, LONG_MIN};
    struct barrier *barrier = NULL;
    long before = wrap_memory_kept();

    for (int i = 0; i < 3; i++)
        must_return(EINVAL, barrier_create(&barrier, wrong[i], NULL, NULL, -1), "barrier_create for fewer than one");
    long kept = wrap_memory_kept() - before;
    must(kept <= 0, "barrier_create returned EINVAL, and kept memory that it had allocated: it is lost.");
}

/* A round of two is complete, and one of them is slow to leave. */
struct drain {
    struct barrier *barrier;
    struct gate wake_up;
    struct party slow, last;
    bool held; /* it sleeps, so that the test decides when it leaves */
};

/* In place: the slow one's thread keeps the address of the gate. */
static void drain_begin(struct drain *drain)
{
    *drain = (struct drain){.barrier = new_barrier(2, NULL, NULL, -1), .wake_up = GATE_CLOSED};
    party_start_slow(&drain->slow, drain->barrier, &drain->wake_up);
    party_start(&drain->last, drain->barrier, -1);
    drain->held = runner_state(drain->slow.runner) == RUNNER_BLOCKED;
}

/* The slow one wakes up, and both leave. What they got is seen to be a success. */
static void drain_end(struct drain *drain, const char *meanwhile)
{
    gate_open(&drain->wake_up);
    must_be_done(drain->slow.runner, "A round of two was complete, and one of them still waits.");
    runner_join(drain->slow.runner);
    must_have_left(&drain->last, 0, "Both had arrived:");
    must(drain->slow.result == 0,
         "A round of two was complete, and while one of them was slow to leave, %s: its barrier_wait should return 0, "
         "but it returned %s.",
         meanwhile, error_text(drain->slow.result));
    must_be_pair(drain->slow.index, drain->last.index);
}

/* Two others make the next round, but not before the slow one has left. */
static void two_come_early(struct drain *drain, bool reset)
{
    struct party next[2];
    bool waited = true;

    if (reset)
        barrier_reset(drain->barrier);
    for (int i = 0; i < 2; i++)
        party_start(&next[i], drain->barrier, i == 0 ? -1 : HOUR_US);
    for (int i = 0; i < 2; i++)
        waited = runner_state(next[i].runner) == RUNNER_BLOCKED && waited;
    must(waited || !drain->held,
         "A round of two was complete, and one of them was slow to leave; before he had left%s two others came and got "
         "through.",
         reset ? ", the barrier was reset, and" : "");
    drain_end(drain, reset ? "the barrier was reset" : "two others came");
    for (int i = 0; i < 2; i++)
        must_have_left(&next[i], 0, "The round before has left, and both of the next one have arrived:");
    must_be_pair(next[0].index, next[1].index);
}

TEST(not_before_the_last_has_left,
     "The next round does not begin before the last has left this one: who comes early waits, and nobody gets through.")
{
    struct drain drain;

    drain_begin(&drain);
    two_come_early(&drain, false);
    must(!barrier_is_broken(drain.barrier), "Two rounds were complete, and the barrier is said to be broken.");
    barrier_destroy(drain.barrier);
}

TEST(last_has_time,
     "The time does not count any more when the last has arrived, not for him either: those of the round before may "
     "take as long as they like to leave.")
{
    struct drain drain;
    struct party early, last;

    drain_begin(&drain);
    party_start(&early, drain.barrier, -1);
    settle();
    bool inside = barrier_waiting(drain.barrier) == 1; /* or it stays outside until the others have left */
    party_start(&last, drain.barrier, 0);
    settle();
    drain_end(&drain, "two others came");
    must_be_done(early.runner, "Two came early, and one of them still waits.");
    runner_join(early.runner);
    must_be_done(last.runner, "Two came early, and one of them still waits.");
    runner_join(last.runner);
    must(last.result == 0 || !inside,
         "One of two waited, the other came with a time-out of 0, and the round before had not left yet: "
         "barrier_wait of the last to arrive should return 0, but it returned %s.",
         error_text(last.result));
    must(early.result == (last.result == 0 ? 0 : ECANCELED),
         "Of a round of two, barrier_wait returned %s to one thread and %s to the other.", error_text(early.result),
         error_text(last.result));
    barrier_destroy(drain.barrier);
}

TEST(again_and_again, "The same threads meet at the same barrier as often as they like.")
{
    enum { ROUNDS = 25 };
    struct barrier *barrier = new_barrier(3, NULL, NULL, -1);
    struct party parties[3];

    for (int i = 0; i < 3; i++) {
        parties[i] = (struct party){.barrier = barrier, .timeout_us = -1, .rounds = ROUNDS, .index = NO_INDEX};
        parties[i].runner = runner_start(arrive, &parties[i]);
    }
    for (int i = 0; i < 3; i++)
        must_have_left(&parties[i], 0, "Three threads met 25 times:");
    must_be_numbered(parties, 3);
    must_count(0, barrier, "Then");
    barrier_destroy(barrier);
}

TEST(more_than_parties, "More threads than parties may use a barrier: they make several rounds.")
{
    struct barrier *barrier = new_barrier(2, NULL, NULL, -1);
    struct party parties[5];

    for (int i = 0; i < 4; i++)
        party_start(&parties[i], barrier, -1);
    for (int i = 0; i < 4; i++)
        must_have_left(&parties[i], 0, "Four threads came to a barrier for two:");
    must_wait(&parties[4], barrier, -1);
    party_start(&parties[0], barrier, -1);
    must_have_left(&parties[4], 0, "The other one has arrived:");
    must_have_left(&parties[0], 0, "Both have arrived:");
    barrier_destroy(barrier);
}

TEST(woken_for_nothing, "A thread that wakes up looks again: a wait may end although nobody has signalled.")
{
    const int64_t timeouts_us[] = {-1, HOUR_US};

    for (int i = 0; i < 2; i++) {
        struct barrier *barrier = new_barrier(2, NULL, NULL, -1);
        struct party parties[2];

        wrap_fail(WRAP_pthread_cond_wait, 1, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        party_start(&parties[0], barrier, timeouts_us[i]);
        must_be_blocked(parties[0].runner, "The wait on the condition ended although nobody had signalled, and "
                                           "barrier_wait returned although another thread is missing.");
        must(!barrier_is_broken(barrier), "A thread woke up for nothing, and now the barrier is broken.");
        party_start(&parties[1], barrier, -1);
        must_have_left(&parties[0], 0, "Both have arrived:");
        must_have_left(&parties[1], 0, "Both have arrived:");
        barrier_destroy(barrier);
    }
}

/* ---- broken ----------------------------------------------------------------------------------------------------- */

TEST(aborted, "abort lets all who wait leave with ECANCELED, and so everyone who comes, until the barrier is reset.")
{
    struct barrier *barrier = new_barrier(3, NULL, NULL, -1);
    struct party parties[3];
    long index = NO_INDEX;

    must_wait(&parties[0], barrier, -1);
    must_wait(&parties[1], barrier, HOUR_US);
    barrier_abort(barrier);
    for (int i = 0; i < 2; i++)
        must_have_left(&parties[i], ECANCELED, "The barrier was aborted:");
    must(barrier_is_broken(barrier), "The barrier was aborted, and it is not broken.");
    must_count(0, barrier, "Where it is broken");
    barrier_abort(barrier);
    for (int i = 0; i < 4; i++)
        must_return(ECANCELED, barrier_wait(barrier, i % 2 - 1, &index), "barrier_wait of a broken barrier");
    must(index == NO_INDEX, "barrier_wait returned an error and stored an index.");
    barrier_reset(barrier);
    must(!barrier_is_broken(barrier), "The barrier was reset, and it is still broken.");
    must_wait(&parties[0], barrier, -1);
    must_wait(&parties[1], barrier, -1);
    party_start(&parties[2], barrier, -1);
    for (int i = 0; i < 3; i++)
        must_have_left(&parties[i], 0, "The barrier was reset, and all have arrived:");
    must_be_numbered(parties, 3);
    barrier_destroy(barrier);
}

TEST(was_reset, "reset lets all who wait leave with ECANCELED; the barrier is as new, and not broken.")
{
    struct barrier *barrier = new_barrier(3, NULL, NULL, -1);
    struct party parties[3];

    barrier_reset(barrier);
    must(!barrier_is_broken(barrier), "A new barrier was reset, and now it is broken.");
    for (int round = 0; round < 2; round++) {
        must_wait(&parties[0], barrier, -1);
        must_wait(&parties[1], barrier, HOUR_US);
        barrier_reset(barrier);
        for (int i = 0; i < 2; i++)
            must_have_left(&parties[i], ECANCELED, "The barrier was reset:");
        must(!barrier_is_broken(barrier), "The barrier was reset, and now it is broken.");
        must_count(0, barrier, "After a reset");
    }
    must_wait(&parties[0], barrier, -1);
    must_wait(&parties[1], barrier, -1);
    party_start(&parties[2], barrier, -1);
    for (int i = 0; i < 3; i++)
        must_have_left(&parties[i], 0, "The barrier was reset, and all have arrived:");
    must_be_numbered(parties, 3);
    barrier_destroy(barrier);
}

TEST(not_before_who_gave_up_has_left,
     "The next round does not begin before the last has left this one, also where this one was broken or reset.")
{
    for (int broken = 0; broken < 2; broken++) {
        struct gate wake_up = GATE_CLOSED;
        struct barrier *barrier = new_barrier(2, NULL, NULL, -1);
        struct party slow, next[2];
        bool waited[2];

        party_start_slow(&slow, barrier, &wake_up);
        if (broken == 1)
            barrier_abort(barrier);
        barrier_reset(barrier);
        bool held = runner_state(slow.runner) == RUNNER_BLOCKED;
        for (int i = 0; i < 2; i++)
            party_start(&next[i], barrier, -1);
        for (int i = 0; i < 2; i++)
            waited[i] = runner_state(next[i].runner) == RUNNER_BLOCKED;
        must((waited[0] && waited[1]) || !held,
             "A thread waited, the barrier was %sreset, and before that thread had left, two others came and got "
             "through.",
             broken == 1 ? "aborted and " : "");
        gate_open(&wake_up);
        must_have_left(&slow, ECANCELED, "The barrier was reset:");
        for (int i = 0; i < 2; i++)
            must_have_left(&next[i], 0, "The round before has left, and both of the next one have arrived:");
        must_be_pair(next[0].index, next[1].index);
        barrier_destroy(barrier);
    }
}

TEST(success_is_kept,
     "A round that is complete stays so, and all its threads succeed: who resets or aborts the barrier later takes "
     "that from nobody, however slow he is.")
{
    static const char *const meanwhile[] = {"the barrier was reset", "the barrier was aborted",
                                            "the barrier was aborted and reset"};

    for (int i = 0; i < 3; i++) {
        struct gate early_wakes_up = GATE_CLOSED;
        struct drain drain;
        struct party early;

        drain_begin(&drain);
        party_start_slow(&early, drain.barrier, &early_wakes_up);
        if (i > 0)
            barrier_abort(drain.barrier);
        if (i != 1)
            barrier_reset(drain.barrier);
        drain_end(&drain, meanwhile[i]); /* while another, who came early, is still on his way out */
        must(barrier_is_broken(drain.barrier) == (i == 1), "While a complete round drained %s, and it is%s broken.",
             meanwhile[i], i == 1 ? " not" : "");
        barrier_abort(drain.barrier); /* for one who came early and stayed outside */
        gate_open(&early_wakes_up);
        must_have_left(&early, ECANCELED, "The barrier was aborted or reset:");
        barrier_destroy(drain.barrier);
    }
}

TEST(not_before_the_last_after_a_reset,
     "Who is still leaving an older round when the barrier is reset leaves with the answer of that round, and the next "
     "round does not begin before that.")
{
    struct drain drain;

    drain_begin(&drain);
    two_come_early(&drain, true);
    barrier_destroy(drain.barrier);
}

/* ---- the action ------------------------------------------------------------------------------------------------- */

struct action {
    struct barrier *barrier;
    int calls; /* written by one thread at a time */
    pthread_t caller;
    int result;
    bool abort, reset;
    struct gate *here, *go_on; /* or NULL */
    long waiting, parties;     /* what the action was told */
    bool broken;
};

static int act(void *argument)
{
    struct action *action = argument;

    action->calls++;
    action->caller = pthread_self();
    action->waiting = barrier_waiting(action->barrier);
    action->parties = barrier_parties(action->barrier);
    action->broken = barrier_is_broken(action->barrier);
    if (action->here != NULL)
        gate_open(action->here);
    if (action->go_on != NULL)
        gate_pass(action->go_on);
    if (action->abort)
        barrier_abort(action->barrier);
    if (action->reset)
        barrier_reset(action->barrier);
    return action->result;
}

TEST(one_action_a_round, "The action is called once a round, by the thread that arrives last; it may ask the barrier.")
{
    struct action action = {0};
    struct barrier *barrier = new_barrier(2, act, &action, -1);
    struct party other;
    long index = NO_INDEX;

    action.barrier = barrier;
    for (int round = 1; round <= 3; round++) {
        must_wait(&other, barrier, -1);
        must(action.calls == round - 1, "The action was called before all had arrived.");
        must_return(0, barrier_wait(barrier, -1, &index), "barrier_wait of the last to arrive");
        must_have_left(&other, 0, "All have arrived:");
        must(action.calls == round, "After %d rounds the action should have been called %d times, not %d.", round,
             round, action.calls);
        must(pthread_equal(action.caller, pthread_self()), "The action was not called by the last to arrive.");
        must(action.waiting == 2 && action.parties == 2 && !action.broken,
             "The action asked the barrier: 2 should wait of 2, and it should not be broken; it was told %ld of %ld, "
             "and that it is%s broken.",
             action.waiting, action.parties, action.broken ? "" : " not");
        must_be_pair(index, other.index);
    }
    barrier_destroy(barrier);
}

TEST(before_anybody_leaves,
     "The action is done before anybody leaves; meanwhile no lock of the barrier is held, and who comes stays outside.")
{
    struct gate here = GATE_CLOSED, go_on = GATE_CLOSED;
    struct action action = {.here = &here, .go_on = &go_on};
    struct barrier *barrier = new_barrier(2, act, &action, -1);
    struct party parties[4];

    action.barrier = barrier;
    must_wait(&parties[0], barrier, -1);
    party_start(&parties[1], barrier, -1);
    gate_pass(&here);
    must_count(2, barrier, "While the action runs");
    must(!barrier_is_broken(barrier), "While the action runs the barrier is said to be broken.");
    party_start(&parties[2], barrier, -1);
    must_be_blocked(parties[2].runner, "The action of a round still runs, and a third thread got through.");
    must_be_blocked(parties[0].runner, "The action still runs, and a thread has left.");
    gate_open(&go_on);
    must_have_left(&parties[0], 0, "The action has returned:");
    must_have_left(&parties[1], 0, "The action has returned:");
    must_be_blocked(parties[2].runner, "A thread came while the action ran, and it is the only one of its round.");
    party_start(&parties[3], barrier, -1);
    must_have_left(&parties[2], 0, "Both of the second round have arrived:");
    must_have_left(&parties[3], 0, "Both of the second round have arrived:");
    must(action.calls == 2, "In two rounds the action was called %d times.", action.calls);
    barrier_destroy(barrier);
}

TEST(outside_when_it_breaks,
     "Who comes while the action runs stays outside; when the action then fails, he gets ECANCELED.")
{
    struct gate here = GATE_CLOSED, go_on = GATE_CLOSED;
    struct action action = {.here = &here, .go_on = &go_on, .result = EIO};
    struct barrier *barrier = new_barrier(2, act, &action, -1);
    struct party parties[3];

    action.barrier = barrier;
    must_wait(&parties[0], barrier, -1);
    party_start(&parties[1], barrier, -1);
    gate_pass(&here);
    party_start(&parties[2], barrier, -1);
    must_be_blocked(parties[2].runner, "The action of a round still runs, and a third thread got through.");
    gate_open(&go_on);
    must_have_left(&parties[0], ECANCELED, "The action has failed:");
    must_have_left(&parties[1], EIO, "The action has failed, and its own caller:");
    must_have_left(&parties[2], ECANCELED, "A thread came while the action ran, which then failed:");
    must_count(0, barrier, "Where it is broken");
    barrier_destroy(barrier);
}

TEST(no_time_outside,
     "Who comes while a round is full stays outside until it has ended, whatever his time-out; he does not disturb it.")
{
    struct gate here = GATE_CLOSED, go_on = GATE_CLOSED;
    struct action action = {.here = &here, .go_on = &go_on};
    struct barrier *barrier = new_barrier(2, act, &action, -1);
    struct party parties[3];

    action.barrier = barrier;
    must_wait(&parties[0], barrier, -1);
    party_start(&parties[1], barrier, -1);
    gate_pass(&here);
    party_start(&parties[2], barrier, 0);
    enum runner_state outside = runner_state(parties[2].runner);
    bool broken = barrier_is_broken(barrier);
    must(outside != RUNNER_DONE || broken,
         "The action of a round still runs, another thread comes with a time-out of 0, and barrier_wait returns %s: "
         "that says that it broke the barrier, which it did not.",
         error_text(parties[2].result));
    gate_open(&go_on);
    must_have_left(&parties[0], 0, "Both have arrived, the action has returned, and somebody else had no time:");
    must_have_left(&parties[1], 0, "Both have arrived, the action has returned, and somebody else had no time:");
    must(outside == RUNNER_BLOCKED, "The action of a round still runs, and a third thread does not sleep outside.");
    must_have_left(&parties[2], ETIMEDOUT, "With a time-out of 0, and nobody else of his round:");
    must(barrier_is_broken(barrier), "A thread's time is over, and the barrier is not broken.");
    must_be_pair(parties[0].index, parties[1].index);
    barrier_destroy(barrier);
}

TEST(action_fails,
     "An action that fails breaks the barrier: its error is for the thread that called it, the others get ECANCELED.")
{
    struct action action = {.result = EIO};
    struct barrier *barrier = new_barrier(3, act, &action, -1);
    struct party others[2];
    long index = NO_INDEX;

    action.barrier = barrier;
    for (int i = 0; i < 2; i++)
        must_wait(&others[i], barrier, -1);
    must_return(EIO, barrier_wait(barrier, -1, &index), "barrier_wait of the thread whose action returned EIO");
    must(index == NO_INDEX, "barrier_wait returned an error and stored an index.");
    for (int i = 0; i < 2; i++)
        must_have_left(&others[i], ECANCELED, "The action has failed:");
    must(barrier_is_broken(barrier), "The action has failed, and the barrier is not broken.");
    must_return(ECANCELED, barrier_wait(barrier, -1, NULL), "barrier_wait of a broken barrier");
    must(action.calls == 1, "The action was called %d times.", action.calls);
    barrier_destroy(barrier);
}

TEST(action_aborts, "The action may abort the barrier, or reset it: then nobody of the round succeeds.")
{
    for (int i = 0; i < 4; i++) {
        bool reset = i % 2 == 1;
        struct action action = {.abort = !reset, .reset = reset, .result = i < 2 ? 0 : EIO};
        struct barrier *barrier = new_barrier(2, act, &action, -1);
        struct party other;

        action.barrier = barrier;
        must_wait(&other, barrier, -1);
        must_return(i < 2 ? ECANCELED : EIO, barrier_wait(barrier, -1, NULL),
                    i < 2
                        ? "barrier_wait of the thread whose action has broken or reset the barrier"
                        : "barrier_wait of the thread whose action has broken or reset the barrier, and returned EIO,");
        must_have_left(&other, ECANCELED, "The action has broken or reset the barrier:");
        must(barrier_is_broken(barrier) == !reset, "The action has %s the barrier%s, and then it is%s broken.",
             reset ? "reset" : "aborted", i < 2 ? "" : " and returned EIO", reset ? "" : " not");
        barrier_destroy(barrier);
    }
}

TEST(one_action_at_a_time,
     "Two calls of the action never run at the same time: where a round was reset while its action ran, the next one "
     "waits for that thread to leave.")
{
    struct gate here = GATE_CLOSED, go_on = GATE_CLOSED;
    struct action action = {.here = &here, .go_on = &go_on};
    struct barrier *barrier = new_barrier(2, act, &action, -1);
    struct party old[2], next[2];

    action.barrier = barrier;
    must_wait(&old[0], barrier, -1);
    party_start(&old[1], barrier, -1);
    gate_pass(&here);
    barrier_reset(barrier);
    must_have_left(&old[0], ECANCELED, "The barrier was reset while the action ran:");
    for (int i = 0; i < 2; i++) {
        party_start(&next[i], barrier, -1);
        must_be_blocked(next[i].runner,
                        "The barrier was reset, the action of the old round still runs, and a thread of "
                        "the next round got through.");
    }
    must(action.calls == 1, "The barrier was reset while the action ran, two others came, and the action was called "
                            "for them although the first call had not returned.");
    gate_open(&go_on);
    must_have_left(&old[1], ECANCELED, "The barrier was reset while this thread called the action:");
    for (int i = 0; i < 2; i++)
        must_have_left(&next[i], 0, "The round before has left, and both of the next one have arrived:");
    must(action.calls == 2, "In two rounds the action was called %d times.", action.calls);
    barrier_destroy(barrier);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

TEST(second_begins, "Where the nanoseconds of a moment make a whole second, they count as one.")
{
    static const long fractions_ns[] = {999999000, 999999999}; /* with 1 µs: a second, and a little more than one */

    for (int i = 0; i < 2; i++) {
        struct barrier *barrier = new_barrier(2, NULL, NULL, -1);
        struct party timed;

        fraction_ns = fractions_ns[i];
        naps_before = wrap_count(WRAP_pthread_cond_timedwait);
        party_start(&timed, barrier, HOUR_US + 1);
        enum runner_state state = runner_state(timed.runner);
        fraction_ns = -1;
        must(
            state == RUNNER_BLOCKED,
            "At the end of a second, others are missing, and barrier_wait with a time-out of an hour and 1 µs does not "
            "sleep: is the deadline's tv_nsec 1000000000 or more? For that pthread_cond_timedwait returns EINVAL.");
        must_return(0, barrier_wait(barrier, -1, NULL), "barrier_wait of the last to arrive");
        must_have_left(&timed, 0, "Both have arrived:");
        barrier_destroy(barrier);
    }
}

TEST(time_breaks_it, "A thread whose time is over gets ETIMEDOUT, not before its time, and breaks the barrier for all.")
{
    enum { SHORT_US = 30000 };
    struct barrier *barrier = new_barrier(3, NULL, NULL, -1);
    struct party timed, patient;

    must_wait(&patient, barrier, -1);
    party_start(&timed, barrier, SHORT_US);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "One is missing: barrier_wait with a time-out");
    must(timed.took_us >= SHORT_US, "The time-out was %d µs, and barrier_wait gave up after %lld.", SHORT_US,
         (long long)timed.took_us);
    must(timed.index == NO_INDEX, "barrier_wait returned an error and stored an index.");
    must_have_left(&patient, ECANCELED, "Another thread's time is over:");
    must(barrier_is_broken(barrier), "A thread's time is over, and the barrier is not broken.");
    must_return(ECANCELED, barrier_wait(barrier, -1, NULL), "barrier_wait of a broken barrier");
    barrier_destroy(barrier);
}

TEST(no_time_at_all, "With a time-out of 0 the time is over at once, unless all the others are there.")
{
    struct barrier *barrier = new_barrier(2, NULL, NULL, -1);
    struct party other;

    must_wait(&other, barrier, -1);
    must_return(0, barrier_wait(barrier, 0, NULL), "barrier_wait of the last to arrive, with a time-out of 0,");
    must_have_left(&other, 0, "Both have arrived:");
    must_return(ETIMEDOUT, barrier_wait(barrier, 0, NULL),
                "barrier_wait of the first to arrive, with a time-out of 0,");
    must(barrier_is_broken(barrier), "A thread's time is over, and the barrier is not broken.");
    barrier_destroy(barrier);
}

TEST(its_own_time, "The barrier's own time-out is for those who wait without one.")
{
    enum { SHORT_US = 20000 };
    struct barrier *barrier = new_barrier(2, NULL, NULL, SHORT_US);
    struct party timed, patient;

    party_start(&timed, barrier, -1);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "barrier_wait without a time-out, of a barrier that has one,");
    must(timed.took_us >= SHORT_US, "The barrier's time-out was %d µs, and barrier_wait gave up after %lld.", SHORT_US,
         (long long)timed.took_us);
    barrier_reset(barrier);
    party_start(&patient, barrier, 3600000000);
    party_start(&timed, barrier, 3600000000);
    must_have_left(&patient, 0, "Both have arrived:");
    must_have_left(&timed, 0, "Both have arrived:");
    barrier_destroy(barrier);
    barrier = new_barrier(2, NULL, NULL, 0);
    must_return(ETIMEDOUT, barrier_wait(barrier, -1, NULL), "barrier_wait of a barrier with a time-out of 0");
    barrier_reset(barrier);
    must_wait(&patient, barrier, 3600000000); /* who brings a time has that, however short the barrier's own is */
    must_return(0, barrier_wait(barrier, -1, NULL), "barrier_wait of the last to arrive");
    must_have_left(&patient, 0, "Both have arrived:");
    barrier_destroy(barrier);
}

/* One of two wakes up when its time is over, although the round was complete before. */
struct late {
    struct party slow, last, next[2];
    bool forced; /* the next one came before the slow one's time was over */
    bool broken; /* when the slow one had left */
};

static void late_run(struct late *late, struct barrier *barrier, int64_t timeout_us)
{
    party_start(&late->slow, barrier, timeout_us);
    bool calm = settle();
    wrap_lose_signals(true);
    party_start(&late->last, barrier, -1);
    settle();
    wrap_lose_signals(false);
    party_start(&late->next[0], barrier, -1);
    settle();
    late->forced = !calm || now_us() < late->slow.began_us + timeout_us;
    runner_join(late->slow.runner);
    runner_join(late->last.runner);
    late->broken = barrier_is_broken(barrier);
    party_start(&late->next[1], barrier, -1);
    for (int i = 0; i < 2; i++)
        runner_join(late->next[i].runner);
}

TEST(late_is_in_time,
     "When the last has arrived in time, a thread may wake up as late as it likes: it succeeds, and breaks nothing.")
{
    struct late late = {.forced = false};

    for (int64_t timeout_us = 100000; !late.forced && timeout_us < 60000000; timeout_us *= 2) {
        struct barrier *barrier = NULL;
        if (barrier_create(&barrier, 2, NULL, NULL, -1) != 0)
            break;
        late_run(&late, barrier, timeout_us);
        barrier_destroy(barrier);
    }
    must(late.forced, "barrier_create returned an error.");
    must_return(0, late.last.result, "barrier_wait of the last to arrive");
    must_return(0, late.slow.result,
                "The round was complete before the time was over, and then a thread woke up, late: barrier_wait");
    must(!late.broken, "A round was complete before a thread's time was over, and then it broke the barrier, late.");
    must_be_pair(late.slow.index, late.last.index);
    for (int i = 0; i < 2; i++)
        must_return(0, late.next[i].result, "barrier_wait of a thread of the next round");
}

TEST(action_takes_its_time,
     "When the last has arrived the time does not count any more: the action may take as long as it likes.")
{
    struct party timed, last;
    int64_t timeout_us = 50000;
    bool forced = false;

    for (; !forced && timeout_us < 60000000; timeout_us *= 2) {
        struct gate here = GATE_CLOSED, go_on = GATE_CLOSED;
        struct action action = {.here = &here, .go_on = &go_on};
        if (barrier_create(&action.barrier, 2, act, &action, -1) != 0)
            break;
        party_start(&timed, action.barrier, timeout_us);
        bool calm = settle();
        party_start(&last, action.barrier, -1);
        settle();
        forced = !calm || (action.calls == 1 && now_us() < timed.began_us + timeout_us);
        while (forced && calm && now_us() - timed.began_us < timeout_us + 10000)
            nanosleep(&(struct timespec){0, 1000000}, NULL); /* its time has to pass, and nothing else */
        settle();
        gate_open(&go_on);
        runner_join(timed.runner);
        runner_join(last.runner);
        barrier_destroy(action.barrier);
    }
    must(forced, "barrier_create returned an error, or the action was never called.");
    must_return(
        0, timed.result,
        "All had arrived in time, and then the action took so long that a thread's time was over: barrier_wait");
    must_return(0, last.result, "barrier_wait of the last to arrive");
}

TEST(not_a_moment_early, "A time-out is a number of microseconds: it is not rounded down to milliseconds.")
{
    enum { ODD_US = 999, ALMOST_US = 990 };
    struct barrier *barrier = new_barrier(2, NULL, NULL, -1);

    for (int i = 0; i < 20; i++) {
        int64_t began_us = now_us();
        int error = barrier_wait(barrier, ODD_US, NULL);
        int64_t took_us = now_us() - began_us;
        must_return(ETIMEDOUT, error, "One is missing: barrier_wait with a time-out");
        must(took_us >= ALMOST_US, "The time-out was %d µs, and barrier_wait gave up after %lld.", ODD_US,
             (long long)took_us);
        barrier_reset(barrier);
    }
    barrier_destroy(barrier);
}

TEST(time_goes_on, "The time-out is for the whole call: a thread that was woken in vain does not begin it anew.")
{
    struct barrier *barrier = new_barrier(2, NULL, NULL, -1);
    struct party timed;

    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    hour_lost = true;
    party_start(&timed, barrier, 20000);
    must(ends_in_time(timed.runner), "A thread was woken in vain, its time was over, and barrier_wait waits on: each "
                                     "wake-up begins its time anew.");
    hour_lost = false;
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "One is missing: barrier_wait with a time-out");
    barrier_destroy(barrier);
}

TEST(monotonic_clock, "Time is measured by the monotonic clock: the one on the wall may be set while a thread waits.")
{
    struct barrier *barrier = new_barrier(2, NULL, NULL, -1);
    struct party timed;

    party_start(&timed, barrier, 1000);
    runner_join(timed.runner);
    must_return(ETIMEDOUT, timed.result, "One is missing: barrier_wait with a time-out");
    must(!asked_the_wall, "barrier_wait asked for CLOCK_REALTIME, the clock on the wall, to measure its time-out.");
    barrier_destroy(barrier);
}

TEST(complete_in_time, "A timed wait succeeds when all arrive in time, however long that time is.")
{
    const int64_t timeouts_us[] = {HOUR_US, HOUR_US + 999999, INT64_C(1) << 32, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 10; i++) {
        int64_t timeout_us = timeouts_us[i / 2];
        bool own = i % 2 == 1; /* the barrier's */
        struct barrier *barrier = new_barrier(2, NULL, NULL, own ? timeout_us : -1);
        struct party timed, last;

        must_wait(&timed, barrier, own ? -1 : timeout_us);
        party_start(&last, barrier, timeout_us);
        must_have_left(&timed, 0, "Both have arrived:");
        must_have_left(&last, 0, "Both have arrived:");
        barrier_destroy(barrier);
    }
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_memory, "When there is no memory, barrier_create returns ENOMEM.")
{
    struct barrier *barrier = NULL;

    wrap_fail_memory(-1);
    must_return(ENOMEM, barrier_create(&barrier, 2, NULL, NULL, -1), "Without memory, barrier_create");
}

static int make_one(void)
{
    struct barrier *made = NULL;
    int error = barrier_create(&made, 2, NULL, NULL, -1);

    if (error == 0)
        barrier_destroy(made);
    return error;
}

TEST(nothing_kept, "When a part of the barrier cannot be made, barrier_create returns that error and keeps nothing.")
{
    must_keep_nothing("barrier_create", make_one, WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_keep_nothing("barrier_create", make_one, WRAP_pthread_cond_init, 1, "pthread_cond_init");
    must_keep_nothing("barrier_create", make_one, WRAP_pthread_cond_init, 2, "The second pthread_cond_init");
}

TEST(ends_what_it_made, "barrier_destroy gives back all that the barrier holds, broken or not. NULL is fine.")
{
    barrier_destroy(NULL);
    struct barrier *barrier = new_barrier(3, NULL, NULL, -1);
    barrier_abort(barrier);
    barrier_destroy(barrier);
    must_have_ended_all();
}

TEST(as_many_as_you_like,
     "A barrier may be for as many as a long can count; abort wakes those who wait at it, as at any other.")
{
    static const long many[] = {INT_MAX, LONG_MAX, LONG_MAX / 2 + 2};

    for (int i = 0; i < 3; i++) {
        struct barrier *barrier = new_barrier(many[i], NULL, NULL, -1);
        struct party one;
        must(barrier_parties(barrier) == many[i], "barrier_parties should be %ld, but it is %ld.", many[i],
             barrier_parties(barrier));
        must_wait(&one, barrier, -1);
        must_count(1, barrier, "When one of many has arrived");
        barrier_abort(barrier);
        must_have_left(&one, ECANCELED, "The barrier was aborted:");
        barrier_destroy(barrier);
    }
}
