/* pool.c - one worker process for each grading, some at a time.
 *
 * Theory of operation. The pool's process forks a worker for each job. The worker grades and writes lines to a pipe:
 * "S STAGE" as each stage begins, "T TEST" once a test has failed, and "V JSON", the verdict, at the end; then it
 * exits. The pool reads all pipes in one poll() loop, with a signalfd for Ctrl-C, the caller's own wake_fd, and a pidfd
 * for each worker. That a worker is gone is known from its pidfd alone: somebody else may hold the other end of its
 * pipe. What is then in the pipe is still read. A verdict counts only when its line is whole and the worker exited with
 * 0.
 *
 * Who ends whom. Each worker is in a process group of its own, so that Ctrl-C at the terminal reaches the pool alone,
 * and child.c's children are in groups below that. To stop, the pool sends SIGTERM to its workers: one that waits for a
 * child ends that first (child_run's signalfd), any other just dies; who is not gone after a few seconds is killed. The
 * pool is a subreaper, so what a dead worker leaves behind becomes its own child, and is killed. If the pool itself
 * dies, its workers get SIGTERM from the kernel (PR_SET_PDEATHSIG).
 *
 * Work folders lie in one folder made for this run, which is removed last, whatever happened. It is locked (flock)
 * while anyone of the run lives: the next run removes those that nobody holds, left by a grader that was killed.
 */
#include "pool.h"

#include "files.h"
#include "memory.h"
#include "process.h"
#include "verdict_json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 100,
    GRACE_MS = 3000,            /* from SIGTERM to SIGKILL */
    SILENT_MS = 30 * 60 * 1000, /* a worker that has begun no stage for this long hangs, which is our fault */
    ORPHAN_ROUNDS = 1000,
    AHEAD_FOR_EACH = 64, /* finished gradings kept back for an unfinished earlier one, for each worker */
};

static const size_t MESSAGE_MAX = (size_t)64 * 1024 * 1024;

struct worker {
    pid_t pid; /* 0: the slot is free */
    int pidfd;
    int pipe; /* -1: at its end */
    size_t job;
    char *text; /* what it wrote and is not yet dealt with */
    size_t used, size;
    int64_t heard_ms;        /* when it last said something */
    struct verdict *verdict; /* once it has sent one */
    const char *failed;      /* why its verdict cannot be had, or NULL */
};

struct run {
    void *context;
    const struct pool *pool;
    struct fault *fault;
    struct worker *workers; /* at_once slots */
    struct lanes *lanes;
    struct pollfd *polled; /* two, and two for each slot */
    struct verdict **done; /* by job: NULL where not done, or reported */
    size_t next;           /* the next job to start */
    size_t reported;       /* jobs before this one have been reported */
    sigset_t old_mask;
    int signals;           /* signalfd */
    int lock;              /* the work folder, locked */
    char *work;            /* the work folder of this run */
    struct pid_list known; /* children that the caller had before */
    int old_subreaper;
    int signal_number; /* that stopped it; 0: none */
    bool stopped;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the work folder --------------------------------------------------------------------------------------------- */

/* Removes what killed graders left: folders like ours that nobody has locked. */
static void remove_stale(const char *parent)
{
    DIR *stream = opendir(parent);
    const struct dirent *entry;
    struct fault ignored;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (strncmp(entry->d_name, "grade-", 6) != 0)
            continue;
        int lock = openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) {
            char *path = memory_format(NULL, "%s/%s", parent, entry->d_name);
            (void)files_remove_tree(path, &ignored); /* what cannot be removed is in nobody's way */
            talloc_free(path);
        }
        if (lock >= 0)
            close(lock);
    }
    if (stream != NULL)
        closedir(stream);
}

/* Makes the folder and locks it, before anyone takes it for one that was left. */
static int make_locked(struct run *run, const char *parent)
{
    for (int tries = 0; tries < 10; tries++) {
        struct stat made;

        run->work = memory_format(run->context, "%s/grade-XXXXXX", parent);
        if (mkdtemp(run->work) == NULL) {
            run->work = NULL;
            return fault_errno(run->fault, "no folder to work in can be made in %s", parent);
        }
        run->lock = open(run->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (run->lock >= 0 && flock(run->lock, LOCK_EX | LOCK_NB) == 0 && stat(run->work, &made) == 0)
            return 0;
        if (run->lock >= 0)
            close(run->lock);
        run->lock = -1;
    }
    return fault_set(run->fault, "no folder to work in can be kept in %s: something removes it", parent);
}

static int make_work(struct run *run)
{
    const char *tmpdir = getenv("TMPDIR");
    char *parent;

    if (tmpdir != NULL && *tmpdir == '/')
        parent = memory_text(run->context, tmpdir);
    else
        parent = memory_format(run->context, "%s/build/work", run->pool->course->root);
    if (files_make_dirs(parent, run->fault) != 0)
        return -1;
    remove_stale(parent);
    return make_locked(run, parent);
}

/* ---- other processes --------------------------------------------------------------------------------------------- */

/* Never to -1 or 0, which would be everyone: a number that is no process of ours is a mistake that must cost nothing.
 */
static void send_signal(pid_t pid, int number)
{
    if (pid > 1)
        kill(pid, number);
}

static bool is_ours(const struct run *run, pid_t pid)
{
    for (int i = 0; i < run->pool->at_once; i++) {
        if (run->workers[i].pid == pid)
            return true;
    }
    return pid_list_has(&run->known, pid);
}

/* Kills what dead workers left behind, until nothing is left: the children of one that was killed come to us next. */
static void end_orphans(struct run *run)
{
    bool found = true;

    for (int round = 0; found && round < ORPHAN_ROUNDS; round++) {
        void *scratch = memory_context(NULL);
        struct pid_list list = {0};

        found = false;
        process_children(scratch, getpid(), &list);
        for (size_t i = 0; i < list.count; i++) {
            if (is_ours(run, list.pids[i]))
                continue;
            found = true;
            send_signal(list.pids[i], SIGKILL);
            while (waitpid(list.pids[i], NULL, 0) < 0 && errno == EINTR)
                continue;
        }
        talloc_free(scratch);
    }
}

/* ---- the worker's side ------------------------------------------------------------------------------------------- */

struct reporter {
    int pipe;
};

static void send_all(int pipe, const char *bytes, size_t size)
{
    if (files_write_all(pipe, bytes, size) != 0)
        _exit(3);
}

/* `kind` and a name, which is cut where it is longer than names are. */
static void send_name(const struct reporter *reporter, char kind, const char *name)
{
    char line[128];
    int length = snprintf(line, sizeof line, "%c %.100s\n", kind, name);

    send_all(reporter->pipe, line, (size_t)length);
}

static void send_stage(void *context, const char *stage)
{
    send_name(context, 'S', stage);
}

static void send_failed_test(void *context, const char *test)
{
    send_name(context, 'T', test);
}

static void send_verdict(const struct reporter *reporter, const struct verdict *verdict)
{
    json_t *json = verdict_to_json(verdict);
    char *text = json_dumps(json, JSON_COMPACT);

    if (text == NULL)
        _exit(3);
    send_all(reporter->pipe, "V ", 2);
    send_all(reporter->pipe, text, strlen(text));
    send_all(reporter->pipe, "\n", 1);
}

static void close_worker(struct worker *worker)
{
    if (worker->pipe >= 0)
        close(worker->pipe);
    if (worker->pidfd >= 0)
        close(worker->pidfd);
}

/* What the worker does in place of the pool. Grades, sends, ends; nothing of the caller's is flushed or freed. */
static _Noreturn void work(struct run *run, size_t number, int slot, int pipe, pid_t pool_pid)
{
    const struct job *job = &run->pool->jobs[number];
    struct request request = job->request;
    struct reporter reporter = {.pipe = pipe};
    struct verdict verdict;
    struct fault fault = {""};
    sigset_t none;

    (void)setpgid(0, 0);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none); /* whatever the caller had blocked: SIGTERM must reach a worker */
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (getppid() != pool_pid) /* it died before the kernel knew what to do then */
        _exit(3);
    close(run->signals);
    for (int i = 0; i < run->pool->at_once; i++) {
        if (run->workers[i].pid != 0)
            close_worker(&run->workers[i]);
    }
    request.work_dir = run->work;
    if (request.cache_dir == NULL)
        request.cache_dir = memory_format(run->context, "%s/build/cache", run->pool->course->root);
    request.lanes = (struct lane_share){run->lanes, slot};
    request.stage_begun = send_stage;
    request.test_failed = send_failed_test;
    request.stage_context = &reporter;
    int (*grade)(void *, const struct course *, const struct exercise *, const struct request *, struct verdict *,
                 struct fault *) = run->pool->grade != NULL ? run->pool->grade : grade_one;
    (void)grade(run->context, run->pool->course, job->exercise, &request, &verdict, &fault);
    send_verdict(&reporter, &verdict);
    _exit(0);
}

/* ---- the pool's side --------------------------------------------------------------------------------------------- */

static int start_worker(struct run *run, int number)
{
    struct worker *slot = &run->workers[number];
    int ends[2];
    pid_t self = getpid();

    if (pipe2(ends, O_CLOEXEC) != 0)
        return fault_errno(run->fault, "no pipe for a grading");
    pid_t pid = fork();
    if (pid < 0) {
        fault_errno(run->fault, "no process for a grading can be started");
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    if (pid == 0) {
        close(ends[0]);
        work(run, run->next, number, ends[1], self);
    }
    lanes_begin(run->lanes, number);
    (void)setpgid(pid, pid); /* here and there: whoever comes first */
    close(ends[1]);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *slot = (struct worker){
        .pid = pid, .pidfd = pidfd_open(pid, 0), .pipe = ends[0], .job = run->next++, .heard_ms = now_ms()};
    if (slot->pidfd < 0)
        return fault_errno(run->fault, "a grading's process cannot be watched");
    return 0;
}

static int start_workers(struct run *run)
{
    const struct pool *pool = run->pool;
    size_t ahead = (size_t)pool->at_once * AHEAD_FOR_EACH;

    for (int i = 0; i < pool->at_once; i++) {
        if (run->workers[i].pid != 0)
            continue;
        if (run->next >= pool->job_count || run->next - run->reported >= ahead)
            return 0;
        if (start_worker(run, i) != 0)
            return -1;
    }
    return 0;
}

static void take_verdict(struct run *run, struct worker *worker, const char *text, size_t length)
{
    struct fault fault = {""};
    json_t *json = json_loadb(text, length, 0, NULL);

    if (json != NULL)
        worker->verdict = verdict_from_json(run->context, json, &fault);
    if (worker->verdict == NULL)
        worker->failed = "its worker sent something that is no verdict";
    json_decref(json);
}

/* Deals with all whole lines that have come. */
static void take_lines(struct run *run, struct worker *worker)
{
    size_t begin = 0;
    char *newline;

    while ((newline = memchr(worker->text + begin, '\n', worker->used - begin)) != NULL) {
        char *line = worker->text + begin;
        size_t length = (size_t)(newline - line);

        *newline = '\0';
        if (length > 2 && *line == 'V' && worker->verdict == NULL)
            take_verdict(run, worker, line + 2, length - 2);
        else if (length > 2 && *line == 'S' && run->pool->stage_begun != NULL)
            run->pool->stage_begun(run->pool->callback_context, worker->job, line + 2);
        else if (length > 2 && *line == 'T' && run->pool->test_failed != NULL)
            run->pool->test_failed(run->pool->callback_context, worker->job, line + 2);
        begin += length + 1;
    }
    worker->used -= begin;
    memmove(worker->text, worker->text + begin, worker->used);
}

/* Reads what is there. */
static void read_worker(struct run *run, struct worker *worker)
{
    while (worker->pipe >= 0) {
        if (worker->used == worker->size) {
            worker->size = worker->size == 0 ? 16384 : worker->size * 2;
            worker->text = memory_grown(run->context, worker->text, worker->size, 1);
        }
        ssize_t n = read(worker->pipe, worker->text + worker->used, worker->size - worker->used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            close(worker->pipe);
            worker->pipe = -1;
            return;
        }
        worker->used += (size_t)n;
        worker->heard_ms = now_ms();
        take_lines(run, worker);
        if (worker->used > MESSAGE_MAX) {
            worker->failed = "its worker sent more than a verdict can be";
            send_signal(worker->pid, SIGKILL);
            return;
        }
    }
}

/* The worker's job has no verdict: makes one that says why. */
static struct verdict *broken_verdict(struct run *run, const struct worker *worker, int status)
{
    const struct job *job = &run->pool->jobs[worker->job];
    struct verdict *verdict = memory_zeroed(run->context, 1, sizeof *verdict);
    const char *why = worker->failed;

    if (why == NULL && WIFSIGNALED(status))
        why =
            memory_format(verdict, "its worker ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (why == NULL)
        why = memory_format(verdict, "its worker ended early, with exit status %d", WEXITSTATUS(status));
    grade_broken(verdict, job->exercise, &job->request,
                 memory_format(verdict, "The grader itself failed: %s. This is no fault of the submission.", why),
                 verdict);
    return verdict;
}

/* The worker is gone: reaps it and keeps its verdict. */
static void finish_worker(struct run *run, struct worker *worker)
{
    const struct job *job = &run->pool->jobs[worker->job];
    int status = 0;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close_worker(worker);
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (worker->verdict == NULL || !clean) {
        talloc_free(worker->verdict);
        worker->verdict = broken_verdict(run, worker, status);
    }
    /* Names as they are, not as JSON could carry them. */
    worker->verdict->exercise = job->exercise->id;
    worker->verdict->student = memory_text(worker->verdict, job->request.student);
    run->done[worker->job] = worker->verdict;
    talloc_free(worker->text);
    lanes_end(run->lanes, (int)(worker - run->workers));
    *worker = (struct worker){.pid = 0};
    if (!clean)
        end_orphans(run);
}

static void report_done(struct run *run)
{
    const struct pool *pool = run->pool;

    while (!run->stopped && run->reported < pool->job_count && run->done[run->reported] != NULL) {
        struct verdict *verdict = run->done[run->reported];

        run->done[run->reported] = NULL;
        if (pool->done != NULL && !pool->done(pool->callback_context, run->reported, verdict))
            run->stopped = true;
        run->reported++;
        talloc_free(verdict);
    }
}

/* All that have come; the first counts. */
static void take_signals(struct run *run)
{
    struct signalfd_siginfo info;

    while (read(run->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (run->signal_number == 0)
            run->signal_number = (int)info.ssi_signo;
    }
}

/* One worker, after poll(): what it said, whether it is gone, whether it is silent for too long. */
static void look_at(struct run *run, struct worker *worker, const struct pollfd *end, const struct pollfd *pipe)
{
    if (worker->pid == 0)
        return;
    if (end->revents != 0 || pipe->revents != 0)
        read_worker(run, worker);
    if (end->revents != 0) {
        finish_worker(run, worker);
    } else if (now_ms() - worker->heard_ms > SILENT_MS) {
        worker->failed = "its worker has said nothing for half an hour";
        send_signal(worker->pid, SIGKILL);
    }
}

/* Waits until something happens, and deals with it. */
static int wait_once(struct run *run)
{
    const struct pool *pool = run->pool;
    struct pollfd *polled = run->polled;
    nfds_t count = 2 + 2 * (nfds_t)pool->at_once;

    polled[0] = (struct pollfd){.fd = run->signals, .events = POLLIN};
    polled[1] = (struct pollfd){.fd = pool->woken != NULL ? pool->wake_fd : -1, .events = POLLIN};
    for (int i = 0; i < pool->at_once; i++) {
        const struct worker *worker = &run->workers[i];

        polled[2 + 2 * i] = (struct pollfd){.fd = worker->pid != 0 ? worker->pidfd : -1, .events = POLLIN};
        polled[3 + 2 * i] = (struct pollfd){.fd = worker->pid != 0 ? worker->pipe : -1, .events = POLLIN};
    }
    if (poll(polled, count, pool->tick != NULL ? TICK_MS : 10 * TICK_MS) < 0 && errno != EINTR)
        return fault_errno(run->fault, "waiting for gradings");
    if (polled[0].revents != 0)
        take_signals(run);
    if (polled[1].revents != 0 && pool->woken != NULL && !pool->woken(pool->callback_context))
        run->stopped = true;
    for (int i = 0; i < pool->at_once; i++)
        look_at(run, &run->workers[i], &polled[2 + 2 * i], &polled[3 + 2 * i]);
    if (pool->tick != NULL)
        pool->tick(pool->callback_context);
    return 0;
}

/* Waits until the worker is gone, or `deadline_ms` has come and it has to be killed; then reaps it. */
static void await_end(const struct worker *worker, int64_t deadline_ms)
{
    struct pollfd polled = {.fd = worker->pidfd, .events = POLLIN};
    int64_t left_ms;

    while (worker->pidfd >= 0 && (left_ms = deadline_ms - now_ms()) > 0) {
        if (poll(&polled, 1, (int)left_ms) > 0)
            break;
    }
    send_signal(worker->pid, SIGKILL); /* it is not reaped yet, so the number is still its own */
    while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static void end_workers(struct run *run)
{
    int64_t deadline_ms = now_ms() + GRACE_MS;

    for (int i = 0; i < run->pool->at_once; i++) {
        if (run->workers[i].pid != 0)
            send_signal(run->workers[i].pid, SIGTERM);
    }
    for (int i = 0; i < run->pool->at_once; i++) {
        struct worker *worker = &run->workers[i];

        if (worker->pid == 0)
            continue;
        await_end(worker, deadline_ms);
        close_worker(worker);
        worker->pid = 0;
    }
}

static int open_run(struct run *run)
{
    sigset_t stops;

    process_children(run->context, getpid(), &run->known);
    if (prctl(PR_GET_CHILD_SUBREAPER, &run->old_subreaper) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return fault_errno(run->fault, "the processes of gradings cannot be kept together");
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGHUP);
    sigprocmask(SIG_BLOCK, &stops, &run->old_mask);
    run->signals = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
    if (run->signals < 0)
        return fault_errno(run->fault, "Ctrl-C cannot be listened for");
    run->lanes = lanes_open(run->pool->at_once, run->fault);
    if (run->lanes == NULL)
        return -1;
    return make_work(run);
}

/* Signals that came while everything was ended are read here, so that none of them ends the caller. */
static int close_run(struct run *run)
{
    struct fault removing = {""};
    int result = 0;

    end_workers(run);
    end_orphans(run);
    lanes_close(run->lanes);
    if (run->work != NULL && files_remove_tree(run->work, &removing) != 0)
        result = -1;
    if (run->lock >= 0)
        close(run->lock);
    if (run->signals >= 0) {
        take_signals(run);
        close(run->signals);
    }
    prctl(PR_SET_CHILD_SUBREAPER, run->old_subreaper);
    sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
    if (result != 0)
        *run->fault = removing;
    return result;
}

enum pool_end pool_run(void *context, const struct pool *pool, int *signal_number, struct fault *fault)
{
    void *own = memory_context(context);
    struct run run = {.context = own, .pool = pool, .fault = fault, .signals = -1, .lock = -1};
    enum pool_end end = POOL_DONE;

    run.workers = memory_zeroed(own, (size_t)pool->at_once, sizeof *run.workers);
    run.polled = memory_zeroed(own, 2 * (size_t)pool->at_once + 2, sizeof *run.polled);
    run.done = memory_zeroed(own, pool->job_count, sizeof(struct verdict *));
    sigprocmask(SIG_SETMASK, NULL, &run.old_mask);
    int result = open_run(&run);
    while (result == 0 && !run.stopped && run.signal_number == 0 && run.reported < pool->job_count) {
        result = start_workers(&run);
        if (result == 0)
            result = wait_once(&run);
        report_done(&run);
    }
    bool all_done = run.reported == pool->job_count && result == 0;
    if (close_run(&run) != 0)
        result = -1;
    if (result != 0)
        end = POOL_FAILED;
    else if (run.signal_number != 0 && !(all_done && !run.stopped))
        end = POOL_INTERRUPTED;
    else if (run.stopped)
        end = POOL_STOPPED;
    if (signal_number != NULL)
        *signal_number = run.signal_number;
    talloc_free(own);
    return end;
}
