/* show.h - what was found, for people (a table with a column a thread) and for programs (JSON).
 *
 * Call after a recorded run (record.h), with il as that run left it.
 */
#ifndef EXPLORE_SHOW_H
#define EXPLORE_SHOW_H

#include "search.h"

#include <stdio.h>

/* The finding, its trace, why, and how to replay it, in lines of at most `width` characters (table.h). `report` may be
 * NULL (a replay). */
void show_finding(FILE *to, const struct search_report *report, const char *token, unsigned width);

/* What was run and what that proves, in one sentence. */
void show_proof(FILE *to, const struct search_options *options, const struct search_report *report);

struct show_options {
    const struct search_options *search;
    const char *token; /* "" where nothing was found */
    unsigned width;    /* of the table */
    bool in_one_line;
};

/* The same as one JSON object (grader/explore/trace.schema.json) and a line's end. 0, or -1 with errno. */
int show_json(FILE *to, const struct show_options *how, const struct search_report *report);

/* "mutex lock", "4 bytes into counter", …: the object at an address in words. */
void show_object(const void *address, char *text, size_t size);

/* "race", "deadlock", …: stable names for programs. */
const char *show_kind(enum finding_kind kind);

#endif
