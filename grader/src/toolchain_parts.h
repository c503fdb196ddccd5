/* toolchain_parts.h - what toolchain.c and toolchain_link.c share; nobody else includes this. */
#ifndef GRADE_TOOLCHAIN_PARTS_H
#define GRADE_TOOLCHAIN_PARTS_H

#include "cache.h"
#include "toolchain.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    FLAGS_MAX = 16,
    STUDENT_FILE_MB = 64, /* what a compilation of the student's may write */
};

struct flags {
    const char *name;
    const char *compiler;
    const char *compile[FLAGS_MAX]; /* NULL-terminated unless full */
    const char *link[FLAGS_MAX];
};

const struct flags *tool_flags(enum flavour flavour);

/* A command line in the making. */
struct words {
    const char **items; /* NULL-terminated; NULL where there is none yet */
    size_t count;
};

/* Adds a word; the word itself is not copied. */
void words_add(void *context, struct words *words, const char *word);
void words_add_all(void *context, struct words *words, const char *const *more);

struct needed {
    const struct exercise **items; /* the exercise itself first, then what it is built on, each once */
    size_t count;
};

struct needed tool_needed(void *context, const struct workshop *shop);

/* Where a tool is that is started by its name; the name where it is nowhere. */
const char *tool_path(void *context, const char *name);

/* Where in the workshop something of this name is made before it is kept; owned by `context`. */
const char *tool_made(void *context, const struct workshop *shop, const char *name);

/* `path` as seen from the course's root; as it is where it lies elsewhere. */
const char *tool_from_root(const struct workshop *shop, const char *path);

/* Adds the tools and libraries whose change makes another result of this flavour to the key. */
void tool_key(void *context, struct cache_key *key, enum flavour flavour);

/* Runs a tool over what a student wrote, in the workshop and under limits. Returns 0 however it ends (`log` says how),
 * -1 with a fault where the machine is too busy or the tool cannot be started. */
int tool_run_on_student(void *context, const struct workshop *shop, const char *const *argv, long file_mb,
                        struct child_result *log, struct fault *fault);

/* Whether it ended by itself and with status 0. */
bool tool_succeeded(const struct child_result *log);

/* Runs a tool over what is trusted, from the course's root; what does not succeed is a fault that names `what`. */
int tool_run_trusted(void *context, const struct workshop *shop, const char *const *argv, const char *what,
                     struct fault *fault);

#endif
