#include "watcher.h"

#include "memory.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { QUIET_MS = 50, SETTLE_MS = 500 };

#define FOLDER_EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR)
#define PARENT_EVENTS (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR)

/* One exercise's file, and how it was when it was last looked at. */
struct watched {
    const struct exercise *exercise;
    char *folder;
    const char *name; /* "rlock.c" */
    int folder_watch; /* -1: the folder is not there */
    struct stat seen; /* all zero where the file is not there */
};

struct watcher {
    void *context;
    const struct course *course;
    int fd;
    struct watched *files; /* by place in the course; exercise NULL: not asked for */
};

static char *folder_of(void *context, const char *path)
{
    const char *slash = strrchr(path, '/');

    return memory_text_n(context, path, slash == NULL ? 0 : (size_t)(slash - path));
}

static void look(const struct watched *file, struct stat *now)
{
    if (stat(file->exercise->starter, now) != 0)
        memset(now, 0, sizeof *now);
}

static bool differs(const struct stat *a, const struct stat *b)
{
    return a->st_ino != b->st_ino || a->st_size != b->st_size || a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
           a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

/* Watches the exercise's folder and those above it, up to the one of all exercises. A folder that is not there is
 * waited for; any other failure is -1 with errno. */
static int add_watches(struct watcher *watcher, struct watched *file)
{
    char *chapter = folder_of(watcher->context, file->folder), *all = folder_of(watcher->context, chapter);
    const char *parents[] = {all, chapter};

    for (size_t i = 0; i < 2; i++)
        if (inotify_add_watch(watcher->fd, parents[i], PARENT_EVENTS) < 0 && errno != ENOENT && errno != ENOTDIR)
            return -1;
    file->folder_watch = inotify_add_watch(watcher->fd, file->folder, FOLDER_EVENTS);
    return file->folder_watch < 0 && errno != ENOENT && errno != ENOTDIR ? -1 : 0;
}

static int watch_all(struct watcher *watcher, const struct exercise *only, struct fault *fault)
{
    for (size_t i = 0; i < watcher->course->count; i++) {
        const struct exercise *exercise = &watcher->course->exercises[i];
        struct watched *file = &watcher->files[i];

        if (only != NULL && exercise != only)
            continue;
        *file = (struct watched){exercise, folder_of(watcher->context, exercise->starter), NULL, -1, {0}};
        file->name = exercise->starter + strlen(file->folder) + 1;
        if (add_watches(watcher, file) != 0)
            return fault_errno(fault, "watch: the folder of %s cannot be watched (see fs.inotify.max_user_watches)",
                               exercise->id);
        look(file, &file->seen);
    }
    return 0;
}

struct watcher *watcher_open(void *context, const struct course *course, const struct exercise *only,
                             struct fault *fault)
{
    struct watcher *watcher = memory_zeroed(context, 1, sizeof *watcher);

    watcher->context = context;
    watcher->course = course;
    watcher->files = memory_zeroed(context, course->count, sizeof *watcher->files);
    watcher->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watcher->fd < 0) {
        fault_errno(fault, "watch: the system does not let files be watched");
        return NULL;
    }
    if (watch_all(watcher, only, fault) != 0) {
        close(watcher->fd);
        return NULL;
    }
    return watcher;
}

void watcher_close(struct watcher *watcher)
{
    close(watcher->fd);
}

int watcher_fd(const struct watcher *watcher)
{
    return watcher->fd;
}

/* A file was saved: remembers how it looks now, so that nothing tells it twice. */
static size_t mark(struct watcher *watcher, size_t at, bool *saved)
{
    look(&watcher->files[at], &watcher->files[at].seen);
    saved[at] = true;
    return 1;
}

/* Events that name no file of ours: takes up folders that came (back), and marks files that look different. */
static size_t look_at_all(struct watcher *watcher, bool *saved)
{
    size_t saves = 0;

    for (size_t i = 0; i < watcher->course->count; i++) {
        struct watched *file = &watcher->files[i];
        struct stat now;

        if (file->exercise == NULL)
            continue;
        (void)add_watches(watcher, file); /* a watch that is there stays; one that cannot be had is tried next time */
        look(file, &now);
        if (now.st_ino != 0 && differs(&now, &file->seen))
            saves += mark(watcher, i, saved);
    }
    return saves;
}

static size_t take_event(struct watcher *watcher, const struct inotify_event *event, bool *saved)
{
    if ((event->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_CREATE)) != 0 ||
        ((event->mask & IN_ISDIR) != 0 && (event->mask & IN_MOVED_TO) != 0))
        return look_at_all(watcher, saved);
    for (size_t i = 0; i < watcher->course->count; i++) {
        const struct watched *file = &watcher->files[i];

        if (file->exercise != NULL && file->folder_watch == event->wd && event->len > 0 &&
            strcmp(event->name, file->name) == 0)
            return mark(watcher, i, saved);
    }
    return 0;
}

size_t watcher_take(struct watcher *watcher, bool *saved)
{
    _Alignas(struct inotify_event) char buffer[16384];
    size_t saves = 0;
    ssize_t got;

    while ((got = read(watcher->fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(buffer + at);

            saves += take_event(watcher, event, saved);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
    return saves;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void watcher_settle(struct watcher *watcher, bool *saved)
{
    struct pollfd polled = {.fd = watcher->fd, .events = POLLIN};
    int64_t end_ms = now_ms() + SETTLE_MS;

    while (now_ms() < end_ms && poll(&polled, 1, QUIET_MS) > 0)
        watcher_take(watcher, saved);
}
