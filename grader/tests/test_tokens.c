/* test_tokens.c - the words of a source, as the compiler sees them. */
#include "memory.h"
#include "tokens.h"

#include <criterion/criterion.h>
#include <string.h>

/* The tokens of `text`, with a space between them. */
static char *words(const char *text)
{
    void *context = memory_context(NULL);
    struct tokens tokens = tokens_of_source(context, text, strlen(text));
    char *list = memory_text(NULL, "");

    for (size_t i = 0; i < tokens.count; i++)
        list = memory_append(NULL, list, "%s%s", i == 0 ? "" : " ", tokens.items[i].text);
    talloc_free(context);
    return list;
}

static void gives(const char *text, const char *expected)
{
    char *found = words(text);

    cr_expect_str_eq(found, expected, "“%s” gave “%s”, not “%s”", text, found, expected);
    talloc_free(found);
}

Test(tokens, words_numbers_marks)
{
    gives("int a1=0x1p-3+.5e+2;", "int a1 = 0x1p-3 + .5e+2 ;");
    gives("p->__owner a.b", "p -> __owner a . b");
    gives("a##b # c", "a ## b # c");
    gives("x$y ä_z", "x$y ä_z");
    gives("0x__asm__", "0x__asm__"); /* one number, and no word */
}

Test(tokens, comments_are_no_words)
{
    gives("a /* asm \" ' */ b // c \\\n d\ne", "a b e");
    gives("a /* never closed", "a");
    gives("a / b /c", "a / b / c");
}

Test(tokens, strings_are_one_token)
{
    gives("\"a /* b \\\" c\" d", "\"a /* b \\\" c\" d");
    gives("'\"' e '\\'' f", "'\"' e '\\'' f");
    gives("\"open\nnext", "\"open next"); /* an open quote ends with its line */
    gives("L\"x\"", "L \"x\"");
}

Test(tokens, joined_lines_and_trigraphs)
{
    gives("__as\\\nm__", "__asm__");
    gives("__as\\  \nm__", "__asm__"); /* gcc joins over blanks too */
    gives("__as\\\r\nm__", "__asm__");
    gives("?\?=include <a.h>", "# include <a.h>");
    gives("__as?\?/\nm__", "__asm__");
    gives("\"?\?/\"\" x", "\"\\\"\" x");
    gives("a?"
          "?b",
          "a ? ? b");
    gives("/\\\n* gone *\\\n/ b", "b");
}

Test(tokens, digraphs)
{
    gives("%:define A(x) x%:%:x", "# define A ( x ) x ## x");
    gives("a<:0:> <%%>", "a [ 0 ] { }");
}

Test(tokens, names_of_headers)
{
    gives("#include <sys//types.h>\n", "# include <sys//types.h>");
    gives("# /* x */ include /* y */ \"a\\b.h\"\n", "# include \"a\\b.h\"");
    gives("#include WHERE", "# include WHERE");
    gives("include <a> b", "include < a > b"); /* no directive */
}

Test(tokens, what_is_never_compiled_is_left_out)
{
    gives("a\n#if 0\nb ' c\n#if 1\nd\n#else\ne\n#endif\nf\n#endif\ng", "a # endif g");
    gives("#if 0\nb\n#else\nc\n#endif\n", "# else c # endif");
    gives("#if 0\nb\n#elif X\nc\n#endif\n", "# elif X c # endif");
    gives("#if 00\nb\n#endif", "# if 00 b # endif");
    gives("#if 0 + 1\nb\n#endif", "# if 0 + 1 b # endif");
}

Test(tokens, lines_and_places)
{
    static const char text[] = "a\nb\\\nc d\n  # define x y\nz";
    void *context = memory_context(NULL);
    struct tokens tokens = tokens_of_source(context, text, strlen(text));
    static const struct {
        const char *text;
        int line;
        bool first, directive;
    } expected[] = {{"a", 1, true, false},      {"bc", 2, true, false}, {"d", 3, false, false}, {"#", 4, true, true},
                    {"define", 4, false, true}, {"x", 4, false, true},  {"y", 4, false, true},  {"z", 5, true, false}};

    cr_assert_eq(tokens.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < tokens.count; i++) {
        cr_expect_str_eq(tokens.items[i].text, expected[i].text);
        cr_expect_eq(tokens.items[i].line, expected[i].line, "%s: line %d", expected[i].text, tokens.items[i].line);
        cr_expect_eq(tokens.items[i].first, expected[i].first, "%s", expected[i].text);
        cr_expect_eq(tokens.items[i].directive, expected[i].directive, "%s", expected[i].text);
    }
    talloc_free(context);
}

Test(tokens, any_bytes_are_taken)
{
    void *context = memory_context(NULL);
    char bytes[3000];

    for (unsigned seed = 1; seed < 200; seed++) {
        unsigned state = seed;
        for (size_t i = 0; i < sizeof bytes; i++) {
            static const char likely[] = "#\\\n\"'/*?%:<>ai0. _\t\r\x80\x00";
            state = state * 1103515245u + 12345u;
            bytes[i] = likely[(state >> 16) % (sizeof likely - 1)];
        }
        struct tokens tokens = tokens_of_source(context, bytes, sizeof bytes);
        for (size_t i = 1; i < tokens.count; i++)
            cr_assert_leq(tokens.items[i - 1].line, tokens.items[i].line);
        (void)tokens_of_preprocessed(context, bytes, sizeof bytes, "a.c");
    }
    talloc_free(context);
}

Test(tokens, preprocessed_text_keeps_what_the_student_wrote)
{
    static const char text[] =
        "# 0 \"a.c\"\n# 1 \"/usr/include/x.h\" 1 3 4\nextern __asm__ theirs;\n# 2 \"a.c\" 2\n\n"
        "int mine = \n# 3 \"a.c\" 3 4\n   __data\n# 3 \"a.c\"\n ; __asm__\n#pragma GCC poison x\nlast\n"
        "# 9 \"b/a.c\"\nother\n";
    void *context = memory_context(NULL);
    struct tokens tokens = tokens_of_preprocessed(context, text, strlen(text), "a.c");
    char *list = memory_text(context, "");

    for (size_t i = 0; i < tokens.count; i++)
        list = memory_append(context, list, "%s:%d ", tokens.items[i].text, tokens.items[i].line);
    cr_assert_str_eq(list, "int:3 mine:3 =:3 ;:3 __asm__:3 #:4 pragma:4 GCC:4 poison:4 x:4 last:5 ");
    talloc_free(context);
}
