/* options.h - what the command line asks for. */
#ifndef GRADE_OPTIONS_H
#define GRADE_OPTIONS_H

#include "course.h"
#include "fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define GRADE_VERSION "0.1.0"

enum command {
    COMMAND_GRADE,
    COMMAND_LIST,
    COMMAND_NEXT,
    COMMAND_HINT,
    COMMAND_RESET,
    COMMAND_WATCH,
    COMMAND_EXPLORE,
    COMMAND_REPLAY, /* words: EXERCISE TOKEN */
    COMMAND_DOCTOR,
    COMMAND_HELP,
    COMMAND_VERSION,
};

enum { STAGES_ALL = (1u << STAGE_COUNT) - 1 };

struct options {
    enum command command;
    const char **words; /* exercises and chapters as typed; NULL-terminated */
    size_t word_count;
    const char *root;        /* the checkout, absolute, without links; never NULL where a course is needed */
    const char *tree;        /* --tree as typed, or NULL: ROOT/exercises */
    const char *source;      /* --source as typed, or NULL */
    const char *submissions; /* --submissions as typed, or NULL */
    const char *out;         /* --out as typed, or NULL: ROOT/build/class */
    const char *json;        /* --json as typed ("-": standard output), or NULL */
    unsigned stages;         /* a bit (1u << id) for each stage asked for; those of build and rules are always set */
    int jobs;                /* at least 1; the machine's cores where not given */
    bool verbose;
    bool no_color;
    bool again; /* hint --again: the last hint once more */
    bool own;   /* what an exercise is built on is the student's own, not the reference */
};

/* Reads the command line. All belongs to `context`; words of argv are not copied. Bad usage is a fault: one line that
 * says what, where and what to do. Finds the root (--root, else the folder above the program's own, else the nearest
 * folder upwards from here that holds grader/checks), except for COMMAND_HELP and COMMAND_VERSION. */
int options_parse(void *context, int argc, char **argv, struct options *options, struct fault *fault);

/* The cores that this process may use, at least 1. */
int options_cores(void);

/* Prints --help: grouped, with examples, within 80 columns. */
void options_help(FILE *out);

#endif
