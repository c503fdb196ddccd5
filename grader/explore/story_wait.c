/* story_wait.c - patterns of condition variables; see story.h.
 *
 * What a thread waits for is known by its test: what it read in the line that decided to sleep (story_facts.h). A test
 * whose values are again what they were when it went to sleep would come out as it did then, so whoever goes on without
 * another look goes on wrongly; and one whose values are others might come out otherwise. The first is certain and is
 * said; of the second we say the values only. That nobody looked again is said only of who is seen to go on: waits
 * stand in loops of many forms, with the look in another line, another function or behind another lock.
 */
#include "story.h"
#include "story_facts.h"

#include <string.h>

/* ---- awake, and no second look ----------------------------------------------------------------------------------- */

struct waking {
    int thread, sleep, awake, next; /* rows; next: what it did then */
    struct tests tests;
};

static bool is_line_of(const void *pc, const void *other)
{
    struct place place, wanted;
    return lines_place(pc, &place) && lines_place(other, &wanted) && place.line == wanted.line &&
           strcmp(place.file, wanted.file) == 0;
}

/* Is the row at an earlier line than the wait, in a call that was there when it slept? Then the wait stands in a loop,
 * of whatever form, and it has gone round. */
static bool goes_round(const struct waking *waking, const struct row *row)
{
    struct place place, slept;
    const void *at, *at_sleep;
    return fact_common(row, &record.rows[waking->sleep], &at, &at_sleep) && lines_place(at, &place) &&
           lines_place(at_sleep, &slept) && place.line < slept.line;
}

/* Is it one of what it had tested? Not what it changed itself before it slept: a count of the sleepers and the like. */
static bool is_tested(const struct waking *waking, const struct row *row)
{
    for (unsigned k = 0; k < waking->tests.n && fact_is_access(row); k++) {
        int test = waking->tests.rows[k];
        bool own = false;
        for (int i = test + 1; i < waking->sleep && row->object == record.rows[test].object; i++)
            own = own || (record.rows[i].thread == waking->thread && fact_writes(&record.rows[i]) &&
                          record.rows[i].object == row->object);
        if (row->object == record.rows[test].object && !own)
            return true;
    }
    return false;
}

/* A second look: at what it had tested, in a line that branches; at the line of the test, whatever was read there; at
 * the wait again. */
static bool looks(const struct waking *waking, const struct row *row)
{
    if (row->op == OP_SLEEP || goes_round(waking, row) || (is_tested(waking, row) && fact_is_test(row)))
        return true;
    for (unsigned k = 0; k < row->frames_n && fact_is_access(row); k++)
        if (is_line_of(row->frames[k].pc, waking->tests.pc))
            return true;
    return false;
}

/* Has the function that waited returned before this row? */
static bool has_left(const struct waking *waking, const struct row *row)
{
    const struct row *sleep = &record.rows[waking->sleep];
    const void *at_test, *at_sleep, *at;
    if (row->frames_n == FRAMES_MAX || !fact_common(&record.rows[waking->tests.rows[0]], sleep, &at_test, &at_sleep))
        return false;
    for (unsigned k = 0; k < sleep->frames_n; k++) {
        struct row one = {.frames_n = 1, .frames = {sleep->frames[k]}};
        if (sleep->frames[k].pc == at_sleep)
            return !fact_common(row, &one, &at, &at_test);
    }
    return false;
}

/* Did it go on without a second look? Only what proves it counts: it made what it had tested another; or it came to its
 * end out of the function that waits, and used nothing by which it, or its caller, could have looked (a write may stand
 * for the read before it); or it failed over what it had tested. A run that ends before any of these, or that comes
 * round a loop to the wait, proves nothing. */
static bool goes_on_blindly(const struct waking *waking)
{
    bool touched = false, used = false;
    for (int i = waking->awake + 1; i < (int)record.n; i++) {
        const struct row *row = &record.rows[i];
        if (row->thread != waking->thread)
            continue;
        if (looks(waking, row))
            return false;
        if (is_tested(waking, row) && fact_writes(row) && row->before != row->after)
            return true;
        if (!used && (row->op == OP_FAIL || row->op == OP_END) && has_left(waking, row))
            return true;
        touched = touched || is_tested(waking, row);
        used = used || (fact_is_access(row) && !is_line_of(row->pc, il.finding.pc));
    }
    return touched && il.finding.thread == waking->thread;
}

/* The waking in row `awake`, where its test is still as it was and nobody looked at it again. */
static bool blind_waking(int awake, struct waking *waking)
{
    int thread = record.rows[awake].thread;
    *waking = (struct waking){.thread = thread, .awake = awake, .sleep = fact_last(awake, thread, OP_SLEEP, NULL)};
    if (waking->sleep == NO_ROW || !fact_tests(waking->sleep, &waking->tests))
        return false;
    int over = fact_last(awake, thread, OP_TIME_OVER, NULL);
    waking->next = fact_next_of(awake, thread);
    if (over > waking->sleep || waking->next == NO_ROW)
        return false;
    return fact_test_that_differs(&waking->tests, awake) == NO_ROW && goes_on_blindly(waking);
}

static bool find_blind(struct waking *waking, bool spurious)
{
    for (int i = 0; i < (int)record.n; i++) {
        if (record.rows[i].op != OP_AWAKE || !blind_waking(i, waking))
            continue;
        if ((fact_last(i, waking->thread, OP_SPURIOUS, NULL) > waking->sleep) == spurious)
            return true;
    }
    return false;
}

/* The variable of the test that is worth naming: one that somebody else ever changed, or the last. */
static const struct row *telling(const struct tests *tests)
{
    for (unsigned i = 0; i < tests->n; i++) {
        const struct row *row = &record.rows[tests->rows[i]];
        if (fact_changed_between(NO_ROW, (int)record.n, row, -1) != NO_ROW)
            return row;
    }
    return &record.rows[tests->rows[tests->n - 1]];
}

static void say_slept(struct story *story, const struct waking *waking, const struct row *test)
{
    story_row(story, waking->sleep);
    story_row(story, waking->awake);
    story_say(story, "%s slept at %s, as %s was %s. ", fact_who(waking->thread),
              fact_line(record.rows[waking->sleep].pc), fact_object(test->object, test->pc),
              fact_value(test, test->after));
}

static void advise_while(struct story *story, const struct waking *waking)
{
    if (fact_line_has(waking->tests.pc, "if"))
        story_advise(story, "An `if` where a `while` belongs (%s): whoever wakes must test again before going on.",
                     fact_line(waking->tests.pc));
    else
        story_advise(story, "Test again after every wait, in a `while` around it (%s).", fact_line(waking->tests.pc));
}

bool story_spurious(struct story *story)
{
    struct waking waking;
    if (!find_blind(&waking, true))
        return false;
    const struct row *test = telling(&waking.tests);
    say_slept(story, &waking, test);
    story_say(story,
              "Then it woke though nobody had signalled, which POSIX allows at any time. %s was still %s, but it did "
              "not look again: it went on at %s.",
              fact_object(test->object, test->pc), fact_value(test, test->after),
              fact_line(record.rows[waking.next].pc));
    advise_while(story, &waking);
    return true;
}

/* Who woke it: the last signal or broadcast between. */
static int waker_of(const struct waking *waking)
{
    for (int i = waking->awake - 1; i > waking->sleep; i--) {
        const struct row *row = &record.rows[i];
        if ((row->op == OP_SIGNAL || row->op == OP_BROADCAST) && row->other == waking->thread)
            return i;
    }
    return NO_ROW;
}

bool story_if_for_while(struct story *story)
{
    struct waking waking;
    if (!find_blind(&waking, false))
        return false;
    int waker = waker_of(&waking);
    if (waker == NO_ROW)
        return false;
    const struct row *test = telling(&waking.tests), *by = &record.rows[waker];
    int taken = fact_changed_between(waker, waking.awake, test, waking.thread);
    say_slept(story, &waking, test);
    story_row(story, waker);
    story_row(story, taken);
    if (taken != NO_ROW)
        story_say(story, "%s woke it (%s), but %s came first: at %s it made %s %s again. ", fact_who(by->thread),
                  fact_line(by->pc), fact_who(record.rows[taken].thread), fact_line(record.rows[taken].pc),
                  fact_object(test->object, record.rows[taken].pc), fact_value(test, test->after));
    else
        story_say(story, "%s woke it (%s) while %s was still %s. ", fact_who(by->thread), fact_line(by->pc),
                  fact_object(test->object, test->pc), fact_value(test, test->after));
    story_say(story, "%s never looked again and went on at %s.", il_name(waking.thread),
              fact_line(record.rows[waking.next].pc));
    advise_while(story, &waking);
    return true;
}

/* ---- asleep for ever --------------------------------------------------------------------------------------------- */

struct sleeper {
    int thread, sleep; /* its last row of OP_SLEEP */
    const void *condition;
    bool has_tests;
    struct tests tests;
    int differs; /* the row of a test whose value is another at the end, or NO_ROW */
};

static bool is_stuck(void)
{
    return il.finding.kind == FIND_LOST_WAKEUP || il.finding.kind == FIND_DEADLOCK || il.finding.kind == FIND_LIVELOCK;
}

static bool sleeper_of(int thread, struct sleeper *sleeper)
{
    const struct thread *it = &il.threads[thread];
    if (it->life != LIFE_RUNS || it->wish.kind != WISH_COND)
        return false;
    *sleeper = (struct sleeper){.thread = thread, .condition = it->wish.on->address, .differs = NO_ROW};
    sleeper->sleep = fact_last((int)record.n, thread, OP_SLEEP, sleeper->condition);
    if (sleeper->sleep == NO_ROW || record.lost)
        return false;
    sleeper->has_tests = fact_tests(sleeper->sleep, &sleeper->tests);
    if (sleeper->has_tests)
        sleeper->differs = fact_test_that_differs(&sleeper->tests, (int)record.n);
    return true;
}

/* Asks `tells` about each thread that sleeps for ever, until it says yes. */
static bool any_sleeper(struct story *story, bool (*tells)(struct story *, const struct sleeper *))
{
    struct sleeper sleeper;
    for (int i = 0; is_stuck() && i < il.n; i++)
        if (sleeper_of(i, &sleeper) && tells(story, &sleeper))
            return true;
    return false;
}

static bool notified_since(int row, const void *condition)
{
    static const enum op notes[] = {OP_SIGNAL, OP_SIGNAL_NOBODY, OP_BROADCAST, OP_BROADCAST_NOBODY};
    for (unsigned i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (fact_next(row, -1, notes[i], condition) != NO_ROW)
            return true;
    return false;
}

/* The last notification that found nobody, in rows (after, before). */
static int wasted_between(int after, int before, const void *condition)
{
    int one = fact_last(before, -1, OP_SIGNAL_NOBODY, condition);
    int all = fact_last(before, -1, OP_BROADCAST_NOBODY, condition);
    int last = one > all ? one : all;
    return last > after ? last : NO_ROW;
}

/* Tested, then changed by another, then asleep: the change and its signal fell between the two. */
static bool tells_outside(struct story *story, const struct sleeper *sleeper)
{
    if (sleeper->differs == NO_ROW || notified_since(sleeper->sleep, sleeper->condition))
        return false;
    const struct row *test = &record.rows[sleeper->differs], *sleep = &record.rows[sleeper->sleep];
    int change = fact_changed_between(sleeper->differs, sleeper->sleep, test, sleeper->thread);
    if (change == NO_ROW || fact_changed_between(sleeper->sleep, (int)record.n, test, sleeper->thread) != NO_ROW)
        return false;
    const struct row *by = &record.rows[change];
    int wasted = wasted_between(change, (int)record.n, sleeper->condition);
    story_row(story, sleeper->differs);
    story_row(story, sleeper->sleep);
    story_row(story, change);
    story_say(story, "%s tested %s at %s: it was %s. Before it slept, %s made it %s (%s)", fact_who(sleeper->thread),
              fact_object(test->object, test->pc), fact_line(test->pc), fact_value(test, test->after),
              fact_who(by->thread), fact_value(by, by->after), fact_line(by->pc));
    if (wasted != NO_ROW)
        story_say(story, " and signalled (%s), when nobody slept yet", fact_line(record.rows[wasted].pc));
    story_say(story, ". Only then did %s fall asleep, at %s: the wake-up was lost.", il_name(sleeper->thread),
              fact_line(sleep->pc));
    story_advise(story, sleeper->tests.outside
                            ? "Take the mutex before the test, and keep it until the wait gives it up."
                            : "Change what a wait tests only with the wait's mutex held: then nothing fits between.");
    return true;
}

bool story_tested_outside(struct story *story)
{
    return any_sleeper(story, tells_outside);
}

/* A wait without a test, and the signal came before it. */
static bool tells_before(struct story *story, const struct sleeper *sleeper)
{
    const struct row *sleep = &record.rows[sleeper->sleep];
    int wasted = wasted_between(NO_ROW, sleeper->sleep, sleeper->condition);
    if (sleeper->has_tests || wasted == NO_ROW || notified_since(sleeper->sleep, sleeper->condition))
        return false;
    story_row(story, wasted);
    story_row(story, sleeper->sleep);
    story_say(story,
              "%s signalled %s at %s, when nobody slept on it. A condition variable remembers nothing: %s came later, "
              "slept at %s without having tested anything, and nobody signals again.",
              fact_who(record.rows[wasted].thread), fact_object(sleeper->condition, record.rows[wasted].pc),
              fact_line(record.rows[wasted].pc), fact_who(sleeper->thread), fact_line(sleep->pc));
    story_advise(story, "Keep what has happened in a variable under the mutex, and wait in a `while` on that.");
    return true;
}

bool story_signalled_before(struct story *story)
{
    return any_sleeper(story, tells_before);
}

/* The last signal on the condition after `sleeper` slept, and what the one that got it did. */
struct signal {
    int row, to, awake, then; /* then: its next sleep or unlock */
};

static bool last_signal(const struct sleeper *sleeper, struct signal *signal)
{
    signal->row = fact_last((int)record.n, -1, OP_SIGNAL, sleeper->condition);
    if (signal->row <= sleeper->sleep || record.rows[signal->row].other == sleeper->thread)
        return false;
    signal->to = record.rows[signal->row].other;
    signal->awake = fact_next(signal->row, signal->to, OP_AWAKE, NULL);
    if (signal->awake == NO_ROW)
        return false;
    int sleep = fact_next(signal->awake, signal->to, OP_SLEEP, NULL);
    int unlock = fact_next(signal->awake, signal->to, OP_UNLOCK, record.rows[signal->awake].object);
    signal->then = sleep == NO_ROW || (unlock != NO_ROW && unlock < sleep) ? unlock : sleep;
    return signal->then != NO_ROW;
}

static void say_left_asleep(struct story *story, const struct sleeper *sleeper)
{
    const struct row *test = &record.rows[sleeper->differs];
    uint64_t now = 0;
    fact_value_before((int)record.n, test, &now);
    story_row(story, sleeper->sleep);
    story_say(story, "%s still sleeps at %s, though %s, which was %s when it fell asleep, is %s now.",
              fact_who(sleeper->thread), fact_line(record.rows[sleeper->sleep].pc), fact_object(test->object, test->pc),
              fact_value(test, test->after), fact_value(test, now));
}

/* The one that was woken had nothing to do and sleeps again. */
static bool tells_wrong(struct story *story, const struct sleeper *sleeper)
{
    struct signal signal;
    if (sleeper->differs == NO_ROW || !last_signal(sleeper, &signal) || record.rows[signal.then].op != OP_SLEEP)
        return false;
    const struct row *by = &record.rows[signal.row];
    struct place first, second;
    lines_place(record.rows[signal.then].pc, &first);
    lines_place(record.rows[sleeper->sleep].pc, &second);
    story_row(story, signal.row);
    story_row(story, signal.then);
    story_say(story, "The signal that %s sent at %s went to %s, which had nothing to do and slept again (%s). ",
              fact_who(by->thread), fact_line(by->pc), fact_who(signal.to), fact_line(record.rows[signal.then].pc));
    say_left_asleep(story, sleeper);
    if (first.line != second.line)
        story_advise(story,
                     "One condition variable serves two kinds of waiter: wake them all (broadcast), or use two.");
    else
        story_advise(story, "More than one waits here, and not every one can use every change: wake them all "
                            "(broadcast).");
    return true;
}

bool story_wrong_waiter(struct story *story)
{
    return any_sleeper(story, tells_wrong);
}

static bool wrote_between(int thread, int after, int before, const struct tests *tests)
{
    for (int i = after + 1; i < before; i++) {
        const struct row *row = &record.rows[i];
        for (unsigned k = 0; row->thread == thread && fact_writes(row) && k < tests->n; k++)
            if (row->object == record.rows[tests->rows[k]].object)
                return true;
    }
    return false;
}

/* Did it look at what it had been woken for? */
static bool tested_between(int thread, int after, int before, const struct row *test)
{
    for (int i = after + 1; i < before; i++) {
        const struct row *row = &record.rows[i];
        if (row->thread == thread && row->object == test->object && fact_is_test(row))
            return true;
    }
    return false;
}

/* Is it a wait that may give up? */
static bool is_limited(int sleep_row)
{
    return fact_line_has(record.rows[sleep_row].pc, "pthread_cond_timedwait") ||
           fact_line_has(record.rows[sleep_row].pc, "pthread_cond_clockwait") ||
           fact_line_has(record.rows[sleep_row].pc, "cnd_timedwait");
}

/* The one that was woken left without touching what the others wait for, and passed nothing on. */
static bool tells_swallowed(struct story *story, const struct sleeper *sleeper)
{
    struct signal signal;
    if (sleeper->differs == NO_ROW || !last_signal(sleeper, &signal) || record.rows[signal.then].op != OP_UNLOCK ||
        wrote_between(signal.to, signal.awake, signal.then, &sleeper->tests) ||
        tested_between(signal.to, signal.awake, signal.then, &record.rows[sleeper->differs]))
        return false;
    const struct row *by = &record.rows[signal.row];
    int slept = fact_last(signal.awake, signal.to, OP_SLEEP, NULL);
    story_row(story, signal.row);
    story_row(story, signal.then);
    story_say(
        story, "The signal that %s sent at %s went to %s, which %sleft (%s) without taking what it was woken for. ",
        fact_who(by->thread), fact_line(by->pc), fact_who(signal.to),
        slept != NO_ROW && is_limited(slept) ? "had a time limit and " : "", fact_line(record.rows[signal.then].pc));
    say_left_asleep(story, sleeper);
    story_advise(story, "Whoever was woken and gives up must take what is there after all, or signal the next one.");
    return true;
}

bool story_swallowed(struct story *story)
{
    return any_sleeper(story, tells_swallowed);
}

/* One was woken and went on; what it left changed would have been for another too. */
static bool tells_many(struct story *story, const struct sleeper *sleeper)
{
    struct signal signal;
    if (sleeper->differs == NO_ROW || !last_signal(sleeper, &signal) || record.rows[signal.then].op != OP_UNLOCK)
        return false;
    const struct row *by = &record.rows[signal.row];
    story_row(story, signal.row);
    story_say(story, "%s signalled at %s: that wakes one, and it was %s. ", fact_who(by->thread), fact_line(by->pc),
              fact_who(signal.to));
    say_left_asleep(story, sleeper);
    story_advise(story, "Where more than one may go on, wake them all (broadcast), or signal once for each.");
    return true;
}

bool story_one_of_many(struct story *story)
{
    return any_sleeper(story, tells_many);
}

/* What it waits for was changed while it slept, and nobody said so. */
static bool tells_never(struct story *story, const struct sleeper *sleeper)
{
    if (sleeper->differs == NO_ROW)
        return false;
    const struct row *test = &record.rows[sleeper->differs];
    int change = fact_changed_between(sleeper->sleep, (int)record.n, test, sleeper->thread);
    if (change == NO_ROW || notified_since(change, sleeper->condition))
        return false;
    struct signal signal; /* whoever was woken may change what it was woken for */
    if (last_signal(sleeper, &signal) && record.rows[change].thread == signal.to && change < signal.then)
        return false;
    const struct row *by = &record.rows[change];
    story_row(story, sleeper->sleep);
    story_row(story, change);
    story_say(story,
              "%s sleeps at %s on %s until %s changes. %s made it %s at %s, but signalled nobody on that condition "
              "variable afterwards.",
              fact_who(sleeper->thread), fact_line(record.rows[sleeper->sleep].pc),
              fact_object(sleeper->condition, record.rows[sleeper->sleep].pc), fact_object(test->object, test->pc),
              fact_who(by->thread), fact_value(by, by->after), fact_line(by->pc));
    story_advise(story, "Signal after every change that somebody may wait for, on every way out.");
    return true;
}

bool story_never_signalled(struct story *story)
{
    return any_sleeper(story, tells_never);
}
