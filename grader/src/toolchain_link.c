/* Programs from objects. The object in question, the student's or the reference's, first goes through objcopy: its
 * names become its own but for the contract's, and in the test program its wrapped calls go to the harness. Then it is
 * linked with what is trusted. A program of trusted parts only is kept; its name tells all of them. */
#include "toolchain_parts.h"

#include "light_libc.h"
#include "memory.h"
#include "trace.h"

#include <string.h>
#include <unistd.h>

enum { PROGRAM_FILE_MB = 4 * STUDENT_FILE_MB };

struct program_parts {
    const char *name;
    const char *checks;
    const char *harness[6];
    const char *libraries[3];
};

static const struct program_parts parts_of[] = {
    [PROGRAM_TESTS] = {"tests", "tests.c", {"check.c", "gate.c", "wrap.c", "criterion_main.c"}, {"-lcriterion"}},
    [PROGRAM_SCENARIO] = {"scenario", "scenario.c", {"scenario_main.c", "gate.c"}, {0}},
    [PROGRAM_BENCH] = {"bench", "bench.c", {"bench_main.c", "gate.c"}, {0}},
    [PROGRAM_EXPLORED] = {"scenario.so", "scenario.c", {"scenario_explore.c"}, {0}},
};

static const char *const watch_flags[] = {
    "-Wl,--wrap=pthread_create",
    "-Wl,--wrap=pthread_join",
    "-Wl,--wrap=pthread_detach",
    NULL,
};

/* gold links a Criterion program in a third of the time that ld takes. Where it is missing the default serves. */
static void add_linker(void *context, struct words *words)
{
    if (tool_path(context, "ld.gold")[0] == '/')
        words_add(context, words, "-fuse-ld=gold");
}

/* One program on its way. */
struct linking {
    void *context;
    struct workshop *shop;
    enum flavour flavour;
    enum program program;
    struct words words;
    struct fault *fault;
    bool own;                /* with what the student wrote of the exercises below */
    const char *starts_with; /* the folder of its C library, where that is not the machine's own; or NULL */
};

/* The command that makes `made`, the object as it may be linked into this program: only the contract's names are
 * global, and wrapped calls go to the harness. */
static int local_words(const struct linking *linking, const char *object, const char *made, struct words *words)
{
    void *context = linking->context;
    const char **wraps = linking->program == PROGRAM_TESTS ? linking->shop->exercise->wraps : NULL;
    const char **contract = NULL;

    if (toolchain_contract(context, linking->shop, &contract, linking->fault) != 0)
        return -1;
    words_add(context, words, "objcopy");
    for (; *contract != NULL; contract++)
        words_add(context, words, memory_format(context, "--keep-global-symbol=%s", *contract));
    for (; wraps != NULL && *wraps != NULL; wraps++)
        words_add(context, words, memory_format(context, "--redefine-sym=%s=wrap_%s", *wraps, *wraps));
    words_add(context, words, object);
    words_add(context, words, made);
    return 0;
}

/* Where local_words() puts its result. */
static const char *local_path(const struct linking *linking)
{
    return memory_format(linking->context, "%s/%s-%s.local.o", linking->shop->dir, tool_flags(linking->flavour)->name,
                         parts_of[linking->program].name);
}

static int add_trusted_object(struct linking *linking, const char *source)
{
    const char *object = NULL;

    if (toolchain_trusted(linking->context, linking->shop, linking->flavour, source, &object, linking->fault) != 0)
        return -1;
    words_add(linking->context, &linking->words, object);
    return 0;
}

/* Runs one tool over the student's object; `*made` is false where it refused, and `*log` has its words. */
static int run_step(struct linking *linking, const struct words *words, bool *made, char **log)
{
    struct child_result ran;

    if (tool_run_on_student(linking->context, linking->shop, words->items, PROGRAM_FILE_MB, &ran, linking->fault) != 0)
        return -1;
    *log = ran.err;
    *made = tool_succeeded(&ran);
    return 0;
}

/* Adds what the student wrote of an exercise below. It has been built and its calls were looked at (grade.c). */
static int add_own_object(struct linking *linking, struct workshop *own)
{
    void *context = linking->context;
    struct linking below = {.context = context, .shop = own, .flavour = linking->flavour, .fault = linking->fault};
    const char *object = NULL, *local = NULL;
    struct child_result log;
    struct words words = {0};
    bool made = false;
    char *said = NULL;

    below.program = PROGRAM_SCENARIO; /* none of its calls are taken over */
    local = local_path(&below);
    if (toolchain_compile(context, own, linking->flavour, &object, &log, linking->fault) != 0)
        return -1;
    if (object == NULL)
        return fault_set(linking->fault, "%s: compiled for the build, and not for %s.", own->shown,
                         tool_flags(linking->flavour)->name);
    if (local_words(&below, object, local, &words) != 0 || run_step(&below, &words, &made, &said) != 0)
        return -1;
    if (!made)
        return fault_set(linking->fault, "%s: its object cannot be made ready to link: %.200s", own->shown, said);
    words_add(context, &linking->words, local);
    return 0;
}

/* What the exercise is built on: the references, or the student's own. */
static int add_needed_objects(struct linking *linking)
{
    struct needed needed = tool_needed(linking->context, linking->shop);

    for (struct workshop **own = linking->shop->own; linking->own && *own != NULL; own++)
        if (add_own_object(linking, *own) != 0)
            return -1;
    for (size_t i = 1; !linking->own && i < needed.count; i++)
        if (add_trusted_object(linking, needed.items[i]->reference) != 0)
            return -1;
    return 0;
}

/* Checks and harness. */
static int add_checks_objects(struct linking *linking)
{
    const struct program_parts *parts = &parts_of[linking->program];
    const char *root = linking->shop->course->root;

    if (add_trusted_object(
            linking, memory_format(linking->context, "%s/%s", linking->shop->exercise->checks_dir, parts->checks)) != 0)
        return -1;
    for (size_t i = 0; parts->harness[i] != NULL; i++)
        if (add_trusted_object(linking,
                               memory_format(linking->context, "%s/grader/harness/%s", root, parts->harness[i])) != 0)
            return -1;
    if (linking->flavour == FLAVOUR_ASAN && linking->program == PROGRAM_SCENARIO) {
        words_add_all(linking->context, &linking->words, watch_flags);
        if (add_trusted_object(linking, memory_format(linking->context, "%s/grader/harness/thread_watch.c", root)) != 0)
            return -1;
    }
    return 0;
}

/* Checks, harness and what the exercise is built on, in this order. */
static int add_trusted_objects(struct linking *linking)
{
    return add_checks_objects(linking) != 0 || add_needed_objects(linking) != 0 ? -1 : 0;
}

/* Has Criterion find the light stand-in for a library that it never needs here (harness/no_diff.c), where it was made.
 */
static void add_light_libraries(struct linking *linking)
{
    const char *dir = memory_format(linking->context, "%s/build/lib", linking->shop->course->root);

    if (linking->program == PROGRAM_TESTS && access(dir, X_OK) == 0)
        words_add(linking->context, &linking->words,
                  memory_format(linking->context, "-Wl,--disable-new-dtags,-rpath,%s", dir));
}

/* Has a program that helgrind will run start with the light C library (light_libc.h), where there is one. It cannot
 * start without: unlike other inputs, that folder's whole name is part of what is made. */
static void add_light_libc(struct linking *linking)
{
    void *context = linking->context;

    if (linking->flavour != FLAVOUR_PLAIN || linking->program != PROGRAM_SCENARIO)
        return;
    const char *dir = light_libc_dir(context, linking->shop->course->root);
    if (dir == NULL)
        return;
    linking->starts_with = dir;
    words_add(context, &linking->words, "-Xlinker");
    words_add(context, &linking->words, memory_format(context, "--dynamic-linker=%s/ld.so", dir));
    words_add(context, &linking->words, "-Xlinker");
    words_add(context, &linking->words, memory_format(context, "-rpath=%s", dir));
}

/* build/interleave is the linker of what it runs. */
static int begin_explored(struct linking *linking)
{
    const char *interleave = NULL;

    if (toolchain_interleave(linking->context, linking->shop, &interleave, linking->fault) != 0)
        return -1;
    words_add(linking->context, &linking->words, interleave);
    return add_trusted_objects(linking);
}

/* Compiler and flags. */
static void begin_words(struct linking *linking)
{
    const struct flags *flags = tool_flags(linking->flavour);

    words_add(linking->context, &linking->words, flags->compiler);
    words_add(linking->context, &linking->words, "-pthread");
    for (size_t i = 0; flags->link[i] != NULL; i++)
        words_add(linking->context, &linking->words, flags->link[i]);
    add_linker(linking->context, &linking->words);
}

/* Compiler, flags, trusted objects and libraries; the object in question and the output are still to come. */
static int begin_link(struct linking *linking)
{
    if (linking->program == PROGRAM_EXPLORED)
        return begin_explored(linking);
    const struct program_parts *parts = &parts_of[linking->program];

    begin_words(linking);
    if (add_trusted_objects(linking) != 0)
        return -1;
    for (size_t i = 0; parts->libraries[i] != NULL; i++)
        words_add(linking->context, &linking->words, parts->libraries[i]);
    add_light_libraries(linking);
    add_light_libc(linking);
    return 0;
}

static void end_link(struct linking *linking, const char *object, const char *made)
{
    words_add(linking->context, &linking->words, object);
    words_add(linking->context, &linking->words, linking->program == PROGRAM_EXPLORED ? "--prepare" : "-o");
    words_add(linking->context, &linking->words, made);
}

/* The name that the program made by these words has in the cache. */
static const char *linked_name(struct linking *linking)
{
    struct cache_key key;

    cache_key_begin(&key);
    for (size_t i = 0; i < linking->words.count; i++)
        cache_key_text(&key, trace_base_name(linking->words.items[i])); /* a kept object's name tells its content */
    cache_key_text(&key, linking->starts_with);
    tool_key(linking->context, &key, linking->flavour);
    if (linking->program != PROGRAM_EXPLORED)
        return cache_key_name(linking->context, &key);
    cache_key_identity(&key, linking->words.items[0]);
    return memory_format(linking->context, "%s.so", cache_key_name(linking->context, &key));
}

/* Makes the program that linking->words say, all but the output, of nothing but what is trusted, and keeps it; or finds
 * it kept. A fault calls it `what`. */
static int make_trusted(struct linking *linking, const char *what, const char **path)
{
    void *context = linking->context;
    const char *cache_dir = linking->shop->cache_dir;
    const char *name = linked_name(linking);

    *path = cache_find(context, cache_dir, name);
    if (*path != NULL)
        return 0;
    const char *made = tool_made(context, linking->shop, name);
    words_add(context, &linking->words, "-o");
    words_add(context, &linking->words, made);
    if (tool_run_trusted(context, linking->shop, linking->words.items, what, linking->fault) != 0)
        return -1;
    return cache_keep(context, cache_dir, name, made, path, linking->fault);
}

/* Makes what linking->words say, all but the object and the output, from the exercise's reference, whose object is
 * `object`, and keeps it; or finds it kept. */
static int make_of_reference(struct linking *linking, const char *object, const char **path)
{
    void *context = linking->context;
    const char *local = local_path(linking);
    const char **wraps = linking->program == PROGRAM_TESTS ? linking->shop->exercise->wraps : NULL;

    /* These words are hashed and never run: they say what the object will have been through. */
    struct linking named = *linking;
    named.words = (struct words){0};
    words_add_all(context, &named.words, linking->words.items);
    words_add(context, &named.words, object);
    if (wraps != NULL)
        words_add_all(context, &named.words, wraps);
    const char *name = linked_name(&named);
    *path = cache_find(context, linking->shop->cache_dir, name);
    if (*path != NULL)
        return 0;

    const char *made = tool_made(context, linking->shop, name);
    struct words words = {0};
    if (local_words(linking, object, local, &words) != 0 ||
        tool_run_trusted(context, linking->shop, words.items, linking->shop->exercise->id, linking->fault) != 0)
        return -1;
    end_link(linking, local, made);
    if (tool_run_trusted(context, linking->shop, linking->words.items, linking->shop->exercise->id, linking->fault) !=
        0)
        return -1;
    unlink(local);
    return cache_keep(context, linking->shop->cache_dir, name, made, path, linking->fault);
}

static int reference_object(struct linking *linking, const char **object)
{
    return toolchain_trusted(linking->context, linking->shop, linking->flavour, linking->shop->exercise->reference,
                             object, linking->fault);
}

static int link_reference(struct linking *linking, const char **path)
{
    const char *object = NULL;

    if (begin_link(linking) != 0 || reference_object(linking, &object) != 0)
        return -1;
    return make_of_reference(linking, object, path);
}

/* Makes the object ready to link, and links it with linking->words into `made`. `*linked` is false where that did not
 * work, and `*log` says why. */
static int link_object(struct linking *linking, const char *object, const char *made, bool *linked, char **log)
{
    const char *local = local_path(linking);
    struct words words = {0};

    if (local_words(linking, object, local, &words) != 0)
        return -1;
    end_link(linking, local, made);
    if (run_step(linking, &words, linked, log) != 0 ||
        (*linked && run_step(linking, &linking->words, linked, log) != 0))
        return -1;
    unlink(local);
    if (!*linked)
        unlink(made);
    return 0;
}

static int link_student(struct linking *linking, const char *object, const char **path, char **log)
{
    bool linked = false;

    linking->own = linking->shop->own != NULL;
    if (begin_link(linking) != 0 || link_object(linking, object, *path, &linked, log) != 0)
        return -1;
    if (!linked)
        *path = NULL;
    return 0;
}

/* ---- with MemorySanitizer: a frame and a library ----------------------------------------------------------------- */

/* clang links MemorySanitizer's runtime into the program itself, a megabyte that costs more than to compile the
 * student's file. So the program is made once, of checks, harness and runtime, and finds the code in question, with
 * what that is built on, in a shared library, by its name in LD_LIBRARY_PATH (sanitizer_run.c). It is linked against
 * such a library of the references, which has the same names. */

/* All of a library but the object in question and the output. */
static int begin_library(struct linking *linking)
{
    static const char *const words[] = {"gcc", "-shared", "-Wl,-soname," TOOLCHAIN_LIBRARY, NULL};

    words_add_all(linking->context, &linking->words, words);
    add_linker(linking->context, &linking->words);
    return add_needed_objects(linking);
}

static int frame_make(const struct linking *linking, const char **path)
{
    struct linking library = *linking, frame = *linking;
    const char *object = NULL, *model = NULL;

    library.own = false;
    if (begin_library(&library) != 0 || reference_object(&library, &object) != 0 ||
        make_of_reference(&library, object, &model) != 0)
        return -1;
    begin_words(&frame);
    if (add_checks_objects(&frame) != 0)
        return -1;
    words_add(frame.context, &frame.words, model);
    return make_trusted(&frame, frame.shop->exercise->id, path);
}

static int link_framed(struct linking *linking, const char *object, const char **path, char **log)
{
    const char *made = memory_format(linking->context, "%s/%s", linking->shop->dir, TOOLCHAIN_LIBRARY);
    bool linked = access(made, F_OK) == 0;

    if (frame_make(linking, path) != 0)
        return -1;
    linking->own = linking->shop->own != NULL;
    if (!linked && (begin_library(linking) != 0 || link_object(linking, object, made, &linked, log) != 0))
        return -1;
    if (!linked)
        *path = NULL;
    return 0;
}

int toolchain_link(void *context, struct workshop *shop, enum flavour flavour, enum program program,
                   const char *student_object, const char **path, char **log, struct fault *fault)
{
    struct linking linking = {.context = context, .shop = shop, .flavour = flavour, .program = program, .fault = fault};

    *log = memory_text(context, "");
    if (student_object == NULL)
        return link_reference(&linking, path);
    if (flavour == FLAVOUR_MSAN && program == PROGRAM_SCENARIO)
        return link_framed(&linking, student_object, path, log);
    *path = memory_format(context, "%s/%s-%s", shop->dir, tool_flags(flavour)->name, parts_of[program].name);
    return access(*path, X_OK) == 0 ? 0 : link_student(&linking, student_object, path, log);
}

int toolchain_trusted_program(void *context, struct workshop *shop, enum flavour flavour, const char *source,
                              const char *library, const char **path, struct fault *fault)
{
    struct linking linking = {
        .context = context, .shop = shop, .flavour = flavour, .program = PROGRAM_SCENARIO, .fault = fault};
    const char *gate = memory_format(context, "%s/grader/harness/gate.c", shop->course->root);

    begin_words(&linking);
    if (add_trusted_object(&linking, source) != 0 || add_trusted_object(&linking, gate) != 0)
        return -1;
    if (library != NULL)
        words_add(context, &linking.words, library);
    else
        add_light_libc(&linking);
    return make_trusted(&linking, tool_from_root(shop, source), path);
}
