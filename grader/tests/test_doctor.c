/* test_doctor.c - that a detector which finds nothing, or finds too much, is never trusted. */
#include "../src/doctor.h"
#include "workshop_fixture.h"

#include <sys/stat.h>

static struct fixture fixture;

static void set_up(void)
{
    fixture_tiny(&fixture);
    fixture.shop.cache_dir = memory_format(fixture.context, "%s/cache", fixture.shop.dir);
}

static void tear_down(void)
{
    fixture_end(&fixture);
}

TestSuite(doctor, .init = set_up, .fini = tear_down, .timeout = 300);

/* A program of that name, found before all others. */
static void put_in_path(const char *name, const char *script)
{
    const char *dir = memory_format(fixture.context, "%s/bin", fixture.shop.dir);
    const char *path = memory_format(fixture.context, "%s/%s", dir, name);

    cr_assert(mkdir(dir, 0700) == 0);
    cr_assert(files_write(path, script, strlen(script), &fixture.fault) == 0, "%s", fixture.fault.text);
    cr_assert(chmod(path, 0700) == 0);
    cr_assert(setenv("PATH", memory_format(fixture.context, "%s:%s", dir, getenv("PATH")), 1) == 0);
}

static int require(const char *detector)
{
    fixture.fault.text[0] = '\0';
    return doctor_require(fixture.context, &fixture.shop, detector, &fixture.fault);
}

Test(doctor, every_detector_works_here)
{
    static const char *const names[] = {"helgrind", "tsan",      "asan", "lsan",    "ubsan",
                                        "msan",     "criterion", "hang", "explorer"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_assert(require(names[i]) == 0, "%s", fixture.fault.text);
}

Test(doctor, a_good_answer_is_kept)
{
    cr_assert(require("helgrind") == 0, "%s", fixture.fault.text);
    /* what would now be needed to try again is gone, and is not missed */
    scratch_remove(memory_format(fixture.context, "%s/none", fixture.shop.dir));
    fixture.shop.dir = "/nonexistent";
    int again = require("helgrind");
    fixture.shop.dir = memory_text_n(fixture.context, fixture.shop.source,
                                     (size_t)(strrchr(fixture.shop.source, '/') - fixture.shop.source));
    cr_assert(again == 0, "%s", fixture.fault.text);
}

Test(doctor, a_helgrind_that_finds_nothing_is_broken)
{
    put_in_path("valgrind", "#!/bin/sh\nfor word; do case $word in --xml-file=*) file=${word#*=};; esac; done\n"
                            "echo '<valgrindoutput><tool>helgrind</tool></valgrindoutput>' >\"$file\"\n");
    cr_assert(require("helgrind") == -1);
    cr_assert(strstr(fixture.fault.text, "helgrind does not work on this machine: it did not find a race") != NULL,
              "%s", fixture.fault.text);
    cr_assert(strstr(fixture.fault.text, "valgrind") != NULL);
}

Test(doctor, a_helgrind_that_finds_too_much_is_broken)
{
    put_in_path(
        "valgrind",
        "#!/bin/sh\nfor word; do case $word in --xml-file=*) file=${word#*=};; esac; done\n"
        "stack='<stack><frame><file>race.c</file><line>9</line></frame></stack>'\n"
        "echo \"<valgrindoutput><tool>helgrind</tool><error><kind>Race</kind><what>x</what>$stack<auxwhat>y</auxwhat>"
        "$stack</error></valgrindoutput>\" >\"$file\"\n");
    cr_assert(require("helgrind") == -1);
    cr_assert(strstr(fixture.fault.text, "finds fault with a program that is right") != NULL, "%s", fixture.fault.text);
}

Test(doctor, a_helgrind_that_is_missing_its_parts_says_so)
{
    put_in_path("valgrind", "#!/bin/sh\necho 'valgrind: failed to start tool helgrind' >&2\nexit 1\n");
    cr_assert(require("helgrind") == -1);
    cr_assert(strstr(fixture.fault.text, "failed to start tool") != NULL, "%s", fixture.fault.text);
}

/* The stage does not judge with a broken detector: the verdict is a fault, not a pass. */
Test(doctor, a_stage_refuses_to_judge_with_a_broken_detector)
{
    put_in_path("valgrind", "#!/bin/sh\nfor word; do case $word in --xml-file=*) file=${word#*=};; esac; done\n"
                            "echo '<valgrindoutput><tool>helgrind</tool></valgrindoutput>' >\"$file\"\n");
    fixture_edit(&fixture, NULL, NULL);
    cr_assert(stage_races(fixture.context, &fixture.shop, &fixture.result, &fixture.fault) == -1);
    cr_assert(strstr(fixture.fault.text, "helgrind does not work") != NULL, "%s", fixture.fault.text);
}

Test(doctor, an_unknown_detector_is_a_fault)
{
    cr_assert(require("crystal ball") == -1);
}

Test(doctor, the_report_is_a_table_with_facts)
{
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof text, "w");

    cr_assert_not_null(out);
    int result = doctor_report(fixture.context, fixture.course.root, fixture.shop.cache_dir, out, &fixture.fault);
    (void)fclose(out);
    cr_assert_eq(result, 0, "%s%s", text, fixture.fault.text);
    cr_assert(strstr(text, "helgrind  works") != NULL, "%s", text);
    cr_assert(strstr(text, "hang      works") != NULL, "%s", text);
    cr_assert(strstr(text, "cores ") != NULL, "%s", text);
    cr_assert(strstr(text, "valgrind-3") != NULL, "%s", text);
}
