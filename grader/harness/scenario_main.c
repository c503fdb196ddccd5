/* scenario_main.c - main() of the scenario program: runs all scenarios, or the one that is named.
 *
 *     scenario [--report FD] [--key FD] [--list] [NAME]
 *
 * Theory: one process, one scenario after another, natively or under helgrind, AddressSanitizer, MemorySanitizer or
 * ThreadSanitizer. After each it looks at what was left: threads and descriptors beyond those before the first, and
 * (where thread_watch.c is linked) threads that were neither joined nor detached. What is left of one scenario is not
 * counted again after the next. A thread whose end is near is waited for: it is left only where it sleeps or has run
 * for 200 ms of its own processor time. What it reports stands in report.h.
 */
#include "scenario.h"

#include "report.h"
#include "thread_watch.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

enum { NUMBERS_MAX = 4096, EXIT_FAILED = 1, EXIT_TROUBLE = 2 };
static const int64_t SPIN_MAX_NS = 200 * 1000 * 1000;

/* Set before the first scenario, read by every thread. */
static struct report report = {STDERR_FILENO, ""};

/* Numbers (thread ids, descriptors) that were there before. */
struct numbers {
    long list[NUMBERS_MAX];
    int count;
};

/* Part of AddressSanitizer's and MemorySanitizer's runtimes; absent elsewhere. */
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t size) __attribute__((weak));

/* ---- told by scenarios ------------------------------------------------------------------------------------------- */

void scenario_failed(const char *file, int line, const char *condition, const char *format, ...)
{
    struct report_line report_line;
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    report_event(&report_line, "failed");
    report_text(&report_line, "file", file);
    report_number(&report_line, "line", line);
    report_text(&report_line, "condition", condition);
    report_text(&report_line, "message", message);
    report_send(report.fd, &report_line);
    _exit(EXIT_FAILED);
}

/* The harness could not do its work: never the student's fault. */
static __attribute__((noreturn)) void trouble(const char *what, int error)
{
    struct report_line line;
    char message[256];

    snprintf(message, sizeof message, "%s: %s", what, strerror(error));
    report_event(&line, "trouble");
    report_text(&line, "message", message);
    report_send(report.fd, &line);
    _exit(EXIT_TROUBLE);
}

pthread_t scenario_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, body, argument);

    if (error != 0)
        trouble("a scenario could not start a thread", error);
    return thread;
}

void scenario_join(pthread_t thread)
{
    int error = pthread_join(thread, NULL);

    if (error != 0)
        trouble("a scenario could not join its thread", error);
}

/* ---- what is left ------------------------------------------------------------------------------------------------ */

static void numbers_read(const char *path, struct numbers *numbers)
{
    DIR *entries = opendir(path);

    numbers->count = 0;
    if (entries == NULL)
        trouble(path, errno);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) != dirfd(entries) &&
            numbers->count < NUMBERS_MAX)
            numbers->list[numbers->count++] = strtol(entry->d_name, NULL, 10);
    closedir(entries);
}

static bool numbers_have(const struct numbers *numbers, long number)
{
    for (int i = 0; i < numbers->count; i++)
        if (numbers->list[i] == number)
            return true;
    return false;
}

/* The thread's state letter, '\0' where it is no more. */
static char thread_state(long tid)
{
    char path[64], text[512];

    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return '\0';
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0)
        return '\0';
    text[got] = '\0';
    const char *close_bracket = strrchr(text, ')');
    return close_bracket == NULL || close_bracket[1] == '\0' ? '?' : close_bracket[2];
}

static int64_t thread_cpu_ns(long tid)
{
    struct timespec now;
    clockid_t clock = (clockid_t)((~(unsigned)tid << 3) | 4 | 2); /* as in check.c */

    return clock_gettime(clock, &now) < 0 ? 0 : (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Waits until the thread has ended, or is sure to stay. Returns its state, '\0' where it has ended. */
static char thread_outcome(long tid)
{
    struct timespec pause = {0, 50 * 1000};
    int64_t first_cpu_ns = thread_cpu_ns(tid);
    int asleep = 0;

    for (;;) {
        char state = thread_state(tid);
        if (state == '\0' || state == 'X' || state == 'Z')
            return '\0';
        asleep = state == 'S' || state == 'T' ? asleep + 1 : 0;
        if (asleep == 20 || thread_cpu_ns(tid) - first_cpu_ns > SPIN_MAX_NS)
            return state;
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        if (pause.tv_nsec < 2 * 1000 * 1000)
            pause.tv_nsec *= 2;
    }
}

static void look_at_threads(const struct numbers *before)
{
    static struct numbers now;

    numbers_read("/proc/self/task", &now);
    for (int i = 0; i < now.count; i++) {
        if (numbers_have(before, now.list[i]))
            continue;
        char state[2] = {thread_outcome(now.list[i]), '\0'};
        if (state[0] == '\0')
            continue;
        struct report_line line;
        report_event(&line, "thread");
        report_number(&line, "tid", now.list[i]);
        report_text(&line, "state", state);
        report_send(report.fd, &line);
    }
}

static void look_at_descriptors(const struct numbers *before)
{
    static struct numbers now;

    numbers_read("/proc/self/fd", &now);
    for (int i = 0; i < now.count; i++) {
        char path[64], target[256];
        struct report_line line;

        if (numbers_have(before, now.list[i]))
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%ld", now.list[i]);
        ssize_t size = readlink(path, target, sizeof target - 1);
        target[size < 0 ? 0 : size] = '\0';
        report_event(&line, "descriptor");
        report_number(&line, "number", now.list[i]);
        report_text(&line, "path", target);
        report_send(report.fd, &line);
    }
}

static void report_unjoined(void *unused, void *created_at)
{
    struct report_line line;
    char place[256] = "";
    Dl_info module;
    uintptr_t base = dladdr(created_at, &module) != 0 ? (uintptr_t)module.dli_fbase : 0;
    void *call = (char *)created_at - 1; /* the call itself, not what comes after it */

    (void)unused;
    if (__sanitizer_symbolize_pc != NULL)
        __sanitizer_symbolize_pc(call, "%s:%l", place, sizeof place);
    report_event(&line, "unjoined");
    report_number(&line, "address", (long long)((uintptr_t)call - base));
    report_text(&line, "place", place);
    report_send(report.fd, &line);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static void report_scenario(const char *event, const struct scenario *scenario, const char *story)
{
    struct report_line line;

    report_event(&line, event);
    report_text(&line, "scenario", scenario->name);
    if (story != NULL)
        report_text(&line, "story", story);
    report_send(report.fd, &line);
}

static void run_one(const struct scenario *scenario)
{
    static struct numbers threads, descriptors;

    numbers_read("/proc/self/task", &threads);
    numbers_read("/proc/self/fd", &descriptors);
    if (thread_watch_forget != NULL)
        thread_watch_forget();
    report_scenario("begin", scenario, NULL);
    scenario->run();
    if (thread_watch_left != NULL)
        thread_watch_left(report_unjoined, NULL);
    look_at_threads(&threads);
    look_at_descriptors(&descriptors);
    report_scenario("end", scenario, NULL);
}

static void *nothing(void *argument)
{
    return argument;
}

/* Runtimes that start a helper thread or open a file with the first thread do it now, before anything is counted. */
static void warm_up(void)
{
    scenario_join(scenario_thread(nothing, NULL));
}

static bool wanted_one(const struct scenario *scenario, const char *wanted)
{
    return wanted == NULL || strcmp(scenario->name, wanted) == 0;
}

int main(int argc, char **argv)
{
    bool listing = argc > 1 && strcmp(argv[argc - 1], "--list") == 0;
    const char *wanted = report_operand(argc, argv);
    struct report_line line;
    int count = 0;

    report = report_open(argc, argv);
    if (report.fd > STDERR_FILENO)
        fcntl(report.fd, F_SETFD, FD_CLOEXEC);
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++)
        if (wanted_one(scenario, wanted)) {
            report_scenario("list", scenario, scenario->story);
            count++;
        }
    if (count == 0) {
        fprintf(stderr, "no scenario is called %s\n", wanted == NULL ? "anything" : wanted);
        return EXIT_TROUBLE;
    }
    if (listing)
        return 0;
    warm_up();
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++)
        if (wanted_one(scenario, wanted))
            run_one(scenario);
    report_event(&line, "done");
    report_text(&line, "key", report.key);
    report_number(&line, "scenarios", count);
    report_send(report.fd, &line);
    return 0;
}
