/* primes.c - which of these numbers are prime? Four ways to ask.
 *
 * Theory of operation: every number has a slot of its own, with the number and, later, the answer. Whoever asks about a
 * number writes to its slot and to no other, so the slots need no lock, and the order of the answers is the order of
 * the slots, whoever was faster. The calling thread reads them when all who wrote have ended (or, with the executor,
 * when their futures are done).
 */
#include "primes.h"

#include "executor.h"
#include "fifo_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* region state */
struct slot {
    bool (*is_prime)(uint64_t number);
    uint64_t number;
    bool prime;
    pthread_t thread;      /* a thread for each: who asks */
    struct future *future; /* an executor: what it will be told by */
};
/* end state */

/* region is_prime */
bool primes_is_prime(uint64_t number)
{
    if (number < 4)
        return number >= 2;
    if (number % 2 == 0)
        return false;
    for (uint64_t divisor = 3; divisor <= number / divisor; divisor += 2)
        if (number % divisor == 0)
            return false;
    return true;
}
/* end is_prime */

/* region in_turn */
int primes_in_turn(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                   size_t *found)
{
    size_t stored = 0;

    for (size_t i = 0; i < count; i++)
        if (is_prime(numbers[i]))
            primes[stored++] = numbers[i];
    *found = stored;
    return 0;
}
/* end in_turn */

/* region slots */
static struct slot *make_slots(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number))
{
    struct slot *slots = calloc(count + 1, sizeof *slots); /* + 1: an empty list is no failure */

    for (size_t i = 0; slots != NULL && i < count; i++) {
        slots[i].is_prime = is_prime;
        slots[i].number = numbers[i];
    }
    return slots;
}

/* Asks for one number: what a thread, a worker or a task does. */
static void ask(struct slot *slot)
{
    slot->prime = slot->is_prime(slot->number);
}

static void collect(const struct slot *slots, size_t count, uint64_t *primes, size_t *found)
{
    size_t stored = 0;

    for (size_t i = 0; i < count; i++)
        if (slots[i].prime)
            primes[stored++] = slots[i].number;
    *found = stored;
}
/* end slots */

/* region thread_each */
static void *ask_in_thread(void *slot)
{
    ask(slot);
    return NULL;
}

int primes_thread_each(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                       size_t *found)
{
    struct slot *slots = make_slots(numbers, count, is_prime);
    size_t started = 0;
    int error = 0;

    if (slots == NULL)
        return ENOMEM;
    while (started < count && error == 0) {
        error = pthread_create(&slots[started].thread, NULL, ask_in_thread, &slots[started]);
        started += error == 0 ? 1 : 0;
    }
    for (size_t i = 0; i < started; i++)
        pthread_join(slots[i].thread, NULL);
    if (error == 0)
        collect(slots, count, primes, found);
    free(slots);
    return error;
}
/* end thread_each */

/* region workers */
/* A worker: takes a slot, asks, takes the next. All of them were put before it began, so an empty queue is the end. */
static void *work(void *queue)
{
    void *slot = NULL;

    while (fifo_queue_get(queue, &slot, 0) == 0)
        ask(slot);
    return NULL;
}

/* Starts the workers and waits for their end. Returns 0 where there was at least one. */
static int run_workers(struct fifo_queue *queue)
{
    pthread_t workers[PRIMES_WORKERS];
    int started = 0, error = 0;

    while (started < PRIMES_WORKERS && error == 0) {
        error = pthread_create(&workers[started], NULL, work, queue);
        started += error == 0 ? 1 : 0;
    }
    for (int i = 0; i < started; i++)
        pthread_join(workers[i], NULL);
    return started > 0 ? 0 : error;
}

int primes_workers(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                   size_t *found)
{
    struct fifo_queue *queue = NULL;
    struct slot *slots = make_slots(numbers, count, is_prime);
    if (slots == NULL)
        return ENOMEM;

    int error = fifo_queue_create(&queue, 0);
    if (error != 0)
        goto no_queue;
    for (size_t i = 0; i < count && error == 0; i++)
        error = fifo_queue_put(queue, &slots[i], 0);
    if (error == 0)
        error = run_workers(queue);
    if (error == 0)
        collect(slots, count, primes, found);
    fifo_queue_destroy(queue);
no_queue:
    free(slots);
    return error;
}
/* end workers */

/* region executor */
static int ask_in_task(void *slot, void **result)
{
    (void)result;
    ask(slot);
    return 0;
}

int primes_executor(const uint64_t *numbers, size_t count, bool (*is_prime)(uint64_t number), uint64_t *primes,
                    size_t *found)
{
    struct executor *executor = NULL;
    size_t submitted = 0;
    struct slot *slots = make_slots(numbers, count, is_prime);
    if (slots == NULL)
        return ENOMEM;

    int error = executor_create(&executor, PRIMES_WORKERS);
    if (error != 0)
        goto no_executor;
    while (submitted < count && error == 0) {
        error = executor_submit(executor, ask_in_task, &slots[submitted], &slots[submitted].future);
        submitted += error == 0 ? 1 : 0;
    }
    for (size_t i = 0; i < submitted; i++) {
        future_result(slots[i].future, -1, NULL); /* nobody cancels it, so it ends with a result */
        future_drop(slots[i].future);
    }
    executor_destroy(executor);
    if (error == 0)
        collect(slots, count, primes, found);
no_executor:
    free(slots);
    return error;
}
/* end executor */
