/* tests_run.h - runs a tests program under watch: what hangs is proved to, what crashes is read, and the rest goes on.
 *
 * Theory of operation: child_run() starts the program and calls the watch every 20 ms. The watch reads on in the
 * report; where a test's process waits in the crash handler, or will never run again (stillness.h), or has used far
 * more processor time or time than the reference does for the same test here and now, it reads the stacks and kills
 * that process. Criterion's runner then sees a crash and goes on with the next test. After two that hang there is no
 * more to learn, and all is ended. The reference is asked only where a test is slow: a run of that one test beside the
 * student's.
 */
#ifndef GRADE_TESTS_RUN_H
#define GRADE_TESTS_RUN_H

#include "hang.h"
#include "tests_report.h"
#include "toolchain.h"

enum stuck {
    STUCK_NOT,
    STUCK_PROVED,   /* nobody of it will ever run again */
    STUCK_SPINNING, /* over the limit of processor time */
    STUCK_STALLED,  /* over the limit of time, though it could have run */
    STUCK_STARVED,  /* over the limit of time, and mostly for want of a processor: nobody's fault */
};

/* What the watch saw of one test. */
struct test_sight {
    const struct test_record *test;
    enum stuck stuck;
    double used_s;      /* processor time, or time, when it was ended */
    double limit_s;     /* that it was over; 0: proved */
    double reference_s; /* what the reference took just now */
    struct hang hang;   /* of one that is stuck */
    bool crashed;
    struct trace crash; /* of the thread that crashed; empty where it could not be read */
};

struct tests_run {
    struct tests_report report;
    struct child_result child;
    struct test_sight *sights; /* of tests that hung or crashed */
    size_t sight_count;
    size_t stuck_count;
    bool stuck_outside; /* it was proved that nothing goes on, but in no test */
};

/* Runs a student's program. `reference` is the reference's tests program. All belongs to `context`; the caller ends
 * with tests_run_close(). Whatever the program does is a result; -1 with a fault where it could not be run. */
int tests_run(void *context, const struct workshop *shop, const char *program, const char *reference,
              struct tests_run *run, struct fault *fault);

/* Runs the reference's program: all tests, or the one named `only`. No watch: it is trusted. */
int tests_run_trusted(void *context, const char *program, const char *only, struct tests_run *run, struct fault *fault);

void tests_run_close(struct tests_run *run);

/* What was seen of this test, or NULL. */
const struct test_sight *tests_run_sight(const struct tests_run *run, const struct test_record *test);

#endif
