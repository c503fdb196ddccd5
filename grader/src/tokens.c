/* The text first goes through phases 1 and 2 (trigraphs, joined lines) into an array of characters with their line
 * numbers; the lexer then sees each joined line as one. Preprocessed text has been through both already. */
#include "tokens.h"

#include "memory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text after phase 2. */
struct plain {
    char *text; /* with a NUL behind it */
    int *lines; /* of each character */
    size_t size;
};

struct lexer {
    void *context;
    struct plain plain;
    size_t at;
    struct tokens tokens;
    bool line_begins; /* no token yet on this joined line */
    bool directive;
    bool include; /* an #include has just been read: a header's name may follow */
    /* preprocessed text */
    const char *name; /* the student's file; NULL: a source */
    bool not_theirs;
    long line_shift; /* added to the line numbers of `plain` */
};

static char trigraph(const char *at, size_t left)
{
    static const char from[] = "=/'()!<>-", to[] = "#\\^[]|{}~";

    if (left < 3 || at[0] != '?' || at[1] != '?' || at[2] == '\0')
        return '\0';
    const char *found = strchr(from, at[2]);
    return found == NULL ? '\0' : to[found - from];
}

/* The length of a line's end behind a backslash, blanks before it included as gcc has it; 0 where none follows. */
static size_t continuation(const char *at, size_t left)
{
    size_t blanks = 0;

    while (blanks < left && strchr(" \t\f\v\r", at[blanks]) != NULL && at[blanks] != '\0')
        blanks++;
    return blanks < left && at[blanks] == '\n' ? blanks + 1 : 0;
}

static struct plain phase_two(void *context, const char *text, size_t size, bool source)
{
    struct plain plain = {
        .text = memory_zeroed(context, size + 1, 1),
        .lines = memory_zeroed(context, size + 1, sizeof *plain.lines),
    };
    int line = 1;

    for (size_t at = 0; at < size;) {
        char replaced = source ? trigraph(text + at, size - at) : '\0';
        char byte = replaced != '\0' ? replaced : text[at];
        size_t length = replaced != '\0' ? 3 : 1;
        size_t joined = source && byte == '\\' ? continuation(text + at + length, size - at - length) : 0;

        at += length + joined;
        if (joined > 0) {
            line++;
            continue;
        }
        plain.text[plain.size] = byte == '\0' ? ' ' : byte;
        plain.lines[plain.size++] = line;
        if (byte == '\n')
            line++;
    }
    return plain;
}

static bool starts(const struct lexer *lexer, const char *text)
{
    return strncmp(lexer->plain.text + lexer->at, text, strlen(text)) == 0;
}

static void add_token(struct lexer *lexer, enum token_kind kind, const char *text, size_t at)
{
    struct tokens *tokens = &lexer->tokens;

    if (lexer->not_theirs)
        return;
    if (tokens->count % 1024 == 0)
        tokens->items = memory_grown(lexer->context, tokens->items, tokens->count + 1024, sizeof *tokens->items);
    tokens->items[tokens->count++] = (struct token){
        .kind = kind,
        .text = text,
        .line = (int)(lexer->plain.lines[at] + lexer->line_shift),
        .first = lexer->line_begins,
        .directive = lexer->directive,
    };
    lexer->line_begins = false;
}

/* Adds what lies between `from` and lexer->at. */
static void add_span(struct lexer *lexer, enum token_kind kind, size_t from)
{
    if (!lexer->not_theirs)
        add_token(lexer, kind, memory_text_n(lexer->context, lexer->plain.text + from, lexer->at - from), from);
}

static bool is_word_start(char byte)
{
    return isalpha((unsigned char)byte) || byte == '_' || byte == '$' || (unsigned char)byte >= 0x80;
}

static bool is_word_part(char byte)
{
    return is_word_start(byte) || isdigit((unsigned char)byte);
}

/* Up to the closing quote, or to the end of the line where there is none. */
static void read_quoted(struct lexer *lexer, char close, enum token_kind kind, bool escapes)
{
    const char *text = lexer->plain.text;
    size_t from = lexer->at++;

    while (text[lexer->at] != '\0' && text[lexer->at] != '\n' && text[lexer->at] != close) {
        if (escapes && text[lexer->at] == '\\' && text[lexer->at + 1] != '\0' && text[lexer->at + 1] != '\n')
            lexer->at++;
        lexer->at++;
    }
    if (text[lexer->at] == close)
        lexer->at++;
    add_span(lexer, kind, from);
}

static void read_number(struct lexer *lexer)
{
    const char *text = lexer->plain.text;
    size_t from = lexer->at++;

    for (;; lexer->at++) {
        char byte = text[lexer->at];
        bool sign = (byte == '+' || byte == '-') && strchr("eEpP", text[lexer->at - 1]) != NULL;
        if (!is_word_part(byte) && byte != '.' && !sign)
            break;
    }
    add_span(lexer, TOKEN_NUMBER, from);
}

static void read_word(struct lexer *lexer)
{
    size_t from = lexer->at;

    while (is_word_part(lexer->plain.text[lexer->at]))
        lexer->at++;
    add_span(lexer, TOKEN_WORD, from);

    if (lexer->not_theirs)
        return;
    const struct tokens *tokens = &lexer->tokens;
    const struct token *word = &tokens->items[tokens->count - 1];
    bool names_header = strcmp(word->text, "include") == 0 || strcmp(word->text, "include_next") == 0 ||
                        strcmp(word->text, "import") == 0;
    lexer->include = names_header && tokens->count >= 2 && word->directive && tokens->items[tokens->count - 2].first;
}

/* The common ones need no copy. */
static void read_mark(struct lexer *lexer)
{
    static const char *const marks[][2] = {
        {";", ";"},  {",", ","},  {"(", "("},  {")", ")"},  {"->", "->"}, {"%:%:", "##"}, {"##", "##"}, {"%:", "#"},
        {"<:", "["}, {":>", "]"}, {"<%", "{"}, {"%>", "}"}, {"{", "{"},   {"}", "}"},     {"[", "["},   {"]", "]"},
        {"=", "="},  {"+", "+"},  {"-", "-"},  {"*", "*"},  {"&", "&"},   {"#", "#"},     {".", "."},   {"<", "<"},
    };
    size_t from = lexer->at;

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (starts(lexer, marks[i][0])) {
            lexer->at += strlen(marks[i][0]);
            if (lexer->line_begins && strcmp(marks[i][1], "#") == 0)
                lexer->directive = true;
            add_token(lexer, TOKEN_MARK, marks[i][1], from);
            return;
        }
    lexer->at++;
    add_span(lexer, TOKEN_MARK, from);
}

static bool skip_comment(struct lexer *lexer)
{
    const char *text = lexer->plain.text;

    if (lexer->name != NULL || text[lexer->at] != '/')
        return false;
    if (text[lexer->at + 1] == '/') {
        while (text[lexer->at] != '\0' && text[lexer->at] != '\n')
            lexer->at++;
        return true;
    }
    if (text[lexer->at + 1] != '*')
        return false;
    const char *end = strstr(text + lexer->at + 2, "*/");
    lexer->at = end == NULL ? lexer->plain.size : (size_t)(end - text) + 2;
    return true;
}

static void read_token(struct lexer *lexer)
{
    char byte = lexer->plain.text[lexer->at];
    char next = lexer->plain.text[lexer->at + 1];
    bool include = lexer->include;

    lexer->include = false;
    if (include && (byte == '<' || byte == '"'))
        read_quoted(lexer, byte == '<' ? '>' : '"', TOKEN_STRING, false);
    else if (byte == '"')
        read_quoted(lexer, '"', TOKEN_STRING, true);
    else if (byte == '\'')
        read_quoted(lexer, '\'', TOKEN_CHARACTER, true);
    else if (isdigit((unsigned char)byte) || (byte == '.' && isdigit((unsigned char)next)))
        read_number(lexer);
    else if (is_word_start(byte))
        read_word(lexer);
    else
        read_mark(lexer);
}

/* A line marker of gcc's: `# 12 "tiny.c" 1 3 4`. False where the line is something else (a #pragma). */
static bool read_marker(struct lexer *lexer)
{
    const char *line = lexer->plain.text + lexer->at;
    char *end = NULL;

    if (lexer->name == NULL || !lexer->line_begins || strncmp(line, "# ", 2) != 0 || !isdigit((unsigned char)line[2]))
        return false;
    long number = strtol(line + 2, &end, 10);
    const char *name = end + strspn(end, " ") + 1;
    const char *stop = end + strcspn(end, "\n");
    const char *quote = stop;
    while (quote > name && *quote != '"')
        quote--;
    size_t length = (size_t)(quote - name);
    bool theirs = length == strlen(lexer->name) && strncmp(name, lexer->name, length) == 0;

    lexer->not_theirs = !theirs || memchr(quote, '3', (size_t)(stop - quote)) != NULL;
    /* The marker gives the number of the line that follows it. */
    lexer->line_shift = number - (lexer->plain.lines[lexer->at] + 1L);
    lexer->at = (size_t)(stop - lexer->plain.text);
    return true;
}

static struct tokens read_all(struct lexer *lexer)
{
    while (lexer->at < lexer->plain.size) {
        char byte = lexer->plain.text[lexer->at];

        if (byte == '\n') {
            lexer->line_begins = true;
            lexer->directive = lexer->include = false;
            lexer->at++;
        } else if (strchr(" \t\f\v\r", byte) != NULL) {
            lexer->at++;
        } else if (!read_marker(lexer) && !skip_comment(lexer)) {
            read_token(lexer);
        }
    }
    return lexer->tokens;
}

/* ---- `#if 0` --------------------------------------------------------------------------------------------------- */

/* Whether the directive that begins at token `index` is this one. */
static bool is_directive(const struct tokens *tokens, size_t index, const char *word)
{
    return tokens->items[index].first && token_is(tokens, index, "#") && token_is(tokens, index + 1, word) &&
           !tokens->items[index + 1].first;
}

static bool is_if_zero(const struct tokens *tokens, size_t index)
{
    return is_directive(tokens, index, "if") && token_is(tokens, index + 2, "0") && !tokens->items[index + 2].first &&
           (index + 3 == tokens->count || tokens->items[index + 3].first);
}

/* Moves the tokens together over what is never compiled. */
static void drop_if_zero(struct tokens *tokens)
{
    size_t kept = 0;
    int depth = 0; /* of #if inside the one being dropped, which is 1; 0: nothing is being dropped */

    for (size_t i = 0; i < tokens->count; i++) {
        bool opens =
            is_directive(tokens, i, "if") || is_directive(tokens, i, "ifdef") || is_directive(tokens, i, "ifndef");
        bool closes = is_directive(tokens, i, "endif");
        bool turns = is_directive(tokens, i, "else") || is_directive(tokens, i, "elif");

        if (depth > 0 && opens)
            depth++;
        else if (depth == 0 && is_if_zero(tokens, i))
            depth = 1;
        else if ((depth > 0 && closes) || (depth == 1 && turns))
            depth--;
        if (depth == 0)
            tokens->items[kept++] = tokens->items[i];
    }
    tokens->count = kept;
}

/* ---- entry points ---------------------------------------------------------------------------------------------- */

struct tokens tokens_of_source(void *context, const char *text, size_t size)
{
    struct lexer lexer = {.context = context, .plain = phase_two(context, text, size, true), .line_begins = true};
    struct tokens tokens = read_all(&lexer);

    drop_if_zero(&tokens);
    return tokens;
}

struct tokens tokens_of_preprocessed(void *context, const char *text, size_t size, const char *name)
{
    struct lexer lexer = {.context = context,
                          .plain = phase_two(context, text, size, false),
                          .line_begins = true,
                          .name = name,
                          .not_theirs = true};

    return read_all(&lexer);
}

bool token_is(const struct tokens *tokens, size_t index, const char *text)
{
    return index < tokens->count && strcmp(tokens->items[index].text, text) == 0;
}
