/* little_course.h - a course of a few files in a folder of its own, for tests of screens and of the student's loop.
 *
 * Two chapters with two exercises each; chapters/02-locks.md has one section. Nothing in it can be graded.
 */
#ifndef TEST_LITTLE_COURSE_H
#define TEST_LITTLE_COURSE_H

#include "child.h"
#include "course.h"
#include "files.h"
#include "memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LITTLE_COUNT = 4 };

struct little_course {
    void *context;
    struct course course;
    char *build_dir;
};

static inline void little_write(const struct little_course *little, const char *path, const char *text)
{
    char *whole = memory_format(little->context, "%s/%s", little->course.root, path);
    char *dir = memory_text_n(little->context, whole, (size_t)(strrchr(whole, '/') - whole));
    struct fault fault;

    cr_assert_eq(files_make_dirs(dir, &fault), 0, "%s", fault.text);
    cr_assert_eq(files_write(whole, text, strlen(text), &fault), 0, "%s", fault.text);
}

static inline char *little_read(const struct little_course *little, const char *path)
{
    struct fault fault = {""};
    char *text = files_read(little->context, memory_format(little->context, "%s/%s", little->course.root, path),
                            1 << 20, NULL, &fault);

    cr_assert_not_null(text, "%s", fault.text);
    return text;
}

static inline void little_exercise(struct little_course *little, struct exercise *exercise, const char *id)
{
    void *context = little->context;
    const char *root = little->course.root, *slash = strchr(id, '/');

    exercise->id = id;
    exercise->chapter = memory_text_n(context, id, (size_t)(slash - id));
    exercise->name = slash + 1;
    exercise->title = memory_format(context, "The title of %s", slash + 1);
    exercise->read = memory_format(context, "%s#%s", exercise->chapter, exercise->name);
    exercise->points = 10;
    exercise->checks_dir = memory_format(context, "%s/grader/checks/%s", root, id);
    exercise->header = memory_format(context, "%s/exercises/%s/%s.h", root, id, exercise->name);
    exercise->starter = memory_format(context, "%s/exercises/%s/%s.c", root, id, exercise->name);
    exercise->reference = memory_format(context, "%s/solutions/%s.c", root, id);
    little_write(little, memory_format(context, "exercises/%s/%s.c", id, exercise->name),
                 memory_format(context, "/* the starter of %s */\n", id));
    little_write(little, memory_format(context, "grader/checks/%s/hints.md", id),
                 "## 1\nA nudge, which is **not** long.\n\n## 2\nThe idea:\n\n- one\n- two\n\n"
                 "## 3\n```c\nint answer = 42;\n```\n");
}

static inline void little_begin(struct little_course *little)
{
    static const char *const ids[LITTLE_COUNT] = {"00-start/hello", "00-start/again", "02-locks/counter",
                                                  "02-locks/rlock"};
    char root[] = "/tmp/little_course_XXXXXX";

    little->context = memory_context(NULL);
    cr_assert_not_null(mkdtemp(root));
    little->course.root = memory_text(little->context, root);
    little->build_dir = memory_format(little->context, "%s/build", root);
    little->course.count = LITTLE_COUNT;
    little->course.exercises = memory_zeroed(little->context, LITTLE_COUNT, sizeof *little->course.exercises);
    for (size_t i = 0; i < LITTLE_COUNT; i++)
        little_exercise(little, &little->course.exercises[i], ids[i]);
    little_write(little, "chapters/02-locks.md",
                 "---\ntitle: Locks\n---\n\n## The *critical* section {#critical-section}\n\nText.\n");
}

/* Runs a shell command in the course's folder; it has to succeed. */
static inline void little_shell(const struct little_course *little, const char *command)
{
    const char *argv[] = {"sh", "-ec", command, NULL};
    struct child_spec spec = {.argv = argv, .cwd = little->course.root};
    struct child_result result;
    struct fault fault = {""};

    cr_assert_eq(child_run(little->context, &spec, &result, &fault), 0, "%s", fault.text);
    cr_assert(result.end == CHILD_EXITED && result.status == 0, "%s: %s", command, result.err);
}

/* Writes grader/checks/starters.sha256 from the files as they are now. */
static inline void little_list_starters(const struct little_course *little)
{
    little_shell(little, "sha256sum exercises/*/*/*.c >grader/checks/starters.sha256");
}

static inline void little_end(struct little_course *little)
{
    struct fault fault;

    (void)files_remove_tree(little->course.root, &fault);
    talloc_free(little->context);
}

#endif
