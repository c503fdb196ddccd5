#include "starter.h"

#include "child.h"
#include "files.h"
#include "memory.h"
#include "progress.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    STARTER_LIMIT = 1 << 20, /* bytes of a starter, and of the list */
    VERSIONS_MOST = 1000,    /* that git is asked for */
    HEX = PROGRESS_HASH_SIZE - 1,
};

/* "exercises/02-locks/rlock/rlock.c" */
static const char *path_below_root(const struct course *course, const struct exercise *exercise)
{
    return exercise->starter + strlen(course->root) + 1;
}

/* The list of what starters are made of; NULL where there is none. */
static char *list_read(void *context, const struct course *course)
{
    char *path = memory_format(context, "%s/grader/checks/starters.sha256", course->root);
    struct fault ignored;

    return files_is_file(path) ? files_read(context, path, STARTER_LIMIT, NULL, &ignored) : NULL;
}

/* The SHA-256 that the list has for a path; false where it has none. A line is "HEX  PATH". */
static bool listed(const char *list, const char *path, char hash[PROGRESS_HASH_SIZE])
{
    size_t length = strlen(path);

    for (const char *line = list; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strspn(line, "0123456789abcdef") != HEX || strspn(line + HEX, " *") != 2)
            continue;
        if (strcspn(line + HEX + 2, "\n") != length || strncmp(line + HEX + 2, path, length) != 0)
            continue;
        memcpy(hash, line, HEX);
        hash[HEX] = '\0';
        return true;
    }
    return false;
}

static bool bytes_have_hash(const char *bytes, size_t size, const char *hash)
{
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[PROGRESS_HASH_SIZE];

    sha256_init(&sha);
    sha256_update(&sha, size, (const uint8_t *)bytes);
    sha256_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return strcmp(hex, hash) == 0;
}

static bool file_has_hash(const char *path, const char *hash)
{
    char have[PROGRESS_HASH_SIZE];

    return files_is_file(path) && progress_hash(path, have) && strcmp(have, hash) == 0;
}

bool starter_untouched(const struct course *course, const struct exercise *exercise, const char *path)
{
    void *context = memory_context(NULL);
    char hash[PROGRESS_HASH_SIZE];
    bool untouched =
        listed(list_read(context, course), path_below_root(course, exercise), hash) && file_has_hash(path, hash);

    talloc_free(context);
    return untouched;
}

static char *kept_path(void *context, const char *build_dir, const struct exercise *exercise)
{
    return memory_format(context, "%s/starters/%s.c", build_dir, exercise->id);
}

/* Copies one starter, where it is what the list says. */
static void keep(void *context, const char *build_dir, const struct exercise *exercise, const char *hash)
{
    char *kept = kept_path(context, build_dir, exercise);
    struct fault ignored;
    size_t size;

    if (files_is_file(kept))
        return;

    char *text = files_read(context, exercise->starter, STARTER_LIMIT, &size, &ignored);
    char *dir = memory_format(context, "%s/starters/%s", build_dir, exercise->chapter);

    if (text == NULL || !bytes_have_hash(text, size, hash) || files_make_dirs(dir, &ignored) != 0)
        return;
    (void)files_write(kept, text, size, &ignored);
}

void starters_keep(const struct course *course, const char *build_dir)
{
    void *context = memory_context(NULL);
    char *list = list_read(context, course);
    char hash[PROGRESS_HASH_SIZE];

    for (size_t i = 0; i < course->count; i++)
        if (listed(list, path_below_root(course, &course->exercises[i]), hash))
            keep(context, build_dir, &course->exercises[i], hash);
    talloc_free(context);
}

/* What git prints for these words (after `git -C ROOT`), or NULL where it fails. */
static struct child_result *git(void *context, const struct course *course, const char *const *words)
{
    const char *argv[16] = {"git", "-C", course->root};
    struct child_result *result = memory_zeroed(context, 1, sizeof *result);
    struct fault ignored;

    for (size_t i = 0; words[i] != NULL && i + 4 < sizeof argv / sizeof argv[0]; i++)
        argv[i + 3] = words[i];

    struct child_spec spec = {.argv = argv, .output_cap = STARTER_LIMIT};

    if (child_run(context, &spec, result, &ignored) != 0 || result->end != CHILD_EXITED || result->status != 0)
        return NULL;
    return result;
}

/* The text of a path in a commit; NULL where it is not there. */
static char *git_version(void *context, const struct course *course, const char *commit, const char *path, size_t *size)
{
    const char *words[] = {"show", memory_format(context, "%s:./%s", commit, path), NULL};
    struct child_result *result = git(context, course, words);

    if (result == NULL || result->cut)
        return NULL;
    *size = result->out_size;
    return result->out;
}

/* Walks the commits that changed the path, newest first, to the one whose text has this SHA-256; with `hash` NULL, to
 * the oldest: the one that brought it. */
static char *git_find(void *context, const struct course *course, const char *path, const char *hash, size_t *size)
{
    const char *words[] = {"log", "--all", "--full-history", "--format=%H", "--", path, NULL};
    struct child_result *commits = git(context, course, words);
    char *rest = commits == NULL ? NULL : commits->out, *commit, *oldest = NULL;
    int asked = 0;

    while (rest != NULL && (commit = strsep(&rest, "\n")) != NULL && asked++ < VERSIONS_MOST) {
        if (*commit == '\0')
            continue;

        char *text = git_version(context, course, commit, path, size);

        if (text != NULL && hash != NULL && bytes_have_hash(text, *size, hash))
            return text;
        if (text != NULL)
            oldest = commit;
    }
    return hash == NULL && oldest != NULL ? git_version(context, course, oldest, path, size) : NULL;
}

/* A file's text where it is the starter. */
static char *if_starter(void *context, const char *path, const char *hash, size_t *size)
{
    struct fault ignored;
    char *text = files_is_file(path) ? files_read(context, path, STARTER_LIMIT, size, &ignored) : NULL;

    return text != NULL && bytes_have_hash(text, *size, hash) ? text : NULL;
}

int starter_find(void *context, const struct course *course, const char *build_dir, const struct exercise *exercise,
                 char **text, size_t *size, struct fault *fault)
{
    const char *path = path_below_root(course, exercise);
    char hash[PROGRESS_HASH_SIZE];
    bool known = listed(list_read(context, course), path, hash);

    *text = NULL;
    if (known) {
        *text = if_starter(context, exercise->starter, hash, size);
        if (*text == NULL)
            *text = if_starter(context, kept_path(context, build_dir, exercise), hash, size);
    }
    if (*text == NULL)
        *text = git_find(context, course, path, known ? hash : NULL, size);
    if (*text != NULL)
        return 0;
    return fault_set(fault,
                     "%s: its starter is nowhere to be found: git has no version of it here, and build/starters has no "
                     "copy. Take %s from a fresh copy of this project.",
                     exercise->id, path);
}
