/* progress.h - what the student has been told so far: build/progress.json.
 *
 * Written whole under another name and renamed, under a lock (build/progress.lock, flock), so that two graders at once
 * lose nothing and a killed one leaves the old file. Reading needs no lock. A file that is broken or not ours is moved
 * aside to progress.json.bad and said in one line; it is never a fault. Blocks while another grader writes.
 */
#ifndef GRADE_PROGRESS_H
#define GRADE_PROGRESS_H

#include "fault.h"
#include "finding.h"

#include <stdbool.h>
#include <stddef.h>

#define PROGRESS_HASH_SIZE 65 /* SHA-256 in hexadecimal, and NUL */

struct progress_record {
    const char *exercise; /* its id */
    bool graded;          /* false: hints were taken, nothing else is known */
    enum outcome outcome; /* of the last grading: passed, failed or inconclusive */
    const char *stage;    /* where it failed, or NULL */
    int points;
    int max_points;
    const char *hash; /* SHA-256 of the source that was graded, in hexadecimal, or NULL */
    bool passed_once; /* passed in some grading */
    int hints;        /* 0 to 3 */
    const char *date; /* of the last grading, UTC: "2024-05-01T12:00:00Z", or NULL */
};

struct progress {
    struct progress_record *records; /* sorted by exercise */
    size_t count;
    const char *notice; /* a line to show the student (a broken file was set aside), or NULL */
};

/* Reads build_dir/progress.json; none is an empty progress. All belongs to `context`. */
void progress_load(void *context, const char *build_dir, struct progress *progress);

/* The record of an exercise, or NULL. */
const struct progress_record *progress_find(const struct progress *progress, const char *exercise);

/* Passed as far as points go: an inconclusive one costs nothing. */
bool progress_passed(const struct progress_record *record);

/* Whether the file `source` is another than the one that was graded. */
bool progress_changed(const struct progress_record *record, const char *source);

/* Remembers a verdict on the student's own file `source` (path to read). A broken verdict is no verdict and changes
 * nothing. Call it only for the student's own tree with all stages: not for --tree, --source, --stages or
 * --submissions. */
int progress_record(const char *build_dir, const struct verdict *verdict, const char *source, struct fault *fault);

/* Remembers that `hints` hints were taken for the exercise (never fewer than before). */
int progress_hints(const char *build_dir, const char *exercise, int hints, struct fault *fault);

/* SHA-256 of a file's bytes in hexadecimal; false, and "", where it cannot be read. */
bool progress_hash(const char *source, char hash[PROGRESS_HASH_SIZE]);

#endif
