#include "hints.h"

#include "files.h"
#include "memory.h"

#include <stdbool.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 20, INDENT = 2 };

/* Where the line "## N" begins; NULL where there is none. */
static const char *section_start(const char *text, int number)
{
    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, "## ", 3) == 0 && line[3] == '0' + number && (line[4] < '0' || line[4] > '9'))
            return line;
    }
    return NULL;
}

int hints_read(void *context, const struct exercise *exercise, const char *hints[HINTS], struct fault *fault)
{
    char *path = memory_format(context, "%s/hints.md", exercise->checks_dir);
    const char *text = files_read(context, path, FILE_LIMIT, NULL, fault);

    if (text == NULL)
        return -1;
    for (int i = 0; i < HINTS; i++) {
        const char *start = section_start(text, i + 1);

        if (start == NULL)
            return fault_set(fault,
                             "checks/%s/hints.md: there is no section \"## %d\"; it needs \"## 1\" to \"## %d\".",
                             exercise->id, i + 1, HINTS);
        start += strcspn(start, "\n");

        const char *end = strstr(start, "\n## ");

        hints[i] = memory_text_n(context, start, end == NULL ? strlen(start) : (size_t)(end - start));
    }
    return 0;
}

/* What the printing of Markdown knows from line to line. */
struct markdown {
    struct page *page;
    char *paragraph; /* what was collected of one; NULL: none */
    const char *lead;
    bool fenced;
};

/* Without the marks of strong emphasis; a single '*' may be C's. */
static char *unmarked(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        if (strncmp(from, "**", 2) == 0)
            from++;
        else
            *to++ = *from;
    }
    *to = '\0';
    return text;
}

static void paragraph_end(struct markdown *markdown)
{
    if (markdown->paragraph != NULL)
        page_paragraph(markdown->page, INDENT, PAINT_PLAIN, markdown->lead, PAINT_PLAIN, unmarked(markdown->paragraph),
                       0);
    markdown->paragraph = NULL;
    markdown->lead = "";
}

/* Whole, however wide the screen: it is there to be copied. (That it fits 80 columns, selfcheck looks after.) */
static void code_line(struct markdown *markdown, const char *line)
{
    page_line(markdown->page, "      %s", page_clean_line(markdown->page, line));
}

static bool is_list_item(const char *line)
{
    return strncmp(line, "- ", 2) == 0 || (line[0] >= '1' && line[0] <= '9' && strncmp(line + 1, ". ", 2) == 0);
}

static void text_line(struct markdown *markdown, const char *line)
{
    void *context = markdown->page->context;

    line += strspn(line, " ");
    if (is_list_item(line)) {
        size_t length = *line == '-' ? 2 : 3;

        paragraph_end(markdown);
        markdown->lead = memory_text_n(context, line, length);
        line += length;
    }
    markdown->paragraph = markdown->paragraph == NULL ? memory_text(context, line)
                                                      : memory_append(context, markdown->paragraph, " %s", line);
}

static void markdown_line(struct markdown *markdown, const char *line)
{
    if (strncmp(line, "```", 3) == 0) {
        paragraph_end(markdown);
        markdown->fenced = !markdown->fenced;
    } else if (markdown->fenced) {
        code_line(markdown, line);
    } else if (line[strspn(line, " ")] == '\0') {
        paragraph_end(markdown);
        page_line(markdown->page, "%s", "");
    } else if (strncmp(line, "    ", 4) == 0 && markdown->paragraph == NULL) {
        code_line(markdown, line + 4);
    } else {
        text_line(markdown, line);
    }
}

void hints_print(struct page *page, const char *hint)
{
    struct markdown markdown = {.page = page, .lead = ""};
    char *copy = memory_text(page->context, hint + strspn(hint, "\n")), *line;
    size_t length = strlen(copy);

    while (length > 0 && (copy[length - 1] == '\n' || copy[length - 1] == ' '))
        copy[--length] = '\0';
    while ((line = strsep(&copy, "\n")) != NULL)
        markdown_line(&markdown, line);
    paragraph_end(&markdown);
}
