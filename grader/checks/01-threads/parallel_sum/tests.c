/* tests.c - what parallel_sum must do.
 *
 * Sums are checked with the threads held and let go one by one (sum_in_turn), so that what a thread was given must
 * last, and so that a race, which is the next stages' business, cannot spoil a sum by chance. That the threads work at
 * the same time is proved without a clock: the numbers lie in pages that may not be read, and a thread that touches one
 * is stopped there, in the handler of SIGSEGV, until the test has counted how many stand there.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MAP_ANONYMOUS, gettid by syscall, pthread_setattr_default_np */
#endif
#include "check.h"
#include "parallel_sum.h"
#include "wrap.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    LARGE = 4194307, /* 2^22 and some */
    MANY = 1000000,
    THREADS = 4,
    TURNS_MAX = 64,
    PAGES = 64,
    PAGE_BYTES = 4096,
    PAGE_NUMBERS = PAGE_BYTES / sizeof(int32_t)
};

/* One call, as a runner's body. */
struct call {
    const int32_t *numbers;
    size_t n, threads;
    int64_t sum;
    int error;
};

static void run_call(void *argument)
{
    struct call *call = argument;

    call->error = parallel_sum(call->numbers, call->n, call->threads, &call->sum);
}

/* ---- threads let go one by one ----------------------------------------------------------------------------------- */

struct turns {
    struct tally arrived;
    struct gate turn[TURNS_MAX];
};

static void wait_turn(void *argument)
{
    struct turns *turns = argument;
    long number = tally_add(&turns->arrived, 1) - 1;

    if (number < TURNS_MAX)
        gate_pass(&turns->turn[number]);
}

static void sum_in_turn(struct call *call)
{
    struct turns turns = {0};

    wrap_in_thread(wait_turn, &turns);
    struct runner *runner = runner_start(run_call, call);
    for (size_t i = 0; i < TURNS_MAX && i < call->threads; i++) {
        settle();
        gate_open(&turns.turn[i]);
    }
    for (size_t i = call->threads; i < TURNS_MAX; i++)
        gate_open(&turns.turn[i]);
    runner_join(runner);
    wrap_in_thread(NULL, NULL);
}

static void must_sum(const int32_t *numbers, size_t n, size_t threads)
{
    struct call call = {.numbers = numbers, .n = n, .threads = threads, .sum = -99};
    int64_t expected = 0;

    for (size_t i = 0; i < n; i++)
        expected += numbers[i];
    sum_in_turn(&call);
    must(call.error == 0, "parallel_sum of %zu numbers with %zu threads returned %s; it should return 0.", n, threads,
         error_text(call.error));
    must(call.sum == expected, "The sum of %zu numbers with %zu threads should be %lld, but it is %lld.", n, threads,
         (long long)expected, (long long)call.sum);
}

/* Every number its own power of two, so that a number lost, or counted twice, cannot hide behind another. */
static void fill_with_powers(int32_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        numbers[i] = (int32_t)1 << i;
}

TEST(adds_up_equal_parts, "Every number is counted once.")
{
    int32_t numbers[24];

    fill_with_powers(numbers, 24);
    must_sum(numbers, 24, 1);
    must_sum(numbers, 24, 2);
    must_sum(numbers, 24, 4);
}

TEST(adds_up_unequal_parts, "Every number is counted once, also where n is not a multiple of the number of threads.")
{
    int32_t numbers[23];

    fill_with_powers(numbers, 23);
    must_sum(numbers, 23, 2);
    must_sum(numbers, 23, 4);
    must_sum(numbers, 11, 3);
    must_sum(numbers, 7, 5);
    must_sum(numbers, 9, 8);
    must_sum(numbers, 13, 11); /* 11 times the float 13.0 / 11 is a bit less than 13 */
    must_sum(numbers, 15, 11); /* and 11 times the double 15.0 / 11 than 15 */
}

TEST(large_and_negative_numbers, "The numbers have 32 bits and the sum has 64: it does not overflow.")
{
    static int32_t numbers[LARGE]; /* so many that a double could not hold the sum, either */

    for (size_t i = 0; i < LARGE; i++)
        numbers[i] = INT32_MAX;
    must_sum(numbers, 5000, 2);
    must_sum(numbers, LARGE, 1);
    for (size_t i = 0; i < 5000; i++)
        numbers[i] = INT32_MIN;
    must_sum(numbers, 4999, 3);
    numbers[0] = -7;
    must_sum(numbers, 1, 1);
}

TEST(no_numbers, "With no numbers the sum is 0, and no thread is started.")
{
    int32_t number = 5;

    must_sum(&number, 0, 3);
    must_sum(NULL, 0, 1);
    must(wrap_count(WRAP_pthread_create) == 0, "There was nothing to add up, and yet %ld threads were started.",
         wrap_count(WRAP_pthread_create));
}

TEST(more_threads_than_numbers, "No more threads are started than there are numbers.")
{
    int32_t numbers[3] = {1, 10, 100};
    static const size_t threads[] = {4, 1000000000, 3000000000, SIZE_MAX};

    for (int i = 0; i < 4; i++) {
        struct call call = {.numbers = numbers, .n = 3, .threads = threads[i], .sum = -99};
        long before = wrap_count(WRAP_pthread_create);
        run_call(&call);
        must(call.error == 0, "parallel_sum of 3 numbers with %zu threads returned %s; it should return 0.", threads[i],
             error_text(call.error));
        long started = wrap_count(WRAP_pthread_create) - before;
        must(started == 3 || started == 2, /* the calling thread may be one of them */
             "parallel_sum of 3 numbers with %zu threads started %ld; there should be a thread for each number.",
             threads[i], started);
    }
    must_sum(numbers, 3, 8);
    must_sum(numbers, 1, 2);
}

TEST(wrong_arguments, "threads = 0, no place for the sum, or no numbers where there should be some: EINVAL.")
{
    int32_t numbers[2] = {1, 2};
    int64_t sum = -99;

    int error = parallel_sum(numbers, 2, 0, &sum);
    must(error == EINVAL, "With threads = 0 parallel_sum should return EINVAL, but it returned %s.", error_text(error));
    error = parallel_sum(NULL, 0, 0, &sum);
    must(error == EINVAL, "With threads = 0 and n = 0 parallel_sum should return EINVAL, but it returned %s.",
         error_text(error));
    error = parallel_sum(numbers, 2, 2, NULL);
    must(error == EINVAL, "With sum = NULL parallel_sum should return EINVAL, but it returned %s.", error_text(error));
    error = parallel_sum(NULL, 2, 2, &sum);
    must(error == EINVAL, "With numbers = NULL and n = 2 parallel_sum should return EINVAL, but it returned %s.",
         error_text(error));
    error = parallel_sum(numbers, 0, 2, NULL);
    must(error == EINVAL, "With sum = NULL and n = 0 parallel_sum should return EINVAL, but it returned %s.",
         error_text(error));
    must(sum == -99, "parallel_sum returned EINVAL and yet changed *sum.");
    must(wrap_count(WRAP_pthread_create) == 0, "parallel_sum returned EINVAL and yet started a thread.");
}

/* ---- at the same time -------------------------------------------------------------------------------------------- */

/* Numbers in pages of their own, and what the handler of SIGSEGV does with who touches them. */
static struct {
    int32_t *numbers;
    struct tally standing; /* threads stopped at a page */
    struct gate go_on;
    struct sigaction before; /* who was told of crashes */
    bool stop_all;           /* stop them, else let them pass and write down who touched which page first */
    pid_t owner[PAGES];      /* that thread */
} fenced;

static void on_touch(int signal_number, siginfo_t *info, void *unused)
{
    size_t offset = (size_t)((char *)info->si_addr - (char *)fenced.numbers);
    size_t page = offset / PAGE_BYTES;

    (void)unused;
    if ((char *)info->si_addr < (char *)fenced.numbers || page >= PAGES) { /* not ours: a crash like any other */
        sigaction(signal_number, &fenced.before, NULL);
        return;
    }
    if (fenced.stop_all) {
        tally_add(&fenced.standing, 1);
        gate_pass(&fenced.go_on);
        return;
    }
    __atomic_store_n(&fenced.owner[page], (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    mprotect((char *)fenced.numbers + page * PAGE_BYTES, PAGE_BYTES, PROT_READ);
}

static void fence(bool stop_all)
{
    struct sigaction action = {.sa_sigaction = on_touch, .sa_flags = SA_SIGINFO};
    char *memory = mmap(NULL, (PAGES + 1) * PAGE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(memory != MAP_FAILED, "The test could not map memory: %s.", strerror(errno));
    fenced.numbers = (int32_t *)(void *)memory;
    fenced.stop_all = stop_all;
    sigaction(SIGSEGV, &action, &fenced.before);
    /* The page behind them stays as it is: reading too far is for the memory stage to find. */
    mprotect(memory, PAGES * PAGE_BYTES, PROT_NONE);
}

TEST(all_parts_at_the_same_time, "All the parts are added up at the same time, each by a thread of its own.")
{
    fence(true);
    struct call call = {.numbers = fenced.numbers, .n = PAGES * PAGE_NUMBERS, .threads = THREADS, .sum = -99};

    struct runner *runner = runner_start(run_call, &call);
    settle();
    long standing = tally_read(&fenced.standing);
    mprotect(fenced.numbers, PAGES * PAGE_BYTES, PROT_READ);
    gate_open(&fenced.go_on);
    must(standing == THREADS,
         "With %d threads there should be %d reading numbers at the same time, but it was %ld: the others wait for it, "
         "or "
         "have not been started.",
         THREADS, THREADS, standing);
    runner_join(runner);
    sigaction(SIGSEGV, &fenced.before, NULL);
    must(call.error == 0, "parallel_sum returned %s; it should return 0.", error_text(call.error));
    must(call.sum == 0, "The sum of nothing but zeros should be 0, but it is %lld.", (long long)call.sum);
}

static int pages_of(pid_t owner)
{
    int count = 0;

    for (int i = 0; i < PAGES; i++)
        count += fenced.owner[i] == owner ? 1 : 0;
    return count;
}

TEST(parts_are_fair,
     "The parts are consecutive and of about the same length: with four threads nobody has half the work.")
{
    fence(false);
    struct call call = {.numbers = fenced.numbers, .n = PAGES * PAGE_NUMBERS, .threads = THREADS, .sum = -99};
    int most = 0, untouched;

    sum_in_turn(&call);
    sigaction(SIGSEGV, &fenced.before, NULL);
    must(call.error == 0, "parallel_sum returned %s; it should return 0.", error_text(call.error));
    for (int i = 0; i < PAGES; i++)
        most = pages_of(fenced.owner[i]) > most ? pages_of(fenced.owner[i]) : most;
    untouched = pages_of(0);
    must(untouched == 0, "Of %d equal pieces of the array %d were not read at all.", PAGES, untouched);
    must(most <= PAGES / THREADS * 3 / 2 + 1,
         "One of %d threads had to add up %d of %d equal pieces of the array; its fair share is %d.", THREADS, most,
         PAGES, PAGES / THREADS);
}

/* ---- how long the parts are -------------------------------------------------------------------------------------- */

enum { PARTS_MAX = 200 };

/* Numbers at an address where there is nothing: who touches one stands there for good, and the addresses tell where
 * the parts begin. So there can be as many numbers as we like. */
static struct {
    char *numbers;
    size_t bytes;
    struct tally standing;
    char *touched[PARTS_MAX];
    struct gate never;
} nowhere;

static void on_nowhere(int signal_number, siginfo_t *info, void *unused)
{
    char *address = info->si_addr;

    (void)unused;
    if (address < nowhere.numbers || address >= nowhere.numbers + nowhere.bytes) { /* a crash like any other */
        signal(signal_number, SIG_DFL);
        return;
    }
    long number = tally_add(&nowhere.standing, 1) - 1;
    if (number < PARTS_MAX)
        nowhere.touched[number] = address;
    gate_pass(&nowhere.never);
}

static int by_address(const void *left, const void *right)
{
    const char *const *one = left, *const *other = right;

    return (*one > *other) - (*one < *other);
}

/* The length of the longest part, in numbers, once all stand at their first number. */
static size_t longest_part(long standing)
{
    size_t longest = 0;

    qsort(nowhere.touched, (size_t)standing, sizeof *nowhere.touched, by_address);
    for (long i = 0; i < standing; i++) {
        char *end = i + 1 < standing ? nowhere.touched[i + 1] : nowhere.numbers + nowhere.bytes;
        size_t length = (size_t)(end - nowhere.touched[i]) / sizeof(int32_t);
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* The threads stand at their first number when the test ends; so one call a test. */
static void must_split_fairly(size_t n, size_t threads)
{
    static struct call call;
    struct sigaction action = {.sa_sigaction = on_nowhere, .sa_flags = SA_SIGINFO};
    pthread_attr_t small_stacks; /* as many threads as we like, too */

    must(pthread_attr_init(&small_stacks) == 0 && pthread_attr_setstacksize(&small_stacks, 65536) == 0 &&
             pthread_setattr_default_np(&small_stacks) == 0,
         "The test could not choose the size of stacks.");
    nowhere.numbers = (char *)0x100000000000; /* no kernel puts anything there unasked */
    nowhere.bytes = n * sizeof(int32_t);
    sigaction(SIGSEGV, &action, NULL);
    call = (struct call){.numbers = (const int32_t *)(void *)nowhere.numbers, .n = n, .threads = threads};
    struct runner *runner = runner_start(run_call, &call);
    must_be_blocked(runner,
                    "parallel_sum of %zu numbers with %zu threads returned %s before it had looked at all of them.", n,
                    threads, error_text(call.error));
    must(settle(),
         "%zu numbers, %zu threads, and some of them compute on and on before they read a number: each should begin "
         "with the first of its own part.",
         n, threads);
    long standing = tally_read(&nowhere.standing);
    must(standing == (long)threads, "%zu numbers should be split into %zu parts, one a thread, but there are %ld.", n,
         threads, standing);
    size_t longest = longest_part(standing);
    must(
        longest * 2 * threads <= n * 3,
        "%zu numbers are split into %zu parts, and one of them has %zu; a fair share is %zu, and no part may be longer "
        "than one and a half times that.",
        n, threads, longest, n / threads);
}

TEST(remainder_is_shared, "Where n is not a multiple of the threads, the rest is shared too: no part gets all of it.")
{
    must_split_fairly(99, 20);
}

TEST(no_part_is_missing, "There are as many parts as threads were asked for: parts that are rounded up would be fewer.")
{
    must_split_fairly(85, 20);
}

TEST(many_numbers, "n and threads are of type size_t: there may be more numbers than an int can count.")
{
    must_split_fairly(3000000000, 4);
}

TEST(many_numbers_a_part, "There may be more numbers than an int can count in a single part, too.")
{
    must_split_fairly(12000000000, 4);
}

TEST(many_threads, "There are as many parts as threads were asked for, also where that is many.")
{
    must_split_fairly(4 * 160, 160);
}

TEST(two_calls_at_the_same_time,
     "parallel_sum may be called by many threads at the same time: it keeps nothing in static memory.")
{
    static const int32_t ones[4] = {1, 1, 1, 1}, tens[4] = {10, 10, 10, 10};
    struct call first = {.numbers = ones, .n = 4, .threads = 2}, second = {.numbers = tens, .n = 4, .threads = 2};
    struct turns turns = {0};

    wrap_in_thread(wait_turn, &turns);
    struct runner *one = runner_start(run_call, &first);
    settle();
    struct runner *ten = runner_start(run_call, &second);
    for (int i = 0; i < TURNS_MAX; i++) {
        if (i < 4)
            settle();
        gate_open(&turns.turn[i]);
    }
    runner_join(one);
    runner_join(ten);
    must(first.error == 0 && second.error == 0, "Two calls at the same time returned %s and %s; both should return 0.",
         error_text(first.error), error_text(second.error));
    must(first.sum == 4 && second.sum == 40,
         "Two calls at the same time should find 4 and 40, but they found %lld and %lld: each gets in the other's way.",
         (long long)first.sum, (long long)second.sum);
}

TEST(numbers_are_only_read, "The numbers are only read; they may lie in memory that cannot be written.")
{
    int32_t *numbers = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(numbers != MAP_FAILED, "The test could not map memory: %s.", strerror(errno));
    fill_with_powers(numbers, 10);
    mprotect(numbers, PAGE_BYTES, PROT_READ);
    must_sum(numbers, 10, 3);
}

/* ---- when something fails ---------------------------------------------------------------------------------------- */

TEST(a_thread_cannot_be_started,
     "When pthread_create fails, parallel_sum returns its error and leaves the sum as it was.")
{
    int32_t numbers[8];

    fill_with_powers(numbers, 8);
    for (long nth = 1; nth < THREADS; nth++) {
        struct call call = {.numbers = numbers, .n = 8, .threads = THREADS, .sum = -99};
        long created = wrap_count(WRAP_pthread_create), joined = wrap_count(WRAP_pthread_join);
        wrap_fail(WRAP_pthread_create, nth, EAGAIN);
        sum_in_turn(&call);
        created = wrap_count(WRAP_pthread_create) - created - 1; /* the one that failed */
        joined = wrap_count(WRAP_pthread_join) - joined;
        must(call.error == EAGAIN,
             "The start of thread %ld failed with EAGAIN; parallel_sum should return it, but it returned %s.", nth,
             error_text(call.error));
        must(call.sum == -99, "parallel_sum returned EAGAIN and yet changed *sum.");
        must(joined == created, "The start of thread %ld failed: %ld were running, and %ld joins were made.", nth,
             created, joined);
    }
}

TEST(any_error_of_pthread_create, "Whatever pthread_create returns, parallel_sum returns it.")
{
    int32_t numbers[8];
    struct call call = {.numbers = numbers, .n = 8, .threads = THREADS, .sum = -99};

    fill_with_powers(numbers, 8);
    wrap_fail(WRAP_pthread_create, 2, EPERM);
    sum_in_turn(&call);
    must(call.error == EPERM, "pthread_create returned EPERM; parallel_sum should return it, but it returned %s.",
         error_text(call.error));
    must(call.sum == -99, "parallel_sum returned EPERM and yet changed *sum.");
}

TEST(very_many_threads, "The threads are kept in memory that was allocated: for a million of them a stack has no room.")
{
    static const int32_t numbers[MANY];
    struct call call = {.numbers = numbers, .n = MANY, .threads = MANY, .sum = -99};

    wrap_fail(WRAP_pthread_create, -1, EAGAIN);
    runner_join(runner_start(run_call, &call));
    must(call.error == EAGAIN || call.error == ENOMEM,
         "A million threads were asked for and there was none to be had: parallel_sum should return EAGAIN, but it "
         "returned %s.",
         error_text(call.error));
    must(call.sum == -99, "parallel_sum returned an error and yet changed *sum.");
}

static void pass(void *gate)
{
    gate_pass(gate);
}

TEST(waits_for_those_it_started,
     "When one thread cannot be started, the others still read the numbers: they are joined first.")
{
    int32_t numbers[8];
    struct gate go_on = GATE_CLOSED;
    struct call call = {.numbers = numbers, .n = 8, .threads = THREADS, .sum = -99};

    fill_with_powers(numbers, 8);
    wrap_in_thread(pass, &go_on);
    wrap_fail(WRAP_pthread_create, 3, EAGAIN);
    struct runner *runner = runner_start(run_call, &call);
    must_be_blocked(
        runner, "The third of four threads could not be started, and parallel_sum returned while the first two were "
                "still running.");
    gate_open(&go_on);
    runner_join(runner);
    must(call.error == EAGAIN, "parallel_sum should return EAGAIN, but it returned %s.", error_text(call.error));
    settle();
    must(extra_threads() == 0, "parallel_sum has returned; %d of its threads are still there.", extra_threads());
}

TEST(no_memory, "When there is no memory, parallel_sum returns ENOMEM, leaves the sum as it was, and keeps nothing.")
{
    int32_t numbers[8];

    fill_with_powers(numbers, 8);
    for (long nth = 1; nth <= 3; nth++) {
        struct call call = {.numbers = numbers, .n = 8, .threads = 2, .sum = -99};
        long kept = wrap_memory_kept();
        wrap_fail(WRAP_malloc, nth, ENOMEM);
        wrap_fail(WRAP_calloc, nth, ENOMEM);
        sum_in_turn(&call);
        kept = wrap_memory_kept() - kept;
        /* Who allocates less often does not notice, and has the sum. */
        must((call.error == ENOMEM && call.sum == -99) || (call.error == 0 && call.sum == 255),
             "Allocation %ld failed: parallel_sum should return ENOMEM and leave *sum alone; it returned %s, *sum is "
             "%lld.",
             nth, error_text(call.error), (long long)call.sum);
        must(call.error == 0 || kept <= 1, "Allocation %ld failed, and %ld that had succeeded were not freed.", nth,
             kept - 1);
    }
}
