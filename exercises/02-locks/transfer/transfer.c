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
    long balance; /* guarded by what? */
};
/* end state */

/* region account */
/* Each account has a lock of its own, to be made and ended with it, and to be held to look at the balance. */
int account_create(struct account **account, long balance)
{
    if (balance < 0)
        return EINVAL;

    struct account *made = malloc(sizeof *made);
    if (made == NULL)
        return ENOMEM;
    made->balance = balance;
    *account = made;
    return 0;
}

void account_destroy(struct account *account)
{
    free(account);
}

long account_balance(struct account *account)
{
    return account->balance;
}
/* end account */

/* region move */
/* A place for what both kinds of transfer do once they hold both locks: check, and move. */
/* end move */

/* region in_order */
/* Both locks, always in the same order. Which order could that be? And what if both accounts are the same? */
int transfer_in_order(struct account *from, struct account *to, long amount)
{
    (void)from;
    (void)to;
    (void)amount;
    return ENOSYS;
}
/* end in_order */

/* region try */
/* Both locks or none, without waiting; else sleep a little, holding nothing, and try again. */
int transfer_try(struct account *from, struct account *to, long amount, int attempts)
{
    (void)from;
    (void)to;
    (void)amount;
    (void)attempts;
    return ENOSYS;
}
/* end try */

/* region total */
/* All the locks at once, in the order that all threads keep to, whatever the order of the list. */
int transfer_total(struct account *const *accounts, size_t count, long *total)
{
    (void)accounts;
    (void)count;
    *total = 0;
    return ENOSYS;
}
/* end total */
