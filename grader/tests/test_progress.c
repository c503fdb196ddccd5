/* The progress file: nothing lost, whoever writes and whatever is found there. */
#include "little_course.h"
#include "progress.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct little_course little;
static void *context;

static void setup(void)
{
    little_begin(&little);
    context = little.context;
}

static void teardown(void)
{
    little_end(&little);
}

TestSuite(progress, .init = setup, .fini = teardown);

static struct stage_result failed_at[] = {{.stage = "tests", .outcome = OUTCOME_PASSED},
                                          {.stage = "races", .outcome = OUTCOME_FAILED}};

static struct verdict verdict_of(const char *exercise, enum outcome outcome, int points)
{
    struct verdict verdict = {.exercise = exercise, .outcome = outcome, .points = points, .max_points = 10};

    if (outcome == OUTCOME_FAILED) {
        verdict.results = failed_at;
        verdict.result_count = 2;
    }
    return verdict;
}

static void record(const char *exercise, enum outcome outcome, int points)
{
    struct verdict verdict = verdict_of(exercise, outcome, points);
    struct fault fault;
    char *source =
        memory_format(context, "%s/exercises/%s/%s.c", little.course.root, exercise, strchr(exercise, '/') + 1);

    cr_assert_eq(progress_record(little.build_dir, &verdict, source, &fault), 0, "%s", fault.text);
}

static const struct progress_record *loaded(const char *exercise)
{
    static struct progress progress; /* one a process: each test has its own */

    progress_load(context, little.build_dir, &progress);
    cr_assert_null(progress.notice, "%s", progress.notice);
    return progress_find(&progress, exercise);
}

Test(progress, none_is_empty)
{
    struct progress progress;

    progress_load(context, little.build_dir, &progress);
    cr_assert_eq(progress.count, 0u);
    cr_assert_null(progress.notice);
    cr_assert_null(progress_find(&progress, "00-start/hello"));
    cr_assert_not(progress_passed(NULL));
    cr_assert_not(progress_changed(NULL, "/nowhere"));
}

Test(progress, what_was_graded_is_remembered)
{
    record("02-locks/counter", OUTCOME_FAILED, 4);

    const struct progress_record *found = loaded("02-locks/counter");

    cr_assert_not_null(found);
    cr_assert(found->graded && found->outcome == OUTCOME_FAILED);
    cr_assert_str_eq(found->stage, "races");
    cr_assert_eq(found->points, 4);
    cr_assert_eq(found->max_points, 10);
    cr_assert_eq(strlen(found->date), strlen("2024-05-01T12:00:00Z"));
    cr_assert_not(progress_passed(found) || found->passed_once);
}

Test(progress, the_last_grading_counts_and_a_pass_is_not_forgotten)
{
    record("02-locks/counter", OUTCOME_PASSED, 10);
    cr_assert(progress_passed(loaded("02-locks/counter")));
    record("02-locks/counter", OUTCOME_FAILED, 4);

    const struct progress_record *found = loaded("02-locks/counter");

    cr_assert_not(progress_passed(found));
    cr_assert(found->passed_once);
}

Test(progress, too_busy_to_tell_costs_nothing)
{
    record("02-locks/rlock", OUTCOME_INCONCLUSIVE, 10);
    cr_assert(progress_passed(loaded("02-locks/rlock")));
}

Test(progress, the_graders_own_failure_changes_nothing)
{
    record("02-locks/rlock", OUTCOME_PASSED, 10);
    record("02-locks/rlock", OUTCOME_BROKEN, 0);
    record("00-start/hello", OUTCOME_BROKEN, 0);
    cr_assert(progress_passed(loaded("02-locks/rlock")));
    cr_assert_null(loaded("00-start/hello"));
}

Test(progress, a_file_that_changed_since_is_noticed)
{
    char *source = memory_format(context, "%s/exercises/00-start/hello/hello.c", little.course.root);

    record("00-start/hello", OUTCOME_PASSED, 10);
    cr_assert_not(progress_changed(loaded("00-start/hello"), source));
    little_write(&little, "exercises/00-start/hello/hello.c", "/* another */\n");
    cr_assert(progress_changed(loaded("00-start/hello"), source));
    cr_assert_eq(unlink(source), 0);
    cr_assert(progress_changed(loaded("00-start/hello"), source), "a file that is gone is another, too");
}

Test(progress, hash_is_sha256)
{
    char hash[PROGRESS_HASH_SIZE];

    little_write(&little, "abc", "abc");
    cr_assert(progress_hash(memory_format(context, "%s/abc", little.course.root), hash));
    cr_assert_str_eq(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "FIPS 180-2, B.1");
    cr_assert_not(progress_hash("/nowhere/at/all", hash));
    cr_assert_str_eq(hash, "");
    cr_assert_not(progress_hash("/tmp", hash), "a folder is no source");
}

Test(progress, hints_only_grow_and_go_with_a_grading)
{
    struct fault fault;

    cr_assert_eq(progress_hints(little.build_dir, "02-locks/rlock", 2, &fault), 0);
    cr_assert_eq(loaded("02-locks/rlock")->hints, 2);
    cr_assert_not(loaded("02-locks/rlock")->graded);
    cr_assert_eq(progress_hints(little.build_dir, "02-locks/rlock", 1, &fault), 0);
    record("02-locks/rlock", OUTCOME_FAILED, 4);
    cr_assert_eq(loaded("02-locks/rlock")->hints, 2);
    cr_assert(loaded("02-locks/rlock")->graded);
}

/* ---- broken files ------------------------------------------------------------------------------------------------ */

static void check_set_aside(const char *bytes)
{
    struct progress progress;

    little_write(&little, "build/progress.json", bytes);
    progress_load(context, little.build_dir, &progress);
    cr_assert_eq(progress.count, 0u);
    cr_assert_not_null(progress.notice, "nothing was said about: %s", bytes);
    cr_assert_null(strchr(progress.notice, '\n'));
    cr_assert_str_eq(little_read(&little, "build/progress.json.bad"), bytes, "what was there is kept");
    record("00-start/hello", OUTCOME_PASSED, 10);
    cr_assert(progress_passed(loaded("00-start/hello")));
}

Test(progress, a_broken_or_foreign_file_is_set_aside)
{
    check_set_aside("");
    check_set_aside("no JSON at all");
    check_set_aside("{\"interleave_progress\": 1, \"exercises\": {\"a\":");
    check_set_aside("{\"interleave_progress\": 99, \"exercises\": {}}");
    check_set_aside("{\"interleave_progress\": 1, \"exercises\": []}");
    check_set_aside("[1, 2, 3]");
    check_set_aside("{\"somebody\": \"else's\"}");
}

Test(progress, writing_over_a_broken_file_keeps_it_too)
{
    little_write(&little, "build/progress.json", "precious");
    record("00-start/hello", OUTCOME_PASSED, 10);
    cr_assert_str_eq(little_read(&little, "build/progress.json.bad"), "precious");
    cr_assert(progress_passed(loaded("00-start/hello")));
}

Test(progress, wrong_fields_do_no_harm)
{
    little_write(&little, "build/progress.json",
                 "{\"interleave_progress\": 1, \"exercises\": {"
                 "\"00-start/hello\": {\"outcome\": \"broken\", \"points\": -5, \"hints\": 99999999999, \"date\": 7},"
                 "\"00-start/again\": {\"outcome\": \"passed\", \"points\": \"ten\", \"source_sha256\": \"\"},"
                 "\"02-locks/rlock\": 17, \"not/ours\": null, \"\": {}}}");
    cr_assert_not(loaded("00-start/hello")->graded);
    cr_assert_eq(loaded("00-start/hello")->points, 0);
    cr_assert_eq(loaded("00-start/hello")->hints, 3);
    cr_assert_null(loaded("00-start/hello")->date);
    cr_assert(progress_passed(loaded("00-start/again")));
    cr_assert_not(progress_passed(loaded("02-locks/rlock")));
    record("02-locks/rlock", OUTCOME_PASSED, 10);
    cr_assert(progress_passed(loaded("02-locks/rlock")));
}

Test(progress, no_bytes_crash_it)
{
    record("00-start/hello", OUTCOME_PASSED, 10);

    char *good = little_read(&little, "build/progress.json");
    size_t length = strlen(good);
    uint32_t state = 2463534242u;

    for (int round = 0; round < 300; round++) {
        char *bad = memory_text(context, good);
        struct progress progress;

        for (int i = 0; i < 3; i++) {
            state = state * 1664525u + 1013904223u;
            bad[(state >> 8) % length] = (char)(1 + (state >> 16) % 255);
        }
        little_write(&little, "build/progress.json", bad);
        progress_load(context, little.build_dir, &progress);
        for (size_t i = 0; i < progress.count; i++)
            cr_assert_leq(progress.records[i].hints, 3);
    }
}

Test(progress, a_folder_in_its_place_is_set_aside)
{
    struct progress progress;

    little_write(&little, "build/progress.json/file", "");
    progress_load(context, little.build_dir, &progress);
    cr_assert_not_null(progress.notice);
    record("00-start/hello", OUTCOME_PASSED, 10);
    cr_assert(progress_passed(loaded("00-start/hello")));
}

Test(progress, a_place_that_cannot_be_written_is_one_clear_line)
{
    struct verdict verdict = verdict_of("00-start/hello", OUTCOME_PASSED, 10);
    struct fault fault = {""};

    little_write(&little, "build", "a file where the folder should be");
    cr_assert_eq(progress_record(little.build_dir, &verdict, "/nowhere", &fault), -1);
    cr_assert_neq(*fault.text, '\0');
    cr_assert_null(strchr(fault.text, '\n'));
}

/* ---- two at once --------------------------------------------------------------------------------------------------
 */

enum { WRITERS = 6, EACH = 12 };

static void write_some(int writer)
{
    for (int i = 0; i < EACH; i++) {
        char *id = memory_format(context, "07-many/w%d_%d", writer, i);
        struct verdict verdict = verdict_of(id, OUTCOME_PASSED, 10);
        struct fault fault;

        if (progress_record(little.build_dir, &verdict, "/nowhere", &fault) != 0 ||
            progress_hints(little.build_dir, "07-many/shared", i % 4, &fault) != 0)
            _exit(1);
    }
    _exit(0);
}

Test(progress, graders_at_once_lose_nothing)
{
    pid_t writers[WRITERS];

    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        cr_assert_geq(writers[i], 0);
        if (writers[i] == 0)
            write_some(i);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;

        cr_assert_eq(waitpid(writers[i], &status, 0), writers[i]);
        cr_assert_eq(status, 0);
    }

    struct progress progress;

    progress_load(context, little.build_dir, &progress);
    cr_assert_null(progress.notice);
    cr_assert_eq(progress.count, (size_t)WRITERS * EACH + 1);
    cr_assert_eq(progress_find(&progress, "07-many/shared")->hints, 3);
}
