/* `grade reset EXERCISE`: the starter again, the student's text kept.
 *
 * The order that loses nothing: find the starter; give the student's file a second name (a hard link, so nothing is
 * copied and a full disk does no harm); put the starter under the first name by renaming. Whatever fails, the file is
 * still there under one of its names.
 */
#include "files.h"
#include "memory.h"
#include "starter.h"
#include "student_parts.h"
#include "verdict_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKUPS_MOST = 10000, COPY_LIMIT = 256 << 20 };

/* A second name for the file, where there can be no hard link: a copy. */
static int copy_to(void *context, const char *from, const char *to, struct fault *fault)
{
    size_t size;
    char *text = files_read(context, from, COPY_LIMIT, &size, fault);

    return text == NULL ? -1 : files_write(to, text, size, fault);
}

/* Gives the file the first free name of "NAME.c.1~", "NAME.c.2~", …; `*backup` is that name. */
static int back_up(void *context, const char *path, char **backup, struct fault *fault)
{
    struct stat there;

    for (int number = 1; number <= BACKUPS_MOST; number++) {
        *backup = memory_format(context, "%s.%d~", path, number);
        if (link(path, *backup) == 0)
            return 0;
        if (errno == EEXIST || lstat(*backup, &there) == 0)
            continue;
        return copy_to(context, path, *backup, fault);
    }
    return fault_set(fault, "%s has %d backups beside it; remove some.", path, BACKUPS_MOST);
}

static bool is_same(void *context, const char *path, const char *text, size_t size)
{
    struct fault ignored;
    size_t have;
    char *now = files_is_file(path) ? files_read(context, path, COPY_LIMIT, &have, &ignored) : NULL;

    return now != NULL && have == size && memcmp(now, text, size) == 0;
}

static int put_back(struct session *session, const struct exercise *exercise, const char *text, size_t size,
                    struct fault *fault)
{
    const char *path = exercise->starter;
    char *backup = NULL;

    if (access(path, F_OK) == 0 && back_up(session->context, path, &backup, fault) != 0)
        return -1;
    if (files_write(path, text, size, fault) != 0)
        return -1;
    page_paragraph(&session->page, 0, PAINT_PLAIN, "", PAINT_STRONG,
                   memory_format(session->context, "%s: the starter is back.", exercise->id), 0);
    if (backup != NULL)
        page_labelled(&session->page, "Yours",
                      memory_format(session->context, "is kept as %s", session_path(session, backup)));
    page_labelled(&session->page, "Edit", session_path(session, path));
    return 0;
}

int command_reset(const struct student *student, struct fault *fault)
{
    struct session session;
    const struct exercise *exercise;
    char *text;
    size_t size;
    int status = -1;

    if (student->words == NULL || *student->words == '\0')
        return fault_set(fault, "reset: which exercise? For example: make reset EX=hello_grade");
    session_begin(&session, student);
    exercise = session_exercise(&session, fault);
    if (exercise == NULL ||
        starter_find(session.context, student->course, student->build_dir, exercise, &text, &size, fault) != 0)
        return session_end(&session, -1, fault);
    if (is_same(session.context, exercise->starter, text, size)) {
        page_paragraph(&session.page, 0, PAINT_PLAIN, "", PAINT_PLAIN,
                       memory_format(session.context, "%s is the starter already; nothing was done.",
                                     session_path(&session, exercise->starter)),
                       0);
        status = 0;
    } else {
        status = put_back(&session, exercise, text, size, fault);
    }
    return session_end(&session, status, fault);
}
