/* Several graders share the folder without a lock: every file appears by link() or rename() and goes by unlink(), and
 * all of them are atomic. A program must not be replaced, not even by the same bytes: another grader may be running it,
 * and a program that looks for itself (Criterion's does, by the path in /proc/self/exe) would find itself gone. Times
 * of change tell when a file was last asked for; they are touched at most every ten minutes, so that a find costs one
 * stat(). */
#include "cache.h"

#include "files.h"
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    TOUCH_AFTER_S = 600,
    KEEP_AT_LEAST_S = 3600,
    TEXT_LIMIT = 1 << 20,
    COPY_BYTES = 1 << 16,
};

static const char temporary_prefix[] = "tmp-";

void cache_key_begin(struct cache_key *key)
{
    sha256_init(&key->hash);
}

static void add_number(struct cache_key *key, uint64_t number)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    sha256_update(&key->hash, sizeof bytes, bytes);
}

void cache_key_text(struct cache_key *key, const char *text)
{
    if (text == NULL) {
        add_number(key, UINT64_MAX);
        return;
    }
    add_number(key, strlen(text));
    sha256_update(&key->hash, strlen(text), (const uint8_t *)text);
}

int cache_key_file(struct cache_key *key, const char *path, struct fault *fault)
{
    uint8_t bytes[COPY_BYTES];
    uint64_t total = 0;
    ssize_t got = 0;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, "%s: cannot be read", path);
    while ((got = read(fd, bytes, sizeof bytes)) > 0) {
        sha256_update(&key->hash, (size_t)got, bytes);
        total += (uint64_t)got;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    if (got < 0)
        return fault_errno(fault, "%s: cannot be read", path);
    /* Behind the bytes, so that one reading is enough; no other part ends like this one began. */
    add_number(key, total);
    cache_key_text(key, "bytes");
    return 0;
}

void cache_key_identity(struct cache_key *key, const char *path)
{
    struct stat status;

    cache_key_text(key, path);
    if (stat(path, &status) != 0) {
        cache_key_text(key, NULL);
        return;
    }
    add_number(key, (uint64_t)status.st_size);
    add_number(key, (uint64_t)status.st_mtim.tv_sec);
    add_number(key, (uint64_t)status.st_mtim.tv_nsec);
}

char *cache_key_name(void *context, struct cache_key *key)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    char *name = memory_zeroed(context, 2 * SHA256_DIGEST_SIZE + 1, 1);

    sha256_digest(&key->hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(name + 2 * i, 3, "%02x", digest[i]);
    return name;
}

const char *cache_find(void *context, const char *cache_dir, const char *name)
{
    const char *path = memory_format(context, "%s/%s", cache_dir, name);
    struct stat status;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;
    if (time(NULL) - status.st_mtime > TOUCH_AFTER_S)
        (void)utimensat(AT_FDCWD, path, NULL, 0); /* a read-only cache works too; it is only trimmed less well */
    return path;
}

static int copy_all(int from, int to)
{
    char bytes[COPY_BYTES];
    ssize_t got = 0;

    while ((got = read(from, bytes, sizeof bytes)) > 0)
        if (files_write_all(to, bytes, (size_t)got) != 0)
            return -1;
    return got < 0 ? -1 : 0;
}

/* A temporary file in the cache, open for writing; its name in *path. */
static int temporary_open(void *context, const char *cache_dir, char **path, struct fault *fault)
{
    *path = memory_format(context, "%s/%sXXXXXX", cache_dir, temporary_prefix);
    int fd = mkostemp(*path, O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        if (files_make_dirs(cache_dir, fault) != 0)
            return -1;
        *path = memory_format(context, "%s/%sXXXXXX", cache_dir, temporary_prefix);
        fd = mkostemp(*path, O_CLOEXEC);
    }
    if (fd < 0)
        fault_errno(fault, "%s: no file can be made there", cache_dir);
    return fd;
}

/* Gives the temporary file its name, unless there is one of that name already; that one stays. */
static int rename_unless_there(const char *temporary, const char *path)
{
    if (link(temporary, path) == 0 || errno == EEXIST) {
        unlink(temporary);
        return 0;
    }
    return rename(temporary, path); /* a file system without links */
}

/* Gives the temporary file its name for good, by `give_name`. One keep in sixteen looks whether the folder has grown
 * too large: which one is told by the name, so that it needs no memory of its own. */
static int publish(const char *cache_dir, const char *temporary, const char *path, const char *name,
                   int (*give_name)(const char *temporary, const char *path), struct fault *fault)
{
    if (give_name(temporary, path) != 0) {
        fault_errno(fault, "%s: cannot be kept", path);
        unlink(temporary);
        return -1;
    }
    if (name[0] == '0')
        cache_trim(cache_dir, CACHE_LIMIT_BYTES);
    return 0;
}

int cache_keep(void *context, const char *cache_dir, const char *name, const char *made, const char **path,
               struct fault *fault)
{
    char *temporary = NULL;
    struct stat status;
    int result = -1;

    *path = memory_format(context, "%s/%s", cache_dir, name);
    int from = open(made, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &status) != 0) {
        fault_errno(fault, "%s: cannot be read", made);
        goto close_from;
    }
    int to = temporary_open(context, cache_dir, &temporary, fault);
    if (to < 0)
        goto close_from;
    if (copy_all(from, to) != 0 || fchmod(to, status.st_mode & 0777) != 0 || fdatasync(to) != 0)
        fault_errno(fault, "%s: cannot be kept", *path);
    else
        result = 0;
    if (close(to) != 0 && result == 0)
        result = fault_errno(fault, "%s: cannot be kept", *path);
    if (result != 0)
        unlink(temporary);
    else
        result = publish(cache_dir, temporary, *path, name, rename_unless_there, fault);
close_from:
    if (from >= 0)
        close(from);
    if (result == 0)
        unlink(made);
    return result;
}

int cache_keep_text(void *context, const char *cache_dir, const char *name, const char *text, struct fault *fault)
{
    char *temporary = NULL;
    const char *path = memory_format(context, "%s/%s", cache_dir, name);
    int result = 0;

    int fd = temporary_open(context, cache_dir, &temporary, fault);
    if (fd < 0)
        return -1;
    if (files_write_all(fd, text, strlen(text)) != 0 || fdatasync(fd) != 0)
        result = fault_errno(fault, "%s: cannot be kept", path);
    if (close(fd) != 0 && result == 0)
        result = fault_errno(fault, "%s: cannot be kept", path);
    if (result != 0) {
        unlink(temporary);
        return result;
    }
    return publish(cache_dir, temporary, path, name, rename, fault);
}

char *cache_text(void *context, const char *cache_dir, const char *name)
{
    struct fault unused = {""};
    const char *path = cache_find(context, cache_dir, name);

    return path == NULL ? NULL : files_read(context, path, TEXT_LIMIT, NULL, &unused);
}

struct kept {
    char name[80];
    uint64_t size;
    time_t asked_for_s;
};

struct kept_list {
    struct kept *items;
    size_t count;
    uint64_t total;
};

/* All kept files; what killed graders left behind is removed on the way. */
static void list_kept(void *context, int dir_fd, DIR *dir, struct kept_list *list)
{
    time_t now = time(NULL);
    struct dirent *entry = NULL;

    while ((entry = readdir(dir)) != NULL) {
        struct stat status;

        if (strlen(entry->d_name) >= sizeof list->items->name ||
            fstatat(dir_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
            continue;
        if (strncmp(entry->d_name, temporary_prefix, strlen(temporary_prefix)) == 0) {
            if (now - status.st_mtime > KEEP_AT_LEAST_S)
                unlinkat(dir_fd, entry->d_name, 0);
            continue;
        }
        if (list->count % 256 == 0)
            list->items = memory_grown(context, list->items, list->count + 256, sizeof *list->items);
        struct kept *kept = &list->items[list->count++];
        memcpy(kept->name, entry->d_name, strlen(entry->d_name) + 1);
        kept->size = (uint64_t)status.st_size;
        kept->asked_for_s = status.st_mtime;
        list->total += kept->size;
    }
}

static int older_first(const void *left, const void *right)
{
    const struct kept *a = left;
    const struct kept *b = right;

    return (a->asked_for_s > b->asked_for_s) - (a->asked_for_s < b->asked_for_s);
}

void cache_trim(const char *cache_dir, uint64_t limit_bytes)
{
    struct kept_list list = {0};
    time_t now = time(NULL);

    DIR *dir = opendir(cache_dir);
    if (dir == NULL)
        return;
    void *context = memory_context(NULL);
    list_kept(context, dirfd(dir), dir, &list);
    if (list.total > limit_bytes) {
        qsort(list.items, list.count, sizeof *list.items, older_first);
        for (size_t i = 0; i < list.count && list.total > limit_bytes / 4 * 3; i++) {
            if (now - list.items[i].asked_for_s < KEEP_AT_LEAST_S)
                break;
            if (unlinkat(dirfd(dir), list.items[i].name, 0) == 0)
                list.total -= list.items[i].size;
        }
    }
    talloc_free(context);
    closedir(dir);
}
