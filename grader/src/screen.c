#include "screen.h"

#include "chapter.h"
#include "memory.h"
#include "page.h"
#include "text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 40, WIDTH_MOST = 200 };

/* What the environment says; "" where it says nothing. */
static const char *setting(const char *variable)
{
    const char *value = getenv(variable);

    return value == NULL ? "" : value;
}

/* Whether the environment asks for UTF-8: the first of the three that is set decides, as for setlocale(3). */
static bool wants_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = "";

    for (size_t i = 0; *locale == '\0' && i < sizeof variables / sizeof variables[0]; i++)
        locale = setting(variables[i]);
    return strcasestr(locale, "utf-8") != NULL || strcasestr(locale, "utf8") != NULL;
}

static int width_of(FILE *out)
{
    struct winsize size;
    long width;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
    else
        width = strtol(setting("COLUMNS"), NULL, 10);
    if (width <= 0)
        return WIDTH_DEFAULT;
    return width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : (int)width;
}

struct screen screen_of(FILE *out, bool no_color)
{
    const char *term = setting("TERM");
    bool terminal = fileno(out) >= 0 && isatty(fileno(out));
    bool capable = terminal && *term != '\0' && strcmp(term, "dumb") != 0;

    return (struct screen){
        .colour = capable && !no_color && *setting("NO_COLOR") == '\0',
        .live = capable,
        .width = width_of(out),
        .utf8 = wants_utf8(),
    };
}

void screen_status(FILE *out, const struct screen *screen, const char *format, ...)
{
    if (!screen->live)
        return;

    void *context = memory_context(NULL);
    struct page page = page_begin(context, screen);
    va_list arguments;

    va_start(arguments, format);
    char *text = memory_vformat(context, format, arguments);
    va_end(arguments);
    text = text_cut(context, page_clean_line(&page, text), screen->width - 1, screen->utf8);
    fprintf(out, "\r\033[K%s", page_paint(&page, PAINT_QUIET, text));
    fflush(out);
    talloc_free(context);
}

void screen_status_clear(FILE *out, const struct screen *screen)
{
    if (!screen->live)
        return;
    fputs("\r\033[K", out);
    fflush(out);
}
