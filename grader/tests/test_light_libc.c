/* test_light_libc.c - helgrind's programs start with the C library without its debug information, where there is one.
 */
#include "light_libc.h"

#include "helgrind_run.h"
#include "workshop_fixture.h"

#include <unistd.h>

static struct fixture fixture;
static const char *root; /* a course of its own, which may get the light library */

static void set_up(void)
{
    void *context = memory_context(NULL);

    root = scratch_dir(context);
    cr_assert_eq(scratch_shell("cp -rL grader/tests/data/course/. %s && mkdir -p %s/build/lib", root, root), 0);
    fixture_begin(&fixture, root, "tiny");
}

static void tear_down(void)
{
    scratch_remove(root);
    fixture_end(&fixture);
}

TestSuite(light_libc, .init = set_up, .fini = tear_down);

static void make_copies(void)
{
    cr_assert_eq(scratch_shell("sh grader/light_libc.sh %s/build/lib", root), 0);
}

/* The scenario program; of the student's, which is the reference with an edit, or with NULL of the reference. */
static const char *program_of(enum flavour flavour, const char *object)
{
    const char *path = NULL;
    char *log = NULL;

    cr_assert_eq(
        toolchain_link(fixture.context, &fixture.shop, flavour, PROGRAM_SCENARIO, object, &path, &log, &fixture.fault),
        0, "%s", fixture.fault.text);
    cr_assert_not_null(path, "%s", log);
    return path;
}

static bool starts_light(const char *program)
{
    size_t size = 0;
    char *bytes = files_read(fixture.context, program, 1 << 26, &size, &fixture.fault);

    cr_assert_not_null(bytes, "%s", fixture.fault.text);
    return memmem(bytes, size, "/ld.so", 7) != NULL;
}

static struct helgrind_sight look(const char *program)
{
    struct helgrind_sight sight;

    cr_assert_eq(helgrind_run(fixture.context, &fixture.shop, program, &sight, &fixture.fault), 0, "%s",
                 fixture.fault.text);
    return sight;
}

static const char *student_object(const char *from, const char *to)
{
    const char *object = NULL;
    struct child_result log;

    fixture_edit(&fixture, from, to);
    cr_assert_eq(toolchain_compile(fixture.context, &fixture.shop, FLAVOUR_PLAIN, &object, &log, &fixture.fault), 0);
    cr_assert_not_null(object, "%s", log.err);
    return object;
}

Test(light_libc, is_found_by_the_build_id_of_the_library_in_use)
{
    cr_assert_null(light_libc_dir(fixture.context, root));
    make_copies();
    const char *dir = light_libc_dir(fixture.context, root);
    cr_assert_not_null(dir);
    cr_assert_eq(scratch_shell("cd %s && test -f libc.so.6 && test -f libc.so.6.symbols", dir), 0);
    cr_assert_eq(scratch_shell("mv %s %s/build/lib/0123", dir, root), 0, "that of another library");
    cr_assert_null(light_libc_dir(fixture.context, root));
}

Test(light_libc, is_made_once_and_leaves_nothing_half)
{
    make_copies();
    const char *dir = light_libc_dir(fixture.context, root);
    cr_assert_eq(scratch_shell("touch %s/here", dir), 0);
    make_copies();
    cr_assert_eq(scratch_shell("test -e %s/here && test \"$(ls -A %s/build/lib | wc -l)\" -eq 1", dir, root), 0);
}

Test(light_libc, only_what_helgrind_runs_starts_with_it)
{
    make_copies();
    const char *object = student_object(NULL, NULL);
    cr_assert(starts_light(program_of(FLAVOUR_PLAIN, object)));
    cr_assert_not(starts_light(program_of(FLAVOUR_ASAN, NULL)));
    cr_assert(look(program_of(FLAVOUR_PLAIN, object)).run.complete);
}

Test(light_libc, a_kept_program_is_never_left_without_it)
{
    make_copies();
    cr_assert(starts_light(program_of(FLAVOUR_PLAIN, NULL)));
    cr_assert_eq(scratch_shell("rm -r %s/build/lib", root), 0);
    cr_assert_not(starts_light(program_of(FLAVOUR_PLAIN, NULL)));
}

Test(light_libc, helgrind_sees_the_same_with_it)
{
    make_copies();
    const char *object = student_object("pthread_mutex_lock(&tiny->mutex);\n    tiny->value += amount;",
                                        "tiny->value += amount;\n    pthread_mutex_lock(&tiny->mutex);");
    struct helgrind_sight sight = look(program_of(FLAVOUR_PLAIN, object));
    cr_assert_gt(sight.report.error_count, 0u);
    cr_assert_str_eq(sight.report.errors[0].kind, "Race");
    cr_assert_str_eq(sight.report.errors[0].traces[0].frames[0].function, "tiny_add");
}
