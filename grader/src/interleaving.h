/* interleaving.h - what the explorer (build/interleave) told of one scenario: what it proved, and, where it found
 * something, who did what in which order until it went wrong.
 *
 * interleave_run.h makes these, the stage interleavings puts them into a verdict, reports read them. Plain data; all of
 * it belongs to the context that it was made with. Pure functions; any thread.
 */
#ifndef GRADE_INTERLEAVING_H
#define GRADE_INTERLEAVING_H

#include "fault.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* How much was run of one scenario, and what that proves. */
struct proof {
    const char *scenario;
    long runs;        /* interleavings run, those cut short as equal to an earlier one among them */
    long whole;       /* of the systematic search, to their end */
    long random;      /* at random (PCT) */
    int depth;        /* of those */
    int preemptions;  /* every interleaving with up to so many preemptions was run; -1: not even those with none */
    bool everything;  /* every interleaving was run */
    const char *text; /* the same in words: "every interleaving with up to 2 preemptions was run (4,812)" */
};

/* One thing that a thread did. */
struct step {
    int thread;         /* from 1; 1 is the thread that runs the scenario */
    const char *file;   /* base name, or NULL */
    int line;           /* from 1; 0 where unknown */
    const char *source; /* that line without its indentation, where it is the student's; else NULL */
    const char *does;   /* "locks", "wakes", …; "reads" and "writes" are accesses to memory */
    const char *object; /* what it does it to, in the words of the line, or NULL */
    int number;         /* the same for the same object, whatever it is called; 0: none */
    const char *before; /* of an access: the value before, in words, or NULL */
    const char *after;
    int other; /* the thread that it happens to; 0: none */
};

struct explored_thread {
    int number;       /* from 1 */
    const char *body; /* its function */
    const char *file; /* where it stands: base name, or NULL */
    int line;
    const char *source; /* that line, as of a step */
    bool ended;         /* …when it went wrong */
    const char *state;  /* what it waits for: "waits for a mutex that thread 3 holds" */
    const char **holds; /* locks; NULL-terminated */
};

struct interleaving {
    const char *scenario;
    const char *story;
    const char *kind;    /* "race", "deadlock", …, as in grader/explore/trace.schema.json */
    const char *pattern; /* which known mistake it is: "if-for-while", …; NULL where none is seen for certain */
    const char *token;   /* for `make replay`: names the scenario and the order */
    long runs;           /* so many were run before it was found, this one among them */
    struct explored_thread *threads;
    size_t thread_count;
    struct step *steps; /* in the order of happening */
    size_t step_count;
    long left_out; /* steps that did not fit */
};

/* The sentence that belongs into proof->text, without its full stop. */
char *proof_words(void *context, const struct proof *proof);

/* "4,812" */
char *proof_number(void *context, long number);

/* Deep copies. */
struct interleaving *interleaving_copy(void *context, const struct interleaving *from);
struct proof *proofs_copy(void *context, const struct proof *from, size_t count);

/* As they stand in the verdict's JSON (grader/schema/verdict.schema.json). Texts must be valid UTF-8. NULL where memory
 * ran out. */
json_t *interleaving_to_json(const struct interleaving *interleaving);
json_t *proof_to_json(const struct proof *proof);

/* Back again; -1 with a fault that names the first member that does not fit. */
int interleaving_from_json(void *context, const json_t *json, struct interleaving *interleaving, struct fault *fault);
int proof_from_json(void *context, const json_t *json, struct proof *proof, struct fault *fault);

#endif
