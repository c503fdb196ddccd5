/* Every command line of a compiler or linker is made here, from one table.
 *
 * The student's file is compiled in the workshop, from there and under limits; its object and the compiler's words stay
 * in the workshop, so each is made once a grading. What is trusted is compiled from the course's root, so that no path
 * of the machine gets into it, and kept in the cache under the hash of all that it is made from: the command, the
 * compiler, the source and every header it could include, those that a chapter's checks share among them.
 */
#include "toolchain.h"

#include "cache.h"
#include "files.h"
#include "memory.h"
#include "object.h"
#include "toolchain_parts.h"
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOOL_PATH "/usr/local/bin:/usr/bin:/bin"

enum {
    STUDENT_CPU_S = 5,    /* an exercise compiles in 0.05 s */
    STUDENT_WALL_S = 300, /* only a machine that gives the compiler no time gets there */
    STUDENT_MEMORY_MB = 1024,
    PREPROCESSED_MB = 16,
    TRUSTED_WALL_S = 300,
    WORDS_LIMIT = 8 << 20, /* of the compiler's words */
};

/* -O1 rather than -O0: a variable that one thread polls is kept in a register, as it would be anywhere. Without
 * inlining and tail calls: the frames of a stack are the functions that the student wrote. Without ter: an access to
 * memory has the line it was written on, not the one where its value is used. */
#define READABLE "-O1", "-fno-inline", "-fno-optimize-sibling-calls"

/* What the explorer (grader/explore/program.c) needs beside: thread-local variables and atomics by calls. */
#ifdef __aarch64__
#define EXPLORED_PROCESSOR "-mtls-dialect=trad", "-mno-outline-atomics"
#else
#define EXPLORED_PROCESSOR NULL
#endif

/* For the sanitizers of memory, which find the same at -O0, and take the names of variables from what they put into the
 * code: of what they say only the lines need debug information. That saves two fifths of their compilers' time. */
#define QUICK "-O0", "-g1"

static const struct flags flags_of[FLAVOUR_COUNT] = {
    [FLAVOUR_PLAIN] = {"plain", "gcc", {READABLE, "-fno-tree-ter"}, {0}},
    [FLAVOUR_CLANG] = {"clang", "clang", {"-O1", "-fsyntax-only"}, {0}},
    [FLAVOUR_ASAN] = {"asan",
                      "gcc",
                      {QUICK, "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"},
                      {"-fsanitize=address,undefined"}},
    [FLAVOUR_MSAN] = {"msan",
                      "clang",
                      {QUICK, "-fsanitize=memory", "-fsanitize-memory-track-origins", "-fPIC"},
                      {"-fsanitize=memory"}},
    [FLAVOUR_TSAN] = {"tsan", "gcc", {READABLE, "-fno-tree-ter", "-fsanitize=thread"}, {"-fsanitize=thread"}},
    [FLAVOUR_FAST] = {"fast", "gcc", {"-O2"}, {0}},
    [FLAVOUR_EXPLORED] = {"explored",
                          "gcc",
                          {READABLE, "-fno-tree-ter", "-fsanitize=thread", "-fPIC", "-fno-common",
                           "-fno-builtin-malloc", "-fno-builtin-calloc", "-fno-builtin-realloc", "-fno-builtin-free",
                           EXPLORED_PROCESSOR},
                          {0}},
};

/* For every file, whoever wrote it. */
static const char *const common_flags[] = {
    "-std=c17", "-g", "-pthread", "-fno-omit-frame-pointer", "-U_FORTIFY_SOURCE", NULL,
};

/* For the student's. What ISO C forbids is an error with every compiler, also with one that only warns of it. */
static const char *const student_flags[] = {
    "-D_POSIX_C_SOURCE=200809L",
    "-Wall",
    "-Wextra",
    "-Werror=implicit-function-declaration",
    "-Werror=implicit-int",
    "-Werror=int-conversion",
    "-Werror=incompatible-pointer-types",
    NULL,
};

/* gcc's own; the -U: a program is not told which checker it is compiled for. */
static const char *const student_gcc_flags[] = {
    "-fmax-errors=20",
    "-fdiagnostics-color=never",
    "-fno-diagnostics-show-caret",
    "-U__SANITIZE_ADDRESS__",
    "-U__SANITIZE_THREAD__",
    "-U__NO_INLINE__",
    NULL,
};

static const char *const student_clang_flags[] = {
    "-ferror-limit=20", "-fno-color-diagnostics", "-fno-caret-diagnostics", "-U__NO_INLINE__", NULL,
};

const struct flags *tool_flags(enum flavour flavour)
{
    return &flags_of[flavour];
}

bool toolchain_by_gcc(enum flavour flavour)
{
    return strcmp(tool_flags(flavour)->compiler, "gcc") == 0;
}

/* ---- a command line -------------------------------------------------------------------------------------------- */

void words_add(void *context, struct words *words, const char *word)
{
    if (words->count % 32 == 0) /* room for 32 more and the end */
        words->items = memory_grown(context, words->items, words->count + 33, sizeof *words->items);
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

void words_add_all(void *context, struct words *words, const char *const *more)
{
    for (; *more != NULL; more++)
        words_add(context, words, *more);
}

/* The start of every compilation: compiler and flags of the flavour. */
static struct words compile_words(void *context, enum flavour flavour)
{
    const struct flags *flags = tool_flags(flavour);
    struct words words = {0};

    words_add(context, &words, flags->compiler);
    words_add_all(context, &words, common_flags);
    for (size_t i = 0; i < FLAGS_MAX && flags->compile[i] != NULL; i++)
        words_add(context, &words, flags->compile[i]);
    return words;
}

/* Compilers and linkers fetch their memory in large pieces and, where the kernel has them, in huge pages: on virtual
 * machines a page fault can cost as much as a thousand instructions. The linker takes two thirds of the time then. */
#define MEMORY_IN_LARGE_PIECES                                                                                         \
    "GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=33554432:glibc.malloc.mmap_threshold=33554432"

/* A small environment, the same everywhere; temporary files go where they are removed with the grading. */
static const char *const *environment(void *context, const struct workshop *shop)
{
    struct words words = {0};

    words_add(context, &words, "PATH=" TOOL_PATH);
    words_add(context, &words, "HOME=/nonexistent");
    words_add(context, &words, "LC_ALL=C.UTF-8");
    words_add(context, &words, "SOURCE_DATE_EPOCH=0");
    words_add(context, &words, MEMORY_IN_LARGE_PIECES);
    words_add(context, &words, memory_format(context, "TMPDIR=%s", shop->dir));
    return words.items;
}

/* Where a tool is that is started by its name; the name where it is nowhere. */
const char *tool_path(void *context, const char *name)
{
    char *rest = NULL;

    for (char *dir = strtok_r(memory_text(context, TOOL_PATH), ":", &rest); dir != NULL;
         dir = strtok_r(NULL, ":", &rest)) {
        const char *path = memory_format(context, "%s/%s", dir, name);
        if (access(path, X_OK) == 0)
            return path;
    }
    return name;
}

int toolchain_interleave(void *context, const struct workshop *shop, const char **path, struct fault *fault)
{
    char own[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    const char *folder = memory_text_n(context, own, length > 0 ? (size_t)length : 0);
    const char *slash = strrchr(folder, '/');

    folder = slash == NULL ? "." : memory_text_n(context, folder, (size_t)(slash - folder));
    const char *const places[] = {
        memory_format(context, "%s/interleave", folder),
        memory_format(context, "%s/../interleave", folder),
        memory_format(context, "%s/build/interleave", shop->course->root),
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0) {
            *path = places[i];
            return 0;
        }
    return fault_set(fault, "build/interleave, the explorer of interleavings, is not there; `make build/interleave` "
                            "makes it");
}

/* ---- exercises and their headers ------------------------------------------------------------------------------- */

static const struct exercise *exercise_of(const struct course *course, const char *id)
{
    for (size_t i = 0; i < course->count; i++)
        if (strcmp(course->exercises[i].id, id) == 0)
            return &course->exercises[i];
    return NULL;
}

static void add_needed(void *context, const struct course *course, const struct exercise *exercise,
                       struct needed *needed)
{
    for (size_t i = 0; i < needed->count; i++)
        if (needed->items[i] == exercise)
            return;
    needed->items = memory_grown(context, needed->items, needed->count + 1, sizeof *needed->items);
    needed->items[needed->count++] = exercise;
    for (const char **id = exercise->needs; id != NULL && *id != NULL; id++) {
        const struct exercise *below = exercise_of(course, *id); /* course_load has checked that there is one */
        if (below != NULL)
            add_needed(context, course, below, needed);
    }
}

struct needed tool_needed(void *context, const struct workshop *shop)
{
    struct needed needed = {0};

    add_needed(context, shop->course, shop->exercise, &needed);
    return needed;
}

const struct exercise **toolchain_needed(void *context, const struct workshop *shop)
{
    struct needed needed = tool_needed(context, shop);
    const struct exercise **below = memory_zeroed(context, needed.count, sizeof *below);

    for (size_t i = 1; i < needed.count; i++)
        below[i - 1] = needed.items[i];
    return below;
}

const char **toolchain_headers(void *context, const struct workshop *shop)
{
    struct needed needed = tool_needed(context, shop);
    const char **headers = memory_zeroed(context, needed.count + 1, sizeof *headers);

    for (size_t i = 0; i < needed.count; i++)
        headers[i] = needed.items[i]->header;
    return headers;
}

/* `path` as seen from the course's root; as it is where it lies elsewhere. */
const char *tool_from_root(const struct workshop *shop, const char *path)
{
    size_t length = strlen(shop->course->root);

    return strncmp(path, shop->course->root, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

/* ---- the student's file ---------------------------------------------------------------------------------------- */

static void add_student_words(void *context, const struct workshop *shop, bool gcc, struct words *words)
{
    const char **headers = toolchain_headers(context, shop);

    words_add_all(context, words, student_flags);
    words_add_all(context, words, gcc ? student_gcc_flags : student_clang_flags);
    words_add(context, words, memory_format(context, "-ffile-prefix-map=%s/=", shop->course->root));
    words_add(context, words, memory_format(context, "-ffile-prefix-map=%s=.", shop->dir));
    for (; *headers != NULL; headers++) { /* not -I: <semaphore.h> is the system's, "semaphore.h" the exercise's */
        const char *end = strrchr(*headers, '/');
        words_add(context, words, memory_format(context, "-iquote%.*s", (int)(end - *headers), *headers));
    }
}

int tool_run_on_student(void *context, const struct workshop *shop, const char *const *argv, long file_mb,
                        struct child_result *log, struct fault *fault)
{
    struct child_spec spec = {
        .argv = argv,
        .env = environment(context, shop),
        .cwd = shop->dir,
        .strange = true,
        .output_cap = WORDS_LIMIT,
        .wall_limit_s = STUDENT_WALL_S,
        .cpu_limit_s = STUDENT_CPU_S,
        .memory_mb = STUDENT_MEMORY_MB,
        .file_mb = file_mb,
    };

    if (child_run(context, &spec, log, fault) != 0)
        return -1;
    if (log->end == CHILD_TIMED_OUT)
        return fault_set(fault,
                         "%s got less than %d s of processor time within %d s: this machine is too busy; try again "
                         "when it is quieter",
                         argv[0], STUDENT_CPU_S, STUDENT_WALL_S);
    return 0;
}

bool tool_succeeded(const struct child_result *log)
{
    return log->end == CHILD_EXITED && log->status == 0;
}

/* The object and the words of an earlier call, where there was one. */
static bool compiled_before(void *context, const char *object, const char *words, struct child_result *log)
{
    struct fault unused = {""};

    if (access(object, F_OK) != 0)
        return false;
    char *err = files_read(context, words, WORDS_LIMIT, NULL, &unused);
    if (err == NULL)
        return false;
    *log = (struct child_result){
        .end = CHILD_EXITED, .out = memory_text(context, ""), .err = err, .err_size = strlen(err)};
    return true;
}

/* One run of the compiler over the student's file. */
static int compile_once(void *context, struct workshop *shop, enum flavour flavour, const char *object,
                        const char *extra_flag, struct child_result *log, struct fault *fault)
{
    struct words words = compile_words(context, flavour);

    add_student_words(context, shop, toolchain_by_gcc(flavour), &words);
    if (extra_flag != NULL)
        words_add(context, &words, extra_flag);
    words_add(context, &words, "-c");
    words_add(context, &words, trace_base_name(shop->source));
    if (flavour != FLAVOUR_CLANG) {
        words_add(context, &words, "-o");
        words_add(context, &words, object);
    }
    return tool_run_on_student(context, shop, words.items, STUDENT_FILE_MB, log, fault);
}

int toolchain_compile(void *context, struct workshop *shop, enum flavour flavour, const char **object,
                      struct child_result *log, struct fault *fault)
{
    const char *name = tool_flags(flavour)->name;
    const char *made = flavour == FLAVOUR_CLANG ? shop->source : memory_format(context, "%s/%s.o", shop->dir, name);
    const char *kept_words = memory_format(context, "%s/%s.words", shop->dir, name);

    *object = made;
    if (compiled_before(context, made, kept_words, log))
        return 0;
    if (compile_once(context, shop, flavour, made, NULL, log, fault) != 0)
        return -1;
    /* More warnings than anyone can read: the compiler was stopped for them, and warnings cost nothing. */
    if (log->end == CHILD_FLOODED && compile_once(context, shop, flavour, made, "-w", log, fault) != 0)
        return -1;
    if (!tool_succeeded(log)) {
        *object = NULL;
        if (flavour != FLAVOUR_CLANG)
            unlink(made);
        return 0;
    }
    return files_write(kept_words, log->err, log->err_size, fault);
}

int toolchain_preprocess(void *context, struct workshop *shop, const char **text, struct fault *fault)
{
    struct words words = compile_words(context, FLAVOUR_PLAIN);
    const char *made = memory_format(context, "%s/student.i", shop->dir);
    struct child_result log;

    *text = NULL;
    add_student_words(context, shop, true, &words);
    words_add(context, &words, "-E");
    words_add(context, &words, trace_base_name(shop->source));
    words_add(context, &words, "-o");
    words_add(context, &words, made);
    if (tool_run_on_student(context, shop, words.items, PREPROCESSED_MB, &log, fault) != 0)
        return -1;
    if (!tool_succeeded(&log))
        return 0;
    *text = files_read(context, made, (size_t)PREPROCESSED_MB << 20, NULL, fault);
    return *text == NULL ? -1 : 0;
}

/* Where something to be kept is made: stages that go side by side may make the same. */
const char *tool_made(void *context, const struct workshop *shop, const char *name)
{
    return memory_format(context, "%s/%d-%s", shop->dir, (int)getpid(), name);
}

/* ---- what is trusted ------------------------------------------------------------------------------------------- */

static int is_header(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 2 && strcmp(entry->d_name + length - 2, ".h") == 0;
}

/* Adds names and bytes of all headers in a folder to the key. */
static int key_headers(void *context, struct cache_key *key, const char *dir, struct fault *fault)
{
    struct dirent **entries = NULL;
    int result = 0;
    int count = scandir(dir, &entries, is_header, alphasort);

    if (count < 0)
        return fault_errno(fault, "%s: cannot be read", dir);
    for (int i = 0; i < count; i++) {
        cache_key_text(key, entries[i]->d_name);
        if (result == 0)
            result = cache_key_file(key, memory_format(context, "%s/%s", dir, entries[i]->d_name), fault);
        free(entries[i]);
    }
    free(entries);
    return result;
}

/* Tools and libraries whose change makes another result. */
void tool_key(void *context, struct cache_key *key, enum flavour flavour)
{
    static const char *const libraries[] = {
        "/usr/include/stdio.h",
        "/usr/include/pthread.h",
        "/usr/include/criterion/criterion.h",
        NULL,
    };

    cache_key_identity(key, tool_path(context, tool_flags(flavour)->compiler));
    cache_key_identity(key, tool_path(context, "as"));
    cache_key_identity(key, tool_path(context, "ld"));
    cache_key_identity(key, tool_path(context, "ld.gold"));
    for (size_t i = 0; libraries[i] != NULL; i++)
        cache_key_identity(key, libraries[i]);
}

/* One trusted file on its way to an object. */
struct trusted {
    enum flavour flavour;
    const char *source; /* absolute */
    const char *shown;  /* from the root */
    struct words words; /* the command, without the output */
    struct cache_key key;
};

static int add_trusted_dir(void *context, const struct workshop *shop, const char *dir, struct trusted *trusted,
                           struct fault *fault)
{
    const char *shown = tool_from_root(shop, dir);

    words_add(context, &trusted->words, memory_format(context, "-iquote%s", shown));
    cache_key_text(&trusted->key, shown);
    return key_headers(context, &trusted->key, dir, fault);
}

/* The folders that checks share headers in: the exercise's own, then its chapter's. */
static int add_checks_dirs(void *context, const struct workshop *shop, struct trusted *trusted, struct fault *fault)
{
    const char *dir = shop->exercise->checks_dir;
    const char *chapter = memory_text_n(context, dir, (size_t)(strrchr(dir, '/') - dir));

    if (add_trusted_dir(context, shop, dir, trusted, fault) != 0)
        return -1;
    return add_trusted_dir(context, shop, chapter, trusted, fault);
}

/* The folders a trusted file may include from: the harness for all but references, the exercise's for all but the
 * harness, those of the checks for checks. */
static int add_trusted_dirs(void *context, const struct workshop *shop, struct trusted *trusted, struct fault *fault)
{
    bool harness = strncmp(trusted->shown, "grader/harness/", 15) == 0;
    bool reference = strncmp(trusted->shown, "solutions/", 10) == 0;
    bool checks = strncmp(trusted->shown, "grader/checks/", 14) == 0;
    const char **headers = toolchain_headers(context, shop);

    words_add(context, &trusted->words, harness ? "-D_GNU_SOURCE" : "-D_POSIX_C_SOURCE=200809L");
    if (trusted->flavour == FLAVOUR_EXPLORED && !reference)
        words_add(context, &trusted->words, "-DINTERLEAVE"); /* alone.h and scarce.h are the explorer's then */
    if (!reference && add_trusted_dir(context, shop, memory_format(context, "%s/grader/harness", shop->course->root),
                                      trusted, fault) != 0)
        return -1;
    for (; !harness && *headers != NULL; headers++) {
        const char *end = strrchr(*headers, '/');
        const char *dir = memory_text_n(context, *headers, (size_t)(end - *headers));
        if (add_trusted_dir(context, shop, dir, trusted, fault) != 0)
            return -1;
    }
    return checks ? add_checks_dirs(context, shop, trusted, fault) : 0;
}

/* The first line of the tool's words that speaks of an error, for a fault of one line. */
static const char *first_error(void *context, const char *words)
{
    const char *at = strstr(words, "error");
    const char *start = at == NULL ? words : at;

    while (start > words && start[-1] != '\n')
        start--;
    return memory_text_n(context, start, strcspn(start, "\n"));
}

int tool_run_trusted(void *context, const struct workshop *shop, const char *const *argv, const char *what,
                     struct fault *fault)
{
    struct child_result log;
    struct child_spec spec = {
        .argv = argv,
        .env = environment(context, shop),
        .cwd = shop->course->root,
        .output_cap = WORDS_LIMIT,
        .wall_limit_s = TRUSTED_WALL_S,
        .file_mb = 4 * STUDENT_FILE_MB,
    };

    if (child_run(context, &spec, &log, fault) != 0)
        return -1;
    if (tool_succeeded(&log))
        return 0;
    return fault_set(fault, "%s: cannot be made: %s (%s)", what, first_error(context, log.err),
                     child_end_text(context, &log));
}

int toolchain_trusted(void *context, struct workshop *shop, enum flavour flavour, const char *source,
                      const char **object, struct fault *fault)
{
    struct trusted trusted = {.flavour = flavour, .source = source, .shown = tool_from_root(shop, source)};

    cache_key_begin(&trusted.key);
    trusted.words = compile_words(context, flavour);
    if (add_trusted_dirs(context, shop, &trusted, fault) != 0)
        return -1;
    words_add(context, &trusted.words, "-c");
    words_add(context, &trusted.words, trusted.shown);
    for (size_t i = 0; i < trusted.words.count; i++)
        cache_key_text(&trusted.key, trusted.words.items[i]);
    tool_key(context, &trusted.key, flavour);
    if (cache_key_file(&trusted.key, source, fault) != 0)
        return -1;

    const char *name = memory_format(context, "%s.o", cache_key_name(context, &trusted.key));
    *object = cache_find(context, shop->cache_dir, name);
    if (*object != NULL)
        return 0;
    const char *made = tool_made(context, shop, name);
    words_add(context, &trusted.words, memory_format(context, "-ffile-prefix-map=%s=.", shop->course->root));
    words_add(context, &trusted.words, "-o");
    words_add(context, &trusted.words, made);
    if (tool_run_trusted(context, shop, trusted.words.items, trusted.shown, fault) != 0)
        return -1;
    return cache_keep(context, shop->cache_dir, name, made, object, fault);
}

int toolchain_contract(void *context, struct workshop *shop, const char ***names, struct fault *fault)
{
    const char *object = NULL;

    if (toolchain_trusted(context, shop, FLAVOUR_PLAIN, shop->exercise->reference, &object, fault) != 0)
        return -1;
    return object_globals(context, object, names, fault);
}

/* Adds the names that the reference at `source` defines. */
static int add_names(void *context, struct workshop *shop, const char *source, struct words *names, struct fault *fault)
{
    const char *object = NULL;
    const char **globals = NULL;

    if (toolchain_trusted(context, shop, FLAVOUR_PLAIN, source, &object, fault) != 0 ||
        object_globals(context, object, &globals, fault) != 0)
        return -1;
    words_add_all(context, names, globals);
    return 0;
}

int toolchain_needed_names(void *context, struct workshop *shop, const char ***names, struct fault *fault)
{
    struct needed needed = tool_needed(context, shop);
    struct words words = {.items = memory_zeroed(context, 33, sizeof *words.items)};

    for (size_t i = 1; i < needed.count; i++)
        if (add_names(context, shop, needed.items[i]->reference, &words, fault) != 0)
            return -1;
    *names = words.items;
    return 0;
}
