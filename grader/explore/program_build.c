/* program_build.c - see program_build.h. */
#include "program_build.h"

#include "program_names.h"
#include "program_scan.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 128, PATH_SIZE = 256, FILES_MAX = 64 };

struct build {
    const struct program_options *options;
    const char *directory, *shared;
    char whole[PATH_SIZE];    /* one relocatable object of all */
    char messages[PATH_SIZE]; /* what the linker says */
};

/* ---- commands ---------------------------------------------------------------------------------------------------- */

/* In the child: ends with us, has its temporary files where ours are, and speaks into a file where `messages` is set.
 */
static _Noreturn void become(const struct build *build, char *const *words, const char *messages)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("TMPDIR", build->directory, 1);
    setenv("LC_ALL", "C", 1);
    int file = messages ? open(messages, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (file >= 0) {
        dup2(file, STDERR_FILENO);
        close(file);
    }
    execvp(words[0], words);
    dprintf(STDERR_FILENO, "interleave: %s: %s\n", words[0], strerror(errno));
    _exit(127);
}

/* Runs a command and waits for it: its exit status, or -1. */
static int run(const struct build *build, char *const *words, const char *messages)
{
    pid_t child = fork();
    if (child == 0)
        become(build, words, messages);
    int status;
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What follows `before` in the linker's words, up to any of `ends`: one of its messages. */
static bool said(const struct build *build, const char *before, const char *ends, char *name, size_t size)
{
    char line[1024];
    bool found = false;
    FILE *file = fopen(build->messages, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        const char *at = strstr(line, before);
        if (!at)
            continue;
        at += strlen(before);
        snprintf(name, size, "%.*s", (int)strcspn(at, ends), at);
        found = true;
    }
    if (file)
        fclose(file);
    return found;
}

static int link_failed(const struct build *build)
{
    char name[128];
    if (said(build, "cannot find -l", ": \n", name, sizeof name))
        fprintf(stderr, "interleave: the library %s is absent (-l%s)\n", name, name);
    else if (said(build, "multiple definition of `", "'\n", name, sizeof name))
        fprintf(stderr, "interleave: the program does not link: %s is defined more than once\n", name);
    else if (said(build, "ld: ", "\n", name, sizeof name) || said(build, "error: ", "\n", name, sizeof name))
        fprintf(stderr, "interleave: the program does not link: %s\n", name);
    else
        fprintf(stderr, "interleave: the program does not link\n");
    return -1;
}

/* ---- compiling --------------------------------------------------------------------------------------------------- */

static const char *const compile_flags[] = {
    "-fsanitize=thread",
    "-O1",
    "-g",
    "-fPIC",
    "-fno-omit-frame-pointer",
    "-fno-common",
    "-fno-inline", /* every call is one, for the trace and its words */
    "-fno-optimize-sibling-calls",
    "-fno-builtin-malloc",
    "-fno-builtin-calloc",
    "-fno-builtin-realloc",
    "-fno-builtin-free",
    "-fno-builtin-memcpy", /* so that they are called, and looked at */
    "-fno-builtin-memmove",
    "-fno-builtin-memset",
    "-fno-builtin-strcpy",
    "-fno-builtin-strcat",
    "-fno-builtin-strncat",
    "-fno-builtin-strncpy",
    "-fno-builtin-sprintf", /* clang 14 does not end over "%s" and -fno-builtin-strcpy */
    "-fno-builtin-snprintf",
    "-U_FORTIFY_SOURCE",
    "-ftls-model=global-dynamic",
#if defined __x86_64__
    "-fstack-clash-protection", /* a large frame meets the guard page instead of passing over it */
#endif
#ifdef __aarch64__
    "-mno-outline-atomics",
#endif
    "-S",
};

static int assemble(const struct build *build, char *assembly, char *object)
{
    char *words[] = {(char *)build->options->compiler, "-Wa,--no-warn", "-g0", "-c", "-o", object, assembly, NULL};
    if (run(build, words, NULL) == 0)
        return 0;
    fprintf(stderr, "interleave: what the compiler made of the program cannot be assembled\n");
    return -1;
}

/* By way of its assembly, which shows what the program has of its own (program_scan.h). */
static int compile(const struct build *build, const char *file, unsigned number, char *object)
{
    char *words[WORDS_MAX], assembly[PATH_SIZE];
    const struct program_options *options = build->options;
    unsigned n = 0;
    snprintf(assembly, sizeof assembly, "%s/%u.s", build->directory, number);
    words[n++] = (char *)options->compiler;
    for (unsigned i = 0; i < sizeof compile_flags / sizeof compile_flags[0]; i++)
        words[n++] = (char *)compile_flags[i];
    for (unsigned i = 0; i < options->flags_n && n < WORDS_MAX - 9; i++)
        if (strncmp(options->flags[i], "-l", 2) != 0)
            words[n++] = (char *)options->flags[i];
    bool is_clang = strstr(options->compiler, "clang") != NULL;
#ifdef __aarch64__
    words[n++] = is_clang ? "-femulated-tls" : "-mtls-dialect=trad"; /* by a call of ours */
    if (!is_clang)                                                   /* clang learned it later */
        words[n++] = "-fstack-clash-protection";
#endif
    /* Clang's GlobalOpt turns a static variable that only one function uses, and always writes first, into one of that
     * function's own, an atomic one too: Peterson's `turn`. It does not where the function calls others. */
    if (is_clang)
        words[n++] = "-finstrument-functions";
    words[n++] = "-fno-exceptions"; /* handlers of pthread_cleanup_push are called, not unwound to */
    words[n++] = "-o";
    words[n++] = assembly;
    words[n++] = (char *)file;
    words[n] = NULL;
    if (run(build, words, NULL) == 0)
        return scan_assembly(assembly, file) ? -1 : assemble(build, assembly, object);
    fprintf(stderr, "interleave: %s does not compile\n", file);
    return -1;
}

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

/* One relocatable object of them all. What is an object already was compiled with the same flags by whoever gave it. */
static int gather(struct build *build)
{
    char names[FILES_MAX][PATH_SIZE];
    char *words[FILES_MAX + 8] = {"ld", "-r", "-o", build->whole};
    const struct program_options *options = build->options;
    unsigned n = options->files_n;
    for (unsigned i = 0; i < n; i++) {
        const char *file = options->files[i];
        words[4 + i] = (char *)file;
        if (access(file, R_OK)) {
            fprintf(stderr, "interleave: %s: %s\n", file, strerror(errno));
            return -1;
        }
        if (ends_in(file, ".o"))
            continue;
        snprintf(names[i], sizeof names[i], "%s/%u.o", build->directory, i);
        if (compile(build, file, i, names[i]))
            return -1;
        words[4 + i] = names[i];
    }
    words[4 + n] = NULL;
    return run(build, words, build->messages) ? link_failed(build) : 0;
}

/* ---- linking ----------------------------------------------------------------------------------------------------- */

static bool hide_entries(ElfW(Dyn) * entry, const ElfW(Dyn) * end)
{
    static const struct {
        ElfW(Sxword) tag;
        enum hidden_tag hidden;
    } tags[] = {{DT_INIT_ARRAY, HIDDEN_INIT},
                {DT_INIT_ARRAYSZ, HIDDEN_INIT_SIZE},
                {DT_FINI_ARRAY, HIDDEN_FINI},
                {DT_FINI_ARRAYSZ, HIDDEN_FINI_SIZE}};
    for (; entry < end && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_STATIC_TLS))
            return false;
        for (unsigned i = 0; i < sizeof tags / sizeof tags[0]; i++)
            if (entry->d_tag == tags[i].tag)
                entry->d_tag = tags[i].hidden;
    }
    return true;
}

static int hide_in(char *image)
{
    const ElfW(Ehdr) *header = (void *)image;
    const ElfW(Phdr) *part = (void *)(image + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        ElfW(Dyn) *entries = (void *)(image + part[i].p_offset);
        if (part[i].p_type != PT_DYNAMIC || hide_entries(entries, entries + part[i].p_filesz / sizeof *entries))
            continue;
        fprintf(stderr, "interleave: the program has thread-local variables of a fixed place (tls_model), which the "
                        "explorer cannot give to each of its threads\n");
        return -1;
    }
    return 0;
}

/* Takes the constructors and destructors away from the loader; see hidden_tag. */
static int hide_starters(const char *shared)
{
    int result = -1, file = open(shared, O_RDWR | O_CLOEXEC);
    struct stat about;
    char *image = MAP_FAILED;
    if (file >= 0 && fstat(file, &about) == 0)
        image = mmap(NULL, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (image == MAP_FAILED) {
        fprintf(stderr, "interleave: %s: %s\n", shared, strerror(errno));
    } else {
        result = hide_in(image);
        munmap(image, (size_t)about.st_size);
    }
    if (file >= 0)
        close(file);
    return result;
}

/* Gives the names their meaning, and makes the stubs' object where there are any. */
static int prepare(struct build *build, char *stubs_o, bool *stubs)
{
    char stubs_c[PATH_SIZE], list[PATH_SIZE];
    snprintf(stubs_c, sizeof stubs_c, "%s/stubs.c", build->directory);
    snprintf(stubs_o, PATH_SIZE, "%s/stubs.o", build->directory);
    snprintf(list, sizeof list, "@%s/names", build->directory);
    if (names_redirect(build->whole, build->directory, stubs))
        return -1;
    char *rename[] = {"objcopy", list, build->whole, NULL};
    char *make_stubs[] = {(char *)build->options->compiler, "-O1", "-fPIC", "-c", "-o", stubs_o, stubs_c, NULL};
    if (run(build, rename, NULL) == 0 && (!*stubs || run(build, make_stubs, NULL) == 0))
        return 0;
    fprintf(stderr, "interleave: the program's object could not be prepared\n");
    return -1;
}

/* gold is a little quicker than ld. Where it is missing the default serves. */
static bool has_gold(void)
{
    char path[PATH_SIZE];
    const char *at = getenv("PATH");
    for (size_t length; at && *at; at += length + (at[length] == ':')) {
        length = strcspn(at, ":");
        int n = snprintf(path, sizeof path, "%.*s/ld.gold", (int)length, at);
        if (n > 0 && n < (int)sizeof path && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static int link_all(struct build *build)
{
    char stubs_o[PATH_SIZE];
    bool stubs = false;
    const struct program_options *options = build->options;
    if (prepare(build, stubs_o, &stubs))
        return -1;
    char *words[WORDS_MAX] = {
        (char *)options->compiler, "-shared", "-nostartfiles",       "-Wl,-Bsymbolic", "-Wl,-z,now",
        "-Wl,-z,noexecstack",      "-o",      (char *)build->shared, build->whole};
    unsigned n = 9;
    if (has_gold())
        words[n++] = "-fuse-ld=gold";
    if (stubs)
        words[n++] = stubs_o;
    for (unsigned i = 0; i < options->flags_n && n < WORDS_MAX - 3; i++)
        if (strncmp(options->flags[i], "-l", 2) == 0 && strcmp(options->flags[i], "-lpthread") != 0)
            words[n++] = (char *)options->flags[i];
    words[n++] = "-lm";
    words[n] = NULL;
    return run(build, words, build->messages) ? link_failed(build) : hide_starters(build->shared);
}

bool build_is_prepared(const char *file)
{
    return ends_in(file, ".so");
}

int build_program(const struct program_options *options, const char *directory, const char *shared)
{
    struct build build = {.options = options, .directory = directory, .shared = shared};
    snprintf(build.whole, sizeof build.whole, "%s/program.o", directory);
    snprintf(build.messages, sizeof build.messages, "%s/messages", directory);
    if (options->files_n > FILES_MAX) {
        fprintf(stderr, "interleave: more than %d files\n", FILES_MAX);
        return -1;
    }
    return gather(&build) || link_all(&build) ? -1 : 0;
}
