/* tests.c - what a map over a list must do.
 *
 * Which items make a chunk is seen by stopping one of them at a gate: what is then not done, and everything else is,
 * are those behind it in its chunk.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* slices.h */
#endif
#include "check.h"
#include "pool_map.h"
#include "refuse.h"
#include "slices.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

enum { MOST = 64, FAILED = 77, FAILED_TOO = 78, ALLOCATIONS = 4, REFUSALS = 20 };

static struct executor *new_executor(int max_workers)
{
    struct executor *executor = NULL;

    must(executor_create(&executor, max_workers) == 0, "The executor could not be made.");
    return executor;
}

/* ---- items, and what is done with them --------------------------------------------------------------------------- */

/* One item: what it is to do when its turn comes. */
struct item {
    int number;
    struct gate *waits_for; /* or NULL */
    struct crew *meets;     /* or NULL */
    int error;
    struct tally *done; /* how many calls there were for it */
};

struct outcome {
    int number;
    char filler[3]; /* an odd size */
};

static struct item items[MOST];
static struct tally done[MOST];
static struct outcome outcomes[MOST];
static struct tally order; /* of the calls */
static long place[MOST];
static struct tally elsewhere;   /* calls that were given another item or result than the one in its place */
static _Thread_local bool maps;  /* this thread is in pool_map */
static struct tally by_who_maps; /* calls by such a thread */

static void make_items(void)
{
    for (int i = 0; i < MOST; i++) {
        done[i] = (struct tally)TALLY_ZERO;
        items[i] = (struct item){.number = i, .done = &done[i]};
        outcomes[i].number = -1;
        place[i] = -1;
    }
    order = (struct tally)TALLY_ZERO;
}

static int do_item(const void *argument, void *result)
{
    const struct item *item = argument;

    place[item->number] = tally_add(&order, 1) - 1;
    tally_add(&elsewhere, item == &items[item->number] && result == &outcomes[item->number] ? 0 : 1);
    tally_add(&by_who_maps, maps ? 1 : 0);
    if (item->meets != NULL)
        crew_meet(item->meets);
    if (item->waits_for != NULL)
        gate_pass(item->waits_for);
    ((struct outcome *)result)->number = 10 * item->number;
    tally_add(item->done, 1);
    return item->error;
}

static int map(struct executor *executor, size_t count)
{
    maps = true;
    int error = pool_map(executor, do_item, items, sizeof items[0], count, outcomes, sizeof outcomes[0]);
    maps = false;
    return error;
}

struct errand {
    struct executor *executor;
    size_t count;
    int error;
    long refused;        /* the how manieth piece of memory that the executor asks for meanwhile; 0: none */
    struct tally *waits; /* that end after a moment are counted here; NULL: nowhere */
};

static void map_errand(void *argument)
{
    struct errand *errand = argument;

    slices = errand->waits;
    refuse_memory(errand->refused);
    errand->error = map(errand->executor, errand->count);
    refuse_memory(0);
}

/* ---- order and chunks -------------------------------------------------------------------------------------------- */

TEST(results_in_order, "Each item's result is in the item's place, whichever was done first, and each is done once.")
{
    static const size_t counts[] = {1, 2, 3, 7, 8, 9, 16, 17, 33, 64};

    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct executor *executor = new_executor(3);
        make_items();
        must_return(0, map(executor, counts[c]), "pool_map");
        for (size_t i = 0; i < MOST; i++) {
            bool asked = i < counts[c];
            must(tally_read(&done[i]) == (asked ? 1 : 0), "Of %zu items, number %zu was done %ld times.", counts[c], i,
                 tally_read(&done[i]));
            must(outcomes[i].number == (asked ? 10 * (int)i : -1), "Of %zu items, result %zu is not that of item %zu.",
                 counts[c], i, i);
        }
        executor_destroy(executor);
    }
    must(tally_read(&elsewhere) == 0,
         "Items and results are handed out where they lie in memory; %ld calls were given another address.",
         tally_read(&elsewhere));
    must(tally_read(&by_who_maps) == 0, "Chunks are tasks of the executor, and who called pool_map did %ld items.",
         tally_read(&by_who_maps));
}

static int square(const void *item, void *result)
{
    int32_t number = *(const int32_t *)item;

    *(int64_t *)result = (int64_t)number * number;
    return 0;
}

TEST(sizes_of_their_own, "Items and results have each their own size, and lie in memory one behind the other.")
{
    struct executor *executor = new_executor(2);
    int32_t numbers[MOST];
    int64_t squares[MOST + 1];

    for (int i = 0; i < MOST; i++)
        numbers[i] = 100000 - i;
    squares[MOST] = 7;
    must_return(0, pool_map(executor, square, numbers, sizeof numbers[0], MOST, squares, sizeof squares[0]),
                "pool_map");
    for (int i = 0; i < MOST; i++)
        must(squares[i] == (int64_t)numbers[i] * numbers[i], "The square in place %d is not that of the number there.",
             i);
    must(squares[MOST] == 7, "pool_map has written behind the last result.");
    executor_destroy(executor);
}

static int count_call(const void *item, void *result)
{
    tally_add(&order, item == items && result == outcomes ? 1 : 0);
    return 0;
}

TEST(sizes_of_none, "A size may be 0: then all items, or all results, are at the same place.")
{
    struct executor *executor = new_executor(2);

    must_return(0, pool_map(executor, count_call, items, 0, MOST, outcomes, 0), "pool_map with sizes of 0");
    must(tally_read(&order) == MOST, "Of %d items without a size, %ld were done, or they lay elsewhere.", MOST,
         tally_read(&order));
    executor_destroy(executor);
}

TEST(size_of_a_chunk, "A chunk has ceil(n / 4p) items; there is none for an empty list.")
{
    static const struct {
        size_t count;
        int workers;
        size_t size;
    } table[] = {{0, 4, 0},
                 {1, 4, 1},
                 {16, 4, 1},
                 {17, 4, 2},
                 {32, 4, 2},
                 {33, 4, 3},
                 {64, 2, 8},
                 {65, 2, 9},
                 {3, 1, 1},
                 {5, 1, 2},
                 {1000000, 2, 125000},
                 {SIZE_MAX, 1, SIZE_MAX / 4 + 1},
                 {7, 2000000000, 1},
                 {7, 1 << 30, 1},
                 {(size_t)1 << 40, 1500000000, 184},
                 {((size_t)1 << 53) + 1, 1, ((size_t)1 << 51) + 1}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t size = pool_map_chunk(table[i].count, table[i].workers);
        must(size == table[i].size, "For %zu items and %d workers a chunk should have %zu items, not %zu.",
             table[i].count, table[i].workers, table[i].size, size);
    }
}

/* With two workers, stops item `stopped` and asserts that just those up to `last` are not done meanwhile. */
static void must_be_chunk(size_t count, size_t stopped, size_t last)
{
    struct executor *executor = new_executor(2);
    struct gate open = GATE_CLOSED;
    struct errand errand = {executor, count, -1, 0, NULL};

    make_items();
    must_return(0, map(executor, 1), "pool_map of one item"); /* one of the two workers is started, and is idle */
    make_items();
    items[stopped].waits_for = &open;
    struct runner *runner = runner_start(map_errand, &errand);
    must_be_blocked(runner, "An item is not done, and pool_map has returned.");
    for (size_t i = 0; i < count; i++) {
        bool is_done = tally_read(&done[i]) == 1, behind = i >= stopped && i <= last;
        must(is_done != behind, "Of %zu items and 2 workers, one is stuck in item %zu. Item %zu %s.", count, stopped, i,
             behind ? "belongs to the same chunk, behind it, and was done all the same"
                    : "does not belong to what is left of its chunk, and was not done");
    }
    gate_open(&open);
    runner_join(runner);
    must_return(0, errand.error, "pool_map");
    executor_destroy(executor);
}

TEST(neighbours_make_a_chunk, "A chunk has ceil(n / 4p) neighbours, done one after the other by one worker.")
{
    must_be_chunk(16, 0, 1);
    must_be_chunk(17, 0, 2);
    must_be_chunk(17, 4, 5);
    must_be_chunk(8, 3, 3);
}

TEST(last_chunk_is_the_rest, "The last chunk has what is left over.")
{
    must_be_chunk(17, 15, 16);
    must_be_chunk(19, 18, 18);
    must_be_chunk(64, 56, 63);
}

TEST(chunks_begin_in_order, "Chunks are begun in their order, and the items of a chunk are done in theirs.")
{
    struct executor *executor = new_executor(1);

    make_items();
    must_return(0, map(executor, MOST), "pool_map");
    for (int i = 0; i < MOST; i++)
        must(place[i] == i, "With one worker item %d was done in place %ld.", i, place[i]);
    executor_destroy(executor);
}

TEST(workers_share, "The chunks are done by all workers at the same time.")
{
    struct executor *executor = new_executor(4);
    struct crew crew = CREW_OF(4);

    make_items();
    for (int i = 0; i < 4; i++)
        items[i].meets = &crew;
    must_return(0, map(executor, 4), "pool_map");
    executor_destroy(executor);
}

TEST(a_task_for_each_chunk, "There are as many tasks as chunks, however many workers there may be.")
{
    struct executor *executor = new_executor(3), *vast = new_executor(INT_MAX);
    struct gate open = GATE_CLOSED;
    struct errand errand = {.executor = executor, .count = 1, .error = -1};

    make_items();
    items[0].waits_for = &open;
    struct runner *runner = runner_start(map_errand, &errand);
    must_be_blocked(runner, "An item is not done, and pool_map has returned, or busies itself.");
    int workers = executor_workers(executor);
    gate_open(&open);
    runner_join(runner);
    must(workers == 1, "One item is one chunk, and %d workers were started for it.", workers);
    make_items();
    must_return(0, map(vast, 3), "pool_map of 3 items, where there may be INT_MAX workers,");
    executor_destroy(vast);
    executor_destroy(executor);
}

TEST(two_maps_at_once, "Several threads may map with the same executor at the same time.")
{
    struct executor *executor = new_executor(2);
    struct errand one = {executor, 5, -1, 0, NULL}, two = one;
    struct crew crew = CREW_OF(2);

    make_items();
    items[0].meets = &crew; /* both maps do the same items: they meet in the first */
    struct runner *first = runner_start(map_errand, &one), *second = runner_start(map_errand, &two);
    runner_join(first);
    runner_join(second);
    must(one.error == 0 && two.error == 0, "Both should get 0, not %s and %s.", error_text(one.error),
         error_text(two.error));
    for (int i = 0; i < 5; i++)
        must(tally_read(&done[i]) == 2, "Two threads mapped, and item %d was done %ld times.", i, tally_read(&done[i]));
    executor_destroy(executor);
}

struct squares {
    struct executor *executor;
    int32_t numbers[MOST];
    int64_t squares[MOST];
    int error;
};

static void map_squares(void *argument)
{
    struct squares *map = argument;

    map->error = pool_map(map->executor, square, map->numbers, sizeof map->numbers[0], MOST, map->squares,
                          sizeof map->squares[0]);
}

TEST(each_map_its_own, "Two maps at once have each their own function, items, results and error.")
{
    struct gate open = GATE_CLOSED;
    struct errand one = {new_executor(1), 8, -1, 0, NULL};
    struct squares two = {.executor = one.executor, .error = -1};

    make_items();
    items[0].waits_for = &open;
    items[7].error = FAILED;
    for (int i = 0; i < MOST; i++)
        two.numbers[i] = i;
    struct runner *first = runner_start(map_errand, &one);
    settle();
    struct runner *second = runner_start(map_squares, &two);
    settle();
    gate_open(&open);
    runner_join(first);
    runner_join(second);
    must(one.error == FAILED && two.error == 0,
         "One map failed with 77 and the other did not: they returned %s and %s.", error_text(one.error),
         error_text(two.error));
    for (int i = 0; i < MOST; i++)
        must(two.squares[i] == (int64_t)i * i && tally_read(&done[i]) == (i < 8 ? 1 : 0),
             "Two maps at once, and in place %d one of them has what it should not.", i);
    executor_destroy(one.executor);
}

TEST(empty_list, "An empty list is done at once, whatever the executor.")
{
    struct executor *executor = new_executor(2);

    must_return(0, pool_map(executor, do_item, NULL, 8, 0, NULL, 8), "pool_map of an empty list");
    must(executor_workers(executor) == 0, "For an empty list %d workers were started.", executor_workers(executor));
    must_return(0, executor_shutdown(executor, true, false), "executor_shutdown");
    must_return(0, pool_map(executor, do_item, NULL, 8, 0, NULL, 8), "pool_map of an empty list after a shutdown");
    executor_destroy(executor);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

TEST(error_ends_its_chunk, "An item that fails ends its chunk and no other: all other chunks are finished.")
{
    static const struct {
        size_t count, failing, last; /* the last of its chunk */
    } table[] = {{16, 4, 5}, {16, 15, 15}, {64, 9, 15}};

    for (size_t t = 0; t < sizeof table / sizeof table[0]; t++) {
        struct executor *executor = new_executor(2);
        make_items();
        items[table[t].failing].error = FAILED;
        must_return(FAILED, map(executor, table[t].count), "pool_map, where one item failed with 77,");
        for (size_t i = 0; i < table[t].count; i++) {
            bool behind = i > table[t].failing && i <= table[t].last;
            must(tally_read(&done[i]) == (behind ? 0 : 1),
                 "Of %zu items, with 2 workers, number %zu failed. Item %zu was done %ld times.", table[t].count,
                 table[t].failing, i, tally_read(&done[i]));
            must(outcomes[i].number == (behind ? -1 : 10 * (int)i), "Item %zu %s, and its result %s.", i,
                 behind ? "was not done" : "was done",
                 behind ? "is not what was there before" : "is not what it stored");
        }
        executor_destroy(executor);
    }
}

TEST(first_error_is_reported, "Of several errors the one that came first is reported.")
{
    for (int first = 0; first <= 8; first += 8) {
        struct gate open = GATE_CLOSED;
        struct errand errand = {new_executor(2), 16, -1, 0, NULL};
        int later = 8 - first, error = first == 0 ? FAILED : FAILED_TOO, other = FAILED + FAILED_TOO - error;
        make_items();
        items[first].error = error;
        items[later].waits_for = &open;
        items[later].error = other;
        struct runner *runner = runner_start(map_errand, &errand);
        must_be_blocked(runner, "An item is not done, and pool_map has returned.");
        gate_open(&open); /* all others are done: the first error is known */
        runner_join(runner);
        must(errand.error == error, "Item %d failed with %d, then item %d with %d: pool_map should return %d, not %d.",
             first, error, later, other, error, errand.error);
        executor_destroy(errand.executor);
    }
}

TEST(errors_that_mean_something_else,
     "ECANCELED, ESHUTDOWN or ENOMEM are an item's error as any other, where work returned them.")
{
    static const int errors[] = {ECANCELED, ESHUTDOWN, ENOMEM};

    for (int i = 0; i < 3; i++) {
        struct executor *executor = new_executor(1);
        make_items();
        items[3].error = errors[i];
        items[8].error = FAILED;
        must_return(errors[i], map(executor, 16), "pool_map, where an item of the first chunk failed with that,");
        must(tally_read(&done[7]) == 1 && tally_read(&done[15]) == 1, "The other chunks were not finished.");
        executor_destroy(executor);
    }
}

TEST(negative_is_einval, "What is below 0 is no errno value: it counts as EINVAL, and as an error.")
{
    struct executor *executor = new_executor(1);

    make_items();
    items[1].error = -5;
    must_return(EINVAL, map(executor, 8), "pool_map, where one item returned -5,");
    must(tally_read(&done[0]) == 1 && tally_read(&done[7]) == 1, "The other chunks were not finished.");
    executor_destroy(executor);
}

TEST(waits_for_all, "It sleeps until nothing of it is running any more, also where an item has failed.")
{
    struct executor *executor = new_executor(2);
    struct gate open = GATE_CLOSED;
    struct errand errand = {.executor = executor, .count = 16, .error = -1, .waits = slices_tally()};

    make_items();
    items[0].error = FAILED;
    items[9].waits_for = &open;
    struct runner *runner = runner_start(map_errand, &errand);
    must_be_blocked(runner, "An item has failed, another one is still being done, and pool_map has returned, or looks "
                            "again and again.");
    must(tally_read(errand.waits) == 0,
         "pool_map should sleep until all is done, but it waits for a moment only and looks again.");
    gate_open(&open);
    runner_join(runner);
    must_return(FAILED, errand.error, "pool_map");
    executor_destroy(executor);
}

TEST(used_again, "The executor is as good as before, after an error too.")
{
    struct executor *executor = new_executor(2);

    for (int round = 0; round < 3; round++) {
        make_items();
        items[3].error = round == 1 ? FAILED : 0;
        must_return(round == 1 ? FAILED : 0, map(executor, 24), "pool_map");
    }
    executor_destroy(executor);
}

TEST(after_a_shutdown, "An executor that was shut down is ESHUTDOWN, and nothing is done.")
{
    struct executor *executor = new_executor(2);

    make_items();
    must_return(0, executor_shutdown(executor, false, false), "executor_shutdown");
    must_return(ESHUTDOWN, map(executor, 16), "pool_map after a shutdown");
    must(tally_read(&order) == 0, "The executor was shut down, and %ld items were done.", tally_read(&order));
    executor_destroy(executor);
}

TEST(cancelled_meanwhile,
     "Chunks that a shutdown cancels are ECANCELED, unless an item has failed; nobody waits for them.")
{
    for (int failing = 0; failing < 2; failing++) {
        struct executor *executor = new_executor(1);
        struct gate open = GATE_CLOSED;
        struct errand errand = {executor, 8, -1, 0, NULL};
        make_items();
        items[0].waits_for = &open;
        items[0].error = failing == 1 ? FAILED : 0;
        struct runner *runner = runner_start(map_errand, &errand);
        must_be_blocked(runner, "An item is not done, and pool_map has returned.");
        must_return(0, executor_shutdown(executor, false, true), "executor_shutdown");
        must_be_blocked(runner, "Chunks were cancelled, the first is still being done, and pool_map has returned.");
        gate_open(&open);
        runner_join(runner);
        must_return(failing == 1 ? FAILED : ECANCELED, errand.error, "pool_map, most of whose chunks were cancelled,");
        must(tally_read(&done[0]) == 1 && tally_read(&done[7]) == 0,
             "What was cancelled was done, or the other way round.");
        executor_destroy(executor);
    }
}

/* Fails at once: so that of too many items, where somebody begins them, none is touched. */
static int refuse_item(const void *item, void *result)
{
    (void)item;
    (void)result;
    return FAILED;
}

TEST(more_than_memory, "Sizes that no memory can hold are EINVAL, not an overflow.")
{
    struct executor *executor = new_executor(2);

    must_return(EINVAL, pool_map(executor, refuse_item, items, 8, SIZE_MAX / 4, outcomes, 1),
                "pool_map of too many items");
    must_return(EINVAL, pool_map(executor, refuse_item, items, 1, SIZE_MAX / 4, outcomes, 8),
                "pool_map of too many results");
    must_return(EINVAL, pool_map(executor, refuse_item, items, 8, SIZE_MAX / 8 + 1, outcomes, 1),
                "pool_map of items that need one byte more than can be addressed");
    must_return(EINVAL, pool_map(executor, refuse_item, items, 1, SIZE_MAX / 8 + 1, outcomes, 8),
                "pool_map of results that need one byte more than can be addressed");
    must(executor_workers(executor) == 0, "Nothing was to be done, and a worker was started.");
    executor_destroy(executor);
}

static long refused; /* how many of the student's own calls got no memory */

/* How many pieces of memory his calls have got and not given back. */
static long pieces_held(void)
{
    return wrap_memory_kept() - refused;
}

TEST(no_memory, "Where there is no memory it is ENOMEM; what is kept is nothing.")
{
    struct executor *executor = new_executor(2);
    static const enum wrap_call calls[] = {WRAP_malloc, WRAP_calloc, WRAP_realloc};

    for (long nth = 1; nth <= ALLOCATIONS; nth++) {
        for (int c = 0; c < 3; c++) {
            long before = wrap_count(calls[c]);
            make_items();
            wrap_fail(calls[c], nth, ENOMEM);
            int error = map(executor, 16);
            wrap_fail(calls[c], 0, 0);
            refused += c < 2 && wrap_count(calls[c]) - before >= nth ? 1 : 0;
            must(error == 0 || error == ENOMEM, "Without memory pool_map should return ENOMEM, not %s.",
                 error_text(error));
            must(error != 0 || tally_read(&order) == 16, "pool_map returned 0, and %ld of 16 items were done.",
                 tally_read(&order));
        }
    }
    must(tally_read(&by_who_maps) == 0,
         "Without memory pool_map should return ENOMEM; instead, who called it did %ld items itself.",
         tally_read(&by_who_maps));
    must(pieces_held() <= 0, "Without memory pool_map returned ENOMEM and kept %ld pieces that it had.", pieces_held());
    must(wrap_count(WRAP_pthread_mutex_init) <= wrap_count(WRAP_pthread_mutex_destroy), "A mutex was not destroyed.");
    executor_destroy(executor);
}

TEST(no_mutex, "Where a mutex or a condition cannot be made that error is returned, nothing is done and nothing kept.")
{
    static const enum wrap_call calls[] = {WRAP_pthread_mutex_init, WRAP_pthread_cond_init};
    struct executor *executor = new_executor(2);

    for (int c = 0; c < 2; c++) {
        long before = wrap_count(calls[c]);
        make_items();
        wrap_fail(calls[c], 1, EAGAIN);
        int error = map(executor, 16);
        wrap_fail(calls[c], 0, 0);
        int expected = wrap_count(calls[c]) > before ? EAGAIN : 0; /* who needs none cannot be without */
        must_return(expected, error, "pool_map, where what it makes with an init function of pthread was refused,");
        must(tally_read(&order) == (expected == 0 ? 16 : 0), "pool_map returned %s, and %ld of 16 items were done.",
             error_text(error), tally_read(&order));
        must(pieces_held() <= 0, "pool_map returned %s and kept %ld pieces of memory.", error_text(error),
             pieces_held());
    }
    executor_destroy(executor);
}

/* Maps 16 items in four chunks, one of which may be refused. Returns how many were done; these must be whole chunks,
 * the first ones. */
static size_t map_refused(long nth, bool fails, int *error)
{
    struct gate open = GATE_CLOSED;
    struct errand errand = {new_executor(1), 16, -1, nth, NULL};
    size_t all = 0, first = 0;

    make_items();
    items[0].waits_for = &open; /* until all has been submitted that can be */
    items[3].error = fails ? FAILED : 0;
    struct runner *runner = runner_start(map_errand, &errand);
    enum runner_state state = runner_state(runner);
    must(place[0] < 0 || state == RUNNER_BLOCKED,
         "A chunk was refused, one before it is still being done, and pool_map has returned.");
    gate_open(&open);
    runner_join(runner);
    executor_destroy(errand.executor);
    must(tally_read(&by_who_maps) == 0,
         "A chunk was refused, and who called pool_map did it instead; it is not to be done.");
    for (size_t i = 0; i < 16; i++) {
        first += all == i && tally_read(&done[i]) == 1 ? 1 : 0;
        all += tally_read(&done[i]) == 0 ? 0 : 1;
    }
    must(all == first && all % 4 == 0, "A chunk of 4 was refused, and %zu items were done, the first %zu among them.",
         all, first);
    *error = errand.error;
    return all;
}

TEST(refused_midway,
     "A chunk that is refused and those behind it are not done, those before it are; an item's error counts for more.")
{
    for (int fails = 0; fails < 2; fails++) {
        size_t most = 0;
        for (long nth = 1; nth <= REFUSALS; nth++) {
            int error = -1;
            size_t all = map_refused(nth, fails == 1, &error);
            bool refusal = error == ENOMEM || error == EAGAIN; /* EAGAIN: the worker was refused */
            must(fails == 1 && all > 0 ? error == FAILED
                 : all == 16           ? error == 0
                                       : refusal,
                 "Of 16 items %zu were done, %s, the other chunks were refused, and pool_map returned %s.", all,
                 fails == 1 ? "one of them failed" : "none of them failed", error_text(error));
            most = all < 16 && all > most ? all : most;
        }
        must(most >= 8, /* each chunk has at least a future of its own, for which there may be no memory */
             "Of four chunks the third or the fourth was refused, and those before it were not all finished.");
    }
}
