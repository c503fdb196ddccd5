/* interleave_words.h - what the explorer found, in a teacher's words.
 */
#ifndef GRADE_INTERLEAVE_WORDS_H
#define GRADE_INTERLEAVE_WORDS_H

#include "finding.h"
#include "interleave_run.h"

/* Adds the finding of `explored` (EXPLORE_FOUND) to `result`: what happened, after how many interleavings; where
 * everyone stands; why; with the interleaving itself. `reference` says what was proved of the reference in the same
 * scenario; NULL leaves that out. */
struct finding *interleave_words_add(void *context, const struct workshop *shop, const struct explored *explored,
                                     const struct proof *reference, struct stage_result *result);

/* True where a line of the student's is in the trace or in where it went wrong. */
bool interleave_words_student_in(const struct workshop *shop, const struct explored *explored);

#endif
