/* child.c - see child.h. The one place where a process of the grader becomes a program.
 *
 * Theory of operation. A child is forked into a session of its own: the terminal's Ctrl-C reaches the grader only, and
 * the grader decides. It inherits the standard descriptors (input is empty, outputs are pipes) and those it was
 * promised; an exec that fails says so through a pipe that a successful exec closes. It dies when the grader dies.
 *
 * The grader then sleeps in poll() for: output, the child's end (a pidfd), SIGINT or SIGTERM (a signalfd; both are
 * blocked meanwhile), the next look at the tree, the next call of the watch, the wall limit. Deadlines are absolute and
 * monotonic. Nothing is waited for without also reading both pipes, so a child that writes never blocks for ever.
 *
 * Ending. Everything that descends from the child must be gone before child_run() returns, whatever it did to get away:
 * fork for ever, start a session, leave its parent. The grader is a child subreaper: an orphan becomes its own child,
 * so "there is no child that was not there before" proves that nothing is left, and is the only condition on which
 * the sweep ends. A sweep stops all it finds until it finds no more, so that nothing forks behind its back, and then
 * kills; a whole process group at once, since a group cannot outrun the signal that is sent to it.
 *
 * Fork bombs. A bomb grows as fast as the machine can fork, and slows down whoever wants to end it. So while a
 * student's program runs the grader is ahead of it (a real-time priority, which root may ask for, or a negative nice
 * value), the first blow is one kill() of the child's process group, and where RLIMIT_NPROC holds, for all but root, it
 * bounds what can come between two looks.
 *
 * A watch may itself call child_run() for a program that is not `strange` (the reference, to compare with): such a run
 * keeps its hands off all but its own session.
 */
#include "child.h"

#include "memory.h"
#include "now.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    DEFAULT_CAP = 1 << 20,
    DEFAULT_WALL_S = 60,
    DEFAULT_FILE_MB = 64,
    DEFAULT_PROCESSES = 64,
    READ_SIZE = 1 << 16,
    LAUNCH_STACK = 1 << 16,
    TASKS_MORE = 2000, /* than the machine has: room for every thread that a test may want */
};

static const double FIRST_LOOK_S = 0.005; /* at the tree; each next look twice as late, */
static const double LAST_LOOK_S = 0.020;  /* up to this */
static const double SWEEP_LIMIT_S = 20;

/* One of the two streams. */
struct stream {
    int fd; /* -1: at its end */
    char *text;
    size_t size, room, cap;
};

/* The grader's own, before it went ahead. */
struct priority {
    bool raised;
    int policy, nice;
    struct sched_param realtime;
};

struct child_run {
    void *context; /* of the caller: what it keeps */
    void *scratch; /* of this run: gone at its end */
    const struct child_spec *spec;
    struct child_result *result;
    pid_t pid;
    int pidfd;
    int signals;
    bool running;     /* the child itself has not been waited for */
    bool interrupted; /* by SIGINT or SIGTERM */
    struct stream out, err;
    struct pid_list before; /* children of the grader's that are not of this run */
    double started_s, deadline_s, look_s, look_every_s, watch_s;
    double reaped_cpu_s; /* of all that was waited for */
    struct priority usual;
};

/* ---- in the child: from fork to exec. Only async-signal-safe calls. ---------------------------------------------- */

/* What went wrong before or at exec; sent through the close-on-exec pipe. */
struct exec_problem {
    int error;
    char step[32];
};

struct launch {
    const struct child_spec *spec;
    pid_t grader;
    int in, out, err, problem;
    char *const *env;
    rlim_t tasks; /* of the user, all programs together; 0: as it is */
};

static void limit(int resource, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(resource, &now) < 0)
        return;
    rlim_t bound = now.rlim_max < most ? now.rlim_max : most;
    setrlimit(resource, &(struct rlimit){bound, bound});
}

static void set_limits(const struct child_spec *spec)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, (rlim_t)(spec->file_mb > 0 ? spec->file_mb : DEFAULT_FILE_MB) << 20);
    if (spec->memory_mb > 0)
        limit(RLIMIT_DATA, (rlim_t)spec->memory_mb << 20);
}

static void reset_signals(void)
{
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Everything above standard error closes at exec, except what the program was promised. */
static void choose_descriptors(const int *keep)
{
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0) {
        long most = sysconf(_SC_OPEN_MAX); /* a kernel before 5.11 */
        for (int fd = 3; fd < (most > 0 && most < 65536 ? most : 65536); fd++)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    for (; keep != NULL && *keep >= 0; keep++)
        fcntl(*keep, F_SETFD, 0);
}

/* ISOLATION GOES HERE. Namespaces, another uid, seccomp for spec->strange: whatever a later part of the project brings,
 * this is where a student's program gets it, and nothing starts a program without passing here. */
static const char *confine(const struct launch *launch)
{
    const struct child_spec *spec = launch->spec;

    set_limits(spec);
    if (launch->tasks > 0)
        limit(RLIMIT_NPROC, launch->tasks);
    if (spec->fixed_addresses && personality(ADDR_NO_RANDOMIZE) < 0)
        return "personality";
    return NULL;
}

/* Returns the step that failed, with errno; does not return where all went well. */
static const char *become(const struct launch *launch)
{
    const struct child_spec *spec = launch->spec;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != launch->grader)
        _exit(127); /* the grader died before that took effect */
    setsid();
    reset_signals();
    if (dup2(launch->in, 0) < 0 || dup2(launch->out, 1) < 0 || dup2(launch->err, 2) < 0)
        return "dup2";
    choose_descriptors(spec->keep_fds);
    if (spec->cwd != NULL && chdir(spec->cwd) < 0)
        return "chdir";
    const char *failed = confine(launch);
    if (failed != NULL)
        return failed;
    execvpe(spec->argv[0], (char *const *)spec->argv, launch->env);
    return "exec";
}

static int launch_child(void *argument)
{
    const struct launch *launch = argument;
    struct exec_problem problem = {0};
    const char *step = become(launch);

    problem.error = errno;
    strncpy(problem.step, step, sizeof problem.step - 1);
    return write(launch->problem, &problem, sizeof problem) < 0 ? 126 : 127;
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

/* The small, clean environment: of the grader's own only where to find programs and where temporary files go. A
 * student's program has no home to read settings of tools from. */
static char *const *clean_environment(struct child_run *run)
{
    static const char usual_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const char *path = getenv("PATH"), *home = getenv("HOME"), *temporary = getenv("TMPDIR");
    const char *const *more = run->spec->more_env;
    size_t count = 4, more_count = 0;

    while (more != NULL && more[more_count] != NULL)
        more_count++;
    char **env = memory_zeroed(run->scratch, count + more_count + 1, sizeof *env);

    env[0] = memory_format(run->scratch, "PATH=%s", path != NULL && path[0] != '\0' ? path : usual_path);
    env[1] = memory_format(run->scratch, "HOME=%s", home == NULL || run->spec->strange ? "/nonexistent" : home);
    env[2] = memory_text(run->scratch, "LC_ALL=C.UTF-8");
    env[3] = memory_format(run->scratch, "TMPDIR=%s", temporary != NULL ? temporary : "/tmp");
    for (size_t i = 0; i < more_count; i++)
        env[count + i] = memory_text(run->scratch, more[i]);
    return env;
}

/* Reads what the child says about its exec. Returns 0 where it succeeded. */
static int hear_of_exec(struct child_run *run, int fd, struct fault *fault)
{
    struct exec_problem problem = {0};
    ssize_t got;

    do
        got = read(fd, &problem, sizeof problem);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return 0;
    waitpid(run->pid, NULL, 0);
    run->running = false;
    if (got != (ssize_t)sizeof problem)
        return fault_set(fault, "cannot start %s", run->spec->argv[0]);
    problem.step[sizeof problem.step - 1] = '\0';
    errno = problem.error;
    if (strcmp(problem.step, "chdir") == 0)
        return fault_errno(fault, "cannot start %s in %s", run->spec->argv[0], run->spec->cwd);
    return fault_errno(fault, "cannot start %s (%s)", run->spec->argv[0], problem.step);
}

/* The limit counts every thread of the user's, in this program and in others: more than the machine has is fair. */
static rlim_t task_limit(const struct child_spec *spec)
{
    long tasks = 0;
    FILE *file = spec->strange ? fopen("/proc/loadavg", "re") : NULL;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%*f %*f %*f %*d/%ld", &tasks) != 1)
        tasks = 0;
    fclose(file);
    return tasks > 0 ? (rlim_t)tasks + TASKS_MORE : 0;
}

/* Starts the process. Until it is another program (or could not become one) it runs in the grader's own memory, of
 * which it changes nothing, on a stack of its own, and the grader stands still: so does posix_spawn in glibc. A copy of
 * the grader's memory for a process that drops it at once would cost more than all else that the grader does. Both ends
 * of every pipe are the caller's to close. */
static int start_child(struct child_run *run, struct launch *launch, const int problem[2], struct fault *fault)
{
    _Alignas(16) char stack[LAUNCH_STACK];
    pid_t pid = clone(launch_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, launch);

    ASAN_UNPOISON_MEMORY_REGION(stack, sizeof stack); /* the frames there were left, and never returned from */
    if (pid < 0)
        return fault_errno(fault, "cannot start a process for %s", run->spec->argv[0]);
    run->pid = pid;
    run->running = true;
    close(problem[1]);
    int heard = hear_of_exec(run, problem[0], fault);
    close(problem[0]);
    return heard;
}

static int start_with_pipes(struct child_run *run, int in, const int out[2], const int err[2], struct fault *fault)
{
    int problem[2];

    if (pipe2(problem, O_CLOEXEC) < 0)
        return fault_errno(fault, "cannot make a pipe");
    struct launch launch = {
        .spec = run->spec,
        .grader = getpid(),
        .in = in,
        .out = out[1],
        .err = run->spec->merge_output ? out[1] : err[1],
        .problem = problem[1],
        .tasks = task_limit(run->spec),
        .env = run->spec->env != NULL ? (char *const *)run->spec->env : clean_environment(run),
    };
    return start_child(run, &launch, problem, fault);
}

static void stream_open(struct stream *stream, int fd, size_t cap)
{
    *stream = (struct stream){.fd = fd, .cap = cap > 0 ? cap : DEFAULT_CAP};
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* Opens what the child gets, starts it, and closes what is not ours. */
static int start(struct child_run *run, struct fault *fault)
{
    int out[2], err[2], started = -1;
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (in < 0)
        return fault_errno(fault, "cannot open /dev/null");
    if (pipe2(out, O_CLOEXEC) < 0) {
        fault_errno(fault, "cannot make a pipe");
        goto close_in;
    }
    if (pipe2(err, O_CLOEXEC) < 0) {
        fault_errno(fault, "cannot make a pipe");
        goto close_out;
    }
    started = start_with_pipes(run, in, out, err, fault);
    if (started == 0) {
        stream_open(&run->out, out[0], run->spec->output_cap);
        stream_open(&run->err, err[0], run->spec->output_cap);
    } else {
        close(err[0]);
    }
    close(err[1]);
close_out:
    if (started != 0)
        close(out[0]);
    close(out[1]);
close_in:
    close(in);
    return started;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void stream_close(struct stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

static void stream_keep(struct child_run *run, struct stream *stream, const char *bytes, size_t size)
{
    if (size > stream->cap - stream->size) {
        size = stream->cap - stream->size;
        run->result->cut = true;
    }
    if (stream->size + size + 1 > stream->room) {
        stream->room = 2 * (stream->size + size + 1);
        stream->text = memory_grown(run->context, stream->text, stream->room, 1);
    }
    memcpy(stream->text + stream->size, bytes, size);
    stream->size += size;
    stream->text[stream->size] = '\0';
}

/* Reads until the pipe is empty, at its end, or over the cap. */
static void stream_drain(struct child_run *run, struct stream *stream)
{
    char bytes[READ_SIZE];

    while (stream->fd >= 0 && !run->result->cut) {
        ssize_t got = read(stream->fd, bytes, sizeof bytes);
        if (got > 0)
            stream_keep(run, stream, bytes, (size_t)got);
        else if (got < 0 && errno == EINTR)
            continue;
        else if (got < 0 && errno == EAGAIN)
            return;
        else
            stream_close(stream);
    }
}

static void drain(struct child_run *run)
{
    stream_drain(run, &run->out);
    stream_drain(run, &run->err);
}

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

/* The roots of this run: the child, and every orphan of its that came to us. */
static void find_roots(struct child_run *run, struct pid_list *roots)
{
    struct pid_list ours = {0};
    struct process_stat stat;

    process_children(run->scratch, getpid(), &ours);
    for (size_t i = 0; i < ours.count; i++) {
        if (pid_list_has(&run->before, ours.pids[i]) || !process_stat(ours.pids[i], 0, &stat))
            continue;
        if (run->spec->strange || ours.pids[i] == run->pid || stat.session == run->pid)
            pid_list_add(run->scratch, roots, ours.pids[i]);
    }
}

static void find_tree(struct child_run *run, struct pid_list *tree)
{
    struct pid_list roots = {0};

    find_roots(run, &roots);
    for (size_t i = 0; i < roots.count; i++)
        process_tree(run->scratch, roots.pids[i], tree);
}

static void add_usage(struct child_run *run, const struct rusage *usage)
{
    run->reaped_cpu_s += (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
                         (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e-6;
}

/* Takes the child's own end down. */
static void note_end(struct child_run *run, int status)
{
    struct child_result *result = run->result;

    run->running = false;
    result->wall_s = now_s() - run->started_s;
    result->end = WIFSIGNALED(status) ? CHILD_SIGNALLED : CHILD_EXITED;
    result->status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* Waits for one process without blocking. True where it had ended. */
static bool reap(struct child_run *run, pid_t pid)
{
    struct rusage usage;
    int status;

    if (wait4(pid, &status, WNOHANG, &usage) != pid)
        return false;
    add_usage(run, &usage);
    if (pid == run->pid)
        note_end(run, status);
    return true;
}

/* Waits for every root that has ended; `roots` keeps those that have not. */
static void reap_roots(struct child_run *run, struct pid_list *roots)
{
    size_t kept = 0;

    for (size_t i = 0; i < roots->count; i++)
        if (!reap(run, roots->pids[i]))
            roots->pids[kept++] = roots->pids[i];
    roots->count = kept;
}

/* Stops everything that is found until nothing new is. */
static void stop_all(struct child_run *run, struct pid_list *stopped)
{
    struct pid_list tree = {0};
    bool fresh = true;

    for (int pass = 0; fresh && pass < 100; pass++) {
        fresh = false;
        tree.count = 0;
        find_tree(run, &tree);
        for (size_t i = 0; i < tree.count; i++)
            if (!pid_list_has(stopped, tree.pids[i])) {
                kill(tree.pids[i], SIGSTOP);
                pid_list_add(run->scratch, stopped, tree.pids[i]);
                fresh = true;
            }
    }
}

/* Kills what was stopped, by process group too. A group of a descendant's is never the grader's: the child began in a
 * session of its own, and no process can join a group of another session. */
static void kill_all(const struct pid_list *stopped)
{
    struct process_stat stat;

    for (size_t i = 0; i < stopped->count; i++) {
        if (process_stat(stopped->pids[i], 0, &stat) && stat.group > 1 && stat.group != getpgrp())
            kill(-stat.group, SIGKILL);
        kill(stopped->pids[i], SIGKILL);
    }
}

/* Ahead of what is to be ended. A child that is forked now does not inherit it. */
static void go_ahead(struct child_run *run)
{
    struct priority *usual = &run->usual;

    usual->policy = sched_getscheduler(0);
    usual->nice = getpriority(PRIO_PROCESS, 0);
    if (usual->policy < 0 || sched_getparam(0, &usual->realtime) < 0)
        return;
    struct sched_param first = {.sched_priority = sched_get_priority_min(SCHED_RR)};
    usual->raised = sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &first) == 0;
    if (usual->raised || setpriority(PRIO_PROCESS, 0, -20) < 0)
        return;
    usual->raised = true;
    sched_setscheduler(0, usual->policy | SCHED_RESET_ON_FORK, &usual->realtime);
}

static void go_back(struct child_run *run)
{
    if (!run->usual.raised)
        return;
    sched_setscheduler(0, run->usual.policy, &run->usual.realtime);
    setpriority(PRIO_PROCESS, 0, run->usual.nice);
}

/* Ends everything of this run. Returns -1 with a fault where that could not be done. */
static int sweep(struct child_run *run, struct fault *fault)
{
    double give_up_s = now_s() + SWEEP_LIMIT_S;
    struct timespec pause = {0, 200 * 1000};

    for (;;) {
        struct pid_list roots = {0}, stopped = {0};

        find_roots(run, &roots);
        reap_roots(run, &roots);
        if (roots.count == 0 && !run->running) {
            /* A child of what has just been reaped may have come to us a moment ago. */
            find_roots(run, &roots);
            if (roots.count == 0)
                return 0;
        }
        if (now_s() > give_up_s)
            return fault_set(fault, "cannot end process %d that %s started",
                             (int)(roots.count > 0 ? roots.pids[0] : run->pid), run->spec->argv[0]);
        stop_all(run, &stopped);
        kill_all(&stopped);
        for (size_t i = 0; i < stopped.count; i++)
            process_let_go(stopped.pids[i]);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        if (pause.tv_nsec < 5 * 1000 * 1000)
            pause.tv_nsec *= 2;
    }
}

/* ---- while it runs ----------------------------------------------------------------------------------------------- */

/* Ends it all, for this reason. The reason stays, though the child's own end is then a signal. */
static int end_because(struct child_run *run, enum child_end why, struct fault *fault)
{
    if (run->running)
        kill(-run->pid, SIGKILL); /* not waited for yet: the number is still its own */
    int swept = sweep(run, fault);

    run->result->end = why;
    return swept;
}

static int most_processes(const struct child_spec *spec)
{
    return spec->processes > 0 ? spec->processes : DEFAULT_PROCESSES;
}

/* Which limit the tree breaks; CHILD_EXITED where none. */
static enum child_end broken_limit(struct child_run *run)
{
    struct pid_list tree = {0};

    find_tree(run, &tree);
    if (tree.count > (size_t)most_processes(run->spec))
        return CHILD_SWARMED;
    if (run->spec->cpu_limit_s > 0 && run->reaped_cpu_s + process_cpu_s(&tree) > run->spec->cpu_limit_s)
        return CHILD_OVER_CPU;
    return CHILD_EXITED;
}

/* Looks at the tree. Returns true where it is within its limits; else `why` says which it broke. */
static bool within_limits(struct child_run *run, enum child_end *why)
{
    void *scratch = run->scratch;

    run->scratch = memory_context(scratch); /* a look leaves nothing behind, however many there are */
    *why = broken_limit(run);
    talloc_free(run->scratch);
    run->scratch = scratch;
    return *why == CHILD_EXITED;
}

static bool wants_looks(const struct child_spec *spec)
{
    return spec->strange || spec->cpu_limit_s > 0 || spec->processes > 0;
}

static bool wants_watch(const struct child_spec *spec)
{
    return spec->watch != NULL && spec->watch_interval_s > 0;
}

/* Does what is due. Returns true where the child may go on; else `why` says why not. */
static bool do_what_is_due(struct child_run *run, enum child_end *why)
{
    const struct child_spec *spec = run->spec;
    double time_s = now_s();

    *why = CHILD_TIMED_OUT;
    if (time_s >= run->deadline_s)
        return false;
    if (wants_looks(spec) && time_s >= run->look_s) {
        if (!within_limits(run, why))
            return false;
        run->look_every_s = fmin(2 * run->look_every_s, LAST_LOOK_S);
        run->look_s = now_s() + run->look_every_s;
    }
    if (wants_watch(spec) && time_s >= run->watch_s) {
        drain(run); /* so that no thread is seen waiting for us to read */
        *why = CHILD_STOPPED_BY_WATCH;
        if (!spec->watch(spec->watch_context, run->pid, now_s() - run->started_s))
            return false;
        run->watch_s = now_s() + spec->watch_interval_s;
    }
    return true;
}

static int wait_ms(const struct child_run *run)
{
    double until_s = run->deadline_s;

    if (wants_looks(run->spec))
        until_s = fmin(until_s, run->look_s);
    if (wants_watch(run->spec))
        until_s = fmin(until_s, run->watch_s);
    double left_s = until_s - now_s();
    return left_s <= 0 ? 0 : (int)fmin(ceil(left_s * 1000), 3600 * 1000);
}

/* Sleeps until something happens, and takes it in. */
static int wait_for_something(struct child_run *run, struct fault *fault)
{
    struct pollfd polled[] = {
        {.fd = run->pidfd, .events = POLLIN},
        {.fd = run->signals, .events = POLLIN},
        {.fd = run->out.fd, .events = POLLIN},
        {.fd = run->err.fd, .events = POLLIN},
    };

    if (poll(polled, sizeof polled / sizeof polled[0], wait_ms(run)) < 0 && errno != EINTR)
        return fault_errno(fault, "cannot wait for %s", run->spec->argv[0]);
    drain(run);
    if (polled[0].revents != 0)
        reap(run, run->pid);
    if (polled[1].revents != 0) {
        struct signalfd_siginfo info;
        run->interrupted = read(run->signals, &info, sizeof info) > 0;
    }
    return 0;
}

/* From the start to the end of all of it. */
static int attend(struct child_run *run, struct fault *fault)
{
    enum child_end why = CHILD_EXITED;

    while (run->running) {
        if (wait_for_something(run, fault) < 0)
            return -1;
        if (run->interrupted)
            return fault_set(fault, "interrupted");
        if (run->result->cut)
            return end_because(run, CHILD_FLOODED, fault);
        if (run->running && !do_what_is_due(run, &why))
            return end_because(run, why, fault);
    }
    if (sweep(run, fault) < 0)
        return -1;
    drain(run); /* all writers are gone: this is the rest */
    if (run->result->cut)
        run->result->end = CHILD_FLOODED;
    return 0;
}

/* ---- child_run --------------------------------------------------------------------------------------------------- */

static void hand_over(struct child_run *run)
{
    struct child_result *result = run->result;

    stream_keep(run, &run->out, "", 0);
    stream_keep(run, &run->err, "", 0);
    result->out = run->out.text;
    result->out_size = run->out.size;
    result->err = run->err.text;
    result->err_size = run->err.size;
    result->cpu_s = run->reaped_cpu_s;
}

static void set_times(struct child_run *run)
{
    const struct child_spec *spec = run->spec;

    run->started_s = now_s();
    run->deadline_s = run->started_s + (spec->wall_limit_s > 0 ? spec->wall_limit_s : DEFAULT_WALL_S);
    run->look_every_s = FIRST_LOOK_S;
    run->look_s = run->started_s + FIRST_LOOK_S;
    run->watch_s = run->started_s + spec->watch_interval_s;
}

static int run_it(struct child_run *run, struct fault *fault)
{
    int attended = -1;

    process_children(run->scratch, getpid(), &run->before);
    set_times(run);
    if (start(run, fault) < 0)
        return -1;
    if (run->spec->strange)
        go_ahead(run);
    run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
    if (run->pidfd < 0)
        fault_errno(fault, "cannot watch process %d", (int)run->pid);
    else
        attended = attend(run, fault);
    if (attended < 0) {
        struct fault ignored; /* the first fault is the one to tell */
        if (run->running)
            kill(-run->pid, SIGKILL);
        sweep(run, &ignored);
    } else {
        hand_over(run);
    }
    go_back(run);
    if (run->pidfd >= 0)
        close(run->pidfd);
    stream_close(&run->out);
    stream_close(&run->err);
    return attended;
}

int child_run(void *context, const struct child_spec *spec, struct child_result *result, struct fault *fault)
{
    struct child_run run = {.context = context, .spec = spec, .result = result, .out.fd = -1, .err.fd = -1};
    sigset_t ending, usual;
    int ran = -1;

    *result = (struct child_result){0};
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return fault_errno(fault, "cannot look after the processes of %s", spec->argv[0]);
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, &usual);
    run.signals = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
    if (run.signals < 0) {
        fault_errno(fault, "cannot listen for signals");
        goto restore;
    }
    run.scratch = memory_context(context);
    ran = run_it(&run, fault);
    talloc_free(run.scratch);
    close(run.signals);
restore:
    sigprocmask(SIG_SETMASK, &usual, NULL);
    return ran;
}

char *child_end_text(void *context, const struct child_result *result)
{
    switch (result->end) {
    case CHILD_EXITED:
        return memory_format(context, "exit status %d", result->status);
    case CHILD_SIGNALLED:
        return memory_format(context, "ended by signal %d (%s)", result->status, strsignal(result->status));
    case CHILD_TIMED_OUT:
        return memory_format(context, "did not end within %.0f s", result->wall_s);
    case CHILD_OVER_CPU:
        return memory_format(context, "stopped after %.1f s of processor time", result->cpu_s);
    case CHILD_FLOODED:
        return memory_text(context, "stopped because it printed without end");
    case CHILD_SWARMED:
        return memory_text(context, "stopped because it started too many processes");
    case CHILD_STOPPED_BY_WATCH:
        return memory_text(context, "stopped by the grader");
    }
    return memory_text(context, "ended in an unknown way");
}
