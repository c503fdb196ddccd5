#include "places.h"

#include "files.h"
#include "memory.h"
#include "source.h"

#include <string.h>

static const char TESTS[] = "tests.c";
static const char SCENARIO[] = "scenario.c";

/* "rlock.c" for "02-locks/rlock": true where `file` is that. */
static bool file_of_id(const char *file, const char *id)
{
    const char *name = trace_base_name(id);
    size_t length = strlen(name);

    return strncmp(file, name, length) == 0 && strcmp(file + length, ".c") == 0;
}

/* The exercise below whose file this is. */
static const struct exercise *needed_of(const struct workshop *shop, const char *file)
{
    void *scratch = memory_context(NULL);
    const struct exercise **needed = toolchain_needed(scratch, shop), *found = NULL;

    for (; *needed != NULL && found == NULL; needed++)
        if (file_of_id(file, (*needed)->id))
            found = *needed;
    talloc_free(scratch);
    return found;
}

/* The file of an exercise below that is graded with: the student's own, or the reference. */
static const char *needed_path(const struct workshop *shop, const char *file)
{
    const struct exercise *needed = needed_of(shop, file);

    for (struct workshop **own = shop->own; own != NULL && *own != NULL; own++)
        if ((*own)->exercise == needed)
            return (*own)->source;
    return needed->reference;
}

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), tail = strlen(ending);

    return length > tail && strcmp(text + length - tail, ending) == 0;
}

/* Where this header would be, if the chapter's checks share it: beside the exercises' folders. */
static const char *shared_path(void *context, const struct workshop *shop, const char *file)
{
    const char *dir = shop->exercise->checks_dir;

    return memory_format(context, "%.*s/%s", (int)(strrchr(dir, '/') - dir), dir, file);
}

static bool is_shared(const struct workshop *shop, const char *file)
{
    if (!ends_with(file, ".h") || strchr(file, '/') != NULL)
        return false;
    void *scratch = memory_context(NULL);
    bool shared = files_is_file(shared_path(scratch, shop, file));
    talloc_free(scratch);
    return shared;
}

enum owner places_owner(const struct workshop *shop, const char *file)
{
    if (file == NULL)
        return OWNER_NOBODY;
    if (file_of_id(file, shop->exercise->id))
        return OWNER_STUDENT;
    if (strcmp(file, SCENARIO) == 0)
        return OWNER_SCENARIO;
    if (strcmp(file, TESTS) == 0)
        return OWNER_TESTS;
    if (is_shared(shop, file))
        return ends_with(file, "_tests.h") ? OWNER_TESTS : OWNER_SCENARIO;
    return needed_of(shop, file) != NULL ? OWNER_NEEDED : OWNER_NOBODY;
}

const char *places_path(void *context, const struct workshop *shop, const char *file)
{
    switch (places_owner(shop, file)) {
    case OWNER_STUDENT:
        return shop->source;
    case OWNER_TESTS:
    case OWNER_SCENARIO:
        if (ends_with(file, ".h"))
            return shared_path(context, shop, file);
        return memory_format(context, "%s/%s", shop->exercise->checks_dir, file);
    case OWNER_NEEDED:
        return needed_path(shop, file);
    case OWNER_NOBODY:
        break;
    }
    return NULL;
}

const char *places_text(void *context, const struct workshop *shop, const char *file)
{
    struct fault ignored; /* without the text there is less to say, and no reason to say nothing */
    const char *path = places_path(context, shop, file);

    return path == NULL ? NULL : files_read(context, path, SOURCE_LIMIT_BYTES, NULL, &ignored);
}

const struct frame *places_frame(const struct workshop *shop, const struct trace *trace)
{
    const struct frame *best = NULL;
    enum owner best_owner = OWNER_NOBODY;

    for (size_t i = 0; i < trace->count; i++) {
        const struct frame *frame = &trace->frames[i];
        enum owner owner = frame->line > 0 ? places_owner(shop, frame->file) : OWNER_NOBODY;

        if (owner > best_owner) {
            best = frame;
            best_owner = owner;
        }
    }
    return best;
}

bool places_student_in(const struct workshop *shop, const struct trace *trace)
{
    const struct frame *frame = places_frame(shop, trace);

    return frame != NULL && places_owner(shop, frame->file) == OWNER_STUDENT;
}

struct place *places_add(void *context, const struct workshop *shop, struct finding *finding, const char *file,
                         int line, const char *who, const char *note)
{
    const char *path = places_path(context, shop, file);
    struct place *place = finding_place(context, finding, file, line);

    place->excerpt = path == NULL ? NULL : source_line(context, path, line);
    place->who = who;
    place->note = note;
    return place;
}

struct place *places_add_trace(void *context, const struct workshop *shop, struct finding *finding,
                               const struct trace *trace, const char *who, const char *note)
{
    const struct frame *frame = places_frame(shop, trace);

    return frame == NULL ? NULL : places_add(context, shop, finding, frame->file, frame->line, who, note);
}
