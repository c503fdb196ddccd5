/* process.c - see process.h.
 *
 * The kernel lists a thread's children in /proc/PID/task/TID/children; where it was built without that file, every
 * process of the machine is asked for its parent.
 */
#include "process.h"

#include "memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LET_GO_TRIES = 20 };

void pid_list_add(void *context, struct pid_list *list, pid_t pid)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 16 : 2 * list->room;
        list->pids = memory_grown(context, list->pids, list->room, sizeof *list->pids);
    }
    list->pids[list->count++] = pid;
}

bool pid_list_has(const struct pid_list *list, pid_t pid)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->pids[i] == pid)
            return true;
    return false;
}

/* Reads a small file whole. False where it is gone. */
static bool read_small(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t got = read(fd, text, room - 1);
    close(fd);
    if (got <= 0)
        return false;
    text[got] = '\0';
    return true;
}

bool process_stat(pid_t pid, pid_t tid, struct process_stat *stat)
{
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    long waited_user = 0, waited_system = 0;

    if (tid == 0)
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    else
        snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)tid);
    if (!read_small(path, text, sizeof text))
        return false;
    const char *fields = strrchr(text, ')'); /* a name may contain anything, brackets too */
    if (fields == NULL)
        return false;
    *stat = (struct process_stat){0};
    if (sscanf(fields + 1, " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %*d %*d %*d %*d %llu",
               &stat->state, &stat->parent, &stat->group, &stat->session, &user, &system, &waited_user, &waited_system,
               &stat->started_ticks) != 9)
        return false;
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    stat->own_cpu_s = (double)(user + system) * tick_s;
    stat->cpu_s = stat->own_cpu_s + (double)(waited_user + waited_system) * tick_s;
    return true;
}

/* Adds the numbers that name entries of a directory. */
static void add_numbers(void *context, const char *path, struct pid_list *list)
{
    DIR *entries = opendir(path);

    if (entries == NULL)
        return;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        pid_t number = (pid_t)strtol(entry->d_name, NULL, 10);
        if (number > 0)
            pid_list_add(context, list, number);
    }
    closedir(entries);
}

void process_threads(void *context, pid_t pid, struct pid_list *list)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    add_numbers(context, path, list);
}

/* Who traces this thread; 0: nobody, or it is gone. */
static pid_t tracer_of(pid_t pid, pid_t tid)
{
    char path[96], line[128];
    int tracer = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)tid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return tracer;
}

void process_let_go(pid_t pid)
{
    void *scratch = memory_context(NULL);
    const struct timespec pause = {0, 1000 * 1000};
    struct pid_list threads = {0};

    process_threads(scratch, pid, &threads);
    for (size_t i = 0; i < threads.count; i++) {
        pid_t tid = threads.pids[i];

        /* One that was killed in its stop dies in a moment; the others are stopped, and go on. */
        for (int tries = 0; tid != pid && tries < LET_GO_TRIES && tracer_of(pid, tid) == getpid(); tries++) {
            if (ptrace(PTRACE_DETACH, tid, NULL, NULL) == 0 || waitpid(tid, NULL, __WALL | WNOHANG) == tid)
                continue;
            clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        }
    }
    talloc_free(scratch);
}

/* Adds the children of one thread. False where the kernel does not list them (or the thread is gone). */
static bool add_children(void *context, pid_t pid, pid_t tid, struct pid_list *list)
{
    char path[96];

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)tid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    for (int child; fscanf(file, "%d", &child) == 1;)
        pid_list_add(context, list, child);
    fclose(file);
    return true;
}

static void add_children_by_asking_all(void *context, pid_t pid, struct pid_list *list)
{
    struct pid_list all = {0};
    struct process_stat stat;

    add_numbers(context, "/proc", &all);
    for (size_t i = 0; i < all.count; i++)
        if (process_stat(all.pids[i], 0, &stat) && stat.parent == pid)
            pid_list_add(context, list, all.pids[i]);
}

static bool kernel_lists_children(void)
{
    char path[96];

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
    return access(path, R_OK) == 0;
}

void process_children(void *context, pid_t pid, struct pid_list *list)
{
    struct pid_list threads = {0};
    bool listed = false;

    process_threads(context, pid, &threads);
    for (size_t i = 0; i < threads.count; i++)
        listed = add_children(context, pid, threads.pids[i], list) || listed;
    if (!listed && threads.count > 0 && !kernel_lists_children())
        add_children_by_asking_all(context, pid, list);
}

void process_tree(void *context, pid_t pid, struct pid_list *list)
{
    struct pid_list children = {0};

    if (pid_list_has(list, pid))
        return;
    pid_list_add(context, list, pid);
    for (size_t next = list->count - 1; next < list->count; next++) {
        children.count = 0;
        process_children(context, list->pids[next], &children);
        for (size_t i = 0; i < children.count; i++)
            if (!pid_list_has(list, children.pids[i]))
                pid_list_add(context, list, children.pids[i]);
    }
}

double process_cpu_s(const struct pid_list *list)
{
    struct process_stat stat;
    double total_s = 0;

    for (size_t i = 0; i < list->count; i++)
        if (process_stat(list->pids[i], 0, &stat))
            total_s += stat.cpu_s;
    return total_s;
}
