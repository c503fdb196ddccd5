/* test_valgrind_xml.c - what valgrind 3.19 really wrote, read back; and files that nobody should have to read. */
#include "../src/helgrind_locks.h"
#include "../src/memory.h"
#include "../src/valgrind_xml.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA "grader/tests/data/detectors/"

/* The whole of a small file, owned by `context`. */
static char *text_of(void *context, const char *path)
{
    char *text = memory_zeroed(context, 1 << 16, 1);
    FILE *file = fopen(path, "re");

    cr_assert(file != NULL, "cannot open %s: run the tests from the project's root", path);
    cr_assert(fread(text, 1, (1 << 16) - 1, file) > 0);
    (void)fclose(file);
    return text;
}

/* Reads `size` bytes of `text` as if they were a file. */
static int read_text(void *context, const char *text, size_t size, struct valgrind_report *report, struct fault *fault)
{
    char path[] = "/tmp/test_valgrind_xml.XXXXXX";
    int fd = mkstemp(path);

    cr_assert(fd >= 0);
    cr_assert(write(fd, text, size) == (ssize_t)size);
    (void)close(fd);
    int result = valgrind_xml_read(context, path, report, fault);
    (void)unlink(path);
    return result;
}

Test(valgrind_xml, race_has_both_sides_and_their_threads)
{
    void *context = memory_context(NULL);
    struct valgrind_report report;
    struct fault fault = {""};

    cr_assert(valgrind_xml_read(context, DATA "race.xml", &report, &fault) == 0, "%s", fault.text);
    cr_assert(report.whole);
    cr_assert_str_eq(report.tool, "helgrind");
    cr_assert(report.error_count == 1);
    const struct valgrind_error *error = &report.errors[0];
    cr_assert_str_eq(error->kind, "Race");
    cr_assert(error->thread == 2);
    cr_assert(error->trace_count == 3);
    cr_assert(trace_find(&error->traces[0], "counter.c")->line == 31);
    cr_assert_str_eq(trace_find(&error->traces[0], "counter.c")->function, "counter_add");
    cr_assert(error->traces[1].thread == 3);
    cr_assert(trace_find(&error->traces[1], "counter.c")->line == 24);
    cr_assert_str_eq(error->traces[2].title, "Address 0x4a4c068 is 40 bytes inside a block of size 48 alloc'd");
    cr_assert(error->note_count == 1);
    cr_assert_str_eq(error->notes[0], "Block was alloc'd by thread #1");
    cr_assert(report.thread_count == 3);
    cr_assert(valgrind_thread_find(&report, 1)->root);
    cr_assert(trace_find(&valgrind_thread_find(&report, 3)->created, "s1.c")->line == 9);
    cr_assert(valgrind_thread_find(&report, 4) == NULL);
    talloc_free(context);
}

Test(valgrind_xml, misuse_has_its_kinds_and_the_fatal_signal)
{
    static const char *const kinds[] = {"LockOrder", "Misc",           "UnlockForeign", "UnlockUnlocked",
                                        "Misc",      "UnlockUnlocked", "Misc",          "Misc"};
    void *context = memory_context(NULL);
    struct valgrind_report report;
    struct fault fault = {""};

    cr_assert(valgrind_xml_read(context, DATA "misuse.xml", &report, &fault) == 0, "%s", fault.text);
    cr_assert(report.error_count == sizeof kinds / sizeof kinds[0]);
    for (size_t i = 0; i < report.error_count; i++)
        cr_assert_str_eq(report.errors[i].kind, kinds[i]);
    cr_assert(report.errors[0].trace_count == 5);
    cr_assert_str_eq(report.errors[0].traces[2].title, "followed by a later acquisition of lock at 0x10C160");
    cr_assert(report.errors[2].thread == 5);
    cr_assert(report.errors[2].other == 4);
    cr_assert(report.fatal_signal == 15);
    cr_assert(trace_find(&report.fatal, "s2.c")->line == 29);
    talloc_free(context);
}

Test(valgrind_xml, every_cut_is_read_without_a_fault_and_called_not_whole)
{
    void *context = memory_context(NULL);
    const char *text = text_of(context, DATA "race.xml");
    const char *end = strstr(text, "</valgrindoutput>");

    for (size_t size = 0; size < (size_t)(end - text); size += 97) {
        struct valgrind_report report;
        struct fault fault = {""};

        cr_assert(read_text(context, text, size, &report, &fault) == 0, "cut at %zu: %s", size, fault.text);
        cr_assert(!report.whole, "cut at %zu is not whole", size);
    }
    talloc_free(context);
}

Test(valgrind_xml, what_is_not_xml_is_a_fault_with_its_line)
{
    void *context = memory_context(NULL);
    struct valgrind_report report;
    struct fault fault = {""};
    static const char text[] = "<?xml version=\"1.0\"?>\n<a>\n<b></a>\n";

    cr_assert(read_text(context, text, strlen(text), &report, &fault) == -1);
    cr_assert(strstr(fault.text, "line 3") != NULL, "%s", fault.text);
    cr_assert(valgrind_xml_read(context, "/nonexistent/x.xml", &report, &fault) == -1);
    cr_assert(strstr(fault.text, "cannot open") != NULL);
    talloc_free(context);
}

Test(valgrind_xml, entities_and_depth_are_refused)
{
    static const char bomb[] = "<!DOCTYPE a [<!ENTITY b \"cc\">]><a>&b;</a>";
    void *context = memory_context(NULL);
    struct valgrind_report report;
    struct fault fault = {""};
    char *deep = memory_text(context, "");

    cr_assert(read_text(context, bomb, strlen(bomb), &report, &fault) == -1);
    for (int i = 0; i < 100; i++)
        deep = memory_append(context, deep, "<a>");
    cr_assert(read_text(context, deep, strlen(deep), &report, &fault) == -1);
    talloc_free(context);
}

Test(valgrind_xml, a_flood_of_errors_is_counted_not_kept)
{
    void *context = memory_context(NULL);
    struct valgrind_report report;
    struct fault fault = {""};
    char *text = memory_text(context, "<valgrindoutput>");

    for (int i = 0; i < 1500; i++)
        text = memory_append(context, text, "<error><kind>Race</kind></error>");
    text = memory_append(context, text, "</valgrindoutput>");
    cr_assert(read_text(context, text, strlen(text), &report, &fault) == 0, "%s", fault.text);
    cr_assert(report.error_count == VALGRIND_ERRORS_MAX);
    cr_assert(report.dropped == 1500 - VALGRIND_ERRORS_MAX);
    talloc_free(context);
}

Test(helgrind_locks, sides_and_their_locks)
{
    void *context = memory_context(NULL);
    struct helgrind_locks locks;

    helgrind_locks_read(context, text_of(context, DATA "race.txt"), &locks);
    cr_assert(locks.race_count == 1);
    const struct locked_side *sides = locks.races[0].sides;
    cr_assert(sides[0].thread == 2);
    cr_assert(sides[0].held == 0);
    cr_assert(trace_find(&sides[0].trace, "counter.c")->line == 31);
    cr_assert(sides[1].thread == 3);
    cr_assert(sides[1].held == 1);
    cr_assert(sides[1].locks[0] == 0x4A4C040);
    cr_assert(trace_find(&sides[1].trace, "counter.c")->line == 24);
    cr_assert(locks.lock_count == 1);
    cr_assert(locks.locks[0].address == 0x4A4C040);
    cr_assert(trace_find(&locks.locks[0].first, "counter.c")->line == 16);
    talloc_free(context);
}

Test(helgrind_locks, several_locks_of_one_side)
{
    void *context = memory_context(NULL);
    struct helgrind_locks locks;

    helgrind_locks_read(context, text_of(context, DATA "locks.txt"), &locks);
    cr_assert(locks.race_count == 4);
    cr_assert(locks.lock_count == 3);
    cr_assert(locks.races[3].sides[0].held == 1);
    cr_assert(locks.races[3].sides[1].held == 2);
    cr_assert(locks.races[3].sides[1].locks[1] == 0x10C100);
    cr_assert(trace_find(&locks.races[3].sides[1].trace, "s3.c")->line == 11);
    talloc_free(context);
}

Test(helgrind_locks, what_the_program_printed_is_passed_over)
{
    void *context = memory_context(NULL);
    struct helgrind_locks locks;

    helgrind_locks_read(context,
                        "Possible data race during write of size 8 at 0x1 by thread #2\n"
                        "==x== Locks held: none\n==1==\n====\n==1== Locks held: 99\n==",
                        &locks);
    cr_assert(locks.race_count == 0);
    cr_assert(locks.lock_count == 0);
    talloc_free(context);
}

Test(valgrind_xml, the_error_code_of_a_call_is_a_note)
{
    void *context = memory_context(NULL);
    struct valgrind_report report;
    struct fault fault = {""};

    cr_assert(valgrind_xml_read(context, DATA "api_error.xml", &report, &fault) == 0, "%s", fault.text);
    cr_assert_str_eq(report.errors[1].kind, "PthAPIerror");
    cr_assert_str_eq(report.errors[1].what, "Thread #1's call to pthread_mutex_unlock failed");
    cr_assert(report.errors[1].note_count == 1);
    cr_assert_str_eq(report.errors[1].notes[0], "with error code 1 (EPERM: Operation not permitted)");
    cr_assert(trace_find(&report.errors[1].traces[0], "s4.c")->line == 9);
    talloc_free(context);
}
