/* queue_tests.h - what every queue of this chapter must do: its order, its bound, who sleeps and who is woken.
 *
 * Included by the tests.c of fifo_queue, task_done and shutdown. "queue.h", beside each tests.c, gives that exercise's
 * calls the names they have here, and says in QUEUE how they begin, for the sentences.
 *
 * The test's own thread puts and gets without waiting; whoever is to wait is a runner, and settle() shows that it
 * sleeps. Between a change and the next one everybody comes to rest, so there is no doubt about what a change has done.
 */
#ifndef QUEUE_TESTS_H
#define QUEUE_TESTS_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first #include: syscall is an extension"
#endif

#include "check.h"
#include "leftovers.h"
#include "queue.h"
#include "slices.h"
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

static struct this_queue *new_queue(int64_t maxsize)
{
    struct this_queue *queue = NULL;
    int error = queue_create(&queue, maxsize);

    must(error == 0 && queue != NULL, QUEUE "_create returned %s or stored no queue.", error_text(error));
    return queue;
}

/* Puts a thing where there is room. */
static void must_put(struct this_queue *queue, int thing)
{
    must_return(0, queue_put(queue, &things[thing], 0), QUEUE "_put where there is room, with a time-out of 0,");
}

/* Gets a thing, which must be the next one. */
static void must_get(struct this_queue *queue, int thing)
{
    void *item = &number_of;

    must_return(0, queue_get(queue, &item, 0), QUEUE "_get where there is an item, with a time-out of 0,");
    must(item == &things[thing],
         "The next item should be number %d, but " QUEUE "_get gave %d (-1: NULL, -2: none of ours).", thing,
         number_of(item));
}

static void must_be_empty(struct this_queue *queue)
{
    void *item = &things[0];

    must_return(ETIMEDOUT, queue_get(queue, &item, 0), QUEUE "_get of an empty queue, with a time-out of 0,");
    must(item == &things[0], QUEUE "_get returned ETIMEDOUT and changed the caller's item all the same.");
}

/* Asks the queue all that it can be asked, in the exercise's own tests.c (or task_tests.h): `size` items are in it, and
 * it is full or not. */
static void must_measure(struct this_queue *queue, size_t size, bool full);

/* ---- what another thread does ----------------------------------------------------------------------------------- */

/* One put or get by another thread, and what came of it. */
struct visit {
    struct this_queue *queue;
    bool puts;
    int64_t timeout_us;
    void *item; /* to be put, or what was got */
    int result;
    int64_t took_us;
    int64_t behind_us;    /* so much the monotonic clock is set back for this thread until it waits */
    struct tally *slices; /* waits that looked again after a moment */
    struct runner *runner;
};

/* Stands before the C library's own: which clock a waiting thread asks, and what is done to the monotonic one for that
 * thread alone: it is set back by a fixed time until the thread has begun to wait, and then it may jump an hour on. */
static _Thread_local bool waits, jumps;
static _Thread_local bool at_the_half; /* rather, it stands at half a second, a second ago, until then */
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
        if (at_the_half)
            *now = (struct timespec){now->tv_sec - 1, 500000000};
    }
    return result;
}

static void visit_run(void *argument)
{
    struct visit *visit = argument;
    int64_t began_us = now_us();

    waits_before = wrap_count(WRAP_pthread_cond_timedwait);
    behind_us = visit->behind_us;
    slices = visit->slices;
    waits = true;
    visit->result = visit->puts ? queue_put(visit->queue, visit->item, visit->timeout_us)
                                : queue_get(visit->queue, &visit->item, visit->timeout_us);
    waits = false;
    visit->took_us = now_us() - began_us;
}

static struct visit a_get(struct this_queue *queue, int64_t timeout_us)
{
    return (struct visit){.queue = queue, .timeout_us = timeout_us, .item = &things[THINGS - 1], .result = -1};
}

static struct visit a_put(struct this_queue *queue, int thing, int64_t timeout_us)
{
    return (struct visit){.queue = queue, .puts = true, .timeout_us = timeout_us, .item = &things[thing], .result = -1};
}

/* Starts it, and goes on when it sleeps. */
static void must_wait(struct visit *visit)
{
    visit->slices = slices_tally();
    visit->runner = runner_start(visit_run, visit);
    enum runner_state state = runner_state(visit->runner);
    must(state != RUNNER_BUSY, "A thread that waits in " QUEUE "_%s should sleep, but it keeps the processor busy.",
         visit->puts ? "put" : "get");
    must(state == RUNNER_BLOCKED,
         "The queue is %s, and " QUEUE "_%s with a time-out of %lld did not wait but returned %s.",
         visit->puts ? "full" : "empty", visit->puts ? "put" : "get", (long long)visit->timeout_us,
         error_text(visit->result));
    must(!slices_tell(visit->timeout_us) || tally_read(visit->slices) == 0,
         "A thread that waits in " QUEUE "_%s should sleep until it is woken, but it sleeps for a moment, looks, and "
         "sleeps again.",
         visit->puts ? "put" : "get");
}

static void must_still_wait(struct visit *visit, const char *when)
{
    must_be_blocked(visit->runner, "%s a thread that waits in " QUEUE "_%s should go on waiting, but it returned %s.",
                    when, visit->puts ? "put" : "get", error_text(visit->result));
}

/* It was woken and has succeeded. */
static void must_end(struct visit *visit, const char *when)
{
    must_be_done(visit->runner, "%s a thread that waits for it in " QUEUE "_%s was not woken.", when,
                 visit->puts ? "put" : "get");
    runner_join(visit->runner);
    must_return(0, visit->result,
                visit->puts ? QUEUE "_put of a thread that waited" : QUEUE "_get of a thread that waited");
}

static void must_have_got(const struct visit *visit, int thing)
{
    must(visit->item == &things[thing], "The thread that waited should get item number %d, but it got %d.", thing,
         number_of(visit->item));
}

/* ---- the order -------------------------------------------------------------------------------------------------- */

TEST(first_in_first_out, "Items come out in the order in which they went in, each once.")
{
    struct this_queue *queue = new_queue(0);

    for (int i = 0; i < 40; i++)
        must_put(queue, i);
    for (int i = 0; i < 40; i++)
        must_get(queue, i);
    must_be_empty(queue);
    queue_destroy(queue);
}

TEST(order_for_good, "The order stays right however puts and gets take turns, while the queue grows and empties.")
{
    struct this_queue *queue = new_queue(0);
    int in = 0, out = 0;

    for (int round = 0; round < 60; round++) {
        int puts = round % 7 + 1, gets = round < 40 ? round % 5 + 1 : 9;
        for (int i = 0; i < puts; i++)
            must_return(0, queue_put(queue, &things[in++ % THINGS], 0), QUEUE "_put where there is room");
        for (int i = 0; i < gets && out < in; i++)
            must_get(queue, out++ % THINGS);
        must(queue_size(queue) == (size_t)(in - out), "After %d puts and %d gets " QUEUE "_size says %zu.", in, out,
             queue_size(queue));
    }
    while (out < in)
        must_get(queue, out++ % THINGS);
    must_be_empty(queue);
    queue_destroy(queue);
}

TEST(any_pointer, "An item is any pointer, NULL too: the queue counts its items and does not look at them.")
{
    struct this_queue *queue = new_queue(3);
    void *const odd[] = {NULL, (void *)UINTPTR_MAX, (void *)(uintptr_t)1}; /* NOLINT(performance-no-int-to-ptr) */
    void *item = &things[0];

    for (int i = 0; i < 3; i++)
        must_return(0, queue_put(queue, odd[i], 0), QUEUE "_put of NULL or another odd pointer");
    must_measure(queue, 3, true);
    for (int i = 0; i < 3; i++) {
        must_return(0, queue_get(queue, &item, 0), QUEUE "_get of NULL or another odd pointer");
        must(item == odd[i], "The pointer %p was put, and " QUEUE "_get gave %p.", odd[i], item);
    }
    must_be_empty(queue);
    struct visit getter = a_get(queue, -1);
    must_wait(&getter);
    must_return(0, queue_put(queue, NULL, -1), QUEUE "_put of NULL");
    must_end(&getter, "NULL was put, and");
    must(getter.item == NULL, "NULL was put, and the thread that waited got %p.", getter.item);
    queue_destroy(queue);
}

TEST(queues_are_separate, "Each queue has items, a bound and waiters of its own.")
{
    struct this_queue *one = new_queue(1), *two = new_queue(2);
    struct visit getter = a_get(two, -1);

    must_put(one, 1);
    must_measure(one, 1, true);
    must_measure(two, 0, false);
    must_be_empty(two);
    must_wait(&getter);
    must_get(one, 1);
    must_put(one, 2);
    must_still_wait(&getter, "An item was put into another queue, and");
    must_put(two, 3);
    must_end(&getter, "An item was put, and");
    must_have_got(&getter, 3);
    must_get(one, 2);
    queue_destroy(one);
    queue_destroy(two);
}

TEST(items_are_the_callers, "The queue does not touch what items point to, also when it ends with items in it.")
{
    struct this_queue *queue = new_queue(0);
    char *text[2] = {malloc(8), malloc(8)};

    must(text[0] != NULL && text[1] != NULL, "The test got no memory.");
    memcpy(text[0], "seven", sizeof "seven");
    memcpy(text[1], "eight", sizeof "eight");
    for (int i = 0; i < 2; i++)
        must_return(0, queue_put(queue, text[i], -1), QUEUE "_put");
    queue_destroy(queue);
    must(strcmp(text[0], "seven") == 0 && strcmp(text[1], "eight") == 0,
         "The queue was ended, and what its items pointed to has changed.");
    free(text[0]);
    free(text[1]);
}

/* ---- the bound -------------------------------------------------------------------------------------------------- */

TEST(bounded, "There are never more than maxsize items; one more is refused, and the queue is as it was.")
{
    for (int maxsize = 1; maxsize <= 33; maxsize += 16) {
        struct this_queue *queue = new_queue(maxsize);

        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < maxsize; i++) {
                must_measure(queue, (size_t)i, false);
                must_put(queue, i);
            }
            must_measure(queue, (size_t)maxsize, true);
            must_return(ETIMEDOUT, queue_put(queue, &things[60], 0),
                        QUEUE "_put into a full queue with a time-out of 0");
            must_return(ETIMEDOUT, queue_put(queue, &things[60], 0), "The same again");
            must_measure(queue, (size_t)maxsize, true);
            must_get(queue, 0);
            must_put(queue, 61);
            for (int i = 1; i < maxsize; i++)
                must_get(queue, i);
            must_get(queue, 61);
            must_be_empty(queue);
        }
        queue_destroy(queue);
    }
}

TEST(unbounded, "A maxsize of 0 or less means no bound: such a queue is never full.")
{
    static const int64_t sizes[] = {0, -1, INT64_MIN, INT64_MIN + 1};
    enum { MANY = 3000 };

    for (int i = 0; i < 4; i++) {
        struct this_queue *queue = new_queue(sizes[i]);
        int refused = 0, wrong = 0;
        void *item = NULL;

        for (int n = 0; n < MANY; n++)
            refused += queue_put(queue, &things[n % 60], 0) != 0;
        must(refused == 0, "maxsize is %lld, which means no bound, and of %d puts %d were refused.",
             (long long)sizes[i], MANY, refused);
        must_measure(queue, MANY, false);
        for (int n = 0; n < MANY; n++)
            wrong += queue_get(queue, &item, 0) != 0 || item != &things[n % 60];
        must(wrong == 0, "Of %d gets %d failed or gave the wrong item.", MANY, wrong);
        must_be_empty(queue);
        queue_destroy(queue);
    }
}

TEST(very_many, "No bound means none but the memory: a queue may hold more items than a short number can count.")
{
    enum { VERY_MANY = 70000 };
    struct this_queue *queue = new_queue(0);
    int refused = 0, wrong = 0;
    void *item = NULL;

    for (int n = 0; n < VERY_MANY; n++)
        refused += queue_put(queue, &things[n % 61], 0) != 0;
    must(refused == 0, "Of %d puts into a queue without a bound %d were refused.", VERY_MANY, refused);
    must_measure(queue, VERY_MANY, false);
    for (int n = 0; n < VERY_MANY; n++)
        wrong += queue_get(queue, &item, 0) != 0 || item != &things[n % 61];
    must(wrong == 0, "%d items were put, and of as many gets %d failed or gave the wrong item.", VERY_MANY, wrong);
    must_be_empty(queue);
    queue_destroy(queue);
}

TEST(large_bound, "A large maxsize costs nothing by itself: memory is taken for the items that come.")
{
    static const int64_t sizes[] = {(int64_t)1 << 31, (int64_t)1 << 32, ((int64_t)1 << 32) + 1, (int64_t)1 << 40,
                                    INT64_MAX};

    for (int i = 0; i < 5; i++) {
        struct this_queue *queue = new_queue(sizes[i]);

        for (int n = 0; n < 40; n++)
            must_put(queue, n);
        must_measure(queue, 40, false);
        for (int n = 0; n < 40; n++)
            must_get(queue, n);
        queue_destroy(queue);
    }
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

TEST(get_waits_asleep, "Who gets from an empty queue waits asleep, and is woken by the next put.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MIN, 3600000000, 3600999999, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 6; i++) {
        struct this_queue *queue = new_queue(i % 2);
        struct visit getter = a_get(queue, timeouts_us[i]);

        must_wait(&getter);
        must_return(0, queue_put(queue, &things[i], i < 3 ? -1 : 1000000), QUEUE "_put where there is room");
        must_end(&getter, "An item was put, and");
        must_have_got(&getter, i);
        must_be_empty(queue);
        queue_destroy(queue);
    }
}

TEST(put_waits_asleep, "Who puts into a full queue waits asleep, and is woken by the next get.")
{
    static const int64_t timeouts_us[] = {-1, INT64_MIN, 3600000000, 3600999999, 4000000000000000, INT64_MAX};

    for (int i = 0; i < 6; i++) {
        struct this_queue *queue = new_queue(2);
        struct visit putter = a_put(queue, 3, timeouts_us[i]);

        must_put(queue, 1);
        must_put(queue, 2);
        must_wait(&putter);
        must_measure(queue, 2, true);
        must_get(queue, 1);
        must_end(&putter, "An item was got, there is room, and");
        must_get(queue, 2);
        must_get(queue, 3);
        must_be_empty(queue);
        queue_destroy(queue);
    }
}

enum { WAITERS = 4 };

TEST(one_item_for_one, "Each put lets one thread go on that waits for an item, and the others wait on.")
{
    struct this_queue *queue = new_queue(0);
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
    must_be_empty(queue);
    queue_destroy(queue);
}

TEST(one_room_for_one, "Each get lets one thread go on that waits for room, and the others wait on.")
{
    struct this_queue *queue = new_queue(1);
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
        must_measure(queue, 1, true);
        must_return(0, queue_get(queue, &item, 0), QUEUE "_get of a full queue");
        seen |= 1 << (number_of(item) & 15);
    }
    for (int i = 0; i < WAITERS; i++)
        must_end(&putters[i], "As many items were got as threads wait, and");
    must(seen == 30, "Four threads put items 1 to 4, and not all of them came out.");
    must_be_empty(queue);
    queue_destroy(queue);
}

TEST(woken_for_nothing, "Who wakes up looks again: a wait may end although nobody has signalled.")
{
    for (int i = 0; i < 4; i++) {
        struct this_queue *queue = new_queue(1);
        struct visit visit = i < 2 ? a_get(queue, i == 0 ? -1 : INT64_MAX) : a_put(queue, 2, i == 2 ? -1 : INT64_MAX);

        if (visit.puts)
            must_put(queue, 1);
        wrap_fail(WRAP_pthread_cond_wait, 1, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        must_wait(&visit);
        must_measure(queue, visit.puts ? 1 : 0, visit.puts);
        if (visit.puts)
            must_get(queue, 1);
        else
            must_put(queue, 2);
        must_end(&visit, "After a wait that ended for nothing the queue has changed, and");
        if (visit.puts)
            must_get(queue, 2);
        must_be_empty(queue);
        queue_destroy(queue);
    }
}

/* ---- one step --------------------------------------------------------------------------------------------------- */

/* Starts `body` once, in another thread, when the thread that set `watched` first lets go of a mutex, and lets it run
 * as far as it can, then and each time after. */
static _Thread_local bool watched;

struct errand {
    struct this_queue *queue;
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

TEST(one_item_once, "Looking whether there is an item and taking it are one step: two threads never get the same one.")
{
    struct this_queue *queue = new_queue(0);
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
    must_measure(queue, 0, false);
    must_put(queue, 6);
    must_get(queue, 6);
    queue_destroy(queue);
}

TEST(one_room_once, "Looking whether there is room and using it are one step: the bound holds at every moment.")
{
    struct this_queue *queue = new_queue(1);
    struct visit other = a_put(queue, 1, 0), mine = a_put(queue, 2, 0);
    struct errand errand = {.body = visit_run, .argument = &other};

    watch_for(&errand);
    visit_run(&mine);
    finish(&errand);
    int put = (mine.result == 0) + (other.result == 0);
    must(put == 1, "There was room for one item, and two threads put one at the same time: %d of them succeeded.", put);
    must_measure(queue, 1, true);
    must_get(queue, mine.result == 0 ? 2 : 1);
    must_be_empty(queue);
    queue_destroy(queue);
}

/* Asks for something while another thread is just at the queue, and holds its mutex if it needs one. */
struct query {
    struct this_queue *queue;
    void (*body)(void *query);
    int result;
    struct runner *runner;
};

static void put_now(void *argument)
{
    struct query *query = argument;

    query->result = queue_put(query->queue, &things[2], 0);
}

static void get_now(void *argument)
{
    struct query *query = argument;
    void *item = NULL;

    query->result = queue_get(query->queue, &item, 0);
}

static void ask_now(void *argument)
{
    struct query *query = argument;

    size_t size = queue_size(query->queue);
    query->result = size == 1 || size == 2 ? 0 : EBUSY;
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

/* One item is in the queue; another thread puts a second one and is held up at it, and meanwhile `body` asks. */
static void must_be_served(void (*body)(void *query), const char *call)
{
    struct query query = {.queue = new_queue(3), .body = body, .result = -1};

    must_put(query.queue, 1);
    asked_meanwhile = true;
    wrap_after(WRAP_pthread_mutex_lock, ask_meanwhile, &query);
    int error = queue_put(query.queue, &things[3], -1);
    wrap_after(WRAP_pthread_mutex_lock, NULL, NULL);
    asked_meanwhile = false;
    runner_join(query.runner != NULL ? query.runner : runner_start(query.body, &query));
    must_return(0, error, QUEUE "_put where there is room, with a time-out of -1,");
    must_return(0, query.result, call);
    queue_destroy(query.queue);
}

TEST(busy_is_not_full, "A time-out of 0 does not wait for room or an item, but for its turn: that another thread is "
                       "just at the queue is no reason to fail.")
{
    must_be_served(put_now, "There is room, another thread is just at the queue: " QUEUE "_put with a time-out of 0");
    must_be_served(get_now,
                   "There is an item, another thread is just at the queue: " QUEUE "_get with a time-out of 0");
    must_be_served(ask_now,
                   "There is an item, another thread just puts a second one: asking whether " QUEUE "_size is 1 or 2");
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

TEST(no_time_at_all,
     "A time-out of 0 does not wait, and one above 0 does not either where nothing has to be waited for.")
{
    struct this_queue *queue = new_queue(1);
    void *item = NULL;

    must_be_empty(queue);
    must_return(0, queue_put(queue, &things[1], 1), QUEUE "_put where there is room, with a time-out of 1 µs,");
    must_return(ETIMEDOUT, queue_put(queue, &things[2], 0), QUEUE "_put into a full queue with a time-out of 0");
    must_return(0, queue_get(queue, &item, 1), QUEUE "_get where there is an item, with a time-out of 1 µs,");
    must(item == &things[1], "Item number 1 was put, and " QUEUE "_get gave %d.", number_of(item));
    must_be_empty(queue);
    queue_destroy(queue);
}

TEST(time_runs_out, "A timed call gives up with ETIMEDOUT, but not before its time, and leaves no trace.")
{
    enum { SHORT_US = 30000 };

    for (int puts = 0; puts < 2; puts++) {
        struct this_queue *queue = new_queue(1);
        struct visit timed = puts ? a_put(queue, 1, SHORT_US) : a_get(queue, SHORT_US);
        struct visit patient = puts ? a_put(queue, 2, -1) : a_get(queue, -1);

        if (puts)
            must_put(queue, 0);
        timed.runner = runner_start(visit_run, &timed);
        must_wait(&patient);
        runner_join(timed.runner);
        must_return(ETIMEDOUT, timed.result,
                    puts ? "There was never room: " QUEUE "_put" : "There was never an item: " QUEUE "_get");
        must(timed.took_us >= SHORT_US, "The time-out was %d µs, and the call gave up after %lld.", SHORT_US,
             (long long)timed.took_us);
        must(timed.item == &things[puts ? 1 : THINGS - 1],
             QUEUE "_get returned ETIMEDOUT and changed the caller's item.");
        must_measure(queue, puts ? 1 : 0, puts);
        if (puts)
            must_get(queue, 0);
        else
            must_put(queue, 2);
        must_end(&patient, "One thread gave up, then the queue changed, and");
        if (puts)
            must_get(queue, 2);
        must_be_empty(queue);
        queue_destroy(queue);
    }
}

TEST(never_too_early, "A timed call does not give up before its time: nothing of it may be lost in the sum.")
{
    static const struct {
        int64_t timeout_us, behind_us;
    } times[] = {{1999, 0}, {999999, 990000}};
    enum { ROUNDS = 8 }; /* a busy machine hides what is early now and then, never what is early each time */

    for (int n = 0; n < 4 * ROUNDS; n++) {
        struct this_queue *queue = new_queue(1);
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
        queue_destroy(queue);
    }
}

static void visit_at_the_half(void *argument)
{
    at_the_half = true;
    visit_run(argument);
    at_the_half = false;
}

TEST(full_second, "A time-out that ends exactly at a full second is one like any other.")
{
    for (int puts = 0; puts < 2; puts++) {
        struct this_queue *queue = new_queue(1);
        struct visit timed = puts ? a_put(queue, 1, 500000) : a_get(queue, 500000);

        if (puts)
            must_put(queue, 0);
        runner_join(runner_start(visit_at_the_half, &timed));
        must_return(ETIMEDOUT, timed.result, "A call that waits in vain until a full second, with 0 nanoseconds,");
        queue_destroy(queue);
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
        struct this_queue *queue = new_queue(1);
        struct visit timed = puts ? a_put(queue, 1, 30000) : a_get(queue, 30000);

        if (puts)
            must_put(queue, 0);
        wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
        runner_join(runner_start(visit_with_jump, &timed));
        must_return(ETIMEDOUT, timed.result, "A wait that once ended for nothing, and then ran out of time,");
        queue_destroy(queue);
    }
}

TEST(monotonic_clock, "Time is measured by the monotonic clock: the one on the wall may be set while a thread waits.")
{
    struct this_queue *queue = new_queue(1);

    for (int puts = 0; puts < 2; puts++) {
        struct visit timed = puts ? a_put(queue, 1, 1000) : a_get(queue, 1000);
        if (puts)
            must_put(queue, 0);
        runner_join(runner_start(visit_run, &timed));
        must_return(ETIMEDOUT, timed.result,
                    puts ? "There was never room: " QUEUE "_put" : "There was never an item: " QUEUE "_get");
    }
    must(!asked_the_wall, "The queue asked for CLOCK_REALTIME, the clock on the wall, to measure a time-out.");
    queue_destroy(queue);
}

/* A change comes in time, its signal does not arrive, and the waiter sleeps on until its time is over. A slow machine
 * may need more time for the change. Returns whether it came in time (or all is wrong anyway). */
static bool change_unheard(struct visit *late, bool puts, int64_t timeout_us)
{
    struct this_queue *queue = NULL;

    if (queue_create(&queue, 1) != 0 || (puts && queue_put(queue, &things[0], 0) != 0))
        return true;
    *late = puts ? a_put(queue, 1, timeout_us) : a_get(queue, timeout_us);
    wrap_lose_signals(true);
    int64_t began_us = now_us();
    struct runner *waiter = runner_start(visit_run, late);
    bool calm = settle();
    void *item = NULL;
    int error = puts ? queue_get(queue, &item, 0) : queue_put(queue, &things[1], 0);
    bool forced = !calm || error != 0 || now_us() - began_us < timeout_us;
    runner_join(waiter);
    wrap_lose_signals(false);
    queue_destroy(queue);
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
        must_return(0, late.result,
                    puts ? "There was room in time, and then the time was over before the waiter woke up: " QUEUE "_put"
                         : "An item came in time, and then the time was over before the waiter woke up: " QUEUE "_get");
    }
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static int make_one(void)
{
    struct this_queue *made = NULL;
    int error = queue_create(&made, 4);

    if (error == 0)
        queue_destroy(made);
    return error;
}

TEST(no_memory,
     "When there is no memory, " QUEUE "_create returns ENOMEM, whichever part of the queue there is none for, "
     "and keeps nothing.")
{
    struct this_queue *queue = NULL;

    must_bear_want(QUEUE "_create", make_one);
    wrap_fail_memory(-1);
    must_return(ENOMEM, queue_create(&queue, 0), "Without memory, " QUEUE "_create");
}

TEST(no_memory_for_one_more, "A put that finds no memory returns ENOMEM, and the queue is as it was, and goes on.")
{
    enum { MANY = 100000 };
    struct this_queue *queue = new_queue(0);
    int kept = 0, wrong = 0, error = 0;
    void *item = NULL;

    for (; kept < 20; kept++)
        must_put(queue, kept);
    must_get(queue, 0);
    wrap_fail_memory(-1);
    while (error == 0 && kept < MANY) {
        error = queue_put(queue, &things[kept % 60], 0);
        kept += error == 0 ? 1 : 0;
    }
    must_return(ENOMEM, error, "Without memory, one of very many puts");
    must_measure(queue, (size_t)kept - 1, false);
    wrap_fail_memory(0);
    must_return(0, queue_put(queue, &things[kept % 60], 0), "With memory again, " QUEUE "_put");
    for (int n = 1; n <= kept; n++)
        wrong += queue_get(queue, &item, 0) != 0 || item != &things[n % 60];
    must(wrong == 0, "One put had failed for want of memory, and then %d of %d gets gave the wrong item.", wrong, kept);
    must_be_empty(queue);
    queue_destroy(queue);
}

TEST(room_is_not_forgotten,
     "While there is room nobody sleeps for it: a put that was woken and then failed tells the next.")
{
    struct this_queue *queue = new_queue(20);
    struct visit putters[2] = {a_put(queue, 20, -1), a_put(queue, 21, -1)};
    void *item = NULL;
    int asleep = 0;

    for (int n = 0; n < 20; n++)
        must_put(queue, n);
    for (int i = 0; i < 2; i++)
        must_wait(&putters[i]);
    wrap_fail_memory(-1);
    must_get(queue, 0);
    for (int i = 0; i < 2; i++)
        asleep += runner_state(putters[i].runner) == RUNNER_BLOCKED ? 1 : 0;
    must(asleep == 0 || queue_size(queue) == 20, "There is room for an item, and a thread still sleeps for it: "
                                                 "the one that was woken had no memory, and told nobody.");
    wrap_fail_memory(0);
    while (queue_get(queue, &item, 0) == 0) /* whoever still waits has room now */
        settle();
    for (int i = 0; i < 2; i++)
        runner_join(putters[i].runner);
    queue_destroy(queue);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

/* Makes the nth call of `what` fail, and asks whether create says so and keeps nothing. Returns whether there was such
 * a call. */
static bool must_give_up(enum wrap_call what, long nth, const char *name)
{
    struct this_queue *queue = NULL;
    long before = wrap_memory_kept();
    long calls = wrap_count(what);

    wrap_fail(what, nth, EAGAIN);
    int error = queue_create(&queue, 4);
    wrap_fail(what, 0, 0);
    bool tried = wrap_count(what) - calls >= nth;
    long kept = wrap_memory_kept() - before;
    must(!tried || error == EAGAIN, "%s returned EAGAIN: " QUEUE "_create should return it, but it returned %s.", name,
         error_text(error));
    must(!tried || kept <= 0, "%s failed, and " QUEUE "_create kept memory that it had allocated: it is lost.", name);
    if (error == 0)
        queue_destroy(queue);
    return tried;
}

TEST(nothing_kept, "When a part of the queue cannot be made, " QUEUE "_create returns that error and keeps nothing.")
{
    long failed = 0; /* conditions that were never made */

    must_give_up(WRAP_pthread_mutex_init, 1, "pthread_mutex_init");
    failed += must_give_up(WRAP_pthread_cond_init, 1, "The first pthread_cond_init");
    failed += must_give_up(WRAP_pthread_cond_init, 2, "The second pthread_cond_init");
    failed += must_give_up(WRAP_pthread_cond_init, 3, "The third pthread_cond_init");
    long mutexes = wrap_count(WRAP_pthread_mutex_init) - wrap_count(WRAP_pthread_mutex_destroy);
    long conditions = wrap_count(WRAP_pthread_cond_init) - wrap_count(WRAP_pthread_cond_destroy);
    must(mutexes <= 1, "pthread_cond_init failed, and " QUEUE "_create did not destroy the mutex that it had made.");
    must(conditions <= failed,
         "A pthread_cond_init failed, and " QUEUE "_create did not destroy the condition it had made.");
}

TEST(ends_what_it_made, QUEUE "_destroy gives back all that the queue holds, whatever is in it. NULL is fine.")
{
    queue_destroy(NULL);
    struct this_queue *queue = new_queue(0);
    for (int n = 0; n < 40; n++)
        must_put(queue, n);
    for (int n = 0; n < 10; n++)
        must_get(queue, n);
    queue_destroy(queue);
    must_have_ended_all();
}

static void *end_queue(void *queue)
{
    queue_destroy(queue);
    return NULL;
}

TEST(ends_with_many, QUEUE "_destroy ends a queue however many items are in it: a function that calls itself for each "
                           "item runs out of stack.")
{
    enum { MANY = 20000, SMALL_STACK = 128 << 10 }; /* as a million items would be to a stack of the usual size */
    struct this_queue *queue = new_queue(0);
    pthread_attr_t small;
    pthread_t thread;
    int refused = 0;

    for (int n = 0; n < MANY; n++)
        refused += queue_put(queue, &things[1], 0) != 0;
    must(refused == 0, "Of %d puts into a queue without a bound %d were refused.", MANY, refused);
    must(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, SMALL_STACK) == 0 &&
             pthread_create(&thread, &small, end_queue, queue) == 0,
         "The test got no thread.");
    pthread_join(thread, NULL);
    pthread_attr_destroy(&small);
}

#endif
