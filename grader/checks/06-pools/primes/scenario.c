/* scenario.c - a few numbers, each of the four ways. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* scarce.h */
#endif
#include "scenario.h"

#include "primes.h"

#ifndef INTERLEAVE
#include "scarce.h"
#endif

#include <errno.h>
#include <stddef.h>

enum { MOST = 5 };

static const uint64_t numbers[MOST] = {7, 8, 9, 11, 2};

static bool is_odd(uint64_t number)
{
    return number % 2 == 1;
}

static void ask(int (*way)(const uint64_t *, size_t, bool (*)(uint64_t), uint64_t *, size_t *), size_t count)
{
    uint64_t primes[MOST] = {0};
    size_t found = 99, expected = 0;

    ensure(way(numbers, count, is_odd, primes, &found) == 0, "it returned an error");
    for (size_t i = 0; i < count; i++)
        if (is_odd(numbers[i]))
            ensure(expected < found && primes[expected++] == numbers[i], "a number is missing, or out of order");
    ensure(found == expected, "it found %zu of %zu", found, expected);
}

static void in_turn(void)
{
    ask(primes_in_turn, MOST);
    ensure(primes_is_prime(7) && !primes_is_prime(9), "7 is prime, and 9 is not");
}

static void thread_each(void)
{
    ask(primes_thread_each, 2);
}

static void workers(void)
{
    ask(primes_workers, 2);
}

static void executor(void)
{
    ask(primes_executor, 2);
}

static void more_numbers(void)
{
    ask(primes_thread_each, MOST);
    ask(primes_workers, MOST);
    ask(primes_executor, MOST);
    ask(primes_thread_each, 0);
    ask(primes_workers, 0);
    ask(primes_executor, 0);
}

static struct crew all; /* made anew for each run: nothing orders those who are in it at the same time */

static bool meets(uint64_t number)
{
    crew_meet(&all);
    return number % 2 == 1;
}

static void at_the_same_time(void)
{
    uint64_t primes[MOST] = {0};
    size_t found = 99;

    all = (struct crew)CREW_OF(3);
    ensure(primes_thread_each(numbers, 3, meets, primes, &found) == 0 && found == 2, "primes_thread_each failed");
    all = (struct crew)CREW_OF(3);
    ensure(primes_workers(numbers, 3, meets, primes, &found) == 0 && found == 2, "primes_workers failed");
    all = (struct crew)CREW_OF(3);
    ensure(primes_executor(numbers, 3, meets, primes, &found) == 0 && found == 2, "primes_executor failed");
}

static void no_thread_to_be_had(void)
{
#ifndef INTERLEAVE
    uint64_t primes[MOST] = {0};
    size_t found = 99;

    if (!scarce_threads(true))
        return;
    int each = primes_thread_each(numbers, 2, is_odd, primes, &found);
    int workers_error = primes_workers(numbers, 2, is_odd, primes, &found);
    int executor_error = primes_executor(numbers, 2, is_odd, primes, &found);
    scarce_threads(false);
    ensure(each == EAGAIN || each == 0, "without a thread primes_thread_each returned %d", each);
    ensure(workers_error == EAGAIN || workers_error == 0, "without a thread primes_workers returned %d", workers_error);
    ensure(executor_error == EAGAIN || executor_error == 0, "without a thread primes_executor returned %d",
           executor_error);
#endif
}

SCENARIOS = {
    {"in_turn", in_turn, "five numbers, one after the other"},
    {"thread_each", thread_each, "two numbers, and a thread for each"},
    {"workers", workers, "two numbers, and four workers"},
    {"executor", executor, "two numbers, and an executor"},
    {"more_numbers", more_numbers, "five numbers, and none, three ways"},
    {"at_the_same_time", at_the_same_time, "three numbers that are asked about at the same time"},
    {"no_thread_to_be_had", no_thread_to_be_had, "two numbers, and no thread to be had"},
    SCENARIOS_END,
};
