/* transfer.c - money moved between accounts by many threads.
 *
 * Theory of operation: no threads of its own. Each account has a mutex that guards its balance. Who needs several of
 * them keeps from deadlock in one of two ways, and any mix of the two is safe:
 *
 *   - In order: the mutex at the lower address first. Whoever waits for a mutex holds only lower ones, so of all the
 *     mutexes that are held the highest one's owner waits for nobody, and will let go. No circle can close.
 *   - By trying: who does not get the second mutex gives back the first, so nobody waits while he holds something.
 *
 * Money is moved only with both mutexes held, and checked under the same hold: nothing can change in between.
 */
#include "transfer.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* region state */
struct account {
    pthread_mutex_t mutex;
    long balance; /* guarded by mutex; never below 0 */
};
/* end state */

/* region account */
int account_create(struct account **account, long balance)
{
    if (balance < 0)
        return EINVAL;

    struct account *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;
    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0) {
        free(made);
        return error;
    }
    made->balance = balance;
    *account = made;
    return 0;
}

void account_destroy(struct account *account)
{
    if (account == NULL)
        return;
    pthread_mutex_destroy(&account->mutex);
    free(account);
}

long account_balance(struct account *account)
{
    pthread_mutex_lock(&account->mutex);
    long balance = account->balance;
    pthread_mutex_unlock(&account->mutex);
    return balance;
}
/* end account */

/* region move */
/* With both mutexes held, or the one where both are the same: checks and moves. */
static int move_held(struct account *from, struct account *to, long amount)
{
    if (from->balance < amount)
        return ERANGE;
    if (from == to)
        return 0;
    if (to->balance > LONG_MAX - amount)
        return EOVERFLOW;
    from->balance -= amount;
    to->balance += amount;
    return 0;
}
/* end move */

/* region in_order */
/* The order that all threads keep to. As numbers, because C does not compare pointers into different objects. */
static bool comes_first(const struct account *one, const struct account *other)
{
    return (uintptr_t)one < (uintptr_t)other;
}

static void lock_both(struct account *one, struct account *other)
{
    struct account *first = comes_first(one, other) ? one : other;
    struct account *second = first == one ? other : one;

    pthread_mutex_lock(&first->mutex);
    if (second != first)
        pthread_mutex_lock(&second->mutex);
}

/* The order in which locks are given back does not matter: nobody waits for anything here. */
static void unlock_both(struct account *one, struct account *other)
{
    pthread_mutex_unlock(&one->mutex);
    if (other != one)
        pthread_mutex_unlock(&other->mutex);
}

int transfer_in_order(struct account *from, struct account *to, long amount)
{
    if (amount <= 0)
        return EINVAL;

    lock_both(from, to);
    int error = move_held(from, to, amount);
    unlock_both(from, to);
    return error;
}
/* end in_order */

/* region try */
/* Both or none, without waiting. */
static bool try_both(struct account *one, struct account *other)
{
    if (pthread_mutex_trylock(&one->mutex) != 0)
        return false;
    if (other == one || pthread_mutex_trylock(&other->mutex) == 0)
        return true;
    pthread_mutex_unlock(&one->mutex); /* or it would be kept from whoever needs it to let go of `other` */
    return false;
}

/* Sleeps for a random time below a bound that doubles with each attempt, from 20 µs to some 10 ms. */
static void back_off(int attempt, unsigned *seed)
{
    int doublings = attempt < 10 ? attempt : 9;
    long bound_ns = 20000L << doublings;
    struct timespec pause = {0, rand_r(seed) % bound_ns};

    nanosleep(&pause, NULL);
}

int transfer_try(struct account *from, struct account *to, long amount, int attempts)
{
    unsigned seed = (unsigned)(uintptr_t)&seed; /* an address on the stack: another one in every thread */

    if (amount <= 0 || attempts < 1)
        return EINVAL;

    for (int attempt = 0; attempt < attempts; attempt++) {
        if (attempt > 0)
            back_off(attempt, &seed);
        if (try_both(from, to)) {
            int error = move_held(from, to, amount);
            unlock_both(from, to);
            return error;
        }
    }
    return EBUSY;
}
/* end try */

/* region total */
static int by_order(const void *left, const void *right)
{
    const struct account *const *one = left, *const *other = right;

    return comes_first(*other, *one) - comes_first(*one, *other);
}

/* With all mutexes held. */
static int total_held(struct account *const *accounts, size_t count, long *total)
{
    long sum = 0;

    for (size_t i = 0; i < count; i++) {
        if (accounts[i]->balance > LONG_MAX - sum)
            return EOVERFLOW;
        sum += accounts[i]->balance;
    }
    *total = sum;
    return 0;
}

int transfer_total(struct account *const *accounts, size_t count, long *total)
{
    *total = 0;
    if (count == 0)
        return 0;

    struct account **sorted = malloc(count * sizeof(struct account *));
    if (sorted == NULL)
        return ENOMEM;
    memcpy(sorted, accounts, count * sizeof(struct account *));
    qsort(sorted, count, sizeof(struct account *), by_order);
    for (size_t i = 0; i < count; i++)
        pthread_mutex_lock(&sorted[i]->mutex);
    int error = total_held(accounts, count, total);
    for (size_t i = count; i > 0; i--)
        pthread_mutex_unlock(&sorted[i - 1]->mutex);
    free(sorted);
    return error;
}
/* end total */
