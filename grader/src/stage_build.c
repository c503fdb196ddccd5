/* The build: what may be included, gcc's errors, clang's, the contract's names, and whether it links. Warnings are
 * shown and cost nothing. gcc makes what is graded; clang, which the memory stage needs anyway, gives a second opinion,
 * so that no later stage meets a file that does not compile. */
#include "stage.h"

#include "aside.h"
#include "diagnostics.h"
#include "files.h"
#include "includes.h"
#include "memory.h"
#include "nearest.h"
#include "object.h"
#include "source.h"
#include "tokens.h"
#include "trace.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

enum {
    ERRORS_SHOWN = 3,
    WARNINGS_SHOWN = 5,
    NAMES_SHOWN = 5,
    DETAIL_LINES = 8,
    STATIC_MB = 256, /* of a file's variables, where the exercise sets no limit */
};

struct build {
    void *context;
    struct workshop *shop;
    struct stage_result *result;
    struct fault *fault;
    const char *file; /* base name of the student's file */
    int notes;
    int noted_lines[WARNINGS_SHOWN]; /* a warning has been shown there */
};

static struct finding *fail(struct build *build, char *what, const char *why, int line)
{
    struct finding *finding = finding_add(build->context, build->result, SEVERITY_FAILURE, what);

    finding->why = why;
    struct place *place = finding_place(build->context, finding, build->file, line);
    if (line > 0)
        place->excerpt = source_line(build->context, build->shop->source, line);
    build->result->outcome = OUTCOME_FAILED;
    return finding;
}

/* ---- diagnostics ----------------------------------------------------------------------------------------------- */

static void place_of(struct build *build, struct finding *finding, const struct diagnostic *diagnostic)
{
    bool theirs = diagnostic->file == NULL || strcmp(diagnostic->file, build->file) == 0;
    struct place *place =
        finding_place(build->context, finding, theirs ? build->file : diagnostic->file, diagnostic->line);

    if (theirs && diagnostic->line > 0)
        place->excerpt = source_line(build->context, build->shop->source, diagnostic->line);
}

/* A full stop, where the compiler's sentence has no end of its own. */
static const char *stop_of(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && strchr(".?!", text[length - 1]) != NULL ? "" : ".";
}

static void show_error(struct build *build, const char *compiler, const struct diagnostic *diagnostic)
{
    struct finding *finding = finding_add(build->context, build->result, SEVERITY_FAILURE,
                                          memory_format(build->context, "%s cannot compile line %d: %s%s", compiler,
                                                        diagnostic->line, diagnostic->text, stop_of(diagnostic->text)));
    const char *lesson = diagnostics_lesson(diagnostic);

    finding->why =
        lesson != NULL ? lesson : "The compiler cannot make sense of this as C; the mistake is here or just above.";
    place_of(build, finding, diagnostic);
    build->result->outcome = OUTCOME_FAILED;
}

static void show_errors(struct build *build, const char *compiler, const struct diagnostics *all)
{
    size_t shown = 0;

    for (size_t i = 0; i < all->count && shown < ERRORS_SHOWN; i++)
        if (all->items[i].error) {
            show_error(build, compiler, &all->items[i]);
            shown++;
        }
    if (all->errors > shown && shown > 0) {
        struct finding *first = &build->result->findings[build->result->finding_count - shown];
        first->detail = memory_text(build->context, "More errors follow, often because of the first.\n");
    }
}

static bool is_noted(const struct build *build, int line)
{
    for (int i = 0; i < build->notes; i++)
        if (build->noted_lines[i] == line)
            return true;
    return false;
}

/* "Unused variable ‘m’." of "unused variable ‘m’". */
static char *as_sentence(void *context, const char *text)
{
    char *sentence = memory_format(context, "%s%s", text, stop_of(text));

    sentence[0] = (char)toupper((unsigned char)sentence[0]);
    return sentence;
}

/* Warnings of the student's own lines; clang's only for lines that gcc said nothing of. */
static void show_warnings(struct build *build, const struct diagnostics *all)
{
    for (size_t i = 0; i < all->count && build->notes < WARNINGS_SHOWN; i++) {
        const struct diagnostic *diagnostic = &all->items[i];

        if (diagnostic->error || diagnostic->file == NULL || strcmp(diagnostic->file, build->file) != 0 ||
            is_noted(build, diagnostic->line))
            continue;
        struct finding *finding =
            finding_add(build->context, build->result, SEVERITY_NOTE, as_sentence(build->context, diagnostic->text));
        finding->why = diagnostics_lesson(diagnostic);
        place_of(build, finding, diagnostic);
        build->noted_lines[build->notes++] = diagnostic->line;
    }
}

/* ---- a compiler that did not come to its own end --------------------------------------------------------------- */

struct limit {
    const char *words; /* in what the compiler said */
    const char *what;
    const char *why;
};

static const struct limit limits[] = {
    {"File size limit exceeded", "The compiled file would be larger than 64 MiB.",
     "An array with an initialiser is stored in the file with all its elements, zeros too. Is one of them huge?"},
    {"File too large", "The compiled file would be larger than 64 MiB.",
     "An array with an initialiser is stored in the file with all its elements, zeros too. Is one of them huge?"},
    {"out of memory", "The compiler needed more than 1 GiB of memory for this file.",
     "An exercise needs a few megabytes. Is there a macro that expands to very much text, or a huge array with an "
     "initialiser?"},
    {"memory exhausted", "The compiler needed more than 1 GiB of memory for this file.",
     "An exercise needs a few megabytes. Is there a macro that expands to very much text, or a huge array with an "
     "initialiser?"},
    {"annot allocate memory", "The compiler needed more than 1 GiB of memory for this file.",
     "An exercise needs a few megabytes. Is there a macro that expands to very much text, or a huge array with an "
     "initialiser?"},
    {"Assembler messages", "The assembler cannot read this file's inline assembly.",
     "These exercises are in C; inline assembly is not allowed."},
    {NULL, "The compiler broke off without saying where.", "These are its own words."},
};

static const struct limit *limit_of(const struct child_result *log)
{
    static const struct limit time = {
        NULL, "The compiler had not come to an end after 5 seconds of processor time.",
        "An exercise compiles in a fraction of a second. Is there a macro that expands to very much text?"};
    static const struct limit flood = {NULL, "The compiler's messages about this file would fill megabytes.",
                                       "Take away what was added last, and compile again."};
    size_t i = 0;

    if (log->end == CHILD_OVER_CPU || log->end == CHILD_TIMED_OUT)
        return &time;
    if (log->end == CHILD_FLOODED)
        return &flood;
    if (log->end == CHILD_SIGNALLED && log->status == SIGXFSZ)
        return &limits[0];
    while (limits[i].words != NULL && strstr(log->err, limits[i].words) == NULL)
        i++;
    return &limits[i];
}

/* `text` with every `from` replaced. */
static char *replaced(void *context, const char *text, const char *from, const char *to)
{
    char *result = NULL;
    const char *found = NULL;

    while (from[0] != '\0' && (found = strstr(text, from)) != NULL) {
        result = memory_append(context, result, "%.*s%s", (int)(found - text), text, to);
        text = found + strlen(from);
    }
    return memory_append(context, result, "%s", text);
}

/* The tool's first lines, without the names of this machine's folders. */
static char *own_words(struct build *build, const char *words)
{
    char *text = replaced(build->context, words, memory_format(build->context, "%s/", build->shop->dir), "");

    text = replaced(build->context, text, memory_format(build->context, "%s/", build->shop->course->root), "");
    text = replaced(build->context, text, "/usr/bin/", "");
    const char *end = text;
    for (int line = 0; line < DETAIL_LINES && end != NULL; line++) {
        end = strchr(end, '\n');
        end = end == NULL ? NULL : end + 1;
    }
    return end == NULL ? text : memory_text_n(build->context, text, (size_t)(end - text));
}

/* The line of the first inline assembly, which can make the assembler do anything; 0 where there is none. */
static int assembly_line(struct build *build)
{
    void *scratch = memory_context(NULL);
    size_t size = 0;
    int line = 0;
    struct fault unused = {""};
    char *text = files_read(scratch, build->shop->source, SOURCE_LIMIT_BYTES, &size, &unused);

    if (text != NULL) {
        struct tokens tokens = tokens_of_source(scratch, text, size);
        for (size_t i = 0; i < tokens.count && line == 0; i++)
            if (token_is(&tokens, i, "__asm__") || token_is(&tokens, i, "__asm"))
                line = tokens.items[i].line;
    }
    talloc_free(scratch);
    return line;
}

static void show_limit(struct build *build, const struct child_result *log)
{
    const struct limit *limit = limit_of(log);
    int assembly = assembly_line(build);
    const char *why = assembly == 0 ? limit->why : "These exercises are in C; the inline assembly here is not allowed.";
    struct finding *finding = fail(build, memory_text(build->context, limit->what), why, assembly);

    if (limit->words == NULL && log->err[0] != '\0')
        finding->detail = own_words(build, log->err);
}

/* ---- the two compilers ----------------------------------------------------------------------------------------- */

/* Compiles with one of them; `*object` is NULL where that failed, and the findings say why. */
static int compile(struct build *build, enum flavour flavour, const char **object)
{
    bool gcc = toolchain_by_gcc(flavour);
    struct child_result log;

    if (toolchain_compile(build->context, build->shop, flavour, object, &log, build->fault) != 0)
        return -1;
    struct diagnostics all = diagnostics_read(build->context, log.err);
    if (*object != NULL) {
        show_warnings(build, &all);
        return 0;
    }
    if (all.errors > 0 && log.end == CHILD_EXITED)
        show_errors(build, gcc ? "The compiler" : "The second compiler, clang,", &all);
    else
        show_limit(build, &log);
    return 0;
}

/* ---- the contract ---------------------------------------------------------------------------------------------- */

static const struct object_symbol *defined(const struct object *object, const char *name)
{
    for (size_t i = 0; i < object->symbol_count; i++)
        if (object->symbols[i].defined && strcmp(object->symbols[i].name, name) == 0)
            return &object->symbols[i];
    return NULL;
}

/* A function of the student's that the contract does not know and whose name is nearly this one; or NULL. */
static const char *misspelled(void *context, const struct object *object, const char *name)
{
    const char **names = memory_zeroed(context, object->symbol_count + 1, sizeof *names);
    size_t count = 0;

    for (size_t i = 0; i < object->symbol_count; i++)
        if (object->symbols[i].defined && object->symbols[i].kind == OBJECT_FUNCTION && !object->symbols[i].local)
            names[count++] = object->symbols[i].name;
    return nearest_word(name, names, count);
}

static bool is_one_of(const char **names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void show_missing(struct build *build, const struct object *object, const char **contract, const char *name)
{
    const char *header = trace_base_name(build->shop->exercise->header);
    const char *near = misspelled(build->context, object, name);
    const char *why = "Every function of the header must be there, if only to return an error for now.";

    if (near != NULL && !is_one_of(contract, near))
        why = memory_format(build->context, "There is a function `%s`; is that the one, misspelled?", near);
    fail(build, memory_format(build->context, "`%s` is promised by %s but not defined.", name, header), why, 0);
}

static int check_contract(struct build *build, struct object *object)
{
    const char **contract = NULL;
    int missing = 0;

    if (toolchain_contract(build->context, build->shop, &contract, build->fault) != 0)
        return -1;
    if (defined(object, "main") != NULL)
        fail(build, memory_format(build->context, "%s defines main; the tests bring their own.", build->file),
             "The file is a part of the test program, which has a main of its own. Take this one out, or try things "
             "out in a "
             "file of your own.",
             object_definition_line(object, "main"));
    for (const char **name = contract; *name != NULL; name++) {
        const struct object_symbol *symbol = defined(object, *name);

        if (symbol == NULL && missing++ < NAMES_SHOWN)
            show_missing(build, object, contract, *name);
        else if (symbol != NULL && symbol->kind == OBJECT_DATA)
            fail(build, memory_format(build->context, "`%s` is a variable; the header promises a function.", *name),
                 "Calling it would run data as if it were code.", object_definition_line(object, *name));
    }
    return 0;
}

/* Variables that no process could hold: the program could not even be started. */
static void check_size(struct build *build, struct object *object)
{
    long limit_mb = build->shop->exercise->memory_mb > 0 ? build->shop->exercise->memory_mb : STATIC_MB;
    const struct object_symbol *largest = NULL;
    uint64_t total = 0;

    for (size_t i = 0; i < object->section_count; i++)
        if (object->sections[i].allocated)
            total =
                total + object->sections[i].size_bytes < total ? UINT64_MAX : total + object->sections[i].size_bytes;
    if (total >> 20 < (uint64_t)limit_mb)
        return;
    for (size_t i = 0; i < object->symbol_count; i++)
        if (object->symbols[i].defined && (largest == NULL || object->symbols[i].size_bytes > largest->size_bytes))
            largest = &object->symbols[i];
    fail(build,
         memory_format(build->context, "The variables of this file take %llu MiB%s%s%s.",
                       (unsigned long long)(total >> 20), largest == NULL ? "" : ", most of it `",
                       largest == NULL ? "" : largest->name, largest == NULL ? "" : "`"),
         memory_format(build->context, "The tests run with at most %ld MiB.", limit_mb),
         largest == NULL ? 0 : object_definition_line(object, largest->name));
}

/* ---- linking --------------------------------------------------------------------------------------------------- */

/* Names in the linker's words that this object calls and nobody defines. */
static int show_undefined(struct build *build, struct object *object, const char *log)
{
    int shown = 0;

    for (size_t i = 0; i < object->symbol_count && shown < NAMES_SHOWN; i++) {
        const char *name = object->symbols[i].name;
        char *quoted[] = {memory_format(build->context, "undefined reference to '%s'", name),
                          memory_format(build->context, "undefined reference to `%s'", name)};

        if (object->symbols[i].defined || (strstr(log, quoted[0]) == NULL && strstr(log, quoted[1]) == NULL))
            continue;
        fail(build, memory_format(build->context, "`%s` is called, and defined nowhere.", name),
             "It is neither in this file nor in the C library. Is the name spelled right, and was it meant to be "
             "defined "
             "here?",
             object_use_line(object, name));
        shown++;
    }
    return shown;
}

static int check_link(struct build *build, struct object *object, const char *path)
{
    const char *program = NULL, *reference = NULL;
    char *log = NULL, *unused = NULL;

    if (toolchain_link(build->context, build->shop, FLAVOUR_PLAIN, PROGRAM_TESTS, path, &program, &log, build->fault) !=
        0)
        return -1;
    if (program != NULL || show_undefined(build, object, log) > 0)
        return 0;
    /* Would ours link? Where not, it is no fault of the student's. */
    if (toolchain_link(build->context, build->shop, FLAVOUR_PLAIN, PROGRAM_TESTS, NULL, &reference, &unused,
                       build->fault) != 0)
        return -1;
    struct finding *finding =
        fail(build, memory_text(build->context, "The file compiles, but does not link with the tests."),
             "Something in it does not fit a program; these are the linker's own words.", 0);
    finding->detail = own_words(build, log);
    return 0;
}

/* ---- the stage ------------------------------------------------------------------------------------------------- */

static int check_object(struct build *build, const char *path)
{
    struct object object;

    if (object_open(build->context, path, &object, build->fault) != 0)
        return -1;
    check_size(build, &object);
    int checked = check_contract(build, &object);
    if (checked == 0 && build->result->outcome != OUTCOME_FAILED)
        checked = check_link(build, &object, path);
    object_close(&object);
    return checked;
}

/* ---- clang, ahead ------------------------------------------------------------------------------------------------ */

/* Compiles in a process beside this one what will be asked for next; what comes of it lies in the workshop. */
struct ahead {
    struct build *build;
    enum flavour flavour;
    struct aside aside;
    bool is_on;
};

static void compile_ahead(void *closure, int pipe)
{
    const struct ahead *ahead = closure;
    const char *unused = NULL;
    struct child_result log;
    struct fault fault;

    (void)pipe;
    (void)toolchain_compile(ahead->build->context, ahead->build->shop, ahead->flavour, &unused, &log, &fault);
}

static void ahead_begin(struct ahead *ahead)
{
    struct fault fault;

    if (!lane_take(&ahead->build->shop->lanes))
        return;
    ahead->is_on = aside_start(&ahead->aside, compile_ahead, ahead, &fault) == 0;
    if (!ahead->is_on)
        lane_give(&ahead->build->shop->lanes);
}

static void ahead_end(struct ahead *ahead, bool is_wanted)
{
    if (!ahead->is_on)
        return;
    if (is_wanted)
        aside_wait(ahead->build->context, &ahead->aside);
    else
        aside_stop(&ahead->aside);
    lane_give(&ahead->build->shop->lanes);
}

int stage_build(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    struct build build = {
        .context = context, .shop = shop, .result = result, .fault = fault, .file = trace_base_name(shop->source)};
    /* The memory stage will want clang's object; without that stage a look is enough. */
    enum flavour second = shop->exercise->stage_points[STAGE_MEMORY] > 0 ? FLAVOUR_MSAN : FLAVOUR_CLANG;
    const char *object = NULL, *unused = NULL;

    result->outcome = OUTCOME_PASSED;
    if (includes_check(context, shop, result, fault) != 0)
        return -1;
    if (result->finding_count > 0) {
        result->outcome = OUTCOME_FAILED;
        return 0;
    }
    struct ahead ahead = {.build = &build, .flavour = second};
    ahead_begin(&ahead);
    int compiled = compile(&build, FLAVOUR_PLAIN, &object);
    ahead_end(&ahead, object != NULL);
    if (compiled != 0)
        return -1;
    if (object == NULL)
        return 0;
    if (compile(&build, second, &unused) != 0)
        return -1;
    return unused == NULL ? 0 : check_object(&build, object);
}
