/* selfcheck.c - the command line of the project's checks on its own exercises; see selfcheck.h. */
#include "selfcheck.h"

#include "files.h"
#include "memory.h"
#include "options.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the command line says nothing: of stability as its promise wants, of noise as one waits for. */
enum { STABILITY_ROUNDS = 200, STABILITY_MUTANT_ROUNDS = 20, NOISE_ROUNDS = 20, NOISE_MUTANT_ROUNDS = 2 };

bool sheet_check(struct tally_sheet *sheet, bool good, const char *format, ...)
{
    va_list arguments;

    sheet->passed += good;
    sheet->failed += !good;
    if (good)
        return true;
    printf("✗ ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
    return false;
}

static int usage(void)
{
    fputs("usage: selfcheck [--root DIR] files|references|starters|mutants|variants [EXERCISE]\n"
          "       selfcheck [--root DIR] stability [--rounds N] [--mutant-rounds N] [EXERCISE]\n"
          "       selfcheck [--root DIR] noise [--rounds N] [--mutant-rounds N] [EXERCISE]\n"
          "       selfcheck [--root DIR] bench [EXERCISE]\n",
          stderr);
    return 2;
}

struct arguments {
    const char *root;
    const char *part;
    const char *exercise;
    int rounds; /* -1: not said */
    int mutant_rounds;
};

static bool read_rounds(const char *word, int *rounds)
{
    char *end = NULL;
    long number = strtol(word, &end, 10);

    *rounds = (int)number;
    return end != word && *end == '\0' && number >= 0 && number <= 1000000;
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    *arguments = (struct arguments){".", NULL, NULL, -1, -1};
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--root") == 0 && more)
            arguments->root = argv[++i];
        else if (strcmp(argv[i], "--rounds") == 0 && more) {
            if (!read_rounds(argv[++i], &arguments->rounds))
                return false;
        } else if (strcmp(argv[i], "--mutant-rounds") == 0 && more) {
            if (!read_rounds(argv[++i], &arguments->mutant_rounds))
                return false;
        } else if (argv[i][0] == '-')
            return false;
        else if (arguments->part == NULL)
            arguments->part = argv[i];
        else
            arguments->exercise = argv[i];
    }
    if (arguments->part == NULL)
        return false;
    bool noise = strcmp(arguments->part, "noise") == 0;
    if (arguments->rounds < 0)
        arguments->rounds = noise ? NOISE_ROUNDS : STABILITY_ROUNDS;
    if (arguments->mutant_rounds < 0)
        arguments->mutant_rounds = noise ? NOISE_MUTANT_ROUNDS : STABILITY_MUTANT_ROUNDS;
    return true;
}

static int run_part(void *context, const struct arguments *arguments, const struct course *course,
                    const struct exercise *only, struct fault *fault)
{
    static const char *const gradings[] = {"references", "starters", "mutants", "variants"};
    struct tally_sheet sheet = {0, 0};
    int done = -2;

    if (strcmp(arguments->part, "bench") == 0)
        return selfcheck_bench(context, course, only, fault) < 0 ? 2 : 0;
    if (strcmp(arguments->part, "files") == 0) {
        selfcheck_files(context, course, only, &sheet);
        done = 0;
    }
    if (strcmp(arguments->part, "stability") == 0)
        done = selfcheck_stability(context, course, only, arguments->rounds, arguments->mutant_rounds,
                                   2 * options_cores(), &sheet, fault);
    if (strcmp(arguments->part, "noise") == 0)
        done = selfcheck_noise(context, course, only, arguments->rounds, arguments->mutant_rounds, &sheet, fault);
    for (size_t i = 0; i < sizeof gradings / sizeof *gradings; i++)
        if (strcmp(arguments->part, gradings[i]) == 0)
            done = selfcheck_grades(context, course, only, arguments->part, &sheet, fault);
    if (done == -2)
        return usage();
    if (done < 0)
        return 2;
    printf("%d passed, %d failed\n", sheet.passed, sheet.failed);
    return sheet.failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct fault fault = {""};
    struct course course;
    char root[PATH_MAX];

    if (!read_arguments(argc, argv, &arguments))
        return usage();
    void *context = memory_context(NULL);
    int status = 2;
    const struct exercise *only = NULL;
    if (realpath(arguments.root, root) == NULL)
        fault_errno(&fault, "%s", arguments.root);
    else if (course_load(context, root, &course, &fault) == 0 &&
             (arguments.exercise == NULL || (only = course_find(&course, arguments.exercise, &fault)) != NULL))
        status = run_part(context, &arguments, &course, only, &fault);
    if (fault.text[0] != '\0')
        fprintf(stderr, "selfcheck: %s\n", fault.text);
    talloc_free(context);
    return status;
}
