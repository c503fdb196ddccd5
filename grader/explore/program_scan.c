/* program_scan.c - see program_scan.h.
 *
 * Both compilers put inline assembly between the comments #APP and #NO_APP (clang for AArch64: //APP, //NO_APP), and
 * say the source line before: in a comment `# 12 "file.c"` of the block itself (gcc) or in the .loc directive before
 * it.
 */
#include "program_scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scan {
    bool inside;
    int line; /* of the C file */
};

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && strncmp(text, word, length) == 0;
}

/* Instructions that change no memory and no flow. */
static bool is_harmless(const char *text, size_t length)
{
    static const char *const words[] = {"pause", "rep", "nop", "mfence", "lfence", "sfence", "yield", "isb"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        if (is_word(text, length, words[i]))
            return true;
    return false;
}

/* Directives and labels; but for those of bytes, which may be instructions. */
static bool is_directive(const char *text, size_t length)
{
    static const char *const data[] = {".byte", ".2byte", ".4byte", ".8byte", ".short", ".hword", ".word",  ".value",
                                       ".int",  ".long",  ".quad",  ".octa",  ".xword", ".inst",  ".ascii", ".incbin"};
    for (unsigned i = 0; i < sizeof data / sizeof data[0]; i++)
        if (is_word(text, length, data[i]))
            return false;
    return *text == '.' || text[length - 1] == ':';
}

/* One statement of an assembly block: does it do anything? */
static bool does_something(const char *text, size_t length)
{
    while (length && strchr(" \t", *text)) {
        text++;
        length--;
    }
    if (length == 0 || *text == '#' || strncmp(text, "//", 2) == 0)
        return false;
    size_t word = strcspn(text, " \t");
    if (word > length)
        word = length;
    if (is_word(text, word, "rep")) /* "rep nop" is the old spelling of "pause"; "rep movsb" is none */
        return word < length && does_something(text + word, length - word);
    if (is_word(text, word, "dmb") || is_word(text, word, "dsb"))
        return false;
    return !is_harmless(text, word) && !is_directive(text, word);
}

static bool line_does_something(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, ";\n");
        if (does_something(text, length))
            return true;
        text += length + (text[length] != '\0');
    }
    return false;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_comment(const char *text, const char *with)
{
    return (*text == '#' && begins(text + 1, with)) || (begins(text, "//") && begins(text + 2, with));
}

/* Returns false at an instruction that we cannot follow. */
static bool scan_line(struct scan *scan, const char *text)
{
    int line;
    while (*text == ' ' || *text == '\t')
        text++;
    if (begins(text, "#APP") || begins(text, "//APP") || is_comment(text, " Start of file scope inline assembly"))
        scan->inside = true;
    else if (begins(text, "#NO_APP") || begins(text, "//NO_APP") ||
             is_comment(text, " End of file scope inline assembly"))
        scan->inside = false;
    else if (sscanf(text, ".loc %*d %d", &line) == 1 || (scan->inside && sscanf(text, "# %d \"", &line) == 1))
        scan->line = line ? line : scan->line;
    else if (scan->inside)
        return !line_does_something(text);
    return true;
}

int scan_assembly(const char *assembly, const char *source)
{
    FILE *file = fopen(assembly, "re");
    if (!file) {
        fprintf(stderr, "interleave: %s: %s\n", assembly, strerror(errno));
        return -1;
    }
    struct scan scan = {.line = 0};
    char *text = NULL;
    size_t room = 0;
    bool good = true;
    while (good && getline(&text, &room, file) > 0)
        good = scan_line(&scan, text);
    if (!good) {
        text[strcspn(text, ";\n")] = '\0';
        fprintf(stderr, "interleave: %s:%d: inline assembly (%s), which the explorer cannot see into\n", source,
                scan.line, text + strspn(text, " \t"));
    }
    free(text);
    fclose(file);
    return good ? 0 : -1;
}
