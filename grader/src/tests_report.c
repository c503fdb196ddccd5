/* tests_report.c - see tests_report.h. */
#include "tests_report.h"

#include "memory.h"
#include "trace.h"

#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

/* ---- the memory files -------------------------------------------------------------------------------------------- */

int tests_report_open(void *context, struct tests_report *report, struct fault *fault)
{
    *report = (struct tests_report){.context = context};
    if (report_channel_open(&report->channel, fault) != 0)
        return -1;
    report->events_fd = memfd_create("events", MFD_CLOEXEC);
    if (report->events_fd < 0) {
        (void)fault_errno(fault, "cannot make a memory file for the tests' events");
        report_channel_close(&report->channel);
        return -1;
    }
    report->tests = memory_zeroed(context, TESTS_MAX, sizeof *report->tests);
    return 0;
}

void tests_report_close(struct tests_report *report)
{
    report_channel_close(&report->channel);
    if (report->events_fd >= 0)
        (void)close(report->events_fd);
    report->events_fd = -1;
}

/* ---- the runner's lines ------------------------------------------------------------------------------------------ */

struct test_record *tests_report_find(const struct tests_report *report, const char *name)
{
    for (size_t i = 0; name != NULL && i < report->count; i++)
        if (strcmp(report->tests[i].name, name) == 0)
            return &report->tests[i];
    return NULL;
}

static const char *text_of(const struct tests_report *report, const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));

    return memory_text(report->context, text == NULL ? "" : text);
}

static int number_of(const json_t *line, const char *name)
{
    return (int)json_integer_value(json_object_get(line, name));
}

static struct test_record *test_of(const struct tests_report *report, const json_t *line)
{
    return tests_report_find(report, json_string_value(json_object_get(line, "test")));
}

static void take_list(struct tests_report *report, const json_t *line)
{
    if (report->count == TESTS_MAX)
        return;
    report->tests[report->count++] = (struct test_record){.name = text_of(report, line, "test"),
                                                          .promise = text_of(report, line, "promise"),
                                                          .file = trace_base_name(text_of(report, line, "file")),
                                                          .line = number_of(line, "line")};
}

static void take_begin(struct tests_report *report, const json_t *line)
{
    report->current = test_of(report, line);
    if (report->current != NULL)
        report->current->begun = true;
}

static void take_assert(struct tests_report *report, const json_t *line)
{
    struct test_record *test = report->current;

    if (test == NULL || test->failed_message != NULL)
        return;
    test->failed_file = text_of(report, line, "file");
    test->failed_line = number_of(line, "line");
    test->failed_message = text_of(report, line, "message");
}

/* "KEY TEST": the test came to its end. */
static void take_mark(struct tests_report *report, const json_t *line)
{
    const char *message = json_string_value(json_object_get(line, "message"));
    size_t length = strlen(report->channel.secret);

    if (report->current != NULL && message != NULL && strncmp(message, report->channel.secret, length) == 0 &&
        message[length] == ' ' && strcmp(message + length + 1, report->current->name) == 0)
        report->current->reached_end = true;
}

static void take_end(struct tests_report *report, const json_t *line)
{
    struct test_record *test = test_of(report, line);
    const char *status = json_string_value(json_object_get(line, "status"));

    if (test == NULL || test->ended)
        return;
    test->ended = true;
    test->passed = status != NULL && strcmp(status, "passed") == 0;
    test->assertions = number_of(line, "passed");
    test->signal = number_of(line, "signal");
    test->exit_status = number_of(line, "exit");
    if (report->current == test)
        report->current = NULL;
}

static void take_done(struct tests_report *report, const json_t *line)
{
    report->done = report_channel_signed(&report->channel, line);
}

/* ---- the tests' own lines ---------------------------------------------------------------------------------------- */

static void take_enter(struct tests_report *report, const json_t *line)
{
    struct test_record *test = test_of(report, line);
    const json_t *threads = json_object_get(line, "threads");

    if (test == NULL || test->pid != 0)
        return;
    test->pid = number_of(line, "pid");
    report->entered = test;
    for (size_t i = 0; i < json_array_size(threads) && test->harness_count < HARNESS_THREADS_MAX; i++)
        test->harness[test->harness_count++] = (pid_t)json_integer_value(json_array_get(threads, i));
}

static void take_crash(struct tests_report *report, const json_t *line)
{
    pid_t pid = number_of(line, "pid");

    for (size_t i = 0; i < report->count; i++) {
        struct test_record *test = &report->tests[i];
        if (test->pid == 0 || test->pid != pid || test->crashed_tid != 0)
            continue;
        test->crashed_tid = number_of(line, "tid");
        test->crash_signal = number_of(line, "signal");
        test->crash_address = (unsigned long long)json_integer_value(json_object_get(line, "address"));
        test->null_call = number_of(line, "null_call") != 0;
    }
}

/* ---- reading on -------------------------------------------------------------------------------------------------- */

struct line_kind {
    const char *event;
    void (*take)(struct tests_report *report, const json_t *line);
};

static const struct line_kind report_kinds[] = {{"list", take_list}, {"begin", take_begin}, {"assert", take_assert},
                                                {"mark", take_mark}, {"end", take_end},     {"done", take_done},
                                                {NULL, NULL}};

static const struct line_kind event_kinds[] = {{"enter", take_enter}, {"crash", take_crash}, {NULL, NULL}};

static void take_line(struct tests_report *report, const struct line_kind *kinds, const char *text, size_t size)
{
    json_t *line = json_loadb(text, size, 0, NULL);
    const char *event = json_string_value(json_object_get(line, "event"));

    for (; event != NULL && kinds->event != NULL; kinds++)
        if (strcmp(kinds->event, event) == 0)
            kinds->take(report, line);
    json_decref(line);
}

/* Takes the whole lines from `*at` on in, and moves `*at` behind them. */
static void read_on(struct tests_report *report, int fd, off_t *at, const struct line_kind *kinds)
{
    char chunk[CHUNK];

    for (;;) {
        ssize_t got = pread(fd, chunk, sizeof chunk, *at);
        if (got <= 0)
            return;
        size_t taken = 0;
        for (char *end; (end = memchr(chunk + taken, '\n', (size_t)got - taken)) != NULL;) {
            take_line(report, kinds, chunk + taken, (size_t)(end - chunk) - taken);
            taken = (size_t)(end - chunk) + 1;
        }
        if (taken == 0 && got == CHUNK)
            taken = CHUNK; /* no line of ours is that long */
        if (taken == 0)
            return;
        *at += (off_t)taken;
    }
}

void tests_report_read(struct tests_report *report)
{
    read_on(report, report->channel.report, &report->report_at, report_kinds);
    read_on(report, report->events_fd, &report->events_at, event_kinds);
}

/* ---- what it printed --------------------------------------------------------------------------------------------- */

char *tests_report_output(void *context, const struct tests_report *report, const char *test, const char *output,
                          size_t size)
{
    char *start_mark = memory_format(context, "\001%s %s\n", report->channel.secret, test);
    char *any_mark = memory_format(context, "\001%s ", report->channel.secret);
    const char *begin = memmem(output, size, start_mark, strlen(start_mark));

    if (begin == NULL)
        return memory_text(context, "");
    begin += strlen(start_mark);
    size_t left = size - (size_t)(begin - output);
    const char *end = memmem(begin, left, any_mark, strlen(any_mark));
    return memory_text_n(context, begin, end == NULL ? left : (size_t)(end - begin));
}
