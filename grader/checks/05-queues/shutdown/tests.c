/* tests.c - a queue that can be closed while others wait at it.
 *
 * First what a shutdown does, then the store. What every queue must do stands in queue_tests.h, the count of tasks in
 * task_tests.h. The test's own thread puts and gets without waiting; whoever is to wait is a runner, and settle() shows
 * that it sleeps.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syscall */
#endif
#include "shutdown.h"
#include "task_tests.h"

#include <pthread.h>

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
         "%s shutdown_queue_%s with a time-out of %lld should return %d (ESHUTDOWN), but it returned %s.", when,
         visit.puts ? "put" : "get", (long long)visit.timeout_us, ESHUTDOWN, error_text(visit.result));
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
        must_count(queue, immediate ? 0 : 1, immediate ? 0 : 1);
        must(!shutdown_queue_full(queue), "The queue is shut down and has room, and shutdown_queue_full says true.");
        shutdown_queue_destroy(queue);
    }
    struct shutdown_queue *full = new_queue(1);
    must_put(full, 1);
    shut(full, false);
    must(shutdown_queue_full(full), "The queue is full and was shut down, and shutdown_queue_full says false.");
    for (int i = 0; i < 4; i++)
        must_fail_at_once(a_put(full, 2, any_timeout_us[i]), "The queue is shut down and full:");
    must_count(full, 1, 1);
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
    must_count(queue, 20, 20);
    for (int i = 0; i < 20; i++) {
        void *item = NULL;
        must_return(0, shutdown_queue_get(queue, &item, any_timeout_us[i % 4]),
                    "shutdown_queue_get of a queue that was shut down with items in it");
        must(item == &things[i], "The next item should be number %d, but it is %d.", i, number_of(item));
    }
    for (int i = 0; i < 4; i++)
        must_fail_at_once(a_get(queue, any_timeout_us[i]), "The queue is shut down and empty:");
    must_count(queue, 0, 20);
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
    must_count(queue, 0, 0);
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
    must_count(queue, 0, 2);
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
    must_count(queue, 3, 1);
    shut(queue, true);
    must_count(queue, 0, 0);
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
    must_count(queue, 1, 2);
    shut(queue, true);
    must_count(queue, 0, 1);
    must_fail_at_once(a_get(queue, -1), "The queue was shut down, and then at once:");
    shut(queue, true);
    shut(queue, false);
    must(shutdown_queue_is_shutdown(queue), "The queue was shut down several times, and says that it was not.");
    must_count(queue, 0, 1);
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
        must_count(queue, 0, 0);
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
        must_count(queue, immediate ? 0 : 2, immediate ? 0 : 2);
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

TEST(room_after_a_shutdown,
     "Who waits for room and wakes up after the shutdown puts nothing, though there is room by then.")
{
    struct shutdown_queue *queue = new_queue(1);
    struct visit putter = a_put(queue, 2, -1);

    must_put(queue, 1);
    must_wait(&putter);
    wrap_lose_signals(true); /* the putter is slow to wake up */
    must_get(queue, 1);
    wrap_lose_signals(false);
    shut(queue, false);
    must_be_sent_away(&putter);
    must_count(queue, 0, 1);
    shutdown_queue_destroy(queue);
}

TEST(item_before_a_shutdown, "Nothing is lost: who waits for an item that came before the shutdown gets it after.")
{
    struct shutdown_queue *queue = new_queue(1);
    struct visit getter = a_get(queue, -1);

    must_wait(&getter);
    wrap_lose_signals(true); /* the getter is slow to wake up */
    must_put(queue, 2);
    wrap_lose_signals(false);
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
    wrap_lose_signals(true);
    int64_t began_us = now_us();
    struct runner *waiter = runner_start(visit_run, late);
    bool calm = settle();
    shut(queue, false);
    bool forced = !calm || now_us() - began_us < timeout_us;
    runner_join(waiter);
    wrap_lose_signals(false);
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
         "Out of discard a get and a put should return %d (ESHUTDOWN), but they returned %s and %s.", ESHUTDOWN,
         error_text(discarded.got), error_text(discarded.put));
    shutdown_queue_destroy(discarded.queue);
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

static void count_one(void *context, void *item)
{
    int *count = context;

    (void)item;
    (*count)++;
}

TEST(no_memory_to_discard, "A shutdown cannot fail: also where there is no memory, discard gets each item.")
{
    struct shutdown_queue *queue = new_queue(0);
    int count = 0;

    for (int i = 0; i < 3; i++)
        must_put(queue, i);
    wrap_fail_memory(-1);
    shutdown_queue_shutdown(queue, true, count_one, &count);
    wrap_fail_memory(0);
    must(count == 3, "Three items were in the queue, there was no memory, and discard was called %d times.", count);
    must_count(queue, 0, 0);
    shutdown_queue_destroy(queue);
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

    must(error == 0 && queue != NULL, "shutdown_queue_create_with returned %s or stored no queue.", error_text(error));
    return queue;
}

TEST(store_decides_the_order, "With a store of the caller's, items come out in the order that the store gives.")
{
    struct shelf shelf = {.count = 0};
    struct shutdown_queue *queue = new_shelf_queue(&shelf, 0);
    struct visit getter = a_get(queue, -1);

    must_put(queue, 1);
    must_put(queue, 2);
    must_count(queue, 2, 2);
    must_get(queue, 2);
    must_get(queue, 1);
    must_be_empty(queue);
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
    must_count(queue, 2, 2);
    must_get(queue, 2);
    shelf.refuse = EDOM;
    must_return(EDOM, shutdown_queue_put(queue, &things[3], 0), "The store refused with EDOM: shutdown_queue_put");
    must_count(queue, 1, 2);
    must_get(queue, 1);
    must_be_empty(queue);
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
    must_count(queue, 0, 1);
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
        must_be_blocked(putters[i].runner, "A put whose store is slow returned %s before the store did.",
                        error_text(putters[i].result));
    }
    gate_open(&delay);
    for (int i = 0; i < 2; i++)
        must_end(&putters[i], "The store has gone on, and");
    must(shelf.most_inside == 1, "The store was used by %d threads at the same time.", shelf.most_inside);
    must_count(queue, 2, 2);
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
    must_count(discarded.queue, 0, 0);
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
    must_count(queue, 0, 0);
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
         "pthread_mutex_init returned EAGAIN: shutdown_queue_create_with should return it, but it returned %s.",
         error_text(error));
    for (long nth = 1; nth <= 3; nth++) {
        long made = wrap_count(WRAP_pthread_cond_init);
        wrap_fail(WRAP_pthread_cond_init, nth, EAGAIN);
        error = shutdown_queue_create_with(&queue, 0, &shelf_store, &shelf);
        wrap_fail(WRAP_pthread_cond_init, 0, 0);
        must(error == EAGAIN || wrap_count(WRAP_pthread_cond_init) - made < nth,
             "A pthread_cond_init returned EAGAIN: shutdown_queue_create_with should return it, but it returned %s.",
             error_text(error));
        must(error == 0 || shelf.ended == 0, "The queue could not be made, and the caller's store was ended.");
        if (error == 0) {
            shutdown_queue_destroy(queue);
            shelf.ended = 0;
        }
    }
    must(shelf.ended == 0, "The queue could not be made, and the caller's store was ended.");
}
