/* main.c - interleave: runs a C program in every order that its threads can take, and shows the one that breaks it.
 *
 *   interleave [options] FILE.c… [-- ARGS]
 *
 * Exit status: 0 nothing found, 1 found, 2 could not do its work.
 */
#include "crash.h"
#include "engine.h"
#include "gdb.h"
#include "heap.h"
#include "lines.h"
#include "memory_map.h"
#include "program.h"
#include "record.h"
#include "search.h"
#include "shadow.h"
#include "show.h"
#include "sync_table.h"
#include "table.h"
#include "token.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 64, TOKEN_SIZE = 8192 };

struct options {
    struct search_options search;
    const char *replay, *json;
    const char *files[FILES_MAX], *flags[FILES_MAX];
    struct program_options program;
    bool measure, output, gdb, each;
    unsigned width;
    char **arguments;
    int arguments_n;
};

static const char usage_text[] =
    "usage: interleave [options] FILE.c... [-- ARGS]\n"
    "  --runs N         at most N interleavings of the bounded search (500000, fewer of a long program), then a tenth\n"
    "                   of it at random\n"
    "  --preemptions K  up to K preemptions, or 'all' (2, and then a look beyond)\n"
    "  --depth D        of the random search (3)\n"
    "  --seed S         of the random search (1)\n"
    "  --replay TOKEN   one interleaving again, with the program's output\n"
    "  --each           a search for each of ARGS, alone with it: until the first in which something is found; one "
    "line\n"
    "                   of JSON for each\n"
    "  --gdb            with --replay: under gdb, where `fibers` shows every thread\n"
    "  --json FILE      the result for programs ('-': standard output)\n"
    "  --spurious       waits may end though nobody signalled\n"
    "  --faults         pthread_create, malloc and timed waits may fail\n"
    "  --sleeps-order   time passes only where every thread waits, so that sleeping makes others go first\n"
    "  --no-leaks       threads not joined and memory not freed at the program's end are no finding\n"
    "  --no-races       data races are no finding: look for what else goes wrong\n"
    "  --steps N        orders are tried in the first N steps of a run (20000); a longer run is no verdict if N is "
    "given\n"
    "  --cc COMPILER    gcc or clang (gcc)\n"
    "  --prepare SO     only make the program, to be given instead of its files: interleave SO\n"
    "  --width N        of the table, in characters (the terminal's, or 80)\n"
    "  --output         show what the program prints\n"
    "  -I… -D… -std=… -O… -l… -pthread   and their like: handed to the compiler\n";

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "interleave: %s%s%s (interleave --help says what there is)\n", what, word ? ": " : "",
            word ? word : "");
    return -1;
}

/* How wide a table may be: as wide as the terminal it goes to. */
static unsigned terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < WIDTH_MIN)
        return WIDTH_USUAL;
    return size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

static bool number(const char *text, uint64_t most, uint64_t *to)
{
    char *end;
    errno = 0;
    *to = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *to <= most;
}

static int set_number(struct options *options, const char *name, const char *value)
{
    uint64_t n;
    if (strcmp(name, "--preemptions") == 0 && strcmp(value, "all") == 0) {
        options->search.preemptions = UINT_MAX;
        options->search.deeper = false;
        return 0;
    }
    if (!number(value, 1000000000000ULL, &n))
        return usage(name, "its value is not a whole number");
    if (strcmp(name, "--runs") == 0) {
        options->search.runs_max = n;
        options->search.runs_random = n / 10;
        options->search.steps_total = 0;
    } else if (strcmp(name, "--preemptions") == 0) {
        options->search.preemptions = n > 1000 ? 1000 : (unsigned)n;
        options->search.deeper = false;
    } else if (strcmp(name, "--depth") == 0) {
        if (n < 1 || n > 16)
            return usage("--depth is from 1 to 16", NULL);
        options->search.depth = (unsigned)n;
    } else if (strcmp(name, "--seed") == 0) {
        options->search.seed = n;
    } else if (strcmp(name, "--width") == 0) {
        if (n < WIDTH_MIN || n > WIDTH_MAX)
            return usage("--width is from 40 to 400", NULL);
        options->width = (unsigned)n;
    } else {
        il.steps_max = n > 1000000 ? 1000000 : (unsigned)n;
        il.may_be_long = false;
    }
    return 0;
}

static bool takes_number(const char *word)
{
    static const char *const names[] = {"--runs", "--preemptions", "--depth", "--seed", "--steps", "--width"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(word, names[i]) == 0)
            return true;
    return false;
}

static int take_text(struct options *options, const char *name, const char *value)
{
    if (strcmp(name, "--replay") == 0)
        options->replay = value;
    else if (strcmp(name, "--json") == 0)
        options->json = value;
    else if (strcmp(name, "--prepare") == 0)
        options->program.prepare = value;
    else
        options->program.compiler = value;
    return 0;
}

static int take_word(struct options *options, const char *word)
{
    if (strcmp(word, "--spurious") == 0)
        il.spurious = true;
    else if (strcmp(word, "--faults") == 0)
        il.faults = true;
    else if (strcmp(word, "--sleeps-order") == 0)
        il.sleeps_order = true;
    else if (strcmp(word, "--no-leaks") == 0)
        il.leaks_allowed = true;
    else if (strcmp(word, "--no-races") == 0)
        il.races_allowed = true;
    else if (strcmp(word, "--measure") == 0)
        options->measure = true;
    else if (strcmp(word, "--count") == 0)
        options->search.count = true;
    else if (strcmp(word, "--no-reduction") == 0)
        options->search.no_reduction = true;
    else if (strcmp(word, "--gdb") == 0)
        options->gdb = true;
    else if (strcmp(word, "--each") == 0)
        options->each = true;
    else if (strcmp(word, "--output") == 0)
        options->output = true;
    else if (word[0] == '-' && word[1] && strchr("IDOlsgfmpWwaU", word[1]) && options->program.flags_n < FILES_MAX)
        options->flags[options->program.flags_n++] = word;
    else if (word[0] == '-')
        return usage("unknown option", word);
    else if (options->program.files_n < FILES_MAX)
        options->files[options->program.files_n++] = word;
    else
        return usage("too many files", NULL);
    return 0;
}

static int parse(int argc, char **argv, struct options *options)
{
    int at = 1;
    for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
        const char *word = argv[at];
        bool is_text = strcmp(word, "--replay") == 0 || strcmp(word, "--json") == 0 || strcmp(word, "--cc") == 0 ||
                       strcmp(word, "--prepare") == 0;
        if (strcmp(word, "--help") == 0) {
            printf("%s", usage_text);
            exit(0);
        }
        if ((is_text || takes_number(word)) && at + 1 >= argc)
            return usage(word, "its value is missing");
        int result = is_text              ? take_text(options, word, argv[at + 1])
                     : takes_number(word) ? set_number(options, word, argv[at + 1])
                                          : take_word(options, word);
        if (result)
            return -1;
        at += is_text || takes_number(word);
    }
    if (options->program.files_n == 0)
        return usage("no file", NULL);
    if (options->gdb && !options->replay)
        return usage("--gdb goes with --replay", NULL);
    if (options->each && (options->replay || at + 1 >= argc))
        return usage("--each goes with ARGS, and not with --replay", NULL);
    if (options->width == 0)
        options->width = terminal_width();
    options->arguments = at < argc ? argv + at : NULL; /* "--" itself stands for the program's name */
    options->arguments_n = at < argc ? argc - at : 1;
    return 0;
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

static FILE *program_output_away(bool keep)
{
    fflush(stdout);
    int copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    FILE *ours = copy < 0 ? NULL : fdopen(copy, "w");
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (!ours || nowhere < 0)
        return NULL;
    if (!keep) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    close(nowhere);
    return ours;
}

static char program_name[] = "program", *alone[] = {program_name, NULL};

static int set_up(struct options *options, struct program *program)
{
    void *data;
    size_t size;
    if (memory_open() || shadow_open() || heap_open() || sync_table_open() || crash_open()) {
        fprintf(stderr, "interleave: not enough memory: %s\n", strerror(errno));
        return -1;
    }
    if (program_data(&data, &size) && memory_set_data(data, size)) {
        fprintf(stderr, "interleave: not enough memory for the program's data (%zu bytes)\n", size);
        return -1;
    }
    lines_open(program_path(), program_base());
    il.program_main = program->main;
    il.argc = options->arguments_n;
    il.argv = options->arguments ? options->arguments : alone;
    il.environment = alone + 1;
    if (options->arguments)
        il.argv[0] = program_name;
    return 0;
}

static void record_again(const struct choices *choices)
{
    static struct choices copy;
    copy = *choices;
    record_begin();
    il.recording = true;
    search_replay(&copy);
    il.recording = false;
    record_end();
}

static int write_json(const struct options *options, const struct search_report *report, const char *token, FILE *out)
{
    static bool is_first = true;
    if (!options->json)
        return 0;
    FILE *file = strcmp(options->json, "-") == 0 ? out : fopen(options->json, is_first ? "we" : "ae");
    is_first = false;
    const struct show_options how = {&options->search, token, options->width, options->each};
    int result = file ? show_json(file, &how, report) : -1;
    if (file && (file == out ? fflush(file) : fclose(file)))
        result = -1;
    return result;
}

static int finish(const struct options *options, const struct search_report *report, FILE *out, FILE *errors)
{
    static char token[TOKEN_SIZE];
    bool found = il.outcome == RUN_FOUND;
    bool on_stdout = options->json && strcmp(options->json, "-") == 0;
    if (found && il.finding.kind == FIND_CANNOT) {
        struct place place;
        lines_place(il.finding.pc, &place);
        fprintf(errors, "interleave: %s:%d: %s\n", place.file, place.line, il.finding.text);
        return 2;
    }
    if (found && token_write(&il.choices, token, sizeof token))
        token[0] = '\0';
    if (write_json(options, report, token, out)) {
        fprintf(errors, "interleave: %s: %s\n", options->json, strerror(errno));
        return 2;
    }
    if (on_stdout)
        return found;
    if (found) {
        show_finding(out, options->replay ? NULL : report, token, options->width);
    } else if (options->replay) {
        fprintf(out, "\xe2\x9c\x93 This interleaving ends well.\n");
    } else {
        fprintf(out, "\xe2\x9c\x93 Nothing found: ");
        show_proof(out, &options->search, report);
    }
    return found;
}

static int replay(const struct options *options, struct search_report *report, FILE *errors)
{
    static struct choices choices;
    if (token_read(options->replay, &choices)) {
        fprintf(errors, "interleave: '%s' is not a token\n", options->replay);
        return -1;
    }
    *report = (struct search_report){.bound_done = -1};
    il.is_endless = true; /* if that is what it shows */
    record_begin();
    il.recording = true;
    bool fits = search_replay(&choices) && il.choices.n >= choices.n;
    il.recording = false;
    record_end();
    if (fits)
        return 0;
    fprintf(errors, "interleave: this token does not fit this program: was it changed since?\n");
    return -1;
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int explore(struct options *options, FILE *out, FILE *errors)
{
    static struct search_report report;
    double began_s = cpu_s();
    if (options->replay) {
        if (replay(options, &report, errors))
            return 2;
        return finish(options, &report, out, errors);
    }
    if (search_run(&options->search, &report)) {
        fprintf(errors, "interleave: not enough memory to go on after %" PRIu64 " interleavings\n", report.runs);
        return 2;
    }
    if (options->measure)
        fprintf(out, "%" PRIu64 " runs (%" PRIu64 " cut short) in %.3f s of CPU time: %.0f a second\n", report.runs,
                report.equal, cpu_s() - began_s, (double)report.runs / (cpu_s() - began_s));
    if (options->search.count)
        fprintf(out, "%" PRIu64 " different, %" PRIu64 " whole, %" PRIu64 " reduced, %016" PRIx64 "\n",
                report.different, report.whole, report.reduced, report.fingerprint);
    if (report.found && il.finding.kind != FIND_CANNOT)
        record_again(&report.failing);
    else if (report.found)
        il.outcome = RUN_FOUND;
    else
        il.outcome = RUN_ENDED;
    return finish(options, &report, out, errors);
}

/* What a search has learned of a program holds for those arguments only. */
static int explore_each(struct options *options, FILE *out, FILE *errors)
{
    char *pair[] = {program_name, NULL, NULL};
    int status = 0;
    for (int i = 1; i < options->arguments_n && status == 0; i++) {
        pair[1] = options->arguments[i];
        il.argv = pair;
        il.argc = 2;
        engine_assume_all();
        if (!options->json || strcmp(options->json, "-") != 0)
            fprintf(out, "%s: ", pair[1]);
        status = explore(options, out, errors);
    }
    return status;
}

int main(int argc, char **argv)
{
    static struct options options = {.search = {.runs_max = 500000,
                                                .runs_random = 50000,
                                                .steps_total = 40000000,
                                                .preemptions = 2,
                                                .deeper = true,
                                                .depth = 3,
                                                .seed = 1}};
    il.may_be_long = true;
    struct program program = {.directory = ""};
    int status = 2;
    options.program.files = options.files;
    options.program.flags = options.flags;
    options.program.compiler = "gcc";
    engine_open();
    if (parse(argc, argv, &options) || (options.gdb && gdb_become(argc, argv)))
        return 2;
    if (program_open(&options.program, &program))
        goto close;
    if (options.program.prepare) {
        status = 0;
        goto close;
    }
    if (set_up(&options, &program))
        goto close;
    int copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    FILE *errors = copy < 0 ? NULL : fdopen(copy, "w");
    FILE *out = program_output_away(options.replay != NULL || options.output);
    if (out && errors)
        status = options.each ? explore_each(&options, out, errors) : explore(&options, out, errors);
    if (errors)
        fclose(errors);
    if (out && fclose(out))
        status = 2;
    lines_close();
close:
    program_close(&program);
    return status;
}
