/* tests.c - what the counter must do, as far as it can be told without a race: sums, moments, and who may run while.
 *
 * The lost update itself is left to the race detector, which finds it every time. What is forced here are the mistakes
 * that no detector sees: two critical sections where one is needed, and a critical section that is too long.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#endif
#include "check.h"
#include "counter.h"
#include "leftovers.h"
#include "wrap.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>

static struct counter *new_counter(void)
{
    struct counter *counter = NULL;
    int error = counter_create(&counter);

    must(error == 0 && counter != NULL, "counter_create returned %s or stored no counter.", error_text(error));
    return counter;
}

/* ---- one thread ------------------------------------------------------------------------------------------------- */

TEST(adds_up, "The value is the sum of all that was added, and each addition returns the value that it made.")
{
    struct counter *counter = new_counter();
    long got = counter_get(counter);

    must(got == 0, "A new counter should be 0, but it is %ld.", got);
    got = counter_add(counter, 5);
    must(got == 5, "0 + 5: counter_add should return 5, but it returned %ld.", got);
    got = counter_add(counter, -7);
    must(got == -2, "5 + -7: counter_add should return -2, but it returned %ld.", got);
    got = counter_add(counter, 0);
    must(got == -2, "-2 + 0: counter_add should return -2, but it returned %ld.", got);
    got = counter_add(counter, LONG_MAX);
    must(got == LONG_MAX - 2, "-2 + %ld: counter_add returned %ld. Values of a long must not be cut.", LONG_MAX, got);
    got = counter_get(counter);
    must(got == LONG_MAX - 2, "counter_get should return what the last addition made, but it returned %ld.", got);
    counter_destroy(counter);
}

TEST(adds_all, "counter_add_all adds every amount once and returns the value that this made; none at all is fine.")
{
    static const long amounts[] = {1, 20, 300, -4000, 50000};
    struct counter *counter = new_counter();

    counter_add(counter, 1000000);
    long got = counter_add_all(counter, amounts, 5);
    must(got == 1046321, "1000000 + 1 + 20 + 300 - 4000 + 50000: it should return 1046321, but it returned %ld.", got);
    got = counter_add_all(counter, amounts, 0);
    must(got == 1046321, "Adding no amounts should return 1046321, but it returned %ld.", got);
    got = counter_add_all(counter, NULL, 0);
    must(got == 1046321, "Adding no amounts should return 1046321, but it returned %ld.", got);
    got = counter_add_all(counter, amounts + 1, 1);
    must(got == 1046341, "1046321 + 20: it should return 1046341, but it returned %ld.", got);
    got = counter_get(counter);
    must(got == 1046341, "Then counter_get should return 1046341, but it returned %ld.", got);
    counter_destroy(counter);
}

struct job {
    long calls;
    long result;
};

static long do_job(void *argument)
{
    struct job *job = argument;

    job->calls++;
    return job->result;
}

TEST(large_amounts, "Amounts and sums are of type long, every bit of them, in a list too.")
{
    static const long amounts[] = {3000000000, 4000000000, -9000000000000};
    struct counter *counter = new_counter();

    long got = counter_add_all(counter, amounts, 2);
    must(got == 7000000000, "3000000000 + 4000000000: it should return 7000000000, but it returned %ld.", got);
    got = counter_add_all(counter, amounts + 2, 1);
    must(got == -8993000000000, "7000000000 - 9000000000000: it should return -8993000000000, but it returned %ld.",
         got);
    struct job job = {.result = 9000000000000};
    got = counter_add_result(counter, do_job, &job);
    must(got == 7000000000, "Then work() returned 9000000000000: it should return 7000000000, but it returned %ld.",
         got);
    counter_destroy(counter);
}

TEST(counters_are_separate, "Each counter has a value of its own.")
{
    struct counter *one = new_counter();
    struct counter *two = new_counter();

    counter_add(one, 3);
    counter_add(two, 40);
    must(counter_get(one) == 3, "3 was added to the first counter and 40 to the second; the first is now %ld.",
         counter_get(one));
    must(counter_get(two) == 40, "3 was added to the first counter and 40 to the second; the second is now %ld.",
         counter_get(two));
    counter_destroy(one);
    must(counter_get(two) == 40, "Ending the first counter changed the second: it is now %ld.", counter_get(two));
    counter_destroy(two);
}

TEST(adds_results,
     "counter_add_result calls work(argument) once, adds its result, and returns the value that this made.")
{
    struct counter *counter = new_counter();
    struct job job = {.result = 42};

    counter_add(counter, 100);
    long got = counter_add_result(counter, do_job, &job);
    must(job.calls == 1, "work was called %ld times; once was asked for.", job.calls);
    must(got == 142, "100 + 42: counter_add_result should return 142, but it returned %ld.", got);
    must(counter_get(counter) == 142, "Then counter_get should return 142, but it returned %ld.", counter_get(counter));
    job.result = -50;
    got = counter_add_result(counter, do_job, &job);
    must(got == 92, "142 + -50, which work() returned: counter_add_result should return 92, but it returned %ld.", got);
    job.result = 0;
    got = counter_add_result(counter, do_job, &job);
    must(got == 92, "work() returned 0: counter_add_result should return 92, but it returned %ld.", got);
    counter_destroy(counter);
}

static long add_result_inside(void *counter)
{
    struct job job = {.result = 20};

    return counter_add_result(counter, do_job, &job) + 300;
}

TEST(work_may_add_a_result, "work() may use this counter in any way, counter_add_result included.")
{
    struct counter *counter = new_counter();
    long got = counter_add_result(counter, add_result_inside, counter);

    must(got == 340, "work() added a result of 20 to 0 and returned 20 + 300: the value should be 340, but it is %ld.",
         got);
    counter_destroy(counter);
}

/* ---- nothing is lost -------------------------------------------------------------------------------------------- */

static long add_ten_meanwhile(void *counter)
{
    counter_add(counter, 10);
    return 5;
}

TEST(work_may_use_the_counter,
     "What is added while work() runs is not lost: the value is read after work has returned, and work() runs with no "
     "lock held.")
{
    struct counter *counter = new_counter();
    long got = counter_add_result(counter, add_ten_meanwhile, counter);

    must(got == 15, "work added 10 to the counter and returned 5: the value should be 15, but it is %ld.", got);
    counter_destroy(counter);
}

/* Adds 1000 right after the `at`th time that the student's code has let go of the lock. */
struct intruder {
    struct counter *counter;
    long at;
    struct tally unlocks;
};

static void add_thousand_once(void *argument)
{
    struct intruder *intruder = argument;

    if (tally_add(&intruder->unlocks, 1) == intruder->at)
        counter_add(intruder->counter, 1000);
}

/* Checks one call that adds 6 against an addition of 1000 right after its `at`th unlock. What the call returns is not
 * looked at: where it is read after the unlock that is a race, and the race detector's to find. */
static void must_add_at_one_moment(long (*add_six)(struct counter *), const char *name, long at)
{
    struct intruder intruder = {new_counter(), at, TALLY_ZERO};

    wrap_after(WRAP_pthread_mutex_unlock, add_thousand_once, &intruder);
    add_six(intruder.counter);
    wrap_after(WRAP_pthread_mutex_unlock, NULL, NULL);
    long expected = tally_read(&intruder.unlocks) >= at ? 1006 : 6;
    long got = counter_get(intruder.counter);
    must(got == expected,
         "%s added 6 while another thread came in, right after its unlock number %ld, and added 1000: the value should "
         "be %ld, but it is %ld. Read, add and write must be one critical section, not two.",
         name, at, expected, got);
    counter_destroy(intruder.counter);
}

static long six_at_once(struct counter *counter)
{
    return counter_add(counter, 6);
}

static long six_as_result(struct counter *counter)
{
    struct job job = {.result = 6};

    return counter_add_result(counter, do_job, &job);
}

static long six_as_list(struct counter *counter)
{
    static const long amounts[] = {1, 2, 3};

    return counter_add_all(counter, amounts, 3);
}

TEST(an_addition_is_one_moment,
     "Reading, adding and writing are one critical section: no other thread can come in between and lose its addition.")
{
    for (long at = 1; at <= 3; at++) {
        must_add_at_one_moment(six_at_once, "counter_add", at);
        must_add_at_one_moment(six_as_result, "counter_add_result", at);
        must_add_at_one_moment(six_as_list, "counter_add_all", at);
    }
}

/* Remembers whether a value was ever seen that is neither the one before nor the one after. */
struct watcher {
    struct counter *counter;
    long before, after, odd;
};

static void look(void *argument)
{
    struct watcher *watcher = argument;
    long value = counter_get(watcher->counter);

    if (value != watcher->before && value != watcher->after)
        watcher->odd = value;
}

TEST(a_list_is_one_moment,
     "counter_add_all happens at one moment: no thread ever sees a value with some of the amounts in it and some not.")
{
    static const long amounts[] = {1, 10, 100, 1000};
    struct watcher watcher = {.counter = new_counter(), .before = 7, .after = 1118, .odd = 0};

    counter_add(watcher.counter, 7);
    wrap_before(WRAP_pthread_mutex_lock, look, &watcher);
    wrap_after(WRAP_pthread_mutex_unlock, look, &watcher);
    counter_add_all(watcher.counter, amounts, 4);
    wrap_before(WRAP_pthread_mutex_lock, NULL, NULL);
    wrap_after(WRAP_pthread_mutex_unlock, NULL, NULL);
    must(watcher.odd == 0,
         "1, 10, 100 and 1000 were added to 7 in one call, and meanwhile another thread could see %ld: a part of them.",
         watcher.odd);
    counter_destroy(watcher.counter);
}

/* Long enough for who adds it up in pieces, and for who copies it to the stack. */
TEST(long_list_is_one_moment,
     "A list may hold millions of amounts: it is still one moment, and is added up where it lies, without a copy.")
{
    enum { AMOUNTS = 2000000 };
    static long amounts[AMOUNTS];
    struct watcher watcher = {.counter = new_counter(), .before = 7, .after = 7 + AMOUNTS, .odd = 0};
    long pieces = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) + wrap_count(WRAP_realloc);

    for (int i = 0; i < AMOUNTS; i++)
        amounts[i] = 1;
    counter_add(watcher.counter, 7);
    wrap_before(WRAP_pthread_mutex_lock, look, &watcher);
    wrap_after(WRAP_pthread_mutex_unlock, look, &watcher);
    long got = counter_add_all(watcher.counter, amounts, AMOUNTS);
    wrap_before(WRAP_pthread_mutex_lock, NULL, NULL);
    wrap_after(WRAP_pthread_mutex_unlock, NULL, NULL);
    must(got == 7 + AMOUNTS, "7 and two million times 1: it should return %d, but it returned %ld.", 7 + AMOUNTS, got);
    must(watcher.odd == 0,
         "Two million ones were added to 7 in one call, and meanwhile another thread could see %ld: a part of them.",
         watcher.odd);
    pieces = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc) + wrap_count(WRAP_realloc) - pieces;
    must(pieces == 0, "counter_add_all asked for memory, %ld times: the amounts are to be added up where they lie.",
         pieces);
    counter_destroy(watcher.counter);
}

/* ---- nobody waits for somebody's work --------------------------------------------------------------------------- */

struct visit {
    struct counter *counter;
    struct gate *leave;
    long got;
};

static long work_until_told(void *leave)
{
    gate_pass(leave);
    return 1;
}

static void add_slow_result(void *argument)
{
    struct visit *visit = argument;

    visit->got = counter_add_result(visit->counter, work_until_told, visit->leave);
}

static void add_two(void *argument)
{
    struct visit *visit = argument;

    visit->got = counter_add(visit->counter, 2);
}

static void read_it(void *argument)
{
    struct visit *visit = argument;

    visit->got = counter_get(visit->counter);
}

TEST(others_go_on_meanwhile, "While one thread is inside its work(), others can add and read: it holds no lock then.")
{
    struct gate leave = GATE_CLOSED;
    struct counter *counter = new_counter();
    struct visit slow = {counter, &leave, -1}, adder = {counter, NULL, -1}, reader = {counter, NULL, -1};

    struct runner *worker = runner_start(add_slow_result, &slow);
    must_be_blocked(worker, "counter_add_result should be inside work(), but it returned or never called it.");
    struct runner *one = runner_start(add_two, &adder);
    must_be_done(one, "One thread is inside its work(), and counter_add of another thread waits for it.");
    struct runner *two = runner_start(read_it, &reader);
    must_be_done(two, "One thread is inside its work(), and counter_get of another thread waits for it.");
    must(adder.got == 2 && reader.got == 2, "Meanwhile 2 was added: counter_add returned %ld, counter_get %ld.",
         adder.got, reader.got);
    gate_open(&leave);
    runner_join(worker);
    runner_join(one);
    runner_join(two);
    must(slow.got == 3, "Then work() returned 1: counter_add_result should return 3, but it returned %ld.", slow.got);
    counter_destroy(counter);
}

static long meet_the_others(void *crew)
{
    crew_meet(crew);
    return 1;
}

struct worker {
    struct counter *counter;
    struct crew *crew;
};

static void work_together(void *argument)
{
    struct worker *worker = argument;

    counter_add_result(worker->counter, meet_the_others, worker->crew);
}

TEST(works_run_side_by_side,
     "Any number of threads can be inside their work() at the same time: work() runs with no lock held.")
{
    enum { WORKERS = 3 };
    struct crew crew = CREW_OF(WORKERS);
    struct worker worker = {new_counter(), &crew};
    struct runner *runners[WORKERS];

    for (int i = 0; i < WORKERS; i++)
        runners[i] = runner_start(work_together, &worker);
    for (int i = 0; i < WORKERS; i++)
        must_be_done(runners[i], "Three threads should be inside their work() at once; work() of one waits for another "
                                 "thread's, which cannot begin.");
    for (int i = 0; i < WORKERS; i++)
        runner_join(runners[i]);
    counter_destroy(worker.counter);
}

/* A list that may not be read at first: who touches it stands still in the handler of SIGSEGV until he is let go. Set
 * by the test before any thread of its own exists. */
enum { FENCED_BYTES = 4096 };

static struct {
    long *amounts;
    struct gate *go;
} fenced;

static void on_touch(int signal_number, siginfo_t *info, void *unused)
{
    const char *touched = info->si_addr, *first = (const char *)fenced.amounts;

    (void)unused;
    if (touched < first || touched >= first + FENCED_BYTES) { /* not ours: a crash like any other */
        signal(signal_number, SIG_DFL);
        return;
    }
    gate_pass(fenced.go);
}

static struct sigaction fence_off(struct gate *go)
{
    struct sigaction action = {.sa_sigaction = on_touch, .sa_flags = SA_SIGINFO}, before;
    void *memory = mmap(NULL, FENCED_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(memory != MAP_FAILED, "The test could not get memory of its own.");
    fenced.amounts = memory;
    fenced.go = go;
    sigaction(SIGSEGV, &action, &before);
    return before;
}

/* Lets everyone read, who stands there and who comes. */
static void fence_down(void)
{
    mprotect(fenced.amounts, FENCED_BYTES, PROT_READ);
    gate_open(fenced.go);
}

static void add_fenced_list(void *argument)
{
    struct visit *visit = argument;

    visit->got = counter_add_all(visit->counter, fenced.amounts, FENCED_BYTES / sizeof(long));
}

TEST(lists_are_summed_outside,
     "A list is summed up before the lock is taken: meanwhile others can add and read, and sum up lists of their own.")
{
    struct gate go = GATE_CLOSED;
    struct counter *counter = new_counter();
    struct visit lists[] = {{counter, NULL, -1}, {counter, NULL, -1}}, reader = {counter, NULL, -1};
    struct sigaction before = fence_off(&go);
    struct runner *runners[2];

    for (int i = 0; i < 2; i++) {
        runners[i] = runner_start(add_fenced_list, &lists[i]);
        must_be_blocked(runners[i], "counter_add_all returned without having read the amounts.");
    }
    struct runner *other = runner_start(read_it, &reader);
    must_be_done(other, "Two threads sum up long lists, and counter_get of a third thread waits for them: the lock is "
                        "held during the sum.");
    fence_down();
    runner_join(other);
    for (int i = 0; i < 2; i++)
        runner_join(runners[i]);
    sigaction(SIGSEGV, &before, NULL);
    must(counter_get(counter) == 0, "Lists of zeros were added to 0, and the value is %ld.", counter_get(counter));
    counter_destroy(counter);
    munmap(fenced.amounts, FENCED_BYTES);
}

/* ---- one thread inside, another at the door --------------------------------------------------------------------- */

static _Thread_local bool stopped_inside;

static void stop_inside(void *gate)
{
    if (stopped_inside)
        gate_pass(gate);
    stopped_inside = false;
}

static void add_one_and_stop(void *argument)
{
    struct visit *visit = argument;

    stopped_inside = true;
    visit->got = counter_add(visit->counter, 1);
}

static void add_list(void *argument)
{
    static const long amounts[] = {1, 1};
    struct visit *visit = argument;

    visit->got = counter_add_all(visit->counter, amounts, 2);
}

static long give_two(void *unused)
{
    (void)unused;
    return 2;
}

static void add_result(void *argument)
{
    struct visit *visit = argument;

    visit->got = counter_add_result(visit->counter, give_two, NULL);
}

/* Who never locks anything cannot be stopped inside; that is left to the race detector, as is reading without the lock.
 */
TEST(nobody_enters_meanwhile, "While one thread is inside the critical section, whoever wants to add waits for it.")
{
    static const struct {
        void (*call)(void *);
        const char *name;
    } others[] = {{add_two, "counter_add"}, {add_list, "counter_add_all"}, {add_result, "counter_add_result"}};

    for (int i = 0; i < 3; i++) {
        struct gate leave = GATE_CLOSED;
        struct visit inside = {new_counter(), NULL, -1}, other = {inside.counter, NULL, -1};

        wrap_before(WRAP_pthread_mutex_unlock, stop_inside, &leave);
        struct runner *one = runner_start(add_one_and_stop, &inside);
        bool stopped = runner_state(one) == RUNNER_BLOCKED;
        struct runner *two = runner_start(others[i].call, &other);
        enum runner_state state = runner_state(two);
        must(!stopped || state != RUNNER_DONE,
             "One thread is inside counter_add and has not unlocked the mutex yet, and %s of another thread has added "
             "meanwhile.",
             others[i].name);
        must(state != RUNNER_BUSY,
             "One thread is inside counter_add, and %s of another thread keeps a processor busy with trying: "
             "pthread_mutex_lock waits asleep.",
             others[i].name);
        gate_open(&leave);
        runner_join(one);
        runner_join(two);
        wrap_before(WRAP_pthread_mutex_unlock, NULL, NULL);
        counter_destroy(inside.counter);
    }
}

TEST(reader_sleeps, "Whoever wants to read while another thread is inside the critical section waits for it, asleep.")
{
    struct gate leave = GATE_CLOSED;
    struct visit inside = {new_counter(), NULL, -1}, reader = {inside.counter, NULL, -1};

    wrap_before(WRAP_pthread_mutex_unlock, stop_inside, &leave);
    struct runner *one = runner_start(add_one_and_stop, &inside);
    settle();
    struct runner *two = runner_start(read_it, &reader);
    must(runner_state(two) != RUNNER_BUSY,
         "One thread is inside counter_add, and counter_get of another thread keeps a processor busy with trying: "
         "pthread_mutex_lock waits asleep.");
    gate_open(&leave);
    runner_join(one);
    runner_join(two);
    wrap_before(WRAP_pthread_mutex_unlock, NULL, NULL);
    counter_destroy(inside.counter);
}

/* ---- making and ending ------------------------------------------------------------------------------------------ */

TEST(no_memory, "When there is no memory, counter_create returns ENOMEM.")
{
    struct counter *counter = NULL;

    wrap_fail_memory(-1);
    int error = counter_create(&counter);
    must(error == ENOMEM, "Without memory counter_create should return ENOMEM, but it returned %s.", error_text(error));
}

static int make_one(void)
{
    struct counter *made = NULL;
    int error = counter_create(&made);

    if (error == 0)
        counter_destroy(made);
    return error;
}

TEST(no_memory_in_the_middle,
     "Where counter_create gets a part of its memory only, it returns ENOMEM and keeps nothing.")
{
    must_bear_want("counter_create", make_one);
}

TEST(no_mutex, "When the mutex cannot be made, counter_create returns that error and keeps nothing.")
{
    struct counter *counter = NULL;

    wrap_fail(WRAP_pthread_mutex_init, -1, EPERM);
    int error = counter_create(&counter);
    bool tried = wrap_count(WRAP_pthread_mutex_init) > 0;
    long made = wrap_count(WRAP_malloc) + wrap_count(WRAP_calloc);
    must(!tried || error == EPERM,
         "pthread_mutex_init returned EPERM: counter_create should return it, but it returned %s.", error_text(error));
    must(!tried || wrap_count(WRAP_free) >= made,
         "counter_create failed after it had allocated memory (%ld times) and freed %ld: the rest is lost.", made,
         wrap_count(WRAP_free));
}

TEST(ends_what_it_made, "counter_destroy gives back all that the counter holds, its mutex too. NULL is fine.")
{
    counter_destroy(NULL);
    struct counter *counter = new_counter();
    counter_add(counter, 1);
    long mutexes = wrap_count(WRAP_pthread_mutex_init);
    counter_destroy(counter);
    must(wrap_count(WRAP_pthread_mutex_destroy) >= mutexes,
         "counter_create made %ld mutexes with pthread_mutex_init, and counter_destroy ended %ld.", mutexes,
         wrap_count(WRAP_pthread_mutex_destroy));
}
