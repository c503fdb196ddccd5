#include "chapter.h"

#include "files.h"
#include "memory.h"

#include <stdbool.h>
#include <string.h>

enum { CHAPTER_LIMIT = 4 << 20 }; /* bytes of prose that are read at most */

char *chapter_label(void *context, const char *chapter)
{
    char *label = memory_text(context, chapter);

    for (char *at = label; *at != '\0'; at++)
        if (*at == '-')
            *at = ' ';
    return label;
}

/* "02-locks" of "02-locks#two-accounts". */
static char *chapter_of(void *context, const char *read)
{
    return memory_text_n(context, read, strcspn(read, "#"));
}

/* The words of a heading line "## Two accounts {#two-accounts}", without marks of emphasis. */
static char *heading_words(void *context, const char *line, const char *brace)
{
    while (line < brace && (*line == '#' || *line == ' '))
        line++;
    while (brace > line && brace[-1] == ' ')
        brace--;

    char *words = memory_text_n(context, line, (size_t)(brace - line)), *to = words;

    for (const char *from = words; *from != '\0'; from++)
        if (*from != '`' && *from != '*')
            *to++ = *from;
    *to = '\0';
    return words;
}

/* The heading that carries {#anchor}, or NULL. */
static char *heading_of(void *context, const char *prose, const char *anchor)
{
    size_t length = strlen(anchor);

    for (const char *line = prose; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (*line != '#')
            continue;

        const char *end = line + strcspn(line, "\n");
        const char *brace = memchr(line, '{', (size_t)(end - line));

        if (brace == NULL || brace[1] != '#' || strncmp(brace + 2, anchor, length) != 0)
            continue;
        if (brace[2 + length] == '}' || brace[2 + length] == ' ')
            return heading_words(context, line, brace);
    }
    return NULL;
}

char *chapter_section(void *context, const struct course *course, const char *read)
{
    const char *anchor = strchr(read, '#');
    char *chapter = chapter_of(context, read), *heading = NULL;
    struct fault ignored;

    if (course != NULL && anchor != NULL) {
        char *path = memory_format(context, "%s/chapters/%s.md", course->root, chapter);
        char *prose = files_is_file(path) ? files_read(context, path, CHAPTER_LIMIT, NULL, &ignored) : NULL;

        if (prose != NULL)
            heading = heading_of(context, prose, anchor + 1);
    }
    if (heading == NULL)
        return memory_format(context, "chapter %.*s", (int)strcspn(chapter, "-"), chapter);
    return memory_format(context, "chapter %.*s, “%s”", (int)strcspn(chapter, "-"), chapter, heading);
}

char *chapter_path(void *context, const struct course *course, const char *read)
{
    char *chapter = chapter_of(context, read);

    if (course != NULL && files_is_file(memory_format(context, "%s/build/book/%s.html", course->root, chapter)))
        return memory_format(context, "build/book/%s.html%s", chapter, read + strlen(chapter));
    return memory_format(context, "chapters/%s.md", chapter);
}
