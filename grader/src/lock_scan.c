/* lock_scan.c - one pass over the tokens that matter: braces, semicolons, identifiers and the calls among them.
 */
#include "lock_scan.h"

#include "memory.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

struct taken {
    struct held_lock lock;
    int depth;    /* of the block that took it */
    int released; /* depth of the block that released it; 0: held */
};

struct scan {
    void *context;
    const char *at;
    int line;
    int depth;
    struct taken taken[LOCK_SCAN_MAX];
    size_t count;
    bool certain;
    bool statement_begins; /* the next identifier is the first of a statement */
    bool jumps[DEPTH_MAX]; /* by depth: the block's latest statement leaves it for good */
};

enum effect { EFFECT_NONE, EFFECT_TAKE, EFFECT_RELEASE, EFFECT_OTHER };

static enum effect call_effect(const char *name, size_t length)
{
    static const struct {
        const char *name;
        enum effect effect;
    } calls[] = {
        {"pthread_mutex_lock", EFFECT_TAKE},       {"pthread_mutex_trylock", EFFECT_TAKE},
        {"pthread_mutex_timedlock", EFFECT_TAKE},  {"pthread_mutex_unlock", EFFECT_RELEASE},
        {"pthread_rwlock_rdlock", EFFECT_TAKE},    {"pthread_rwlock_wrlock", EFFECT_TAKE},
        {"pthread_rwlock_tryrdlock", EFFECT_TAKE}, {"pthread_rwlock_trywrlock", EFFECT_TAKE},
        {"pthread_rwlock_unlock", EFFECT_RELEASE}, {"pthread_spin_lock", EFFECT_TAKE},
        {"pthread_spin_unlock", EFFECT_RELEASE},   {"pthread_mutex_init", EFFECT_OTHER},
        {"pthread_mutex_destroy", EFFECT_OTHER},   {"pthread_rwlock_init", EFFECT_OTHER},
    };

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strlen(calls[i].name) == length && memcmp(calls[i].name, name, length) == 0)
            return calls[i].effect;
    return EFFECT_NONE;
}

/* ---- passing over what is no code -------------------------------------------------------------------------------- */

static const char *past_quoted(const char *at, int *line)
{
    char quote = *at++;

    while (*at != '\0' && *at != quote && *at != '\n') {
        if (at[0] == '\\' && at[1] != '\0') {
            at++;
            *line += *at == '\n';
        }
        at++;
    }
    return *at == quote ? at + 1 : at;
}

static const char *past_block_comment(const char *at, int *line)
{
    for (at += 2; *at != '\0'; at++) {
        if (at[0] == '*' && at[1] == '/')
            return at + 2;
        *line += *at == '\n';
    }
    return at;
}

/* To the end of the line, and on where it ends in a backslash: line comments and preprocessor directives. */
static const char *past_line(const char *at, int *line)
{
    while (*at != '\0' && *at != '\n') {
        if (at[0] == '\\' && at[1] == '\n') {
            at++;
            ++*line;
        }
        at++;
    }
    return at;
}

/* Past one thing that is no code, or `at` itself where code stands there. */
static const char *past_blank(const char *at, int *line)
{
    if (*at == '\n') {
        ++*line;
        return at + 1;
    }
    if (isspace((unsigned char)*at))
        return at + 1;
    if (at[0] == '/' && at[1] == '*')
        return past_block_comment(at, line);
    if ((at[0] == '/' && at[1] == '/') || *at == '#')
        return past_line(at, line);
    if (*at == '"' || *at == '\'')
        return past_quoted(at, line);
    return at;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* The first argument of the call whose name ends at `at`, without blanks and a leading '&'; NULL where no call follows.
 */
static char *first_argument(void *context, const char *at)
{
    char text[256];
    size_t length = 0;
    int depth = 0;

    at += strspn(at, " \t\n");
    if (*at++ != '(')
        return NULL;
    for (; *at != '\0' && length + 1 < sizeof text; at++) {
        if (depth == 0 && (*at == ',' || *at == ')'))
            break;
        depth += (*at == '(' || *at == '[') - (*at == ')' || *at == ']');
        if (!isspace((unsigned char)*at))
            text[length++] = *at;
    }
    text[length] = '\0';
    return memory_text(context, text + (text[0] == '&'));
}

static void lock_take(struct scan *scan, const char *expression)
{
    if (scan->count == LOCK_SCAN_MAX) {
        scan->certain = false;
        return;
    }
    scan->taken[scan->count++] = (struct taken){{expression, scan->line}, scan->depth, 0};
}

/* Releases the lock of that name that was taken last. A release of what the function did not take is a caller's lock
 * given back: nothing is plain any more. */
static void lock_release(struct scan *scan, const char *expression)
{
    for (size_t i = scan->count; i-- > 0;) {
        struct taken *taken = &scan->taken[i];

        if (taken->released == 0 && strcmp(taken->lock.expression, expression) == 0) {
            taken->released = scan->depth;
            return;
        }
    }
    scan->certain = false;
}

static bool name_is(const char *name, size_t length, const char *wanted)
{
    return strlen(wanted) == length && memcmp(name, wanted, length) == 0;
}

static bool leaves_block(const char *name, size_t length)
{
    return name_is(name, length, "return") || name_is(name, length, "goto") || name_is(name, length, "break") ||
           name_is(name, length, "continue") || name_is(name, length, "abort") || name_is(name, length, "exit") ||
           name_is(name, length, "pthread_exit");
}

static void identifier_read(struct scan *scan, size_t length)
{
    const char *name = scan->at;
    enum effect effect = call_effect(name, length);

    if (scan->statement_begins && scan->depth < DEPTH_MAX)
        scan->jumps[scan->depth] = leaves_block(name, length);
    scan->statement_begins = false;
    if (effect != EFFECT_TAKE && effect != EFFECT_RELEASE)
        return;
    const char *expression = first_argument(scan->context, name + length);
    if (expression == NULL)
        return;
    if (effect == EFFECT_TAKE)
        lock_take(scan, expression);
    else
        lock_release(scan, expression);
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

static void block_open(struct scan *scan)
{
    if (scan->depth++ == 0) {
        scan->count = 0;
        scan->certain = true;
    }
    if (scan->depth < DEPTH_MAX)
        scan->jumps[scan->depth] = false;
    scan->statement_begins = true;
}

/* A block that ends in a jump is not on the way to what follows: what it did to locks is undone. Otherwise it may or
 * may not have been run, so what it changed is uncertain. */
static void block_close(struct scan *scan)
{
    bool jumps = scan->depth < DEPTH_MAX && scan->jumps[scan->depth];
    size_t kept = 0;

    for (size_t i = 0; i < scan->count; i++) {
        struct taken taken = scan->taken[i];

        if (taken.depth == scan->depth) {
            scan->certain = scan->certain && (jumps || taken.released != 0);
            continue;
        }
        if (taken.released == scan->depth) {
            scan->certain = scan->certain && jumps;
            taken.released = jumps ? 0 : scan->depth - 1;
        }
        scan->taken[kept++] = taken;
    }
    scan->count = kept;
    if (scan->depth > 0)
        scan->depth--;
    scan->statement_begins = true;
}

static size_t identifier_length(const char *at)
{
    size_t length = 0;

    if (!isalpha((unsigned char)*at) && *at != '_')
        return 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return length;
}

static void token_read(struct scan *scan)
{
    size_t length = identifier_length(scan->at);

    if (length > 0) {
        identifier_read(scan, length);
        scan->at += length;
        return;
    }
    if (*scan->at == '{')
        block_open(scan);
    else if (*scan->at == '}')
        block_close(scan);
    else if (*scan->at == ';')
        scan->statement_begins = true;
    else if (isdigit((unsigned char)*scan->at))
        while (isalnum((unsigned char)scan->at[1]))
            scan->at++;
    scan->at++;
}

static struct lock_scan scan_result(const struct scan *scan)
{
    struct lock_scan result = {.certain = scan->certain && scan->depth > 0};

    for (size_t i = 0; i < scan->count; i++)
        if (scan->taken[i].released == 0)
            result.held[result.count++] = scan->taken[i].lock;
    return result;
}

struct lock_scan lock_scan_at(void *context, const char *source, int line, bool inclusive)
{
    struct scan scan = {.context = context, .at = source, .line = 1, .certain = true, .statement_begins = true};

    while (*scan.at != '\0' && scan.line <= line) {
        const char *next = past_blank(scan.at, &scan.line);

        if (next != scan.at) {
            scan.at = next;
            continue;
        }
        if (scan.line >= line && !inclusive)
            break;
        /* On the line itself, what is taken was taken before what happens there, and given back after it. */
        if (scan.line == line &&
            (*scan.at == '}' || call_effect(scan.at, identifier_length(scan.at)) == EFFECT_RELEASE))
            break;
        token_read(&scan);
    }
    return scan_result(&scan);
}

bool lock_call_at(void *context, const char *source, int line, const char **call, const char **expression)
{
    int here = 1;

    while (*source != '\0' && here <= line) {
        const char *next = past_blank(source, &here);
        size_t length = next == source ? identifier_length(source) : 0;

        if (length > 0 && here == line && call_effect(source, length) != EFFECT_NONE) {
            *call = memory_text_n(context, source, length);
            *expression = first_argument(context, source + length);
            return *expression != NULL;
        }
        source = next != source ? next : source + (length > 0 ? length : 1);
    }
    return false;
}
