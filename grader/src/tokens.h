/* tokens.h - the words of a C source, as the compiler sees them: without comments, with continued lines joined,
 * trigraphs and digraphs replaced (C17 5.1.1.2, translation phases 1 to 3). Pure functions; any thread.
 */
#ifndef GRADE_TOKENS_H
#define GRADE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
    TOKEN_WORD,   /* identifier or keyword */
    TOKEN_NUMBER, /* preprocessing number */
    TOKEN_STRING, /* with its quotes; also a header's name with its quotes or angle brackets */
    TOKEN_CHARACTER,
    TOKEN_MARK, /* an operator or other punctuation: "->", "##", or one character */
};

struct token {
    enum token_kind kind;
    const char *text;
    int line;       /* from 1, in the file that the student wrote */
    bool first;     /* first on its (joined) line */
    bool directive; /* on a line that begins with # */
};

struct tokens {
    struct token *items;
    size_t count;
};

/* The tokens of a source file. What stands between `#if 0` and its #else, #elif or #endif is left out. Belongs to
 * `context`. Takes any bytes: what is no C gives some tokens or other. */
struct tokens tokens_of_source(void *context, const char *text, size_t size);

/* The student's own tokens in gcc's preprocessed output with line markers: without what comes from headers, and without
 * what macros of system headers stand for. `name` is the student's file as the compiler was told it. Lines are the
 * student's. */
struct tokens tokens_of_preprocessed(void *context, const char *text, size_t size, const char *name);

/* Whether token `index` exists, and is this text. */
bool token_is(const struct tokens *tokens, size_t index, const char *text);

#endif
