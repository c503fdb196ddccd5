#include "source.h"

#include "files.h"
#include "memory.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXCERPT_COLUMNS = 100, OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* What openat2 does, for kernels and sandboxes that have no openat2: component by component, no links, nothing that
 * leads upwards. */
static int open_stepwise(void *context, int tree_fd, const char *relative)
{
    char *path = memory_text(context, relative);
    int dir_fd = dup(tree_fd);
    char *rest = NULL;

    for (char *part = strtok_r(path, "/", &rest); dir_fd >= 0 && part != NULL;) {
        char *next = strtok_r(NULL, "/", &rest);
        int flags = next == NULL ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC;
        int fd = -1;

        if (strcmp(part, "..") == 0)
            errno = EXDEV;
        else
            fd = openat(dir_fd, part, flags | O_NOFOLLOW);
        int saved = errno;
        close(dir_fd);
        errno = saved;
        dir_fd = fd;
        part = next;
    }
    return dir_fd;
}

static int open_beneath(void *context, int tree_fd, const char *relative)
{
    struct open_how how = {
        .flags = OPEN_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, tree_fd, relative, &how, sizeof how);

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open_stepwise(context, tree_fd, relative);
    return (int)fd;
}

static void unreadable(struct source_result *result, const char *sentence, int line)
{
    result->outcome = SOURCE_UNREADABLE;
    result->sentence = sentence;
    result->line = line;
}

/* Why the file could not be opened, said to the student. */
static void explain_open(void *context, const char *name, int error, struct source_result *result)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        result->outcome = SOURCE_MISSING;
        result->sentence = memory_format(context, "There is no %s: nothing was handed in.", name);
        return;
    case ELOOP:
    case EXDEV:
        unreadable(result,
                   memory_format(context, "%s is a symbolic link, or lies behind one; hand in the file itself.", name),
                   0);
        return;
    case ENXIO:
    case ENODEV:
        unreadable(result, memory_format(context, "%s is not a regular file; hand in a C source file.", name), 0);
        return;
    default:
        unreadable(result, memory_format(context, "%s cannot be opened: %s.", name, strerror(error)), 0);
    }
}

/* The size in words that a student knows from a file manager. */
static char *size_text(void *context, off_t size)
{
    if (size < 10 << 20)
        return memory_format(context, "%ld KiB", (long)(size >> 10));
    return memory_format(context, "%ld MiB", (long)(size >> 20));
}

static bool check_kind(void *context, const char *name, const struct stat *status, struct source_result *result)
{
    if (S_ISDIR(status->st_mode)) {
        unreadable(result, memory_format(context, "%s is a folder; hand in a C source file of that name.", name), 0);
        return false;
    }
    if (!S_ISREG(status->st_mode)) {
        unreadable(result, memory_format(context, "%s is not a regular file; hand in a C source file.", name), 0);
        return false;
    }
    if (status->st_size > SOURCE_LIMIT_BYTES) {
        unreadable(result,
                   memory_format(context, "%s is too large: it has %s, and at most 1 MiB is read.", name,
                                 size_text(context, status->st_size)),
                   0);
        return false;
    }
    return true;
}

/* Length of the UTF-8 sequence at `at`, 0 where it is none (RFC 3629: no overlong forms, no surrogates). */
static size_t sequence_length(const unsigned char *at, size_t left)
{
    unsigned low = 0x80;
    unsigned high = 0xbf;
    size_t length = 0;

    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        length = 2;
    else if (at[0] >= 0xe0 && at[0] <= 0xef)
        length = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        length = 4;
    if (length == 0 || length > left)
        return 0;
    if (at[0] == 0xe0)
        low = 0xa0;
    else if (at[0] == 0xed)
        high = 0x9f;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4)
        high = 0x8f;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    return length;
}

static bool check_text(void *context, const char *name, const char *bytes, size_t size, struct source_result *result)
{
    int line = 1;
    size_t line_start = 0;
    bool blank = true;

    for (size_t at = 0; at < size;) {
        unsigned char byte = (unsigned char)bytes[at];
        size_t length = sequence_length((const unsigned char *)bytes + at, size - at);

        if (byte == 0) {
            unreadable(
                result,
                memory_format(context, "%s is not a text: line %d has a NUL byte. Is it a compiled file?", name, line),
                line);
            return false;
        }
        if (length == 0) {
            unreadable(result,
                       memory_format(context, "%s is not UTF-8: byte %zu of line %d is 0x%02X. Save the file as UTF-8.",
                                     name, at - line_start + 1, line, byte),
                       line);
            return false;
        }
        blank = blank && strchr(" \t\r\n\f\v", byte) != NULL;
        at += length;
        if (byte == '\n') {
            line++;
            line_start = at;
        }
    }
    if (blank)
        unreadable(result, memory_format(context, "%s is empty.", name), 0);
    return !blank;
}

/* At most SOURCE_LIMIT_BYTES + 1 bytes: a file that grows meanwhile is seen to be too large. */
static char *read_whole(void *context, int fd, size_t *size)
{
    char *bytes = memory_zeroed(context, SOURCE_LIMIT_BYTES + 2, 1);

    *size = 0;
    while (*size <= SOURCE_LIMIT_BYTES) {
        ssize_t got = read(fd, bytes + *size, SOURCE_LIMIT_BYTES + 1 - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return NULL;
        if (got == 0)
            break;
        *size += (size_t)got;
    }
    return bytes;
}

static int copy_open(void *context, int fd, const char *name, const char *dest, struct source_result *result,
                     struct fault *fault)
{
    struct stat status;
    size_t size = 0;

    if (fstat(fd, &status) != 0) {
        explain_open(context, name, errno, result);
        return 0;
    }
    if (!check_kind(context, name, &status, result))
        return 0;
    char *bytes = read_whole(context, fd, &size);
    if (bytes == NULL) {
        unreadable(result, memory_format(context, "%s cannot be read: %s.", name, strerror(errno)), 0);
        return 0;
    }
    status.st_size = (off_t)size;
    if (!check_kind(context, name, &status, result) || !check_text(context, name, bytes, size, result))
        return 0;
    result->outcome = SOURCE_COPIED;
    return files_write(dest, bytes, size, fault);
}

int source_copy(void *context, const char *tree, const char *relative, const char *dest, struct source_result *result,
                struct fault *fault)
{
    const char *slash = strrchr(relative, '/');
    const char *name = slash == NULL ? relative : slash + 1;

    memset(result, 0, sizeof *result);
    int tree_fd = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (tree_fd < 0) {
        explain_open(context, name, errno, result);
        return 0;
    }
    void *scratch = memory_context(NULL);
    int fd = open_beneath(scratch, tree_fd, relative);
    int error = errno;
    int done = 0;
    close(tree_fd);
    if (fd < 0) {
        explain_open(context, name, error, result);
    } else {
        done = copy_open(context, fd, name, dest, result, fault);
        close(fd);
    }
    talloc_free(scratch);
    return done;
}

const char *source_line(void *context, const char *path, int line)
{
    struct fault unused = {""};
    void *scratch = memory_context(NULL);
    const char *excerpt = NULL;

    char *at = files_read(scratch, path, SOURCE_LIMIT_BYTES, NULL, &unused);
    for (int i = 1; at != NULL && i < line; i++) {
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    if (at != NULL && line >= 1) {
        at += strspn(at, " \t\f\v\r");
        size_t length = strcspn(at, "\n");
        while (length > 0 && strchr(" \t\f\v\r", at[length - 1]) != NULL)
            length--;
        if (length > 0)
            excerpt = text_cut(context, text_clean_n(scratch, at, length, true), EXCERPT_COLUMNS, true);
    }
    talloc_free(scratch);
    return excerpt;
}
