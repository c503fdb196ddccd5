#include "course.h"
#include "scratch.h"

#include <stdio.h>
#include <unistd.h>

TestSuite(course, .timeout = 60);

static void *context;
static char *root;
static struct course course;
static struct fault fault;

static void set_up(void)
{
    context = memory_context(NULL);
    root = scratch_dir(context);
    fault.text[0] = '\0';
}

static void tear_down(void)
{
    scratch_remove(root);
    talloc_free(context);
}

#define GOOD_HEAD "[exercise]\ntitle = T\nread = 00-start#t\npoints = 10\norder = 1\n"
#define GOOD_TAIL "[stages]\ntests = 10\n[rules]\nallow = @base\n"

/* Each file is broken in one way, and the message names the place and the key. */
static const struct broken {
    const char *ini;
    const char *says;
} broken_files[] = {
    {"[exercise]\ntitle = T\nread = 00-start#t\npoints = ten\norder = 1\n" GOOD_TAIL,
     "grader/checks/02-locks/rlock/exercise.ini:4: points = \"ten\" is not a whole number from 1 to 100."},
    {"[exercise]\ntitle = T\nread = 00-start#t\npoints = 101\norder = 1\n" GOOD_TAIL, "ini:4: points = \"101\""},
    {"[exercise]\ntitle = T\nread = 00-start#t\npoints = 0\norder = 1\n" GOOD_TAIL, "ini:4: points = \"0\""},
    {"[exercise]\ntitle = T\nread = 00-start#t\npoints = 10x\norder = 1\n" GOOD_TAIL, "ini:4: points = \"10x\""},
    {"[exercise]\ntitle = T\nread = 00-start#t\npoints =\norder = 1\n" GOOD_TAIL, "ini:4: points = \"\""},
    {"[exercise]\ntitle =\nread = 00-start#t\npoints = 10\norder = 1\n" GOOD_TAIL, "ini:2: title is empty"},
    {"[exercise]\ntitle = T\nread = 00-start\npoints = 10\norder = 1\n" GOOD_TAIL, "ini:3: read = \"00-start\""},
    {"[exercise]\ntitle = T\ntitle = U\nread = 00-start#t\npoints = 10\norder = 1\n" GOOD_TAIL,
     "ini:3: title stands here a second time (first in line 2)"},
    {"[exercise]\ntitle = T\npoints = 10\norder = 1\n" GOOD_TAIL, "ini: [exercise] needs a line \"read = \""},
    {"[exercise]\ntitle = T\nread = 00-start#t\npoints = 10\n" GOOD_TAIL, "[exercise] needs a line \"order = \""},
    {"oops\n" GOOD_HEAD GOOD_TAIL, "ini:1: this is neither [section]"},
    {GOOD_HEAD "[stages\ntests = 10\n", "ini:6: this is neither [section]"},
    {GOOD_HEAD "[stages]\ntests = 10\n", "[rules] needs a line \"allow = \""},
    {GOOD_HEAD "[stages]\ntests = 9\n[rules]\nallow = @base\n",
     "ini:4: points = 10, but the stages in [stages] add up to 9."},
    {GOOD_HEAD "[stages]\n[rules]\nallow = @base\n", "[stages] gives no stage any points"},
    {GOOD_HEAD "[stages]\ntests = 0\n[rules]\nallow = @base\n", "ini:7: tests = \"0\""},
    {GOOD_HEAD "[stages]\nrace = 10\n[rules]\nallow = @base\n",
     "ini:7: [stages] has no key \"race\". Did you mean races?"},
    {GOOD_HEAD "[stages]\nbuild = 10\n[rules]\nallow = @base\n", "ini:7: [stages] has no key \"build\""},
    {GOOD_HEAD GOOD_TAIL "[colour]\nred = 1\n", "ini:11: [colour] is no section"},
    {GOOD_HEAD GOOD_TAIL "[interleavings]\nruns = 0\n",
     "ini:11: runs = \"0\" is not a whole number from 1 to 1000000."},
    {GOOD_HEAD GOOD_TAIL "[interleavings]\npreemptions = 9\n", "ini:11: preemptions = \"9\" is not a whole number"},
    {GOOD_HEAD GOOD_TAIL "[interleavings]\nspurious = maybe\n", "ini:11: spurious = \"maybe\" is neither yes nor no."},
    {GOOD_HEAD GOOD_TAIL "[interleavings]\nfaults =\n", "ini:11: faults = \"\" is neither yes nor no."},
    {GOOD_HEAD GOOD_TAIL "[interleavings]\nrun = 5\n",
     "ini:11: [interleavings] has no key \"run\". Did you mean runs?"},
    {GOOD_HEAD "[stages]\ninterleaving = 10\n[rules]\nallow = @base\n", "Did you mean interleavings?"},
    {"title = T\n" GOOD_HEAD GOOD_TAIL, "ini:1: [] is no section"},
    {GOOD_HEAD "[stages]\ntests = 10\n[rules]\nallow = @base @mutx\n",
     "ini:9: @mutx is no set of grader/checks/allow.ini. Did you mean @mutex?"},
    {GOOD_HEAD GOOD_TAIL "forbid = pthread_x\n", "ini:10: forbid = \"pthread_x\" is not NAME: a sentence"},
    {GOOD_HEAD GOOD_TAIL "forbid = a b: why\n", "ini:10: forbid"},
    {GOOD_HEAD GOOD_TAIL "word = a-b: why\n", "ini:10: word = \"a-b\" is no identifier"},
    {GOOD_HEAD GOOD_TAIL "[tests]\nwrap = malloc free()\n", "ini:11: wrap = \"free()\""},
    {GOOD_HEAD GOOD_TAIL "[tests]\nmemory_mb = 1\n", "ini:11: memory_mb = \"1\""},
    {GOOD_HEAD GOOD_TAIL "[races]\ndetectors = drd\n", "ini:11: detectors = \"drd\""},
    {GOOD_HEAD GOOD_TAIL "[races]\ndetectors =\n", "ini:11: detectors = \"\""},
    {GOOD_HEAD GOOD_TAIL "[timing]\nat_most = 0.5\n", "ini:11: at_most = \"0.5\""},
    {GOOD_HEAD GOOD_TAIL "[timing]\nat_most = nan\n", "ini:11: at_most = \"nan\""},
    {GOOD_HEAD GOOD_TAIL "[timing]\nmeasure = clock\n", "ini:11: measure = \"clock\""},
    {GOOD_HEAD GOOD_TAIL "[timing]\ncores = many\n", "ini:11: cores = \"many\""},
    {GOOD_HEAD "[stages]\ntests = 5\ntiming = 5\n[rules]\nallow = @base\n", "ini:8: timing counts, so [timing] needs"},
    {GOOD_HEAD "[stages]\ntests = 5\ntiming = 5\n[rules]\nallow = @base\n[timing]\nat_most = 2\nwhy = W\n",
     "grader/checks/02-locks/rlock/bench.c, which this exercise needs, is not there"},
    {"[exercise]\nstarter = nowhere\n", "ini:2: starter = \"nowhere\""},
    {"[exercise]\nstarter = races\ntitle = T\nread = 00-start#t\npoints = 10\norder = 1\n" GOOD_TAIL,
     "ini:2: starter = races, but [stages] gives that stage no points"},
    {"[exercise]\nneeds = 02-locks/counter\ntitle = T\nread = 00-start#t\npoints = 10\norder = 1\n" GOOD_TAIL,
     "ini:2: needs = 02-locks/counter: there is no such exercise"},
    {"[exercise]\nneeds = 02-locks/rlock\ntitle = T\nread = 00-start#t\npoints = 10\norder = 1\n" GOOD_TAIL,
     "ini:2: needs = 02-locks/rlock: the two are built on each other, in a circle"},
};

Test(course, a_broken_file_is_named_with_line_and_key, .init = set_up, .fini = tear_down)
{
    scratch_exercise(root, "02-locks/rlock", NULL);
    for (size_t i = 0; i < sizeof broken_files / sizeof *broken_files; i++) {
        scratch_write(root, "grader/checks/02-locks/rlock/exercise.ini", broken_files[i].ini);
        fault.text[0] = '\0';
        cr_expect(course_load(context, root, &course, &fault) == -1, "taken: %s", broken_files[i].ini);
        cr_expect_not_null(strstr(fault.text, broken_files[i].says), "expected \"%s\", got \"%s\"",
                           broken_files[i].says, fault.text);
        cr_expect_null(strchr(fault.text, '\n'), "more than one line");
        cr_expect_null(strstr(fault.text, root), "names a machine path: %s", fault.text);
    }
}

Test(course, all_keys_are_read, .init = set_up, .fini = tear_down)
{
    scratch_exercise(root, "01-threads/first", NULL);
    scratch_exercise(root, "02-locks/rlock",
                     "; a comment\n[exercise]\ntitle  = A lock; again ; a comment\nread = 02-locks#rlock\npoints = 10\n"
                     "order = 3\nstarter = races\nneeds = 01-threads/first\n"
                     "[stages]\ntests = 4\nraces = 3\ninterleavings = 1\ntiming = 2\n"
                     "[rules]\nallow = @base\n         @mutex pthread_self\nforbid = pthread_mutexattr_*: Why: this.\n"
                     "forbid = abort: No.\nword = PTHREAD_MUTEX_RECURSIVE: Nor this.\n"
                     "[tests]\nwrap = malloc free\nmemory_mb = 64\n[races]\ndetectors = tsan\n"
                     "[interleavings]\nruns = 300\npreemptions = 1\nspurious = yes\nfaults = yes\n"
                     "[timing]\nat_most = 1.6\nmeasure = cpu\ncores = 2\nwhy = Too slow.\n");
    scratch_write(root, "grader/checks/02-locks/rlock/bench.c", "");
    cr_assert(course_load(context, root, &course, &fault) == 0, "%s", fault.text);
    const struct exercise *exercise = &course.exercises[1];
    cr_expect_str_eq(exercise->id, "02-locks/rlock");
    cr_expect_str_eq(exercise->chapter, "02-locks");
    cr_expect_str_eq(exercise->name, "rlock");
    cr_expect_str_eq(exercise->title, "A lock; again");
    cr_expect_str_eq(exercise->read, "02-locks#rlock");
    cr_expect_eq(exercise->points, 10);
    cr_expect_eq(exercise->stage_points[STAGE_TESTS], 4);
    cr_expect_eq(exercise->stage_points[STAGE_INTERLEAVINGS], 1);
    cr_expect_eq(exercise->explore_runs, 300);
    cr_expect_eq(exercise->explore_preemptions, 1);
    cr_expect(exercise->explore_spurious && exercise->explore_faults);
    cr_expect_eq(exercise->stage_points[STAGE_MEMORY], 0);
    cr_expect_eq(exercise->stage_points[STAGE_RACES], 3);
    cr_expect_eq(exercise->stage_points[STAGE_TIMING], 2);
    cr_expect_eq(exercise->starter_fails_at, STAGE_RACES);
    cr_expect_str_eq(exercise->needs[0], "01-threads/first");
    cr_expect_null(exercise->needs[1]);
    const char *allowed[] = {"memcpy", "strlen", "pthread_mutex_*", "pthread_self"};
    for (size_t i = 0; i < 4; i++)
        cr_expect_str_eq(exercise->allow[i], allowed[i]);
    cr_expect_null(exercise->allow[4]);
    cr_expect_eq(exercise->ban_count, 2);
    cr_expect_str_eq(exercise->bans[0].name, "pthread_mutexattr_*");
    cr_expect_str_eq(exercise->bans[0].why, "Why: this.");
    cr_expect_str_eq(exercise->word_bans[0].name, "PTHREAD_MUTEX_RECURSIVE");
    cr_expect_str_eq(exercise->wraps[1], "free");
    cr_expect_null(exercise->wraps[2]);
    cr_expect_eq(exercise->memory_mb, 64);
    cr_expect(!exercise->helgrind && exercise->tsan);
    cr_expect_float_eq(exercise->time_at_most, 1.6, 1e-9);
    cr_expect(!exercise->time_wall);
    cr_expect_eq(exercise->time_cores, 2);
    cr_expect_str_eq(exercise->time_why, "Too slow.");
    cr_expect_str_eq(exercise->reference, memory_format(context, "%s/solutions/02-locks/rlock.c", root));
}

Test(course, what_is_not_said_has_its_default, .init = set_up, .fini = tear_down)
{
    scratch_exercise(root, "02-locks/rlock", NULL);
    cr_assert(course_load(context, root, &course, &fault) == 0, "%s", fault.text);
    const struct exercise *exercise = course.exercises;
    cr_expect(exercise->helgrind && !exercise->tsan);
    cr_expect_eq(exercise->memory_mb, 512);
    cr_expect_eq(exercise->stage_points[STAGE_INTERLEAVINGS], 0, "it counts only where it is named");
    cr_expect_eq(exercise->explore_runs, 4000);
    cr_expect_eq(exercise->explore_preemptions, 2);
    cr_expect(!exercise->explore_spurious && !exercise->explore_faults);
    cr_expect_eq(exercise->starter_fails_at, STAGE_TESTS);
    cr_expect_null(exercise->needs[0]);
    cr_expect_null(exercise->wraps[0]);
}

static const char *with_order(int order)
{
    return memory_format(context,
                         "[exercise]\ntitle = T\nread = 00-start#t\npoints = 1\norder = %d\n[stages]\ntests = 1\n"
                         "[rules]\nallow = @base\n",
                         order);
}

static void several(void)
{
    set_up();
    scratch_exercise(root, "02-locks/transfer", with_order(1));
    scratch_exercise(root, "02-locks/fair_lock", with_order(3));
    scratch_exercise(root, "02-locks/rlock", with_order(2));
    scratch_exercise(root, "01-threads/start_join", with_order(2));
    scratch_exercise(root, "01-threads/start", with_order(2));
    scratch_exercise(root, "09-shared-memory/robust_lock", with_order(1));
    scratch_write(root, "grader/checks/02-locks/not_yet/tests.c", "");
    cr_assert(course_load(context, root, &course, &fault) == 0, "%s", fault.text);
}

Test(course, the_order_is_chapter_then_order_then_name, .init = several, .fini = tear_down)
{
    const char *const ids[] = {"01-threads/start", "01-threads/start_join", "02-locks/transfer",
                               "02-locks/rlock",   "02-locks/fair_lock",    "09-shared-memory/robust_lock"};

    cr_assert_eq(course.count, 6);
    for (size_t i = 0; i < 6; i++) {
        cr_expect_str_eq(course.exercises[i].id, ids[i]);
        cr_expect_eq(course.exercises[i].order, (int)i + 1);
    }
}

Test(course, a_name_or_a_part_that_fits_one_is_found, .init = several, .fini = tear_down)
{
    static const char *const pairs[][2] = {
        {"02-locks/rlock", "02-locks/rlock"},
        {"rlock", "02-locks/rlock"},
        {"RLock", "02-locks/rlock"},
        {"02-locks/rl", "02-locks/rlock"},
        {"start", "01-threads/start"},
        {"start_", "01-threads/start_join"},
        {"robust", "09-shared-memory/robust_lock"},
        {"exercises/02-locks/rlock/rlock.c", "02-locks/rlock"},
        {"./solutions/02-locks/rlock.c", "02-locks/rlock"},
        {"trans", "02-locks/transfer"},
        {"09", "09-shared-memory/robust_lock"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct exercise *found = course_find(&course, pairs[i][0], &fault);

        cr_assert_not_null(found, "%s: %s", pairs[i][0], fault.text);
        cr_expect_str_eq(found->id, pairs[i][1]);
    }
}

Test(course, what_fits_several_is_listed, .init = several, .fini = tear_down)
{
    cr_expect_null(course_find(&course, "lock", &fault));
    cr_expect_str_eq(fault.text, "exercises: 'lock' fits 02-locks/rlock, 02-locks/fair_lock, "
                                 "09-shared-memory/robust_lock. Say more of the name.");
    cr_expect_null(course_find(&course, "02", &fault));
    cr_expect_not_null(strstr(fault.text, "02-locks/transfer, 02-locks/rlock"), "%s", fault.text);
    cr_expect_null(course_find(&course, "", &fault));
}

Test(course, what_fits_none_is_guessed_at, .init = several, .fini = tear_down)
{
    cr_expect_null(course_find(&course, "rlokc", &fault));
    cr_expect_not_null(strstr(fault.text, "Did you mean rlock?"), "%s", fault.text);
    cr_expect_null(course_find(&course, "02-locks/trasnfer", &fault));
    cr_expect_not_null(strstr(fault.text, "Did you mean 02-locks/transfer?"), "%s", fault.text);
    cr_expect_null(course_find(&course, "zzzzzz", &fault));
    cr_expect_not_null(strstr(fault.text, "`grade list`"), "%s", fault.text);
}

Test(course, a_chapter_is_all_of_its_exercises, .init = several, .fini = tear_down)
{
    static const char *const words[] = {"02-locks", "02", "locks", "LOCKS", "02-locks/"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const struct exercise **found = course_select(context, &course, words[i], &fault);

        cr_assert_not_null(found, "%s: %s", words[i], fault.text);
        cr_expect_str_eq(found[0]->id, "02-locks/transfer");
        cr_expect_str_eq(found[2]->id, "02-locks/fair_lock");
        cr_expect_null(found[3]);
    }
    const struct exercise **one = course_select(context, &course, "start", &fault);
    cr_assert_not_null(one);
    cr_expect_str_eq(one[0]->id, "01-threads/start");
    cr_expect_null(one[1]);
    cr_expect_null(course_select(context, &course, "lock", &fault));
    cr_expect_null(course_select(context, &course, "nothing_like_it", &fault));
}

Test(course, a_circle_of_needs_is_a_fault, .init = set_up, .fini = tear_down)
{
    static const char *const ids[] = {"01-a/one", "01-a/two", "01-a/three"};

    for (int i = 0; i < 3; i++)
        scratch_exercise(root, ids[i],
                         memory_format(context,
                                       "[exercise]\ntitle = T\nread = 00-start#t\npoints = 1\norder = 1\nneeds = %s\n"
                                       "[stages]\ntests = 1\n[rules]\nallow = @base\n",
                                       ids[(i + 1) % 3]));
    cr_expect(course_load(context, root, &course, &fault) == -1);
    cr_expect_not_null(strstr(fault.text, "exercise.ini:6: needs = "), "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, "circle"), "%s", fault.text);
}

Test(course, a_file_that_cannot_be_text_is_a_fault, .init = set_up, .fini = tear_down)
{
    char *path = memory_format(context, "%s/grader/checks/02-locks/rlock/exercise.ini", root);

    scratch_exercise(root, "02-locks/rlock", NULL);
    cr_assert(files_write(path, "[exercise]\0\n", 12, &fault) == 0);
    cr_expect(course_load(context, root, &course, &fault) == -1);
    cr_expect_not_null(strstr(fault.text, "NUL"), "%s", fault.text);
    enum { BIG = 2 << 20 };
    char *big = memory_zeroed(context, BIG, 1);
    memset(big, 'x', BIG);
    cr_assert(files_write(path, big, BIG, &fault) == 0);
    cr_expect(course_load(context, root, &course, &fault) == -1);
    cr_assert(files_write(path, big, 20000, &fault) == 0);
    cr_expect(course_load(context, root, &course, &fault) == -1);
    cr_expect_not_null(strstr(fault.text, "exercise.ini:1: the line is longer"), "%s", fault.text);
}

Test(course, missing_files_are_faults_but_a_missing_starter_is_not, .init = set_up, .fini = tear_down)
{
    static const char *const needed[] = {"exercises/02-locks/rlock/rlock.h", "solutions/02-locks/rlock.c",
                                         "grader/checks/02-locks/rlock/tests.c",
                                         "grader/checks/02-locks/rlock/scenario.c"};

    for (size_t i = 0; i < 4; i++) {
        scratch_exercise(root, "02-locks/rlock", NULL);
        cr_assert(course_load(context, root, &course, &fault) == 0, "%s", fault.text);
        unlink(memory_format(context, "%s/%s", root, needed[i]));
        cr_expect(course_load(context, root, &course, &fault) == -1);
        cr_expect_not_null(strstr(fault.text, needed[i]), "%s", fault.text);
    }
}

Test(course, an_empty_course_is_a_fault, .init = set_up, .fini = tear_down)
{
    cr_expect(course_load(context, root, &course, &fault) == -1);
    scratch_write(root, "grader/checks/allow.ini", "[sets]\n");
    cr_expect(course_load(context, root, &course, &fault) == -1);
    cr_expect_not_null(strstr(fault.text, "has no exercise"), "%s", fault.text);
}
