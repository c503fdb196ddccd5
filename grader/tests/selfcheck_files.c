/* selfcheck_files.c - every exercise has its whole file set, and header, starter and reference agree; what a chapter
 * shares is shared. */
#include "child.h"
#include "memory.h"
#include "selfcheck.h"
#include "starter.h"
#include "text.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MUTANTS_AT_LEAST = 5, VARIANTS_AT_LEAST = 1, HINT_COLUMNS = 74 };

char *selfcheck_read(void *context, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;

    char *text = memory_text(context, "");
    char chunk[4096];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        text = memory_append(context, text, "%.*s", (int)got, chunk);
    fclose(file);
    return text;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

const char **selfcheck_list(void *context, const char *dir, const char *ending, size_t *count)
{
    const char **paths = memory_zeroed(context, 1, sizeof *paths);
    DIR *folder = opendir(dir);

    *count = 0;
    if (folder == NULL)
        return paths;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        size_t length = strlen(entry->d_name), tail = strlen(ending);
        if (length <= tail || strcmp(entry->d_name + length - tail, ending) != 0)
            continue;
        paths = memory_grown(context, paths, *count + 2, sizeof *paths);
        paths[(*count)++] = memory_format(context, "%s/%s", dir, entry->d_name);
        paths[*count] = NULL;
    }
    closedir(folder);
    if (*count > 0)
        qsort(paths, *count, sizeof *paths, by_text);
    return paths;
}

int selfcheck_mutant_stage(void *context, const char *patch, const char **what, unsigned *by_luck)
{
    static const char between[] = " or ";
    char *text = selfcheck_read(context, patch);
    char *next = NULL;

    *what = "";
    *by_luck = 0;
    if (text == NULL)
        return -1;
    text[strcspn(text, "\n")] = '\0';
    char *colon = strchr(text, ':');
    if (colon == NULL)
        return -1;
    *colon = '\0';
    *what = colon + 1 + strspn(colon + 1, " ");
    for (; (next = strstr(text, between)) != NULL; text = next + strlen(between)) {
        *next = '\0';
        enum stage_id early = stage_of(text);
        if (early == STAGE_COUNT)
            return -1;
        *by_luck |= 1u << early;
    }
    enum stage_id stage = stage_of(text);
    return stage == STAGE_COUNT ? -1 : (int)stage;
}

/* What a patch changes, by its line `--- a/PATH`: one of the exercise's variants, or else the reference. */
static const char *mutated(void *context, const struct exercise *exercise, const char *patch)
{
    char name[128];
    char *text = selfcheck_read(context, patch);
    const char *line = text == NULL ? NULL : strstr(text, "\n--- a/");
    const char *variant = line == NULL ? NULL : strstr(line, "/variants/");

    if (variant == NULL || variant > line + 1 + strcspn(line + 1, "\n") ||
        sscanf(variant, "/variants/%127[A-Za-z0-9_.]", name) != 1)
        return exercise->reference;
    return memory_format(context, "%s/variants/%s", exercise->checks_dir, name);
}

bool selfcheck_mutate(void *context, const struct exercise *exercise, const char *patch, const char *path,
                      struct fault *fault)
{
    const char *original = mutated(context, exercise, patch);
    const char *argv[] = {"patch", "--silent", "--fuzz=0", "--output", path, original, patch, NULL};
    struct child_spec spec = {.argv = argv, .merge_output = true, .wall_limit_s = 20};
    struct child_result result;

    if (child_run(context, &spec, &result, fault) < 0)
        return false;
    if (result.end == CHILD_EXITED && result.status == 0)
        return true;
    fault_set(fault, "%.200s", result.out);
    return false;
}

/* One `region NAME` comment to its `end NAME` comment. */
struct region {
    char name[64];
    char *body;
};

struct parts {
    struct region *regions;
    size_t count;
    char *outside; /* all that is in no region, and the markers themselves */
    char *problem; /* NULL where the markers are sound */
};

static bool marker(const char *line, const char *word, char name[64])
{
    char form[32];
    int end = 0;

    snprintf(form, sizeof form, " /* %s %%63[a-z0-9_-] */%%n", word);
    return sscanf(line, form, name, &end) == 1 && end > 0;
}

static struct parts parts_of(void *context, char *text)
{
    struct parts parts = {.outside = memory_text(context, "")};
    struct region *open = NULL;
    char name[64];

    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (marker(line, "region", name)) {
            if (open != NULL)
                parts.problem = memory_format(context, "region %s begins inside region %s", name, open->name);
            parts.regions = memory_grown(context, parts.regions, parts.count + 1, sizeof *parts.regions);
            open = &parts.regions[parts.count++];
            memcpy(open->name, name, sizeof name);
            open->body = memory_text(context, "");
            parts.outside = memory_append(context, parts.outside, "%s\n", line);
        } else if (marker(line, "end", name)) {
            if (open == NULL || strcmp(open->name, name) != 0)
                parts.problem = memory_format(context, "end %s has no region of that name before it", name);
            open = NULL;
            parts.outside = memory_append(context, parts.outside, "%s\n", line);
        } else if (open != NULL) {
            open->body = memory_append(context, open->body, "%s\n", line);
        } else {
            parts.outside = memory_append(context, parts.outside, "%s\n", line);
        }
    }
    if (open != NULL)
        parts.problem = memory_format(context, "region %s has no end", open->name);
    return parts;
}

/* The first line in which the two texts differ. */
static char *first_difference(void *context, const char *one, const char *two)
{
    while (*one != '\0' && *one == *two) {
        one++;
        two++;
    }
    while (one[-1] != '\n' && one[-1] != '\0')
        one--;
    return memory_text_n(context, one, strcspn(one, "\n"));
}

static void check_regions(void *context, const struct exercise *exercise, struct tally_sheet *sheet)
{
    char *starter_text = selfcheck_read(context, exercise->starter);
    char *reference_text = selfcheck_read(context, exercise->reference);

    if (starter_text == NULL || reference_text == NULL)
        return; /* said already: the file is missing */
    struct parts starter = parts_of(context, memory_format(context, "\n%s", starter_text));
    struct parts reference = parts_of(context, memory_format(context, "\n%s", reference_text));
    sheet_check(sheet, starter.problem == NULL, "%s: starter: %s", exercise->id, starter.problem);
    sheet_check(sheet, reference.problem == NULL, "%s: reference: %s", exercise->id, reference.problem);
    sheet_check(sheet, reference.count > 0, "%s: the reference has no region for the student to write", exercise->id);
    bool same = strcmp(starter.outside, reference.outside) == 0;
    sheet_check(sheet, same, "%s: starter and reference differ outside the regions, first at: %s", exercise->id,
                same ? "" : first_difference(context, starter.outside, reference.outside));
    sheet_check(sheet, strcmp(starter_text, reference_text) != 0, "%s: the starter is the reference", exercise->id);
}

/* The lines of code that `make hint` shows, indented by six, fit a screen of 80 columns; so they are copied whole. */
static void check_hint_lines(void *context, const struct exercise *exercise, const char *text,
                             struct tally_sheet *sheet)
{
    char *rest = memory_text(context, text), *line;
    bool fenced = false;

    while ((line = strsep(&rest, "\n")) != NULL) {
        bool fence = strncmp(line, "```", 3) == 0, indented = !fenced && strncmp(line, "    ", 4) == 0;

        if ((fenced || indented) && !fence)
            sheet_check(sheet, text_width(line + (indented ? 4 : 0)) <= HINT_COLUMNS,
                        "%s: hints.md: a line of code is wider than %d columns: %s", exercise->id, HINT_COLUMNS, line);
        fenced = fenced != fence;
    }
}

static void check_hints(void *context, const struct exercise *exercise, struct tally_sheet *sheet)
{
    char *text = selfcheck_read(context, memory_format(context, "%s/hints.md", exercise->checks_dir));

    if (text == NULL)
        return;
    check_hint_lines(context, exercise, text, sheet);
    for (int step = 1; step <= 3; step++) {
        char *heading = memory_format(context, "## %d\n", step);
        char *found = strstr(text, heading);
        bool good = found != NULL && (found == text || found[-1] == '\n');
        if (good) {
            const char *body = found + strlen(heading);
            const char *next = strstr(body, "\n## ");
            good = (next == NULL ? strlen(body) : (size_t)(next - body)) > 20;
        }
        sheet_check(sheet, good, "%s: hints.md has no step %d, or an empty one", exercise->id, step);
    }
}

static void check_mutants(void *context, const struct exercise *exercise, struct tally_sheet *sheet)
{
    size_t count;
    const char **paths =
        selfcheck_list(context, memory_format(context, "%s/mutants", exercise->checks_dir), ".patch", &count);

    sheet_check(sheet, count >= MUTANTS_AT_LEAST, "%s: %zu mutants; at least %d are asked", exercise->id, count,
                MUTANTS_AT_LEAST);
    for (size_t i = 0; i < count; i++) {
        const char *what;
        unsigned by_luck = 0;
        int stage = selfcheck_mutant_stage(context, paths[i], &what, &by_luck);
        bool counts = stage >= 0 && (stage <= STAGE_RULES || exercise->stage_points[stage] > 0);
        sheet_check(sheet, counts && *what != '\0',
                    "%s: the first line does not say `STAGE: what is wrong` with a stage that counts here", paths[i]);

        char made[] = "/tmp/selfcheck-XXXXXX";
        struct fault fault = {""};
        int fd = mkstemp(made);
        bool applies = fd >= 0 && selfcheck_mutate(context, exercise, paths[i], made, &fault);
        sheet_check(sheet, applies, "%s: does not apply: %s", paths[i], fault.text);
        if (fd >= 0) {
            close(fd);
            unlink(made);
        }
    }
}

static void check_presence(void *context, const struct exercise *exercise, struct tally_sheet *sheet)
{
    const char *files[] = {exercise->header,
                           exercise->starter,
                           exercise->reference,
                           memory_format(context, "%s/hints.md", exercise->checks_dir),
                           memory_format(context, "%s/tests.c", exercise->checks_dir),
                           memory_format(context, "%s/scenario.c", exercise->checks_dir)};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        sheet_check(sheet, access(files[i], R_OK) == 0, "%s: %s is missing", exercise->id, files[i]);

    bool has_bench = access(memory_format(context, "%s/bench.c", exercise->checks_dir), R_OK) == 0;
    sheet_check(sheet, has_bench == (exercise->stage_points[STAGE_TIMING] > 0),
                "%s: bench.c and points for timing go together", exercise->id);

    size_t count;
    selfcheck_list(context, memory_format(context, "%s/variants", exercise->checks_dir), ".c", &count);
    sheet_check(sheet, count >= VARIANTS_AT_LEAST, "%s: no variant", exercise->id);
}

static size_t times_included(void *context, const char **paths, const char *include)
{
    size_t times = 0;

    for (; *paths != NULL; paths++) {
        char *text = selfcheck_read(context, *paths);
        times += text != NULL && strstr(text, include) != NULL;
    }
    return times;
}

/* What lies in the chapter's folder is shared: its name says by what, and at least two files include it. */
static void check_shared(void *context, const struct course *course, const char *chapter, struct tally_sheet *sheet)
{
    const char *dir = memory_format(context, "%s/grader/checks/%s", course->root, chapter);
    size_t count, files;
    const char **headers = selfcheck_list(context, dir, ".h", &count);

    for (size_t i = 0; i < count; i++) {
        const char *name = strrchr(headers[i], '/') + 1;
        const char *include = memory_format(context, "#include \"%s\"", name);
        size_t times = times_included(context, headers, include);

        sheet_check(sheet, strstr(name, "_tests.h") != NULL || strstr(name, "_scenarios.h") != NULL,
                    "%s: what a chapter's checks share is called THINGS_tests.h or THINGS_scenarios.h", headers[i]);
        for (size_t j = 0; j < course->count; j++) {
            if (strcmp(course->exercises[j].chapter, chapter) != 0)
                continue;
            times += times_included(context, selfcheck_list(context, course->exercises[j].checks_dir, ".c", &files),
                                    include);
        }
        sheet_check(sheet, times >= 2, "%s: fewer than two files include it", headers[i]);
    }
}

/* The header is the first thing its own .c includes, so that it compiles by itself. */
static void check_include(void *context, const struct exercise *exercise, struct tally_sheet *sheet)
{
    char *text = selfcheck_read(context, exercise->reference);
    char *first = text == NULL ? NULL : strstr(text, "#include");
    char *wanted = memory_format(context, "#include \"%s.h\"", exercise->name);

    sheet_check(sheet, first != NULL && strncmp(first, wanted, strlen(wanted)) == 0,
                "%s: the first #include is not \"%s.h\"", exercise->id, exercise->name);
}

void selfcheck_files(void *context, const struct course *course, const struct exercise *only, struct tally_sheet *sheet)
{
    for (size_t i = 0; i < course->count; i++) {
        const struct exercise *exercise = &course->exercises[i];
        if (only != NULL && only != exercise)
            continue;
        void *scratch = memory_context(context);
        if (only != NULL || i == 0 || strcmp(course->exercises[i - 1].chapter, exercise->chapter) != 0)
            check_shared(scratch, course, exercise->chapter, sheet);
        check_presence(scratch, exercise, sheet);
        check_include(scratch, exercise, sheet);
        check_regions(scratch, exercise, sheet);
        check_hints(scratch, exercise, sheet);
        check_mutants(scratch, exercise, sheet);
        sheet_check(sheet, starter_untouched(course, exercise, exercise->starter),
                    "%s: grader/checks/starters.sha256 does not know this starter; `make starters` makes the list anew",
                    exercise->id);
        talloc_free(scratch);
    }
}
