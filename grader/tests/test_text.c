/* Strangers' bytes on a screen: what no text may do, whatever it holds. */
#include "memory.h"
#include "text.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *context;

static void setup(void)
{
    context = memory_context(NULL);
}

static void teardown(void)
{
    talloc_free(context);
}

TestSuite(text, .init = setup, .fini = teardown);

static char *clean(const char *bytes, size_t size)
{
    return text_clean_n(context, bytes, size, true);
}

/* The same numbers in every run. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

Test(text, controls_are_shown_as_c_writes_them)
{
    cr_assert_str_eq(clean("a\033[31mb", 7), "a\\x1b[31mb");
    cr_assert_str_eq(clean("a\0b", 3), "a\\0b");
    cr_assert_str_eq(clean("bell\a", 5), "bell\\a");
    cr_assert_str_eq(clean("50 %\rdone", 9), "50 %\\rdone");
    cr_assert_str_eq(clean("\177", 1), "\\x7f");
}

Test(text, line_ends_and_tabs)
{
    cr_assert_str_eq(clean("one\r\ntwo\n", 9), "one\ntwo\n");
    cr_assert_str_eq(clean("\tx", 2), "    x");
}

Test(text, broken_sequences_become_replacement_characters)
{
    cr_assert_str_eq(clean("a\xff"
                           "b",
                           3),
                     "a\xef\xbf\xbd"
                     "b");
    cr_assert_str_eq(clean("\xc0\xaf", 2), "\xef\xbf\xbd\xef\xbf\xbd", "overlong");
    cr_assert_str_eq(clean("\xe2\x9c", 2), "\xef\xbf\xbd\xef\xbf\xbd", "cut off at the end");
    cr_assert_str_eq(clean("\xed\xa0\x80", 3), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "a surrogate");
    cr_assert_str_eq(clean("\xe2\x9c\x93", 3), "✓");
}

Test(text, what_reorders_a_line_is_shown)
{
    cr_assert_str_eq(text_clean(context, "x\u202ey", true), "x\\u202ey");
    cr_assert_str_eq(text_clean(context, "x\u200by", true), "x\\u200by");
    cr_assert_str_eq(text_clean(context,
                                "\xc2\x9b"
                                "31m",
                                true),
                     "\\u009b31m", "an escape sequence begins with one byte, too");
}

Test(text, ascii_by_likeness)
{
    cr_assert_str_eq(text_clean(context, "“a” – b… → c ≥ 2 日", false), "\"a\" - b... -> c >= 2 ?");
    cr_assert_str_eq(text_clean(context, "\xff", false), "?");
}

Test(text, null_is_empty)
{
    cr_assert_str_eq(text_clean(context, NULL, true), "");
}

static void check_clean(const char *text, bool utf8)
{
    /* Cleaning what is clean changes nothing, unless there was something left to clean. */
    cr_assert_str_eq(text_clean(context, text, utf8), text);
    for (const char *at = text; *at != '\0'; at++) {
        cr_assert(*at == '\n' || (unsigned char)*at >= 0x20, "a control character was left");
        cr_assert(*at != 0x7f, "DEL was left");
        cr_assert(utf8 || (unsigned char)*at < 0x80, "ASCII was asked for");
    }
}

Test(text, any_bytes_come_out_clean)
{
    uint32_t state = 2463534242u;

    for (int round = 0; round < 2000; round++) {
        char bytes[64];
        size_t size = next_random(&state) % sizeof bytes;

        for (size_t i = 0; i < size; i++) {
            uint32_t random = next_random(&state);

            /* Lead and continuation bytes often enough to meet each other. */
            bytes[i] = (char)(random % 3 == 0   ? 0x80 + random / 3 % 0x40
                              : random % 3 == 1 ? 0xc0 + random / 3 % 0x40
                                                : random / 3 % 0x100);
        }
        check_clean(text_clean_n(context, bytes, size, true), true);
        check_clean(text_clean_n(context, bytes, size, false), false);
    }
}

Test(text, width_in_columns)
{
    cr_assert_eq(text_width(""), 0);
    cr_assert_eq(text_width("abc"), 3);
    cr_assert_eq(text_width("✓ ok"), 4);
    cr_assert_eq(text_width("日本"), 4);
    cr_assert_eq(text_width("e\u0301"), 1, "an accent stands above its letter");
    cr_assert_eq(text_width("🙂"), 2);
    cr_assert_eq(text_width("ab\nabcd\na"), 4, "the longest line counts");
}

Test(text, lines)
{
    cr_assert_eq(text_lines(""), 0);
    cr_assert_eq(text_lines("a"), 1);
    cr_assert_eq(text_lines("a\n"), 1);
    cr_assert_eq(text_lines("a\nb"), 2);
    cr_assert_eq(text_lines("\n\n"), 2);
    cr_assert_str_eq(text_first_lines(context, "a\nb\nc", 2), "a\nb");
    cr_assert_str_eq(text_first_lines(context, "a\nb\n", 5), "a\nb");
    cr_assert_str_eq(text_first_lines(context, "a\nb", 0), "");
    cr_assert_str_eq(text_first_lines(context, "\n\nb", 2), "\n");
}

Test(text, wraps_at_words_with_a_hanging_indent)
{
    cr_assert_str_eq(text_wrap(context, "one two three four", 13, 2, 2), "one two\n  three four");
    cr_assert_str_eq(text_wrap(context, "or when stuck: make hint EX=rlock, and more", 24, 0, 2),
                     "or when stuck:\n  make hint EX=rlock,\n  and more", "a command stays whole");
    cr_assert_str_eq(text_wrap(context, "to make one of many things", 12, 0, 0), "to make one\nof many\nthings");
    cr_assert_str_eq(text_wrap(context, "a\nb", 80, 0, 4), "a\n    b", "newlines stay");
    cr_assert_str_eq(text_wrap(context, "", 80, 0, 4), "");
    cr_assert_str_eq(text_wrap(context, "fits", 80, 79, 2), "fits", "at least ten columns are taken for granted");
}

Test(text, a_word_longer_than_a_line_is_broken)
{
    cr_assert_str_eq(text_wrap(context, "x abcdefghijklmnopqrstuv", 12, 0, 2), "x\n  abcdefghij\n  klmnopqrst\n  uv");
    cr_assert_str_eq(text_wrap(context, "日本日本日本日本", 11, 0, 1), "日本日本日\n 本日本");
}

/* All but spaces and newlines, to see that wrapping loses nothing. */
static char *letters(const char *text)
{
    char *kept = memory_text(context, text), *to = kept;

    for (const char *from = text; *from != '\0'; from++)
        if (*from != ' ' && *from != '\n')
            *to++ = *from;
    *to = '\0';
    return kept;
}

Test(text, wrapping_keeps_every_letter_and_every_width)
{
    static const char *const pieces[] = {"a", "bc ", " ", "long_identifier_name ", "日本", "✓", ". ", "\n", "e\u0301"};
    uint32_t state = 88172645u;

    for (int round = 0; round < 500; round++) {
        char *text = memory_text(context, "");
        int width = 12 + (int)(next_random(&state) % 100), hang = (int)(next_random(&state) % 8) % (width - 10);

        for (uint32_t i = next_random(&state) % 60; i > 0; i--)
            text = memory_append(context, text, "%s", pieces[next_random(&state) % (sizeof pieces / sizeof *pieces)]);

        char *wrapped = text_wrap(context, text, width, 0, hang);

        cr_assert_leq(text_width(wrapped), width);
        cr_assert_str_eq(letters(wrapped), letters(text));
    }
}

Test(text, cut_to_a_width)
{
    cr_assert_str_eq(text_cut(context, "abcdef", 6, true), "abcdef");
    cr_assert_str_eq(text_cut(context, "abcdefg", 6, true), "abcde…");
    cr_assert_str_eq(text_cut(context, "abcdefg", 6, false), "abc...");
    cr_assert_str_eq(text_cut(context, "ab cdefg", 4, true), "ab…", "no space before the sign");
    cr_assert_str_eq(text_cut(context, "日本日本", 4, true), "日…", "half a character does not fit");
    cr_assert_str_eq(text_cut(context, "one\ntwo", 80, true), "one…", "one line only");
    cr_assert_str_eq(text_cut_words(context, "ab cdefg", 6, true), "ab…", "words stay whole");
    cr_assert_str_eq(text_cut_words(context, "ab cdefg", 8, true), "ab cdefg");
    cr_assert_str_eq(text_cut_words(context, "ab cd ef", 6, true), "ab cd…");
    cr_assert_str_eq(text_cut_words(context, "abcdefg", 6, true), "abcde…", "there is only one");
    cr_assert_str_eq(text_cut_words(context, "ab cdefghijklmnopqrstuvwxyz01234567", 31, true),
                     "ab cdefghijklmnopqrstuvwxyz012…", "too long to go");
    cr_assert_str_eq(text_cut_words(context, "one two\nthree", 80, true), "one two…", "one line only");
}

Test(text, padded)
{
    cr_assert_str_eq(text_padded(context, "✓", 3), "✓  ");
    cr_assert_str_eq(text_padded(context, "long", 2), "long");
}
