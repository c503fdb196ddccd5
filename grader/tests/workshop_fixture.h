/* workshop_fixture.h - a workshop for the fixture course (grader/tests/data/course), for tests of stages.
 *
 * Tests run from the project's root. What is trusted is kept in build/unit-cache, from one run of the tests to the
 * next.
 */
#ifndef GRADE_TEST_WORKSHOP_FIXTURE_H
#define GRADE_TEST_WORKSHOP_FIXTURE_H

#include "scratch.h"
#include "source.h"
#include "stage.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>

struct fixture {
    void *context;
    struct course course;
    struct workshop shop;
    struct stage_result result;
    struct fault fault;
};

/* A path of the project's, absolute. */
static inline char *fixture_path(void *context, const char *path)
{
    char root[PATH_MAX];

    cr_assert_not_null(realpath(".", root));
    return memory_format(context, "%s/%s", root, path);
}

/* A workshop for the exercise `words` of the course at `root` (absolute), with nothing in it yet. */
static inline void fixture_begin(struct fixture *fixture, const char *root, const char *words)
{
    *fixture = (struct fixture){.context = memory_context(NULL)};
    cr_assert(course_load(fixture->context, memory_text(fixture->context, root), &fixture->course, &fixture->fault) ==
                  0,
              "%s", fixture->fault.text);
    const struct exercise *exercise = course_find(&fixture->course, words, &fixture->fault);
    cr_assert_not_null(exercise, "%s", fixture->fault.text);
    const char *dir = scratch_dir(fixture->context);
    fixture->shop = (struct workshop){
        .course = &fixture->course,
        .exercise = exercise,
        .dir = dir,
        .cache_dir = fixture_path(fixture->context, "build/unit-cache"),
        .source = memory_format(fixture->context, "%s/%s.c", dir, exercise->name),
        .shown = "student.c",
    };
}

/* The same for the fixture course's one exercise. */
static inline void fixture_tiny(struct fixture *fixture)
{
    char root[PATH_MAX];

    cr_assert_not_null(realpath("grader/tests/data/course", root));
    fixture_begin(fixture, root, "tiny");
}

static inline void fixture_end(struct fixture *fixture)
{
    scratch_remove(fixture->shop.dir);
    talloc_free(fixture->context);
}

/* Puts this text into the workshop as the student's file. */
static inline void fixture_write(struct fixture *fixture, const char *text)
{
    cr_assert(files_write(fixture->shop.source, text, strlen(text), &fixture->fault) == 0, "%s", fixture->fault.text);
}

static inline char *fixture_read(struct fixture *fixture, const char *path)
{
    char *text = files_read(fixture->context, path, 1 << 24, NULL, &fixture->fault);

    cr_assert_not_null(text, "%s", fixture->fault.text);
    return text;
}

/* Puts the exercise's reference into the workshop, the first `from` in it (NULL: nothing) replaced by `to`. */
static inline void fixture_edit(struct fixture *fixture, const char *from, const char *to)
{
    char *text = fixture_read(fixture, fixture->shop.exercise->reference);
    char *at = from == NULL ? NULL : strstr(text, from);

    cr_assert(from == NULL || at != NULL, "the reference has no `%s`", from == NULL ? "" : from);
    fixture_write(
        fixture,
        at == NULL ? text : memory_format(fixture->context, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)));
}

/* Runs one stage from a clean result; a fault fails the test. */
static inline enum outcome fixture_run(struct fixture *fixture,
                                       int (*stage)(void *, struct workshop *, struct stage_result *, struct fault *))
{
    fixture->result = (struct stage_result){0};
    cr_assert(stage(fixture->context, &fixture->shop, &fixture->result, &fixture->fault) == 0, "%s",
              fixture->fault.text);
    return fixture->result.outcome;
}

/* The findings as one text, for messages and for looking for words. */
static inline char *fixture_words(struct fixture *fixture)
{
    char *words = memory_text(fixture->context, "");

    for (size_t i = 0; i < fixture->result.finding_count; i++) {
        const struct finding *finding = &fixture->result.findings[i];

        words = memory_append(fixture->context, words, "%s %s %s\n", finding->what,
                              finding->why == NULL ? "" : finding->why, finding->detail == NULL ? "" : finding->detail);
        for (size_t j = 0; j < finding->place_count; j++)
            words = memory_append(fixture->context, words, "    %s:%d %s\n", finding->places[j].file,
                                  finding->places[j].line,
                                  finding->places[j].excerpt == NULL ? "" : finding->places[j].excerpt);
    }
    return words;
}

/* Empties the workshop. */
static inline void fixture_afresh(struct fixture *fixture)
{
    scratch_remove(fixture->shop.dir);
    cr_assert(mkdir(fixture->shop.dir, 0700) == 0);
}

/* Calls `each` for every attack in grader/tests/data/attacks that is to end at `stage`, with the attack as the
 * student's file. Its first line is a comment: the stage, a colon, and words that must be said. Returns how many there
 * were. */
static inline int fixture_attacks(struct fixture *fixture, const char *stage,
                                  void (*each)(struct fixture *fixture, const char *name, const char *words))
{
    struct dirent *entry = NULL;
    int count = 0;
    char *start = memory_format(fixture->context, "/* %s: ", stage);
    DIR *dir = opendir("grader/tests/data/attacks");

    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        char *text =
            fixture_read(fixture, memory_format(fixture->context, "grader/tests/data/attacks/%s", entry->d_name));
        const char *end = strstr(text, " */");
        if (strncmp(text, start, strlen(start)) != 0 || end == NULL)
            continue;
        const char *words = text + strlen(start);
        fixture_afresh(fixture);
        fixture_write(fixture, text);
        each(fixture, entry->d_name, memory_text_n(fixture->context, words, (size_t)(end - words)));
        count++;
    }
    closedir(dir);
    return count;
}

#endif
