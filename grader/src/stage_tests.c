/* stage_tests.c - what it must do: the exercise's tests, each in a process of its own.
 *
 * Theory: nothing that happens in the student's process is believed by itself. A test counts as passed where
 * Criterion's runner says so, and its end was reached with this run's key, and it made as many assertions as the
 * reference does, and nothing was seen of it that speaks against it. tests_run.h runs the program and watches it; here
 * its report is held against the list of what the reference did, in the order of tests.c and of the headers it shares
 * with others, and each test that did not pass becomes a finding.
 */
#include "memory.h"
#include "places.h"
#include "source.h"
#include "stage.h"
#include "tests_expected.h"
#include "tests_run.h"
#include "text.h"

#include <signal.h>
#include <string.h>

enum { OUTPUT_LINES = 20, CRASH_PLACES = 4 };

struct judging {
    void *context;
    struct workshop *shop;
    struct stage_result *result;
    const struct tests_run *run;
    const struct expected_test *expected;
    const struct test_record *record; /* NULL: the program did not list it */
    const struct test_sight *sight;   /* or NULL */
};

/* ---- parts of a finding ------------------------------------------------------------------------------------------ */

/* A finding about this test, with its promise and what the student's code printed in it. */
static struct finding *add_finding(struct judging *judging, const char *what)
{
    void *context = judging->context;
    const struct child_result *child = &judging->run->child;
    struct finding *finding = finding_add(context, judging->result, SEVERITY_FAILURE, what);
    char *printed =
        tests_report_output(context, &judging->run->report, judging->expected->name, child->out, child->out_size);

    finding->why = judging->expected->promise;
    if (printed[0] != '\0')
        finding->detail = text_first_lines(context, text_clean(context, printed, true), OUTPUT_LINES);
    return finding;
}

static void add_place(struct judging *judging, struct finding *finding, const char *file, int line, const char *note)
{
    const char *path = places_path(judging->context, judging->shop, file);
    struct place *place = finding_place(judging->context, finding, file, line);

    place->excerpt = path == NULL ? NULL : source_line(judging->context, path, line);
    place->note = note;
}

/* Where the test stands, for findings that have no line of their own. */
static void add_test_place(struct judging *judging, struct finding *finding)
{
    add_place(judging, finding, judging->expected->file, judging->expected->line, NULL);
}

/* ---- the ways not to pass ---------------------------------------------------------------------------------------- */

static void tell_assertion(struct judging *judging)
{
    const struct test_record *record = judging->record;
    struct finding *finding = add_finding(judging, record->failed_message);

    add_place(judging, finding, trace_base_name(record->failed_file), record->failed_line,
              memory_format(judging->context, "test %s", record->name));
}

/* Why it was ended, without whose fault that is. */
static const char *stuck_words(struct judging *judging)
{
    void *context = judging->context;
    const struct test_sight *sight = judging->sight;
    const char *name = judging->expected->name;

    if (sight->stuck == STUCK_PROVED)
        return memory_format(context, "Test %s never ends: every thread of it waits, and nobody is left to wake one.",
                             name);
    if (sight->stuck == STUCK_SPINNING)
        return memory_format(context,
                             "Test %s did not end: it was stopped after %.1f s of processor time (the reference took "
                             "%.2f s just now; the limit is 40 times that, at least 1 s).",
                             name, sight->used_s, sight->reference_s);
    return memory_format(
        context,
        "Test %s did not end in %.0f s (the reference took %.2f s just now; the limit is 40 times that, "
        "at least 10 s).",
        name, sight->used_s, sight->reference_s);
}

static void tell_stuck(struct judging *judging)
{
    void *context = judging->context;
    struct finding *finding = add_finding(judging, stuck_words(judging));
    const char *diagnosis = hang_diagnosis(context, &judging->sight->hang);

    if (diagnosis != NULL)
        finding->why = memory_format(context, "%s The promise: %s", diagnosis, judging->expected->promise);
    hang_places(context, judging->shop, &judging->sight->hang, finding);
    if (finding->place_count == 0)
        add_test_place(judging, finding);
}

static const char *signal_words(void *context, int number, const unsigned long long *address, bool null_call)
{
    if (null_call)
        return "called a function by a pointer that is NULL";
    if ((number == SIGSEGV || number == SIGBUS) && address != NULL && *address < 4096)
        return "used a pointer that is NULL, or nearly";
    switch (number) {
    case SIGSEGV:
    case SIGBUS:
        return "touched memory that is not its own";
    case SIGABRT:
        return "was aborted: an assert that does not hold, or the C library found its memory spoiled";
    case SIGFPE:
        return "divided by zero, or the like";
    case SIGILL:
        return "came to an instruction that is none";
    case SIGKILL:
        return "was killed";
    default:
        return memory_format(context, "got a signal that ends a program");
    }
}

/* The line that was added last: what a macro makes of one line may be several calls. */
static bool is_shown(const struct finding *finding, const struct frame *frame)
{
    const struct place *last = finding->place_count == 0 ? NULL : &finding->places[finding->place_count - 1];

    return last != NULL && last->line == frame->line && strcmp(last->file, frame->file) == 0;
}

/* The frames of the student's on the stack of a crash, innermost first; then the test's. */
static void add_crash_places(struct judging *judging, struct finding *finding)
{
    const struct trace *trace = &judging->sight->crash;
    int added = 0;

    for (size_t i = 0; i < trace->count && added < CRASH_PLACES; i++) {
        const struct frame *frame = &trace->frames[i];
        if (frame->line <= 0 || places_path(judging->context, judging->shop, frame->file) == NULL ||
            is_shown(finding, frame))
            continue;
        const char *note = added == 0 ? "here" : "called from here";
        add_place(judging, finding, frame->file, frame->line, note);
        added++;
    }
}

/* The C library gave up in one of its own functions for memory: it has found the heap spoiled, and the line that did it
 * ran before. */
static bool is_heap_spoiled(const struct test_sight *sight, int number)
{
    static const char *const functions[] = {"malloc", "calloc", "realloc", "free"};
    static const char prefix[] = "__libc_"; /* the same functions under their other names */

    if (sight == NULL || number != SIGABRT)
        return false;
    for (size_t i = 0; i < sight->crash.count; i++) {
        const char *name = sight->crash.frames[i].function;

        if (name != NULL && strncmp(name, prefix, sizeof prefix - 1) == 0)
            name += sizeof prefix - 1;
        for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
            if (name != NULL && strcmp(name, functions[k]) == 0)
                return true;
    }
    return false;
}

static void tell_crash(struct judging *judging, int number, const unsigned long long *address, bool null_call)
{
    void *context = judging->context;
    const char *what =
        memory_format(context, "Test %s crashed: the program %s (signal %d, %s).", judging->expected->name,
                      signal_words(context, number, address, null_call), number, strsignal(number));
    struct finding *finding = add_finding(judging, what);

    if (null_call)
        finding->why = memory_format(context, "What may be NULL is tested before it is called. The promise: %s",
                                     judging->expected->promise);
    else if (is_heap_spoiled(judging->sight, number))
        finding->why =
            memory_format(context,
                          "The line that spoiled it ran earlier: it wrote beyond a block, or to one that was "
                          "freed, or freed one twice. This finds it: make grade EX=%s STAGES=memory",
                          judging->shop->exercise->name);
    if (judging->sight != NULL)
        add_crash_places(judging, finding);
    if (finding->place_count == 0)
        add_test_place(judging, finding);
}

static void tell_early_end(struct judging *judging)
{
    void *context = judging->context;
    struct finding *finding =
        add_finding(judging, memory_format(context, "The program ended before test %s did (exit status %d).",
                                           judging->expected->name, judging->record->exit_status));

    finding->why = memory_format(context,
                                 "Whatever ends the program, or leaves the test, takes the answer with it. The "
                                 "promise: %s",
                                 judging->expected->promise);
    add_test_place(judging, finding);
}

static void tell_count(struct judging *judging)
{
    struct finding *finding = add_finding(judging, memory_format(judging->context, "Test %s made %d of its %d checks.",
                                                                 judging->expected->name, judging->record->assertions,
                                                                 judging->expected->assertions));

    add_test_place(judging, finding);
}

/* The test that ran when the whole program was ended. */
static const char *program_words(struct judging *judging)
{
    void *context = judging->context;
    const struct child_result *child = &judging->run->child;
    const char *name = judging->expected->name;

    switch (child->end) {
    case CHILD_FLOODED:
        return memory_format(context, "Test %s printed without end (it was stopped after %zu kB).", name,
                             child->out_size / 1000);
    case CHILD_SWARMED:
        return memory_format(context, "Test %s started processes without end.", name);
    case CHILD_STOPPED_BY_WATCH:
        return memory_format(context, "The tests never end: in test %s, or after it, everybody waits for ever.", name);
    default:
        return memory_format(context, "The tests were ended from within, in test %s: %s.", name,
                             child_end_text(context, child));
    }
}

/* ---- one test ---------------------------------------------------------------------------------------------------- */

/* True where it did not run because all was ended before it: after two others that hung, or, where that was asked for,
 * by the runner after one that failed. */
static bool was_not_reached(const struct judging *judging)
{
    const struct tests_run *run = judging->run;
    bool watch_ended_it = run->stuck_count > 0 && run->child.end == CHILD_STOPPED_BY_WATCH;
    bool runner_ended_it = judging->shop->first_failure && run->report.done;

    return (judging->record == NULL || !judging->record->begun) && (watch_ended_it || runner_ended_it);
}

/* Says what is wrong with a test that ran and did not pass, the surest sign first. */
static void tell(struct judging *judging)
{
    const struct test_record *record = judging->record;

    if (judging->sight != NULL && judging->sight->stuck != STUCK_NOT)
        tell_stuck(judging);
    else if (judging->sight != NULL && judging->sight->crashed)
        tell_crash(judging, record->crash_signal, &record->crash_address, record->null_call);
    else if (record != NULL && record->failed_message != NULL)
        tell_assertion(judging);
    else if (record != NULL && record->ended && record->signal != 0)
        tell_crash(judging, record->signal, NULL, false);
    else if (record != NULL && record->ended && !record->reached_end)
        tell_early_end(judging);
    else if (record != NULL && record->ended)
        tell_count(judging);
    else
        add_test_place(judging, add_finding(judging, program_words(judging)));
}

static bool has_passed(const struct judging *judging)
{
    const struct test_record *record = judging->record;

    return record != NULL && judging->sight == NULL && record->begun && record->ended && record->passed &&
           record->signal == 0 && record->reached_end && record->failed_message == NULL &&
           record->assertions == judging->expected->assertions;
}

/* ---- all tests --------------------------------------------------------------------------------------------------- */

static const char *starved_reason(const struct tests_run *run)
{
    for (size_t i = 0; i < run->sight_count; i++)
        if (run->sights[i].stuck == STUCK_STARVED)
            return "The machine gave a test next to no processor time: it is too busy to tell. No points lost; run "
                   "again when it is quieter.";
    if (run->child.end == CHILD_TIMED_OUT)
        return "The tests took longer than any test should, for want of a processor: the machine is too busy to tell. "
               "No points lost; run again when it is quieter.";
    return NULL;
}

static void judge_all(void *context, struct workshop *shop, struct stage_result *result, const struct tests_run *run,
                      const struct expected_tests *expected)
{
    size_t not_reached = 0;

    for (size_t i = 0; i < expected->count; i++) {
        struct judging judging = {.context = context,
                                  .shop = shop,
                                  .result = result,
                                  .run = run,
                                  .expected = &expected->tests[i],
                                  .record = tests_report_find(&run->report, expected->tests[i].name)};
        judging.sight = judging.record == NULL ? NULL : tests_run_sight(run, judging.record);
        result->checks += judging.record != NULL && judging.record->begun;
        if (judging.sight != NULL && judging.sight->stuck == STUCK_STARVED)
            continue;
        if (was_not_reached(&judging))
            not_reached++;
        else if (!has_passed(&judging))
            tell(&judging);
    }
    /* What ran has passed, and yet the runner did not come to the end of all: somebody ended it. */
    if (result->finding_count == 0 && (!run->report.done || not_reached > 0) && starved_reason(run) == NULL)
        finding_add(
            context, result, SEVERITY_FAILURE,
            memory_format(context, "The tests were ended from within: %s.", child_end_text(context, &run->child)));
}

static void conclude(struct stage_result *result, const struct tests_run *run)
{
    const char *starved = starved_reason(run);

    if (result->finding_count > 0) {
        result->outcome = OUTCOME_FAILED;
    } else if (starved != NULL) {
        result->outcome = OUTCOME_INCONCLUSIVE;
        result->reason = starved;
    } else {
        result->outcome = OUTCOME_PASSED;
    }
}

/* The student's program and the reference's. `*student` is NULL where the student's does not build, with the words of
 * compiler or linker in `*log`. */
static int link_both(void *context, struct workshop *shop, const char **student, const char **reference,
                     const char **log, struct fault *fault)
{
    const char *object = NULL;
    struct child_result compiled;
    char *words = NULL;

    *student = NULL;
    if (toolchain_compile(context, shop, FLAVOUR_PLAIN, &object, &compiled, fault) < 0)
        return -1;
    *log = compiled.err;
    if (object == NULL)
        return 0;
    if (toolchain_link(context, shop, FLAVOUR_PLAIN, PROGRAM_TESTS, object, student, &words, fault) < 0)
        return -1;
    *log = words;
    if (*student == NULL)
        return 0;
    if (toolchain_link(context, shop, FLAVOUR_PLAIN, PROGRAM_TESTS, NULL, reference, &words, fault) < 0)
        return -1;
    if (*reference == NULL)
        return fault_set(fault, "the tests of %s do not link with its reference: %s", shop->exercise->id, words);
    return 0;
}

int stage_tests(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    const char *student = NULL, *reference = NULL, *log = NULL;
    struct expected_tests expected;
    struct tests_run run;

    if (link_both(context, shop, &student, &reference, &log, fault) < 0)
        return -1;
    if (student == NULL) {
        result->outcome = OUTCOME_FAILED;
        finding_add(context, result, SEVERITY_FAILURE, "It does not build, so its tests cannot run.")->detail = log;
        return 0;
    }
    if (tests_expected(context, shop, reference, &expected, fault) < 0)
        return -1;
    if (tests_run(context, shop, student, reference, &run, fault) < 0)
        return -1;
    judge_all(context, shop, result, &run, &expected);
    conclude(result, &run);
    tests_run_close(&run);
    return 0;
}
