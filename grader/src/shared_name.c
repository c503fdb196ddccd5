/* shared_name.c - a line is cut into chains: an identifier with what hangs on it by `->`, `.` and `[…]`.
 */
#include "shared_name.h"

#include "memory.h"

#include <ctype.h>
#include <string.h>

enum { CHAINS_MAX = 24 };

struct chain {
    const char *text; /* without blanks */
    const char *key;  /* its last member, or the plain identifier: what is compared */
    bool target;      /* it is assigned here */
    bool updated;     /* … from its own old value: ++, --, += */
};

struct chains {
    struct chain list[CHAINS_MAX];
    size_t count;
};

static bool begins_name(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static const char *past_spaces(const char *at)
{
    return at + strspn(at, " \t");
}

/* Past "[…]", with what is nested; `at` is at the '['. */
static const char *past_index(const char *at)
{
    int depth = 0;

    for (; *at != '\0'; at++) {
        depth += (*at == '[') - (*at == ']');
        if (depth == 0)
            return at + 1;
    }
    return at;
}

/* Past the identifier and all that hangs on it; `*key` is where its last name begins. */
static const char *past_chain(const char *at, const char **key)
{
    *key = at;
    while (in_name(*at))
        at++;
    for (;;) {
        const char *next = past_spaces(at);
        size_t joint = next[0] == '.' ? 1 : next[0] == '-' && next[1] == '>' ? 2 : 0;

        if (next[0] == '[') {
            at = past_index(next);
        } else if (joint > 0 && begins_name(*past_spaces(next + joint))) {
            at = past_spaces(next + joint);
            *key = at;
            while (in_name(*at))
                at++;
        } else {
            return at;
        }
    }
}

static char *without_spaces(void *context, const char *from, const char *to)
{
    char *text = memory_text_n(context, from, (size_t)(to - from));
    char *end = text;

    for (const char *at = text; *at != '\0'; at++)
        if (!isspace((unsigned char)*at))
            *end++ = *at;
    *end = '\0';
    return text;
}

/* The operator behind a chain: 0 none, 1 plain assignment, 2 an update. */
static int assignment_at(const char *at)
{
    static const char *const updates[] = {"++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="};

    at = past_spaces(at);
    for (size_t i = 0; i < sizeof updates / sizeof updates[0]; i++)
        if (strncmp(at, updates[i], strlen(updates[i])) == 0)
            return 2;
    return at[0] == '=' && at[1] != '=';
}

/* What stands before a chain, blanks left out; NUL at the start of the line. */
static char char_before(const char *line, const char *at, int back)
{
    while (at > line) {
        at--;
        if (!isspace((unsigned char)*at) && back-- == 0)
            return *at;
    }
    return '\0';
}

/* The word that ends just before `at`, blanks left out, is one that an expression may follow. */
static bool after_keyword(const char *line, const char *at)
{
    static const char *const keywords[] = {"return", "else", "case", "do", "sizeof", "goto"};

    while (at > line && isspace((unsigned char)at[-1]))
        at--;
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        size_t length = strlen(keywords[i]);
        const char *begin = (size_t)(at - line) < length ? NULL : at - length;

        if (begin != NULL && memcmp(begin, keywords[i], length) == 0 && (begin == line || !in_name(begin[-1])))
            return true;
    }
    return false;
}

/* In "long v = …" and "struct x *p = …" the name is a new variable, which nobody else knows. */
static bool is_declared(const char *line, const char *at)
{
    char before = char_before(line, at, 0);

    if (before == '*') {
        while (at > line && *at != '*')
            at--;
        before = char_before(line, at, 0);
    }
    return in_name(before) && !after_keyword(line, at);
}

static void chain_add(void *context, struct chains *chains, const char *line, const char *from, const char *to,
                      const char *key)
{
    char before = char_before(line, from, 0);
    bool stepped =
        (before == '+' && char_before(line, from, 1) == '+') || (before == '-' && char_before(line, from, 1) == '-');
    int assigned = stepped ? 2 : assignment_at(to);
    bool behind_bracket = before == '>' || before == '.'; /* the rest of "(*c)->value" */

    if (chains->count == CHAINS_MAX || *past_spaces(to) == '(' || before == '&' || behind_bracket ||
        is_declared(line, from))
        return;
    bool through = before == '*' && assigned != 0;
    char *text = without_spaces(context, from, to);
    chains->list[chains->count++] = (struct chain){
        .text = through ? memory_format(context, "*%s", text) : text,
        .key = memory_text_n(context, key, strcspn(key, " \t[.-=+*/%&|^<>;,)")),
        .target = assigned != 0,
        .updated = assigned == 2,
    };
}

static struct chains chains_of(void *context, const char *line)
{
    struct chains chains = {.count = 0};
    const char *at = line;

    while (*at != '\0' && strncmp(at, "//", 2) != 0 && strncmp(at, "/*", 2) != 0) {
        const char *key;

        if (*at == '"') {
            at += 1 + strcspn(at + 1, "\"");
            at += *at == '"';
        } else if (begins_name(*at)) {
            const char *end = past_chain(at, &key);
            const char *index = memchr(at, '[', (size_t)(end - at));

            chain_add(context, &chains, line, at, end, key);
            at = index != NULL ? index + 1 : end; /* what stands in the brackets has chains of its own */
        } else {
            at += isdigit((unsigned char)*at) ? strspn(at, "0123456789abcdefxABCDEFXuUlL.") : 1;
        }
    }
    return chains;
}

static bool chain_fits(const struct chains *chains, const char *key, bool write)
{
    for (size_t i = 0; i < chains->count; i++)
        if (strcmp(chains->list[i].key, key) == 0 && (!write || chains->list[i].target))
            return true;
    return false;
}

const char *shared_name(void *context, struct access_line one, struct access_line other)
{
    const char *name = NULL;
    const char *name_key = NULL;

    if (one.text == NULL || other.text == NULL)
        return NULL;
    struct chains first = chains_of(context, one.text);
    struct chains second = chains_of(context, other.text);
    for (size_t i = 0; i < first.count; i++) {
        const struct chain *chain = &first.list[i];

        if ((one.write && !chain->target) || !chain_fits(&second, chain->key, other.write))
            continue;
        if (name_key != NULL && strcmp(name_key, chain->key) != 0)
            return NULL;
        name = name == NULL ? chain->text : name;
        name_key = chain->key;
    }
    return name;
}

bool shared_name_is_updated(void *context, const char *line, const char *name)
{
    struct chains chains = chains_of(context, line);
    bool assigned = false;
    int uses = 0;

    for (size_t i = 0; i < chains.count; i++)
        if (strcmp(chains.list[i].text, name) == 0) {
            uses++;
            assigned = assigned || chains.list[i].target;
            if (chains.list[i].target && chains.list[i].updated)
                return true;
        }
    return assigned && uses > 1;
}
