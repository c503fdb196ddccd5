/* sanitizer_run.c - see sanitizer_run.h.
 *
 * Theory: the sanitizer's words go to files in the workshop ("NAME.PID", one a process), the program's own to standard
 * output and standard error, so neither can be taken for the other. Addresses are fixed: the shadow memory of clang 14
 * and gcc 12 does not fit beside every randomised layout of newer kernels.
 */
#include "sanitizer_run.h"

#include "files.h"
#include "memory.h"
#include "scenario_end.h"
#include "scenario_program.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LIMIT = 4 << 20, OPTIONS_MAX = 8, ROOM_MB = 768 };

/* Scenarios take some hundredths of a second: who is still busy after this will always be. */
static const double CPU_LIMIT_S = 6;
static const double WALL_LIMIT_S = 30;

static const char *const gcc_detectors[] = {"asan", "lsan", "ubsan", NULL};
static const char *const gcc_options[] = {
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:handle_abort=1:exitcode=99:quarantine_size_mb=64:"
    "allocator_may_return_null=1:max_allocation_size_mb=4096:print_legend=0",
    "UBSAN_OPTIONS=print_stacktrace=1:exitcode=99",
    "LSAN_OPTIONS=exitcode=99",
    NULL,
};
static const char *const clang_detectors[] = {"msan", NULL};
static const char *const clang_options[] = {
    "MSAN_OPTIONS=exitcode=99:symbolize=0:handle_abort=1:allocator_may_return_null=1:max_allocation_size_mb=4096",
    NULL,
};
static const char *const thread_detectors[] = {"tsan", NULL};
static const char *const thread_options[] = {
    "TSAN_OPTIONS=exitcode=99:halt_on_error=0:second_deadlock_stack=1:history_size=4:report_thread_leaks=0:"
    "report_signal_unsafe=0:handle_abort=1",
    NULL,
};
const struct sanitizer_method sanitizer_gcc = {FLAVOUR_ASAN, "asan", gcc_detectors, gcc_options, false, true};
const struct sanitizer_method sanitizer_clang = {FLAVOUR_MSAN, "msan", clang_detectors, clang_options, true, false};
const struct sanitizer_method sanitizer_threads = {FLAVOUR_TSAN,   "tsan", thread_detectors,
                                                   thread_options, false,  false};

/* The options with the log's path, and the few variables that child_run would have given. */
const char **sanitizer_environment(void *context, const struct workshop *shop, const struct sanitizer_method *method)
{
    const char **env = memory_zeroed(context, OPTIONS_MAX + 5, sizeof *env);
    size_t count = 0;

    env[count++] = "PATH=/usr/bin:/bin";
    env[count++] = "LC_ALL=C.UTF-8";
    env[count++] = memory_format(context, "TMPDIR=%s", shop->dir);
    if (method->flavour == FLAVOUR_MSAN)
        env[count++] = memory_format(context, "LD_LIBRARY_PATH=%s", shop->dir);
    for (size_t i = 0; i < OPTIONS_MAX && method->options[i] != NULL; i++)
        env[count++] = memory_format(context, "%s:log_path=%s/%s", method->options[i], shop->dir, method->log_name);
    return env;
}

static int log_take(void *context, const char *path, char **text, struct fault *fault)
{
    char *one = files_read(context, path, LOG_LIMIT, NULL, fault);

    if (one == NULL)
        return -1;
    *text = memory_append(context, *text, "%s\n", one);
    if (unlink(path) != 0)
        return fault_errno(fault, "cannot remove %s", path);
    return 0;
}

/* Reads and removes all files "NAME.PID". */
static int logs_take(void *context, const struct workshop *shop, const char *name, char **text, struct fault *fault)
{
    size_t length = strlen(name);
    DIR *folder = opendir(shop->dir);
    int result = 0;

    *text = memory_text(context, "");
    if (folder == NULL)
        return fault_errno(fault, "cannot look into %s", shop->dir);
    for (struct dirent *entry = readdir(folder); entry != NULL && result == 0; entry = readdir(folder))
        if (strncmp(entry->d_name, name, length) == 0 && entry->d_name[length] == '.')
            result = log_take(context, memory_format(context, "%s/%s", shop->dir, entry->d_name), text, fault);
    (void)closedir(folder);
    return result;
}

/* Beside AddressSanitizer, gcc's UndefinedBehaviorSanitizer has no log of its own. Of what stands on standard error
 * only its reports count: all else there was written by the program. */
static void undefined_take(void *context, const char *err, struct sanitizer_log *log)
{
    struct sanitizer_log heard;

    sanitizer_log_read(context, err, &heard);
    for (size_t i = 0; i < heard.count; i++) {
        if (heard.reports[i].sanitizer != SANITIZER_UNDEFINED)
            continue;
        log->reports = memory_grown(context, log->reports, log->count + 1, sizeof *log->reports);
        log->reports[log->count++] = heard.reports[i];
    }
}

int sanitizer_logs_take(void *context, const struct workshop *shop, const struct sanitizer_method *method,
                        const char *program, const char *err, struct sanitizer_log *log, struct fault *fault)
{
    char *text;

    if (logs_take(context, shop, method->log_name, &text, fault) != 0)
        return -1;
    sanitizer_log_read(context, text, log);
    if (log->failure != NULL)
        return fault_set(fault, "a sanitizer does not work here: %s; see `grade doctor`", log->failure);
    if (method->undefined_on_err)
        undefined_take(context, err, log);
    if (!method->offsets)
        return 0;
    const char *library = memory_format(context, "%s/" TOOLCHAIN_LIBRARY, shop->dir);
    if (access(library, F_OK) == 0 && sanitizer_log_resolve(context, library, log, fault) != 0)
        return -1;
    return sanitizer_log_resolve(context, program, log, fault);
}

int sanitizer_run(void *context, struct workshop *shop, const struct sanitizer_method *method, const char *program,
                  struct sanitizer_sight *sight, struct fault *fault)
{
    const struct scenario_spec spec = {
        .program = program,
        .env = sanitizer_environment(context, shop, method),
        .fixed_addresses = true,
        .resident_mb = shop->exercise->memory_mb + ROOM_MB,
        .cpu_limit_s = CPU_LIMIT_S,
        .wall_limit_s = WALL_LIMIT_S,
    };

    *sight = (struct sanitizer_sight){0};
    if (scenario_run(context, shop, &spec, &sight->run, fault) != 0)
        return -1;
    return sanitizer_logs_take(context, shop, method, program, sight->run.child.err, &sight->log, fault);
}

bool sanitizer_run_is_clean(const struct sanitizer_sight *sight)
{
    return sight->log.count == 0 && sight->run.remain_count == 0 && sight->run.complete && sight->run.child.status == 0;
}

int sanitizer_run_reference(void *context, struct workshop *shop, const struct sanitizer_method *method,
                            struct fault *fault)
{
    const char *program;
    struct sanitizer_sight sight;

    if (scenario_program_reference(context, shop, method->flavour, &program, fault) != 0 ||
        sanitizer_run(context, shop, method, program, &sight, fault) != 0)
        return -1;
    if (sanitizer_run_is_clean(&sight))
        return 0;
    return fault_set(fault, "%s: the reference itself does not get through scenario.c under %s: %s", shop->exercise->id,
                     method->detectors[0],
                     sight.log.count > 0 ? sight.log.reports[0].text : scenario_end_text(context, &sight.run));
}
