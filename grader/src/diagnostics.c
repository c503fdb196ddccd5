#include "diagnostics.h"

#include "memory.h"
#include "trace.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Counts, and keeps errors rather than warnings where there are too many. */
static void add(void *context, struct diagnostics *all, struct diagnostic diagnostic)
{
    size_t at = all->count;

    if (diagnostic.error)
        all->errors++;
    else
        all->warnings++;
    if (all->items == NULL)
        all->items = memory_zeroed(context, DIAGNOSTICS_MAX, sizeof *all->items);
    if (at == DIAGNOSTICS_MAX) {
        while (diagnostic.error && at > 0 && all->items[at - 1].error)
            at--;
        if (!diagnostic.error || at == 0)
            return;
        at--;
    } else {
        all->count++;
    }
    all->items[at] = diagnostic;
}

/* The option named in " [-Wx]", "[-Werror=x]" (gcc) or "[-Werror,-Wx]" (clang): "-Wx". */
static const char *option_of(void *context, const char *brackets)
{
    static const char gcc[] = " [-Werror=", clang[] = " [-Werror,";

    if (strncmp(brackets, gcc, strlen(gcc)) == 0) {
        brackets += strlen(gcc);
        return memory_format(context, "-W%.*s", (int)strcspn(brackets, "]"), brackets);
    }
    brackets += strncmp(brackets, clang, strlen(clang)) == 0 ? strlen(clang) : 2;
    return memory_text_n(context, brackets, strcspn(brackets, "]"));
}

/* Where the first of the marks is that stand between a place and what is said of it; NULL where there is none. */
static const char *find_mark(const char *line, size_t *length, bool *error)
{
    static const char *const marks[] = {": error: ", ": fatal error: ", ": internal compiler error: ", ": warning: "};
    const char *first = NULL;

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *found = strstr(line, marks[i]);
        if (found == NULL || (first != NULL && found > first))
            continue;
        first = found;
        *length = strlen(marks[i]);
        *error = strcmp(marks[i], ": warning: ") != 0;
    }
    return first;
}

/* One line; false where it is something else, such as what the driver says of the compiler. */
static bool read_line(void *context, const char *line, struct diagnostic *diagnostic)
{
    size_t length = 0;
    bool error = false;
    const char *mark = find_mark(line, &length, &error);
    const char *colon = strchr(line, ':');

    if (mark == NULL || colon >= mark || !isdigit((unsigned char)colon[1]))
        return false;
    const char *text = mark + length;
    const char *brackets = NULL;
    for (const char *next = strstr(text, " [-W"); next != NULL; next = strstr(next + 1, " [-W"))
        brackets = next;

    *diagnostic = (struct diagnostic){
        .error = error,
        .file = trace_base_name(memory_text_n(context, line, (size_t)(colon - line))),
        .line = (int)strtol(colon + 1, NULL, 10),
        .text = brackets == NULL ? memory_text(context, text) : memory_text_n(context, text, (size_t)(brackets - text)),
        .option = brackets == NULL ? NULL : option_of(context, brackets),
    };
    return true;
}

struct diagnostics diagnostics_read(void *context, const char *words)
{
    struct diagnostics all = {0};
    char *rest = NULL;

    for (char *line = strtok_r(memory_text(context, words), "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        struct diagnostic diagnostic;
        if (read_line(context, line, &diagnostic))
            add(context, &all, diagnostic);
    }
    return all;
}

/* ---- what a teacher adds --------------------------------------------------------------------------------------- */

struct lesson {
    const char *option; /* the warning's, or NULL: any */
    const char *words;  /* in the compiler's sentence, or NULL: any */
    const char *lesson;
};

/* The first that fits speaks. */
static const struct lesson lessons[] = {
    {"-Wimplicit-function-declaration", "usleep", "POSIX no longer has usleep; nanosleep does the same."},
    {"-Wimplicit-function-declaration", "‘asm’", "These exercises are in C; there is no inline assembly in it."},
    {"-Wimplicit-function-declaration", "_np’", "A name that ends in _np is not portable: POSIX does not have it."},
    {"-Wimplicit-function-declaration", "pthread_",
     "Is pthread.h included, and the name spelled as the manual page has "
     "it? (man pthreads)"},
    {"-Wimplicit-function-declaration", NULL,
     "A function must be declared before it is called: is its header included, and is the name spelled right? A "
     "function of "
     "your own must stand above its first call."},
    {"-Wimplicit-int", NULL, "The type is missing; C no longer takes int for granted."},
    {"-Wint-conversion", NULL,
     "A number is used where an address is wanted, or the other way round: an & or a * is missing or "
     "too many."},
    {"-Wincompatible-pointer-types", "pthread_create",
     "pthread_create wants a function that takes a void * and returns a "
     "void *."},
    {"-Wincompatible-pointer-types", NULL,
     "The two addresses are of different types. What is behind one is not what the other expects; check for an & or a "
     "* too "
     "many, and the header for what the function takes."},
    {"-Wunused-variable", NULL, "It is never used. Was something meant to be done with it?"},
    {"-Wunused-but-set-variable", NULL,
     "A value is put into it and never read. Was something meant to be done with it?"},
    {"-Wunused-parameter", NULL, "The function does not use it. A `(void)name;` says that this is on purpose."},
    {"-Wunused-function", NULL, "Nobody calls this function."},
    {"-Wunused-value", NULL, "The value is worked out and thrown away. Was = meant?"},
    {"-Wreturn-type", NULL,
     "The function promises a value, and here it gives none; the caller gets whatever happens to be there."},
    {"-Wmaybe-uninitialized", NULL, "On some way through the function nothing has been put into it yet."},
    {"-Wuninitialized", NULL, "Nothing has been put into it yet; its value is whatever happens to be there."},
    {"-Wsometimes-uninitialized", NULL, "On some way through the function nothing has been put into it yet."},
    {"-Wsign-compare", NULL,
     "One side can be negative and the other cannot; a negative number then counts as a very large one."},
    {"-Wparentheses", "assignment", "= assigns, == compares."},
    {"-Wparentheses", NULL, "Put parentheses around what belongs together."},
    {"-Wimplicit-fallthrough", NULL, "Without a break the next case runs too."},
    {"-Wformat", NULL, "The format and the argument behind it must be of one type."},
    {"-Wmissing-field-initializers", NULL, "The other fields become 0. Fine, if that is meant."},
    {"-Wdiscarded-qualifiers", NULL, "What was promised not to change (const) would be open to change."},
    {"-Wmisleading-indentation", NULL,
     "The indentation says one thing and the braces another; the compiler goes by the braces."},
    {"-Wempty-body", NULL, "A ; right behind the condition ends the statement."},
    {"-Wstringop-overflow", NULL, "More would be written than there is room for."},
    {"-Warray-bounds", NULL, "This is outside the array."},
    {"-Wuse-after-free", NULL, "The memory is no longer yours once it is freed."},
    {"-Wfree-nonheap-object", NULL, "Only what malloc, calloc or realloc gave may be freed."},
    {"-Wnonnull", NULL, "This argument must not be NULL."},
    {NULL, "No such file",
     "Is the header's name spelled right? The exercise's own header has the name of the exercise."},
    {NULL, "file not found",
     "Is the header's name spelled right? The exercise's own header has the name of the exercise."},
    {NULL, "expected ‘;’", "A statement ends with a semicolon; it is missing just before this place."},
    {NULL, "expected ';'", "A statement ends with a semicolon; it is missing just before this place."},
    {NULL, "expected declaration or statement at end of input",
     "A brace was opened and never closed. It may be far above; "
     "the indentation may show where."},
    {NULL, "expected identifier or ‘(’", "There may be a brace too many above, which ended the function early."},
    {NULL, "expected ‘)’", "A parenthesis was opened and not closed, or a comma or an operator is missing."},
    {NULL, "expected expression", "Something is missing where a value should stand."},
    {NULL, "expected ‘=’, ‘,’, ‘;’, ‘asm’", "A semicolon is missing above, or a type's name is misspelled."},
    {NULL, "undeclared",
     "The name is not known here: is it spelled right, declared above and in the same block, and is its "
     "header included?"},
    {NULL, "unknown type name", "Is the type's header included, and does `struct` stand before the name of a struct?"},
    {NULL, "has no member named", "The struct has no such field. Its definition is further up in this file."},
    {NULL, "invalid use of undefined type",
     "The struct's fields are not known here: its definition must stand above, in this file."},
    {NULL, "incomplete type", "The struct's fields are not known here: its definition must stand above, in this file."},
    {NULL, "did you mean to use ‘->’", ". takes a field of a struct, -> of what an address points to."},
    {NULL, "request for member", ". takes a field of a struct, -> of what an address points to."},
    {NULL, "invalid type argument of", "Only an address can be followed with * or ->."},
    {NULL, "too few arguments", "The header says what the function takes."},
    {NULL, "too many arguments", "The header says what the function takes."},
    {NULL, "conflicting types",
     "The header declares this function otherwise; definition and declaration must agree word for word."},
    {NULL, "redefinition of", "It is defined twice."},
    {NULL, "redeclar", "The name is declared twice in one block."},
    {NULL, "incompatible type", "A value of one type cannot become one of the other."},
    {NULL, "lvalue required", "Only a variable, a field or an element can be assigned to. Was == meant?"},
    {NULL, "void value not ignored", "The function returns nothing that could be used."},
    {NULL, "static declaration of", "The header promises this function to others, so it cannot be static."},
    {NULL, "read-only", "It was declared const: a promise not to change it."},
    {NULL, "stray ‘", "This character has no meaning in C here; it may have come along with copied text."},
    {NULL, "missing terminating", "A quotation mark was opened and not closed on this line."},
    {NULL, "unterminated", "It was opened and never closed."},
    {NULL, "storage size", "The struct's fields are not known here: its definition must stand above, in this file."},
    {NULL, "function definition is not allowed", "C has no functions inside functions; a brace above may be missing."},
    {NULL, "is too large", "No array can have that many elements."},
    {NULL, "too deeply", "A file that includes itself never ends."},
    {NULL, NULL, NULL},
};

const char *diagnostics_lesson(const struct diagnostic *diagnostic)
{
    for (const struct lesson *lesson = lessons; lesson->lesson != NULL; lesson++) {
        bool option =
            lesson->option == NULL ||
            (diagnostic->option != NULL && strncmp(diagnostic->option, lesson->option, strlen(lesson->option)) == 0);
        if (option && (lesson->words == NULL || strstr(diagnostic->text, lesson->words) != NULL))
            return lesson->lesson;
    }
    return NULL;
}
