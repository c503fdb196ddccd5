/* transfer.c - money moved between accounts by many threads. A variant: the order is that in which the accounts were
 * made, which each of them knows as a number; transfer_total finds the next one by looking through the list, and needs
 * no memory; transfer_try takes its locks in that order too. */
#include "transfer.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct account {
    unsigned long serial; /* never changes */
    long money;           /* guarded by lock */
    pthread_mutex_t lock;
};

static unsigned long next_serial(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static unsigned long last; /* guarded by mutex */

    pthread_mutex_lock(&mutex);
    unsigned long serial = ++last;
    pthread_mutex_unlock(&mutex);
    return serial;
}

int account_create(struct account **account, long balance)
{
    int error;

    if (balance < 0)
        return EINVAL;
    *account = calloc(1, sizeof **account);
    if (*account == NULL)
        return ENOMEM;
    (*account)->serial = next_serial();
    (*account)->money = balance;
    error = pthread_mutex_init(&(*account)->lock, NULL);
    if (error != 0)
        free(*account);
    return error;
}

void account_destroy(struct account *account)
{
    if (account != NULL)
        pthread_mutex_destroy(&account->lock);
    free(account);
}

long account_balance(struct account *account)
{
    pthread_mutex_lock(&account->lock);
    long money = account->money;
    pthread_mutex_unlock(&account->lock);
    return money;
}

/* With the locks held. */
static int book(struct account *from, struct account *to, long amount)
{
    if (amount > from->money)
        return ERANGE;
    if (from != to && amount > LONG_MAX - to->money)
        return EOVERFLOW;
    from->money -= amount;
    to->money += amount;
    return 0;
}

static void sort_two(struct account **low, struct account **high)
{
    struct account *swapped = *low;

    if ((*low)->serial <= (*high)->serial)
        return;
    *low = *high;
    *high = swapped;
}

int transfer_in_order(struct account *from, struct account *to, long amount)
{
    struct account *low = from, *high = to;
    int error;

    if (amount < 1)
        return EINVAL;
    sort_two(&low, &high);
    pthread_mutex_lock(&low->lock);
    if (low != high)
        pthread_mutex_lock(&high->lock);
    error = book(from, to, amount);
    if (low != high)
        pthread_mutex_unlock(&high->lock);
    pthread_mutex_unlock(&low->lock);
    return error;
}

static int attempt(struct account *from, struct account *to, long amount)
{
    struct account *low = from, *high = to;
    int error = EBUSY;

    sort_two(&low, &high);
    if (pthread_mutex_trylock(&low->lock) != 0)
        return EBUSY;
    if (low == high) {
        error = book(from, to, amount);
    } else if (pthread_mutex_trylock(&high->lock) == 0) {
        error = book(from, to, amount);
        pthread_mutex_unlock(&high->lock);
    }
    pthread_mutex_unlock(&low->lock);
    return error;
}

int transfer_try(struct account *from, struct account *to, long amount, int attempts)
{
    struct timespec pause = {0, 1000 + (long)(from->serial % 13) * 1000};

    if (attempts < 1 || amount < 1)
        return EINVAL;
    int error = attempt(from, to, amount);
    while (error == EBUSY && --attempts > 0) {
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 5000000)
            pause.tv_nsec *= 2;
        error = attempt(from, to, amount);
    }
    return error;
}

/* The account of the list with the lowest number above `serial`; NULL where there is none. */
static struct account *next_above(struct account *const *accounts, size_t count, unsigned long serial)
{
    struct account *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (accounts[i]->serial > serial && (best == NULL || accounts[i]->serial < best->serial))
            best = accounts[i];
    return best;
}

int transfer_total(struct account *const *accounts, size_t count, long *total)
{
    int error = 0;
    long sum = 0;

    for (struct account *next = next_above(accounts, count, 0); next != NULL;
         next = next_above(accounts, count, next->serial)) {
        pthread_mutex_lock(&next->lock);
        if (next->money > LONG_MAX - sum)
            error = EOVERFLOW;
        else
            sum += next->money;
    }
    for (size_t i = 0; i < count; i++)
        pthread_mutex_unlock(&accounts[i]->lock);
    if (error == 0)
        *total = sum;
    return error;
}
