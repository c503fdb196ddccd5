#include "text.h"

#include "memory.h"
#include "utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What a broken sequence becomes: U+FFFD. */
#define REPLACEMENT 0xfffdu

struct range {
    uint32_t first, last;
};

/* Two columns: East Asian Width W and F, and emoji that are shown as pictures (Unicode 15, EastAsianWidth.txt; blocks
 * where whole blocks are wide). */
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
    {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
    {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x18aff}, {0x1aff0, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c},
    {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4},
    {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e},
    {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f},
    {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6d7}, {0x1f6dc, 0x1f6df},
    {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb}, {0x1f7f0, 0x1f7f0}, {0x1f90c, 0x1f93a},
    {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

/* No column: marks that stand above or below the character before them. */
static const struct range combining[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf}, {0x05c1, 0x05c2},
    {0x05c4, 0x05c5}, {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0670, 0x0670}, {0x06d6, 0x06dc},
    {0x06df, 0x06e4}, {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d},
    {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x20d0, 0x20ff}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

/* Shown escaped: they are not seen, or they change the order of what is (see "Trojan Source", CVE-2021-42574). */
static const struct range hidden[] = {
    {0x0080, 0x009f}, {0x00ad, 0x00ad}, {0x061c, 0x061c}, {0x180e, 0x180e}, {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe000, 0xf8ff}, {0xe0000, 0xe007f}, {0xf0000, 0x10ffff},
};

static const struct {
    uint32_t code;
    const char *ascii; /* at most three characters */
} likenesses[] = {
    {0x00a0, " "},  {0x00a7, "S."},  {0x00b5, "u"},  {0x00b7, "."},  {0x00d7, "x"},  {0x2010, "-"},  {0x2011, "-"},
    {0x2012, "-"},  {0x2013, "-"},   {0x2014, "--"}, {0x2018, "'"},  {0x2019, "'"},  {0x201c, "\""}, {0x201d, "\""},
    {0x2022, "*"},  {0x2026, "..."}, {0x202f, " "},  {0x2190, "<-"}, {0x2192, "->"}, {0x2212, "-"},  {0x2260, "!="},
    {0x2264, "<="}, {0x2265, ">="},  {0x2502, "|"},  {0x2588, "#"},  {0x2713, "ok"}, {0x2717, "x"},  {0x00e4, "ae"},
    {0x00f6, "oe"}, {0x00fc, "ue"},  {0x00c4, "Ae"}, {0x00d6, "Oe"}, {0x00dc, "Ue"}, {0x00df, "ss"}, {0x00e9, "e"},
    {0x00e8, "e"},  {0x00e1, "a"},   {0x00e0, "a"},  {0x00f3, "o"},  {0x00f1, "n"},  {0x00e7, "c"},  {0x03bc, "u"},
};

static bool in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

#define IN(code, ranges) in_ranges((code), (ranges), sizeof(ranges) / sizeof(ranges)[0])

/* Reads one character (size > 0). A broken sequence is one byte long and REPLACEMENT with *broken. */
static size_t decode(const char *bytes, size_t size, uint32_t *code, bool *broken)
{
    size_t length = *bytes == '\0' ? 1 : utf8_length(bytes, size);

    *broken = length == 0;
    *code = REPLACEMENT;
    if (*broken)
        return 1;
    *code = length == 1 ? (unsigned char)*bytes : (unsigned char)*bytes & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++)
        *code = *code << 6 | ((unsigned char)bytes[i] & 0x3f);
    return length;
}

/* The character at a place in clean text, which has no broken sequences. */
static size_t next_clean(const char *text, uint32_t *code)
{
    bool broken;

    return decode(text, strnlen(text, 4), code, &broken);
}

static int code_width(uint32_t code)
{
    if (code < 0x300)
        return 1;
    if (IN(code, combining))
        return 0;
    return IN(code, wide) ? 2 : 1;
}

/* Writes a character that must not reach a terminal as C would; returns the length, at most 10. */
static size_t escape(char *to, uint32_t code)
{
    static const char letters[] = "\aa\bb\ff\rr\vv";

    for (const char *pair = letters; *pair != '\0'; pair += 2)
        if (code == (uint32_t)*pair)
            return (size_t)sprintf(to, "\\%c", pair[1]);
    if (code == 0)
        return (size_t)sprintf(to, "\\0");
    return (size_t)sprintf(to, code < 0x80 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)code);
}

static size_t ascii_likeness(char *to, uint32_t code)
{
    const char *likeness = "?";

    for (size_t i = 0; i < sizeof likenesses / sizeof likenesses[0]; i++)
        if (likenesses[i].code == code)
            likeness = likenesses[i].ascii;
    return (size_t)sprintf(to, "%s", likeness);
}

/* One character made clean; returns how many bytes went to `to`, at most four for every byte read. */
static size_t clean_one(char *to, const char *from, size_t length, uint32_t code, bool broken, bool utf8)
{
    if (code == '\n') {
        *to = '\n';
        return 1;
    }
    if (code == '\t') {
        memset(to, ' ', 4);
        return 4;
    }
    if (code < 0x20 || code == 0x7f || IN(code, hidden))
        return escape(to, code);
    if (code >= 0x80 && !utf8)
        return ascii_likeness(to, code);
    if (broken) {
        from = "\xef\xbf\xbd"; /* REPLACEMENT */
        length = 3;
    }
    for (size_t i = 0; i < length; i++)
        to[i] = from[i];
    return length;
}

char *text_clean_n(void *context, const char *bytes, size_t size, bool utf8)
{
    char *clean = memory_zeroed(context, 4 * size + 1, 1);
    size_t used = 0;

    for (size_t at = 0; at < size;) {
        uint32_t code;
        bool broken;
        size_t length = decode(bytes + at, size - at, &code, &broken);
        bool line_end = code == '\r' && at + 1 < size && bytes[at + 1] == '\n';

        if (!line_end)
            used += clean_one(clean + used, bytes + at, length, code, broken, utf8);
        at += length;
    }
    clean[used] = '\0';
    return clean;
}

char *text_clean(void *context, const char *text, bool utf8)
{
    return text == NULL ? memory_text(context, "") : text_clean_n(context, text, strlen(text), utf8);
}

int text_width(const char *text)
{
    int widest = 0, width = 0;
    uint32_t code;

    while (*text != '\0') {
        text += next_clean(text, &code);
        width = code == '\n' ? 0 : width + code_width(code);
        if (width > widest)
            widest = width;
    }
    return widest;
}

int text_lines(const char *text)
{
    int lines = 0;

    for (; *text != '\0'; text++)
        if (*text == '\n' || text[1] == '\0')
            lines++;
    return lines;
}

/* Bytes of `text` that fill at most `columns`; at least one character, so that a loop over it ends. */
static size_t bytes_in_columns(const char *text, size_t size, int columns)
{
    size_t at = 0;
    int width = 0;

    while (at < size) {
        uint32_t code;
        size_t length = next_clean(text + at, &code);

        width += code_width(code);
        if (width > columns && at > 0)
            break;
        at += length;
    }
    return at;
}

static int width_n(const char *text, size_t size)
{
    int width = 0;

    for (size_t at = 0; at < size;) {
        uint32_t code;

        at += next_clean(text + at, &code);
        width += code_width(code);
    }
    return width;
}

/* Where a wrapped text stands. */
struct wrapping {
    void *context;
    char *out;
    int width, hang;
    int column;      /* taken on this line */
    bool line_empty; /* no word on it yet */
};

static void wrap_newline(struct wrapping *wrapping)
{
    wrapping->out = memory_append(wrapping->context, wrapping->out, "\n%*s", wrapping->hang, "");
    wrapping->column = wrapping->hang;
    wrapping->line_empty = true;
}

static void wrap_word(struct wrapping *wrapping, const char *word, size_t size)
{
    int width = width_n(word, size), space = wrapping->line_empty ? 0 : 1;

    if (wrapping->column + space + width > wrapping->width && !wrapping->line_empty) {
        wrap_newline(wrapping);
        space = 0;
    }
    while (wrapping->column + space + width > wrapping->width && size > 1) {
        size_t fits = bytes_in_columns(word, size, wrapping->width - wrapping->column);

        if (fits >= size)
            break;
        wrapping->out = memory_append(wrapping->context, wrapping->out, "%.*s", (int)fits, word);
        word += fits;
        size -= fits;
        wrap_newline(wrapping);
        width = width_n(word, size);
    }
    wrapping->out = memory_append(wrapping->context, wrapping->out, "%*s%.*s", space, "", (int)size, word);
    wrapping->column += space + width;
    wrapping->line_empty = false;
}

/* Bytes of the word that begins here. A command is one word, so that it comes off the screen in one piece:
 * "make hint EX=rlock". */
static size_t word_size(const char *text)
{
    size_t size = strcspn(text, " \n");
    bool command = strncmp(text, "make ", 5) == 0;

    while (command && text[size] == ' ') {
        const char *next = text + size + 1;
        size_t length = strcspn(next, " \n"), name = strspn(next, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

        if (size > 4 && (name == 0 || next[name] != '='))
            break;
        size += 1 + length;
    }
    return size;
}

char *text_wrap(void *context, const char *text, int width, int used, int hang)
{
    int indent = used > hang ? used : hang;
    struct wrapping wrapping = {context, memory_text(context, ""), width, hang, used, true};

    if (wrapping.width < indent + 10)
        wrapping.width = indent + 10;
    while (*text != '\0') {
        size_t size = word_size(text);

        if (size > 0)
            wrap_word(&wrapping, text, size);
        text += size;
        if (*text == '\n' && text[1] != '\0')
            wrap_newline(&wrapping);
        if (*text != '\0')
            text++;
    }
    return wrapping.out;
}

enum { WORD_MOST = 24 }; /* bytes of a word that goes as a whole */

/* Where the word begins that byte `size` cuts in two; `size` where it cuts none, or one that is too long to go. */
static size_t whole_words(const char *text, size_t size)
{
    size_t start = size;

    if (text[size] == ' ' || text[size] == '\n' || text[size] == '\0')
        return size;
    while (start > 0 && text[start - 1] != ' ')
        start--;
    return start == 0 || size - start > WORD_MOST ? size : start;
}

static char *cut(void *context, const char *text, int width, bool utf8, bool words)
{
    const char *sign = utf8 ? "…" : "...";
    int sign_width = utf8 ? 1 : 3;
    size_t size = strcspn(text, "\n");
    bool more = text[size] != '\0';

    if (width < sign_width + 1)
        width = sign_width + 1;
    if (!more && width_n(text, size) <= width)
        return memory_text(context, text);
    if (width_n(text, size) > width - sign_width)
        size = bytes_in_columns(text, size, width - sign_width);
    if (words)
        size = whole_words(text, size);
    while (size > 0 && text[size - 1] == ' ')
        size--;
    return memory_format(context, "%.*s%s", (int)size, text, sign);
}

char *text_cut(void *context, const char *text, int width, bool utf8)
{
    return cut(context, text, width, utf8, false);
}

char *text_cut_words(void *context, const char *text, int width, bool utf8)
{
    return cut(context, text, width, utf8, true);
}

char *text_first_lines(void *context, const char *text, int count)
{
    const char *end = text;

    for (int i = 0; i < count && *end != '\0'; i++) {
        end += strcspn(end, "\n");
        if (*end == '\n' && (i + 1 < count && end[1] != '\0'))
            end++;
    }
    return memory_text_n(context, text, count > 0 ? (size_t)(end - text) : 0);
}

char *text_padded(void *context, const char *text, int columns)
{
    int width = text_width(text);

    return memory_format(context, "%s%*s", text, columns > width ? columns - width : 0, "");
}
