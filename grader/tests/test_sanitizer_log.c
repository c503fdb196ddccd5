/* test_sanitizer_log.c - what the sanitizers of gcc 12 and clang 14 really wrote, read back. */
#include "../src/memory.h"
#include "../src/sanitizer_log.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DATA "grader/tests/data/detectors/"

static void log_of(void *context, const char *path, struct sanitizer_log *log)
{
    char *text = memory_zeroed(context, 1 << 16, 1);
    FILE *file = fopen(path, "re");

    cr_assert(file != NULL, "cannot open %s: run the tests from the project's root", path);
    cr_assert(fread(text, 1, (1 << 16) - 1, file) > 0);
    (void)fclose(file);
    sanitizer_log_read(context, text, log);
}

Test(sanitizer_log, use_after_free_has_use_free_and_allocation)
{
    void *context = memory_context(NULL);
    struct sanitizer_log log;

    log_of(context, DATA "use_after_free.txt", &log);
    cr_assert(log.count == 1);
    const struct sanitizer_report *report = &log.reports[0];
    cr_assert(report->sanitizer == SANITIZER_ADDRESS);
    cr_assert_str_eq(report->kind, "heap-use-after-free");
    cr_assert(report->trace_count == 3);
    cr_assert(strncmp(report->traces[0].title, "READ of size 4", 14) == 0);
    cr_assert(trace_find(&report->traces[0], "uaf.c")->line == 6);
    cr_assert_str_eq(report->traces[1].title, "freed by thread T0 here:");
    cr_assert(trace_find(&report->traces[1], "uaf.c")->line == 5);
    cr_assert_str_eq(report->traces[2].title, "previously allocated by thread T0 here:");
    cr_assert(trace_find(&report->traces[2], "uaf.c")->line == 3);
    cr_assert(report->note_count == 1);
    cr_assert(log.failure == NULL);
    talloc_free(context);
}

Test(sanitizer_log, double_free)
{
    void *context = memory_context(NULL);
    struct sanitizer_log log;

    log_of(context, DATA "double_free.txt", &log);
    cr_assert(log.count == 1);
    cr_assert_str_eq(log.reports[0].kind, "double-free");
    cr_assert(trace_find(&log.reports[0].traces[0], "dfree.c")->line == 4);
    cr_assert(trace_find(&log.reports[0].traces[1], "dfree.c")->line == 3);
    talloc_free(context);
}

Test(sanitizer_log, leaks_have_size_and_count)
{
    void *context = memory_context(NULL);
    struct sanitizer_log log;

    log_of(context, DATA "leak.txt", &log);
    cr_assert(log.count == 2);
    cr_assert_str_eq(log.reports[0].kind, "direct leak");
    cr_assert(log.reports[0].bytes == 48);
    cr_assert(log.reports[0].objects == 2);
    cr_assert(trace_find(&log.reports[0].traces[0], "leak.c")->line == 3);
    cr_assert_str_eq(log.reports[1].kind, "indirect leak");
    talloc_free(context);
}

Test(sanitizer_log, undefined_behaviour_has_its_sentence_and_line)
{
    void *context = memory_context(NULL);
    struct sanitizer_log log;

    log_of(context, DATA "undefined.txt", &log);
    cr_assert(log.count == 1);
    cr_assert(log.reports[0].sanitizer == SANITIZER_UNDEFINED);
    cr_assert(strncmp(log.reports[0].text, "signed integer overflow", 23) == 0);
    cr_assert(trace_find(&log.reports[0].traces[0], "ub.c")->line == 3);
    cr_assert_str_eq(log.reports[0].traces[1].frames[0].function, "main");
    talloc_free(context);
}

Test(sanitizer_log, overflow_of_a_stack_array_names_the_array)
{
    void *context = memory_context(NULL);
    struct sanitizer_log log;
    bool named = false;

    log_of(context, DATA "stack_overflow.txt", &log);
    cr_assert(log.count == 1);
    cr_assert_str_eq(log.reports[0].kind, "stack-buffer-overflow");
    for (size_t i = 0; i < log.reports[0].note_count; i++)
        named = named || strstr(log.reports[0].notes[i], "'b' (line 4)") != NULL;
    cr_assert(named);
    talloc_free(context);
}

Test(sanitizer_log, uninitialised_without_symbols_keeps_module_and_offset)
{
    void *context = memory_context(NULL);
    struct sanitizer_log log;

    log_of(context, DATA "uninitialised.txt", &log);
    cr_assert(log.count == 1);
    cr_assert(log.reports[0].sanitizer == SANITIZER_MEMORY);
    cr_assert_str_eq(log.reports[0].kind, "use-of-uninitialized-value");
    cr_assert(log.reports[0].traces[0].frames[0].address == 0xa7368);
    cr_assert_str_eq(log.reports[0].traces[0].frames[0].module, "uninit.msan");
    cr_assert_str_eq(log.reports[0].traces[1].title, "Uninitialized value was created by a heap allocation");
    talloc_free(context);
}

Test(sanitizer_log, thread_sanitizer_has_sides_locks_and_leaks)
{
    void *context = memory_context(NULL);
    struct sanitizer_log log;

    log_of(context, DATA "tsan.txt", &log);
    cr_assert(log.count == 3);
    cr_assert_str_eq(log.reports[0].kind, "data race");
    cr_assert_str_eq(log.reports[0].traces[0].title,
                     "Read of size 8 at 0x7b0c00000028 by thread T2 (mutexes: write M0):");
    cr_assert(trace_find(&log.reports[0].traces[0], "race.c")->line == 10);
    cr_assert(trace_find(&log.reports[0].traces[1], "race.c")->line == 6);
    cr_assert_str_eq(log.reports[1].notes[0],
                     "Location is global 'glob' of size 8 at 0x555555558078 (race.tsan+0x4078)");
    cr_assert_str_eq(log.reports[2].kind, "thread leak");
    talloc_free(context);
}

Test(sanitizer_log, a_sanitizer_that_cannot_work_says_so)
{
    void *context = memory_context(NULL);
    struct sanitizer_log log;

    sanitizer_log_read(context, "==7==LeakSanitizer has encountered a fatal error.\n", &log);
    cr_assert(log.count == 0);
    cr_assert(log.failure != NULL);
    talloc_free(context);
}

Test(sanitizer_log, noise_is_bounded)
{
    void *context = memory_context(NULL);
    struct sanitizer_log log;
    char *text = memory_text(context, "#0 0x1 in nobody x.c:1\n#99999999999999 (\n#1\n");

    for (int i = 0; i < 300; i++)
        text = memory_append(context, text, "==1==ERROR: AddressSanitizer: x\n a\n #0 0x1 (+0x\n #0 b c:1:2:3 (m\n");
    sanitizer_log_read(context, text, &log);
    cr_assert(log.count == SANITIZER_REPORTS_MAX);
    talloc_free(context);
}

/* This very test program has lines: the address of a function in it must come back as that function. */
Test(sanitizer_log, addresses_of_a_program_become_lines)
{
    void *context = memory_context(NULL);
    struct fault fault = {""};
    struct sanitizer_log log;
    Dl_info info;

    /* a function's address as data: what dladdr asks for */
    cr_assert(dladdr((void *)log_of, &info) != 0);
    unsigned long base = (unsigned long)(uintptr_t)info.dli_fbase;
    sanitizer_log_read(context,
                       memory_format(context,
                                     "==1==WARNING: MemorySanitizer: use-of-uninitialized-value\n"
                                     "    #0 0x1  (%s+0x%lx)\n",
                                     "/proc/self/exe", (unsigned long)(uintptr_t)&log_of - base),
                       &log);
    cr_assert(sanitizer_log_resolve(context, "/proc/self/exe", &log, &fault) == 0, "%s", fault.text);
    cr_assert_str_eq(log.reports[0].traces[0].frames[0].function, "log_of");
    cr_assert_str_eq(log.reports[0].traces[0].frames[0].file, "test_sanitizer_log.c");
    cr_assert(log.reports[0].traces[0].frames[0].line > 10);
    cr_assert(sanitizer_log_resolve(context, "/nonexistent", &log, &fault) == -1);
    talloc_free(context);
}
