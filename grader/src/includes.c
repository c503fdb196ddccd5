#include "includes.h"

#include "files.h"
#include "memory.h"
#include "rules.h"
#include "source.h"
#include "tokens.h"
#include "trace.h"

#include <string.h>
#include <unistd.h>

/* Folders of headers that speak to detectors or tests. */
static const char *const refused_folders[] = {"valgrind/", "criterion/", "boxfort", "sanitizer/", NULL};

static bool is_upwards(const char *name)
{
    return strcmp(name, "..") == 0 || strncmp(name, "../", 3) == 0 || strstr(name, "/../") != NULL;
}

/* Whether the name leads to something of the course's or the workshop's own. */
static bool is_ours(void *context, const struct workshop *shop, const char *name)
{
    if (access(memory_format(context, "%s/%s", shop->dir, name), F_OK) == 0)
        return true;
    for (const char **header = toolchain_headers(context, shop); *header != NULL; header++) {
        const char *end = strrchr(*header, '/');
        if (access(memory_format(context, "%.*s/%s", (int)(end - *header), *header, name), F_OK) == 0)
            return true;
    }
    return false;
}

static bool is_contract(void *context, const struct workshop *shop, const char *name)
{
    for (const char **header = toolchain_headers(context, shop); *header != NULL; header++)
        if (strcmp(name, trace_base_name(*header)) == 0)
            return true;
    return false;
}

static bool is_allowed(void *context, const struct workshop *shop, const char *name)
{
    size_t length = strlen(name);

    if (is_contract(context, shop, name))
        return true;
    for (size_t i = 0; refused_folders[i] != NULL; i++)
        if (strncmp(name, refused_folders[i], strlen(refused_folders[i])) == 0)
            return false;
    return length > 2 && strcmp(name + length - 2, ".h") == 0 && name[0] != '/' && !is_upwards(name) &&
           !is_ours(context, shop, name);
}

/* "tiny.h, other.h" */
static char *contract_list(void *context, const struct workshop *shop)
{
    char *list = NULL;

    for (const char **header = toolchain_headers(context, shop); *header != NULL; header++)
        list = memory_append(context, list, "%s%s", list == NULL ? "" : ", ", trace_base_name(*header));
    return list;
}

static char *sentence(void *context, const struct workshop *shop)
{
    return memory_format(context,
                         "An exercise includes headers of the C library and %s, each by its name, and nothing else.",
                         contract_list(context, shop));
}

/* The directive that begins at token `at`, if it is one that includes. */
static void check_directive(void *context, struct workshop *shop, const struct tokens *tokens, size_t at,
                            struct stage_result *result)
{
    const struct token *word = &tokens->items[at + 1];
    const struct token *name = at + 2 < tokens->count ? &tokens->items[at + 2] : NULL;

    if (strcmp(word->text, "include_next") == 0 || strcmp(word->text, "import") == 0) {
        rules_add(context, shop, result, memory_format(context, "#%s is not allowed.", word->text),
                  sentence(context, shop), word->line);
        return;
    }
    if (strcmp(word->text, "include") != 0)
        return;
    if (name == NULL || name->first || name->kind != TOKEN_STRING || strlen(name->text) < 3) {
        rules_add(context, shop, result, "This #include does not name a header.", sentence(context, shop), word->line);
        return;
    }
    const char *bare = memory_text_n(context, name->text + 1, strlen(name->text) - 2);
    if (!is_allowed(context, shop, bare))
        rules_add(context, shop, result, memory_format(context, "`%s` may not be included.", bare),
                  sentence(context, shop), word->line);
}

int includes_check(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    void *scratch = memory_context(NULL);
    size_t size = 0;

    char *text = files_read(scratch, shop->source, SOURCE_LIMIT_BYTES, &size, fault);
    if (text == NULL) {
        talloc_free(scratch);
        return -1;
    }
    struct tokens tokens = tokens_of_source(scratch, text, size);
    for (size_t i = 0; i < tokens.count; i++) {
        const struct token *token = &tokens.items[i];

        if (token->first && token_is(&tokens, i, "#") && i + 1 < tokens.count && !tokens.items[i + 1].first)
            check_directive(context, shop, &tokens, i, result);
        if (token->directive && strncmp(token->text, "__has_include", 13) == 0)
            rules_add(context, shop, result, "A test for a header is not allowed.", sentence(context, shop),
                      token->line);
    }
    talloc_free(scratch);
    return 0;
}
