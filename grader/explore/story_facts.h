/* story_facts.h - questions about a recorded run that have one answer each: who held what, what was where, who tested
 * what before it slept. The patterns (story.h) are put together from these and claim nothing that these do not say.
 *
 * Rows are named by their index in record.rows; "before row i" means after row i - 1. Strings stay the module's, in a
 * ring: at most RING of them live at once.
 */
#ifndef EXPLORE_STORY_FACTS_H
#define EXPLORE_STORY_FACTS_H

#include "lines.h"
#include "record.h"

enum { NO_ROW = -1, TESTS_MAX = 8, RING = 16 };

/* ---- words */
const char *fact_who(int thread);                            /* "thread 3 (consumer)" */
const char *fact_line(const void *pc);                       /* "line 24", or "queue.c:24" where there are more files */
const char *fact_object(const void *object, const void *pc); /* "`q->mutex`", in the words of the line */
const char *fact_object_exactly(const void *object,
                                const void *pc);               /* and "(`queues[1].mutex`)", where that says more */
const char *fact_value(const struct row *row, uint64_t value); /* of the access in `row` */
bool fact_line_has(const void *pc, const char *word);          /* the source line, as a whole word */

/* ---- rows */
bool fact_is_access(const struct row *row); /* of the program's own memory, with its values */
bool fact_writes(const struct row *row);
bool fact_is_test(const struct row *row); /* a read in a line that branches on something */
int fact_last(int before, int thread, enum op op,
              const void *object);                                    /* the last such row < before; object NULL: any */
int fact_next(int after, int thread, enum op op, const void *object); /* the first such row > after */
int fact_next_of(int after, int thread);                              /* the next row of that thread */

/* The last write to exactly that memory by somebody else in rows (after, before). */
int fact_changed_between(int after, int before, const struct row *access, int not_by);

/* The value before row `i` of the memory of `access`; false where no row tells. */
bool fact_value_before(int i, const struct row *access, uint64_t *value);

/* The row in which `thread` took `lock`, where it holds it before row `i`; or NO_ROW. */
int fact_taken(int thread, int i, const void *lock);

/* The mutex that the sleep (OP_SLEEP) in row `i` gives up, which is the one that it takes again; or NULL. */
const void *fact_given_up(int i);

/* Any lock that it holds before row `i`: the row of its taking, or NO_ROW. */
int fact_any_lock(int thread, int i);

/* Where two rows of one thread stand in the innermost function call that is the same for both: true, with the two
 * places in it. */
bool fact_common(const struct row *a, const struct row *b, const void **at_a, const void **at_b);

/* ---- a wait's test: what was read, in the line that decided to sleep, before a row of OP_SLEEP */
struct tests {
    unsigned n;
    int rows[TESTS_MAX];
    const void *pc; /* the line, in the function that waits */
    bool outside;   /* read before the mutex was taken */
};
bool fact_tests(int sleep_row, struct tests *tests);

/* The test of which the value before row `i` is another than it was; or NO_ROW. */
int fact_test_that_differs(const struct tests *tests, int i);

#endif
