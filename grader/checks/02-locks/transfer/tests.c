/* tests.c - what transfers must do, alone and when another thread comes in between.
 *
 * A thread can be stopped at any point where it locks or unlocks (struct stop); meanwhile others run as far as they
 * can. All points up to STOPS are tried, one after the other: a deadlock needs only one of them, and a right program
 * stands them all.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nap.h */
#endif
#include "check.h"
#include "leftovers.h"
#include "nap.h"
#include "transfer.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum { STOPS = 9 };

static struct account *new_account(long balance)
{
    struct account *account = NULL;
    int error = account_create(&account, balance);

    must(error == 0 && account != NULL, "account_create returned %s or stored no account.", error_text(error));
    return account;
}

static const char *words(int error)
{
    return error == 0 ? "success" : error_text(error);
}

/* ---- the two ways to transfer ----------------------------------------------------------------------------------- */

static int try_once(struct account *from, struct account *to, long amount)
{
    return transfer_try(from, to, amount, 1);
}

static int try_thrice(struct account *from, struct account *to, long amount)
{
    return transfer_try(from, to, amount, 3);
}

struct way {
    const char *name;
    int (*transfer)(struct account *from, struct account *to, long amount);
};

static const struct way ways[] = {{"transfer_in_order", transfer_in_order}, {"transfer_try", try_once}};
enum { WAYS = 2 };

/* One call in another thread. */
struct job {
    int (*transfer)(struct account *from, struct account *to, long amount); /* NULL: the total of `accounts` */
    struct account *from, *to;
    long amount;
    struct account *accounts[3];
    size_t count; /* of them; 0: all three */
    long total;
    int result;
    bool stoppable;
    struct gate *done; /* opened at the end; or NULL */
};

static _Thread_local bool stoppable; /* whether this thread stops at the point that is set */

static void do_job(void *argument)
{
    struct job *job = argument;

    stoppable = job->stoppable;
    if (job->transfer != NULL)
        job->result = job->transfer(job->from, job->to, job->amount);
    else
        job->result = transfer_total(job->accounts, job->count == 0 ? 3 : job->count, &job->total);
    if (job->done != NULL)
        gate_open(job->done);
}

static void read_balance(void *argument)
{
    struct job *job = argument;

    job->total = account_balance(job->from);
}

/* ---- stopping a thread ------------------------------------------------------------------------------------------ */

/* Where the stoppable thread is held: at the `at`th point where it locks or unlocks, from 1. */
struct stop {
    long at;
    struct tally points;
    struct gate go;
};

static void point(void *argument)
{
    struct stop *stop = argument;

    if (stoppable && tally_add(&stop->points, 1) == stop->at)
        gate_pass(&stop->go);
}

/* Stops the stoppable thread right before and after each lock and unlock, as one sequence of points. */
static void stop_at_any_point(struct stop *stop)
{
    void (*hook)(void *) = stop == NULL ? NULL : point;

    wrap_after(WRAP_pthread_mutex_lock, hook, stop);
    wrap_after(WRAP_pthread_mutex_trylock, hook, stop);
    wrap_before(WRAP_pthread_mutex_unlock, hook, stop);
    wrap_after(WRAP_pthread_mutex_unlock, hook, stop);
}

static _Thread_local int held; /* how many locks this thread holds */

static void count_lock(void *unused)
{
    (void)unused;
    held++;
}

/* Who looks at one balance first, under its lock alone, is not to be stopped there. */
static void point_with_two(void *stop)
{
    if (held >= 2)
        point(stop);
    held--;
}

/* Stops it before it unlocks the first of two: then it has all the locks that it needs. */
static void stop_with_all_locks(struct stop *stop)
{
    void (*count)(void *) = stop == NULL ? NULL : count_lock;

    wrap_after(WRAP_pthread_mutex_lock, count, NULL);
    wrap_after(WRAP_pthread_mutex_trylock, count, NULL);
    wrap_before(WRAP_pthread_mutex_unlock, stop == NULL ? NULL : point_with_two, stop);
}

/* Runs `first` up to point `at`, then `second` as far as it can, then both to their end. */
static void run_across(long at, struct job *first, struct job *second)
{
    struct stop stop = {.at = at};

    first->stoppable = true;
    stop_at_any_point(&stop);
    struct runner *one = runner_start(do_job, first);
    settle();
    struct runner *two = runner_start(do_job, second);
    settle();
    gate_open(&stop.go);
    runner_join(one);
    runner_join(two);
    stop_at_any_point(NULL);
}

/* ---- one thread ------------------------------------------------------------------------------------------------- */

static void must_hold(struct account *account, long expected, const char *name, const char *after)
{
    long balance = account_balance(account);

    must(balance == expected, "After %s account %s should hold %ld, but it holds %ld.", after, name, expected, balance);
}

TEST(moves_money, "A transfer takes the amount from one account and adds it to the other.")
{
    for (int i = 0; i < WAYS; i++) {
        struct account *a = new_account(100), *b = new_account(0);

        int error = ways[i].transfer(a, b, 30);
        must(error == 0, "%s of 30 from 100 should return 0, but it returned %s.", ways[i].name, error_text(error));
        must_hold(a, 70, "A", "a transfer of 30 from A (100) to B (0)");
        must_hold(b, 30, "B", "a transfer of 30 from A (100) to B (0)");
        error = ways[i].transfer(b, a, 30);
        must(error == 0, "%s of all that an account holds should return 0, but it returned %s.", ways[i].name,
             error_text(error));
        must_hold(a, 100, "A", "a transfer of all 30 back from B to A");
        must_hold(b, 0, "B", "a transfer of all 30 back from B to A");
        account_destroy(a);
        account_destroy(b);
    }
}

/* Asserts that a transfer is refused, that nothing has changed, and that no lock was left locked. */
static void must_refuse(const struct way *way, long held_from, long held_to, long amount, int expected)
{
    struct account *from = new_account(held_from), *to = new_account(held_to);
    int error = way->transfer(from, to, amount);

    must(error == expected, "%s of %ld from an account with %ld to one with %ld should return %s, not %s.", way->name,
         amount, held_from, held_to, error_text(expected), error_text(error));
    must_hold(from, held_from, "FROM", "a transfer that was refused");
    must_hold(to, held_to, "TO", "a transfer that was refused");
    account_destroy(from);
    account_destroy(to);
}

TEST(refuses, "A transfer that is refused says why, changes nothing, and leaves no lock behind.")
{
    for (int i = 0; i < WAYS; i++) {
        must_refuse(&ways[i], 100, 50, 0, EINVAL);
        must_refuse(&ways[i], 100, 50, -1, EINVAL);
        must_refuse(&ways[i], 100, 50, LONG_MIN, EINVAL);
        must_refuse(&ways[i], 100, 50, 101, ERANGE);
        must_refuse(&ways[i], 0, 50, 1, ERANGE);
        must_refuse(&ways[i], 100, LONG_MAX, LONG_MAX, ERANGE);
        must_refuse(&ways[i], 100, LONG_MAX - 99, 100, EOVERFLOW);
        must_refuse(&ways[i], LONG_MAX, LONG_MAX, LONG_MAX, EOVERFLOW);
    }
}

TEST(to_itself, "A transfer from an account to itself takes its one lock once, and changes nothing.")
{
    for (int i = 0; i < WAYS; i++) {
        struct account *a = new_account(100);

        int error = ways[i].transfer(a, a, 100);
        must(error == 0, "%s of 100 from an account with 100 to itself should return 0, not %s.", ways[i].name,
             error_text(error));
        must_hold(a, 100, "A", "a transfer to itself");
        error = ways[i].transfer(a, a, 101);
        must(error == ERANGE, "%s of 101 from an account with 100 to itself should return ERANGE, not %s.",
             ways[i].name, error_text(error));
        must_hold(a, 100, "A", "a transfer to itself that was refused");
        error = ways[i].transfer(a, a, 0);
        must(error == EINVAL, "%s of 0 from an account to itself should return EINVAL, not %s.", ways[i].name,
             error_text(error));
        account_destroy(a);
    }
}

TEST(full_account, "An account may hold up to LONG_MAX: a transfer that fits is made, to itself too.")
{
    for (int i = 0; i < WAYS; i++) {
        struct account *a = new_account(100), *b = new_account(LONG_MAX - 100);

        int error = ways[i].transfer(a, b, 100);
        must(error == 0, "%s of 100 to an account with LONG_MAX - 100 should return 0, not %s.", ways[i].name,
             error_text(error));
        must_hold(b, LONG_MAX, "B", "a transfer that just fits");
        error = ways[i].transfer(b, b, LONG_MAX);
        must(error == 0, "%s of LONG_MAX from an account to itself should return 0, not %s.", ways[i].name,
             error_text(error));
        must_hold(b, LONG_MAX, "B", "a transfer to itself");
        account_destroy(a);
        account_destroy(b);
    }
}

TEST(totals, "transfer_total adds up all accounts of the list, in any order; no accounts at all hold 0.")
{
    struct account *a = new_account(1), *b = new_account(20), *c = new_account(300), *rich = new_account(LONG_MAX);
    struct account *lists[][3] = {{a, b, c}, {c, b, a}, {b, c, a}};
    struct account *too_much[] = {a, rich};
    long total = -1;

    for (int i = 0; i < 3; i++) {
        int error = transfer_total(lists[i], 3, &total);
        must(error == 0 && total == 321,
             "The total of 1, 20 and 300 should be 321, but transfer_total returned %s and stored %ld.",
             error_text(error), total);
    }
    int error = transfer_total(lists[0], 2, &total);
    must(error == 0 && total == 21, "The total of 1 and 20 should be 21, but it returned %s and stored %ld.",
         error_text(error), total);
    error = transfer_total(NULL, 0, &total);
    must(error == 0 && total == 0, "The total of no accounts should be 0, but it returned %s and stored %ld.",
         error_text(error), total);
    error = transfer_total(too_much, 2, &total);
    must(error == EOVERFLOW, "A total above LONG_MAX should return EOVERFLOW, but it returned %s.", error_text(error));
    error = transfer_total(&rich, 1, &total);
    must(error == 0 && total == LONG_MAX,
         "A total of just LONG_MAX should be found, but it returned %s and stored %ld.", error_text(error), total);
    must_hold(a, 1, "A", "transfer_total");
    must_hold(rich, LONG_MAX, "RICH", "transfer_total");
    error = transfer_try(a, b, 1, 1);
    must(error == 0, "After transfer_total transfer_try returned %s: it must leave all accounts unlocked.",
         error_text(error));
    account_destroy(a);
    account_destroy(b);
    account_destroy(c);
    account_destroy(rich);
}

TEST(list_is_the_callers, "The list of transfer_total stays the caller's: it is as it was.")
{
    struct account *made[] = {new_account(1), new_account(20), new_account(300)};
    long total = -1;

    for (int first = 0; first < 3; first++) {
        for (int turn = 1; turn <= 2; turn++) {
            struct account *before[] = {made[first], made[(first + turn) % 3], made[(first + 2 * turn) % 3]};
            struct account *list[] = {before[0], before[1], before[2]};
            int error = transfer_total(list, 3, &total);
            must(error == 0 && total == 321,
                 "The total of 1, 20 and 300 should be 321, but transfer_total returned %s and stored %ld.",
                 error_text(error), total);
            must(memcmp(list, before, sizeof list) == 0,
                 "transfer_total changed the order of the caller's own list: it has to sort a copy.");
        }
    }
    for (int i = 0; i < 3; i++)
        account_destroy(made[i]);
}

TEST(long_list, "A list may have any number of accounts.")
{
    enum { MANY = 300 };
    struct account *all[MANY];
    long total = -1;

    for (int i = 0; i < MANY; i++)
        all[i] = new_account(i);
    int error = transfer_total(all, MANY, &total);
    must(error == 0 && total == MANY * (MANY - 1) / 2,
         "%d accounts hold %d together, but transfer_total returned %s and stored %ld.", MANY, MANY * (MANY - 1) / 2,
         error_text(error), total);
    for (int i = 0; i < MANY; i++)
        account_destroy(all[i]);
}

TEST(attempts, "transfer_try with less than one attempt is EINVAL.")
{
    struct account *a = new_account(100), *b = new_account(0);
    int none = transfer_try(a, b, 30, 0), fewer = transfer_try(a, b, 30, -1);

    must(none == EINVAL && fewer == EINVAL, "With 0 and -1 attempts transfer_try should return EINVAL, not %s and %s.",
         error_text(none), error_text(fewer));
    must_hold(a, 100, "A", "no attempt at all");
    must(transfer_try(a, b, 30, INT_MAX) == 0, "With INT_MAX attempts and free locks transfer_try should return 0.");
    must_hold(b, 30, "B", "a transfer of 30 from A to B (0)");
    account_destroy(a);
    account_destroy(b);
}

/* ---- no deadlock, nothing lost ---------------------------------------------------------------------------------- */

static long total_of(struct account *const *accounts, size_t count)
{
    long sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += account_balance(accounts[i]);
    return sum;
}

/* Two transfers in opposite directions, the first stopped at each point. */
static void must_cross(const struct way *one, const struct way *other)
{
    for (long at = 1; at <= STOPS; at++) {
        struct account *pair[] = {new_account(100), new_account(100)};
        struct job there = {.transfer = one->transfer, .from = pair[0], .to = pair[1], .amount = 10};
        struct job back = {.transfer = other->transfer, .from = pair[1], .to = pair[0], .amount = 1};

        run_across(at, &there, &back);
        must(there.result == 0 || (one != &ways[0] && there.result == EBUSY),
             "%s, with another transfer coming the other way, returned %s.", one->name, error_text(there.result));
        must(back.result == 0 || (other != &ways[0] && back.result == EBUSY),
             "%s, with another transfer coming the other way, returned %s.", other->name, error_text(back.result));
        long expected = 100 - 10 * (there.result == 0) + (back.result == 0);
        must(
            account_balance(pair[0]) == expected && account_balance(pair[1]) == 200 - expected,
            "A and B held 100 each; 10 went from A to B (%s) and 1 from B to A (%s): they should hold %ld and %ld, but "
            "they hold %ld and %ld.",
            words(there.result), words(back.result), expected, 200 - expected, account_balance(pair[0]),
            account_balance(pair[1]));
        account_destroy(pair[0]);
        account_destroy(pair[1]);
    }
}

TEST(both_ways_in_order, "Two transfers in opposite directions end, whatever the moment at which they meet.")
{
    must_cross(&ways[0], &ways[0]);
}

TEST(both_ways_mixed, "Transfers of both kinds can meet, at any moment, and both end.")
{
    must_cross(&ways[0], &ways[1]);
    must_cross(&ways[1], &ways[0]);
    must_cross(&ways[1], &ways[1]);
}

TEST(three_in_a_circle, "A to B, B to C and C to A, each stopped after its first lock, all end: no circle can close.")
{
    struct account *ring[] = {new_account(100), new_account(100), new_account(100)};
    struct stop stops[3] = {{.at = 1}, {.at = 1}, {.at = 1}};
    struct job jobs[3];
    struct runner *runners[3];

    for (int i = 0; i < 3; i++) {
        jobs[i] = (struct job){transfer_in_order, ring[i], ring[(i + 1) % 3], i + 1, .stoppable = true};
        wrap_after(WRAP_pthread_mutex_lock, point, &stops[i]);
        runners[i] = runner_start(do_job, &jobs[i]);
        settle();
    }
    for (int i = 0; i < 3; i++)
        gate_open(&stops[i].go);
    for (int i = 0; i < 3; i++) {
        runner_join(runners[i]);
        must(jobs[i].result == 0, "A transfer in a circle of three returned %s.", error_text(jobs[i].result));
    }
    must(total_of(ring, 3) == 300, "Three accounts held 300 together, and after three transfers they hold %ld.",
         total_of(ring, 3));
    for (int i = 0; i < 3; i++)
        account_destroy(ring[i]);
}

TEST(checked_and_moved_at_once,
     "The balance is checked under the same locks under which the money is moved: two transfers cannot both spend it.")
{
    for (int i = 0; i < WAYS; i++) {
        for (long at = 1; at <= STOPS; at++) {
            struct account *all[] = {new_account(100), new_account(0), new_account(0)};
            struct job one = {.transfer = ways[i].transfer, .from = all[0], .to = all[1], .amount = 80};
            struct job two = {.transfer = transfer_in_order, .from = all[0], .to = all[2], .amount = 50};

            run_across(at, &one, &two);
            must((one.result == 0) + (two.result == 0) <= 1,
                 "An account held 100; %s of 80 and transfer_in_order of 50 from it both succeeded.", ways[i].name);
            must(two.result == ERANGE || one.result == ERANGE || one.result == EBUSY,
                 "An account held 100; two threads took 80 and 50 from it and got %s and %s. One should succeed and "
                 "the other get ERANGE.",
                 error_text(one.result), error_text(two.result));
            must(account_balance(all[0]) >= 0 && total_of(all, 3) == 100,
                 "After that the account holds %ld, and all three together %ld instead of 100.",
                 account_balance(all[0]), total_of(all, 3));
            for (int k = 0; k < 3; k++)
                account_destroy(all[k]);
        }
    }
}

TEST(total_at_any_moment,
     "transfer_total holds all locks at once: it never sees money that has left one account and not reached the other.")
{
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}};

    for (int i = 0; i < 4 * STOPS; i++) {
        struct account *all[] = {new_account(100), new_account(100), new_account(100)};
        struct job mover = {
            .transfer = ways[i % 2].transfer, .from = i % 2 == 0 ? all[0] : all[2], .to = all[1], .amount = 40};
        struct job auditor = {.transfer = NULL};

        for (int k = 0; k < 3; k++)
            auditor.accounts[k] = all[orders[i / 2 % 2][k]];
        run_across(1 + i / 4, &mover, &auditor);
        must(auditor.result == 0 && auditor.total == 300,
             "Three accounts hold 300 together; transfer_total came in the middle of a transfer, returned %s and found "
             "%ld.",
             error_text(auditor.result), auditor.total);
        for (int k = 0; k < 3; k++)
            account_destroy(all[k]);
    }
}

TEST(total_interrupted, "A transfer that comes in the middle of transfer_total changes nothing of what it finds.")
{
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}};

    for (int i = 0; i < 4 * STOPS; i++) {
        struct account *all[] = {new_account(100), new_account(100), new_account(100)};
        struct job mover = {.transfer = ways[i % 2].transfer, .from = all[0], .to = all[2], .amount = 40};
        struct job auditor = {.transfer = NULL};

        if (i / 2 % 2 == 0) {
            mover.from = all[2];
            mover.to = all[0];
        }
        for (int k = 0; k < 3; k++)
            auditor.accounts[k] = all[orders[i % 2][k]];
        run_across(1 + i / 4, &auditor, &mover);
        must(auditor.result == 0 && auditor.total == 300,
             "Three accounts hold 300 together; a transfer came in the middle of transfer_total, which returned %s and "
             "found %ld.",
             error_text(auditor.result), auditor.total);
        for (int k = 0; k < 3; k++)
            account_destroy(all[k]);
    }
}

TEST(two_totals, "Two threads that add up the same accounts from lists in opposite order both end.")
{
    for (long at = 1; at <= STOPS; at++) {
        struct account *a = new_account(100), *b = new_account(20), *c = new_account(3);
        struct job one = {.transfer = NULL, .accounts = {a, b, c}}, two = {.transfer = NULL, .accounts = {c, b, a}};

        run_across(at, &one, &two);
        must(one.total == 123 && two.total == 123, "Two threads should both find 123; they found %ld and %ld.",
             one.total, two.total);
        account_destroy(a);
        account_destroy(b);
        account_destroy(c);
    }
}

TEST(two_totals_of_two, "Two threads that add up the same two accounts from lists in opposite order both end.")
{
    for (long at = 1; at <= STOPS; at++) {
        struct account *a = new_account(100), *b = new_account(20);
        struct job one = {.transfer = NULL, .accounts = {a, b}, .count = 2};
        struct job two = {.transfer = NULL, .accounts = {b, a}, .count = 2};

        run_across(at, &one, &two);
        must(one.total == 120 && two.total == 120, "Two threads should both find 120; they found %ld and %ld.",
             one.total, two.total);
        account_destroy(a);
        account_destroy(b);
    }
}

TEST(others_go_on, "Transfers that have no account in common never wait for each other: each account has its own lock.")
{
    for (int i = 0; i < WAYS * STOPS; i++) {
        struct account *a = new_account(100), *b = new_account(0), *c = new_account(100), *d = new_account(0);
        struct stop stop = {.at = 1 + i / WAYS};
        struct job mine = {.transfer = ways[i % WAYS].transfer, .from = a, .to = b, .amount = 1, .stoppable = true};
        struct job other = {.transfer = transfer_in_order, .from = c, .to = d, .amount = 1};

        stop_at_any_point(&stop);
        struct runner *one = runner_start(do_job, &mine);
        settle();
        struct runner *two = runner_start(do_job, &other);
        must_be_done(two, "A transfer from A to B is under way, and one from C to D waits for it. They have nothing in "
                          "common.");
        gate_open(&stop.go);
        runner_join(one);
        runner_join(two);
        stop_at_any_point(NULL);
        account_destroy(a);
        account_destroy(b);
        account_destroy(c);
        account_destroy(d);
    }
}

/* ---- trying ----------------------------------------------------------------------------------------------------- */

/* A transfer from A to B that has both locks and stops there. */
struct blockade {
    struct account *a, *b;
    struct stop stop;
    struct gate over;
    struct job job;
    struct runner *runner;
};

static void blockade_start(struct blockade *blockade)
{
    *blockade = (struct blockade){.a = new_account(100), .b = new_account(100), .stop = {.at = 1}};
    blockade->job = (struct job){.transfer = transfer_in_order, .from = blockade->a, .to = blockade->b, .amount = 1};
    blockade->job.stoppable = true;
    blockade->job.done = &blockade->over;
    stop_with_all_locks(&blockade->stop);
    blockade->runner = runner_start(do_job, &blockade->job);
    must_be_blocked(blockade->runner, "transfer_in_order ended, and never held two locks at once.");
}

static void blockade_end(struct blockade *blockade)
{
    gate_open(&blockade->stop.go);
    runner_join(blockade->runner);
    stop_with_all_locks(NULL);
    account_destroy(blockade->a);
    account_destroy(blockade->b);
}

enum { WAITING_MOST = 5 };

static struct runner *runners[WAITING_MOST];
static int waiting;

/* Starts a call that needs a lock which another thread has; it is joined when the blockade is over. */
static void must_wait_asleep(struct job *job, void (*call)(void *), const char *name)
{
    long sleeps = wrap_count(WRAP_nanosleep), locks = wrap_count(WRAP_pthread_mutex_lock);
    long tries = wrap_count(WRAP_pthread_mutex_trylock);
    struct runner *runner = runner_start(call, job);
    enum runner_state state = runner_state(runner);
    bool asked = wrap_count(WRAP_pthread_mutex_lock) > locks || wrap_count(WRAP_pthread_mutex_trylock) > tries;

    /* who never asks for a lock is left to the race detector */
    must(!asked || state != RUNNER_DONE, "Another thread has the lock of an account, and %s did not wait for it.",
         name);
    must(state != RUNNER_BUSY,
         "%s waits for a lock and keeps a processor busy with looking: pthread_mutex_lock waits asleep.", name);
    must(wrap_count(WRAP_nanosleep) == sleeps,
         "%s waits for a lock by sleeping a while and looking again: pthread_mutex_lock waits until it is free.", name);
    runners[waiting++] = runner;
}

/* Asserts that an attempt at `from` and `to`, of which one is locked, gives up at once and leaves `open` open. */
static void must_give_up(struct account *from, struct account *to, struct account *open, const char *which)
{
    struct job attempt = {.transfer = try_once, .from = from, .to = to, .amount = 1};
    struct job reader = {.from = open};

    struct runner *runner = runner_start(do_job, &attempt);
    must_be_done(runner, "Another thread has the lock of %s, and transfer_try waits for it.", which);
    runner_join(runner);
    must(attempt.result == EBUSY, "Another thread has the lock of %s: transfer_try should return EBUSY, not %s.", which,
         error_text(attempt.result));
    must(wrap_count(WRAP_nanosleep) == 0, "With one attempt only transfer_try should not sleep.");
    runner = runner_start(read_balance, &reader);
    must_be_done(runner, "transfer_try did not get the lock of %s, gave up, and kept the lock of the other account.",
                 which);
    runner_join(runner);
    must(reader.total == 100, "transfer_try returned EBUSY, and yet the other account holds %ld instead of 100.",
         reader.total);
}

TEST(waits_asleep,
     "Whoever needs a lock that another thread has waits for it, asleep; only transfer_try does not wait.")
{
    struct blockade blockade;
    struct account *c = new_account(100);

    blockade_start(&blockade);
    struct job reader = {.from = blockade.a}, auditor = {.accounts = {blockade.b, blockade.a, c}};
    struct job there = {.transfer = transfer_in_order, .from = blockade.a, .to = c, .amount = 1};
    struct job back = {.transfer = transfer_in_order, .from = c, .to = blockade.b, .amount = 1};
    must_wait_asleep(&reader, read_balance, "account_balance");
    must_wait_asleep(&there, do_job, "transfer_in_order");
    must_wait_asleep(&back, do_job, "transfer_in_order");
    must_wait_asleep(&auditor, do_job, "transfer_total");
    gate_open(&blockade.stop.go);
    while (waiting > 0)
        runner_join(runners[--waiting]);
    must(there.result == 0 && back.result == 0 && auditor.result == 0 && auditor.total == 300,
         "When the locks were free, two transfers should return 0 and the total of 300 be found, but they returned %s "
         "and %s, and transfer_total returned %s and found %ld.",
         error_text(there.result), error_text(back.result), error_text(auditor.result), auditor.total);
    blockade_end(&blockade);
    account_destroy(c);
}

TEST(try_gives_up, "transfer_try waits for no lock: where one is taken it returns EBUSY, and keeps no other.")
{
    struct blockade blockade;
    struct account *c = new_account(100);

    blockade_start(&blockade);
    must_give_up(blockade.a, c, c, "the account that it takes from");
    must_give_up(c, blockade.a, c, "the account that it gives to");
    must_give_up(c, blockade.b, c, "the account that it gives to");
    must_give_up(blockade.b, c, c, "the account that it takes from");
    blockade_end(&blockade);
    account_destroy(c);
}

/* While transfer_try sleeps: says so, and waits to be let go. */
struct nap {
    struct gate asleep, wake;
};

static void nap(void *argument)
{
    struct nap *nap = argument;

    gate_open(&nap->asleep);
    gate_pass(&nap->wake);
}

/* transfer_try from and to `open`, of which the other account is locked, holds nothing while it sleeps. */
static void must_sleep_free(struct account *from, struct account *to, struct account *open)
{
    struct nap napping = {GATE_CLOSED, GATE_CLOSED};
    struct job attempts = {.transfer = try_thrice, .from = from, .to = to, .amount = 1, .done = &napping.asleep};
    struct job reader = {.from = open};
    long before = wrap_count(WRAP_nanosleep);

    wrap_before(WRAP_nanosleep, nap, &napping);
    struct runner *trier = runner_start(do_job, &attempts);
    settle();
    must(napping.asleep.open,
         "One account is locked, and transfer_try, with three attempts to make, waits for its lock.");
    struct runner *runner = runner_start(read_balance, &reader);
    must_be_done(runner,
                 "Between two attempts transfer_try sleeps, and keeps the lock of one account meanwhile: whoever "
                 "needs that one waits.");
    gate_open(&napping.wake);
    runner_join(trier);
    runner_join(runner);
    wrap_before(WRAP_nanosleep, NULL, NULL);
    must(attempts.result == EBUSY, "All three attempts found a lock taken: it should return EBUSY, not %s.",
         error_text(attempts.result));
    must(wrap_count(WRAP_nanosleep) - before >= 2,
         "Three attempts failed, and transfer_try slept %ld times in between: who tries again at once keeps the "
         "processor from the thread that it waits for.",
         wrap_count(WRAP_nanosleep) - before);
}

TEST(sleeps_without_locks, "Between two attempts transfer_try sleeps with nanosleep, and holds no lock meanwhile.")
{
    struct blockade blockade;
    struct account *c = new_account(100);

    blockade_start(&blockade);
    must_sleep_free(blockade.a, c, c);
    must_sleep_free(c, blockade.a, c);
    blockade_end(&blockade);
    account_destroy(c);
}

/* The sleeps of a transfer_try that finds a lock taken each time, and that are over at once. */
struct sleeps {
    struct nap_bed bed;
    struct blockade *blockade;
    long number, until; /* after so many sleeps the blockade ends */
    long slept_us, longest_us;
};

static void note_sleep(void *argument)
{
    struct sleeps *sleeps = argument;
    long slept_us = tally_read(&sleeps->bed.time_us), this_us = slept_us - sleeps->slept_us;

    sleeps->slept_us = slept_us;
    if (this_us > sleeps->longest_us)
        sleeps->longest_us = this_us;
    if (++sleeps->number == sleeps->until) {
        gate_open(&sleeps->blockade->stop.go);
        gate_pass(&sleeps->blockade->over);
    }
}

static int try_for_long(struct blockade *blockade, struct sleeps *sleeps, long until, int attempts)
{
    *sleeps = (struct sleeps){.blockade = blockade, .until = until};
    sleeps->bed.meanwhile = note_sleep;
    sleeps->bed.argument = sleeps;
    nap_bed = &sleeps->bed;
    int error = transfer_try(blockade->a, blockade->b, 1, attempts);
    nap_bed = NULL;
    return error;
}

TEST(sleeps_are_short, "However many attempts fail, each sleep in between lasts some time, and less than a second.")
{
    enum { ATTEMPTS = 100 };
    struct blockade blockade;
    struct sleeps sleeps;

    blockade_start(&blockade);
    int error = try_for_long(&blockade, &sleeps, 0, ATTEMPTS);
    must_return(EBUSY, error, "transfer_try, where all of 100 attempts found a lock taken,");
    must(tally_read(&sleeps.bed.invalid) == 0,
         "transfer_try asked nanosleep for a time that is none, %ld times: tv_nsec must be from 0 to 999999999, or "
         "nanosleep returns EINVAL at once.",
         tally_read(&sleeps.bed.invalid));
    must(sleeps.number < ATTEMPTS,
         "After the last of %d attempts transfer_try should not sleep, but it slept %ld times.", ATTEMPTS,
         sleeps.number);
    must(sleeps.slept_us > 0, "Between %d attempts transfer_try slept for 0 ns each time: that is no sleep.", ATTEMPTS);
    must(sleeps.longest_us < 1000000,
         "Between two of %d attempts transfer_try slept %ld ms; each sleep should be below a second: a time that grows "
         "needs an upper bound.",
         ATTEMPTS, sleeps.longest_us / 1000);
    blockade_end(&blockade);
}

TEST(tries_to_the_last, "transfer_try gives up after all of its attempts, and not before.")
{
    enum { ATTEMPTS = 25 };
    struct blockade blockade;
    struct sleeps sleeps;

    blockade_start(&blockade);
    int error = try_for_long(&blockade, &sleeps, ATTEMPTS - 1, ATTEMPTS);
    must(error == 0,
         "Of 25 attempts only the last one found both locks free: transfer_try should return 0, but it "
         "returned %s.",
         error_text(error));
    blockade_end(&blockade);
}

TEST(refused_at_once, "A transfer that is refused is not tried again: an attempt that has both locks is the last one.")
{
    struct account *poor = new_account(0), *full = new_account(LONG_MAX);

    int error = transfer_try(poor, full, 1, 5);
    must_return(ERANGE, error, "transfer_try of 1 from an account with 0");
    struct account *rich = new_account(100);
    error = transfer_try(rich, full, 1, 5);
    must_return(EOVERFLOW, error, "transfer_try of 1 to an account with LONG_MAX");
    must(wrap_count(WRAP_nanosleep) == 0,
         "transfer_try had both locks, there was not enough money or no room for it, and it slept and tried again.");
    account_destroy(poor);
    account_destroy(full);
    account_destroy(rich);
}

/* While transfer_try sleeps: lets the blockade end, and waits until it has. */
static void let_go(void *argument)
{
    struct blockade *blockade = argument;

    gate_open(&blockade->stop.go);
    gate_pass(&blockade->over);
}

TEST(tries_again, "transfer_try makes as many attempts as it was given: where the locks are free by then, it succeeds.")
{
    struct blockade blockade;

    blockade_start(&blockade);
    wrap_before(WRAP_nanosleep, let_go, &blockade);
    int error = transfer_try(blockade.b, blockade.a, 50, 2);
    wrap_before(WRAP_nanosleep, NULL, NULL);
    must(error == 0, "The first attempt found the locks taken, the second free: it should return 0, not %s.",
         error_text(error));
    must_hold(blockade.a, 149, "A", "1 went from A (100) to B (100), and 50 back,");
    must_hold(blockade.b, 51, "B", "1 went from A (100) to B (100), and 50 back,");
    blockade_end(&blockade);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_account, "account_create refuses a balance below 0, and says when there is no memory or no mutex.")
{
    struct account *account = NULL;

    int error = account_create(&account, -1);
    must(error == EINVAL, "account_create with -1 should return EINVAL, but it returned %s.", error_text(error));
    long kept = wrap_memory_kept();
    must(kept <= 0, "account_create returned EINVAL and kept memory that it had allocated.");
    wrap_fail(WRAP_pthread_mutex_init, -1, EPERM);
    error = account_create(&account, 1);
    bool tried = wrap_count(WRAP_pthread_mutex_init) > 0;
    kept = wrap_memory_kept();
    must(!tried || error == EPERM,
         "pthread_mutex_init returned %s: account_create should return it, but it returned %s.", error_text(EPERM),
         error_text(error));
    must(!tried || kept <= 0, "pthread_mutex_init failed, and account_create kept memory that it had allocated.");
    wrap_fail_memory(-1);
    error = account_create(&account, 1);
    must(error == ENOMEM, "Without memory account_create should return ENOMEM, but it returned %s.", error_text(error));
}

static int make_one(void)
{
    struct account *made = NULL;
    int error = account_create(&made, 1);

    if (error == 0)
        account_destroy(made);
    return error;
}

TEST(no_memory_in_the_middle,
     "Where account_create gets a part of its memory only, it returns ENOMEM and keeps nothing.")
{
    must_bear_want("account_create", make_one);
}

TEST(total_without_memory,
     "Where transfer_total needs memory and gets none, it returns ENOMEM and leaves nothing locked.")
{
    struct account *all[] = {new_account(1), new_account(2), new_account(3)};
    long before = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) + wrap_count(WRAP_realloc);
    long total = -1;

    wrap_fail_memory(-1);
    int error = transfer_total(all, 3, &total);
    wrap_fail_memory(0);
    bool needed = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) + wrap_count(WRAP_realloc) > before;
    must(error == (needed ? ENOMEM : 0), "Without memory transfer_total returned %s.", error_text(error));
    error = transfer_try(all[0], all[2], 1, 1) | transfer_try(all[2], all[1], 1, 1);
    must(error == 0, "After transfer_total had no memory, accounts are still locked.");
    for (int i = 0; i < 3; i++)
        account_destroy(all[i]);
}

TEST(ends_what_it_made, "account_destroy gives back all that an account holds, its mutex too. NULL is fine.")
{
    account_destroy(NULL);
    account_destroy(new_account(5));
    must_have_ended_all();
}
