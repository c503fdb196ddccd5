/* check.c - see check.h.
 *
 * Theory of settle(): it looks at every other thread of the process in turn, in /proc/self/task/TID/status: the
 * state, and how often the thread was switched out, by itself or not. One such pass is not one moment. But where two
 * passes in a row find every thread asleep, off the run queue, and no count changed, no thread has run between its two
 * looks; so at the moment between the passes all of them slept, and nobody was left to wake anyone. That is certain,
 * however long a pass takes. What a thread does of its own (spins, polls) is measured in its own processor time and
 * wake-ups.
 *
 * Theory of the crash handler: a thread that gets SIGSEGV and its like says so on the events descriptor and then
 * waits, for ever, so that the grader can read the stacks of all threads from outside; the grader ends the process.
 *
 * Who knows the key: the grader gave it in a file; check_begin() reads it and closes the file, check_end() sends it as
 * an assertion of Criterion's. A test whose process ended some other way cannot have sent it.
 */
#include "check.h"

#include "report.h"

#include <criterion/event.h>
#include <criterion/options.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

enum {
    THREADS_MAX = 1024,
    POLLS_MAX = 500,
    HARNESS_THREADS_MAX = 16,
    MESSAGE_MAX = 8192,
};
static const int64_t SPIN_MAX_NS = 200 * 1000 * 1000;

/* What the test began with. Written by check_begin() before any other thread of the test exists. */
static struct {
    int events_fd; /* -1: no grader */
    pid_t pid;
    int threads;
    int descriptors;
    char key[REPORT_KEY_SIZE];
} start = {-1, 0, 0, 0, ""};

/* Only assertions that fail are made below: how many a test makes must not depend on the schedule. */

/* ---- words ------------------------------------------------------------------------------------------------------- */

const char *error_text(int error)
{
    static _Thread_local char texts[4][32];
    static _Thread_local unsigned next;
    char *text = texts[next++ % 4];
    const char *name = error == 0 ? NULL : strerrorname_np(error);

    if (name == NULL)
        snprintf(text, sizeof texts[0], "%d", error);
    else
        snprintf(text, sizeof texts[0], "%s (%d)", name, error);
    return text;
}

/* ---- runners ---------------------------------------------------------------------------------------------------- */

struct runner {
    void (*body)(void *);
    void *argument;
    pthread_t thread;
    pid_t tid; /* 0 until it runs */
    int done;
};

static void *runner_main(void *argument)
{
    struct runner *runner = argument;

    __atomic_store_n(&runner->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    runner->body(runner->argument);
    __atomic_store_n(&runner->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

struct runner *runner_start(void (*body)(void *), void *argument)
{
    struct runner *runner = calloc(1, sizeof *runner);

    if (runner == NULL)
        cr_assert_fail("The test could not get the memory for a thread of its own.");
    runner->body = body;
    runner->argument = argument;
    int error = pthread_create(&runner->thread, NULL, runner_main, runner);
    if (error != 0)
        cr_assert_fail("The test could not start a thread of its own: %s.", strerror(error));
    return runner;
}

void runner_join(struct runner *runner)
{
    pthread_join(runner->thread, NULL);
    free(runner);
}

/* ---- settle ----------------------------------------------------------------------------------------------------- */

/* One thread that was watched, from settle()'s beginning. */
struct watched {
    pid_t tid;
    bool seen; /* in the current pass */
    bool restless;
    long first_voluntary;
    int64_t first_cpu_ns;
    long last_switches;
};

struct settling {
    pid_t self;
    struct watched threads[THREADS_MAX];
    int count;
};

struct thread_status {
    char state;
    long voluntary;
    long involuntary;
};

static long status_number(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at == NULL ? 0 : strtol(at + strlen(name), NULL, 10);
}

/* False where the thread is no more. */
static bool read_status(pid_t tid, struct thread_status *status)
{
    char path[64], text[4096];

    snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0)
        return false;
    text[got] = '\0';
    const char *state = strstr(text, "\nState:\t");
    status->state = state == NULL ? '?' : state[8];
    status->voluntary = status_number(text, "\nvoluntary_ctxt_switches:");
    status->involuntary = status_number(text, "\nnonvoluntary_ctxt_switches:");
    return true;
}

/* Processor time of a thread of this process: the kernel's own name for a thread's clock, as clock_getcpuclockid(3) and
 * pthread_getcpuclockid(3) build it (include/linux/posix-timers_types.h: CPUCLOCK_SCHED, per thread). */
static int64_t thread_cpu_ns(pid_t tid)
{
    struct timespec now;
    clockid_t clock = (clockid_t)((~(unsigned)tid << 3) | 4 | 2);

    return clock_gettime(clock, &now) < 0 ? 0 : (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct watched *settling_find(struct settling *settling, pid_t tid, const struct thread_status *status)
{
    for (int i = 0; i < settling->count; i++)
        if (settling->threads[i].tid == tid)
            return &settling->threads[i];
    if (settling->count == THREADS_MAX)
        return NULL;
    struct watched *fresh = &settling->threads[settling->count++];
    *fresh = (struct watched){
        .tid = tid, .first_voluntary = status->voluntary, .first_cpu_ns = thread_cpu_ns(tid), .last_switches = -1};
    return fresh;
}

/* A thread that has put itself down as sleeping, and was preempted before it slept, is shown as "S" and is yet to run.
 * What system call a thread is in, the kernel says only once it is off the run queue (wait_task_inactive() in
 * lib/syscall.c), and "running" until then. */
static bool off_the_run_queue(pid_t tid)
{
    char path[64], text[16] = "";

    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true; /* ended, which the next pass notices; or a kernel that does not tell */
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    return got <= 0 || strncmp(text, "running", strlen("running")) != 0;
}

/* Looks at one thread. True where it sleeps and has not run since the last look. First whether it is off the run queue,
 * which may take a while, then the counts: so it is asleep from this look on, unless its counts change. */
static bool settling_look(struct settling *settling, pid_t tid)
{
    struct thread_status status;
    bool off = off_the_run_queue(tid);

    if (!read_status(tid, &status))
        return false; /* it has just ended: look at the rest anew */
    if (tid == start.pid && status.state == 'Z')
        return true; /* main() has called pthread_exit: it stays like this */
    struct watched *thread = settling_find(settling, tid, &status);
    if (thread == NULL)
        return true; /* more threads than can be watched: a thread bomb, which other checks name */
    thread->seen = true;
    if (thread->restless)
        return true;
    if (thread_cpu_ns(tid) - thread->first_cpu_ns > SPIN_MAX_NS ||
        status.voluntary - thread->first_voluntary > POLLS_MAX) {
        thread->restless = true;
        return true;
    }
    long switches = status.voluntary + status.involuntary;
    bool still = status.state == 'S' && switches == thread->last_switches && off;
    thread->last_switches = switches;
    return still;
}

/* One pass. True where everything is at rest since the last pass. */
static bool settling_pass(struct settling *settling)
{
    DIR *tasks = opendir("/proc/self/task");
    bool still = true;
    int known = settling->count;

    if (tasks == NULL)
        cr_assert_fail("The test could not read /proc/self/task: %s.", strerror(errno));
    for (int i = 0; i < known; i++)
        settling->threads[i].seen = false;
    for (struct dirent *entry = readdir(tasks); entry != NULL; entry = readdir(tasks)) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (tid > 0 && tid != settling->self && !settling_look(settling, tid))
            still = false;
    }
    closedir(tasks);
    for (int i = 0; i < known; i++)
        if (!settling->threads[i].seen && settling->threads[i].last_switches >= 0) {
            settling->threads[i].last_switches =
                -2; /* ended between two passes: what it did last may still have effects */
            still = false;
        }
    return still;
}

static void settling_run(struct settling *settling)
{
    struct timespec pause = {0, 20 * 1000};

    memset(settling, 0, sizeof *settling);
    settling->self = (pid_t)syscall(SYS_gettid);
    while (!settling_pass(settling)) {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        if (pause.tv_nsec < 1000 * 1000)
            pause.tv_nsec *= 2;
    }
}

static bool settling_restless(const struct settling *settling, pid_t tid)
{
    for (int i = 0; i < settling->count; i++)
        if (settling->threads[i].restless && (tid == 0 || settling->threads[i].tid == tid))
            return true;
    return false;
}

bool settle(void)
{
    struct settling settling;

    settling_run(&settling);
    return !settling_restless(&settling, 0);
}

enum runner_state runner_state(struct runner *runner)
{
    struct settling settling;

    settling_run(&settling);
    if (__atomic_load_n(&runner->done, __ATOMIC_ACQUIRE))
        return RUNNER_DONE;
    pid_t tid = __atomic_load_n(&runner->tid, __ATOMIC_ACQUIRE);
    return settling_restless(&settling, tid) ? RUNNER_BUSY : RUNNER_BLOCKED;
}

/* ---- what is open, what runs ------------------------------------------------------------------------------------ */

/* The numbers in a directory of /proc/self; those up to `room` are kept. */
static int count_entries(const char *path, long *kept, int room)
{
    DIR *entries = opendir(path);
    int count = 0;

    if (entries == NULL)
        return 0;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (entry->d_name[0] == '.' || strtol(entry->d_name, NULL, 10) == dirfd(entries))
            continue;
        if (count < room)
            kept[count] = strtol(entry->d_name, NULL, 10);
        count++;
    }
    closedir(entries);
    return count;
}

int extra_threads(void)
{
    return count_entries("/proc/self/task", NULL, 0) - start.threads;
}

int extra_descriptors(void)
{
    return count_entries("/proc/self/fd", NULL, 0) - start.descriptors;
}

int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the beginning and the end of a test ------------------------------------------------------------------------ */

/* Where the processor came to no code, because a pointer to a function was NULL, no table says who called. The call is
 * undone in what was saved of the registers: whoever reads the stack from outside then finds the caller, at its call.
 * (Nothing goes on from there: the handler never returns.) True where it was so. */
static bool undo_null_call(ucontext_t *context)
{
#if defined __x86_64__
    greg_t *registers = context->uc_mcontext.gregs;

    if (registers[REG_RIP] != 0)
        return false;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    registers[REG_RIP] = *(const greg_t *)registers[REG_RSP] - 1;
    registers[REG_RSP] += (greg_t)sizeof(greg_t);
    return true;
#elif defined __aarch64__
    if (context->uc_mcontext.pc != 0)
        return false;
    context->uc_mcontext.pc = context->uc_mcontext.regs[30] - 4;
    return true;
#else
    (void)context;
    return false;
#endif
}

static void on_crash(int signal_number, siginfo_t *info, void *context)
{
    struct report_line line;

    if (getpid() != start.pid) { /* a child that the test forked: its death is its own */
        signal(signal_number, SIG_DFL);
        raise(signal_number);
        return;
    }
    report_event(&line, "crash");
    report_number(&line, "pid", getpid());
    report_number(&line, "tid", (long long)syscall(SYS_gettid));
    report_number(&line, "signal", signal_number);
    report_number(&line, "address", (long long)(uintptr_t)info->si_addr);
    report_number(&line, "null_call", undo_null_call(context));
    report_send(start.events_fd, &line);
    for (;;)
        pause();
}

/* The test's own thread gets a stack of its own for the handler, so that a stack that overflowed can be told. */
static void catch_crashes(void)
{
    static char stack_memory[64 * 1024];
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    stack_t stack = {.ss_sp = stack_memory, .ss_size = sizeof stack_memory};
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigfillset(&action.sa_mask);
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
}

/* Opens what criterion_main.c named in the environment ("EVENTS KEY", "-" for none), and leaves nothing there. */
static void find_grader(void)
{
    const char *names = getenv("INTERLEAVE_EVENTS");
    char events[64] = "-", key[64] = "-";

    if (names == NULL || sscanf(names, "%63s %63s", events, key) != 2)
        return;
    if (events[0] == '/')
        start.events_fd = open(events, O_WRONLY | O_APPEND | O_CLOEXEC);
    int key_fd = key[0] == '/' ? open(key, O_RDONLY | O_CLOEXEC) : -1;
    if (key_fd >= 0)
        report_read_key(key_fd, start.key);
    unsetenv("INTERLEAVE_EVENTS");
}

/* Says who is who, so that the grader knows the harness's threads from the student's. */
static void report_enter(const long *threads, int count)
{
    struct report_line line;
    long self = syscall(SYS_gettid);
    bool first = true;

    report_event(&line, "enter");
    report_number(&line, "pid", getpid());
    report_number(&line, "tid", self);
    report_text(&line, "test", criterion_current_test->name);
    report_name(&line, "threads");
    report_raw(&line, "[", 1);
    for (int i = 0; i < count && i < HARNESS_THREADS_MAX; i++) {
        if (threads[i] == self)
            continue;
        report_raw(&line, ",", first ? 0 : 1);
        report_digits(&line, threads[i]);
        first = false;
    }
    report_raw(&line, "]", 1);
    report_send(start.events_fd, &line);
}

/* What the student's code prints comes line by line, so that it is there when the test is killed; and behind a line
 * that says whose it is. */
static void mark_output(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    printf("\001%s %s\n", start.key, criterion_current_test->name);
}

void check_begin(void)
{
    long threads[HARNESS_THREADS_MAX];

    start.pid = getpid();
    find_grader();
    start.threads = count_entries("/proc/self/task", threads, HARNESS_THREADS_MAX);
    start.descriptors = count_entries("/proc/self/fd", NULL, 0);
    if (start.events_fd < 0)
        return;
    report_enter(threads, start.threads);
    mark_output();
    catch_crashes();
}

void check_end(void)
{
    char message[REPORT_KEY_SIZE + 256];

    snprintf(message, sizeof message, "%s %s", start.key, criterion_current_test->name);
    struct criterion_assert_stats reached = {.message = message, .passed = true, .line = 0, .file = "check.c"};
    criterion_send_assert(&reached);
}

void check_passed(void)
{
    cri_asserts_passed_incr();
}

void check_failed(const char *file, int line, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct criterion_assert_stats failed = {.message = message, .passed = false, .line = (unsigned)line, .file = file};
    criterion_send_assert(&failed);
    criterion_abort_test();
}
