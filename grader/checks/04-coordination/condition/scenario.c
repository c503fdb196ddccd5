/* scenario.c - a few threads at a condition.
 *
 * The lock that most of these bring is as small as can be, so that the explorer has little to explore but the
 * condition. It can stop a thread that waits right after it has let go, and right before it takes the lock again: with
 * gates, which the detectors do not see, so that what is done there without the lock is a race in every run.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h: syscall */
#endif
#include "order.h"

#include "condition.h"
#include "scenario.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- a small lock ----------------------------------------------------------------------------------------------- */

static _Thread_local long depth; /* how often the thread holds the one lock of its scenario */

/* A thread that waits opens `has_left` when it has let go, and passes `may_return` before it takes the lock again. */
struct stop {
    struct gate has_left, wants_back, may_return;
};
static _Thread_local struct stop *stop; /* or NULL */

static int small_acquire(void *object, bool blocking, int64_t timeout_us)
{
    (void)blocking;
    (void)timeout_us;
    if (stop != NULL && depth == 0) {
        gate_open(&stop->wants_back);
        gate_pass(&stop->may_return);
    }
    if (depth++ == 0)
        pthread_mutex_lock(object);
    return 0;
}

static int small_release(void *object)
{
    if (depth == 0)
        return EPERM;
    if (--depth == 0)
        pthread_mutex_unlock(object);
    if (stop != NULL && depth == 0)
        gate_open(&stop->has_left);
    return 0;
}

static long small_depth(void *object)
{
    (void)object;
    return depth;
}

/* A condition, its lock, and what is waited for. */
struct place {
    pthread_mutex_t mutex;
    struct condition *condition;
    bool flag; /* guarded by mutex, as is woken */
    int woken;
    struct stop stop;
    struct gate come; /* where the detectors look, one thread waits for that */
};

static void place_make(struct place *place)
{
    struct condition_lock lock = {&place->mutex, small_acquire, small_release, small_depth};

    *place = (struct place){.flag = false};
    ensure(pthread_mutex_init(&place->mutex, NULL) == 0, "pthread_mutex_init returned an error");
    ensure(condition_create(&place->condition, &lock) == 0, "condition_create returned an error");
}

static void place_end(struct place *place)
{
    condition_destroy(place->condition);
    pthread_mutex_destroy(&place->mutex);
}

static void enter(struct place *place)
{
    ensure(condition_acquire(place->condition, true, -1) == 0, "condition_acquire returned an error");
}

static void leave(struct place *place)
{
    ensure(condition_release(place->condition) == 0, "condition_release returned an error");
}

/* ---- a flag, and who waits for it ------------------------------------------------------------------------------- */

static bool flag_is_true(void *place)
{
    return ((struct place *)place)->flag;
}

static void *wait_for_flag(void *argument)
{
    struct place *place = argument;

    enter(place);
    while (!place->flag)
        ensure(condition_wait(place->condition, -1) == 0, "condition_wait returned an error");
    place->woken++;
    leave(place);
    return NULL;
}

static void *wait_for_flag_with_limit(void *argument)
{
    struct place *place = argument;

    order_pass(&place->come);
    enter(place);
    ensure(condition_wait_for(place->condition, flag_is_true, place, INT64_MAX) == 0,
           "condition_wait_for returned an error");
    place->woken++;
    leave(place);
    return NULL;
}

static void raise_flag(struct place *place, bool all)
{
    enter(place);
    place->flag = true;
    ensure((all ? condition_notify_all(place->condition) : condition_notify(place->condition, 2)) == 0,
           "a notify returned an error");
    leave(place);
}

static void two_wait_for_a_flag(void)
{
    for (int all = 0; all < 2; all++) {
        struct place place;
        place_make(&place);
        pthread_t a = scenario_thread(wait_for_flag, &place), b = scenario_thread(wait_for_flag_with_limit, &place);
        order_until_asleep();
        raise_flag(&place, all == 1);
        gate_open(&place.come);
        scenario_join(a);
        scenario_join(b);
        ensure(place.woken == 2, "two threads waited, and %d were woken", place.woken);
        place_end(&place);
    }
}

/* ---- one wake-up, two who wait ---------------------------------------------------------------------------------- */

/* Waits for a short time. Who is notified passes it on: it is not for him. */
static void *wait_a_moment(void *argument)
{
    struct place *place = argument;

    enter(place);
    int error = condition_wait(place->condition, 1000);
    ensure(error == 0 || error == ETIMEDOUT, "condition_wait with a time-out returned neither 0 nor ETIMEDOUT");
    if (error == 0)
        ensure(condition_notify(place->condition, 1) == 0, "condition_notify returned an error");
    leave(place);
    return NULL;
}

static void one_is_in_a_hurry(void)
{
    struct place place;

    place_make(&place);
    gate_open(&place.come);
    pthread_t a = scenario_thread(wait_a_moment, &place), b = scenario_thread(wait_for_flag, &place);
    enter(&place);
    place.flag = true;
    ensure(condition_notify(place.condition, 1) == 0, "condition_notify returned an error");
    leave(&place);
    scenario_join(a);
    scenario_join(b);
    place_end(&place);
}

/* ---- what is done without the lock ------------------------------------------------------------------------------ */

static void *wait_and_stop(void *argument)
{
    struct place *place = argument;

    enter(place);
    stop = &place->stop;
    int error = condition_wait(place->condition, 1000);
    stop = NULL;
    ensure(error == 0 || error == ETIMEDOUT, "condition_wait with a time-out returned neither 0 nor ETIMEDOUT");
    leave(place);
    return NULL;
}

static void *notify_meanwhile(void *argument)
{
    struct place *place = argument;

    gate_pass(&place->come);
    enter(place);
    ensure(condition_notify(place->condition, 1) == 0, "condition_notify returned an error");
    leave(place);
    gate_open(&place->stop.may_return);
    return NULL;
}

/* A thread's time is over; before it has the lock again another one notifies. */
static void notified_when_late(void)
{
    struct place place;

    place_make(&place);
    pthread_t a = scenario_thread(wait_and_stop, &place), b = scenario_thread(notify_meanwhile, &place);
    gate_pass(&place.stop.wants_back);
    gate_open(&place.come);
    scenario_join(a);
    scenario_join(b);
    place_end(&place);
}

/* A thread has let go of the lock; it may sleep or not, when another one notifies. */
static void notified_when_gone(void)
{
    struct place place;

    place_make(&place);
    pthread_t a = scenario_thread(wait_and_stop, &place), b = scenario_thread(notify_meanwhile, &place);
    gate_pass(&place.stop.has_left);
    gate_open(&place.come);
    scenario_join(a);
    scenario_join(b);
    place_end(&place);
}

/* ---- a lock of its own ------------------------------------------------------------------------------------------ */

static void *wait_deep(void *argument)
{
    struct condition *condition = argument;

    for (int i = 0; i < 2; i++)
        ensure(condition_acquire(condition, true, -1) == 0, "condition_acquire returned an error");
    int error = condition_wait(condition, 2000);
    ensure(error == 0 || error == ETIMEDOUT, "condition_wait with a time-out returned neither 0 nor ETIMEDOUT");
    for (int i = 0; i < 2; i++)
        ensure(condition_release(condition) == 0, "condition_wait did not take the lock as often as before");
    ensure(condition_release(condition) == EPERM, "condition_wait took the lock more often than before");
    return NULL;
}

static bool no(void *unused)
{
    (void)unused;
    return false;
}

static void its_own_lock(void)
{
    struct condition *condition = NULL;

    ensure(condition_create(&condition, NULL) == 0, "condition_create returned an error");
    pthread_t thread = scenario_thread(wait_deep, condition);
    ensure(condition_acquire(condition, true, -1) == 0, "condition_acquire returned an error");
    ensure(condition_notify(condition, LONG_MIN) == 0, "condition_notify of fewer than none returned an error");
    ensure(condition_notify_all(condition) == 0, "condition_notify_all returned an error");
    ensure(condition_wait(condition, 0) == ETIMEDOUT, "a time-out of 0 did not return ETIMEDOUT");
    ensure(condition_wait_for(condition, no, NULL, 1) == ETIMEDOUT, "condition_wait_for did not return ETIMEDOUT");
    ensure(condition_release(condition) == 0, "condition_release returned an error");
    scenario_join(thread);
    condition_destroy(condition);
}

static void *wait_alone(void *argument)
{
    (void)argument;
    struct condition *condition = NULL;

    ensure(condition_create(&condition, NULL) == 0, "condition_create returned an error");
    ensure(condition_acquire(condition, true, -1) == 0, "condition_acquire returned an error");
    ensure(condition_wait(condition, 0) == ETIMEDOUT, "a time-out of 0 did not return ETIMEDOUT");
    ensure(condition_release(condition) == 0, "condition_release returned an error");
    condition_destroy(condition);
    return NULL;
}

/* Nothing orders the two threads: what their conditions share is a race. */
static void two_conditions(void)
{
    pthread_t a = scenario_thread(wait_alone, NULL), b = scenario_thread(wait_alone, NULL);

    scenario_join(a);
    scenario_join(b);
}

static void without_the_lock(void)
{
    struct condition *condition = NULL;

    condition_destroy(NULL);
    ensure(condition_create(&condition, NULL) == 0, "condition_create returned an error");
    ensure(condition_wait(condition, -1) == EPERM, "condition_wait without the lock did not return EPERM");
    ensure(condition_wait_for(condition, no, NULL, -1) == EPERM, "condition_wait_for did not return EPERM");
    ensure(condition_notify(condition, 1) == EPERM, "condition_notify without the lock did not return EPERM");
    ensure(condition_notify_all(condition) == EPERM, "condition_notify_all did not return EPERM");
    condition_destroy(condition);
}

SCENARIOS = {
    {"two_wait_for_a_flag", two_wait_for_a_flag, "two threads wait for a flag, and somebody raises it"},
    {"one_is_in_a_hurry", one_is_in_a_hurry, "two threads wait, one of them not for long, and one wake-up is sent"},
    {"notified_when_late", notified_when_late, "a thread's time is over, and then it is notified"},
    {"notified_when_gone", notified_when_gone, "a thread has just let go of the lock, and is notified"},
    {"its_own_lock", its_own_lock, "a condition has a lock of its own, which a thread takes twice before it waits"},
    {"two_conditions", two_conditions, "two threads wait, each on a condition of its own"},
    {"without_the_lock", without_the_lock, "a thread waits and notifies without the lock"},
    SCENARIOS_END,
};
