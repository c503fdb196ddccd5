/* test_class.c - names of students, and the records of a class that has handed in nothing that could be run. */
#include "class.h"
#include "scratch.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static void *context;
static char *root;
static struct course course;
static struct options options;
static struct screen screen;
static struct fault fault;
static char *said;
static size_t said_size;

static void set_up(void)
{
    context = memory_context(NULL);
    root = scratch_dir(context);
}

static void tear_down(void)
{
    free(said);
    scratch_remove(root);
    talloc_free(context);
}

TestSuite(class, .timeout = 120, .init = set_up, .fini = tear_down);

Test(class, file_names_are_safe_and_no_two_are_the_same)
{
    static const char *const names[][2] = {
        {"anna", "anna"},
        {"student-017", "student-017"},
        {"J\xC3\xB6rg 2", "J\xC3\xB6rg 2"},
        {"-x", "%2Dx"},
        {".x", "%2Ex"},
        {"a.b", "a.b"},
        {"a\nb", "a%0Ab"},
        {"a%0Ab", "a%250Ab"},
        {"\xff", "%FF"},
        {"%FF", "%25FF"},
        {"a\x1b[31m", "a%1B%5B31m"},
        {"=1+1", "%3D1%2B1"},
        {"\xE2\x80\xAE"
         "abc",
         "%E2%80%AE"
         "abc"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_str_eq(class_file_name(context, names[i][0]), names[i][1]);

    /* As long as a folder's name can be, and worst: three letters for each byte. */
    char one[256], other[256];
    memset(one, '\xff', 255);
    memset(other, '\xff', 255);
    one[255] = other[255] = '\0';
    other[254] = 'x';
    cr_expect_leq(strlen(class_file_name(context, one)), 200);
    cr_expect_str_neq(class_file_name(context, one), class_file_name(context, other));
}

Test(class, names_are_shown_on_one_line_without_commands)
{
    cr_expect_str_eq(class_shown_name(context, "a\n\x1b[31m\xff\\"), "a\\x0a\\x1b[31m\\xff\\\\");
    cr_expect_str_eq(class_shown_name(context, "J\xC3\xB6rg"), "J\xC3\xB6rg");
    cr_expect_str_eq(class_shown_name(context, "\xE2\x80\xAE"), "\\xe2\\x80\\xae");
    cr_expect_str_eq(class_shown_name(context, "\x7f"), "\\x7f");
}

Test(class, csv_fields_are_no_formulas_and_part_where_they_should)
{
    static const char *const fields[][2] = {
        {"anna", "anna"},  {"a,b", "\"a,b\""}, {"a\"b", "\"a\"\"b\""}, {"=1+1", "\"'=1+1\""},
        {"+1", "\"'+1\""}, {"-1", "\"'-1\""},  {"@a", "\"'@a\""},      {"a=b", "a=b"},
        {"", ""},          {" a", "\" a\""},   {"a\nb", "\"a\nb\""},   {"%x", "%x"},
        {"%s%n", "%s%n"},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        cr_expect_str_eq(class_csv_field(context, fields[i][0]), fields[i][1]);
}

/* Grades ROOT/class with what it says going to `said`. */
static int grade_class(const char *out_name)
{
    const struct exercise **all;
    FILE *out = open_memstream(&said, &said_size);

    scratch_exercise(root, "02-locks/rlock", NULL);
    scratch_exercise(root, "02-locks/counter", NULL);
    cr_assert(course_load(context, root, &course, &fault) == 0, "%s", fault.text);
    all = memory_zeroed(context, course.count + 1, sizeof(struct exercise *));
    for (size_t i = 0; i < course.count; i++)
        all[i] = &course.exercises[i];
    options = (struct options){
        .submissions = memory_format(context, "%s/class", root), .out = out_name, .jobs = 3, .stages = STAGES_ALL};
    screen = (struct screen){.width = 80, .utf8 = true};
    int status = class_grade(context, &options, &course, all, out, &screen, &fault);
    fclose(out);
    return status;
}

static size_t files_ending(const char *dir, const char *ending)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    size_t count = 0;

    cr_assert_not_null(stream, "%s", dir);
    while ((entry = readdir(stream)) != NULL) {
        const char *at = strstr(entry->d_name, ending);
        count += at != NULL && strcmp(at, ending) == 0;
    }
    closedir(stream);
    return count;
}

Test(class, every_submission_has_exactly_one_record)
{
    static const char *const names[] = {"anna", "=SUM(A1)", "-rf", "new\nline", "bad\xff", "\x1b[31mred", "..."};
    const size_t count = sizeof names / sizeof *names;
    char *out = memory_format(context, "%s/out", root);

    for (size_t i = 0; i + 1 < count; i++)
        scratch_write(root, memory_format(context, "class/%s/note.txt", names[i]), "nothing");
    scratch_write(root, "class/.../note.txt", "hidden: left out");
    scratch_write(root, "class/README", "no folder: left out");
    cr_assert_eq(symlink("/etc", memory_format(context, "%s/class/zlink", root)), 0);
    cr_expect_eq(grade_class(out), 1, "%s", fault.text);
    cr_expect_eq(files_ending(out, ".json"), count); /* six folders and the link */
    cr_expect_eq(files_ending(out, ".csv"), 1);
    cr_expect_eq(files_ending(out, "~"), 0);

    char *csv = files_read(context, memory_format(context, "%s/class.csv", out), 1 << 20, NULL, &fault);
    size_t lines = 0;
    for (const char *at = csv; (at = strstr(at, "\r\n")) != NULL; at += 2)
        lines++;
    cr_expect_eq(lines, count + 1, "%s", csv);
    cr_expect_not_null(strstr(csv, "\r\n\"'=SUM(A1)\",0,20,0,0,0,2,0,"), "%s", csv);
    cr_expect_not_null(strstr(csv, "zlink,0,0,0,0,0,0,0,\"not graded: it is a symbolic link"), "%s", csv);
    cr_expect_not_null(strstr(said, "Not isolated yet"), "%s", said);
    cr_expect_not_null(strstr(said, "2 entries are left out"), "%s", said);
    cr_expect_null(strchr(said, '\x1b'), "%s", said);
    cr_expect_not_null(strstr(said, "6 handed in nothing, 1 need a look"), "%s", said);
}

Test(class, a_record_says_whose_it_is_and_what_was_missing)
{
    char *out = memory_format(context, "%s/out", root);

    scratch_write(root, "class/anna/note.txt", "");
    cr_expect_eq(grade_class(out), 1, "%s", fault.text);
    json_t *report = json_load_file(memory_format(context, "%s/anna.json", out), 0, NULL);
    cr_assert_not_null(report);
    cr_expect_str_eq(json_string_value(json_object_get(report, "student")), "anna");
    cr_expect_eq(json_array_size(json_object_get(report, "verdicts")), 2);
    json_t *verdict = json_array_get(json_object_get(report, "verdicts"), 0);
    cr_expect_str_eq(json_string_value(json_object_get(verdict, "exercise")), "02-locks/counter");
    cr_expect(json_is_true(json_object_get(verdict, "missing")));
    cr_expect_eq(json_integer_value(json_object_get(verdict, "max_points")), 10);
    json_decref(report);
}

Test(class, an_old_table_does_not_outlive_a_run_that_fails)
{
    char *out = memory_format(context, "%s/out", root);

    scratch_write(root, "class/anna/note.txt", "");
    scratch_write(root, "out/class.csv", "old");
    scratch_write(root, "out/anna.json/in_the_way", ""); /* a folder where the record should be */
    cr_expect_eq(grade_class(out), -1);
    cr_expect_not_null(strstr(fault.text, "anna.json cannot be written"), "%s", fault.text);
    cr_expect(!scratch_has(root, "out/class.csv"));
}

Test(class, no_class_is_a_fault)
{
    cr_expect_eq(grade_class(root), -1);
    cr_expect_not_null(strstr(fault.text, "No such file"), "%s", fault.text);
    free(said);
    said = NULL;
    scratch_write(root, "class/README", "");
    cr_expect_eq(grade_class(root), -1);
    cr_expect_not_null(strstr(fault.text, "there is no folder in it"), "%s", fault.text);
}
