/* Every way in which a child may end or refuse to, and that nothing is left of it. */
#include "child.h"
#include "process.h"
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void *context;
static struct fault fault;

static void begin(void)
{
    context = memory_context(NULL);
}

static void end(void)
{
    talloc_free(context);
}

TestSuite(child, .init = begin, .fini = end, .timeout = 120);

static struct child_result run(struct child_spec spec)
{
    struct child_result result;

    cr_assert(child_run(context, &spec, &result, &fault) == 0, "%s", fault.text);
    return result;
}

static struct child_result shell(const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};

    return run((struct child_spec){.argv = argv});
}

/* How many processes of the machine have `mark` on their command line. */
static int count_marked(const char *mark)
{
    DIR *all = opendir("/proc");
    int count = 0;

    for (struct dirent *entry = readdir(all); entry != NULL; entry = readdir(all)) {
        char path[300], text[512] = "";
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        FILE *file = strtol(entry->d_name, NULL, 10) > 0 ? fopen(path, "re") : NULL;
        if (file == NULL)
            continue;
        size_t got = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        count += memmem(text, got, mark, strlen(mark)) != NULL;
    }
    closedir(all);
    return count;
}

/* Compiles data/child/nasty.c and runs it; checks that nothing of it is left. */
static struct child_result nasty(const char *what, struct child_spec spec)
{
    char *dir = scratch_dir(context);
    char *program = memory_format(context, "%s/nasty", dir);
    const char *compile[] = {"cc", "-O1", "-o", program, "grader/tests/data/child/nasty.c", NULL};

    struct child_result compiled = run((struct child_spec){.argv = compile});
    cr_assert(compiled.end == CHILD_EXITED && compiled.status == 0, "%s", compiled.err);
    const char *argv[] = {program, what, dir, NULL};
    spec.argv = argv;
    spec.strange = true;
    struct child_result result = run(spec);
    cr_assert(count_marked(dir) == 0, "%d processes are left", count_marked(dir));
    cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
    scratch_remove(dir);
    return result;
}

Test(child, gives_status_and_both_outputs)
{
    struct child_result result = shell("echo out; echo err >&2; exit 7");

    cr_assert(result.end == CHILD_EXITED && result.status == 7);
    cr_assert_str_eq(result.out, "out\n");
    cr_assert_str_eq(result.err, "err\n");
    cr_assert(result.out_size == 4 && !result.cut);
    cr_assert_str_eq(child_end_text(context, &result), "exit status 7");
}

Test(child, merges_outputs_in_order)
{
    const char *argv[] = {"sh", "-c", "echo 1; echo 2 >&2; echo 3", NULL};
    struct child_result result = run((struct child_spec){.argv = argv, .merge_output = true});

    cr_assert_str_eq(result.out, "1\n2\n3\n");
    cr_assert_str_eq(result.err, "");
}

Test(child, tells_the_signal)
{
    struct child_result result = shell("kill -SEGV $$");

    cr_assert(result.end == CHILD_SIGNALLED && result.status == SIGSEGV);
    cr_assert_str_eq(child_end_text(context, &result), "ended by signal 11 (Segmentation fault)");
}

Test(child, a_program_that_is_not_there_is_a_fault)
{
    const char *argv[] = {"no-such-program-anywhere", NULL};
    struct child_result result;

    cr_assert(child_run(context, &(struct child_spec){.argv = argv}, &result, &fault) == -1);
    cr_assert(strstr(fault.text, "no-such-program-anywhere") != NULL && strstr(fault.text, "No such file") != NULL,
              "%s", fault.text);
}

Test(child, a_folder_that_is_not_there_is_a_fault)
{
    const char *argv[] = {"true", NULL};
    struct child_result result;

    cr_assert(child_run(context, &(struct child_spec){.argv = argv, .cwd = "/no/such/dir"}, &result, &fault) == -1);
    cr_assert(strstr(fault.text, "/no/such/dir") != NULL, "%s", fault.text);
}

Test(child, has_an_empty_input_a_session_and_a_clean_environment)
{
    setenv("LEAKED", "secret", 1);
    struct child_result result =
        shell("cat; env | cut -d= -f1 | sort | tr '\\n' ' '; test $(cut -d' ' -f6 /proc/$$/stat) = $$ || echo no");

    cr_assert_str_eq(result.out, "HOME LC_ALL PATH PWD TMPDIR ", "%s", result.out);
}

Test(child, has_more_variables_where_that_is_asked)
{
    const char *argv[] = {"sh", "-c", "env | cut -d= -f1 | sort | tr '\\n' ' '; echo $ONE $TWO", NULL};
    const char *more[] = {"ONE=1", "TWO=2", NULL};
    struct child_result result = run((struct child_spec){.argv = argv, .more_env = more});

    cr_assert_str_eq(result.out, "HOME LC_ALL ONE PATH PWD TMPDIR TWO 1 2\n", "%s", result.out);
}

Test(child, inherits_only_the_descriptors_it_was_promised)
{
    int kept = open("/dev/null", O_RDONLY | O_CLOEXEC), other = open("/dev/null", O_RDONLY);
    int keep[] = {kept, -1};
    const char *argv[] = {"ls", "/proc/self/fd", NULL};

    struct child_result result = run((struct child_spec){.argv = argv, .keep_fds = keep});
    char *expected = memory_format(context, "0\n1\n2\n3\n%d\n", kept); /* 3: ls reads the folder */
    cr_assert(kept != 3 && other > kept, "the test's own numbers");
    cr_assert_str_eq(result.out, expected, "%s", result.out);
    cr_assert(fcntl(kept, F_GETFD) == FD_CLOEXEC, "ours stays as it was");
}

Test(child, is_killed_at_the_wall_limit)
{
    const char *argv[] = {"sleep", "1000", NULL};
    struct child_result result = run((struct child_spec){.argv = argv, .wall_limit_s = 0.2});

    cr_assert(result.end == CHILD_TIMED_OUT && result.wall_s >= 0.2);
}

Test(child, is_killed_at_the_cpu_limit)
{
    struct child_result result = nasty("spin", (struct child_spec){.cpu_limit_s = 0.2});

    cr_assert(result.end == CHILD_OVER_CPU, "%s", child_end_text(context, &result));
    cr_assert(result.cpu_s >= 0.2, "%g", result.cpu_s);
}

Test(child, a_flood_is_cut_and_ended)
{
    const char *argv[] = {"yes", NULL};
    struct child_result result = run((struct child_spec){.argv = argv, .output_cap = 1000});

    cr_assert(result.end == CHILD_FLOODED && result.cut && result.out_size == 1000 && strlen(result.out) == 1000);
}

Test(child, output_up_to_the_cap_is_no_flood)
{
    const char *argv[] = {"head", "-c", "100000", "/dev/zero", NULL};
    struct child_result result = run((struct child_spec){.argv = argv, .output_cap = 100000});

    cr_assert(result.end == CHILD_EXITED && !result.cut && result.out_size == 100000);
}

Test(child, a_fork_bomb_is_ended)
{
    struct child_result result = nasty("bomb", (struct child_spec){.processes = 20});

    cr_assert(result.end == CHILD_SWARMED, "%s", child_end_text(context, &result));
}

Test(child, a_daemon_does_not_outlive_its_program)
{
    struct child_result result = nasty("daemon", (struct child_spec){0});

    cr_assert(result.end == CHILD_EXITED && result.status == 0, "%s", child_end_text(context, &result));
}

Test(child, a_chain_of_forks_is_caught)
{
    nasty("chain", (struct child_spec){0});
}

Test(child, a_chain_of_sessions_is_caught)
{
    nasty("sessions", (struct child_spec){0});
}

Test(child, one_that_stops_itself_is_ended)
{
    struct child_result result = nasty("stop", (struct child_spec){.wall_limit_s = 0.2});

    cr_assert(result.end == CHILD_TIMED_OUT);
}

Test(child, memory_is_limited)
{
    struct child_result result = nasty("grab", (struct child_spec){.memory_mb = 256});

    cr_assert(result.end == CHILD_EXITED && result.status == 3, "%s", child_end_text(context, &result));
}

Test(child, files_are_limited)
{
    char *dir = scratch_dir(context);
    const char *argv[] = {"dd", "if=/dev/zero", "of=big", "bs=1M", "count=3", NULL};
    struct child_result result = run((struct child_spec){.argv = argv, .cwd = dir, .file_mb = 2});

    cr_assert(result.end == CHILD_SIGNALLED && result.status == SIGXFSZ, "%s", child_end_text(context, &result));
    scratch_remove(dir);
}

Test(child, addresses_may_be_fixed)
{
    const char *argv[] = {"cat", "/proc/self/personality", NULL};
    struct child_result result = run((struct child_spec){.argv = argv, .fixed_addresses = true});

    cr_assert_str_eq(result.out, "00040000\n");
}

/* ---- the watch --------------------------------------------------------------------------------------------------- */

struct watcher {
    int calls;
    pid_t pid;
    char nested[64];
    char *mark;
};

static bool stop_at_third(void *argument, pid_t pid, double running_s)
{
    struct watcher *watcher = argument;

    watcher->pid = pid;
    return running_s < 0 || ++watcher->calls < 3;
}

Test(child, the_watch_is_called_and_obeyed)
{
    struct watcher watcher = {0};
    const char *argv[] = {"sleep", "1000", NULL};
    struct child_result result = run(
        (struct child_spec){.argv = argv, .watch = stop_at_third, .watch_context = &watcher, .watch_interval_s = 0.01});

    cr_assert(result.end == CHILD_STOPPED_BY_WATCH && watcher.calls == 3 && watcher.pid > 0);
    cr_assert(result.wall_s >= 0.03, "%g", result.wall_s);
}

static bool run_another(void *argument, pid_t pid, double running_s)
{
    struct watcher *watcher = argument;
    struct child_result result;
    struct fault problem;
    const char *argv[] = {"sh", "-c", "sleep 1000 & echo nested", NULL};

    (void)running_s;
    cr_assert(child_run(context, &(struct child_spec){.argv = argv}, &result, &problem) == 0, "%s", problem.text);
    snprintf(watcher->nested, sizeof watcher->nested, "%s", result.out);
    struct process_stat stat;
    cr_assert(process_stat(pid, 0, &stat) && stat.state != 'Z', "the outer child was ended too");
    return ++watcher->calls < 2;
}

Test(child, a_watch_may_run_a_trusted_program_beside_it)
{
    struct watcher watcher = {0};
    const char *argv[] = {"sh", "-c", "setsid sleep 1000 & sleep 1000", NULL};
    struct child_result result = run((struct child_spec){
        .argv = argv, .strange = true, .watch = run_another, .watch_context = &watcher, .watch_interval_s = 0.05});

    cr_assert(result.end == CHILD_STOPPED_BY_WATCH && watcher.calls == 2);
    cr_assert_str_eq(watcher.nested, "nested\n");
    cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
}

/* ---- a thread that dies while it is traced ----------------------------------------------------------------------- */

/* Stops the second thread of the child, as the reading of stacks does; the child ends all the same. */
static bool trace_one(void *data, pid_t pid, double running_s)
{
    struct watcher *watcher = data;
    struct pid_list threads = {0};

    (void)running_s;
    process_threads(context, pid, &threads);
    if (threads.count == 2 && watcher->calls == 0 && ptrace(PTRACE_ATTACH, threads.pids[1], NULL, NULL) == 0) {
        waitpid(threads.pids[1], NULL, __WALL);
        watcher->calls = 1;
    }
    return running_s < 1;
}

Test(child, a_thread_that_dies_while_its_stack_is_read_does_not_hold_up_the_end)
{
    struct watcher watcher = {0};
    char *dir = scratch_dir(context);
    char *program = memory_format(context, "%s/two", dir);

    scratch_write(dir, "two.c",
                  "#include <pthread.h>\n#include <unistd.h>\n"
                  "static void *wait_for_ever(void *unused) { pause(); return unused; }\n"
                  "int main(void)\n{\n    pthread_t thread;\n"
                  "    pthread_create(&thread, 0, wait_for_ever, 0);\n    usleep(300000);\n    return 0;\n}\n");
    cr_assert_eq(scratch_shell("gcc -pthread -o %s %s.c", program, program), 0);
    const char *argv[] = {program, NULL};
    struct child_result result = run((struct child_spec){
        .argv = argv, .strange = true, .watch = trace_one, .watch_context = &watcher, .watch_interval_s = 0.02});

    cr_assert_eq(watcher.calls, 1, "the second thread was never seen");
    cr_assert_lt(result.wall_s, 10);
    scratch_remove(dir);
}

/* ---- Ctrl-C ------------------------------------------------------------------------------------------------------ */

/* Runs child_run in a process of its own, sends it `number` once the child is there, and checks what it says. */
static void interrupt_with(int number)
{
    int said[2];
    char *mark = memory_format(context, "mark-of-%d-%d", (int)getpid(), number);
    const char *argv[] = {"sh", "-c", "sleep 1000; :", mark, NULL};

    cr_assert(pipe(said) == 0);
    pid_t grader = fork();
    if (grader == 0) {
        struct child_result result;
        int ran = child_run(context, &(struct child_spec){.argv = argv, .strange = true}, &result, &fault);
        sigset_t now;
        sigprocmask(SIG_SETMASK, NULL, &now);
        bool blocked = sigismember(&now, number) == 1;
        _exit(ran == -1 && strcmp(fault.text, "interrupted") == 0 && !blocked ? 42 : 1);
    }
    while (count_marked(mark) == 0)
        usleep(1000);
    kill(grader, number);
    int status = 0;
    waitpid(grader, &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status %x", (unsigned)status);
    cr_assert(count_marked(mark) == 0, "the child is left");
}

Test(child, an_interrupt_ends_the_child_and_is_a_fault)
{
    interrupt_with(SIGINT);
    interrupt_with(SIGTERM);
}

Test(child, dies_with_the_grader)
{
    char *mark = memory_format(context, "orphan-of-%d", (int)getpid());
    const char *argv[] = {"sh", "-c", "sleep 1000; :", mark, NULL};
    pid_t grader = fork();

    if (grader == 0) {
        struct child_result result;
        child_run(context, &(struct child_spec){.argv = argv}, &result, &fault);
        _exit(1);
    }
    while (count_marked(mark) == 0)
        usleep(1000);
    kill(grader, SIGKILL);
    waitpid(grader, NULL, 0);
    for (int i = 0; i < 5000 && count_marked(mark) > 0; i++)
        usleep(1000);
    cr_assert(count_marked(mark) == 0, "the child lives on");
}
