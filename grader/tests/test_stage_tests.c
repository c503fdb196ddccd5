/* What the tests stage says of programs that pass, fail, crash, hang, leave early, and attack. */
#include "process.h"
#include "tests_run.h"
#include "workshop_fixture.h"

#include <sys/wait.h>

static struct fixture fixture;

static void set_up(void)
{
    fixture_tiny(&fixture);
}

static void tear_down(void)
{
    fixture_end(&fixture);
}

/* For another file: what a workshop has compiled, it keeps. */
static void begin_anew(void)
{
    tear_down();
    set_up();
}

TestSuite(stage_tests, .init = set_up, .fini = tear_down, .timeout = 300);

static const char ADD[] = "    tiny->value += amount;\n";
static const char VALUE[] = "    long value = tiny->value;\n";

/* The reference with these words put at the start of its file, and in place of `from`. */
static enum outcome grade(const char *includes, const char *from, const char *to)
{
    fixture_edit(&fixture, from, to);
    char *text = fixture_read(&fixture, fixture.shop.source);
    fixture_write(&fixture, memory_format(fixture.context, "%s\n%s", includes, text));
    return fixture_run(&fixture, stage_tests);
}

static void must_say(const char *words)
{
    char *said = fixture_words(&fixture);

    cr_assert(strstr(said, words) != NULL, "`%s` is not in:\n%s", words, said);
}

/* The finding about a test; NULL where there is none. */
static const struct finding *finding_with(const char *words)
{
    for (size_t i = 0; i < fixture.result.finding_count; i++)
        if (strstr(fixture.result.findings[i].what, words) != NULL)
            return &fixture.result.findings[i];
    return NULL;
}

static void must_leave_nothing(void)
{
    cr_assert(waitpid(-1, NULL, WNOHANG) == -1, "a process is left");
}

/* ---- right and wrong --------------------------------------------------------------------------------------------- */

Test(stage_tests, the_reference_passes)
{
    cr_assert_eq(grade("", "", ""), OUTCOME_PASSED, "%s", fixture_words(&fixture));
    cr_assert_eq(fixture.result.checks, 5);
    cr_assert_eq(fixture.result.finding_count, 0);
}

Test(stage_tests, the_starter_fails_politely)
{
    fixture_write(&fixture, fixture_read(&fixture, fixture.shop.exercise->starter));
    cr_assert_eq(fixture_run(&fixture, stage_tests), OUTCOME_FAILED);
    cr_assert_str_eq(fixture.result.findings[0].what, "tiny_create returned an error.");
    cr_assert_str_eq(fixture.result.findings[0].why, "tiny_create makes a total of 0.");
}

Test(stage_tests, a_failed_assertion_is_told_with_its_line_and_promise)
{
    cr_assert_eq(grade("", ADD, "    tiny->value -= amount;\n"), OUTCOME_FAILED);
    const struct finding *finding = finding_with("After adding 2 and -5 the total is 3, not -3.");
    cr_assert_not_null(finding, "%s", fixture_words(&fixture));
    cr_assert_str_eq(finding->why, "tiny_add adds the amount to the total.");
    cr_assert_str_eq(finding->places[0].file, "tests.c");
    cr_assert(strstr(finding->places[0].excerpt, "must(tiny_value(tiny) == -3") != NULL);
    cr_assert_eq(fixture.result.checks, 5, "the others ran all the same");
}

Test(stage_tests, findings_come_in_the_order_of_the_tests)
{
    fixture_write(&fixture, fixture_read(&fixture, fixture.shop.exercise->starter));
    fixture_run(&fixture, stage_tests);
    cr_assert(fixture.result.finding_count >= 4);
    for (size_t i = 1; i < fixture.result.finding_count; i++)
        cr_assert(fixture.result.findings[i - 1].places[0].line <= fixture.result.findings[i].places[0].line);
}

Test(stage_tests, what_was_printed_is_shown_harmless)
{
    cr_assert_eq(grade("#include <stdio.h>", ADD, "    printf(\"\\033[31mred %ld\\n\", amount);\n"), OUTCOME_FAILED);
    const struct finding *finding = finding_with("After adding 2 and -5");
    cr_assert_not_null(finding);
    cr_assert_str_eq(finding->detail, "\\x1b[31mred 2\n\\x1b[31mred -5");
}

Test(stage_tests, a_reference_that_fails_is_our_fault)
{
    struct exercise broken = *fixture.shop.exercise;

    fixture_edit(&fixture, "", "");
    broken.reference = broken.starter;
    fixture.shop.exercise = &broken;
    cr_assert_eq(stage_tests(fixture.context, &fixture.shop, &fixture.result, &fixture.fault), -1);
    cr_assert(strstr(fixture.fault.text, "00-start/tiny fails its own test") != NULL, "%s", fixture.fault.text);
}

Test(stage_tests, a_reference_that_crashes_is_our_fault_and_said_at_once)
{
    struct exercise broken = *fixture.shop.exercise;

    fixture_edit(&fixture, ADD, "    *(volatile long *)0 = amount;\n");
    broken.reference = fixture.shop.source;
    fixture.shop.exercise = &broken;
    cr_assert_eq(stage_tests(fixture.context, &fixture.shop, &fixture.result, &fixture.fault), -1);
    cr_assert(strstr(fixture.fault.text, "crashes in its own test") != NULL, "%s", fixture.fault.text);
}

/* ---- crashes ----------------------------------------------------------------------------------------------------- */

Test(stage_tests, a_crash_is_told_with_the_students_line)
{
    cr_assert_eq(grade("", ADD, "    *(volatile long *)0 = amount;\n"), OUTCOME_FAILED);
    const struct finding *finding = finding_with("Test adds crashed: the program used a pointer that is NULL");
    cr_assert_not_null(finding, "%s", fixture_words(&fixture));
    cr_assert_str_eq(finding->places[0].file, "tiny.c");
    cr_assert_str_eq(finding->places[0].excerpt, "*(volatile long *)0 = amount;");
    cr_assert_str_eq(finding->places[1].file, "tests.c");
    cr_assert_eq(fixture.result.checks, 5, "the others ran all the same");
}

/* The stack has no table for the address 0, but for who called it. */
Test(stage_tests, a_call_of_null_is_told_with_the_students_line)
{
    cr_assert_eq(grade("static void (*volatile nobody)(void);", ADD, "    nobody();\n    tiny->value += amount;\n"),
                 OUTCOME_FAILED);
    const struct finding *finding = finding_with("Test adds crashed: the program called a function by a pointer that");
    cr_assert_not_null(finding, "%s", fixture_words(&fixture));
    cr_assert_str_eq(finding->places[0].file, "tiny.c");
    cr_assert_str_eq(finding->places[0].excerpt, "nobody();");
    cr_assert_str_eq(finding->places[1].file, "tests.c");
    for (size_t i = 1; i < finding->place_count; i++)
        cr_assert(finding->places[i].line != finding->places[i - 1].line, "a line stands twice:\n%s",
                  fixture_words(&fixture));
}

Test(stage_tests, an_abort_is_a_crash)
{
    cr_assert_eq(grade("#include <assert.h>", ADD, "    assert(amount == 99);\n"), OUTCOME_FAILED);
    const struct finding *finding = finding_with("Test adds crashed: the program was aborted");
    cr_assert_not_null(finding, "%s", fixture_words(&fixture));
    cr_assert(strstr(finding->detail, "amount == 99") != NULL, "%s", finding->detail);
    cr_assert_str_eq(finding->places[0].excerpt, "assert(amount == 99);");
}

/* What is shown is where the C library found it; what did it ran before. */
Test(stage_tests, a_spoiled_heap_is_told_to_be_spoiled_before)
{
    static const char *const body = "    char *volatile text = malloc(24);\n    free(text);\n    free(text);\n";

    cr_assert_eq(grade("#include <stdlib.h>", ADD, memory_format(fixture.context, "%s%s", ADD, body)), OUTCOME_FAILED);
    const struct finding *finding = finding_with("Test adds crashed: the program was aborted");
    cr_assert_not_null(finding, "%s", fixture_words(&fixture));
    cr_assert(strstr(finding->why, "ran earlier") != NULL, "%s", finding->why);
    cr_assert(strstr(finding->why, "make grade EX=tiny STAGES=memory") != NULL, "%s", finding->why);
}

/* A thread that is left behind never sleeps for good, so nothing proves that nobody will ever wake the one that
 * crashed. */
Test(stage_tests, a_crash_behind_the_tests_end_is_one)
{
    static const char *const top =
        "#include <pthread.h>\n#include <stdlib.h>\n#include <time.h>\n"
        "static void *stay(void *none)\n{\n    for (;;)\n        nanosleep(&(struct timespec){0, 1000000}, 0);\n"
        "    return none;\n}\n"
        "static void fall(void)\n{\n    *(volatile int *)0 = 1;\n}\n";
    static const char *const body =
        "    pthread_t thread;\n    pthread_create(&thread, 0, stay, 0);\n    atexit(fall);\n";

    cr_assert_eq(grade(top, ADD, memory_format(fixture.context, "%s%s", ADD, body)), OUTCOME_FAILED);
    must_say("crashed: the program used a pointer that is NULL");
    must_leave_nothing();
}

Test(stage_tests, a_stack_that_overflows_is_a_crash)
{
    cr_assert_eq(grade("", "    tiny->value += amount;\n    pthread_mutex_unlock(&tiny->mutex);\n    return 0;",
                       "    pthread_mutex_unlock(&tiny->mutex);\n    int error = tiny_add(tiny, amount + 1);\n"
                       "    tiny->value++;\n    return error;"),
                 OUTCOME_FAILED);
    must_say("Test adds crashed: the program touched memory that is not its own");
}

/* ---- hangs ------------------------------------------------------------------------------------------------------- */

Test(stage_tests, a_lock_taken_twice_is_proved_and_explained)
{
    cr_assert_eq(grade("", ADD, "    pthread_mutex_lock(&tiny->mutex);\n"), OUTCOME_FAILED);
    const struct finding *finding = finding_with("Test adds never ends");
    cr_assert_not_null(finding, "%s", fixture_words(&fixture));
    cr_assert(strstr(finding->why, "lets nobody in a second time") != NULL, "%s", finding->why);
    cr_assert_str_eq(finding->places[0].excerpt, "pthread_mutex_lock(&tiny->mutex);");
    cr_assert_str_eq(finding->places[0].who, "thread 1");
    cr_assert_str_eq(finding->places[0].note, "holds `&tiny->mutex`, wants `&tiny->mutex`");
    must_leave_nothing();
}

Test(stage_tests, after_two_hangs_the_rest_is_left)
{
    cr_assert_eq(grade("", VALUE, "    pthread_mutex_lock(&tiny->mutex);\n    long value = 0;\n"), OUTCOME_FAILED);
    cr_assert_eq(fixture.result.finding_count, 2, "%s", fixture_words(&fixture));
}

Test(stage_tests, a_lock_that_is_never_unlocked_names_who_has_it)
{
    cr_assert_eq(grade("", "    pthread_mutex_unlock(&tiny->mutex);\n    return 0;\n", "    return 0;\n"),
                 OUTCOME_FAILED);
    must_say("it is still locked from before");
}

Test(stage_tests, a_condition_that_nobody_signals)
{
    cr_assert_eq(grade("#include <pthread.h>\nstatic pthread_cond_t never = PTHREAD_COND_INITIALIZER;", ADD,
                       "    pthread_cond_wait(&never, &tiny->mutex);\n"),
                 OUTCOME_FAILED);
    must_say("Thread 1 sleeps on a condition and nobody is left to wake it");
}

Test(stage_tests, a_circle_of_two_locks_is_a_deadlock)
{
    static const char *const top =
        "#include <pthread.h>\n#include <sched.h>\n"
        "static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;\nstatic pthread_mutex_t *mine;\n"
        "static void *crossing(void *ready)\n{\n    pthread_mutex_lock(&other);\n    *(volatile int *)ready = 1;\n"
        "    pthread_mutex_lock(mine);\n    return 0;\n}\n";
    static const char *const body = "    pthread_t thread;\n    static volatile int ready;\n    mine = &tiny->mutex;\n"
                                    "    pthread_create(&thread, 0, crossing, (void *)&ready);\n"
                                    "    while (!ready)\n        sched_yield();\n    pthread_mutex_lock(&other);\n";

    cr_assert_eq(grade(top, ADD, body), OUTCOME_FAILED);
    const struct finding *finding = finding_with("Test adds never ends");
    cr_assert_not_null(finding, "%s", fixture_words(&fixture));
    cr_assert(strstr(finding->why, "Each waits for what the other holds: a deadlock.") != NULL, "%s", finding->why);
    cr_assert_str_eq(finding->places[0].note, "holds lock B, wants lock A (held by thread 2)");
    cr_assert_str_eq(finding->places[1].note, "holds lock A, wants lock B (held by thread 1)");
}

Test(stage_tests, a_program_that_stops_itself_hangs)
{
    cr_assert_eq(grade("#include <signal.h>", ADD, "    raise(SIGSTOP);\n"), OUTCOME_FAILED);
    must_say("Test adds never ends");
    must_leave_nothing();
}

Test(stage_tests, an_endless_loop_ends_at_the_limit_of_processor_time)
{
    cr_assert_eq(grade("", ADD, "    for (volatile long i = 0;; i++)\n        continue;\n"), OUTCOME_FAILED);
    const struct finding *finding = finding_with("Test adds did not end: it was stopped after");
    cr_assert_not_null(finding, "%s", fixture_words(&fixture));
    cr_assert(strstr(finding->why, "Thread 1 runs in circles") != NULL, "%s", finding->why);
    cr_assert_str_eq(finding->places[0].file, "tiny.c");
    must_leave_nothing();
}

Test(stage_tests, an_endless_sleep_ends_at_the_limit_of_time)
{
    /* Only where the amount is 0, so that it is one test that sleeps. */
    cr_assert_eq(grade("#include <unistd.h>", "        return EINVAL;\n", "        for (;;) sleep(1000);\n"),
                 OUTCOME_FAILED);
    must_say("Test refuses_zero did not end in");
    cr_assert_eq(fixture.result.checks, 5, "the others ran all the same");
    must_leave_nothing();
}

/* ---- what fails first is told at once ---------------------------------------------------------------------------- */

static int told;
static const char *told_name;

static void note_failed(void *context, const char *test)
{
    told++;
    told_name = memory_text(context, test);
}

static void must_tell(const char *from, const char *to, const char *test)
{
    begin_anew();
    told = 0;
    told_name = "nothing";
    fixture.shop.test_failed = note_failed;
    fixture.shop.stage_context = fixture.context;
    (void)grade("", from, to);
    cr_assert_eq(told, strcmp(test, "nothing") != 0, "told %d times", told);
    cr_assert_str_eq(told_name, test);
}

Test(stage_tests, the_first_test_that_fails_is_told_once_however_it_fails)
{
    must_tell("", "", "nothing");
    must_tell(ADD, "    tiny->value -= amount;\n", "adds");
    must_tell(ADD, "    *(volatile long *)0 = amount;\n", "adds");
    must_tell(ADD, "    pthread_mutex_lock(&tiny->mutex);\n", "adds");
    must_tell(VALUE, "    long value = 0;\n    exit(0);\n", "nothing"); /* does not compile: exit is not declared */
}

/* ---- one failure is enough --------------------------------------------------------------------------------------- */

/* "adds" is the first of the five; what it finds is all that is found. */
static void must_end_with_adds(const char *from, const char *to, const char *words)
{
    begin_anew();
    fixture.shop.first_failure = true;
    cr_assert_eq(grade("", from, to), OUTCOME_FAILED, "%s", fixture_words(&fixture));
    must_say(words);
    cr_assert_eq(fixture.result.finding_count, 1, "%s", fixture_words(&fixture));
    cr_assert_eq(fixture.result.checks, 1);
    must_leave_nothing();
}

Test(stage_tests, after_the_first_failure_the_rest_is_left_where_that_was_asked_for)
{
    must_end_with_adds(ADD, "    tiny->value -= amount;\n", "After adding 2 and -5 the total is 3, not -3.");
    must_end_with_adds(ADD, "    *(volatile long *)0 = amount;\n", "Test adds crashed");
    must_end_with_adds(ADD, "    pthread_mutex_lock(&tiny->mutex);\n", "Test adds never ends");
}

Test(stage_tests, where_one_failure_is_enough_all_tests_must_pass_all_the_same)
{
    fixture.shop.first_failure = true;
    cr_assert_eq(grade("", "", ""), OUTCOME_PASSED, "%s", fixture_words(&fixture));
    cr_assert_eq(fixture.result.checks, 5);
}

/* ---- leaving early, and other attacks ---------------------------------------------------------------------------- */

static void must_end_early(const char *includes, const char *leave)
{
    begin_anew();
    cr_assert_eq(grade(includes, VALUE, memory_format(fixture.context, "    long value = 0;\n    %s\n", leave)),
                 OUTCOME_FAILED, "%s", leave);
    must_say("The program ended before test starts_at_zero did");
}

Test(stage_tests, leaving_the_program_is_not_passing)
{
    must_end_early("#include <stdlib.h>", "exit(0);");
    must_end_early("#include <unistd.h>", "_exit(0);");
    must_end_early("#include <stdlib.h>", "quick_exit(0);");
    must_end_early("#include <unistd.h>", "execlp(\"true\", \"true\", (char *)0);");
}

Test(stage_tests, ending_the_runner_is_not_passing)
{
    cr_assert_eq(grade("#include <signal.h>\n#include <unistd.h>", VALUE,
                       "    long value = 0;\n    kill(getppid(), SIGKILL);\n"),
                 OUTCOME_FAILED);
    must_say("The tests were ended from within, in test");
    must_leave_nothing();
}

Test(stage_tests, a_child_that_comes_back_into_the_test_is_not_passing_twice)
{
    enum outcome outcome =
        grade("#include <unistd.h>", VALUE, "    long value = tiny->value;\n    if (fork() > 0) _exit(0);\n");

    cr_assert_eq(outcome, OUTCOME_FAILED, "%s", fixture_words(&fixture));
    must_leave_nothing();
}

Test(stage_tests, printing_without_end_is_cut_and_told)
{
    cr_assert_eq(grade("#include <stdio.h>", ADD, "    for (;;) puts(\"again and again\");\n"), OUTCOME_FAILED);
    const struct finding *finding = finding_with("Test adds printed without end");
    cr_assert_not_null(finding, "%s", fixture_words(&fixture));
    cr_assert(strncmp(finding->detail, "again and again\n", 16) == 0);
    cr_assert(strlen(finding->detail) < 1000, "%zu", strlen(finding->detail));
}

Test(stage_tests, processes_without_end_are_ended_and_told)
{
    /* Bounded, should the grader fail to end them. */
    cr_assert_eq(grade("#include <unistd.h>", ADD,
                       "    for (int i = 0; i < 300; i++)\n        if (fork() == 0) { sleep(60); _exit(0); }\n"
                       "    sleep(60);\n"),
                 OUTCOME_FAILED);
    must_say("Test adds started processes without end.");
    must_leave_nothing();
}

Test(stage_tests, closing_every_descriptor_is_not_passing)
{
    cr_assert_eq(grade("#include <unistd.h>", VALUE,
                       "    long value = tiny->value;\n    for (int i = 0; i < 256; i++) close(i);\n"),
                 OUTCOME_FAILED, "%s", fixture_words(&fixture));
    must_leave_nothing();
}

Test(stage_tests, a_daemon_is_ended)
{
    grade("#include <unistd.h>", ADD,
          "    tiny->value += amount;\n    if (fork() == 0) { setsid(); if (fork() == 0) sleep(600); _exit(0); }\n");
    must_leave_nothing();
}
