/* course.c - reads grader/checks into the list of exercises.
 *
 * Each exercise.ini is read into its lines (ini_file.h) and applied key by key through one table; then what must hold
 * between keys, files and exercises is checked. Whatever is wrong is a fault with the line it stands on.
 */
#include "course.h"

#include "files.h"
#include "ini_file.h"
#include "memory.h"
#include "nearest.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Unless exercise.ini says otherwise. Most scenarios need a few hundred runs for all interleavings with two
 * preemptions; this many take 0.04 s of processor time. */
enum { EXPLORE_RUNS = 4000, EXPLORE_PREEMPTIONS = 2 };

/* What is known while the course is read. `files[i]` is the exercise.ini of `course->exercises[i]`. */
struct loading {
    void *context;
    struct course *course;
    struct ini_file *files;
    struct ini_file sets; /* allow.ini */
    struct fault *fault;
};

/* One exercise.ini that is being applied. */
struct applying {
    struct loading *loading;
    struct exercise *exercise;
    const struct ini_file *file;
    const struct ini_entry *entry;
    struct fault *fault;
};

static const char *const stage_names[STAGE_COUNT] = {"build", "rules",         "tests", "memory",
                                                     "races", "interleavings", "timing"};

const char *stage_name(enum stage_id id)
{
    return stage_names[id];
}

enum stage_id stage_of(const char *name)
{
    enum stage_id id = STAGE_BUILD;

    while (id < STAGE_COUNT && strcmp(stage_names[id], name) != 0)
        id++;
    return id;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static int get_whole(struct applying *applying, int low, int high, int *number)
{
    const struct ini_entry *entry = applying->entry;
    char *end;

    errno = 0;
    long value = strtol(entry->value, &end, 10);
    if (end == entry->value || *end != '\0' || errno != 0 || value < low || value > high)
        return ini_fault(applying->fault, applying->file, entry->line,
                         "%s = \"%s\" is not a whole number from %d to %d.", entry->key, entry->value, low, high);
    *number = (int)value;
    return 0;
}

static int get_words(struct applying *applying, const char ***words, size_t *count)
{
    *words = ini_words(applying->loading->context, applying->entry->value, count);
    return 0;
}

static bool is_identifier(const char *word)
{
    if (!isalpha((unsigned char)*word) && *word != '_')
        return false;
    for (; *word != '\0'; word++) {
        if (!isalnum((unsigned char)*word) && *word != '_')
            return false;
    }
    return true;
}

/* An identifier, or several at once: a * stands for any letters. */
static bool is_identifier_pattern(const char *word)
{
    if (*word == '\0' || isdigit((unsigned char)*word))
        return false;
    for (; *word != '\0'; word++) {
        if (!isalnum((unsigned char)*word) && *word != '_' && *word != '*')
            return false;
    }
    return true;
}

static int apply_title(struct applying *applying)
{
    applying->exercise->title = applying->entry->value;
    if (*applying->entry->value == '\0')
        return ini_fault(applying->fault, applying->file, applying->entry->line,
                         "title is empty; say in a few words what the student builds.");
    return 0;
}

static int apply_read(struct applying *applying)
{
    const char *hash = strchr(applying->entry->value, '#');

    applying->exercise->read = applying->entry->value;
    if (hash == NULL || hash == applying->entry->value || hash[1] == '\0' || strpbrk(applying->entry->value, " \t"))
        return ini_fault(applying->fault, applying->file, applying->entry->line,
                         "read = \"%s\" is not CHAPTER#SECTION, as in 02-locks#rlock.", applying->entry->value);
    return 0;
}

static int apply_points(struct applying *applying)
{
    return get_whole(applying, 1, 100, &applying->exercise->points);
}

static int apply_order(struct applying *applying)
{
    return get_whole(applying, 1, 999, &applying->exercise->order);
}

static int apply_needs(struct applying *applying)
{
    size_t count;

    return get_words(applying, &applying->exercise->needs, &count);
}

static int apply_starter(struct applying *applying)
{
    enum stage_id id = stage_of(applying->entry->value);

    applying->exercise->starter_fails_at = id;
    if (id == STAGE_COUNT || id == STAGE_BUILD)
        return ini_fault(applying->fault, applying->file, applying->entry->line,
                         "starter = \"%s\" is not the stage where the starter fails: rules, tests, memory, races, "
                         "interleavings or timing.",
                         applying->entry->value);
    return 0;
}

static int apply_stage(struct applying *applying)
{
    return get_whole(applying, 1, 100, &applying->exercise->stage_points[stage_of(applying->entry->key)]);
}

/* Adds the calls of one @set to `allow`. */
static int expand_set(struct applying *applying, const char *set, size_t *count)
{
    struct loading *loading = applying->loading;
    const struct ini_entry *found = ini_file_find(&loading->sets, "sets", set + 1);
    size_t more;

    if (found == NULL) {
        const char **known = memory_zeroed(loading->context, loading->sets.count, sizeof *known);

        for (size_t i = 0; i < loading->sets.count; i++)
            known[i] = loading->sets.entries[i].key;
        const char *near = nearest_word(set + 1, known, loading->sets.count);
        return ini_fault(applying->fault, applying->file, applying->entry->line, "%s is no set of %s.%s%s%s", set,
                         loading->sets.shown, near ? " Did you mean @" : "", near ? near : "", near ? "?" : "");
    }
    const char **calls = ini_words(loading->context, found->value, &more);
    struct exercise *exercise = applying->exercise;
    exercise->allow = memory_grown(loading->context, exercise->allow, *count + more + 1, sizeof *exercise->allow);
    memcpy(exercise->allow + *count, calls, (more + 1) * sizeof *calls);
    *count += more;
    return 0;
}

static int apply_allow(struct applying *applying)
{
    struct exercise *exercise = applying->exercise;
    size_t count = 0, word_count;
    const char **words = ini_words(applying->loading->context, applying->entry->value, &word_count);

    exercise->allow = memory_zeroed(applying->loading->context, 1, sizeof *exercise->allow);
    for (size_t i = 0; i < word_count; i++) {
        if (*words[i] == '@') {
            if (expand_set(applying, words[i], &count) != 0)
                return -1;
            continue;
        }
        exercise->allow = memory_grown(applying->loading->context, exercise->allow, count + 2, sizeof *exercise->allow);
        exercise->allow[count++] = words[i];
        exercise->allow[count] = NULL;
    }
    return 0;
}

/* "NAME: sentence", once more each time the key comes. */
static int add_ban(struct applying *applying, struct ban **bans, size_t *count)
{
    const struct ini_entry *entry = applying->entry;
    const char *colon = strchr(entry->value, ':');
    size_t name = colon == NULL ? 0 : (size_t)(colon - entry->value);
    const char *why = colon == NULL ? "" : colon + 1 + strspn(colon + 1, " \t");

    if (name == 0 || *why == '\0' || strcspn(entry->value, " \t") < name)
        return ini_fault(applying->fault, applying->file, entry->line,
                         "%s = \"%s\" is not NAME: a sentence for the student.", entry->key, entry->value);
    *bans = memory_grown(applying->loading->context, *bans, *count + 1, sizeof **bans);
    (*bans)[(*count)++] = (struct ban){
        .name = memory_text_n(applying->loading->context, entry->value, name),
        .why = why,
    };
    return 0;
}

static int apply_forbid(struct applying *applying)
{
    return add_ban(applying, &applying->exercise->bans, &applying->exercise->ban_count);
}

static int apply_word(struct applying *applying)
{
    struct exercise *exercise = applying->exercise;

    if (add_ban(applying, &exercise->word_bans, &exercise->word_ban_count) != 0)
        return -1;
    if (!is_identifier_pattern(exercise->word_bans[exercise->word_ban_count - 1].name))
        return ini_fault(applying->fault, applying->file, applying->entry->line, "word = \"%s\" is no identifier of C.",
                         exercise->word_bans[exercise->word_ban_count - 1].name);
    return 0;
}

static int apply_wrap(struct applying *applying)
{
    size_t count;

    get_words(applying, &applying->exercise->wraps, &count);
    for (size_t i = 0; i < count; i++) {
        if (!is_identifier(applying->exercise->wraps[i]))
            return ini_fault(applying->fault, applying->file, applying->entry->line,
                             "wrap = \"%s\" is not the name of a call.", applying->exercise->wraps[i]);
    }
    return 0;
}

static int apply_memory_mb(struct applying *applying)
{
    return get_whole(applying, 16, 65536, &applying->exercise->memory_mb);
}

static int apply_detectors(struct applying *applying)
{
    const char **words;
    size_t count;

    get_words(applying, &words, &count);
    applying->exercise->helgrind = applying->exercise->tsan = false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], "helgrind") == 0)
            applying->exercise->helgrind = true;
        else if (strcmp(words[i], "tsan") == 0)
            applying->exercise->tsan = true;
        else
            count = 0;
    }
    if (count == 0)
        return ini_fault(applying->fault, applying->file, applying->entry->line,
                         "detectors = \"%s\" is none of: helgrind, tsan, helgrind tsan.", applying->entry->value);
    return 0;
}

static int apply_runs(struct applying *applying)
{
    return get_whole(applying, 1, 1000000, &applying->exercise->explore_runs);
}

static int apply_preemptions(struct applying *applying)
{
    return get_whole(applying, 0, 8, &applying->exercise->explore_preemptions);
}

static int get_yes(struct applying *applying, bool *yes)
{
    const struct ini_entry *entry = applying->entry;

    *yes = strcmp(entry->value, "yes") == 0;
    if (!*yes && strcmp(entry->value, "no") != 0)
        return ini_fault(applying->fault, applying->file, entry->line, "%s = \"%s\" is neither yes nor no.", entry->key,
                         entry->value);
    return 0;
}

static int apply_spurious(struct applying *applying)
{
    return get_yes(applying, &applying->exercise->explore_spurious);
}

static int apply_faults(struct applying *applying)
{
    return get_yes(applying, &applying->exercise->explore_faults);
}

static int apply_at_most(struct applying *applying)
{
    char *end;
    double value = strtod(applying->entry->value, &end);

    if (end == applying->entry->value || *end != '\0' || !(value > 1.0 && value <= 100.0))
        return ini_fault(applying->fault, applying->file, applying->entry->line,
                         "at_most = \"%s\" is not a number above 1 and up to 100 (times the reference's own time).",
                         applying->entry->value);
    applying->exercise->time_at_most = value;
    return 0;
}

static int apply_measure(struct applying *applying)
{
    applying->exercise->time_wall = strcmp(applying->entry->value, "wall") == 0;
    if (!applying->exercise->time_wall && strcmp(applying->entry->value, "cpu") != 0)
        return ini_fault(applying->fault, applying->file, applying->entry->line,
                         "measure = \"%s\" is neither wall nor cpu.", applying->entry->value);
    return 0;
}

static int apply_why(struct applying *applying)
{
    applying->exercise->time_why = applying->entry->value;
    return 0;
}

static int apply_cores(struct applying *applying)
{
    return get_whole(applying, 1, 256, &applying->exercise->time_cores);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static const struct key {
    const char *section;
    const char *name;
    int (*apply)(struct applying *applying);
    bool repeats;
    bool needed;
} keys[] = {
    {"exercise", "title", apply_title, false, true},
    {"exercise", "read", apply_read, false, true},
    {"exercise", "points", apply_points, false, true},
    {"exercise", "order", apply_order, false, true},
    {"exercise", "starter", apply_starter, false, false},
    {"exercise", "needs", apply_needs, false, false},
    {"stages", "tests", apply_stage, false, false},
    {"stages", "memory", apply_stage, false, false},
    {"stages", "races", apply_stage, false, false},
    {"stages", "interleavings", apply_stage, false, false},
    {"stages", "timing", apply_stage, false, false},
    {"rules", "allow", apply_allow, false, true},
    {"rules", "forbid", apply_forbid, true, false},
    {"rules", "word", apply_word, true, false},
    {"tests", "wrap", apply_wrap, false, false},
    {"tests", "memory_mb", apply_memory_mb, false, false},
    {"races", "detectors", apply_detectors, false, false},
    {"interleavings", "runs", apply_runs, false, false},
    {"interleavings", "preemptions", apply_preemptions, false, false},
    {"interleavings", "spurious", apply_spurious, false, false},
    {"interleavings", "faults", apply_faults, false, false},
    {"timing", "at_most", apply_at_most, false, false},
    {"timing", "why", apply_why, false, false},
    {"timing", "measure", apply_measure, false, false},
    {"timing", "cores", apply_cores, false, false},
};

enum { KEY_COUNT = sizeof keys / sizeof *keys };

/* The section or key is none that exists: says so, with the nearest that does. */
static int unknown_key(const struct applying *applying)
{
    const struct ini_entry *entry = applying->entry;
    const char *names[KEY_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].section, entry->section) == 0)
            names[count++] = keys[i].name;
    }
    if (count == 0)
        return ini_fault(applying->fault, applying->file, entry->line,
                         "[%s] is no section; there are [exercise], [stages], [rules], [tests], [races], "
                         "[interleavings] and [timing].",
                         entry->section);
    const char *near = nearest_word(entry->key, names, count);
    return ini_fault(applying->fault, applying->file, entry->line, "[%s] has no key \"%s\".%s%s%s", entry->section,
                     entry->key, near ? " Did you mean " : "", near ? near : "", near ? "?" : "");
}

static int apply_entry(struct applying *applying)
{
    const struct ini_entry *entry = applying->entry;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].section, entry->section) != 0 || strcmp(keys[i].name, entry->key) != 0)
            continue;
        const struct ini_entry *last = ini_file_find(applying->file, entry->section, entry->key);
        if (!keys[i].repeats && last != entry)
            return ini_fault(applying->fault, applying->file, last->line,
                             "%s stands here a second time (first in line %d).", entry->key, entry->line);
        return keys[i].apply(applying);
    }
    return unknown_key(applying);
}

/* ---- one exercise ------------------------------------------------------------------------------------------------ */

static int sum_of_stages(const struct exercise *exercise)
{
    int sum = 0;

    for (int i = 0; i < STAGE_COUNT; i++)
        sum += exercise->stage_points[i];
    return sum;
}

/* What must hold between the keys of one file. */
static int check_keys(struct applying *applying)
{
    const struct exercise *exercise = applying->exercise;
    const struct ini_file *file = applying->file;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].needed && ini_file_find(file, keys[i].section, keys[i].name) == NULL)
            return fault_set(applying->fault, "%s: [%s] needs a line \"%s = \".", file->shown, keys[i].section,
                             keys[i].name);
    }
    int sum = sum_of_stages(exercise);
    const struct ini_entry *points = ini_file_find(file, "exercise", "points");
    if (sum == 0)
        return fault_set(applying->fault, "%s: [stages] gives no stage any points; name at least tests.", file->shown);
    if (sum != exercise->points)
        return ini_fault(applying->fault, file, points->line, "points = %d, but the stages in [stages] add up to %d.",
                         exercise->points, sum);
    const struct ini_entry *timing = ini_file_find(file, "stages", "timing");
    if (timing != NULL && exercise->time_at_most == 0)
        return ini_fault(applying->fault, file, timing->line,
                         "timing counts, so [timing] needs a line \"at_most = \".");
    if (timing != NULL && exercise->time_why == NULL)
        return ini_fault(applying->fault, file, timing->line, "timing counts, so [timing] needs a line \"why = \".");
    const struct ini_entry *starter = ini_file_find(file, "exercise", "starter");
    if (starter != NULL && exercise->starter_fails_at != STAGE_RULES &&
        exercise->stage_points[exercise->starter_fails_at] == 0)
        return ini_fault(applying->fault, file, starter->line, "starter = %s, but [stages] gives that stage no points.",
                         starter->value);
    return 0;
}

/* The files that each stage lives by. The starter is no part of this: a student may have moved or deleted it. */
static int check_files(struct applying *applying)
{
    struct exercise *exercise = applying->exercise;
    void *context = applying->loading->context;
    const int *points = exercise->stage_points;
    const struct {
        const char *path;
        bool needed;
    } needed[] = {
        {exercise->header, true},
        {exercise->reference, true},
        {memory_format(context, "%s/tests.c", exercise->checks_dir), points[STAGE_TESTS] > 0},
        {memory_format(context, "%s/scenario.c", exercise->checks_dir),
         points[STAGE_MEMORY] > 0 || points[STAGE_RACES] > 0 || points[STAGE_INTERLEAVINGS] > 0},
        {memory_format(context, "%s/bench.c", exercise->checks_dir), points[STAGE_TIMING] > 0},
    };

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (needed[i].needed && !files_is_file(needed[i].path))
            return fault_set(applying->fault, "%s: %s, which this exercise needs, is not there.", applying->file->shown,
                             needed[i].path + strlen(applying->loading->course->root) + 1);
    }
    return 0;
}

static void set_paths(void *context, const char *root, struct exercise *exercise)
{
    const char *id = exercise->id, *name = exercise->name;

    exercise->checks_dir = memory_format(context, "%s/grader/checks/%s", root, id);
    exercise->header = memory_format(context, "%s/exercises/%s/%s.h", root, id, name);
    exercise->starter = memory_format(context, "%s/exercises/%s/%s.c", root, id, name);
    exercise->reference = memory_format(context, "%s/solutions/%s.c", root, id);
}

static int load_exercise(struct loading *loading, const char *chapter, const char *name)
{
    void *context = loading->context;
    struct course *course = loading->course;
    size_t at = course->count++;

    course->exercises = memory_grown(context, course->exercises, course->count, sizeof *course->exercises);
    loading->files = memory_grown(context, loading->files, course->count, sizeof *loading->files);
    struct exercise *exercise = &course->exercises[at];
    *exercise = (struct exercise){
        .id = memory_format(context, "%s/%s", chapter, name),
        .chapter = memory_text(context, chapter),
        .name = memory_text(context, name),
        .needs = memory_zeroed(context, 1, sizeof *exercise->needs),
        .allow = memory_zeroed(context, 1, sizeof *exercise->allow),
        .wraps = memory_zeroed(context, 1, sizeof *exercise->wraps),
        .starter_fails_at = STAGE_TESTS,
        .helgrind = true,
        .explore_runs = EXPLORE_RUNS,
        .explore_preemptions = EXPLORE_PREEMPTIONS,
        .memory_mb = 512,
        .time_wall = true,
        .time_cores = 1,
    };
    set_paths(context, course->root, exercise);
    const char *path = memory_format(context, "%s/exercise.ini", exercise->checks_dir);
    struct ini_file *file = &loading->files[at];
    if (ini_file_read(context, path, path + strlen(course->root) + 1, file, loading->fault) != 0)
        return -1;
    struct applying applying = {.loading = loading, .exercise = exercise, .file = file, .fault = loading->fault};
    for (size_t i = 0; i < file->count; i++) {
        applying.entry = &file->entries[i];
        if (apply_entry(&applying) != 0)
            return -1;
    }
    if (check_keys(&applying) != 0)
        return -1;
    return check_files(&applying);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* The names of the folders in `dir`, sorted; NULL-terminated. */
static const char **folders_in(void *context, const char *dir, struct fault *fault)
{
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, NULL, alphasort);
    size_t kept = 0;

    if (count < 0) {
        fault_errno(fault, "%s cannot be read", dir);
        return NULL;
    }
    const char **names = memory_zeroed(context, (size_t)count + 1, sizeof *names);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;

        if (*name != '.' && files_is_dir(memory_format(context, "%s/%s", dir, name)))
            names[kept++] = memory_text(context, name);
        free(entries[i]);
    }
    free(entries);
    return names;
}

static int check_name(const char *shown, const char *name, struct fault *fault)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_' && *at != '-')
            return fault_set(fault, "grader/checks/%s: a folder's name is made of letters, digits, _ and - only.",
                             shown);
    }
    return 0;
}

static int load_chapter(struct loading *loading, const char *chapter)
{
    const char *dir = memory_format(loading->context, "%s/grader/checks/%s", loading->course->root, chapter);
    const char **names = folders_in(loading->context, dir, loading->fault);

    if (names == NULL)
        return -1;
    for (size_t i = 0; names[i] != NULL; i++) {
        /* A folder without an exercise.ini is no exercise (yet). */
        if (!files_is_file(memory_format(loading->context, "%s/%s/exercise.ini", dir, names[i])))
            continue;
        if (check_name(chapter, chapter, loading->fault) != 0 || check_name(names[i], names[i], loading->fault) != 0)
            return -1;
        if (load_exercise(loading, chapter, names[i]) != 0)
            return -1;
    }
    return 0;
}

static size_t index_of(const struct course *course, const char *id)
{
    size_t i = 0;

    while (i < course->count && strcmp(course->exercises[i].id, id) != 0)
        i++;
    return i;
}

enum visit { NOT_YET, ON_THE_WAY, DONE };

/* Follows what exercise `at` is built on; one that is met again on the way is a circle. */
static int visit_needs(struct loading *loading, enum visit *visits, size_t at)
{
    const struct course *course = loading->course;
    const struct exercise *exercise = &course->exercises[at];
    const struct ini_file *file = &loading->files[at];

    visits[at] = ON_THE_WAY;
    for (size_t i = 0; exercise->needs[i] != NULL; i++) {
        const struct ini_entry *entry = ini_file_find(file, "exercise", "needs");
        size_t needed = index_of(course, exercise->needs[i]);

        if (needed == course->count)
            return ini_fault(loading->fault, file, entry->line, "needs = %s: there is no such exercise.",
                             exercise->needs[i]);
        if (visits[needed] == ON_THE_WAY)
            return ini_fault(loading->fault, file, entry->line,
                             "needs = %s: the two are built on each other, in a circle.", exercise->needs[i]);
        if (visits[needed] == NOT_YET && visit_needs(loading, visits, needed) != 0)
            return -1;
    }
    visits[at] = DONE;
    return 0;
}

static int check_needs(struct loading *loading)
{
    enum visit *visits = memory_zeroed(loading->context, loading->course->count, sizeof *visits);

    for (size_t i = 0; i < loading->course->count; i++) {
        if (visits[i] == NOT_YET && visit_needs(loading, visits, i) != 0)
            return -1;
    }
    return 0;
}

static int in_course_order(const void *left, const void *right)
{
    const struct exercise *a = left, *b = right;
    int chapter = strcmp(a->chapter, b->chapter);

    if (chapter != 0)
        return chapter;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return strcmp(a->name, b->name);
}

int course_load(void *context, const char *root, struct course *course, struct fault *fault)
{
    struct loading loading = {.context = context, .course = course, .fault = fault};
    const char *checks = memory_format(context, "%s/grader/checks", root);

    *course = (struct course){.root = memory_text(context, root)};
    if (ini_file_read(context, memory_format(context, "%s/allow.ini", checks), "grader/checks/allow.ini", &loading.sets,
                      fault) != 0)
        return -1;
    const char **chapters = folders_in(context, checks, fault);
    if (chapters == NULL)
        return -1;
    for (size_t i = 0; chapters[i] != NULL; i++) {
        if (load_chapter(&loading, chapters[i]) != 0)
            return -1;
    }
    if (course->count == 0)
        return fault_set(fault, "%s has no exercise: there is no CHAPTER/NAME/exercise.ini in it.", checks);
    if (check_needs(&loading) != 0)
        return -1;
    qsort(course->exercises, course->count, sizeof *course->exercises, in_course_order);
    for (size_t i = 0; i < course->count; i++)
        course->exercises[i].order = (int)i + 1;
    return 0;
}
