/* doctor.c - see doctor.h.
 *
 * Theory: grader/harness/doctor has a few small programs that do one thing wrong when told so, and the same thing right
 * when told "clean". Each detector is a row of `checks`: what program, what to tell it, and a function that runs it the
 * way the stages do and says whether the mistake was seen. The stages' own options and readers are used, so what is
 * tried is the whole way from the program to the finding.
 */
#include "doctor.h"

#include "cache.h"
#include "files.h"
#include "hang.h"
#include "helgrind_run.h"
#include "memory.h"
#include "places.h"
#include "sanitizer_run.h"
#include "stillness.h"

#include <gnu/libc-version.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { LIMIT_S = 60, TEXT_LIMIT = 1 << 20, IDENTITIES_MAX = 6 };

struct check;

/* Runs the program told `word`, and sets `*seen` where the mistake was found as it should be. A detector that falls
 * down is not a fault here: `*words` then says what happened. */
typedef int look_function(void *context, struct workshop *shop, const struct check *check, const char *program,
                          const char *word, bool *seen, const char **words, struct fault *fault);

struct check {
    const char *detector;
    const char *shown;   /* what it is */
    const char *source;  /* below grader/harness/doctor */
    const char *mistake; /* the word that makes the program do it */
    const char *finds;   /* what it must find, for the table */
    const char *kind;    /* how the report of it begins */
    const struct sanitizer_method *method;
    const char *library;
    const char *package;                    /* what to install again */
    const char *identities[IDENTITIES_MAX]; /* files whose change makes another detector; without a '/': in PATH */
    look_function *look;
};

/* ---- running ----------------------------------------------------------------------------------------------------- */

static int program_run(void *context, struct workshop *shop, const char *const *argv, const char *const *env,
                       struct child_result *result, struct fault *fault)
{
    const struct child_spec spec = {
        .argv = argv,
        .env = env,
        .cwd = shop->dir,
        .fixed_addresses = env != NULL,
        .wall_limit_s = LIMIT_S,
        .cpu_limit_s = LIMIT_S,
    };

    return child_run(context, &spec, result, fault);
}

/* What a program that must simply work did instead, or what it wrote to standard error; "" where all is well. */
static const char *complaint(void *context, const struct child_result *result)
{
    if (result->err_size > 0)
        return result->err;
    return result->end == CHILD_EXITED && result->status == 0 ? "" : child_end_text(context, result);
}

/* The frame of the program's own function that a report must name. */
static bool names_line(const struct trace *trace, const char *file)
{
    return trace_find(trace, file) != NULL;
}

static int helgrind_sees(void *context, struct workshop *shop, const struct check *check, const char *program,
                         const char *word, bool *seen, const char **words, struct fault *fault)
{
    const char *xml = memory_format(context, "%s/doctor.xml", shop->dir);
    const char **argv = helgrind_command(context, shop->course->root, xml, NULL);
    struct child_result result;
    struct valgrind_report report;
    size_t count = 0;

    while (argv[count] != NULL)
        count++;
    argv[count] = program;
    argv[count + 1] = word;
    if (program_run(context, shop, argv, NULL, &result, fault) != 0)
        return -1;
    *words = complaint(context, &result);
    *seen = false;
    if (!files_is_file(xml) || valgrind_xml_read(context, xml, &report, fault) != 0)
        return 0;
    (void)unlink(xml);
    if (!report.whole)
        *words = "its report stops in the middle";
    for (size_t i = 0; i < report.error_count; i++) {
        const struct valgrind_error *error = &report.errors[i];

        if (strcmp(error->kind, check->kind) == 0 && error->trace_count >= 2 &&
            names_line(&error->traces[0], check->source) && names_line(&error->traces[1], check->source))
            *seen = true;
        else
            *words = error->what;
    }
    return 0;
}

static int sanitizer_sees(void *context, struct workshop *shop, const struct check *check, const char *program,
                          const char *word, bool *seen, const char **words, struct fault *fault)
{
    const char *argv[] = {program, word, NULL};
    struct child_result result;
    struct sanitizer_log log;

    *seen = false;
    if (program_run(context, shop, argv, sanitizer_environment(context, shop, check->method), &result, fault) != 0)
        return -1;
    *words = complaint(context, &result);
    if (sanitizer_logs_take(context, shop, check->method, program, result.err, &log, fault) != 0) {
        *words = memory_text(context, fault->text);
        return 0;
    }
    for (size_t i = 0; i < log.count; i++) {
        const struct sanitizer_report *report = &log.reports[i];

        if (strncmp(report->kind, check->kind, strlen(check->kind)) == 0 && report->trace_count > 0 &&
            names_line(&report->traces[0], check->source))
            *seen = true;
        else
            *words = report->text;
    }
    return 0;
}

/* Criterion's own count of what passed, failed and crashed. */
static int criterion_sees(void *context, struct workshop *shop, const struct check *check, const char *program,
                          const char *word, bool *seen, const char **words, struct fault *fault)
{
    const char *path = memory_format(context, "%s/doctor.json", shop->dir);
    const char *filter = strcmp(word, "clean") == 0 ? "--filter=*/passes" : "--filter=*";
    const char *argv[] = {program, "-j1", filter, memory_format(context, "--json=%s", path), NULL};
    struct child_result result;

    (void)check;
    *seen = false;
    if (program_run(context, shop, argv, NULL, &result, fault) != 0)
        return -1;
    const char *text = files_is_file(path) ? files_read(context, path, TEXT_LIMIT, NULL, fault) : NULL;
    (void)unlink(path);
    json_t *report = text == NULL ? NULL : json_loads(text, 0, NULL);
    json_int_t passed = json_integer_value(json_object_get(report, "passed"));
    json_int_t failed = json_integer_value(json_object_get(report, "failed")); /* crashes among them */
    json_int_t crashed = json_integer_value(json_object_get(report, "errored"));
    json_decref(report);
    *seen = passed == 1 && failed == 2 && crashed == 1;
    *words = passed == 1
                 ? ""
                 : memory_format(context, "a test that is right did not pass: %s", child_end_text(context, &result));
    return 0;
}

/* What the watch of a program that hangs needs and finds. */
struct vigil {
    void *context;
    const struct workshop *shop;
    struct stillness *stillness;
    struct hang hang;
    struct fault fault; /* why its threads could not be read; "" where they could */
};

static bool vigil_watch(void *context, pid_t pid, double running_s)
{
    struct vigil *vigil = context;

    (void)running_s;
    if (!stillness_look(vigil->stillness))
        return true;
    if (hang_read(vigil->context, vigil->shop, pid, NULL, 0, &vigil->hang, &vigil->fault) != 0)
        vigil->hang = (struct hang){0};
    return false;
}

/* Two threads that wait for each other's mutex, each seen on a line of the program's. */
static bool is_circle_of_two(const struct hang *hang, const char *file)
{
    for (size_t i = 0; i < hang->count; i++)
        for (size_t k = i + 1; k < hang->count; k++) {
            const struct hang_thread *one = &hang->threads[i];
            const struct hang_thread *other = &hang->threads[k];

            if (one->wait == WAIT_MUTEX && other->wait == WAIT_MUTEX && one->wants_tid == other->tid &&
                other->wants_tid == one->tid && names_line(&one->trace, file) && names_line(&other->trace, file))
                return true;
        }
    return false;
}

static int hang_sees(void *context, struct workshop *shop, const struct check *check, const char *program,
                     const char *word, bool *seen, const char **words, struct fault *fault)
{
    const char *argv[] = {program, word, NULL};
    struct vigil vigil = {.context = context, .shop = shop, .stillness = stillness_new(context)};
    const struct child_spec spec = {
        .argv = argv,
        .cwd = shop->dir,
        .wall_limit_s = LIMIT_S,
        .cpu_limit_s = LIMIT_S,
        .watch = vigil_watch,
        .watch_context = &vigil,
        .watch_interval_s = 0.03,
    };
    struct child_result result;

    if (child_run(context, &spec, &result, fault) != 0)
        return -1;
    *seen = result.end == CHILD_STOPPED_BY_WATCH && is_circle_of_two(&vigil.hang, check->source);
    *words = vigil.fault.text[0] != '\0' ? memory_text(context, vigil.fault.text) : complaint(context, &result);
    return 0;
}

/* The explorer compiles the program itself: what it is made with is tried too. */
static int interleave_sees(void *context, struct workshop *shop, const struct check *check, const char *program,
                           const char *word, bool *seen, const char **words, struct fault *fault)
{
    const char *interleave = NULL;
    const char *source = memory_format(context, "%s/grader/harness/doctor/%s", shop->course->root, check->source);
    struct child_result result;

    (void)program;
    if (toolchain_interleave(context, shop, &interleave, fault) != 0)
        return -1;
    const char *const argv[] = {interleave, "--json", "-", source, "--", word, NULL};
    if (program_run(context, shop, argv, NULL, &result, fault) != 0)
        return -1;
    json_t *report = json_loads(result.out, 0, NULL);
    const json_t *finding = json_object_get(report, "finding");
    const char *kind = json_string_value(json_object_get(finding, "kind"));
    bool whole = json_is_integer(json_object_get(report, "proved_preemptions"));

    *seen = result.status == 1 && kind != NULL && strcmp(kind, check->kind) == 0;
    *words = result.err_size > 0 ? result.err : *seen || whole ? "" : child_end_text(context, &result);
    if (result.status == 1 && !*seen)
        *words = memory_format(context, "it found: %s", kind == NULL ? "nothing that makes sense" : kind);
    json_decref(report);
    return 0;
}

/* ---- the detectors ----------------------------------------------------------------------------------------------- */

static const struct check checks[] = {
    {.detector = "helgrind",
     .shown = "races and misused locks",
     .source = "race.c",
     .mistake = "bad",
     .finds = "a race with both its lines",
     .kind = "Race",
     .package = "valgrind libc6-dbg",
     .identities = {"valgrind", "valgrind.bin", "/usr/libexec/valgrind/helgrind-amd64-linux"},
     .look = helgrind_sees},
    {.detector = "tsan",
     .shown = "ThreadSanitizer: races with atomics",
     .source = "race.c",
     .mistake = "bad",
     .finds = "a race with both its lines",
     .kind = "data race",
     .method = &sanitizer_threads,
     .package = "gcc",
     .identities = {"gcc", "/lib/x86_64-linux-gnu/libtsan.so.2"},
     .look = sanitizer_sees},
    {.detector = "asan",
     .shown = "AddressSanitizer: memory out of bounds or freed",
     .source = "memory.c",
     .mistake = "freed",
     .finds = "a read of freed memory",
     .kind = "heap-use-after-free",
     .method = &sanitizer_gcc,
     .package = "gcc",
     .identities = {"gcc", "/lib/x86_64-linux-gnu/libasan.so.8"},
     .look = sanitizer_sees},
    {.detector = "lsan",
     .shown = "LeakSanitizer: memory never freed",
     .source = "memory.c",
     .mistake = "leak",
     .finds = "a block that nobody frees",
     .kind = "direct leak",
     .method = &sanitizer_gcc,
     .package = "gcc",
     .identities = {"gcc", "/lib/x86_64-linux-gnu/libasan.so.8"},
     .look = sanitizer_sees},
    {.detector = "ubsan",
     .shown = "UndefinedBehaviorSanitizer",
     .source = "memory.c",
     .mistake = "undefined",
     .finds = "an int that overflows",
     .kind = "runtime error",
     .method = &sanitizer_gcc,
     .package = "gcc",
     .identities = {"gcc", "/lib/x86_64-linux-gnu/libubsan.so.1"},
     .look = sanitizer_sees},
    {.detector = "msan",
     .shown = "MemorySanitizer: values never set",
     .source = "memory.c",
     .mistake = "unset",
     .finds = "a decision by a value never set",
     .kind = "use-of-uninitialized-value",
     .method = &sanitizer_clang,
     .package = "clang libclang-rt-14-dev",
     .identities = {"clang", "/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.msan-x86_64.a"},
     .look = sanitizer_sees},
    {.detector = "criterion",
     .shown = "Criterion: the tests",
     .source = "suite.c",
     .mistake = "bad",
     .finds = "one pass, one failure, one crash",
     .library = "-lcriterion",
     .package = "libcriterion-dev",
     .identities = {"/usr/lib/x86_64-linux-gnu/libcriterion.so", "/usr/include/criterion/criterion.h"},
     .look = criterion_sees},
    {.detector = "hang",
     .shown = "where a program hangs, and why",
     .source = "deadlock.c",
     .mistake = "bad",
     .finds = "two threads that wait for each other",
     .package = "libdw-dev libc6-dbg",
     .identities = {"/usr/lib/x86_64-linux-gnu/libdw.so.1", "/lib/x86_64-linux-gnu/libc.so.6"},
     .look = hang_sees},
    {.detector = "explorer",
     .shown = "the explorer: every order of the threads",
     .source = "wakeup.c",
     .mistake = "bad",
     .finds = "a wake-up that comes too early",
     .kind = "lost-wakeup",
     .package = "gcc binutils, and make clean",
     .identities = {"gcc", "ld", "objcopy"},
     .look = interleave_sees},
};

enum { CHECKS = sizeof checks / sizeof checks[0] };

/* ---- one check --------------------------------------------------------------------------------------------------- */

/* Where a program is found, as child_run finds it; a path is taken as it is. */
static const char *tool_path(void *context, const char *name)
{
    const char *paths = getenv("PATH");

    if (name[0] == '/')
        return name;
    for (const char *at = paths == NULL ? "/usr/bin:/bin" : paths; *at != '\0';) {
        size_t length = strcspn(at, ":");
        const char *path = memory_format(context, "%.*s/%s", (int)length, at, name);

        if (access(path, X_OK) == 0)
            return path;
        at += length + (at[length] == ':');
    }
    return name;
}

/* The name under which a good answer is kept: everything that it depends on. */
static const char *answer_name(void *context, const struct workshop *shop, const struct check *check,
                               struct fault *fault)
{
    struct cache_key key;
    struct utsname system;
    const char *root = shop->course->root;

    cache_key_begin(&key);
    cache_key_text(&key, "doctor");
    cache_key_text(&key, check->detector);
    cache_key_text(&key, uname(&system) == 0 ? system.release : "");
    cache_key_text(&key, system.version);
    for (size_t i = 0; i < IDENTITIES_MAX && check->identities[i] != NULL; i++)
        cache_key_identity(&key, tool_path(context, check->identities[i]));
    const char *interleave = NULL;
    if (check->look == interleave_sees && toolchain_interleave(context, shop, &interleave, fault) != 0)
        return NULL;
    if (interleave != NULL)
        cache_key_identity(&key, interleave);
    for (size_t i = 0; check->method != NULL && check->method->options[i] != NULL; i++)
        cache_key_text(&key, check->method->options[i]);
    for (const char **word = helgrind_command(context, "", "", NULL); *word != NULL; word++)
        cache_key_text(&key, *word);
    if (cache_key_file(&key, memory_format(context, "%s/grader/harness/doctor/%s", root, check->source), fault) != 0 ||
        cache_key_file(&key, memory_format(context, "%s/grader/harness/gate.c", root), fault) != 0 ||
        cache_key_file(&key, memory_format(context, "%s/grader/harness/helgrind.supp", root), fault) != 0)
        return NULL;
    return memory_format(context, "doctor-%s-%s", check->detector, cache_key_name(context, &key));
}

/* The last line of what a tool wrote, for a message of one line. */
static const char *last_line(void *context, const char *words)
{
    size_t end = words == NULL ? 0 : strlen(words);
    size_t begin;

    while (end > 0 && words[end - 1] == '\n')
        end--;
    for (begin = end; begin > 0 && words[begin - 1] != '\n'; begin--)
        continue;
    return end == 0 ? ""
                    : memory_format(context, " (%.*s)", (int)(end - begin < 200 ? end - begin : 200), words + begin);
}

static int broken(void *context, const struct check *check, const char *what, const char *words, struct fault *fault)
{
    return fault_set(fault, "%s does not work on this machine: %s%s. Install it again (%s), then run `grade doctor`.",
                     check->detector, what, last_line(context, words), check->package);
}

/* Builds and runs the program both ways. */
static int check_try(void *context, struct workshop *shop, const struct check *check, struct fault *fault)
{
    enum flavour flavour = check->method == NULL ? FLAVOUR_PLAIN : check->method->flavour;
    const char *source = memory_format(context, "%s/grader/harness/doctor/%s", shop->course->root, check->source);
    const char *program;
    const char *words = "";
    bool seen = false;

    if (toolchain_trusted_program(context, shop, flavour, source, check->library, &program, fault) != 0 ||
        check->look(context, shop, check, program, check->mistake, &seen, &words, fault) != 0)
        return -1;
    if (!seen)
        return broken(context, check, memory_format(context, "it did not find %s", check->finds), words, fault);
    words = "";
    if (check->look(context, shop, check, program, "clean", &seen, &words, fault) != 0)
        return -1;
    if (seen || (words != NULL && words[0] != '\0'))
        return broken(context, check, "it finds fault with a program that is right", words, fault);
    return 0;
}

static int check_require(void *context, struct workshop *shop, const struct check *check, bool afresh,
                         struct fault *fault)
{
    const char *name = answer_name(context, shop, check, fault);

    if (name == NULL)
        return -1;
    if (!afresh && cache_text(context, shop->cache_dir, name) != NULL)
        return 0;
    if (check_try(context, shop, check, fault) != 0)
        return -1;
    return cache_keep_text(context, shop->cache_dir, name, "works\n", fault);
}

int doctor_require(void *context, struct workshop *shop, const char *detector, struct fault *fault)
{
    for (size_t i = 0; i < CHECKS; i++)
        if (strcmp(checks[i].detector, detector) == 0)
            return check_require(context, shop, &checks[i], false, fault);
    return fault_set(fault, "there is no detector called %s", detector);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* A workshop for no exercise: an empty folder of our own. */
struct surgery {
    struct workshop shop;
    struct course course;
    struct exercise exercise;
    const char *needs[1];
    const char *words[1];
};

static int surgery_open(void *context, const char *root, const char *cache_dir, struct surgery *surgery,
                        struct fault *fault)
{
    const char *temporary = getenv("TMPDIR");
    char *dir =
        memory_format(context, "%s/grade-doctor-XXXXXX", temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");

    if (mkdtemp(dir) == NULL) {
        (void)fault_errno(fault, "cannot make a folder %s", dir);
        return -1;
    }
    *surgery = (struct surgery){.course = {.root = root, .count = 0}};
    surgery->exercise = (struct exercise){.id = "00/doctor",
                                          .chapter = "00",
                                          .name = "doctor",
                                          .needs = surgery->needs,
                                          .allow = surgery->words,
                                          .wraps = surgery->words,
                                          .header = memory_format(context, "%s/grader/harness/gate.h", root),
                                          .checks_dir = root};
    surgery->shop = (struct workshop){
        .course = &surgery->course, .exercise = &surgery->exercise, .dir = dir, .cache_dir = cache_dir, .source = ""};
    return 0;
}

static int surgery_close(struct surgery *surgery, struct fault *fault)
{
    return files_remove_tree(surgery->shop.dir, fault);
}

int doctor_check(void *context, const char *root, const char *cache_dir, bool verbose, struct fault *fault)
{
    struct surgery surgery;
    struct fault closing;
    int result = 0;

    if (surgery_open(context, root, cache_dir, &surgery, fault) != 0)
        return -1;
    for (size_t i = 0; i < CHECKS && result == 0; i++) {
        result = check_require(context, &surgery.shop, &checks[i], false, fault);
        if (verbose && result == 0)
            (void)fprintf(stderr, "%s works\n", checks[i].detector);
    }
    if (surgery_close(&surgery, result == 0 ? fault : &closing) != 0)
        result = -1;
    return result;
}

/* The first line that a tool prints for --version; "missing" where it cannot be run. */
static const char *version_of(void *context, struct workshop *shop, const char *tool)
{
    const char *argv[] = {tool, "--version", NULL};
    struct child_result result;
    struct fault ignored;

    if (program_run(context, shop, argv, NULL, &result, &ignored) != 0 || result.out_size == 0)
        return "missing";
    return memory_text_n(context, result.out, strcspn(result.out, "\n"));
}

static void facts_print(void *context, struct workshop *shop, FILE *out)
{
    static const char *const tools[] = {"gcc", "clang", "valgrind"};
    struct utsname system;

    (void)fprintf(out, "\ncores     %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    if (uname(&system) == 0)
        (void)fprintf(out, "kernel    %s %s, %s\n", system.sysname, system.release, system.machine);
    (void)fprintf(out, "libc      glibc %s\n", gnu_get_libc_version());
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++)
        (void)fprintf(out, "%-9s %s\n", tools[i], version_of(context, shop, tools[i]));
}

int doctor_report(void *context, const char *root, const char *cache_dir, FILE *out, struct fault *fault)
{
    struct surgery surgery;
    int result = 0;

    if (surgery_open(context, root, cache_dir, &surgery, fault) != 0)
        return -1;
    (void)fprintf(out, "The detectors, each tried on a program with a mistake and on one without:\n\n");
    for (size_t i = 0; i < CHECKS; i++) {
        struct fault trouble = {""};
        bool works = check_require(context, &surgery.shop, &checks[i], true, &trouble) == 0;

        (void)fprintf(out, "%-9s %-7s %s\n", checks[i].detector, works ? "works" : "BROKEN",
                      works ? memory_format(context, "finds %s, and only where it is", checks[i].finds) : trouble.text);
        (void)fflush(out);
        if (!works)
            result = 1;
    }
    facts_print(context, &surgery.shop, out);
    return surgery_close(&surgery, fault) != 0 ? -1 : result;
}
