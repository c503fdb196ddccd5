/* program.c - see program.h. */
#include "program.h"

#include "program_build.h"
#include "program_directory.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 256 };

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

int program_open(const struct program_options *options, struct program *program)
{
    char shared[PATH_SIZE];
    program->handle = NULL;
    program->directory[0] = '\0';
    if (options->files_n == 1 && build_is_prepared(options->files[0])) {
        bool is_bare = strchr(options->files[0], '/') == NULL; /* the loader would look for it elsewhere */
        snprintf(shared, sizeof shared, "%s%s", is_bare ? "./" : "", options->files[0]);
        return load(program, shared);
    }
    if (directory_open(program->directory, sizeof program->directory))
        return -1;
    snprintf(shared, sizeof shared, "%s/program.so", program->directory);
    if (options->prepare)
        return build_program(options, program->directory, options->prepare);
    return build_program(options, program->directory, shared) ? -1 : load(program, shared);
}

void program_close(struct program *program)
{
    if (program->handle)
        dlclose(program->handle);
    directory_close(program->directory);
}
