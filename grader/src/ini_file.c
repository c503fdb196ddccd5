/* ini_file.c - inih with line numbers.
 *
 * inih (as Debian builds it) tells its handler no line number, but it asks a reader function for each line in turn;
 * ours counts them. Lines are handed over whole, so inih's line buffer must grow: ini_use_stack is off for that.
 */
#include "ini_file.h"

#include "files.h"
#include "memory.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 1024 * 1024, LINE_LENGTH_MAX = 16 * 1024 };

struct parse {
    void *context;
    struct ini_file *file;
    const char *rest;  /* what is left of the text */
    int line;          /* the number of the line handed over last */
    bool indented;     /* it began with a space: it may go on with the value before */
    int too_long_line; /* 0: none */
};

/* inih's reader: like fgets, from memory. */
static char *next_line(char *buffer, int size, void *stream)
{
    struct parse *parse = stream;
    size_t length = strcspn(parse->rest, "\n");

    if (*parse->rest == '\0')
        return NULL;
    parse->line++;
    parse->indented = *parse->rest == ' ' || *parse->rest == '\t';
    bool fits = length + 2 <= (size_t)size;
    if (!fits && parse->too_long_line == 0)
        parse->too_long_line = parse->line;
    snprintf(buffer, (size_t)size, "%.*s\n", fits ? (int)length : 0, parse->rest);
    parse->rest += length + (parse->rest[length] == '\n');
    return buffer;
}

static int take(void *user, const char *section, const char *name, const char *value)
{
    struct parse *parse = user;
    struct ini_file *file = parse->file;

    if (parse->indented && file->count > 0 && strcmp(file->entries[file->count - 1].key, name) == 0) {
        struct ini_entry *last = &file->entries[file->count - 1];

        last->value = memory_format(parse->context, "%s %s", last->value, value);
        return 1;
    }
    file->entries = memory_grown(parse->context, file->entries, file->count + 1, sizeof *file->entries);
    file->entries[file->count++] = (struct ini_entry){
        .section = memory_text(parse->context, section),
        .key = memory_text(parse->context, name),
        .value = memory_text(parse->context, value),
        .line = parse->line,
    };
    return 1;
}

int ini_file_read(void *context, const char *path, const char *shown, struct ini_file *file, struct fault *fault)
{
    size_t size;
    char *text = files_read(context, path, FILE_MAX, &size, fault);

    *file = (struct ini_file){.shown = memory_text(context, shown)};
    if (text == NULL)
        return fault_errno(fault, "%s cannot be read", shown);
    if (strlen(text) != size)
        return fault_set(fault, "%s: has a NUL byte in it; it should be a text file.", shown);
    struct parse parse = {.context = context, .file = file, .rest = text};
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_initial_alloc = LINE_LENGTH_MAX;
    ini_max_line = LINE_LENGTH_MAX;
    int wrong = ini_parse_stream(next_line, &parse, take, &parse);
    talloc_free(text);
    if (parse.too_long_line > 0)
        return ini_fault(fault, file, parse.too_long_line, "the line is longer than %d bytes.", LINE_LENGTH_MAX - 2);
    if (wrong < 0)
        return fault_set(fault, "%s cannot be read: out of memory", shown);
    if (wrong > 0)
        return ini_fault(fault, file, wrong, "this is neither [section], key = value, nor a ; comment.");
    return 0;
}

const struct ini_entry *ini_file_find(const struct ini_file *file, const char *section, const char *key)
{
    for (size_t i = file->count; i > 0; i--) {
        const struct ini_entry *entry = &file->entries[i - 1];

        if (strcmp(entry->section, section) == 0 && strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

int ini_fault(struct fault *fault, const struct ini_file *file, int line, const char *format, ...)
{
    va_list arguments;
    char words[sizeof fault->text];

    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return fault_set(fault, "%s:%d: %s", file->shown, line, words);
}

const char **ini_words(void *context, const char *value, size_t *count)
{
    const char **words = memory_zeroed(context, strlen(value) / 2 + 2, sizeof *words);
    static const char spaces[] = " \t\r";

    *count = 0;
    for (const char *at = value + strspn(value, spaces); *at != '\0'; at += strspn(at, spaces)) {
        size_t length = strcspn(at, spaces);

        words[(*count)++] = memory_text_n(context, at, length);
        at += length;
    }
    return words;
}
