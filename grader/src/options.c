#include "options.h"

#include "files.h"
#include "memory.h"
#include "nearest.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum long_option {
    OPTION_TREE = 256,
    OPTION_SOURCE,
    OPTION_STAGES,
    OPTION_SUBMISSIONS,
    OPTION_OUT,
    OPTION_JSON,
    OPTION_ROOT,
    OPTION_NO_COLOR,
    OPTION_AGAIN,
    OPTION_OWN,
};

static const struct option long_options[] = {
    {"tree", required_argument, NULL, OPTION_TREE},
    {"source", required_argument, NULL, OPTION_SOURCE},
    {"stages", required_argument, NULL, OPTION_STAGES},
    {"jobs", required_argument, NULL, 'j'},
    {"submissions", required_argument, NULL, OPTION_SUBMISSIONS},
    {"out", required_argument, NULL, OPTION_OUT},
    {"json", required_argument, NULL, OPTION_JSON},
    {"verbose", no_argument, NULL, 'v'},
    {"root", required_argument, NULL, OPTION_ROOT},
    {"no-color", no_argument, NULL, OPTION_NO_COLOR},
    {"no-colour", no_argument, NULL, OPTION_NO_COLOR},
    {"again", no_argument, NULL, OPTION_AGAIN},
    {"own", no_argument, NULL, OPTION_OWN},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

enum { OPTION_COUNT = sizeof long_options / sizeof *long_options - 1, COMMAND_COUNT = COMMAND_DOCTOR };

/* A first word that is one of these is a command. COMMAND_GRADE has none. */
static const char *const command_names[COMMAND_COUNT] = {"list",  "next",    "hint",   "reset",
                                                         "watch", "explore", "replay", "doctor"};

int options_cores(void)
{
    cpu_set_t set;
    int cores = 0;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        cores = CPU_COUNT(&set);
    if (cores < 1)
        cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores;
}

/* getopt_long would print its own words; these say what to do. */
static int unknown_option(const char *word, struct fault *fault)
{
    const char *names[OPTION_COUNT];
    size_t length = strcspn(word, "=");

    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[i] = long_options[i].name;
    if (strncmp(word, "--", 2) != 0 || length <= 3)
        return fault_set(fault, "there is no option %.40s. `grade --help` shows all there are.", word);
    char *name = memory_text_n(NULL, word + 2, length - 2);
    const char *near = nearest_word(name, names, OPTION_COUNT);
    talloc_free(name);
    if (near == NULL)
        return fault_set(fault, "there is no option %.*s. `grade --help` shows all there are.",
                         (int)(length < 60 ? length : 60), word);
    return fault_set(fault, "there is no option %.*s. Did you mean --%s?", (int)(length < 60 ? length : 60), word,
                     near);
}

static int bad_option(int got, char **argv, struct fault *fault)
{
    const char *word = argv[optind - 1];

    if (got == ':')
        return fault_set(fault, "%.60s needs a value behind it. `grade --help` shows which.", word);
    if (optopt > 0 && optopt < 256) {
        char letter[] = {'-', (char)optopt, '\0'};

        for (size_t i = 0; i < OPTION_COUNT; i++) {
            if (long_options[i].val == optopt)
                return fault_set(fault, "--%s takes no value.", long_options[i].name);
        }
        return unknown_option(letter, fault);
    }
    for (size_t i = 0; optopt != 0 && i < OPTION_COUNT; i++) {
        if (long_options[i].val == optopt)
            return fault_set(fault, "--%s takes no value.", long_options[i].name);
    }
    return unknown_option(word, fault);
}

static int parse_jobs(const char *text, int *jobs, struct fault *fault)
{
    char *end;

    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < 1 || value > 256)
        return fault_set(fault, "--jobs: \"%.40s\" is not a whole number from 1 to 256.", text);
    *jobs = (int)value;
    return 0;
}

static int parse_stages(const char *text, unsigned *stages, struct fault *fault)
{
    char *copy = memory_text(NULL, text), *rest = copy, *word;
    int result = 0;

    *stages = 1u << STAGE_BUILD | 1u << STAGE_RULES; /* no stranger's code runs before the rules have read it */
    while (result == 0 && (word = strsep(&rest, ", ")) != NULL) {
        enum stage_id id = stage_of(word);

        if (id < STAGE_COUNT)
            *stages |= 1u << id;
        else
            result = fault_set(fault,
                               "--stages: \"%.40s\" is no stage; choose from build,rules,tests,memory,races,"
                               "interleavings,timing.",
                               word);
    }
    talloc_free(copy);
    return result;
}

static int take_option(int got, struct options *options, struct fault *fault)
{
    switch (got) {
    case OPTION_TREE:
        options->tree = optarg;
        return 0;
    case OPTION_SOURCE:
        options->source = optarg;
        return 0;
    case OPTION_STAGES:
        return parse_stages(optarg, &options->stages, fault);
    case 'j':
        return parse_jobs(optarg, &options->jobs, fault);
    case OPTION_SUBMISSIONS:
        options->submissions = optarg;
        return 0;
    case OPTION_OUT:
        options->out = optarg;
        return 0;
    case OPTION_JSON:
        options->json = optarg;
        return 0;
    case OPTION_ROOT:
        options->root = optarg;
        return 0;
    case OPTION_NO_COLOR:
        options->no_color = true;
        return 0;
    case OPTION_AGAIN:
        options->again = true;
        return 0;
    case OPTION_OWN:
        options->own = true;
        return 0;
    case 'v':
        options->verbose = true;
        return 0;
    case 'h':
        options->command = COMMAND_HELP;
        return 0;
    default: /* 'V' */
        if (options->command != COMMAND_HELP)
            options->command = COMMAND_VERSION;
        return 0;
    }
}

/* The first word is a command, unless "--" stands before it. */
static void take_words(int argc, char **argv, struct options *options)
{
    bool after_dashes = optind > 1 && strcmp(argv[optind - 1], "--") == 0;

    if (optind < argc && !after_dashes && options->command == COMMAND_GRADE) {
        for (size_t i = 0; i < COMMAND_COUNT; i++) {
            if (strcmp(argv[optind], command_names[i]) == 0)
                options->command = (enum command)(COMMAND_LIST + i);
        }
        optind += options->command != COMMAND_GRADE;
    }
    options->words = (const char **)argv + optind;
    options->word_count = (size_t)(argc - optind);
}

static bool is_exploring(const struct options *options)
{
    return options->command == COMMAND_EXPLORE || options->command == COMMAND_REPLAY;
}

/* explore and replay look at one file of one exercise. */
static int check_exploring(const struct options *options, struct fault *fault)
{
    if (options->command == COMMAND_EXPLORE && options->word_count == 0)
        return fault_set(fault, "`grade explore` needs the exercise to explore: make explore EX=NAME.");
    if (options->command == COMMAND_REPLAY && options->word_count != 2)
        return fault_set(fault, "`grade replay` needs the exercise and the token that explore printed: make replay "
                                "EX=NAME TOKEN=TOKEN.");
    return 0;
}

static int needs_grading(const struct options *options, struct fault *fault)
{
    const struct {
        const char *name;
        bool given;
    } grading_only[] = {
        {"--tree", options->tree != NULL && !is_exploring(options)},
        {"--source", options->source != NULL && !is_exploring(options)},
        {"--json", options->json != NULL && !is_exploring(options)},
        {"--own", options->own && !is_exploring(options)},
        {"--out", options->out != NULL},
        {"--submissions", options->submissions != NULL},
        {"--stages", options->stages != STAGES_ALL},
    };

    for (size_t i = 0; i < sizeof grading_only / sizeof *grading_only; i++) {
        if (grading_only[i].given)
            return fault_set(fault, "%s does not go with `grade %s`; it is for grading only.", grading_only[i].name,
                             command_names[options->command - COMMAND_LIST]);
    }
    return 0;
}

/* What does not go together. */
static int check_use(const struct options *options, struct fault *fault)
{
    const char *name = options->command == COMMAND_GRADE || options->command > COMMAND_DOCTOR
                           ? ""
                           : command_names[options->command - COMMAND_LIST];

    if (options->command != COMMAND_GRADE && needs_grading(options, fault) != 0)
        return -1;
    if (is_exploring(options) && check_exploring(options, fault) != 0)
        return -1;
    if (options->again && options->command != COMMAND_HINT)
        return fault_set(fault, "--again goes with `grade hint` only.");
    if ((options->command == COMMAND_LIST || options->command == COMMAND_DOCTOR) && options->word_count > 0)
        return fault_set(fault, "`grade %s` takes no exercise; leave out \"%.60s\".", name, options->words[0]);
    if (options->command != COMMAND_GRADE && options->command != COMMAND_REPLAY && options->word_count > 1)
        return fault_set(fault, "`grade %s` takes one exercise; leave out \"%.60s\".", name, options->words[1]);
    if (options->command == COMMAND_RESET && options->word_count == 0)
        return fault_set(fault, "`grade reset` needs the exercise whose starter is to come back: make reset EX=NAME.");
    if (options->submissions != NULL && (options->tree != NULL || options->source != NULL))
        return fault_set(fault, "--submissions does not go with %s: each sub-folder is a tree of its own.",
                         options->tree != NULL ? "--tree" : "--source");
    if (options->submissions != NULL && options->json != NULL)
        return fault_set(fault, "--submissions writes one JSON a student into --out; leave out --json.");
    if (options->out != NULL && options->submissions == NULL)
        return fault_set(fault, "--out goes with --submissions only; --json FILE writes the verdicts of one tree.");
    if (options->source != NULL && options->tree != NULL)
        return fault_set(fault, "--source does not go with --tree: name one or the other.");
    if (options->source != NULL && options->word_count != 1 && options->command != COMMAND_REPLAY)
        return fault_set(fault, "--source needs the one EXERCISE that the file is for: grade --source %.60s EXERCISE",
                         options->source);
    return 0;
}

static bool is_root(const char *dir)
{
    char *checks = memory_format(NULL, "%s/grader/checks", dir);
    bool there = files_is_dir(checks);

    talloc_free(checks);
    return there;
}

/* The nearest folder from `start` upwards that is a checkout, or NULL. */
static const char *root_above(void *context, const char *start)
{
    char *dir = memory_text(context, start);

    for (;;) {
        char *slash = strrchr(dir, '/');

        if (is_root(dir))
            return dir;
        if (slash == NULL || dir[1] == '\0')
            return NULL;
        slash[slash == dir ? 1 : 0] = '\0';
    }
}

static int find_root(void *context, struct options *options, struct fault *fault)
{
    char path[PATH_MAX];

    if (options->root != NULL) {
        if (realpath(options->root, path) == NULL)
            return fault_errno(fault, "--root %.200s", options->root);
        if (!is_root(path))
            return fault_set(fault, "--root %.200s: there is no grader/checks in it.", options->root);
        options->root = memory_text(context, path);
        return 0;
    }
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0) {
        path[length] = '\0';
        *strrchr(path, '/') = '\0';
        options->root = root_above(context, path);
    }
    if (options->root == NULL && getcwd(path, sizeof path) != NULL)
        options->root = root_above(context, path);
    if (options->root == NULL)
        return fault_set(fault,
                         "the course is not here: run this in the project's folder, or name it with --root DIR.");
    return 0;
}

int options_parse(void *context, int argc, char **argv, struct options *options, struct fault *fault)
{
    int got;

    *options = (struct options){.command = COMMAND_GRADE, .stages = STAGES_ALL, .jobs = options_cores()};
    optind = 0; /* glibc: begin afresh, for tests that parse more than once */
    opterr = 0;
    while ((got = getopt_long(argc, argv, ":j:vhV", long_options, NULL)) != -1) {
        if (got == '?' || got == ':')
            return bad_option(got, argv, fault);
        if (take_option(got, options, fault) != 0)
            return -1;
    }
    take_words(argc, argv, options);
    if (options->command == COMMAND_HELP || options->command == COMMAND_VERSION)
        return 0;
    if (check_use(options, fault) != 0)
        return -1;
    return find_root(context, options, fault);
}

void options_help(FILE *out)
{
    fputs("Usage: grade [EXERCISE...] [OPTIONS]      grade what you wrote\n"
          "       grade COMMAND [EXERCISE]           list, next, hint, reset, watch,\n"
          "                                          explore, replay, doctor\n"
          "\n"
          "An EXERCISE is 02-locks/rlock, or any part of it that fits only one: rlock.\n"
          "A chapter (02-locks, 02, locks) is all of its exercises. None: all there are.\n"
          "\n"
          "Commands\n"
          "  list                where you are and what to do next; grades nothing\n"
          "  next                the next exercise: what to read, edit and run\n"
          "  hint [EXERCISE]     one more step of help each time; --again: the last one\n"
          "  reset EXERCISE      puts the starter back, after a copy of what you wrote\n"
          "  watch [EXERCISE]    grades each file as you save it, until Ctrl-C\n"
          "  explore EXERCISE    every order that its threads can take, as far as it goes\n"
          "  replay EXERCISE TOKEN    one of these orders again, step by step\n"
          "  doctor              checks that compilers and detectors work here\n"
          "\n"
          "What to grade\n"
          "  --tree DIR          files from DIR instead of exercises/ (--tree solutions)\n"
          "  --source FILE       FILE as the one EXERCISE named, whatever it is called\n"
          "  --own               what an exercise is built on is yours too, and not the\n"
          "                      reference (make grade OWN=1)\n"
          "  --stages LIST       only these, as in tests,races (build, rules always):\n"
          "                      build, rules, tests, memory, races,\n"
          "                      interleavings, timing\n"
          "  --jobs N, -j N      so many at a time; one alone uses their cores too (all)\n"
          "\n"
          "A class\n"
          "  --submissions DIR   each folder in DIR is one student's tree\n"
          "  --out DIR           where one JSON a student and class.csv go (build/class)\n"
          "\n"
          "What to show\n"
          "  --json FILE         all verdicts with all findings; - is standard output,\n"
          "                      the form is grader/schema/verdict.schema.json\n"
          "  --verbose, -v       every finding in full\n"
          "  --no-color          no colour (nor with NO_COLOR set, nor in a pipe)\n"
          "  --root DIR          the project's folder, where it is not found by itself\n"
          "  --version, --help\n"
          "\n"
          "Examples\n"
          "  grade rlock                            one exercise\n"
          "  grade 02-locks -v                      a chapter, everything said\n"
          "  grade --tree solutions                 the references: all must pass\n"
          "  grade --source /tmp/try.c rlock        another file\n"
          "  grade --stages tests counter           only what it must do\n"
          "  grade --json - counter                 for another program to read\n"
          "  grade --submissions class/ -j 8        a class\n"
          "\n"
          "Exit status: 0 all passed (too busy a machine to time something counts as\n"
          "passed, and is said), 1 something failed, 2 bad usage or the grader could not\n"
          "do its work.\n",
          out);
}
