/* tests.c - two other orders: newest first, and least first.
 *
 * The queue around them is the shutdown_queue's; what is tested is the order, what becomes of it when memory runs out,
 * and that nothing is shared between two queues. An item is a number: a struct card, or NULL.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include "check.h"
#include "leftovers.h"
#include "lifo_priority.h"
#include "wrap.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CARDS = 600 };

struct card {
    int rank;   /* what it is ordered by */
    int number; /* when it was put */
};

/* Lower ranks first. NULL is a card of rank 0. */
static bool lower_rank(const void *one, const void *other)
{
    const struct card *left = one, *right = other;

    return (left == NULL ? 0 : left->rank) < (right == NULL ? 0 : right->rank);
}

static bool higher_rank(const void *one, const void *other)
{
    return lower_rank(other, one);
}

static long comparisons; /* the test's own thread only */

static bool lower_rank_counted(const void *one, const void *other)
{
    comparisons++;
    return lower_rank(one, other);
}

static struct shutdown_queue *new_lifo(int64_t maxsize)
{
    struct shutdown_queue *queue = NULL;
    int error = lifo_priority_create_lifo(&queue, maxsize);

    must(error == 0 && queue != NULL, "lifo_priority_create_lifo returned %s or stored no queue.", error_text(error));
    return queue;
}

static struct shutdown_queue *new_priority(int64_t maxsize, bool (*before)(const void *one, const void *other))
{
    struct shutdown_queue *queue = NULL;
    int error = lifo_priority_create_priority(&queue, maxsize, before);

    must(error == 0 && queue != NULL, "lifo_priority_create_priority returned %s or stored no queue.",
         error_text(error));
    return queue;
}

static void must_put(struct shutdown_queue *queue, void *item)
{
    must_return(0, shutdown_queue_put(queue, item, 0), "shutdown_queue_put where there is room");
}

static void *must_get_any(struct shutdown_queue *queue)
{
    void *item = &comparisons;

    must_return(0, shutdown_queue_get(queue, &item, 0), "shutdown_queue_get where there is an item");
    return item;
}

/* Gets an item, which must be that very card. */
static void must_get(struct shutdown_queue *queue, const struct card *card, const char *when)
{
    const struct card *got = must_get_any(queue);

    must(got == card,
         "%s the next item should be the one of rank %d that was put as number %d, but it is %d, number %d.", when,
         card->rank, card->number, got == NULL ? 0 : got->rank, got == NULL ? -1 : got->number);
}

static void must_be_empty(struct shutdown_queue *queue)
{
    void *item = NULL;

    must(shutdown_queue_size(queue) == 0 && shutdown_queue_empty(queue), "All items were got, and the queue has %zu.",
         shutdown_queue_size(queue));
    must_return(ETIMEDOUT, shutdown_queue_get(queue, &item, 0), "shutdown_queue_get of an empty queue");
}

/* Numbers that follow no order, the same in every run. */
static unsigned scatter(unsigned *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

/* ---- newest first ----------------------------------------------------------------------------------------------- */

TEST(newest_first, "LIFO: get takes the item that was put last.")
{
    struct shutdown_queue *queue = new_lifo(0);
    struct card cards[50] = {{0}};

    for (int i = 0; i < 50; i++) {
        cards[i] = (struct card){i, i};
        must_put(queue, &cards[i]);
        must(shutdown_queue_size(queue) == (size_t)i + 1, "%d items were put, and there are %zu.", i + 1,
             shutdown_queue_size(queue));
    }
    for (int i = 49; i >= 0; i--)
        must_get(queue, &cards[i], "Newest first:");
    must_be_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(newest_of_those_left, "LIFO: however puts and gets take turns, get takes the newest of those that are left.")
{
    struct shutdown_queue *queue = new_lifo(0);
    struct card cards[200];
    const struct card *left[200];
    int put = 0, count = 0;
    unsigned state = 5;

    while (put < 200) {
        for (unsigned n = scatter(&state) % 9; n > 0 && put < 200; n--, put++) {
            cards[put] = (struct card){put, put};
            must_put(queue, &cards[put]);
            left[count++] = &cards[put];
        }
        for (unsigned n = scatter(&state) % 7; n > 0 && count > 0; n--)
            must_get(queue, left[--count], "Newest first:");
    }
    while (count > 0)
        must_get(queue, left[--count], "Newest first:");
    must_be_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(any_pointer, "An item is any pointer, NULL too, in both orders.")
{
    struct shutdown_queue *lifo = new_lifo(0), *priority = new_priority(0, lower_rank);
    struct card low = {-1, 0}, high = {1, 1};

    must_put(lifo, NULL);
    must_put(lifo, &low);
    must_put(lifo, NULL);
    must(must_get_any(lifo) == NULL, "NULL was put last, and another item came out.");
    must_get(lifo, &low, "NULL was got, and");
    must(must_get_any(lifo) == NULL, "NULL was put first, and another item came out last.");
    must_be_empty(lifo);
    must_put(priority, &high);
    must_put(priority, NULL);
    must_put(priority, &low);
    must_get(priority, &low, "The order says -1, NULL, 1:");
    must(must_get_any(priority) == NULL, "The order says -1, NULL, 1, and the second to come out was not NULL.");
    must_get(priority, &high, "The order says -1, NULL, 1:");
    must_be_empty(priority);
    shutdown_queue_destroy(lifo);
    shutdown_queue_destroy(priority);
}

/* ---- least first ------------------------------------------------------------------------------------------------ */

/* Puts every order of `n` different ranks, and gets them. */
static int wrong_orders(struct shutdown_queue *queue, const int *ranks, int n)
{
    struct card cards[6];
    void *item = NULL;
    int wrong = 0;

    for (int i = 0; i < n; i++) {
        cards[i] = (struct card){ranks[i], i};
        wrong += shutdown_queue_put(queue, &cards[i], 0) != 0;
    }
    for (int rank = 0; rank < n; rank++) {
        if (shutdown_queue_get(queue, &item, 0) != 0)
            return wrong + 1;
        wrong += ((const struct card *)item)->rank != rank;
    }
    return wrong > 0;
}

static bool next_order(int *ranks, int n)
{
    int i = n - 2, j = n - 1;

    while (i >= 0 && ranks[i] > ranks[i + 1])
        i--;
    if (i < 0)
        return false;
    while (ranks[j] < ranks[i])
        j--;
    int rank = ranks[i];
    ranks[i] = ranks[j];
    ranks[j] = rank;
    for (i++, j = n - 1; i < j; i++, j--) {
        rank = ranks[i];
        ranks[i] = ranks[j];
        ranks[j] = rank;
    }
    return true;
}

TEST(least_first, "Priority: get takes the item that comes before all others, in whatever order they were put.")
{
    struct shutdown_queue *queue = new_priority(0, lower_rank);
    int ranks[6] = {0, 1, 2, 3, 4, 5}, wrong = 0, tried = 0;

    do {
        wrong += wrong_orders(queue, ranks, 6);
        tried++;
    } while (wrong == 0 && next_order(ranks, 6));
    must(wrong == 0, "Six items were put in the order %d %d %d %d %d %d, and did not come out as 0 1 2 3 4 5.",
         ranks[0], ranks[1], ranks[2], ranks[3], ranks[4], ranks[5]);
    must(tried == 720, "Only %d of the 720 orders were tried.", tried);
    must_be_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(equals_in_order,
     "Priority: of items of which none comes before the other, the one that was put first comes first.")
{
    struct shutdown_queue *queue = new_priority(0, lower_rank);
    static struct card cards[CARDS];
    unsigned state = 7;

    for (int i = 0; i < CARDS; i++) {
        cards[i] = (struct card){(int)(scatter(&state) % 5), i};
        must_put(queue, &cards[i]);
    }
    for (int rank = 0; rank < 5; rank++)
        for (int i = 0; i < CARDS; i++)
            if (cards[i].rank == rank)
                must_get(queue, &cards[i], "Equal ones in the order of arrival:");
    must_be_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(all_equal, "Priority: where all are equal, it is first in, first out, also while puts and gets take turns.")
{
    struct shutdown_queue *queue = new_priority(0, lower_rank);
    static struct card cards[CARDS];
    int in = 0, out = 0;
    unsigned state = 11;

    while (in < CARDS) {
        for (unsigned n = scatter(&state) % 8; n > 0 && in < CARDS; n--, in++) {
            cards[in] = (struct card){3, in};
            must_put(queue, &cards[in]);
        }
        for (unsigned n = scatter(&state) % 6; n > 0 && out < in; n--)
            must_get(queue, &cards[out++], "All are equal:");
        if (in > CARDS / 2) /* and from an empty queue on again */
            while (out < in && in < CARDS / 2 + 50)
                must_get(queue, &cards[out++], "All are equal:");
    }
    while (out < in)
        must_get(queue, &cards[out++], "All are equal:");
    must_be_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(equals_for_good, "Priority: the order of arrival stays right however many items have been through the queue.")
{
    enum { MANY = 140000, WAITING = 3 };
    struct shutdown_queue *queue = new_priority(0, lower_rank);
    struct card cards[WAITING + 1];
    int wrong = 0, at = -1;

    for (int i = 0; i < MANY + WAITING; i++) {
        void *item = NULL;
        cards[i % (WAITING + 1)] = (struct card){3, i};
        wrong += shutdown_queue_put(queue, &cards[i % (WAITING + 1)], 0) != 0;
        if (i < WAITING)
            continue;
        wrong += shutdown_queue_get(queue, &item, 0) != 0 || item != &cards[(i - WAITING) % (WAITING + 1)];
        at = wrong > 0 && at < 0 ? i : at;
    }
    must(wrong == 0,
         "All are equal, three wait and one more comes each time: after %d items the first to come was not "
         "the first to go.",
         at);
    shutdown_queue_destroy(queue);
}

/* Which of the cards in the queue comes first. */
static int first_of(const struct card *cards, const bool *in_queue, int count)
{
    int first = -1;

    for (int i = 0; i < count; i++)
        if (in_queue[i] && (first < 0 || cards[i].rank < cards[first].rank))
            first = i;
    return first;
}

TEST(least_of_those_left, "Priority: however puts and gets take turns, get takes the first of those that are left.")
{
    struct shutdown_queue *queue = new_priority(0, lower_rank);
    static struct card cards[CARDS];
    static bool in_queue[CARDS];
    int put = 0, left = 0;
    unsigned state = 3;

    while (put < CARDS || left > 0) {
        for (unsigned n = scatter(&state) % 12; n > 0 && put < CARDS; n--, put++, left++) {
            cards[put] = (struct card){(int)(scatter(&state) % 40) - 20, put};
            in_queue[put] = true;
            must_put(queue, &cards[put]);
        }
        for (unsigned n = scatter(&state) % 9; n > 0 && left > 0; n--, left--) {
            int first = first_of(cards, in_queue, put);
            in_queue[first] = false;
            must_get(queue, &cards[first], "Least first, equal ones in the order of arrival:");
        }
    }
    must_be_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(before_decides, "Priority: the order is what `before` says, and nothing else.")
{
    struct shutdown_queue *queue = new_priority(0, higher_rank);
    struct card cards[7] = {{2, 0}, {7, 1}, {7, 2}, {0, 3}, {9, 4}, {7, 5}, {2, 6}};
    static const int order[] = {4, 1, 2, 5, 0, 6, 3};

    for (int i = 0; i < 7; i++)
        must_put(queue, &cards[i]);
    for (int i = 0; i < 7; i++)
        must_get(queue, &cards[order[i]], "`before` says higher ranks first:");
    must_be_empty(queue);
    shutdown_queue_destroy(queue);
}

TEST(few_comparisons,
     "Priority: a put or a get among n items takes some log2(n) steps: it does not look at all of them.")
{
    enum { MANY = 20000 };
    struct shutdown_queue *queue = new_priority(0, lower_rank_counted);
    struct card *cards = calloc(MANY, sizeof *cards);
    unsigned state = 9;
    int wrong = 0, last = -1;

    must(cards != NULL, "The test got no memory.");
    comparisons = 0;
    for (int i = 0; i < MANY; i++) {
        cards[i] = (struct card){(int)(scatter(&state) % 30000), i};
        wrong += shutdown_queue_put(queue, &cards[i], 0) != 0;
    }
    for (int i = 0; i < MANY && wrong == 0; i++) {
        void *item = NULL;
        wrong += shutdown_queue_get(queue, &item, 0) != 0;
        int rank = wrong == 0 ? ((const struct card *)item)->rank : 0;
        wrong += rank < last;
        last = rank;
    }
    must(wrong == 0, "Of %d items some were refused or came out in the wrong order.", MANY);
    must(comparisons < 200L * MANY, "%d puts and as many gets compared items %ld times: %ld times for each.", MANY,
         comparisons, comparisons / (2 * MANY));
    free(cards);
    shutdown_queue_destroy(queue);
}

/* Puts many items, then one more for each that is got, and then gets the rest. `rank` is that of the nth to be put. */
static void must_compare_few(int (*rank)(int n), const char *story)
{
    enum { MANY = 1000 };
    struct shutdown_queue *queue = new_priority(0, lower_rank_counted);
    struct card *cards = calloc((size_t)2 * MANY, sizeof *cards);
    int failed = 0;

    must(cards != NULL, "The test got no memory.");
    comparisons = 0;
    for (int i = 0; i < 3 * MANY; i++) {
        void *item = NULL;
        if (i < 2 * MANY) {
            cards[i] = (struct card){rank(i), i};
            failed += shutdown_queue_put(queue, &cards[i], 0) != 0;
        }
        if (i >= MANY)
            failed += shutdown_queue_get(queue, &item, 0) != 0;
    }
    must(failed == 0, "Of %d puts and as many gets %d failed.", 2 * MANY, failed);
    must(comparisons < 400L * MANY,
         "%s: with some %d items in the queue, %d puts and as many gets compared items %ld times: %ld times for each.",
         story, MANY, 2 * MANY, comparisons, comparisons / (4 * MANY));
    must_be_empty(queue);
    free(cards);
    shutdown_queue_destroy(queue);
}

static int upwards(int n)
{
    return n;
}

static int downwards(int n)
{
    return -n;
}

static int the_same(int n)
{
    (void)n;
    return 3;
}

static int scattered(int n)
{
    unsigned state = (unsigned)n;

    scatter(&state);
    return (int)(scatter(&state) % 30000);
}

TEST(few_comparisons_in_turns,
     "Priority: some log2(n) steps are enough however puts and gets take turns, and in whatever order items come.")
{
    must_compare_few(scattered, "Ranks in no order");
    must_compare_few(upwards, "Each rank is higher than the last");
    must_compare_few(downwards, "Each rank is lower than the last");
    must_compare_few(the_same, "All ranks are equal");
}

enum { GOT = -1 }; /* the number of a card that is its getter's again */

static bool saw_a_got_one; /* the test's own thread only */

static bool lower_rank_of_those_there(const void *one, const void *other)
{
    const struct card *left = one, *right = other;

    saw_a_got_one = saw_a_got_one || left->number == GOT || right->number == GOT;
    return left->rank < right->rank;
}

TEST(got_is_gone,
     "Priority: `before` is asked about items that are in the queue: one that was got is its getter's, who "
     "may have freed it.")
{
    struct shutdown_queue *queue = new_priority(0, lower_rank_of_those_there);
    static struct card cards[CARDS];
    unsigned state = 13;
    int put = 0, left = 0;

    while (put < CARDS || left > 0) {
        for (unsigned n = scatter(&state) % 12; n > 0 && put < CARDS; n--, put++, left++) {
            cards[put] = (struct card){(int)(scatter(&state) % 40), put};
            must_put(queue, &cards[put]);
        }
        for (unsigned n = scatter(&state) % 9; n > 0 && left > 0; n--, left--)
            ((struct card *)must_get_any(queue))->number = GOT;
    }
    must(!saw_a_got_one, "An item was got, and a later put or get asked `before` about it.");
    shutdown_queue_destroy(queue);
}

/* ---- still a queue ---------------------------------------------------------------------------------------------- */

struct visit {
    struct shutdown_queue *queue;
    void *item;
    bool puts;
    int result;
};

static void visit_run(void *argument)
{
    struct visit *visit = argument;

    visit->result = visit->puts ? shutdown_queue_put(visit->queue, visit->item, -1)
                                : shutdown_queue_get(visit->queue, &visit->item, -1);
}

static void must_wait_and_work(struct shutdown_queue *queue, struct card *cards, const int *order)
{
    struct visit getter = {.queue = queue, .result = -1}, putter = {queue, &cards[2], true, -1};
    struct runner *waiter = runner_start(visit_run, &getter);

    must_be_blocked(waiter, "The queue is empty, and shutdown_queue_get did not wait but returned %s.",
                    error_text(getter.result));
    must_put(queue, &cards[0]);
    must_be_done(waiter, "An item was put, and a thread that waits for it was not woken.");
    runner_join(waiter);
    must(getter.result == 0 && getter.item == &cards[0], "The thread that waited did not get the item that was put.");
    must_put(queue, &cards[0]);
    must_put(queue, &cards[1]);
    must(shutdown_queue_full(queue), "maxsize is 2, two items were put, and the queue says that it is not full.");
    must_return(ETIMEDOUT, shutdown_queue_put(queue, &cards[2], 0), "shutdown_queue_put into a full queue");
    waiter = runner_start(visit_run, &putter);
    must_be_blocked(waiter, "The queue is full, and shutdown_queue_put did not wait but returned %s.",
                    error_text(putter.result));
    must_get(queue, &cards[order[0]], "With two items");
    must_be_done(waiter, "An item was got, and a thread that waits for room was not woken.");
    runner_join(waiter);
    must_get(queue, &cards[order[1]], "With two items again");
    must_get(queue, &cards[order[2]], "With one item");
    must(shutdown_queue_unfinished(queue) == 4, "Four items were put, none is done, and %zu are unfinished.",
         shutdown_queue_unfinished(queue));
    for (int i = 0; i < 4; i++)
        must_return(0, shutdown_queue_done(queue), "shutdown_queue_done");
    must_return(EINVAL, shutdown_queue_done(queue), "shutdown_queue_done, once too often,");
    shutdown_queue_join(queue);
}

TEST(still_a_queue, "Both are a shutdown_queue: bound, waiting, task_done and join are as there.")
{
    struct card cards[3] = {{1, 0}, {2, 1}, {3, 2}};
    struct shutdown_queue *lifo = new_lifo(2), *priority = new_priority(2, lower_rank);

    must_wait_and_work(lifo, cards, (const int[]){1, 2, 0});
    must_wait_and_work(priority, cards, (const int[]){0, 1, 2});
    shutdown_queue_destroy(lifo);
    shutdown_queue_destroy(priority);
}

struct pile {
    const struct card *cards[8];
    int count;
};

static void discard(void *context, void *item)
{
    struct pile *pile = context;

    if (pile->count < 8)
        pile->cards[pile->count] = item;
    pile->count++;
}

TEST(thrown_away_in_order,
     "An immediate shutdown throws all items away, in the order in which gets would have taken them.")
{
    struct card cards[4] = {{3, 0}, {1, 1}, {3, 2}, {2, 3}};
    static const int orders[2][4] = {{3, 2, 1, 0}, {1, 3, 0, 2}};

    for (int i = 0; i < 2; i++) {
        struct shutdown_queue *queue = i == 0 ? new_lifo(0) : new_priority(0, lower_rank);
        struct pile pile = {.count = 0};

        for (int n = 0; n < 4; n++)
            must_put(queue, &cards[n]);
        shutdown_queue_shutdown(queue, true, discard, &pile);
        must(pile.count == 4, "Four items were in the queue, and %d were thrown away.", pile.count);
        for (int n = 0; n < 4; n++)
            must(pile.cards[n] == &cards[orders[i][n]], "Item %d to be thrown away should be number %d, but it is %d.",
                 n + 1, orders[i][n], pile.cards[n] == NULL ? -1 : pile.cards[n]->number);
        must_return(ESHUTDOWN, shutdown_queue_put(queue, &cards[0], 0), "After the shutdown shutdown_queue_put");
        shutdown_queue_destroy(queue);
    }
}

TEST(queues_are_separate, "Each queue is on its own: nothing is shared between two.")
{
    struct shutdown_queue *lifos[2] = {new_lifo(0), new_lifo(0)};
    struct shutdown_queue *priorities[2] = {new_priority(0, lower_rank), new_priority(0, higher_rank)};
    struct card cards[6] = {{5, 0}, {1, 1}, {3, 2}, {4, 3}, {2, 4}, {6, 5}};

    for (int i = 0; i < 6; i++) {
        must_put(lifos[i % 2], &cards[i]);
        must_put(priorities[i % 2], &cards[i]);
    }
    for (int i = 5; i >= 0; i--)
        must_get(lifos[i % 2], &cards[i], "Two stacks side by side:");
    must_get(priorities[0], &cards[4], "Lower ranks first:");
    must_get(priorities[1], &cards[5], "Higher ranks first:");
    must_get(priorities[0], &cards[2], "Lower ranks first:");
    must_get(priorities[1], &cards[3], "Higher ranks first:");
    must_get(priorities[0], &cards[0], "Lower ranks first:");
    must_get(priorities[1], &cards[1], "Higher ranks first:");
    for (int i = 0; i < 2; i++) {
        must_be_empty(lifos[i]);
        must_be_empty(priorities[i]);
        shutdown_queue_destroy(lifos[i]);
        shutdown_queue_destroy(priorities[i]);
    }
}

TEST(very_many, "Any number of items: no short number counts them, and no put or get goes through all of them.")
{
    enum { VERY_MANY = 70000 };
    struct card *cards = calloc(VERY_MANY, sizeof *cards);

    must(cards != NULL, "The test got no memory.");
    for (int kind = 0; kind < 2; kind++) {
        struct shutdown_queue *queue = kind == 0 ? new_lifo(0) : new_priority(0, lower_rank);
        int refused = 0, wrong = 0;

        for (int i = 0; i < VERY_MANY; i++) {
            cards[i] = (struct card){i / 2, i};
            refused += shutdown_queue_put(queue, &cards[i], 0) != 0;
        }
        must(refused == 0, "Of %d puts into a queue without a bound %d were refused.", VERY_MANY, refused);
        for (int i = 0; i < VERY_MANY; i++) {
            void *item = NULL;
            wrong += shutdown_queue_get(queue, &item, 0) != 0 || item != &cards[kind == 0 ? VERY_MANY - 1 - i : i];
        }
        must(wrong == 0, "%d items were put, and of as many gets %d failed or gave the wrong item.", VERY_MANY, wrong);
        must_be_empty(queue);
        shutdown_queue_destroy(queue);
    }
    free(cards);
}

static void *end_queue(void *queue)
{
    shutdown_queue_destroy(queue);
    return NULL;
}

TEST(ends_with_many, "shutdown_queue_destroy ends a queue however many items are in it: a function that calls itself "
                     "for each item runs out of stack.")
{
    enum { MANY = 20000, SMALL_STACK = 128 << 10 }; /* as a million items would be to a stack of the usual size */
    static struct card cards[2] = {{1, 0}, {2, 1}};

    for (int kind = 0; kind < 2; kind++) {
        struct shutdown_queue *queue = kind == 0 ? new_lifo(0) : new_priority(0, lower_rank);
        pthread_attr_t small;
        pthread_t thread;
        int refused = 0;

        for (int i = 0; i < MANY; i++)
            refused += shutdown_queue_put(queue, &cards[i % 2], 0) != 0;
        must(refused == 0, "Of %d puts into a queue without a bound %d were refused.", MANY, refused);
        must(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, SMALL_STACK) == 0 &&
                 pthread_create(&thread, &small, end_queue, queue) == 0,
             "The test got no thread.");
        pthread_join(thread, NULL);
        pthread_attr_destroy(&small);
    }
}

TEST(bounds, "maxsize is what the queue's is: 0 or less means no bound, and no number is too large for it.")
{
    static const int64_t sizes[] = {0, -1, INT64_MIN, ((int64_t)1 << 32) + 1, ((int64_t)1 << 31) + 1, INT64_MAX};
    struct card cards[3] = {{1, 0}, {2, 1}, {3, 2}};

    for (int i = 0; i < 6; i++)
        for (int kind = 0; kind < 2; kind++) {
            struct shutdown_queue *queue = kind == 0 ? new_lifo(sizes[i]) : new_priority(sizes[i], lower_rank);

            for (int n = 0; n < 3; n++)
                must_return(0, shutdown_queue_put(queue, &cards[n], 0), "With such a maxsize, one of three puts");
            must(!shutdown_queue_full(queue), "maxsize is %lld, three items were put, and the queue says it is full.",
                 (long long)sizes[i]);
            shutdown_queue_destroy(queue);
        }
}

TEST(large_bound, "A large maxsize costs nothing by itself: memory is taken for the items that come.")
{
    struct shutdown_queue *lifo = new_lifo(INT64_MAX), *priority = new_priority((int64_t)1 << 40, lower_rank);
    struct card card = {1, 0};

    must_put(lifo, &card);
    must_get(lifo, &card, "maxsize is INT64_MAX, and");
    must_put(priority, &card);
    must_get(priority, &card, "maxsize is 2^40, and");
    shutdown_queue_destroy(lifo);
    shutdown_queue_destroy(priority);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static long asked_for_memory(void)
{
    return wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) + wrap_count(WRAP_realloc);
}

/* A put fails for want of memory; then all that was put comes out in order, and it goes on. */
static void must_survive(struct shutdown_queue *queue, bool newest_first)
{
    enum { MANY = 100000 };
    struct card *cards = calloc(MANY + 1, sizeof *cards);
    int kept = 0, error = 0, wrong = 0;

    must(cards != NULL, "The test got no memory.");
    for (; kept < 20; kept++) {
        cards[kept] = (struct card){newest_first ? -kept : kept / 2, kept};
        must_put(queue, &cards[kept]);
    }
    wrap_fail_memory(-1);
    while (error == 0 && kept < MANY) {
        cards[kept] = (struct card){newest_first ? -kept : kept / 2, kept};
        error = shutdown_queue_put(queue, &cards[kept], 0);
        kept += error == 0 ? 1 : 0;
    }
    must_return(ENOMEM, error, "Without memory, one of very many puts");
    must(shutdown_queue_size(queue) == (size_t)kept, "A put failed, %d items were put before, and there are %zu.", kept,
         shutdown_queue_size(queue));
    wrap_fail_memory(0);
    long asked = asked_for_memory();
    must_put(queue, &cards[kept++]);
    must(asked_for_memory() > asked, "A put failed for want of memory; then there was some, and the next put asked for "
                                     "none: it cannot have a place for the item.");
    for (int i = 0; i < kept; i++) {
        void *item = NULL;
        wrong += shutdown_queue_get(queue, &item, 0) != 0 || item != &cards[newest_first ? kept - 1 - i : i];
    }
    must(wrong == 0, "A put had failed for want of memory, and then %d of %d gets gave the wrong item.", wrong, kept);
    free(cards);
    shutdown_queue_destroy(queue);
}

TEST(no_memory_for_one_more,
     "Where there is no memory for one more item, put returns ENOMEM, and the queue is as it was.")
{
    must_survive(new_lifo(0), true);
    must_survive(new_priority(0, lower_rank), false);
}

TEST(gets_need_no_memory, "A get needs no memory: where there is none, every item comes out all the same.")
{
    static struct card cards[CARDS];

    for (int kind = 0; kind < 2; kind++) {
        struct shutdown_queue *queue = kind == 0 ? new_lifo(0) : new_priority(0, lower_rank);

        for (int i = 0; i < CARDS; i++) {
            cards[i] = (struct card){i / 2, i};
            must_put(queue, &cards[i]);
        }
        wrap_fail_memory(-1);
        for (int i = 0; i < CARDS; i++)
            must_get(queue, &cards[kind == 0 ? CARDS - 1 - i : i], "Without memory");
        wrap_fail_memory(0);
        must_put(queue, &cards[0]);
        must_get(queue, &cards[0], "With memory again");
        must_be_empty(queue);
        shutdown_queue_destroy(queue);
    }
}

static int create(int kind, struct shutdown_queue **queue)
{
    return kind == 0 ? lifo_priority_create_lifo(queue, 0) : lifo_priority_create_priority(queue, 0, lower_rank);
}

static int make(int kind)
{
    struct shutdown_queue *made = NULL;
    int error = create(kind, &made);

    if (error == 0)
        shutdown_queue_destroy(made);
    return error;
}

static int make_lifo(void)
{
    return make(0);
}

static int make_priority(void)
{
    return make(1);
}

TEST(no_memory,
     "When there is no memory, a create returns ENOMEM, whichever part of it there is none for, and keeps nothing.")
{
    must_bear_want("lifo_priority_create_lifo", make_lifo);
    must_bear_want("lifo_priority_create_priority", make_priority);
    for (int kind = 0; kind < 2; kind++) {
        struct shutdown_queue *queue = NULL;

        wrap_fail_memory(-1);
        int error = create(kind, &queue);
        wrap_fail_memory(0);
        must_return(ENOMEM, error, "Without any memory, a create");
    }
}

/* Stands before the C library's own: while this thread says so, no mutex can be made, so no shutdown_queue either. */
static _Thread_local bool no_mutex;

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    int (*real)(pthread_mutex_t *, const pthread_mutexattr_t *) = NULL;

    if (no_mutex)
        return EAGAIN;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_init");
    return real == NULL ? ENOSYS : real(mutex, attributes);
}

TEST(nothing_kept, "When the queue cannot be made, a create returns that error and keeps nothing of its store.")
{
    for (int kind = 0; kind < 2; kind++) {
        struct shutdown_queue *queue = NULL;
        long before = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc), freed = wrap_count(WRAP_free);

        no_mutex = true;
        int error = create(kind, &queue);
        no_mutex = false;
        must_return(EAGAIN, error, "shutdown_queue_create_with returned EAGAIN: the create");
        long kept = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) - before - (wrap_count(WRAP_free) - freed);
        must(kept <= 0, "The queue could not be made, and the create kept %ld allocations of its store: they are lost.",
             kept);
    }
}

TEST(gives_back, "shutdown_queue_destroy gives back all that the store has, with items in it and without.")
{
    struct card cards[40];

    for (int kind = 0; kind < 2; kind++)
        for (int count = 0; count <= 40; count += 40) {
            struct shutdown_queue *queue = NULL;

            must_return(0, create(kind, &queue), "A create");
            for (int i = 0; i < count; i++) {
                cards[i] = (struct card){i, i};
                must_put(queue, &cards[i]);
            }
            shutdown_queue_destroy(queue);
        }
    must(wrap_count(WRAP_free) > 0, "Four queues were made and ended, and nothing was freed.");
}
