/* scenario.c - a few threads at the global lock.
 *
 * What the lock guards is `guarded`, a plain number: where two threads have the lock at the same time, or it does not
 * order them, that is a race. Gates force an order that the detectors do not see.
 */
#include "scenario.h"

#include "gil.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef INTERLEAVE
static const bool every_order = true;
#else
static const bool every_order = false;
#endif

/* As short as can be, and so long that it is never over while a scenario runs. */
enum { SHORT_US = 1, HOUR_US = 1000000000 };

static struct gil *made(int64_t interval_us)
{
    struct gil *gil = NULL;

    ensure(gil_create(&gil) == 0, "gil_create returned an error");
    ensure(gil_set_interval(gil, interval_us) == 0, "gil_set_interval returned an error");
    return gil;
}

static struct gil_thread *side(struct gil *gil)
{
    struct gil_thread *thread = NULL;

    ensure(gil_thread_create(gil, &thread) == 0, "gil_thread_create returned an error");
    return thread;
}

struct meeting {
    struct gil *gil;
    int guarded;       /* guarded by gil */
    int turns;         /* how often a spinner passes a checkpoint */
    struct gate held;  /* the first thread has the lock */
    struct gate asked; /* the second one has asked what it asks without the lock */
    struct gate done;  /* the first thread has let go */
};

/* ---- one after the other ---------------------------------------------------------------------------------------- */

static void *once(void *argument)
{
    struct meeting *meeting = argument;
    struct gil_thread *me = side(meeting->gil);

    ensure(gil_take(me) == 0, "gil_take returned an error");
    meeting->guarded++;
    ensure(gil_checkpoint(me) == 0, "gil_checkpoint returned an error");
    meeting->guarded++;
    ensure(gil_drop(me) == 0, "gil_drop returned an error");
    gil_thread_destroy(me);
    return NULL;
}

static void two_threads(void)
{
    struct meeting meeting = {.gil = made(HOUR_US)};
    pthread_t a = scenario_thread(once, &meeting), b = scenario_thread(once, &meeting);

    scenario_join(a);
    scenario_join(b);
    ensure(meeting.guarded == 4, "two threads added 2 each under the lock, and the sum is %d", meeting.guarded);
    ensure(gil_switches(meeting.gil) >= 2, "two threads took the lock, and there were not even two switches");
    gil_destroy(meeting.gil);
}

/* ---- asked to let go -------------------------------------------------------------------------------------------- */

/* Holds the lock and passes checkpoints until it was asked for it, or often enough. */
static void *spin(void *argument)
{
    struct meeting *meeting = argument;
    struct gil_thread *me = side(meeting->gil);

    ensure(gil_take(me) == 0, "gil_take returned an error");
    gate_open(&meeting->held);
    for (int i = 0; i < meeting->turns; i++) {
        meeting->guarded++;
        ensure(gil_checkpoint(me) == 0, "gil_checkpoint returned an error");
    }
    ensure(gil_drop(me) == 0, "gil_drop returned an error");
    gil_thread_destroy(me);
    return NULL;
}

static void *want(void *argument)
{
    struct meeting *meeting = argument;
    struct gil_thread *me = side(meeting->gil);

    gate_pass(&meeting->held);
    ensure(gil_take(me) == 0, "gil_take returned an error");
    meeting->guarded++;
    ensure(gil_drop(me) == 0, "gil_drop returned an error");
    gil_thread_destroy(me);
    return NULL;
}

static void spinner_and_another(int64_t interval_us, int turns)
{
    struct meeting meeting = {.gil = made(interval_us), .turns = turns};
    pthread_t a = scenario_thread(spin, &meeting), b = scenario_thread(want, &meeting);

    scenario_join(a);
    scenario_join(b);
    ensure(meeting.guarded == turns + 1, "the number under the lock should be %d, but it is %d", turns + 1,
           meeting.guarded);
    gil_destroy(meeting.gil);
}

static void asked(void)
{
    spinner_and_another(SHORT_US, 2);
}

/* Where somebody tries all interleavings the hour may be over at any moment; elsewhere it never is. */
static void asked_late(void)
{
    spinner_and_another(HOUR_US, 1);
}

/* A request never outlives its hold, however close to the drop it comes. */
static void *hold_once(void *argument)
{
    struct meeting *meeting = argument;
    struct gil_thread *me = side(meeting->gil);

    ensure(gil_take(me) == 0, "gil_take returned an error");
    gate_open(&meeting->held);
    meeting->guarded++;
    ensure(gil_drop(me) == 0, "gil_drop returned an error");
    ensure(!gil_drop_requested(me), "the lock was dropped, and its holder is still asked to drop it");
    gil_thread_destroy(me);
    return NULL;
}

static void asked_while_dropping(void)
{
    struct meeting meeting = {.gil = made(HOUR_US)};
    pthread_t a = scenario_thread(hold_once, &meeting), b = scenario_thread(want, &meeting);

    scenario_join(a);
    scenario_join(b);
    ensure(meeting.guarded == 2, "two threads added 1 each under the lock, and the sum is %d", meeting.guarded);
    gil_destroy(meeting.gil);
}

/* The holder spins until he is asked: the request does arrive. */
static void *spin_until_asked(void *argument)
{
    struct meeting *meeting = argument;
    struct gil_thread *me = side(meeting->gil);

    ensure(gil_take(me) == 0, "gil_take returned an error");
    gate_open(&meeting->held);
    while (!gil_drop_requested(me))
        continue;
    meeting->guarded++;
    ensure(gil_drop(me) == 0, "gil_drop returned an error");
    ensure(gil_switches(meeting->gil) == 2, "gil_drop returned on request, and no other thread has had the lock");
    gil_thread_destroy(me);
    return NULL;
}

static void asked_for_sure(void)
{
    struct meeting meeting = {.gil = made(SHORT_US)};
    pthread_t a = scenario_thread(spin_until_asked, &meeting), b = scenario_thread(want, &meeting);

    scenario_join(a);
    scenario_join(b);
    gil_destroy(meeting.gil);
}

/* Three threads, and whoever has the lock while others are to come spins until he is asked: so each of them is asked,
 * also the one who got the lock before somebody who had asked for it. */
static void *spin_while_others_wait(void *argument)
{
    struct meeting *meeting = argument;
    struct gil_thread *me = side(meeting->gil);

    ensure(gil_take(me) == 0, "gil_take returned an error");
    if (++meeting->guarded < 3)
        while (!gil_drop_requested(me))
            continue;
    ensure(gil_drop(me) == 0, "gil_drop returned an error");
    gil_thread_destroy(me);
    return NULL;
}

static void each_is_asked(void)
{
    if (!every_order)
        return;
    struct meeting meeting = {.gil = made(SHORT_US)};
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        threads[i] = scenario_thread(spin_while_others_wait, &meeting);
    for (int i = 0; i < 3; i++)
        scenario_join(threads[i]);
    gil_destroy(meeting.gil);
}

/* With an interval without an end it is only the drop that wakes who waits. */
static void never_asked(void)
{
    if (!every_order)
        return;
    struct meeting meeting = {.gil = made(INT64_MAX)};
    pthread_t a = scenario_thread(once, &meeting), b = scenario_thread(once, &meeting);

    scenario_join(a);
    scenario_join(b);
    ensure(meeting.guarded == 4, "two threads added 2 each under the lock, and the sum is %d", meeting.guarded);
    gil_destroy(meeting.gil);
}

/* ---- what is asked without the lock ----------------------------------------------------------------------------- */

/* Another thread sets the interval and asks for it and for the switches, while or after the first has the lock. */
static void *meddle(void *argument)
{
    struct meeting *meeting = argument;

    gate_pass(&meeting->held);
    ensure(gil_set_interval(meeting->gil, 2 * HOUR_US) == 0, "gil_set_interval returned an error");
    ensure(gil_set_interval(meeting->gil, 0) == EINVAL, "gil_set_interval with 0 did not return EINVAL");
    ensure(gil_interval(meeting->gil) == 2 * HOUR_US, "gil_interval is not what was set");
    ensure(gil_switches(meeting->gil) >= 1, "gil_switches is 0 although somebody has the lock");
    gate_open(&meeting->asked);
    return NULL;
}

static void *hold_and_look(void *argument)
{
    struct meeting *meeting = argument;
    struct gil_thread *me = side(meeting->gil);

    ensure(gil_take(me) == 0, "gil_take returned an error");
    gate_open(&meeting->held);
    gate_pass(&meeting->asked);
    ensure(gil_interval(meeting->gil) > 0, "gil_interval is not above 0");
    ensure(gil_is_held(me) && gil_take(me) == EDEADLK, "gil_take of the holder did not return EDEADLK");
    ensure(gil_drop(me) == 0, "gil_drop of the holder returned an error");
    ensure(gil_drop(me) == EPERM, "a second gil_drop did not return EPERM");
    ensure(gil_checkpoint(me) == EPERM, "gil_checkpoint without the lock did not return EPERM");
    gil_thread_destroy(me);
    return NULL;
}

static void looked_at(void)
{
    struct meeting meeting = {.gil = made(HOUR_US)};
    pthread_t a = scenario_thread(hold_and_look, &meeting), b = scenario_thread(meddle, &meeting);

    scenario_join(a);
    scenario_join(b);
    gil_destroy(meeting.gil);
}

/* Two calls, one after the other, which the detectors do not see to be in order. */
struct part {
    void (*play)(struct gil *gil);
    struct gil *gil;
    struct gate *begin, *done; /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->gil);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

static void in_order(void (*first)(struct gil *), void (*second)(struct gil *))
{
    struct gate first_done = GATE_CLOSED;
    struct part one = {first, made(HOUR_US), NULL, &first_done}, two = {second, one.gil, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);

    scenario_join(a);
    scenario_join(b);
    gil_destroy(one.gil);
}

static void set_interval(struct gil *gil)
{
    ensure(gil_set_interval(gil, 1) == 0, "gil_set_interval returned an error");
}

static void ask_interval(struct gil *gil)
{
    ensure(gil_interval(gil) > 0, "gil_interval is not above 0");
}

static void ask_switches(struct gil *gil)
{
    ensure(gil_switches(gil) <= 1, "gil_switches is above 1");
}

static void take_once(struct gil *gil)
{
    struct gil_thread *me = side(gil);

    ensure(gil_take(me) == 0, "gil_take returned an error");
    ensure(gil_drop(me) == 0, "gil_drop returned an error");
    gil_thread_destroy(me);
}

static void pairs(void)
{
    in_order(set_interval, ask_interval);
    in_order(ask_interval, set_interval);
    in_order(set_interval, set_interval);
    in_order(take_once, ask_switches);
    in_order(ask_switches, take_once);
    in_order(take_once, take_once);
}

/* One waits with the interval, and another sets it. */
static void *wait_for_a_turn(void *argument)
{
    struct meeting *meeting = argument;
    struct gil_thread *me = side(meeting->gil);

    gate_pass(&meeting->held);
    ensure(gil_take(me) == 0, "gil_take returned an error");
    ensure(gil_drop(me) == 0, "gil_drop returned an error");
    gil_thread_destroy(me);
    return NULL;
}

static void interval_of_a_waiter(void)
{
    struct meeting meeting = {.gil = made(HOUR_US)};
    pthread_t threads[] = {scenario_thread(hold_and_look, &meeting), scenario_thread(meddle, &meeting),
                           scenario_thread(wait_for_a_turn, &meeting)};

    for (int i = 0; i < 3; i++)
        scenario_join(threads[i]);
    gil_destroy(meeting.gil);
}

/* ---- a thread that ends ----------------------------------------------------------------------------------------- */

static void *first(void *argument)
{
    struct meeting *meeting = argument;

    once(argument);
    gate_open(&meeting->done);
    return NULL;
}

static void *second(void *argument)
{
    struct meeting *meeting = argument;

    gate_pass(&meeting->done);
    ensure(gil_switches(meeting->gil) == 1, "one thread has taken the lock, and gil_switches is not 1");
    once(argument);
    ensure(gil_switches(meeting->gil) == 2, "a second thread has taken the lock, and gil_switches is not 2");
    return NULL;
}

static void after_one_that_ended(void)
{
    struct meeting meeting = {.gil = made(HOUR_US)};
    pthread_t a = scenario_thread(first, &meeting), b = scenario_thread(second, &meeting);

    scenario_join(a);
    scenario_join(b);
    gil_destroy(meeting.gil);
}

static void nobody(void)
{
    gil_thread_destroy(NULL);
    gil_destroy(made(1));
    gil_destroy(NULL);
}

SCENARIOS = {
    {"two_threads", two_threads, "two threads take the lock, one after the other"},
    {"asked", asked, "one thread computes under the lock, another wants it after a very short interval"},
    {"asked_late", asked_late, "one thread computes under the lock, another wants it, and the interval is long"},
    {"asked_while_dropping", asked_while_dropping, "one thread takes and drops the lock, another wants it meanwhile"},
    {"asked_for_sure", asked_for_sure, "one thread computes until it is asked for the lock, then drops it"},
    {"each_is_asked", each_is_asked, "three threads compute until they are asked for the lock, but for the last one"},
    {"never_asked", never_asked, "two threads take the lock, and an interval never ends: nobody asks"},
    {"looked_at", looked_at, "one thread holds the lock, another sets the interval and counts the switches"},
    {"interval_of_a_waiter", interval_of_a_waiter, "the same, and a third one waits for the lock"},
    {"pairs", pairs, "two calls of two threads, one after the other"},
    {"after_one_that_ended", after_one_that_ended, "one thread has had the lock and ended, then another comes"},
    {"nobody", nobody, "a lock is made and ended unused"},
    SCENARIOS_END,
};
