/* test_races.c - what the races stage says of threads and locks used wrongly, and of right programs that look odd. */
#include "race_words.h"
#include "workshop_fixture.h"

static struct fixture fixture;

static void set_up(void)
{
    fixture_tiny(&fixture);
}

static void tear_down(void)
{
    fixture_end(&fixture);
}

TestSuite(races, .init = set_up, .fini = tear_down, .timeout = 300);

static const char ADD[] =
    "    pthread_mutex_lock(&tiny->mutex);\n    tiny->value += amount;\n    pthread_mutex_unlock(&tiny->mutex);\n";
static const char VALUE[] =
    "    pthread_mutex_lock(&tiny->mutex);\n    long value = tiny->value;\n    pthread_mutex_unlock(&tiny->mutex);\n";

static enum outcome grade(const char *includes, const char *from, const char *to)
{
    fixture_edit(&fixture, from, to);
    char *text = fixture_read(&fixture, fixture.shop.source);
    fixture_write(&fixture, memory_format(fixture.context, "%s%s", includes, text));
    return fixture_run(&fixture, stage_races);
}

static void must_say(const char *words)
{
    char *said = fixture_words(&fixture);

    cr_assert(strstr(said, words) != NULL, "`%s` is not in:\n%s", words, said);
}

/* Place number `index` of the first finding. */
static const struct place *place(size_t index)
{
    cr_assert(fixture.result.finding_count > 0);
    cr_assert(index < fixture.result.findings[0].place_count, "there is no place %zu:\n%s", index,
              fixture_words(&fixture));
    return &fixture.result.findings[0].places[index];
}

Test(races, the_reference_passes)
{
    cr_assert_eq(grade("", "", ""), OUTCOME_PASSED, "%s", fixture_words(&fixture));
    cr_assert_eq(fixture.result.checks, 3);
    cr_assert_eq(fixture.result.finding_count, 0, "%s", fixture_words(&fixture));
}

Test(races, one_side_without_the_lock_names_the_lock_of_the_other)
{
    cr_assert_eq(grade("", VALUE, "    long value = tiny->value;\n"), OUTCOME_FAILED);
    must_say("One thread changes `tiny->value` while another reads it, and only one of them holds a lock.");
    must_say("tiny_value() does this outside the lock that tiny_add() takes.");
    cr_assert(strstr(place(0)->note, "reads it, holding nothing") != NULL, "%s", place(0)->note);
    cr_assert(strstr(place(1)->note, "changes it, holding tiny->mutex (taken at line ") != NULL, "%s", place(1)->note);
    cr_assert_str_eq(place(0)->excerpt, "long value = tiny->value;");
    cr_assert_str_eq(place(0)->who, "thread 1");
    cr_assert_str_eq(place(1)->who, "thread 2");
    must_say("Seen in the scenario adder_and_reader");
}

Test(races, both_sides_without_a_lock_lose_an_update)
{
    cr_assert_eq(grade("", ADD, "    tiny->value += amount;\n"), OUTCOME_FAILED);
    must_say("Two threads change `tiny->value` at the same time, and neither holds a lock.");
    must_say("three steps");
}

Test(races, two_locks_keep_nobody_out)
{
    cr_assert_eq(
        grade("#include <pthread.h>\nstatic pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;\n", VALUE,
              "    pthread_mutex_lock(&other);\n    long value = tiny->value;\n    pthread_mutex_unlock(&other);\n"),
        OUTCOME_FAILED);
    must_say("they do not hold the same lock");
    must_say("Two different locks keep nobody out");
}

/* Both accesses are made inside the C library: valgrind's own list of suppressions would hide them. */
Test(races, a_static_buffer_that_the_library_fills)
{
    cr_assert_eq(grade("#include <stdio.h>\n", ADD,
                       "    static char text[20];\n    snprintf(text, sizeof text, \"%ld\", amount);\n"
                       "    pthread_mutex_lock(&tiny->mutex);\n    tiny->value += amount;\n    "
                       "pthread_mutex_unlock(&tiny->mutex);\n"),
                 OUTCOME_FAILED);
    must_say("`text`");
}

/* The line assigns a variable of the thread's own; what two threads share is what the call writes to. */
Test(races, what_a_call_writes_is_not_what_its_line_assigns)
{
    cr_assert_eq(grade("#include <stdio.h>\n", ADD,
                       "    static char text[20];\n    char *buffer = text;\n    int length;\n"
                       "    length = snprintf(buffer, sizeof text, \"%ld\", amount);\n"
                       "    pthread_mutex_lock(&tiny->mutex);\n    tiny->value += amount + 0 * length;\n    "
                       "pthread_mutex_unlock(&tiny->mutex);\n"),
                 OUTCOME_FAILED);
    must_say("`text`");
}

/* What the library does to its own streams is its own business. */
Test(races, printing_from_two_threads_is_right)
{
    cr_assert_eq(grade("#include <stdio.h>\n", "    if (amount == 0)\n",
                       "    printf(\"%ld\\n\", amount);\n    fflush(stdout);\n    if (amount == 0)\n"),
                 OUTCOME_PASSED, "%s", fixture_words(&fixture));
}

Test(races, an_unlock_too_many)
{
    cr_assert_eq(grade("", "    tiny->value += amount;\n    pthread_mutex_unlock(&tiny->mutex);\n",
                       "    tiny->value += amount;\n    pthread_mutex_unlock(&tiny->mutex);\n    "
                       "pthread_mutex_unlock(&tiny->mutex);\n"),
                 OUTCOME_FAILED);
    must_say("A lock is unlocked that nobody holds.");
    cr_assert_str_eq(place(0)->note, "unlocked here");
    cr_assert_str_eq(place(1)->note, "made here");
}

Test(races, a_lock_destroyed_while_it_is_held)
{
    cr_assert_eq(grade("", "    pthread_mutex_destroy(&tiny->mutex);\n",
                       "    pthread_mutex_lock(&tiny->mutex);\n    pthread_mutex_destroy(&tiny->mutex);\n"),
                 OUTCOME_FAILED);
    must_say("A lock is destroyed while somebody holds it.");
}

Test(races, a_lock_kept_is_shown_where_it_is_kept)
{
    cr_assert_eq(grade("", "    pthread_mutex_unlock(&tiny->mutex);\n    return 0;\n", "    return 0;\n"),
                 OUTCOME_FAILED);
    must_say("A thread ends while it still holds a lock.");
    cr_assert(strstr(place(0)->note, "returns with tiny->mutex locked") != NULL, "%s", place(0)->note);
    must_say("The program hangs");
}

static const char TWO_LOCKS[] = "#include <pthread.h>\nstatic pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;\n"
                                "static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;\n"
                                "static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;\n"
                                "static int turn;\n";

/* tiny_add and tiny_value with these lines in place of their locks. */
static enum outcome grade_two(const char *add, const char *value)
{
    fixture_edit(&fixture, ADD, add);
    char *text = fixture_read(&fixture, fixture.shop.source);
    char *at = strstr(text, VALUE);

    cr_assert_not_null(at);
    fixture_write(&fixture, memory_format(fixture.context, "%s%.*s%s%s", TWO_LOCKS, (int)(at - text), text, value,
                                          at + strlen(VALUE)));
    return fixture_run(&fixture, stage_races);
}

#define LOCK(name) "    pthread_mutex_lock(&" #name ");\n"
#define UNLOCK(name) "    pthread_mutex_unlock(&" #name ");\n"

Test(races, two_orders_of_two_locks)
{
    cr_assert_eq(grade_two(LOCK(left) LOCK(right) "    tiny->value += amount;\n" UNLOCK(right) UNLOCK(left),
                           LOCK(right) LOCK(left) "    long value = tiny->value;\n" UNLOCK(left) UNLOCK(right)),
                 OUTCOME_FAILED);
    must_say("Two locks are taken in one order here, and in the other order there.");
    cr_assert_str_eq(place(0)->note, "first left");
    cr_assert_str_eq(place(1)->note, "then right");
    cr_assert_str_eq(place(2)->note, "first right");
    cr_assert_str_eq(place(3)->note, "then left");
}

/* Right: the second lock is only tried, so nobody waits while holding the first. */
Test(races, trying_is_not_waiting)
{
    cr_assert_eq(grade_two(LOCK(left) LOCK(right) "    tiny->value += amount;\n" UNLOCK(right) UNLOCK(left),
                           "    (void)turn;\n    for (;;) {\n        pthread_mutex_lock(&right);\n"
                           "        if (pthread_mutex_trylock(&left) == 0)\n            break;\n"
                           "        pthread_mutex_unlock(&right);\n    }\n"
                           "    long value = tiny->value;\n" UNLOCK(left) UNLOCK(right)),
                 OUTCOME_PASSED, "%s", fixture_words(&fixture));
}

/* Right: a third lock around both, so nobody is between the two while another is. */
Test(races, a_guard_around_both_orders)
{
    cr_assert_eq(grade_two(LOCK(guard) LOCK(left) LOCK(right) "    tiny->value += amount;\n" UNLOCK(right) UNLOCK(left)
                               UNLOCK(guard),
                           LOCK(guard) LOCK(right) LOCK(left) "    long value = tiny->value;\n" UNLOCK(left)
                               UNLOCK(right) UNLOCK(guard)),
                 OUTCOME_PASSED, "%s", fixture_words(&fixture));
}

/* Right: an error-checking mutex answers with an error, which the program expects. */
Test(races, an_error_that_is_asked_for)
{
    cr_assert_eq(
        grade("#include <pthread.h>\n", ADD,
              "    pthread_mutexattr_t kind;\n    pthread_mutex_t own;\n    pthread_mutexattr_init(&kind);\n"
              "    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);\n    pthread_mutex_init(&own, &kind);\n"
              "    if (pthread_mutex_unlock(&own) != EPERM)\n        return EINVAL;\n    pthread_mutex_lock(&own);\n"
              "    if (pthread_mutex_lock(&own) != EDEADLK)\n        return EINVAL;\n    pthread_mutex_unlock(&own);\n"
              "    pthread_mutex_destroy(&own);\n    pthread_mutexattr_destroy(&kind);\n"
              "    pthread_mutex_lock(&tiny->mutex);\n    tiny->value += amount;\n    "
              "pthread_mutex_unlock(&tiny->mutex);\n"),
        OUTCOME_PASSED, "%s", fixture_words(&fixture));
}

static const char FREES[] = "tiny->value++;\nfree(tiny);\n";

/* A race of two lines of the student's: the first changes the block, the second does what its innermost call says. */
static void tell_race(const char *innermost, const char *source, const char *global)
{
    struct frame change = {.function = "tiny_add", .file = "tiny.c", .line = 1};
    struct frame other[2] = {{.function = innermost}, {.function = "tiny_destroy", .file = "tiny.c", .line = 2}};
    struct trace traces[2] = {{.title = "", .frames = &change, .count = 1}, {.title = "", .frames = other, .count = 2}};
    const struct race race = {
        .sides = {{.trace = &traces[0], .thread = 2, .write = true}, {.trace = &traces[1], .thread = 3, .write = true}},
        .global = global};
    const struct scenario_run run = {.scenario_count = 0};

    fixture_write(&fixture, source);
    race_words_add(fixture.context, &fixture.shop, &run, &race, &fixture.result);
}

/* What is freed is not "changed". */
Test(races, a_free_is_called_one)
{
    tell_race("free", FREES, NULL);
    must_say("One thread frees memory that another uses, and nothing makes the free come last.");
    must_say("That takes a join, or a lock under which the last user is told.");
    cr_assert_str_eq(place(0)->note, "changes it, holding nothing");
    cr_assert_str_eq(place(1)->note, "frees it, holding nothing");
}

/* ThreadSanitizer calls what has no name "<null>". */
Test(races, a_name_that_is_none_is_not_said)
{
    tell_race("tiny_reset", "one->end(1);\nother = 2;\n", "<null>");
    must_say("Two threads change the same memory at the same time");
    fixture.result.finding_count = 0;
    tell_race("tiny_reset", "one->end(1);\nother = 2;\n", "hand");
    must_say("Two threads change `hand` at the same time");
}

/* Where atomics are allowed, a lock is not the only way. */
Test(races, an_exercise_with_atomics_hears_of_release_and_acquire)
{
    struct exercise exercise = *fixture.shop.exercise;

    tell_race("tiny_reset", FREES, NULL);
    must_say("at the same time, and neither holds a lock.");
    must_say("belongs inside the same lock.");
    exercise.tsan = true;
    fixture.shop.exercise = &exercise;
    fixture.result.finding_count = 0;
    tell_race("tiny_reset", FREES, NULL);
    must_say("at the same time, and nothing orders the two.");
    must_say("or a release by the first after its access (memory_order_release) that the second acquires");
    fixture.result.finding_count = 0;
    tell_race("__interceptor_free", FREES, NULL);
    must_say("One thread frees memory that another uses");
    must_say("(memory_order_release) that the second acquires");
}

static const char SIGNALS_OUTSIDE[] =
    "    struct timespec soon = {0, 1};\n    pthread_mutex_lock(&tiny->mutex);\n    tiny->value += amount;\n"
    "    (void)pthread_cond_timedwait(&changed, &tiny->mutex, &soon);\n"
    "    pthread_mutex_unlock(&tiny->mutex);\n    pthread_cond_signal(&changed);\n";
static const char CONDITION[] =
    "#include <pthread.h>\n#include <time.h>\nstatic pthread_cond_t changed = PTHREAD_COND_INITIALIZER;\n";

/* Allowed: nobody who is right is to wonder about it. */
Test(races, a_signal_without_the_lock_is_no_news_where_all_is_well)
{
    cr_assert_eq(grade(CONDITION, ADD, SIGNALS_OUTSIDE), OUTCOME_PASSED, "%s", fixture_words(&fixture));
    cr_assert_eq(fixture.result.finding_count, 0, "%s", fixture_words(&fixture));
}

/* …and worth a word where something is wrong. */
Test(races, a_signal_without_the_lock_is_a_note_beside_a_mistake)
{
    const char *also_changes = memory_format(fixture.context, "%s    tiny->value++;\n", SIGNALS_OUTSIDE);

    cr_assert_eq(grade(CONDITION, ADD, also_changes), OUTCOME_FAILED, "%s", fixture_words(&fixture));
    must_say("A condition is signalled without its lock: allowed.");
    const struct finding *note = fixture.result.findings;
    while (note < fixture.result.findings + fixture.result.finding_count - 1 && note->severity != SEVERITY_NOTE)
        note++;
    cr_assert_eq(note->severity, SEVERITY_NOTE, "%s", fixture_words(&fixture));
    cr_assert(strstr(note->why, "It matters only where") == note->why, "%s", note->why);
}

/* Right: what is set up once is seen by all who asked for it. */
Test(races, pthread_once_gives_an_order)
{
    cr_assert_eq(grade("#include <pthread.h>\nstatic pthread_once_t once = PTHREAD_ONCE_INIT;\nstatic long factor;\n"
                       "static void set_up(void)\n{\n    factor = 1;\n}\n",
                       ADD,
                       "    pthread_once(&once, set_up);\n    pthread_mutex_lock(&tiny->mutex);\n    tiny->value += "
                       "factor * amount;\n"
                       "    pthread_mutex_unlock(&tiny->mutex);\n"),
                 OUTCOME_PASSED, "%s", fixture_words(&fixture));
}

Test(races, a_crash_is_shown_where_it_was)
{
    cr_assert_eq(grade("", ADD, "    volatile long *volatile nowhere = NULL;\n    *nowhere = amount;\n"),
                 OUTCOME_FAILED);
    must_say("signal 11");
    must_say("*nowhere = amount;");
}

Test(races, exit_in_the_middle_is_no_pass)
{
    cr_assert_eq(grade("", "    if (amount == 0)\n", "    if (amount == 1)\n        exit(0);\n    if (amount == 0)\n"),
                 OUTCOME_FAILED);
    must_say("ended before its scenarios did");
}

/* ThreadSanitizer says the same, in the same words. */
Test(races, thread_sanitizer_tells_locks_too)
{
    struct exercise exercise = *fixture.shop.exercise;

    exercise.helgrind = false;
    exercise.tsan = true;
    fixture.shop.exercise = &exercise;
    cr_assert_eq(grade("", "", ""), OUTCOME_PASSED, "%s", fixture_words(&fixture));
    fixture_afresh(&fixture);
    cr_assert_eq(grade("", VALUE, "    long value = tiny->value;\n"), OUTCOME_FAILED);
    must_say("One thread changes `tiny->value` while another reads it, and only one of them holds a lock.");
    cr_assert(strstr(place(1)->note, "holding tiny->mutex (taken at line ") != NULL, "%s", place(1)->note);
}

/* Runs a line of shell, which must succeed. */
static void shell(const char *line)
{
    const char *const argv[] = {"sh", "-c", line, NULL};
    const struct child_spec spec = {.argv = argv};
    struct child_result result;

    cr_assert(child_run(fixture.context, &spec, &result, &fixture.fault) == 0, "%s", fixture.fault.text);
    cr_assert(result.end == CHILD_EXITED && result.status == 0, "%s: %s", line, result.err);
}

/* Where only the scenario's own threads collide, it is the student's functions that gave them no order… */
Test(races, an_order_that_the_student_owes)
{
    struct fixture ours;
    const char *root = memory_format(fixture.context, "%s/course", fixture.shop.dir);

    shell(memory_format(fixture.context,
                        "cp -rL grader/tests/data/course %s && sed -i 's/^static void \\*add_one(void "
                        "\\*argument)$/static long hand;\\n&/;"
                        "s/    add_one(reading->tiny);/    hand = 1;\\n    add_one(reading->tiny);/;"
                        "s/    ensure(tiny_value(reading.tiny) == 1, .*/    "
                        "(void)tiny_value(reading.tiny);\\n    ensure(hand == 1, \"no\");/' "
                        "%s/grader/checks/00-start/tiny/scenario.c",
                        root, root));
    fixture_begin(&ours, root, "tiny");
    fixture_edit(&ours, NULL, NULL);
    cr_assert_eq(fixture_run(&ours, stage_races), OUTCOME_PASSED, "%s", fixture_words(&ours));
    fixture_afresh(&ours);
    fixture_edit(&ours, VALUE, "    long value = tiny == NULL ? 0 : 2;\n");
    cr_assert_eq(fixture_run(&ours, stage_races), OUTCOME_FAILED);
    cr_assert(strstr(fixture_words(&ours), "your code does not put one after the other") != NULL, "%s",
              fixture_words(&ours));
    fixture_end(&ours);
}

/* … but where they collide with the reference as well, the mistake is ours. */
Test(races, a_race_of_ours_is_a_fault)
{
    struct fixture ours;
    const char *root = memory_format(fixture.context, "%s/course", fixture.shop.dir);

    shell(memory_format(
        fixture.context,
        "cp -rL grader/tests/data/course %s && sed -i 's/^static void \\*add_one(void \\*argument)$/static "
        "long hand;\\n&/;"
        "s/^    struct tiny \\*tiny = argument;/&\\n    hand++;/' %s/grader/checks/00-start/tiny/scenario.c",
        root, root));
    fixture_begin(&ours, root, "tiny");
    fixture_edit(&ours, NULL, NULL);
    cr_assert(stage_races(ours.context, &ours.shop, &ours.result, &ours.fault) == -1, "%s", fixture_words(&ours));
    cr_assert(strstr(ours.fault.text, "the reference itself") != NULL, "%s", ours.fault.text);
    fixture_end(&ours);
}
