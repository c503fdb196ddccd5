/* test_cli.c - the program as a student or a script meets it: what it prints where, what it exits with, what it leaves.
 *
 * Each test copies the fixture course to a folder of its own; the cache of what is trusted is shared between the tests.
 * The program is build/grade, or build/asan/grade where these tests themselves run with the sanitizers; GRADE in the
 * environment names another. The tests run in the project's folder, as `make unit` starts them.
 */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *context;
static char *root;    /* the course's copy */
static char *scratch; /* the folder it is in */
static char *grade;   /* the program */
static struct fault fault;

/* What one run did. */
static char *out, *err;
static int status; /* exit status, or 1000 + signal */

static char *absolute(const char *path)
{
    char *found = realpath(path, NULL);
    char *kept = memory_text(context, found);

    free(found);
    return kept;
}

static char *find_grade(void)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    const char *named = getenv("GRADE");

    self[length > 0 ? length : 0] = '\0';
    if (named != NULL)
        return absolute(named);
    return absolute(strstr(self, "-asan") != NULL ? "build/asan/grade" : "build/grade");
}

static void set_up(void)
{
    context = memory_context(NULL);
    grade = find_grade();
    cr_assert_not_null(grade, "there is no build/grade; make it first");
    scratch = scratch_dir(context);
    root = memory_format(context, "%s/course", scratch);
    cr_assert_eq(scratch_shell("cp -rL grader/tests/data/course %s && mkdir -p %s/build "
                               "build/cli-cache && ln -s \"$PWD/build/cli-cache\" %s/build/cache",
                               root, root, root),
                 0);
}

static void tear_down(void)
{
    scratch_remove(scratch);
    talloc_free(context);
}

TestSuite(cli, .timeout = 300, .init = set_up, .fini = tear_down);

static char *slurp(const char *name)
{
    size_t size;
    char *text = files_read(context, memory_format(context, "%s/%s", scratch, name), 64 << 20, &size, &fault);

    cr_assert_not_null(text, "%s", fault.text);
    return text;
}

/* Starts `grade` with the words, its output going to files. `before` runs in the new process. */
static pid_t start(void (*before)(void), char *const *argv)
{
    pid_t pid = fork();

    if (pid == 0) {
        int out_fd = open(memory_format(context, "%s/out", scratch), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int err_fd = open(memory_format(context, "%s/err", scratch), O_WRONLY | O_CREAT | O_TRUNC, 0600);

        dup2(out_fd, STDOUT_FILENO);
        dup2(err_fd, STDERR_FILENO);
        close(out_fd);
        close(err_fd);
        setenv("LC_ALL", "C.UTF-8", 1);
        unsetenv("TMPDIR");
        if (before != NULL)
            before();
        execv(grade, argv);
        _exit(127);
    }
    cr_assert_gt(pid, 0);
    return pid;
}

static void finish(pid_t pid)
{
    int how = 0;

    while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
        continue;
    status = WIFEXITED(how) ? WEXITSTATUS(how) : 1000 + WTERMSIG(how);
    out = slurp("out");
    err = slurp("err");
}

/* Runs `grade --root ROOT WORD…`; the words end with NULL. */
static void run_after(void (*before)(void), ...)
{
    char *argv[24] = {grade, "--root", root};
    va_list words;
    size_t count = 3;

    va_start(words, before);
    while ((argv[count] = va_arg(words, char *)) != NULL)
        count++;
    va_end(words);
    finish(start(before, argv));
}

#define run(...) run_after(NULL, __VA_ARGS__, NULL)

/* Bad usage and faults: one line on standard error, none on standard output, status 2. */
static void expect_fault(const char *words)
{
    const char *newline = strchr(err, '\n');
    bool one_line = strncmp(err, "grade: ", 7) == 0 && newline != NULL && newline[1] == '\0';

    cr_expect(status == 2 && *out == '\0' && one_line && strstr(err, words) != NULL,
              "expected status 2 and \"%s\" in one line; got %d and \"%s\", and on standard output \"%s\"", words,
              status, err, out);
}

static size_t entries_in(const char *dir)
{
    DIR *stream = opendir(dir);
    size_t count = 0;

    while (stream != NULL && readdir(stream) != NULL)
        count++;
    if (stream != NULL)
        closedir(stream);
    return count;
}

/* Whether a process is left that has to do with our folder. */
static bool is_anyone_left(void)
{
    return scratch_shell("for p in /proc/[0-9]*; do "
                         "[ $p = /proc/$$ ] || case $(readlink $p/exe $p/cwd; tr '\\0' ' ' <$p/cmdline) in "
                         "*%s/course/build/work*) exit 1;; esac; done 2>/dev/null",
                         scratch) != 0;
}

static void expect_nothing_left(void)
{
    cr_expect_leq(entries_in(memory_format(context, "%s/build/work", root)), 2, "a work folder is left");
    cr_expect(!is_anyone_left(), "a process is left");
}

static char *reference(void)
{
    return memory_format(context, "%s/solutions/00-start/tiny.c", root);
}

/* The reference with `from` replaced by `to`, as the student's own file. */
static void hand_in(const char *from, const char *to)
{
    char *text = files_read(context, reference(), 1 << 20, NULL, &fault);
    char *at = strstr(text, from);

    cr_assert_not_null(at, "the fixture has changed: no \"%s\"", from);
    *at = '\0';
    scratch_write(root, "exercises/00-start/tiny/tiny.c",
                  memory_format(context, "%s%s%s", text, to, at + strlen(from)));
}

/* ---- right and wrong --------------------------------------------------------------------------------------------- */

Test(cli, a_reference_passes_with_status_0)
{
    run("--tree", memory_format(context, "%s/solutions", root));
    cr_expect_eq(status, 0, "%s%s", out, err);
    cr_expect_str_eq(err, "");
    cr_expect_not_null(strstr(out, "00-start/tiny"), "%s", out);
    cr_expect_null(strchr(out, '\x1b'), "escapes in a pipe: %s", out);
    cr_expect(!scratch_has(root, "build/progress.json"), "another tree is no progress of the student's");
    expect_nothing_left();
}

Test(cli, a_starter_fails_with_status_1_and_is_remembered)
{
    run("tiny");
    cr_expect_eq(status, 1, "%s%s", out, err);
    cr_expect_str_eq(err, "");
    cr_expect(scratch_has(root, "build/progress.json"));
    expect_nothing_left();
}

Test(cli, any_file_can_be_graded_as_the_exercise)
{
    run("--source", reference(), "tiny", "--stages", "tests");
    cr_expect_eq(status, 0, "%s%s", out, err);
    cr_expect(!scratch_has(root, "build/progress.json"));
    hand_in("tiny->value += amount;", "tiny->value += amount");
    run("tiny", "--stages", "build");
    cr_expect_eq(status, 1, "%s%s", out, err);
}

/* The words behind "TOKEN=" of what was printed. */
static char *printed_token(void)
{
    const char *at = strstr(out, "TOKEN=");

    cr_assert_not_null(at, "%s", out);
    return memory_text_n(context, at + 6, strcspn(at + 6, " \n"));
}

Test(cli, what_explore_finds_replay_shows_again)
{
    hand_in("    tiny->value += amount;\n",
            "    long value = tiny->value;\n    pthread_mutex_unlock(&tiny->mutex);\n"
            "    pthread_mutex_lock(&tiny->mutex);\n    tiny->value = value + amount;\n");
    run("explore", "tiny");
    cr_expect_eq(status, 1, "%s%s", out, err);
    cr_expect_not_null(strstr(out, "Two threads added 1 each, and the total is 1."), "%s", out);
    cr_expect_not_null(strstr(out, "1 goes wrong"), "%s", out);
    cr_expect_not_null(strstr(out, "thread 3, add_one"), "the whole order is shown: %s", out);
    cr_expect_not_null(strstr(out, "adder_and_reader"), "what went well is said: %s", out);
    char *token = printed_token();
    cr_expect_eq(strncmp(token, "two_adders:", 11), 0, "%s", token);

    run("replay", "tiny", token);
    cr_expect_eq(status, 1, "%s%s", out, err);
    cr_expect_str_eq(printed_token(), token);
    char *first = out;
    run("replay", "tiny", token);
    cr_expect_str_eq(out, first);
    expect_nothing_left();
    run("replay", "--source", reference(), "tiny", "two_adders:x");
    cr_expect_eq(status, 2, "%s", out);
    cr_expect_not_null(strchr(err, '\n'));
    cr_expect(!scratch_has(root, "build/progress.json"), "exploring is no grading");
}

Test(cli, exploring_what_is_right_says_what_was_proved)
{
    run("explore", "--source", reference(), "tiny");
    cr_expect_eq(status, 0, "%s%s", out, err);
    cr_expect_not_null(strstr(out, "3 scenarios"), "%s", out);
    cr_expect_not_null(strstr(out, "every interleaving"), "%s", out);
    run("explore", "00-start");
    cr_expect_eq(status, 1, "a chapter of one exercise is that exercise: %s%s", out, err);
}

Test(cli, json_on_standard_output_is_alone_there)
{
    run("--source", reference(), "tiny", "--json", "-");
    json_t *report = json_loads(out, 0, NULL);

    cr_expect_eq(status, 0, "%s", err);
    cr_assert_not_null(report, "%s", out);
    json_t *verdict = json_array_get(json_object_get(report, "verdicts"), 0);
    cr_expect_str_eq(json_string_value(json_object_get(verdict, "exercise")), "00-start/tiny");
    cr_expect_eq(json_integer_value(json_object_get(verdict, "points")), 10);
    cr_expect_eq(json_array_size(json_object_get(verdict, "stages")), 6);
    cr_expect_not_null(strstr(err, "00-start/tiny"), "the words go to standard error");
    json_decref(report);
}

Test(cli, bad_sources_are_failures_of_the_student)
{
    static const struct {
        const char *make;
        const char *says;
    } rows[] = {
        {": >%s", "empty"},
        {"printf 'int a;\\0int b;' >%s", "NUL"},
        {"printf 'int a; /* \\377 */\\n' >%s", "UTF-8"},
        {"truncate -s 100M %s", "MiB"},
        {"mkdir %s", "folder"},
        {"mkfifo %s", "regular"},
        {"ln -s /etc/passwd %s", "link"},
        {"ln -s /dev/zero %s", "link"},
        {"true %s", "no submission"},
        {"printf 'this is not C\\n' >%s", ""},
        {"printf 'int main(void) { return 0; }\\n' >%s", "main"},
        {"printf '#include \"/dev/zero\"\\n' >%s", ""},
    };
    char *path = memory_format(context, "%s/exercises/00-start/tiny/tiny.c", root);
    char *report_path = memory_format(context, "%s/report.json", scratch);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(scratch_shell("rm -rf %s", path), 0);
        char *command = memory_text(context, rows[i].make);
        char *at = strstr(command, "%s");
        *at = '\0';
        cr_assert_eq(scratch_shell("%s%s%s", command, path, at + 2), 0);
        run("tiny", "--json", report_path);
        cr_expect_eq(status, 1, "%s: status %d: %s%s", rows[i].make, status, out, err);
        cr_expect_not_null(strcasestr(out, rows[i].says), "%s: \"%s\" is not in: %s", rows[i].make, rows[i].says, out);
        json_t *report = json_load_file(report_path, 0, NULL);
        cr_expect_eq(json_integer_value(json_object_get(report, "failed")), 1, "%s", rows[i].make);
        json_decref(report);
    }
    expect_nothing_left();
}

/* ---- usage ------------------------------------------------------------------------------------------------------- */

Test(cli, bad_usage_is_one_line_and_status_2)
{
    run("tinny");
    expect_fault("exercises: there is no 'tinny'. Did you mean tiny?");
    run("--nonsense");
    expect_fault("there is no option --nonsense");
    run("--tree", "/nowhere/at/all");
    expect_fault("--tree: there is no folder /nowhere/at/all");
    run("--source", "/nowhere/at/all.c", "tiny");
    expect_fault("--source: /nowhere/at/all.c: No such file");
    run("--submissions", "/nowhere/at/all");
    expect_fault("--submissions: /nowhere/at/all: No such file");
    run("--stages", "everything");
    expect_fault("--stages: \"everything\" is no stage");
    run("reset");
    expect_fault("`grade reset` needs the exercise");
}

Test(cli, a_name_that_fits_two_is_refused)
{
    scratch_exercise(root, "00-start/tiny_too", NULL);
    run("tin");
    expect_fault("exercises: 'tin' fits 00-start/tiny, 00-start/tiny_too. Say more of the name.");
    run("tiny", "--stages", "build");
    cr_expect_eq(status, 0, "the whole name of one is that one: %s%s", out, err);
}

Test(cli, a_broken_exercise_ini_is_named_with_line_and_key)
{
    scratch_exercise(root, "02-locks/rlock",
                     "[exercise]\ntitle = T\nread = 02-locks#rlock\norder = 1\n\n; points\npoints = \"ten\"\n"
                     "[stages]\ntests = 10\n[rules]\nallow = @base\n");
    run("tiny");
    expect_fault("checks/02-locks/rlock/exercise.ini:7: points = \"\"ten\"\" is not a whole number from 1 to 100.");
}

Test(cli, help_and_version_need_no_course)
{
    char *help[] = {grade, "--help", NULL}, *version[] = {grade, "--version", NULL};

    finish(start(NULL, help));
    cr_expect_eq(status, 0);
    cr_expect_not_null(strstr(out, "Usage: grade"), "%s", out);
    finish(start(NULL, version));
    cr_expect_eq(status, 0);
    cr_expect_not_null(strstr(out, "grade (interleave) 0."), "%s", out);
}

static void ask_for_no_colour(void)
{
    setenv("NO_COLOR", "1", 1);
}

Test(cli, the_commands_work_and_grade_nothing)
{
    run("list");
    cr_expect_eq(status, 0, "%s", err);
    cr_expect_not_null(strstr(out, "00"), "%s", out);
    run_after(ask_for_no_colour, "next", NULL);
    cr_expect_eq(status, 0, "%s", err);
    cr_expect_not_null(strstr(out, "00-start/tiny"), "%s", out);
    run("hint", "tiny");
    cr_expect_eq(status, 0, "%s", err);
    cr_expect_null(strchr(out, '\x1b'));
}

/* ---- trees and classes ------------------------------------------------------------------------------------------- */

Test(cli, a_tree_may_be_laid_out_in_four_ways)
{
    static const char *const places[] = {"00-start/tiny/tiny.c", "00-start/tiny.c", "exercises/00-start/tiny/tiny.c",
                                         "tiny.c"};
    char *text = files_read(context, reference(), 1 << 20, NULL, &fault);

    for (size_t i = 0; i < 4; i++) {
        char *tree = memory_format(context, "%s/tree%zu", scratch, i);
        scratch_write(tree, places[i], text);
        run("--tree", tree, "--stages", "build");
        cr_expect_eq(status, 0, "%s: %s%s", places[i], out, err);
    }
}

Test(cli, a_class_has_a_record_for_everyone_whatever_one_of_them_does)
{
    char *text = files_read(context, reference(), 1 << 20, NULL, &fault);
    char *students = memory_format(context, "%s/class", scratch),
         *records = memory_format(context, "%s/records", scratch);

    scratch_write(students, "anna/00-start/tiny.c", text);
    scratch_write(
        students, "bert/tiny.c",
        "#include \"tiny.h\"\nint tiny_create(struct tiny **t)\n{\n    for (volatile int i = 0;;)\n        i++;\n"
        "    (void)t;\n    return 0;\n}\nvoid tiny_destroy(struct tiny *t)\n{\n    (void)t;\n}\n"
        "int tiny_add(struct tiny *t, long a)\n{\n    (void)t, (void)a;\n    return 0;\n}\n"
        "long tiny_value(struct tiny *t)\n{\n    (void)t;\n    return 0;\n}\n");
    scratch_write(students, "carl/note.txt", "nothing");
    scratch_write(students, "dora/tiny.c", text);
    run("--submissions", students, "--out", records, "-j", "2");
    cr_expect_eq(status, 1, "%s%s", out, err);
    char *csv = files_read(context, memory_format(context, "%s/class.csv", records), 1 << 20, NULL, &fault);
    cr_assert_not_null(csv, "%s", fault.text);
    cr_expect_not_null(strstr(csv, "\r\nanna,10,10,1,0,"), "%s", csv);
    cr_expect_not_null(strstr(csv, "\r\nbert,0,10,0,1,"), "%s", csv);
    cr_expect_not_null(strstr(csv, "\r\ncarl,0,10,0,0,0,1,"), "%s", csv);
    cr_expect_not_null(strstr(csv, "\r\ndora,10,10,1,0,"), "%s", csv);
    cr_expect(scratch_has(records, "anna.json") && scratch_has(records, "bert.json") &&
              scratch_has(records, "carl.json") && scratch_has(records, "dora.json"));
    cr_expect_not_null(strstr(out, "Not isolated yet"), "%s", out);
    expect_nothing_left();
}

/* ---- when things go wrong outside -------------------------------------------------------------------------------- */

/* Sends the signal to `grade` once a grading has begun: when its work folder has something in it. */
static void interrupt_with(int number)
{
    char *argv[] = {grade, "--root", root, "tiny", NULL};
    char *work = memory_format(context, "%s/build/work", root);
    const struct timespec nap = {.tv_nsec = 1000000};

    hand_in("    made->value = 0;", "    for (volatile int i = 0;;)\n        i++;");
    pid_t pid = start(NULL, argv);
    while (entries_in(work) <= 2 && waitpid(pid, NULL, WNOHANG) == 0)
        nanosleep(&nap, NULL);
    for (int i = 0; i < 300; i++) /* into the compiler, or the tests: wherever, the end must be the same */
        nanosleep(&nap, NULL);
    kill(pid, number);
    finish(pid);
}

/* ---- built on another exercise ----------------------------------------------------------------------------------- */

/* Adds the exercise 00-start/pair, which adds to two totals of 00-start/tiny. */
static void add_pair(void)
{
    scratch_write(root, "exercises/00-start/pair/pair.h", "long pair_sum(long first, long second);\n");
    scratch_write(root, "exercises/00-start/pair/pair.c",
                  "#include \"pair.h\"\nlong pair_sum(long first, long second)\n{\n"
                  "    (void)first;\n    return second;\n}\n");
    scratch_write(root, "solutions/00-start/pair.c",
                  "#include \"pair.h\"\n#include \"tiny.h\"\n#include <stddef.h>\n"
                  "long pair_sum(long first, long second)\n{\n    struct tiny *tiny = NULL;\n"
                  "    if (tiny_create(&tiny) != 0)\n        return -1;\n"
                  "    tiny_add(tiny, first);\n    tiny_add(tiny, second);\n"
                  "    long sum = tiny_value(tiny);\n    tiny_destroy(tiny);\n    return sum;\n}\n");
    scratch_write(root, "grader/checks/00-start/pair/exercise.ini",
                  "[exercise]\ntitle = Two added\nread = 00-start#pair\npoints = 4\norder = 2\n"
                  "needs = 00-start/tiny\n[stages]\ntests = 4\n[rules]\nallow = @base\n");
    scratch_write(root, "grader/checks/00-start/pair/tests.c",
                  "#include \"pair.h\"\n#include \"check.h\"\n"
                  "TEST(adds, \"The sum of both.\")\n{\n    must(pair_sum(2, 3) == 5, \"2 and 3 is not 5.\");\n}\n");
    scratch_write(root, "grader/checks/00-start/pair/hints.md", "## 1\na\n\n## 2\nb\n\n## 3\nc\n");
}

Test(cli, what_an_exercise_is_built_on_is_the_reference_or_with_own_the_students)
{
    add_pair();
    char *pair = memory_format(context, "%s/solutions/00-start/pair.c", root);

    run("--source", pair, "pair");
    cr_expect_eq(status, 0, "the reference serves below, whatever the student has there: %s%s", out, err);
    run("--own", "--source", pair, "pair");
    cr_expect_eq(status, 1, "the starter of tiny adds nothing: %s%s", out, err);
    cr_expect_not_null(strstr(out, "✗ tests"), "%s", out);
    hand_in("return 0;", "return oh;");
    run("--own", "--source", pair, "pair");
    cr_expect_eq(status, 1, "%s%s", out, err);
    cr_expect_not_null(strstr(out, "Your own 00-start/tiny, which this is to be built on, fails at build."), "%s", out);
    hand_in("long value; /* guarded by mutex */", "long value; /* the student's own */");
    run("--own", "--source", pair, "pair");
    cr_expect_eq(status, 0, "%s%s", out, err);
    cr_assert_eq(unlink(memory_format(context, "%s/exercises/00-start/tiny/tiny.c", root)), 0);
    run("--own", "--source", pair, "pair");
    cr_expect_eq(status, 1, "%s%s", out, err);
    cr_expect_not_null(strstr(out, "fails at build"), "%s", out);
    expect_nothing_left();
}

Test(cli, interrupted_it_leaves_nothing_behind)
{
    interrupt_with(SIGINT);
    cr_expect_eq(status, 130, "status %d: %s", status, err);
    cr_expect_str_eq(err, "grade: interrupted; nothing is left running.\n");
    expect_nothing_left();
    interrupt_with(SIGTERM);
    cr_expect_eq(status, 143, "status %d: %s", status, err);
    expect_nothing_left();
    /* And the cache is sound. */
    run("--source", reference(), "tiny", "--stages", "tests");
    cr_expect_eq(status, 0, "%s%s", out, err);
}

static void write_to_full(void)
{
    dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
}

Test(cli, output_that_cannot_be_written_is_a_fault)
{
    run_after(write_to_full, "list", NULL);
    expect_fault("No space left on device");
    run_after(write_to_full, "--help", NULL);
    expect_fault("No space left on device");
    run_after(write_to_full, "--stages", "build", "tiny", NULL);
    expect_fault("No space left on device");
    run_after(write_to_full, "--stages", "build", "--json", "-", "tiny", NULL);
    cr_expect_eq(status, 2, "%s", err);
    run("--stages", "build", "--json", "/dev/full", "tiny");
    cr_expect_eq(status, 2, "%s", err);
    cr_expect_not_null(strstr(err, "grade: /dev/full cannot be written: No space left on device\n"), "%s", err);
    struct stat device;
    cr_expect(stat("/dev/full", &device) == 0 && S_ISCHR(device.st_mode), "the device was replaced");
}

static void write_to_nobody(void)
{
    int ends[2];

    if (pipe(ends) == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
    }
}

Test(cli, a_reader_that_went_away_is_told_nothing)
{
    run_after(write_to_nobody, "list", NULL);
    cr_expect_eq(status, 2, "status %d", status);
    cr_expect_str_eq(err, "");
    run_after(write_to_nobody, "--stages", "build", "tiny", NULL);
    cr_expect_eq(status, 2, "status %d", status);
    cr_expect_str_eq(err, "");
    expect_nothing_left();
}

Test(cli, a_disk_that_takes_no_more_is_one_line_and_nothing_half_written)
{
    const char *json = memory_format(context, "%s/report.json", scratch);
    /* Standard error must be able to grow: the limit is for files, so it goes through a pipe. */
    char *command = memory_format(context,
                                  "(ulimit -f 0; trap '' XFSZ; %s --root %s tiny --stages build --json %s) 2>&1 | cat "
                                  ">%s/said; test ! -e %s",
                                  grade, root, json, scratch, json);

    cr_expect_eq(scratch_shell("%s", command), 0, "a half-written report is left");
    char *said = slurp("said");
    cr_expect_not_null(strstr(said, "grade: "), "%s", said);
    cr_expect_not_null(strstr(said, "File too large"), "%s", said);
    expect_nothing_left();
}

Test(cli, a_full_disk_is_one_line_and_status_2)
{
    char *build = memory_format(context, "%s/build", root);

    if (scratch_shell("rm -rf %s/cache && mount -t tmpfs -o size=64k none %s 2>/dev/null", build, build) != 0)
        cr_skip_test("no tmpfs can be mounted here");
    run("tiny");
    cr_expect_eq(status, 2, "%s%s", out, err);
    cr_expect_not_null(strstr(err, "No space left on device"), "%s%s", out, err);
    const char *newline = strchr(err, '\n');
    cr_expect(newline != NULL && newline[1] == '\0', "not one line: %s", err);
    cr_expect_eq(scratch_shell("umount %s", build), 0);
}
