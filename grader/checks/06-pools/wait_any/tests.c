/* tests.c - what waiting for several futures must do.
 *
 * The test's own thread finishes the futures; who waits for them is a runner, seen with settle().
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* waiting.h */
#endif
#include "check.h"
#include "wait_any.h"
#include "waiting.h"
#include "wrap.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

enum { MOST = 5, FAILED = 77, ALLOCATIONS = 6, MANY = 3000 };

static const int64_t HOUR_US = 3600LL * 1000 * 1000;

/* ---- sorting ------------------------------------------------------------------------------------------------------
 */

static void swap_bytes(char *one, char *two, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char kept = one[i];
        one[i] = two[i];
        two[i] = kept;
    }
}

/* Stands before the C library's own, which happens to keep equal ones in their order: C does not promise that. */
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    void (*real)(void *, size_t, size_t, int (*)(const void *, const void *)) = NULL;
    char *bytes = base;

    *(void **)&real = dlsym(RTLD_NEXT, "qsort");
    real(base, count, size, compare);
    for (size_t first = 0, end = 0; first < count; first = end) {
        while (end < count && compare(&bytes[first * size], &bytes[end * size]) == 0)
            end++;
        for (size_t low = first, high = end; low + 1 < high; low++, high--)
            swap_bytes(&bytes[low * size], &bytes[(high - 1) * size], size);
        end = end == first ? first + 1 : end; /* a comparison that finds one unlike itself */
    }
}

/* ---- futures in all states --------------------------------------------------------------------------------------- */

static struct future *futures[MOST];

static void make_futures(void)
{
    for (int i = 0; i < MOST; i++)
        must(future_create(&futures[i]) == 0, "A future could not be made.");
}

static void drop_futures(void)
{
    for (int i = 0; i < MOST; i++) {
        future_drop(futures[i]);
        futures[i] = NULL;
    }
}

static void succeed(int i)
{
    must_return(0, future_set_result(futures[i], NULL), "future_set_result");
}

static void fail(int i)
{
    must_return(0, future_set_exception(futures[i], FAILED), "future_set_exception");
}

static void cancel(int i)
{
    must_return(0, future_cancel(futures[i]), "future_cancel");
}

static void notify(int i)
{
    must_return(ECANCELED, future_set_running_or_notify_cancel(futures[i]), "future_set_running_or_notify_cancel");
}

/* ---- one wait, by another thread --------------------------------------------------------------------------------- */

struct wait {
    struct future *futures[MOST];
    size_t count;
    enum wait_any_when when;
    int64_t timeout_us;
    int error;
    bool done[MOST];
    int64_t took_us;
    struct runner *runner;
};

static void wait_body(void *argument)
{
    struct wait *wait = argument;
    int64_t began_us = now_us();

    waits = true;
    wait->error = wait_any(wait->futures, wait->count, wait->when, wait->timeout_us, wait->done);
    waits = false;
    wait->took_us = now_us() - began_us;
}

static void wait_start(struct wait *wait, size_t count, enum wait_any_when when, int64_t timeout_us)
{
    *wait = (struct wait){.count = count, .when = when, .timeout_us = timeout_us, .error = -1};
    for (size_t i = 0; i < count; i++)
        wait->futures[i] = futures[i];
    wait->runner = runner_start(wait_body, wait);
    settle(); /* it watches now, and sleeps if it has to */
}

/* What `done` should say, as a word of '-' and 'x'. */
static void must_be_complete(const bool *done, const char *expected)
{
    for (size_t i = 0; expected[i] != '\0'; i++)
        must(done[i] == (expected[i] == 'x'), "Future %zu of %zu %s complete, but `done` says otherwise.", i + 1,
             strlen(expected), expected[i] == 'x' ? "is" : "is not");
}

static void wait_end(struct wait *wait, int error, const char *expected)
{
    must_be_done(wait->runner, "What was waited for has come, and wait_any still waits.");
    runner_join(wait->runner);
    must_return(error, wait->error, "wait_any");
    must_be_complete(wait->done, expected);
}

TEST(first_completed, "FIRST_COMPLETED waits, asleep, until one is complete, whichever that is, and however it ended.")
{
    for (int i = 0; i < 3; i++) {
        struct wait wait;
        make_futures();
        wait_start(&wait, 3, WAIT_ANY_FIRST_COMPLETED, -1);
        must_be_blocked(wait.runner, "None is complete, and wait_any does not wait, or not asleep.");
        if (i == 0)
            succeed(i);
        else if (i == 1)
            fail(i);
        else
            cancel(i), notify(i);
        wait_end(&wait, 0, i == 0 ? "x--" : i == 1 ? "-x-" : "--x");
        drop_futures();
    }
}

TEST(all_completed, "ALL_COMPLETED waits until all are complete, failed or not, in whatever order.")
{
    struct wait wait;

    make_futures();
    wait_start(&wait, 4, WAIT_ANY_ALL_COMPLETED, INT64_MAX);
    succeed(2);
    must_be_blocked(wait.runner, "One of four is complete, there is time until INT64_MAX, and wait_any has returned.");
    fail(0);
    must_be_blocked(wait.runner, "Two of four are complete, and wait_any has returned.");
    cancel(3);
    notify(3);
    must_be_blocked(wait.runner, "Three of four are complete, and wait_any has returned.");
    succeed(1);
    wait_end(&wait, 0, "xxxx");
    drop_futures();
}

TEST(first_exception, "FIRST_EXCEPTION waits until one has failed, or all are complete; cancelled is not failed.")
{
    struct wait wait;

    make_futures();
    wait_start(&wait, 5, WAIT_ANY_FIRST_EXCEPTION, INT64_MIN);
    succeed(0);
    cancel(1);
    notify(1);
    must_be_blocked(wait.runner, "One has succeeded, one was cancelled, none has failed, and wait_any has returned.");
    fail(3);
    wait_end(&wait, 0, "xx-x-");
    wait_start(&wait, 2, WAIT_ANY_FIRST_EXCEPTION, -1);
    wait_end(&wait, 0, "xx");
    drop_futures();
}

TEST(no_exception_at_all, "Where none fails, FIRST_EXCEPTION waits for all.")
{
    struct wait wait;

    make_futures();
    wait_start(&wait, 2, WAIT_ANY_FIRST_EXCEPTION, -1);
    succeed(1);
    must_be_blocked(wait.runner, "One of two is complete and none has failed, and wait_any has returned.");
    succeed(0);
    wait_end(&wait, 0, "xx");
    drop_futures();
}

TEST(complete_already, "What is complete already counts at once, whatever the time-out; the rest is told too.")
{
    bool done[MOST];

    make_futures();
    succeed(0);
    cancel(1);
    notify(1);
    fail(2);
    for (int64_t timeout_us = -1; timeout_us < 2; timeout_us++) {
        memset(done, 0, sizeof done);
        must_return(0, wait_any(futures, MOST, WAIT_ANY_FIRST_COMPLETED, timeout_us, done), "wait_any");
        must_be_complete(done, "xxx--");
        must_return(0, wait_any(futures, MOST, WAIT_ANY_FIRST_EXCEPTION, timeout_us, done), "wait_any");
        must_be_complete(done, "xxx--");
        must_return(0, wait_any(futures, 3, WAIT_ANY_ALL_COMPLETED, timeout_us, done), "wait_any");
    }
    memset(done, 1, sizeof done);
    must_return(ETIMEDOUT, wait_any(futures, MOST, WAIT_ANY_ALL_COMPLETED, 0, done), "wait_any, not waiting,");
    must_be_complete(done, "xxx--");
    must_return(ETIMEDOUT, wait_any(&futures[3], 2, WAIT_ANY_FIRST_COMPLETED, 0, done), "wait_any, not waiting,");
    must_be_complete(done, "--");
    must_return(0, wait_any(futures, 2, WAIT_ANY_FIRST_EXCEPTION, 0, done),
                "wait_any for an exception, when all are complete,");
    struct future *mixed[3] = {futures[0], futures[1], futures[3]};
    must_return(ETIMEDOUT, wait_any(mixed, 3, WAIT_ANY_FIRST_EXCEPTION, 0, done),
                "wait_any for an exception, where one was cancelled and none has failed,");
    must_be_complete(done, "xx-");
    drop_futures();
}

TEST(cancelled_is_not_complete, "A future that is cancelled and not yet notified is not complete.")
{
    struct wait wait;
    bool done[MOST] = {true};

    make_futures();
    cancel(0);
    must_return(ETIMEDOUT, wait_any(futures, 1, WAIT_ANY_FIRST_COMPLETED, 0, done), "wait_any for a cancelled future");
    must_be_complete(done, "-");
    wait_start(&wait, 2, WAIT_ANY_FIRST_COMPLETED, -1);
    must_be_blocked(wait.runner, "A future was cancelled and nobody was notified, and wait_any has returned.");
    cancel(1);
    must_be_blocked(wait.runner, "A future was cancelled and nobody was notified, and wait_any has returned.");
    notify(1);
    wait_end(&wait, 0, "-x");
    drop_futures();
}

TEST(the_same_twice, "A future may stand in the array several times: it is complete in each place.")
{
    bool done[3] = {false, false, true};

    make_futures();
    struct future *list[3] = {futures[0], futures[0], futures[1]};
    struct wait wait = {
        .futures = {futures[0], futures[0]}, .count = 2, .when = WAIT_ANY_ALL_COMPLETED, .timeout_us = -1};
    wait.runner = runner_start(wait_body, &wait);
    must_be_blocked(wait.runner, "It is not complete, and wait_any has returned.");
    succeed(0);
    wait_end(&wait, 0, "xx");
    must_return(0, wait_any(list, 3, WAIT_ANY_FIRST_COMPLETED, -1, done), "wait_any");
    must_be_complete(done, "xx-");
    drop_futures();
}

TEST(no_iterator_to_end, "wait_any_end(NULL) does nothing.")
{
    wait_any_end(NULL);
}

TEST(nothing_to_wait_for, "No futures: 0 at once. A `when` that is none of the three: EINVAL.")
{
    bool done[2] = {true, false};

    make_futures();
    must_return(0, wait_any(NULL, 0, WAIT_ANY_ALL_COMPLETED, -1, NULL), "wait_any for nothing");
    must_return(0, wait_any(NULL, 0, WAIT_ANY_FIRST_COMPLETED, -1, NULL), "wait_any for nothing");
    must_return(EINVAL, wait_any(futures, 2, (enum wait_any_when)17, 0, done), "wait_any with a wrong `when`");
    must_return(EINVAL, wait_any(futures, 2, (enum wait_any_when) - 1, 0, done), "wait_any with a `when` below 0");
    must(done[0] && !done[1], "wait_any returned EINVAL and changed `done`.");
    drop_futures();
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

TEST(not_too_early, "ETIMEDOUT does not come before the time is over; `done` tells what is complete by then.")
{
    struct wait wait;

    make_futures();
    succeed(1);
    wait_start(&wait, 2, WAIT_ANY_ALL_COMPLETED, 199999);
    runner_join(wait.runner);
    must_return(ETIMEDOUT, wait.error, "wait_any, when the time is over,");
    must(wait.took_us >= 199999, "wait_any gave up after %lld µs; its time-out was 199999 µs.",
         (long long)wait.took_us);
    must_be_complete(wait.done, "-x");
    must(!asked_the_wall, "wait_any asked for CLOCK_REALTIME, the clock on the wall, which somebody may set.");
    drop_futures();
}

TEST(second_begins, "Where the nanoseconds of a moment make a whole second, they count as one.")
{
    static const long fractions_ns[] = {999999000, 999999999}; /* with 1 µs: a second, and a little more than one */
    bool done[MOST];
    struct future *none = NULL;

    make_futures();
    waits = true;
    tally_add(&behind_s, 2); /* so that nobody has to wait for it */
    for (int i = 0; i < 4; i++) {
        struct wait_any_iterator *iterator = NULL;
        fraction_ns = fractions_ns[i / 2];
        naps_before = wrap_count(WRAP_pthread_cond_timedwait);
        int error = i % 2 == 0 ? wait_any(futures, 2, WAIT_ANY_FIRST_COMPLETED, 1, done)
                               : wait_any_as_completed(&iterator, futures, 2, 1);
        error = iterator == NULL ? error : wait_any_next(iterator, &none);
        must_return(ETIMEDOUT, error, i % 2 == 0 ? "wait_any beyond the end of a second" : "wait_any_next beyond it");
        wait_any_end(iterator);
    }
    drop_futures();
}

TEST(woken_for_nothing, "A wait may end although nobody has signalled: it goes on, and its time does not begin anew.")
{
    struct wait wait;

    make_futures();
    wrap_fail(WRAP_pthread_cond_wait, 1, 0);
    wait_start(&wait, 2, WAIT_ANY_ALL_COMPLETED, -1);
    must_be_blocked(wait.runner, "None is complete, somebody woke up for nothing, and wait_any has returned.");
    succeed(0);
    succeed(1);
    wait_end(&wait, 0, "xx");
    /* To the waiting thread it is an hour ago, until it was woken for nothing: then the hour it had is over. */
    tally_add(&behind_s, 3600);
    wrap_fail(WRAP_pthread_cond_timedwait, 1, 0);
    futures[0] = futures[2];
    wait_start(&wait, 1, WAIT_ANY_ALL_COMPLETED, HOUR_US);
    must_be_done(wait.runner, "The time was over; a wake-up for nothing has made wait_any begin it anew.");
    runner_join(wait.runner);
    must_return(ETIMEDOUT, wait.error, "wait_any, when the time is over,");
    for (int i = 1; i < MOST; i++)
        future_drop(futures[i]);
}

/* ---- nothing is left behind -------------------------------------------------------------------------------------- */

TEST(leaves_nothing_behind, "Once it has returned no future knows of it any more, also where it gave up.")
{
    bool done[MOST];

    make_futures();
    for (int round = 0; round < 50; round++) {
        must_return(ETIMEDOUT, wait_any(futures, MOST, WAIT_ANY_FIRST_COMPLETED, round % 2, done), "wait_any");
        struct wait_any_iterator *iterator = NULL;
        must_return(0, wait_any_as_completed(&iterator, futures, MOST, 0), "wait_any_as_completed");
        wait_any_end(iterator);
    }
    must(wrap_memory_kept() <= 0, "After 50 waits that gave up, %ld pieces of memory are left.", wrap_memory_kept());
    must(wrap_count(WRAP_pthread_mutex_init) <= wrap_count(WRAP_pthread_mutex_destroy) &&
             wrap_count(WRAP_pthread_cond_init) <= wrap_count(WRAP_pthread_cond_destroy),
         "After waits that gave up, a mutex or a condition was not destroyed.");
    long locks = wrap_count(WRAP_pthread_mutex_lock);
    for (int i = 0; i < MOST; i++)
        succeed(i);
    must(wrap_count(WRAP_pthread_mutex_lock) == locks, "The waits are long over, and a future that is finished now has "
                                                       "called into them.");
    drop_futures();
}

/* Stands before the C library's own: futures destroy theirs when nobody has a reference any more. */
static struct tally destroyed;

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    int (*real)(pthread_mutex_t *) = NULL;

    tally_add(&destroyed, 1);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_destroy");
    return real == NULL ? ENOSYS : real(mutex);
}

/* How many mutexes are destroyed when the test gives back its references. */
static long destroyed_by_drop(void)
{
    long before = tally_read(&destroyed);

    drop_futures();
    return tally_read(&destroyed) - before;
}

struct slow {
    struct future_watcher watcher; /* the first member */
    struct gate *gate;
};

static void be_slow(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    (void)callbacks;
    (void)state;
    (void)exception;
    gate_pass(((struct slow *)watcher)->gate);
}

static void finish_first(void *unused)
{
    (void)unused;
    (void)future_set_result(futures[0], NULL);
}

TEST(told_while_giving_up, "Who gives up while a future is being settled waits until that is over.")
{
    struct gate open = GATE_CLOSED;
    struct slow slow = {{.settled = be_slow}, &open};
    struct wait wait;

    make_futures();
    must_return(0, future_watch(futures[0], &slow.watcher), "future_watch");
    wait_start(&wait, 2, WAIT_ANY_FIRST_COMPLETED, -1);
    must_be_blocked(wait.runner, "None is complete, and wait_any has returned.");
    struct runner *setter = runner_start(finish_first, NULL); /* stands in the slow watcher, which was there first */
    settle();
    succeed(1);
    must_be_blocked(wait.runner,
                    "A future is being settled, its watcher is still to be told, and wait_any has returned.");
    gate_open(&open);
    runner_join(setter);
    runner_join(wait.runner);
    must_return(0, wait.error, "wait_any");
    must(wait.done[1], "The second future is complete, and `done` says otherwise.");
    must(wrap_memory_kept() <= 0, "After the wait %ld pieces of memory are left.", wrap_memory_kept());
    drop_futures();
}

static void must_fail(enum wrap_call call, int error)
{
    struct wait_any_iterator *iterator = NULL;

    for (long nth = 1; nth <= ALLOCATIONS; nth++) {
        bool done[MOST] = {false, true};
        long calls = wrap_count(call);
        wrap_fail(call, nth, error);
        int outcome = wait_any(futures, MOST, WAIT_ANY_FIRST_COMPLETED, 0, done);
        int expected = wrap_count(call) - calls < nth ? 0 : error;
        must_return(expected, outcome, "Without memory or locks wait_any");
        must(done[0] == (outcome == 0) && done[1] == (outcome != 0), "wait_any returned %s, and `done` says otherwise.",
             error_text(outcome));
        calls = wrap_count(call);
        wrap_fail(call, nth, error);
        int second = wait_any_as_completed(&iterator, futures, MOST, 0);
        wrap_fail(call, 0, 0);
        expected = wrap_count(call) - calls < nth ? 0 : error;
        must_return(expected, second, "Without memory or locks wait_any_as_completed");
        must((second == 0) == (iterator != NULL), "wait_any_as_completed returned %s, and %s.", error_text(second),
             second == 0 ? "stored no iterator" : "stored an iterator");
        wait_any_end(iterator);
        iterator = NULL;
    }
}

TEST(cannot_be_had, "Where memory or a lock cannot be had it is an error, and nothing is kept.")
{
    make_futures();
    long all = destroyed_by_drop();
    make_futures();
    succeed(0);
    must_fail(WRAP_malloc, ENOMEM);
    must_fail(WRAP_calloc, ENOMEM);
    must_fail(WRAP_pthread_mutex_init, EAGAIN);
    must_fail(WRAP_pthread_cond_init, EAGAIN);
    long locks = wrap_count(WRAP_pthread_mutex_lock);
    for (int i = 1; i < MOST; i++)
        succeed(i);
    must(wrap_count(WRAP_pthread_mutex_lock) == locks, "A wait that failed has left a watcher in a future.");
    must(destroyed_by_drop() == all,
         "References to futures are left: by an iterator that was ended, or by one that could not be made.");
}

/* ---- as_completed ------------------------------------------------------------------------------------------------ */

static struct wait_any_iterator *iterate(struct future *const *list, size_t count, int64_t timeout_us)
{
    struct wait_any_iterator *iterator = NULL;
    int error = wait_any_as_completed(&iterator, list, count, timeout_us);

    must(error == 0 && iterator != NULL, "wait_any_as_completed returned %s or stored no iterator.", error_text(error));
    return iterator;
}

static void must_come(struct wait_any_iterator *iterator, int expected)
{
    struct future *future = NULL;

    must_return(0, wait_any_next(iterator, &future), "wait_any_next");
    must(future == futures[expected], "The next one to come should be future %d, and another one came.", expected + 1);
}

static void must_not_come(struct wait_any_iterator *iterator, int error)
{
    static char as_it_was;
    struct future *const before = (struct future *)(void *)&as_it_was;
    struct future *future = before;

    must_return(error, wait_any_next(iterator, &future), "wait_any_next");
    must(future == before, "wait_any_next returned an error and stored something.");
}

TEST(in_order_of_completion, "The iterator gives the futures in the order in which they are completed, each once.")
{
    make_futures();
    struct wait_any_iterator *iterator = iterate(futures, MOST, -1);
    succeed(3);
    fail(0);
    cancel(4);
    succeed(1);
    notify(4);
    must_come(iterator, 3);
    must_come(iterator, 0);
    must_come(iterator, 1);
    must_come(iterator, 4);
    succeed(2);
    must_come(iterator, 2);
    must_not_come(iterator, ENOENT);
    must_not_come(iterator, ENOENT);
    wait_any_end(iterator);
    drop_futures();
}

TEST(complete_ones_first, "Those that are complete already come first, in their order in the array.")
{
    for (int backwards = 0; backwards < 2; backwards++) {
        struct future *list[MOST];
        int at[MOST]; /* which future stands there; they were made one after the other, and may lie so in memory */
        make_futures();
        for (int i = 0; i < MOST; i++) {
            at[i] = backwards == 1 ? MOST - 1 - i : i;
            list[i] = futures[at[i]];
        }
        succeed(at[4]);
        fail(at[1]);
        cancel(at[2]);
        notify(at[2]);
        cancel(at[3]);
        struct wait_any_iterator *iterator = iterate(list, MOST, 0);
        must_come(iterator, at[1]);
        must_come(iterator, at[2]);
        must_come(iterator, at[4]);
        must_not_come(iterator, ETIMEDOUT);
        notify(at[3]);
        succeed(at[0]);
        must_come(iterator, at[3]);
        must_come(iterator, at[0]);
        must_not_come(iterator, ENOENT);
        wait_any_end(iterator);
        drop_futures();
    }
}

TEST(each_comes_once, "A future that stands in the array several times comes once; its first place counts.")
{
    make_futures();
    struct future *list[6] = {futures[2], futures[0], futures[2], futures[1], futures[0], futures[2]};
    succeed(0);
    struct wait_any_iterator *iterator = iterate(list, 6, -1);
    succeed(2);
    must_come(iterator, 0);
    must_come(iterator, 2);
    succeed(1);
    must_come(iterator, 1);
    must_not_come(iterator, ENOENT);
    wait_any_end(iterator);
    iterator = iterate(list, 6, -1);
    must_come(iterator, 2);
    must_come(iterator, 0);
    must_come(iterator, 1);
    wait_any_end(iterator);
    iterator = iterate(NULL, 0, -1);
    must_not_come(iterator, ENOENT);
    wait_any_end(iterator);
    drop_futures();
}

struct step {
    struct wait_any_iterator *iterator;
    struct future *future;
    int error;
    int64_t took_us;
};

static void take_step(void *argument)
{
    struct step *step = argument;
    int64_t began_us = now_us();

    step->error = wait_any_next(step->iterator, &step->future);
    step->took_us = now_us() - began_us;
}

TEST(next_waits, "next waits, asleep, until one more is complete, and again for the one behind that.")
{
    make_futures();
    for (int round = 0; round < 2; round++) {
        struct wait_any_iterator *iterator = iterate(&futures[2 * round], 2, round == 0 ? INT64_MIN : INT64_MAX);
        for (int left = 2; left-- > 0;) {
            struct step step = {.iterator = iterator, .error = -1};
            wrap_fail(round == 0 ? WRAP_pthread_cond_wait : WRAP_pthread_cond_timedwait, 1, 0);
            struct runner *runner = runner_start(take_step, &step);
            must_be_blocked(runner, "No more is complete, and wait_any_next does not wait, or not asleep.");
            succeed(2 * round + left);
            must_be_done(runner, "One more is complete, and wait_any_next still waits.");
            runner_join(runner);
            must(step.error == 0 && step.future == futures[2 * round + left],
                 "wait_any_next did not give the one that is complete.");
        }
        wait_any_end(iterator);
    }
    drop_futures();
}

/* Somebody else who watches a future, and is slow to hear of it. */
struct slow_watcher {
    struct future_watcher watcher; /* first: the watcher's address is this one's */
    struct gate hear;
};

static void hear_slowly(struct future_watcher *watcher, enum future_state state, int exception, bool callbacks)
{
    struct slow_watcher *slow = (struct slow_watcher *)watcher;

    (void)state;
    (void)exception;
    (void)callbacks;
    gate_pass(&slow->hear);
}

static void settle_first(void *unused)
{
    (void)unused;
    future_set_result(futures[0], NULL);
}

TEST(all_have_heard, "next does not hand a future out before all who watch it have been told that it is settled.")
{
    make_futures();
    struct wait_any_iterator *iterator = iterate(futures, 1, -1);
    struct slow_watcher slow = {.watcher.settled = hear_slowly, .hear = GATE_CLOSED};
    struct step step = {.iterator = iterator, .error = -1};
    must_return(0, future_watch(futures[0], &slow.watcher), "future_watch");
    struct runner *settler = runner_start(settle_first, NULL);
    settle(); /* the iterator has heard, the other one is hearing */
    struct runner *runner = runner_start(take_step, &step);
    must_be_blocked(runner,
                    "Another one who watches the future is just being told, and wait_any_next has handed it out.");
    gate_open(&slow.hear);
    runner_join(settler);
    must_be_done(runner, "All who watch the future were told, and wait_any_next still waits.");
    runner_join(runner);
    must(step.error == 0 && step.future == futures[0], "wait_any_next did not give the one that is complete.");
    wait_any_end(iterator);
    drop_futures();
}

TEST(one_time_for_all,
     "The time-out holds for the whole iteration, from the beginning: it does not begin anew with each.")
{
    make_futures();
    waits = true;
    tally_add(&behind_s, 3600); /* to this thread it is an hour ago, so the hour that it gives is over now */
    struct step step = {.iterator = iterate(futures, 3, HOUR_US), .error = -1};
    waits = false;
    succeed(1);
    must_come(step.iterator, 1);
    struct runner *runner = runner_start(take_step, &step);
    must_be_done(runner, "The time of the whole iteration was over, and wait_any_next has begun it anew.");
    runner_join(runner);
    must_return(ETIMEDOUT, step.error, "wait_any_next, when the time is over,");
    succeed(0);
    must_come(step.iterator, 0);
    wait_any_end(step.iterator);
    drop_futures();
}

TEST(next_not_too_early, "next returns ETIMEDOUT when the time is over, and not before.")
{
    make_futures();
    int64_t began_us = now_us();
    struct wait_any_iterator *iterator = iterate(futures, 3, 49999);
    must_not_come(iterator, ETIMEDOUT);
    must(now_us() - began_us >= 49999, "The time-out was 49999 µs, and wait_any_next gave up before that.");
    wait_any_end(iterator);
    drop_futures();
}

TEST(array_may_go, "The caller may use the array for something else as soon as the iterator is made.")
{
    make_futures();
    struct future *list[3] = {futures[0], futures[1], futures[0]};
    struct wait_any_iterator *iterator = iterate(list, 3, -1);
    memset(list, 0, sizeof list);
    succeed(1);
    must_come(iterator, 1);
    succeed(0);
    must_come(iterator, 0);
    must_not_come(iterator, ENOENT);
    wait_any_end(iterator);
    must(wrap_memory_kept() <= 0, "After the iterator's end %ld pieces of memory are left.", wrap_memory_kept());
    drop_futures();
}

TEST(thousands, "Thousands of futures are no trouble, some of them twice.")
{
    struct future **many = calloc(2 * (size_t)MANY, sizeof *many);
    bool *done = calloc(MANY, sizeof *done);
    int came = 0, wrong = 0;

    must(many != NULL && done != NULL, "There is no memory for the test.");
    for (int i = 0; i < MANY; i++) {
        wrong += future_create(&many[i]) == 0 ? 0 : 1;
        many[MANY + i] = many[i];
    }
    must(wrong == 0, "The futures could not be made.");
    struct wait_any_iterator *iterator = iterate(many, 2 * (size_t)MANY, -1);
    for (int i = MANY - 1; i >= 0; i--)
        wrong += future_set_result(many[i], NULL) == 0 ? 0 : 1;
    for (struct future *next = NULL; wait_any_next(iterator, &next) == 0; came++)
        wrong += came < MANY && next == many[MANY - 1 - came] ? 0 : 1;
    must(came == MANY && wrong == 0, "%d futures were completed, %d came, %d of them out of order.", MANY, came, wrong);
    wait_any_end(iterator);
    must_return(0, wait_any(many, MANY, WAIT_ANY_ALL_COMPLETED, -1, done), "wait_any");
    for (int i = 0; i < MANY; i++)
        future_drop(many[i]);
    free(done);
    free(many);
}

TEST(several_may_wait, "Several threads may wait for the same futures, each for what it wants.")
{
    struct wait first, all, failed;

    make_futures();
    wait_start(&first, 3, WAIT_ANY_FIRST_COMPLETED, -1);
    wait_start(&all, 3, WAIT_ANY_ALL_COMPLETED, -1);
    wait_start(&failed, 3, WAIT_ANY_FIRST_EXCEPTION, -1);
    settle();
    succeed(1);
    wait_end(&first, 0, "-x-");
    must_be_blocked(all.runner, "One of three is complete, and who waits for all has returned.");
    fail(2);
    wait_end(&failed, 0, "-xx");
    must_be_blocked(all.runner, "Two of three are complete, and who waits for all has returned.");
    succeed(0);
    wait_end(&all, 0, "xxx");
    drop_futures();
}
