/* tests.c - a queue that can be closed while others wait at it.
 *
 * First what a shutdown does, then the store, then the count of tasks, then what every queue must do. The test's own
 * thread puts and gets without waiting; whoever is to wait is a runner, and settle() shows that it sleeps.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syscall */
#endif
#include "check.h"
#include "shutdown.h"
#include "wrap.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { THINGS = 64 };

/* What items point to; nobody ever reads or writes it. */
static char things[THINGS];

/* For messages: which of the things it is; -1 for NULL, -2 for any other pointer. */
static int number_of(const void *item)
{
    for (int i = 0; i < THINGS; i++)
        if (item == &things[i])
            return i;
    return item == NULL ? -1 : -2;
}

static struct shutdown_queue *new_queue(int64_t maxsize)
{
    struct shutdown_queue *queue = NULL;
    int error = shutdown_queue_create(&queue, maxsize);

    must(error == 0 && queue != NULL, "shutdown_queue_create returned %d (%s) or stored no queue.", error,
         strerror(error));
    return queue;
}

static void must_return(int expected, int got, const char *call)
{
    must(got == expected, "%s should return %d (%s), but it returned %d (%s).", call, expected,
         expected == 0 ? "success" : strerror(expected), got, got == 0 ? "success" : strerror(got));
}

/* Puts a thing where there is room. */
static void must_put(struct shutdown_queue *queue, int thing)
{
    must_return(0, shutdown_queue_put(queue, &things[thing], 0),
                "shutdown_queue_put where there is room, with a time-out of 0,");
}

/* Gets a thing, which must be the next one. */
static void must_get(struct shutdown_queue *queue, int thing)
{
    void *item = &number_of;

    must_return(0, shutdown_queue_get(queue, &item, 0),
                "shutdown_queue_get where there is an item, with a time-out of 0,");
    must(item == &things[thing],
         "The next item should be number %d, but shutdown_queue_get gave %d (-1: NULL, -2: none of ours).", thing,
         number_of(item));
}

static void must_empty(struct shutdown_queue *queue)
{
    void *item = &things[0];

    must_return(ETIMEDOUT, shutdown_queue_get(queue, &item, 0),
                "shutdown_queue_get of an empty queue, with a time-out of 0,");
    must(item == &things[0], "shutdown_queue_get returned ETIMEDOUT and changed the caller's item all the same.");
}

static void must_measure(struct shutdown_queue *queue, size_t size, size_t unfinished)
{
    must(shutdown_queue_size(queue) == size, "There are %zu items in the queue, but shutdown_queue_size says %zu.",
         size, shutdown_queue_size(queue));
    must(shutdown_queue_unfinished(queue) == unfinished,
         "There are %zu unfinished tasks, but shutdown_queue_unfinished says %zu.", unfinished,
         shutdown_queue_unfinished(queue));
}

static void must_done(struct shutdown_queue *queue)
{
    must_return(0, shutdown_queue_done(queue), "shutdown_queue_done where a task is unfinished");
}

/* ---- what another thread does ----------------------------------------------------------------------------------- */

/* One put or get by another thread, and what came of it. */
struct visit {
    struct shutdown_queue *queue;
    bool puts;
    int64_t timeout_us;
    void *item; /* to be put, or what was got */
    int result;
    int64_t took_us;
    int64_t behind_us; /* so much the monotonic clock is set back for this thread until it waits */
    struct runner *runner;
};

/* Stands before the C library's own: which clock a waiting thread asks, and what is done to the monotonic one for that
 * thread alone: it is set back by a fixed time until the thread has begun to wait, and then it may jump an hour on. */
static _Thread_local bool waits, jumps;
static _Thread_local int64_t behind_us;
static _Thread_local long waits_before; /* how often anybody had begun a timed wait, before this thread did */
static bool asked_the_wall;             /* written by one waiting thread, read when it has ended */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    bool begun = wrap_count(WRAP_pthread_cond_timedwait) > waits_before;

    if (waits && clock == CLOCK_REALTIME)
        asked_the_wall = true;
    if (waits && jumps && begun)
        now->tv_sec += 3600;
    if (waits && clock == CLOCK_MONOTONIC && !begun) {
        int64_t then_ns = now->tv_sec * INT64_C(1000000000) + now->tv_nsec - behind_us * 1000;
        now->tv_sec = then_ns / 1000000000;
        now->tv_nsec = then_ns % 1000000000;
    }
    return result;
}

static void visit_run(void *argument)
{
    struct visit *visit = argument;
    int64_t began_us = now_us();

    waits_before = wrap_count(WRAP_pthread_cond_timedwait);
    behind_us = visit->behind_us;
    waits = true;
    visit->result = visit->puts ? shutdown_queue_put(visit->queue, visit->item, visit->timeout_us)
                                : shutdown_queue_get(visit->queue, &visit->item, visit->timeout_us);
    waits = false;
    visit->took_us = now_us() - began_us;
}

static struct visit a_get(struct shutdown_queue *queue, int64_t timeout_us)
{
    return (struct visit){.queue = queue, .timeout_us = timeout_us, .item = &things[THINGS - 1], .result = -1};
}

static struct visit a_put(struct shutdown_queue *queue, int thing, int64_t timeout_us)
{
    return (struct visit){.queue = queue, .puts = true, .timeout_us = timeout_us, .item = &things[thing], .result = -1};
}

/* Starts it, and goes on when it sleeps. */
static void must_wait(struct visit *visit)
{
    visit->runner = runner_start(visit_run, visit);
    enum runner_state state = runner_state(visit->runner);
    must(state != RUNNER_BUSY,
         "A thread that waits in shutdown_queue_%s should sleep, but it keeps the processor busy.",
         visit->puts ? "put" : "get");
    must(state == RUNNER_BLOCKED,
         "The queue is %s, and shutdown_queue_%s with a time-out of %lld did not wait but returned %d.",
         visit->puts ? "full" : "empty", visit->puts ? "put" : "get", (long long)visit->timeout_us, visit->result);
}

static void must_still_wait(struct visit *visit, const char *when)
{
    must_be_blocked(visit->runner,
                    "%s a thread that waits in shutdown_queue_%s should go on waiting, but it returned %d.", when,
                    visit->puts ? "put" : "get", visit->result);
}

/* It was woken and has succeeded. */
static void must_end(struct visit *visit, const char *when)
{
    must_be_done(visit->runner, "%s a thread that waits for it in shutdown_queue_%s was not woken.", when,
                 visit->puts ? "put" : "get");
    runner_join(visit->runner);
    must_return(0, visit->result,
                visit->puts ? "shutdown_queue_put of a thread that waited"
                            : "shutdown_queue_get of a thread that waited");
}

static void must_have_got(const struct visit *visit, int thing)
{
    must(visit->item == &things[thing], "The thread that waited should get item number %d, but it got %d.", thing,
         number_of(visit->item));
}

static void join_queue(void *queue)
{
    shutdown_queue_join(queue);
}

/* Starts a thread that joins, and goes on when it sleeps. */
static struct runner *must_join_asleep(struct shutdown_queue *queue)
{
    struct runner *joiner = runner_start(join_queue, queue);
    enum runner_state state = runner_state(joiner);

    must(state != RUNNER_BUSY, "A thread that joins should sleep, but it keeps the processor busy.");
    must(state == RUNNER_BLOCKED, "%zu tasks are unfinished, and shutdown_queue_join returned.",
         shutdown_queue_unfinished(queue));
    return joiner;
}

static void must_be_joined(struct runner *joiner, const char *when)
{
    must_be_done(joiner, "%s a thread that joins was not woken.", when);
    runner_join(joiner);
}

/* ---- after a shutdown ------------------------------------------------------------------------------------------- */

static void shut(struct shutdown_queue *queue, bool immediate)
{
    shutdown_queue_shutdown(queue, immediate, NULL, NULL);
}

/* A put or get by another thread, which must not wait. */
static void must_fail_at_once(struct visit visit, const char *when)
{
    void *item = visit.item;

    visit.runner = runner_start(visit_run, &visit);
    must_be_done(visit.runner, "%s shutdown_queue_%s with a time-out of %lld should return at once, but it waits.",
                 when, visit.puts ? "put" : "get", (long long)visit.timeout_us);
    runner_join(visit.runner);
    must(visit.result == ESHUTDOWN,
         "%s shutdown_queue_%s with a time-out of %lld should return %d (ESHUTDOWN), but it returned %d (%s).", when,
         visit.puts ? "put" : "get", (long long)visit.timeout_us, ESHUTDOWN, visit.result,
         visit.result == 0 ? "success" : strerror(visit.result));
    must(visit.item == item, "shutdown_queue_get returned ESHUTDOWN and changed the caller's item all the same.");
}

static const int64_t any_timeout_us[] = {0, -1, 1000, INT64_MAX};

TEST(puts_fail, "After a shutdown every put fails with ESHUTDOWN, where there is room and where there is none.")
{
    for (int immediate = 0; immediate < 2; immediate++) {
        struct shutdown_queue *queue = new_queue(2);

        must(!shutdown_queue_is_shutdown(queue), "A new queue says that it is shut down.");
        must_put(queue, 1);
        shut(queue, immediate);
        must(shutdown_queue_is_shutdown(queue), "The queue was shut down, and says that it was not.");
        for (int i = 0; i < 4; i++)
            must_fail_at_once(a_put(queue, 2, any_timeout_us[i]), "The queue is shut down and has room:");
        must_measure(queue, immediate ? 0 : 1, immediate ? 0 : 1);
        shutdown_queue_destroy(queue);
    }
    struct shutdown_queue *full = new_queue(1);
    must_put(full, 1);
    shut(full, false);
    must(shutdown_queue_full(full), "The queue is full and was shut down, and shutdown_queue_full says false.");
    for (int i = 0; i < 4; i++)
        must_fail_at_once(a_put(full, 2, any_timeout_us[i]), "The queue is shut down and full:");
    must_measure(full, 1, 1);
    must_get(full, 1);
    must_fail_at_once(a_put(full, 2, 0), "The queue is shut down, and an item was got:");
    must(shutdown_queue_empty(full), "The last item was got, and shutdown_queue_empty says false.");
    shutdown_queue_destroy(full);
}

TEST(gets_drain,
     "After a shutdown gets go on until the queue is empty, in the same order, and then fail with ESHUTDOWN.")
{
    struct shutdown_queue *queue = new_queue(0);

    for (int i = 0; i < 20; i++)
        must_put(queue, i);
    shut(queue, false);
    must_measure(queue, 20, 20);
    for (int i = 0; i < 20; i++) {
        void *item = NULL;
        must_return(0, shutdown_queue_get(queue, &item, any_timeout_us[i % 4]),
                    "shutdown_queue_get of a queue that was shut down with items in it");
        must(item == &things[i], "The next item should be number %d, but it is %d.", i, number_of(item));
    }
    for (int i = 0; i < 4; i++)
        must_fail_at_once(a_get(queue, any_timeout_us[i]), "The queue is shut down and empty:");
    must_measure(queue, 0, 20);
    for (int i = 0; i < 20; i++)
        must_done(queue);
    must_return(EINVAL, shutdown_queue_done(queue), "One shutdown_queue_done too many after the shutdown");
    shutdown_queue_join(queue);
    shutdown_queue_destroy(queue);
}

TEST(immediate_empties,
     "An immediate shutdown throws away what is in the queue: those are no unfinished tasks any more.")
{
    struct shutdown_queue *queue = new_queue(0);

    for (int i = 0; i < 20; i++)
        must_put(queue, i);
    shut(queue, true);
    must_measure(queue, 0, 0);
    for (int i = 0; i < 4; i++)
        must_fail_at_once(a_get(queue, any_timeout_us[i]), "The queue was shut down at once:");
    must_return(EINVAL, shutdown_queue_done(queue), "All items were thrown away: shutdown_queue_done");
    shutdown_queue_join(queue);
    shutdown_queue_destroy(queue);
}

TEST(taken_is_still_unfinished,
     "What was got before an immediate shutdown is still unfinished, and who joins waits for it.")
{
    struct shutdown_queue *queue = new_queue(0);

    for (int i = 0; i < 5; i++)
        must_put(queue, i);
    must_get(queue, 0);
    must_get(queue, 1);
    shut(queue, true);
    must_measure(queue, 0, 2);
    struct runner *joiner = must_join_asleep(queue);
    must_done(queue);
    must_be_blocked(joiner, "Of two tasks in hand one is done, and shutdown_queue_join returned.");
    must_done(queue);
    must_be_joined(joiner, "Both tasks in hand are done, and");
    must_return(EINVAL, shutdown_queue_done(queue), "One shutdown_queue_done too many");
    shutdown_queue_destroy(queue);
}

TEST(done_before_thrown_away, "Where task_done came before the get, an immediate shutdown takes no task away twice.")
{
    struct shutdown_queue *queue = new_queue(0);

    for (int i = 0; i < 3; i++)
        must_put(queue, i);
    must_done(queue);
    must_done(queue);
    must_measure(queue, 3, 1);
    shut(queue, true);
    must_measure(queue, 0, 0);
    must_return(EINVAL, shutdown_queue_done(queue), "shutdown_queue_done");
    shutdown_queue_join(queue);
    shutdown_queue_destroy(queue);
}

TEST(for_good, "A shutdown is for good; it may be called again, and an immediate one may follow a plain one.")
{
    struct shutdown_queue *queue = new_queue(0);

    must_put(queue, 1);
    must_put(queue, 2);
    for (int i = 0; i < 2; i++) {
        shut(queue, false);
        must(shutdown_queue_is_shutdown(queue), "The queue was shut down %d times, and says that it was not.", i + 1);
        must_fail_at_once(a_put(queue, 3, 0), "The queue was shut down:");
    }
    must_get(queue, 1);
    must_measure(queue, 1, 2);
    shut(queue, true);
    must_measure(queue, 0, 1);
    must_fail_at_once(a_get(queue, -1), "The queue was shut down, and then at once:");
    shut(queue, true);
    shut(queue, false);
    must(shutdown_queue_is_shutdown(queue), "The queue was shut down several times, and says that it was not.");
    must_measure(queue, 0, 1);
    must_fail_at_once(a_put(queue, 3, -1), "The queue was shut down several times:");
    shutdown_queue_destroy(queue);
}

TEST(one_queue_only, "A shutdown concerns one queue: others go on.")
{
    struct shutdown_queue *one = new_queue(1), *two = new_queue(1);
    struct visit getter = a_get(two, -1);

    must_wait(&getter);
    shut(one, true);
    must_still_wait(&getter, "Another queue was shut down, and");
    must(!shutdown_queue_is_shutdown(two), "One queue was shut down, and another says that it was.");
    must_put(two, 3);
    must_end(&getter, "An item was put, and");
    shutdown_queue_destroy(one);
    shutdown_queue_destroy(two);
}

/* ---- who sleeps at that moment ---------------------------------------------------------------------------------- */

enum { SLEEPERS = 4 };

/* It was woken by the shutdown. */
static void must_be_sent_away(struct visit *visit)
{
    void *item = visit->item;

    must_be_done(visit->runner, "The queue was shut down, and a thread that sleeps in shutdown_queue_%s was not woken.",
                 visit->puts ? "put" : "get");
    runner_join(visit->runner);
    must_return(ESHUTDOWN, visit->result,
                visit->puts ? "The queue was shut down: shutdown_queue_put of a thread that waited"
                            : "The queue was shut down: shutdown_queue_get of a thread that waited");
    must(visit->item == item, "shutdown_queue_get returned ESHUTDOWN and changed the caller's item.");
}

TEST(getters_are_woken, "A shutdown wakes everyone who sleeps in get: ESHUTDOWN.")
{
    for (int immediate = 0; immediate < 2; immediate++) {
        struct shutdown_queue *queue = new_queue(3);
        struct visit getters[SLEEPERS];

        for (int i = 0; i < SLEEPERS; i++) {
            getters[i] = a_get(queue, i % 2 == 0 ? -1 : INT64_MAX);
            must_wait(&getters[i]);
        }
        shut(queue, immediate);
        for (int i = 0; i < SLEEPERS; i++)
            must_be_sent_away(&getters[i]);
        must_measure(queue, 0, 0);
        shutdown_queue_destroy(queue);
    }
}

TEST(putters_are_woken, "A shutdown wakes everyone who sleeps in put: ESHUTDOWN, and their items are not in the queue.")
{
    for (int immediate = 0; immediate < 2; immediate++) {
        struct shutdown_queue *queue = new_queue(2);
        struct visit putters[SLEEPERS];

        must_put(queue, 1);
        must_put(queue, 2);
        for (int i = 0; i < SLEEPERS; i++) {
            putters[i] = a_put(queue, 10 + i, i % 2 == 0 ? -1 : INT64_MAX);
            must_wait(&putters[i]);
        }
        shut(queue, immediate);
        for (int i = 0; i < SLEEPERS; i++)
            must_be_sent_away(&putters[i]);
        must_measure(queue, immediate ? 0 : 2, immediate ? 0 : 2);
        if (!immediate) {
            must_get(queue, 1);
            must_get(queue, 2);
        }
        must_fail_at_once(a_get(queue, 0), "The queue is shut down and empty:");
        shutdown_queue_destroy(queue);
    }
}

TEST(joiners_are_woken, "An immediate shutdown wakes all who join, where nothing is unfinished any more.")
{
    struct shutdown_queue *queue = new_queue(0);
    struct runner *joiners[SLEEPERS];

    must_put(queue, 1);
    must_put(queue, 2);
    for (int i = 0; i < SLEEPERS; i++)
        joiners[i] = must_join_asleep(queue);
    shut(queue, true);
    for (int i = 0; i < SLEEPERS; i++)
        must_be_joined(joiners[i], "The queue was shut down at once, nothing is unfinished, and");
    shutdown_queue_destroy(queue);
}

TEST(plain_keeps_joiners, "A plain shutdown changes nothing for those who join: they wait until all is done.")
{
    struct shutdown_queue *queue = new_queue(0);

    must_put(queue, 1);
    struct runner *joiner = must_join_asleep(queue);
    shut(queue, false);
    must_be_blocked(joiner, "The queue was shut down with a task unfinished, and shutdown_queue_join returned.");
    must_get(queue, 1);
    must_be_blocked(joiner, "The task was got and is not done, and shutdown_queue_join returned.");
    must_done(queue);
    must_be_joined(joiner, "The task is done, and");
    shutdown_queue_destroy(queue);
}

static void lose_signals(bool lose);

TEST(room_after_a_shutdown,
     "Who waits for room and wakes up after the shutdown puts nothing, though there is room by then.")
{
    struct shutdown_queue *queue = new_queue(1);
    struct visit putter = a_put(queue, 2, -1);

    must_put(queue, 1);
    must_wait(&putter);
    lose_signals(true); /* the putter is slow to wake up */
    must_get(queue, 1);
    lose_signals(false);
    shut(queue, false);
    must_be_sent_away(&putter);
    must_measure(queue, 0, 1);
    shutdown_queue_destroy(queue);
}

TEST(item_before_a_shutdown, "Nothing is lost: who waits for an item that came before the shutdown gets it after.")
{
    struct shutdown_queue *queue = new_queue(1);
    struct visit getter = a_get(queue, -1);

    must_wait(&getter);
    lose_signals(true); /* the getter is slow to wake up */
    must_put(queue, 2);
    lose_signals(false);
    shut(queue, false);
    must_end(&getter, "An item was put, then the queue was shut down, and");
    must_have_got(&getter, 2);
    must_fail_at_once(a_get(queue, -1), "The queue is shut down and empty:");
    shutdown_queue_destroy(queue);
}

/* A shutdown comes in time, nobody is woken, and the waiter sleeps on until its time is over. A slow machine may need
 * more time for the shutdown. Returns whether it came in time (or all is wrong anyway). */
static bool shutdown_unheard(struct visit *late, bool puts, int64_t timeout_us)
{
    struct shutdown_queue *queue = NULL;

    if (shutdown_queue_create(&queue, 1) != 0 || (puts && shutdown_queue_put(queue, &things[0], 0) != 0))
        return true;
    *late = puts ? a_put(queue, 1, timeout_us) : a_get(queue, timeout_us);
    lose_signals(true);
    int64_t began_us = now_us();
    struct runner *waiter = runner_start(visit_run, late);
    bool calm = settle();
    shut(queue, false);
    bool forced = !calm || now_us() - began_us < timeout_us;
    runner_join(waiter);
    lose_signals(false);
    shutdown_queue_destroy(queue);
    return forced;
}

TEST(shut_down_and_late, "Where the queue is shut down and the time is over, ESHUTDOWN is the answer.")
{
    for (int puts = 0; puts < 2; puts++) {
        struct visit late = {.result = -1};

        for (int64_t timeout_us = 50000; timeout_us < 60000000; timeout_us *= 2)
            if (shutdown_unheard(&late, puts == 1, timeout_us))
                break;
        must_return(ESHUTDOWN, late.result,
                    puts ? "The queue was shut down before the time was over: shutdown_queue_put"
                         : "The queue was shut down before the time was over: shutdown_queue_get");
    }
}

/* ---- what is thrown away ---------------------------------------------------------------------------------------- */

/* What discard was called with, and what it saw. */
struct discarded {
    struct shutdown_queue *queue;
    int count, items[8];
    size_t size, unfinished; /* what the first call found */
    int got, put;
    bool elsewhere; /* called by another thread than the one that shut the queue down */
    pthread_t shutter;
};

static void note(void *context, void *item)
{
    struct discarded *discarded = context;
    void *unused = NULL;

    if (discarded->count == 0) {
        discarded->size = shutdown_queue_size(discarded->queue);
        discarded->unfinished = shutdown_queue_unfinished(discarded->queue);
        discarded->got = shutdown_queue_get(discarded->queue, &unused, 0);
        discarded->put = shutdown_queue_put(discarded->queue, NULL, 0);
    }
    discarded->elsewhere |= !pthread_equal(discarded->shutter, pthread_self());
    if (discarded->count < 8)
        discarded->items[discarded->count] = number_of(item);
    discarded->count++;
}

static void shut_and_note(void *argument)
{
    struct discarded *discarded = argument;

    discarded->shutter = pthread_self();
    shutdown_queue_shutdown(discarded->queue, true, note, discarded);
}

TEST(discard_gets_all,
     "Each item thrown away is handed to discard once, in its order, by the thread that calls shutdown.")
{
    struct discarded discarded = {.queue = new_queue(0)};

    must_put(discarded.queue, 1);
    must_return(0, shutdown_queue_put(discarded.queue, NULL, 0), "shutdown_queue_put of NULL");
    must_put(discarded.queue, 3);
    must_put(discarded.queue, 4);
    must_get(discarded.queue, 1);
    struct runner *shutter = runner_start(shut_and_note, &discarded);
    must_be_done(shutter, "discard used the queue, and shutdown waits for ever: it is called with the lock held.");
    runner_join(shutter);
    must(discarded.count == 3, "Three items were in the queue, and discard was called %d times.", discarded.count);
    must(discarded.items[0] == -1 && discarded.items[1] == 3 && discarded.items[2] == 4,
         "NULL, 3 and 4 were in the queue, and discard got %d, %d and %d (-1: NULL).", discarded.items[0],
         discarded.items[1], discarded.items[2]);
    must(!discarded.elsewhere, "discard was called by another thread than the one that called shutdown.");
    shut_and_note(&discarded);
    must(discarded.count == 3, "A second shutdown of the empty queue called discard.");
    shutdown_queue_destroy(discarded.queue);
}

TEST(emptied_at_one_moment, "An immediate shutdown empties the queue at one moment, before the first call of discard.")
{
    struct discarded discarded = {.queue = new_queue(0)};

    for (int i = 0; i < 3; i++)
        must_put(discarded.queue, i);
    struct runner *shutter = runner_start(shut_and_note, &discarded);
    must_be_done(shutter, "discard used the queue, and shutdown waits for ever: it is called with the lock held.");
    runner_join(shutter);
    must(discarded.size == 0 && discarded.unfinished == 0,
         "When discard was called, the queue should be empty with nothing unfinished, but it had %zu items and %zu "
         "tasks.",
         discarded.size, discarded.unfinished);
    must(discarded.got == ESHUTDOWN && discarded.put == ESHUTDOWN,
         "Out of discard a get and a put should return %d (ESHUTDOWN), but they returned %d and %d.", ESHUTDOWN,
         discarded.got, discarded.put);
    shutdown_queue_destroy(discarded.queue);
}

struct slow_discard {
    struct shutdown_queue *queue;
    struct gate go_on;
};

static void discard_slowly(void *context, void *item)
{
    struct slow_discard *slow = context;

    (void)item;
    gate_pass(&slow->go_on);
}

static void shut_slowly(void *argument)
{
    struct slow_discard *slow = argument;

    shutdown_queue_shutdown(slow->queue, true, discard_slowly, slow);
}

TEST(woken_before_discard,
     "An immediate shutdown wakes everyone before the first call of discard, which may take long.")
{
    struct slow_discard slow = {.queue = new_queue(1), .go_on = GATE_CLOSED};
    struct visit putter = a_put(slow.queue, 2, -1);

    must_put(slow.queue, 1);
    must_wait(&putter);
    struct runner *joiner = must_join_asleep(slow.queue);
    struct runner *shutter = runner_start(shut_slowly, &slow);
    must_be_blocked(shutter, "discard is slow, and the shutdown that calls it has returned.");
    must_be_done(putter.runner, "The queue is shut down, discard is slow, and a thread still sleeps in put.");
    must_be_joined(joiner, "All is thrown away, discard is slow, and");
    gate_open(&slow.go_on);
    runner_join(shutter);
    runner_join(putter.runner);
    must_return(ESHUTDOWN, putter.result, "shutdown_queue_put of a thread that waited");
    shutdown_queue_destroy(slow.queue);
}

TEST(nothing_to_discard, "A plain shutdown throws nothing away, and calls discard for nothing.")
{
    struct discarded discarded = {.queue = new_queue(0), .shutter = pthread_self()};

    must_put(discarded.queue, 1);
    shutdown_queue_shutdown(discarded.queue, false, note, &discarded);
    must(discarded.count == 0, "The shutdown was a plain one, and discard was called %d times.", discarded.count);
    must_get(discarded.queue, 1);
    shutdown_queue_shutdown(discarded.queue, true, note, &discarded);
    must(discarded.count == 0, "The queue was empty, and discard was called %d times.", discarded.count);
    shutdown_queue_destroy(discarded.queue);
}

/* ---- a store of one's own --------------------------------------------------------------------------------------- */

/* Two places, newest first. */
struct shelf {
    void *items[2];
    int count, ended, inside, most_inside;
    int refuse;         /* push returns this, unless it is 0 */
    struct gate *delay; /* push waits here; or NULL */
};

static void shelf_enter(struct shelf *shelf)
{
    int inside = __atomic_add_fetch(&shelf->inside, 1, __ATOMIC_SEQ_CST);

    if (inside > shelf->most_inside)
        shelf->most_inside = inside;
}

static void shelf_leave(struct shelf *shelf)
{
    __atomic_sub_fetch(&shelf->inside, 1, __ATOMIC_SEQ_CST);
}

static int shelf_push(void *place, void *item)
{
    struct shelf *shelf = place;

    shelf_enter(shelf);
    if (shelf->delay != NULL)
        gate_pass(shelf->delay);
    int error = shelf->refuse;
    if (error == 0 && shelf->count == 2)
        error = ENOSPC;
    if (error == 0)
        shelf->items[shelf->count++] = item;
    shelf_leave(shelf);
    return error;
}

static void *shelf_pop(void *place)
{
    struct shelf *shelf = place;

    shelf_enter(shelf);
    void *item = shelf->count > 0 ? shelf->items[--shelf->count] : &things[63];
    shelf_leave(shelf);
    return item;
}

static void shelf_end(void *place)
{
    struct shelf *shelf = place;

    shelf->ended++;
}

static const struct shutdown_queue_store shelf_store = {shelf_push, shelf_pop, shelf_end};

static struct shutdown_queue *new_shelf_queue(struct shelf *shelf, int64_t maxsize)
{
    struct shutdown_queue *queue = NULL;
    int error = shutdown_queue_create_with(&queue, maxsize, &shelf_store, shelf);

    must(error == 0 && queue != NULL, "shutdown_queue_create_with returned %d (%s) or stored no queue.", error,
         strerror(error));
    return queue;
}

TEST(store_decides_the_order, "With a store of the caller's, items come out in the order that the store gives.")
{
    struct shelf shelf = {.count = 0};
    struct shutdown_queue *queue = new_shelf_queue(&shelf, 0);
    struct visit getter = a_get(queue, -1);

    must_put(queue, 1);
    must_put(queue, 2);
    must_measure(queue, 2, 2);
    must_get(queue, 2);
    must_get(queue, 1);
    must_empty(queue);
    must_wait(&getter);
    must_put(queue, 3);
    must_end(&getter, "An item was put, and");
    must_have_got(&getter, 3);
    must_put(queue, 4);
    must(shelf.ended == 0, "The queue is in use, and its store was ended.");
    shutdown_queue_destroy(queue);
    must(shelf.ended == 1, "The queue was destroyed, and its store was ended %d times.", shelf.ended);
}

TEST(store_may_refuse, "A put that the store refuses returns the store's error, and the queue is as it was.")
{
    struct shelf shelf = {.count = 0};
    struct shutdown_queue *queue = new_shelf_queue(&shelf, 0);

    must_put(queue, 1);
    must_put(queue, 2);
    must_return(ENOSPC, shutdown_queue_put(queue, &things[3], -1), "The store refused with ENOSPC: shutdown_queue_put");
    must_measure(queue, 2, 2);
    must_get(queue, 2);
    shelf.refuse = EDOM;
    must_return(EDOM, shutdown_queue_put(queue, &things[3], 0), "The store refused with EDOM: shutdown_queue_put");
    must_measure(queue, 1, 2);
    must_get(queue, 1);
    must_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(refused_room_is_not_forgotten,
     "While there is room nobody sleeps for it: a put that the store refused tells the next.")
{
    struct shelf shelf = {.count = 0};
    struct shutdown_queue *queue = new_shelf_queue(&shelf, 1);
    struct visit putters[2] = {a_put(queue, 2, -1), a_put(queue, 3, INT64_MAX)};

    must_put(queue, 1);
    for (int i = 0; i < 2; i++)
        must_wait(&putters[i]);
    shelf.refuse = EDOM;
    must_get(queue, 1);
    for (int i = 0; i < 2; i++) {
        must_be_done(putters[i].runner, "There is room, the store refused the first of two who waited for it, and the "
                                        "other one still sleeps.");
        runner_join(putters[i].runner);
        must_return(EDOM, putters[i].result, "The store refused with EDOM: shutdown_queue_put of a thread that waited");
    }
    must_measure(queue, 0, 1);
    shutdown_queue_destroy(queue);
}

TEST(store_is_not_crowded, "The store's functions are called one at a time: a store needs no lock of its own.")
{
    struct gate delay = GATE_CLOSED;
    struct shelf shelf = {.delay = &delay};
    struct shutdown_queue *queue = new_shelf_queue(&shelf, 0);
    struct visit putters[2] = {a_put(queue, 1, -1), a_put(queue, 2, -1)};

    for (int i = 0; i < 2; i++) {
        putters[i].runner = runner_start(visit_run, &putters[i]);
        must_be_blocked(putters[i].runner, "A put whose store is slow returned %d before the store did.",
                        putters[i].result);
    }
    gate_open(&delay);
    for (int i = 0; i < 2; i++)
        must_end(&putters[i], "The store has gone on, and");
    must(shelf.most_inside == 1, "The store was used by %d threads at the same time.", shelf.most_inside);
    must_measure(queue, 2, 2);
    shutdown_queue_destroy(queue);
}

TEST(store_thrown_away, "An immediate shutdown hands out what the store has, in the store's order.")
{
    struct shelf shelf = {.count = 0};
    struct discarded discarded = {.queue = new_shelf_queue(&shelf, 0)};

    must_put(discarded.queue, 1);
    must_put(discarded.queue, 2);
    shut_and_note(&discarded);
    must(discarded.count == 2 && discarded.items[0] == 2 && discarded.items[1] == 1,
         "A store that gives the newest first had items 1 and 2, and discard got %d items, first %d, then %d.",
         discarded.count, discarded.items[0], discarded.items[1]);
    must_measure(discarded.queue, 0, 0);
    shutdown_queue_destroy(discarded.queue);
    must(shelf.ended == 1, "The queue was destroyed, and its store was ended %d times.", shelf.ended);
}

TEST(taken_out_for_nobody, "An immediate shutdown takes all items out of the store, also where discard is NULL.")
{
    struct shelf shelf = {.count = 0};
    struct shutdown_queue *queue = new_shelf_queue(&shelf, 0);

    must_put(queue, 1);
    must_put(queue, 2);
    shut(queue, true);
    must(shelf.count == 0, "All items were thrown away, and %d are still in the store.", shelf.count);
    must_measure(queue, 0, 0);
    shutdown_queue_destroy(queue);
}

TEST(store_stays_the_callers,
     "Where the queue cannot be made, the store's place is still the caller's, and was not ended.")
{
    struct shelf shelf = {.count = 0};
    struct shutdown_queue *queue = NULL;

    wrap_fail(WRAP_malloc, -1, ENOMEM);
    wrap_fail(WRAP_calloc, -1, ENOMEM);
    must_return(ENOMEM, shutdown_queue_create_with(&queue, 0, &shelf_store, &shelf),
                "Without memory, shutdown_queue_create_with");
    wrap_fail(WRAP_malloc, 0, 0);
    wrap_fail(WRAP_calloc, 0, 0);
    wrap_fail(WRAP_pthread_mutex_init, 1, EAGAIN);
    int error = shutdown_queue_create_with(&queue, 0, &shelf_store, &shelf);
    wrap_fail(WRAP_pthread_mutex_init, 0, 0);
    must(error == EAGAIN || wrap_count(WRAP_pthread_mutex_init) == 0,
         "pthread_mutex_init returned EAGAIN: shutdown_queue_create_with should return it, but it returned %d.", error);
    for (long nth = 1; nth <= 3; nth++) {
        long made = wrap_count(WRAP_pthread_cond_init);
        wrap_fail(WRAP_pthread_cond_init, nth, EAGAIN);
        error = shutdown_queue_create_with(&queue, 0, &shelf_store, &shelf);
        wrap_fail(WRAP_pthread_cond_init, 0, 0);
        must(error == EAGAIN || wrap_count(WRAP_pthread_cond_init) - made < nth,
             "A pthread_cond_init returned EAGAIN: shutdown_queue_create_with should return it, but it returned %d.",
             error);
        must(error == 0 || shelf.ended == 0, "The queue could not be made, and the caller's store was ended.");
        if (error == 0) {
            shutdown_queue_destroy(queue);
            shelf.ended = 0;
        }
    }
    must(shelf.ended == 0, "The queue could not be made, and the caller's store was ended.");
}

/* ---- the count -------------------------------------------------------------------------------------------------- */

TEST(counts_tasks, "Each item that was put is one unfinished task until task_done: a get changes nothing of that.")
{
    struct shutdown_queue *queue = new_queue(0);

    must_measure(queue, 0, 0);
    for (int i = 0; i < 20; i++) {
        must_put(queue, i);
        must_measure(queue, (size_t)i + 1, (size_t)i + 1);
    }
    for (int i = 0; i < 20; i++) {
        must_get(queue, i);
        must_measure(queue, 19 - (size_t)i, 20);
    }
    for (int i = 0; i < 20; i++) {
        must_done(queue);
        must_measure(queue, 0, 19 - (size_t)i);
    }
    shutdown_queue_destroy(queue);
}

TEST(many_tasks, "There may be any number of unfinished tasks, also where the items were got long ago.")
{
    enum { MANY = 70000 };
    struct shutdown_queue *queue = new_queue(1);
    void *item = NULL;
    int wrong = 0;

    for (int i = 0; i < MANY; i++)
        wrong += shutdown_queue_put(queue, &things[1], 0) != 0 || shutdown_queue_get(queue, &item, 0) != 0;
    must(wrong == 0, "Of %d puts and as many gets %d failed.", MANY, wrong);
    must_measure(queue, 0, MANY);
    for (int i = 0; i < MANY; i++)
        wrong += shutdown_queue_done(queue) != 0;
    must(wrong == 0, "%d items were put and got; of as many task_done %d failed.", MANY, wrong);
    must_measure(queue, 0, 0);
    shutdown_queue_destroy(queue);
}

TEST(one_done_too_many, "One task_done more than there were items is EINVAL, and changes nothing.")
{
    struct shutdown_queue *queue = new_queue(0);

    must_return(EINVAL, shutdown_queue_done(queue), "shutdown_queue_done of a new queue");
    must_measure(queue, 0, 0);
    for (int round = 0; round < 2; round++) {
        must_put(queue, 1);
        must_put(queue, 2);
        must_get(queue, 1);
        must_get(queue, 2);
        must_done(queue);
        must_done(queue);
        must_return(EINVAL, shutdown_queue_done(queue), "Two items were put: the third shutdown_queue_done");
        must_return(EINVAL, shutdown_queue_done(queue), "The fourth");
        must_measure(queue, 0, 0);
    }
    shutdown_queue_destroy(queue);
}

TEST(done_before_get, "The queue does not ask who got what: as in Python task_done may come even before the get.")
{
    struct shutdown_queue *queue = new_queue(0);

    must_put(queue, 1);
    must_put(queue, 2);
    must_done(queue);
    must_done(queue);
    must_measure(queue, 2, 0);
    must_return(EINVAL, shutdown_queue_done(queue), "Two items were put: the third shutdown_queue_done");
    shutdown_queue_join(queue);
    must_get(queue, 1);
    must_get(queue, 2);
    must_return(EINVAL, shutdown_queue_done(queue),
                "The two tasks had been done before the items were got: shutdown_queue_done");
    must_put(queue, 3);
    must_put(queue, 4);
    must_return(0, shutdown_queue_done(queue),
                "Two items were put, the two before them were done before they were got");
    must_return(0, shutdown_queue_done(queue), "The second of two");
    must_put(queue, 5);
    must_measure(queue, 3, 1);
    shutdown_queue_destroy(queue);
}

TEST(failed_put_counts_nothing, "A put that fails is no task, and one that still waits for room is none yet.")
{
    struct shutdown_queue *queue = new_queue(1);
    struct visit timed = a_put(queue, 2, 1000), waiting = a_put(queue, 3, -1);

    must_put(queue, 1);
    must_return(ETIMEDOUT, shutdown_queue_put(queue, &things[2], 0),
                "shutdown_queue_put into a full queue with a time-out of 0");
    must_measure(queue, 1, 1);
    runner_join(runner_start(visit_run, &timed));
    must_return(ETIMEDOUT, timed.result, "shutdown_queue_put into a full queue with a time-out of 1000 µs");
    must_measure(queue, 1, 1);
    must_wait(&waiting);
    must_measure(queue, 1, 1);
    must_done(queue);
    must_return(EINVAL, shutdown_queue_done(queue),
                "One item is in the queue, another one waits for room: the second shutdown_queue_done");
    must_get(queue, 1);
    must_end(&waiting, "An item was got, there is room, and");
    must_measure(queue, 1, 1);
    must_done(queue);
    shutdown_queue_destroy(queue);
}

/* Starts `body` once, in another thread, when the thread that set `watched` first lets go of a mutex, and lets it run
 * as far as it can, then and each time after. */
static _Thread_local bool watched;

struct errand {
    struct shutdown_queue *queue;
    void (*body)(void *argument);
    void *argument; /* NULL: the errand itself */
    struct runner *runner;
    int got, result;
};

static void interrupt_with(void *argument)
{
    struct errand *errand = argument;

    if (!watched)
        return;
    if (errand->runner == NULL)
        errand->runner = runner_start(errand->body, errand->argument == NULL ? errand : errand->argument);
    settle();
}

static void watch_for(struct errand *errand)
{
    watched = errand != NULL;
    wrap_after(WRAP_pthread_mutex_unlock, errand == NULL ? NULL : interrupt_with, errand);
}

static void finish(struct errand *errand)
{
    watch_for(NULL);
    if (errand->runner != NULL)
        runner_join(errand->runner);
}

static void get_and_do(void *argument)
{
    struct errand *errand = argument;
    void *item = NULL;

    errand->got = shutdown_queue_get(errand->queue, &item, -1);
    errand->result = shutdown_queue_done(errand->queue);
}

TEST(counted_when_it_can_be_got,
     "An item is counted from the moment at which it can be got: a quick worker's task_done finds it.")
{
    struct errand worker = {.queue = new_queue(0), .body = get_and_do, .got = -1, .result = -1};

    watch_for(&worker);
    int error = shutdown_queue_put(worker.queue, &things[1], -1);
    finish(&worker);
    must_return(0, error, "shutdown_queue_put");
    must_return(0, worker.got, "shutdown_queue_get of a worker");
    must_return(0, worker.result, "shutdown_queue_done of a worker that got the item as soon as it could be got");
    must_measure(worker.queue, 0, 0);
    shutdown_queue_destroy(worker.queue);
}

static void only_done(void *argument)
{
    struct errand *errand = argument;

    errand->result = shutdown_queue_done(errand->queue);
}

TEST(one_task_done_once,
     "Looking whether a task is unfinished and taking it away are one step: of two at once one fails.")
{
    struct errand other = {.queue = new_queue(0), .body = only_done, .result = -1};

    must_put(other.queue, 1);
    watch_for(&other);
    int error = shutdown_queue_done(other.queue);
    finish(&other);
    must((error == 0 && other.result == EINVAL) || (error == EINVAL && other.result == 0),
         "One task was unfinished, two threads said task_done at the same time, and they got %d and %d.", error,
         other.result);
    must_measure(other.queue, 1, 0);
    shutdown_queue_destroy(other.queue);
}

/* ---- join ------------------------------------------------------------------------------------------------------- */

TEST(nothing_to_wait_for, "Where no task is unfinished, join does not wait.")
{
    struct shutdown_queue *queue = new_queue(2);

    for (int round = 0; round < 2; round++) {
        struct runner *joiner = runner_start(join_queue, queue);
        must_be_joined(joiner, "No task is unfinished, and");
        must_put(queue, 1);
        must_get(queue, 1);
        must_done(queue);
    }
    shutdown_queue_destroy(queue);
}

TEST(until_done_not_until_taken, "join waits until every item was done: an empty queue is not enough.")
{
    struct shutdown_queue *queue = new_queue(0);

    must_put(queue, 1);
    must_put(queue, 2);
    struct runner *joiner = must_join_asleep(queue);
    must_get(queue, 1);
    must_get(queue, 2);
    must_be_blocked(joiner, "Both items were got and none is done, and shutdown_queue_join returned.");
    must_done(queue);
    must_be_blocked(joiner, "Of two items one is done, and shutdown_queue_join returned.");
    must_done(queue);
    must_be_joined(joiner, "Both items are done, and");
    shutdown_queue_destroy(queue);
}

TEST(items_in_between, "What is put while somebody joins counts too; only when all is done the join ends.")
{
    struct shutdown_queue *queue = new_queue(0);

    must_put(queue, 1);
    struct runner *joiner = must_join_asleep(queue);
    must_put(queue, 2);
    must_get(queue, 1);
    must_done(queue);
    must_be_blocked(joiner, "A second item was put, only the first is done, and shutdown_queue_join returned.");
    must_get(queue, 2);
    must_done(queue);
    must_be_joined(joiner, "Both items are done, and");
    shutdown_queue_destroy(queue);
}

TEST(all_who_join, "All who join are woken, not just one.")
{
    enum { JOINERS = 4 };
    struct shutdown_queue *queue = new_queue(1);
    struct runner *joiners[JOINERS];

    must_put(queue, 1);
    for (int i = 0; i < JOINERS; i++)
        joiners[i] = must_join_asleep(queue);
    must_get(queue, 1);
    must_done(queue);
    for (int i = 0; i < JOINERS; i++)
        must_be_joined(joiners[i], "Four threads joined, the last task is done, and");
    shutdown_queue_destroy(queue);
}

TEST(joins_again, "After a join the queue is used on as before, and joined again.")
{
    struct shutdown_queue *queue = new_queue(1);

    for (int round = 0; round < 3; round++) {
        must_put(queue, round);
        struct runner *joiner = must_join_asleep(queue);
        must_get(queue, round);
        must_be_blocked(joiner, "The item was got and is not done, and shutdown_queue_join returned.");
        must_done(queue);
        must_be_joined(joiner, "The item is done, and");
        must_measure(queue, 0, 0);
    }
    shutdown_queue_destroy(queue);
}

TEST(join_woken_for_nothing, "Who joins and wakes up looks again: a wait may end although nobody has signalled.")
{
    struct shutdown_queue *queue = new_queue(0);

    must_put(queue, 1);
    wrap_fail(WRAP_pthread_cond_wait, 1, 0);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    struct runner *joiner = must_join_asleep(queue);
    must_done(queue);
    must_be_joined(joiner, "The item is done, and");
    shutdown_queue_destroy(queue);
}

TEST(everybody_waits_for_his_own,
     "Who joins, who gets and who puts wait for different things, and each is woken for its own.")
{
    struct shutdown_queue *queue = new_queue(1), *full = new_queue(1);
    struct visit getter = a_get(queue, -1), putter = a_put(full, 2, -1);

    must_put(queue, 1);
    must_get(queue, 1); /* one task in somebody's hands */
    struct runner *joiner = must_join_asleep(queue);
    must_wait(&getter);
    must_done(queue);
    must_be_joined(joiner, "The last task is done, and");
    must_still_wait(&getter, "A task is done, nothing was put, and");
    must_put(queue, 2);
    must_end(&getter, "An item was put, and");
    must_put(full, 1);
    must_wait(&putter);
    joiner = must_join_asleep(full);
    must_done(full);
    must_be_joined(joiner, "The last task is done, and");
    must_still_wait(&putter, "A task is done, nothing was got, and");
    must_get(full, 1);
    must_end(&putter, "An item was got, and");
    shutdown_queue_destroy(queue);
    shutdown_queue_destroy(full);
}

/* ---- still a queue ---------------------------------------------------------------------------------------------- */

TEST(first_in_first_out, "Items come out in the order in which they went in, each once.")
{
    struct shutdown_queue *queue = new_queue(0);

    for (int i = 0; i < 40; i++)
        must_put(queue, i);
    for (int i = 0; i < 40; i++)
        must_get(queue, i);
    must_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(order_for_good, "The order stays right however puts and gets take turns, while the queue grows and empties.")
{
    struct shutdown_queue *queue = new_queue(0);
    int in = 0, out = 0;

    for (int round = 0; round < 60; round++) {
        int puts = round % 7 + 1, gets = round < 40 ? round % 5 + 1 : 9;
        for (int i = 0; i < puts; i++)
            must_return(0, shutdown_queue_put(queue, &things[in++ % THINGS], 0),
                        "shutdown_queue_put where there is room");
        for (int i = 0; i < gets && out < in; i++)
            must_get(queue, out++ % THINGS);
        must(shutdown_queue_size(queue) == (size_t)(in - out),
             "After %d puts and %d gets shutdown_queue_size says %zu.", in, out, shutdown_queue_size(queue));
    }
    while (out < in)
        must_get(queue, out++ % THINGS);
    must_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(any_pointer, "An item is any pointer, NULL too: the queue counts its items and does not look at them.")
{
    struct shutdown_queue *queue = new_queue(3);
    void *const odd[] = {NULL, (void *)UINTPTR_MAX, (void *)(uintptr_t)1}; /* NOLINT(performance-no-int-to-ptr) */
    void *item = &things[0];

    for (int i = 0; i < 3; i++)
        must_return(0, shutdown_queue_put(queue, odd[i], 0), "shutdown_queue_put of NULL or another odd pointer");
    for (int i = 0; i < 3; i++) {
        must_return(0, shutdown_queue_get(queue, &item, 0), "shutdown_queue_get of NULL or another odd pointer");
        must(item == odd[i], "The pointer %p was put, and shutdown_queue_get gave %p.", odd[i], item);
    }
    must_empty(queue);
    struct visit getter = a_get(queue, -1);
    must_wait(&getter);
    must_return(0, shutdown_queue_put(queue, NULL, -1), "shutdown_queue_put of NULL");
    must_end(&getter, "NULL was put, and");
    must(getter.item == NULL, "NULL was put, and the thread that waited got %p.", getter.item);
    shutdown_queue_destroy(queue);
}

TEST(queues_are_separate, "Each queue has items, a bound and waiters of its own.")
{
    struct shutdown_queue *one = new_queue(1), *two = new_queue(2);
    struct visit getter = a_get(two, -1);

    must_put(one, 1);
    must_empty(two);
    must_wait(&getter);
    must_get(one, 1);
    must_put(one, 2);
    must_still_wait(&getter, "An item was put into another queue, and");
    must_put(two, 3);
    must_end(&getter, "An item was put, and");
    must_have_got(&getter, 3);
    must_get(one, 2);
    shutdown_queue_destroy(one);
    shutdown_queue_destroy(two);
}

TEST(bounded, "There are never more than maxsize items; one more is refused, and the queue is as it was.")
{
    for (int maxsize = 1; maxsize <= 33; maxsize += 16) {
        struct shutdown_queue *queue = new_queue(maxsize);

        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < maxsize; i++) {
                must_put(queue, i);
            }
            must_return(ETIMEDOUT, shutdown_queue_put(queue, &things[60], 0),
                        "shutdown_queue_put into a full queue with a time-out of 0");
            must_return(ETIMEDOUT, shutdown_queue_put(queue, &things[60], 0), "The same again");
            must_get(queue, 0);
            must_put(queue, 61);
            for (int i = 1; i < maxsize; i++)
                must_get(queue, i);
            must_get(queue, 61);
            must_empty(queue);
        }
        shutdown_queue_destroy(queue);
    }
}

TEST(unbounded, "A maxsize of 0 or less means no bound: such a queue is never full.")
{
    static const int64_t sizes[] = {0, -1, INT64_MIN, INT64_MIN + 1};
    enum { MANY = 3000 };

    for (int i = 0; i < 4; i++) {
        struct shutdown_queue *queue = new_queue(sizes[i]);
        int refused = 0, wrong = 0;
        void *item = NULL;

        for (int n = 0; n < MANY; n++)
            refused += shutdown_queue_put(queue, &things[n % 60], 0) != 0;
        must(refused == 0, "maxsize is %lld, which means no bound, and of %d puts %d were refused.",
             (long long)sizes[i], MANY, refused);
        for (int n = 0; n < MANY; n++)
            wrong += shutdown_queue_get(queue, &item, 0) != 0 || item != &things[n % 60];
        must(wrong == 0, "Of %d gets %d failed or gave the wrong item.", MANY, wrong);
        must_empty(queue);
        shutdown_queue_destroy(queue);
    }
}

TEST(large_bound, "A large maxsize costs nothing by itself: memory is taken for the items that come.")
{
    static const int64_t sizes[] = {(int64_t)1 << 31, (int64_t)1 << 32, ((int64_t)1 << 32) + 1, (int64_t)1 << 40,
                                    INT64_MAX};

    for (int i = 0; i < 5; i++) {
        struct shutdown_queue *queue = new_queue(sizes[i]);

        for (int n = 0; n < 40; n++)
            must_put(queue, n);
        for (int n = 0; n < 40; n++)
            must_get(queue, n);
        shutdown_queue_destroy(queue);
    }
}

TEST(get_waits_asleep, "Who gets from an empty queue waits asleep, and is woken by the next put.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MIN, 3600000000, 3600999999, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 6; i++) {
        struct shutdown_queue *queue = new_queue(i % 2);
        struct visit getter = a_get(queue, timeouts_us[i]);

        must_wait(&getter);
        must_return(0, shutdown_queue_put(queue, &things[i], i < 3 ? -1 : 1000000),
                    "shutdown_queue_put where there is room");
        must_end(&getter, "An item was put, and");
        must_have_got(&getter, i);
        must_empty(queue);
        shutdown_queue_destroy(queue);
    }
}

TEST(put_waits_asleep, "Who puts into a full queue waits asleep, and is woken by the next get.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MIN, 3600000000, 3600999999, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 6; i++) {
        struct shutdown_queue *queue = new_queue(2);
        struct visit putter = a_put(queue, 3, timeouts_us[i]);

        must_put(queue, 1);
        must_put(queue, 2);
        must_wait(&putter);
        must_get(queue, 1);
        must_end(&putter, "An item was got, there is room, and");
        must_get(queue, 2);
        must_get(queue, 3);
        must_empty(queue);
        shutdown_queue_destroy(queue);
    }
}

enum { WAITERS = 4 };

TEST(one_item_for_one, "Each put lets one thread go on that waits for an item, and the others wait on.")
{
    struct shutdown_queue *queue = new_queue(0);
    struct visit getters[WAITERS];
    int seen = 0;

    for (int i = 0; i < WAITERS; i++) {
        getters[i] = a_get(queue, i % 2 == 0 ? -1 : INT64_MAX);
        must_wait(&getters[i]);
    }
    for (int n = 1; n <= WAITERS; n++) {
        int done = 0;
        must_put(queue, n);
        for (int i = 0; i < WAITERS; i++)
            done += runner_state(getters[i].runner) == RUNNER_DONE ? 1 : 0;
        must(done == n, "%d threads waited for an item, then %d items were put one by one, and %d threads went on.",
             WAITERS, n, done);
    }
    for (int i = 0; i < WAITERS; i++) {
        must_end(&getters[i], "As many items were put as threads wait, and");
        seen |= 1 << (number_of(getters[i].item) & 15);
    }
    must(seen == 30, "Items 1 to 4 were put, and the four threads did not get one each.");
    must_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(one_room_for_one, "Each get lets one thread go on that waits for room, and the others wait on.")
{
    struct shutdown_queue *queue = new_queue(1);
    struct visit putters[WAITERS];
    void *item = NULL;
    int seen = 0;

    must_put(queue, 0);
    for (int i = 0; i < WAITERS; i++) {
        putters[i] = a_put(queue, i + 1, i % 2 == 0 ? -1 : INT64_MAX);
        must_wait(&putters[i]);
    }
    must_get(queue, 0);
    for (int n = 1; n <= WAITERS; n++) {
        int done = 0;
        for (int i = 0; i < WAITERS; i++)
            done += runner_state(putters[i].runner) == RUNNER_DONE ? 1 : 0;
        must(done == n, "%d threads waited for room, then %d items were got one by one, and %d threads went on.",
             WAITERS, n, done);
        must_return(0, shutdown_queue_get(queue, &item, 0), "shutdown_queue_get of a full queue");
        seen |= 1 << (number_of(item) & 15);
    }
    for (int i = 0; i < WAITERS; i++)
        must_end(&putters[i], "As many items were got as threads wait, and");
    must(seen == 30, "Four threads put items 1 to 4, and not all of them came out.");
    must_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(woken_for_nothing, "Who wakes up looks again: a wait may end although nobody has signalled.")
{
    for (int i = 0; i < 4; i++) {
        struct shutdown_queue *queue = new_queue(1);
        struct visit visit = i < 2 ? a_get(queue, i == 0 ? -1 : INT64_MAX) : a_put(queue, 2, i == 2 ? -1 : INT64_MAX);

        if (visit.puts)
            must_put(queue, 1);
        wrap_fail(WRAP_pthread_cond_wait, 1, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        must_wait(&visit);
        if (visit.puts)
            must_get(queue, 1);
        else
            must_put(queue, 2);
        must_end(&visit, "After a wait that ended for nothing the queue has changed, and");
        if (visit.puts)
            must_get(queue, 2);
        must_empty(queue);
        shutdown_queue_destroy(queue);
    }
}

TEST(one_item_once, "Looking whether there is an item and taking it are one step: two threads never get the same one.")
{
    struct shutdown_queue *queue = new_queue(0);
    struct visit other = a_get(queue, 0), mine = a_get(queue, 0);
    struct errand errand = {.body = visit_run, .argument = &other};

    must_put(queue, 5);
    watch_for(&errand);
    visit_run(&mine);
    finish(&errand);
    int got = (mine.result == 0) + (other.result == 0);
    must(got == 1, "There was one item, and two threads wanted it at the same time: %d of them got one.", got);
    must(number_of(mine.result == 0 ? mine.item : other.item) == 5,
         "The one that got an item did not get the right one.");
    must_put(queue, 6);
    must_get(queue, 6);
    shutdown_queue_destroy(queue);
}

TEST(one_room_once, "Looking whether there is room and using it are one step: the bound holds at every moment.")
{
    struct shutdown_queue *queue = new_queue(1);
    struct visit other = a_put(queue, 1, 0), mine = a_put(queue, 2, 0);
    struct errand errand = {.body = visit_run, .argument = &other};

    watch_for(&errand);
    visit_run(&mine);
    finish(&errand);
    int put = (mine.result == 0) + (other.result == 0);
    must(put == 1, "There was room for one item, and two threads put one at the same time: %d of them succeeded.", put);
    must_get(queue, mine.result == 0 ? 2 : 1);
    must_empty(queue);
    shutdown_queue_destroy(queue);
}

/* Asks for something while another thread is just at the queue, and holds its mutex if it needs one. */
struct query {
    struct shutdown_queue *queue;
    void (*body)(void *query);
    int result;
    struct runner *runner;
};

static void put_now(void *argument)
{
    struct query *query = argument;

    query->result = shutdown_queue_put(query->queue, &things[2], 0);
}

static void get_now(void *argument)
{
    struct query *query = argument;
    void *item = NULL;

    query->result = shutdown_queue_get(query->queue, &item, 0);
}

static void ask_now(void *argument)
{
    struct query *query = argument;

    size_t size = shutdown_queue_size(query->queue);
    query->result = size == 1 || size == 2 ? 0 : EBUSY;
}

static void done_now(void *argument)
{
    struct query *query = argument;

    query->result = shutdown_queue_done(query->queue);
}

static void count_now(void *argument)
{
    struct query *query = argument;

    size_t unfinished = shutdown_queue_unfinished(query->queue);
    query->result = unfinished == 1 || unfinished == 2 ? 0 : EBUSY;
}

static _Thread_local bool asked_meanwhile; /* the thread whose calls are held up */

static void ask_meanwhile(void *argument)
{
    struct query *query = argument;

    if (!asked_meanwhile || query->runner != NULL)
        return;
    query->runner = runner_start(query->body, query);
    settle();
}

TEST(busy_is_not_full, "A time-out of 0 does not wait for room or an item, but for its turn: that another thread is "
                       "just at the queue is no reason to fail.")
{
    static const struct {
        void (*body)(void *query);
        const char *call;
    } queries[] = {
        {put_now, "There is room, another thread is just at the queue: shutdown_queue_put with a time-out of 0"},
        {get_now, "There is an item, another thread is just at the queue: shutdown_queue_get with a time-out of 0"},
        {ask_now,
         "There is an item, another thread just puts a second one: asking whether shutdown_queue_size is 1 or 2"},
        {done_now, "A task is unfinished, another thread just puts a second one: shutdown_queue_done"},
        {count_now, "A task is unfinished, another thread just puts a second one: asking whether "
                    "shutdown_queue_unfinished is 1 or 2"},
    };

    for (int i = 0; i < 5; i++) {
        struct query query = {.queue = new_queue(3), .body = queries[i].body, .result = -1};

        must_put(query.queue, 1);
        asked_meanwhile = true;
        wrap_after(WRAP_pthread_mutex_lock, ask_meanwhile, &query);
        int error = shutdown_queue_put(query.queue, &things[3], -1);
        wrap_after(WRAP_pthread_mutex_lock, NULL, NULL);
        asked_meanwhile = false;
        runner_join(query.runner != NULL ? query.runner : runner_start(query.body, &query));
        must_return(0, error, "shutdown_queue_put where there is room, with a time-out of -1,");
        must_return(0, query.result, queries[i].call);
        shutdown_queue_destroy(query.queue);
    }
}

TEST(no_time_at_all,
     "A time-out of 0 does not wait, and one above 0 does not either where nothing has to be waited for.")
{
    struct shutdown_queue *queue = new_queue(1);
    void *item = NULL;

    must_empty(queue);
    must_return(0, shutdown_queue_put(queue, &things[1], 1),
                "shutdown_queue_put where there is room, with a time-out of 1 µs,");
    must_return(ETIMEDOUT, shutdown_queue_put(queue, &things[2], 0),
                "shutdown_queue_put into a full queue with a time-out of 0");
    must_return(0, shutdown_queue_get(queue, &item, 1),
                "shutdown_queue_get where there is an item, with a time-out of 1 µs,");
    must(item == &things[1], "Item number 1 was put, and shutdown_queue_get gave %d.", number_of(item));
    must_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(time_runs_out, "A timed call gives up with ETIMEDOUT, but not before its time, and leaves no trace.")
{
    enum { SHORT_US = 30000 };

    for (int puts = 0; puts < 2; puts++) {
        struct shutdown_queue *queue = new_queue(1);
        struct visit timed = puts ? a_put(queue, 1, SHORT_US) : a_get(queue, SHORT_US);
        struct visit patient = puts ? a_put(queue, 2, -1) : a_get(queue, -1);

        if (puts)
            must_put(queue, 0);
        timed.runner = runner_start(visit_run, &timed);
        must_wait(&patient);
        runner_join(timed.runner);
        must_return(ETIMEDOUT, timed.result,
                    puts ? "There was never room: shutdown_queue_put" : "There was never an item: shutdown_queue_get");
        must(timed.took_us >= SHORT_US, "The time-out was %d µs, and the call gave up after %lld.", SHORT_US,
             (long long)timed.took_us);
        must(timed.item == &things[puts ? 1 : THINGS - 1],
             "shutdown_queue_get returned ETIMEDOUT and changed the caller's item.");
        if (puts)
            must_get(queue, 0);
        else
            must_put(queue, 2);
        must_end(&patient, "One thread gave up, then the queue changed, and");
        if (puts)
            must_get(queue, 2);
        must_empty(queue);
        shutdown_queue_destroy(queue);
    }
}

TEST(never_too_early, "A timed call does not give up before its time: nothing of it may be lost in the sum.")
{
    static const struct {
        int64_t timeout_us, behind_us;
    } times[] = {{1999, 0}, {999999, 990000}};
    enum { ROUNDS = 8 }; /* a busy machine hides what is early now and then, never what is early each time */

    for (int n = 0; n < 4 * ROUNDS; n++) {
        struct shutdown_queue *queue = new_queue(1);
        int64_t timeout_us = times[n / 2 % 2].timeout_us, set_back_us = times[n / 2 % 2].behind_us;
        struct visit timed = n % 2 == 0 ? a_get(queue, timeout_us) : a_put(queue, 1, timeout_us);

        if (timed.puts)
            must_put(queue, 0);
        timed.behind_us = set_back_us;
        runner_join(runner_start(visit_run, &timed));
        must_return(ETIMEDOUT, timed.result, "A call that waits in vain");
        must(timed.took_us >= timeout_us - set_back_us,
             "With a time-out of %lld µs (and the monotonic clock set back by %lld µs for the test) the call should "
             "wait %lld µs at least, but it gave up after %lld.",
             (long long)timeout_us, (long long)set_back_us, (long long)(timeout_us - set_back_us),
             (long long)timed.took_us);
        shutdown_queue_destroy(queue);
    }
}

/* The clock jumps an hour once the wait has begun: whoever asks it again to compute a whole time-out waits an hour. */
static void visit_with_jump(void *argument)
{
    jumps = true;
    visit_run(argument);
    jumps = false;
}

TEST(time_is_not_renewed,
     "A wait that ended for nothing does not begin its time-out anew: the deadline stays where it is.")
{
    for (int puts = 0; puts < 2; puts++) {
        struct shutdown_queue *queue = new_queue(1);
        struct visit timed = puts ? a_put(queue, 1, 30000) : a_get(queue, 30000);

        if (puts)
            must_put(queue, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        runner_join(runner_start(visit_with_jump, &timed));
        must_return(ETIMEDOUT, timed.result, "A wait that once ended for nothing, and then ran out of time,");
        shutdown_queue_destroy(queue);
    }
}

TEST(monotonic_clock, "Time is measured by the monotonic clock: the one on the wall may be set while a thread waits.")
{
    struct shutdown_queue *queue = new_queue(1);

    for (int puts = 0; puts < 2; puts++) {
        struct visit timed = puts ? a_put(queue, 1, 1000) : a_get(queue, 1000);
        if (puts)
            must_put(queue, 0);
        runner_join(runner_start(visit_run, &timed));
        must_return(ETIMEDOUT, timed.result,
                    puts ? "There was never room: shutdown_queue_put" : "There was never an item: shutdown_queue_get");
    }
    must(!asked_the_wall, "The queue asked for CLOCK_REALTIME, the clock on the wall, to measure a time-out.");
    shutdown_queue_destroy(queue);
}

static void lose_signals(bool lose)
{
    wrap_fail(WRAP_pthread_cond_signal, lose ? -1 : 0, 0);
    wrap_fail(WRAP_pthread_cond_broadcast, lose ? -1 : 0, 0);
}

/* A change comes in time, its signal does not arrive, and the waiter sleeps on until its time is over. A slow machine
 * may need more time for the change. Returns whether it came in time (or all is wrong anyway). */
static bool change_unheard(struct visit *late, bool puts, int64_t timeout_us)
{
    struct shutdown_queue *queue = NULL;

    if (shutdown_queue_create(&queue, 1) != 0 || (puts && shutdown_queue_put(queue, &things[0], 0) != 0))
        return true;
    *late = puts ? a_put(queue, 1, timeout_us) : a_get(queue, timeout_us);
    lose_signals(true);
    int64_t began_us = now_us();
    struct runner *waiter = runner_start(visit_run, late);
    bool calm = settle();
    void *item = NULL;
    int error = puts ? shutdown_queue_get(queue, &item, 0) : shutdown_queue_put(queue, &things[1], 0);
    bool forced = !calm || error != 0 || now_us() - began_us < timeout_us;
    runner_join(waiter);
    lose_signals(false);
    shutdown_queue_destroy(queue);
    return forced;
}

TEST(there_and_late,
     "ETIMEDOUT means that nothing came in time: who wakes up late and finds an item, or room, takes it.")
{
    for (int puts = 0; puts < 2; puts++) {
        struct visit late = {.result = -1};

        for (int64_t timeout_us = 50000; timeout_us < 60000000; timeout_us *= 2)
            if (change_unheard(&late, puts == 1, timeout_us))
                break;
        must_return(
            0, late.result,
            puts ? "There was room in time, and then the time was over before the waiter woke up: shutdown_queue_put"
                 : "An item came in time, and then the time was over before the waiter woke up: shutdown_queue_get");
    }
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static void fail_memory(bool fail)
{
    wrap_fail(WRAP_malloc, fail ? -1 : 0, ENOMEM);
    wrap_fail(WRAP_calloc, fail ? -1 : 0, ENOMEM);
    wrap_fail(WRAP_realloc, fail ? -1 : 0, ENOMEM);
}

TEST(no_memory, "When there is no memory, shutdown_queue_create returns ENOMEM.")
{
    struct shutdown_queue *queue = NULL;

    fail_memory(true);
    must_return(ENOMEM, shutdown_queue_create(&queue, 0), "Without memory, shutdown_queue_create");
}

TEST(no_memory_for_one_more, "A put that finds no memory returns ENOMEM, and the queue is as it was, and goes on.")
{
    enum { MANY = 100000 };
    struct shutdown_queue *queue = new_queue(0);
    int kept = 0, wrong = 0, error = 0;
    void *item = NULL;

    for (; kept < 20; kept++)
        must_put(queue, kept);
    must_get(queue, 0);
    fail_memory(true);
    while (error == 0 && kept < MANY) {
        error = shutdown_queue_put(queue, &things[kept % 60], 0);
        kept += error == 0 ? 1 : 0;
    }
    must_return(ENOMEM, error, "Without memory, one of very many puts");
    must_measure(queue, (size_t)kept - 1, (size_t)kept);
    fail_memory(false);
    must_return(0, shutdown_queue_put(queue, &things[kept % 60], 0), "With memory again, shutdown_queue_put");
    for (int n = 1; n <= kept; n++)
        wrong += shutdown_queue_get(queue, &item, 0) != 0 || item != &things[n % 60];
    must(wrong == 0, "One put had failed for want of memory, and then %d of %d gets gave the wrong item.", wrong, kept);
    must_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(room_is_not_forgotten,
     "While there is room nobody sleeps for it: a put that was woken and then failed tells the next.")
{
    struct shutdown_queue *queue = new_queue(20);
    struct visit putters[2] = {a_put(queue, 20, -1), a_put(queue, 21, -1)};
    void *item = NULL;
    int asleep = 0;

    for (int n = 0; n < 20; n++)
        must_put(queue, n);
    for (int i = 0; i < 2; i++)
        must_wait(&putters[i]);
    fail_memory(true);
    must_get(queue, 0);
    for (int i = 0; i < 2; i++)
        asleep += runner_state(putters[i].runner) == RUNNER_BLOCKED ? 1 : 0;
    must(asleep == 0 || shutdown_queue_size(queue) == 20,
         "There is room for an item, and a thread still sleeps for it: "
         "the one that was woken had no memory, and told nobody.");
    fail_memory(false);
    while (shutdown_queue_get(queue, &item, 0) == 0) /* whoever still waits has room now */
        settle();
    for (int i = 0; i < 2; i++)
        runner_join(putters[i].runner);
    shutdown_queue_destroy(queue);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

/* Makes every call of `what` fail, and asks whether shutdown_queue_create says so and keeps nothing. */
static void must_give_up(enum wrap_call what, long nth, const char *name)
{
    struct shutdown_queue *queue = NULL;
    long before = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) - wrap_count(WRAP_free);
    long calls = wrap_count(what);

    wrap_fail(what, nth, EAGAIN);
    int error = shutdown_queue_create(&queue, 4);
    wrap_fail(what, 0, 0);
    bool tried = wrap_count(what) - calls >= nth;
    long kept = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) - wrap_count(WRAP_free) - before;
    must(!tried || error == EAGAIN,
         "%s returned EAGAIN: shutdown_queue_create should return it, but it returned %d (%s).", name, error,
         strerror(error));
    must(!tried || kept <= 0, "%s failed, and shutdown_queue_create kept memory that it had allocated: it is lost.",
         name);
    if (error == 0)
        shutdown_queue_destroy(queue);
}

TEST(nothing_kept,
     "When a part of the queue cannot be made, shutdown_queue_create returns that error and keeps nothing.")
{
    must_give_up(WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    must_give_up(WRAP_pthread_cond_init, 1, "The first pthread_cond_init");
    must_give_up(WRAP_pthread_cond_init, 2, "The second pthread_cond_init");
    must_give_up(WRAP_pthread_cond_init, 3, "The third pthread_cond_init");
    long mutexes = wrap_count(WRAP_pthread_mutex_init) - wrap_count(WRAP_pthread_mutex_destroy);
    long conditions = wrap_count(WRAP_pthread_cond_init) - wrap_count(WRAP_pthread_cond_destroy);
    must(mutexes <= 1,
         "pthread_cond_init failed, and shutdown_queue_create did not destroy the mutex that it had made.");
    must(conditions <= 3,
         "A pthread_cond_init failed, and shutdown_queue_create did not destroy the condition it had made.");
}

TEST(ends_what_it_made, "shutdown_queue_destroy gives back all that the queue holds, whatever is in it. NULL is fine.")
{
    shutdown_queue_destroy(NULL);
    struct shutdown_queue *queue = new_queue(0);
    for (int n = 0; n < 40; n++)
        must_put(queue, n);
    for (int n = 0; n < 10; n++)
        must_get(queue, n);
    shutdown_queue_destroy(queue);
    must(wrap_count(WRAP_pthread_mutex_destroy) >= wrap_count(WRAP_pthread_mutex_init),
         "%ld mutexes were made with pthread_mutex_init, and %ld were destroyed.", wrap_count(WRAP_pthread_mutex_init),
         wrap_count(WRAP_pthread_mutex_destroy));
    must(wrap_count(WRAP_pthread_cond_destroy) >= wrap_count(WRAP_pthread_cond_init),
         "%ld conditions were made with pthread_cond_init, and %ld were destroyed.", wrap_count(WRAP_pthread_cond_init),
         wrap_count(WRAP_pthread_cond_destroy));
}
