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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 128, PATH_SIZE = 256 };

/* The dynamic section's entries for constructors and destructors go under these tags (of the range that is left to
 * operating systems), so that the loader does not run them: each run does, like main. */
enum hidden_tag {
    HIDDEN_INIT = 0x60e11e00,
    HIDDEN_INIT_SIZE,
    HIDDEN_FINI,
    HIDDEN_FINI_SIZE,
};

struct starter {
    void (*function)(int, char **, char **);
};

static struct {
    char path[PATH_SIZE];
    size_t base;
    char *data, *data_end;
    const struct starter *starters, *enders; /* constructors and destructors of the program, as the linker left them */
    size_t starters_n, enders_n;
    int (*main)(int, char **, char **);
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
    "-fno-builtin-memcpy", /* so that they are called, and looked at */
    "-fno-builtin-memmove",
    "-fno-builtin-memset",
    "-fno-builtin-strcpy",
    "-U_FORTIFY_SOURCE",
    "-ftls-model=global-dynamic",
#if defined __x86_64__
    "-fstack-clash-protection", /* a large frame meets the guard page instead of passing over it */
#endif
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
    for (unsigned i = 0; i < options->flags_n && n < WORDS_MAX - 6; i++)
        if (strncmp(options->flags[i], "-l", 2) != 0)
            words[n++] = (char *)options->flags[i];
    words[n++] = "-fno-exceptions"; /* handlers of pthread_cleanup_push are called, not unwound to */
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
        (char *)options->compiler, "-shared", "-nostartfiles", "-Wl,-Bsymbolic", "-Wl,-z,now", "-o", shared, whole};
    unsigned n = 8;
    if (stubs)
        words[n++] = stubs_o;
    for (unsigned i = 0; i < options->flags_n && n < WORDS_MAX - 3; i++)
        if (strncmp(options->flags[i], "-l", 2) == 0 && strcmp(options->flags[i], "-lpthread") != 0)
            words[n++] = (char *)options->flags[i];
    words[n++] = "-lm";
    words[n] = NULL;
    if (run(words) == 0)
        return hide_starters(shared);
    fprintf(stderr,
            "interleave: the program does not link: a library that it needs is absent or was not named (-lNAME)\n");
    return -1;
}

static void find_starters(const ElfW(Dyn) * entry)
{
    for (; entry->d_tag != DT_NULL; entry++) {
        const void *at = (char *)loaded.base + entry->d_un.d_ptr; /* NOLINT(performance-no-int-to-ptr) */
        if (entry->d_tag == HIDDEN_INIT)
            loaded.starters = at;
        else if (entry->d_tag == HIDDEN_INIT_SIZE)
            loaded.starters_n = entry->d_un.d_val / sizeof *loaded.starters;
        else if (entry->d_tag == HIDDEN_FINI)
            loaded.enders = at;
        else if (entry->d_tag == HIDDEN_FINI_SIZE)
            loaded.enders_n = entry->d_un.d_val / sizeof *loaded.enders;
    }
}

/* What each run does: constructors in their order, then main. */
static int begin(int argc, char **argv, char **environment)
{
    for (size_t i = 0; i < loaded.starters_n; i++)
        loaded.starters[i].function(argc, argv, environment);
    return loaded.main(argc, argv, environment);
}

void program_end(void)
{
    for (size_t i = loaded.enders_n; i-- > 0;)
        loaded.enders[i].function(0, NULL, NULL);
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
        } else if (part->p_type == PT_DYNAMIC) {
            find_starters((void *)start);
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
    *(void **)&loaded.main = dlsym(program->handle, "il_program_main");
    program->main = begin;
    if (!loaded.main) {
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
