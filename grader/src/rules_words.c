/* Two looks. The first is at the tokens of the file as it was written: it is quick, and finds either nothing or a
 * suspicion. Only then is the file preprocessed, and the second look, at the student's own tokens after all
 * macros, decides: a word that is never compiled is no offence, and one that was pasted together is seen.
 * (A word can come out of the preprocessor only if it stands in the file, or was pasted, which takes a ## or a macro
 * of the system's own, whose names begin with two underscores.)
 * What asks for the compiler, and #line, is judged at the first look: the second sees only its answers. */
#include "rules.h"

#include "files.h"
#include "memory.h"
#include "source.h"
#include "tokens.h"
#include "trace.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

struct word_rule {
    const char *pattern;
    const char *what; /* printf's format with the word */
    const char *why;
};

static const char why_inside[] =
    "What is inside the library's types is the library's own: it differs from one system to the "
    "next, and nothing guards it. Use the calls that the type comes with.";
static const char why_hidden[] =
    "The detectors watch every run of this program; code that speaks to them, or hides from "
    "them, cannot be graded.";

/* In the source after all macros. */
static const struct word_rule compiled_rules[] = {
    {"__asm", "Inline assembly (`%s`) is not allowed.",
     "These exercises are in C; the machine's own instructions would go "
     "behind the back of every check."},
    {"__asm__", "Inline assembly (`%s`) is not allowed.",
     "These exercises are in C; the machine's own instructions would "
     "go behind the back of every check."},
    {"__builtin_setjmp", "`%s` is not allowed.",
     "A jump out of a function leaves its locks locked and its memory lost."},
    {"__builtin_longjmp", "`%s` is not allowed.",
     "A jump out of a function leaves its locks locked and its memory lost."},
    {"__builtin_return_address", "`%s` is not allowed.", "A function is not to ask who called it."},
    {"__builtin_frame_address", "`%s` is not allowed.", "A function is not to look at its callers' variables."},
    {"__builtin_extract_return_addr", "`%s` is not allowed.", "A function is not to ask who called it."},
    {"__builtin_eh_return", "`%s` is not allowed.", "A function returns to its caller."},
    {"__builtin_apply*", "`%s` is not allowed.", "Call the function by its name."},
    {"__data", "`%s` reaches into the library's own type.", why_inside},
    {"__size", "`%s` reaches into the library's own type.", why_inside},
    {"__align", "`%s` reaches into the library's own type.", why_inside},
    {"__owner", "`%s` reaches into the library's own type.", why_inside},
    {"_fileno", "`%s` reaches into the library's own type.", why_inside},
    {"_IO_*", "`%s` belongs to the library itself.", why_inside},
    {"__asan_*", "`%s` belongs to a detector.", why_hidden},
    {"__lsan_*", "`%s` belongs to a detector.", why_hidden},
    {"__msan_*", "`%s` belongs to a detector.", why_hidden},
    {"__tsan_*", "`%s` belongs to a detector.", why_hidden},
    {"__ubsan_*", "`%s` belongs to a detector.", why_hidden},
    {"__sanitizer_*", "`%s` belongs to a detector.", why_hidden},
    {"VALGRIND_*", "`%s` belongs to a detector.", why_hidden},
    {"RUNNING_ON_VALGRIND", "`%s` belongs to a detector.", why_hidden},
    {0},
};

static const char why_asks[] = "The same code must be graded by every check; it may not ask which compiler or detector "
                               "it is compiled for.";

/* In the source as it was written. */
static const struct word_rule written_rules[] = {
    {"__SANITIZE_*", "`%s` asks for the detector.", why_asks},
    {"__has_feature", "`%s` asks for the compiler.", why_asks},
    {"__has_extension", "`%s` asks for the compiler.", why_asks},
    {"__clang*", "`%s` asks for the compiler.", why_asks},
    {"__llvm__", "`%s` asks for the compiler.", why_asks},
    {"__GNUC_*", "`%s` asks for the compiler.", why_asks},
    {"__GNUC__", "`%s` asks for the compiler.", why_asks},
    {"__VERSION__", "`%s` asks for the compiler.", why_asks},
    {"__OPTIMIZE*__", "`%s` asks how the code is compiled.", why_asks},
    {"__NO_INLINE__", "`%s` asks how the code is compiled.", why_asks},
    {0},
};

static const char why_attribute[] =
    "Attributes that switch checks off, or have code run or linked in other places than it "
    "stands, would go behind the back of every check.";

/* Names of attributes, without underscores around them. */
static const char *const attributes[] = {
    "constructor",
    "destructor",
    "init_priority",
    "no_sanitize*",
    "no_address_safety_analysis",
    "no_instrument_function",
    "disable_sanitizer_instrumentation",
    "no_split_stack",
    "ifunc",
    "section",
    "alias",
    "weak",
    "weakref",
    "naked",
    "symver",
    "optimize",
    "optnone",
    "target",
    "target_clones",
    "interrupt",
    "signal",

    "no_profile_instrument_function",
    "asm*",
    NULL,
};

/* The first words after #pragma that change nothing about what is compiled. */
static const char *const pragmas[] = {"once", "STDC", "region", "endregion", "mark", "message", NULL};

/* Reserved words that paste nothing: an expansion need not be looked at for them. */
static const char *const harmless[] = {
    "__func__",    "__FILE__",      "__LINE__",    "__DATE__",    "__TIME__",      "__STDC_*",    "__VA_ARGS__",
    "__VA_OPT__",  "__attribute__", "__attribute", "__builtin_*", "__extension__", "__typeof__",  "__inline*",
    "__restrict*", "__thread",      "__alignof*",  "__atomic_*",  "__sync_*",      "__COUNTER__", NULL,
};

struct look {
    void *context;
    struct workshop *shop;
    struct stage_result *result; /* NULL: only look whether there is anything */
    struct tokens tokens;
    bool found;
};

static void offend(struct look *look, const char *what, const char *why, int line)
{
    look->found = true;
    if (look->result != NULL)
        rules_add(look->context, look->shop, look->result, what, why, line);
}

static bool matches_any(const char *const *patterns, const char *word)
{
    for (; *patterns != NULL; patterns++)
        if (fnmatch(*patterns, word, 0) == 0)
            return true;
    return false;
}

static void check_against(struct look *look, const struct word_rule *rules, const struct token *token)
{
    for (; rules->pattern != NULL; rules++) {
        if (fnmatch(rules->pattern, token->text, 0) != 0)
            continue;
        char *marked = memory_text(look->context, rules->what);
        char *hole = strstr(marked, "%s");
        *hole = '\0';
        offend(look, memory_format(look->context, "%s%s%s", marked, token->text, hole + 2), rules->why, token->line);
        return;
    }
}

/* `->__owner` and its like: a member with a reserved name is inside one of the library's types. */
static bool is_inner_member(const struct look *look, size_t index)
{
    return index > 0 && strncmp(look->tokens.items[index].text, "__", 2) == 0 &&
           (token_is(&look->tokens, index - 1, ".") || token_is(&look->tokens, index - 1, "->"));
}

static void check_word(struct look *look, size_t index)
{
    const struct token *token = &look->tokens.items[index];
    const struct exercise *exercise = look->shop->exercise;

    for (size_t i = 0; i < exercise->word_ban_count; i++)
        if (fnmatch(exercise->word_bans[i].name, token->text, 0) == 0) {
            offend(look, memory_format(look->context, "`%s` may not be used here.", token->text),
                   exercise->word_bans[i].why, token->line);
            return;
        }
    if (is_inner_member(look, index))
        offend(look, memory_format(look->context, "`%s` reaches into the library's own type.", token->text), why_inside,
               token->line);
    else
        check_against(look, compiled_rules, token);
}

/* An attribute's name without the underscores that may stand around it. */
static const char *bare_name(void *context, const char *name)
{
    size_t length = strlen(name);

    if (length > 4 && strncmp(name, "__", 2) == 0 && strcmp(name + length - 2, "__") == 0)
        return memory_text_n(context, name + 2, length - 4);
    return name;
}

/* The attributes between the brackets that open at `index`: `((…))` or `[[…]]`; names stand at depth 2. */
static void check_attributes(struct look *look, size_t index)
{
    int depth = 0;

    for (size_t i = index; i < look->tokens.count; i++) {
        const struct token *token = &look->tokens.items[i];

        if (strchr("([", token->text[0]) != NULL)
            depth++;
        else if (strchr(")]", token->text[0]) != NULL)
            depth--;
        if (depth == 0)
            return;
        if (depth == 2 && token->kind == TOKEN_WORD && matches_any(attributes, bare_name(look->context, token->text)))
            offend(look,
                   memory_format(look->context, "The attribute `%s` is not allowed.",
                                 bare_name(look->context, token->text)),
                   why_attribute, token->line);
    }
}

static bool is_pragma(const struct tokens *tokens, size_t index)
{
    return token_is(tokens, index, "_Pragma") ||
           (tokens->items[index].first && token_is(tokens, index, "#") && token_is(tokens, index + 1, "pragma"));
}

/* `#pragma GCC diagnostic` only chooses warnings, and warnings cost nothing. */
static bool pragma_is_harmless(const struct tokens *tokens, size_t index)
{
    if (index + 2 >= tokens->count || tokens->items[index + 2].first)
        return true;
    if (token_is(tokens, index + 2, "GCC") && token_is(tokens, index + 3, "diagnostic"))
        return true;
    return matches_any(pragmas, tokens->items[index + 2].text);
}

static void check_pragma(struct look *look, size_t index)
{
    const struct token *token = &look->tokens.items[index];

    if (token_is(&look->tokens, index, "#") && pragma_is_harmless(&look->tokens, index))
        return;
    offend(look, "This #pragma is not allowed.",
           "Pragmas change how the compiler reads the rest of the file, and what the checks see of it.", token->line);
}

/* Everything that counts after all macros. */
static void look_at_all(struct look *look)
{
    for (size_t i = 0; i < look->tokens.count; i++) {
        const struct token *token = &look->tokens.items[i];

        if (is_pragma(&look->tokens, i))
            check_pragma(look, i);
        else if (strcmp(token->text, "__attribute__") == 0 || strcmp(token->text, "__attribute") == 0)
            check_attributes(look, i + 1);
        else if (token_is(&look->tokens, i, "[") && token_is(&look->tokens, i + 1, "["))
            check_attributes(look, i);
        else if (token->kind == TOKEN_WORD)
            check_word(look, i);
    }
}

/* `#ifdef __GNUC__` is as true of clang as of gcc; what counts is not told. */
static bool is_mere_test(const struct tokens *tokens, size_t index)
{
    static const char *const tests[] = {"defined", "ifdef", "ifndef", NULL};
    size_t before = index > 0 && token_is(tokens, index - 1, "(") ? index - 1 : index;

    return token_is(tokens, index, "__GNUC__") && before > 0 && matches_any(tests, tokens->items[before - 1].text);
}

/* What is judged as it was written. */
static void look_at_written(struct look *look)
{
    const struct tokens *tokens = &look->tokens;

    for (size_t i = 0; i < tokens->count; i++) {
        const struct token *token = &tokens->items[i];

        if (token->kind == TOKEN_WORD && !is_mere_test(tokens, i))
            check_against(look, written_rules, token);
        if (!token->first || !token_is(tokens, i, "#") || i + 1 >= tokens->count || tokens->items[i + 1].first)
            continue;
        if (tokens->items[i + 1].kind == TOKEN_NUMBER || token_is(tokens, i + 1, "line"))
            offend(look, "A #line directive is not allowed.",
                   "It makes the compiler report other lines than those in the file, so nothing could be shown at its "
                   "place.",
                   token->line);
    }
}

/* Whether macros may make words that do not stand in the file. */
static bool may_paste(const struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        const struct token *token = &tokens->items[i];

        if (token->kind == TOKEN_MARK && strcmp(token->text, "##") == 0)
            return true;
        if (token->kind == TOKEN_WORD && strncmp(token->text, "__", 2) == 0 && !matches_any(harmless, token->text))
            return true;
    }
    return false;
}

static int look_again(struct look *look, struct fault *fault)
{
    const char *text = NULL;

    if (toolchain_preprocess(look->context, look->shop, &text, fault) != 0)
        return -1;
    if (text == NULL) {
        offend(look, "The macros of this file expand to more text than can be looked at.",
               "A file of an exercise is a few kilobytes of C, also after its macros.", 0);
        return 0;
    }
    look->tokens = tokens_of_preprocessed(look->context, text, strlen(text), trace_base_name(look->shop->source));
    look_at_all(look);
    return 0;
}

int rules_words(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    void *scratch = memory_context(NULL);
    struct look look = {.context = scratch, .shop = shop};
    size_t size = 0;
    int looked = -1;

    char *text = files_read(scratch, shop->source, SOURCE_LIMIT_BYTES, &size, fault);
    if (text != NULL) {
        look.tokens = tokens_of_source(scratch, text, size);
        look_at_all(&look); /* only for look.found: no result is given yet */
        bool suspicious = look.found || may_paste(&look.tokens);
        look.context = context;
        look.result = result;
        look_at_written(&look);
        looked = suspicious ? look_again(&look, fault) : 0;
    }
    talloc_free(scratch);
    return looked;
}
