/* program.c - see program.h. */
#include "program.h"

#include "program_names.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 128, PATH_SIZE = 256 };

static struct {
    char path[PATH_SIZE];
    size_t base;
    char *data, *data_end;
    const void *tls_image;
    size_t tls_size, tls_file_size, tls_alignment;
} loaded;

const char *program_path(void)
{
    return loaded.path;
}

size_t program_base(void)
{
    return loaded.base;
}

const void *program_tls(size_t *size, size_t *file_size, size_t *alignment)
{
    *size = loaded.tls_size;
    *file_size = loaded.tls_file_size;
    *alignment = loaded.tls_alignment;
    return loaded.tls_image;
}

bool program_data(void **start, size_t *size)
{
    *start = loaded.data;
    *size = (size_t)(loaded.data_end - loaded.data);
    return loaded.data != NULL;
}

/* Runs a command and waits for it: its exit status, or -1. */
static int run(char *const *words)
{
    pid_t child = fork();
    if (child == 0) {
        execvp(words[0], words);
        dprintf(STDERR_FILENO, "interleave: %s: %s\n", words[0], strerror(errno));
        _exit(127);
    }
    int status;
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *const compile_flags[] = {
    "-fsanitize=thread",
    "-O1",
    "-g",
    "-fPIC",
    "-fno-omit-frame-pointer",
    "-fno-common",
    "-fno-builtin-malloc",
    "-fno-builtin-calloc",
    "-fno-builtin-realloc",
    "-fno-builtin-free",
#ifdef __aarch64__
    "-mtls-dialect=trad",
    "-mno-outline-atomics",
#endif
    "-c",
};

static int compile(const struct program_options *options, const char *file, const char *object)
{
    char *words[WORDS_MAX];
    unsigned n = 0;
    words[n++] = (char *)options->compiler;
    for (unsigned i = 0; i < sizeof compile_flags / sizeof compile_flags[0]; i++)
        words[n++] = (char *)compile_flags[i];
    for (unsigned i = 0; i < options->flags_n && n < WORDS_MAX - 5; i++)
        if (strncmp(options->flags[i], "-l", 2) != 0)
            words[n++] = (char *)options->flags[i];
    words[n++] = "-o";
    words[n++] = (char *)object;
    words[n++] = (char *)file;
    words[n] = NULL;
    if (run(words) == 0)
        return 0;
    fprintf(stderr, "interleave: %s does not compile\n", file);
    return -1;
}

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

/* One relocatable object of them all. What is an object already was compiled with the same flags by whoever gave it. */
static int gather(const struct program *program, const struct program_options *options, char *whole)
{
    char names[64][PATH_SIZE];
    char *words[80] = {"ld", "-r", "-o", whole};
    unsigned n = options->files_n;
    for (unsigned i = 0; i < n; i++) {
        words[4 + i] = (char *)options->files[i];
        if (ends_in(options->files[i], ".o"))
            continue;
        snprintf(names[i], sizeof names[i], "%s/%u.o", program->directory, i);
        if (compile(options, options->files[i], names[i]))
            return -1;
        words[4 + i] = names[i];
    }
    words[4 + n] = NULL;
    if (run(words) == 0)
        return 0;
    fprintf(stderr, "interleave: the files do not fit together\n");
    return -1;
}

/* The stubs' object, where there are any, and the shared object. */
static int link_all(const struct program *program, const struct program_options *options, char *whole, char *shared)
{
    char stubs_c[PATH_SIZE], stubs_o[PATH_SIZE], list[PATH_SIZE];
    snprintf(stubs_c, sizeof stubs_c, "%s/stubs.c", program->directory);
    snprintf(stubs_o, sizeof stubs_o, "%s/stubs.o", program->directory);
    snprintf(list, sizeof list, "@%s/names", program->directory);
    bool stubs = false;
    if (names_redirect(whole, program->directory, &stubs))
        return -1;
    char *rename[] = {"objcopy", list, whole, NULL};
    char *make_stubs[] = {(char *)options->compiler, "-O1", "-fPIC", "-c", "-o", stubs_o, stubs_c, NULL};
    if (run(rename) || (stubs && run(make_stubs))) {
        fprintf(stderr, "interleave: the program's object could not be prepared\n");
        return -1;
    }
    char *words[WORDS_MAX] = {
        (char *)options->compiler, "-shared", "-Wl,-Bsymbolic", "-Wl,-z,now", "-o", shared, whole};
    unsigned n = 7;
    if (stubs)
        words[n++] = stubs_o;
    for (unsigned i = 0; i < options->flags_n && n < WORDS_MAX - 3; i++)
        if (strncmp(options->flags[i], "-l", 2) == 0 && strcmp(options->flags[i], "-lpthread") != 0)
            words[n++] = (char *)options->flags[i];
    words[n++] = "-lm";
    words[n] = NULL;
    if (run(words) == 0)
        return 0;
    fprintf(stderr,
            "interleave: the program does not link: a library that it needs is absent or was not named (-lNAME)\n");
    return -1;
}

/* Finds the loaded program's segments: what stays writable after relocation is its data. */
static int look_at_segments(struct dl_phdr_info *info, size_t size, void *closure)
{
    (void)size;
    (void)closure;
    if (strcmp(info->dlpi_name, loaded.path) != 0)
        return 0;
    loaded.base = info->dlpi_addr;
    uintptr_t fixed_end = 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        char *start =
            (char *)info->dlpi_addr + part->p_vaddr; /* NOLINT(performance-no-int-to-ptr) as the loader gives it */
        if (part->p_type == PT_GNU_RELRO) {
            fixed_end = (uintptr_t)start + part->p_memsz;
        } else if (part->p_type == PT_LOAD && (part->p_flags & PF_W)) {
            loaded.data = start;
            loaded.data_end = start + part->p_memsz;
        } else if (part->p_type == PT_TLS) {
            loaded.tls_image = start;
            loaded.tls_size = part->p_memsz;
            loaded.tls_file_size = part->p_filesz;
            loaded.tls_alignment = part->p_align;
        }
    }
    if (loaded.data && fixed_end > (uintptr_t)loaded.data)
        loaded.data += fixed_end - (uintptr_t)loaded.data;
    if (loaded.data > loaded.data_end)
        loaded.data = loaded.data_end;
    return 1;
}

static int load(struct program *program, const char *shared)
{
    snprintf(loaded.path, sizeof loaded.path, "%s", shared);
    program->handle = dlopen(shared, RTLD_NOW | RTLD_LOCAL);
    if (!program->handle) {
        const char *error = dlerror(), *missing = strstr(error, "undefined symbol: ");
        if (missing)
            fprintf(stderr, "interleave: nothing defines %s: is a file missing, or a library (-lNAME)?\n",
                    missing + 18);
        else
            fprintf(stderr, "interleave: the program does not load: %s\n", error);
        return -1;
    }
    *(void **)&program->main = dlsym(program->handle, "il_program_main");
    if (!program->main) {
        fprintf(stderr, "interleave: the program has no main()\n");
        return -1;
    }
    dl_iterate_phdr(look_at_segments, NULL);
    return 0;
}

/* Makes the shared object out of files and objects. */
static int build(const struct program_options *options, const struct program *program, char *shared)
{
    char whole[PATH_SIZE];
    snprintf(whole, sizeof whole, "%s/program.o", program->directory);
    if (options->files_n > 64) {
        fprintf(stderr, "interleave: more than 64 files\n");
        return -1;
    }
    return gather(program, options, whole) || link_all(program, options, whole, shared) ? -1 : 0;
}

int program_open(const struct program_options *options, struct program *program)
{
    char shared[PATH_SIZE];
    program->handle = NULL;
    program->directory[0] = '\0';
    if (options->files_n == 1 && ends_in(options->files[0], ".so")) { /* prepared before; a name with a slash */
        bool is_bare = strchr(options->files[0], '/') == NULL;
        snprintf(shared, sizeof shared, "%s%s", is_bare ? "./" : "", options->files[0]);
        return load(program, shared);
    }
    snprintf(program->directory, sizeof program->directory, "/tmp/interleave.XXXXXX");
    if (!mkdtemp(program->directory)) {
        fprintf(stderr, "interleave: %s: %s\n", program->directory, strerror(errno));
        program->directory[0] = '\0';
        return -1;
    }
    snprintf(shared, sizeof shared, "%s/program.so", program->directory);
    if (options->prepare)
        return build(options, program, (char *)options->prepare);
    return build(options, program, shared) ? -1 : load(program, shared);
}

void program_close(struct program *program)
{
    if (program->handle)
        dlclose(program->handle);
    if (!program->directory[0])
        return;
    char *words[] = {"rm", "-rf", program->directory, NULL};
    run(words);
}
