/* rlock.c - a lock that its owner may take again, and an object that needs one.
 *
 * Theory of operation: no threads of its own. The lock that callers see is no pthread lock at all; it is two fields,
 * owner and depth. The mutex guards those two and is held for a few instructions only, never while a caller owns the
 * lock. Who finds another owner sleeps on the condition `freed`, which lets go of the mutex meanwhile; the owner's last
 * release signals it. One signal wakes one waiter, and that is enough: all of them wait for the same thing, and whoever
 * gets the lock signals in his turn. A waiter that was woken looks again, for somebody else may have been faster.
 *
 * The owner means something only while depth is above 0: a pthread_t has no value that says "nobody", and after its
 * thread has ended the system gives the same value to a new one.
 */
#include "rlock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* Who owns it, and how often? What guards that, and what does a thread sleep on that has to wait? */
struct rlock {
    long depth;
};
/* end state */

/* region create */
/* Make what the struct needs, and give back what was made where the rest fails. */
int rlock_create(struct rlock **lock)
{
    *lock = calloc(1, sizeof **lock);
    return *lock == NULL ? ENOMEM : 0;
}

void rlock_destroy(struct rlock *lock)
{
    free(lock);
}
/* end create */

/* region owned */
/* Is the calling thread the owner? The answer needs the mutex too. */
bool rlock_is_owned(struct rlock *lock)
{
    (void)lock;
    return false;
}

long rlock_depth(struct rlock *lock)
{
    (void)lock;
    return 0;
}
/* end owned */

/* region deadline */
/* A place for a helper: the moment at which a time-out ends, by the monotonic clock. */
/* end deadline */

/* region acquire */
/* Mine already? Free? Somebody else's: then wait, look again, and mind the time. */
int rlock_acquire(struct rlock *lock, bool blocking, int64_t timeout_us)
{
    (void)lock;
    (void)blocking;
    (void)timeout_us;
    return ENOSYS;
}
/* end acquire */

/* region release */
/* Not mine: EPERM. The last one: the lock is free, and somebody may be waiting for it. */
int rlock_release(struct rlock *lock)
{
    (void)lock;
    return ENOSYS;
}
/* end release */

/* region record */
struct record {
    struct rlock *lock;
    long part1; /* guarded by lock */
    long part2; /* guarded by lock */
};

int record_create(struct record **record)
{
    struct record *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;

    int error = rlock_create(&made->lock);
    if (error != 0) {
        free(made);
        return error;
    }
    *record = made;
    return 0;
}

void record_destroy(struct record *record)
{
    if (record == NULL)
        return;
    rlock_destroy(record->lock);
    free(record);
}
/* end record */

/* region both */
/* Each of these holds the lock; get_both is made of get_part1 and get_part2. */
long record_get_part1(struct record *record)
{
    return record->part1;
}

long record_get_part2(struct record *record)
{
    return record->part2;
}

void record_get_both(struct record *record, long *part1, long *part2)
{
    *part1 = record_get_part1(record);
    *part2 = record_get_part2(record);
}

void record_set_both(struct record *record, long part1, long part2)
{
    record->part1 = part1;
    record->part2 = part2;
}
/* end both */
