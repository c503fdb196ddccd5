/* scenario.c - two threads move money, one after the other, and both look.
 *
 * The gate makes the order certain, and the detectors do not see it: to them the two calls are free to overlap. Each
 * thread makes one call only, so that no later lock of its own draws an order between the two.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* order.h */
#endif
#include "scenario.h"
#include "order.h"

#include "transfer.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

struct bank {
    struct account *all[3];
};

static struct bank opened(void)
{
    struct bank bank;

    for (int i = 0; i < 3; i++)
        ensure(account_create(&bank.all[i], 100) == 0, "account_create returned an error");
    return bank;
}

static void closed(struct bank *bank)
{
    for (int i = 0; i < 3; i++)
        account_destroy(bank->all[i]);
}

struct part {
    void (*play)(struct bank *bank);
    struct bank *bank;
    struct gate *begin; /* or NULL */
    struct gate *done;  /* or NULL */
};

static void *play(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        gate_pass(part->begin);
    part->play(part->bank);
    if (part->done != NULL)
        gate_open(part->done);
    return NULL;
}

/* Runs `first`, then `second`, each in a thread of its own; then nothing may be lost. */
static void in_order(void (*first)(struct bank *), void (*second)(struct bank *))
{
    struct gate first_done = GATE_CLOSED;
    struct bank bank = opened();
    struct part one = {first, &bank, NULL, &first_done}, two = {second, &bank, &first_done, NULL};
    pthread_t a = scenario_thread(play, &one), b = scenario_thread(play, &two);
    long total = 0;

    scenario_join(a);
    scenario_join(b);
    ensure(transfer_total(bank.all, 3, &total) == 0 && total == 300, "the total was 300 and is %ld", total);
    closed(&bank);
}

static void there(struct bank *bank)
{
    ensure(transfer_in_order(bank->all[0], bank->all[1], 10) == 0, "transfer_in_order returned an error");
}

static void back(struct bank *bank)
{
    ensure(transfer_in_order(bank->all[1], bank->all[0], 20) == 0, "transfer_in_order returned an error");
}

static void try_there(struct bank *bank)
{
    ensure(transfer_try(bank->all[0], bank->all[1], 10, 5) == 0, "transfer_try returned an error on free locks");
}

static void try_back(struct bank *bank)
{
    ensure(transfer_try(bank->all[1], bank->all[0], 20, 5) == 0, "transfer_try returned an error on free locks");
}

static void look_at_one(struct bank *bank)
{
    ensure(account_balance(bank->all[0]) >= 0, "a balance is below 0");
}

static void look_at_other(struct bank *bank)
{
    ensure(account_balance(bank->all[1]) >= 0, "a balance is below 0");
}

static void look_at_all(struct bank *bank)
{
    struct account *backwards[] = {bank->all[2], bank->all[1], bank->all[0]};
    long total = 0;

    ensure(transfer_total(backwards, 3, &total) == 0 && total == 300, "the total was 300 and is %ld", total);
}

static void to_itself(struct bank *bank)
{
    ensure(transfer_in_order(bank->all[0], bank->all[0], 50) == 0, "a transfer to itself returned an error");
}

static void try_to_itself(struct bank *bank)
{
    ensure(transfer_try(bank->all[0], bank->all[0], 100, 1) == 0, "a transfer to itself returned an error");
}

static void both_ways(void)
{
    in_order(there, back);
    in_order(back, there);
}

static void both_ways_trying(void)
{
    in_order(try_there, try_back);
    in_order(try_there, back);
    in_order(there, try_back);
}

static void looking(void)
{
    in_order(there, look_at_one);
    in_order(there, look_at_other);
    in_order(look_at_one, back);
    in_order(look_at_other, back);
    in_order(try_there, look_at_one);
    in_order(look_at_other, try_back);
}

static void adding_up(void)
{
    in_order(there, look_at_all);
    in_order(look_at_all, there);
    in_order(look_at_all, try_back);
    in_order(look_at_all, look_at_all);
}

static void itself(void)
{
    in_order(there, to_itself);
    in_order(to_itself, there);
    in_order(try_to_itself, there);
}

/* ---- in any order ------------------------------------------------------------------------------------------------
 * For the explorer nothing orders the threads here; for the detectors each waits for the one before it. */

static void *play_in_any_order(void *argument)
{
    struct part *part = argument;

    if (part->begin != NULL)
        order_pass(part->begin);
    part->play(part->bank);
    gate_open(part->done);
    return NULL;
}

enum { PLAYERS_MOST = 3 };

static void together(int count, void (*const *plays)(struct bank *))
{
    struct gate done[PLAYERS_MOST] = {GATE_CLOSED, GATE_CLOSED, GATE_CLOSED};
    struct part parts[PLAYERS_MOST];
    pthread_t threads[PLAYERS_MOST];
    struct bank bank = opened();
    long total = 0;

    for (int i = 0; i < count; i++) {
        parts[i] = (struct part){plays[i], &bank, i == 0 ? NULL : &done[i - 1], &done[i]};
        threads[i] = scenario_thread(play_in_any_order, &parts[i]);
    }
    for (int i = 0; i < count; i++)
        scenario_join(threads[i]);
    ensure(transfer_total(bank.all, 3, &total) == 0 && total == 300, "the total was 300 and is %ld", total);
    closed(&bank);
}

/* By trying, either may find a lock taken each time. */
static void perhaps_there(struct bank *bank)
{
    int error = transfer_try(bank->all[0], bank->all[1], 10, 2);

    ensure(error == 0 || error == EBUSY, "transfer_try returned %d", error);
}

static void perhaps_back(struct bank *bank)
{
    int error = transfer_try(bank->all[1], bank->all[0], 20, 2);

    ensure(error == 0 || error == EBUSY, "transfer_try returned %d", error);
}

static void look_at_two(struct bank *bank)
{
    long total = 0;

    ensure(transfer_total(bank->all, 2, &total) == 0 && total == 200, "two accounts held 200, and the total is %ld",
           total);
}

static void spend(struct bank *bank)
{
    int error = transfer_in_order(bank->all[0], bank->all[1], 80);

    ensure(error == 0 || error == ERANGE, "transfer_in_order returned %d", error);
    ensure(account_balance(bank->all[0]) == 20, "an account held 100, two transfers of 80 were tried, and it holds %ld",
           account_balance(bank->all[0]));
}

static void perhaps_spend(struct bank *bank)
{
    int error = transfer_try(bank->all[0], bank->all[2], 80, 1);

    ensure(error == 0 || error == ERANGE || error == EBUSY, "transfer_try returned %d", error);
}

static void spending_at_once(void)
{
    together(2, (void (*[])(struct bank *)){spend, spend});
    together(2, (void (*[])(struct bank *)){perhaps_spend, spend});
}

static void at_once(void)
{
    together(3, (void (*[])(struct bank *)){there, back, look_at_all});
}

static void trying_at_once(void)
{
    together(2, (void (*[])(struct bank *)){perhaps_there, perhaps_back});
}

static void both_kinds_at_once(void)
{
    together(2, (void (*[])(struct bank *)){perhaps_there, back});
}

static void adding_up_meanwhile(void)
{
    together(3, (void (*[])(struct bank *)){there, there, look_at_two});
}

static void refused(struct bank *bank, struct account *full)
{
    struct account *a = bank->all[0], *b = bank->all[1];
    struct account *list[] = {a, full};
    long total;

    ensure(transfer_in_order(a, b, 0) == EINVAL, "an amount of 0 was not refused");
    ensure(transfer_try(a, b, -5, 1) == EINVAL, "an amount below 0 was not refused");
    ensure(transfer_try(a, b, 5, 0) == EINVAL, "no attempts were not refused");
    ensure(transfer_in_order(a, b, 101) == ERANGE, "more than there is was not refused");
    ensure(transfer_try(a, b, 101, 1) == ERANGE, "more than there is was not refused");
    ensure(transfer_in_order(a, full, 1) == EOVERFLOW, "more than fits was not refused");
    ensure(transfer_try(a, full, 1, 1) == EOVERFLOW, "more than fits was not refused");
    ensure(transfer_total(list, 2, &total) == EOVERFLOW, "a total above LONG_MAX was not refused");
    ensure(transfer_total(NULL, 0, &total) == 0 && total == 0, "the total of nothing is not 0");
}

static void errors(void)
{
    struct bank bank = opened();
    struct account *full = NULL, *none = NULL;

    ensure(account_create(&none, -1) == EINVAL, "a balance below 0 was not refused");
    ensure(account_create(&full, LONG_MAX) == 0, "account_create returned an error");
    refused(&bank, full);
    account_destroy(full);
    account_destroy(NULL);
    closed(&bank);
}

SCENARIOS = {
    {"both_ways", both_ways, "two threads transfer in opposite directions, one after the other"},
    {"both_ways_trying", both_ways_trying, "two threads transfer in opposite directions, at least one by trying"},
    {"looking", looking, "one thread transfers, another reads a balance"},
    {"adding_up", adding_up, "one thread adds up all accounts, another transfers"},
    {"itself", itself, "one thread transfers from an account to itself, another from it"},
    {"spending_at_once", spending_at_once, "two threads spend the same money, in any order"},
    {"at_once", at_once, "two threads transfer in opposite directions and one adds up, in any order"},
    {"trying_at_once", trying_at_once, "two threads try to transfer in opposite directions, in any order"},
    {"both_kinds_at_once", both_kinds_at_once,
     "one thread tries to transfer, one transfers the other way, in any order"},
    {"adding_up_meanwhile", adding_up_meanwhile, "two threads transfer the same way and one adds up, in any order"},
    {"errors", errors, "one thread makes every call that is refused"},
    SCENARIOS_END,
};
