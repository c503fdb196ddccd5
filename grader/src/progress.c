#include "progress.h"

#include "files.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    VERSION = 1,
    FILE_LIMIT = 4 << 20, /* bytes; more is not ours */
    HINTS_MOST = 3,
    DATE_SIZE = sizeof "2024-05-01T12:00:00Z",
};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static const char *text_field(void *context, const json_t *object, const char *key)
{
    return memory_text(context, json_string_value(json_object_get(object, key)));
}

static int number_field(const json_t *object, const char *key, int most)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value < 0 ? 0 : value > most ? most : (int)value;
}

/* Only what progress_record() keeps. */
static bool outcome_from(const char *name, enum outcome *outcome)
{
    int number = name == NULL ? -1 : outcome_of(name);

    if (number != OUTCOME_PASSED && number != OUTCOME_FAILED && number != OUTCOME_INCONCLUSIVE)
        return false;
    *outcome = (enum outcome)number;
    return true;
}

static struct progress_record record_from(void *context, const char *id, const json_t *object)
{
    struct progress_record record = {
        .exercise = memory_text(context, id),
        .stage = text_field(context, object, "stage"),
        .points = number_field(object, "points", 1000),
        .max_points = number_field(object, "max_points", 1000),
        .hash = text_field(context, object, "source_sha256"),
        .passed_once = json_is_true(json_object_get(object, "passed_once")),
        .hints = number_field(object, "hints", HINTS_MOST),
        .date = text_field(context, object, "date"),
    };

    record.graded = outcome_from(json_string_value(json_object_get(object, "outcome")), &record.outcome);
    return record;
}

static int by_exercise(const void *a, const void *b)
{
    const struct progress_record *left = a, *right = b;

    return strcmp(left->exercise, right->exercise);
}

static void records_from(void *context, json_t *exercises, struct progress *progress)
{
    const char *id;
    json_t *object;

    json_object_foreach(exercises, id, object)
    {
        progress->records = memory_grown(context, progress->records, progress->count + 1, sizeof *progress->records);
        progress->records[progress->count++] = record_from(context, id, object);
    }
    if (progress->count > 0)
        qsort(progress->records, progress->count, sizeof *progress->records, by_exercise);
}

static char *progress_path(void *context, const char *build_dir)
{
    return memory_format(context, "%s/progress.json", build_dir);
}

/* The file as JSON, a new reference; NULL with errno ENOENT where there is none, else where it is not ours. */
static json_t *root_read(void *context, const char *path)
{
    struct fault why;
    json_error_t error;
    size_t size;

    if (access(path, F_OK) != 0)
        return NULL;

    char *bytes = files_is_file(path) ? files_read(context, path, FILE_LIMIT, &size, &why) : NULL;
    json_t *root = bytes == NULL ? NULL : json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);

    if (json_integer_value(json_object_get(root, "interleave_progress")) != VERSION ||
        !json_is_object(json_object_get(root, "exercises"))) {
        json_decref(root);
        root = NULL;
    }
    errno = 0;
    return root;
}

/* Moves a broken file out of the way, and says so. */
static char *set_aside(void *context, const char *path)
{
    char *aside = memory_format(context, "%s.bad", path);

    if (rename(path, aside) != 0)
        return memory_text(context, "build/progress.json cannot be read, nor moved out of the way; please look at it.");
    return memory_text(context, "build/progress.json could not be understood; it is now progress.json.bad, and "
                                "progress begins anew. `make grade` fills it again.");
}

/* Takes the lock, for who will write; -1 with a fault. Closing the descriptor lets go. */
static int lock_take(void *context, const char *build_dir, struct fault *fault)
{
    char *path = memory_format(context, "%s/progress.lock", build_dir);

    if (files_make_dirs(build_dir, fault) != 0)
        return -1;

    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

    if (fd < 0)
        return fault_errno(fault, "cannot open build/progress.lock");
    while (flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        fault_errno(fault, "cannot lock build/progress.lock");
        close(fd);
        return -1;
    }
    return fd;
}

/* A broken file is looked at once more under the lock: another grader may have put a good one there meanwhile. */
static json_t *root_mended(void *context, const char *build_dir, const char *path, const char **notice)
{
    struct fault unused;
    int lock = lock_take(context, build_dir, &unused);
    json_t *root = root_read(context, path);

    if (root == NULL && errno != ENOENT)
        *notice = set_aside(context, path);
    if (lock >= 0)
        close(lock);
    return root;
}

void progress_load(void *context, const char *build_dir, struct progress *progress)
{
    char *path = progress_path(context, build_dir);
    json_t *root = root_read(context, path);

    *progress = (struct progress){0};
    if (root == NULL && errno != ENOENT)
        root = root_mended(context, build_dir, path, &progress->notice);
    if (root != NULL)
        records_from(context, json_object_get(root, "exercises"), progress);
    json_decref(root);
}

const struct progress_record *progress_find(const struct progress *progress, const char *exercise)
{
    struct progress_record key = {.exercise = exercise};

    if (progress->count == 0)
        return NULL;
    return bsearch(&key, progress->records, progress->count, sizeof key, by_exercise);
}

bool progress_passed(const struct progress_record *record)
{
    return record != NULL && record->graded &&
           (record->outcome == OUTCOME_PASSED || record->outcome == OUTCOME_INCONCLUSIVE);
}

bool progress_changed(const struct progress_record *record, const char *source)
{
    char hash[PROGRESS_HASH_SIZE];

    if (record == NULL || !record->graded || record->hash == NULL)
        return false;
    return !progress_hash(source, hash) || strcmp(hash, record->hash) != 0;
}

bool progress_hash(const char *source, char hash[PROGRESS_HASH_SIZE])
{
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE], block[8192];
    struct stat status;
    ssize_t got;
    int fd = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    hash[0] = '\0';
    /* A link to a device would never end. */
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    sha256_init(&sha);
    while ((got = read(fd, block, sizeof block)) > 0)
        sha256_update(&sha, (size_t)got, block);
    close(fd);
    if (got < 0)
        return false;
    sha256_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
    return true;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* The file under the lock, or a new one where there is none that we understand. Never NULL but out of memory. */
static json_t *root_for_writing(void *context, const char *path)
{
    json_t *root = root_read(context, path);

    if (root != NULL)
        return root;
    if (errno != ENOENT)
        set_aside(context, path);
    return json_pack("{s:i, s:{}}", "interleave_progress", VERSION, "exercises");
}

/* The object of one exercise, borrowed; made where there is none. NULL: out of memory. */
static json_t *exercise_object(json_t *root, const char *exercise)
{
    json_t *exercises = json_object_get(root, "exercises"), *object = json_object_get(exercises, exercise);

    if (json_is_object(object))
        return object;
    if (json_object_set_new(exercises, exercise, json_object()) != 0)
        return NULL;
    return json_object_get(exercises, exercise);
}

static int root_write(void *context, const char *path, const json_t *root, struct fault *fault)
{
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS), *line;

    if (text == NULL)
        return fault_set(fault, "out of memory while writing build/progress.json");
    line = memory_format(context, "%s\n", text);
    free(text);
    return files_write(path, line, strlen(line), fault);
}

/* Changes one exercise's object with `change(object, argument)`, all under the lock. */
static int update(const char *build_dir, const char *exercise, int (*change)(json_t *, const void *),
                  const void *argument, struct fault *fault)
{
    void *context = memory_context(NULL);
    char *path = progress_path(context, build_dir);
    json_t *root = NULL, *object;
    int status = -1, lock = lock_take(context, build_dir, fault);

    if (lock < 0)
        goto free_context;
    root = root_for_writing(context, path);
    object = root == NULL ? NULL : exercise_object(root, exercise);
    if (object == NULL || change(object, argument) != 0)
        fault_set(fault, "out of memory while writing build/progress.json");
    else
        status = root_write(context, path, root, fault);
    json_decref(root);
    close(lock);
free_context:
    talloc_free(context);
    return status;
}

struct graded {
    const struct verdict *verdict;
    char hash[PROGRESS_HASH_SIZE];
    char date[DATE_SIZE];
};

static int set_text(json_t *object, const char *key, const char *text)
{
    return json_object_set_new(object, key, text == NULL || *text == '\0' ? json_null() : json_string(text));
}

static const char *failed_stage(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->result_count; i++)
        if (verdict->results[i].outcome == OUTCOME_FAILED)
            return verdict->results[i].stage;
    return NULL;
}

static int set_graded(json_t *object, const void *argument)
{
    const struct graded *graded = argument;
    const struct verdict *verdict = graded->verdict;
    int bad = 0;

    bad |= set_text(object, "outcome", outcome_name(verdict->outcome));
    bad |= set_text(object, "stage", failed_stage(verdict));
    bad |= set_text(object, "source_sha256", graded->hash);
    bad |= set_text(object, "date", graded->date);
    bad |= json_object_set_new(object, "points", json_integer(verdict->points));
    bad |= json_object_set_new(object, "max_points", json_integer(verdict->max_points));
    if (verdict->outcome != OUTCOME_FAILED)
        bad |= json_object_set_new(object, "passed_once", json_true());
    return bad;
}

int progress_record(const char *build_dir, const struct verdict *verdict, const char *source, struct fault *fault)
{
    struct graded graded = {.verdict = verdict};
    time_t now = time(NULL);
    struct tm parts;

    if (verdict->outcome == OUTCOME_BROKEN || verdict->outcome == OUTCOME_SKIPPED)
        return 0;
    progress_hash(source, graded.hash);
    if (gmtime_r(&now, &parts) == NULL || strftime(graded.date, sizeof graded.date, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        graded.date[0] = '\0';
    return update(build_dir, verdict->exercise, set_graded, &graded, fault);
}

static int set_hints(json_t *object, const void *argument)
{
    int hints = *(const int *)argument;

    if (number_field(object, "hints", HINTS_MOST) >= hints)
        return 0;
    return json_object_set_new(object, "hints", json_integer(hints));
}

int progress_hints(const char *build_dir, const char *exercise, int hints, struct fault *fault)
{
    return update(build_dir, exercise, set_hints, &hints, fault);
}
