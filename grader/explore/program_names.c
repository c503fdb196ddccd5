/* program_names.c - see program_names.h. */
#include "program_names.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Calls that touch nothing but what they are given and make no difference to other threads. Output goes nowhere while
 * the search runs. */
static const char *const harmless[] = {
    "_GLOBAL_OFFSET_TABLE_",
    "__ctype_b_loc",
    "__ctype_tolower_loc",
    "__ctype_toupper_loc",
    "__cyg_profile_func_enter",
    "__cyg_profile_func_exit",
    "__errno_location",
    "__isoc23_sscanf",
    "__isoc23_strtoimax",
    "__isoc23_strtol",
    "__isoc23_strtoll",
    "__isoc23_strtoul",
    "__isoc23_strtoull",
    "__isoc23_strtoumax",
    "__isoc23_vsscanf",
    "__isoc99_sscanf",
    "__isoc99_vsscanf",
    "__libc_current_sigrtmax",
    "__libc_current_sigrtmin",
    "__sched_cpucount",
    "__sigsetjmp",
    "__stack_chk_fail",
    "__strtok_r",
    "__xpg_strerror_r",
    "_longjmp",
    "_setjmp",
    "a64l",
    "abs",
    "access",
    "asctime_r",
    "atof",
    "atoi",
    "atol",
    "atoll",
    "basename",
    "bcmp",
    "bcopy",
    "bsearch",
    "bzero",
    "clearerr",
    "confstr",
    "ctime_r",
    "difftime",
    "dirname",
    "div",
    "drand48_r",
    "erand48",
    "explicit_bzero",
    "feof",
    "ferror",
    "ffs",
    "ffsl",
    "ffsll",
    "fileno",
    "fputs_unlocked",
    "fwrite_unlocked",
    "get_nprocs_conf",
    "getauxval",
    "getegid",
    "geteuid",
    "getgid",
    "gethostname",
    "getopt",
    "getopt_long",
    "getpagesize",
    "getpgrp",
    "getpriority",
    "getrlimit",
    "getsid",
    "getuid",
    "gmtime_r",
    "gnu_get_libc_version",
    "imaxabs",
    "imaxdiv",
    "index",
    "inet_ntoa",
    "initstate_r",
    "isalnum",
    "isalpha",
    "isascii",
    "isatty",
    "isblank",
    "iscntrl",
    "isdigit",
    "isgraph",
    "islower",
    "isprint",
    "ispunct",
    "isspace",
    "isupper",
    "isxdigit",
    "jrand48",
    "l64a",
    "labs",
    "ldiv",
    "llabs",
    "lldiv",
    "localeconv",
    "localtime_r",
    "longjmp",
    "lrand48_r",
    "lstat",
    "mbstowcs",
    "memccpy",
    "memchr",
    "memmem",
    "mempcpy",
    "memrchr",
    "mktime",
    "mrand48_r",
    "nrand48",
    "pathconf",
    "pthread_attr_destroy",
    "pthread_attr_getdetachstate",
    "pthread_attr_getguardsize",
    "pthread_attr_getinheritsched",
    "pthread_attr_getschedparam",
    "pthread_attr_getschedpolicy",
    "pthread_attr_getscope",
    "pthread_attr_getstack",
    "pthread_attr_getstackaddr",
    "pthread_attr_getstacksize",
    "pthread_attr_init",
    "pthread_attr_setdetachstate",
    "pthread_attr_setguardsize",
    "pthread_attr_setinheritsched",
    "pthread_attr_setschedparam",
    "pthread_attr_setschedpolicy",
    "pthread_attr_setscope",
    "pthread_attr_setstack",
    "pthread_attr_setstackaddr",
    "pthread_attr_setstacksize",
    "pthread_barrierattr_destroy",
    "pthread_barrierattr_getpshared",
    "pthread_barrierattr_init",
    "pthread_barrierattr_setpshared",
    "pthread_condattr_destroy",
    "pthread_condattr_getclock",
    "pthread_condattr_getpshared",
    "pthread_condattr_init",
    "pthread_condattr_setclock",
    "pthread_condattr_setpshared",
    "pthread_mutexattr_destroy",
    "pthread_mutexattr_getkind_np",
    "pthread_mutexattr_getprioceiling",
    "pthread_mutexattr_getprotocol",
    "pthread_mutexattr_getpshared",
    "pthread_mutexattr_getrobust",
    "pthread_mutexattr_getrobust_np",
    "pthread_mutexattr_gettype",
    "pthread_mutexattr_init",
    "pthread_mutexattr_setkind_np",
    "pthread_mutexattr_setprioceiling",
    "pthread_mutexattr_setprotocol",
    "pthread_mutexattr_setpshared",
    "pthread_mutexattr_setrobust",
    "pthread_mutexattr_setrobust_np",
    "pthread_mutexattr_settype",
    "pthread_rwlockattr_destroy",
    "pthread_rwlockattr_getkind_np",
    "pthread_rwlockattr_getpshared",
    "pthread_rwlockattr_init",
    "pthread_rwlockattr_setkind_np",
    "pthread_rwlockattr_setpshared",
    "putc_unlocked",
    "putchar_unlocked",
    "random_r",
    "rindex",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_rr_get_interval",
    "setbuf",
    "setbuffer",
    "setjmp",
    "setlinebuf",
    "setlocale",
    "setvbuf",
    "sigaddset",
    "sigdelset",
    "sigemptyset",
    "sigfillset",
    "sigismember",
    "siglongjmp",
    "srand48_r",
    "srandom_r",
    "sscanf",
    "stat",
    "stpcpy",
    "stpncpy",
    "strcasecmp",
    "strcasestr",
    "strchrnul",
    "strcoll",
    "strcspn",
    "strerror",
    "strerror_r",
    "strerrordesc_np",
    "strerrorname_np",
    "strftime",
    "strncasecmp",
    "strnlen",
    "strpbrk",
    "strrchr",
    "strsep",
    "strsignal",
    "strspn",
    "strtod",
    "strtof",
    "strtoimax",
    "strtok_r",
    "strtol",
    "strtold",
    "strtoll",
    "strtoul",
    "strtoull",
    "strtoumax",
    "strverscmp",
    "strxfrm",
    "timegm",
    "toascii",
    "tolower",
    "toupper",
    "tzset",
    "uname",
    "vsscanf",
    "wcschr",
    "wcscmp",
    "wcscpy",
    "wcslen",
    "wcsncpy",
    "wcstombs",
};

/* Functions of the engine and the explorer that begin with il_ and stand for no call of a library. */
static const char *const own[] = {
    "acquire",   "cannot",     "choice",  "end",          "enter",          "event",     "found", "interrupt", "looked",
    "name",      "order",      "release", "release_only", "release_to_all", "spawn",     "stack", "start",     "sync",
    "sync_find", "thread_end", "tick",    "wish",         "wish_for",       "wish_look", "yield",
};

static bool among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
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

/* A variable of the library (environ, optarg, …) is read where it lies. */
static bool is_data(const char *name)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    void *at = dlsym(RTLD_DEFAULT, name);
    return at && dladdr1(at, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
           ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT;
}

/* libatomic's functions of one size, __atomic_load_16, do what ours of that many bits do: __tsan_atomic128_load. */
static bool is_atomic(const char *name, char *ours, size_t size)
{
    unsigned bytes;
    char what[40];
    int end = 0;
    if (sscanf(name, "__atomic_%39[a-z_]%u%n", what, &bytes, &end) != 2 || name[end])
        return false;
    size_t length = strlen(what);
    if (length < 2 || what[length - 1] != '_')
        return false;
    what[length - 1] = '\0';
    snprintf(ours, size, "__tsan_atomic%u_%s%s", bytes * 8, what,
             strcmp(what, "compare_exchange") == 0 ? "_strong" : "");
    return is_ours(ours);
}

static void deal_with(struct output *output, const char *name)
{
    char ours[256];
    if (is_atomic(name, ours, sizeof ours)) {
        redirect(output, name, ours);
        return;
    }
    snprintf(ours, sizeof ours, "il_%s", name);
    if (is_ours(ours) && !among(name, own, sizeof own / sizeof own[0])) {
        redirect(output, name, ours);
        return;
    }
    if (strncmp(name, "__tsan_", 7) == 0 && is_ours(name))
        return;
    if (among(name, harmless, sizeof harmless / sizeof harmless[0]) || is_data(name))
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
