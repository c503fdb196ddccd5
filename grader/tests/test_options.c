#include "memory.h"
#include "options.h"
#include "scratch.h"

#include <stdio.h>
#include <unistd.h>

static void *context;
static struct options options;
static struct fault fault;

static void set_up(void)
{
    context = memory_context(NULL);
}

static void tear_down(void)
{
    talloc_free(context);
}

TestSuite(options, .timeout = 60, .init = set_up, .fini = tear_down);

/* Parses the words of one line. */
static int parse(const char *line)
{
    static char *argv[32];
    char *rest = memory_text(context, line);
    int argc = 0;

    argv[argc++] = "grade";
    for (char *word; (word = strsep(&rest, " ")) != NULL && argc < 31;)
        argv[argc++] = word;
    argv[argc] = NULL;
    fault.text[0] = '\0';
    return options_parse(context, *line == '\0' ? 1 : argc, argv, &options, &fault);
}

Test(options, what_is_typed_is_read)
{
    cr_assert(parse("rlock 02-locks --tree solutions --stages tests,races -j 3 --json - -v --no-color") == 0, "%s",
              fault.text);
    cr_expect_eq(options.command, COMMAND_GRADE);
    cr_expect_eq(options.word_count, 2);
    cr_expect_str_eq(options.words[1], "02-locks");
    cr_expect_null(options.words[2]);
    cr_expect_str_eq(options.tree, "solutions");
    cr_expect_eq(options.stages, 1u << STAGE_BUILD | 1u << STAGE_RULES | 1u << STAGE_TESTS | 1u << STAGE_RACES);
    cr_expect_eq(options.jobs, 3);
    cr_expect_str_eq(options.json, "-");
    cr_expect(options.verbose && options.no_color);
    cr_assert_not_null(options.root);
    cr_expect_eq(options.root[0], '/');
}

Test(options, nothing_typed_grades_all_with_all_cores)
{
    cr_assert(parse("") == 0, "%s", fault.text);
    cr_expect_eq(options.command, COMMAND_GRADE);
    cr_expect_eq(options.word_count, 0);
    cr_expect_eq(options.jobs, options_cores());
    cr_expect_eq(options.stages, STAGES_ALL);
    cr_expect_null(options.json);
}

Test(options, first_words_that_are_commands)
{
    static const struct {
        const char *line;
        enum command command;
        size_t words;
    } rows[] = {
        {"list", COMMAND_LIST, 0},
        {"next", COMMAND_NEXT, 0},
        {"hint rlock", COMMAND_HINT, 1},
        {"hint --again", COMMAND_HINT, 0},
        {"reset rlock", COMMAND_RESET, 1},
        {"watch", COMMAND_WATCH, 0},
        {"doctor", COMMAND_DOCTOR, 0},
        {"explore rlock", COMMAND_EXPLORE, 1},
        {"explore --source x.c rlock --json - --own", COMMAND_EXPLORE, 1},
        {"replay rlock two_owners:i1.1", COMMAND_REPLAY, 2},
        {"replay rlock two_owners:i1.1 --tree solutions", COMMAND_REPLAY, 2},
        {"--help", COMMAND_HELP, 0},
        {"--version", COMMAND_VERSION, 0},
        {"--version --help", COMMAND_HELP, 0},
        {"--no-color list", COMMAND_LIST, 0},
        {"-- list", COMMAND_GRADE, 1},
        {"rlock list", COMMAND_GRADE, 2},
        {"list --help", COMMAND_HELP, 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert(parse(rows[i].line) == 0, "%s: %s", rows[i].line, fault.text);
        cr_expect_eq(options.command, rows[i].command, "%s", rows[i].line);
        cr_expect_eq(options.word_count, rows[i].words, "%s", rows[i].line);
    }
}

Test(options, bad_usage_is_one_line_that_helps)
{
    static const char *const rows[][2] = {
        {"--colours", "there is no option --colours"},
        {"--verbose=1", "--verbose takes no value"},
        {"-x", "there is no option -x"},
        {"--tree", "--tree needs a value"},
        {"-j", "-j needs a value"},
        {"-j 0", "--jobs: \"0\" is not a whole number from 1 to 256"},
        {"-j -1", "--jobs: \"-1\""},
        {"-j two", "--jobs: \"two\""},
        {"-j 99999999999999999999", "--jobs: \"9999"},
        {"--stages test", "--stages: \"test\" is no stage"},
        {"--stages tests,", "--stages: \"\" is no stage"},
        {"list rlock", "`grade list` takes no exercise"},
        {"doctor rlock", "`grade doctor` takes no exercise"},
        {"hint a b", "takes one exercise"},
        {"reset", "`grade reset` needs the exercise"},
        {"explore", "`grade explore` needs the exercise"},
        {"explore a b", "`grade explore` takes one exercise"},
        {"explore rlock --stages tests", "--stages does not go with `grade explore`"},
        {"replay rlock", "`grade replay` needs the exercise and the token"},
        {"replay rlock a b", "`grade replay` needs the exercise and the token"},
        {"next --json x", "--json does not go with `grade next`"},
        {"watch --tree x", "--tree does not go with `grade watch`"},
        {"rlock --again", "--again goes with `grade hint`"},
        {"--submissions a --tree b", "--submissions does not go with --tree"},
        {"--submissions a --source b rlock", "--submissions does not go with --source"},
        {"--submissions a --json b", "leave out --json"},
        {"--out a", "--out goes with --submissions"},
        {"--source a.c", "--source needs the one EXERCISE"},
        {"--source a.c rlock counter", "--source needs the one EXERCISE"},
        {"--source a.c --tree b rlock", "--source does not go with --tree"},
        {"--root /nowhere/at/all", "--root /nowhere/at/all: No such file"},
        {"--root /usr", "--root /usr: there is no grader/checks in it"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect(parse(rows[i][0]) == -1, "taken: %s", rows[i][0]);
        cr_expect_not_null(strstr(fault.text, rows[i][1]), "%s: \"%s\"", rows[i][0], fault.text);
        cr_expect_null(strchr(fault.text, '\n'), "%s: more than one line", rows[i][0]);
    }
}

Test(options, a_mistyped_option_is_guessed_at)
{
    cr_expect(parse("--submisions x") == -1);
    cr_expect_str_eq(fault.text, "there is no option --submisions. Did you mean --submissions?");
    cr_expect(parse("--jbos=3") == -1);
    cr_expect_str_eq(fault.text, "there is no option --jbos. Did you mean --jobs?");
}

Test(options, the_root_is_found_from_a_folder_below_it)
{
    char *dir = scratch_dir(context);

    scratch_exercise(dir, "02-locks/rlock", NULL);
    cr_assert(parse(memory_format(context, "--root %s", dir)) == 0, "%s", fault.text);
    cr_expect_str_eq(options.root, dir);
    /* A path with . and .. in it comes out without. */
    cr_assert(parse(memory_format(context, "--root %s/grader/../.", dir)) == 0, "%s", fault.text);
    cr_expect_str_eq(options.root, dir);
    scratch_remove(dir);
}

Test(options, help_fits_eighty_columns_and_names_every_option)
{
    static const char *const named[] = {"--tree",  "--source",  "--stages",   "--jobs", "--submissions", "--out",
                                        "--json",  "--verbose", "--no-color", "--root", "--version",     "--help",
                                        "list",    "next",      "hint",       "reset",  "watch",         "doctor",
                                        "--again", "Examples",  "Exit status"};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    options_help(out);
    fclose(out);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        cr_expect_not_null(strstr(text, named[i]), "%s", named[i]);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        cr_expect_leq(strlen(line), 80, "%s", line);
    free(text);
}
