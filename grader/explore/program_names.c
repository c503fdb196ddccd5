/* program_names.c - see program_names.h. */
#include "program_names.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Calls that touch nothing but what they are given and make no difference to other threads; sorted. Output goes
 * nowhere while the search runs. */
static const char *const harmless[] = {
    "_GLOBAL_OFFSET_TABLE_",
    "__ctype_b_loc",
    "__ctype_tolower_loc",
    "__ctype_toupper_loc",
    "__errno_location",
    "__fprintf_chk",
    "__isoc99_sscanf",
    "__memcpy_chk",
    "__memset_chk",
    "__printf_chk",
    "__sigsetjmp",
    "__snprintf_chk",
    "__sprintf_chk",
    "__stack_chk_fail",
    "__strcpy_chk",
    "_setjmp",
    "abs",
    "atof",
    "atoi",
    "atol",
    "bsearch",
    "ceil",
    "div",
    "exp",
    "fabs",
    "fflush",
    "floor",
    "fmod",
    "fprintf",
    "fputc",
    "fputs",
    "fwrite",
    "getenv",
    "getpid",
    "isalnum",
    "isalpha",
    "isdigit",
    "isspace",
    "labs",
    "ldiv",
    "llabs",
    "log",
    "longjmp",
    "memchr",
    "perror",
    "pow",
    "printf",
    "pthread_attr_destroy",
    "pthread_attr_getdetachstate",
    "pthread_attr_getstacksize",
    "pthread_attr_init",
    "pthread_attr_setdetachstate",
    "pthread_attr_setstacksize",
    "pthread_barrierattr_destroy",
    "pthread_barrierattr_init",
    "pthread_condattr_destroy",
    "pthread_condattr_init",
    "pthread_condattr_setclock",
    "pthread_mutexattr_destroy",
    "pthread_mutexattr_getrobust",
    "pthread_mutexattr_gettype",
    "pthread_mutexattr_init",
    "pthread_mutexattr_setrobust",
    "pthread_mutexattr_settype",
    "pthread_rwlockattr_destroy",
    "pthread_rwlockattr_init",
    "putc",
    "putchar",
    "puts",
    "qsort",
    "setbuf",
    "setjmp",
    "setvbuf",
    "sin",
    "snprintf",
    "sprintf",
    "sqrt",
    "sscanf",
    "stderr",
    "stdin",
    "stdout",
    "strcasecmp",
    "strcat",
    "strchr",
    "strcspn",
    "strerror",
    "strerror_r",
    "strncasecmp",
    "strncat",
    "strncmp",
    "strncpy",
    "strnlen",
    "strrchr",
    "strspn",
    "strstr",
    "strtod",
    "strtol",
    "strtoll",
    "strtoul",
    "strtoull",
    "sysconf",
    "tolower",
    "toupper",
    "vfprintf",
    "vprintf",
    "vsnprintf",
};

static int compare(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

struct output {
    FILE *names, *stubs;
    unsigned stubs_n;
};

static void redirect(const struct output *output, const char *name, const char *to)
{
    fprintf(output->names, "--redefine-sym %s=%s\n", name, to);
}

static bool is_ours(const char *name)
{
    return dlsym(RTLD_DEFAULT, name) != NULL;
}

/* Mathematics is harmless: all of it. */
static bool is_math(const char *name)
{
    Dl_info info;
    void *at = dlsym(RTLD_DEFAULT, name);
    return at && dladdr(at, &info) && info.dli_fname && strstr(info.dli_fname, "libm.so");
}

static void deal_with(struct output *output, const char *name)
{
    char ours[256];
    snprintf(ours, sizeof ours, "il_%s", name);
    if (is_ours(ours)) {
        redirect(output, name, ours);
        return;
    }
    if (strncmp(name, "__tsan_", 7) == 0 && is_ours(name))
        return;
    if (bsearch(name, harmless, sizeof harmless / sizeof harmless[0], sizeof harmless[0], compare))
        return;
    bool is_instrumentation = strncmp(name, "__tsan_", 7) == 0;
    if (!is_instrumentation && (!is_ours(name) || is_math(name)))
        return; /* of another library, if it is anywhere: loading shows it */
    snprintf(ours, sizeof ours, "il_stub_%s", name);
    redirect(output, name, ours);
    fprintf(output->stubs, "void %s(void) { il_cannot(\"%s\", __builtin_return_address(0)); }\n", ours, name);
    output->stubs_n++;
}

static void each_undefined(Elf *elf, struct output *output)
{
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB || header.sh_entsize == 0)
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        int count = (int)(header.sh_size / header.sh_entsize);
        for (int i = 1; data && i < count; i++) {
            GElf_Sym symbol;
            if (!gelf_getsym(data, i, &symbol) || symbol.st_shndx != SHN_UNDEF)
                continue;
            const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (name && *name)
                deal_with(output, name);
        }
    }
}

static FILE *open_in(const char *directory, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return fopen(path, "we");
}

int names_redirect(const char *object, const char *directory, bool *stubs)
{
    int result = -1;
    struct output output = {.names = open_in(directory, "names"), .stubs = open_in(directory, "stubs.c")};
    int file = open(object, O_RDONLY | O_CLOEXEC);
    elf_version(EV_CURRENT);
    Elf *elf = file < 0 ? NULL : elf_begin(file, ELF_C_READ, NULL);
    if (output.names && output.stubs && elf) {
        redirect(&output, "main", "il_program_main");
        fprintf(output.stubs, "extern void il_cannot(const char *, const void *);\n");
        each_undefined(elf, &output);
        result = 0;
    } else {
        fprintf(stderr, "interleave: %s cannot be read\n", object);
    }
    *stubs = output.stubs_n > 0;
    elf_end(elf);
    if (file >= 0)
        close(file);
    if (output.names && fclose(output.names))
        result = -1;
    if (output.stubs && fclose(output.stubs))
        result = -1;
    return result;
}
