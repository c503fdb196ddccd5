#include "files.h"

#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Folders deeper than this below the one that is removed are moved up first, so that neither the stack nor the
 * descriptors depend on what a stranger's program left behind. */
enum { DEPTH_MAX = 32 };

bool files_is_dir(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool files_is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t got = 0;

    while (got < size) {
        ssize_t n = read(fd, bytes + got, size - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

char *files_read(void *context, const char *path, size_t limit, size_t *size, struct fault *fault)
{
    char *bytes = NULL;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) != 0) {
        fault_errno(fault, "%s cannot be read", path);
        goto done;
    }
    if (!S_ISREG(status.st_mode) || (size_t)status.st_size > limit) {
        fault_set(fault, "%s is no regular file of at most %zu bytes", path, limit);
        goto done;
    }
    bytes = memory_zeroed(context, (size_t)status.st_size + 1, 1);
    ssize_t got = read_all(fd, bytes, (size_t)status.st_size);
    if (got < 0) {
        fault_errno(fault, "%s cannot be read", path);
        bytes = NULL;
    } else if (size != NULL) {
        *size = (size_t)got;
    }
done:
    if (fd >= 0)
        close(fd);
    return bytes;
}

int files_make_dirs(const char *path, struct fault *fault)
{
    char *copy = memory_text(NULL, path);
    int made = 0;

    for (char *slash = copy + 1; made == 0 && slash != NULL && *copy != '\0'; slash++) {
        slash = strchr(slash, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            made = fault_errno(fault, "the folder %s cannot be made", copy);
        if (slash == NULL)
            break;
        *slash = '/';
    }
    if (made == 0 && !files_is_dir(path))
        made = fault_set(fault, "%s is no folder: move it away, or name another", path);
    talloc_free(copy);
    return made;
}

int files_write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

/* A device, a pipe: there is nothing to replace, and it must not be replaced. */
static int write_into(const char *path, const char *bytes, size_t size, struct fault *fault)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    int written = fd < 0 ? -1 : files_write_all(fd, bytes, size);
    int saved = errno;

    if (fd >= 0 && close(fd) != 0 && written == 0) {
        saved = errno;
        written = -1;
    }
    errno = saved;
    return written == 0 ? 0 : fault_errno(fault, "%s cannot be written", path);
}

int files_write(const char *path, const char *bytes, size_t size, struct fault *fault)
{
    struct stat status;

    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return write_into(path, bytes, size, fault);

    char *temporary = memory_format(NULL, "%s.%ld~", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    int written = fd < 0 ? -1 : files_write_all(fd, bytes, size);

    /* A full disk may show only here, on file systems that allocate late. */
    if (written == 0 && fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
        written = -1;
    int saved = errno;
    if (fd >= 0 && close(fd) != 0 && written == 0) {
        saved = errno;
        written = -1;
    }
    if (written == 0 && rename(temporary, path) != 0) {
        saved = errno;
        written = -1;
    }
    if (written != 0) {
        if (fd >= 0)
            unlink(temporary);
        errno = saved;
        fault_errno(fault, "%s cannot be written", path);
    }
    talloc_free(temporary);
    return written;
}

/* What a removal knows: the top folder, to which too deep ones are moved, and how many were. */
struct removal {
    int top;
    long moved;
};

static int remove_entry(struct removal *removal, int dir, const char *name, int depth);

/* Removes all entries of the open folder `dir`, which it closes. */
static int remove_entries(struct removal *removal, int dir, int depth)
{
    DIR *stream = fdopendir(dir);
    const struct dirent *entry;
    int result = 0;

    if (stream == NULL) {
        close(dir);
        return -1;
    }
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (remove_entry(removal, dirfd(stream), entry->d_name, depth) != 0)
            result = -1;
    }
    closedir(stream);
    return result;
}

static int remove_entry(struct removal *removal, int dir, const char *name, int depth)
{
    char moved[32];

    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    if (errno == ENOTDIR)
        return -1;
    if (depth >= DEPTH_MAX) {
        snprintf(moved, sizeof moved, ".moved-%ld", removal->moved++);
        return renameat(dir, name, removal->top, moved);
    }
    int inner = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0 && errno == EACCES && fchmodat(dir, name, 0700, 0) == 0)
        inner = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0)
        return -1;
    (void)fchmod(inner, 0700);
    if (remove_entries(removal, inner, depth + 1) != 0)
        return -1;
    return unlinkat(dir, name, AT_REMOVEDIR);
}

int files_remove_tree(const char *path, struct fault *fault)
{
    struct removal removal = {.top = -1};

    /* Each round may move deep folders up to the top, for the next round; one without such a move is the last. */
    for (long before = -1; before != removal.moved;) {
        before = removal.moved;
        removal.top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (removal.top < 0)
            return errno == ENOENT ? 0 : fault_errno(fault, "the folder %s cannot be removed", path);
        int again = fcntl(removal.top, F_DUPFD_CLOEXEC, 0);
        if (again >= 0) /* what it cannot remove shows below, when the folder is not empty */
            (void)remove_entries(&removal, again, 0);
        close(removal.top);
    }
    if (rmdir(path) != 0 && errno != ENOENT)
        return fault_errno(fault, "the folder %s cannot be removed", path);
    return 0;
}
