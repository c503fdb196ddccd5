/* tests.c - what must happen around a call that blocks.
 *
 * Threads block for certain: on a pipe into which nobody has written, in a sleep that ends when the test says so
 * (nap.h), in a function of the test's own. Meanwhile the test's own thread takes the lock; where it cannot, everyone
 * is stuck, and the grader says so.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"
#include "nap.h"
#include "release_for_io.h"
#include "wrap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct gil *new_gil(void)
{
    struct gil *gil = NULL;

    must(gil_create(&gil) == 0, "gil_create returned an error.");
    return gil;
}

static struct gil_thread *new_thread(struct gil *gil)
{
    struct gil_thread *thread = NULL;

    must(gil_thread_create(gil, &thread) == 0, "gil_thread_create returned an error.");
    return thread;
}

static void take(struct gil_thread *thread)
{
    must(gil_take(thread) == 0, "gil_take returned an error.");
}

struct pipe_ends {
    int read, write;
};

static struct pipe_ends new_pipe(void)
{
    int ends[2] = {-1, -1};

    must(pipe(ends) == 0, "The test could not make a pipe.");
    return (struct pipe_ends){ends[0], ends[1]};
}

static void put(struct pipe_ends ends, const char *text)
{
    ssize_t put = write(ends.write, text, strlen(text));
    must(put == (ssize_t)strlen(text), "The test could not write into a pipe.");
}

static void close_pipe(struct pipe_ends ends)
{
    close(ends.read);
    close(ends.write);
}

/* ---- reads that a signal interrupts ----------------------------------------------------------------------------- */

static _Thread_local int interrupts; /* so many reads of this thread fail with failure */
static _Thread_local int failure = EINTR;
static struct tally reads; /* how many reads the process has made, these included */

/* Stands before the C library's, as the functions of nap.h do. */
__attribute__((visibility("hidden"))) ssize_t read(int fd, void *buffer, size_t size)
{
    tally_add(&reads, 1);
    if (interrupts > 0) {
        interrupts--;
        errno = failure;
        return -1;
    }
    return syscall(SYS_read, fd, buffer, size);
}

/* ---- another thread that blocks --------------------------------------------------------------------------------- */

/* What another thread does with the lock held. */
struct other {
    struct gil *gil;
    int (*work)(struct other *other); /* with the lock held */
    struct gil_thread *thread;
    struct nap_bed *bed;
    struct nap_alarm alarm; /* of its gil_take */
    int fd;
    int64_t time_us;
    struct release_for_io_inbox *inbox;
    char buffer[16];
    size_t size, got;
    int result;
    bool held; /* after it */
    struct runner *runner;
};

static void work_with_lock(void *argument)
{
    struct other *other = argument;

    if (gil_thread_create(other->gil, &other->thread) != 0)
        return;
    nap_alarm = &other->alarm;
    gil_take(other->thread);
    nap_alarm = NULL;
    nap_bed = other->bed;
    other->result = other->work(other);
    nap_bed = NULL;
    other->held = gil_is_held(other->thread);
    if (other->held)
        gil_drop(other->thread);
    gil_thread_destroy(other->thread);
}

static void start(struct other *other, struct gil *gil, int (*work)(struct other *))
{
    other->gil = gil;
    other->work = work;
    other->got = 4711;
    other->result = -1;
    other->runner = runner_start(work_with_lock, other);
}

static void end(struct other *other, int expected, const char *call)
{
    runner_join(other->runner);
    must_return(expected, other->result, call);
    must(other->held, "%s has returned, and the thread does not hold the lock.", call);
}

static int read_it(struct other *other)
{
    return release_for_io_read(other->thread, other->fd, other->buffer, sizeof other->buffer, &other->got);
}

static int sleep_it(struct other *other)
{
    return release_for_io_sleep(other->thread, other->time_us);
}

static int receive_it(struct other *other)
{
    return release_for_io_receive(other->thread, other->inbox, other->fd, other->size, &other->got);
}

/* ---- call ------------------------------------------------------------------------------------------------------- */

struct blocking {
    struct gate inside, go;
    int leaves_errno;
};

static int block(void *argument)
{
    struct blocking *blocking = argument;

    gate_open(&blocking->inside);
    gate_pass(&blocking->go);
    errno = blocking->leaves_errno;
    return 42;
}

struct calling {
    struct other other; /* first: other's work gets its address */
    struct blocking blocking;
    int result, errno_after;
};

static int call_it(struct other *other)
{
    struct calling *calling = (struct calling *)other;

    errno = 0;
    int error = release_for_io_call(other->thread, block, &calling->blocking, &calling->result);
    calling->errno_after = errno;
    return error;
}

TEST(lock_is_free_meanwhile, "While the call blocks the lock is free; before and after it is held by the caller, and "
                             "the result is stored once it is held again.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct calling calling = {.result = -1, .blocking.leaves_errno = EDOM};

    start(&calling.other, gil, call_it);
    must_be_blocked(calling.other.runner,
                    "release_for_io_call returned %s, and the function that it was to call has "
                    "not returned.",
                    error_text(calling.other.result));
    gate_pass(&calling.blocking.inside);
    take(me); /* hangs where the lock is held */
    gate_open(&calling.blocking.go);
    must_be_blocked(calling.other.runner,
                    "The call is over, somebody else holds the lock, and release_for_io_call went "
                    "on without it.");
    must(calling.result == -1, "Somebody else holds the lock, and release_for_io_call has stored the result already.");
    must(gil_drop(me) == 0, "gil_drop of the holder returned an error.");
    end(&calling.other, 0, "release_for_io_call");
    must(calling.result == 42, "The function returned 42, and release_for_io_call stored %d.", calling.result);
    must(calling.errno_after == EDOM, "The function left EDOM in errno, and after release_for_io_call it was %s.",
         error_text(calling.errno_after));
    gil_thread_destroy(me);
    gil_destroy(gil);
}

static int count_me(void *argument)
{
    tally_add(argument, 1);
    return 0;
}

enum { LARGE = 1 << 20 }; /* bytes: room for so many lies elsewhere than room for a few */

TEST(not_without_the_lock, "Who does not hold the lock gets EPERM from every call, and nothing is done.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil), *holder = new_thread(gil);
    struct release_for_io_inbox *inbox = NULL;
    struct pipe_ends ends = new_pipe();
    struct tally calls = TALLY_ZERO;
    struct nap_bed bed = {0};
    char buffer[4] = "abc";
    int result = 9;
    size_t got = 9;

    must(release_for_io_inbox_create(&inbox) == 0, "release_for_io_inbox_create returned an error.");
    put(ends, "xyz");
    take(holder);
    must_return(0, release_for_io_receive(holder, inbox, ends.read, 1, &got), "release_for_io_receive");
    got = 9;
    const unsigned char *bytes = release_for_io_inbox_bytes(inbox);
    long before = tally_read(&reads);
    nap_bed = &bed;
    int errors[] = {release_for_io_call(me, count_me, &calls, &result), release_for_io_sleep(me, 1),
                    release_for_io_sleep(me, -1), release_for_io_read(me, ends.read, buffer, sizeof buffer, &got),
                    release_for_io_receive(me, inbox, ends.read, LARGE, &got)};
    nap_bed = NULL;
    long after = tally_read(&reads);
    must_return(EPERM, errors[0], "release_for_io_call without the lock");
    must_return(EPERM, errors[1], "release_for_io_sleep without the lock");
    must_return(EPERM, errors[2], "release_for_io_sleep of less than 0 without the lock");
    must_return(EPERM, errors[3], "release_for_io_read without the lock");
    must_return(EPERM, errors[4], "release_for_io_receive without the lock");
    must(tally_read(&calls) == 0 && tally_read(&bed.sleeps) == 0 && after == before && result == 9 && got == 9 &&
             strcmp(buffer, "abc") == 0,
         "Without the lock each call returned EPERM, as it should, but not before it had done something.");
    must(gil_is_held(holder), "A call of a thread without the lock took it away from its holder.");
    must(gil_drop(holder) == 0, "gil_drop of the holder returned an error.");
    must(
        release_for_io_inbox_bytes(inbox) == bytes && release_for_io_inbox_size(inbox) == 1,
        "Another thread holds the lock and looks at the inbox's bytes; release_for_io_receive returned EPERM, and they "
        "have moved.");
    release_for_io_inbox_destroy(inbox);
    close_pipe(ends);
    gil_thread_destroy(me);
    gil_thread_destroy(holder);
    gil_destroy(gil);
}

/* ---- sleep ------------------------------------------------------------------------------------------------------ */

static void meet(void *argument)
{
    crew_meet(argument);
}

TEST(sleepers_sleep_together, "N threads that sleep take the time of one: all of them sleep at the same time.")
{
    enum { SLEEPERS = 5 };
    struct gil *gil = new_gil();
    struct crew crew = CREW_OF(SLEEPERS);
    struct nap_bed beds[SLEEPERS];
    struct other sleepers[SLEEPERS];

    for (int i = 0; i < SLEEPERS; i++) {
        beds[i] = (struct nap_bed){.meanwhile = meet, .argument = &crew};
        sleepers[i] = (struct other){.time_us = 1000000, .bed = &beds[i]};
        start(&sleepers[i], gil, sleep_it);
    }
    for (int i = 0; i < SLEEPERS; i++)
        end(&sleepers[i], 0, "release_for_io_sleep"); /* hangs where one sleeps with the lock */
    gil_destroy(gil);
}

TEST(sleeps_long_enough, "A sleep lasts as long as it was told to, never less, also where a signal interrupts it.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct nap_bed bed = {.interrupts = 20}, ages = {0};

    take(me);
    int64_t began_us = now_us();
    int error = release_for_io_sleep(me, 20000);
    int64_t took_us = now_us() - began_us;
    must_return(0, error, "release_for_io_sleep");
    must(took_us >= 20000, "A sleep of 20000 µs was over after %lld.", (long long)took_us);
    nap_bed = &bed;
    error = release_for_io_sleep(me, 3600999999);
    nap_bed = NULL;
    must_return(0, error, "release_for_io_sleep that a signal has interrupted");
    must(tally_read(&bed.invalid) == 0, "A sleep was asked for with 1,000,000,000 nanoseconds or more, which is no "
                                        "valid time: it is refused, and the thread does not sleep.");
    must(tally_read(&bed.sleeps) == 1, "A signal interrupted the sleep, and the thread did not sleep on.");
    must(tally_read(&bed.time_us) > 3600999999 - 60000000 && tally_read(&bed.time_us) < 3600999999 + 1000000,
         "A sleep of an hour was one of %ld µs.", tally_read(&bed.time_us));
    must(tally_read(&bed.by_date) == 0, "The sleep ends at a moment of CLOCK_REALTIME: it gets shorter or longer where "
                                        "somebody sets that clock.");
    nap_bed = &ages;
    error = release_for_io_sleep(me, 10000000000000000);
    nap_bed = NULL;
    must_return(0, error, "release_for_io_sleep of 317 years");
    must(tally_read(&ages.time_us) > 10000000000000000 - 60000000,
         "A sleep of 10,000,000,000,000,000 µs was one of %ld.", tally_read(&ages.time_us));
    must(gil_is_held(me), "After release_for_io_sleep the thread does not hold the lock.");
    gil_drop(me);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(sleeps_for_what_is_left, "A sleep that a signal interrupts goes on for what is left of it: it is not begun anew.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct nap_bed bed = {.interrupts = 1, .halves = true};

    take(me);
    nap_bed = &bed;
    int error = release_for_io_sleep(me, 20000);
    nap_bed = NULL;
    must_return(0, error, "release_for_io_sleep that a signal has interrupted");
    must(tally_read(&bed.time_us) < 11000,
         "A signal interrupted a sleep of 20000 µs after 10000, and it went on for another %ld.",
         tally_read(&bed.time_us));
    gil_drop(me);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(no_time_to_sleep, "A sleep of 0 lets go of the lock and takes it again; one of less than 0 is EINVAL, and the "
                       "lock was not dropped for it.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct nap_bed bed = {0};
    struct other waiter = {.time_us = 0, .alarm.naps = 2};

    take(me);
    must_return(0, release_for_io_sleep(me, 0), "release_for_io_sleep of 0 µs");
    start(&waiter, gil, sleep_it);
    nap_ring(&waiter.alarm, 0);
    nap_ring(&waiter.alarm, 1); /* it has asked for the lock: whoever drops it now gives it away */
    uint64_t switches = gil_switches(gil);
    nap_bed = &bed;
    int one = release_for_io_sleep(me, -1), two = release_for_io_sleep(me, INT64_MIN);
    nap_bed = NULL;
    settle();
    must_return(EINVAL, one, "release_for_io_sleep of -1 µs");
    must_return(EINVAL, two, "release_for_io_sleep of INT64_MIN µs");
    must(tally_read(&bed.sleeps) == 0, "The time to sleep was below 0, and the thread slept all the same.");
    must(gil_is_held(me) && gil_switches(gil) == switches,
         "The time to sleep was below 0, and the lock was dropped for it.");
    must_return(0, release_for_io_sleep(me, 0), "release_for_io_sleep of 0 µs");
    must(gil_is_held(me) && gil_switches(gil) > switches,
         "Another thread had asked for the lock, and release_for_io_sleep of 0 µs did not let go of it.");
    gil_drop(me);
    end(&waiter, 0, "release_for_io_sleep");
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* ---- read ------------------------------------------------------------------------------------------------------- */

TEST(brings_what_is_there, "read calls read() once: it stores what is there, also if that is less than `size`, and 0 "
                           "where the other end was closed.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct pipe_ends ends = new_pipe();
    char buffer[8] = "........";
    size_t got = 99;

    take(me);
    put(ends, "hello");
    must_return(0, release_for_io_read(me, ends.read, buffer, 3, &got), "release_for_io_read");
    must(got == 3 && memcmp(buffer, "hel.", 4) == 0, "Of \"hello\" 3 bytes were asked for, and %zu came: \"%.4s\".",
         got, buffer);
    must_return(0, release_for_io_read(me, ends.read, buffer, sizeof buffer, &got), "release_for_io_read");
    must(got == 2 && memcmp(buffer, "lo", 2) == 0, "2 bytes were left of \"hello\", and %zu came.", got);
    close(ends.write);
    must_return(0, release_for_io_read(me, ends.read, buffer, sizeof buffer, &got), "release_for_io_read at the end");
    must(got == 0, "The other end was closed, and release_for_io_read says that %zu bytes came.", got);
    must(gil_is_held(me), "After release_for_io_read the thread does not hold the lock.");
    gil_drop(me);
    close(ends.read);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(readers_block_together, "While one thread waits in read, others hold the lock, and others wait in read as well.")
{
    enum { READERS = 3 };
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct pipe_ends ends[READERS];
    struct other readers[READERS] = {{0}};

    for (int i = 0; i < READERS; i++) {
        ends[i] = new_pipe();
        readers[i].fd = ends[i].read;
        start(&readers[i], gil, read_it);
        must_be_blocked(readers[i].runner, "Nothing is there to be read, and release_for_io_read returned %s.",
                        error_text(readers[i].result));
    }
    take(me); /* hangs where a reader holds the lock */
    for (int i = 0; i < READERS; i++)
        put(ends[i], "x");
    for (int i = 0; i < READERS; i++)
        must_be_blocked(readers[i].runner, "Something was read, somebody else holds the lock, and release_for_io_read "
                                           "went on without it.");
    for (int i = 0; i < READERS; i++)
        must(readers[i].got == 4711, "Somebody else holds the lock, and release_for_io_read has stored in *got already "
                                     "how many bytes came.");
    gil_drop(me);
    for (int i = 0; i < READERS; i++) {
        end(&readers[i], 0, "release_for_io_read");
        must(readers[i].got == 1 && readers[i].buffer[0] == 'x', "One byte was sent, and %zu came.", readers[i].got);
        close_pipe(ends[i]);
    }
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(interrupted_read, "A signal that interrupts the read does not end it; any other error does.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct pipe_ends ends = new_pipe();
    char buffer[4];
    size_t got = 0;

    take(me);
    put(ends, "abc");
    interrupts = 20;
    int error = release_for_io_read(me, ends.read, buffer, sizeof buffer, &got);
    must_return(0, error, "release_for_io_read that a signal has interrupted");
    must(got == 3, "After an interruption 3 bytes were there to be read, and %zu came.", got);
    put(ends, "def");
    interrupts = 1;
    failure = EAGAIN;
    error = release_for_io_read(me, ends.read, buffer, sizeof buffer, &got);
    must_return(EAGAIN, error,
                "release_for_io_read from a descriptor that does not block, where nothing is there yet,");
    gil_drop(me);
    close_pipe(ends);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(errors_of_the_call, "An error is that of read(), the lock is held after it, *got is as it was, and so is errno.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct release_for_io_inbox *inbox = NULL;
    char buffer[4];
    size_t got = 99;

    must(release_for_io_inbox_create(&inbox) == 0, "release_for_io_inbox_create returned an error.");
    take(me);
    errno = ERANGE;
    int error = release_for_io_read(me, -1, buffer, sizeof buffer, &got), errno_after = errno;
    must_return(EBADF, error, "release_for_io_read of descriptor -1");
    must(errno_after == ERANGE, "errno was ERANGE, and after release_for_io_read it was %s.", error_text(errno_after));
    must(gil_is_held(me) && got == 99, "release_for_io_read failed, and the lock is not held, or *got has changed.");
    errno = ERANGE;
    error = release_for_io_receive(me, inbox, -1, 10, &got), errno_after = errno;
    must_return(EBADF, error, "release_for_io_receive from descriptor -1");
    must(errno_after == ERANGE, "errno was ERANGE, and after release_for_io_receive it was %s.",
         error_text(errno_after));
    must(gil_is_held(me) && got == 99 && release_for_io_inbox_size(inbox) == 0,
         "release_for_io_receive failed, and the lock is not held, or *got or the inbox has changed.");
    errno = ERANGE;
    error = release_for_io_sleep(me, 1), errno_after = errno;
    must_return(0, error, "release_for_io_sleep");
    must(errno_after == ERANGE, "errno was ERANGE, and after release_for_io_sleep it was %s.", error_text(errno_after));
    gil_drop(me);
    release_for_io_inbox_destroy(inbox);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* ---- inbox ------------------------------------------------------------------------------------------------------ */

static struct release_for_io_inbox *new_inbox(void)
{
    struct release_for_io_inbox *inbox = NULL;
    int error = release_for_io_inbox_create(&inbox);

    must(error == 0 && inbox != NULL, "release_for_io_inbox_create returned %s.", error_text(error));
    return inbox;
}

static void must_hold(struct release_for_io_inbox *inbox, const char *expected)
{
    size_t size = release_for_io_inbox_size(inbox);

    must(size == strlen(expected), "The inbox should have %zu bytes, but it has %zu.", strlen(expected), size);
    must(size == 0 || memcmp(release_for_io_inbox_bytes(inbox), expected, size) == 0,
         "The inbox should have \"%s\", but it has \"%.*s\".", expected, (int)size,
         (const char *)release_for_io_inbox_bytes(inbox));
}

TEST(inbox_collects, "receive appends what came to the inbox, at most `size` bytes at a time.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct release_for_io_inbox *inbox = new_inbox();
    struct pipe_ends ends = new_pipe();
    size_t got = 99;

    take(me);
    must_hold(inbox, "");
    put(ends, "hello, world");
    must_return(0, release_for_io_receive(me, inbox, ends.read, 5, &got), "release_for_io_receive");
    must(got == 5, "Of \"hello, world\" 5 bytes were asked for, and %zu came.", got);
    must_hold(inbox, "hello");
    must_return(0, release_for_io_receive(me, inbox, ends.read, 100, &got), "release_for_io_receive");
    must(got == 7, "7 bytes were left, and %zu came.", got);
    must_hold(inbox, "hello, world");
    must_return(0, release_for_io_receive(me, inbox, ends.read, 0, &got), "release_for_io_receive of 0 bytes");
    must(got == 0, "0 bytes were asked for, and %zu came.", got);
    close(ends.write);
    got = 99;
    must_return(0, release_for_io_receive(me, inbox, ends.read, 10, &got), "release_for_io_receive at the end");
    must(got == 0, "The other end was closed, and release_for_io_receive says that %zu bytes came.", got);
    must_hold(inbox, "hello, world");
    must(gil_is_held(me), "After release_for_io_receive the thread does not hold the lock.");
    gil_drop(me);
    close(ends.read);
    release_for_io_inbox_destroy(inbox);
    release_for_io_inbox_destroy(NULL);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* One receiver waits; meanwhile the test's own thread receives as much as `filler`, which makes the inbox move. */
TEST(others_fill_it_meanwhile, "While one thread waits for bytes, others append to the same inbox, and its bytes may "
                               "move: nothing is lost, nothing "
                               "is overwritten, and what one call reads stays together.")
{
    enum { CHUNK = 4000, CHUNKS = 16 };
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct release_for_io_inbox *inbox = new_inbox();
    struct pipe_ends mine = new_pipe(), its = new_pipe();
    struct other other = {.inbox = inbox, .fd = its.read, .size = 8};
    char chunk[CHUNK + 1];
    size_t got = 0, short_reads = 0, wrong = 0;

    take(me);
    put(mine, "begin");
    must_return(0, release_for_io_receive(me, inbox, mine.read, 5, &got), "release_for_io_receive");
    start(&other, gil, receive_it);
    gil_drop(me);
    must_be_blocked(other.runner, "Nothing is there to be read, and release_for_io_receive returned %s.",
                    error_text(other.result));
    take(me); /* hangs where it waits with the lock */
    memset(chunk, 'm', CHUNK);
    chunk[CHUNK] = '\0';
    for (int i = 0; i < CHUNKS; i++) {
        put(mine, chunk);
        int error = release_for_io_receive(me, inbox, mine.read, CHUNK, &got);
        short_reads += error != 0 || got != CHUNK;
    }
    must(short_reads == 0, "%zu of 16 reads of 4000 bytes that were there brought fewer.", short_reads);
    put(its, "OTHER");
    must_be_blocked(other.runner,
                    "Something was read, somebody else holds the lock, and release_for_io_receive went on "
                    "without it.");
    must(release_for_io_inbox_size(inbox) == 5 + CHUNK * CHUNKS, "A thread appended to the inbox without the lock.");
    gil_drop(me);
    end(&other, 0, "release_for_io_receive");
    take(me);
    size_t size = release_for_io_inbox_size(inbox);
    must(size == 5 + CHUNK * CHUNKS + 5, "The inbox should have 64010 bytes, but it has %zu.", size);
    const unsigned char *bytes = release_for_io_inbox_bytes(inbox);
    for (size_t i = 5; i < 5 + CHUNK * CHUNKS; i++)
        wrong += bytes[i] != 'm';
    must(memcmp(bytes, "begin", 5) == 0 && wrong == 0 && memcmp(bytes + size - 5, "OTHER", 5) == 0,
         "What is in the inbox is not what was received, in the order in which it was received.");
    gil_drop(me);
    close_pipe(mine);
    close_pipe(its);
    release_for_io_inbox_destroy(inbox);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

TEST(no_memory_reads_nothing, "A call that there is no memory for is ENOMEM, reads nothing, and changes nothing, errno "
                              "neither: malloc and realloc set it when they fail.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct release_for_io_inbox *inbox = new_inbox(), *none = NULL;
    struct pipe_ends ends = new_pipe();
    size_t got = 99;

    wrap_fail_memory(-1);
    must_return(ENOMEM, release_for_io_inbox_create(&none), "Without memory, release_for_io_inbox_create");
    wrap_fail_memory(0);
    take(me);
    put(ends, "abc");
    must_return(0, release_for_io_receive(me, inbox, ends.read, 1, &got), "release_for_io_receive");
    long before = tally_read(&reads);
    must_return(ENOMEM, release_for_io_receive(me, inbox, ends.read, SIZE_MAX, &got),
                "release_for_io_receive of SIZE_MAX bytes");
    must_return(ENOMEM, release_for_io_receive(me, inbox, ends.read, SIZE_MAX / 2, &got),
                "release_for_io_receive of SIZE_MAX / 2 bytes");
    wrap_fail_memory(-1);
    errno = ERANGE;
    int error = release_for_io_receive(me, inbox, ends.read, 100000, &got), errno_after = errno;
    wrap_fail_memory(0);
    must_return(ENOMEM, error, "Without memory, release_for_io_receive of 100000 bytes");
    must(errno_after == ERANGE, "errno was ERANGE, and after release_for_io_receive without memory it was %s.",
         error_text(errno_after));
    must(tally_read(&reads) == before, "There was no memory, and release_for_io_receive read all the same.");
    must(got == 1 && gil_is_held(me), "release_for_io_receive failed, and *got has changed, or the lock is not held.");
    must_hold(inbox, "a");
    must_return(0, release_for_io_receive(me, inbox, ends.read, 10, &got), "release_for_io_receive");
    must_hold(inbox, "abc");
    gil_drop(me);
    close_pipe(ends);
    release_for_io_inbox_destroy(inbox);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* Makes the nth call of `what` fail in a receive of one byte, then receives one for certain. Returns whether all was as
 * it should be. */
static bool survives(struct gil_thread *me, int fd, enum wrap_call what, long nth)
{
    struct release_for_io_inbox *inbox = NULL;
    size_t got = 0;

    if (release_for_io_inbox_create(&inbox) != 0)
        return false;
    long reads_before = tally_read(&reads);
    wrap_fail(what, nth, ENOMEM);
    int error = release_for_io_receive(me, inbox, fd, 1, &got);
    wrap_fail(what, 0, 0);
    bool well = error == 0 ? got == 1 : error == ENOMEM && tally_read(&reads) == reads_before;
    size_t size = release_for_io_inbox_size(inbox);
    well = well && size == (error == 0) && gil_is_held(me);
    well = well && release_for_io_receive(me, inbox, fd, 1, &got) == 0 && got == 1;
    well = well && release_for_io_inbox_size(inbox) == size + 1;
    release_for_io_inbox_destroy(inbox);
    return well;
}

TEST(every_allocation_may_fail, "Whichever allocation fails: ENOMEM, nothing is read, and the next call works again.")
{
    static const enum wrap_call calls[] = {WRAP_malloc, WRAP_calloc, WRAP_realloc};
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct pipe_ends ends = new_pipe();
    int wrong = 0;

    take(me);
    put(ends, "0123456789012345678901234567890123456789");
    for (int call = 0; call < 3; call++)
        for (long nth = 1; nth <= 3; nth++)
            wrong += !survives(me, ends.read, calls[call], nth);
    must(wrong == 0, "An allocation failed: something was read and lost, or the next call did not work.");
    gil_drop(me);
    close_pipe(ends);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(no_memory_moves_nothing,
     "Where there is no memory, the inbox's bytes stay where they are: the lock was not dropped.")
{
    static const enum wrap_call calls[] = {WRAP_malloc, WRAP_calloc, WRAP_realloc};
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct pipe_ends ends = new_pipe();
    size_t got = 0;

    take(me);
    put(ends, "0123456789012345678901234567890123456789");
    for (int call = 0; call < 3; call++)
        for (long nth = 1; nth <= 3; nth++) {
            struct release_for_io_inbox *inbox = new_inbox();
            must_return(0, release_for_io_receive(me, inbox, ends.read, 1, &got), "release_for_io_receive");
            const unsigned char *bytes = release_for_io_inbox_bytes(inbox);
            wrap_fail(calls[call], nth, ENOMEM);
            int error = release_for_io_receive(me, inbox, ends.read, LARGE, &got);
            wrap_fail(calls[call], 0, 0);
            must(error == 0 || release_for_io_inbox_bytes(inbox) == bytes,
                 "release_for_io_receive returned %s, and the bytes in the inbox have moved.", error_text(error));
            if (error == 0) /* it needed no such allocation, and has taken all there was */
                put(ends, "0123456789012345678901234567890123456789");
            release_for_io_inbox_destroy(inbox);
        }
    gil_drop(me);
    close_pipe(ends);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(nothing_asked_for, "A receive of 0 bytes brings none, also where nothing has come yet.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct release_for_io_inbox *inbox = new_inbox();
    struct pipe_ends ends = new_pipe();
    size_t got = 99;

    take(me);
    put(ends, "x");
    must_return(0, release_for_io_receive(me, inbox, ends.read, 0, &got), "release_for_io_receive of 0 bytes");
    must(got == 0 && release_for_io_inbox_size(inbox) == 0, "0 bytes were asked for, and %zu came.", got);
    gil_drop(me);
    close_pipe(ends);
    release_for_io_inbox_destroy(inbox);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

/* The read itself takes the memory away: what it has read must find its place without. */
TEST(what_was_read_is_kept, "What was read is never lost: also where there is no memory any more once it has come.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct release_for_io_inbox *inbox = new_inbox();
    struct pipe_ends one = new_pipe(), two = new_pipe();
    struct other first = {.inbox = inbox, .fd = one.read, .size = 3000};
    struct other second = {.inbox = inbox, .fd = two.read, .size = 3000};
    char chunk[3001];

    memset(chunk, 'c', 3000);
    chunk[3000] = '\0';
    start(&first, gil, receive_it);
    must_be_blocked(first.runner, "Nothing is there to be read, and release_for_io_receive returned.");
    start(&second, gil, receive_it);
    must_be_blocked(second.runner, "Nothing is there to be read, and release_for_io_receive returned.");
    wrap_fail_memory(-1);
    put(one, chunk);
    put(two, chunk);
    runner_join(first.runner);
    runner_join(second.runner);
    wrap_fail_memory(0);
    must_return(0, first.result, "Two threads waited for bytes; then there was no memory; release_for_io_receive");
    must_return(0, second.result, "Two threads waited for bytes; then there was no memory; release_for_io_receive");
    take(me);
    must(release_for_io_inbox_size(inbox) == 6000, "Two threads received 3000 bytes each, and the inbox has %zu.",
         release_for_io_inbox_size(inbox));
    gil_drop(me);
    close_pipe(one);
    close_pipe(two);
    release_for_io_inbox_destroy(inbox);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(reservations_end, "Room is reserved for a call in progress, and not for one that has ended, however it ended.")
{
    enum { BIG = 32 << 20, CALLS = 40 }; /* the process may have 512 MB */
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct release_for_io_inbox *inbox = new_inbox();
    struct pipe_ends ends = new_pipe();
    int failed = 0, short_of_memory = 0;
    size_t got = 0;

    take(me);
    for (int i = 0; i < CALLS; i++)
        failed += release_for_io_receive(me, inbox, -1, BIG, &got) != EBADF;
    must(failed == 0, "40 reads of 32 MB failed, one after the other, and %d of the calls had no memory.", failed);
    for (int i = 0; i < CALLS; i++) {
        wrap_fail(WRAP_malloc, 1, ENOMEM);
        release_for_io_receive(me, inbox, -1, BIG, &got);
    }
    wrap_fail(WRAP_malloc, 0, 0);
    for (int i = 0; i < CALLS; i++) {
        put(ends, "x");
        short_of_memory += release_for_io_receive(me, inbox, ends.read, BIG, &got) != 0;
    }
    must(short_of_memory == 0,
         "Reads of up to 32 MB brought one byte each, and after some of them there was no memory.");
    must(release_for_io_inbox_size(inbox) == CALLS, "40 bytes came, and the inbox has %zu.",
         release_for_io_inbox_size(inbox));
    gil_drop(me);
    release_for_io_inbox_destroy(inbox);
    close_pipe(ends);
    gil_thread_destroy(me);
    gil_destroy(gil);
}

TEST(nothing_left_behind, "Each call frees what it needed for itself, also where it failed.")
{
    struct gil *gil = new_gil();
    struct gil_thread *me = new_thread(gil);
    struct release_for_io_inbox *inbox = new_inbox();
    struct pipe_ends ends = new_pipe();
    size_t got;

    take(me);
    put(ends, "0123456789");
    must_return(0, release_for_io_receive(me, inbox, ends.read, 1, &got), "release_for_io_receive");
    long held = wrap_memory_kept();
    for (int i = 0; i < 3; i++)
        release_for_io_receive(me, inbox, -1, 1, &got);
    must(wrap_memory_kept() <= held, "release_for_io_receive failed three times, and kept memory each time.");
    release_for_io_sleep(me, 1);
    must(wrap_memory_kept() <= held, "release_for_io_sleep kept memory.");
    gil_drop(me);
    release_for_io_inbox_destroy(inbox);
    close_pipe(ends);
    gil_thread_destroy(me);
    gil_destroy(gil);
}
