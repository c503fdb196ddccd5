/* transfer.h - money moved between accounts by many threads: two locks for one step, and no deadlock.
 *
 * In Python:
 *
 *     def transfer(source, target, amount):
 *         with source.lock:
 *             with target.lock:               # hangs for ever when another thread transfers the other way
 *                 source.balance -= amount
 *                 target.balance += amount
 *
 * Each account has a lock of its own, so that transfers that have no account in common never wait for each other. This
 * file promises, whatever the threads do and however they come between each other:
 *
 *   - No deadlock: every call ends.
 *   - No money is made or lost: whoever looks at all accounts at one moment finds the same total.
 *   - No balance is ever below 0.
 *
 * Two ways to take two locks are to be built: in an order that all threads keep to, and by trying, letting go and
 * trying again. All calls but create and destroy may be made from any number of threads at the same time, and mixed.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stddef.h>

struct account;

/* Makes an account that holds `balance` and stores it in `*account`. It belongs to the caller, who ends it with
 * account_destroy. Returns 0, or a positive errno value, and then nothing was made and nothing is kept:
 *   EINVAL  the balance is below 0 (Python: ValueError)
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what pthread_mutex_init returned */
int account_create(struct account **account, long balance);

/* Ends an account that nobody uses. NULL is fine. */
void account_destroy(struct account *account);

/* What it holds now. Blocks, asleep, while another thread has the account's lock. */
long account_balance(struct account *account);

/* Moves `amount` from one account to the other, at one moment. Blocks, asleep, until it has both locks, which all
 * threads take in the same order, whichever way the money goes. From an account to itself is fine, and changes nothing.
 * Returns 0, or a positive errno value, the first of these that applies, and then nothing has changed:
 *   EINVAL     the amount is 0 or less (Python: ValueError)
 *   ERANGE     `from` holds less than the amount (Python: ValueError, "insufficient funds")
 *   EOVERFLOW  `to` would hold more than LONG_MAX (Python has no such limit) */
int transfer_in_order(struct account *from, struct account *to, long amount);

/* The same, but never waits for a lock: it makes up to `attempts` attempts to get both. An attempt takes one lock
 * if it is free, then the other if that is free, else it lets go of the first at once. Between two attempts it
 * sleeps with nanosleep, for a short time (more than none, and less than a second, however many attempts have failed)
 * and without any lock; after the last one it does not sleep. The times should grow, and should not be the same in all
 * threads, else two that failed together fail together again. An attempt that gets both locks is the last one, also
 * where the transfer is refused.
 * Returns as transfer_in_order, and
 *   EINVAL  also where attempts is below 1
 *   EBUSY   no attempt got both locks (Python: lock.acquire(blocking=False) returned False) */
int transfer_try(struct account *from, struct account *to, long amount, int attempts);

/* Stores in `*total` what the `count` accounts hold together at one moment: it has the locks of all of them at once,
 * taken in the order that all threads keep to, whatever their order in the list. Each account may be in it once. The
 * list stays the caller's, may be of any length, and is not changed. No accounts at all hold 0. Blocks, asleep, until
 * it has the locks. Returns 0, or a positive errno value, and then what `*total` holds says nothing:
 *   EOVERFLOW  the total is more than LONG_MAX
 *   ENOMEM     there is no memory (Python: MemoryError) */
int transfer_total(struct account *const *accounts, size_t count, long *total);

#endif
