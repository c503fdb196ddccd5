/* scratch.h - what several of the grader's own tests need: a folder to write in, and a small course in it. */
#ifndef GRADE_TEST_SCRATCH_H
#define GRADE_TEST_SCRATCH_H

#include "files.h"
#include "memory.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A new, empty folder. Take it away with scratch_remove. */
static inline char *scratch_dir(void *context)
{
    char *dir = memory_text(context, "/tmp/grade-test-XXXXXX");

    cr_assert_not_null(mkdtemp(dir), "no scratch folder");
    return dir;
}

static inline void scratch_remove(const char *dir)
{
    struct fault fault = {""};

    cr_expect(files_remove_tree(dir, &fault) == 0, "%s", fault.text);
}

/* What the shell command (printf's format) ends with: 0 where it went well. */
__attribute__((format(printf, 1, 2))) static inline int scratch_shell(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *command = memory_vformat(NULL, format, arguments);
    va_end(arguments);
    int status = system(command); // NOLINT(cert-env33-c): the words are the tests' own
    talloc_free(command);
    return status;
}

/* Writes DIR/PATH, with the folders it needs. */
static inline void scratch_write(const char *dir, const char *path, const char *text)
{
    struct fault fault = {""};
    char *whole = memory_format(NULL, "%s/%s", dir, path);
    char *slash = strrchr(whole, '/');

    *slash = '\0';
    cr_assert(files_make_dirs(whole, &fault) == 0, "%s", fault.text);
    *slash = '/';
    cr_assert(files_write(whole, text, strlen(text), &fault) == 0, "%s", fault.text);
    talloc_free(whole);
}

static inline bool scratch_has(const char *dir, const char *path)
{
    char *whole = memory_format(NULL, "%s/%s", dir, path);
    struct stat status;
    bool there = lstat(whole, &status) == 0;

    talloc_free(whole);
    return there;
}

/* An exercise that course_load takes: all files there, the .c and .h of no interest. `ini` NULL: a plain one. */
static inline void scratch_exercise(const char *root, const char *id, const char *ini)
{
    const char *name = strrchr(id, '/') + 1;
    void *context = memory_context(NULL);

    if (ini == NULL)
        ini = "[exercise]\ntitle = T\nread = 00-start#t\npoints = 10\norder = 1\n"
              "[stages]\ntests = 4\nmemory = 3\nraces = 3\n[rules]\nallow = @base\n";
    scratch_write(root, memory_format(context, "grader/checks/%s/exercise.ini", id), ini);
    scratch_write(root, memory_format(context, "grader/checks/%s/tests.c", id), "");
    scratch_write(root, memory_format(context, "grader/checks/%s/scenario.c", id), "");
    scratch_write(root, memory_format(context, "exercises/%s/%s.h", id, name), "");
    scratch_write(root, memory_format(context, "solutions/%s.c", id), "");
    if (!scratch_has(root, "grader/checks/allow.ini"))
        scratch_write(root, "grader/checks/allow.ini", "[sets]\nbase = memcpy strlen\nmutex = pthread_mutex_*\n");
    talloc_free(context);
}

#endif
