/* tests_report.h - what the tests program reports (harness/report.h), read while it runs.
 *
 * Theory: the report and the events are memory files that the grader holds; the program appends, we read on from where
 * we were. Two files, because only the runner, which runs no line of the student's, can write to the first; what comes
 * over the second is believed only where it costs the student points or where it can be checked.
 */
#ifndef GRADE_TESTS_REPORT_H
#define GRADE_TESTS_REPORT_H

#include "fault.h"
#include "report_channel.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { TESTS_MAX = 512, HARNESS_THREADS_MAX = 16 };

/* One test, as far as it has come. */
struct test_record {
    const char *name;
    const char *promise;
    const char *file; /* where its TEST stands: tests.c, or a header that it includes */
    int line;
    bool begun;
    bool ended;
    bool reached_end; /* check_end() said so, with the key */
    bool passed;      /* Criterion's own word */
    int assertions;   /* that passed */
    int signal;       /* that ended its process; 0: none */
    int exit_status;
    const char *failed_file; /* the first assertion that failed; NULL: none */
    int failed_line;
    const char *failed_message;

    pid_t pid; /* of its process, once it has entered; 0: not yet */
    pid_t harness[HARNESS_THREADS_MAX];
    size_t harness_count;
    pid_t crashed_tid; /* a thread of it waits in the crash handler; 0: none */
    int crash_signal;
    unsigned long long crash_address;
    bool null_call; /* it called a function by a pointer that is NULL */
};

struct tests_report {
    void *context;
    struct report_channel channel; /* written by the runner */
    int events_fd;                 /* written by the tests' own processes */
    off_t report_at, events_at;
    struct test_record *tests; /* in the order in which they were listed */
    size_t count;
    struct test_record *current; /* begun and not ended, or NULL */
    struct test_record *entered; /* the last whose process has said which one it is, or NULL; it may outlive its test */
    bool done;                   /* the last line came, with the key */
};

/* Makes the memory files and a new key. */
int tests_report_open(void *context, struct tests_report *report, struct fault *fault);
void tests_report_close(struct tests_report *report);

/* Takes in what has been written since the last call. Does not block. */
void tests_report_read(struct tests_report *report);

/* The test of that name, or NULL. */
struct test_record *tests_report_find(const struct tests_report *report, const char *name);

/* The part of what the program printed that belongs to this test, in `context`; "" where it printed nothing. */
char *tests_report_output(void *context, const struct tests_report *report, const char *test, const char *output,
                          size_t size);

#endif
