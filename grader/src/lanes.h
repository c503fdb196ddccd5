/* lanes.h - cores of this run that no grading uses.
 *
 * So many gradings run at once as there are cores, or as --jobs says. Where fewer are left to do than that, each may
 * take of what is free for processes of its own (aside.h), so that one exercise alone uses the machine as well as many
 * do, and no run ever uses more than it was given.
 *
 * The counts lie in memory that the pool shares with its workers. No call blocks; any process of the run may call.
 */
#ifndef GRADE_LANES_H
#define GRADE_LANES_H

#include "fault.h"

#include <stdbool.h>

struct lanes;

/* What one grading holds. A zeroed one has no more than its own lane, for ever. */
struct lane_share {
    struct lanes *lanes;
    int slot; /* the grading's place among those at once, from 0 */
};

/* For so many gradings at once, all of it free. NULL with a fault where there is no memory. */
struct lanes *lanes_open(int at_once, struct fault *fault);
void lanes_close(struct lanes *lanes); /* NULL: nothing happens */

/* The pool's: the grading in this slot begins, which takes a lane in any case; and has ended, by whatever end, which
 * gives back that and all it still held. */
void lanes_begin(struct lanes *lanes, int slot);
void lanes_end(struct lanes *lanes, int slot);

/* The grading's: whether a lane is free, at this moment; one lane more, where one is; and back. */
bool lane_is_free(const struct lane_share *share);
bool lane_take(const struct lane_share *share);
void lane_give(const struct lane_share *share);

#endif
