/* transfer.c - money moved between accounts by many threads. A variant: the highest address comes first, transfer_try
 * begins with the account that gets the money, and the list is sorted by insertion into an array of locks. */
#include "transfer.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct account {
    long balance; /* guarded by *mutex */
    pthread_mutex_t *mutex;
};

int account_create(struct account **account, long balance)
{
    struct account *made;
    int error = ENOMEM;

    if (balance < 0)
        return EINVAL;
    if ((made = malloc(sizeof *made)) == NULL)
        return error;
    if ((made->mutex = malloc(sizeof(pthread_mutex_t))) != NULL) {
        error = pthread_mutex_init(made->mutex, NULL);
        if (error == 0) {
            made->balance = balance;
            *account = made;
            return 0;
        }
    }
    free(made->mutex);
    free(made);
    return error;
}

void account_destroy(struct account *account)
{
    if (account == NULL)
        return;
    pthread_mutex_destroy(account->mutex);
    free(account->mutex);
    free(account);
}

long account_balance(struct account *account)
{
    long balance;

    pthread_mutex_lock(account->mutex);
    balance = account->balance;
    pthread_mutex_unlock(account->mutex);
    return balance;
}

static int move(struct account *from, struct account *to, long amount)
{
    long sum = to->balance;

    if (from->balance < amount)
        return ERANGE;
    if (from == to)
        return 0;
    if (LONG_MAX - sum < amount)
        return EOVERFLOW;
    to->balance = sum + amount;
    from->balance = from->balance - amount;
    return 0;
}

int transfer_in_order(struct account *from, struct account *to, long amount)
{
    int error;

    if (amount <= 0)
        return EINVAL;
    if (from == to) {
        pthread_mutex_lock(from->mutex);
    } else if ((uintptr_t)from->mutex > (uintptr_t)to->mutex) {
        pthread_mutex_lock(from->mutex);
        pthread_mutex_lock(to->mutex);
    } else {
        pthread_mutex_lock(to->mutex);
        pthread_mutex_lock(from->mutex);
    }
    error = move(from, to, amount);
    pthread_mutex_unlock(to->mutex);
    if (from != to)
        pthread_mutex_unlock(from->mutex);
    return error;
}

int transfer_try(struct account *from, struct account *to, long amount, int attempts)
{
    struct timespec now;

    if (amount <= 0 || attempts <= 0)
        return EINVAL;
    for (;;) {
        if (pthread_mutex_trylock(to->mutex) == 0) {
            if (from == to || pthread_mutex_trylock(from->mutex) == 0)
                break;
            pthread_mutex_unlock(to->mutex);
        }
        if (--attempts == 0)
            return EBUSY;
        clock_gettime(CLOCK_MONOTONIC, &now);
        nanosleep(&(struct timespec){0, 10000 + now.tv_nsec % 100000}, NULL);
    }
    int error = move(from, to, amount);
    if (from != to)
        pthread_mutex_unlock(from->mutex);
    pthread_mutex_unlock(to->mutex);
    return error;
}

int transfer_total(struct account *const *accounts, size_t count, long *total)
{
    pthread_mutex_t **locks = calloc(count + 1, sizeof(pthread_mutex_t *));
    int error = 0;
    long sum = 0;

    if (locks == NULL)
        return ENOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && (uintptr_t)locks[at - 1] < (uintptr_t)accounts[i]->mutex; at--)
            locks[at] = locks[at - 1];
        locks[at] = accounts[i]->mutex;
    }
    for (size_t i = 0; i < count; i++)
        pthread_mutex_lock(locks[i]);
    for (size_t i = 0; i < count && error == 0; i++) {
        if (LONG_MAX - sum < accounts[i]->balance)
            error = EOVERFLOW;
        else
            sum += accounts[i]->balance;
    }
    for (size_t i = 0; i < count; i++)
        pthread_mutex_unlock(locks[i]);
    free(locks);
    if (error == 0)
        *total = sum;
    return error;
}
