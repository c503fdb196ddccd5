/* The undefined symbols of the student's object are all that it can call. */
#include "rules.h"

#include "memory.h"

#include <fnmatch.h>
#include <string.h>

/* What compiled C may need although nobody called it. */
static const char *const implied[] = {
    "memcpy",
    "memmove",
    "memset",
    "memcmp",           /* copies of structs */
    "__errno_location", /* errno */
    "_GLOBAL_OFFSET_TABLE_",
    "__tls_get_addr",
    "__stack_chk_fail",
    "__udivti3",
    "__umodti3",
    "__divti3",
    "__modti3",
    "__popcountdi2",
    "__mulodi4", /* arithmetic of libgcc */
    NULL,
};

/* Kinds of calls, and what to say of one that is not allowed. The first that fits speaks. */
struct purpose {
    const char *name;  /* "for ending", as in "what this exercise has for ending" */
    const char *calls; /* patterns, separated by spaces */
    const char *why;
};

static const struct purpose purposes[] = {
    {"memory",
     "malloc calloc realloc reallocarray free aligned_alloc posix_memalign memalign valloc strdup strndup alloca",
     "This exercise does without it."},
    {"ending", "exit _exit _Exit quick_exit abort atexit on_exit at_quick_exit pthread_exit",
     "A function returns to its caller; ending the program, or a thread that is not its own, is not its to decide."},
    {"jumps",
     "longjmp _longjmp siglongjmp __longjmp_chk setjmp _setjmp sigsetjmp __sigsetjmp getcontext setcontext "
     "swapcontext makecontext",
     "A jump out of a function leaves its locks locked and its memory lost."},
    {"threads",
     "pthread_create pthread_join pthread_detach pthread_self pthread_equal pthread_attr_* pthread_cancel "
     "pthread_kill pthread_setcancel* pthread_timedjoin_np pthread_tryjoin_np thrd_*",
     "This exercise starts or ends threads with what it allows, or not at all."},
    {"locking and waiting",
     "pthread_mutex* pthread_cond* pthread_rwlock* pthread_barrier* pthread_spin_* sem_* mtx_* cnd_* "
     "pthread_once call_once pthread_key_* pthread_getspecific pthread_setspecific tss_*",
     "Building it from what the exercise allows is the exercise."},
    {"time",
     "sleep usleep nanosleep clock_* time gettimeofday times alarm ualarm timer_* timerfd_* setitimer "
     "sched_yield pthread_yield thrd_sleep thrd_yield poll select pselect ppoll",
     "What is right only if a sleep is long enough is wrong on the next machine; wait for the event itself."},
    {"processes",
     "fork vfork _Fork posix_spawn* exec* system popen pclose wait waitpid waitid wait3 wait4 kill killpg "
     "raise clone* daemon prctl ptrace setsid setpgid",
     "This exercise happens inside one process."},
    {"signals", "signal sigaction sigprocmask pthread_sigmask sigwait* sigsuspend sigaltstack sigqueue pause",
     "This exercise needs no signals, and a handler would see locks half taken."},
    {"memory maps",
     "mmap munmap mprotect mremap msync brk sbrk shm_* memfd_create dlopen dlsym dlmopen dl_iterate_phdr "
     "process_vm_* pkey_* userfaultfd",
     "This exercise's memory is its variables and what it allocates."},
    {"files",
     "open open64 openat* creat read write pread* pwrite* close fopen* freopen* fdopen fclose fread fgets getline "
     "getc fgetc scanf fscanf __isoc99_*scanf lseek pipe pipe2 dup dup2 dup3 fcntl* ioctl unlink* remove rename "
     "socket* connect bind listen accept* send* recv* eventfd* epoll_* inotify_* stdin",
     "This exercise neither opens nor reads anything."},
    {"its surroundings",
     "getenv secure_getenv setenv unsetenv putenv environ __environ program_invocation_* getpid getppid "
     "gettid sysconf getauxval __progname* sched_getcpu",
     "The answer must be the same wherever it runs, so the code may not ask where that is."},
    {"the level below the library",
     "syscall __libc_* __pthread_* _dl_* __asan_* __lsan_* __msan_* __tsan_* __ubsan_* "
     "__sanitizer_* __cxa_* _IO_* __builtin_* futex",
     "The exercise is to be solved with the calls that every POSIX system has."},
    {"the grader's own code",
     "cr_* criterion_* wrap_* check_* gate_* crew_* tally_* runner_* scenario_* bench_* "
     "must settle now_us report_*",
     "What checks the code is not the code's to call."},
};

static bool is_among(const char *const *names, const char *name)
{
    for (; names != NULL && *names != NULL; names++)
        if (fnmatch(*names, name, 0) == 0)
            return true;
    return false;
}

static const struct ban *ban_on(const struct exercise *exercise, const char *call)
{
    for (size_t i = 0; i < exercise->ban_count; i++)
        if (fnmatch(exercise->bans[i].name, call, 0) == 0)
            return &exercise->bans[i];
    return NULL;
}

static bool serves(void *context, const struct purpose *purpose, const char *call)
{
    char *rest = NULL;

    for (char *pattern = strtok_r(memory_text(context, purpose->calls), " ", &rest); pattern != NULL;
         pattern = strtok_r(NULL, " ", &rest))
        if (fnmatch(pattern, call, 0) == 0 || strcmp(pattern, call) == 0)
            return true;
    return false;
}

/* "pthread_mutex_lock, pthread_mutex_unlock and 3 more", of the allowed calls that serve the purpose (NULL: all). */
static char *allowed_for(void *context, const struct exercise *exercise, const struct purpose *purpose)
{
    enum { SHOWN = 8 };
    char *list = NULL;
    int count = 0;

    for (const char **allow = exercise->allow; allow != NULL && *allow != NULL; allow++) {
        if (purpose != NULL && !serves(context, purpose, *allow))
            continue;
        if (count++ < SHOWN)
            list = memory_append(context, list, "%s%s", list == NULL ? "" : ", ", *allow);
    }
    return count > SHOWN ? memory_append(context, list, " and %d more", count - SHOWN) : list;
}

static char *explain(void *context, const struct exercise *exercise, const char *call)
{
    const struct purpose *purpose = NULL;

    for (size_t i = 0; purpose == NULL && i < sizeof purposes / sizeof *purposes; i++)
        if (serves(context, &purposes[i], call))
            purpose = &purposes[i];
    if (purpose == NULL)
        return memory_format(context, "It is not among the calls that this exercise allows: %s.",
                             allowed_for(context, exercise, NULL));
    char *allowed = allowed_for(context, exercise, purpose);
    if (allowed == NULL)
        return memory_text(context, purpose->why);
    return memory_format(context, "%s For %s it allows: %s.", purpose->why, purpose->name, allowed);
}

int rules_calls(void *context, struct workshop *shop, struct object *object, struct stage_result *result,
                struct fault *fault)
{
    const struct exercise *exercise = shop->exercise;
    const char **needed = NULL;

    if (toolchain_needed_names(context, shop, &needed, fault) != 0)
        return -1;
    for (size_t i = 0; i < object->symbol_count; i++) {
        const struct object_symbol *symbol = &object->symbols[i];

        if (symbol->defined)
            continue;
        const struct ban *ban = ban_on(exercise, symbol->name);
        if (ban == NULL && (is_among(exercise->allow, symbol->name) || is_among(implied, symbol->name) ||
                            is_among(needed, symbol->name)))
            continue;
        rules_add(context, shop, result, memory_format(context, "`%s` may not be called here.", symbol->name),
                  ban != NULL ? ban->why : explain(context, exercise, symbol->name),
                  object_use_line(object, symbol->name));
    }
    return 0;
}
