/* check.h - what tests.c is written with: Criterion, and what deterministic tests of concurrent code need.
 *
 *     #include "check.h"
 *     #include "rlock.h"
 *
 *     TEST(release_by_another_thread, "Only the thread that owns the lock may release it: anyone else gets EPERM.")
 *     {
 *         struct rlock *lock;
 *         must(rlock_create(&lock) == 0, "rlock_create returned an error");
 *         …
 *     }
 *
 * Every test runs in a process of its own. A test never sleeps and never reads a clock to decide: it uses gates
 * (gate.h), settle(), and wrap.h. A test that hangs is the student's failure: the grader proves the deadlock from
 * outside and shows where each thread stands, so a test may simply join.
 * How many assertions a test makes must not depend on the schedule: the grader compares it with the reference's count.
 */
#ifndef HARNESS_CHECK_H
#define HARNESS_CHECK_H

#include "gate.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>

/* Defines a test. `promise` is the sentence of the contract that it checks, as a teacher would say it to the student
 * who broke it; it becomes the finding's "why". */
#define TEST(test_name, promise)                                                                                       \
    static void check_body_##test_name(void);                                                                          \
    Test(tests, test_name, .description = (promise))                                                                   \
    {                                                                                                                  \
        check_begin();                                                                                                 \
        check_body_##test_name();                                                                                      \
        check_end();                                                                                                   \
    }                                                                                                                  \
    static void check_body_##test_name(void)

/* One assertion, with printf's format for what a student reads where it fails: a whole sentence that says what was
 * expected and what came. From the test's own thread only; a thread that was started keeps its results for the test. */
#define must(condition, ...) ((condition) ? check_passed() : check_failed(__FILE__, __LINE__, __VA_ARGS__))

/* An error number as students know it, for a message: "ETIMEDOUT (110)"; "0"; "1234" where it has no name. Four live at
 * once. From the test's own thread only. */
const char *error_text(int error);

/* Asserts that a call returned this error number, or 0; `call` says which call, as the beginning of a sentence. A
 * macro, so that the finding names the line of the call. Evaluates each argument once. */
#define must_return(expected, got, call)                                                                               \
    do {                                                                                                               \
        const int must_expected_ = (expected), must_got_ = (got);                                                      \
        must(must_got_ == must_expected_, "%s should return %s, but it returned %s.", (call),                          \
             error_text(must_expected_), error_text(must_got_));                                                       \
    } while (0)

/* A thread of the test's own, whose state can be asked for. */
struct runner;

/* Starts `body(argument)` in a new thread. Ends the test where that is impossible. The test owns the runner until
 * runner_join. */
struct runner *runner_start(void (*body)(void *), void *argument);

/* Blocks until the body has returned; frees the runner. */
void runner_join(struct runner *runner);

enum runner_state {
    RUNNER_BLOCKED, /* sleeps in the kernel: waits for a lock, a condition, a gate, a time */
    RUNNER_DONE,    /* its body has returned */
    RUNNER_BUSY,    /* still runs or polls although everyone else is at rest: it busy-waits */
};

/* Blocks until the dust has settled: every other thread of this process is blocked or done, twice in a row with no
 * switch in between, so that nothing will change until the caller does something (or a timed wait ends).
 * Gives up on a thread that keeps running (200 ms of its own processor time) or polls (500 wake-ups), and returns
 * false; true otherwise. Depends on no clock but the threads' own processor time: a loaded machine only makes it
 * slower. */
bool settle(void);

/* settle(), then where this runner stands. */
enum runner_state runner_state(struct runner *runner);

/* Assertions: after settle() the runner is blocked / done. `...` is printf's format, as in must(). */
#define must_be_blocked(runner, ...) must(runner_state(runner) == RUNNER_BLOCKED, __VA_ARGS__)
#define must_be_done(runner, ...) must(runner_state(runner) == RUNNER_DONE, __VA_ARGS__)

/* How many threads this process has beyond those it had when the test began. Ask after settle(). */
int extra_threads(void);

/* How many descriptors this process has open beyond those it had when the test began. */
int extra_descriptors(void);

/* Monotonic time in microseconds, for checking that a timed wait did not return early. Never check that it returned
 * soon enough: a loaded machine may make anything late. */
int64_t now_us(void);

/* TEST's own. */
void check_begin(void);
void check_end(void);

/* must's own: an assertion of Criterion's that held, and one that did not, which ends the test. Criterion's own macros
 * write all of that out at each place, which takes the compiler three times as long. */
void check_passed(void);
void check_failed(const char *file, int line, const char *format, ...) __attribute__((noreturn, format(printf, 3, 4)));

#endif
