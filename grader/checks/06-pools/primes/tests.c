/* tests.c - what the four ways must have in common, and what each must be.
 *
 * The question is the test's own: it counts, and it may stop at a gate or wait until so many ask at the same time.
 */
#include "check.h"
#include "primes.h"
#include "refuse.h"
#include "wrap.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { WAYS = 4, COUNT = 12, MANY = 40, LONG = 20000, ALLOCATIONS = 5, REFUSALS = 20 };

typedef int ask_way(const uint64_t *, size_t, bool (*)(uint64_t), uint64_t *, size_t *);

static ask_way *const ways[WAYS] = {primes_in_turn, primes_thread_each, primes_workers, primes_executor};
static const char *const names[WAYS] = {"primes_in_turn", "primes_thread_each", "primes_workers", "primes_executor"};

/* ---- questions --------------------------------------------------------------------------------------------------- */

static struct tally asked;
static struct crew *crew;        /* where not NULL, each one who asks waits in it */
static struct gate gates[COUNT]; /* where `gated`, who asks about number i waits for the gate i */
static bool gated;
static pthread_t askers[COUNT]; /* who asked about number i */
static struct tally times[COUNT];

static bool is_small_and_odd(uint64_t number)
{
    tally_add(&asked, 1);
    if (number < COUNT) {
        askers[number] = pthread_self();
        tally_add(&times[number], 1);
    }
    if (crew != NULL)
        crew_meet(crew);
    if (gated)
        gate_pass(&gates[number]);
    return number % 2 == 1;
}

static bool is_small_and_even(uint64_t number)
{
    return !is_small_and_odd(number);
}

static void close_gates(void)
{
    for (int i = 0; i < COUNT; i++)
        gates[i] = (struct gate)GATE_CLOSED;
    gated = true;
}

/* Lets one answer be given after the other, each when everything has come to rest; all but one. */
static void open_gates_but(int closed)
{
    for (int i = 0; i < COUNT; i++) {
        if (i == closed)
            continue;
        gate_open(&gates[i]);
        settle();
    }
}

/* One call by another thread. */
struct errand {
    int way;
    const uint64_t *numbers;
    size_t count;
    bool even; /* the question; else whether it is odd */
    uint64_t primes[MANY];
    size_t found;
    int error;
};

static void call(void *argument)
{
    struct errand *errand = argument;

    errand->error =
        ways[errand->way](errand->numbers, errand->count, errand->even ? is_small_and_even : is_small_and_odd,
                          errand->primes, &errand->found);
}

static const uint64_t upwards[COUNT] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

static void must_be_gone(int way)
{
    settle();
    must(extra_threads() == 0, "%s has returned, and %d of its threads are left.", names[way], extra_threads());
    must(wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) <= wrap_count(WRAP_free),
         "%s has returned, and some of its memory is left.", names[way]);
}

/* ---- the same list in the same order ----------------------------------------------------------------------------- */

TEST(the_same_list,
     "All four give the primes among the numbers, in the order of the numbers, as often as they stand there.")
{
    static const uint64_t numbers[] = {97, 4, 2, 2, 1, 0, 3, 25, 9973, 10403, 5, 65537, 2, 49, 101, 32749};
    static const uint64_t expected[] = {97, 2, 2, 3, 9973, 5, 65537, 2, 101, 32749};
    enum { ALL = sizeof numbers / sizeof numbers[0], PRIME = sizeof expected / sizeof expected[0] };

    for (int way = 0; way < WAYS; way++) {
        uint64_t primes[ALL] = {0};
        size_t found = 99;
        int error = ways[way](numbers, ALL, primes_is_prime, primes, &found);
        must(error == 0, "%s returned %s; it should return 0.", names[way], error_text(error));
        must(found == PRIME, "%s says that there are %zu primes; there are %d.", names[way], found, (int)PRIME);
        for (size_t i = 0; i < PRIME; i++)
            must(primes[i] == expected[i], "%s stored %llu in place %zu; it should be %llu.", names[way],
                 (unsigned long long)primes[i], i, (unsigned long long)expected[i]);
        must_be_gone(way);
    }
}

TEST(each_is_asked_once, "Each number is asked about once, and the answer is the one that was given.")
{
    for (int way = 0; way < WAYS; way++) {
        struct errand errand = {.way = way, .numbers = upwards, .count = COUNT, .found = 99, .error = -1};
        memset(times, 0, sizeof times);
        call(&errand);
        must(errand.error == 0 && errand.found == COUNT / 2, "%s returned %s and found %zu of %d.", names[way],
             error_text(errand.error), errand.found, COUNT / 2);
        for (size_t i = 0; i < COUNT; i++)
            must(tally_read(&times[i]) == 1, "%s has asked %ld times about number %zu.", names[way],
                 tally_read(&times[i]), i);
        for (size_t i = 0; i < COUNT / 2; i++)
            must(errand.primes[i] == 2 * i + 1, "%s does not keep the order of the numbers.", names[way]);
    }
}

TEST(none_and_nothing, "An empty list is no error, and a list without primes has none.")
{
    static const uint64_t even[3] = {2, 4, 6};

    for (int way = 0; way < WAYS; way++) {
        uint64_t primes[3] = {7, 7, 7};
        size_t found = 99;
        int error = ways[way](NULL, 0, is_small_and_odd, NULL, &found);
        must(error == 0 && found == 0, "For an empty list %s returned %s and found %zu.", names[way], error_text(error),
             found);
        must(tally_read(&asked) == 3 * way, "The list was empty, and %s has asked.", names[way]);
        error = ways[way](even, 3, is_small_and_odd, primes, &found);
        must(error == 0 && found == 0, "In a list without any %s found %zu, and returned %s.", names[way], found,
             error_text(error));
        must_be_gone(way);
    }
}

static struct gate rest; /* of a long list; opened when all of it has been asked about */
static bool shared;      /* one of four asks about it, while three wait: so they do not hurry to its end together */

static bool is_odd_in_a_long_list(uint64_t number)
{
    long nth = tally_add(&asked, 1);

    if (nth == LONG)
        gate_open(&rest);
    if (shared && nth < PRIMES_WORKERS)
        gate_pass(&rest);
    return number % 2 == 1;
}

TEST(a_long_list, "However long the list is, each number is asked about, and none has to wait for room in a queue.")
{
    static uint64_t numbers[LONG], primes[LONG];

    for (size_t i = 0; i < LONG; i++)
        numbers[i] = i;
    for (int way = 0; way < WAYS; way++) {
        size_t found = 99;
        long expected = way == 1 ? 0 : LONG; /* too many for a thread each */
        asked = (struct tally)TALLY_ZERO;
        rest = (struct gate)GATE_CLOSED;
        shared = way > 1;
        int error = way == 1 ? 0 : ways[way](numbers, LONG, is_odd_in_a_long_list, primes, &found);
        must(error == 0 && tally_read(&asked) == expected, "%s has asked about %ld of %d numbers, and returned %s.",
             names[way], tally_read(&asked), LONG, error_text(error));
    }
}

/* ---- who asks ---------------------------------------------------------------------------------------------------- */

TEST(in_turn_alone, "In turn means: by the calling thread, one after the other.")
{
    struct errand errand = {.way = 0, .numbers = upwards, .count = COUNT};

    call(&errand);
    must(wrap_count(WRAP_pthread_create) == 0, "primes_in_turn has started a thread.");
    for (int i = 0; i < COUNT; i++)
        must(pthread_equal(askers[i], pthread_self()), "primes_in_turn did not ask in the calling thread.");
}

TEST(a_thread_for_each, "A thread for each number means all of them at once.")
{
    uint64_t numbers[MANY];
    struct errand errand = {.way = 1, .numbers = numbers, .count = MANY};
    struct crew all = CREW_OF(MANY);

    for (size_t i = 0; i < MANY; i++)
        numbers[i] = i;
    crew = &all; /* opens when each number is being asked about */
    call(&errand);
    must(errand.error == 0, "primes_thread_each returned %s.", error_text(errand.error));
    must(wrap_count(WRAP_pthread_create) == MANY, "For %d numbers primes_thread_each started %ld threads.", MANY,
         wrap_count(WRAP_pthread_create));
    for (int i = 0; i < COUNT; i++)
        must(!pthread_equal(askers[i], pthread_self()), "A number was asked about in the calling thread.");
    must_be_gone(1);
}

/* Four at once, never more, and whoever is free takes the next. */
static void four_at_once(int way)
{
    struct errand errand = {.way = way, .numbers = upwards, .count = COUNT};
    struct tally none = TALLY_ZERO;

    close_gates();
    asked = none;
    struct runner *runner = runner_start(call, &errand);
    must_be_blocked(runner, "No answer has been given, and %s has returned, or busies itself.", names[way]);
    must(tally_read(&asked) == PRIMES_WORKERS,
         "%s should ask about %d numbers at the same time, but it asks about %ld.", names[way], PRIMES_WORKERS,
         tally_read(&asked));
    must(extra_threads() == PRIMES_WORKERS + 1, "%s should have %d threads, and it has %d.", names[way], PRIMES_WORKERS,
         extra_threads() - 1);
    open_gates_but(-1);
    runner_join(runner);
    must(errand.error == 0 && errand.found == COUNT / 2, "%s returned %s and found %zu.", names[way],
         error_text(errand.error), errand.found);
    gated = false;
    must_be_gone(way);
}

TEST(four_workers, "The third way has four threads that share the numbers.")
{
    four_at_once(2);
}

TEST(four_in_the_executor, "The fourth way has an executor of four workers, who share the numbers.")
{
    four_at_once(3);
    must(wrap_count(WRAP_pthread_create) == 0,
         "primes_executor has started threads of its own; the executor has some.");
}

TEST(who_is_free_takes_the_next,
     "A worker that is busy with a hard number does not hold up the others: they do all the rest.")
{
    for (int way = 1; way < WAYS; way++) {
        struct errand errand = {.way = way, .numbers = upwards, .count = COUNT};
        asked = (struct tally)TALLY_ZERO;
        close_gates();
        struct runner *runner = runner_start(call, &errand);
        settle();
        open_gates_but(1);
        must_be_blocked(runner, "One number is still being asked about, and %s has returned.", names[way]);
        must(tally_read(&asked) == COUNT,
             "One worker of %s is busy with the second number, and the others have asked about %ld of the other %d.",
             names[way], tally_read(&asked) - 1, COUNT - 1);
        gate_open(&gates[1]);
        runner_join(runner);
        must(errand.found == COUNT / 2 && errand.primes[0] == 1 && errand.primes[COUNT / 2 - 1] == COUNT - 1,
             "%s does not keep the order of the numbers.", names[way]);
    }
}

static void hold(void *gate)
{
    gate_pass(gate);
}

TEST(several_call_at_once, "Several threads may call them at the same time, each with its own list and question.")
{
    for (int way = 0; way < WAYS; way++) {
        struct errand one = {.way = way, .numbers = upwards, .count = 6}, two = one;
        struct gate both = GATE_CLOSED; /* until both have called, no thread of the first has looked at anything */
        two.even = true;
        close_gates();
        wrap_in_thread(hold, &both);
        struct runner *first = runner_start(call, &one);
        settle();
        struct runner *second = runner_start(call, &two);
        settle();
        gate_open(&both);
        open_gates_but(-1);
        runner_join(first);
        runner_join(second);
        must(one.error == 0 && two.error == 0 && one.found == 3 && two.found == 3 && one.primes[0] == 1 &&
                 two.primes[2] == 4,
             "Two threads called %s at the same time, and one of them got something else.", names[way]);
    }
}

TEST(several_ask_at_once, "Several threads that call them at the same time do not wait for one another.")
{
    for (int way = 0; way < WAYS; way++) {
        struct errand one = {.way = way, .numbers = upwards, .count = 1, .error = -1}, two = one;
        struct crew both = CREW_OF(2); /* opens when both ask: each has one number */
        crew = &both;
        struct runner *first = runner_start(call, &one), *second = runner_start(call, &two);
        runner_join(first);
        runner_join(second);
        must(one.error == 0 && two.error == 0, "Two threads called %s at the same time: it returned %s and %s.",
             names[way], error_text(one.error), error_text(two.error));
    }
}

/* ---- when something cannot be had -------------------------------------------------------------------------------- */

TEST(no_memory, "Where there is no memory it is ENOMEM, `found` is as it was, and nothing is kept.")
{
    for (int way = 1; way < WAYS; way++) {
        for (long nth = 1; nth <= ALLOCATIONS; nth++) {
            for (int c = 0; c < 2; c++) {
                enum wrap_call which = c == 0 ? WRAP_malloc : WRAP_calloc;
                struct errand errand = {.way = way, .numbers = upwards, .count = 3, .found = 99};
                long before = wrap_memory_kept();
                wrap_fail(which, nth, ENOMEM);
                call(&errand);
                wrap_fail(which, 0, 0);
                long kept = wrap_memory_kept() - before;
                must(errand.error == 0 || errand.error == ENOMEM, "Without memory %s should return ENOMEM, not %s.",
                     names[way], error_text(errand.error));
                must(errand.found == (errand.error == 0 ? 1u : 99u), "%s returned %s, and `found` is %zu.", names[way],
                     error_text(errand.error), errand.found);
                must(kept <= (errand.error == 0 ? 0 : 1), "After a %s without memory some of it is left.", names[way]);
            }
        }
    }
}

TEST(no_thread_for_each,
     "Where one of the threads cannot be started, it waits for those that were, and returns the error.")
{
    for (long nth = 1; nth <= 3; nth++) {
        struct errand errand = {.way = 1, .numbers = upwards, .count = 3, .found = 99};
        wrap_fail(WRAP_pthread_create, nth, EAGAIN);
        call(&errand);
        wrap_fail(WRAP_pthread_create, 0, 0);
        must(errand.error == EAGAIN, "Thread %ld of 3 could not be started, and primes_thread_each returned %s.", nth,
             error_text(errand.error));
        must(errand.found == 99, "primes_thread_each returned an error and changed `found`.");
        must_be_gone(1);
    }
}

TEST(fewer_workers, "Where a worker cannot be started the others do the work; where none can, it returns the error.")
{
    for (long nth = 2; nth <= 4; nth++) {
        struct errand errand = {.way = 2, .numbers = upwards, .count = COUNT, .found = 99};
        wrap_fail(WRAP_pthread_create, nth, EAGAIN);
        call(&errand);
        wrap_fail(WRAP_pthread_create, 0, 0);
        must(errand.error == 0 && errand.found == COUNT / 2,
             "Worker %ld could not be started; the others should do the work, but primes_workers returned %s and found "
             "%zu.",
             nth, error_text(errand.error), errand.found);
        must_be_gone(2);
    }
    struct errand errand = {.way = 2, .numbers = upwards, .count = COUNT, .found = 99};
    wrap_fail(WRAP_pthread_create, -1, EAGAIN);
    call(&errand);
    wrap_fail(WRAP_pthread_create, 0, 0);
    must(errand.error == EAGAIN && errand.found == 99, "No worker could be started, and primes_workers returned %s.",
         error_text(errand.error));
    must_be_gone(2);
}

TEST(nothing_to_build_on,
     "Where the queue, the executor or a thread finds no memory, that is an error, unless all is done without.")
{
    static const uint64_t numbers[3] = {1, 2, 4};

    for (int way = 1; way < WAYS; way++) {
        for (long nth = 1; nth <= REFUSALS; nth++) {
            struct errand errand = {.way = way, .numbers = numbers, .count = 3, .found = 99};
            refuse_memory(nth);
            call(&errand);
            refuse_memory(0);
            must(errand.error == 0 || errand.error == ENOMEM || errand.error == EAGAIN, /* EAGAIN: a thread's */
                 "What %s is built on found no memory, and returned ENOMEM or EAGAIN: it should return that, not %s.",
                 names[way], error_text(errand.error));
            must(errand.found == (errand.error == 0 ? 1u : 99u),
                 "What %s is built on found no memory: it returned %s, and `found` is %zu.", names[way],
                 error_text(errand.error), errand.found);
        }
        must_be_gone(way);
    }
}
