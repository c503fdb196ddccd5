#include "page.h"

#include "memory.h"
#include "text.h"

#include <stdarg.h>
#include <string.h>

struct page page_begin(void *context, const struct screen *screen)
{
    return (struct page){context, screen, memory_text(context, ""), 0, 1};
}

/* Room grows by doubling: a page in verbose mode may be long. */
static void append(struct page *page, const char *text)
{
    size_t length = strlen(text);

    if (page->used + length + 1 > page->room) {
        page->room = 2 * (page->used + length + 1);
        page->text = memory_grown(page->context, page->text, page->room, 1);
    }
    memcpy(page->text + page->used, text, length + 1);
    page->used += length;
}

void page_add(struct page *page, const struct page *more)
{
    append(page, more->text);
}

void page_write(const struct page *page, FILE *out)
{
    fputs(page->text, out);
}

int page_lines(const struct page *page)
{
    return text_lines(page->text);
}

const char *page_sign(const struct screen *screen, enum sign sign)
{
    static const char *const signs[][2] = {
        [SIGN_PASSED] = {"ok", "✓"}, [SIGN_FAILED] = {"x", "✗"}, [SIGN_UNSURE] = {"~", "~"},
        [SIGN_SKIPPED] = {"-", "–"}, [SIGN_BROKEN] = {"!", "!"}, [SIGN_DOT] = {"-", "·"},
        [SIGN_FULL] = {"#", "█"},    [SIGN_EMPTY] = {".", "·"},  [SIGN_BAR] = {"|", "│"},
    };

    return signs[sign][screen->utf8 ? 1 : 0];
}

char *page_clean_line(const struct page *page, const char *text)
{
    char *clean = text_clean(page->context, text, page->screen->utf8);

    for (char *at = clean; *at != '\0'; at++)
        if (*at == '\n')
            *at = ' ';
    return clean;
}

char *page_paint(const struct page *page, enum paint paint, const char *clean)
{
    static const char *const codes[] = {
        [PAINT_PLAIN] = "",    [PAINT_GOOD] = "32", [PAINT_BAD] = "31",
        [PAINT_UNSURE] = "33", [PAINT_QUIET] = "2", [PAINT_STRONG] = "1",
    };

    if (!page->screen->colour || paint == PAINT_PLAIN || *clean == '\0')
        return memory_text(page->context, clean);
    return memory_format(page->context, "\033[%sm%s\033[0m", codes[paint], clean);
}

void page_line(struct page *page, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *line = memory_vformat(page->context, format, arguments);
    va_end(arguments);
    append(page, line);
    append(page, "\n");
}

/* The first `limit` lines of wrapped text, the last with "…" where others follow. */
static char *limited(const struct page *page, char *wrapped, int used, int limit)
{
    if (limit == 0 || text_lines(wrapped) <= limit)
        return wrapped;

    char *kept = text_first_lines(page->context, wrapped, limit);
    char *last = strrchr(kept, '\n');

    last = last == NULL ? kept : last + 1;

    /* A newline behind the line makes text_cut_words put its sign even where the line is short. */
    int room = page->screen->width - (last == kept ? used : 0);
    char *cut = text_cut_words(page->context, memory_format(page->context, "%s\n+", last), room, page->screen->utf8);

    return memory_format(page->context, "%.*s%s", (int)(last - kept), kept, cut);
}

void page_paragraph(struct page *page, int indent, enum paint lead_paint, const char *lead, enum paint paint,
                    const char *text, int limit)
{
    int used = indent + text_width(lead);
    int hang = used > indent + 8 ? indent : used;
    char *clean = text_clean(page->context, text, page->screen->utf8);
    char *wrapped = limited(page, text_wrap(page->context, clean, page->screen->width, used, hang), used, limit);

    page_line(page, "%*s%s%s", indent, "", page_paint(page, lead_paint, lead), page_paint(page, paint, wrapped));
}

void page_labelled(struct page *page, const char *label, const char *text)
{
    page_paragraph(page, 2, PAINT_QUIET, text_padded(page->context, label, 7), PAINT_PLAIN, text, 0);
}
