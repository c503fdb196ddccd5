/* scenario.c - one thread waits for two futures, others settle them. */
#include "scenario.h"

#include "wait_any.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

enum { FAILED = 77 };

static struct future *made(void)
{
    struct future *future = NULL;

    ensure(future_create(&future) == 0, "future_create returned an error");
    return future;
}

static void *succeed(void *future)
{
    ensure(future_set_result(future, NULL) == 0, "future_set_result returned an error");
    return NULL;
}

static void *fail(void *future)
{
    ensure(future_set_exception(future, FAILED) == 0, "future_set_exception returned an error");
    return NULL;
}

static void *cancel(void *future)
{
    ensure(future_cancel(future) == 0, "future_cancel returned an error");
    ensure(future_set_running_or_notify_cancel(future) == ECANCELED, "a cancelled future was to be worked on");
    return NULL;
}

/* Two threads settle a future each; the main thread waits. */
static void wait_for_two(void *(*one)(void *), void *(*two)(void *), enum wait_any_when when, int64_t timeout_us,
                         bool all)
{
    struct future *futures[2] = {made(), made()};
    bool done[2] = {false, false};
    pthread_t a = scenario_thread(one, futures[0]), b = scenario_thread(two, futures[1]);

    ensure(wait_any(futures, 2, when, timeout_us, done) == 0, "wait_any returned an error");
    ensure(all ? done[0] && done[1] : done[0] || done[1], "wait_any returned too early");
    scenario_join(a);
    scenario_join(b);
    ensure(wait_any(futures, 2, WAIT_ANY_ALL_COMPLETED, 0, done) == 0, "both are complete, and wait_any waits");
    future_drop(futures[0]);
    future_drop(futures[1]);
}

static void first_of_two(void)
{
    wait_for_two(succeed, cancel, WAIT_ANY_FIRST_COMPLETED, -1, false);
}

static void both_of_two(void)
{
    wait_for_two(succeed, fail, WAIT_ANY_ALL_COMPLETED, -1, true);
}

static void exception_of_two(void)
{
    wait_for_two(succeed, fail, WAIT_ANY_FIRST_EXCEPTION, INT64_MAX, false);
}

static void gives_up(void)
{
    struct future *futures[2] = {made(), made()};
    bool done[2] = {false, false};
    pthread_t other = scenario_thread(succeed, futures[0]);
    int error = wait_any(futures, 2, WAIT_ANY_FIRST_COMPLETED, 0, done);

    ensure(error == 0 || error == ETIMEDOUT, "wait_any returned %d", error);
    ensure(done[0] == (error == 0) && !done[1], "wait_any returned %s, and `done` says otherwise",
           error == 0 ? "0" : "ETIMEDOUT");
    scenario_join(other);
    ensure(wait_any(&futures[1], 1, WAIT_ANY_ALL_COMPLETED, 1, done) == ETIMEDOUT, "wait_any did not return ETIMEDOUT");
    ensure(wait_any(futures, 2, (enum wait_any_when)9, 0, done) == EINVAL, "a wrong `when` is no EINVAL");
    ensure(wait_any(NULL, 0, WAIT_ANY_ALL_COMPLETED, -1, NULL) == 0, "waiting for nothing is an error");
    future_drop(futures[0]);
    future_drop(futures[1]);
}

static struct wait_any_iterator *iterate(struct future *const *futures, size_t count, int64_t timeout_us)
{
    struct wait_any_iterator *iterator = NULL;

    ensure(wait_any_as_completed(&iterator, futures, count, timeout_us) == 0,
           "wait_any_as_completed returned an error");
    return iterator;
}

static void as_they_come(void)
{
    struct future *futures[3] = {made(), made(), NULL};
    struct future *first = NULL, *second = NULL;

    futures[2] = futures[0];
    struct wait_any_iterator *iterator = iterate(futures, 3, -1);
    pthread_t a = scenario_thread(succeed, futures[0]), b = scenario_thread(fail, futures[1]);
    ensure(wait_any_next(iterator, &first) == 0 && wait_any_next(iterator, &second) == 0, "wait_any_next failed");
    ensure(first != second, "the same future came twice");
    ensure(wait_any_next(iterator, &first) == ENOENT, "a third one came, and there are two");
    wait_any_end(iterator);
    scenario_join(a);
    scenario_join(b);
    future_drop(futures[0]);
    future_drop(futures[1]);
}

static void ended_early(void)
{
    struct future *futures[2] = {made(), made()};
    struct future *first = NULL;
    pthread_t other = scenario_thread(succeed, futures[0]);
    struct wait_any_iterator *iterator = iterate(futures, 2, 0);
    int error = wait_any_next(iterator, &first);

    ensure(error == 0 || error == ETIMEDOUT, "wait_any_next returned %d", error);
    wait_any_end(iterator);
    scenario_join(other);
    ensure(future_set_result(futures[1], NULL) == 0, "future_set_result returned an error");
    future_drop(futures[0]);
    future_drop(futures[1]);
    wait_any_end(NULL);
}

/* The iterator's references keep what its owner does not need any more. */
static void dropped_early(void)
{
    struct future *futures[2] = {made(), made()};
    struct future *first = NULL;
    struct wait_any_iterator *iterator = iterate(futures, 2, -1);

    succeed(futures[1]);
    future_drop(futures[0]);
    future_drop(futures[1]);
    ensure(wait_any_next(iterator, &first) == 0 && first == futures[1], "the one that is complete did not come");
    ensure(future_result(first, 0, NULL) == 0, "it has no result");
    wait_any_end(iterator);
}

SCENARIOS = {
    {"first_of_two", first_of_two, "one thread waits for the first of two futures; one succeeds, one is cancelled"},
    {"both_of_two", both_of_two, "one thread waits for both; one succeeds, one fails"},
    {"exception_of_two", exception_of_two, "one thread waits for an exception; one succeeds, one fails"},
    {"gives_up", gives_up, "one thread looks without waiting while another finishes a future"},
    {"as_they_come", as_they_come, "one thread takes two futures as they come, one of them given twice"},
    {"ended_early", ended_early, "one thread ends its iteration while another finishes a future"},
    {"dropped_early", dropped_early, "who made the futures drops them before they have come"},
    SCENARIOS_END,
};
